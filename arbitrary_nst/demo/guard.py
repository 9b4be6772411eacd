"""What stands before the server: who may ask, what, how often, how much.

A page that listens to one machine alone can still be reached by any page that its user opens, by
posting to its address or by a name that leads to it. So requests have to name a known host, and to
come from the page itself. Besides: guesses at the login, bytes of uploads and waiting requests of a
visitor are counted, what nobody waits for is dropped, and what Gradio's server can do beside what
the page needs is not there.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import re
import socket
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from arbitrary_nst.demo.bodies import event_in, fault_in, form_in, read_whole, visitor_in
from arbitrary_nst.demo.settings import Settings

LOGINS, LOGIN_SECONDS = 10, 300  # wrong guesses of an address in this time
UPLOADS, UPLOAD_SECONDS = 20, 1800  # times the largest file, of an address in this time
UPLOAD, CALL = "/gradio_api/upload", "/gradio_api/call/"
BODY = 10 * 10**6  # bytes at most of a request that is no upload: most of it the regions' editor's
WAITING = 12  # requests of one visitor that may wait
SHARE_WAITING = 0.5  # of all places in the queue, for the visitors of one address together
PATIENCE = 10.0  # seconds after which requests whose answers nobody reads are dropped
CALL_PATIENCE = 60.0  # the same of a program, which asks and reads in two steps, perhaps by hand
MOST_ADDRESSES = 10_000  # that a budget remembers
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin-allow-popups"),
)
# Doors of Gradio's server that the page does not use. Some start programs on what is sent to them,
# or write what no sweep finds.
UNUSED = re.compile(
    r"/(?:gradio_api/(?:process_recording|deep_link|stream/|proxy=|run-history|runs|vibe-|"
    r"undo-vibe-|profiling|dev/)|monitoring)"
)
SPACE_FRAMES = b"frame-ancestors 'self' https://huggingface.co https://*.hf.space"


class Budget:
    """How much each address has used of something in the last while."""

    def __init__(self, most: float, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._used: dict[str, deque[tuple[float, float]]] = defaultdict(deque)

    def is_spent(self, who: str) -> bool:
        """Whether there is nothing left for now."""
        used, now = self._used[who], time.monotonic()
        while used and now - used[0][0] > self._seconds:
            used.popleft()
        if not used:
            del self._used[who]
            return False
        return sum(amount for _, amount in used) >= self._most

    def take(self, who: str, amount: float) -> None:
        """Counts an amount."""
        self._used[who].append((time.monotonic(), amount))
        while len(self._used) > MOST_ADDRESSES:
            del self._used[next(iter(self._used))]


class Guard:
    """Middleware of the server.

    Args:
        app: what it stands before.
        settings: for hosts and limits.
        queue: gives the queue of requests, which does not exist at the beginning.
    """

    def __init__(self, app: Any, settings: Settings, queue: Callable[[], Any]) -> None:
        self._app, self._settings, self._queue = app, settings, queue
        self._logins = Budget(LOGINS, LOGIN_SECONDS)
        most = UPLOADS * settings.max_file_megabytes * 10**6
        self._uploads = Budget(most, UPLOAD_SECONDS)
        self._listeners: dict[str, int] = defaultdict(int)  # open streams of answers, by visitor
        self._joined: dict[str, float] = {}  # when the last request came, by visitor
        self._watchers: set[asyncio.Task] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        path, who = scope["path"].rstrip("/"), _address(scope)
        refusal = self._refusal(scope, headers, path, who)
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        answer = self._answer(send, path, who)
        if path.endswith(UPLOAD):
            receive = self._counted(receive, who)
        elif scope["method"] not in ("GET", "HEAD"):
            receive, visitor, refusal = await self._read(receive, path, headers, who)
            if refusal is not None:
                await _refuse(send, *refusal)
            if receive is None or refusal is not None:
                return
            if path.endswith("/queue/join"):
                self._watch(visitor, PATIENCE, session_hash=visitor)
            elif CALL in path:
                answer = self._watching(answer)
        listener = _listener(scope, path)
        if listener:
            self._listeners[listener] += 1
        try:
            await self._app(scope, receive, answer)
        except SpentError:
            await _refuse(send, 429, "You have uploaded a lot. Try again in half an hour.")
        finally:
            if listener:
                self._listeners[listener] -= 1
                if self._listeners[listener] <= 0:
                    del self._listeners[listener]

    def _refusal(
        self, scope: Any, headers: dict[bytes, str], path: str, who: str
    ) -> tuple[int, str] | None:
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        if not is_allowed(_name(host), self._settings):
            return 403, "This demo is not served under that name. See `--allow-host`."
        if origin is not None and not is_allowed(_name(urlsplit(origin).netloc), self._settings):
            return 403, "This demo takes requests from its own page alone. See `--allow-host`."
        foreign = origin is None and headers.get(b"sec-fetch-site") == "cross-site"
        if foreign and scope["method"] not in ("GET", "HEAD"):
            return 403, "This demo takes requests from its own page alone."
        if UNUSED.search(scope["path"]):
            return 404, "This demo has no such page."
        if path == "/login" and self._logins.is_spent(who):
            return 429, "Too many wrong passwords. Try again in a few minutes."
        if path.endswith(UPLOAD) and self._uploads.is_spent(who):
            return 429, "You have uploaded a lot. Try again in half an hour."
        if not path.endswith(UPLOAD):
            # One that comes in pieces says no length; neither the page nor `gradio_client` does so.
            unknown = "" if b"transfer-encoding" in headers else "0"
            length = headers.get(b"content-length", unknown)
            if not (length.isdecimal() and len(length) < 12 and int(length) <= BODY):
                return 413, "This is more than the page itself sends."
        return None

    async def _read(
        self, receive: Any, path: str, headers: dict[bytes, str], who: str
    ) -> tuple[Any, str, tuple[int, str] | None]:
        """Reads a request whole, so that Gradio keeps nothing of one that breaks off.

        Returns:
            What gives it once more (None where it broke off), the visitor whom it names, and why
            it is refused, if it is.
        """
        again, body = await read_whole(receive)
        form = form_in(body, headers.get(b"content-type", ""))
        if fault := fault_in(form, path, self._functions()):
            return again, "", (400, fault)
        visitor, most = visitor_in(form or {}), SHARE_WAITING * self._settings.max_waiting
        if (path.endswith("/queue/join") or CALL in path) and (
            self._waiting(visitor) >= WAITING or self._waiting_at(who) >= most
        ):
            text = "You have many requests waiting. Try again in a moment."
            return again, visitor, (429, text)
        return again, visitor, None

    def _counted(self, receive: Any, who: str) -> Any:
        async def counted() -> Any:
            message = await receive()
            self._uploads.take(who, len(message.get("body", b"")))
            if message.get("more_body") and self._uploads.is_spent(who):
                raise SpentError
            return message

        return counted

    def _answer(self, send: Any, path: str, who: str) -> Any:
        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                if path == "/login" and message["status"] == 400:
                    self._logins.take(who, 1)
                frames = SPACE_FRAMES if "SPACE_ID" in os.environ else b"frame-ancestors 'self'"
                extra = [*HEADERS, (b"content-security-policy", frames)]
                message = {**message, "headers": [*message.get("headers", []), *extra]}
            await send(message)

        return answer

    def _watching(self, send: Any) -> Any:
        """Hands on an answer, and takes from it which event has begun."""

        async def watching(message: Any) -> None:
            event = event_in(message.get("body", b""))
            if event:
                self._watch(event, CALL_PATIENCE, event_id=event)
            await send(message)

        return watching

    def _waiting(self, visitor: str) -> int:
        return sum(event.session_hash == visitor for event in self._events())

    def _waiting_at(self, who: str) -> int:
        return sum(_address(event.request.scope) == who for event in self._events())

    def _events(self) -> list[Any]:
        """Gradio's events that wait for their turn."""
        queues = self._queue().event_queue_per_concurrency_id.values()
        return [event for queue in queues for event in queue.queue]

    def _functions(self) -> Any:
        """Those of the page, by number."""
        return self._queue().blocks.fns

    def _watch(self, name: str, patience: float, **events: str) -> None:
        """Drops these events where nobody listens for their answers by then."""
        self._joined[name] = joined = time.monotonic()

        async def watch() -> None:
            await asyncio.sleep(patience)
            if self._joined.get(name) != joined:  # the watch of a later request does it
                return
            del self._joined[name]
            if name and not self._listeners.get(name):
                with contextlib.suppress(Exception):  # Gradio's, in a state that we do not know
                    await self._queue().clean_events(**events)

        task = asyncio.get_running_loop().create_task(watch())
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)


