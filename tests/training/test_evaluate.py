"""Scores of pictures, their table and their CSV file."""

import csv

import numpy as np
import pytest
from small_training import draw_painting, draw_photo, small_vgg, write_image

from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.errors import ImageError, InputError, StyleError, WeightsUnavailable
from arbitrary_nst.image import resize
from arbitrary_nst.networks.detail import detail_mask
from arbitrary_nst.networks.vgg import gram_matrix
from arbitrary_nst.training.config import StyleSpec
from arbitrary_nst.training.evaluate import (
    LOSSES,
    OTHERS,
    Score,
    edge_similarity,
    evaluate_styles,
    format_table,
    write_csv,
)
from arbitrary_nst.training.statistics import to_array


class Darker:
    """An engine that halves the photo, whatever the style."""

    name, network = "darker", "darker-1"

    def __init__(self):
        arrays = {"x": np.ones(1, np.float32)}
        self.styles = {
            name: Embedding(self.name, self.network, arrays, name=name)
            for name in ("identity", "waves", "checks")
        }

    def embed(self, style):
        raise AssertionError("styles are known by name here")

    def identity(self, content):
        return self.styles["identity"]

    def render(self, content, embedding, **_):
        return content / 2

    def render_batch(self, contents, embeddings, **_):
        return [content / 2 for content in contents]


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photo")
    return write_image(folder / "photo.png", draw_photo(0, 32, 48))


@pytest.fixture(scope="module")
def specs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paintings")
    return [
        StyleSpec(name, str(write_image(folder / f"{name}.png", draw_painting(name, 48))))
        for name in ("waves", "checks")
    ]


@pytest.fixture(scope="module")
def scores(specs, photo):
    return evaluate_styles(specs, [photo], size=48, vgg=small_vgg(), engines=[Darker()])


def features_of(image):
    return [to_array(feature)[0] for feature in small_vgg()(image.astype(np.float32)[None])]


def relative(found, target):
    return ((found - target) ** 2).sum() / (target**2).sum()


def grams(features):
    return [np.einsum("hwc,hwd->cd", f, f) / f[..., 0].size for f in features[:-1]]


def read(path):
    from arbitrary_nst.image import load_image

    return load_image(path)[0]


def test_one_score_of_the_photo_and_one_of_the_picture(scores):
    assert [(s.engine, s.style, s.photo) for s in scores] == [
        ("photo", "waves", "photo.png"),
        ("darker", "waves", "photo.png"),
        ("photo", "checks", "photo.png"),
        ("darker", "checks", "photo.png"),
    ]


def test_scores_by_hand(scores, specs, photo):
    """The two measures written out with NumPy."""
    image = read(photo)
    own, darker = features_of(image), features_of(image / 2)
    for index, spec in enumerate(specs):
        targets = grams(features_of(read(spec.file)))
        for score, features in ((scores[2 * index], own), (scores[2 * index + 1], darker)):
            style = np.mean([relative(g, t) for g, t in zip(grams(features), targets, strict=True)])
            assert score.style_loss == pytest.approx(style, rel=1e-4)
            content = relative(features[-1], own[-1])
            assert score.content_loss == pytest.approx(content, rel=1e-4)


def test_photo_itself_has_no_content_loss(scores):
    assert [s.content_loss for s in scores if s.engine == "photo"] == [0, 0]
    assert all(s.content_loss > 0 for s in scores if s.engine == "darker")


def test_painting_itself_has_no_style_loss(specs, tmp_path):
    painting = read(specs[0].file)
    path = write_image(tmp_path / "as-photo.png", painting)
    scores = evaluate_styles(specs, [path], size=48, vgg=small_vgg(), engines=[Darker()])
    assert scores[0].style_loss == pytest.approx(0, abs=1e-9)
    assert scores[2].style_loss > 0.01


def test_several_engines_and_their_pictures(specs, photo, network_folder):
    """Cin knows a style by its name, an engine without names embeds the painting."""

    class Painter(Darker):
        name = "painter"

        def __init__(self):
            self.styles = {}

        def embed(self, style):
            np.testing.assert_allclose(style, read(specs[0].file))
            return Embedding("painter", "1", {"x": np.ones(1, np.float32)})

        def render(self, content, embedding, **_):
            return content**2

    seen = []
    scores = evaluate_styles(
        [StyleSpec("great-wave", specs[0].file)],
        [photo],
        size=48,
        vgg=small_vgg(),
        engines=[Cin(network_folder), Painter()],
        on_picture=lambda *call: seen.append(call),
    )
    assert [s.engine for s in scores] == ["photo", "cin", "painter"]
    assert [call[:3] for call in seen] == [
        (e, "great-wave", "photo.png") for e in ("cin", "painter")
    ]
    np.testing.assert_allclose(seen[1][3], read(photo) ** 2, rtol=1e-5)


