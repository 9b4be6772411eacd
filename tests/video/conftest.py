"""A clip that no test changes."""

import pytest
from small_clips import make_clip

from arbitrary_nst.video import film


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """A folder with `clip.mp4`, which no test changes."""
    folder = tmp_path_factory.mktemp("clips")
    make_clip(folder / "clip.mp4")
    return folder


@pytest.fixture
def clip(clips):
    return clips / "clip.mp4"


@pytest.fixture
def short_segments(monkeypatch):
    monkeypatch.setattr(film, "SEGMENT_FRAMES", 4)
