"""The network for other runtimes."""

from arbitrary_nst.export.network import FORMATS, export

__all__ = ["FORMATS", "export"]
