"""Text for messages and names."""

from __future__ import annotations

import unicodedata

# Control characters, lone surrogates, line and paragraph separators: they garble a terminal or
# cannot be written. Other spaces stay allowed: macOS puts a narrow one into screenshot names.
FORBIDDEN_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")


def shortened(text: str, longest: int) -> str:
    """The text, cut to `longest` characters of which the last then is an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def is_plain(text: str) -> bool:
    """Whether a text is on one line, and can be written and shown."""
    return not any(unicodedata.category(character) in FORBIDDEN_CATEGORIES for character in text)


def said(error: object, longest: int = 300) -> str:
    """What an error says of a file that anybody may have made, whose parts it may name."""
    return made_plain(" ".join(str(error).split()), longest)


def made_plain(text: str, longest: int) -> str:
    """A text such as the name of a file, which may hold anything, as a plain one.

    What is forbidden, such as the bytes of a name that is no UTF-8, becomes a replacement mark.
    """
    plain = "".join(character if is_plain(character) else "\ufffd" for character in text)
    return shortened(plain, longest)
