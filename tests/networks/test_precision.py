"""In which numbers a network computes."""

import pytest

from arbitrary_nst.errors import InputError
from arbitrary_nst.networks import precision
from arbitrary_nst.networks.precision import choose_precision


@pytest.mark.parametrize(
    ("given", "is_fast", "expected"),
    [
        ("auto", True, "bfloat16"),
        ("auto", False, "float32"),
        ("float32", True, "float32"),
        ("bfloat16", False, "bfloat16"),
    ],
)
def test_choice(given, is_fast, expected, monkeypatch):
    monkeypatch.setattr(precision, "has_fast_bfloat16", lambda: is_fast)
    assert choose_precision(given) == expected


@pytest.mark.parametrize("wrong", ["float16", "", None, 32])
def test_others_are_refused(wrong):
    with pytest.raises(InputError, match=f"'auto', 'float32', 'bfloat16'. Received: {wrong!r}"):
        choose_precision(wrong)
