"""The cin network as an ONNX file, made of its operations one by one; needs `onnx` alone.

The same function as `networks/cin/portable.py`: a photo of any size in, its picture out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from onnx import checker

from arbitrary_nst.networks.cin.layout import CinLayout
from arbitrary_nst.networks.cin.onnx_graph import add_network, add_noise, by_style
from arbitrary_nst.networks.onnx_graph import Graph


def write_onnx(
    layout: CinLayout,
    kernels: Mapping[str, np.ndarray],
    noise: np.ndarray,
    path: Path,
    styles: np.ndarray | None = None,
) -> None:
    """Writes the network as an ONNX file; see `portable.portable` for inputs and output."""
    graph = Graph()
    if styles is None:
        vector, shape = "style", [2 * layout.style_size]
    else:
        shares = graph.add("Div", "weights", graph.add("ReduceSum", "weights", keepdims=1))
        vector, shape = graph.add("MatMul", shares, graph.constant(styles)), [len(styles)]
    _paint(graph, layout, kernels, noise, vector)
    size = (1, "height", "width", 3)
    name = "style" if styles is None else "weights"
    model = graph.model({"content": size, name: shape}, {"picture": size})
    checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def _paint(
    graph: Graph,
    layout: CinLayout,
    kernels: Mapping[str, np.ndarray],
    noise: np.ndarray,
    vector: str,
) -> None:
    """From "content" and the style's vector to "picture"."""
    filters = [step.filters for step in layout.convolutions()]
    affine = graph.split(vector, filters * 2)
    normalize = by_style(graph, affine[: len(filters)], affine[len(filters) :])
    sides = graph.add("Shape", "content", start=1, end=3)  # H, W
    multiple = graph.whole(layout.multiple)
    missing = graph.add("Mod", graph.add("Neg", sides), multiple)
    pads = graph.add("Concat", graph.whole(*[0] * 6), missing, axis=0)
    x = graph.add("Transpose", "content", perm=[0, 3, 1, 2])  # (1, 3, H, W)
    x = graph.add("Pad", x, pads, mode="reflect")
    levels = {}
    if layout.noise_channels:
        cells = graph.add("Div", graph.add("Add", sides, missing), multiple)
        levels = add_noise(graph, layout, _noise(graph, layout, noise, cells))
    x = add_network(graph, layout, kernels, x, levels, normalize)
    x = graph.add("Slice", x, graph.whole(0, 0), sides, graph.whole(2, 3))
    graph.add("Transpose", x, perm=[0, 2, 3, 1], output="picture")


def _noise(graph: Graph, layout: CinLayout, numbers: np.ndarray, cells: str) -> str:
    """The noise from the first of the numbers on, again from the start at their end."""
    shape = graph.add("Concat", graph.whole(1), cells, graph.whole(layout.noise_depth), axis=0)
    count = graph.add("ReduceProd", shape, keepdims=0)
    zero, one = graph.constant(0, np.int64), graph.constant(1, np.int64)
    index = graph.add("Mod", graph.add("Range", zero, count, one), graph.whole(len(numbers)))
    noise = graph.add("Reshape", graph.add("Gather", graph.constant(numbers), index), shape)
    return graph.add("Transpose", noise, perm=[0, 3, 1, 2])
