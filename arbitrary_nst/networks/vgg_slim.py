"""A VGG19 of a quarter of the width, distilled: sixteen times cheaper eyes for most of a training.

Its five style layers go through learned 1x1 maps to as many channels as VGG19's have. On 336 pairs
of picture and painting its style losses rank as VGG19's do (Spearman 0.92). It is no judge: what a
network paints is measured, and trained to the end, by VGG19 itself.

Reference:
    Wang, Li, Wang, Hu, Yang 2020, "Collaborative Distillation for Ultra-Resolution Universal
    Style Transfer".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras

from arbitrary_nst.common.text import said
from arbitrary_nst.errors import CheckpointError, WeightsUnavailable
from arbitrary_nst.networks.cin.network import ReflectionPadding
from arbitrary_nst.networks.vgg import BLOCKS, CHANNELS, STYLE_LAYERS
from arbitrary_nst.networks.weights_file import open_weights, read_arrays

WIDTHS = (16, 32, 64, 128, 128)  # channels of the convolutions of each block


def load_vgg_slim(
    path: str | Path, layers: Sequence[str], *, dtype: str = "float32"
) -> keras.Model:
    """The slim VGG19, frozen.

    Args:
        path: safetensors file with `conv0`, `conv11` .. `conv51` and the maps `conv11_aux` ..
            `conv51_aux`, each with "weight" (HWIO) and "bias".
        layers: of VGG19, in the order in which features come back. The style layers have VGG19's
            channels, all others (the content layer) a quarter of them.
        dtype: Keras dtype policy.

    Returns:
        A model from RGB (B, H, W, 3) in `[0, 1]` to a list of features (B, h, w, C).

    Raises:
        WeightsUnavailable: no such file, or it holds something else.
    """
    try:
        with open_weights(path, "a readable file of weights") as file:
            model = _build(layers, dtype)
            variables = {
                f"{layer.name}.{part}": variable
                for layer in model.layers
                for part, variable in zip(("weight", "bias"), layer.weights, strict=False)
            }
            shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
            arrays = read_arrays(path, file, shapes, dtypes=("float16", "float32"), exact=False)
    except CheckpointError as error:
        raise WeightsUnavailable(
            f"{path} could not be read as a slim VGG19 in safetensors form: {said(error)}"
        ) from error
    for name, variable in variables.items():
        variable.assign(arrays[name])
    return model


def _build(layers: Sequence[str], dtype: str) -> keras.Model:
    image = keras.Input((None, None, 3), name="image", dtype="float32")
    # To what VGG sees, BGR 0..255 less a mean: in float32, since bfloat16 has steps of 1 there.
    x = keras.layers.Conv2D(3, 1, name="conv0", dtype="float32", data_format=CHANNELS)(image)
    features = {}
    for block, (_, count) in enumerate(BLOCKS, 1):
        if block > 1:
            x = keras.layers.MaxPooling2D(
                2, name=f"pool{block - 1}", dtype=dtype, data_format=CHANNELS
            )(x)
        for index in range(1, count + 1):
            name, layer = f"conv{block}{index}", f"relu{block}_{index}"
            x = ReflectionPadding(1, name=f"{name}_pad", dtype=dtype)(x)
            x = keras.layers.Conv2D(
                WIDTHS[block - 1],
                3,
                activation="relu",
                name=name,
                dtype=dtype,
                data_format=CHANNELS,
            )(x)
            features[layer] = x
            if layer in STYLE_LAYERS:
                wide = keras.layers.Conv2D(
                    BLOCKS[block - 1][0],
                    1,
                    activation="relu",
                    name=f"{name}_aux",
                    dtype=dtype,
                    data_format=CHANNELS,
                )
                features[layer] = wide(x)
            if set(layers) <= set(features):
                model = keras.Model(image, [features[name] for name in layers], name="vgg_slim")
                model.trainable = False
                return model
    raise ValueError(f"no layers {sorted(set(layers) - set(features))}")
