"""What an exported folder holds beside the model: the styles' vectors, and how to run it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from arbitrary_nst.common.atomic import check_name
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.errors import InputError

MODEL_NAMES = {"savedmodel": "model", "tflite": "model.tflite", "onnx": "model.onnx"}
VECTORS_FILE = "styles.json"
README_FILE = "README.txt"
_TEMPLATES = Path(__file__).with_name("templates")
_PACKAGES = {"savedmodel": "tensorflow", "tflite": "ai-edge-litert", "onnx": "onnxruntime"}

_INPUTS = {
    "style": "style    float32 ($vector_size,): the vector of a style, or of a blend.",
    "weights": "weights  float32 ($num_styles,): the share of each style of $styles_file, in its "
    "order:\n           none negative, not all 0. They need not sum to 1.",
}
_USES = {
    "style": "A blend is the mean of vectors, weighted; the weights sum to 1.",
    "weights": "The network has the vectors in it, and blends them.",
}


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
    second = "weights" if blend_weights else "style"
    facts = {
        "format": format,
        "model": MODEL_NAMES[format],
        "network": styles[0].network,
        "engine": styles[0].engine,
        "version": version,
        "seed": seed,
        "min_side": min_side,
        "megapixels": f"{noise_pixels / 1e6:.1f}",
        "num_styles": len(styles),
        "vector_size": sum(array.size for array in styles[0].arrays.values()),
        "styles_file": VECTORS_FILE,
        "package": _PACKAGES[format],
        "shares": shares,
        "second": second,
        "styles_use": _USES[second],
    }
    facts["style_input"] = Template(_INPUTS[second]).substitute(facts)
    facts["vector"] = _filled(f"vector_{second}", facts)
    facts["run"] = _filled(f"run_{format}", facts)
    facts["program"] = textwrap.indent(_filled("program", facts), "    ")
    return _filled("readme", facts) + "\n"


def _filled(name: str, facts: Mapping[str, Any]) -> str:
    """A template with the facts in it, without the newline at its end."""
    text = (_TEMPLATES / f"{name}.txt").read_text(encoding="utf-8")
    return Template(text).substitute(facts).removesuffix("\n")


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
    check_name(path)
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