def test_unrest_is_what_noise_moves(scores):
    """Of a picture at half the brightness: half the mean of |noise| of deviation 0.02, or less."""
    found = [s.unrest for s in scores if s.engine == "darker"]
    assert all(0.004 < value < 0.5 * 0.02 * np.sqrt(2 / np.pi) * 1.02 for value in found)
    assert [s.unrest for s in scores if s.engine == "photo"] == [0, 0]


def test_parts_and_tones(specs, tmp_path):
    """A photo half of noise: by hand over its detailed and flat halves, and of luma and chroma."""
    image = np.full((64, 96, 3), 0.5)
    image[:, :48] = np.random.default_rng(0).random((64, 48, 3))
    path = write_image(tmp_path / "half.png", image)
    photo, painting = read(path), read(specs[0].file)
    found = evaluate_styles(specs[:1], [path], size=96, vgg=small_vgg(), engines=[Darker()])[1]
    mask, targets = detail_mask(photo)[..., 0], features_of(resize(painting, longer_side=96))
    for name, part in (("detailed", mask), ("flat", 1 - mask)):
        losses = []
        for f, t in zip(features_of(photo / 2)[:-1], targets[:-1], strict=True):
            factor = 64 // f.shape[0]
            share = part.reshape(f.shape[0], factor, f.shape[1], factor).mean((1, 3))
            gram = np.einsum("hw,hwc,hwd->cd", share, f, f) / share.sum()
            losses.append(relative(gram, np.einsum("hwc,hwd->cd", t, t) / t[..., 0].size))
        assert getattr(found, name) == pytest.approx(np.mean(losses), rel=2e-3)
    assert found.order == pytest.approx(1, abs=0.01)
    whole = evaluate_styles(specs[:1], [path], size=96, vgg=small_vgg(), engines=[Darker()])[0]
    assert found.contrast == pytest.approx(whole.contrast / 2, rel=0.05)


def test_levels_of_a_painting_are_asked_for(specs, photo, tmp_path):
    """A hazy file with its levels scores as the clear one does."""
    hazy = str(write_image(tmp_path / "hazy.png", 0.25 + 0.5 * read(specs[0].file)))
    pair = [specs[0], StyleSpec("waves", hazy, levels=(0.25, 0.75))]
    options = {"size": 48, "vgg": small_vgg(), "engines": [Darker()]}
    clear, cleared = (evaluate_styles([s], [photo], **options)[1] for s in pair)
    assert cleared.style_loss == pytest.approx(clear.style_loss, rel=0.03)
    hazy_alone = evaluate_styles([StyleSpec("waves", hazy)], [photo], **options)[1]
    assert abs(hazy_alone.style_loss - clear.style_loss) > 0.1 * clear.style_loss


def test_edge_similarity():
    photo = draw_photo(0, 48, 64).astype(np.float32)
    flat = np.full_like(photo, 0.5)
    assert edge_similarity(photo, photo) == pytest.approx(1)
    assert edge_similarity(0.1 + 0.8 * photo, photo) > edge_similarity(photo[:, ::-1], photo)
    assert edge_similarity(flat, photo) < 0.99


def test_cin_engine(network_folder, photo, specs):
    """The network that is measured renders every photo in its own styles."""
    renamed = [StyleSpec("great-wave", specs[0].file)]
    engine, calls = Cin(network_folder), []
    scores = evaluate_styles(
        renamed,
        [photo, photo],
        size=48,
        vgg=small_vgg(),
        engines=[engine],
        progress=lambda *call: calls.append(call),
    )
    assert [s.engine for s in scores] == ["photo", "cin"] * 2
    picture = engine.render(read(photo), engine.styles["great-wave"])
    content = relative(features_of(picture)[-1], features_of(read(photo))[-1])
    assert scores[1].content_loss == pytest.approx(content, rel=0.05)
    assert calls == [(1, 2, "great-wave"), (2, 2, "great-wave")]


