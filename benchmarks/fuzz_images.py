"""Damaged image files, thousands of them: those that do not end as they should are printed.

    python benchmarks/fuzz_images.py --number 5000 --seed 2

A file ends well where it is read (float32 in [0, 1]) or refused with an `ImageError`, warns of
nothing else, and costs no more than `SECONDS` of processor time and ten times its size beside
what its pixels take. It is read in a child, so that a crash or an endless loop is one line more
and nothing else. The same seed makes the same files. `--keep FOLDER` keeps the bad ones.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import json
import os
import random
import resource
import select
import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, features

MAX_PIXELS = 4_000_000
SECONDS = 5.0  # of processor time
HANGS = 60.0  # seconds of the clock, on a busy machine
SPARE_MB = 60
BYTES_PER_PIXEL = 48


def seeds() -> dict[str, bytes]:
    """Whole files of every kind that is read, by name."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:40, 0:56]
    picture = np.stack([x * 4, y * 6, (x * y) % 256], -1).astype(np.uint8)
    picture[10:20, 10:30] = rng.integers(0, 256, (10, 20, 3))
    rgb = Image.fromarray(picture)
    grey, alpha = rgb.convert("L"), Image.fromarray((x * 4).astype(np.uint8))
    rgba, la = rgb.copy(), Image.merge("LA", (grey, alpha))
    rgba.putalpha(alpha)
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a text"
    exif.get_ifd(0x8769)[0x9003] = "2026:01:01 00:00:00"
    frames = [rgb.rotate(90 * k) for k in range(3)]
    found = {}

    def add(name: str, image: Image.Image, kind: str, **options) -> None:
        buffer, image = io.BytesIO(), image.copy()
        with contextlib.suppress(
            OSError, KeyError, ValueError, TypeError
        ):  # what this Pillow cannot write
            image.save(buffer, kind, **options)
            found[name] = buffer.getvalue()

    palette = rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=16)
    for name, image in {
        "rgb": rgb,
        "grey": grey,
        "rgba": rgba,
        "la": la,
        "palette": palette,
        "bits": rgb.convert("1"),
        "deep": deep,
    }.items():
        add(f"png-{name}", image, "PNG")
        for packing in (None, "tiff_lzw", "tiff_deflate", "packbits"):
            add(f"tiff-{name}-{packing}", image, "TIFF", compression=packing)
    add("png-exif", rgb, "PNG", exif=exif)
    add("png-see-through", palette, "PNG", transparency=3)
    add(
        "apng",
        frames[0],
        "PNG",
        save_all=True,
        append_images=[f.copy() for f in frames[1:]],
        duration=50,
    )
    add("jpeg", rgb, "JPEG", exif=exif)
    add("jpeg-progressive", rgb, "JPEG", progressive=True, subsampling=0)
    add("jpeg-grey", grey, "JPEG")
    add("jpeg-cmyk", rgb.convert("CMYK"), "JPEG")
    add("mpo", frames[0], "MPO", save_all=True, append_images=[f.copy() for f in frames[1:]])
    add("gif", palette, "GIF", comment=b"hello")
    add(
        "gif-moving",
        frames[0],
        "GIF",
        save_all=True,
        append_images=[f.copy() for f in frames[1:]],
        loop=0,
    )
    add("webp", rgba, "WEBP", exif=exif)
    add("webp-lossless", rgba, "WEBP", lossless=True)
    add(
        "webp-moving",
        frames[0],
        "WEBP",
        save_all=True,
        append_images=[f.copy() for f in frames[1:]],
    )
    add("tiff-jpeg", rgb, "TIFF", compression="jpeg")
    add("tiff-g4", rgb.convert("1"), "TIFF", compression="group4")
    add("tiff-cmyk", rgb.convert("CMYK"), "TIFF")
    add("tiff-lab", rgb.convert("LAB"), "TIFF")
    add("tiff-float", Image.fromarray(np.asarray(grey, np.float32) / 255), "TIFF")
    add(
        "tiff-pages", frames[0], "TIFF", save_all=True, append_images=[f.copy() for f in frames[1:]]
    )
    add("bmp", rgb, "BMP")
    add("bmp-palette", palette, "BMP")
    add("jpeg2000", rgb, "JPEG2000")
    add("jpeg2000-alpha", rgba, "JPEG2000")
    for name, image in {"ppm": rgb, "pgm": grey, "pbm": rgb.convert("1"), "pgm-deep": deep}.items():
        add(name, image, "PPM")
    numbers = " ".join(map(str, np.asarray(grey).ravel())).encode()
    found["pgm-text"] = b"P2\n# a comment\n56 40\n255\n" + numbers
    if features.check("avif"):
        add("avif", rgba, "AVIF", exif=exif)
    with contextlib.suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()
        add("heic", rgb, "HEIF", exif=exif)
    return found


