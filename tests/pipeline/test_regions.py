"""Masks: where in a picture each style goes."""

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst import Embedding, blend, stylize
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.errors import ImageNotFound, InputError
from arbitrary_nst.image import keep_color
from arbitrary_nst.pipeline.regions import cover_of, read_masks, weights_of


def left_half(height=48, width=64):
    mask = np.zeros((height, width), np.float32)
    mask[:, : width // 2] = 1
    return mask


class TestWeights:
    def test_two_masks_side_by_side(self):
        mask = left_half()
        weights = weights_of([mask, 1 - mask], [0.9, 0.1], mask.shape)
        cover = cover_of([mask, 1 - mask], [0.9, 0.1], mask.shape)
        np.testing.assert_allclose(weights[..., 0], mask, atol=1e-6)
        np.testing.assert_array_equal(cover, 1)

    def test_a_style_without_a_mask_takes_the_rest(self):
        mask = left_half()
        weights = weights_of([mask, None], [0.5, 0.5], mask.shape)
        cover = cover_of([mask, None], [0.5, 0.5], mask.shape)
        np.testing.assert_allclose(weights[..., 0], mask, atol=1e-6)
        np.testing.assert_allclose(weights[..., 1], 1 - mask, atol=1e-6)
        assert cover is None

    def test_what_nothing_covers_is_the_photo(self):
        mask = left_half()
        weights = weights_of([mask], [1.0], mask.shape)
        cover = cover_of([mask], [1.0], mask.shape)
        np.testing.assert_array_equal(cover, mask)
        np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)

    def test_grey_is_a_part_and_overlaps_mix_by_weights(self):
        grey = np.full((8, 8), 0.25, np.float32)
        weights = weights_of([grey, None], [0.5, 0.5], grey.shape)
        np.testing.assert_allclose(weights[0, 0], [0.25, 0.75], atol=1e-6)
        white = np.ones((8, 8), np.float32)
        weights = weights_of([white, white], [0.7, 0.3], white.shape)
        cover = cover_of([white, white], [0.7, 0.3], white.shape)
        np.testing.assert_allclose(weights[0, 0], [0.7, 0.3], atol=1e-6)
        np.testing.assert_array_equal(cover, 1)

    def test_a_style_of_weight_zero_covers_nothing(self):
        mask = left_half()
        weights = weights_of([mask, 1 - mask], [0.0, 1.0], mask.shape)
        cover = cover_of([mask, 1 - mask], [0.0, 1.0], mask.shape)
        np.testing.assert_allclose(cover, 1 - mask)
        assert weights[..., 0].max() < 1e-6

    def test_nor_does_it_keep_the_others_out(self):
        mask = left_half()
        weights = weights_of([mask, None], [0.0, 1.0], mask.shape)
        np.testing.assert_array_equal(weights[..., 1], 1)

    def test_an_enlarged_mask_has_no_rings(self):
        """Across an edge from 3/4 to 1/4 it only falls, and never leaves what lies between."""
        mask = 0.25 + left_half(6, 8) / 2
        row = weights_of([mask, None], [0.5, 0.5], (48, 64))[24, :, 0]
        assert (np.diff(row) <= 1e-6).all()
        np.testing.assert_allclose([row.max(), row.min()], [0.75, 0.25], atol=1e-6)

    def test_any_size_is_scaled(self):
        weights = weights_of([left_half(480, 640), None], [0.5, 0.5], (48, 64))
        np.testing.assert_allclose(weights[..., 0], left_half(), atol=0.2)
        weights = weights_of([left_half(6, 8), None], [0.5, 0.5], (48, 64))
        assert weights.min() >= 0 and weights.max() <= 1


class TestReading:
    def test_kinds(self, tmp_path):
        path = tmp_path / "sky.png"
        Image.fromarray((left_half() * 255).astype(np.uint8)).save(path)
        first, second, third = read_masks([path, None, left_half()], 3, 10**6)
        np.testing.assert_allclose(first, left_half(), atol=1e-5)
        np.testing.assert_allclose(third, left_half(), atol=1e-5)
        assert second is None

    def test_transparent_is_black(self):
        rgba = np.ones((4, 4, 4), np.float32)
        rgba[:2, :, 3] = 0
        (mask,) = read_masks([rgba], 1, 100)
        np.testing.assert_allclose(mask[:, 0], [0, 0, 1, 1], atol=1e-5)

    @pytest.mark.parametrize("level", [0.1, 0.25, 0.5, 0.9])
    def test_grey_stays_grey(self, level):
        soft = np.full((8, 8), level, np.float32)
        deep = Image.fromarray(np.full((8, 8), round(255 * level), np.uint8))
        for mask in read_masks([soft, deep], 2, 100):
            np.testing.assert_allclose(mask, level, atol=0.003)

    @pytest.mark.parametrize("masks", [[], [None, None], "sky.png", 3, np.ones((4, 4))])
    def test_one_for_each_style(self, masks):
        with pytest.raises(InputError, match="`masks` is a list with one image"):
            read_masks(masks, 1, 100)

    def test_black_is_refused(self):
        with pytest.raises(InputError, match="Mask 2 is black all over"):
            read_masks([None, np.zeros((4, 4))], 2, 100)

    def test_a_missing_file_is_named(self):
        with pytest.raises(ImageNotFound, match="mask 1 image 'nowhere.png'"):
            read_masks(["nowhere.png"], 1, 100)


