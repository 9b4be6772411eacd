"""The command line: one function per command, defaults from the API's signatures."""

from arbitrary_nst.cli.console import build_parser, main

__all__ = ["build_parser", "main"]
