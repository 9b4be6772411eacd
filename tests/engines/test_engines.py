"""The contract of every engine, and what is particular to cin."""

import threading

import numpy as np
import pytest

from arbitrary_nst import engines
from arbitrary_nst.checkpoints import vgg19_weights
from arbitrary_nst.embedding import Embedding, blend, load_styles, save_styles
from arbitrary_nst.engines import check_engine, load_engine
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.errors import (
    CheckpointError,
    ImageError,
    InputError,
    StyleError,
    WeightsUnavailable,
)


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def engine(request, network_folder):
    return Cin(network_folder, precision=request.param)


@pytest.fixture(scope="module")
def exact(network_folder):
    return Cin(network_folder, precision="float32")


# The contract.


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (33, 50), (64, 48), (16, 99)])
def test_the_picture_has_the_shape_of_the_photo(engine, size, make_photo):
    content = make_photo(*size)
    picture = engine.render(content, engine.styles["great-wave"])
    assert picture.shape == content.shape and picture.dtype == np.float32
    assert picture.min() >= 0 and picture.max() <= 1 and picture.std() > 0.01


def test_the_same_again(engine, photo):
    style = engine.styles["scream"]
    first = engine.render(photo, style)
    np.testing.assert_array_equal(engine.render(photo, style), first)
    assert np.abs(engine.render(photo, engine.styles["great-wave"]) - first).mean() > 0.01


def test_the_seed_decides_what_is_random(engine, photo):
    style = engine.styles["scream"]
    other = engine.render(photo, style, seed=1)
    np.testing.assert_array_equal(engine.render(photo, style, seed=1), other)
    assert not np.array_equal(engine.render(photo, style), other)
    np.testing.assert_array_equal(engine.render_batch([photo], [style], seed=1)[0], other)


def test_inputs_stay_as_they_are(engine, photo):
    before = photo.copy()
    photo.flags.writeable = False
    engine.render(photo, engine.styles["scream"])
    engine.identity(photo)
    np.testing.assert_array_equal(photo, before)


def test_strided_and_float64_photos(engine, photo):
    style = engine.styles["scream"]
    expected = engine.render(np.ascontiguousarray(photo[::-1, ::-1]), style)
    np.testing.assert_array_equal(engine.render(photo[::-1, ::-1], style), expected)
    np.testing.assert_array_equal(
        engine.render(photo[::-1, ::-1].astype(np.float64), style), expected
    )


def test_identity_is_an_embedding_of_the_engine(engine, photo):
    identity = engine.identity(photo)
    assert isinstance(identity, Embedding)
    assert (identity.engine, identity.network) == (engine.name, engine.network)
    assert engine.render(photo, identity).shape == photo.shape


def test_identity_gives_brightness_and_contrast_back(engine, photo):
    """In the last layer stand mean and deviation of the logits, so a sigmoid leads back to them:
    for a photo of 0.2 and 0.8 in equal parts mean 0, deviation log(4).
    """
    halves = np.full((32, 32, 3), 0.2, np.float32)
    halves[:16] = 0.8
    identity = engine.identity(halves)
    np.testing.assert_allclose(identity.arrays["beta"][-3:], 0, atol=1e-5)
    np.testing.assert_allclose(identity.arrays["gamma"][-3:], np.log(4), rtol=1e-5)
    dark = engine.render(0.3 * photo, engine.identity(0.3 * photo)).mean()
    bright = engine.render(photo, engine.identity(photo)).mean()
    assert abs(dark - 0.3 * photo.mean()) < 0.05
    assert abs(bright - photo.mean()) < 0.05


def test_a_blend_of_equal_styles_is_that_style(engine, photo):
    style = engine.styles["scream"]
    expected = engine.render(photo, style)
    for weights in ([1, 1], [0.3, 0.7]):
        np.testing.assert_array_equal(
            engine.render(photo, blend([style, style], weights)), expected
        )


def test_weight_zero_takes_no_part(engine, photo):
    first, second = engine.styles["great-wave"], engine.styles["scream"]
    expected = engine.render(photo, first)
    np.testing.assert_array_equal(engine.render(photo, blend([first, second], [1, 0])), expected)
    np.testing.assert_array_equal(engine.render(photo, blend([second, first], [0, 5])), expected)


def test_the_order_of_the_styles_does_not_matter(engine, photo):
    parts = [engine.styles[name] for name in ("great-wave", "starry-night", "scream")]
    weights = [0.2, 0.5, 0.3]
    forth = engine.render(photo, blend(parts, weights))
    back = engine.render(photo, blend(parts[::-1], weights[::-1]))
    np.testing.assert_array_equal(forth, back)


