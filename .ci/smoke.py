#!/usr/bin/env python3
"""A little of all that an install without extras can do, in a minute: for the lowest versions.

Leaves nothing behind. Prints what was done; exit code 1 with the traceback of what failed.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

import arbitrary_nst
from arbitrary_nst.cli import main


def photo() -> np.ndarray:
    """A small photo, uint8."""
    rows, columns = np.mgrid[0:96, 0:128]
    return np.stack([rows * 2, columns * 2, 255 - rows], axis=-1).astype(np.uint8)


def run() -> None:
    """By names, by images, in a blend; in ONNX Runtime and TensorFlow; to files and from them."""
    content = photo()
    light = arbitrary_nst.stylize(content, ["great-wave", "scream"], [2, 1])
    print("painted", light.size)
    painted = arbitrary_nst.stylize(
        content, "udnie", engine=arbitrary_nst.Cin(runtime="tensorflow")
    )
    print("painted by TensorFlow", painted.size)
    style = arbitrary_nst.embed(content[::-1].copy())
    style.save("style.safetensors")
    mixed = arbitrary_nst.stylize(content, ["style.safetensors", "great-wave"], strength=0.8)
    for suffix in ("png", "jpg", "webp", "tif"):
        arbitrary_nst.save_image(mixed, f"picture.{suffix}")
        assert arbitrary_nst.load_image(f"picture.{suffix}")[0].shape == content.shape
    print("read what was written")
    assert main(["stylize", "picture.png", "-s", "great-wave", "-o", "out.png"]) == 0
    Path("photos").mkdir()
    for number in range(3):
        arbitrary_nst.save_image(mixed, f"photos/{number}.jpg")
    report = arbitrary_nst.stylize_folder("photos", "scream", "painted")
    assert report.painted == 3 and not report.failed, report
    pictures = [np.asarray(p, float) for p in (light, painted, mixed)]
    assert all(p.shape == content.shape and p.std() > 5 for p in pictures)
    print("all done")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            run()
        finally:
            os.chdir("/")
