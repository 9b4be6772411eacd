"""The style predictor on ONNX Runtime: the same function as `network.py`, one painting a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from arbitrary_nst.networks.onnx_graph import Graph
from arbitrary_nst.networks.onnx_session import run, session_of
from arbitrary_nst.networks.predictor.layout import (
    CONVOLUTION_RATE,
    DENSE_RATES,
    OFFSET,
    POOLED,
    SCALE,
    PredictorLayout,
)
from arbitrary_nst.networks.predictor.reading import read_predictor


def predict_by(
    path: str | Path, style_size: int, network: str, painting: np.ndarray
) -> dict[str, np.ndarray]:
    """The arrays of a painting's embedding, as `network.predict` gives them, not refined.

    Args:
        path: of the predictor's file; it and the next two as for `read_predictor`.
        style_size: of the cin network.
        network: id of the cin network.
        painting: float32 (H, W, 3), RGB in `[0, 1]`.

    Returns:
        "gamma" and "beta", float32 (style_size,).

    Raises:
        CheckpointError: see `read_predictor`.
    """
    layout, arrays = read_predictor(path, style_size, network)
    graph = Graph(kernels_outside=True)
    _predict(graph, layout, arrays)
    inputs = {"painting": (1, "height", "width", 3)}
    session = session_of(graph, inputs, {"vector": (1, len(arrays["vector/bias"]))})
    gamma, beta = np.split(run(session, painting=painting[None])[0], 2)
    return {"gamma": 1 + gamma, "beta": beta}


def _predict(graph: Graph, layout: PredictorLayout, arrays: Mapping[str, np.ndarray]) -> None:
    x = graph.add("Transpose", "painting", perm=[0, 3, 1, 2])
    x = graph.add("Add", graph.add("Mul", x, graph.constant(SCALE)), graph.constant(OFFSET))

    def convolve(x: str, name: str, stride: int = 1) -> str:
        weights = arrays[f"{name}/kernel"] * CONVOLUTION_RATE
        bias = graph.constant(arrays[f"{name}/bias"] * CONVOLUTION_RATE)
        kernel = graph.kernel(weights.transpose(3, 2, 0, 1))
        return graph.add("Conv", x, kernel, bias, strides=[stride] * 2, auto_pad="SAME_UPPER")

    pooled = []
    for names, last, _ in layout.depths():
        for name in names:
            if name in POOLED:
                two = [2, 2]
                x = graph.add("MaxPool", x, kernel_shape=two, strides=two, auto_pad="SAME_UPPER")
            x = graph.add("Relu", convolve(x, name, 2 if name.startswith("down") else 1))
        pooled += _statistics(graph, x)
        pooled.append(_covariance(graph, convolve(x, f"{last}_mix"), layout.mixed))
    x = graph.add("Concat", *pooled, axis=1)
    root = graph.add("Add", graph.add("Abs", x), graph.constant(1e-3))
    x = graph.add("Div", x, graph.add("Sqrt", root))
    scale, offset = (graph.constant(arrays[f"standard/{part}"]) for part in ("scale", "offset"))
    x = graph.add("Add", graph.add("Mul", x, scale), offset)
    for name, rate in DENSE_RATES.items():
        kernel = graph.kernel(arrays[f"{name}/kernel"] * rate)
        bias = graph.constant(arrays[f"{name}/bias"] * rate)
        output = "vector" if name == "vector" else ""
        x = graph.add("Add", graph.add("MatMul", x, kernel), bias, output=output)
        if name == "hidden":
            x = graph.add("Mul", x, graph.add("Sigmoid", x))


def _statistics(graph: Graph, x: str) -> list[str]:
    """Mean and deviation of each channel of (1, c, h, w): twice (1, c)."""
    mean = graph.add("ReduceMean", x, axes=[2, 3])
    apart = graph.add("Sub", x, mean)
    variance = graph.add("ReduceMean", graph.add("Mul", apart, apart), axes=[2, 3])
    deviation = graph.add("Sqrt", graph.add("Add", variance, graph.constant(1e-6)))
    return [graph.add("Reshape", value, graph.whole(1, -1)) for value in (mean, deviation)]


def _covariance(graph: Graph, x: str, channels: int) -> str:
    """Covariances of the channels of (1, c, h, w): (1, c * c)."""
    x = graph.add("Reshape", x, graph.whole(channels, -1))  # (c, h * w)
    x = graph.add("Sub", x, graph.add("ReduceMean", x, axes=[1]))
    pixels = graph.add("Cast", graph.add("Shape", x, start=1), to=1)  # 1 is float32
    x = graph.add("MatMul", x, graph.add("Transpose", x, perm=[1, 0]))
    return graph.add("Reshape", graph.add("Div", x, pixels), graph.whole(1, -1))
