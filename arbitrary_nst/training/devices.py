"""Where a run computes: on one device, or with JAX on all that there are."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext

import keras
from keras import ops

from arbitrary_nst.errors import InputError
from arbitrary_nst.networks.precision import PRECISIONS, has_fast_bfloat16

_log = logging.getLogger(__name__)


def dtype_policy(precision: str) -> str:
    """The Keras policy of a `precision` setting: "float32" or "mixed_bfloat16"."""
    if precision not in PRECISIONS:
        raise InputError(
            f"`precision` is one of {', '.join(map(repr, PRECISIONS))}. Received: {precision!r}."
        )
    if precision == "auto":
        precision = "float32" if _on_cpu() and not has_fast_bfloat16() else "bfloat16"
    return "mixed_bfloat16" if precision == "bfloat16" else "float32"


def device_scope(batch_size: int) -> AbstractContextManager:
    """The context in which to build and train a model.

    With JAX and several devices each gets an equal share of every batch (`keras.distribution`).
    TensorFlow and PyTorch train on one device: Keras has no such distribution for them, and under
    `tf.distribute` its `train_on_batch` gives every device the whole batch.

    Args:
        batch_size: a multiple of the number of devices.

    Raises:
        InputError: the batch cannot be split evenly.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow" and len(keras.distribution.list_devices("gpu")) > 1:
        _log.warning("TensorFlow uses one of the GPUs; the Keras backend jax would use all.")
    devices = keras.distribution.list_devices() if backend == "jax" else []
    if len(devices) < 2:
        return nullcontext()
    if batch_size % len(devices):
        raise InputError(
            f"`batch_size` must be a multiple of the number of devices, {len(devices)}. "
            f"Received: {batch_size}."
        )
    return keras.distribution.DataParallel(devices=devices).scope()


def _on_cpu() -> bool:
    # Where an array lands says it on every backend; `list_devices` knows neither PyTorch nor,
    # on JAX, a kind of device that the machine lacks.
    return "cpu" in str(ops.zeros(()).device).lower()
