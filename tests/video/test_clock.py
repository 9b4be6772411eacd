"""Times of videos: one clock, which begins at 0 and goes on where that of the file jumps."""

from fractions import Fraction

import av
import numpy as np
import pytest
from small_clips import NUM_FRAMES, make_clip, moving, pictures, remuxed, sound, times

from arbitrary_nst.video import Keyframe, stylize_video
from arbitrary_nst.video.clock import Span, clock_of
from arbitrary_nst.video.reading import open_clip

FRAME = 1 / 25


def spans(*pairs):
    return [Span(Fraction(start), Fraction(stop)) for start, stop in pairs]


def test_the_earliest_stream_begins_at_0():
    assert clock_of({0: spans((11, 20)), 1: spans((10, 19))}) == {0: (-10,), 1: (-10,)}
    assert clock_of({0: spans((Fraction(1, 2), 2)), 1: spans((-1, 2))}) == {0: (0,), 1: (0,)}
    assert clock_of({}) == {}


def test_streams_that_jump_together_stay_together():
    """The second stretch begins where the longer stream of the first one has ended."""
    clock = clock_of({0: spans((5, 7), (5, 6)), 1: spans((6, 8), (6, 7))})
    assert clock == {0: (-5, -2), 1: (-5, -2)}


def test_a_stream_that_jumps_alone_goes_on_for_itself():
    clock = clock_of({0: spans((0, 2), (1, 3)), 1: spans((0, 4))})
    assert clock == {0: (0, 1), 1: (0,)}


@pytest.mark.parametrize("suffix", [".ts", ".mkv"])
def test_a_clock_that_begins_late(network, clip, tmp_path, suffix):
    late = remuxed(clip, tmp_path / f"late{suffix}", options={"output_ts_offset": "3600"})
    found = times(late)
    assert found[0] == pytest.approx(0, abs=0.1)  # sound may come before it
    np.testing.assert_allclose(np.subtract(found, found[0]), times(clip), atol=2e-3)
    moments = [Keyframe(0, "great-wave"), Keyframe(0.3, "scream")]
    out = stylize_video(late, moments, tmp_path / "out.mp4", steady=0)
    expected = stylize_video(clip, moments, tmp_path / "expected.mp4", steady=0)
    np.testing.assert_allclose(times(out), found, atol=2e-3)
    assert sound(out)[0][0] == pytest.approx(0, abs=0.1)
    for index in (0, NUM_FRAMES - 1):
        made, wanted = (pictures(path)[index].astype(int) for path in (out, expected))
        assert np.abs(made - wanted).mean() < 10  # a little of it is the sound before it


def test_a_clock_that_begins_anew(network, clip, tmp_path):
    """As in recordings that were put one after the other: sound and picture go on together."""
    part = remuxed(clip, tmp_path / "part.ts")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(2 * part.read_bytes())
    steps = np.diff(times(joined))
    assert len(steps) >= 2 * NUM_FRAMES - 2
    np.testing.assert_allclose(np.delete(steps, NUM_FRAMES - 1), FRAME, atol=1e-3)
    assert FRAME - 1e-3 < steps.max() < FRAME + 0.1  # sound is a little longer
    out = stylize_video(joined, "great-wave", tmp_path / "out.mkv", steady=0)
    np.testing.assert_allclose(np.diff(times(out)), steps, atol=2e-3)
    notes = [float(time) for time, _ in sound(out)]
    assert np.diff(notes).min() > 0 and notes[-1] > 0.9
    assert open_clip(out).seconds == pytest.approx(0.96, abs=0.1)


def test_a_film_ends_with_the_frames_that_are_shown(network, clip, tmp_path):
    """A clip cut without encoding holds frames before its beginning, which players leave out."""
    cut = remuxed(clip, tmp_path / "cut.mp4", shift=-5)
    with av.open(str(cut)) as container:
        hidden = sum(packet.is_discard for packet in container.demux(video=0))
    found = open_clip(cut)
    assert (hidden, found.num_frames) == (5, NUM_FRAMES - 5)
    assert found.seconds == pytest.approx(7 * FRAME, abs=1e-3)
    out = stylize_video(cut, "great-wave", tmp_path / "out.mkv", steady=0)
    assert len(times(out)) == NUM_FRAMES - 5
    with av.open(str(out)) as container:
        last = [packet for packet in container.demux(video=0) if packet.size][-1]
        assert last.duration * last.time_base == pytest.approx(FRAME, abs=2e-3)


def test_a_long_subtitle_is_no_sign_of_a_film_cut_short(clip, tmp_path):
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,100 --> 00:00:09,000\nHello\n")
    film = remuxed(clip, tmp_path / "film.mkv", subtitles=words)
    assert open_clip(film).num_frames == NUM_FRAMES


def test_frames_of_another_size_are_scaled(tmp_path):
    small, large = ([moving(i, 48 * s, 64 * s) for i in range(NUM_FRAMES)] for s in (1, 2))
    large = [frame * np.float32(0.5) for frame in large]
    parts = [make_clip(tmp_path / f"{n}.mp4", f, sound=False) for n, f in enumerate((small, large))]
    parts = [
        remuxed(part, tmp_path / f"{n}.ts", shift=n * NUM_FRAMES) for n, part in enumerate(parts)
    ]
    film = tmp_path / "film.ts"
    film.write_bytes(b"".join(part.read_bytes() for part in parts))
    shown = pictures(film)
    assert {picture.shape for picture in shown} == {(48, 64, 3)}
    whole = large[-1].reshape(48, 2, 64, 2, 3).mean(axis=(1, 3)) * 255
    assert np.abs(shown[-1] - whole).mean() < 8
    assert np.abs(shown[-1] - 255 * large[-1][:48, :64]).mean() > 16
