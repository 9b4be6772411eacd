"""The tab for any painting: one to four images as styles, at once or in full quality."""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from arbitrary_nst.demo import controls, saving
from arbitrary_nst.demo.files import original_name, read_upload, shown, shown_photo
from arbitrary_nst.demo.mixes import Mix, code, file_name, paint, preview, preview_size
from arbitrary_nst.demo.painting_layout import (
    FULL,
    HINT,
    MAX_PAINTINGS,
    PaintingTab,
    availability,
    first_engine,
)
from arbitrary_nst.demo.photos import (
    Photo,
    as_picture,
    full_shape,
    full_size,
    read_painting,
    resized,
)
from arbitrary_nst.demo.saving import Job, bar, in_words
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.steps import in_steps
from arbitrary_nst.demo.toasts import friendly, no_photo, note
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines import load_engine
from arbitrary_nst.engines.protocol import Engine
from arbitrary_nst.errors import RenderError
from arbitrary_nst.image.arrays import as_floats
from arbitrary_nst.pipeline.detail import restore_detail

NAME = "Any painting"
FULL_SIZE = 768  # pixels at most in full quality: beyond, a picture takes half an hour
PREVIEW_SECONDS = 1.0  # between two pictures on the way
MOST_STOPS = 1000

Paintings = dict[str, Embedding]  # by engine and file


@dataclass(frozen=True, eq=False)
class Order:
    """What the tab is set to.

    Args:
        photo: to be painted, at the size at which it is.
        mix: of the paintings, named after their files.
        keys: of the paintings in the cache.
        engine: that paints.
    """

    photo: Photo
    mix: Mix
    keys: tuple[str, ...]
    engine: str

    @property
    def key(self) -> Any:
        """All that the picture depends on."""
        return self.photo.token, self.photo.size, self.mix, self.keys


@dataclass(frozen=True, eq=False)
class Done:
    """A picture in full quality, whole or as far as it came."""

    key: Any
    picture: Image.Image
    words: str


