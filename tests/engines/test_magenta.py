"""The magenta engine, on a tiny SavedModel of the same form that is made anew for each run."""

import shutil
import threading

import numpy as np
import pytest
from PIL import Image
from small_magenta import VECTOR_SIZE, TinyMagenta, save_model, two_images

from arbitrary_nst import api
from arbitrary_nst.cli import main
from arbitrary_nst.embedding import Embedding, blend, load_styles, save_styles
from arbitrary_nst.engines import check_engine
from arbitrary_nst.engines.magenta import Magenta, _windows
from arbitrary_nst.errors import ImageError, InputError, StyleError
from arbitrary_nst.image import to_pil
from arbitrary_nst.networks.magenta.hub import HubNetwork


@pytest.fixture
def engine(magenta_engine):
    return magenta_engine


@pytest.fixture
def painting(make_photo):
    return 1 - make_photo(48, 70, seed=3)


# The contract.


@pytest.mark.parametrize(
    "size", [(2, 2), (3, 5), (4, 4), (7, 9), (15, 16), (17, 23), (33, 50), (64, 48), (2, 99)]
)
def test_the_picture_has_the_shape_of_the_photo(engine, size, make_photo, painting):
    content = make_photo(*size)
    picture = engine.render(content, engine.embed(painting))
    assert picture.shape == content.shape and picture.dtype == np.float32
    assert picture.min() >= 0 and picture.max() <= 1


def test_sides_are_grown_by_reflection(engine, magenta_model, make_photo, painting):
    content = make_photo(21, 30)
    style = engine.embed(painting)
    grown = np.pad(content, ((0, 3), (0, 2), (0, 0)), mode="reflect")
    vector = style.arrays["bottleneck"].reshape(1, 1, 1, -1)
    expected = magenta_model.picture(grown[None], vector).numpy()[0, :21, :30]
    np.testing.assert_allclose(engine.render(content, style), expected, atol=1e-5)


def test_a_photo_of_one_pixel_across_is_refused(engine, painting):
    style = engine.embed(painting)
    with pytest.raises(ImageError, match="at least 2x2 pixels. Received: 30x1"):
        engine.render(np.zeros((1, 30, 3), np.float32), style)


def test_the_same_again_and_inputs_stay_as_they_are(engine, photo, painting):
    before = photo.copy(), painting.copy()
    photo.flags.writeable = painting.flags.writeable = False
    style = engine.embed(painting)
    assert engine.embed(painting) == style
    first = engine.render(photo, style)
    np.testing.assert_array_equal(engine.render(photo, style, seed=5), first)
    np.testing.assert_array_equal(photo, before[0])
    np.testing.assert_array_equal(painting, before[1])
    assert np.abs(engine.render(photo, engine.embed(photo)) - first).mean() > 1e-3


def test_a_batch_is_the_pictures_one_by_one(engine, photo, painting):
    contents, styles = [photo, photo[::-1]], [engine.embed(painting), engine.embed(photo)]
    pairs = zip(contents, styles, strict=True)
    for picture, (content, style) in zip(
        engine.render_batch(contents, styles), list(pairs), strict=True
    ):
        np.testing.assert_array_equal(picture, engine.render(content, style))
    with pytest.raises(InputError, match="2 photos, 1 embeddings"):
        engine.render_batch(contents, styles[:1])


