"""The shape of the cin network: its convolutions in order, and what its inputs look like.

It needs no Keras, so that a form of the network for another runtime starts without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

EPSILON = 1e-5
TOTAL_EPSILON = 1e-6  # added to the sum of a region's weights, which may be 0


@dataclass(frozen=True)
class CinLayout:
    """The shape of the network.

    Args:
        channels: width of the first convolution, then of each stride-2 convolution; the
            decoder mirrors it. Three entries make the published layout (stride 4 in all).
        num_residual_blocks: blocks of two 3x3 convolutions at the lowest resolution.
        outer_kernel: odd size of the first and the last convolution.
        skip_connections: whether the decoder also sees the encoder's features of each lower
            resolution, through a 1x1 convolution that is normalised like all others: a style's
            gamma opens it as far as the style wants detail of the photo, the identity's wide.
            Dumoulin et al. have none; with a stride of 8 they keep faces readable.
        noise_channels: maps of Gaussian noise mixed in, by a 1x1 convolution, at the lowest
            resolution. On a flat sky the convolutions give the same numbers at every stride, so
            without noise the only texture that they can paint there is a lattice (the woven grid
            that feed-forward networks are known for).
        noise_levels: resolutions that get noise of their own, from the lowest up: noise that comes
            in there alone is the same for all pixels of a stride (Ulyanov et al. 2016, "Texture
            Networks", have it at every resolution).
        fine_blocks: residual blocks of the decoder at the lowest resolution but one, where
            what is smaller than a stride is painted.
    """

    channels: tuple[int, ...] = (32, 64, 128)
    num_residual_blocks: int = 5
    outer_kernel: int = 9
    skip_connections: bool = False
    noise_channels: int = 0
    noise_levels: int = 1
    fine_blocks: int = 0

    @property
    def multiple(self) -> int:
        """Height and width of the input must be multiples of this."""
        return 2 ** (len(self.channels) - 1)

    def convolutions(self) -> list[Convolution]:
        """Every convolution, from the photo to the picture, in order."""
        widths = self.channels
        plan = [Convolution("in", 3, widths[0], self.outer_kernel, "relu")]
        for i, (narrow, wide) in enumerate(pairwise(widths), start=1):
            plan.append(Convolution(f"down{i}", narrow, wide, 3, "relu", stride=2))
        plan += self._noise(0, widths[-1], plan[-1].name)
        for i in range(1, self.num_residual_blocks + 1):
            plan += _residual_block(f"residual{i}", widths[-1], plan[-1].name)
        for i in range(len(widths) - 1, 0, -1):
            level, width = len(widths) - i, widths[i - 1]  # as counted by `noise_levels`
            plan.append(Convolution(f"up{i}", widths[i], width, 3, "relu", upsample=True))
            if self.skip_connections and i > 1:
                skip: dict[str, Any] = {"source": f"down{i - 1}", "shortcut": f"up{i}"}
                plan.append(Convolution(f"skip{i - 1}", width, width, 1, "add", **skip))
            if level < self.noise_levels:
                plan += self._noise(level, width, plan[-1].name)
            if level == 1:
                for j in range(1, self.fine_blocks + 1):
                    plan += _residual_block(f"fine{j}", width, plan[-1].name)
        plan.append(Convolution("out", widths[0], 3, self.outer_kernel, "sigmoid"))
        return plan

    def _noise(self, level: int, width: int, before: str) -> list[Convolution]:
        if not self.noise_channels:
            return []
        name = f"grain{level or ''}"
        inputs: dict[str, Any] = {"source": noise_source(level), "shortcut": before}
        return [Convolution(name, self.noise_channels, width, 1, "add", **inputs)]

    @property
    def noise_depth(self) -> int:
        """Numbers of noise for each pixel of the lowest resolution, those of all levels."""
        return self.noise_part(self.noise_levels).start

    def noise_part(self, level: int) -> slice:
        """Which of these numbers are the noise of a level: 4 times as many as those of the last."""
        start = self.noise_channels * (4**level - 1) // 3
        return slice(start, start + self.noise_channels * 4**level)

    @property
    def style_size(self) -> int:
        """Length of `gamma` and of `beta`: one number per output channel of every convolution."""
        return sum(convolution.filters for convolution in self.convolutions())


def noise_source(level: int) -> str:
    """The `Convolution.source` that stands for a level's noise, 0 for the lowest resolution."""
    return f"noise{level or ''}"


def _residual_block(name: str, width: int, before: str) -> list[Convolution]:
    return [
        Convolution(f"{name}a", width, width, 3, "relu"),
        Convolution(f"{name}b", width, width, 3, "add", shortcut=before),
    ]


@dataclass(frozen=True)
class Convolution:
    """One step of the network: (upsample), pad by reflection, convolve, normalise, activate.

    `activation` is "relu", "sigmoid", or "add": no activation, but the output of the step called
    `shortcut` is added. `source` names the step whose output comes in; None is the step before,
    `noise_source(level)` the noise of a level.
    """

    name: str
    inputs: int
    filters: int
    kernel_size: int
    activation: str
    stride: int = 1
    upsample: bool = False
    source: str | None = None
    shortcut: str | None = None


def levels_of(plan: Sequence[Convolution]) -> list[int]:
    """How often the resolution of each convolution's output is half of that before."""
    levels: dict[str, int] = {}
    before = ""
    for step in plan:
        # The noise is as small as what it is added to.
        is_noise = (step.source or "").startswith("noise")
        source = step.shortcut if is_noise else step.source or before
        level = levels[source] if source else 0
        levels[step.name] = level + (step.stride == 2) - step.upsample
        before = step.name
    return list(levels.values())


def noise_shape(layout: CinLayout, height: int, width: int) -> tuple[int, int, int]:
    """Shape of the "noise" input for a photo of that size, without the batch axis.

    The photo is grown to a multiple of `layout.multiple`, and so is what it needs.
    """
    rows, columns = (-(-side // layout.multiple) for side in (height, width))
    return rows, columns, layout.noise_depth
