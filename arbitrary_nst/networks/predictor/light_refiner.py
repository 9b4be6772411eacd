"""The refinement of `refiner.py` on ONNX Runtime, with gradients of our own making."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime

from arbitrary_nst.networks.cin.layout import CinLayout
from arbitrary_nst.networks.cin.noise import draw_noise
from arbitrary_nst.networks.cin.onnx_graph import add_painting, by_vector
from arbitrary_nst.networks.onnx_gradient import add_gradients
from arbitrary_nst.networks.onnx_graph import Graph
from arbitrary_nst.networks.onnx_session import session_of
from arbitrary_nst.networks.predictor.layout import TRUNK
from arbitrary_nst.networks.predictor.light import LightPredictor, add_features, add_gram
from arbitrary_nst.networks.predictor.refining import CONTENT_WEIGHT, LEARNING_RATE, follow

GRAMS = tuple(f"gram of {name}" for name in TRUNK)  # of the painting: inputs of the graph


class LightRefiner:
    """Fits vectors of one network.

    Args:
        layout: of the network that paints.
        kernels: likewise, see `LightCin`.
        predictor: of the same network.
    """

    def __init__(
        self, layout: CinLayout, kernels: Mapping[str, np.ndarray], predictor: LightPredictor
    ) -> None:
        self._layout, self._kernels, self._predictor = layout, kernels, predictor

    def __call__(
        self,
        grams: Sequence[np.ndarray],
        arrays: Mapping[str, np.ndarray],
        photos: Sequence[np.ndarray],
        steps: int,
        *,
        seed: int = 0,
        learning_rate: float = LEARNING_RATE,
    ) -> dict[str, np.ndarray]:
        """Fits a vector; see `Refiner`."""
        inputs = [self.inputs(photo, seed) for photo in photos[:steps]]
        return self.fit(grams, arrays, inputs, steps, learning_rate=learning_rate)

    def fit(
        self,
        grams: Sequence[np.ndarray],
        arrays: Mapping[str, np.ndarray],
        inputs: Sequence[Mapping[str, np.ndarray]],
        steps: int,
        *,
        learning_rate: float = LEARNING_RATE,
    ) -> dict[str, np.ndarray]:
        """A call with photos that were looked at before: `inputs` gives what is known of each."""

        def gradients(gamma: np.ndarray, beta: np.ndarray, step: int) -> Sequence[np.ndarray]:
            return self.slopes(grams, gamma, beta, inputs[step % len(inputs)])[1:]

        return follow(gradients, arrays, steps, learning_rate)

    def slopes(
        self,
        grams: Sequence[np.ndarray],
        gamma: np.ndarray,
        beta: np.ndarray,
        inputs: Mapping[str, np.ndarray],
    ) -> Sequence[np.ndarray]:
        """The loss of a vector on one photo, and its gradients by gamma and by beta."""
        fixed = dict(zip(GRAMS, grams, strict=True))
        return self._session.run(
            ["loss", "by_gamma", "by_beta"], {"gamma": gamma, "beta": beta, **inputs, **fixed}
        )

    def inputs(self, photo: np.ndarray, seed: int = 0) -> dict[str, np.ndarray]:
        """What the steps need of a photo, see `Refiner`: itself, its features, and noise."""
        found = {"content": photo[None], "wanted": self._predictor(photo).deepest}
        if self._layout.noise_channels:
            height, width = photo.shape[:2]
            found["noise"] = draw_noise(self._layout, height, width, seed)[None]
        return found

    @functools.cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        graph, predictor = Graph(kernels_outside=True), self._predictor
        normalize, vectors = by_vector(graph, self._layout)
        picture, inputs = add_painting(graph, self._layout, self._kernels, normalize)
        features = add_features(graph, predictor.layout, predictor.arrays, picture)
        losses, slopes, last = [], {}, ""
        for gram, width in zip(GRAMS, predictor.layout.trunk, strict=True):
            _, last = next(features)
            inputs[gram] = (width, width)
            loss, slopes[last] = _style(graph, last, gram, 1 / len(GRAMS))
            losses.append(loss)
        inputs["wanted"] = (1, predictor.layout.trunk[-1], "rows", "columns")
        loss, slope = _content(graph, last, "wanted", CONTENT_WEIGHT)
        slopes[last] = graph.add("Add", slopes[last], slope)
        graph.add("Sum", *losses, loss, output="loss")
        for name, gradient in add_gradients(graph, slopes, list(vectors)).items():
            graph.add("Identity", gradient, output=f"by_{name}")
        slopes_by = {f"by_{name}": shape for name, shape in vectors.items()}
        outputs = {"loss": (), **slopes_by}
        return session_of(graph, {**inputs, **vectors}, outputs, often=True)


def _relative(graph: Graph, error: str, target: str) -> tuple[str, str]:
    """Sum of the error's squares over that of the target's, and one over the latter."""

    def squares(value: str) -> str:
        return graph.add("ReduceSum", graph.add("Mul", value, value), keepdims=0)

    size = graph.add("Add", squares(target), graph.constant(1e-8))
    return graph.add("Div", squares(error), size), size


def _style(graph: Graph, x: str, target: str, weight: float) -> tuple[str, str]:
    """A layer's part of `losses.style_loss`, and the gradient by the features."""
    gram, flat, pixels = add_gram(graph, x)
    error = graph.add("Sub", gram, target)
    loss, size = _relative(graph, error, target)
    factor = graph.add("Div", graph.constant(4 * weight), graph.add("Mul", size, pixels))
    slope = graph.add("MatMul", graph.add("Mul", error, factor), flat)
    return graph.add("Mul", loss, graph.constant(weight)), graph.add(
        "Reshape", slope, graph.add("Shape", x)
    )


def _content(graph: Graph, x: str, target: str, weight: float) -> tuple[str, str]:
    """`losses.relative_error` of the features, and the gradient by them."""
    error = graph.add("Sub", x, target)
    loss, size = _relative(graph, error, target)
    slope = graph.add("Mul", error, graph.add("Div", graph.constant(2 * weight), size))
    return graph.add("Mul", loss, graph.constant(weight)), slope
