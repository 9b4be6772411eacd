"""The picture to keep, in the photo's own size: the same in every tab.

Painting it takes its time, in which the visitor may change the mix. What is offered at the end is
the picture of the mix that is shown, or none.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from typing import Any

import gradio as gr
from PIL import Image

from arbitrary_nst.demo.files import exact
from arbitrary_nst.demo.mixes import Masks, Mix, file_name, full_working_size, paint
from arbitrary_nst.demo.photos import Photo, full_shape, full_size
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.toasts import friendly, note
from arbitrary_nst.embedding import Embedding

LABEL = "Full-size PNG"
POLL_SECONDS = 0.4  # between two looks at the time

# By a link of its own: that on the page may not be there yet, or be hidden again by a picture that
# is painted just then, and the visitor's click would lead to nothing.
_SAVE = """(file) => {
  if (!file?.url) return;
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name ?? "";
  document.body.append(link);
  link.click();
  link.remove();
}"""


@dataclass(frozen=True)
class Job:
    """A picture to be painted for keeping.

    Args:
        name: of the file, without its ending.
        shape: height and width of the picture.
        key: all that the picture depends on: equal keys are equal pictures.
        work: paints it.
        text: goes into the file.
    """

    name: str
    shape: tuple[int, int]
    key: Any
    work: Callable[[], Image.Image]
    text: str = ""

    @property
    def size(self) -> str:
        """Width and height in words."""
        return f"{self.shape[1]} × {self.shape[0]}"


def job_of(
    photo: Photo,
    mix: Mix,
    styles: list[Embedding],
    settings: Settings,
    text: str = "",
    masks: Masks = None,
) -> Job:
    """The picture that looks like the preview of this mix, in the photo's own size."""

    def work() -> Image.Image:
        image = full_size(photo, settings)
        at = full_working_size(photo, mix)
        return paint(image, mix, styles, working_size=at, masks=masks)

    where = tuple(None if mask is None else mask.tobytes() for mask in masks or ())
    key = (photo.token, photo.size, mix, tuple(style.digest for style in styles), where)
    return Job(file_name(photo, mix), full_shape(photo, settings), key, work, text)


class Pace:
    """How long pictures take here, learned from those that were painted."""

    def __init__(self) -> None:
        self._seconds = 0.5  # for a megapixel

    def expected(self, shape: tuple[int, int]) -> float:
        """Seconds for a picture of this height and width."""
        return 0.5 + self._seconds * shape[0] * shape[1] / 1e6

    def learn(self, shape: tuple[int, int], seconds: float) -> None:
        """Takes note of how long one took."""
        measured = max(0.05, seconds - 0.5) / max(0.1, shape[0] * shape[1] / 1e6)
        self._seconds = 0.5 * self._seconds + 0.5 * min(measured, 60)


@dataclass(frozen=True)
class Saving:
    """The components."""

    button: gr.Button
    progress: gr.HTML
    download: gr.DownloadButton
    made: gr.State  # key and path of the last picture
    pace: Pace

    @property
    def shown(self) -> list[Any]:
        """What `offer_of` updates."""
        return [self.button, self.download]


def lay_out(pace: Pace, prefix: str = "", *, visible: bool = True) -> Saving:
    """Draws the button, and what it leads to.

    Args:
        pace: of all tabs together.
        prefix: of the ids, which differ from tab to tab.
        visible: whether there is a picture to keep at the beginning.
    """
    with gr.Column(elem_classes="saving"):
        button = gr.Button(LABEL, variant="primary", visible=visible, elem_id=f"{prefix}full")
        progress = gr.HTML(elem_id=f"{prefix}full-progress", elem_classes="progress")
        name = f"{prefix}download"
        download = gr.DownloadButton("Save the PNG", visible=False, elem_id=name)
    return Saving(button, progress, download, gr.State(None, time_to_live=3600), pace)


def offer_of(saving: Saving, job: Job | None) -> list[Any]:
    """The button as it is for a picture not yet painted, and no file of another one.

    Without a job there is nothing to keep, and no button. It does not say whether the button can be
    pressed: while one is painted it cannot, since Gradio drops clicks then.
    """
    return [
        gr.Button(_label(saving, job), visible=job is not None),
        gr.DownloadButton(visible=False),
    ]


def connect(
    saving: Saving,
    inputs: list[Any],
    find: Callable[..., Job],
    *,
    live: dict[str, Any],
    heavy: dict[str, Any],
) -> None:
    """Wires the button.

    Args:
        saving: the components.
        inputs: components with the settings of the picture.
        find: the job of the values of `inputs`; raises where there is nothing to paint.
        live: options of events that a visitor waits for.
        heavy: options of events that take their time.
    """

    @friendly
    def prepare(*given: Any) -> Iterator[tuple[Any, ...]]:
        job = find(*given)
        begin = time.monotonic()
        expected = saving.pace.expected(job.shape)
        busy = gr.Button(f"Painting {job.size} …", interactive=False)
        with ThreadPoolExecutor(1, "full-size") as pool:
            painting = pool.submit(job.work)
            while True:
                passed = time.monotonic() - begin
                # The label again, too: a picture painted meanwhile has put its own there.
                yield busy, bar(*_so_far(job, passed, expected)), gr.skip()
                with contextlib.suppress(NotYet):
                    picture = painting.result(POLL_SECONDS)
                    break
        saving.pace.learn(job.shape, time.monotonic() - begin)
        yield gr.skip(), gr.skip(), (job.key, exact(picture, job.name, job.text))

    @friendly
    def offer(made: tuple[Any, str] | None, *given: Any) -> tuple[Any, ...]:
        job = find(*given)
        if made is None or made[0] != job.key:
            note("The mix changed while the picture was painted. It is not offered; paint again.")
            file = gr.DownloadButton(value=None, visible=False)
        else:
            file = gr.DownloadButton(f"Save the PNG ({job.size})", value=made[1], visible=True)
        return gr.Button(_label(saving, job), interactive=True), "", file

    def again() -> tuple[Any, ...]:
        return gr.Button(LABEL, interactive=True), ""

    outputs = [saving.button, saving.progress, saving.made]
    hidden: dict[str, Any] = {"show_progress": "hidden", "preprocess": False}
    made = saving.button.click(prepare, inputs, outputs, **hidden, **heavy)
    made.failure(again, None, outputs[:2], **hidden, **live)
    shown = [*outputs[:2], saving.download]
    offered = made.success(offer, [saving.made, *inputs], shown, **hidden, **live)
    offered.failure(again, None, outputs[:2], **hidden, **live)
    offered.success(None, saving.download, js=_SAVE, api_visibility="private")


def bar(text: str, share: float | None = None) -> str:
    """A progress bar with a line of text; without a share it shows only that something runs."""
    value = "" if share is None else f' value="{share:.3f}"'
    return f'<p role="status">{text}</p><progress max="1"{value} aria-label="{text}"></progress>'


def in_words(seconds: float) -> str:
    """Seconds in words, such as "about 3 min"."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / 60)} min"


def _label(saving: Saving, job: Job | None) -> str:
    if job is None:
        return LABEL
    return f"{LABEL} · {job.size}, {in_words(saving.pace.expected(job.shape))}"


def _so_far(job: Job, passed: float, expected: float) -> tuple[str, float]:
    left = max(expected - passed, 0)
    words = f"{in_words(left)} left" if left > 0.5 else "nearly done"
    return f"Painting {job.size} pixels, {words}", min(0.97, passed / expected)
