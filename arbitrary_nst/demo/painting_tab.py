"""The tab for any painting: one to four images as styles, at once or in full quality."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from arbitrary_nst.checkpoints import magenta_source, predicts_styles, vgg19_weights
from arbitrary_nst.demo.blend_tab import code_box, comparison
from arbitrary_nst.demo.files import exact, original_name, plain, read_upload, shown
from arbitrary_nst.demo.mixes import Mix, code, paint
from arbitrary_nst.demo.photos import Photo, as_picture, read_painting, resized
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.steps import in_steps
from arbitrary_nst.demo.toasts import friendly, no_photo, note
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines import load_engine
from arbitrary_nst.engines.protocol import Engine
from arbitrary_nst.errors import InputError, RenderError, WeightsUnavailable

NAME = "Any painting"
MAX_PAINTINGS = 4
QUICK, OWN, FULL = "magenta", "cin", "vgg19"
MISSING = "Not at hand here"
FULL_SIZE = 768  # pixels at most in full quality: beyond, a picture takes half an hour
PREVIEW_SECONDS = 1.0  # between two pictures on the way

Paintings = dict[str, Embedding]  # embeddings by engine and file, so that each is made once


@dataclass(frozen=True)
class PaintingTab:
    """The components of the tab."""

    embedded: gr.State  # Paintings
    images: list[gr.Image]
    weights: list[gr.Slider]
    engine: gr.Radio
    notice: gr.Markdown
    paint: gr.Button
    cancel: gr.Button
    progress: gr.HTML
    result: gr.ImageSlider
    code: gr.Code
    download: gr.DownloadButton


def lay_out() -> PaintingTab:
    """Draws the tab."""
    embedded = gr.State({}, time_to_live=3600)
    gr.Markdown("Drop one to four paintings, and say how much of each.")
    images, weights = [], []
    with gr.Row():
        for number in range(1, MAX_PAINTINGS + 1):
            with gr.Column(min_width=150):
                images.append(
                    gr.Image(
                        label=f"Painting {number}",
                        type="filepath",
                        image_mode=None,
                        sources=["upload", "clipboard"],
                        height=170,
                        buttons=[],
                        alt_text=f"painting {number}",
                        elem_id=f"painting-{number}",
                    )
                )
                weights.append(
                    gr.Slider(
                        0,
                        1,
                        0.5,
                        step=0.01,
                        label="Weight",
                        buttons=[],
                        elem_id=f"painting-weight-{number}",
                    )
                )
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=280):
            engine = gr.Radio(
                _engines(),
                value=_first_engine(),
                label="How",
                elem_id="quality",
            )
            notice = gr.Markdown(
                availability(_first_engine()), elem_classes="quiet", elem_id="notice"
            )
            with gr.Row():
                button = gr.Button("Paint", variant="primary", min_width=120, elem_id="paint")
                cancel = gr.Button("Cancel", min_width=100, elem_id="cancel")
            progress = gr.HTML(elem_id="progress")
            download = gr.DownloadButton("Save the PNG", visible=False, elem_id="painting-download")
        with gr.Column(scale=6, min_width=320):
            result = comparison("painting-result")
    with gr.Accordion("The same picture from Python", open=False):
        text = code_box("painting-code")
    return PaintingTab(
        embedded,
        images,
        weights,
        engine,
        notice,
        button,
        cancel,
        progress,
        result,
        text,
        download,
    )


def _engines() -> list[tuple[str, str]]:
    if not predicts_styles():
        return [("At once", QUICK), ("Full quality, in minutes", FULL)]
    quick = "In a second, by Google's Magenta network"
    return [("At once", OWN), (quick, QUICK), ("Full quality, in minutes", FULL)]


def _first_engine() -> str:
    return OWN if predicts_styles() else QUICK


def availability(engine: str) -> str:
    """Says plainly whether an engine's network is at hand, and what to do where it is not."""
    if engine == OWN:
        return (
            "The network of the first tab; a new painting takes it a few seconds, a picture none."
        )
    if engine == QUICK:
        source = magenta_source()
        try:
            if "://" not in source:
                load_engine(QUICK)
        except (InputError, WeightsUnavailable, ImportError) as error:
            return f"{MISSING}: {error}"
        if "://" in source:
            return "Google's Magenta network; it is downloaded at first use (92 MB)."
        return "Google's Magenta network; about a second for a picture."
    try:
        if vgg19_weights() == "imagenet":
            return (
                "Every picture is optimised by VGG19 on its own. Its weights are downloaded at "
                "first use (80 MB); without internet, `ARBITRARY_NST_VGG19` has to name the file."
            )
    except WeightsUnavailable as error:
        return f"{MISSING}: {error}"
    return "Every picture is optimised by VGG19 on its own; this takes minutes."


