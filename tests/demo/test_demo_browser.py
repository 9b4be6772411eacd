"""The demo in a real browser: what a visitor does, and what two of them do at once.

With `ARBITRARY_NST_SCREENSHOTS` naming a folder, the pictures of the documentation are made there.
"""

import io
import os
import time
from pathlib import Path

import numpy as np
import pytest
from browsing import IN_A_BROWSER, FakeVgg19, begin, pixels, read, same, status, upload, wait_until
from PIL import Image

from arbitrary_nst import embed, save_styles, stylize

pytest.importorskip("gradio", reason="the demo needs gradio")
from arbitrary_nst.demo import painting_tab

pytestmark = IN_A_BROWSER


class TestBlend:
    def test_from_photo_to_download(self, visit, network, photo_file, tmp_path):
        page = visit()
        begin(page, photo_file)
        assert same(pixels(page), stylize(photo_file, ["great-wave", "starry-night"]))

        page.get_by_label("scream", exact=True).check()
        page.get_by_role("button", name="Remove great-wave").click()
        status(page, "50% starry-night, 50% scream")
        assert not page.get_by_label("great-wave", exact=True).is_checked()

        weight = page.get_by_label("range slider for scream")
        weight.focus()
        weight.press("Home")  # 0
        status(page, "100% starry-night")
        for _ in range(25):
            weight.press("ArrowRight")
        status(page, "67% starry-night, 33% scream")
        mix = ["starry-night", "scream"], [0.5, 0.25]
        wait_until(lambda: same(pixels(page), stylize(photo_file, *mix)))

        page.get_by_label("Keep the colours").check()
        page.get_by_label("range slider for Strength").fill("0.5")
        options = {"strength": 0.5, "color": "content"}
        wanted = stylize(photo_file, *mix, **options)
        wait_until(lambda: same(pixels(page), wanted))

        with page.expect_download() as download:
            page.get_by_role("button", name="Full-size PNG").click()
        download.value.save_as(tmp_path / "out.png")
        with Image.open(tmp_path / "out.png") as saved:
            np.testing.assert_array_equal(np.asarray(saved), np.asarray(wanted))

        page.get_by_text("The same picture from Python").click()
        lines = page.locator("#code .cm-content").inner_text()
        assert '["starry-night", "scream"]' in lines
        assert "strength=0.5" in lines

    def test_dragging_ends_at_the_last_place(self, visit, network, photo_file):
        """Many moves in a row: few pictures, and the last of them is that of the last move."""
        page = visit()
        begin(page, photo_file)
        page.requested.clear()
        slider = page.get_by_label("range slider for great-wave")
        for step in range(41):
            slider.fill(f"{step / 40:.2f}")
        status(page, "67% great-wave, 33% starry-night")
        wanted = stylize(photo_file, ["great-wave", "starry-night"], [1, 0.5])
        wait_until(lambda: same(pixels(page), wanted))
        asked = [url for url in page.requested if "queue/join" in url]
        assert 2 <= len(asked) < 41

    def test_no_weight_at_all_is_the_photo(self, visit, network, photo_file):
        page = visit()
        begin(page, photo_file)
        for name in ("great-wave", "starry-night"):
            page.get_by_label(f"range slider for {name}").fill("0")
        status(page, "All weights are 0")
        with Image.open(photo_file) as photo:
            assert same(pixels(page), photo)

    def test_the_network_is_not_asked(self, visit, photo_file):
        page = visit()
        begin(page, photo_file)
        for tab, part in (("Between", "#pad-result img"), ("Any", "#quality"), ("My", "#forget")):
            page.get_by_role("tab", name=tab).click()
            page.locator(part).first.wait_for()
        outside = [url for url in page.requested if not url.startswith(("data:", "blob:"))]
        assert {url.split("/")[2].split(":")[0] for url in outside} == {"127.0.0.1"}

    def test_two_visitors_do_not_see_each_other(self, visit, network, photo_file, tmp_path):
        other_file = tmp_path / "other.png"
        Image.new("RGB", (128, 96), (250, 120, 30)).save(other_file)
        ann, bob = visit(), visit()
        begin(ann, photo_file)
        begin(bob, other_file)
        ann.get_by_label("range slider for great-wave").fill("1")
        bob.get_by_label("scream", exact=True).check()
        status(ann, "67% great-wave, 33% starry-night")
        status(bob, "33% great-wave, 33% starry-night, 33% scream")
        wanted = stylize(photo_file, ["great-wave", "starry-night"], [1, 0.5])
        assert same(pixels(ann), wanted)
        wanted = stylize(other_file, ["great-wave", "starry-night", "scream"])
        assert same(pixels(bob), wanted)


