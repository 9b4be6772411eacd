"""Flicker of painted videos, with and without steadying; time and memory.

Flicker is the mean difference between a frame and the one before, moved along by the optical flow
of the source, where that flow is valid; in levels of 255, before encoding. The source's own is
what cannot be helped: light, noise, and errors of the flow. Sharpness is the mean of the Laplacian
of the brightness: what it loses is flicker of single pixels, and beyond that blur.

    python benchmarks/video.py fox.mp4 cars.mp4 --frames 80 --size 400
    python benchmarks/video.py fox.mp4 --strip strip.jpg --start 30 --size 320
    python benchmarks/video.py --memory 100 1000
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from tables import write_csv

from arbitrary_nst import embed, load_engine, save_image
from arbitrary_nst.common.extras import require
from arbitrary_nst.image import resize
from arbitrary_nst.image.arrays import as_floats
from arbitrary_nst.image.sheet import contact_sheet
from arbitrary_nst.video.reading import open_clip, read_frames
from arbitrary_nst.video.steady import (
    Motion,
    motion_between,
    painted_steadily,
    warp,
)

COLUMNS = 5  # of the strip
GAIN = 4  # of the differences that it shows


def frames_of(path: str, start: int, count: int, size: int) -> list[np.ndarray]:
    """Frames as float32 `(H, W, 3)` in `[0, 1]`, the longer side scaled to `size`."""
    frames = islice(read_frames(open_clip(path)), start, start + count)
    return [resize(as_floats(frame.rgb), longer_side=size) for frame in frames]


def painted(frames: list[np.ndarray], style: str, steady: float) -> tuple[list[np.ndarray], float]:
    """The pictures, and the seconds that a frame took."""
    engine, embedding = load_engine("cin"), embed(style)
    engine.render(frames[0], embedding)  # the first call traces the graph
    start, past, pictures = time.perf_counter(), None, []
    for frame in frames:
        past = painted_steadily(past, frame, steady, lambda calm: engine.render(calm, embedding))
        pictures.append(past.picture)
    return pictures, (time.perf_counter() - start) / len(frames)


def warped_difference(motion: Motion, before: np.ndarray, after: np.ndarray) -> float:
    """How much a picture differs from the one before, moved along: what the eye sees as flicker.

    Args:
        motion: of the source between the two frames.
        before: float32 `(H, W, 3)`, RGB in `[0, 1]`.
        after: of the same shape.

    Returns:
        Mean absolute difference where the motion is valid, in `[0, 1]`; NaN where it nowhere is.
    """
    if not motion.valid.any():
        return float("nan")
    return float(np.abs(after - warp(before, motion.back))[motion.valid].mean())


def flicker(motions: list, film: list[np.ndarray]) -> float:
    """In levels of 255."""
    pairs = zip(motions, pairwise(film), strict=True)
    return 255 * float(np.nanmean([warped_difference(m, *pair) for m, pair in pairs]))


def sharpness(film: list[np.ndarray]) -> float:
    """Mean absolute Laplacian of the brightness, in levels of 255."""
    cv2 = require("cv2")
    grays = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in film]
    return 255 * float(np.mean([np.abs(cv2.Laplacian(gray, cv2.CV_32F)).mean() for gray in grays]))


def table(options: argparse.Namespace) -> None:
    """Prints a row for each clip, style and strength of steadying."""
    rows = []
    print("| clip | style | steady | flicker | sharpness | s a frame |\n|---|---|---|---|---|---|")
    for path in options.videos:
        frames = frames_of(path, options.start, options.frames, options.size)
        motions = [motion_between(*pair) for pair in pairwise(frames)]
        name = Path(path).stem
        source = {"clip": name, "style": "", "steady": "", "flicker": flicker(motions, frames)}
        rows.append({**source, "sharpness": sharpness(frames), "seconds": ""})
        print(
            f"| {name} | the source | | {flicker(motions, frames):.2f} | {sharpness(frames):.1f} |"
        )
        for style in options.styles:
            for steady in options.steady:
                film, seconds = painted(frames, style, steady)
                row = {"clip": name, "style": style, "steady": steady}
                row |= {"flicker": flicker(motions, film), "sharpness": sharpness(film)}
                rows.append({**row, "seconds": seconds})
                figures = f"{row['flicker']:.2f} | {row['sharpness']:.1f} | {seconds:.3f}"
                print(f"| {name} | {style} | {steady:g} | {figures} |", flush=True)
    write_csv(options.csv, rows)


def strip(options: argparse.Namespace) -> None:
    """Draws consecutive frames: source, without and with steadying, and what differs."""
    count = options.start + COLUMNS + 1
    frames = frames_of(options.videos[0], 0, count, options.size)
    motions = [motion_between(*pair) for pair in pairwise(frames)][-COLUMNS:]
    films = [frames] + [painted(frames, options.styles[0], k)[0] for k in options.steady]
    labels = ["source"] + [f"steady {steady:g}" for steady in options.steady]
    rows = [film[-COLUMNS:] for film in films]
    for film, label in zip(films[1:], list(labels[1:]), strict=True):
        pairs = zip(motions, pairwise(film[-COLUMNS - 1 :]), strict=True)
        rows.append([difference(motion, *pair) for motion, pair in pairs])
        labels.append(f"{label}: flicker x{GAIN}")
    save_image(contact_sheet(rows, row_labels=labels, cell=options.cell), options.strip, quality=88)


def difference(motion, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Where a picture flickers, amplified: dark is calm; what came into view is black."""
    change = np.abs(after - warp(before, motion.back)) * motion.valid[..., None]
    return (GAIN * change).clip(0, 1).astype(np.float32)


