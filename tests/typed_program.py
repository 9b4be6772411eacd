"""A program that uses the package as its types say: `test_types` runs it and has it checked.

Where a line says `type: ignore`, the types have to refuse it: checkers complain of an ignored error
that is none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from arbitrary_nst import (
    Cin,
    Embedding,
    InputError,
    Magenta,
    StyleInfo,
    Vgg19,
    blend,
    embed,
    list_styles,
    load_engine,
    load_image,
    load_styles,
    save_image,
    save_styles,
    stylize,
    stylize_array,
    stylize_folder,
    stylize_many,
    stylize_video,
)


def report(done: int, total: int, message: str, preview: object = None) -> None:
    """Takes what `progress` is told."""
    if done > total:
        raise ValueError(message)


def paint(photo: npt.NDArray[np.uint8], folder: Path, color: Literal["style", "content"]) -> None:
    """One photo, in all the ways that need no second network."""
    shares = np.array([0.7, 0.3], np.float32)
    picture: Image.Image = stylize(photo, ["great-wave", "scream"], shares, color=color)
    save_image(picture, folder / "out.png", keep_metadata="gps")
    deep: npt.NDArray[np.float32] = stylize_array(photo, "scream", strength=0.5)
    save_image(deep, folder / "out.tif", bits=16)
    one: Embedding = embed("scream", engine="cin")
    mixed: Embedding = blend([one, embed("great-wave")], np.ones(2))
    save_styles({"mixed": mixed}, folder / "styles.safetensors")
    library: dict[str, Embedding] = load_styles(folder / "styles.safetensors")
    pictures: Iterator[Image.Image] = stylize_many([photo, picture], library, progress=report)
    sizes: list[tuple[int, int]] = [each.size for each in pictures]
    if sizes != 2 * [picture.size]:
        raise ValueError(sizes)
    rgb, alpha = load_image(folder / "out.png")
    if alpha is not None or rgb.shape != photo.shape:
        raise ValueError(rgb.shape)


def engines() -> str:
    """Engines by name are of their own types."""
    engine: Cin = load_engine("cin")
    known: Sequence[StyleInfo] = list_styles()
    if set(engine.styles) < {style.name for style in known}:
        raise ValueError(known)
    return engine.network


def refused(photo: npt.NDArray[np.uint8], folder: Path) -> None:
    """What the types refuse, and the package as well."""
    with contextlib.suppress(InputError):
        stylize(photo, "scream", color="styles")  # type: ignore[arg-type]
    with contextlib.suppress(InputError):
        stylize(photo, "scream", engine="cyn")  # type: ignore[arg-type]
    with contextlib.suppress(InputError):
        save_image(photo, folder / "out.png", bits=12)  # type: ignore[arg-type]


def never(photos: Path) -> tuple[Magenta, Vgg19]:
    """Checked and not run: it needs other networks, or files."""
    report = stylize_folder(photos, ["scream"], photos / "out", output_format="png", bits=16)
    if report.failed:
        raise ValueError(report.failed[0].error)
    written: Path = stylize_video(photos / "a.mp4", "scream", photos / "b.mp4", engine="auto")
    stylize_folder(photos, "scream", written, precision="half")  # type: ignore[arg-type]
    return load_engine("magenta"), load_engine("vgg19")


def main(folder: Path) -> None:
    """All of it, on a small photo."""
    rows, columns = np.mgrid[0:32, 0:40]
    photo = np.stack([rows * 7, columns * 6, 255 - rows], axis=-1).astype(np.uint8)
    paint(photo, folder, "content")
    refused(photo, folder)
    if not engines():
        raise ValueError("no network")
