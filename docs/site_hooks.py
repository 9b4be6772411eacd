"""What MkDocs cannot do by itself: the commands' help from the parser, pictures that open large."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACE = "<!-- commands -->"
_IMAGE = re.compile(r'<img [^>]*?src="([^"]+)"[^>]*>')


def on_page_markdown(markdown: str, page, config, files) -> str:
    """Puts every command's help in the place of the comment; the marks of figures go."""
    if PLACE in markdown:
        markdown = markdown.replace(PLACE, commands())
    return re.sub(r"<!-- /?= ?[\w.-]* ?(-->)", "", markdown)


def on_page_content(html: str, page, config, files) -> str:
    """Makes each picture a link to its file: a sheet of many is too small to see on a phone."""
    return _IMAGE.sub(r'<a href="\1" title="In full size">\g<0></a>', html)


def commands() -> str:
    """The help of `arbitrary-nst` and of each of its commands."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from arbitrary_nst.cli import build_parser

    os.environ["COLUMNS"] = "96"  # what argparse wraps by
    os.environ["NO_COLOR"] = "1"
    parser = build_parser()
    (group,) = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    parts = [_help(parser)]
    for name, command in group.choices.items():
        parts.append(f"## {name}\n\n{_help(command)}")
    return "\n\n".join(parts)


def _help(parser: argparse.ArgumentParser) -> str:
    return f"``` {{ .text .help }}\n{parser.format_help().strip()}\n```"
