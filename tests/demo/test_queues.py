"""What takes long for one visitor holds up no other: reading and work have their own queues."""

import json
import threading
from contextlib import closing

import pytest

pytest.importorskip("gradio", reason="the demo needs gradio")

import httpx

from arbitrary_nst.demo import endpoints, photos

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:(gradio|starlette|fastapi|websockets)"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
WAIT = 300  # seconds, of a machine that is busy


class Visitor:
    """A page that is open, by what it sends."""

    def __init__(self, address, session):
        self._web = httpx.Client(base_url=address, timeout=WAIT)
        self._session = session
        functions = self._web.get("/config").json()["dependencies"]
        self._numbers = {function["api_name"]: function["id"] for function in functions}

    def upload(self, path):
        sent = self._web.post("/gradio_api/upload", files={"files": (path.name, path.read_bytes())})
        return {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}

    def ask(self, function, *values):
        """Asks the page's function of this name, and leaves the answer for `answer`."""
        call = {"fn_index": self._numbers[function], "session_hash": self._session}
        self._web.post("/gradio_api/queue/join", json={"data": values, **call}).raise_for_status()

    def answer(self):
        """Waits for what was asked; whether it went well."""
        query = {"session_hash": self._session}
        with self._web.stream("GET", "/gradio_api/queue/data", params=query) as lines:
            for line in lines.iter_lines():
                message = json.loads(line.removeprefix("data: ") or "{}")
                if message.get("msg") == "process_completed":
                    return message["success"]
        return False

    def close(self):
        self._web.close()


class Held:
    """A function that waits until it is let go; the rest is as it was."""

    def __init__(self, monkeypatch, module, name):
        self.called, self._end = threading.Event(), threading.Event()
        real = getattr(module, name)

        def waiting(*arguments, **options):
            self.called.set()
            assert self._end.wait(WAIT)
            return real(*arguments, **options)

        monkeypatch.setattr(module, name, waiting)

    def let_go(self):
        self._end.set()


@pytest.mark.parametrize("what", ["reading", "reading at another size", "a program"])
def test_others_are_served_meanwhile(what, address, monkeypatch, photo_file):
    with closing(Visitor(address, "ann")) as ann, closing(Visitor(address, "ben")) as ben:
        file = ann.upload(photo_file)
        if what == "reading at another size":
            ann.ask("upload", file, 256)
            assert ann.answer()
        place = (endpoints, "stylize") if what == "a program" else (photos, "load_untrusted")
        held = Held(monkeypatch, *place)
        if what == "a program":
            ann.ask("stylize", file, ["scream"], [], 1, "style", 0)
        elif what == "reading":
            ann.ask("upload", file, 256)
        else:
            ann.ask("resize", None, 512)
        waiting = threading.Thread(target=ann.answer)  # or it would be dropped
        waiting.start()
        try:
            assert held.called.wait(WAIT)
            ben.ask("surprise")
            assert ben.answer()
            assert waiting.is_alive()
        finally:
            held.let_go()
            waiting.join(WAIT)