class TestHostileUploads:
    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("photo.jpg", b"<script>alert(1)</script>", "The photo is not an image"),
            ("photo.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "not an image"),
            ("large.png", None, "megapixels"),
            ("file.bmp", bytes(5_000_000), "size"),
        ],
    )
    def test_is_answered_in_words(self, visit, photo_file, tmp_path, name, content, words):
        page = visit()
        begin(page, photo_file)
        if content is None:
            stream = io.BytesIO()
            Image.new("1", (3000, 3000)).save(stream, "PNG")
            content = stream.getvalue()
        (tmp_path / name).write_bytes(content)
        upload(page, tmp_path / name)
        page.locator(".toast-body").get_by_text(words).first.wait_for()
        page.locator("#photo-info").get_by_text("hill.png").wait_for()  # the good photo stays
        status(page, "128 × 96 pixels")
        begin(page, photo_file)  # and all goes on


class TestBetween:
    def test_strip_and_pad(self, visit, network, photo_file):
        page = visit()
        begin(page, photo_file)
        page.get_by_role("tab", name="Between styles").click()
        strip = page.locator("#strip img")
        wait_until(lambda: strip.count() == 5)
        words = [image.get_attribute("alt") for image in strip.all()]
        assert words == ["great-wave", "75% : 25%", "50% : 50%", "25% : 75%", "starry-night"]
        assert same(
            read(page, strip.nth(0).get_attribute("src")), stylize(photo_file, "great-wave")
        )

        box = page.locator(".pad").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] + 20, box["y"] - 20, steps=5)
        page.mouse.up()
        corner = page.locator("#pad-status")
        corner.get_by_text("100% scream").wait_for()
        page.get_by_label("range slider for Left to right").fill("0")
        page.get_by_label("range slider for Top to bottom").fill("0")
        corner.get_by_text("100% great-wave").wait_for()
        wanted = stylize(photo_file, "great-wave")
        wait_until(lambda: same(pixels(page, "pad-result"), wanted))


class TestAnyPainting:
    def test_says_that_magenta_is_not_at_hand(self, visit, photo_file):
        page = visit()
        begin(page, photo_file)
        page.get_by_role("tab", name="Any painting").click()
        page.locator("#notice").get_by_text("Not at hand here").wait_for()
        upload(page, photo_file, "painting-1")
        page.locator("#painting-1 img").wait_for()
        page.get_by_role("button", name="Paint", exact=True).click()
        page.locator(".toast-body").get_by_text("Magenta network").first.wait_for()

    def test_full_quality_streams_and_stops(self, visit, network, photo_file, monkeypatch):
        engine = FakeVgg19()
        monkeypatch.setattr(painting_tab, "load_engine", lambda name: engine)
        monkeypatch.setattr(painting_tab, "PREVIEW_SECONDS", 0.2)
        page = visit()
        begin(page, photo_file)
        page.get_by_role("tab", name="Any painting").click()
        page.get_by_label("Full quality").check()
        upload(page, photo_file, "painting-1")
        page.locator("#painting-1 img").wait_for()
        page.get_by_role("button", name="Paint", exact=True).click()
        page.locator("#progress").get_by_text("of 400").wait_for()
        page.locator("#painting-result img").last.wait_for()
        first = page.locator("#painting-result img").last.get_attribute("src")
        picture = page.locator("#painting-result img").last
        wait_until(lambda: picture.get_attribute("src") != first)
        page.get_by_role("button", name="Cancel").click()
        page.locator("#painting-status").get_by_text("Cancelled").wait_for()

        def has_stopped():
            before = engine.steps
            time.sleep(0.6)
            return engine.steps == before

        wait_until(has_stopped)
        assert 0 < engine.steps < 400
        page.get_by_role("tab", name="Blend").click()
        page.get_by_label("range slider for great-wave").fill("1")
        status(page, "67% great-wave")


