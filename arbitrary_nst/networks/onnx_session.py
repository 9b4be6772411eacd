"""ONNX graphs run on the processor by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime

from arbitrary_nst.networks.onnx_graph import Graph


def session_of(
    graph: Graph,
    inputs: Mapping[str, Sequence],
    outputs: Mapping[str, Sequence],
    *,
    lean: bool = False,
) -> onnxruntime.InferenceSession:
    """A graph, ready to run.

    Args:
        graph: with all its nodes.
        inputs: shapes of its inputs, float32, by name.
        outputs: likewise.
        lean: whether to save memory, for a graph that computes much for each value that it keeps.
            Memory is then taken and given back value by value, where ONNX Runtime would keep and
            round up all that was ever needed, for each session anew; where values are large and
            work is little, as in painting a photo, that takes half the time again. And nodes run
            in the order in which they were added, so that what is taken out of a large value on
            the way comes before the next large one is made.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors alone
    # Beyond it kernels are laid out anew, in copies, for convolutions that are no faster.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    if lean:
        options.enable_cpu_mem_arena = False
        options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
    # Threads that wait would keep a core busy each: a fifth of the processor's time.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(v) for v in graph.kernels.values()]
    options.add_external_initializers(list(graph.kernels), values)
    model = graph.model(inputs, outputs).SerializeToString()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(session: onnxruntime.InferenceSession, **inputs: np.ndarray) -> np.ndarray:
    wanted = {value.name for value in session.get_inputs()}  # not every layout has noise
    (picture,) = session.run(None, {n: v for n, v in inputs.items() if n in wanted})
    return picture
