"""Links of README and docs: absolute where PyPI shows them, and to pages and files that exist."""

from __future__ import annotations

import configparser
import itertools
import re

import pytest
from docs_blocks import PAGES, ROOT

import arbitrary_nst
from arbitrary_nst import export

LINK = re.compile(r"\]\(([^)\s]+)\)")
SITE = "https://arbitrary-nst.github.io/arbitrary_nst/"
REPOSITORY = "https://github.com/arbitrary-nst/arbitrary_nst"
RAW = REPOSITORY.replace("github.com", "raw.githubusercontent.com") + "/main/"


def links(path):
    return LINK.findall(re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.S | re.M))


def exists(link: str) -> bool:
    """Whether a link to the site or the repository leads to something that is in the checkout."""
    if link.startswith(SITE):
        page = link.removeprefix(SITE).split("#")[0].rstrip("/") or "index"
        return (ROOT / "docs" / f"{page}.md").is_file()
    for start in (RAW, f"{REPOSITORY}/blob/main/", f"{REPOSITORY}/tree/main/"):
        if link.startswith(start):
            return (ROOT / link.removeprefix(start).split("#")[0]).exists()
    return True


def test_the_readme_has_absolute_links_alone():
    """PyPI shows it without the files beside it."""
    assert [link for link in links(ROOT / "README.md") if not link.startswith("https://")] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """Relative ones are what `mkdocs build --strict` checks; here, too, for the other pages."""
    for link in links(page):
        if link.startswith(("http://", "https://")):
            assert exists(link), link
        elif not link.startswith("#"):
            assert (page.parent / link.split("#")[0]).exists(), link


def test_the_addresses_agree():
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert f"site_url: {SITE}\n" in text
    assert f"repo_url: {REPOSITORY}\n" in text
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    urls = settings["metadata"].get("project_urls", "") + settings["metadata"].get("url", "")
    for url in re.findall(r"https://github\S+", urls):
        assert url.startswith(REPOSITORY), url


def test_every_example_has_a_page_in_the_gallery():
    examples = {path.stem for path in (ROOT / "examples").glob("*.py")}
    pages = {path.stem.replace("-", "_") for path in (ROOT / "docs" / "gallery").glob("*.md")}
    assert examples == pages
    for name in examples:  # and the page includes the program
        page = ROOT / "docs" / "gallery" / f"{name.replace('_', '-')}.md"
        assert f'\n--8<-- "examples/{name}.py"\n' in page.read_text("utf-8"), page


def test_every_page_is_in_the_navigation():
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    for path in (ROOT / "docs").rglob("*.md"):
        assert str(path.relative_to(ROOT / "docs")) in text, path


def test_pages_are_named_by_links():
    """What is a file's name in the repository is not to be clicked at on the site."""
    name = re.compile(r"(?<!\[)`(?:docs/)?([\w/-]+\.md)`")
    for path in (ROOT / "docs").rglob("*.md"):
        for found in name.findall(path.read_text("utf-8")):
            assert not (ROOT / "docs" / found).is_file(), f"{path.name}: `{found}`"


def test_every_public_name_is_in_the_reference():
    page = (ROOT / "docs" / "reference" / "python.md").read_text("utf-8")
    there = set(re.findall(r"^::: arbitrary_nst\.(\S+)$", page, flags=re.M))
    assert "errors" in there  # all of that module
    public = [getattr(arbitrary_nst, name) for name in arbitrary_nst.__all__]
    public += [export.keras_model, export.tensor_function]
    for thing in public:
        module, name = thing.__module__.removeprefix("arbitrary_nst."), thing.__qualname__
        places = {".".join([*module.split(".")[:depth], name]) for depth in range(1, 4)}
        assert module == "errors" or places & there, f"{module}.{name}"


def test_examples_of_docstrings_are_shown_as_code():
    """The site knows sections by their names: under another one `>>>` is three quotations."""
    for path in (ROOT / "arbitrary_nst").rglob("*.py"):
        lines = path.read_text("utf-8").splitlines()
        for before, line in itertools.pairwise(lines):
            if line.lstrip().startswith(">>>") and not before.lstrip().startswith((">>>", "...")):
                assert before.strip() == "Examples:", f"{path.name}: {line}"


def test_the_readme_as_pypi_shows_it():
    markdown = pytest.importorskip("readme_renderer.markdown", reason="pip install '.[docs]'")
    html = markdown.render((ROOT / "README.md").read_text("utf-8"))
    assert html and "<table>" in html and "<img" in html
    assert "= speed" not in html  # the marks of figures are comments
