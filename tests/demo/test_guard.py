"""What stands before the server: hosts, origins, logins, uploads, and who does not listen."""

import asyncio
import json

import pytest

from arbitrary_nst.demo import guard
from arbitrary_nst.demo.guard import Budget, Guard, is_allowed
from arbitrary_nst.demo.settings import Settings


class Queue:
    """The queue of requests, as the guard sees it."""

    def __init__(self):
        self.event_queue_per_concurrency_id = {}
        self.dropped = []

    async def clean_events(self, *, session_hash):
        self.dropped.append(session_hash)


async def answers(scope, receive, send):
    """A server that takes the whole request, refuses each login, and answers all else."""
    while (await receive()).get("more_body"):
        pass
    status = 400 if scope["path"] == "/login" else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def ask(guarded, path="/", method="GET", body=b"", query=b"", **headers):
    """Status and headers of the answer."""
    headers = {"host": "127.0.0.1:7860", **headers}
    scope = {
        "type": "http",
        "path": path,
        "method": method,
        "query_string": query,
        "client": ("127.0.0.1", 1),
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    async def run():
        await guarded(scope, receive, send)
        await asyncio.gather(*guarded._watchers)

    asyncio.run(run())
    return sent[0]["status"], dict(sent[0]["headers"])


@pytest.fixture
def guarded():
    return Guard(answers, Settings(max_file_megabytes=1), Queue)


@pytest.mark.parametrize(
    ("length", "status"),
    [
        (str(guard.BODY), 200),
        (str(guard.BODY + 1), 413),
        ("²", 413),
        ("9" * 5000, 413),
        ("", 413),
        (None, 200),  # no body
    ],
)
@pytest.mark.parametrize(
    "path", ["/gradio_api/component_server/", "/gradio_api/queue/join", "/login", "/"]
)
def test_what_is_no_upload_is_bounded(guarded, path, length, status):
    """Such a request is kept in memory as a whole."""
    headers = {} if length is None else {"content_length": length}
    answer = ask(guarded, path, "POST", **headers)[0]
    assert answer == (400 if (path, status) == ("/login", 200) else status)


def test_a_request_in_pieces_has_no_length(guarded):
    path = "/gradio_api/queue/join"
    assert ask(guarded, path, "POST", b"{}", transfer_encoding="chunked")[0] == 413
    assert ask(guarded, "/gradio_api/upload", "POST", transfer_encoding="chunked")[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:7860", "origin": "http://localhost:7860"}, 200),
        ({"host": "evil.com"}, 403),
        ({"host": "10.1.2.3"}, 403),
        ({"origin": "http://evil.com"}, 403),
        ({"origin": "null"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
    ],
)
def test_takes_requests_from_its_own_page_alone(guarded, headers, status):
    assert ask(guarded, "/gradio_api/upload", "POST", **headers)[0] == status


def test_a_link_from_elsewhere_opens_the_page(guarded):
    assert ask(guarded, sec_fetch_site="cross-site")[0] == 200


def test_has_the_usual_headers(guarded):
    headers = ask(guarded)[1]
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert b"frame-ancestors 'self'" in headers[b"content-security-policy"]


def test_names_that_a_demo_is_reached_by(monkeypatch):
    monkeypatch.delenv("SPACE_HOST", raising=False)
    proxied = Settings(allowed_hosts=("paint.example.org", "*.lab.example"))
    assert is_allowed("paint.example.org", proxied) and is_allowed("a.lab.example", proxied)
    assert not is_allowed("example.org", proxied)
    everywhere = Settings(host="0.0.0.0")
    assert is_allowed("192.168.1.7", everywhere) and not is_allowed("evil.com", everywhere)
    assert is_allowed("abc.gradio.live", Settings(share=True))
    monkeypatch.setenv("SPACE_HOST", "ann-paint.hf.space")
    assert is_allowed("ann-paint.hf.space", everywhere)


def test_logins_cannot_be_guessed_without_end(guarded):
    tried = [ask(guarded, "/login", "POST")[0] for _ in range(guard.LOGINS + 1)]
    assert tried == [400] * guard.LOGINS + [429]


def test_uploads_have_a_budget(guarded):
    part = bytes(10**6)
    tried = [ask(guarded, "/gradio_api/upload", "POST", part)[0] for _ in range(guard.UPLOADS + 1)]
    assert tried == [200] * guard.UPLOADS + [429]


def test_a_budget_comes_back(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(guard.time, "monotonic", lambda: now[0])
    budget = Budget(2, 60)
    budget.take("ann", 2)
    assert budget.is_spent("ann") and not budget.is_spent("bob")
    now[0] = 61
    assert not budget.is_spent("ann")


class TestQueue:
    join = json.dumps({"session_hash": "ann", "fn_index": 0}).encode()

    def test_drops_what_nobody_waits_for(self, monkeypatch):
        monkeypatch.setattr(guard, "PATIENCE", 0.05)
        queue = Queue()
        ask(Guard(answers, Settings(), lambda: queue), "/gradio_api/queue/join", "POST", self.join)
        assert queue.dropped == ["ann"]

    def test_keeps_those_of_a_visitor_who_listens(self, monkeypatch):
        monkeypatch.setattr(guard, "PATIENCE", 0.05)
        queue = Queue()
        guarded = Guard(answers, Settings(), lambda: queue)
        guarded._listeners["ann"] = 1
        ask(guarded, "/gradio_api/queue/join", "POST", self.join)
        assert queue.dropped == []

    def test_one_visitor_may_not_fill_it(self, monkeypatch):
        class Event:
            session_hash = "ann"

        class Waiting:
            queue = [Event()] * guard.WAITING

        monkeypatch.setattr(guard, "PATIENCE", 0)
        queue = Queue()
        queue.event_queue_per_concurrency_id = {"live": Waiting()}
        guarded = Guard(answers, Settings(), lambda: queue)
        assert ask(guarded, "/gradio_api/queue/join", "POST", self.join)[0] == 429
        other = self.join.replace(b"ann", b"bob")
        assert ask(guarded, "/gradio_api/queue/join", "POST", other)[0] == 200
