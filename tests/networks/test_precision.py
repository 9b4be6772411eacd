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


@pytest.mark.parametrize(("value", "expected"), [("0", "float32"), ("1", "bfloat16"), (None,) * 2])
def test_without_onednn_bfloat16_is_emulated(monkeypatch, value, expected):
    """TF_ENABLE_ONEDNN_OPTS=0 is often set to silence TensorFlow."""
    monkeypatch.setattr(precision, "has_fast_bfloat16", lambda: True)
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    if value is not None:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", value)
    assert choose_precision("auto") == (expected or "bfloat16")
    assert choose_precision("bfloat16") == "bfloat16"