def test_several_threads_get_the_same_pictures(engine, photo, painting):
    expected = engine.render(photo, engine.embed(painting))
    pictures = []
    threads = [
        threading.Thread(
            target=lambda: pictures.append(engine.render(photo, engine.embed(painting)))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pictures) == 4
    for picture in pictures:
        np.testing.assert_array_equal(picture, expected)


def test_embeddings_blend(engine, photo, painting):
    first, second = engine.embed(painting), engine.embed(photo)
    assert first.engine == "magenta" and first.network == engine.network
    assert first.arrays["bottleneck"].shape == (VECTOR_SIZE,)
    ends = [engine.render(photo, style) for style in (first, second)]
    np.testing.assert_array_equal(engine.render(photo, blend([first, second], [1, 0])), ends[0])
    middle = engine.render(photo, blend([first, second]))
    assert all(np.abs(middle - end).mean() > 1e-4 for end in ends)
    assert np.abs(middle - ends[0]).mean() < np.abs(ends[1] - ends[0]).mean()


def test_stored_embeddings_give_the_same_picture_without_the_style_half(
    engine, photo, painting, tmp_path, monkeypatch
):
    fresh = np.asarray(api.stylize(photo, [painting, photo], [2, 1], engine=engine))
    library = {"one": engine.embed(painting), "two": engine.embed(photo)}
    save_styles(library, tmp_path / "styles.safetensors")
    monkeypatch.setattr(engine._network, "_predict", None)  # would fail if it were run
    styles = load_styles(tmp_path / "styles.safetensors")
    np.testing.assert_array_equal(
        np.asarray(api.stylize(photo, styles, [2, 1], engine=engine)), fresh
    )


def test_strength_blends_with_the_photos_own_embedding(engine, photo, painting):
    style = engine.embed(painting)
    assert engine.identity(photo) == engine.embed(photo)
    half = blend([engine.embed(photo), style], [0.5, 0.5])
    picture = np.asarray(api.stylize(photo, style, strength=0.5, engine=engine), np.float32) / 255
    np.testing.assert_allclose(picture, engine.render(photo, half), atol=0.51 / 255)


def test_embeddings_of_others_are_refused(engine, photo):
    arrays = {"bottleneck": np.zeros(VECTOR_SIZE, np.float32)}
    for other in (Embedding("cin", engine.network, arrays), Embedding("magenta", "other", arrays)):
        with pytest.raises(StyleError, match="Expected: magenta, network magenta-hub-"):
            engine.render(photo, other)
    short = Embedding("magenta", engine.network, {"bottleneck": np.zeros(3, np.float32)})
    with pytest.raises(StyleError, match="do not fit the network"):
        engine.render(photo, short)


def test_the_network_is_named_after_its_weights(engine, tmp_path, magenta_folder):
    assert engine.network.startswith("magenta-hub-")
    shutil.copytree(magenta_folder, tmp_path / "copy")
    assert HubNetwork(str(tmp_path / "copy")).network == engine.network
    other = TinyMagenta(seed=1)
    folder = save_model(tmp_path / "other", other, two_images(other.stylize))
    assert HubNetwork(str(folder)).network != engine.network


def test_the_engine_fits_the_api(engine):
    check_engine(engine)


# Styles of all sizes.


@pytest.mark.parametrize(
    ("size", "scale", "shapes"),
    [
        ((256, 256), 1, [(256, 256)]),
        ((512, 512), 1, [(256, 256)]),
        ((40, 44), 1, [(256, 256)]),  # what is left over is not worth a second window
        ((300, 450), 1, [(256, 256)] * 2),
        ((600, 200), 1, [(256, 256)] * 3),
        ((256, 256), 2, [(256, 256)] * 4),
        ((256, 512), 0.5, [(128, 128)] * 2),
        ((1, 5000), 1, [(256, 256)] * 8),
    ],
)
def test_windows_cover_the_style(size, scale, shapes):
    windows = _windows(np.zeros((*size, 3), np.float32), scale)
    assert [window.shape for window in windows] == [(*shape, 3) for shape in shapes]


def test_windows_reach_both_ends():
    style = np.zeros((100, 260, 3), np.float32)
    style[:, 0], style[:, -1] = 1, 1
    windows = _windows(style, 1)
    assert windows[0][:, 0].min() > 0.5 and windows[-1][:, -1].min() > 0.5


def test_a_larger_scale_looks_closer(engine, magenta_folder, make_photo):
    checks = np.indices((64, 64)).sum(axis=0) // 8 % 2
    style = np.repeat(checks[..., None], 3, axis=-1).astype(np.float32)
    closer = Magenta(magenta_folder, style_scale=2)
    assert closer.network == engine.network
    assert closer.embed(style) != engine.embed(style)
    flat = np.full((64, 64, 3), 0.5, np.float32)
    values = [one.embed(flat).arrays["bottleneck"] for one in (engine, closer)]
    np.testing.assert_allclose(values[0], values[1], atol=1e-5)


@pytest.mark.parametrize("scale", [0, -1, 5, float("nan"), "1", None])
def test_scales_out_of_range_are_refused(scale):
    with pytest.raises(InputError, match="`style_scale` is a number from 0.25 to 4. Received"):
        Magenta("nowhere", style_scale=scale)


def test_from_the_shell(network, magenta_folder, tmp_path, monkeypatch, capsys, photo):
    """Images go to the magenta engine by themselves where the cin network has no predictor.

    A library of them needs no style network.
    """
    monkeypatch.setenv("ARBITRARY_NST_MAGENTA", str(magenta_folder))
    monkeypatch.chdir(tmp_path)
    for name in ("photo", "one", "two"):
        to_pil(photo if name == "photo" else np.roll(photo, 9 if name == "one" else 20, 0)).save(
            f"{name}.png"
        )
    assert main(["check", "magenta"]) == 0
    assert "halves differ from the whole" in capsys.readouterr().out
    assert main(["embed", "one.png", "two.png", "-o", "library.safetensors"]) == 0
    assert capsys.readouterr().out == "library.safetensors: one, two\n"
    styles = load_styles("library.safetensors")
    assert [(s.engine, s.name, s.source) for s in styles.values()] == [
        ("magenta", "one", "one.png"),
        ("magenta", "two", "two.png"),
    ]
    assert main(["stylize", "photo.png", "-s", "one.png:2", "-s", "two.png", "-o", "a.png"]) == 0
    expected = np.asarray(api.stylize("photo.png", styles, [2, 1]))
    np.testing.assert_array_equal(np.asarray(Image.open("a.png")), expected)
    with pytest.raises(StyleError, match="Style 1 .'scream'. was made for the engine cin"):
        api.stylize(
            "photo.png",
            [Embedding("cin", "c", {"x": np.ones(3, "f4")}, name="scream")],
            engine="magenta",
        )


def test_the_scale_of_strokes_from_the_shell(magenta_folder, tmp_path, monkeypatch, photo):
    monkeypatch.setenv("ARBITRARY_NST_MAGENTA", str(magenta_folder))
    monkeypatch.chdir(tmp_path)
    to_pil(photo).save("photo.png")
    for scale in ("1", "2"):
        arguments = ["stylize", "photo.png", "-s", "photo.png", "--style-scale", scale]
        arguments += ["--engine", "magenta"]
        assert main([*arguments, "-o", f"{scale}.png"]) == 0
    pictures = [np.asarray(Image.open(f"{scale}.png")) for scale in (1, 2)]
    for scale, picture in enumerate(pictures, start=1):
        engine = Magenta(magenta_folder, style_scale=scale)
        np.testing.assert_array_equal(
            picture, api.stylize("photo.png", ["photo.png"], engine=engine)
        )
    assert not np.array_equal(*pictures)
