"""Where things are: nothing is cut, nothing covers anything else, what is used is in sight."""

from dataclasses import replace

import pytest
from browsing import IN_A_BROWSER, begin, status, upload, wait_until

from arbitrary_nst import embed, save_styles

pytest.importorskip("gradio", reason="the demo needs gradio")

pytestmark = IN_A_BROWSER

CUT = """(selector) => [...document.querySelectorAll(selector)]
  .filter((part) => part.checkVisibility() && part.scrollWidth > part.clientWidth)
  .map((part) => part.value || part.textContent)"""
# The same of the two lines that a tile shows.
CUT_LINES = """() => [...document.querySelectorAll("#styles label span")].flatMap((span) => {
  const text = span.firstChild, lines = span.textContent.split("\\n").slice(0, 2);
  return lines.filter((line) => {
    const range = document.createRange(), start = span.textContent.indexOf(line);
    range.setStart(text, start);
    range.setEnd(text, start + line.length);
    return range.getBoundingClientRect().right > span.getBoundingClientRect().right;
  });
})"""
# A part of the page at its middle: itself, or something inside it.
COVERED = """(part) => {
  const { x, y, width, height } = part.getBoundingClientRect();
  return !part.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}"""


@pytest.fixture
def finger():
    """Moves a finger from one point of a page to another."""

    def move(page, start, end, steps=10):
        client = page.context.new_cdp_session(page)
        for step in range(steps + 1):
            kind = "touchMove" if step else "touchStart"
            point = {
                axis: start[i] + (end[i] - start[i]) * step / steps for i, axis in enumerate("xy")
            }
            client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
            page.wait_for_timeout(20)
        client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    return move


@pytest.mark.parametrize("width", [1280, 390])
def test_titles_of_packaged_styles_are_not_cut(visit, serve, packaged, width):
    with serve(ARBITRARY_NST_CIN=None, ARBITRARY_NST_MAGENTA=None) as url:
        page = visit(url, width=width, mix="Composition VII")
        assert page.evaluate(CUT_LINES) == []
        page.get_by_role("tab", name="Between styles").click()
        wait_until(lambda: page.locator("#strip img").count() == 5)
        parts = ".pad span, #strip .caption-label, .small-choices input"
        assert page.evaluate(CUT, parts) == []
        page.get_by_role("tab", name="Regions").click()
        page.locator("#regions-result img").last.wait_for()
        assert page.evaluate(CUT, "[id^=brush-] input, #rest input") == []


LONG = "caspar-david-friedrich-wanderer-above-the-sea-of-fog"


@pytest.mark.parametrize("width", [1280, 390])
def test_names_of_own_styles_are_not_cut(visit, network, photo_file, tmp_path, width):
    """In the choice and in its slot; in a narrow list a name loses its middle and not its end."""
    save_styles({LONG: replace(embed("scream"), name=LONG)}, tmp_path / "mine.safetensors")
    page = visit(width=width)
    begin(page, photo_file)
    page.get_by_role("tab", name="My styles").click()
    with page.expect_file_chooser() as chosen:
        page.locator("#load-library").click()
    chosen.value.set_files(tmp_path / "mine.safetensors")
    page.locator("#own-styles img").first.wait_for()
    caption = page.locator("#own-styles .caption-label").first
    assert caption.evaluate("part => part.scrollWidth <= part.clientWidth")
    assert caption.inner_text() == LONG
    page.get_by_role("tab", name="Blend").click()
    tile = page.locator("#styles label").last
    tile.click()
    status(page, LONG)
    assert tile.inner_text().split("\n")[2] == LONG
    assert page.evaluate(CUT_LINES) == []
    slot = page.locator("#slots .slot .head label span").nth(2)
    wait_until(
        lambda: slot.evaluate(
            "part => part.innerText && part.scrollWidth <= part.clientWidth"
            " && part.scrollHeight <= part.clientHeight + 1"
        )
    )
    assert slot.inner_text() == LONG
    page.get_by_role("tab", name="Between styles").click()
    ends = page.locator(".small-choices input").first
    ends.click()
    page.get_by_role("option").last.click()
    wait_until(lambda: "…" in ends.input_value())
    assert page.evaluate(CUT, ".pad span, #strip .caption-label, .small-choices input") == []


