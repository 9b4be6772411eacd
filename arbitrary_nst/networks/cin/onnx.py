"""The cin network as an ONNX graph, made of its operations one by one; needs `onnx` alone.

The same function as `networks/cin/portable.py`: a photo of any size in, its picture out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

from arbitrary_nst.networks.cin.fast import in_blocks, rewritten
from arbitrary_nst.networks.cin.network import EPSILON, CinLayout, Convolution, noise_source

OPSET, IR_VERSION = 17, 8  # of 2022: what is older than the newest is read everywhere


def write_onnx(
    layout: CinLayout,
    kernels: Mapping[str, np.ndarray],
    noise: np.ndarray,
    path: Path,
    styles: np.ndarray | None = None,
) -> None:
    """Writes the network as an ONNX file; see `portable.portable` for inputs and output."""
    floats = TensorProto.FLOAT
    graph = _Graph()
    if styles is None:
        vector = "style"
        style = helper.make_tensor_value_info("style", floats, [2 * layout.style_size])
    else:
        shares = graph.add("Div", "weights", graph.add("ReduceSum", "weights", keepdims=1))
        vector = graph.add("MatMul", shares, graph.constant(styles))
        style = helper.make_tensor_value_info("weights", floats, [len(styles)])
    _paint(graph, layout, kernels, noise, vector)
    size: list[str | int | None] = [1, "height", "width", 3]
    inputs = [helper.make_tensor_value_info("content", floats, size), style]
    outputs = [helper.make_tensor_value_info("picture", floats, size)]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "cin", inputs, outputs, graph.constants),
        producer_name="arbitrary_nst",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


class _Graph:
    """Nodes and constants as they are added; values are known by their names."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        name = f"constant{len(self.constants)}"
        array = np.ascontiguousarray(value, dtype).reshape(np.shape(value))
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def whole(self, *values: int) -> str:
        """A row of int64, as shapes and indices are."""
        return self.constant(values, np.int64)

    def add(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Adds an operation and returns the name of its only output."""
        name = output or f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def split(self, value: str, sizes: list[int]) -> list[str]:
        names = [f"Split{len(self.nodes)}_{i}" for i in range(len(sizes))]
        inputs = [value, self.whole(*sizes)]
        self.nodes.append(helper.make_node("Split", inputs, names, axis=0))
        return names


def _paint(
    graph: _Graph,
    layout: CinLayout,
    kernels: Mapping[str, np.ndarray],
    noise: np.ndarray,
    vector: str,
) -> None:
    """From "content" and the style's vector to "picture"."""
    plan = layout.convolutions()
    filters = [step.filters for step in plan]
    affine = graph.split(vector, filters * 2)
    sides = graph.add("Shape", "content", start=1, end=3)  # H, W
    multiple = graph.whole(layout.multiple)
    missing = graph.add("Mod", graph.add("Neg", sides), multiple)
    pads = graph.add("Concat", graph.whole(*[0] * 6), missing, axis=0)
    x = graph.add("Transpose", "content", perm=[0, 3, 1, 2])  # (1, 3, H, W)
    x = graph.add("Pad", x, pads, mode="reflect")
    outputs = {}
    if layout.noise_channels:
        cells = graph.add("Div", graph.add("Add", sides, missing), multiple)
        outputs = _noise(graph, layout, noise, cells)
    for step, gamma, beta in zip(plan, affine[: len(plan)], affine[len(plan) :], strict=True):
        x = outputs[step.source] if step.source else x
        x = _convolve(graph, x, step, kernels[step.name])
        x = graph.add("InstanceNormalization", x, gamma, beta, epsilon=EPSILON)
        if step.shortcut is not None:
            x = graph.add("Add", outputs[step.shortcut], x)
        else:
            x = graph.add(step.activation.capitalize(), x)
        outputs[step.name] = x
    x = graph.add("Slice", x, graph.whole(0, 0), sides, graph.whole(2, 3))
    graph.add("Transpose", x, perm=[0, 2, 3, 1], output="picture")


def _noise(graph: _Graph, layout: CinLayout, numbers: np.ndarray, cells: str) -> dict[str, str]:
    """The noise of each level, from the first of the numbers, again from the start at their end."""
    shape = graph.add("Concat", graph.whole(1), cells, graph.whole(layout.noise_depth), axis=0)
    count = graph.add("ReduceProd", shape, keepdims=0)
    zero, one = graph.constant(0, np.int64), graph.constant(1, np.int64)
    index = graph.add("Mod", graph.add("Range", zero, count, one), graph.whole(len(numbers)))
    noise = graph.add("Reshape", graph.add("Gather", graph.constant(numbers), index), shape)
    noise = graph.add("Transpose", noise, perm=[0, 3, 1, 2])
    found = {}
    for level in range(layout.noise_levels):
        part = layout.noise_part(level)
        bounds = graph.whole(part.start), graph.whole(part.stop)
        own = graph.add("Slice", noise, *bounds, graph.whole(1))
        if level:
            own = graph.add("DepthToSpace", own, blocksize=2**level, mode="DCR")
        found[noise_source(level)] = own
    return found


def _convolve(graph: _Graph, x: str, step: Convolution, kernel: np.ndarray) -> str:
    """A convolution in the form of `fast`: measured 2 times faster than the plain one."""
    amount = 1 if step.upsample else step.kernel_size // 2
    if amount:
        # Reflecting an upsampled picture by one pixel repeats the last pixel of the small one.
        mode = "edge" if step.upsample else "reflect"
        x = graph.add("Pad", x, graph.whole(*[0, 0, amount, amount] * 2), mode=mode)
    if in_blocks(step):
        x = graph.add("SpaceToDepth", x, blocksize=2)
    kernel = rewritten(step, kernel)
    weights = graph.constant(kernel.transpose(3, 2, 0, 1))  # (filters, inputs, rows, columns)
    shape = list(kernel.shape[:2])
    x = graph.add("Conv", x, weights, kernel_shape=shape, strides=[step.stride] * 2)
    if in_blocks(step) or step.upsample:
        x = graph.add("DepthToSpace", x, blocksize=2, mode="DCR")
    if step.upsample:  # one pixel too many at each border
        x = graph.add("Slice", x, graph.whole(1, 1), graph.whole(-1, -1), graph.whole(2, 3))
    return x
