"""What the site's pages get beside their Markdown: pictures that open large, and the commands."""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
sys.path.insert(0, str(DOCS))
import site_hooks  # noqa: E402

sys.path.remove(str(DOCS))


def test_a_picture_is_a_link_to_its_file():
    html = '<p><img alt="A, B" src="../images/a.jpg" /> and <img src="b.png"></p>'
    assert site_hooks.on_page_content(html, None, None, None) == (
        '<p><a href="../images/a.jpg" title="In full size">'
        '<img alt="A, B" src="../images/a.jpg" /></a> and '
        '<a href="b.png" title="In full size"><img src="b.png"></a></p>'
    )


def test_marks_of_figures_go_and_the_commands_come(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")  # which the hook sets, and is put back afterwards
    monkeypatch.setenv("NO_COLOR", "")
    text = "takes <!-- = speed.512 -->0.12 s<!-- /= -->\n\n<!-- commands -->\n"
    page = site_hooks.on_page_markdown(text, None, None, None)
    assert page.startswith("takes 0.12 s\n\n``` { .text .help }\nusage: arbitrary-nst")
    assert "\n## stylize\n" in page and "--strength" in page


def test_no_page_has_a_link_around_a_picture():
    """The hook would put a link into that link."""
    for page in DOCS.rglob("*.md"):
        assert "[![" not in page.read_text("utf-8"), page
