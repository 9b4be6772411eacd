"""Regions: what a brush drew as masks, and the picture and the lines that they make."""

import io

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst.errors import ImageError

pytest.importorskip("gradio", reason="the demo needs gradio")

from arbitrary_nst.demo import brush, mixes, photos, regions_tab, saving
from arbitrary_nst.demo.settings import Settings

# Gradio leaves event loops unclosed, which whatever comes next would be blamed for.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
RED, GREEN, BLUE = brush.COLORS.values()


def png(array):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def drawing(height=24, width=32):
    """Red above, blue at the lower left, half of it, and nothing at the lower right."""
    layer = np.zeros((height, width, 4), np.uint8)
    layer[: height // 2] = (*RED, 255)
    layer[height // 2 :, : width // 2] = (*BLUE, 128)
    return layer


class TestMasks:
    def test_are_where_the_colours_are(self):
        masks = brush.masks_in(png(drawing()))
        assert masks.shape == (24, 32, 3) and masks.dtype == np.uint8
        assert brush.used(masks) == [0, 2]
        assert (masks[:12, :, 0] == 255).all() and not masks[12:, :, 0].any()
        assert (masks[12:, :16, 2] == 128).all() and not masks[:, 16:, 2].any()

    def test_a_smooth_edge_between_two_colours_is_one_of_them(self):
        layer = np.full((1, 1, 4), 255, np.uint8)
        layer[0, 0, :3] = (0.7 * np.array(GREEN) + 0.3 * np.array(BLUE)).astype(np.uint8)
        assert brush.masks_in(png(layer)).tolist() == [[[0, 255, 0]]]

    @pytest.mark.parametrize("layer", [None, png(np.zeros((4, 4, 4), np.uint8))])
    def test_nothing_drawn_is_nothing(self, layer):
        assert brush.masks_in(layer) is None
        assert brush.used(None) == []

    def test_what_is_no_image_is_said_to_be_none(self):
        with pytest.raises(ImageError, match="drawing"):
            brush.masks_in(b"<script>")

    def test_a_huge_drawing_is_refused(self):
        with pytest.raises(ImageError):
            brush.masks_in(png(np.zeros((3000, 3000), np.uint8)))

    @pytest.mark.parametrize("name", list(brush.READY))
    def test_regions_that_are_ready_are_shown_on_the_photo(self, make_photo, name):
        photo = photos.read_photo(png(np.zeros((30, 40, 3), np.uint8)), "a.png", 40, Settings())
        masks = brush.ready(name, photo)
        value = brush.value_of(photo, masks)
        red = np.asarray(value["background"])[..., 0]
        assert not value["layers"]
        if name == "Nothing":
            assert masks is None and not red.any()
        else:
            np.testing.assert_array_equal(red, np.where(masks[..., 0], round(0.7 * 193), 0))

    def test_a_brush_goes_over_a_region_that_was_ready(self):
        below = np.full((1, 3, 3), (255, 0, 0), np.uint8)
        drawn = np.array([[[0, 255, 0], [0, 51, 0], [0, 0, 0]]], np.uint8)
        found = brush.over(drawn, below)
        assert found.tolist() == [[[0, 255, 0], [204, 51, 0], [255, 0, 0]]]
        assert brush.over(None, below) is below and brush.over(drawn, None) is drawn
        assert brush.over(drawn, below[:, :2]) is drawn
        assert brush.over(None, None) is None


class TestLayers:
    """What pages send is bounded, whatever a message made by hand says."""

    def send(self, layers, visitor, index="0", file=b"x", kind="layer"):
        data = {"type": kind, "index": index, "file": b"", "id": "1", "session_hash": visitor}
        message = brush.AcceptBlobs.model_construct(data=data, files=[("a.png", file)])
        layers.accept(message)

    def test_keeps_the_layer_and_nothing_else(self):
        layers = brush.Layers()
        self.send(layers, "one", file=b"before")
        self.send(layers, "one", file=b"drawn")
        self.send(layers, "one", kind="composite", index=None)
        self.send(layers, "one", kind="background", index=None)
        self.send(layers, "large", file=bytes(brush.MAX_BYTES + 1))
        assert layers.get("one") == b"drawn"
        assert layers.get("large") is None and layers.get(None) is None
        layers.forget("one")
        layers.forget("one")
        assert layers.get("one") is None

    def test_the_one_that_was_sent_longest_ago_makes_room(self):
        layers = brush.Layers()
        for number in range(brush.MOST_LAYERS):
            self.send(layers, f"{number}")
        self.send(layers, "0")
        self.send(layers, "another")
        assert layers.get("1") is None and layers.get("0") == layers.get("another") == b"x"

    def test_the_editor_hands_on_to_them(self):
        layers = brush.Layers()
        editor = brush.editor(layers)
        assert editor.accept_blobs._is_server_fn and editor.get_config()["server_fns"]
        self.send(editor.accept_blobs.__self__, "one")
        assert layers.get("one") == b"x" and not editor.blob_storage


class TestOrder:
    look = (1, 1, False)

    def test_styles_are_where_their_brush_was(self):
        masks = brush.masks_in(png(drawing()))
        order = regions_tab.order_of(masks, ("scream", "udnie", "great-wave", "mosaic"), self.look)
        assert order.mix.styles == ("scream", "great-wave", "mosaic")
        assert order.channels == (0, 2, None)
        assert order.masks[2] is None
        np.testing.assert_array_equal(order.masks[1], masks[..., 2])
        words = "scream where it is red, great-wave where it is blue, mosaic elsewhere"
        assert order.words({}) == words

    def test_elsewhere_the_photo_may_stay(self):
        names = ("scream", "udnie", "great-wave", regions_tab.PHOTO)
        order = regions_tab.order_of(brush.masks_in(png(drawing())), names, self.look)
        assert order.channels == (0, 2)
        assert order.words({}).endswith("the photo elsewhere")
        assert regions_tab.order_of(None, names, self.look).mix.is_empty

    @pytest.mark.parametrize("rest", ["starry-night", regions_tab.PHOTO])
    def test_code_makes_the_very_file(self, network, tmp_path, monkeypatch, make_photo, rest):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "served"))
        pixels = np.rint(make_photo(60, 80) * 255).astype(np.uint8)
        (tmp_path / "photo.png").write_bytes(png(pixels))
        photo = photos.read_photo(png(pixels), "photo.png", 40, Settings())
        masks = brush.masks_in(png(drawing(30, 40)))
        order = regions_tab.order_of(masks, ("scream", "udnie", "great-wave", rest), self.look)
        styles = mixes.embeddings_of(order.mix.styles, mixes.embedded_styles(), {})
        job = saving.job_of(photo, order.mix, styles, Settings(), "", order.masks)
        picture = job.work()
        assert picture.size == (80, 60)
        (tmp_path / mixes.REGIONS_FILE).write_bytes(
            (tmp_path / brush.regions_file(masks)).read_bytes()
        )
        exec(mixes.code(photo, order.mix, {}, channels=order.channels), {})
        with Image.open(f"{job.name}.png") as saved:
            np.testing.assert_array_equal(np.asarray(saved), np.asarray(picture))
        if rest == regions_tab.PHOTO:  # pixel by pixel, where nothing was drawn
            np.testing.assert_array_equal(np.asarray(picture)[40:, 50:], pixels[40:, 50:])

    def test_other_regions_are_another_picture(self, make_photo):
        """Else a file of regions that changed meanwhile would be offered."""
        photo = photos.read_photo(png(np.zeros((30, 40, 3), np.uint8)), "a.png", 40, Settings())
        mix, mask = mixes.Mix(("a",), (1.0,)), np.zeros((4, 4), np.uint8)
        keys = [
            saving.job_of(photo, mix, [], Settings(), "", where).key
            for where in (None, [mask], [mask + 1])
        ]
        assert len(set(keys)) == 3
