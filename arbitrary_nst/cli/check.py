"""The command that looks whether an engine works."""

from __future__ import annotations

import argparse

from arbitrary_nst.cli.options import add_command


def add_commands(commands) -> None:
    """Adds `check` to the parser."""
    parser = add_command(
        commands,
        "check",
        check,
        "look whether an engine works here, from its files to a picture",
        teach="Loads the network (the first time it is downloaded, 92 MB), cuts it in two,\n"
        "embeds, blends and paints, and says whether the weights are those that were published.",
        examples="  arbitrary-nst check magenta\n"
        "  ARBITRARY_NST_MAGENTA=FOLDER arbitrary-nst check magenta",
    )
    parser.add_argument("engine", choices=("magenta",), help="which one")


def check(options: argparse.Namespace) -> None:
    """`arbitrary-nst check`: see `engines.magenta.check`."""
    from arbitrary_nst.engines.magenta import check as check_magenta

    for finding in check_magenta():
        print(finding, flush=True)