@pytest.fixture
def engine(network_folder):
    """A random network, exact to less than a level: what it paints is nothing to rely on."""
    return Cin(network_folder, precision="float32")


@pytest.fixture
def paint(engine):
    """The picture of a photo and styles: float (H, W, 3) of whole levels."""
    return lambda *args, **options: np.asarray(stylize(*args, engine=engine, **options), float)


class TestPictures:
    def test_far_from_the_edge_each_side_has_its_own_style(self, make_photo, paint):
        """The sides mirror each other, so that their statistics are those of the whole."""
        half = make_photo(128, 160)
        photo = np.concatenate([half, half[:, ::-1]], axis=1)
        mask = left_half(*photo.shape[:2])
        both = paint(photo, ["great-wave", "starry-night"], masks=[mask, 1 - mask])
        wave, night = paint(photo, "great-wave"), paint(photo, "starry-night")
        left, right = np.s_[:, :80], np.s_[:, -80:]
        assert np.abs(both - wave)[left].mean() < 0.25 * np.abs(both - night)[left].mean()
        assert np.abs(both - night)[right].mean() < 0.25 * np.abs(both - wave)[right].mean()

    def test_outside_of_all_masks_is_the_photo_itself(self, photo, paint):
        """And inside of them the picture, as it would be without masks."""
        width = photo.shape[1]
        picture = paint(photo, "great-wave", masks=[left_half(*photo.shape[:2])])
        inside, outside = np.s_[:, : width // 2], np.s_[:, width // 2 :]
        np.testing.assert_allclose(picture[outside], 255 * photo[outside], atol=1)
        np.testing.assert_allclose(picture[inside], paint(photo, "great-wave")[inside], atol=1)

    def test_white_masks_are_a_blend(self, photo, paint):
        white = np.ones((10, 10))
        masked = paint(photo, ["great-wave", "scream"], [0.3, 0.7], masks=[white, white])
        plain = paint(photo, ["great-wave", "scream"], [0.3, 0.7])
        np.testing.assert_allclose(masked, plain, atol=1)

    def test_engines_without_regions_lay_pictures_side_by_side(self, photo):
        engine = WithoutRegions()
        mask = left_half(*np.shape(photo)[:2])
        styles = [engine.dark, engine.bright]
        picture = np.asarray(stylize(photo, styles, masks=[mask, 1 - mask], engine=engine))
        assert picture[:, 0].max() == 0 and picture[:, -1].min() == 255

    @pytest.mark.parametrize("level", [0.25, 0.7])
    def test_a_grey_mask_is_a_part_of_the_picture(self, photo, level):
        engine = WithoutRegions()
        soft = np.full((10, 12), level, np.float32)
        both = stylize(photo, [engine.bright, engine.dark], masks=[soft, None], engine=engine)
        np.testing.assert_allclose(np.asarray(both), 255 * level, atol=1)
        alone = stylize(photo, [engine.bright], masks=[soft], engine=engine)
        np.testing.assert_allclose(
            np.asarray(alone), 255 * (photo + level * (1 - photo)), atol=1.01
        )

    def test_strength_is_a_blend_under_masks_too(self, photo, engine, paint):
        masks = [left_half(*photo.shape[:2])]
        picture = paint(photo, "scream", masks=masks, strength=0.3)
        mixed = blend([engine.identity(photo), engine.styles["scream"]], [0.7, 0.3])
        np.testing.assert_array_equal(picture, paint(photo, mixed, masks=masks))
        assert np.abs(picture - paint(photo, "scream", masks=masks)).max() > 1

    def test_the_colours_of_the_photo_stay_under_masks(self, photo, paint):
        """The luma is that of the masked picture, the chroma that of the photo."""
        masks = [left_half(*photo.shape[:2])]
        picture = paint(photo, "scream", masks=masks, color="content")
        masked = paint(photo, "scream", masks=masks)
        expected = keep_color((masked / 255).astype(np.float32), photo)
        # Each of both was rounded to whole levels once.
        np.testing.assert_allclose(picture, 255 * expected, atol=1.01)
        assert np.abs(picture - masked).max() > 2


class WithoutRegions:
    """Paints everything black or white."""

    name, network, styles = "plain", "plain-1", {}

    def __init__(self):
        self.dark, self.bright = (
            Embedding("plain", "plain-1", {"level": np.full(1, level, np.float32)}, name=name)
            for level, name in ((0, "dark"), (1, "bright"))
        )

    def embed(self, image):
        return self.dark

    identity = embed

    def render(self, content, embedding, *, seed=0):
        return np.full(content.shape, embedding.arrays["level"][0], np.float32)

    def render_batch(self, contents, embeddings, *, seed=0):
        return [self.render(*pair) for pair in zip(contents, embeddings, strict=True)]