def test_without_a_style_all_else_is_still_there(visit, photo_file):
    page = visit()
    begin(page, photo_file)
    for name in ("great-wave", "starry-night"):
        page.get_by_role("button", name=f"Remove {name}").click()
    status(page, "Choose a style.")
    assert page.locator("#title").is_visible()
    assert page.locator("#result img").last.is_visible()


class TestOneScreen:
    def test_six_styles_fit_on_a_laptop(self, visit, serve, packaged):
        names = ("scream", "udnie", "the-kiss", "water-lilies", "great-wave", "grande-jatte")
        query = f"mix={','.join(f'{name}:0.5' for name in names)}"
        with serve(ARBITRARY_NST_CIN=None, ARBITRARY_NST_MAGENTA=None) as url:
            page = visit(f"{url}?{query}", mix="17% Water Lilies")
            for part in ("#result", "#styles", "#slot-6", "#strokes", "#full", "#recent"):
                box = page.locator(part).bounding_box()
                assert box["y"] >= 0 and box["y"] + box["height"] <= 800, part

    @pytest.mark.parametrize(
        ("tab", "name", "parts"),
        [
            ("Between styles", "pad", ("#strip", ".pad", "#pad-x", "#pad-strength")),
            ("Regions", "regions", ("#brush-1", "#rest", "#regions-strength")),
            ("Any painting", "painting", ("#painting-1", "#quality", "#painting-strength")),
            ("My styles", "mine", ("#own-styles", "#own-names", "#mine-strength")),
        ],
    )
    def test_on_a_phone_the_picture_stays_in_sight(self, visit, photo_file, tab, name, parts):
        page = visit(width=390, touch=True)
        begin(page, photo_file)
        page.get_by_role("tab", name=tab).click()
        picture = page.locator(f"#{name}-result img").last
        picture.wait_for()
        for part in parts:
            target = page.locator(part).first
            target.evaluate("part => part.scrollIntoView({ block: 'center' })")
            box = picture.bounding_box()
            assert box["y"] >= -1 and box["y"] + box["height"] <= 844 / 2, part
            assert not target.evaluate(COVERED), part

    def test_nothing_shines_through_the_picture_that_stays(self, visit, photo_file):
        page = visit(width=390, touch=True)
        begin(page, photo_file)
        labels = "#slots .head label span, #preset .container > span, .controls .head label span"
        checked = 0
        for label in page.locator(labels).all():
            if not label.is_visible():
                continue
            above = page.locator("#result").bounding_box()["height"] / 2
            page.evaluate("y => scrollBy(0, y)", label.bounding_box()["y"] - above)
            behind = label.bounding_box()["y"]
            stage = page.locator(".stage").first.bounding_box()
            if stage["y"] <= behind <= stage["y"] + stage["height"]:
                assert label.evaluate(COVERED), label.inner_text()
                checked += 1
        assert checked >= 3


class TestBrush:
    TOOLS = "#regions-editor .toolbar-wrap button, #regions-editor .icon-button-wrapper button"

    def open(self, page):
        page.get_by_role("tab", name="Regions").click()
        page.locator("#regions-editor canvas").first.wait_for()
        page.locator("#regions-result img").last.wait_for()

    def photo(self, page):
        """Where the photo is, in the editor: its canvas is 30 pixels larger on all sides."""
        box = page.locator("#regions-editor canvas").first.bounding_box()
        left, top = box["x"] + 30, box["y"] + 30
        return left, top, left + box["width"] - 60, top + box["height"] - 60

    @pytest.mark.parametrize("width", [1280, 390])
    def test_its_tools_are_beside_the_photo(self, visit, photo_file, width):
        page = visit(width=width, touch=width < 600)
        begin(page, photo_file)
        self.open(page)
        _, top, _, bottom = self.photo(page)
        assert bottom - top > 200
        tools = [tool.bounding_box() for tool in page.locator(self.TOOLS).all()]
        tools = [box for box in tools if box is not None]
        assert len(tools) >= 7  # brush, eraser, colour, size, undo, redo, clear
        assert all(box["y"] >= bottom for box in tools)
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in tools)
        if width < 600:
            assert all(box["width"] >= 43.5 and box["height"] >= 43.5 for box in tools)

    def test_they_go_below_the_picture_that_stays(self, visit, photo_file):
        page = visit(width=390, touch=True)
        begin(page, photo_file)
        self.open(page)
        tool = page.get_by_label("Undo").last
        for part in page.locator(self.TOOLS).all():
            if part.is_visible():
                tool = part
        above = page.locator("#regions-result").bounding_box()["height"] / 2
        page.evaluate("y => scrollBy(0, y)", tool.bounding_box()["y"] - above)
        assert tool.evaluate(COVERED)

    def test_a_finger_draws_and_does_not_scroll(self, visit, photo_file, finger):
        page = visit(width=390, touch=True)
        begin(page, photo_file)
        self.open(page)
        page.wait_for_timeout(2000)
        page.locator("#regions-editor").evaluate("e => e.scrollIntoView({ block: 'end' })")
        before = page.evaluate("scrollY")
        left, _, right, bottom = self.photo(page)
        x = (left + right) / 2
        finger(page, (x, bottom - 20), (x, bottom - 120))
        page.locator("#regions-status").get_by_text("starry-night where it is red").wait_for()
        assert page.evaluate("scrollY") == before


