"""How the demo is started."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from arbitrary_nst.common.extras import require
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.sweep import ended_by_sigterm, private_folder

__all__ = ["private_folder", "quiet", "start"]


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
