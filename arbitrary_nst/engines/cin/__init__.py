"""The cin engine."""

from arbitrary_nst.engines.cin.engine import Cin
from arbitrary_nst.engines.cin.sizes import MIN_CONTENT_SIDE, STYLE_SIZE

__all__ = ["MIN_CONTENT_SIDE", "STYLE_SIZE", "Cin"]
