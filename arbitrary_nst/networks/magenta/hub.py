"""Magenta's network in its TF-Hub form: a SavedModel, cut in two at its style bottleneck.

Reference: Ghiasi, Lee, Kudlur, Dumoulin, Shlens 2017, "Exploring the structure of a real-time,
arbitrary neural artistic stylization network".
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import sys
import tempfile
import types
import urllib.error
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import packaging.version
import tensorflow as tf

from arbitrary_nst.common.eager import eagerly
from arbitrary_nst.common.extras import require
from arbitrary_nst.common.text import said
from arbitrary_nst.errors import CheckpointError, WeightsUnavailable
from arbitrary_nst.networks.magenta.graph_split import cut, find_bottleneck

MAX_DIFFERENCE = 1e-4  # of the halves joined from the whole
# SHA-256 of the lines `published_digest` makes of google/magenta/
# arbitrary-image-stylization-v1-256/2.
PUBLISHED_DIGEST = "349e42ed1ceac16e4583029916a956af3995d0dfd0d936dc1a319cb81275523e"
_OTHER_WAYS = (
    "Unpack a copy of the model into a folder and name that folder by ARBITRARY_NST_MAGENTA; the "
    "two .tflite files of the phone version in a folder do as well."
)


class HubNetwork:
    """The SavedModel `(content, style) -> picture` as two functions, with the vector in between.

    Args:
        source: a URL, which tensorflow-hub downloads and caches, or a SavedModel's folder.

    Raises:
        ImportError: tensorflow-hub cannot be imported.
        WeightsUnavailable: the download failed.
        CheckpointError: the files are damaged, or are another model.
    """

    @eagerly
    def __init__(self, source: str) -> None:
        self.folder = _resolve(source)
        cached = source if "://" in source else None
        # Kept: the variables live as long as the model does.
        self._model = _load(self.folder, cached)
        self.whole = _stylize_function(self._model, self.folder)
        content, style = self.whole.graph.inputs[:2]
        output = self.whole.graph.outputs[0]
        bottleneck = find_bottleneck(style, output)
        if bottleneck is None:
            raise _other_model(self.folder, "its style image does not pass through a single vector")
        try:
            self._predict = cut(self.whole, [style], bottleneck)
            self._transform = cut(self.whole, [content, bottleneck], output)
        except ValueError as error:
            raise _other_model(self.folder, f"it cannot be cut in two: {said(error)}") from error
        self.bottleneck = bottleneck.name
        self.vector_size = int(bottleneck.shape[-1])
        self.network = f"magenta-hub-{_variables_digest(self.whole.variables)[:12]}"
        self.difference = self._compare()

    @eagerly
    def predict(self, style: np.ndarray) -> np.ndarray:
        """The style vector of an image: float32 (H, W, 3) -> (n,)."""
        return self._predict(tf.constant(style[None], tf.float32)).numpy().reshape(-1)

    @eagerly
    def transform(self, content: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Paints float32 (H, W, 3), sides divisible by 4, in the style of a vector (n,)."""
        picture = self._transform(
            tf.constant(content[None], tf.float32),
            tf.constant(vector.reshape(1, 1, 1, -1), tf.float32),
        )
        return picture.numpy()[0]

    def findings(self) -> Iterator[str]:
        """What `arbitrary-nst check magenta` says of this form of the network."""
        yield f"cut: at {self.bottleneck}; halves differ from the whole by {self.difference:.1g}"
        count = len(self.whole.variables)
        if published_digest(self.whole.variables) == PUBLISHED_DIGEST:
            yield f"weights: all {count} variables are bit for bit those that Google published"
        else:
            yield f"weights: {count} variables, not those that Google published"

    def _compare(self) -> float:
        """Largest difference of the halves joined from the whole, on a small picture."""
        rng = np.random.default_rng(0)
        content, style = (rng.random((side, side + 8, 3), np.float32) for side in (32, 64))
        try:
            whole = tf.nest.flatten(
                self.whole(tf.constant(content[None]), tf.constant(style[None]))
            )
            joined = self.transform(content, self.predict(style))
            difference = float(np.max(np.abs(whole[0].numpy()[0] - joined)))
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise _other_model(
                self.folder, f"it fails on a small picture: {said(error)}"
            ) from error
        if not difference < MAX_DIFFERENCE:
            raise CheckpointError(
                f"The SavedModel in {self.folder} does not survive being cut at "
                f"{self.bottleneck}: its halves differ from the whole by {difference:.2g}. "
                f"Expected less than {MAX_DIFFERENCE:.0e}. {_OTHER_WAYS}"
            )
        return difference


