"""The page: the photo on the left, the tabs beside it, and the server that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from arbitrary_nst.demo import (
    between_tab,
    blend_tab,
    endpoints,
    painting_tab,
    photo_box,
    styles_tab,
)
from arbitrary_nst.demo.look import CSS, HEAD, theme
from arbitrary_nst.demo.mixes import embedded_styles, plain_photo, thumbnails
from arbitrary_nst.demo.photo_box import STATE_SECONDS
from arbitrary_nst.demo.photos import samples as sample_photos
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.image.arrays import as_floats

TITLE = "Blend painting styles"
CLEAN_EVERY, KEEP_FOR = 300, 1800  # seconds: of the files of uploads and pictures

# Places in the queue: pictures that follow a slider do not wait for those that take long.
LIVE: dict[str, Any] = {
    "concurrency_id": "live",
    "concurrency_limit": 1,
    "api_visibility": "private",
}
HEAVY: dict[str, Any] = {**LIVE, "concurrency_id": "heavy"}
MINUTES: dict[str, Any] = {**LIVE, "concurrency_id": "minutes"}


def build(settings: Settings) -> gr.Blocks:
    """The page with all its events.

    Raises:
        WeightsUnavailable: the embedded network is missing.
    """
    embedded = embedded_styles()
    samples = sample_photos()
    sample = as_floats(next(iter(samples.values()))) if samples else plain_photo()
    pictures = thumbnails(sample, embedded)
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, delete_cache=(CLEAN_EVERY, KEEP_FOR)
    ) as page:
        gr.Markdown(
            f"# {TITLE}\nYour photo in a mix of paintings: choose styles, move their sliders.",
            elem_id="title",
        )
        own = gr.State({}, time_to_live=STATE_SECONDS)
        present = gr.State(blend_tab.NAME)
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=270):
                box = photo_box.lay_out(samples)
            with gr.Column(scale=9, min_width=320), gr.Tabs() as tabs:
                with gr.Tab(blend_tab.NAME):
                    blend = blend_tab.lay_out(pictures)
                with gr.Tab(between_tab.NAME):
                    between = between_tab.lay_out(pictures)
                with gr.Tab(painting_tab.NAME):
                    painting = painting_tab.lay_out()
                with gr.Tab(styles_tab.NAME):
                    mine = styles_tab.lay_out()

        photos, sizes = photo_box.connect(page, box, settings, samples, LIVE)
        after = blend_tab.connect(
            page, blend, box.state, own, settings, embedded, live=LIVE, heavy=HEAVY
        )
        paint_between_after = between_tab.connect(
            between,
            between_tab.Shared(present, box.state, own, blend.strength, blend.keep),
            settings,
            embedded,
            pictures,
            live=LIVE,
            heavy=HEAVY,
        )
        painting_tab.connect(painting, box.state, settings, heavy=HEAVY, minutes=MINUTES)
        learned, forgot = styles_tab.connect(
            mine, own, settings, embedded, sample, [blend.styles, *between.choices], heavy=HEAVY
        )
        endpoints.add(settings, list(embedded), HEAVY)

        for event in (*photos, *sizes):
            painted = after.paint(event)
            paint_between_after(painted)
            if event in photos:
                after.draw(painted)
        for event in learned:
            after.draw(event)
        after.begin(forgot)  # the styles of the mix may be gone
        paint_between_after(
            tabs.select(_name_of_tab, None, present, show_progress="hidden", **LIVE)
        )
    page.queue(max_size=settings.max_waiting, default_concurrency_limit=1)
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
    _, local, shared = page.launch(
        server_name=settings.host,
        server_port=settings.port or None,
        share=settings.share,
        auth=settings.auth,
        max_file_size=settings.max_file_megabytes * 10**6,
        allowed_paths=[],
        footer_links=["api"],
        run_history=False,  # else every picture is kept in the visitor's browser
        enable_monitoring=False,
        mcp_server=False,
        ssr_mode=False,
        pwa=False,
        theme=theme(),
        css=CSS,
        head=HEAD,
        quiet=True,
        prevent_thread_lock=True,
    )
    return local, shared
