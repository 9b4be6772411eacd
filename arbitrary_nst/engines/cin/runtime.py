"""Which library runs the cin network: the only place where that is chosen."""

from __future__ import annotations

import functools
from typing import Any, Literal, get_args

from arbitrary_nst.common.eager import loaded_tensorflow
from arbitrary_nst.common.extras import require
from arbitrary_nst.errors import InputError

Runtime = Literal["auto", "tensorflow", "onnx"]
RUNTIMES: tuple[str, ...] = get_args(Runtime)
# At 2048x2048 both are as soon done from a cold start, with as much memory, where TensorFlow has
# bfloat16; without it, TensorFlow is later. See benchmarks/cold.py.
LIGHT_PIXELS = 2**22


def check_runtime(runtime: Any, precision: str, fit_steps: int) -> str:
    """Checks `runtime` of `Cin`, and that it can do what else is asked for.

    Raises:
        InputError: it is not one of `RUNTIMES`, or onnx together with what it cannot do.
        ImportError: it is onnx, whose packages are not installed.
    """
    if not isinstance(runtime, str) or runtime not in RUNTIMES:
        raise InputError(
            f"`runtime` is one of {', '.join(map(repr, RUNTIMES))}. Received: {runtime!r:.100}."
        )
    if runtime != "onnx":
        return runtime
    if precision == "bfloat16":
        raise InputError(
            "`runtime` 'onnx' paints in float32. Expected `precision` 'float32' or 'auto' with it. "
            "Received: 'bfloat16'."
        )
    if fit_steps:
        raise InputError(
            f"`fit_steps` above 0 needs gradients of TensorFlow. Expected `runtime` 'auto' or "
            f"'tensorflow' with it. Received: 'onnx', with fit_steps={fit_steps}."
        )
    _import_onnx()
    return runtime


def embeds_light(runtime: str) -> bool:
    """Whether ONNX Runtime gives images their vectors: wherever it may.

    Also where TensorFlow is loaded, which first takes seconds to make the graph of the gradients.
    """
    return runtime != "tensorflow" and _has_onnx()


def is_sooner_light(pixels: int) -> bool:
    """Whether ONNX Runtime paints so many pixels before TensorFlow, as this process stands."""
    return pixels <= LIGHT_PIXELS and loaded_tensorflow() is None and _has_onnx()


@functools.cache
def _has_onnx() -> bool:
    try:
        _import_onnx()
    except ImportError:  # no wheel for this platform: TensorFlow does the work
        return False
    return True


def _import_onnx() -> None:
    for module in ("onnx", "onnxruntime"):
        require(module)