def published_digest(variables: Any) -> str:
    """SHA-256 of a line "NAME SHAPE CRC" for each variable, sorted by name.

    The CRC is the masked CRC-32C that a checkpoint's index stores, so the published values can be
    known without the 92 MB. A TFRecord file has the same sum behind each record.
    """
    variables = sorted(variables, key=lambda variable: variable.name)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "variables")
        with tf.io.TFRecordWriter(path) as writer:
            for variable in variables:
                writer.write(variable.numpy().astype("<f4").tobytes())
        lines = []
        with open(path, "rb") as file:
            for variable in variables:
                # length (8 bytes), its sum (4), the record, the record's sum (4)
                length = int.from_bytes(file.read(8), "little")
                file.seek(4 + length, os.SEEK_CUR)
                name = variable.name.removesuffix(":0")
                crc = int.from_bytes(file.read(4), "little")
                lines.append(f"{name} {list(variable.shape)} {crc:#010x}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _tensorflow_hub() -> Any:
    with _pkg_resources():
        return require("tensorflow_hub")


@contextlib.contextmanager
def _pkg_resources() -> Iterator[None]:
    """Within the block there is a module pkg_resources, of which tensorflow-hub uses a function.

    setuptools 82 and later have none, and those before complain about it.
    """
    name = "pkg_resources"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            importlib.import_module(name)
        except ImportError:
            stand_in = types.ModuleType(name)
            stand_in.parse_version = packaging.version.parse  # type: ignore[attr-defined]
            before = {key: sys.modules[key] for key in [name] if key in sys.modules}
            sys.modules[name] = stand_in
            try:
                yield
            finally:
                del sys.modules[name]
                sys.modules.update(before)
        else:
            yield


def _resolve(source: str) -> str:
    """The SavedModel's folder, after a download where that is needed."""
    hub = _tensorflow_hub()
    try:
        return hub.resolve(source)
    except urllib.error.HTTPError as error:
        raise WeightsUnavailable(
            f"The Magenta network is not at {source} any more, or not at the moment: the server "
            f"answered {error.code} {error.reason}. {_OTHER_WAYS}"
        ) from error
    except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
        raise WeightsUnavailable(
            f"The Magenta network could not be downloaded: no connection to {source} "
            f"({getattr(error, 'reason', error)}). Try again with internet, or: {_OTHER_WAYS}"
        ) from error
    except tf.errors.OpError as error:
        raise WeightsUnavailable(
            f"The Magenta network could not be stored: {error.message}. Name a folder that can be "
            f"written by TFHUB_CACHE_DIR."
        ) from error
    except Exception as error:  # tarfile, zlib and http all have errors of their own
        raise WeightsUnavailable(
            f"What came from {source} is not a model, perhaps a cut-off download or an error page "
            f"({said(error)}). Try again later, or: {_OTHER_WAYS}"
        ) from error


def _load(folder: str, cached_from: str | None) -> Any:
    hub = _tensorflow_hub()
    files = ("saved_model.pb", "saved_model.pbtxt")
    complete = any((Path(folder) / name).is_file() for name in files)
    try:
        if not complete:
            raise FileNotFoundError("it has neither saved_model.pb nor saved_model.pbtxt")
        return hub.load(folder)
    except Exception as error:  # TensorFlow raises whatever a damaged file leads to
        reason = said(error)
        if cached_from:
            raise CheckpointError(
                f"The downloaded Magenta network in {folder} is incomplete ({reason}). Delete "
                f"that folder and try again. To keep systems that tidy up their temporary files "
                f"from doing it again, name a folder of your own by TFHUB_CACHE_DIR."
            ) from error
        raise CheckpointError(
            f"The SavedModel in {folder} cannot be loaded ({reason}). Expected saved_model.pb and "
            f"the folder variables/ of the Magenta network; unpack it again."
        ) from error


def _stylize_function(model: Any, folder: str) -> Any:
    """The model's concrete function of two images."""
    call = getattr(model, "__call__", None)  # noqa: B004 - the attribute itself is wanted
    candidates = getattr(call, "concrete_functions", [call])
    for function in candidates:
        if hasattr(function, "captured_inputs") and hasattr(function, "graph"):
            inputs = function.graph.inputs
            images = inputs[: len(inputs) - len(function.captured_inputs)]
            outputs = function.graph.outputs
            fits = len(images) == 2 and len(outputs) == 1 and len(function.variables) > 0
            if fits and all(_is_image(tensor) for tensor in (*images, *outputs)):
                return function
    raise _other_model(folder, "it has no function of two images")


def _is_image(tensor: Any) -> bool:
    return tensor.dtype == tf.float32 and tensor.shape.rank == 4 and tensor.shape[-1] == 3


def _other_model(folder: str, reason: str) -> CheckpointError:
    return CheckpointError(
        f"The SavedModel in {folder} is not the Magenta network, but some other model: {reason}. "
        f"Expected one that turns (content, style) into a picture, as "
        f"google/magenta/arbitrary-image-stylization-v1-256/2 does."
    )


def _variables_digest(variables: Any) -> str:
    """SHA-256 of the names, shapes and values of the variables."""
    digest = hashlib.sha256()
    for variable in sorted(variables, key=lambda variable: variable.name):
        digest.update(f"{variable.name}{tuple(variable.shape)}".encode())
        digest.update(variable.numpy().astype("<f4").tobytes())
    return digest.hexdigest()
