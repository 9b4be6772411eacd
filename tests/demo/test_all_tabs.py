"""One promise in all tabs: the visitor's photo, live controls, and a file in the photo's size."""

import io

import numpy as np
import pytest
from browsing import IN_A_BROWSER, FakeVgg19, begin, pixels, read, same, status, upload, wait_until
from PIL import Image

from arbitrary_nst import embed, save_styles, stylize

pytest.importorskip("gradio", reason="the demo needs gradio")
from arbitrary_nst.demo import painting_tab

pytestmark = IN_A_BROWSER


def saved(page, button):
    """The file that a button leads to, as pixels."""
    with page.expect_download() as download:
        page.locator(button).click()
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as picture:
        return np.asarray(picture)


class FakeCin:
    """Takes any painting at once, for "scream"."""

    name = "cin"

    def embed(self, style):
        return embed("scream")


class TestBetween:
    def open(self, page):
        page.get_by_role("tab", name="Between styles").click()
        page.locator("#pad-result img").last.wait_for()
        wait_until(lambda: page.locator("#strip img").count() == 5)

    def test_shows_the_visitors_photo_and_saves_its_size(self, visit, network, tmp_path):
        path = tmp_path / "wide.png"
        pixels_of_photo = np.zeros((330, 660, 3), np.uint8)
        pixels_of_photo[:, 330:] = (250, 120, 30)
        Image.fromarray(pixels_of_photo).save(path)
        page = visit()
        upload(page, path)
        status(page, "512 × 256 pixels")
        self.open(page)
        strip = page.locator("#strip img")
        picture = read(page, strip.nth(2).get_attribute("src"))
        assert picture.shape[:2] == (256, 512)  # no square
        strip.nth(0).click()
        page.locator("#pad-status").get_by_text("100% great-wave").wait_for()
        wanted = stylize(path, "great-wave", working_size=512)
        assert np.array_equal(saved(page, "#pad-full"), np.asarray(wanted))

    def test_has_its_own_controls(self, visit, network, photo_file):
        page = visit()
        begin(page, photo_file)
        self.open(page)
        page.locator("#strip img").nth(4).click()
        page.locator("#pad-status").get_by_text("100% starry-night").wait_for()
        page.locator("#pad-keep input").check()
        wanted = stylize(photo_file, "starry-night", color="content")
        wait_until(lambda: same(pixels(page, "pad-result"), wanted))


class TestRegions:
    def open(self, page):
        page.get_by_role("tab", name="Regions").click()
        page.locator("#regions-editor canvas").first.wait_for()
        page.locator("#regions-result img").last.wait_for()

    def choose(self, page, part, words):
        """By keyboard, as whoever has no mouse does."""
        field = page.locator(f"#{part} input")
        field.fill(words)
        page.wait_for_timeout(500)  # nobody types and confirms in one frame of the page
        field.press("Enter")
        page.wait_for_timeout(200)
        assert field.input_value() == words

    def test_a_half_without_a_brush(self, visit, network, photo_file):
        page = visit()
        begin(page, photo_file)
        self.open(page)
        self.choose(page, "rest", "The photo as it is")
        self.choose(page, "ready", "The upper half")
        page.locator("#regions-status").get_by_text("where it is red").wait_for()
        mask = np.zeros((96, 128), np.uint8)
        mask[:48] = 255
        wanted = stylize(photo_file, "starry-night", masks=[mask])
        wait_until(lambda: same(pixels(page, "regions-result"), wanted))
        assert np.array_equal(saved(page, "#regions-full"), np.asarray(wanted))
        # A stroke adds to it; the rest stays the photo.
        box = page.locator("#regions-editor canvas").first.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x - 30, y + 100)
        page.mouse.down()
        page.mouse.move(x + 30, y + 100, steps=5)
        page.mouse.up()

        def changed():
            apart = np.abs(pixels(page, "regions-result").astype(int) - np.asarray(wanted))
            return apart[60:, 48:80].mean() > 20 and apart[:20].mean() < 20

        wait_until(changed)

    def test_a_stroke_is_where_its_style_goes(self, visit, network, photo_file):
        page = visit()
        begin(page, photo_file)
        self.open(page)
        page.wait_for_timeout(2000)
        before = pixels(page, "regions-result")
        asked = len(page.requested)
        box = page.locator("#regions-editor canvas").first.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x - 30, y)
        page.mouse.down()
        page.mouse.move(x + 30, y, steps=5)
        page.mouse.up()
        page.locator("#regions-status").get_by_text("starry-night where it is red").wait_for()
        wait_until(lambda: not np.array_equal(pixels(page, "regions-result"), before))
        before = pixels(page, "regions-result")
        page.locator("#regions-strength input[type=range]").fill("0.5")
        wait_until(lambda: not np.array_equal(pixels(page, "regions-result"), before))
        # Else half an hour with a brush would be more than a visitor may upload.
        assert not [url for url in page.requested[asked:] if "/upload" in url]


