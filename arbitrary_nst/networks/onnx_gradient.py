"""Gradients of ONNX graphs, as further nodes of the same graph; needs `onnx` and no trainer.

Reverse mode over the operations that our networks are made of: nothing here knows what they are
made for. ONNX Runtime computes gradients only in its edition for training, which starts no sooner
than TensorFlow does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from onnx import helper

from arbitrary_nst.networks.onnx_graph import Graph

PIXELS = [2, 3]  # axes of (1, channels, height, width)
END = 2**31  # beyond the end of any axis
# Takes a node and the gradients by its outputs; gives pairs of an input and the gradient by it.
Rule = Callable[[Graph, Any, Sequence[str]], Iterator[tuple[str, str]]]


def add_gradients(graph: Graph, slopes: Mapping[str, str], wanted: Sequence[str]) -> dict[str, str]:
    """Adds the nodes that compute the gradient of a loss.

    Args:
        graph: its convolutions need their kernels outside, and stride 1, or 2 over even sides.
        slopes: of the loss by some values of the graph, by name: gradients of their shape.
        wanted: the values by which the gradient is wanted; inputs of the graph, or of its nodes.

    Returns:
        The gradient by each of these, of its shape, by its name.

    Raises:
        NotImplementedError: an operation between them has no rule here.
    """
    nodes = list(graph.nodes)
    moved = set(wanted)  # what changes with them; for all else there is no need of a gradient
    for node in nodes:
        if moved.intersection(node.input):
            moved.update(node.output)
    found = {value: [slope] for value, slope in slopes.items()}
    for node in reversed(nodes):
        if not moved.intersection(node.output) or not any(v in found for v in node.output):
            continue
        if node.op_type not in RULES:
            raise NotImplementedError(f"no gradient for the operation {node.op_type}")
        by_outputs = [_sum(graph, found.pop(value)) for value in node.output]
        for value, gradient in RULES[node.op_type](graph, node, by_outputs):
            if value in moved:
                found.setdefault(value, []).append(gradient)
    return {value: _sum(graph, found[value]) for value in wanted}


def _sum(graph: Graph, gradients: Sequence[str]) -> str:
    return gradients[0] if len(gradients) == 1 else graph.add("Sum", *gradients)


def _attributes(node: Any) -> dict[str, Any]:
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def _convolution(graph: Graph, node: Any, by_outputs: Sequence[str]) -> Iterator[tuple[str, str]]:
    x, kernel, (slope,) = node.input[0], graph.kernels[node.input[1]], by_outputs
    attributes, (rows, columns) = _attributes(node), kernel.shape[2:]
    stride = attributes.get("strides", [1, 1])[0]
    if stride > 1:
        # Sides are even and kernels odd, so the last row and column were not looked at.
        more = [stride - 1] * 2
        yield (
            x,
            graph.add(
                "ConvTranspose", slope, node.input[1], strides=[stride] * 2, output_padding=more
            ),
        )
        return
    # Each pixel gave to what is now around it, by the same taps in reverse.
    turned = graph.kernel(kernel.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1])
    pads = [rows - 1, columns - 1] * 2
    if attributes.get("auto_pad") == b"SAME_UPPER":
        pads = [rows // 2, columns // 2] * 2
    yield x, graph.add("Conv", slope, turned, kernel_shape=[rows, columns], pads=pads)


def _instance_norm(graph: Graph, node: Any, by_outputs: Sequence[str]) -> Iterator[tuple[str, str]]:
    (x, scale, offset), (slope,) = node.input, by_outputs
    epsilon = graph.constant(_attributes(node)["epsilon"])

    def mean(value: str) -> str:
        return graph.add("ReduceMean", value, axes=PIXELS)  # (1, c, 1, 1)

    apart = graph.add("Sub", x, mean(x))
    variance = graph.add("Add", mean(graph.add("Mul", apart, apart)), epsilon)
    deviation = graph.add("Sqrt", variance)
    of_slope, along = mean(slope), mean(graph.add("Mul", slope, apart))
    pixels = graph.add("Size", x)
    pixels = graph.add("Div", pixels, graph.add("Size", of_slope))
    pixels = graph.add("Cast", pixels, to=1)  # 1 is float32
    row = graph.whole(-1)
    by_scale = graph.add("Mul", graph.add("Div", along, deviation), pixels)
    yield scale, graph.add("Reshape", by_scale, row)
    yield offset, graph.add("Reshape", graph.add("Mul", of_slope, pixels), row)
    scales = graph.add("Reshape", scale, graph.whole(1, -1, 1, 1))
    # What is left of the slope where neither mean nor deviation can move.
    left = graph.add("Mul", apart, graph.add("Div", along, variance))
    left = graph.add("Sub", graph.add("Sub", slope, of_slope), left)
    yield x, graph.add("Mul", left, graph.add("Div", scales, deviation))


def _pad(graph: Graph, node: Any, by_outputs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What was mirrored goes back to where it came from, one axis after the other."""
    amount = int(graph.value(node.input[1])[-1])
    is_edge = _attributes(node)["mode"] == b"edge"  # by one pixel, which is doubled
    slope = by_outputs[0]
    for axis in PIXELS:
        size = graph.add("Shape", node.input[0], start=axis, end=axis + 1)
        inner = _cut(graph, slope, axis, amount, -amount)
        first = _cut(graph, slope, axis, amount - 1, -END, -1)
        last = _cut(graph, slope, axis, -1, -amount - 1, -1)
        near = graph.whole(0 if is_edge else 1)
        far = graph.add("Sub", size, graph.whole(amount if is_edge else amount + 1))
        slope = graph.add(
            "Sum",
            inner,
            _zeros_around(graph, first, axis, near, far),
            _zeros_around(graph, last, axis, far, near),
        )
    yield node.input[0], slope


