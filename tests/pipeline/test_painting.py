"""The scale of strokes, and photos that are too large for one pass."""

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst import stylize
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import resize
from arbitrary_nst.pipeline.paint import at_strength

pytestmark = pytest.mark.usefixtures("network")


@pytest.fixture
def large_photo(photo):
    """Float (96, 120, 3) with fine noise, so that it has detail to lose."""
    noise = np.random.default_rng(0).normal(0, 0.05, (96, 120, 1))
    return (resize(photo, shape=(96, 120)) + noise).clip(0, 1).astype(np.float32)


def shrunk(picture, size):
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS), float)


class TestStrength:
    @pytest.mark.parametrize("strength", [0.0, 0.05, 0.5, 0.95])
    def test_below_one_it_is_a_blend(self, photo, strength):
        engine = Cin(runtime="onnx")
        style, identity = engine.styles["scream"], engine.identity(photo)
        found = at_strength(engine, photo, style, strength)
        for name in ("gamma", "beta"):
            expected = (1 - strength) * identity.arrays[name] + strength * style.arrays[name]
            np.testing.assert_allclose(found.arrays[name], expected, atol=1e-6)

    def test_at_one_it_is_the_style_itself(self, photo):
        engine = Cin(runtime="onnx")
        assert at_strength(engine, photo, engine.styles["scream"], 1.0) is engine.styles["scream"]


class TestScale:
    def test_the_result_is_as_large_as_the_photo(self, large_photo):
        assert stylize(large_photo, "scream", working_size=40).size == (120, 96)
        assert stylize(large_photo, "scream", texture_scale=2.5).size == (120, 96)
        assert stylize(large_photo, "scream", texture_scale=0.5).size == (120, 96)

    def test_downscaled_it_is_the_preview(self, large_photo):
        """The picture at the working size and the large one, made as small, look alike."""
        preview = np.asarray(stylize(large_photo, "great-wave", size=40), float)
        large = stylize(large_photo, "great-wave", working_size=40)
        plain = stylize(large_photo, "great-wave")
        error = np.abs(shrunk(large, (40, 32)) - preview).mean()
        assert error < 0.2 * np.abs(shrunk(plain, (40, 32)) - preview).mean()

    def test_the_factor_and_the_size_say_the_same(self, large_photo):
        one = stylize(large_photo, "scream", working_size=40)
        other = stylize(large_photo, "scream", texture_scale=3)
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))

    def test_at_the_photos_own_size_nothing_changes(self, large_photo):
        one = stylize(large_photo, "scream", working_size=120)
        np.testing.assert_array_equal(np.asarray(one), np.asarray(stylize(large_photo, "scream")))

    def test_transparency_stays(self, large_photo):
        rgba = np.concatenate([large_photo, np.full((96, 120, 1), 0.5, np.float32)], axis=-1)
        picture = stylize(rgba, "scream", working_size=60)
        assert picture.mode == "RGBA" and picture.size == (120, 96)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"working_size": 0}, "`working_size` needs to be a whole number"),
            ({"working_size": 1.5}, "`working_size` needs to be a whole number"),
            ({"texture_scale": 0}, "`texture_scale` is a number above 0"),
            ({"texture_scale": float("nan")}, "`texture_scale` is a number above 0"),
            ({"texture_scale": "2"}, "`texture_scale` is a number above 0"),
            ({"texture_scale": 2, "working_size": 9}, "say the same thing in two ways"),
            ({"max_memory": -1}, "`max_memory` is a number above 0"),
            ({"max_memory": True}, "`max_memory` is a number above 0"),
        ],
    )
    def test_wrong_values(self, photo, options, message):
        with pytest.raises(InputError, match=message):
            stylize(photo, "scream", **options)


class TestMemory:
    """A photo that needs more than `max_memory` is painted in passes."""

    @pytest.fixture(autouse=True)
    def small_limits(self, monkeypatch):
        # As if strips needed nothing: what is kept has to fit.
        monkeypatch.setattr("arbitrary_nst.networks.cin.large.STRIP_BYTES", 0)

    def test_passes_give_the_same_picture(self, large_photo, network):
        told = []
        engine = Cin(network, precision="float32")
        wanted = np.asarray(stylize(large_photo, "great-wave", engine=engine), float)
        picture = stylize(
            large_photo,
            "great-wave",
            engine=engine,
            max_memory=1.5e6,
            progress=lambda *state, preview=None: told.append(state),
        )
        assert any(message == "passes over a large photo" for _, _, message in told)
        np.testing.assert_allclose(np.asarray(picture, float), wanted, atol=1)

    def test_large_photos_stay_in_bytes(self, large_photo, monkeypatch):
        monkeypatch.setattr("arbitrary_nst.pipeline.contents.LARGE_PIXELS", 100)
        photo = np.rint(large_photo * 255).astype(np.uint8)
        picture = stylize(photo, "scream", max_memory=1.5e6, color="content", strength=0.5)
        assert picture.mode == "RGB" and picture.size == (120, 96)
        small = stylize(photo, "scream", size=40)
        assert small.size == (40, 32)
        masked = stylize(photo, "scream", masks=[np.eye(5)], max_memory=1.5e6)
        assert masked.size == (120, 96)
        scaled = stylize(Image.fromarray(photo), "scream", working_size=60)
        assert scaled.size == (120, 96)

    def test_too_little_is_said(self, large_photo):
        with pytest.raises(InputError, match="needs .* GB to be painted"):
            stylize(large_photo, "scream", max_memory=1e3)