class TestCloser:
    """A style looked at closely: the visitor's photo in it, large, with all that it is called."""

    def test_by_mouse(self, visit, photo_file):
        page = visit()
        begin(page, photo_file)
        figure = page.locator("#closer")
        page.locator("#styles label").nth(2).hover()
        figure.wait_for()
        assert figure.locator("figcaption").inner_text() == "scream"
        assert figure.locator("div").bounding_box()["width"] > 250
        page.locator("#title").hover()
        figure.wait_for(state="hidden")

    def test_by_a_long_press_that_chooses_nothing(self, visit, photo_file):
        page = visit(width=390, touch=True)
        begin(page, photo_file)
        tile = page.locator("#styles label").nth(2)
        tile.scroll_into_view_if_needed()
        box = tile.bounding_box()
        point = [{"x": box["x"] + 20, "y": box["y"] + 20}]
        client = page.context.new_cdp_session(page)
        client.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": point})
        page.locator("#closer").wait_for()
        client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.locator("#closer").wait_for(state="hidden")
        page.wait_for_timeout(500)
        assert not page.get_by_label("scream", exact=True).is_checked()


def test_there_is_a_button_where_there_is_a_picture_to_keep(visit, photo_file, tmp_path):
    page = visit()
    begin(page, photo_file)
    for tab, name, hint in (  # which is there after another photo, too
        ("Any painting", "painting", "Drop a painting"),
        ("My styles", "mine", "painting"),
    ):
        page.get_by_role("tab", name=tab).click()
        page.locator(f"#{name}-result img").last.wait_for()
        assert not page.locator(f"#{name}-full").is_visible()
        page.locator(f"#{name}-status").get_by_text(
            hint
        ).first.wait_for()  # after another photo, too
    page.get_by_role("tab", name="Blend").click()
    for name in ("great-wave", "starry-night"):
        page.get_by_label(f"range slider for {name}").fill("0")
    page.locator("#full").wait_for(state="detached")
    assert page.locator("#title").is_visible()  # and all else is still there
    page.get_by_label("range slider for great-wave").fill("0.5")
    page.locator("#full").get_by_text("128 × 96, about").wait_for()


def test_the_footer_says_what_becomes_of_photos_and_whose_work_it_is(visit, photo_file):
    page = visit()
    words = page.locator("#about").inner_text()
    for part in ("Offline and private.", "deleted", "Credits.", "public domain"):
        assert part in words


def test_a_page_loaded_anew_in_the_middle_of_work_begins_again(visit, photo_file):
    page = visit(before="window.kept = sessionStorage.getItem('arbitrary_nst.lost')")
    begin(page, photo_file)
    page.locator("#full").click()
    upload(page, photo_file)
    page.reload()
    status(page, "451 × 300 pixels")
    # The connections that it broke off are not lost ones, whose photo and mix come back: they
    # would come over what is done next.
    assert page.evaluate("window.kept") is None
    begin(page, photo_file)
    page.get_by_label("range slider for great-wave").fill("1")
    status(page, "67% great-wave")
    assert page.locator(".toast-body.error").count() == 0