def _cut(graph: Graph, x: str, axis: int, start: int, stop: int, step: int = 1) -> str:
    return graph.add("Slice", x, *(graph.whole(value) for value in (start, stop, axis, step)))


def _zeros_around(graph: Graph, x: str, axis: int, before: str, after: str) -> str:
    rest = [graph.whole(*[0] * count) for count in (axis, 3, 3 - axis)]
    pads = graph.add("Concat", rest[0], before, rest[1], after, rest[2], axis=0)
    return graph.add("Pad", x, pads)


def _slice(graph: Graph, node: Any, by_outputs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Of one pixel at each border."""
    yield node.input[0], graph.add("Pad", by_outputs[0], graph.whole(*[0, 0, 1, 1] * 2))


def _max_pool(graph: Graph, node: Any, by_outputs: Sequence[str]) -> Iterator[tuple[str, str]]:
    node.output.append(f"{node.output[0]}_indices")
    two = [2, 2]
    shape = graph.add("Shape", node.input[0])
    inputs = by_outputs[0], node.output[1], shape
    yield node.input[0], graph.add("MaxUnpool", *inputs, kernel_shape=two, strides=two)


def _space_to_depth(graph: Graph, node: Any, by_outputs: Sequence[str]):
    yield node.input[0], graph.add("DepthToSpace", by_outputs[0], blocksize=2, mode="DCR")


def _depth_to_space(graph: Graph, node: Any, by_outputs: Sequence[str]):
    yield node.input[0], graph.add("SpaceToDepth", by_outputs[0], blocksize=2)


def _relu(graph: Graph, node: Any, by_outputs: Sequence[str]) -> Iterator[tuple[str, str]]:
    is_on = graph.add("Greater", node.output[0], graph.constant(0.0))
    yield node.input[0], graph.add("Where", is_on, by_outputs[0], graph.constant(0.0))


def _sigmoid(graph: Graph, node: Any, by_outputs: Sequence[str]) -> Iterator[tuple[str, str]]:
    y = node.output[0]
    slope = graph.add("Mul", y, graph.add("Sub", graph.constant(1.0), y))
    yield node.input[0], graph.add("Mul", by_outputs[0], slope)


def _add(graph: Graph, node: Any, by_outputs: Sequence[str]) -> Iterator[tuple[str, str]]:
    for value in node.input:  # none of them is broadcast, but for constants
        yield value, by_outputs[0]


def _scale(graph: Graph, node: Any, by_outputs: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield node.input[0], graph.add("Mul", by_outputs[0], node.input[1])


def _split(graph: Graph, node: Any, by_outputs: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield node.input[0], graph.add("Concat", *by_outputs, axis=_attributes(node)["axis"])


RULES: Mapping[str, Rule] = {
    "Add": _add,
    "Conv": _convolution,
    "DepthToSpace": _depth_to_space,
    "InstanceNormalization": _instance_norm,
    "MaxPool": _max_pool,
    "Mul": _scale,
    "Pad": _pad,
    "Relu": _relu,
    "Sigmoid": _sigmoid,
    "Slice": _slice,
    "SpaceToDepth": _space_to_depth,
    "Split": _split,
}
