"""The shape of the style predictor; needs no Keras."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SCALE, OFFSET = 4.0, -2.0  # of the painting, before the first convolution
# By which the numbers of convolutions and of the dense layers are kept divided, see `network.py`.
CONVOLUTION_RATE = 0.02
DENSE_RATES = {"hidden": 0.02, "bottleneck": 0.3, "vector": 0.1}
TRUNK = ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1")

POOLED = ("block2_conv1", "block3_conv1")  # of these, before which the resolution is halved


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

    def depths(self) -> Iterator[tuple[list[str], str, int]]:
        """Names of the convolutions from one depth to the next, of what is pooled, and channels."""
        for name, width in zip(TRUNK, self.trunk, strict=True):
            yield [name], name, width
        for depth, width in enumerate(self.widths, start=1):
            yield [f"down{depth}", f"same{depth}"], f"same{depth}", width

    def shapes(self, style_size: int) -> dict[str, tuple[int, ...]]:
        """Shape of each of the predictor's arrays, by the name that it has in a file."""
        shapes: dict[str, tuple[int, ...]] = {}

        def layer(name: str, *kernel: int) -> None:
            shapes[f"{name}/kernel"], shapes[f"{name}/bias"] = kernel, kernel[-1:]

        channels, pooled = 3, 0
        for names, last, width in self.depths():
            for name in names:
                layer(name, 3, 3, channels, width)
                channels = width
            layer(f"{last}_mix", 1, 1, width, self.mixed)
            pooled += 2 * width + self.mixed**2
        shapes["standard/scale"] = shapes["standard/offset"] = (pooled,)
        layer("hidden", pooled, self.hidden)
        layer("bottleneck", self.hidden, self.bottleneck)
        layer("vector", self.bottleneck, 2 * style_size)
        return shapes
