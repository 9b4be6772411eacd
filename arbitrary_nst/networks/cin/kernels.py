"""Kernels of the fewer, wider operations that stand for the network's convolutions at inference.

`fast.py` says which; both runtimes, TensorFlow and ONNX, run on them.
"""

from __future__ import annotations

import numpy as np

from arbitrary_nst.networks.cin.layout import Convolution


def in_blocks(step: Convolution) -> bool:
    """Whether a convolution runs on blocks of 2x2 pixels."""
    # Only where the padding is whole blocks, and three channels make the plain form slow.
    return (
        step.stride == 1
        and step.kernel_size % 4 == 1
        and step.kernel_size > 1
        and (3 in (step.inputs, step.filters))
    )


def rewritten(step: Convolution, kernel: np.ndarray) -> np.ndarray:
    """The kernel of the fewer, wider operations that stand for this convolution here."""
    if step.upsample:
        return _fold_upsampling(kernel)
    return _fold_blocks(kernel) if in_blocks(step) else kernel


def _fold_upsampling(kernel: np.ndarray) -> np.ndarray:
    """3x3 on doubled pixels -> 2x2 on single ones, per phase: (2, 2, inputs, 4 * filters).

    In one dimension the doubled row u[2i] = u[2i + 1] = x[i] gives, with taps a, b, c, the even
    pixel a x[i-1] + (b + c) x[i] and the odd pixel (a + b) x[i] + c x[i+1]. The window on x[i-1]
    and x[i] thus makes the odd pixel of the one and the even pixel of the other. Laid out in this
    order all pixels are in their places, but for one too many at each border.
    """
    even = np.array([[1, 0, 0], [0, 1, 1]], np.float32)  # (2 taps, 3 taps)
    odd = np.array([[1, 1, 0], [0, 0, 1]], np.float32)
    phases = [
        np.einsum("ay,bx,yxio->abio", down, across, kernel)
        for down in (odd, even)
        for across in (odd, even)
    ]
    return np.concatenate(phases, axis=3)


def _fold_blocks(kernel: np.ndarray) -> np.ndarray:
    """Kernel of k x k pixels -> (k // 2 + 1) squared on 2x2 blocks laid into channels.

    Returns (k // 2 + 1, k // 2 + 1, 4 * inputs, 4 * filters); output pixel (p, q) of a block
    reads input pixel (r, s) of the block (m, n) with the tap that lies between them.
    """
    size, _, inputs, filters = kernel.shape
    taps = size // 2 + 1
    folded = np.zeros((taps, taps, 2, 2, inputs, 2, 2, filters), np.float32)
    for p in range(2):
        for q in range(2):
            for y in range(size):
                for x in range(size):
                    m, r = divmod(p + y, 2)
                    n, s = divmod(q + x, 2)
                    folded[m, n, r, s, :, p, q] = kernel[y, x]
    return folded.reshape(taps, taps, 4 * inputs, 4 * filters)
