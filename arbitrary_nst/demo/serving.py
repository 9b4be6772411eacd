"""How the demo is started."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Callable
from typing import Any

from arbitrary_nst.common.extras import require
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.sweep import ended_by_sigterm, private_folder

__all__ = ["private_folder", "quiet", "start"]

_log = logging.getLogger(__name__)


def start(
    settings: Settings | None = None,
    *,
    wait: bool = True,
    announce: Callable[[str], None] = lambda text: None,
) -> Any:
    """Builds the demo and serves it.

    Args:
        settings: see `Settings`.
        wait: until Ctrl-C or SIGTERM; else the running demo comes back, which `close()` ends.
        announce: called with each address at which the demo can be reached.

    Raises:
        ImportError: Gradio is not installed; the message says how to install it.
        WeightsUnavailable: the embedded network is missing.
        OSError: the port is taken.
    """
    settings = settings or Settings()
    quiet()
    go_past_proxies()
    require("gradio")
    from arbitrary_nst.demo.app import build, serve

    if not wait:
        return serve(build(settings), settings, announce)
    with private_folder(), ended_by_sigterm():
        page = serve(build(settings), settings, announce)
        page.block_thread()
        return page


def quiet() -> None:
    """Turns Gradio's reports to its makers off; it looks at these at import."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def go_past_proxies() -> None:
    """Lets Gradio reach its own server, at which it looks when it starts, without a proxy.

    It looks at these variables at import. A SOCKS proxy is of no use to it, nor to anything else
    here, without a package for it, and would end it with an error that names another one.
    """
    for name in ("no_proxy", "NO_PROXY"):
        known = [host for host in os.environ.get(name, "").split(",") if host.strip()]
        os.environ[name] = ",".join(dict.fromkeys([*known, "localhost", "127.0.0.1", "::1"]))
    if importlib.util.find_spec("socksio") is None:
        for name, value in list(os.environ.items()):
            if name.lower().endswith("_proxy") and value.lower().startswith("socks"):
                del os.environ[name]
                _log.warning("%s does not count in the demo: it needs the package socksio", name)
