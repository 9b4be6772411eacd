"""How soon the demo's picture follows a slider: from the move to the painted picture on screen.

A headless Chromium opens the demo and moves a slider; the page itself takes the time, from the
slider's event to the new picture, sent over HTTP, decoded by the browser and drawn. Beside it
stands what `stylize` alone takes, measured between two moves, so that a machine that is busy slows
both; their difference is what the page adds. Before that, the page is opened a few times, from the
address to the painted picture on screen. Then the slider is dragged without pause, to see how many
pictures are painted on the way and how late the last one is. At last it is said where the time of
a move goes: in the browser until its request leaves; in the server until the engine begins, which
is reading the request, Gradio's queue and the visitor's state; in the engine; in writing the JPEG;
back to the page; and in fetching the JPEG and drawing it.

    pip install "arbitrary-nst[demo,sample]" playwright      # and a chromium on the PATH
    python benchmarks/demo.py
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator

from tables import write_csv

from arbitrary_nst import stylize
from arbitrary_nst.demo import Settings, start
from arbitrary_nst.demo.serving import private_folder
from arbitrary_nst.image import load_image, resize
from arbitrary_nst.samples import SAMPLES, sample_photo

SIZES = (256, 512)  # the sample has no more pixels
FIRST_STYLES = ("composition-vii", "starry-night")  # those that the page begins with
MOVE = """
async ([label, value]) => {
  const picture = () => [...document.querySelectorAll("#result img")].at(-1);
  const before = picture().src;
  const slider = document.querySelector(`input[aria-label="range slider for ${label}"]`);
  performance.clearResourceTimings();
  const start = performance.now();
  slider.value = value;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  while (picture().src === before) await new Promise(requestAnimationFrame);
  const told = performance.now();
  await picture().decode();
  await new Promise(requestAnimationFrame);
  const end = performance.now();
  const requests = performance.getEntriesByType("resource");
  const sent = requests.find(({ name }) => name.includes("/queue/join"))?.startTime ?? start;
  return [start, sent, told, end].map((time) => performance.timeOrigin + time);
}
"""
# A hand that drags: a move at every frame of the screen, for so many milliseconds.
DRAG = """
async ([label, milliseconds]) => {
  const picture = () => [...document.querySelectorAll("#result img")].at(-1);
  const slider = document.querySelector(`input[aria-label="range slider for ${label}"]`);
  const seen = new Set([picture().src]);
  const start = performance.now();
  let moves = 0;
  while (performance.now() - start < milliseconds) {
    slider.value = (0.1 + 0.8 * (performance.now() - start) / milliseconds).toFixed(2);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    moves += 1;
    await new Promise(requestAnimationFrame);
    seen.add(picture().src);
  }
  const painted = seen.size - 1, released = performance.now();
  let last = released;
  while (performance.now() - last < 1500) {  // until nothing new comes
    await new Promise(requestAnimationFrame);
    if (!seen.has(picture().src)) { seen.add(picture().src); last = performance.now(); }
  }
  return { moves, painted, late: last - released };
}
"""

LINE = (
    "{size:6d}{median:8.0f}{tenth:16.0f}{alone:16.0f}{ratio:7.1f}"
    "{moves:8d}{painted:10d}{late:20.0f}"
)
STAGES = ("leaves", "begins", "engine", "writes", "returns", "draws")


OPENED = """
async () => {
  const picture = () => [...document.querySelectorAll("#result img")].at(-1);
  const seen = () => picture()?.complete && getComputedStyle(picture()).visibility === "visible";
  while (!seen()) await new Promise(requestAnimationFrame);
  await picture().decode();
  return performance.now();  // since the address was opened
}
"""


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", choices=SIZES, default=SIZES)
    parser.add_argument("--moves", type=int, default=30)
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--csv", metavar="FILE", help="write the table")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("This needs a Chromium on the PATH, such as Debian's (apt install chromium).")
    from playwright.sync_api import sync_playwright

    with private_folder(), sync_playwright() as driver:
        demo = start(Settings(port=0), wait=False)
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(300_000)  # a busy machine takes its time, and is measured too
        page.goto(demo.local_url)
        page.locator("#result img").last.wait_for()
        opened = [opening(browser, demo.local_url) for _ in range(options.visits)]
        print(f"first picture after opening, ms: {statistics.median(opened):.0f} (median)")
        label = page.locator("#weight-1 span").first.inner_text()
        page.get_by_label(SAMPLES[0], exact=True).check(force=True)
        page.locator("#photo-info").get_by_text(SAMPLES[0]).wait_for()
        page.get_by_text("Size while you try, and the camera").click()
        print("        slider to picture (ms)   stylize alone          dragged for 2 s, ms")
        print(
            "pixels  median  slowest of ten     median (ms)  ratio   moves  pictures  "
            "last one late (ms)"
        )
        rows = []
        for size in options.sizes:
            page.locator("#size").get_by_label(str(size), exact=True).check()
            page.locator("#status").get_by_text(str(size)).wait_for()
            page.wait_for_timeout(1500)  # the tiles are painted too
            rows.append(row(page, label, size, options.moves))
            print(LINE.format_map(rows[-1]), flush=True)
        print("where the median goes, ms: " + ", ".join(STAGES))
        for each in rows:
            parts = "".join(f"{each[stage]:8.0f}" for stage in STAGES)
            print(f"{each['size']:6d}{parts}")
        browser.close()
        demo.close(verbose=False)
    write_csv(options.csv, rows)


def row(page, label: str, size: int, moves: int) -> dict[str, float]:
    """Milliseconds and numbers of pictures at one size."""
    from arbitrary_nst.demo import blend_tab  # it imports Gradio, which `start` makes quiet first

    page.evaluate(MOVE, [label, 0.07])  # the first picture of a size takes longer
    times, alone, stages = [], [], []
    seconds_alone(size)
    with noted(blend_tab, "preview", "shown") as notes:
        for number in range(moves):
            notes.clear()
            value = round(0.1 + 0.8 * number / moves, 3)
            start, sent, told, end = page.evaluate(MOVE, [label, value])
            engine, written = notes["preview"], notes["shown"]
            marks = [start, sent, *engine, written[1], told, end]
            stages.append([after - before for before, after in itertools.pairwise(marks)])
            times.append(end - start)
            alone.append(seconds_alone(size) * 1000)
    tenth = statistics.quantiles(times, n=10)[-1]
    drag = page.evaluate(DRAG, [label, 2000])
    median, bare = statistics.median(times), statistics.median(alone)
    medians = map(statistics.median, zip(*stages, strict=True))
    return {
        "size": size,
        "median": median,
        "tenth": tenth,
        "alone": bare,
        "ratio": median / bare,
        **drag,
        **dict(zip(STAGES, medians, strict=True)),
    }


@contextlib.contextmanager
def noted(module, *names: str) -> Iterator[dict[str, tuple[float, float]]]:
    """Notes when functions of a module last began and ended, in milliseconds since 1970."""
    notes, plain = {}, {name: getattr(module, name) for name in names}

    def noting(name: str) -> Callable:
        def call(*arguments, **options):
            begin = time.time() * 1000
            try:
                return plain[name](*arguments, **options)
            finally:
                notes[name] = begin, time.time() * 1000

        return call

    for name in names:
        setattr(module, name, noting(name))
    try:
        yield notes
    finally:
        for name, function in plain.items():
            setattr(module, name, function)


def opening(browser, url: str) -> float:
    """Milliseconds from opening the address, as a new visitor, to the picture on screen."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(url, wait_until="commit", timeout=300_000)
    milliseconds = page.evaluate(OPENED)
    page.close()
    return milliseconds


def seconds_alone(size: int) -> float:
    """One call of `stylize` on the page's first sample, as the demo has it in memory."""
    photo = load_image(sample_photo(SAMPLES[0]))[0]
    photo = resize(photo, longer_side=size)
    begin = time.perf_counter()
    stylize(photo, list(FIRST_STYLES), [0.3, 0.5])
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
