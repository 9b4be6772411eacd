"""The cin network written for other runtimes: TensorFlow Serving, LiteRT, ONNX Runtime."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from arbitrary_nst.checkpoints import IDENTITY, NETWORK_FILE, cin_folder, trained_styles
from arbitrary_nst.common.checks import whole_number
from arbitrary_nst.common.extras import require
from arbitrary_nst.common.version import __version__
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines.shared import check_embedding
from arbitrary_nst.errors import InputError, StyleError
from arbitrary_nst.export.folder import (
    MODEL_NAMES,
    README_FILE,
    VECTORS_FILE,
    check_folder,
    filling,
    readme,
    styles_json,
)
from arbitrary_nst.image import DEFAULT_MAX_PIXELS
from arbitrary_nst.pipeline.styles import Styles, list_of_styles, read_styles

FORMATS = tuple(MODEL_NAMES)


def export(
    output: str | os.PathLike[str],
    format: str,
    styles: Styles | None = None,
    *,
    blend_weights: bool = False,
    folder: str | os.PathLike[str] | None = None,
    seed: int = 0,
    network: str | os.PathLike[str] | None = None,
) -> list[str]:
    """Writes the cin network as a model that runs without this package.

    The model takes photos of any size, and paints what `stylize` with the cin engine in float32
    paints at full strength.

    Args:
        output: folder to write, new or empty: the model, `styles.json` with the styles' vectors,
            and `README.txt`, which shows how to run it.
        format: "savedmodel", "tflite" or "onnx".
        styles: the styles of `styles.json`: names, style files or `Embedding`s of this network.
            Default: all that it was trained with.
        blend_weights: let the model take one weight for each of these styles, in their order,
            in place of a style's vector.
        folder: of the network, as for `Cin`. Default: `$ARBITRARY_NST_CIN`, then the packaged one.
        seed: of the noise in the model.
        network: former name of `folder`.

    Returns:
        The names of the styles, in their order.

    Raises:
        InputError: an unknown format, a folder with something in it, or a wrong seed.
        StyleError: an unknown style, one of another network, or two of one name.
        ImportError: the format needs a package that is not installed.
        WeightsUnavailable: no network in the folder.
        CheckpointError: its file is damaged.
    """
    if network is not None:
        warnings.warn("`network` of export is `folder` now.", DeprecationWarning, stacklevel=2)
        folder = network
    _check_options(format, seed)
    check_folder(output)
    source = cin_folder(folder)
    chosen = _chosen_styles(source, styles)
    from arbitrary_nst.engines.cin import MIN_CONTENT_SIDE
    from arbitrary_nst.networks.cin.file import load_network, network_id
    from arbitrary_nst.networks.cin.noise import NOISE_PIXELS, noise_numbers

    layout, kernels = load_network(source / NETWORK_FILE)
    shapes = dict.fromkeys(("gamma", "beta"), (layout.style_size,))
    for style in chosen:
        check_embedding(style, "cin", network_id(kernels), shapes)
    vectors = [np.concatenate([style.arrays["gamma"], style.arrays["beta"]]) for style in chosen]
    matrix = np.stack(vectors) if blend_weights else None
    noise = noise_numbers(layout, int(seed))
    about = readme(
        format,
        chosen,
        blend_weights=blend_weights,
        seed=int(seed),
        version=__version__,
        min_side=MIN_CONTENT_SIDE,
        noise_pixels=NOISE_PIXELS,
    )
    with filling(output) as parts:
        model = parts / MODEL_NAMES[format]
        if format == "onnx":
            from arbitrary_nst.networks.cin.onnx import write_onnx

            write_onnx(layout, kernels, noise, model, matrix)
        else:
            # This takes seconds: TensorFlow is imported.
            from arbitrary_nst.networks.cin import portable

            is_tflite = format == "tflite"
            write = portable.write_tflite if is_tflite else portable.write_savedmodel
            module = portable.portable(layout, kernels, noise, matrix, for_tflite=is_tflite)
            write(module, model)
        (parts / VECTORS_FILE).write_text(styles_json(chosen), encoding="utf-8")
        (parts / README_FILE).write_text(about, encoding="utf-8")
    return [style.name for style in chosen]


def _check_options(format: Any, seed: Any) -> None:
    if not isinstance(format, str) or format not in FORMATS:
        raise InputError(
            f"`format` is one of {', '.join(map(repr, FORMATS))}. Received: {format!r}."
        )
    whole_number(seed, "seed")
    if format == "onnx":
        require("onnx")


def _chosen_styles(folder: Path, styles: Styles | None) -> Sequence[Embedding]:
    """The styles of the exported folder, each with a name of its own."""
    known = trained_styles(folder)
    if styles is None:
        chosen = [style for name, style in known.items() if name != IDENTITY]
        if not chosen:
            raise StyleError(f"The network in {folder} has no styles. Name a style file.")
        return chosen
    chosen = []
    for number, style in enumerate(
        read_styles(list_of_styles(styles), known, DEFAULT_MAX_PIXELS), start=1
    ):
        if not isinstance(style, Embedding):
            raise StyleError(
                f"Style {number} is an image. Expected a name or a style file of the network; "
                f"`arbitrary-nst add-style` makes one of an image."
            )
        if not style.name or style.name in [other.name for other in chosen]:
            raise StyleError(
                f"Style {number} is called {style.name!r}. Expected styles that each have a name "
                f"of their own, by which {VECTORS_FILE} lists them."
            )
        chosen.append(style)
    return chosen
