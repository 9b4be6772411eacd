"""Text from anywhere, made fit for names."""

import os

import pytest

from arbitrary_nst.common.text import is_plain, made_plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Große Welle 神奈川", "Große Welle 神奈川"),
        (os.fsdecode(b"caf\xe9"), "caf\ufffd"),  # Latin-1
        ("two\nlines\t\x7f", "two\ufffdlines\ufffd\ufffd"),
        ("a" * 300, "a" * 199 + "…"),
        ("", ""),
    ],
)
def test_made_plain(text, expected):
    assert made_plain(text, 200) == expected
    assert is_plain(expected)
    assert is_plain(text) == (text == expected or len(text) > 200)
