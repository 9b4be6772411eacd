"""Text for messages and names."""

from __future__ import annotations


def shortened(text: str, longest: int) -> str:
    """The text, cut to `longest` characters of which the last then is an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
