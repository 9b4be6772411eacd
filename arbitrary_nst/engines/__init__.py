"""The engines that turn (photo, embedding) into a picture, and the door to them.

What an engine is says `protocol.Engine`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

from arbitrary_nst.checkpoints import cin_folder, magenta_source, vgg19_weights
from arbitrary_nst.common.forks import check_not_forked
from arbitrary_nst.engines.protocol import Engine, as_engine
from arbitrary_nst.errors import InputError

EngineName = Literal["auto", "cin", "magenta", "vgg19"]
"""An engine by its name; "auto" leaves the choice to the call."""
ENGINES: tuple[str, ...] = get_args(EngineName)[1:]
if TYPE_CHECKING:  # each brings what it computes with
    from arbitrary_nst.engines.cin import Cin
    from arbitrary_nst.engines.magenta import Magenta
    from arbitrary_nst.engines.vgg19 import Vgg19

# One each: who paints with one engine does not wait while another one is loaded, or downloaded.
_locks = {name: threading.Lock() for name in ENGINES}
# Where an engine's network came from, and the engine.
_loaded: dict[str, tuple[str | Path, Engine]] = {}


@overload
def load_engine(name: Literal["cin"]) -> Cin: ...
@overload
def load_engine(name: Literal["magenta"]) -> Magenta: ...
@overload
def load_engine(name: Literal["vgg19"]) -> Vgg19: ...
@overload
def load_engine(name: str) -> Engine: ...


def load_engine(name: str) -> Engine:
    """The engine of that name, loaded at the first call and kept for the next ones.

    Safe to call from several threads. For an engine with settings of its own make an object
    instead, such as `arbitrary_nst.engines.cin.Cin(folder="models/mine")`.

    Args:
        name: one of `ENGINES`.

    Raises:
        InputError: there is no such engine.
        WeightsUnavailable: its weights cannot be had.
        CheckpointError: its weights are damaged.
        RuntimeError: this process was forked from one that has loaded an engine.
    """
    check_not_forked()  # before the lock, which another thread may have held at that moment
    if name not in ENGINES:
        raise InputError(
            f"There is no engine of that name. Expected one of {', '.join(map(repr, ENGINES))}. "
            f"Received: {name!r}."
        )
    sources: dict[str, Callable[[], str | Path]] = {
        "cin": cin_folder,
        "magenta": magenta_source,
        "vgg19": vgg19_weights,
    }
    source = sources[name]()
    with _locks[name]:
        # Another folder in the environment is another network.
        if name not in _loaded or _loaded[name][0] != source:
            _loaded[name] = source, _make(name, source)
        return _loaded[name][1]


def _make(name: str, source: str | Path) -> Engine:
    # TensorFlow is imported here and not before.
    if name == "cin":
        from arbitrary_nst.engines.cin import Cin

        return Cin(source)
    if name == "magenta":
        from arbitrary_nst.engines.magenta import Magenta

        return Magenta(source)
    from arbitrary_nst.engines.vgg19 import Vgg19

    return Vgg19(source)


def check_engine(engine: Any) -> str | Engine:
    """Checks the argument `engine` of the API; loads nothing.

    Returns:
        The name, or the object with its defaults, see `as_engine`.

    Raises:
        InputError: it is not "auto", not one of `ENGINES`, and no engine object.
    """
    names = ("auto", *ENGINES)
    if isinstance(engine, str) and engine in names:
        return engine
    try:
        return as_engine(engine)
    except InputError as error:
        raise InputError(
            f"`engine` is one of {', '.join(map(repr, names))}, or an engine object, such as "
            f"`Cin()`. {error}"
        ) from None
