"""The fenced blocks of README and docs, and the marks before those that do not run as they stand.

<!-- docs-test: options, it takes hours -->     commands: their options are read, no more
<!-- docs-test: skip, it needs a server -->     not run at all
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *(
        path
        for folder in ("models", "demo", "docs")
        for path in sorted((ROOT / folder).rglob("*.md"))
    ),
]
BLOCK = re.compile(
    r"(?:<!-- docs-test: (?P<way>\w+), (?P<why>[^>]+?) -->\n)?"
    r"(?:<!-- [\w:]+ -->\n)?"
    r"^```(?P<language>\w*)(?P<rest>[^\n]*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: where, in which language, its text, and how it is tested."""

    page: Path
    line: int
    language: str
    text: str
    way: str
    why: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """All blocks of a page but those that include a file of the repository."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        if match["text"].startswith('--8<-- "'):
            continue
        line = text.count("\n", 0, match.start("text"))
        way, why = match["way"] or "run", match["why"] or ""
        found.append(Block(page, line, match["language"], match["text"], way, why))
    return found
