"""What the engine fits named styles to, photo by photo; see `engines/cin/targets.py`."""

from __future__ import annotations

from pathlib import Path

import keras

from arbitrary_nst.checkpoints import TARGETS_FILE
from arbitrary_nst.embedding import Embedding, save_styles
from arbitrary_nst.engines.cin import STYLE_SIZE
from arbitrary_nst.engines.cin.targets import target_arrays
from arbitrary_nst.networks.predictor.network import trunk_of
from arbitrary_nst.networks.vgg import gram_matrix
from arbitrary_nst.training.config import StyleSpec
from arbitrary_nst.training.data import load_style
from arbitrary_nst.training.statistics import to_array


def write_targets(
    predictor: keras.Model, styles: tuple[StyleSpec, ...], network: str, out: Path
) -> None:
    """Writes the Gram matrices of the styles' paintings, by the predictor's own convolutions.

    Args:
        predictor: of the network with that id.
        styles: with the files of the paintings, which are looked at as `Cin.embed` does.
        network: id of the cin network.
        out: folder of the network.
    """
    trunk = trunk_of(predictor)
    targets = []
    for style in styles:
        painting = load_style(style, STYLE_SIZE)
        grams = [to_array(gram_matrix(f))[0] for f in trunk(painting[None])]
        arrays = target_arrays(grams)
        targets.append(Embedding("cin", network, arrays, name=style.name, source=style.source))
    save_styles(targets, out / TARGETS_FILE)
