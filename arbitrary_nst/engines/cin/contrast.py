"""Photos with next to no contrast, such as the end of a fade to black: they get less of a style.

Every normalisation of the network takes the photo's brightness out and divides by its contrast, so
the noise of a black frame would be painted like any photo, and as brightly. So the style is
weakened towards the photo's own look, as `strength` does it, the more the less contrast there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from arbitrary_nst.embedding import Embedding, blend
from arbitrary_nst.image.arrays import as_floats

# Up to the first contrast there is nothing but noise; from the second on a photo gets its style as
# it is: the flattest of the 2,076 photos of the training data has 0.063.
NOTHING_SEEN, ALL_SEEN = 0.005, 0.05
STRIP_PIXELS = 2**17


def for_contrast(
    content: np.ndarray,
    styles: Sequence[Embedding],
    identity: Callable[[np.ndarray], Embedding],
) -> list[Embedding]:
    """The styles as a photo of that contrast gets them; nearly always as they are.

    Args:
        content: `(H, W, 3)`, floats in `[0, 1]` or uint8 in `[0, 255]`.
        styles: of one network.
        identity: gives the style that leaves the photo as it is; it takes float32.
    """
    share = style_share(contrast_of(content))
    if share == 1:
        return list(styles)
    photo = identity(_floats(content))
    return [blend([photo, style], [1 - share, share]) for style in styles]


def contrast_of(content: np.ndarray) -> float:
    """The deviation of a photo's colours from its mean colour: root mean square over the channels.

    Args:
        content: `(H, W, 3)`, floats in `[0, 1]` or uint8 in `[0, 255]`.

    Returns:
        From 0, for a photo of one colour, to 0.5.
    """
    rows = max(1, STRIP_PIXELS // content.shape[1])
    centre = _floats(content[:1, :1]).reshape(3)  # of the order of the mean, where it is close
    total, squares = np.zeros(3), np.zeros(3)
    for top in range(0, len(content), rows):
        apart = _floats(content[top : top + rows]) - centre
        # Columns first, which is many times faster than pixel by pixel.
        total += apart.sum(0).sum(0, np.float64)
        squares += np.einsum("hwc,hwc->wc", apart, apart).sum(0, np.float64)
    pixels = content.shape[0] * content.shape[1]
    variance = squares / pixels - (total / pixels) ** 2
    return float(np.sqrt(variance.clip(0).mean()))


def style_share(contrast: float) -> float:
    """How much of a style a photo of that contrast gets; the rest is the photo's own look.

    Returns:
        From 0 to 1; exactly 1 from `ALL_SEEN` on, and without a jump, for films that fade.
    """
    share = (contrast - NOTHING_SEEN) / (ALL_SEEN - NOTHING_SEEN)
    return min(max(share, 0.0), 1.0)


def _floats(image: np.ndarray) -> np.ndarray:
    # The engine takes float64, too, which `as_floats` would have for bytes.
    return as_floats(image) if image.dtype == np.uint8 else image.astype(np.float32, copy=False)
