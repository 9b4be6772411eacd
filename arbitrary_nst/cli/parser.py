"""The parser of all commands."""

from __future__ import annotations

import argparse

from arbitrary_nst.cli import (
    batch,
    check,
    completion,
    demo,
    evaluate,
    export,
    styles,
    stylize,
    training,
    video,
)
from arbitrary_nst.cli.options import add_debug
from arbitrary_nst.common.version import __version__


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="arbitrary-nst",
        description="Paints photos in a blend of styles.",
        epilog="examples:\n"
        "  arbitrary-nst styles\n"
        "  arbitrary-nst stylize photo.jpg -s great-wave:2 -s scream:1 -o out.png\n"
        "`arbitrary-nst COMMAND --help` explains a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    add_debug(parser)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    stylize.add_commands(commands)
    batch.add_commands(commands)
    video.add_commands(commands)
    styles.add_commands(commands)
    training.add_commands(commands)
    evaluate.add_commands(commands)
    check.add_commands(commands)
    demo.add_commands(commands)
    export.add_commands(commands)
    completion.add_commands(commands, build_parser)
    return parser
