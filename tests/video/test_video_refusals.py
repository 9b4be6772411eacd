"""Videos that cannot be used."""

import shutil
import sys

import av
import numpy as np
import pytest
from PIL import Image
from small_clips import make_clip, moving, noisy

from arbitrary_nst.errors import InputError, VideoError, VideoNotFound
from arbitrary_nst.video import Keyframe, stylize_video
from arbitrary_nst.video.reading import open_clip

pytestmark = pytest.mark.usefixtures("network")


def test_missing_pyav_names_the_extra(clip, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r'pip install "arbitrary-nst\[video\]"'):
        stylize_video(clip, "great-wave", tmp_path / "out.mp4")


def test_unusable_videos(clip, tmp_path):
    def refused(path, match, kind=VideoError):
        with pytest.raises(kind, match=match):
            stylize_video(path, "great-wave", tmp_path / "out.mp4")

    refused(tmp_path / "none.mp4", "does not exist", VideoNotFound)
    refused(tmp_path, "is a folder")
    image = tmp_path / "photo.jpg"
    Image.new("RGB", (64, 48)).save(image)
    refused(image, "single image")
    image.rename(tmp_path / "photo.mp4")
    refused(tmp_path / "photo.mp4", "single image")
    (tmp_path / "words.mp4").write_text("no video at all" * 100)
    refused(tmp_path / "words.mp4", "cannot be read as a video")
    (tmp_path / "empty.mp4").write_bytes(b"")
    refused(tmp_path / "empty.mp4", "cannot be read as a video")
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8"])
@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile clip.ts\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nclip.ts\n#EXT-X-ENDLIST\n",
    ],
    ids=["concat", "hls"],
)
def test_what_names_other_files_is_no_film(tmp_path, name, text):
    """What a stranger sends must not put files of this machine into its picture."""
    make_clip(tmp_path / "clip.ts", sound=False)
    (tmp_path / name).write_text(text)
    with pytest.raises(VideoError, match=r"a list of other files|cannot be read as a video"):
        stylize_video(tmp_path / name, "great-wave", tmp_path / "out.mp4")


def test_truncated_videos(tmp_path):
    frames = noisy([moving(0)] * 100, 0.2)
    for name in ("end.mp4", "front.mp4", "clip.mkv"):
        whole = make_clip(tmp_path / f"whole-{name}", frames, sound=False)
        if name == "front.mp4":  # its table of contents in front, so that it survives the cut
            with av.open(str(whole)) as source:
                options = {"movflags": "+faststart"}
                with av.open(str(tmp_path / "moved.mp4"), "w", options=options) as container:
                    stream = container.add_stream_from_template(source.streams.video[0])
                    for packet in source.demux(video=0):
                        if packet.size:
                            packet.stream = stream
                            container.mux(packet)
            whole = tmp_path / "moved.mp4"
        data = whole.read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
        with pytest.raises(VideoError, match="cut short"):
            stylize_video(tmp_path / name, "great-wave", tmp_path / "out.mp4")


def test_no_video_stream_and_no_frames(tmp_path):
    song = tmp_path / "song.m4a"
    with av.open(str(song), "w", format="mp4") as container:
        voice = container.add_stream("aac", rate=48000)
        note = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        note.sample_rate, note.pts = 48000, 0
        container.mux(voice.encode(note))
        container.mux(voice.encode(None))
    with pytest.raises(VideoError, match=r"no video stream.*audio"):
        stylize_video(song, "great-wave", tmp_path / "out.mp4")
    nothing = tmp_path / "nothing.mkv"
    with av.open(str(nothing), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 64, 48
        container.start_encoding()
    with pytest.raises(VideoError, match="no frames"):
        stylize_video(nothing, "great-wave", tmp_path / "out.mp4")


def test_sound_that_the_format_cannot_hold(clip, tmp_path):
    out = tmp_path / "out.webm"
    with pytest.raises(VideoError, match=r"aac.*\.mkv.*--no-audio"):
        stylize_video(clip, "great-wave", out)
    stylize_video(clip, "great-wave", out, audio=False)
    assert open_clip(out).sounds == ()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"out": "out.avi"}, r"suffix.*\.webm.*out\.avi"),
        ({"out": "nowhere/out.mp4"}, "folder that does not exist"),
        ({"styles": "great-wav"}, "Did you mean great-wave"),
        ({"styles": []}, "empty"),
        ({"styles": [Keyframe(2, "scream"), Keyframe(1, "scream")]}, "1 s after 2 s"),
        ({"styles": [Keyframe(-1, "scream")]}, "from 0 up"),
        ({"styles": [Keyframe(0, "scream"), "great-wave"]}, "cannot be mixed"),
        ({"styles": [Keyframe(0, "scream")], "weights": [1]}, "its own weights"),
        ({"steady": 1.5}, "`steady` is a number from 0 to 1"),
        ({"strength": 2}, "`strength`"),
        ({"quality": 0}, "`quality`"),
        ({"quality": 101}, "`quality`"),
        ({"size": 0}, "`size`"),
    ],
)
def test_arguments_that_cannot_be_used(clip, tmp_path, monkeypatch, changes, match):
    monkeypatch.chdir(tmp_path)
    arguments = {"styles": "great-wave", "out": "out.mp4", **changes}
    with pytest.raises(InputError, match=match):
        stylize_video(clip, arguments.pop("styles"), arguments.pop("out"), **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_video_does_not_replace_itself(clip, tmp_path):
    own = shutil.copy(clip, tmp_path / "own.mp4")
    with pytest.raises(InputError, match="is the video itself"):
        stylize_video(own, "great-wave", own)
