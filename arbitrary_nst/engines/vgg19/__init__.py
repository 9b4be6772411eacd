"""The vgg19 engine: the picture itself is optimised until VGG19 sees the style in it."""

from arbitrary_nst.engines.protocol import Step
from arbitrary_nst.engines.vgg19.engine import Vgg19
from arbitrary_nst.engines.vgg19.settings import (
    MIN_CONTENT_SIDE,
    OPTIMIZERS,
    POOLINGS,
    Vgg19Settings,
    scale_shapes,
)
from arbitrary_nst.errors import RenderError
from arbitrary_nst.networks.precision import PRECISIONS

__all__ = [
    "MIN_CONTENT_SIDE",
    "OPTIMIZERS",
    "POOLINGS",
    "PRECISIONS",
    "RenderError",
    "Step",
    "Vgg19",
    "Vgg19Settings",
    "scale_shapes",
]
