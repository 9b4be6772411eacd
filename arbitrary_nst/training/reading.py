"""What a training run is made of, out of folders, lists and options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from arbitrary_nst.common.json_text import read_json
from arbitrary_nst.common.text import made_plain, said
from arbitrary_nst.embedding.embedding import MAX_NAME_LENGTH
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import IMAGE_SUFFIXES
from arbitrary_nst.networks.cin.layout import CinLayout
from arbitrary_nst.training.config import PaintingSpec, StyleSpec, TrainConfig


def find_images(folder: str | Path) -> list[Path]:
    """All image files under `folder`, sorted, so that the same folder gives the same draws."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"A folder of images was expected. Received: {str(folder)!r}.")
    paths = sorted(
        p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file()
    )
    if not paths:
        raise InputError(f"{folder} holds no image file ({', '.join(IMAGE_SUFFIXES)}).")
    return paths


def read_style_list(
    path: str | Path | None, folder: str | Path, *, defaults: Mapping[str, Any] | None = None
) -> tuple[StyleSpec, ...]:
    """The styles of a run.

    Args:
        path: JSON list of objects with `name` and `file` (relative to `folder`), and, as wanted,
            `source`, `style_weight`, `style_size`, `levels`, `crop`, `matched_parts`. None: every
            image in `folder`, by file name.
        folder: of the paintings.
        defaults: values for what the list leaves out.

    Raises:
        InputError: no such folder or file, or entries of another form.
    """
    folder, defaults = Path(folder), dict(defaults or {})
    if path is None:
        files = find_images(folder)
        names = [made_plain(file.stem, MAX_NAME_LENGTH) for file in files]
        return tuple(
            StyleSpec(name, str(file), **defaults) for name, file in zip(names, files, strict=True)
        )
    try:
        entries = read_json(path)
        return tuple(
            StyleSpec(**{**defaults, **entry, "file": str(folder / entry["file"])})
            for entry in entries
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path} is not a style list. Expected a JSON list of objects with `name` and `file`. "
            f"Received: {_told(error)}"
        ) from error


def read_painting_list(path: str | Path, folder: str | Path) -> tuple[PaintingSpec, ...]:
    """The paintings that a predictor learns from.

    Args:
        path: JSON list of objects with `file` (relative to `folder`) and `group`: a painter, say,
            or a collection. Groups count by the root of the number of their paintings.
        folder: of the paintings.

    Raises:
        InputError: the file cannot be read, or has another form.
    """
    try:
        entries = read_json(path)
        specs = tuple(PaintingSpec(str(Path(folder) / e["file"]), str(e["group"])) for e in entries)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path} is not a list of paintings. Expected a JSON list of objects with `file` and "
            f"`group`. Received: {_told(error)}"
        ) from error
    if not specs:
        raise InputError(f"{path} names no painting.")
    return specs


def _told(error: Exception) -> str:
    # The kind is what a missing key says; a decoder's own words have the whole file in them.
    return said(f"{type(error).__name__}: {error}")


def config_from_options(
    options: Mapping[str, Any], packed: TrainConfig | None = None
) -> TrainConfig:
    """The settings that the options of `arbitrary-nst train` ask for; None means the default.

    Args:
        options: by name.
        packed: the settings of a training pack, in place of the defaults, with its styles, photos
            and paintings.

    Raises:
        InputError: the style list cannot be read, or there are no styles or photos.
    """
    chosen = {name: value for name, value in options.items() if value is not None}
    layout = {f.name: chosen[f.name] for f in fields(CinLayout) if f.name in chosen}
    names = {f.name for f in fields(TrainConfig)} - {"styles", "layout", "photos", "paintings"}
    settings = {name: chosen[name] for name in names if name in chosen}
    if packed is not None:
        return replace(packed, layout=replace(packed.layout, **layout), **settings)
    if "styles" not in chosen or "photos" not in chosen:
        raise InputError("A training needs `--styles` and `--photos`, or a `--pack` that has them.")
    defaults: dict[str, Any] = {
        name: chosen[name] for name in ("style_weight", "style_size") if name in chosen
    }
    paintings: tuple[PaintingSpec, ...] = ()
    if options.get("painting_list"):
        paintings = read_painting_list(options["painting_list"], options.get("paintings") or "")
    return TrainConfig(
        styles=read_style_list(options.get("style_list"), options["styles"], defaults=defaults),
        photos=str(options["photos"]),
        layout=CinLayout(**layout),
        paintings=paintings,
        **settings,
    )
