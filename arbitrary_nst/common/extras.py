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
    "keras": ("Networks need Keras", "keras"),
    "onnx": ("What runs as ONNX needs the package onnx", "arbitrary-nst[export]"),
    "onnxruntime": ("The runtime 'onnx' needs ONNX Runtime", "onnxruntime"),
    "pillow_heif": ("Photos in HEIF (.heic) need pillow-heif", "arbitrary-nst[heif]"),
    "ray.data": ("Painting by Ray needs Ray with Ray Data", "arbitrary-nst[ray]"),
    "safetensors": ("Files of weights and styles need safetensors", "safetensors"),
    "scipy": ("Measuring and learning styles need SciPy", "scipy"),
    "shtab": ("Completion by the shell needs shtab", "arbitrary-nst[completion]"),
    "skimage.data": ("The sample photos come with scikit-image", "arbitrary-nst[sample]"),
    "tensorflow": ("Networks need TensorFlow", "tensorflow"),
    "tensorflow_hub": ("The magenta engine needs tensorflow-hub", "tensorflow-hub"),
    "tqdm": ("The progress bar needs tqdm", "tqdm"),
}
# By the package that a module is in.
_BY_PACKAGE = {module.partition(".")[0]: module for module in _NEEDED}


def require(module: str, purpose: str = "") -> Any:
    """Imports a module of a package that may be missing.

    Args:
        module: a name in the table above.
        purpose: what it is for here, where that is not what the table says.

    Returns:
        The module.

    Raises:
        ImportError: it cannot be imported; the message says what to install.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise named(error, module, purpose) from error


def named(error: ImportError, module: str = "", purpose: str = "") -> ImportError:
    """An error of an import as one that says what to install.

    Args:
        error: of any import, also of one inside another package.
        module: that was wanted, a name in the table above; counts where the module that is missing
            is not in the table itself. Without it the error may come back as it is.
        purpose: of `module`, instead of the table's.
    """
    if "pip install" in str(error):
        return error
    missing = (error.name or "").partition(".")[0]
    # Of a module that another one of the table imports, the own line is the right one.
    found = error.name if error.name in _NEEDED else _BY_PACKAGE.get(missing, module)
    if not found:
        return error
    usual, package = _NEEDED[found]
    purpose = (found == module and purpose) or usual
    return ImportError(f'{purpose}: pip install "{package}" ({error})', name=error.name)
