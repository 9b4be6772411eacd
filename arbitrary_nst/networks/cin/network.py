"""The feed-forward network with conditional instance normalisation (Keras 3, backend-neutral).

One set of convolutions serves every style; what a style *is* lies in the scale `gamma` and
the shift `beta` that each normalisation applies after it has taken mean and deviation out.
The gammas and betas of all layers, end to end, are the style's embedding.

Reference:
    Dumoulin, Shlens, Kudlur 2017, "A Learned Representation For Artistic Style";
    the layout follows Johnson, Alahi, Fei-Fei 2016.
"""

from __future__ import annotations

import keras
from keras import ops

from arbitrary_nst.networks.cin.layout import EPSILON, CinLayout, noise_source

CHANNELS = "channels_last"  # said everywhere, since the user's keras.json may have it otherwise


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
            x = keras.layers.UpSampling2D(
                2, data_format=CHANNELS, name=f"{name}_upsample", dtype=dtype
            )(x)
        padding = convolution.kernel_size // 2
        if padding:
            x = ReflectionPadding(padding, name=f"{name}_pad", dtype=dtype)(x)
        x = keras.layers.Conv2D(
            convolution.filters,
            convolution.kernel_size,
            strides=convolution.stride,
            use_bias=False,  # the normalisation would take it out again
            data_format=CHANNELS,
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
