"""One graph cut in two, at the tensor through which all that is known of the style passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

import tensorflow as tf


def find_bottleneck(style: Any, output: Any) -> Any:
    """The last 1x1 tensor through which every path from `style` to `output` passes.

    Walks the operations between the two in the order in which they were made, inputs before
    readers, and keeps the tensors that still have readers to come. Where a single one is left,
    all paths go through it.

    Args:
        style: symbolic tensor, an input of a graph.
        output: symbolic tensor of the same graph; it does not count as a bottleneck itself.

    Returns:
        The symbolic tensor, of a static shape `(B, 1, 1, n)`; None if there is none.
    """
    needed = _ancestors(output)
    on_path, operations = {style.op.name}, []
    for operation in style.graph.get_operations():
        from_style = any(tensor.op.name in on_path for tensor in operation.inputs)
        if from_style and operation.name in needed:
            on_path.add(operation.name)
            operations.append(operation)
    readers = Counter(t.name for op in operations for t in op.inputs if t.op.name in on_path)
    waiting, bottleneck = {style.name: style}, None
    for operation in operations:
        for tensor in operation.inputs:
            readers[tensor.name] -= 1
            if readers[tensor.name] == 0:
                waiting.pop(tensor.name, None)
        waiting.update({t.name: t for t in operation.outputs if readers[t.name] > 0})
        if len(waiting) == 1:
            (tensor,) = waiting.values()
            if tensor.shape.rank == 4 and tensor.shape[1:].is_fully_defined():
                bottleneck = tensor if tensor.shape[1:3] == [1, 1] else bottleneck
    return bottleneck


def cut(function: Any, feeds: Sequence[Any], target: Any) -> Callable[..., Any]:
    """The part of a function that computes `target` from `feeds`, compiled on its own.

    A restored function has no `prune`; so the operations between the two ends are copied into a
    new function, which reads the same variables.

    Args:
        function: a concrete function; it has to outlive the part.
        feeds: symbolic tensors of its graph, in the order of the part's arguments.
        target: symbolic tensor of its graph.

    Raises:
        ValueError: `target` depends on another argument of the function.
    """
    graph = function.graph
    fed = {tensor.op.name for tensor in feeds}
    needed = _ancestors(target, stop=fed) - fed
    num_arguments = len(graph.inputs) - len(function.captured_inputs)
    for tensor in graph.inputs[:num_arguments]:
        if tensor.op.name in needed:
            raise ValueError(f"{target.name} depends on {tensor.name}, which is not fed")
    source = graph.as_graph_def()
    part = tf.compat.v1.GraphDef(versions=source.versions, library=source.library)
    part.node.extend(node for node in source.node if node.name in needed)
    captures = zip(graph.inputs[num_arguments:], function.captured_inputs, strict=True)
    variables = {tensor.name: value for tensor, value in captures if tensor.op.name in needed}

    @tf.function(
        input_signature=[tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in feeds],
        autograph=False,
    )
    def run(*values: Any) -> Any:
        inputs = {name: tf.convert_to_tensor(value) for name, value in variables.items()}
        inputs.update({tensor.name: value for tensor, value in zip(feeds, values, strict=True)})
        return tf.graph_util.import_graph_def(
            part, input_map=inputs, return_elements=[target.name], name=""
        )[0]

    run.get_concrete_function()
    return run


def _ancestors(tensor: Any, stop: Collection[str] = ()) -> set[str]:
    """Names of the operations that `tensor` depends on, not looking beyond those in `stop`."""
    names: set[str] = set()
    waiting = [tensor.op]
    while waiting:
        operation = waiting.pop()
        if operation.name not in names:
            names.add(operation.name)
            if operation.name not in stop:
                waiting += [t.op for t in operation.inputs] + list(operation.control_inputs)
    return names