EXTREME = [0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def mutated(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """The file with one to four changes, of which some are made to get far."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        rng.choice(CHANGES)(out, others, rng)
        if not out:
            out[:] = data[:1]
    if out[:8] == b"\x89PNG\r\n\x1a\n" and rng.random() < 0.8:
        _mend_checksums(out)
    return bytes(out)


def _place(out: bytearray, rng: random.Random) -> int:
    """Mostly in the header, where the numbers are."""
    return rng.randrange(min(len(out), 600) if rng.random() < 0.6 else len(out))


def _bits(out: bytearray, others: list[bytes], rng: random.Random) -> None:
    for _ in range(rng.choice((1, 3, 20))):
        out[_place(out, rng)] ^= 1 << rng.randrange(8)


def _bytes(out: bytearray, others: list[bytes], rng: random.Random) -> None:
    place = _place(out, rng)
    stop = min(len(out), place + rng.choice((1, 2, 4, 16, 64)))
    out[place:stop] = rng.randbytes(stop - place)


def _number(out: bytearray, others: list[bytes], rng: random.Random) -> None:
    place, value = _place(out, rng), rng.choice(EXTREME)
    kind = rng.choice("BHIQ")
    size = struct.calcsize(f"<{kind}")
    if place + size <= len(out):
        struct.pack_into(rng.choice("<>") + kind, out, place, value % 256**size)


def _cut(out: bytearray, others: list[bytes], rng: random.Random) -> None:
    del out[rng.randrange(1, len(out) + 1) :]


def _removed(out: bytearray, others: list[bytes], rng: random.Random) -> None:
    place = _place(out, rng)
    del out[place : place + rng.choice((1, 4, 50, 500))]


def _repeated(out: bytearray, others: list[bytes], rng: random.Random) -> None:
    place = _place(out, rng)
    part = bytes(out[place : place + rng.choice((2, 12, 60, 400))])
    out[place:place] = part * rng.choice((1, 2, 50, 3000))
    del out[3_000_000:]


def _filled(out: bytearray, others: list[bytes], rng: random.Random) -> None:
    place = _place(out, rng)
    out[place:place] = bytes([rng.choice((0, 255, 32, 10))]) * rng.choice((1, 100, 70_000, 10**6))


def _spliced(out: bytearray, others: list[bytes], rng: random.Random) -> None:
    other = rng.choice(others)
    out[_place(out, rng) :] = other[rng.randrange(len(other)) :]


def _inserted(out: bytearray, others: list[bytes], rng: random.Random) -> None:
    other = rng.choice(others)
    start = rng.randrange(len(other))
    place = _place(out, rng)
    out[place:place] = other[start : start + rng.choice((8, 100, 2000))]


CHANGES = [
    _bits,
    _bytes,
    _number,
    _number,
    _cut,
    _removed,
    _repeated,
    _filled,
    _spliced,
    _inserted,
]


def _mend_checksums(out: bytearray) -> None:
    place = 8
    while place + 12 <= len(out):
        (length,) = struct.unpack_from(">I", out, place)
        stop = place + 8 + length
        if stop + 4 > len(out):
            return
        struct.pack_into(">I", out, stop, zlib.crc32(out[place + 4 : stop]))
        place = stop + 4


def images(number: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Mutated files, each with its name: the same for the same seed."""
    rng = random.Random(seed)
    whole = seeds()
    names, files = list(whole), list(whole.values())
    for index in range(number):
        name = names[index % len(names)]
        yield f"{index:05d}-{name}", mutated(whole[name], files, rng)


def serve_images() -> None:
    """In the child: reads a length and a file again and again; answers each with a line."""
    from arbitrary_nst.errors import ImageError
    from arbitrary_nst.image import load_image

    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "w")
    with tempfile.TemporaryFile() as file:  # for what native code says
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    while head := requests.read(8):
        data = requests.read(struct.unpack("<Q", head)[0])
        os.ftruncate(2, 0)
        _forget_peak()
        before, start = _peak_mb(), time.process_time()
        pixels, faults = 0, []
        with warnings.catch_warnings(record=True) as remarks:
            warnings.simplefilter("always")
            try:
                rgb, alpha = load_image(data, max_pixels=MAX_PIXELS)
            except ImageError as error:
                outcome = type(error).__name__
                if "\n" in str(error) or len(str(error)) > 1000:
                    faults.append(f"a message of {len(str(error))} characters: {error}"[:300])
            except BaseException as error:  # which is what is looked for
                outcome = type(error).__name__
                faults.append(f"{outcome}: {error}"[:300])
            else:
                outcome, pixels = "read", rgb.shape[0] * rgb.shape[1]
                for array in (rgb, alpha):
                    if array is not None and not (
                        array.dtype == np.float32
                        and np.isfinite(array).all()
                        and 0 <= array.min() <= array.max() <= 1
                    ):
                        faults.append(f"{array.dtype} from {array.min()} to {array.max()}")
        seconds, grown = time.process_time() - start, _peak_mb() - before
        allowed = SPARE_MB + (10 * len(data) + BYTES_PER_PIXEL * pixels) / 1e6
        if seconds > SECONDS:
            faults.append(f"{seconds:.1f} s")
        if grown > allowed:
            faults.append(f"{grown:.0f} MB more, for {len(data)} bytes and {pixels} pixels")
        foreign = [str(r.message) for r in remarks if not str(r.message).startswith("The content")]
        if foreign:
            faults.append(f"warning: {foreign[0][:200]}")
        # libtiff writes to stderr by itself, which the command line sends nowhere.
        outcome += ", with words of native code" if os.fstat(2).st_size else ""
        answers.write(json.dumps([outcome, faults, round(seconds, 2), round(grown)]) + "\n")
        answers.flush()


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> float:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def ask(child: subprocess.Popen, data: bytes, patience: float) -> tuple[str, list[str], float, int]:
    """How a child of `serve` ends with a file: outcome, faults, seconds and MB.

    One that died, or that hangs for `patience` seconds of the clock and is killed, has neither of
    the last two, and is not there afterwards.
    """
    child.stdin.write(struct.pack("<Q", len(data)) + data)
    child.stdin.flush()
    ready, _, _ = select.select([child.stdout], [], [], patience)
    if line := child.stdout.readline() if ready else b"":
        return tuple(json.loads(line))
    outcome = "died" if ready else "hangs"
    child.kill()
    return outcome, [f"{outcome} ({child.wait()})"], 0.0, 0


def fuzz_images(number: int, seed: int, keep: Path | None) -> int:
    """Reads them all; prints the outcomes, and the faults as they come."""
    outcomes: collections.Counter[str] = collections.Counter()
    bad, slowest, largest = 0, (0.0, ""), (0.0, "")
    child = _child()
    for name, data in images(number, seed):
        outcome, faults, seconds, grown = ask(child, data, HANGS)
        slowest, largest = max(slowest, (seconds, name)), max(largest, (grown, name))
        if child.poll() is not None:
            child = _child()
        outcomes[outcome] += 1
        if faults:
            bad += 1
            print(f"{name}: {outcome}; {'; '.join(faults)}", flush=True)
            if keep is not None:
                (keep / name).write_bytes(data)
    child.stdin.close()
    child.wait()
    print(f"{number} files, seed {seed}: {dict(outcomes)}; {bad} with a fault")
    print(f"slowest {slowest[0]} s ({slowest[1]}), most memory {largest[0]} MB ({largest[1]})")
    return bad


def _child() -> subprocess.Popen:
    command = [sys.executable, __file__, "serve"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def main() -> int:
    """Does what is asked for; returns 1 where something did not end well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("files", "serve"), nargs="?", default="files")
    parser.add_argument("--number", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    if options.what == "serve":
        serve_images()
        return 0
    return min(1, fuzz_images(options.number, options.seed, options.keep))


if __name__ == "__main__":
    sys.exit(main())
