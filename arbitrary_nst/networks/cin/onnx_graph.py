"""The cin network as nodes of an ONNX graph, for export and for `light.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from arbitrary_nst.networks.cin.kernels import in_blocks, rewritten
from arbitrary_nst.networks.cin.layout import EPSILON, CinLayout, Convolution, noise_source
from arbitrary_nst.networks.onnx_graph import Graph

# Takes what a convolution gives, and its number in the plan: scales and shifts it.
Normalize = Callable[[str, int], str]


def by_vector(graph: Graph, layout: CinLayout) -> tuple[Normalize, dict[str, Sequence]]:
    """`by_style` with the inputs "gamma" and "beta", and the shapes of these."""
    filters = [step.filters for step in layout.convolutions()]
    affine = [graph.split(name, filters) for name in ("gamma", "beta")]
    return by_style(graph, *affine), {key: [layout.style_size] for key in ("gamma", "beta")}


def by_style(graph: Graph, gammas: Sequence[str], betas: Sequence[str]) -> Normalize:
    """Instance normalisation with one style everywhere: (c,) for each convolution."""

    def normalize(x: str, index: int) -> str:
        return graph.add("InstanceNormalization", x, gammas[index], betas[index], epsilon=EPSILON)

    return normalize


def add_noise(graph: Graph, layout: CinLayout, noise: str) -> dict[str, str]:
    """The noise of each level, out of (1, layout.noise_depth, h, w)."""
    found = {}
    for level in range(layout.noise_levels):
        part = layout.noise_part(level)
        bounds = graph.whole(part.start), graph.whole(part.stop)
        own = graph.add("Slice", noise, *bounds, graph.whole(1))
        if level:
            own = graph.add("DepthToSpace", own, blocksize=2**level, mode="DCR")
        found[noise_source(level)] = own
    return found


def add_painting(
    graph: Graph, layout: CinLayout, kernels: Mapping[str, np.ndarray], normalize: Normalize
) -> tuple[str, dict[str, Sequence]]:
    """The network from the inputs "content", (1, H, W, 3), and "noise", as engines have them.

    Returns:
        The picture, (1, 3, H, W), and the shapes of these inputs.
    """
    inputs: dict[str, Sequence] = {"content": (1, "height", "width", 3)}
    noise = {}
    if layout.noise_channels:
        inputs["noise"] = (1, "noise rows", "noise columns", layout.noise_depth)
        noise = add_noise(graph, layout, graph.add("Transpose", "noise", perm=[0, 3, 1, 2]))
    x = graph.add("Transpose", "content", perm=[0, 3, 1, 2])  # (1, 3, H, W)
    return add_network(graph, layout, kernels, x, noise, normalize), inputs


def add_network(
    graph: Graph,
    layout: CinLayout,
    kernels: Mapping[str, np.ndarray],
    content: str,
    noise: Mapping[str, str],
    normalize: Normalize,
) -> str:
    """All steps of the network.

    Args:
        graph: that gets them.
        layout: of the network.
        kernels: float32 (kernel, kernel, inputs, filters) by name of the convolution.
        content: (1, 3, H, W), H and W multiples of `layout.multiple`.
        noise: as `add_noise` gives it; nothing for a layout without.
        normalize: what follows each convolution.

    Returns:
        The picture, (1, 3, H, W).
    """
    x, outputs = content, dict(noise)
    for index, step in enumerate(layout.convolutions()):
        x = outputs[step.source] if step.source else x
        x = normalize(_convolve(graph, x, step, kernels[step.name]), index)
        if step.shortcut is not None:
            x = graph.add("Add", outputs[step.shortcut], x)
        else:
            x = graph.add(step.activation.capitalize(), x)
        outputs[step.name] = x
    return x


def _convolve(graph: Graph, x: str, step: Convolution, kernel: np.ndarray) -> str:
    """A convolution in the form of `fast`: measured 2 times faster than the plain one."""
    amount = 1 if step.upsample else step.kernel_size // 2
    if amount:
        # Reflecting an upsampled picture by one pixel repeats the last pixel of the small one.
        mode = "edge" if step.upsample else "reflect"
        x = graph.add("Pad", x, graph.whole(*[0, 0, amount, amount] * 2), mode=mode)
    if in_blocks(step):
        x = graph.add("SpaceToDepth", x, blocksize=2)
    kernel = rewritten(step, kernel)
    weights = graph.kernel(kernel.transpose(3, 2, 0, 1))
    shape = list(kernel.shape[:2])
    x = graph.add("Conv", x, weights, kernel_shape=shape, strides=[step.stride] * 2)
    if in_blocks(step) or step.upsample:
        x = graph.add("DepthToSpace", x, blocksize=2, mode="DCR")
    if step.upsample:  # one pixel too many at each border
        x = graph.add("Slice", x, graph.whole(1, 1), graph.whole(-1, -1), graph.whole(2, 3))
    return x
