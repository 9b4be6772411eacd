"""The vgg19 engine: seconds a step by precision, and how soon each way gets near the lowest loss.

    python benchmarks/vgg19.py --photo a.jpg --painting b.jpg --weights vgg19_notop.h5

The second table has the steps, looks and seconds of each scale with the default settings; a look is
one loss and gradient. The third races L-BFGS and Adam, from the full size at once and coarse to
fine: the time until the loss at full size is within 1.1 times the lowest that any of them reached.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import replace

import numpy as np

from arbitrary_nst.engines.vgg19 import Vgg19, Vgg19Settings
from arbitrary_nst.image import load_image, resize
from arbitrary_nst.networks.precision import has_fast_bfloat16


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


def scales(source: str, photo: np.ndarray, painting: np.ndarray) -> None:
    """Prints where the time of a picture goes."""
    engine = Vgg19(source)
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
    print(f"\nembedding the painting: {time.perf_counter() - start:.1f} s")
    print(f"{'size':>5} {'steps':>6} {'looks':>6} {'seconds':>8} {'loss':>8}")
    start = time.perf_counter()
    rows = []
    for step in engine.render_steps(photo, style):
        if step.step == 0:
            print(f"the first picture after {time.perf_counter() - start:.1f} s")
            continue
        side = max(step.picture.shape)
        row = (side, step.step, looks[0], time.perf_counter() - start, step.loss)
        if rows and rows[-1][0] == side:
            rows.pop()
        rows.append(row)
    before = (0, 0, 0, 0.0, 0.0)
    for row in rows:
        steps, done, seconds = (row[i] - before[i] for i in (1, 2, 3))
        print(f"{row[0]:5} {steps:6} {done:6} {seconds:8.1f} {row[4]:8.4f}", flush=True)
        before = row


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
    options = parser.parse_args()
    photo, painting = load_image(options.photo)[0], load_image(options.painting)[0]

    print(f"{'size':>5} {'precision':>14} {'s/step':>7} {'peak MB so far':>15}")
    precisions = ["bfloat16", "float32"] if has_fast_bfloat16() else ["float32"]
    for size in options.sizes:
        for precision in precisions:
            engine = Vgg19(options.weights, settings=Vgg19Settings(precision=precision))
            small = resize(photo, longer_side=size)
            seconds = seconds_per_step(engine, small, painting, options.runs)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{size:5} {precision:>14} {seconds:7.2f} {peak:15.0f}", flush=True)

    scales(options.weights, resize(photo, longer_side=options.sizes[0]), painting)

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
