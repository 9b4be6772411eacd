"""The feed-forward network with conditional instance normalisation (Keras 3, backend-neutral).

One set of convolutions serves every style; what a style *is* lies in the scale `gamma` and
the shift `beta` that each normalisation applies after it has taken mean and deviation out.
The gammas and betas of all layers, end to end, are the style's embedding.

Reference:
    Dumoulin, Shlens, Kudlur 2017, "A Learned Representation For Artistic Style";
    the layout follows Johnson, Alahi, Fei-Fei 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import keras
from keras import ops

EPSILON = 1e-5


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
                skip = {"source": f"down{i - 1}", "shortcut": f"up{i}"}
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
        inputs = {"source": noise_source(level), "shortcut": before}
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


class ReflectionPadding(keras.layers.Layer):
    """Pads height and width by mirroring, which keeps borders free of the bands zeros make."""

    def __init__(self, padding: int, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, x):
        amount = (self.padding, self.padding)
        return ops.pad(x, ((0, 0), amount, amount, (0, 0)), mode="reflect")

    def compute_output_shape(self, shape):
        grow = [None if side is None else side + 2 * self.padding for side in shape[1:3]]
        return (shape[0], *grow, shape[3])

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}


class ConditionalInstanceNorm(keras.layers.Layer):
    """Instance normalisation whose scale and shift come from the style.

    Statistics are taken in float32 per picture and channel also under a bfloat16 policy:
    the variance of a wide picture does not survive eight bits of mantissa.
    """

    def __init__(self, epsilon: float = EPSILON, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, x, gamma, beta):
        # x (B, H, W, C); gamma, beta (B, C)
        wide = ops.cast(x, "float32")
        mean = ops.mean(wide, axis=(1, 2))  # (B, C)
        variance = ops.mean(ops.square(wide - mean[:, None, None]), axis=(1, 2))  # (B, C)
        scale = ops.cast(gamma, "float32") * ops.rsqrt(variance + self.epsilon)
        shift = ops.cast(beta, "float32") - mean * scale
        scale, shift = ops.cast(scale, x.dtype), ops.cast(shift, x.dtype)
        return x * scale[:, None, None] + shift[:, None, None]

    def compute_output_shape(self, shape, *_):
        return shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


class NoiseOfLevel(keras.layers.Layer):
    """Cuts a level's noise out and lays it out: (B, h, w, N) -> (B, h * 2**level, ..., C)."""

    def __init__(self, part: slice, level: int, **kwargs):
        super().__init__(**kwargs)
        self.part, self.level = part, level

    def call(self, noise):
        noise = noise[..., self.part]
        batch, rows, columns, depth = ops.shape(noise)
        block = 2**self.level
        channels = depth // block**2
        noise = ops.reshape(noise, (batch, rows, columns, block, block, channels))
        noise = ops.transpose(noise, (0, 1, 3, 2, 4, 5))
        return ops.reshape(noise, (batch, rows * block, columns * block, channels))

    def compute_output_shape(self, shape):
        channels = (self.part.stop - self.part.start) // 4**self.level
        grow = [None if side is None else side * 2**self.level for side in shape[1:3]]
        return (shape[0], *grow, channels)


class StyleSlice(keras.layers.Layer):
    """Cuts one layer's share out of the long gamma or beta vector, always in float32."""

    def __init__(self, start: int, size: int, **kwargs):
        super().__init__(**kwargs)
        self.start, self.size = start, size

    def call(self, vector):
        return vector[:, self.start : self.start + self.size]  # (B, size)

    def compute_output_shape(self, shape):
        return (shape[0], self.size)

    def get_config(self):
        return {**super().get_config(), "start": self.start, "size": self.size}


