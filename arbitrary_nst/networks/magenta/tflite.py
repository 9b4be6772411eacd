"""Magenta's network in its phone form: a style predictor and a transformer as TFLite files."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from arbitrary_nst.common.extras import require
from arbitrary_nst.common.files import check_regular
from arbitrary_nst.common.text import said
from arbitrary_nst.errors import CheckpointError, WeightsUnavailable

PREDICTOR = "style_predict*.tflite"
TRANSFORMER = "style_transfer*.tflite"


class TflitePair:
    """The two files as two functions, with the style vector in between.

    Safe to call from several threads, which take turns.

    Args:
        folder: of one file `style_predict*.tflite` and one `style_transfer*.tflite`; of several
            transformers the one called dynamic is taken.

    Raises:
        ImportError: the LiteRT interpreter is not installed.
        WeightsUnavailable: a file is missing.
        CheckpointError: a file is damaged, of the wrong kind, or does not fit the other one.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = os.fspath(folder)
        self._predictor = _Interpreter(_find(Path(folder), PREDICTOR))
        self._transformer = _Interpreter(_find(Path(folder), TRANSFORMER))
        self._check_kinds()
        self._check_sizes()
        self.vector_size = self._predictor.output_shape[3]
        digest = hashlib.sha256(self._predictor.digest + self._transformer.digest).hexdigest()
        self.network = f"magenta-tflite-{digest[:12]}"

    def predict(self, style: np.ndarray) -> np.ndarray:
        """The style vector of an image: float32 (H, W, 3) -> (n,)."""
        return self._predictor(style[None]).reshape(-1)

    def transform(self, content: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Paints float32 (H, W, 3), sides divisible by 4, in the style of a vector (n,)."""
        return self._transformer(content[None], vector.reshape(1, 1, 1, -1))[0]

    def findings(self) -> Iterator[str]:
        """What `arbitrary-nst check magenta` says of this form of the network."""
        yield f"files: {self._predictor.path.name}, {self._transformer.path.name}"

    def _check_kinds(self) -> None:
        predictor, transformer = self._predictor, self._transformer
        if not predictor.image or predictor.vector or not _is_vector(predictor.output_shape):
            raise CheckpointError(
                f"{predictor.path} is no style predictor. Expected an image (1, H, W, 3) in and a "
                f"vector (1, 1, 1, n) out. Received: {predictor.described}. Are the two files "
                f"swapped?"
            )
        if not transformer.image or not transformer.vector:
            raise CheckpointError(
                f"{transformer.path} is no style transformer. Expected an image (1, H, W, 3) and a "
                f"vector (1, 1, 1, n) in. Received: {transformer.described}. Are the two files "
                f"swapped?"
            )
        sizes = predictor.output_shape[3], int(transformer.vector["shape"][3])
        if sizes[0] != sizes[1]:
            raise CheckpointError(
                f"{predictor.path} and {transformer.path} do not belong together: the one gives "
                f"style vectors of {sizes[0]} numbers, the other takes {sizes[1]}."
            )

    def _check_sizes(self) -> None:
        """Paints a few pixels: a file of a fixed size takes others without a word."""
        style, content = (np.zeros((*sides, 3), np.float32) for sides in ((64, 64), (16, 20)))
        shape = self.transform(content, self.predict(style)).shape
        if shape != content.shape:
            raise CheckpointError(
                f"{self._transformer.path} paints pictures of {shape[1]}x{shape[0]} pixels only. "
                f"Use style_transfer_quantized_dynamic.tflite, which paints any size."
            )


class _Interpreter:
    """A TFLite file as a function of an image and perhaps a style vector.

    The inputs are told apart by their shapes, since their order differs from file to file; `image`
    and `vector` are what LiteRT says of them, or None.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            check_regular(path)
            data = path.read_bytes()
            self.digest = hashlib.sha256(data).digest()
            litert = require("ai_edge_litert.interpreter").Interpreter
            self._litert = litert(model_content=data, num_threads=_num_cores())
            self._litert.allocate_tensors()
        except (ValueError, RuntimeError, OSError) as error:
            raise CheckpointError(
                f"{path} is no TFLite file, or a damaged one ({said(error)}). Copy it again."
            ) from error
        inputs, self._output = (
            self._litert.get_input_details(),
            self._litert.get_output_details()[0],
        )
        vectors = [one for one in inputs if _is_vector(one["shape"])]
        images = [one for one in inputs if not _is_vector(one["shape"]) and one["shape"][-1] == 3]
        known = len(images) <= 1 and len(vectors) <= 1 and len(images + vectors) == len(inputs)
        self.image = images[0] if known and images else None
        self.vector = vectors[0] if known and vectors else None
        self.output_shape = tuple(self._output["shape"].tolist())
        shapes = " and ".join(str(tuple(one["shape"].tolist())) for one in inputs)
        self.described = f"{shapes} in, {self.output_shape} out"
        self._shapes: list[tuple[int, ...]] = []

    def __call__(self, *arrays: np.ndarray) -> np.ndarray:
        """Runs the network on an image and, if it takes one, a style vector."""
        indices = [one["index"] for one in (self.image, self.vector) if one]
        shapes = [array.shape for array in arrays]
        with self._lock:
            try:
                if shapes != self._shapes:  # memory is laid out anew only for another size
                    self._shapes = []
                    for index, shape in zip(indices, shapes, strict=True):
                        self._litert.resize_tensor_input(index, shape)
                    self._litert.allocate_tensors()
                    self._shapes = shapes
                for index, array in zip(indices, arrays, strict=True):
                    self._litert.set_tensor(index, np.ascontiguousarray(array, np.float32))
                self._litert.invoke()
                return self._litert.get_tensor(self._output["index"])
            except (ValueError, RuntimeError) as error:
                raise CheckpointError(f"{self.path} failed on {shapes}: {said(error)}") from error


def _is_vector(shape: Any) -> bool:
    return len(shape) == 4 and tuple(shape[:3]) == (1, 1, 1)


def _find(folder: Path, pattern: str) -> Path:
    # "dynamic" first: the other published transformer paints one size only.
    files = sorted(folder.glob(pattern), key=lambda file: ("dynamic" not in file.name, file.name))
    if not files:
        raise WeightsUnavailable(
            f"There is no {pattern} in {folder}. Expected the two files of the phone version, "
            f"style_predict_quantized_256.tflite and style_transfer_quantized_dynamic.tflite."
        )
    return files[0]


def _num_cores() -> int:
    # A container may be allowed fewer cores than the machine has; not all systems can tell.
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
