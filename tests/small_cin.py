"""Layouts of cin with few filters, random networks, and random photos and styles for them."""

from functools import cache

import numpy as np

from arbitrary_nst.networks.cin.fast import FastCin
from arbitrary_nst.networks.cin.file import kernel_shapes
from arbitrary_nst.networks.cin.layout import CinLayout, noise_shape
from arbitrary_nst.networks.cin.network import build_network

LAYOUTS = {
    "shipped": CinLayout((4, 6, 8, 12), 2, 9, skip_connections=True, noise_channels=3),
    "fine": CinLayout((4, 6, 8, 12), 1, 5, True, noise_channels=2, noise_levels=3, fine_blocks=1),
    "published": CinLayout((4, 8, 12), 2, 9),
    "odd widths": CinLayout((3, 5, 7), 1, 7, skip_connections=True),
    "small kernels": CinLayout((2, 4), 1, 3, noise_channels=1),
    "kernel 5": CinLayout((3, 4, 6), 1, 5),
}


def random_kernels(layout, seed=0):
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0, 0.2, shape).astype(np.float32)
        for name, shape in kernel_shapes(layout).items()
    }


@cache
def plain_network(layout):
    """The network of `random_kernels`, which all tests share: tracing it takes a second."""
    network = build_network(layout)
    for name, kernel in random_kernels(layout).items():
        network.get_layer(f"{name}_conv").kernel.assign(kernel)
    return network


@cache
def fast_network(layout, precision="float32"):
    """The same network rewritten, which all tests share as well."""
    return FastCin(layout, random_kernels(layout), precision)


def random_inputs(layout, batch=1, height=16, width=16, seed=0):
    rng = np.random.default_rng(seed)
    inputs = {
        "content": rng.random((batch, height, width, 3), np.float32),
        "gamma": rng.normal(1, 0.3, (batch, layout.style_size)).astype(np.float32),
        "beta": rng.normal(0, 0.3, (batch, layout.style_size)).astype(np.float32),
    }
    if layout.noise_channels:
        shape = noise_shape(layout, height, width)
        inputs["noise"] = rng.standard_normal((batch, *shape), np.float32)
    return inputs
