"""The vgg19 engine: where the time of a picture goes, and what other engines do in less.

    python benchmarks/vgg19.py --photo a.jpg --painting b.jpg --weights vgg19_notop.h5

The first table has the steps, looks and seconds of each scale with the default settings; a look is
one loss and gradient. Below it is when the loss at full size came within 1.1 times its last, and a
table of seconds and scores beside the cin network's picture and the one that it fits to the photo.
With `--precisions` there is one of seconds a step by precision. With `--race` L-BFGS and Adam run
from the full size at once and coarse to fine: the time until the loss at full size is within 1.1
times the lowest that any of them reached.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import replace

import numpy as np

from arbitrary_nst import Cin
from arbitrary_nst.checkpoints import vgg19_weights
from arbitrary_nst.engines.vgg19 import Vgg19, Vgg19Settings
from arbitrary_nst.image import load_image, resize
from arbitrary_nst.networks.precision import has_fast_bfloat16
from arbitrary_nst.networks.vgg import CONTENT_LAYER, STYLE_LAYERS, load_vgg19
from arbitrary_nst.training.evaluate import picture_figures


def seconds_per_step(engine: Vgg19, photo: np.ndarray, painting: np.ndarray, runs: int) -> float:
    """The shortest time of one loss and gradient, warm."""
    function = engine._objective(photo, [engine.embed(painting)])
    values = photo
    function(values)
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        function(values)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def race(settings: Vgg19Settings, source: str, photo: np.ndarray, painting: np.ndarray):
    """(seconds since the start, loss) of the steps at full size."""
    engine = Vgg19(source, settings=settings)
    style = engine.embed(painting)
    start = time.perf_counter()
    return [
        (time.perf_counter() - start, step.loss)
        for step in engine.render_steps(photo, style)
        if step.picture.shape == photo.shape
    ]


def scales(source: str | None, photo: np.ndarray, painting: np.ndarray) -> tuple[np.ndarray, float]:
    """Prints where the time of a picture goes; the picture and its seconds in all."""
    begun = time.perf_counter()
    engine = Vgg19(source)
    print(f"loading VGG19: {time.perf_counter() - begun:.1f} s")
    looks, objective = [0], engine._objective

    def counted(*arguments):
        function = objective(*arguments)

        def look(values):
            looks[0] += 1
            return function(values)

        return look

    engine._objective = counted
    start = time.perf_counter()
    style = engine.embed(painting)
    print(f"embedding the painting: {time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    rows, at_full_size = [], []
    for step in engine.render_steps(photo, style):
        now = time.perf_counter()
        if step.step == 0:
            print(f"the first picture {now - start:.1f} s later, {now - begun:.1f} s in all")
            continue
        side = max(step.picture.shape)
        if side == max(photo.shape):
            at_full_size.append((now - begun, step.loss))
        if rows and rows[-1][0] == side:
            rows.pop()
        rows.append((side, step.step, looks[0], now - start, step.loss))
    print(f"{'size':>5} {'steps':>6} {'looks':>6} {'seconds':>8} {'loss':>8}")
    before = (0, 0, 0, 0.0, 0.0)
    for row in rows:
        steps, done, seconds = (row[i] - before[i] for i in (1, 2, 3))
        print(f"{row[0]:5} {steps:6} {done:6} {seconds:8.1f} {row[4]:8.4f}", flush=True)
        before = row
    last = at_full_size[-1][1]
    near = next(seconds for seconds, loss in at_full_size if loss <= 1.1 * last)
    print(f"within 1.1 times the last loss after {near:.1f} s, loading and embedding counted")
    return step.picture, at_full_size[-1][0]


def beside_cin(
    source: str | None, photo: np.ndarray, painting: np.ndarray, picture: np.ndarray, seconds: float
) -> None:
    """Prints seconds and scores of the network's picture, the one fitted to the photo, and ours."""
    found = {}
    for name, cin in (("cin", Cin()), ("cin, fit_steps=10", Cin(fit_steps=10))):
        for _ in range(2):  # the second time is warm
            start = time.perf_counter()
            made = cin.render(photo, cin.embed(painting))
            found[name] = (time.perf_counter() - start, made)
    found["vgg19"] = (seconds, picture)
    judge = load_vgg19((*STYLE_LAYERS, CONTENT_LAYER), weights=vgg19_weights(source))
    small = resize(painting, longer_side=max(photo.shape))
    print(f"\n{'engine':18} {'seconds':>8} {'style':>7} {'content':>8} {'detailed':>9} {'flat':>6}")
    for name, (took, made) in found.items():
        figures = picture_figures(made, photo, small, judge)
        style, content, detailed, flat = list(figures.values())[:4]
        print(f"{name:18} {took:8.1f} {style:7.3f} {content:8.3f} {detailed:9.3f} {flat:6.3f}")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photo", required=True)
    parser.add_argument("--painting", required=True)
    parser.add_argument("--weights", help="VGG19 file (default: $ARBITRARY_NST_VGG19)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--race-size", type=int, default=384)
    parser.add_argument("--steps", type=int, default=120, help="of one scale in the race")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--precisions", action="store_true", help="print seconds by precision")
    parser.add_argument("--race", action="store_true", help="run L-BFGS and Adam")
    options = parser.parse_args()
    photo, painting = load_image(options.photo)[0], load_image(options.painting)[0]

    small = resize(photo, longer_side=options.sizes[0])
    picture, seconds = scales(options.weights, small, painting)
    beside_cin(options.weights, small, painting, picture, seconds)
    if options.precisions:
        print_precisions(options, photo, painting)
    if options.race:
        print_race(options, photo, painting)


def print_precisions(options: argparse.Namespace, photo: np.ndarray, painting: np.ndarray) -> None:
    """Prints seconds a step by size and precision."""
    print(f"\n{'size':>5} {'precision':>14} {'s/step':>7} {'peak MB so far':>15}")
    precisions = ["bfloat16", "float32"] if has_fast_bfloat16() else ["float32"]
    for size in options.sizes:
        for precision in precisions:
            engine = Vgg19(options.weights, settings=Vgg19Settings(precision=precision))
            small = resize(photo, longer_side=size)
            seconds = seconds_per_step(engine, small, painting, options.runs)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{size:5} {precision:>14} {seconds:7.2f} {peak:15.0f}", flush=True)


def print_race(options: argparse.Namespace, photo: np.ndarray, painting: np.ndarray) -> None:
    """Prints how soon each way is near the lowest loss."""
    small = resize(photo, longer_side=options.race_size)
    base = Vgg19Settings(tolerance=0, init="content")
    half = options.race_size // 2
    steps = options.steps
    ways = {
        "L-BFGS, full size": replace(base, coarsest=4096, iterations=(steps,)),
        "L-BFGS, coarse to fine": replace(base, coarsest=half, iterations=(steps, steps // 2)),
        "Adam, full size": replace(base, optimizer="adam", coarsest=4096, iterations=(steps,)),
        "Adam, coarse to fine": replace(
            base, optimizer="adam", coarsest=half, iterations=(steps, steps // 2)
        ),
    }
    paths = {name: race(way, options.weights, small, painting) for name, way in ways.items()}
    lowest = min(loss for path in paths.values() for _, loss in path)
    print(f"\n{'way':24} {'seconds in all':>14} {'last loss':>10} {'s to 1.1 x lowest':>18}")
    for name, path in paths.items():
        near = next((f"{seconds:.0f}" for seconds, loss in path if loss < 1.1 * lowest), "never")
        print(f"{name:24} {path[-1][0]:14.0f} {path[-1][1]:10.4f} {near:>18}", flush=True)


if __name__ == "__main__":
    main()