class TestMyStyles:
    def test_a_library_is_loaded_mixed_and_saved(self, visit, network, photo_file, tmp_path):
        mine = embed("scream")
        save_styles({"mine": mine, "great-wave": mine}, tmp_path / "library.safetensors")
        page = visit()
        begin(page, photo_file)
        page.get_by_role("tab", name="My styles").click()
        with page.expect_file_chooser() as chooser:
            page.locator("#load-library").click()
        chooser.value.set_files(tmp_path / "library.safetensors")
        with page.expect_download() as download:
            page.get_by_text("Save as a file").click()
        download.value.save_as(tmp_path / "saved.safetensors")
        page.get_by_role("tab", name="Blend").click()
        page.get_by_label("mine", exact=True).check()
        page.get_by_label("great-wave-2", exact=True).wait_for()
        page.get_by_role("button", name="Remove great-wave").click()
        status(page, "50% starry-night, 50% mine")
        page.get_by_role("button", name="Remove starry-night").click()
        status(page, "100% mine")
        wait_until(lambda: same(pixels(page), stylize(photo_file, "scream")))

    def test_a_damaged_library_is_refused_in_words(self, visit, tmp_path):
        (tmp_path / "bad.safetensors").write_bytes(b"\xff" * 64)
        page = visit()
        page.get_by_role("tab", name="My styles").click()
        with page.expect_file_chooser() as chooser:
            page.locator("#load-library").click()
        chooser.value.set_files(tmp_path / "bad.safetensors")
        toast = page.locator(".toast-body").get_by_text("bad.safetensors").first
        toast.wait_for()
        assert str(tmp_path) not in toast.inner_text()


class TestLooks:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_nothing_is_wider_than_the_screen(self, visit, photo_file, width):
        page = visit(width=width)
        begin(page, photo_file)
        for tab in ("Blend", "Between styles"):
            page.get_by_role("tab", name=tab).click()
            assert page.evaluate("document.documentElement.scrollWidth") <= width

    def test_pictures_have_words(self, visit, photo_file):
        page = visit()
        begin(page, photo_file)
        images = page.locator("#result img, #photo img")
        wait_until(lambda: all(image.get_attribute("alt") for image in images.all()))

    @pytest.mark.skipif("ARBITRARY_NST_SCREENSHOTS" not in os.environ, reason="only when asked for")
    def test_screenshots(self, visit, serve):
        """With the packaged network and a sample photo, as a visitor first sees the page."""
        folder = Path(os.environ["ARBITRARY_NST_SCREENSHOTS"])
        shots = [("laptop", 1280, "light"), ("dark", 1280, "dark"), ("phone", 390, "light")]
        mix = "Composition VII"
        with serve(ARBITRARY_NST_CIN=None, ARBITRARY_NST_MAGENTA=None) as url:
            for name, width, scheme in shots:
                page = visit(url, width, scheme, mix)
                page.locator("#result img").last.wait_for()
                shoot(page, folder / f"demo-{name}.jpg")
            page = visit(url, mix=mix)
            page.locator("#result img").last.wait_for()
            page.get_by_role("tab", name="Between styles").click()
            page.locator("#strip img").last.wait_for()
            page.locator("#pad-result img").last.wait_for()
            shoot(page, folder / "demo-between.jpg")


def shoot(page, path):
    """Writes the whole page as a picture."""
    page.wait_for_timeout(2000)  # for the last pictures
    page.screenshot(path=path, full_page=True, type="jpeg", quality=88)
