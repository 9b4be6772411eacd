"""Keras on TensorFlow, with which the engines paint: `keras` is imported here first.

A process has one backend of Keras, which is chosen when it is imported. The networks of this
package are trained on any of them, but painted with on TensorFlow alone. So what `KERAS_BACKEND`
or `keras.json` say, perhaps for other work, or of a backend that is not installed, does not count
where painting comes first. Where Keras is there already it stays as it is; see `on_tensorflow`.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings

from arbitrary_nst.common.extras import named

VARIABLE = "KERAS_BACKEND"


def _import() -> None:
    wanted = os.environ.get(VARIABLE)
    if "keras" in sys.modules:
        return
    os.environ[VARIABLE] = "tensorflow"
    try:
        # The former imports the latter, so that two threads, one with each, would wait for each
        # other if it came second here.
        for module in ("tensorflow", "keras"):
            importlib.import_module(module)
    except ImportError as error:  # it, or what it computes with
        raise named(error) from error
    finally:
        # The variable is the user's, and so are the processes that come after this one.
        if wanted is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = wanted
    if wanted not in (None, "", "tensorflow"):
        warnings.warn(
            f"{VARIABLE}={wanted} does not count here: painting needs Keras on TensorFlow, and a "
            f"process has one backend. Import keras first to have {wanted} for other work.",
            stacklevel=2,
        )


_import()
import keras as keras  # noqa: E402 (after its backend is chosen)


def on_tensorflow() -> bool:
    """Whether Keras runs on TensorFlow; not, where it was imported with another backend before."""
    return keras.backend.backend() == "tensorflow"