class TestMyStyles:
    def test_a_style_is_painted_and_saved(self, visit, network, photo_file, tmp_path):
        save_styles({"mine": embed("scream")}, tmp_path / "library.safetensors")
        page = visit()
        begin(page, photo_file)
        page.get_by_role("tab", name="My styles").click()
        with page.expect_file_chooser() as chooser:
            page.locator("#load-library").click()
        chooser.value.set_files(tmp_path / "library.safetensors")
        page.locator("#mine-status").get_by_text("mine · 128 × 96 pixels").wait_for()
        page.locator("#mine-keep input").check()
        page.locator("#mine-strength input[type=range]").fill("0.5")
        wanted = stylize(photo_file, "scream", strength=0.5, color="content")
        wait_until(lambda: same(pixels(page, "mine-result"), wanted))
        assert np.array_equal(saved(page, "#mine-full"), np.asarray(wanted))


class TestAnyPainting:
    def paint(self, page, photo_file):
        page.get_by_role("tab", name="Any painting").click()
        upload(page, photo_file, "painting-1")
        page.locator("#painting-1 img").wait_for()
        page.get_by_role("button", name="Paint", exact=True).click()

    @pytest.fixture
    def at_once(self, monkeypatch):
        """The demo's own engine, as where the network takes images."""
        monkeypatch.setattr(painting_tab, "load_engine", lambda name: FakeCin())
        monkeypatch.setattr(painting_tab, "_key", lambda engine, file: f"cin {file['path']}")

    def test_a_new_painting_once_and_then_sliders_are_live(
        self, visit, network, photo_file, at_once, tmp_path
    ):
        page = visit()
        begin(page, photo_file)
        self.paint(page, photo_file)
        wait_until(lambda: page.locator("#painting-result img").count())
        wait_until(lambda: same(pixels(page, "painting-result"), stylize(photo_file, "scream")))
        page.locator("#painting-strength input[type=range]").fill("0.5")
        wanted = stylize(photo_file, "scream", strength=0.5)
        wait_until(lambda: same(pixels(page, "painting-result"), wanted))
        other = tmp_path / "other.png"
        Image.new("RGB", (128, 96), (250, 120, 30)).save(other)
        upload(page, other)
        wanted = stylize(other, "scream", strength=0.5)
        wait_until(lambda: same(pixels(page, "painting-result"), wanted))
        assert np.array_equal(saved(page, "#painting-full"), np.asarray(wanted))

    def test_another_painting_takes_away_the_picture_without_it(
        self, visit, photo_file, at_once, tmp_path
    ):
        page, other = visit(), tmp_path / "other.png"
        Image.new("RGB", (128, 96), (250, 120, 30)).save(other)
        begin(page, photo_file)
        self.paint(page, photo_file)
        page.locator("#painting-full").get_by_text("128 × 96").wait_for()
        upload(page, other, "painting-2")
        page.locator("#painting-status").get_by_text("Press Paint for the picture").wait_for()
        page.locator("#painting-full").wait_for(state="hidden")
        page.get_by_role("button", name="Paint", exact=True).click()
        page.locator("#painting-full").get_by_text("128 × 96").wait_for()

    def test_cancelled_stays_and_the_picture_so_far_is_kept(
        self, visit, network, photo_file, monkeypatch
    ):
        engine = FakeVgg19(pause=0.5)  # else a busy machine has it done before the click
        monkeypatch.setattr(painting_tab, "load_engine", lambda name: engine)
        monkeypatch.setattr(painting_tab, "PREVIEW_SECONDS", 0.2)
        page = visit()
        begin(page, photo_file)
        page.get_by_role("tab", name="Any painting").click()
        cancel = page.get_by_role("button", name="Cancel")
        assert cancel.is_disabled()  # there is nothing to cancel
        page.get_by_label("Full quality").check()
        self.paint(page, photo_file)
        page.locator("#progress").get_by_text("of 400").wait_for()
        first = page.locator("#painting-result img").last.get_attribute("src")
        picture = page.locator("#painting-result img").last
        wait_until(lambda: picture.get_attribute("src") != first)
        cancel.click()
        told = page.locator("#painting-status").get_by_text("Cancelled. The picture so far")
        told.wait_for()
        page.wait_for_timeout(1500)
        assert told.is_visible() and cancel.is_disabled()
        assert saved(page, "#painting-full").shape == (96, 128, 3)