def connect(
    tab: PaintingTab,
    photo: gr.State,
    settings: Settings,
    *,
    live: dict[str, Any],
    heavy: dict[str, Any],
    minutes: dict[str, Any],
) -> Any:
    """Wires the tab.

    Args:
        tab: the components.
        photo: state with the visitor's photo.
        settings: for the limits.
        live: options of events that a visitor waits for.
        heavy: options of events that take their time.
        minutes: options of events that take minutes.

    Returns:
        A function that adds something to do after an event: to paint this tab anew.
    """
    stops: dict[str, threading.Event] = {}  # of the runs on their way, by visitor

    @friendly
    def run(
        request: gr.Request, photo: Photo | None, cache: Paintings, *given: Any
    ) -> Iterator[list[Any]]:
        """Paints, with pictures on the way."""
        stop = stops.setdefault(str(request.session_hash), threading.Event())
        try:
            if stop.is_set():  # while it waited for its turn
                yield _updates(status="Cancelled.")
                return
            files, order = _order(photo, settings, *given)
            yield _updates(progress=bar("Getting ready"))
            runner = load_engine(order.engine)
            cache = _with_embeddings(cache, runner, files, settings)
            styles = [cache[key] for key in order.keys]
            if order.engine != FULL:
                yield _updates(**painted(order, styles), cache=cache)
                return
            before, done = shown_photo(order.photo), None
            at = preview_size(order.photo, order.mix)
            for text, share, picture in _on_the_way(
                order.photo.image, order.mix, styles, runner, at, stop
            ):
                update: dict[str, Any] = {"progress": bar(text, share), "cache": cache}
                if picture is not None:
                    done = Done(order.key, picture, text)
                    update |= {"pair": (before, shown(picture)), "done": done}
                yield _updates(**update)
            words = "Done" if not stop.is_set() else "Cancelled."
            yield _updates(**finished(order, done, words))
        finally:
            stops.pop(str(request.session_hash), None)

    def finished(order: Order, done: Done | None, words: str) -> dict[str, Any]:
        if done is None:
            return {"status": words}
        shares = order.mix.shares()
        return {
            "status": shares if words == "Done" else f"{words} The picture so far can be saved.",
            "code": _code(order, settings),
            "offer": saving.offer_of(tab.saving, _job(order, [], done, settings)),
        }

    def painted(order: Order, styles: list[Embedding]) -> dict[str, Any]:
        """What shows a picture that is painted at once."""
        picture = preview(order.photo, order.mix, styles)
        job = _job(order, styles, None, settings)
        return {
            "pair": (shown_photo(order.photo), shown(picture)),
            "status": f"{order.mix.shares()} · {picture.width} × {picture.height} pixels",
            "code": _code(order, settings),
            "offer": saving.offer_of(tab.saving, job),
        }

    @friendly
    def again(photo: Photo | None, cache: Paintings, done: Done | None, *given: Any) -> list[Any]:
        """The picture of other settings, where it is there at once; else none of old ones."""
        try:
            _, order = _order(photo, settings, *given)
        except gr.Error:  # no photo or no painting yet
            return _updates(**unpainted(photo, HINT))
        if order.engine != FULL and all(key in cache for key in order.keys):
            return _updates(**painted(order, [cache[key] for key in order.keys]))
        if done is not None and done.key == order.key:
            return _updates(**finished(order, done, done.words))
        return _updates(**unpainted(photo, "Press Paint for the picture of these settings."))

    def unpainted(photo: Photo | None, words: str) -> dict[str, Any]:
        """The photo as it is: a picture of other settings would be taken for that of these."""
        file = None if photo is None else shown_photo(photo)
        offer = saving.offer_of(tab.saving, None)
        return {"pair": file and (file, file), "status": words, "code": "", "offer": offer}

    @friendly
    def find(photo: Photo | None, cache: Paintings, done: Done | None, *given: Any) -> Job:
        _, order = _order(photo, settings, *given)
        if order.engine == FULL:
            if done is None or done.key != order.key:
                raise _first("Press Paint first: there is no picture of these settings yet.")
            return _job(order, [], done, settings)
        if not all(key in cache for key in order.keys):
            raise _first("Press Paint first: the paintings are new.")
        return _job(order, [cache[key] for key in order.keys], None, settings)

    def wait(request: gr.Request) -> tuple[Any, ...]:
        """While others are served there is nothing of `run` yet to be seen."""
        stops[str(request.session_hash)] = threading.Event()
        while len(stops) > MOST_STOPS:  # of visitors who left before their turn
            del stops[next(iter(stops))]
        return bar("Waiting for a turn"), gr.Button(interactive=True)

    def cancel(request: gr.Request) -> str:
        if (stop := stops.get(str(request.session_hash))) is not None:
            stop.set()
        return bar("Ends after this step")

    given = [tab.engine, *tab.controls.all, *tab.images, *tab.weights]
    outputs = [
        tab.progress,
        tab.result,
        tab.status,
        tab.code,
        *tab.saving.shown,
        tab.embedded,
        tab.done,
    ]
    # `preprocess=False`: Gradio would open the files with PIL first, with errors of its own.
    options: dict[str, Any] = {"preprocess": False, "show_progress": "hidden"}
    aside: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    waiting = tab.paint.click(wait, None, [tab.progress, tab.cancel], **aside)
    running = waiting.then(run, [photo, tab.embedded, *given], outputs, **options, **minutes)
    # At the end, however it comes, there is nothing to cancel and no progress.
    running.then(
        lambda: ("", gr.Button(interactive=False)), None, [tab.progress, tab.cancel], **aside
    )
    tab.cancel.click(cancel, None, tab.progress, **aside)
    noticed = tab.engine.input(availability, tab.engine, tab.notice, **options, **heavy)

    inputs = [photo, tab.embedded, tab.done, *given]
    last = {"trigger_mode": "always_last", **options}
    changes = [part.input for part in (*tab.weights, *tab.controls.all)]
    changes += [event for image in tab.images for event in (image.upload, image.clear)]
    gr.on(changes, again, inputs, outputs, **last, **live)
    noticed.then(again, inputs, outputs, **last, **live)
    saving.connect(tab.saving, inputs, find, live=live, heavy=heavy)
    return lambda event: event.then(again, inputs, outputs, **last, **live)


def _updates(
    *,
    progress: Any = None,
    offer: list[Any] | None = None,
    cache: Paintings | None = None,
    done: Done | None = None,
    **shown: Any,
) -> list[Any]:
    """Updates of the outputs; what is not named stays."""
    return [
        gr.skip() if progress is None else progress,
        *[shown.get(name, gr.skip()) for name in ("pair", "status", "code")],
        *(offer or [gr.skip()] * 2),
        gr.skip() if cache is None else cache,
        gr.skip() if done is None else done,
    ]


