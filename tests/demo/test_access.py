"""The page for those who see it, hear it or reach it by keyboard: axe finds nothing serious."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from browsing import IN_A_BROWSER, begin

pytestmark = IN_A_BROWSER
AXE = "axe-core@4"
TABS = ("Blend", "Between styles", "Regions", "Any painting", "My styles")


@pytest.fixture(scope="session")
def axe():
    """The source of axe, which npm fetches once into a cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "arbitrary-nst-axe")
    script = cache / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("axe is fetched by npm, which is not installed")
        cache.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--prefix", cache, "--no-audit", "--no-fund", AXE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            pytest.skip(f"npm cannot fetch {AXE}: {done.stderr[-200:]}")
    return script.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit, axe, photo_file, scheme, width):
    page = visit(width=width, scheme=scheme)
    begin(page, photo_file)
    page.get_by_text("The same picture from Python").first.click()
    page.evaluate(axe)
    found = []
    for tab in TABS:
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(1500)
        result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        for fault in result["violations"]:
            if fault["impact"] in ("serious", "critical"):
                found += [
                    f"{tab}: {fault['id']}: {node['html'][:150]} {node['failureSummary'][:200]}"
                    for node in fault["nodes"]
                ]
    assert not found, "\n".join(found)


def test_focus_is_seen_and_the_status_is_told(visit, photo_file):
    page = visit()
    begin(page, photo_file)
    page.get_by_label("range slider for great-wave").focus()
    page.keyboard.press("ArrowRight")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    assert page.locator("#status").get_attribute("aria-live") == "polite"
    assert page.get_by_role("group", name="Styles, up to 6").count() == 1
