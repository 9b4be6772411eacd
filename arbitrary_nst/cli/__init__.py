"""The command line: one function per command, defaults from the API's signatures."""

from arbitrary_nst.cli.console import main
from arbitrary_nst.cli.parser import build_parser

__all__ = ["build_parser", "main"]
