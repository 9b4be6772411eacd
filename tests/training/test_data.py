"""Draws, crops and photos of the training."""

from dataclasses import replace

import numpy as np
import pytest
from small_training import LAYOUT, draw_photo, small_config, write_image

from arbitrary_nst.errors import ImageError, InputError
from arbitrary_nst.training.config import StyleSpec
from arbitrary_nst.training.data import (
    BatchSource,
    draw_mixing,
    load_painting,
    load_style,
    random_crop,
)
from arbitrary_nst.training.reading import find_images

PINNED_DRAWS = [[0, 0, 1, 0], [0, 0, 0, 1], [0.3791, 0.6209, 0, 0], [0, 0, 0, 1]]


def test_draws_stay_what_they_were(data):
    """A run that is going on must see the draws that it would have seen before.

    To be made again by printing them; they change only with NumPy's own generators.
    """
    config = small_config(data)
    found = [draw_mixing(config, np.random.default_rng([0, step])).round(4) for step in range(4)]
    np.testing.assert_allclose(found, PINNED_DRAWS, atol=1e-6)


def test_kinds_of_draws(data):
    """Half identity alone, a quarter blends with the identity, a quarter blends of styles."""
    shares = {"identity_share": 0.5, "strength_share": 0.25, "blend_share": 0.25}
    config = small_config(data, **shares)
    rng = np.random.default_rng(0)
    draws = np.array([draw_mixing(config, rng) for _ in range(400)])
    np.testing.assert_allclose(draws.sum(axis=1), 1, rtol=1e-6)
    assert (draws >= 0).all()
    alone = draws[:, 0] == 1
    strength = (draws[:, 0] > 0) & ~alone
    assert abs(alone.mean() - 0.5) < 0.1
    assert abs(strength.mean() - 0.25) < 0.1
    assert ((draws[strength, 1:] > 0).sum(axis=1) == 1).all()
    assert ((draws[draws[:, 0] == 0] > 0).sum(axis=1) >= 2).all()


def test_draws_of_one_style_do_not_blend(data):
    config = small_config(data, blend_share=1.0, strength_share=0.0, identity_share=0.0)
    config = replace(config, styles=config.styles[:1])
    for seed in range(20):
        assert list(draw_mixing(config, np.random.default_rng(seed))) == [0, 1]


def test_batches_are_functions_of_seed_and_step(data):
    source, other = BatchSource(small_config(data)), BatchSource(small_config(data))
    ahead = dict(enumerate(source.batches(3, 9), start=3))
    assert list(ahead) == [3, 4, 5, 6, 7, 8]
    for step in (8, 3):
        alone = other.batch(step)
        assert list(alone) == ["content", "mixing"]
        for name, array in alone.items():
            assert array.dtype == np.float32
            np.testing.assert_array_equal(array, ahead[step][name])
    assert (ahead[3]["content"] != ahead[4]["content"]).any()
    different = BatchSource(small_config(data, seed=1)).batch(3)
    assert (different["content"] != ahead[3]["content"]).any()


def test_noise_of_a_layout_that_has_it(data):
    config = small_config(data, layout=replace(LAYOUT, noise_channels=3))
    assert BatchSource(config).batch(0)["noise"].shape == (2, 8, 8, 3)


@pytest.mark.parametrize("shape", [(5, 7), (32, 32), (33, 200), (200, 33), (1, 1)])
def test_crops_of_any_photo(shape):
    image = np.random.default_rng(0).uniform(size=(*shape, 3)).astype(np.float32)
    for seed in range(5):
        crop = random_crop(image, 32, np.random.default_rng(seed))
        assert crop.shape == (32, 32, 3)
        assert 0 <= crop.min() <= crop.max() <= 1


def test_zoom_enlarges_crops():
    # A grey wedge: the range of values in a crop is the share of the image that it shows.
    image = np.tile(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], (64, 1, 3))
    plain, zoomed = (
        [np.ptp(random_crop(image, 32, np.random.default_rng(s), zoom=zoom)) for s in range(50)]
        for zoom in (1, 2)
    )
    assert min(plain) > 0.45 and max(plain) > 0.9
    assert 0.2 < min(zoomed) < 0.4 and max(zoomed) > 0.9


