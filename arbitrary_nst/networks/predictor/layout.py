"""The shape of the style predictor; needs no Keras."""

from __future__ import annotations

from dataclasses import dataclass

SCALE, OFFSET = 4.0, -2.0  # of the painting, before the first convolution
TRUNK = ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1")


@dataclass(frozen=True)
class PredictorLayout:
    """The shape of the predictor.

    Args:
        trunk: channels of the five convolutions of `TRUNK`, two at the picture's resolution, two
            at a half and one at a quarter of it.
        widths: channels at 1/8, 1/16 ... of the picture's resolution.
        mixed: channels of which covariances are taken at each depth.
        hidden: width of the layer before the bottleneck.
        bottleneck: numbers in which styles differ.
    """

    trunk: tuple[int, ...] = (64, 64, 128, 128, 256)
    widths: tuple[int, ...] = (160, 192)
    mixed: int = 24
    hidden: int = 256
    bottleneck: int = 128