def test_a_blend_lies_between_its_styles(engine, photo):
    first, second = engine.styles["great-wave"], engine.styles["scream"]
    ends = [engine.render(photo, style) for style in (first, second)]
    middle = engine.render(photo, blend([first, second]))
    distances = [np.abs(middle - end).mean() for end in ends]
    assert 0 < max(distances) < np.abs(ends[0] - ends[1]).mean() * 1.5
    nearer = engine.render(photo, blend([first, second], [9, 1]))
    assert np.abs(nearer - ends[0]).mean() < distances[0]


def test_a_batch_gives_the_single_pictures(engine, make_photo):
    contents = [make_photo(17, 23, seed) for seed in range(3)]
    styles = [engine.styles[name] for name in ("great-wave", "scream", "great-wave")]
    pictures = engine.render_batch(contents, styles)
    assert len(pictures) == 3
    for content, style, picture in zip(contents, styles, pictures, strict=True):
        np.testing.assert_allclose(picture, engine.render(content, style), atol=1e-5)


def test_two_threads_at_once_give_the_same_pictures(engine, make_photo):
    jobs = [
        (make_photo(24 + 8 * i, 40, i), style) for i, style in enumerate(engine.styles.values())
    ]
    expected = [engine.render(*job) for job in jobs]
    found, barrier = {}, threading.Barrier(2)

    def work(order):
        barrier.wait()
        for index in order:
            found[order[0], index] = engine.render(*jobs[index])

    orders = [[0, 1, 2, 3], [3, 2, 1, 0]]
    threads = [threading.Thread(target=work, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    for (_, index), picture in found.items():
        np.testing.assert_array_equal(picture, expected[index])


@pytest.mark.parametrize("size", [(15, 40), (40, 15), (1, 1)])
def test_small_photos_are_refused(engine, size, make_photo):
    message = f"at least 16x16 pixels. Received: {size[1]}x{size[0]}"
    with pytest.raises(ImageError, match=message):
        engine.render(make_photo(*size), engine.styles["scream"])


def test_embeddings_of_another_network_are_refused(engine, photo, other_network_folder):
    stranger = load_styles(other_network_folder / "styles.safetensors")["scream"]
    with pytest.raises(StyleError, match=r"'scream' was made for .* Expected: cin, network cin-"):
        engine.render(photo, stranger)


def test_embeddings_of_another_engine_are_refused(engine, photo):
    stranger = Embedding("magenta", "x", {"bottleneck": np.ones(100, np.float32)}, name="mine")
    with pytest.raises(StyleError, match="'mine' was made for the engine magenta, network x"):
        engine.render(photo, stranger)


def test_embeddings_with_other_arrays_are_refused(engine, photo):
    good = engine.styles["scream"]
    for arrays in (
        {"gamma": good.arrays["gamma"]},
        {"gamma": good.arrays["gamma"], "beta": good.arrays["beta"][:-1]},
    ):
        odd = Embedding("cin", engine.network, arrays, name="odd")
        with pytest.raises(StyleError, match=r"arrays of the style 'odd' do not fit.*Received"):
            engine.render(photo, odd)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros((32, 32, 3), np.uint8), "float array.*Received: uint8"),
        (np.zeros((32, 32, 4)), r"needs the shape \(H, W, 3\)"),
        (np.full((32, 32, 3), np.nan), "NaN"),
        (None, "Received: NoneType"),
    ],
)
def test_what_is_no_image_is_refused(exact, content, message):
    with pytest.raises(ImageError, match=message):
        exact.render(content, exact.styles["scream"])


def test_batches_that_do_not_fit_are_refused(exact, photo, make_photo):
    style = exact.styles["scream"]
    with pytest.raises(InputError, match=r"Received: 2 photos of shapes .*, 2 embeddings"):
        exact.render_batch([photo, make_photo(48, 48)], [style, style])
    with pytest.raises(InputError, match="1 photos of shapes .*, 2 embeddings"):
        exact.render_batch([photo], [style, style])
    with pytest.raises(InputError, match="0 photos"):
        exact.render_batch([], [])


# Particular to cin.


def test_both_precisions_give_nearly_the_same_picture(network_folder, exact, make_photo):
    """The largest difference, in units of 8-bit pictures, is a few steps of 256."""
    content = make_photo(64, 80)
    half = Cin(network_folder, precision="bfloat16")
    for style in exact.styles.values():
        difference = np.abs(half.render(content, style) - exact.render(content, style))
        assert difference.mean() < 0.01 and difference.max() < 0.1


