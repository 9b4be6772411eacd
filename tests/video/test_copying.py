"""What stays of a film beside its frames, and what is said to be lost."""

import logging
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image
from small_clips import moving, pictures, remuxed

from arbitrary_nst.video import stylize_video
from arbitrary_nst.video.reading import open_clip

pytestmark = pytest.mark.usefixtures("network")


def two_tracks(container):
    sounds = container.streams.audio
    sounds[0].metadata["language"] = "eng"
    sounds[0].disposition = 0
    sounds[1].metadata.update(language="fre", title="Commentary")
    sounds[1].disposition = av.stream.Disposition.default.value


def tracks(path):
    with av.open(str(path)) as container:
        return [
            (stream.metadata.get("language"), "default" in (stream.disposition.name or ""))
            for stream in container.streams.audio
        ]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_sound_tracks_keep_their_language_and_the_default(clip, tmp_path, suffix):
    film = remuxed(clip, tmp_path / "in.mkv", cover=clip, describe=two_tracks)
    assert tracks(film) == [("eng", False), ("fre", True)]
    out = stylize_video(film, "great-wave", tmp_path / f"out{suffix}", steady=0)
    assert tracks(out) == tracks(film)


@pytest.mark.parametrize("audio", [True, False])
def test_title_and_chapters_are_kept_with_and_without_sound(clip, tmp_path, audio):
    chapter = {"id": 1, "start": 100, "end": 400, "time_base": Fraction(1, 1000)}
    chapter["metadata"] = {"title": "One"}

    def describe(container):
        container.metadata["title"] = "Hello"
        container.set_chapters([chapter])

    film = remuxed(clip, tmp_path / "in.mkv", describe=describe)
    out = stylize_video(film, "great-wave", tmp_path / "out.mkv", steady=0, audio=audio)
    with av.open(str(out)) as container:
        assert container.metadata["title"] == "Hello"
        (found,) = container.chapters()
        times = [float(found[name] * found["time_base"]) for name in ("start", "end")]
        assert times == pytest.approx([0.1, 0.4]) and found["metadata"] == {"title": "One"}
        assert len(container.streams.audio) == audio


def test_subtitles_are_kept_or_said_to_be_lost(clip, tmp_path, caplog):
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,100 --> 00:00:00,300\nHello\n")
    film = remuxed(clip, tmp_path / "in.mkv", subtitles=words)
    kept = stylize_video(film, "great-wave", tmp_path / "out.mkv", steady=0)
    with av.open(str(kept)) as container:
        (packet,) = [p for p in container.demux(subtitles=0) if p.size]
        assert bytes(packet) == b"Hello" and float(packet.pts * packet.time_base) < 0.2
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        stylize_video(film, "great-wave", tmp_path / "out.mp4", steady=0)
    assert "not kept of the video in a .mp4 file: subtitles (s" in caplog.text


def test_a_cover_picture_is_not_the_film(clip, tmp_path, caplog):
    """Also where nothing marks it as one, as in files that were copied stream by stream."""

    def marked(container):
        container.streams[0].disposition = av.stream.Disposition.attached_pic.value

    Image.new("RGB", (32, 32), "red").save(tmp_path / "cover.jpg")
    for name, describe in (("plain", None), ("marked", marked)):
        film = remuxed(
            clip, tmp_path / f"{name}.mp4", cover=tmp_path / "cover.jpg", describe=describe
        )
        found = open_clip(film)
        assert (found.width, found.height, found.num_frames) == (64, 48, 12)
    with caplog.at_level(logging.WARNING):
        stylize_video(film, "great-wave", tmp_path / "out.mp4", steady=0)
    assert "a cover picture" in caplog.text


def test_a_colon_in_a_name_names_no_protocol(clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open("take:1.mp4", "wb") as file:
        file.write(clip.read_bytes())
    stylize_video("take:1.mp4", "great-wave", "out:1.mp4", steady=0)
    assert len(pictures("out:1.mp4")) == 12


@pytest.mark.parametrize("suffix", [".webp", ".mp4"])
def test_transparency_of_videos(tmp_path, suffix, caplog):
    """Kept in an animation, laid on white in a video, where it is said."""
    film = tmp_path / "in.mov"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("png", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgba"
        for index in range(3):
            rgba = np.dstack([np.rint(moving(index) * 255), np.zeros((48, 64))]).astype(np.uint8)
            rgba[:, :32, 3] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgba, "rgba")))
        container.mux(stream.encode(None))
    with caplog.at_level(logging.WARNING):
        out = stylize_video(film, "great-wave", tmp_path / f"out{suffix}", steady=0)
    if suffix == ".webp":
        with Image.open(out) as image:
            alpha = np.asarray(image.convert("RGBA"))[..., 3]
        assert (alpha[:, :32] == 255).all() and (alpha[:, 32:] == 0).all()
    else:
        assert pictures(out)[1][:, 36:].min() > 240
        assert "transparency (laid on white)" in caplog.text
