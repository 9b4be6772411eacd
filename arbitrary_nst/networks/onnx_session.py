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
    often: bool = False,
) -> onnxruntime.InferenceSession:
    """A graph, ready to run.

    Args:
        graph: with all its nodes.
        inputs: shapes of its inputs, float32, by name.
        outputs: likewise.
        lean: whether to save memory, for a graph that computes much for each value that it keeps.
            Memory is then taken and given back value by value, where ONNX Runtime would keep and
            round up all that was ever needed, for each session anew; where values are large and
            work is little, as in painting a photo, that takes half the time again.
        often: whether it is soon run again and again, on inputs of one size. Kernels are then laid
            out anew for the processor, in copies, which takes as long to make as one such run
            spares, and memory is kept from run to run. Of the processor's time for a step of
            `LightRefiner` that is a quarter.

    With either of them nodes run in the order in which they were added, so that what is taken out
    of a large value on the way comes before the next large one is made.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors alone
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if often else level.ORT_ENABLE_EXTENDED
    options.enable_cpu_mem_arena = not lean
    if lean or often:
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
