"""Artistic style transfer: photos painted in a blend of styles."""

from arbitrary_nst.api import StyleInfo, embed, list_styles, stylize, stylize_many
from arbitrary_nst.common.version import __version__ as __version__
from arbitrary_nst.embedding import Embedding, blend, load_styles, save_styles
from arbitrary_nst.engines import load_engine
from arbitrary_nst.image import save_image

__all__ = [
    "Embedding",
    "StyleInfo",
    "blend",
    "embed",
    "list_styles",
    "load_engine",
    "load_styles",
    "save_image",
    "save_styles",
    "stylize",
    "stylize_many",
]
