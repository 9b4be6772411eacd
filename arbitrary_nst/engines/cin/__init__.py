"""The cin engine."""

from arbitrary_nst.engines.cin.engine import MIN_CONTENT_SIDE, STYLE_SIZE, Cin

__all__ = ["MIN_CONTENT_SIDE", "STYLE_SIZE", "Cin"]
