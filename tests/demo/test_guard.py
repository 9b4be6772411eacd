"""What stands before the server: hosts, origins, logins, uploads, and who does not listen."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from arbitrary_nst.demo import guard
from arbitrary_nst.demo.guard import Budget, Guard, is_allowed
from arbitrary_nst.demo.settings import Settings


class Queue:
    """The queue of requests, as the guard sees it."""

    blocks = SimpleNamespace(fns={0: "function"})

    def __init__(self):
        self.event_queue_per_concurrency_id = {}
        self.dropped = []

    async def clean_events(self, *, session_hash=None, event_id=None):
        self.dropped.append(session_hash or event_id)


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
def guarded(monkeypatch):
    monkeypatch.setattr(guard, "PATIENCE", 0)  # `ask` waits for what is done after it
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
        ann = Waiting(guard.WAITING, "192.0.2.1")
        for event in ann.queue:
            event.session_hash = "ann"
        monkeypatch.setattr(guard, "PATIENCE", 0)
        queue = Queue()
        queue.event_queue_per_concurrency_id = {"live": ann}
        guarded = Guard(answers, Settings(), lambda: queue)
        assert ask(guarded, "/gradio_api/queue/join", "POST", self.join)[0] == 429
        other = self.join.replace(b"ann", b"bob")
        assert ask(guarded, "/gradio_api/queue/join", "POST", other)[0] == 200

    def test_nor_may_one_address_by_many_sessions(self, monkeypatch):
        settings = Settings(max_waiting=8)
        queue = Queue()
        queue.event_queue_per_concurrency_id = {"live": Waiting(4, "127.0.0.1")}
        guarded = Guard(answers, settings, lambda: queue)
        monkeypatch.setattr(guard, "PATIENCE", 0)
        for path in ("/gradio_api/queue/join", "/gradio_api/call/stylize"):
            assert ask(guarded, path, "POST", self.join)[0] == 429
        queue.event_queue_per_concurrency_id = {"live": Waiting(4, "192.0.2.1")}
        assert ask(guarded, "/gradio_api/queue/join", "POST", self.join)[0] == 200

    def test_drops_what_no_program_waits_for(self, monkeypatch):
        """A program names no session: Gradio's answer says which event it is."""
        monkeypatch.setattr(guard, "CALL_PATIENCE", 0.05)
        queue = Queue()
        for listeners in (0, 1):
            guarded = Guard(begins, Settings(), lambda: queue)
            guarded._listeners["e1"] = listeners
            ask(guarded, "/gradio_api/call/stylize", "POST", b"{}")
        assert queue.dropped == ["e1"]

    def test_a_program_that_reads_is_a_listener(self):
        heard = []

        async def listened(scope, receive, send):
            heard.append(dict(guarded._listeners))
            await answers(scope, receive, send)

        guarded = Guard(listened, Settings(), Queue)
        ask(guarded, "/gradio_api/call/stylize/e1")
        assert heard == [{"e1": 1}] and not guarded._listeners


class Waiting:
    """Requests that wait, each of a session of its own."""

    def __init__(self, count, address):
        request = SimpleNamespace(scope={"client": (address, 1)})
        self.queue = [SimpleNamespace(session_hash=f"s{n}", request=request) for n in range(count)]


async def begins(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b'{"event_id": "e1"}'})


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/process_recording",
        "/gradio_api/deep_link",
        "/gradio_api/stream/e1",
        "/gradio_api/proxy=http://example.org/",
        "/gradio_api/vibe-code/",
        "/gradio_api/run-history/connect",
        "/gradio_api/runs",
        "/monitoring/summary",
        "/below/gradio_api/process_recording",
    ],
)
def test_doors_that_the_page_does_not_use_are_not_there(guarded, path):
    assert ask(guarded, path)[0] == ask(guarded, path, "POST")[0] == 404


@pytest.mark.parametrize("path", ["run/take_sample", "startup-events", "info", "heartbeat/x"])
def test_others_are(guarded, path):
    assert ask(guarded, f"/gradio_api/{path}")[0] == 200


@pytest.mark.parametrize("path", ["call/upload", "run/upload", "api/upload", "cancel/upload"])
def test_a_function_called_upload_is_no_upload(guarded, path):
    length = str(guard.BODY + 1)
    assert ask(guarded, f"/gradio_api/{path}", "POST", content_length=length)[0] == 413