def memory(lengths: list[int]) -> None:
    """Prints the peak memory of the whole path for clips of these numbers of frames."""
    with tempfile.TemporaryDirectory() as folder:
        for length in lengths:
            clip = Path(folder) / f"{length}.mp4"
            write_clip(clip, length)
            code = (
                "import resource; from arbitrary_nst.video import stylize_video\n"
                f"stylize_video({str(clip)!r}, 'great-wave', {str(clip.with_suffix('.mkv'))!r})\n"
                "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
            )
            command = [sys.executable, "-c", code]
            peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            print(f"{length:6} frames of 320x240: {int(peak)} MB", flush=True)


def write_clip(path: Path, length: int) -> None:
    """A clip of a pattern that moves."""
    av = require("av")
    y, x = np.mgrid[0:240, 0:320]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for i in range(length):
            waves = [np.sin((x + i) / 9), np.cos((y - i) / 7), np.sin((x + y) / 50)]
            levels = 127 + 100 * np.stack(waves, axis=-1)
            frame = av.VideoFrame.from_ndarray(levels.astype(np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main() -> None:
    """Prints the table, or makes the strip, or measures memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="*")
    parser.add_argument("--styles", nargs="+", default=["great-wave", "starry-night"])
    parser.add_argument("--steady", type=float, nargs="+", default=[0, 0.4, 0.7, 1])
    parser.add_argument("--frames", type=int, default=80)
    parser.add_argument("--start", type=int, default=0, help="first frame")
    parser.add_argument("--size", type=int, default=400, help="longer side in pixels")
    parser.add_argument("--strip", metavar="FILE", help="picture to make of the first video")
    parser.add_argument("--cell", type=int, default=240, help="longer side of a cell of the strip")
    parser.add_argument("--csv", metavar="FILE", help="write the table")
    parser.add_argument("--memory", type=int, nargs="+", metavar="FRAMES")
    options = parser.parse_args()
    if options.memory:
        memory(options.memory)
    elif options.strip:
        strip(options)
    else:
        table(options)


if __name__ == "__main__":
    main()
