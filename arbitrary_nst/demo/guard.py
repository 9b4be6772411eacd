"""What stands before the server: who may ask, how often, how much.

A page that listens to one machine alone can still be reached by any page that its user opens, by
posting to its address or by a name that leads to it. So requests have to name a known host, and to
come from the page itself. Besides: guesses at the login, bytes of uploads and waiting requests of a
visitor are counted, and what nobody waits for is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import socket
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from arbitrary_nst.common.json_text import parse_json
from arbitrary_nst.demo.settings import Settings

LOGINS, LOGIN_SECONDS = 10, 300  # wrong guesses of an address in this time
UPLOADS, UPLOAD_SECONDS = 20, 1800  # times the largest file, of an address in this time
BODY = 10 * 10**6  # bytes at most of a request that is no upload: most of it the regions' editor's
WAITING = 12  # requests of one visitor that may wait
PATIENCE = 10.0  # seconds after which requests whose answers nobody reads are dropped
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin-allow-popups"),
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
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        path, who = scope["path"].rstrip("/"), (scope.get("client") or ("",))[0]
        if path.endswith("/upload"):
            receive = self._counted(receive, who)
        if path.endswith("/queue/join"):
            receive, joining = await _visitor_of(receive)
            if self._waiting(joining) >= WAITING:
                await _refuse(send, 429, "You have many requests waiting. Try again in a moment.")
                return
            self._watch(joining)
        visitor = None
        if path.endswith("/queue/data"):
            query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
            visitor = query.get("session_hash", [""])[0]
            self._listeners[visitor] += 1
        try:
            await self._app(scope, receive, self._answer(send, path, who))
        finally:
            if visitor is not None:
                self._listeners[visitor] -= 1
                if self._listeners[visitor] <= 0:
                    del self._listeners[visitor]

    def _refusal(self, scope: Any, headers: dict[bytes, str]) -> tuple[int, str] | None:
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        if not is_allowed(_name(host), self._settings):
            return 403, "This demo is not served under that name. See `--allow-host`."
        if origin is not None and not is_allowed(_name(urlsplit(origin).netloc), self._settings):
            return 403, "This demo takes requests from its own page alone. See `--allow-host`."
        foreign = origin is None and headers.get(b"sec-fetch-site") == "cross-site"
        if foreign and scope["method"] not in ("GET", "HEAD"):
            return 403, "This demo takes requests from its own page alone."
        who, path = (scope.get("client") or ("",))[0], scope["path"].rstrip("/")
        if path == "/login" and self._logins.is_spent(who):
            return 429, "Too many wrong passwords. Try again in a few minutes."
        if path.endswith("/upload") and self._uploads.is_spent(who):
            return 429, "You have uploaded a lot. Try again in half an hour."
        if not path.endswith("/upload"):
            # One that comes in pieces says no length; neither the page nor `gradio_client` does so.
            unknown = "" if b"transfer-encoding" in headers else "0"
            length = headers.get(b"content-length", unknown)
            if not (length.isdecimal() and len(length) < 12 and int(length) <= BODY):
                return 413, "This is more than the page itself sends."
        return None

    def _counted(self, receive: Any, who: str) -> Any:
        async def counted() -> Any:
            message = await receive()
            self._uploads.take(who, len(message.get("body", b"")))
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

    def _waiting(self, visitor: str) -> int:
        queues = self._queue().event_queue_per_concurrency_id.values()
        return sum(event.session_hash == visitor for queue in queues for event in queue.queue)

    def _watch(self, visitor: str) -> None:
        """Drops the requests of a visitor who does not listen for their answers."""
        self._joined[visitor] = joined = time.monotonic()

        async def watch() -> None:
            await asyncio.sleep(PATIENCE)
            if self._joined.get(visitor) != joined:  # the watch of a later request does it
                return
            del self._joined[visitor]
            if visitor and not self._listeners.get(visitor):
                with contextlib.suppress(Exception):  # Gradio's, in a state that we do not know
                    await self._queue().clean_events(session_hash=visitor)

        task = asyncio.get_running_loop().create_task(watch())
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)


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
        names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    return {name.lower() for name in names | set(_space_hosts())}


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


async def _visitor_of(receive: Any) -> tuple[Any, str]:
    """Reads a request; returns what gives it once more, and the visitor whom it names."""
    messages, body = [], b""
    while True:
        message = await receive()
        messages.append(message)
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    rest = iter(messages)

    async def again() -> Any:
        return next(rest, None) or await receive()

    try:
        return again, str(parse_json(body).get("session_hash") or "")
    except (ValueError, AttributeError):
        return again, ""


async def _refuse(send: Any, status: int, text: str) -> None:
    body = json.dumps({"detail": text}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