def test_an_upload_is_cut_where_the_budget_ends(guarded):
    """Else one request of many files would fill the disk."""
    parts, taken = [bytes(10**6)] * (2 * guard.UPLOADS), []

    async def receive():
        taken.append(parts.pop())
        return {"type": "http.request", "body": taken[-1], "more_body": bool(parts)}

    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "path": "/gradio_api/upload",
        "method": "POST",
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"localhost")],
    }
    asyncio.run(guarded(scope, receive, send))
    assert sent[0]["status"] == 429
    assert len(taken) == guard.UPLOADS


FORM = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"session_hash": "%s"}', "application/json", 400),
        (b'{"session\\u005fhash": "%s"}', "text/plain", 400),
        (FORM % (b"session_hash", b"%s"), "multipart/form-data; boundary=b", 400),
        (FORM % (b"fn_name", b"%s"), "multipart/form-data; boundary=b", 200),
        (b'{"data": "%s"}', "application/json", 200),
    ],
)
def test_names_of_sessions_are_short(guarded, body, kind, status):
    """Thousands of them are remembered."""
    long = body.replace(b"%s", b"x" * 99)
    path = "/gradio_api/component_server"
    assert ask(guarded, path, "POST", long, content_type=kind)[0] == status
    assert ask(guarded, path, "POST", body.replace(b"%s", b"x"), content_type=kind)[0] == 200


def test_a_session_is_named_once(guarded):
    """Of two fields Gradio takes the last, of one that is quoted in another way any."""
    kind = "multipart/form-data; boundary=b"
    twice = FORM % (b"session_hash", b"x") + FORM % (b"session_hash", b"x")
    bare = (FORM % (b"session_hash", b"x")).replace(b'"session_hash"', b"session_hash")
    for body in (twice, bare):
        answer = ask(guarded, "/gradio_api/component_server", "POST", body, content_type=kind)
        assert answer[0] == 400


@pytest.mark.parametrize("path", ["queue/join", "call/stylize", "run/x", "cancel"])
@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"null", b"[]", b"1", b"\xff\xfe", b"[" * 50_000, b'{"data":' * 20_000),
        *(b'{"data": NaN}', b'{"data": [-Infinity]}', b'{"data": [], "fn_index": 9}'),
        *(b'{"data": [], "fn_index": -1}', b'{"fn_index": "0"}', b'{"fn_index": true}'),
    ],
)
def test_what_is_no_request_is_refused(guarded, path, body):
    """Gradio answers some of them with an error of the server, and a page of it in the log."""
    assert ask(guarded, f"/gradio_api/{path}", "POST", body)[0] == 400
    assert ask(guarded, f"/gradio_api/{path}", "POST", b'{"data": [1], "fn_index": 0}')[0] == 200


def test_a_request_that_breaks_off_is_none():
    """Gradio writes what came of it into files that nothing deletes."""
    asked = []

    async def app(scope, receive, send):
        asked.append(scope)

    guarded = Guard(app, Settings(), Queue)
    messages = [
        {"type": "http.request", "body": b"--b", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive():
        return messages.pop(0)

    scope = {
        "type": "http",
        "path": "/gradio_api/component_server",
        "method": "POST",
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"localhost"), (b"content-length", b"9")],
    }
    asyncio.run(guarded(scope, receive, None))
    assert not messages and not asked


def test_of_version_6_a_network_is_one_address():
    address = guard._address({"client": ("2001:db8::1", 1)})
    assert address == guard._address({"client": ("2001:db8::ffff:2", 9)})
    assert address != guard._address({"client": ("2001:db8:0:1::1", 1)})
    assert guard._address({"client": ("192.0.2.1", 1)}) == "192.0.2.1"
    assert guard._address({"client": ("testclient", 1)}) == "testclient"


def test_a_budget_does_not_remember_all_addresses(monkeypatch):
    monkeypatch.setattr(guard, "MOST_ADDRESSES", 3)
    budget = Budget(1, 60)
    for number in range(9):
        budget.take(f"192.0.2.{number}", 1)
    assert len(budget._used) == 3 and budget.is_spent("192.0.2.8")


def test_the_own_name_is_looked_up_once(monkeypatch):
    """A name server may take seconds, in which no visitor is served."""
    asked = []
    monkeypatch.setattr(guard.socket, "getfqdn", lambda: asked.append(1) or "Box.example.org")
    guard._own_names.cache_clear()
    everywhere = Settings(host="0.0.0.0")
    try:
        assert all(is_allowed("box.example.org", everywhere) for _ in range(3))
    finally:
        guard._own_names.cache_clear()
    assert asked == [1]