def build_network(layout: CinLayout, *, dtype: str = "float32", seed: int = 0) -> keras.Model:
    """The network as plain layers: what is trained, and what the fast form is checked against.

    Args:
        layout: widths and number of blocks.
        dtype: Keras dtype policy, "float32" or "mixed_bfloat16" (variables stay float32).
        seed: of the initial kernels.

    Returns:
        A functional model from a dict to a picture, float32 (B, H, W, 3) in `[0, 1]`. The dict
        has "content": (B, H, W, 3) RGB in `[0, 1]`, H and W multiples of `layout.multiple`;
        "gamma" and "beta": float32 (B, layout.style_size); and, for a layout with noise,
        "noise": float32 (B, H / multiple, W / multiple, layout.noise_depth).
    """
    content = keras.Input((None, None, 3), name="content", dtype="float32")
    gamma = keras.Input((layout.style_size,), name="gamma", dtype="float32")
    beta = keras.Input((layout.style_size,), name="beta", dtype="float32")
    noise = keras.Input((None, None, layout.noise_depth), name="noise", dtype="float32")
    inputs = {"content": content, "gamma": gamma, "beta": beta}
    if layout.noise_channels:
        inputs["noise"] = noise
    x, start, outputs = content, 0, {}
    for level in range(layout.noise_levels if layout.noise_channels else 0):
        name, part = noise_source(level), layout.noise_part(level)
        cut = NoiseOfLevel(part, level, name=f"{name}_cut", dtype="float32")
        outputs[name] = cut(noise)
    for index, convolution in enumerate(layout.convolutions()):
        name = convolution.name
        x = outputs[convolution.source] if convolution.source else x
        if convolution.upsample:
            x = keras.layers.UpSampling2D(2, name=f"{name}_upsample", dtype=dtype)(x)
        padding = convolution.kernel_size // 2
        if padding:
            x = ReflectionPadding(padding, name=f"{name}_pad", dtype=dtype)(x)
        x = keras.layers.Conv2D(
            convolution.filters,
            convolution.kernel_size,
            strides=convolution.stride,
            use_bias=False,  # the normalisation would take it out again
            kernel_initializer=keras.initializers.GlorotUniform(seed=seed + index),
            name=f"{name}_conv",
            dtype=dtype,
        )(x)
        size = convolution.filters
        x = ConditionalInstanceNorm(name=f"{name}_norm", dtype=dtype, autocast=False)(
            x,
            StyleSlice(start, size, name=f"{name}_gamma", dtype="float32")(gamma),
            StyleSlice(start, size, name=f"{name}_beta", dtype="float32")(beta),
        )
        start += size
        if convolution.shortcut is not None:
            x = keras.layers.Add(name=f"{name}_add", dtype=dtype)(
                [outputs[convolution.shortcut], x]
            )
        else:
            # The last activation leaves bfloat16, or smooth skies would show its 256 steps.
            last = "float32" if convolution.activation == "sigmoid" else dtype
            activation = convolution.activation
            x = keras.layers.Activation(activation, name=f"{name}_activation", dtype=last)(x)
        outputs[name] = x
    return keras.Model(inputs, x, name="cin")


def photo_gamma_beta(content):
    """Gamma and beta of the last layer that give a photo its own brightness and contrast back.

    The normalisation before them takes both out, so no vector that is the same for all photos
    could: the identity style has these in the last place. They are the deviation and the mean of
    the photo's logits, since a sigmoid follows.

    Args:
        content: (B, H, W, 3), RGB in `[0, 1]`.

    Returns:
        Two float32 (B, 3).
    """
    # Black and white have no logit. Measured on eight photos, cutting here gave the best PSNR.
    content = ops.clip(ops.cast(content, "float32"), 0.04, 0.96)
    logits = ops.log(content) - ops.log(1.0 - content)
    mean, variance = ops.moments(logits, axes=(1, 2))
    return ops.sqrt(variance), mean


def noise_shape(layout: CinLayout, height: int, width: int) -> tuple[int, int, int]:
    """Shape of the "noise" input for a photo of that size, without the batch axis.

    The photo is grown to a multiple of `layout.multiple`, and so is what it needs.
    """
    rows, columns = (-(-side // layout.multiple) for side in (height, width))
    return rows, columns, layout.noise_depth
