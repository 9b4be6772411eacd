"""Artistic style transfer: photos painted in a blend of styles.

The names of `__all__` are the public ones. Each is imported when it is first asked for, so
`import arbitrary_nst` loads neither TensorFlow nor anything else that takes time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from arbitrary_nst.common.version import __version__ as __version__

if TYPE_CHECKING:
    from arbitrary_nst.api import (
        StyleInfo,
        embed,
        list_styles,
        stylize,
        stylize_array,
        stylize_many,
    )
    from arbitrary_nst.batch import stylize_folder
    from arbitrary_nst.common.quiet import quiet
    from arbitrary_nst.embedding import Embedding, blend, load_styles, save_styles
    from arbitrary_nst.engines import load_engine
    from arbitrary_nst.engines.cin import Cin
    from arbitrary_nst.engines.magenta import Magenta
    from arbitrary_nst.engines.vgg19 import Vgg19, Vgg19Settings
    from arbitrary_nst.errors import (
        BlendWeightsError,
        CheckpointError,
        EmbeddingError,
        ImageError,
        ImageNotFound,
        ImageTooLarge,
        InputError,
        RenderError,
        StopPainting,
        StyleError,
        VideoError,
        VideoNotFound,
        WeightsUnavailable,
        WorkerDied,
    )
    from arbitrary_nst.export import export as export_network
    from arbitrary_nst.image import load_image, save_image
    from arbitrary_nst.training.config import TrainConfig
    from arbitrary_nst.training.train import train
    from arbitrary_nst.video import Keyframe, stylize_video

__all__ = [
    "BlendWeightsError",
    "CheckpointError",
    "Cin",
    "Embedding",
    "EmbeddingError",
    "ImageError",
    "ImageNotFound",
    "ImageTooLarge",
    "InputError",
    "Keyframe",
    "Magenta",
    "RenderError",
    "StopPainting",
    "StyleError",
    "StyleInfo",
    "TrainConfig",
    "Vgg19",
    "Vgg19Settings",
    "VideoError",
    "VideoNotFound",
    "WeightsUnavailable",
    "WorkerDied",
    "blend",
    "embed",
    "export_network",
    "list_styles",
    "load_engine",
    "load_image",
    "load_styles",
    "quiet",
    "save_image",
    "save_styles",
    "stylize",
    "stylize_array",
    "stylize_folder",
    "stylize_many",
    "stylize_video",
    "train",
]

_ERRORS = ("Error", "Large", "Found", "Unavailable", "Died", "StopPainting")
# Where each name is, as above.
_MODULES = {
    "api": ("StyleInfo", "embed", "list_styles", "stylize", "stylize_array", "stylize_many"),
    "batch": ("stylize_folder",),
    "common.quiet": ("quiet",),
    "embedding": ("Embedding", "blend", "load_styles", "save_styles"),
    "engines": ("load_engine",),
    "engines.cin": ("Cin",),
    "engines.magenta": ("Magenta",),
    "engines.vgg19": ("Vgg19", "Vgg19Settings"),
    "errors": tuple(n for n in __all__ if n.endswith(_ERRORS)),
    "export": ("export_network",),
    "image": ("load_image", "save_image"),
    "training.config": ("TrainConfig",),
    "training.train": ("train",),
    "video": ("Keyframe", "stylize_video"),
}
_PLACES = {name: module for module, names in _MODULES.items() for name in names}
_OTHER_NAMES = {"export_network": "export"}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from arbitrary_nst.common.extras import named

    try:
        module = importlib.import_module(f"{__name__}.{_PLACES[name]}")
    except ImportError as error:
        raise named(error) from error
    value = getattr(module, _OTHER_NAMES.get(name, name))
    globals()[name] = value  # found at once from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