def test_gram_matrix_of_the_measure(photo):
    """The package's Gram matrices are those that the hand-made scores above use."""
    features = features_of(read(photo))
    for feature, expected in zip(features, grams(features), strict=False):
        np.testing.assert_allclose(gram_matrix(feature[None])[0], expected, rtol=1e-4, atol=1e-3)


def test_nothing_to_measure(specs, photo):
    with pytest.raises(InputError, match="at least one style and one photo. Received: 0 styles, 1"):
        evaluate_styles([], [photo], vgg=small_vgg(), engines=[Darker()])
    with pytest.raises(InputError, match="Received: 2 styles, 0 photos"):
        evaluate_styles(specs, [], vgg=small_vgg(), engines=[Darker()])


def test_unknown_style(specs, photo):
    with pytest.raises(StyleError, match="wavs"):
        evaluate_styles([StyleSpec("wavs", "x.png")], [photo], vgg=small_vgg(), engines=[Darker()])


def test_broken_images(specs, photo, tmp_path):
    (tmp_path / "broken.png").write_text("no image")
    broken = tmp_path / "broken.png"
    with pytest.raises(ImageError, match="style 'waves'"):
        evaluate_styles(
            [StyleSpec("waves", str(broken))], [photo], vgg=small_vgg(), engines=[Darker()]
        )
    with pytest.raises(ImageError, match="photo .*broken"):
        evaluate_styles(specs, [broken], size=48, vgg=small_vgg(), engines=[Darker()])


SCORES = [
    Score("photo", "waves", "a.png", 1.5, 0.0),
    Score("cin", "waves", "a.png", 0.25, 0.75, 0.5, 0.01, 0.3, 0.6, 0.9, 0.8, 0.7),
    Score("photo", "waves", "b.png", 2.5, 0.0),
    Score("cin", "waves", "b.png", 0.75, 0.25, 0.6, 0.02, 0.5, 0.8, 0.7, 1.0, 0.9),
    Score("photo", "a much longer name", "a.png", 1.0, 0.0),
    Score("cin", "a much longer name", "a.png", 0.125, 1.0, 0.5, 0.03, 0.1, 0.1, 0.8, 1.2, 0.8),
]


def test_table():
    """Means per style, then over all pictures: (1.5 + 2.5 + 1) / 3 and so on."""
    head = "style                 photo style  content      cin style  content"
    assert format_table(SCORES).splitlines() == [
        head + "     cin detailed   flat",
        "waves                       2.000    0.000          0.500    0.500            0.400  0.700",  # noqa: E501
        "a much longer name          1.000    0.000          0.125    1.000            0.100  0.100",  # noqa: E501
        "mean                        1.667    0.000          0.375    0.667            0.300  0.500",  # noqa: E501
        "cin: edges 0.53, unrest 0.0200, order 0.80, contrast 1.00, saturation 0.80",
    ]


def test_csv_round_trip(tmp_path):
    path = tmp_path / "scores.csv"
    write_csv(SCORES, path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    losses = [{n: float(row[n]) for n in (*LOSSES, *OTHERS)} for row in rows]
    found = [Score(**{**row, **loss}) for row, loss in zip(rows, losses, strict=True)]
    assert found == SCORES
    assert path.read_bytes().count(b"\r") == 0


def test_csv_replaces_an_old_file(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("old")
    write_csv(SCORES[:1], path)
    assert path.read_text().splitlines() == [
        "engine,style,photo,style_loss,content_loss,edges,unrest,detailed,flat,order,contrast,"
        "saturation",
        "photo,waves,a.png,1.50000,0.00000,1.00000,0.00000,0.00000,0.00000,1.00000,1.00000,1.00000",
    ]


def test_vgg19_is_read_before_anything_is_painted(specs, photo, tmp_path):
    """A file that is none should not wait for what takes most of a minute."""
    weights = tmp_path / "vgg19.h5"
    weights.write_bytes(b"no weights")

    class Busy(Darker):
        def embed(self, style):
            raise AssertionError("looked at a painting first")

        render = embed
        styles = property(lambda self: {}, lambda self, value: None)
        takes_images = True

    with pytest.raises(WeightsUnavailable, match="could not be read as VGG19 weights"):
        evaluate_styles(specs, [photo], size=48, vgg_weights=str(weights), engines=[Busy()])
