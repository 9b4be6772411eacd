"""Packages that not everyone needs: one table of what each is for and how to get it."""

from __future__ import annotations

import importlib
from typing import Any

# By module: what it is for, and what to install.
_NEEDED = {
    "ai_edge_litert.interpreter": (
        "The .tflite files need the LiteRT interpreter",
        "arbitrary-nst[tflite]",
    ),
    "av": ("Videos need PyAV", "arbitrary-nst[video]"),
    "cv2": (
        "Steadying a video needs OpenCV (without it there is `--steady 0`)",
        "arbitrary-nst[video]",
    ),
    "gradio": ("The demo needs Gradio", "arbitrary-nst[demo]"),
    "onnx": ("What runs as ONNX needs the package onnx", "arbitrary-nst[export]"),
    "onnxruntime": ("The runtime 'onnx' needs ONNX Runtime", "onnxruntime"),
    "pillow_heif": ("Photos in HEIF (.heic) need pillow-heif", "arbitrary-nst[heif]"),
    "ray.data": ("Painting by Ray needs Ray with Ray Data", "arbitrary-nst[ray]"),
    "skimage.data": ("The sample photos come with scikit-image", "arbitrary-nst[sample]"),
    "tensorflow_hub": ("The magenta engine needs tensorflow-hub", "tensorflow-hub"),
}


def require(module: str) -> Any:
    """Imports a module of a package that may be missing.

    Args:
        module: a name in the table above.

    Returns:
        The module.

    Raises:
        ImportError: it cannot be imported; the message says what to install.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        # Of a module that another one of the table imports, the own line is the right one.
        purpose, package = _NEEDED[error.name if error.name in _NEEDED else module]
        raise ImportError(f'{purpose}: pip install "{package}" ({error})') from error
