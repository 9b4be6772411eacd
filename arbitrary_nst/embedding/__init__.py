"""A style as numbers: the embedding, the blend of several, and the file that holds them."""

from arbitrary_nst.embedding.blending import Weights, blend, normalize_weights
from arbitrary_nst.embedding.embedding import (
    MAX_NAME_LENGTH,
    MAX_SOURCE_LENGTH,
    Embedding,
    load_styles,
    save_styles,
)
from arbitrary_nst.embedding.style_file import FILE_VERSION, MAX_FILE_BYTES

__all__ = [
    "FILE_VERSION",
    "MAX_FILE_BYTES",
    "MAX_NAME_LENGTH",
    "MAX_SOURCE_LENGTH",
    "Embedding",
    "Weights",
    "blend",
    "load_styles",
    "normalize_weights",
    "save_styles",
]