def connect(
    tab: PaintingTab,
    photo: gr.State,
    settings: Settings,
    *,
    heavy: dict[str, Any],
    minutes: dict[str, Any],
) -> None:
    """Wires the tab.

    Args:
        tab: the components.
        photo: state with the visitor's photo.
        settings: for the limits.
        heavy: options of events that take their time.
        minutes: options of events that take minutes.
    """

    @friendly
    def run(
        photo: Photo | None, cache: Paintings, engine: str, *given: Any
    ) -> Iterator[tuple[Any, ...]]:
        """Paints, with pictures on the way: updates of the five outputs below."""
        if photo is None:
            raise no_photo()
        chosen = _chosen(given[:MAX_PAINTINGS], given[MAX_PAINTINGS:])
        yield bar("Getting ready"), gr.skip(), "", gr.DownloadButton(visible=False), gr.skip()
        runner = load_engine(engine)
        cache = _with_embeddings(cache, runner, [file for file, _ in chosen], settings)
        styles = [cache[_key(runner, file)] for file, _ in chosen]
        names = tuple(original_name(file) for file, _ in chosen)
        mix = Mix(names, tuple(round(weight, 2) for _, weight in chosen))
        if engine == FULL:
            photo = resized(photo, min(photo.size, FULL_SIZE), settings)
        result = photo.picture()
        before = shown(result)
        if engine == FULL:
            for text, share, picture in _on_the_way(photo.image, mix, styles, runner):
                pair = gr.skip() if picture is None else (before, shown(picture))
                yield bar(text, share), pair, gr.skip(), gr.skip(), cache
                result = picture or result
        else:
            result = paint(photo.image, mix, styles)
        file = exact(result, "-".join(plain(name.rpartition(".")[0]) for name in names))
        label = f"Save the PNG ({result.width} × {result.height})"
        lines = code(photo, mix, {}, engine=None if engine == _first_engine() else engine)
        button = gr.DownloadButton(label, value=file, visible=True)
        yield "", (before, shown(result)), lines, button, cache

    inputs = [photo, tab.embedded, tab.engine, *tab.images, *tab.weights]
    outputs = [tab.progress, tab.result, tab.code, tab.download, tab.embedded]
    # `preprocess=False`: Gradio would open the files with PIL first, with errors of its own.
    options: dict[str, Any] = {"preprocess": False, "show_progress": "hidden"}
    # While others are served there is nothing of `run` yet to be seen.
    waiting = tab.paint.click(
        lambda: bar("Waiting for a turn"),
        None,
        tab.progress,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    running = waiting.then(run, inputs, outputs, **options, **minutes)
    running.failure(lambda: "", None, tab.progress, show_progress="hidden", **heavy)
    cancelled = tab.cancel.click(
        lambda: "Cancelled.",
        None,
        tab.progress,
        cancels=running,
        queue=False,
        api_visibility="private",
    )
    # A step that was on its way to the page may arrive after that, and wipe it out.
    cancelled.then(
        _cancelled_again,
        None,
        tab.progress,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    tab.engine.input(availability, tab.engine, tab.notice, show_progress="hidden", **heavy)


def _cancelled_again() -> str:
    time.sleep(0.7)
    return "Cancelled."


def bar(text: str, share: float | None = None) -> str:
    """A progress bar with a line of text; without a share it shows only that something runs."""
    value = "" if share is None else f' value="{share:.3f}"'
    return f'<p role="status">{text}</p><progress max="1"{value} aria-label="{text}"></progress>'


def time_left(seconds: float) -> str:
    """Seconds in words, such as "about 3 min left"."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s left"
    return f"about {round(seconds / 60)} min left"


def _chosen(files: tuple[Any, ...], weights: tuple[Any, ...]) -> list[tuple[Any, float]]:
    chosen = [(file, float(weight)) for file, weight in zip(files, weights, strict=True) if file]
    if not any(weight for _, weight in chosen):
        raise gr.Error(
            "Drop a painting first, and give it a weight above 0.",
            title="No painting yet",
            print_exception=False,
        )
    return chosen


def _key(runner: Engine, file: dict[str, Any]) -> str:
    return f"{runner.name} {file['path']}"


def _with_embeddings(
    cache: Paintings, runner: Engine, files: list[dict[str, Any]], settings: Settings
) -> Paintings:
    """The embeddings made so far, and those of these paintings."""
    for file in files:
        if _key(runner, file) not in cache:
            image = read_painting(read_upload(file, settings), settings)
            cache = {**cache, _key(runner, file): runner.embed(image)}
    return cache


def _on_the_way(
    image: np.ndarray, mix: Mix, styles: list[Embedding], engine: Engine
) -> Iterator[tuple[str, float, Image.Image | None]]:
    """What to say after each step, the share that is done, and now and then the picture.

    Every step is passed on, because between two of them the visitor's Cancel takes effect. The
    last has its picture, and so has the end of a run that broke off, which is told.
    """
    begin = last_picture = time.monotonic()
    try:
        for report in in_steps(functools.partial(paint, image, mix, styles, engine)):
            if isinstance(report, Image.Image):
                yield "Done", 1.0, report
                return
            done, total, picture = report
            now = time.monotonic()
            if now - last_picture >= PREVIEW_SECONDS or done == 1:
                last_picture = now
            else:
                picture = None
            left = time_left((now - begin) / done * (total - done))
            yield f"Step {done} of {total}, {left}", done / total, picture
    except RenderError as error:
        if error.picture is None:
            raise
        note(f"{error} The last good picture is shown.")
        yield "Broke off", 1.0, as_picture(error.picture)
