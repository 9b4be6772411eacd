"""Whether this processor is fast at bfloat16."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path


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
