"""The contract of an engine: what each has to do, and what it may declare to do besides.

Whoever uses an engine asks `engine.render_regions is not None` and the like, never whether there
is such an attribute: `as_engine` sees to it that there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol, cast

import numpy as np

from arbitrary_nst.embedding import Embedding
from arbitrary_nst.errors import InputError

METHODS = ("embed", "identity", "render", "render_batch")
ABILITIES = (
    "render_regions",
    "render_large",
    "render_large_regions",
    "memory_for",
    "render_steps",
    "estimated_seconds",
    "for_pixels",
)


@dataclass(frozen=True)
class Step:
    """The state after one step: `step` of at most `total`, the loss, and the picture so far.

    `picture` is float32 `(h, w, 3)`, RGB in `[0, 1]`, of the size of the present scale.
    """

    step: int
    total: int
    loss: float
    picture: np.ndarray


class Engine(Protocol):
    """What turns (photo, embedding) into a picture.

    Images are float32 `(H, W, 3)`, RGB in `[0, 1]`, and stay as they are. The same seed gives the
    same picture. What an engine cannot do is declared as None. An object of a user's own needs
    `name`, `network` and the four methods; the rest it may leave out, see `as_engine`.
    """

    name: str
    network: str
    """The id of its weights: embeddings of others are refused."""

    @property
    def styles(self) -> Mapping[str, Embedding]:
        """The styles that it knows by name."""

    @property
    def takes_images(self) -> bool:
        """Whether `embed` takes any image; else there are `styles` alone."""

    def embed(self, style: np.ndarray, /) -> Embedding:
        """The embedding of a style image.

        Raises:
            StyleError: it does not take images.
            ImageError: the image is none, or too small.
        """

    def identity(self, content: np.ndarray, /) -> Embedding:
        """The embedding that leaves the photo as nearly as it is as this engine can."""

    def render(self, content: np.ndarray, embedding: Embedding, /, *, seed: int = 0) -> np.ndarray:
        """Paints a photo in a style.

        Returns:
            The picture, of the photo's shape.

        Raises:
            StyleError: the embedding is of another engine or network.
            ImageError: the photo is none, or too small.
        """

    def render_batch(
        self, contents: Sequence[np.ndarray], embeddings: Sequence[Embedding], /, *, seed: int = 0
    ) -> list[np.ndarray]:
        """`render` for several photos of one shape, each with its own embedding.

        Raises:
            InputError: not as many embeddings as photos.
        """

    @property
    def render_regions(self) -> Callable[..., np.ndarray] | None:
        """Paints another blend at every pixel in one pass; None: each style has to be painted.

        `render_regions(content, embeddings, weights, *, seed=0)`, with the weights float32
        `(H, W, num_styles)` of sum 1. With `render_steps` it takes `on_step`, as `render` does.
        """

    @property
    def render_large(self) -> Callable[..., np.ndarray] | None:
        """`render` in bounded memory; None: it takes what it takes.

        `render_large(content, embedding, *, seed=0, max_memory, progress)`, with the bytes that
        it may take beside photo and picture, and progress(done, total). The photo may be uint8
        in `[0, 255]`, and the picture then is. With it goes `memory_for`.
        """

    @property
    def render_large_regions(self) -> Callable[..., np.ndarray] | None:
        """`render_regions` in bounded memory, as `render_large` is `render`; None: it is not to be.

        `render_large_regions(content, embeddings, weights, *, seed=0, max_memory, progress)`, with
        weights of float16 or float32.
        """

    @property
    def memory_for(self) -> Callable[..., float] | None:
        """Bytes that `render` takes, about, for a photo of that height and width.

        `memory_for(height, width)`; with `render_large_regions` also `num_regions=0`, the number
        of styles with which `render_regions` is meant.
        """

    @property
    def render_steps(self) -> Callable[..., Iterator[Step]] | None:
        """`render` for an engine that takes minutes, as a generator of `Step`s; None: it does not.

        `render_steps(content, embedding, *, seed=0)`. Closing the generator ends the work. Its
        `render` takes `on_step`, a function that is called with each step, and without
        `render_regions` also `part`, a number from 0 for each of the pictures that are laid side
        by side where there are masks.
        """

    @property
    def estimated_seconds(self) -> Callable[[int, int], float] | None:
        """Seconds for a picture of that height and width, about; None: too few to be announced."""

    @property
    def for_pixels(self) -> Callable[..., Engine] | None:
        """The engine in the form that is soonest done with little work; None: it has one form.

        `for_pixels(pixels)`, with the pixels that are to be painted. What it gives paints the same
        but for rounding.
        """


def as_engine(engine: Any) -> Engine:
    """An engine object, with the defaults for what it leaves undeclared.

    An ability that is left out is None; without `styles` there are none; images are taken where
    no styles are known by name.

    Raises:
        InputError: it is no engine object, or declares what does not fit together.
    """
    methods = all(callable(getattr(engine, name, None)) for name in METHODS)
    names = all(isinstance(getattr(engine, name, None), str) for name in ("name", "network"))
    if not methods or not names or isinstance(engine, type):
        raise InputError(
            f"An engine object has texts `name` and `network`, with the methods "
            f"{', '.join(METHODS)}. Received: {engine!r:.200}"
        )
    abilities = {name: getattr(engine, name, None) for name in ABILITIES}
    for name, ability in abilities.items():
        if ability is not None and not callable(ability):
            raise InputError(
                f"`{name}` of the {engine.name} engine is a method, or None for what it cannot do. "
                f"Received: {ability!r:.200}"
            )
    if (abilities["render_large"] is None) != (abilities["memory_for"] is None):
        raise InputError(
            f"The {engine.name} engine needs both of `render_large` and `memory_for`, or neither."
        )
    beside = (abilities["render_regions"], abilities["render_large"])
    if abilities["render_large_regions"] is not None and None in beside:
        raise InputError(
            f"The {engine.name} engine needs `render_regions` and `render_large` beside "
            f"`render_large_regions`."
        )
    declared = (*ABILITIES, "styles", "takes_images")
    if all(hasattr(engine, name) for name in declared):
        return engine
    styles = getattr(engine, "styles", {})
    return cast(
        Engine,
        SimpleNamespace(
            name=engine.name,
            network=engine.network,
            styles=styles,
            takes_images=getattr(engine, "takes_images", not styles),
            **{name: getattr(engine, name) for name in METHODS},
            **abilities,
        ),
    )
