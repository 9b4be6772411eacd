"""A picture in full quality, step by step, by the same path as any other."""

import numpy as np
import pytest
from browsing import InSteps

from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines.protocol import Step

pytest.importorskip("gradio")

from arbitrary_nst.demo import mixes, painting_tab

STYLES = [Embedding("slow", "s1", {"x": np.full(1, v, np.float32)}, name="x") for v in (0.0, 1.0)]


class Slow(InSteps):
    """Three steps, at the end of which the picture is as bright as the style says."""

    name, network, first = "slow", "s1", 1

    def embed(self, style):
        return STYLES[0]

    identity = embed

    def render_steps(self, content, embedding, *, seed=0):
        for step in range(self.first, 4):
            share = np.float32(step / 3)
            yield Step(step, 3, 1.0, content + share * (embedding.arrays["x"] - content))


def test_every_step_and_the_blended_picture_with_its_transparency(photo, monkeypatch):
    monkeypatch.setattr(painting_tab, "PREVIEW_SECONDS", 0)
    alpha = np.full((*photo.shape[:2], 1), 0.4, np.float32)
    image = np.concatenate([photo, alpha], axis=-1)
    mix = mixes.Mix(("a.jpg", "b.jpg"), (3.0, 1.0))
    told = list(painting_tab._on_the_way(image, mix, STYLES, Slow()))
    assert [text.split(",")[0] for text, _, _ in told] == [
        *(f"Step {step} of 3" for step in (1, 2, 3)),
        "Done",
    ]
    assert [share for _, share, _ in told] == pytest.approx([1 / 3, 2 / 3, 1, 1])
    assert all(picture.size == photo.shape[1::-1] for _, _, picture in told)
    last = np.asarray(told[-1][2])
    np.testing.assert_array_equal(last[..., :3], 64)  # a quarter of white
    np.testing.assert_array_equal(last[..., 3], 102)


def test_few_pictures_on_the_way(photo):
    """Each has to be written to a file and fetched by the visitor's browser."""
    mix = mixes.Mix(("a.jpg",), (1.0,))
    told = list(painting_tab._on_the_way(photo, mix, STYLES[:1], Slow()))
    assert [picture is not None for _, _, picture in told] == [True, False, False, True]


def test_the_picture_that_it_starts_from_is_shown_first(photo):
    """As step 0, of which no time can be told yet."""
    engine = Slow()
    engine.first = 0
    told = list(painting_tab._on_the_way(photo, mixes.Mix(("a.jpg",), (1.0,)), STYLES[:1], engine))
    texts, shares, pictures = zip(*told, strict=True)
    assert texts[0] == "Step 0 of 3" and texts[1].startswith("Step 1 of 3, ")
    assert shares == pytest.approx((0, 1 / 3, 2 / 3, 1, 1))
    assert [picture is not None for picture in pictures] == [True, False, False, False, True]
    np.testing.assert_allclose(np.asarray(pictures[0]) / 255, photo, atol=0.6 / 255)
