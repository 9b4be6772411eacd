"""What an exported folder holds beside the model: the styles' vectors, and how to run it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from arbitrary_nst.embedding import Embedding
from arbitrary_nst.errors import InputError

MODEL_NAMES = {"savedmodel": "model", "tflite": "model.tflite", "onnx": "model.onnx"}
VECTORS_FILE = "styles.json"
README_FILE = "README.txt"
_PACKAGES = {"savedmodel": "tensorflow", "tflite": "ai-edge-litert", "onnx": "onnxruntime"}

_README = """\
The style transfer network {network} ({engine} of arbitrary-nst {version}) as {format}.

{model}: the network. Its inputs and its output, by name:

  content  float32 (1, H, W, 3): a photo, RGB from 0 to 1. Any size from {min_side}x{min_side} up.
  {style_input}
  picture  float32 (1, H, W, 3): the painted photo, RGB from 0 to 1.

Nothing has to be padded, scaled or normalised. The noise that varies the brush is part of the
network (seed {seed}): up to {megapixels:.1f} megapixels the picture is that of
`arbitrary-nst stylize --seed {seed}`, computed in float32; in a larger one the noise repeats.

{styles_file}: {num_styles} styles, each with name, source and vector ({vector_size} numbers:
all gammas, then all betas). {styles_use}

To run it in Python, `pip install {package} numpy pillow`, then in this folder:

{program}"""

_STYLE_INPUT = "style    float32 ({vector_size},): the vector of a style, or of a blend."
_STYLE_USE = "A blend is the mean of vectors, weighted; the weights sum to 1."
_WEIGHTS_INPUT = (
    "weights  float32 ({num_styles},): the share of each style of {styles_file}, in its order:\n"
    "           none negative, not all 0. They need not sum to 1."
)
_WEIGHTS_USE = "The network has the vectors in it, and blends them."

_BEFORE = """\
import json
from pathlib import Path

import numpy as np
from PIL import Image

photo = np.asarray(Image.open("photo.jpg").convert("RGB"), np.float32)[None] / 255
styles = json.loads(Path("{styles_file}").read_text(encoding="utf-8"))["styles"]
"""
_STYLE_VECTOR = """\
vectors = {{style["name"]: np.array(style["vector"], np.float32) for style in styles}}
style = {shares}
"""
_WEIGHTS_VECTOR = """\
shares = {shares}
weights = np.array([shares.get(style["name"], 0) for style in styles], np.float32)
"""
_RUN = {
    "savedmodel": """\
import tensorflow as tf

model = tf.saved_model.load("{model}")
inputs = {{"content": tf.constant(photo), "{second}": tf.constant({second})}}
picture = model.signatures["serving_default"](**inputs)["picture"].numpy()
""",
    "tflite": """\
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter("{model}", num_threads=4)
paint = interpreter.get_signature_runner("serving_default")  # lays memory out for each new size
picture = paint(content=photo, {second}={second})["picture"]
""",
    "onnx": """\
import onnxruntime

