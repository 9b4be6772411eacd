"""Bodies of requests: read whole, and what they say of themselves."""

from __future__ import annotations

import json
import re
from typing import Any

LONGEST_NAME = 64  # characters of a session's name; the page's have eleven, a program's have 36
_FIELD = re.compile(rb'name="session_hash"\r\n\r\n([^\r\n]*)\r\n')


async def read_whole(receive: Any) -> tuple[Any, bytes]:
    """Reads a request to its end.

    Returns:
        What gives it once more, None where it broke off, and its body.
    """
    messages, parts = [], []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None, b""
        messages.append(message)
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    rest = iter(messages)

    async def again() -> Any:
        return next(rest, None) or await receive()

    return again, b"".join(parts)


def form_in(body: bytes, kind: str) -> dict[str, Any] | None:
    """What a request says: an object of JSON, or the field of a form that matters.

    Args:
        body: of a request, as anybody may have written it.
        kind: its content type.

    Returns:
        The values by name; None where it is nothing of the kind.
    """
    if kind.startswith("multipart/"):
        found = _FIELD.findall(body)
        # Twice, or written in another way, it may be anything.
        if len(found) > 1 or len(found) != body.count(b"session_hash"):
            return None
        return {"session_hash": found[0].decode("latin-1")} if found else {}
    try:
        value = json.loads(body or b"{}", parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def visitor_in(form: dict[str, Any]) -> str:
    """The name of the session; "" where there is none."""
    name = form.get("session_hash")
    return name if isinstance(name, str) else ""


def fault_in(form: dict[str, Any] | None, path: str, functions: Any) -> str:
    """Why Gradio could make nothing of a request, or would keep too much of it; "" where it can.

    Sessions are remembered by their names, thousands of them.

    Args:
        form: see `form_in`.
        path: where to.
        functions: by their numbers.
    """
    if form is None:
        return "This is no request of the page." if "/gradio_api/" in path else ""
    if len(visitor_in(form)) > LONGEST_NAME:
        return "The name of the session is longer than any that the page has."
    number = form.get("fn_index")
    if number is not None and (type(number) is not int or number not in functions):
        return "There is no such function."
    return ""


def event_in(body: bytes) -> str:
    """The name of the event in an answer of the server; "" where there is none."""
    form = form_in(body, "") or {}
    return form["event_id"] if isinstance(form.get("event_id"), str) else ""


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number in JSON")
