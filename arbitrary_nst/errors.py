"""Error types of the package.

Each is a subclass of the built-in error that fits, so code that catches `ValueError`,
`FileNotFoundError` or `RuntimeError` keeps working.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # every room reads this one, also those that need no arrays
    import numpy as np


class InputError(ValueError):
    """Something the caller handed in is wrong; the message says what, and what would be right."""


class ImageError(InputError):
    """An image that cannot be read, or that has a wrong shape, dtype or value."""


class ImageTooLarge(ImageError):
    """An image with more pixels than allowed; refused before it is decoded."""


class ImageNotFound(ImageError, FileNotFoundError):
    """An image file that does not exist."""


class StyleError(InputError):
    """An unknown style, or styles that cannot be used together."""


class BlendWeightsError(InputError):
    """Blend weights that do not fit the styles: wrong count, negative, or without a sum."""


class EmbeddingError(InputError):
    """An embedding file that is damaged, or an embedding made by another network."""


class CheckpointError(InputError):
    """A checkpoint that is damaged, or that belongs to another network."""


class WeightsUnavailable(RuntimeError):
    """A checkpoint that cannot be had: the download failed, or the given path is missing."""


class VideoError(InputError):
    """A video that cannot be read or written, or that holds no frames."""


class VideoNotFound(VideoError, FileNotFoundError):
    """A video file that does not exist."""


class RenderError(RuntimeError):
    """A picture broke off on its way.

    Args:
        message: why, and what may help.
        picture: the last good one, float32 `(H, W, 3)`, RGB in `[0, 1]`, of the photo's size,
            with a fourth channel where the photo has transparency; None where not one step was
            done.
    """

    def __init__(self, message: str, picture: np.ndarray | None = None) -> None:
        super().__init__(message)
        self.picture = picture


class StopPainting(Exception):
    """Raised by a `progress` of the caller's own: painting ends with the picture so far.

    With the vgg19 engine `stylize` then returns the picture of the step that was told; other
    engines have none on the way, and it comes out of them.
    """


class WorkerDied(RuntimeError):
    """A process ended without a word, as one does that is killed for want of memory."""


def style_image_error(style: str, *, beside: str | None = None) -> StyleError:
    """The refusal of a style image by the cin engine.

    Args:
        style: which one, such as "Style 2".
        beside: what in the same blend needs this engine, such as "style 1 ('scream')".
    """
    reason = f", {beside} needs the cin engine, which" if beside else ", and the cin engine"
    return StyleError(
        f"{style} is an image{reason} knows only styles it was trained with. "
        f"Give images for all styles (the magenta engine takes any), or learn this one with "
        f"`arbitrary-nst add-style IMAGE --name NAME --photos FOLDER -o FILE` (minutes on a CPU) "
        f"and use FILE as the style."
    )