def test_a_style_image_is_refused_with_the_way_out(exact, photo):
    with pytest.raises(StyleError, match=r"is an image.*`arbitrary-nst add-style IMAGE"):
        exact.embed(photo)


def test_wrong_precision(network_folder):
    with pytest.raises(InputError, match="'auto', 'float32', 'bfloat16'. Received: 'float16'"):
        Cin(network_folder, precision="float16")


def test_a_folder_without_a_network(tmp_path):
    with pytest.raises(WeightsUnavailable, match="No cin network in .*network.safetensors"):
        Cin(tmp_path)


def test_styles_of_another_network_in_the_folder(tmp_path, network_folder, other_network_folder):
    for folder, name in ((network_folder, "network"), (other_network_folder, "styles")):
        (tmp_path / f"{name}.safetensors").symlink_to(folder / f"{name}.safetensors")
    with pytest.raises(CheckpointError, match="style 'identity' was made for the engine cin"):
        Cin(tmp_path)


def test_a_damaged_network_file(tmp_path, network_folder):
    (tmp_path / "styles.safetensors").symlink_to(network_folder / "styles.safetensors")
    data = (network_folder / "network.safetensors").read_bytes()
    for damaged in (b"", b"not a network", data[: len(data) // 2], b"\xff" * 500):
        (tmp_path / "network.safetensors").write_bytes(damaged)
        with pytest.raises(CheckpointError, match="network.safetensors is not a readable network"):
            Cin(tmp_path)


# The door.


def test_an_engine_is_loaded_once(network):
    found = []
    threads = [threading.Thread(target=lambda: found.append(load_engine("cin"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3 and len({id(engine) for engine in found}) == 1


def test_an_engine_does_not_wait_for_another_that_is_loaded(network, monkeypatch):
    """Loading vgg19 takes seconds, and a download of magenta minutes."""
    begun, painted, make = threading.Event(), threading.Event(), engines._make

    def slow(name, source):
        if name == "magenta":
            begun.set()
            assert painted.wait(60)
            return object()
        return make(name, source)

    monkeypatch.setattr(engines, "_make", slow)
    monkeypatch.setattr(engines, "_loaded", {})
    monkeypatch.setenv("ARBITRARY_NST_MAGENTA", "anywhere")
    loading = threading.Thread(target=load_engine, args=("magenta",))
    loading.start()
    assert begun.wait(60)
    meanwhile = threading.Thread(target=load_engine, args=("cin",))
    meanwhile.start()
    meanwhile.join(30)
    waits = meanwhile.is_alive()
    painted.set()
    loading.join()
    meanwhile.join()
    assert not waits


def test_another_folder_is_another_engine(network, other_network_folder, monkeypatch):
    first = load_engine("cin")
    monkeypatch.setenv("ARBITRARY_NST_CIN", str(other_network_folder))
    assert load_engine("cin").network != first.network


@pytest.mark.parametrize("name", ["nope", "auto", "CIN", "", None, 3])
def test_unknown_engines(name):
    with pytest.raises(
        InputError,
        match="no engine of that name. Expected one of 'cin', 'magenta', 'vgg19'. ",
    ):
        load_engine(name)


def test_check_engine(exact):
    for engine in ("auto", "cin", exact):
        check_engine(engine)
    for engine in ("nope", "", None, 3, Cin, object(), np.zeros(3)):
        with pytest.raises(InputError, match="'auto', 'cin', 'magenta', 'vgg19', or an engine"):
            check_engine(engine)


# Where weights come from.


def test_styles_without_an_identity(tmp_path, network_folder):
    (tmp_path / "network.safetensors").symlink_to(network_folder / "network.safetensors")
    styles = load_styles(network_folder / "styles.safetensors")
    del styles["identity"]
    save_styles(styles, tmp_path / "styles.safetensors")
    with pytest.raises(CheckpointError, match="lacks the style 'identity'"):
        Cin(tmp_path)


def test_the_weights_of_vgg19(tmp_path, monkeypatch):
    monkeypatch.delenv("ARBITRARY_NST_VGG19", raising=False)
    assert vgg19_weights() == vgg19_weights("imagenet") == "imagenet"
    file = tmp_path / "vgg.h5"
    with pytest.raises(WeightsUnavailable, match="no VGG19 weights file .*vgg.h5"):
        vgg19_weights(file)
    file.touch()
    assert vgg19_weights(file) == str(file)
    monkeypatch.setenv("ARBITRARY_NST_VGG19", str(file))
    assert vgg19_weights() == str(file)
