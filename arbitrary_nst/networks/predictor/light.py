"""The style predictor on ONNX Runtime: the same function as `network.py`, one painting a time."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from arbitrary_nst.networks.onnx_graph import Graph
from arbitrary_nst.networks.onnx_session import session_of
from arbitrary_nst.networks.predictor.layout import (
    CONVOLUTION_RATE,
    DENSE_RATES,
    OFFSET,
    POOLED,
    SCALE,
    TRUNK,
    PredictorLayout,
)
from arbitrary_nst.networks.predictor.reading import read_predictor


@dataclass(frozen=True)
class Sight:
    """What the predictor sees in a picture.

    Args:
        arrays: of its embedding, as `network.predict` gives them, not refined: "gamma" and "beta",
            float32 (style_size,).
        grams: the Gram matrix, float32 (C, C), of each layer of `TRUNK`.
        deepest: features of the last of these layers, float32 (1, C, h, w).
    """

    arrays: dict[str, np.ndarray]
    grams: list[np.ndarray]
    deepest: np.ndarray


class LightPredictor:
    """The predictor, read from its file.

    Args:
        path: of the file; it and the next two as for `read_predictor`.
        style_size: of the cin network.
        network: id of the cin network.

    Raises:
        CheckpointError: see `read_predictor`.
    """

    def __init__(self, path: str | Path, style_size: int, network: str) -> None:
        self.layout, self.arrays = read_predictor(path, style_size, network)

    def __call__(self, picture: np.ndarray) -> Sight:
        """Looks at a picture, float32 (H, W, 3), RGB in `[0, 1]`."""
        vector, *grams, deepest = self._session.run(None, {"picture": picture[None]})
        gamma, beta = np.split(vector[0], 2)
        return Sight({"gamma": 1 + gamma, "beta": beta}, grams, deepest)

    @functools.cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        graph, layout = Graph(kernels_outside=True), self.layout
        pooled, deepest = [], ""
        outputs: dict[str, tuple] = {"vector": (1, len(self.arrays["vector/bias"]))}
        picture = graph.add("Transpose", "picture", perm=[0, 3, 1, 2])
        widths = dict(zip(TRUNK, layout.trunk, strict=True))
        for name, x in add_features(graph, layout, self.arrays, picture):
            gram, flat, _ = add_gram(graph, x)
            pooled += _pooled(graph, gram, flat, self.arrays[f"{name}_mix/kernel"][0, 0])
            if name in widths:
                outputs[gram] = (widths[name], widths[name])
            if name == TRUNK[-1]:
                deepest = x
        outputs[deepest] = (1, layout.trunk[-1], "rows", "columns")
        _vector(graph, self.arrays, pooled)
        return session_of(graph, {"picture": (1, "height", "width", 3)}, outputs, lean=True)


def add_features(
    graph: Graph, layout: PredictorLayout, arrays: Mapping[str, np.ndarray], picture: str
) -> Iterator[tuple[str, str]]:
    """Adds the predictor's convolutions, one depth after the other as they are asked for.

    Args:
        graph: that gets them.
        layout: of the predictor.
        arrays: of its file.
        picture: (1, 3, H, W), RGB in `[0, 1]`.

    Yields:
        The name of the last convolution of each depth, and the value that it gives.
    """
    x = graph.add("Add", graph.add("Mul", picture, graph.constant(SCALE)), graph.constant(OFFSET))
    for names, last, _ in layout.depths():
        for name in names:
            if name in POOLED:
                two = [2, 2]
                x = graph.add("MaxPool", x, kernel_shape=two, strides=two, auto_pad="SAME_UPPER")
            stride = 2 if name.startswith("down") else 1
            x = graph.add("Relu", _convolve(graph, x, arrays, name, stride))
        yield last, x


def add_gram(graph: Graph, x: str) -> tuple[str, str, str]:
    """The Gram matrix of (1, c, h, w), the features it is made of, (c, h * w), and h * w."""
    channels = graph.add("Shape", x, start=1, end=2)
    flat = graph.add("Reshape", x, graph.add("Concat", channels, graph.whole(-1), axis=0))
    pixels = graph.add("Cast", graph.add("Shape", flat, start=1), to=1)  # 1 is float32
    gram = graph.add("Gemm", flat, flat, transB=1)  # which spares a copy of the features
    return graph.add("Div", gram, pixels), flat, pixels


def _convolve(
    graph: Graph, x: str, arrays: Mapping[str, np.ndarray], name: str, stride: int = 1
) -> str:
    weights = arrays[f"{name}/kernel"] * CONVOLUTION_RATE
    bias = graph.constant(arrays[f"{name}/bias"] * CONVOLUTION_RATE)
    kernel = graph.kernel(weights.transpose(3, 2, 0, 1))
    return graph.add("Conv", x, kernel, bias, strides=[stride] * 2, auto_pad="SAME_UPPER")


def _vector(graph: Graph, arrays: Mapping[str, np.ndarray], pooled: list[str]) -> None:
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


def _pooled(graph: Graph, gram: str, flat: str, mix: np.ndarray) -> list[str]:
    """Mean and deviation of each channel, and covariances of the mixed ones: rows (1, n).

    All of it is in the Gram matrix and the means, as the mixed channels are sums of the others, so
    that no array of the picture's size is made for it.

    Args:
        graph: that gets them.
        gram: (c, c), see `add_gram`.
        flat: (c, pixels), likewise.
        mix: kernel of the mixed channels, (c, mixed).
    """
    mean = graph.add("ReduceMean", flat, axes=[1])  # (c, 1)
    products = graph.add("MatMul", mean, graph.add("Transpose", mean, perm=[1, 0]))
    covariance = graph.add("Sub", gram, products)
    ones = graph.constant(np.eye(len(mix)))
    variance = graph.add("ReduceSum", graph.add("Mul", covariance, ones), graph.whole(1))
    variance = graph.add("Max", variance, graph.constant(0.0))
    deviation = graph.add("Sqrt", graph.add("Add", variance, graph.constant(1e-6)))
    mixed = graph.add("MatMul", covariance, graph.constant(mix * CONVOLUTION_RATE))
    mixed = graph.add("MatMul", graph.constant(mix.T * CONVOLUTION_RATE), mixed)
    return [graph.add("Reshape", v, graph.whole(1, -1)) for v in (mean, deviation, mixed)]
