"""The page: the photo above, the tabs below it, and the server that shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from arbitrary_nst.demo import (
    between_tab,
    blend_layout,
    blend_tab,
    endpoints,
    names,
    painting_layout,
    painting_tab,
    photo_box,
    regions_tab,
    saving,
    styles_tab,
)
from arbitrary_nst.demo.guard import Guard
from arbitrary_nst.demo.look import CSS, theme
from arbitrary_nst.demo.mixes import embedded_styles, plain_photo, thumbnails
from arbitrary_nst.demo.parts import Shared
from arbitrary_nst.demo.photo_box import STATE_SECONDS
from arbitrary_nst.demo.photos import samples as sample_photos
from arbitrary_nst.demo.script import SCRIPT
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.sweep import PREFIX, start_sweeping

TITLE = "Blend painting styles"
CLEAN_EVERY, KEEP_FOR = 300, 1800  # seconds: of the files of uploads and pictures
SESSIONS = 256  # visitors whose photo and settings are remembered; each may be some 15 MB
FOOTER = """<p><b>Offline and private.</b> Your photo is painted where this demo runs; it is deleted
after half an hour, and shown to nobody else. <b>Credits.</b> The paintings are in the public
domain; the sample photos are those of scikit-image. Painted by one small network of our own, after
Dumoulin, Shlens and Kudlur 2017.</p>"""

# Places in the queue: pictures that follow a slider do not wait for those that take long, nor for
# files that are slow to read.
LIVE: dict[str, Any] = {
    "concurrency_id": "live",
    "concurrency_limit": 1,
    "api_visibility": "private",
}
READING: dict[str, Any] = {**LIVE, "concurrency_id": "reading", "concurrency_limit": 3}
HEAVY: dict[str, Any] = {**LIVE, "concurrency_id": "heavy"}
MINUTES: dict[str, Any] = {**LIVE, "concurrency_id": "minutes"}


def build(settings: Settings) -> gr.Blocks:
    """The page with all its events.

    Raises:
        WeightsUnavailable: the embedded network is missing.
    """
    embedded, words = embedded_styles(), names.captions()
    samples = sample_photos()
    photo = photo_box.first_photo(samples, settings)
    sample = plain_photo() if photo is None else photo.image
    pictures = thumbnails(sample, embedded)
    first = blend_tab.first_view(photo, embedded, words, settings)
    pace = saving.Pace()
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=None) as page:
        # Gradio's page asks each component in which an event may show its progress for its value,
        # at every step of every event; the regions' editor uploads photo and layers each time. None
        # here shows any, so all name one that has none. It is the first one, which is soon found,
        # and not there, so that nothing is drawn.
        nowhere = {"show_progress_on": gr.HTML(visible=False)}
        with gr.Row(elem_id="top", equal_height=True):
            gr.Markdown(
                f"# {TITLE}\nYour photo in a mix of paintings.", elem_id="title", min_width=230
            )
            box = photo_box.lay_out(samples, photo)
        own = gr.State({}, time_to_live=STATE_SECONDS)
        present = gr.State(blend_tab.NAME)
        with gr.Tabs() as tabs:
            with gr.Tab(blend_tab.NAME):
                blend = blend_layout.lay_out(pictures, words, first, pace)
            with gr.Tab(between_tab.NAME):
                between = between_tab.lay_out(pictures, words, pace)
            with gr.Tab(regions_tab.NAME):
                regions = regions_tab.lay_out(list(pictures), words, pace)
            with gr.Tab(painting_tab.NAME):
                painting = painting_layout.lay_out(pace, first.pair and first.pair[0])
            with gr.Tab(styles_tab.NAME):
                mine = styles_tab.lay_out(pace, first.pair and first.pair[0])
        photo_box.lay_out_more(box)
        gr.HTML(FOOTER, elem_id="about")

        live, reading, heavy, minutes = (
            {**queue, **nowhere} for queue in (LIVE, READING, HEAVY, MINUTES)
        )
        changes = photo_box.connect(box, settings, samples, photo, live=live, reading=reading)
        queues = {"live": live, "heavy": heavy}
        after = blend_tab.connect(page, blend, box.state, own, settings, embedded, words, **queues)
        shared = Shared(present, box.state, own)
        paint_between_after = between_tab.connect(
            between, shared, settings, embedded, words, **queues
        )
        paint_regions_after = regions_tab.connect(
            regions, shared, settings, embedded, words, reading=reading, **queues
        )
        paint_painting_after = painting_tab.connect(
            painting, box.state, settings, minutes=minutes, **queues
        )
        offers: list[Any] = [
            (blend.styles, names.tiles),
            *((part, names.titles) for part in between.choices),
            *((part, names.choices) for part in regions.brushes),
            (regions.rest, regions_tab.rest_choices),
        ]
        learned, forgot, paint_mine_after = styles_tab.connect(
            mine, shared, settings, embedded, words, sample, offers, **queues
        )
        endpoints.add(settings, list(embedded), HEAVY)

        uploads = changes.photos[:3]  # those that may bring a mix
        for event in (*changes.photos, *changes.sizes):
            painted = after.paint(after.take(event, box.mix) if event in uploads else event)
            paint_between_after(painted)
            paint_regions_after(painted)
            paint_painting_after(painted)
            paint_mine_after(painted)
            if event in changes.photos:
                after.draw(painted)
        for event in learned:
            after.draw(event)
        after.begin(forgot)  # the styles of the mix may be gone
        # Of tabs that are chosen in quick succession the last one counts.
        turned = tabs.select(
            _name_of_tab,
            None,
            present,
            show_progress="hidden",
            trigger_mode="always_last",
            **live,
        )
        for paint_after in (paint_between_after, paint_regions_after, paint_mine_after):
            paint_after(turned)
    # `api_open=False`: else any function could be run past the queue, as many at once as one likes.
    page.queue(max_size=settings.max_waiting, default_concurrency_limit=1, api_open=False)
    return page


def _name_of_tab(event: gr.SelectData) -> str:
    return event.value


def serve(page: gr.Blocks, settings: Settings, announce: Callable[[str], None]) -> gr.Blocks:
    """Starts the server, and announces its addresses.

    Raises:
        OSError: the port is taken.
    """
    try:
        local, shared = _launch(page, settings)
    except OSError as error:
        raise OSError(
            f"Cannot listen on {settings.host}, port {settings.port}: it is taken, or not allowed. "
            f"Choose another port. ({error})"
        ) from error
    for url in filter(None, (local, shared)):
        announce(url)
    return page


def _launch(page: gr.Blocks, settings: Settings) -> tuple[str, str]:
    folder = Path(get_upload_folder())
    if folder.name.startswith(PREFIX):  # else it is not ours alone
        start_sweeping(folder, CLEAN_EVERY, KEEP_FOR)
    guard = Middleware(Guard, settings=settings, queue=lambda: page._queue)
    _, local, shared = page.launch(
        server_name=settings.host,
        server_port=settings.port or None,
        share=settings.share,
        auth=settings.auth,
        max_file_size=settings.max_file_megabytes * 10**6,
        state_session_capacity=SESSIONS,
        allowed_paths=[],
        footer_links=["api"],
        run_history=False,  # else every picture is kept in the visitor's browser
        enable_monitoring=False,
        mcp_server=False,
        ssr_mode=False,
        pwa=False,
        theme=theme(),
        head=f"<style>{CSS}</style>\n<script>{SCRIPT}</script>",
        app_kwargs={"middleware": [guard]},
        quiet=True,
        prevent_thread_lock=True,
        # The only thing that hangs on it is a look at the page itself, which gives up after three
        # seconds and ends the demo: on a busy machine, or where a proxy stands in the way.
        _frontend=False,
    )
    return local, shared
