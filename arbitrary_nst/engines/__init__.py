"""The engines that turn (photo, embedding) into a picture, and the door to them.

An engine has `name`, `network` (the id of its weights), and these methods, on float32 images
(H, W, 3), RGB in `[0, 1]`:

    embed(style_image) -> Embedding
    identity(content_image) -> Embedding    what leaves the photo as it is
    render(content_image, embedding, *, seed=0) -> image of the same shape
    render_batch([content_image, ...], [embedding, ...], *, seed=0) -> [image, ...]

The contents of a batch have one shape. The same seed gives the same picture. An engine that
knows styles by name has them in `styles`, a mapping of names to embeddings. One that takes its
time has `render_steps`, a generator, and takes `on_step` in `render`; see `Vgg19`.
"""

from __future__ import annotations

import threading
from typing import Any

from arbitrary_nst.checkpoints import cin_folder, magenta_source, vgg19_weights
from arbitrary_nst.errors import InputError

ENGINES = ("cin", "magenta", "vgg19")
_METHODS = ("embed", "identity", "render", "render_batch")
_lock = threading.Lock()
_loaded: dict[str, tuple[Any, Any]] = {}  # where an engine's network came from, and the engine


def load_engine(name: str) -> Any:
    """The engine of that name, loaded at the first call and kept for the next ones.

    Safe to call from several threads. For an engine with settings of its own make an object
    instead, such as `arbitrary_nst.engines.cin.Cin(folder="models/mine")`.

    Args:
        name: one of `ENGINES`.

    Raises:
        InputError: there is no such engine.
        WeightsUnavailable: its weights cannot be had.
        CheckpointError: its weights are damaged.
    """
    if name not in ENGINES:
        raise InputError(
            f"There is no engine of that name. Expected one of {', '.join(map(repr, ENGINES))}. "
            f"Received: {name!r}."
        )
    source = {"cin": cin_folder, "magenta": magenta_source, "vgg19": vgg19_weights}[name]()
    with _lock:
        # Another folder in the environment is another network.
        if name not in _loaded or _loaded[name][0] != source:
            _loaded[name] = source, _make(name, source)
        return _loaded[name][1]


def _make(name: str, source: Any) -> Any:
    # TensorFlow is imported here and not before.
    if name == "cin":
        from arbitrary_nst.engines.cin import Cin

        return Cin(source)
    if name == "magenta":
        from arbitrary_nst.engines.magenta import Magenta

        return Magenta(source)
    from arbitrary_nst.engines.vgg19 import Vgg19

    return Vgg19(source)


def check_engine(engine: Any) -> None:
    """Checks the argument `engine` of the API; loads nothing.

    Raises:
        InputError: it is not "auto", not one of `ENGINES`, and no engine object.
    """
    if isinstance(engine, str):
        fits = engine in ("auto", *ENGINES)
    else:
        methods = all(callable(getattr(engine, method, None)) for method in _METHODS)
        fits = methods and hasattr(engine, "network") and not isinstance(engine, type)
    if not fits:
        raise InputError(
            f"`engine` is one of {', '.join(map(repr, ('auto', *ENGINES)))}, or an engine object, "
            f"such as `Cin()`, with the methods {', '.join(_METHODS)}. Received: {engine!r:.200}"
        )
