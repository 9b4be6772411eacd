"""A mix as a text: back and forth, and what comes from anywhere."""

import io

import pytest
from PIL import Image

pytest.importorskip("gradio")

from arbitrary_nst.demo import files, share
from arbitrary_nst.demo.mixes import MAX_STYLES, Mix
from arbitrary_nst.demo.names import Caption, caption, surname, tiles, titles

KNOWN = [f"style-{number}" for number in range(9)]


@pytest.mark.parametrize(
    "mix",
    [
        Mix(("style-0",), (0.25,)),
        Mix(("style-1", "style-0"), (1.0, 0.0), 0.6, True, 2.5),
        # What a visitor's file may be called.
        Mix(("Sea, 50%2C 10:30 & +#é", "style-0"), (0.5, 0.3)),
    ],
)
def test_there_and_back(mix):
    assert share.from_text(share.to_text(mix), [*KNOWN, mix.styles[0]]) == mix


@pytest.mark.parametrize(
    "text", ["", "mix=", "mix=nobody:1", "strength=2", "mix=style-0", "%00&&="]
)
def test_nothing_is_nothing(text):
    assert share.from_text(text, KNOWN) is None


def test_takes_no_more_than_there_is_room_for():
    text = "mix=" + ",".join(f"{name}:9" for name in KNOWN) + "&strength=nan&strokes=99"
    mix = share.from_text(text, KNOWN)
    assert mix.styles == tuple(KNOWN[:MAX_STYLES]) and set(mix.weights) == {1.0}
    assert mix.strength == 1 and mix.strokes == 3


def test_surprises_are_mixes():
    for _ in range(20):
        mix = share.surprise(KNOWN)
        assert 2 <= len(set(mix.styles)) == len(mix.weights) and min(mix.weights) >= 0.25


def test_a_saved_file_knows_its_mix(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    text = share.to_text(Mix(KNOWN[:1], (0.5,)))
    with open(files.exact(Image.new("RGB", (4, 3)), "a", text), "rb") as file:
        assert files.settings_in(file.read()) == text
    stream = io.BytesIO()
    Image.new("RGB", (4, 3)).save(stream, "PNG")
    for data in (stream.getvalue(), b"", b"\x89PNG\r\n\x1a\n", stream.getvalue()[:20]):
        assert files.settings_in(data) == ""


def test_captions():
    assert caption("x", "Vincent van Gogh, The Starry Night, 1889").label == (
        "The Starry Night, Vincent van Gogh"
    )
    mosaic = caption("a-goose", "Roman mosaicist, floor mosaic, with a goose, antiquity")
    assert mosaic.title == "Floor mosaic, with a goose"
    assert mosaic.choice == "A Goose, Roman mosaicist"
    assert caption("mine", "somebody") == Caption("mine")


def test_captions_on_a_tile():
    """Two lines that fit; where they leave something out, a third with all of it."""
    assert caption("kiss", "Gustav Klimt, The Kiss, 1908").lines == "The Kiss\nGustav Klimt"
    wave = caption("great-wave", "Katsushika Hokusai, The Great Wave off Kanagawa, 1831")
    full = "The Great Wave off Kanagawa, Katsushika Hokusai"
    assert wave.lines == f"Great Wave\nHokusai\n{full}"
    captions = {"great-wave": wave}
    assert tiles(["great-wave", "mine"], captions) == [(wave.lines, "great-wave"), ("mine", "mine")]
    assert titles(["great-wave"], captions) == [("Great Wave", "great-wave")]


@pytest.mark.parametrize(
    ("artist", "short"),
    [
        ("Vincent van Gogh", "van Gogh"),
        ("Wassily Kandinsky", "Kandinsky"),
        ("Huang Gongwang", "Huang Gongwang"),
        ("", ""),
    ],
)
def test_long_names_are_surnames(artist, short):
    assert surname(artist) == short
