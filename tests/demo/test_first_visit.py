"""What a first visitor does with photos, numbers and fingers, and that it works the first time."""

import io
import threading

import numpy as np
import pytest
from browsing import IN_A_BROWSER, begin, pixels, same, status, upload, wait_until
from PIL import Image

from arbitrary_nst import stylize

pytestmark = IN_A_BROWSER

CARRY = """([bytes, name]) => {
  const carrier = new DataTransfer();
  carrier.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
  window.carrier = carrier;
}"""
DROP = """(selector) => {
  const target = document.querySelector(selector), options = { bubbles: true, cancelable: true };
  for (const type of ["dragenter", "dragover", "drop"])
    target.dispatchEvent(new DragEvent(type, { ...options, dataTransfer: window.carrier }));
}"""
PASTE = """() => document.body.dispatchEvent(new ClipboardEvent("paste",
  { bubbles: true, cancelable: true, clipboardData: window.carrier }))"""
SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def carry(page, path):
    """Puts a file into the hand of the visitor, to be dropped or pasted."""
    page.evaluate(CARRY, [list(path.read_bytes()), path.name])


def about(page, text):
    """Waits for what the page says of the photo."""
    page.locator("#photo-info").get_by_text(text).first.wait_for()


def large_photo(tmp_path, make_photo, size=(900, 1200)):
    path = tmp_path / "large.png"
    Image.fromarray(np.rint(make_photo(*size) * 255).astype(np.uint8)).save(path)
    return path


class TestPhoto:
    @pytest.mark.parametrize("place", ["#result img", "#title", "#styles", "footer", "#weight-1"])
    def test_a_drop_anywhere_works_the_first_time(self, visit, photo_file, place):
        page = visit()
        carry(page, photo_file)
        page.evaluate(DROP, place)
        about(page, "hill.png")
        status(page, "128 × 96 pixels")

    def test_a_paste_and_the_picker_work_the_first_time(self, visit, photo_file):
        page = visit()
        carry(page, photo_file)
        page.evaluate(PASTE)
        about(page, "hill.png")
        page = visit()
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Drop, paste or choose a photo").click()
        chooser.value.set_files(photo_file)
        about(page, "hill.png")
        status(page, "128 × 96 pixels")

    def test_what_cannot_be_used_leaves_the_good_photo(self, visit, network, photo_file, tmp_path):
        page = visit()
        begin(page, photo_file)
        (tmp_path / "bad.png").write_bytes(b"not a picture")
        Image.new("RGB", (3, 2)).save(tmp_path / "tiny.png")
        for name, words in (("bad.png", "not an image"), ("tiny.png", "too small")):
            upload(page, tmp_path / name)
            toast = page.locator(".toast-body").get_by_text(words).first
            toast.wait_for()
            assert "engine" not in toast.inner_text()
            about(page, "hill.png")
        page.get_by_label("range slider for great-wave").fill("1")
        status(page, "67% great-wave, 33% starry-night · 128 × 96")
        wanted = stylize(photo_file, ["great-wave", "starry-night"], [1, 0.5])
        wait_until(lambda: same(pixels(page), wanted))

    def test_removing_the_photo_goes_back_to_the_sample(self, visit, photo_file):
        page = visit()
        remove = page.get_by_role("button", name="Remove my photo")
        assert remove.count() == 0  # a sample cannot be removed, only another taken
        begin(page, photo_file)
        remove.click()
        about(page, "chelsea")
        status(page, "451 × 300 pixels")
        remove.wait_for(state="detached")


class TestNumbers:
    @pytest.mark.parametrize(
        ("typed", "shares"),
        [("7", "67% great-wave, 33%"), ("-1", "100% starry-night"), ("", "100% starry-night")],
    )
    def test_are_clamped_and_it_is_said(self, visit, photo_file, typed, shares, caplog):
        page = visit()
        begin(page, photo_file)
        page.get_by_label("number input for great-wave").fill(typed)
        status(page, shares)
        page.locator(".toast-body").get_by_text("goes from 0 to 1").first.wait_for()
        assert page.locator(".toast-body.error").count() == 0
        assert "Traceback" not in caplog.text