session = onnxruntime.InferenceSession("{model}", providers=["CPUExecutionProvider"])
picture = session.run(["picture"], {{"content": photo, "{second}": {second}}})[0]
""",
}
_AFTER = """\
Image.fromarray(np.rint(picture[0] * 255).astype(np.uint8)).save("picture.png")
"""


def readme(
    format: str,
    styles: Sequence[Embedding],
    *,
    blend_weights: bool,
    seed: int,
    version: str,
    min_side: int,
    noise_pixels: int,
) -> str:
    """The text of README.txt; the program in it runs as it stands beside a `photo.jpg`.

    Args:
        format: a key of `MODEL_NAMES`.
        styles: those of the folder.
        blend_weights: whether the model takes weights in place of a style's vector.
        seed: of its noise.
        version: of the package.
        min_side: least height and width of a photo, in pixels.
        noise_pixels: largest picture whose noise does not repeat.
    """
    names = [style.name for style in styles]
    if blend_weights:
        shares = "{" + ", ".join(f"{name!r}: {2 - i}" for i, name in enumerate(names[:2])) + "}"
    elif len(names) > 1:
        shares = f"0.7 * vectors[{names[0]!r}] + 0.3 * vectors[{names[1]!r}]"
    else:
        shares = f"vectors[{names[0]!r}]"
    facts = {
        "format": format,
        "model": MODEL_NAMES[format],
        "network": styles[0].network,
        "engine": styles[0].engine,
        "version": version,
        "seed": seed,
        "min_side": min_side,
        "megapixels": noise_pixels / 1e6,
        "num_styles": len(styles),
        "vector_size": sum(array.size for array in styles[0].arrays.values()),
        "styles_file": VECTORS_FILE,
        "package": _PACKAGES[format],
        "shares": shares,
        "second": "weights" if blend_weights else "style",
    }
    program = [_BEFORE, _WEIGHTS_VECTOR if blend_weights else _STYLE_VECTOR, "\n", _RUN[format]]
    facts["program"] = textwrap.indent(
        "".join(part.format(**facts) for part in [*program, _AFTER]), "    "
    )
    facts["style_input"] = (_WEIGHTS_INPUT if blend_weights else _STYLE_INPUT).format(**facts)
    facts["styles_use"] = _WEIGHTS_USE if blend_weights else _STYLE_USE
    return _README.format(**facts)


def styles_json(styles: Sequence[Embedding]) -> str:
    """The styles' vectors as JSON, which every language reads; exact to the last bit."""
    entries = [
        {"name": style.name, "source": style.source, "vector": _numbers(style)} for style in styles
    ]
    return json.dumps({"network": styles[0].network, "styles": entries}, ensure_ascii=False)


def _numbers(style: Embedding) -> list[float]:
    # The shortest decimal that is this float32 and no other, where float() would give 17 digits.
    arrays = (style.arrays[name] for name in ("gamma", "beta"))
    return [float(str(number)) for array in arrays for number in array]


def check_folder(path: str | os.PathLike[str]) -> Path:
    """Checks that a folder can be written at `path`: new, or there and empty.

    Returns:
        The folder, with symbolic links followed.

    Raises:
        InputError: it is a file, or has something in it; or the folder around it is missing or
            not writable.
    """
    folder = Path(os.path.realpath(path))
    if folder.exists() and not folder.is_dir():
        raise InputError(
            f"The output folder {os.fspath(path)!r} is a file. Expected a new or an empty folder."
        )
    if folder.is_dir() and (found := sorted(os.listdir(folder))):
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise InputError(
            f"The output folder {os.fspath(path)!r} is not empty: it has {found[0]!r}{more}. "
            f"Expected a new or an empty folder."
        )
    around = folder if folder.is_dir() else folder.parent
    if not around.is_dir():
        raise InputError(
            f"The output folder {os.fspath(path)!r} would be in a folder that does not exist. "
            f"Create it first: {str(around)!r}."
        )
    if not os.access(around, os.W_OK | os.X_OK):
        raise InputError(
            f"The folder {str(around)!r} is not writable. Choose another output folder."
        )
    return folder


@contextlib.contextmanager
def filling(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a temporary folder whose contents become those of `path` when all went well.

    After an error or an interruption nothing of it is left.

    Raises:
        InputError: see `check_folder`.
    """
    folder = check_folder(path)
    # Inside a folder that is there, for it may be a mount point, which nothing can replace.
    around = folder if folder.is_dir() else folder.parent
    temporary = around / f".{secrets.token_hex(8)}.tmp"
    temporary.mkdir()
    try:
        yield temporary
        if around == folder:
            for part in sorted(temporary.iterdir()):
                os.replace(part, folder / part.name)
            temporary.rmdir()
        else:
            os.replace(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
