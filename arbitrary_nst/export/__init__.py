"""The network for other runtimes, and inside other programs."""

from arbitrary_nst.export.inside import keras_model, tensor_function
from arbitrary_nst.export.network import FORMATS, export

__all__ = ["FORMATS", "export", "keras_model", "tensor_function"]
