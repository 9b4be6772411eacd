"""In which numbers a network computes: float32, or bfloat16 where the processor is fast at it."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from arbitrary_nst.errors import InputError

Precision = Literal["auto", "float32", "bfloat16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)


def choose_precision(precision: str) -> Literal["float32", "bfloat16"]:
    """The precision that is meant; "auto" is bfloat16 where this machine's processor is fast at it.

    Returns:
        "float32" or "bfloat16".

    Raises:
        InputError: it is not one of `PRECISIONS`.
    """
    if precision not in PRECISIONS:
        raise InputError(
            f"`precision` is one of {', '.join(map(repr, PRECISIONS))}. "
            f"Received: {precision!r:.100}."
        )
    if precision == "auto":
        return "bfloat16" if has_fast_bfloat16() and _uses_onednn() else "float32"
    return "bfloat16" if precision == "bfloat16" else "float32"


def _uses_onednn() -> bool:
    """Whether TensorFlow has the kernels that know these processors; some programs do without.

    Without them bfloat16 takes more than twice as long as float32.
    """
    return os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1").strip().lower() not in ("0", "false")


@cache
def has_fast_bfloat16() -> bool:
    """True where the CPU multiplies bfloat16 in hardware (AVX512-BF16 or AMX).

    Elsewhere bfloat16 is emulated and slower than float32 (2.5 times on AVX-512 alone), so a
    processor that cannot be asked counts as one without.
    """
    if platform.system() != "Linux":
        return False
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags
