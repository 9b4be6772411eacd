"""Messages made by hand: odd values where the page sends names, files and numbers."""

import json
from contextlib import closing

import pytest

pytest.importorskip("gradio", reason="the demo needs gradio")

import httpx

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:(gradio|starlette|fastapi|websockets)"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
WAIT = 300  # seconds, of a machine that is busy
ODD = [{"a": [1]}, [["scream"]], 10**400, "\0", {"path": "/etc/passwd"}, None]
NAMES = (
    "upload take_sample pick remove_1 take_preset take_text at_pad draw_strip draw_pad at_strip "
    "take_ready availability run make load choose stylize embed"
).split()


@pytest.fixture(scope="module")
def web(address):
    with closing(httpx.Client(base_url=address, timeout=WAIT)) as web:
        yield web


@pytest.fixture(scope="module")
def functions(web):
    return {f["api_name"]: f for f in web.get("/config").json()["dependencies"]}


def answer(web, function, values, session):
    """The last message of a function's answer."""
    call = {"data": values, "fn_index": function["id"], "session_hash": session}
    web.post("/gradio_api/queue/join", json=call).raise_for_status()
    query = {"session_hash": session}
    with web.stream("GET", "/gradio_api/queue/data", params=query) as lines:
        for line in lines.iter_lines():
            message = json.loads(line.removeprefix("data: ") or "{}")
            if message.get("msg") == "process_completed":
                return message["output"]
    return {"title": "no answer"}


@pytest.mark.parametrize("name", NAMES)
def test_have_an_answer_in_plain_words(web, functions, name):
    """And no page in the log for each: whoever likes could fill it."""
    function = functions[name]
    for number, odd in enumerate(ODD):
        values = [odd] * len(function["inputs"])
        said = answer(web, function, values, f"{name}-{number}")
        assert said.get("title") not in ("Something broke", "no answer"), (odd, said)


def test_functions_are_not_run_past_their_queue(web, functions):
    """Else as many pictures at once as one likes."""
    number = functions["take_sample"]["id"]
    call = {"data": ["astronaut", 256], "fn_index": number, "session_hash": "past"}
    assert web.post("/gradio_api/run/take_sample", json=call).status_code == 404
