"""Odd requests to a demo that runs: those that do not end as they should are printed.

    arbitrary-nst demo --port 7911
    python benchmarks/fuzz_demo.py --port 7911 --number 500 --seed 2

Each function of the page and of programs is asked with values of wrong kinds, huge numbers, paths
of other files and names that nobody has, in too small and too large a number, and by bodies that
are no JSON. A request ends well with a status below 500, or with an answer whose error is not
"Something broke"; and afterwards another visitor is served. The same seed makes the same requests.
"""

from __future__ import annotations

import argparse
import collections
import io
import json
import random
import secrets
import sys
from typing import Any

import httpx
from PIL import Image

WAIT = 120.0  # seconds
NUMBERS = [None, True, False, 0, -1, 1, 0.5, 1e308, -1e308, 10**400, 2**63]
TEXTS = [
    "",
    " ",
    "x",
    "x" * 10**5,
    "\0",
    "\ud800",
    "nan",
    "1e999",
    "\x1b[2J",
    "<script>alert(1)</script>",
]
TEXTS += "great-wave scream astronaut vgg19 magenta cin ../../etc/passwd /etc/passwd ٣".split()
LISTS: list[Any] = [[], [None], ["great-wave"], [["scream"]], [0.5] * 9, [{"path": "x"}] * 3]
FILE = {"path": "/proc/self/environ", "meta": {"_type": "gradio.FileData"}}
THINGS = [{}, {"path": None}, {"path": "/etc/passwd"}, FILE, {"url": "file:///etc"}, {"value": 1}]
THINGS += [{"__type__": "update"}, {"a": {"b": {"c": [1, 2, {}]}}}]
ODD = [*NUMBERS, *TEXTS, *LISTS, *THINGS]
BODIES = [
    *(b"", b"{", b"null", b"[]", b"1", b'"x"', b"\xff\xfe", b"[" * 50_000, b'{"data":' * 20_000),
    *(b'{"data": NaN}', b'{"data": []}', b'{"data": [], "fn_index": 10000, "session_hash": "x"}'),
    *(b'{"data": [], "fn_index": -1, "session_hash": "x"}', b'{"data": [1], "fn_index": "0"}'),
    *(b'{"data": [], "fn_index": 0, "session_hash": 1}', b'{"data": {}, "fn_index": 0}'),
]
PATHS = "queue/join call/stylize call/embed call/v2/stylize run/x api/stylize cancel reset".split()
PATHS += "component_server upload stream/x queue/data heartbeat/x file=/etc/passwd".split()


class Visitor:
    """A page that is open, by what it sends."""

    def __init__(self, address: str) -> None:
        self.web = httpx.Client(base_url=address, timeout=httpx.Timeout(WAIT, connect=10))
        self.session = secrets.token_hex(6)

    def upload(self) -> dict[str, Any]:
        """A photo of its own, as the page names it."""
        stream = io.BytesIO()
        Image.effect_noise((64, 48), 60).convert("RGB").save(stream, "PNG")
        files = {"files": ("a.png", stream.getvalue())}
        path = self.web.post("/gradio_api/upload", files=files).json()[0]
        return {"path": path, "orig_name": "a.png", "meta": {"_type": "gradio.FileData"}}

    def ask(self, number: int, values: list[Any]) -> tuple[str, str]:
        """How a function ends, and what is said of it."""
        call = {"data": values, "fn_index": number, "session_hash": self.session}
        body = json.dumps(call).encode()
        joined = self.web.post("/gradio_api/queue/join", content=body, headers=JSON)
        if joined.status_code != 200:
            return f"status {joined.status_code}", joined.text
        query = {"session_hash": self.session}
        with self.web.stream("GET", "/gradio_api/queue/data", params=query) as lines:
            for line in lines.iter_lines():
                message = json.loads(line.removeprefix("data: ") or "{}")
                if message.get("msg") == "process_completed":
                    if message["success"]:
                        return "done", ""
                    output = message.get("output") or {}
                    return str(output.get("title") or "Error"), str(output.get("error"))
                if message.get("msg") in ("unexpected_error", "close_stream"):
                    return str(message["msg"]), str(message)
        return "no answer", ""


JSON = {"content-type": "application/json"}


def fuzz_demo(address: str, number: int, seed: int) -> int:
    """Asks them all; prints the outcomes, and the faults as they come."""
    rng, outcomes, bad = random.Random(seed), collections.Counter[str](), 0
    first = Visitor(address)
    functions = first.web.get("/config").json()["dependencies"]
    numbers = {function["api_name"]: function["id"] for function in functions}
    for index in range(number):
        visitor = Visitor(address)
        if index % 10 == 9:
            path, body = rng.choice(PATHS), rng.choice(BODIES)
            what = f"POST {path} {body[:60]!r}"
            status = visitor.web.post(f"/gradio_api/{path}", content=body, headers=JSON).status_code
            outcome, said = f"status {status}", ""
        else:
            function = rng.choice(functions)
            files = [visitor.upload()] if rng.random() < 0.3 else []
            values = [rng.choice(ODD + files * 20) for _ in function["inputs"]]
            if rng.random() < 0.1:
                values = values[: rng.randrange(len(values) + 1)] + [1] * rng.choice((0, 1, 500))
            what = f"{function['api_name']} {json.dumps(values)[:200]}"
            try:
                outcome, said = visitor.ask(function["id"], values)
            except httpx.TransportError as error:  # of which one is that it took too long
                outcome, said = "no answer", repr(error)
        visitor.web.close()
        outcomes[outcome] += 1
        fault = outcome in ("Something broke", "unexpected_error", "close_stream", "no answer")
        fault |= outcome.startswith("status 5")
        if fault or "root:x:" in said:
            bad += 1
            print(f"{index} {what}: {outcome}; {said[:200]}", flush=True)
        if index % 50 == 49:
            ann = Visitor(address)
            served = ann.ask(numbers["take_sample"], ["astronaut", 256])
            ann.web.close()
            if served[0] != "done":
                bad += 1
                print(f"{index}: another visitor is not served: {served}", flush=True)
    print(f"{number} requests, seed {seed}: {dict(outcomes)}; {bad} with a fault")
    return bad


def main() -> int:
    """Does what is asked for; returns 1 where something did not end well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--number", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    address = f"http://127.0.0.1:{options.port}"
    return min(1, fuzz_demo(address, options.number, options.seed))


if __name__ == "__main__":
    sys.exit(main())
