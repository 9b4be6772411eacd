"""The command that starts the demo in the browser."""

from __future__ import annotations

import argparse
import sys

from arbitrary_nst.cli.options import add_command
from arbitrary_nst.demo import start
from arbitrary_nst.demo.settings import AUTH_VARIABLE, Settings, read_auth


def add_commands(commands) -> None:
    """Adds `demo` to the parser."""
    parser = add_command(
        commands,
        "demo",
        demo,
        "blend styles with sliders, in the browser",
        teach="Serves a page on this machine, for this machine alone; --host, --share and --auth "
        "open it to others.\nCtrl-C ends it and deletes what visitors uploaded.",
        examples="  arbitrary-nst demo\n"
        "  arbitrary-nst demo --port 8000 --max-pixels 60000000\n"
        f"  {AUTH_VARIABLE}=ann:secret arbitrary-nst demo --host 0.0.0.0",
    )
    default = Settings()
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default=default.host,
        help="to listen on; 0.0.0.0 lets others in your network in (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=default.port,
        help="to listen on; 0 takes the first free one from 7860 up (default: %(default)s)",
    )
    parser.add_argument(
        "--share",
        action="store_true",
        help="open a public link, which leads through Gradio's servers, for a week at most",
    )
    parser.add_argument(
        "--auth",
        metavar="NAME:PASSWORD",
        help=f"ask visitors for this login (default: ${AUTH_VARIABLE}, which other users of the "
        "machine cannot see)",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        metavar="NAME",
        default=[],
        help="serve the page under this name as well, such as that of a proxy; *.NAME for all that "
        "end so; repeatable",
    )
    _add_limits(parser, default)


def _add_limits(parser: argparse.ArgumentParser, default: Settings) -> None:
    parser.add_argument(
        "--max-pixels",
        type=int,
        metavar="N",
        default=default.max_pixels,
        help="largest photo to read, width times height (default: %(default)s)",
    )
    parser.add_argument(
        "--max-output-pixels",
        type=int,
        metavar="N",
        default=default.max_output_pixels,
        help="largest picture to paint; a million need 100 MB of memory (default: %(default)s)",
    )
    parser.add_argument(
        "--max-file-megabytes",
        type=int,
        metavar="N",
        default=default.max_file_megabytes,
        help="largest file to upload (default: %(default)s)",
    )


def demo(options: argparse.Namespace) -> None:
    """`arbitrary-nst demo`: see `demo.start`."""
    settings = Settings(
        host=options.host,
        port=options.port,
        share=options.share,
        auth=read_auth(options.auth),
        max_pixels=options.max_pixels,
        max_output_pixels=options.max_output_pixels,
        max_file_megabytes=options.max_file_megabytes,
        allowed_hosts=tuple(options.allow_host),
    )
    if settings.is_open:
        print("arbitrary-nst: everyone who finds this page can use it; see --auth", file=sys.stderr)
    print("Starting, which takes a few seconds. Ctrl-C ends it.", flush=True)
    start(settings, announce=lambda text: print(text, flush=True))
