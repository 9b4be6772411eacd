"""The parser of all commands, or of the one that is called."""

from __future__ import annotations

import argparse
import importlib

from arbitrary_nst.cli.options import add_debug
from arbitrary_nst.common.version import __version__

# The modules of this room, in the order of `--help`, and their commands.
MODULES = {
    "stylize": ("stylize",),
    "batch": ("batch",),
    "video": ("video",),
    "styles": ("styles", "embed", "blend"),
    "training": ("train", "pack-training", "refine-predictor", "refine-styles", "add-style"),
    "evaluate": ("evaluate",),
    "check": ("check",),
    "demo": ("demo",),
    "export": ("export",),
    "completion": ("completion",),
}


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The parser.

    Args:
        command: the only one that is to be parsed, which spares loading what the others need: of
            what `stylize` loads a quarter of the time. Default, and for a name that is no command:
            all of them.
    """
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
    called = [name for name, own in MODULES.items() if command in own]
    for name in called or MODULES:
        module = importlib.import_module(f"arbitrary_nst.cli.{name}")
        if name == "completion":  # which writes down what the others take
            module.add_commands(commands, build_parser)
        else:
            module.add_commands(commands)
    return parser
