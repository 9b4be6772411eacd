"""Small parts of the page: numbers, limits, the pace of painting."""

import io

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst import Embedding
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.errors import ImageError, InputError, StyleError

gradio = pytest.importorskip("gradio")

from arbitrary_nst.demo import (  # noqa: E402
    controls,
    look,
    mixes,
    names,
    painting_layout,
    photos,
    saving,
    styles_tab,
    toasts,
)


class TestNumber:
    @pytest.fixture
    def notes(self, monkeypatch):
        given = []
        monkeypatch.setattr(controls, "note", given.append)
        return given

    @pytest.mark.parametrize(
        ("given", "taken"),
        [(7, 1), (-1, 0), (None, 0), ("", 0), ("x", 0), (float("nan"), 0), (1e400, 1), ([], 0)],
    )
    def test_is_brought_into_its_bounds(self, notes, given, taken):
        assert controls.number(given, "The weight") == taken
        assert len(notes) == 1 and "The weight goes from 0 to 1" in notes[0]

    def test_a_good_one_stays_and_nothing_is_said(self, notes):
        assert controls.number("0.25", "The weight") == 0.25
        assert controls.read(1, 2.5, 1) == {"strength": 1, "strokes": 2.5, "keep_colors": True}
        assert not notes


def test_a_name_is_text():
    assert controls.text("scream") == "scream"
    assert [controls.text(odd) for odd in (None, 1, ["scream"], {"a": 1})] == [""] * 4


def test_what_is_no_name_is_no_style():
    with pytest.raises(StyleError, match="There is no style named"):
        mixes.embeddings_of((["scream"],), {}, {})


@pytest.mark.parametrize("size", [(3, 2), (4000, 20), (15, 400)])
@pytest.mark.parametrize("role", ["photo", "painting"])
def test_what_is_too_small_is_refused_in_plain_words(size, role):
    stream = io.BytesIO()
    Image.new("RGB", size).save(stream, "PNG")
    data, settings = stream.getvalue(), Settings()
    readers = {
        "photo": lambda: photos.read_photo(data, "a.png", 256, settings),
        "painting": lambda: photos.read_painting(data, settings),
    }
    with pytest.raises(ImageError, match=f"{role} is too small or too narrow") as caught:
        readers[role]()
    assert "engine" not in str(caught.value)


def test_a_panorama_can_be_painted_at_any_size_of_strokes():
    stream = io.BytesIO()
    Image.new("RGB", (1000, 64)).save(stream, "PNG")
    photo = photos.read_photo(stream.getvalue(), "a.png", 256, Settings())
    assert mixes.preview_size(photo, mixes.Mix(("a",), (1.0,), strokes=3)) == 256
    assert min(photos.fitted(photo.image, 64).shape[:2]) >= photos.LEAST_SIDE


class TestFitting:
    mix = mixes.Mix(("scream", "udnie"), (0.7, 0.3), fit=True)

    def test_is_said_in_the_code(self, monkeypatch):
        photo = photos.Photo("a.png", b"", 9, np.zeros((6, 9, 3), np.float32), (6, 9))
        text = mixes.code(photo, self.mix, {})
        assert "from arbitrary_nst.engines.cin import Cin\n" in text
        assert f"engine=Cin(fit_steps={mixes.FIT_STEPS})" in text

    def test_paints_by_names_with_the_engine_that_fits(self, monkeypatch):
        asked = []
        monkeypatch.setattr(mixes, "fitting_engine", lambda: "fits")
        monkeypatch.setattr(mixes, "stylize", lambda *given, **more: asked.append((given, more)))
        mixes.paint(np.zeros((16, 16, 3), np.float32), self.mix, [])
        (_, styles, weights), options = asked[0]
        assert styles == ["scream", "udnie"] and weights == (0.7, 0.3)
        assert options["engine"] == "fits"

    def test_own_styles_have_nothing_to_be_fitted_to(self, monkeypatch):
        style = Embedding("cin", "n", {"gamma": np.zeros(4, np.float32)})
        monkeypatch.setattr(mixes, "fits_styles", lambda: True)
        mixes.check_can_be_fitted(self.mix, {})
        with pytest.raises(InputError, match="Take these out first: udnie"):
            mixes.check_can_be_fitted(self.mix, {"udnie": mixes.OwnStyle(style)})

    def test_a_network_without_targets_does_not_offer_it(self, network):
        assert not mixes.fits_styles()
        with pytest.raises(InputError, match="cannot fit"):
            mixes.check_can_be_fitted(self.mix, {})

    def test_the_packaged_one_does(self, packaged):
        assert mixes.fits_styles()


