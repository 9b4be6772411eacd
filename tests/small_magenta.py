"""A SavedModel of the form of Magenta's network, so small that it paints in milliseconds."""

import numpy as np
import tensorflow as tf

VECTOR_SIZE = 6
IMAGES = tf.TensorSpec((None, None, None, 3), tf.float32)


class TinyMagenta(tf.Module):
    """Style -> convolution -> spatial mean -> gamma and beta of an instance norm; strides of 4.

    As in the true model the bottleneck is a mean with `keepdims`, several layers read it, and the
    sides of the picture are the content's rounded up to multiples of 4.
    """

    def __init__(self, seed=0):
        super().__init__()
        rng = np.random.default_rng(seed)

        def variable(name, *shape):
            values = rng.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))
            return tf.Variable(values.astype(np.float32), name=name)

        self.variables_by_name = {
            name: variable(name, *shape)
            for name, shape in {
                "InceptionV3/conv": (3, 3, 3, VECTOR_SIZE),
                "style_params/gamma": (1, 1, VECTOR_SIZE, 8),
                "style_params/beta": (1, 1, VECTOR_SIZE, 8),
                "transformer/contract": (3, 3, 3, 8),
                "transformer/expand": (3, 3, 8, 3),
            }.items()
        }

    def bottleneck(self, style):
        kernel = self.variables_by_name["InceptionV3/conv"]
        features = tf.nn.relu(tf.nn.conv2d(style, kernel, 2, "SAME"))
        return 4 * tf.reduce_mean(features, axis=(1, 2), keepdims=True)  # (B, 1, 1, n)

    def picture(self, content, vector):
        kernels = self.variables_by_name
        padded = tf.pad(content, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")
        x = tf.nn.conv2d(padded, kernels["transformer/contract"], 1, "VALID")[:, ::4, ::4]
        mean, variance = tf.nn.moments(x, (1, 2), keepdims=True)
        gamma = 1 + tf.nn.conv2d(vector, kernels["style_params/gamma"], 1, "SAME")
        beta = tf.nn.conv2d(vector, kernels["style_params/beta"], 1, "SAME")
        x = (x - mean) * tf.math.rsqrt(variance + 1e-5) * gamma + beta
        x = tf.repeat(tf.repeat(x, 4, axis=1), 4, axis=2)
        return tf.sigmoid(tf.nn.conv2d(x, kernels["transformer/expand"], 1, "SAME"))

    def stylize(self, content, style):
        return [self.picture(content, self.bottleneck(style))]


def save_model(folder, module, function, signatures=True):
    module.__call__ = function
    names = [
        tf.TensorSpec(IMAGES.shape, tf.float32, name) for name in ("placeholder", "placeholder_1")
    ]

    @tf.function(input_signature=names)
    def serving(placeholder, placeholder_1):
        return {"output_0": function(placeholder, placeholder_1)[0]}

    tf.saved_model.save(module, str(folder), {"serving_default": serving} if signatures else None)
    return folder


def two_images(function):
    return tf.function(function, input_signature=[IMAGES, IMAGES])
