"""`arbitrary-nst video`."""

import pytest
from small_clips import NUM_FRAMES

from arbitrary_nst.cli import main
from arbitrary_nst.video import film
from arbitrary_nst.video.reading import open_clip

pytestmark = pytest.mark.usefixtures("network")


def test_command(clip, tmp_path, capsys):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"is replaced, as by the command for photos")
    assert main(["video", str(clip), "-s", "great-wave:2", "-s", "scream", "-o", str(out)]) == 0
    assert f"{out}: 12 frames" in capsys.readouterr().out
    assert open_clip(out).num_frames == NUM_FRAMES


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ([], "either styles (-s) or keyframes"),
        (["-s", "scream", "--keyframe", "0:scream"], "either styles (-s) or keyframes"),
        (["--keyframe", "5s:scream", "--keyframe", "0:scream"], "in the order of their times"),
        (["--keyframe", "0:screm"], "Did you mean scream"),
    ],
)
def test_command_refuses(clip, tmp_path, capsys, arguments, match):
    assert main(["video", str(clip), *arguments, "-o", str(tmp_path / "out.mp4")]) == 2
    assert match in capsys.readouterr().err


@pytest.mark.parametrize("text", ["great-wave", "x:great-wave", "5s:", "-1:great-wave"])
def test_command_explains_keyframes(clip, capsys, text):
    with pytest.raises(SystemExit):
        main(["video", str(clip), f"--keyframe={text}", "-o", "out.mp4"])
    assert "such as 5s:great-wave" in capsys.readouterr().err


@pytest.mark.usefixtures("short_segments")
def test_ctrl_c_says_that_the_same_command_goes_on(clip, tmp_path, capsys, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(film, "join", stopped)
    arguments = ["video", str(clip), "-s", "scream", "-o", str(tmp_path / "out.mp4")]
    assert main(arguments) == 130
    assert "the same command goes on" in capsys.readouterr().err
    monkeypatch.undo()