def _order(
    photo: Photo | None, settings: Settings, engine: str, *given: Any
) -> tuple[list[Any], Order]:
    """What the page is set to: the files of the paintings, and the order."""
    if photo is None:
        raise no_photo()
    look, files, weights = given[:3], given[3 : 3 + MAX_PAINTINGS], given[3 + MAX_PAINTINGS :]
    chosen = _chosen(files, weights)
    if engine == FULL:
        photo = resized(photo, min(photo.size, FULL_SIZE), settings)
    names = tuple(original_name(file) for file, _ in chosen)
    mix = Mix(names, tuple(weight for _, weight in chosen), **controls.read(*look))
    keys = tuple(_key(engine, file) for file, _ in chosen)
    return [file for file, _ in chosen], Order(photo, mix, keys, engine)


def _job(order: Order, styles: list[Embedding], done: Done | None, settings: Settings) -> Job:
    """The picture to keep; of one in full quality, which took minutes, that very one, enlarged."""
    if done is None:
        job = saving.job_of(order.photo, order.mix, styles, settings)
        return Job(job.name, job.shape, order.key, job.work, "")

    def work() -> Image.Image:
        photo, picture = full_size(order.photo, settings), as_floats(np.asarray(done.picture))
        small = order.photo.image
        if small.shape == photo.shape:
            return done.picture
        large = restore_detail(photo[..., :3], small[..., :3], picture[..., :3])
        return as_picture(np.concatenate([large, photo[..., 3:]], axis=-1))

    name, shape = file_name(order.photo, order.mix), full_shape(order.photo, settings)
    return Job(name, shape, (order.key, done.words), work, "")


def _code(order: Order, settings: Settings) -> str:
    engine = None if order.engine == first_engine() else order.engine
    return code(order.photo, order.mix, {}, engine=engine, settings=settings)


def _first(text: str) -> gr.Error:
    return gr.Error(text, title="Not yet", print_exception=False)


def time_left(seconds: float) -> str:
    """Seconds in words, such as "about 3 min left"."""
    return f"{in_words(seconds)} left"


def _chosen(files: tuple[Any, ...], weights: tuple[Any, ...]) -> list[tuple[Any, float]]:
    pairs = [(file, weight) for file, weight in zip(files, weights, strict=True) if file]
    chosen = [(file, round(controls.number(weight, "The weight"), 2)) for file, weight in pairs]
    if not any(weight for _, weight in chosen):
        raise gr.Error(
            "Drop a painting first, and give it a weight above 0.",
            title="No painting yet",
            print_exception=False,
        )
    return chosen


def _key(engine: str, file: Any) -> str:
    return f"{engine} {file.get('path') if isinstance(file, dict) else None}"


def _with_embeddings(
    cache: Paintings, runner: Engine, files: list[dict[str, Any]], settings: Settings
) -> Paintings:
    """The embeddings made so far, and those of these paintings."""
    for file in files:
        key = _key(runner.name, file)
        if key not in cache:
            image = read_painting(read_upload(file, settings), settings)
            cache = {**cache, key: runner.embed(image)}
    return cache


def _on_the_way(
    image: np.ndarray,
    mix: Mix,
    styles: list[Embedding],
    engine: Engine,
    working_size: int | None = None,
    stop: threading.Event | None = None,
) -> Iterator[tuple[str, float, Image.Image | None]]:
    """What to say after each step, the share that is done, and now and then the picture.

    Every step is passed on, because between two of them the visitor's Cancel takes effect. The
    first and the last have their picture, and so has the end of a run that broke off, which is
    told. Once `stop` is set, the step that comes is the last. Step 0 is what the work starts from.
    """
    begin, last_picture = time.monotonic(), -math.inf
    try:
        work = functools.partial(paint, image, mix, styles, engine, working_size=working_size)
        for report in in_steps(lambda progress: work(progress=progress)):
            if isinstance(report, Image.Image):
                yield "Done", 1.0, report
                return
            done, total, picture = report
            now = time.monotonic()
            if stop is not None and stop.is_set():
                yield f"Step {done} of {total}", done / total, picture
                return
            if now - last_picture >= PREVIEW_SECONDS:
                last_picture = now
            else:
                picture = None
            text = f"Step {done} of {total}"
            if done:
                text += f", {time_left((now - begin) / done * (total - done))}"
            yield text, done / total, picture
    except RenderError as error:
        if error.picture is None:
            raise
        note(f"{error} The last good picture is shown.")
        yield "Broke off", 1.0, as_picture(error.picture)