def test_limits_are_checked_before_anything_is_painted():
    style = Embedding("cin", "n", {"gamma": np.zeros(4, np.float32)})
    own = {f"mine-{n}": mixes.OwnStyle(style) for n in range(20)}
    styles_tab.check_room(own, 4)
    with pytest.raises(InputError, match="these would be 490"):
        styles_tab.check_room(own, 470)
    slow = Embedding("vgg19", "n", {"gram": np.zeros(4, np.float32)})
    with pytest.raises(InputError, match="takes minutes"):
        styles_tab.check_paintable({"a": style, "b": slow})


def test_names_made_by_hand_are_refused():
    with pytest.raises(StyleError, match="no style named"):
        mixes.embeddings_of(("nobody",), {}, {})


def test_the_pace_is_learned():
    pace = saving.Pace()
    first = pace.expected((3000, 4000))
    pace.learn((3000, 4000), 60)
    assert first < pace.expected((3000, 4000)) < 61


def test_errors_for_programs_are_plain_text():
    def fail():
        raise InputError("There is no style named 'nope' & <b>.")

    with pytest.raises(gradio.Error, match="'nope' & <b>"):
        toasts.plainly(fail)()


@pytest.mark.parametrize(
    ("magenta", "vgg19", "words"),
    [
        ("no-magenta-here", "no-vgg19-here.h5", ["not here", "not here"]),
        (".", __file__, ["weights are here", "weights are here"]),
    ],
)
def test_choices_say_whether_their_weights_are_here(monkeypatch, magenta, vgg19, words):
    monkeypatch.setenv("ARBITRARY_NST_MAGENTA", magenta)
    monkeypatch.setenv("ARBITRARY_NST_VGG19", vgg19)
    said = [text for text, engine in painting_layout.engines() if engine != "cin"]
    assert all(word in text for word, text in zip(words, said, strict=True))


def test_no_rule_is_dropped_for_nested_has():
    """`:has` in `:has` is no CSS: a browser drops the rule, and the page came in moving pieces."""
    open_ones = []  # what stands before each bracket that is open
    for place, sign in enumerate(look.CSS):
        if sign == "(":
            is_has = look.CSS[:place].endswith(":has")
            assert not (is_has and True in open_ones), look.CSS[place - 60 : place + 20]
            open_ones.append(is_has)
        elif sign == ")":
            open_ones.pop()
    assert not open_ones


class TestOwnNames:
    """Names of a visitor's own styles, which may be long and have no short title."""

    @pytest.mark.parametrize(
        ("name", "lines"),
        [
            ("mine", "mine"),
            ("x" * 16, "x" * 16),
            ("albrecht-durer-hare", "albrecht-\ndurer-hare\nalbrecht-durer-hare"),
            ("the sea at night", "the sea at night"),
            ("a large red vase there", "a large red\nvase there\na large red vase there"),
            ("x" * 20, f"{'x' * 10}\n{'x' * 10}\n{'x' * 20}"),
            ("a" * 20 + "b" * 30, f"{'a' * 16}\n…{'b' * 15}\n{'a' * 20}{'b' * 30}"),
        ],
    )
    def test_on_a_tile(self, name, lines):
        assert names.own_lines(name) == lines

    @pytest.mark.parametrize("length", range(1, 61))
    def test_no_line_is_too_long_and_none_is_empty(self, length):
        for name in ("x" * length, ("ab-cde f" * 8)[:length].strip()):
            lines = names.own_lines(name).split("\n")
            assert lines[-1] == name
            assert all(0 < len(line) <= names.MOST_LETTERS for line in lines[:2])

    def test_in_a_narrow_field_both_ends_stay(self):
        assert names.shortened("albrecht-durer-young-hare") == "albrecht…ng-hare"
        captions = {"the-kiss": names.Caption("The Kiss", "Gustav Klimt", "The Kiss")}
        own = "my-own-painting-of-a-cat"
        shown = names.titles(["the-kiss", own], captions)
        assert shown == [("The Kiss", "the-kiss"), ("my-own-p…f-a-cat", own)]
