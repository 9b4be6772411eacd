"""A picture in full quality that breaks off: the demo shows what there is of it."""

import numpy as np
import pytest

from arbitrary_nst.engines.protocol import Step
from arbitrary_nst.errors import RenderError

gradio = pytest.importorskip("gradio")

from arbitrary_nst.demo import painting_tab, toasts  # noqa: E402


class Broken:
    """Breaks off after one step, or before it."""

    def __init__(self, picture):
        self.picture = picture

    def render_steps(self, content, embedding, *, seed=0):
        if self.picture is not None:
            yield Step(1, 9, 1.0, content)
        raise RenderError("The optimisation broke off: the loss is nan.", self.picture)


@pytest.fixture
def notes(monkeypatch):
    given = []
    monkeypatch.setattr(painting_tab, "note", given.append)
    return given


def test_the_last_good_picture_is_shown(photo, notes):
    alpha = np.full((*photo.shape[:2], 1), 0.5, np.float32)
    image = np.concatenate([photo, alpha], axis=-1)
    *_, (text, share, picture) = painting_tab._on_the_way(Broken(1 - photo), image, None)
    assert text == "Broke off" and share == 1
    assert picture.mode == "RGBA"
    np.testing.assert_allclose(np.asarray(picture)[..., :3], 255 * (1 - photo), atol=0.51)
    (told,) = notes
    assert told == "The optimisation broke off: the loss is nan. The last good picture is shown."


def test_without_one_it_says_why(photo, notes):
    def paint():
        yield from painting_tab._on_the_way(Broken(None), photo, None)

    with pytest.raises(gradio.Error, match="the loss is nan") as caught:
        list(toasts.friendly(paint)())
    assert caught.value.title == "This does not work" and not notes