class TestFullSize:
    def test_looks_as_the_preview_does(self, visit, network, make_photo, tmp_path):
        path = large_photo(tmp_path, make_photo, (660, 880))
        page = visit()
        upload(page, path)
        status(page, "512 × 384 pixels")
        button = page.locator("#full")
        button.get_by_text("880 × 660, about").wait_for()  # before the click
        page.get_by_label("range slider for Stroke size").fill("2")
        wanted = stylize(path, ["great-wave", "starry-night"], working_size=256)
        preview = wanted.resize((512, 384), Image.Resampling.LANCZOS)

        def follows():
            return np.abs(pixels(page).astype(float) - np.asarray(preview)).mean() < 4

        wait_until(follows)
        with page.expect_download() as download:
            button.click()
        assert download.value.suggested_filename.startswith("large-great-wave-50")
        with Image.open(io.BytesIO(download.value.path().read_bytes())) as saved:
            np.testing.assert_array_equal(np.asarray(saved), np.asarray(wanted))
        page.get_by_text("The same picture from Python").click()
        lines = page.locator("#code .cm-content").inner_text()
        assert "working_size=256" in lines
        assert f'.save("{download.value.suggested_filename}")' in lines

    @pytest.fixture
    def go_on(self, monkeypatch):
        """What the pictures to keep wait for."""
        from arbitrary_nst.demo import saving

        paint, event = saving.paint, threading.Event()

        def wait_and_paint(*arguments, **options):
            event.wait(100)
            return paint(*arguments, **options)

        monkeypatch.setattr(saving, "paint", wait_and_paint)
        yield event
        event.set()

    def test_a_click_is_answered_where_the_page_is_slow_to_show_the_link(self, visit, photo_file):
        page = visit()
        begin(page, photo_file)
        page.evaluate("""new MutationObserver(() => document.querySelector("#download")?.remove())
            .observe(document, { childList: true, subtree: true })""")
        with page.expect_download() as download:
            page.locator("#full").click()
        assert download.value.suggested_filename.startswith("hill-great-wave-50")

    def test_a_picture_painted_meanwhile_takes_no_click(self, visit, network, photo_file, go_on):
        page = visit()
        begin(page, photo_file)
        button = page.locator("#full")
        with page.expect_download():
            button.click()
            page.locator("#full-progress").get_by_text("Painting 128 × 96").wait_for()
            for weight, share in (("1", "67%"), ("0.5", "50%")):  # and back
                page.get_by_label("range slider for great-wave").fill(weight)
                status(page, f"{share} great-wave")
                assert button.is_disabled()  # a click now would be dropped
            go_on.set()
        wait_until(button.is_enabled)

    def test_a_mix_that_changed_meanwhile_offers_no_old_file(
        self, visit, network, photo_file, go_on
    ):
        page = visit()
        begin(page, photo_file)
        page.locator("#full").click()
        page.locator("#full-progress").get_by_text("Painting 128 × 96").wait_for()
        page.get_by_label("range slider for great-wave").fill("1")
        status(page, "67% great-wave")
        go_on.set()
        page.locator(".toast-body").get_by_text("The mix changed").first.wait_for()
        assert not page.locator("#download").is_visible()


class TestPhone:
    def swipe(self, page, start, end):
        """A finger that goes from one point to another."""
        client = page.context.new_cdp_session(page)
        steps = [
            {
                "x": start[0] + (end[0] - start[0]) * k / 10,
                "y": start[1] + (end[1] - start[1]) * k / 10,
            }
            for k in range(11)
        ]
        client.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [steps[0]]})
        for step in steps[1:]:
            client.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [step]})
            page.wait_for_timeout(20)
        client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(300)

    def test_the_picture_stays_in_sight(self, visit, photo_file):
        page = visit(width=390, touch=True)
        begin(page, photo_file)
        for part in ("#weight-1", "#styles label:last-of-type", "#strokes"):
            page.locator(part).scroll_into_view_if_needed()
            picture = page.locator("#result img").last.bounding_box()
            assert picture["y"] >= -1 and picture["y"] + picture["height"] <= 844 / 1.3
            assert page.locator(part).bounding_box()["y"] >= picture["y"] + picture["height"]

    def test_a_swipe_down_leaves_the_slider(self, visit, photo_file):
        page = visit(width=390, touch=True)
        begin(page, photo_file)
        slider = page.get_by_label("range slider for great-wave")
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        start = box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2
        self.swipe(page, start, (start[0] + 4, start[1] - 120))
        assert slider.input_value() == "0.5"
        # The page has scrolled: the slider may be below the picture that stays in sight.
        slider.evaluate("slider => slider.scrollIntoView({ block: 'center' })")
        box = slider.bounding_box()
        start = box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2
        self.swipe(page, start, (start[0] + 100, start[1]))
        assert float(slider.input_value()) > 0.7  # and one along it moves it

    def test_a_tap_on_a_slider_moves_it(self, visit, photo_file):
        page = visit(width=390, touch=True)
        begin(page, photo_file)
        slider = page.get_by_label("range slider for great-wave")
        slider.evaluate("slider => slider.scrollIntoView({ block: 'center' })")
        box = slider.bounding_box()
        page.touchscreen.tap(box["x"] + box["width"] * 0.98, box["y"] + box["height"] / 2)
        wait_until(lambda: float(slider.input_value()) > 0.9)
        wait_until(lambda: "50% great-wave" not in page.locator("#status").inner_text())

    def test_targets_are_large_enough(self, visit, photo_file):
        page = visit(width=390, touch=True)
        begin(page, photo_file)
        small = page.evaluate("""() => [...document.querySelectorAll(
            "#choose, .tabs [role=tab], .slot input, .slot button, .desk button, "
            + ".controls input[type=range], #styles label, #samples label")]
          .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)
          .map((e) => `${e.tagName} ${e.id || e.className} ${e.getBoundingClientRect().height}`)""")
        assert small == []


class TestStillness:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_nothing_moves_while_the_page_opens(self, visit, width):
        page = visit(width=width, before=SHIFTS)
        page.wait_for_timeout(1000)
        assert page.evaluate("window.shifts") < 0.1

    def test_choosing_a_style_leaves_the_choice_where_it_is(self, visit, photo_file):
        page = visit()
        begin(page, photo_file)
        tile = page.locator("#styles label").last
        before = tile.bounding_box()
        page.get_by_label("scream", exact=True).check(force=True)
        status(page, "33% scream")
        assert tile.bounding_box() == before
