"""A picture in full quality that breaks off: the demo shows what there is of it."""

import numpy as np
import pytest

from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines.protocol import Step
from arbitrary_nst.errors import RenderError

gradio = pytest.importorskip("gradio")

from arbitrary_nst.demo import mixes, painting_tab, toasts  # noqa: E402

STYLE = Embedding("broken", "b1", {"x": np.ones(1, np.float32)})


class Broken:
    """Breaks off after one step, or before it."""

    name, network = "broken", "b1"

    def __init__(self, picture):
        self.picture = picture

    def embed(self, style):
        return STYLE

    identity = embed

    def render_steps(self, content, embedding, *, seed=0):
        if self.picture is not None:
            yield Step(1, 9, 1.0, content)
        raise RenderError("The optimisation broke off: the loss is nan.", self.picture)

    def render(self, content, embedding, *, seed=0, on_step):
        for step in self.render_steps(content, embedding):
            on_step(step)

    def render_batch(self, contents, embeddings, *, seed=0):
        return [self.render(*pair) for pair in zip(contents, embeddings, strict=True)]


def on_the_way(image, picture):
    mix = mixes.Mix(("painting.jpg",), (1.0,))
    return painting_tab._on_the_way(image, mix, [STYLE], Broken(picture))


@pytest.fixture
def notes(monkeypatch):
    given = []
    monkeypatch.setattr(painting_tab, "note", given.append)
    return given


def test_the_last_good_picture_is_shown(photo, notes):
    alpha = np.full((*photo.shape[:2], 1), 0.5, np.float32)
    image = np.concatenate([photo, alpha], axis=-1)
    *_, (text, share, picture) = on_the_way(image, 1 - photo)
    assert text == "Broke off" and share == 1
    assert picture.mode == "RGBA"
    np.testing.assert_allclose(np.asarray(picture)[..., :3], 255 * (1 - photo), atol=0.51)
    (told,) = notes
    assert told == "The optimisation broke off: the loss is nan. The last good picture is shown."


def test_without_one_it_says_why(photo, notes):
    def paint():
        yield from on_the_way(photo, None)

    with pytest.raises(gradio.Error, match="the loss is nan") as caught:
        list(toasts.friendly(paint)())
    assert caught.value.title == "This does not work" and not notes
