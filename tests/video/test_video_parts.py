"""Videos: stopping and going on."""

import logging
import os
import shutil

import numpy as np
import pytest
from small_clips import NUM_FRAMES, pictures, stop_after, times

from arbitrary_nst.common.alone import alone_in
from arbitrary_nst.errors import InputError, VideoError
from arbitrary_nst.video import film, parts, stylize_video
from arbitrary_nst.video.reading import open_clip

pytestmark = pytest.mark.usefixtures("network")


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("suffix", [".mkv", ".gif"])
def test_a_stopped_run_goes_on_to_the_same_video(clip, tmp_path, suffix):
    whole = stylize_video(clip, "great-wave", tmp_path / f"whole{suffix}")
    out = tmp_path / f"out{suffix}"
    out.write_bytes(b"the one before")
    with pytest.raises(KeyboardInterrupt):
        stylize_video(clip, "great-wave", out, progress=stop_after(10))
    assert out.read_bytes() == b"the one before"
    counts = []
    stylize_video(clip, "great-wave", out, progress=lambda done, *_: counts.append(done))
    assert counts == [8, 9, 10, 11, 12]
    np.testing.assert_array_equal(pictures(out), pictures(whole))
    assert times(out) == times(whole)
    assert {path.name for path in tmp_path.iterdir()} == {out.name, whole.name}


@pytest.mark.usefixtures("short_segments")
def test_a_run_stopped_while_the_past_was_written_repeats_that_segment(clip, tmp_path):
    out = tmp_path / "out.mkv"
    with pytest.raises(KeyboardInterrupt):
        stylize_video(clip, "great-wave", out, progress=stop_after(6))
    folder = parts.parts_folder(out)
    shutil.copy(folder / "segment-000000.part", folder / "segment-000001.part")
    (folder / "segment-000002.tmp").write_bytes(b"half")
    counts = []
    stylize_video(clip, "great-wave", out, progress=lambda done, *_: counts.append(done))
    assert counts[0] == 4
    assert open_clip(out).num_frames == NUM_FRAMES


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize(
    "changed", [{"styles": "scream"}, {"seed": 1}, {"strength": 0.9}, {"steady": 0.5}]
)
def test_parts_of_other_settings_are_not_used(clip, tmp_path, caplog, changed):
    out = tmp_path / "out.mkv"
    with pytest.raises(KeyboardInterrupt):
        stylize_video(clip, "great-wave", out, progress=stop_after(10))
    counts = []
    with caplog.at_level(logging.WARNING):
        settings = {"styles": "great-wave", **changed}
        stylize_video(clip, out=out, progress=lambda done, *_: counts.append(done), **settings)
    assert counts[0] == 0 and "beginning anew" in caplog.text


def test_a_killed_process_leaves_no_half_video(clip, tmp_path, run_python):
    out = tmp_path / "out.mp4"
    code = (
        "import os, signal; from arbitrary_nst.video import film; film.SEGMENT_FRAMES = 4\n"
        f"film.stylize_video({str(clip)!r}, 'great-wave', {str(out)!r}, progress=lambda done, *_: "
        "done == 10 and os.kill(os.getpid(), signal.SIGKILL))"
    )
    assert run_python("-c", code).returncode == -9
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4.parts"]
    stylize_video(clip, "great-wave", out)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert open_clip(out).num_frames == NUM_FRAMES


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("share", [0, 0.9])
@pytest.mark.parametrize("name", ["segment-000000.part", "past-000002.npz", "finished.json"])
def test_damaged_parts_count_as_not_there(clip, tmp_path, name, share):
    """As after a power cut: the film is whole, whatever is left of its parts."""
    out = tmp_path / "out.mkv"
    with pytest.raises(KeyboardInterrupt):
        stylize_video(clip, "great-wave", out, progress=stop_after(10))
    part = parts.parts_folder(out) / name
    part.write_bytes(part.read_bytes()[: int(share * part.stat().st_size)])
    counts = []
    stylize_video(clip, "great-wave", out, progress=lambda done, *_: counts.append(done))
    assert counts[0] == 0 and len(pictures(out)) == NUM_FRAMES


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_parts_that_are_half_removed_are_begun_anew(clip, tmp_path, run_python, count):
    """A process that is killed while it removes them leaves any of them."""
    out = tmp_path / "out.mp4"
    code = (
        "import os, signal; from arbitrary_nst.video import film; film.SEGMENT_FRAMES = 4\n"
        "def unlink(path, *a, original=os.unlink, left=[COUNT], **k):\n"
        "    if k.get('dir_fd') is not None:\n"
        "        left[0] -= 1\n"
        "        left[0] < 0 and os.kill(os.getpid(), signal.SIGKILL)\n"
        "    original(path, *a, **k)\n"
        "os.unlink = unlink\n"
        f"film.stylize_video({str(clip)!r}, 'great-wave', {str(out)!r})"
    )
    assert run_python("-c", code.replace("COUNT", str(count))).returncode == -9
    assert parts.parts_folder(out).is_dir() and len(pictures(out)) == NUM_FRAMES
    stylize_video(clip, "great-wave", out)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_what_is_refused_leaves_no_parts(clip, tmp_path):
    with pytest.raises(InputError):
        stylize_video(clip, "great-wave", tmp_path / "out.mp4", size=8)
    with pytest.raises(KeyboardInterrupt):
        stylize_video(clip, "great-wave", tmp_path / "out.mp4", progress=stop_after(3))
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_folder_of_that_name_is_left_alone(clip, tmp_path):
    folder = tmp_path / "out.mp4.parts"
    folder.mkdir()
    (folder / "mine.txt").write_text("precious")
    with pytest.raises(VideoError, match="something else of that name"):
        stylize_video(clip, "great-wave", tmp_path / "out.mp4")
    assert (folder / "mine.txt").read_text() == "precious"


def test_a_disk_that_is_full_from_the_beginning(clip, tmp_path, monkeypatch):
    def fail(path, data):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(parts, "write_bytes", fail)
    with pytest.raises(OSError, match="No space left"):
        stylize_video(clip, "great-wave", tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="no locks of folders there")
@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("style", ["great-wave", "scream"])
def test_a_second_run_beside_the_first_is_refused(clip, tmp_path, style):
    """It would remove the parts that the first one needs, or its files that are being written."""
    out = tmp_path / "out.mkv"
    with pytest.raises(KeyboardInterrupt):
        stylize_video(clip, "great-wave", out, progress=stop_after(6))
    folder = parts.parts_folder(out)
    before = {path.name for path in folder.iterdir()}
    with alone_in(folder), pytest.raises(InputError, match="Another run is at work"):
        stylize_video(clip, style, out)
    assert {path.name for path in folder.iterdir()} == before
    stylize_video(clip, style, out)
    assert not folder.exists()


def test_frames_are_not_collected(clip, tmp_path, monkeypatch):
    """A frame is read when the one before has been written."""
    read, ahead = [], []

    def counted(clip, original=film.read_frames):
        for frame in original(clip):
            read.append(frame.time)
            yield frame

    monkeypatch.setattr(film, "read_frames", counted)
    stylize_video(
        clip,
        "great-wave",
        tmp_path / "out.mp4",
        progress=lambda done, *_: ahead.append(len(read) - done),
    )
    assert len(ahead) == 1 + NUM_FRAMES and max(ahead) <= 1