def test_crops_are_flipped_half_the_time():
    image = np.tile(np.linspace(0, 1, 32, dtype=np.float32)[None, :, None], (32, 1, 3))
    crops = [random_crop(image, 32, np.random.default_rng(seed)) for seed in range(100)]
    flipped = [bool(crop[0, 0, 0] > 0.5) for crop in crops]
    assert 30 < sum(flipped) < 70
    np.testing.assert_array_equal(crops[flipped.index(True)], image[:, ::-1])


def test_broken_photos_are_skipped_and_named_once(data, tmp_path, caplog):
    for seed in range(2):
        write_image(tmp_path / f"{seed}.png", draw_photo(seed))
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.jpg").write_text("no photo")
    source = BatchSource(small_config(data, photos=str(tmp_path)))
    for batch in source.batches(0, 20):
        assert batch["content"].shape == (2, 32, 32, 3)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert all(message.startswith("skipping a photo: ") for message in messages)
    assert {name for name in ("cut.png", "text.jpg") if any(name in m for m in messages)} == {
        "cut.png",
        "text.jpg",
    }


def test_sample_photos_skip_broken_ones(data, tmp_path):
    (tmp_path / "0.png").write_text("no photo")
    for seed in (1, 2):
        write_image(tmp_path / f"{seed}.png", draw_photo(seed))
    samples = BatchSource(small_config(data, photos=str(tmp_path))).samples(4, 16)
    assert [sample.shape for sample in samples] == [(16, 16, 3)] * 2


def test_nothing_but_broken_photos(data, tmp_path):
    (tmp_path / "text.jpg").write_text("no photo")
    source = BatchSource(small_config(data, photos=str(tmp_path)))
    with pytest.raises(InputError, match="100 photos in a row could not be read"):
        source.batch(0)
    with pytest.raises(InputError, match="None of the 1 photos in .* opens"):
        source.samples(4, 16)


def test_find_images(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("b.PNG", "a.jpg", "deep/c.webp", "notes.txt"):
        (tmp_path / name).touch()
    names = [str(path.relative_to(tmp_path)) for path in find_images(tmp_path)]
    assert names == ["a.jpg", "b.PNG", "deep/c.webp"]


def test_folders_without_images(tmp_path):
    with pytest.raises(InputError, match="holds no image file"):
        find_images(tmp_path)
    with pytest.raises(InputError, match="A folder of images was expected. Received: .*nowhere"):
        find_images(tmp_path / "nowhere")


def test_narrow_painting(tmp_path):
    path = write_image(tmp_path / "narrow.png", np.zeros((10, 100, 3)))
    message = "style 'line' is too narrow: 64x6 pixels .* Expected 32"
    with pytest.raises(ImageError, match=message):
        load_style(StyleSpec("line", str(path)), 64)


def test_levels_of_a_hazy_painting(tmp_path):
    values = np.array([0, 51, 102, 153, 255]) / 255
    path = write_image(tmp_path / "hazy.png", np.tile(values[None, :, None], (5, 1, 3)))
    as_it_is = load_painting(StyleSpec("hazy", str(path)))
    np.testing.assert_allclose(as_it_is[0, :, 0], values, atol=1e-6)
    clear = load_painting(StyleSpec("hazy", str(path), levels=(0.2, 0.6)))
    np.testing.assert_allclose(clear[2, :, 1], [0, 0, 0.5, 1, 1], atol=1e-6)
    assert clear.dtype == np.float32


def test_crop_of_a_painting_in_its_mount(tmp_path):
    values = np.zeros((10, 20, 3))
    values[2:9, 5:15] = 0.6
    spec = StyleSpec("scroll", str(write_image(tmp_path / "scroll.png", values)))
    assert load_painting(spec).shape == (10, 20, 3)
    crop = (5 / 20, 2 / 10, 15 / 20, 9 / 10)
    inside = load_painting(replace(spec, crop=crop, levels=(0.2, 1)))
    np.testing.assert_allclose(inside, np.full((7, 10, 3), 0.5), atol=1e-6)
    assert load_painting(replace(spec, crop=(0.5, 0.5, 0.51, 0.51))).shape == (1, 1, 3)
