"""The command that prints what a shell needs to complete the others."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from arbitrary_nst import api
from arbitrary_nst.cli.options import add_command
from arbitrary_nst.common.extras import require

SHELLS = ("bash", "zsh", "tcsh")
_STYLES = "_arbitrary_nst_styles"
# A style is a name or a file; both are offered.
_BASH = """{function}() {{
  compgen -W "{names}" -- "$1"
  compgen -f -- "$1"
}}
"""
_ZSH = """{function}() {{
  _alternative 'styles:style:({names})' 'files:file:_files'
}}
"""


def add_commands(commands, parser_of_all: Callable[[], argparse.ArgumentParser]) -> None:
    """Adds `completion` to the parser, which it gets when it is called for."""
    parser = add_command(
        commands,
        "completion",
        completion,
        "print a script by which a shell completes these commands",
        teach="Commands, options, their choices, styles and files. It is to be read by the shell.",
        examples='  eval "$(arbitrary-nst completion bash)"     # in ~/.bashrc\n'
        '  arbitrary-nst completion zsh > "${fpath[1]}/_arbitrary-nst"\n'
        "  arbitrary-nst completion tcsh > ~/.arbitrary-nst.tcsh",
    )
    parser.add_argument("shell", choices=SHELLS, help="which one")
    parser.set_defaults(parser_of_all=parser_of_all)


def completion(options: argparse.Namespace) -> None:
    """`arbitrary-nst completion`: a script for one shell."""
    shtab = require("shtab")
    parser = options.parser_of_all()
    _say_what_is_a_file(parser, shtab)
    names = " ".join(style.name for style in api.list_styles())
    preamble = {
        "bash": _BASH.format(function=_STYLES, names=names),
        "zsh": _ZSH.format(function=_STYLES, names=names),
    }
    print(shtab.complete(parser, options.shell, preamble=preamble))


def _say_what_is_a_file(parser: argparse.ArgumentParser, shtab) -> None:
    styles = {"bash": _STYLES, "zsh": _STYLES, "tcsh": "f"}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _say_what_is_a_file(command, shtab)
        elif action.choices or action.nargs == 0:
            continue
        elif action.dest == "style":
            action.complete = styles  # type: ignore[attr-defined]
        elif str(action.metavar).endswith("DIR"):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.metavar == "FILE" or action.dest in ("content", "input", "image"):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