class SpentError(Exception):
    """An upload that goes on beyond what an address may send."""


def is_allowed(name: str, settings: Settings) -> bool:
    """Whether the demo is served under this name of a host.

    Numbers are: no page of another site can make its visitors' browsers call it by one, except
    where the demo runs for this machine alone.
    """
    if name in allowed_names(settings) or name.endswith(tuple(_endings(settings))):
        return True
    if settings.is_local:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def allowed_names(settings: Settings) -> set[str]:
    """The names that this demo is reached by, without ports."""
    names = {"localhost", "127.0.0.1", "::1", settings.host, *settings.allowed_hosts}
    if not settings.is_local:
        names |= _own_names()
    return {name.lower() for name in names | set(_space_hosts())}


@cache  # it may ask a name server, which takes its time
def _own_names() -> frozenset[str]:
    return frozenset({socket.gethostname(), socket.getfqdn()})


def _endings(settings: Settings) -> Iterable[str]:
    wild = [name[1:].lower() for name in settings.allowed_hosts if name.startswith("*.")]
    return [*wild, ".gradio.live"] if settings.share else wild or ["\0"]


def _space_hosts() -> list[str]:
    return [name for name in os.environ.get("SPACE_HOST", "").split(",") if name]


def _name(netloc: str) -> str:
    """The name of a host, without user and port."""
    with contextlib.suppress(ValueError):
        return (urlsplit(f"//{netloc}").hostname or "").lower()
    return ""


def _address(scope: Any) -> str:
    """Who asks; of version 6 the network, since whoever has one address there has all of it."""
    host = (scope.get("client") or ("",))[0]
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).version == 6:
            return str(ipaddress.ip_network((host, 64), strict=False))
    return host


def _listener(scope: Any, path: str) -> str:
    """Whose answers a request waits for: a session or an event; "" where it does not."""
    if path.endswith("/queue/data"):
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        return query.get("session_hash", [""])[0]
    if scope["method"] == "GET" and CALL in path:
        return path.rpartition("/")[2]
    return ""


async def _refuse(send: Any, status: int, text: str) -> None:
    body = json.dumps({"detail": text}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
