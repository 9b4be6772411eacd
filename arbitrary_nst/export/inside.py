"""The cin network inside other programs of Keras and TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from arbitrary_nst.checkpoints import NETWORK_FILE, cin_folder
from arbitrary_nst.common.checks import whole_number
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines.shared import check_embedding

if TYPE_CHECKING:  # either takes seconds
    import keras
    import tensorflow as tf


def keras_model(folder: str | os.PathLike[str] | None = None) -> keras.Model:
    """The network with its weights, as plain layers, to be built upon.

    Args:
        folder: of the network, as for `Cin`. Default: `$ARBITRARY_NST_CIN`, then the packaged one.

    Returns:
        A functional model, as `networks.cin.network.build_network` describes it: from a dict with
        "content" (B, H, W, 3) in `[0, 1]`, with sides that can be halved as often as the network
        does (three times in the packaged one), "gamma" and "beta" (B, style_size), and "noise", to
        the picture (B, H, W, 3). Gradients go through to all of them. An embedding has gamma and
        beta in `arrays`.

    Raises:
        WeightsUnavailable: no network in the folder.
        CheckpointError: its file is damaged.

    Examples:
        >>> model = keras_model()
        >>> style = embed("great-wave").arrays
        >>> model({"content": photo[None], "gamma": style["gamma"][None], ...})
    """
    from arbitrary_nst.common.keras_on_tensorflow import keras as _keras  # its backend is chosen
    from arbitrary_nst.networks.cin.file import load_network
    from arbitrary_nst.networks.cin.network import build_network

    del _keras
    layout, kernels = load_network(cin_folder(folder) / NETWORK_FILE)
    model = build_network(layout)
    for name, kernel in kernels.items():
        model.get_layer(f"{name}_conv").set_weights([kernel])
    return model


def tensor_function(
    style: Embedding, folder: str | os.PathLike[str] | None = None, *, seed: int = 0
) -> Callable[[Any], tf.Tensor]:
    """A function of tensors that paints, for `tf.data` and other graphs of TensorFlow.

    It paints what `stylize` with the cin engine in float32 paints at full strength.

    Args:
        style: of this network, from `embed` or `blend`.
        folder: of the network, as for `Cin`. Default: `$ARBITRARY_NST_CIN`, then the packaged one.
        seed: of the noise, from 0 up.

    Returns:
        A function from a photo, float32 (H, W, 3) in `[0, 1]` and of any size from 16x16 up, to
        the picture, of the same shape.

    Raises:
        StyleError: the style is of another engine or network.
        WeightsUnavailable: no network in the folder.
        CheckpointError: its file is damaged.

    Examples:
        >>> wave = tensor_function(embed("great-wave"))
        >>> pictures = tf.data.Dataset.from_tensor_slices(photos).map(wave)
    """
    from arbitrary_nst.networks.cin.file import load_network, network_id
    from arbitrary_nst.networks.cin.noise import noise_numbers
    from arbitrary_nst.networks.cin.portable import portable

    layout, kernels = load_network(cin_folder(folder) / NETWORK_FILE)
    shapes = dict.fromkeys(("gamma", "beta"), (layout.style_size,))
    check_embedding(style, "cin", network_id(kernels), shapes)
    vector = np.concatenate([style.arrays["gamma"], style.arrays["beta"]])
    module = portable(layout, kernels, noise_numbers(layout, whole_number(seed, "seed")))

    def painted(photo: Any) -> tf.Tensor:
        return module.paint(photo[None], vector)["picture"][0]

    return painted
