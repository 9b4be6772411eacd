"""The cin network on ONNX Runtime, which starts in a tenth of the time that TensorFlow takes.

The graph is made from the kernels when it is first needed (some hundredths of a second), so that
it is always that of the network that was loaded. Warm, `fast.py` is several times faster.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime

from arbitrary_nst.networks.cin.layout import EPSILON, TOTAL_EPSILON, CinLayout, levels_of
from arbitrary_nst.networks.cin.onnx_graph import Normalize, add_painting, by_vector
from arbitrary_nst.networks.onnx_graph import Graph
from arbitrary_nst.networks.onnx_session import run, session_of


class LightCin:
    """The network with its kernels, float32; called like `FastCin`.

    Args:
        layout: of the network.
        kernels: float32 (kernel, kernel, inputs, filters) by name of the convolution.
    """

    def __init__(self, layout: CinLayout, kernels: Mapping[str, np.ndarray]) -> None:
        self.layout = layout
        self._kernels = kernels

    def __call__(
        self, content: np.ndarray, gamma: np.ndarray, beta: np.ndarray, noise: np.ndarray
    ) -> np.ndarray:
        """Paints a batch, picture by picture; see `FastCin.__call__`."""
        samples = zip(content, gamma, beta, noise, strict=True)
        pictures = [
            run(self._render, content=c[None], gamma=g, beta=b, noise=n[None])
            for c, g, b, n in samples
        ]
        return pictures[0] if len(pictures) == 1 else np.concatenate(pictures)

    def regions(
        self,
        content: np.ndarray,
        gamma: np.ndarray,
        beta: np.ndarray,
        weights: np.ndarray,
        noise: np.ndarray,
    ) -> np.ndarray:
        """Paints one photo with another blend of styles at every pixel; see `FastCin.regions`."""
        return run(
            self._regions, content=content, gamma=gamma, beta=beta, weights=weights, noise=noise
        )

    @functools.cached_property
    def _render(self) -> onnxruntime.InferenceSession:
        graph = Graph(kernels_outside=True)
        return self._session(graph, *by_vector(graph, self.layout))

    @functools.cached_property
    def _regions(self) -> onnxruntime.InferenceSession:
        graph, plan = Graph(kernels_outside=True), self.layout.convolutions()
        filters = [step.filters for step in plan]
        gammas, betas = (graph.split(name, filters, axis=1) for name in ("gamma", "beta"))
        own = [graph.add("Transpose", "weights", perm=[0, 3, 1, 2])]
        # Lower resolutions see the mean weights of the pixels that they stand for.
        for _ in self.layout.channels[1:]:
            own.append(graph.add("AveragePool", own[-1], kernel_shape=[2, 2], strides=[2, 2]))
        own = [graph.add("Reshape", level, graph.whole(0, 0, -1)) for level in own]
        by_weights = _by_weights(graph, gammas, betas, [own[level] for level in levels_of(plan)])
        style = ["num_styles", self.layout.style_size]
        inputs = {"gamma": style, "beta": style, "weights": (1, "height", "width", "num_styles")}
        return self._session(graph, by_weights, inputs)

    def _session(
        self, graph: Graph, normalize: Normalize, inputs: Mapping[str, Sequence]
    ) -> onnxruntime.InferenceSession:
        """The network from "content", "noise" and these inputs to "picture"."""
        x, own = add_painting(graph, self.layout, self._kernels, normalize)
        graph.add("Transpose", x, perm=[0, 2, 3, 1], output="picture")
        return session_of(graph, {**own, **inputs}, {"picture": own["content"]})


def _by_weights(
    graph: Graph, gammas: Sequence[str], betas: Sequence[str], weights: Sequence[str]
) -> Normalize:
    """Normalisation with another blend at every pixel, as in `FastCin.regions`.

    Args:
        graph: that gets it.
        gammas: (num_styles, c) for each convolution.
        betas: likewise.
        weights: (1, num_styles, h * w) for each convolution.
    """
    epsilon, small, zero = (graph.constant(v) for v in (EPSILON, TOTAL_EPSILON, 0.0))

    def turned(value: str) -> str:
        return graph.add("Transpose", value, perm=[0, 2, 1])

    def normalize(x: str, index: int) -> str:
        own, shape = weights[index], graph.add("Shape", x)
        x = graph.add("Reshape", x, graph.whole(0, 0, -1))  # (1, c, h * w)
        x = graph.add("Sub", x, graph.add("ReduceMean", x, axes=[2]))
        total = graph.add("Add", graph.add("ReduceSum", own, graph.whole(2)), small)
        pixels = turned(x)
        mean = graph.add("Div", graph.add("MatMul", own, pixels), total)  # (1, num_styles, c)
        square = graph.add("MatMul", own, graph.add("Mul", pixels, pixels))
        square = graph.add("Div", square, total)
        variance = graph.add("Sub", square, graph.add("Mul", mean, mean))
        variance = graph.add("Add", graph.add("Max", variance, zero), epsilon)
        scale = graph.add("Div", gammas[index], graph.add("Sqrt", variance))
        offset = graph.add("Sub", betas[index], graph.add("Mul", mean, scale))
        scale, offset = (graph.add("MatMul", turned(v), own) for v in (scale, offset))
        x = graph.add("Add", graph.add("Mul", x, scale), offset)
        return graph.add("Reshape", x, shape)

    return normalize
