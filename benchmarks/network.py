"""Time of the cin network alone: layouts, plain layers against the fast form, precisions.

Variants take turns within one run, so their ratios mean something where single times do not.

    python benchmarks/network.py --sizes 512 1024
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from keras import ops

from arbitrary_nst.networks.cin.fast import FastCin
from arbitrary_nst.networks.cin.file import kernel_shapes
from arbitrary_nst.networks.cin.layout import CinLayout, noise_shape
from arbitrary_nst.networks.cin.network import build_network
from arbitrary_nst.networks.precision import has_fast_bfloat16

LAYOUTS = {
    "16-32-64-128 x4, skips, noise (shipped)": CinLayout((16, 32, 64, 128), 4, 9, True, 4),
    "16-32-64 x5": CinLayout((16, 32, 64), 5),
    "32-64-128 x5 (published)": CinLayout((32, 64, 128), 5),
}


def variants(layout: CinLayout) -> dict:
    """Callables from a dict of inputs to a picture, with the same random kernels."""
    rng = np.random.default_rng(0)
    kernels = {
        name: rng.normal(0, 0.1, shape).astype(np.float32)
        for name, shape in kernel_shapes(layout).items()
    }
    plain = build_network(layout)
    for name, kernel in kernels.items():
        plain.get_layer(f"{name}_conv").kernel.assign(kernel)
    precisions = ["float32", "bfloat16"] if has_fast_bfloat16() else ["float32"]
    found = {"plain float32": lambda x: ops.convert_to_numpy(plain.predict_on_batch(x))}
    for precision in precisions:
        fast = FastCin(layout, kernels, precision)
        found[f"fast {precision}"] = lambda x, fast=fast: fast(
            x["content"], x["gamma"], x["beta"], x["noise"]
        )
    return found


def random_inputs(layout: CinLayout, size: int) -> dict[str, np.ndarray]:
    """One square photo of noise, and a style."""
    rng = np.random.default_rng(0)
    return {
        "content": rng.random((1, size, size, 3), np.float32),
        "gamma": np.ones((1, layout.style_size), np.float32),
        "beta": np.zeros((1, layout.style_size), np.float32),
        "noise": rng.standard_normal((1, *noise_shape(layout, size, size)), np.float32),
    }


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    base = None
    print(f"{'layout':40} {'size':>5} {'variant':>14} {'first s':>8} {'best ms':>8} {'ratio':>6}")
    for name, layout in LAYOUTS.items():
        functions = variants(layout)
        for size in options.sizes:
            inputs = random_inputs(layout, size)
            times = {variant: [] for variant in functions}
            for _ in range(1 + options.runs):
                for variant, function in functions.items():
                    start = time.perf_counter()
                    function(inputs)
                    times[variant].append(time.perf_counter() - start)
            for variant, (first, *warm) in times.items():
                per_pixel = min(warm) / size**2
                base = base or per_pixel
                print(
                    f"{name:40} {size:5} {variant:>14} {first:8.2f} {min(warm) * 1e3:8.0f} "
                    f"{per_pixel / base:6.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
