"""The command line: one function per command, defaults from the API's signatures."""

from arbitrary_nst.common.extras import named

try:
    from arbitrary_nst.cli.console import main
    from arbitrary_nst.cli.parser import build_parser
except ImportError as error:  # of what every command needs; `main` tells of the rest
    raise named(error) from error

__all__ = ["build_parser", "main"]
