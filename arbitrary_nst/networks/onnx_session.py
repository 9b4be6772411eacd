"""ONNX graphs run on the processor by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime

from arbitrary_nst.networks.onnx_graph import Graph


def session_of(
    graph: Graph, inputs: Mapping[str, Sequence], outputs: Mapping[str, Sequence]
) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors alone
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
