"""A walk through every control of every tab, by mouse, finger and keyboard: nothing fails."""

import pytest
from browsing import IN_A_BROWSER, begin

pytestmark = IN_A_BROWSER

TABS = ("Blend", "Between styles", "Regions", "Any painting", "My styles")
# What the page answers where something is still missing, in words, and no error of its own.
EXPECTED = ("first", "not here", "Nothing to paint", "No style yet", "made here")
PARTS = """() => [...document.querySelectorAll(
    "[role=tabpanel] input, [role=tabpanel] button, [role=tabpanel] [role=combobox]")]
  .filter((part) => part.checkVisibility({ visibilityProperty: true }) && !part.disabled
    && part.type !== "file" && !part.closest("#regions-editor, .sheet, .tiles"))
  .map((part, index) => {
    part.dataset.walk = index;
    return [index, part.tagName, part.type || "", part.getAttribute("role") || "",
            part.ariaLabel || part.textContent.trim() || part.id];
  })"""


@pytest.mark.parametrize(
    ("width", "scheme", "way"),
    [(1280, "light", "mouse"), (1280, "dark", "keyboard"), (390, "dark", "finger")],
)
def test_every_control(visit, photo_file, width, scheme, way, caplog):
    page = visit(width=width, scheme=scheme, touch=way == "finger")
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("filechooser", lambda chooser: None)
    begin(page, photo_file)
    for tab in TABS:
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(1500)
        for index, tag, kind, role, words in page.evaluate(PARTS):
            part = page.locator(f"[data-walk='{index}']").first
            if not part.count() or not part.is_visible():  # another control has changed the page
                continue
            use(page, part, (tag, kind, role), way)
            page.wait_for_timeout(150)
            assert not errors, f"{tab}: {words}: {errors}"
        page.wait_for_timeout(1500)
        told = [toast.inner_text() for toast in page.locator(".toast-body.error").all()]
        assert all(any(word in text for word in EXPECTED) for text in told), f"{tab}: {told}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, tab
    assert "Traceback" not in caplog.text


def use(page, part, kind, way):
    """What a visitor does with a control."""
    tag, type_, role = kind
    press = {"mouse": part.click, "finger": part.tap, "keyboard": lambda **_: part.press("Enter")}
    if type_ == "range":
        part.focus()
        page.keyboard.press("ArrowLeft")
        assert page.evaluate("document.activeElement.type") == "range"
    elif type_ == "number":
        part.fill("0.4")
    elif role == "combobox":
        part.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
    elif type_ in ("checkbox", "radio"):
        part.press("Space") if way == "keyboard" else part.check(force=True)
    elif tag == "BUTTON":
        press[way](timeout=5000)
        page.keyboard.press("Escape")  # out of the full screen
    elif type_ == "text":
        part.fill("a name")
