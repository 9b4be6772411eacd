"""Damaged files of styles, networks and weights, and masks: those that do not end well are printed.

    python benchmarks/fuzz_weights.py --kind style --number 1000 --seed 2

A file ends well where it is read, or refused with an error of this package on one line, in
`SECONDS` of processor time and ten times its size, beside `SPARE_MB`; so does a mask that is read
and laid on a photo. It is read in a child, so that a crash or an endless loop is one line more and
nothing else. The same seed makes the same files. `--keep FOLDER` keeps the bad ones.
"""

from __future__ import annotations

import argparse
import collections
import functools
import hashlib
import io
import json
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from fuzz_images import _forget_peak, _peak_mb, ask, mutated, seeds
from PIL import Image
from PIL.PngImagePlugin import PngInfo

SECONDS = 5.0  # of processor time
HANGS = 120.0  # seconds of the clock, on a busy machine
SPARE_MB = {"tflite": 500}  # which is run, too; others 60
ODD = [None, True, -1, 0, 1, 2**31, 2**63, 1e308, "", "F16", "I64", [], [0], {}, "x" * 99]


def style_files() -> list[bytes]:
    """Whole style files: packaged ones, one by itself, and the targets."""
    from arbitrary_nst import embed, save_styles

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "style.safetensors")
        embed("great-wave").save(path)
        one = path.read_bytes()
        save_styles([embed("scream"), embed("udnie")], path)
        return [one, path.read_bytes()]


def network_files() -> list[bytes]:
    """A small network with random kernels."""
    from arbitrary_nst.networks.cin.file import kernel_shapes, network_bytes
    from arbitrary_nst.networks.cin.layout import CinLayout

    layout = CinLayout(channels=(4, 8, 8), num_residual_blocks=1)
    rng = np.random.default_rng(0)
    shapes = kernel_shapes(layout).items()
    return [network_bytes(layout, {n: rng.normal(0, 0.1, s).astype("f4") for n, s in shapes})]


def predictor_files() -> list[bytes]:
    """A small predictor with random weights."""
    from dataclasses import asdict

    from safetensors.numpy import save

    from arbitrary_nst.networks.predictor.layout import PredictorLayout
    from arbitrary_nst.networks.predictor.reading import FORMAT, VERSION

    layout = PredictorLayout((4, 4, 8, 8, 8), (8,), 4, 8, 8)
    arrays = {n: np.full(s, 0.01, np.float16) for n, s in layout.shapes(32).items()}
    about = {"format": FORMAT, "version": VERSION, "layout": json.dumps(asdict(layout))}
    return [save(arrays, {**about, "network": "cin-0"})]


def vgg19_files() -> list[bytes]:
    """Keras' layout of VGG19 with arrays of a few numbers, plain and packed."""
    import h5py

    found = []
    for options in ({}, {"compression": "gzip", "chunks": True}):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "vgg19.h5")
            with h5py.File(path, "w") as file:
                names = [f"block{b}_conv{c}" for b in (1, 2, 3) for c in (1, 2)]
                file.attrs["layer_names"] = [n.encode() for n in names]
                for name in names:
                    group = file.create_group(name)
                    parts = {f"{name}/kernel:0": (3, 3, 4, 4), f"{name}/bias:0": (4,)}
                    group.attrs["weight_names"] = [n.encode() for n in parts]
                    for part, shape in parts.items():
                        group.create_dataset(part, data=np.ones(shape, "f4"), **options)
            found.append(path.read_bytes())
    return found


def tflite_files() -> list[bytes]:
    """The two files of Magenta's phone version, where they are."""
    folder = os.environ.get("ARBITRARY_NST_MAGENTA", "")
    return [path.read_bytes() for path in sorted(Path(folder).glob("style_*.tflite"))]


def mask_files() -> list[bytes]:
    """Whole images of every kind."""
    return list(seeds().values())


def record_files() -> list[bytes]:
    """What a film leaves of two segments, as JSON; the files that it names are in `read_record`."""
    digest = hashlib.sha256(b"frames").hexdigest()
    return [json.dumps({"segments": [digest] * 2, "past": digest}, indent=1).encode()]


def mix_files() -> list[bytes]:
    """Pictures that the demo saved, with the settings in them."""
    found = []
    for text in ("mix=great-wave:0.5,scream:1&strength=0.8", "mix=udnie:0&strokes=2&colours=photo"):
        notes, stream = PngInfo(), io.BytesIO()
        notes.add_itxt("arbitrary_nst", text)
        Image.new("RGB", (8, 8)).save(stream, "PNG", pnginfo=notes)
        found.append(stream.getvalue())
    return found


@functools.cache
def small_training() -> Any:
    """A trainer of a network with a few kernels, on photos and paintings of a few pixels."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from small_training import small_config, small_vgg, write_data

    from arbitrary_nst.training.train import build_trainer

    folder = write_data(Path(tempfile.mkdtemp()) / "data")
    return build_trainer(small_config(folder), vgg=small_vgg())


def checkpoint_files() -> list[bytes]:
    """The state of a training on its way."""
    from arbitrary_nst.training.checkpoint import save_checkpoint

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "checkpoint.safetensors")
        save_checkpoint(small_training(), 3, path)
        return [path.read_bytes()]


def state_files() -> list[bytes]:
    """The state of a picture of the vgg19 engine on its way."""
    from arbitrary_nst.engines.vgg19.resume import save_state

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state.safetensors")
        save_state(path, "mine", 1, 20, 0.25, np.full((12, 16, 3), 0.5, np.float32))
        return [path.read_bytes()]


def config_files() -> list[bytes]:
    """The settings of a training."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.json")
        small_training().config.save(path)
        return [path.read_bytes()]


def list_files() -> list[bytes]:
    """A list of styles, and one of paintings."""
    style = {"name": "a", "file": "a.jpg", "source": "b", "style_weight": 4, "style_size": 512}
    styles = [style | {"levels": [0.1, 0.9], "crop": [0, 0.1, 1, 1], "matched_parts": 0.5}]
    return [json.dumps(v).encode() for v in (styles, [{"file": "a.jpg", "group": "c"}] * 3)]


def pack_files() -> list[bytes]:
    """A training in one file, without kernels."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("config.json", config_files()[0])
        for name in ("vgg19.safetensors", "photos/00000.jpg", "styles/000.jpg"):
            archive.writestr(name, bytes(60))
    return [stream.getvalue()]


def read_style(path: str) -> None:
    """Reads it, and names all that is in it."""
    from arbitrary_nst.embedding import blend, load_styles

    styles = list(load_styles(path).values())
    assert all(np.isfinite(a).all() for style in styles for a in style.arrays.values())
    assert len({style.digest for style in styles}) and blend(styles[:1], [1.0]).digest


def read_network(path: str) -> None:
    from arbitrary_nst.networks.cin.file import load_network, network_id

    network_id(load_network(path)[1])


def read_predictor(path: str) -> None:
    from arbitrary_nst.networks.predictor.reading import read_predictor

    read_predictor(path, 32, "cin-0")


def read_vgg19(path: str) -> None:
    """Looks at it as `load_vgg19` does, and reads the arrays as Keras does afterwards."""
    import h5py

    from arbitrary_nst.errors import WeightsUnavailable
    from arbitrary_nst.networks.vgg_file import check_file

    try:
        check_file(path)
        with h5py.File(path, "r") as file:
            for name in file.attrs["layer_names"]:
                for part in file[name].attrs["weight_names"]:
                    np.asarray(file[name][part])
    except Exception as error:  # whatever h5py raises; `load_vgg19` turns it into this
        raise WeightsUnavailable(" ".join(str(error).split())[:500]) from error


def read_tflite(path: str) -> None:
    from arbitrary_nst.networks.magenta.tflite import _Interpreter

    network = _Interpreter(Path(path))
    if network.image and not network.vector:
        network(np.zeros((1, 64, 64, 3), np.float32))
    elif network.image:
        network(np.zeros((1, 16, 20, 3), np.float32), np.zeros((1, 1, 1, 100), np.float32))


def read_mask(path: str) -> None:
    """Reads it as the masks of three styles, and lays it on photos of two sizes."""
    from arbitrary_nst.pipeline.regions import cover_of, read_masks, weights_of

    masks = read_masks([path, None, path], 3, 4_000_000)
    for shape in ((48, 64), (7, 999)):
        weights = weights_of(masks, [0.5, 0.3, 0.2], shape)
        assert weights.dtype == np.float32 and np.isfinite(weights).all()
        assert abs(weights.sum(-1) - 1).max() < 1e-3
        cover_of(masks, [0.5, 0.0, 0.5], shape)


def read_record(path: str) -> None:
    """Goes on with the parts of a film: those that are whole, or none."""
    from contextlib import ExitStack

    from arbitrary_nst.video import parts

    folder, settings = Path(path).with_name("out.mp4.parts"), {"seed": 0}
    with ExitStack() as held:
        parts.open_parts(folder, settings, held)
    for name in ("segment-000000.part", "segment-000001.part", "past-000002.npz"):
        (folder / name).write_bytes(b"frames")
    (folder / parts.RECORD_FILE).write_bytes(Path(path).read_bytes())
    with ExitStack() as held:
        assert parts.open_parts(folder, settings, held) in (0, 2)
    parts.has_finished(folder)
    parts.remove_parts(folder)


def read_mix(path: str) -> None:
    """Takes the mix as the page does where such a picture is dropped onto it."""
    from arbitrary_nst.demo.files import settings_in
    from arbitrary_nst.demo.share import from_text, to_text

    text = settings_in(Path(path).read_bytes())
    mix = from_text(text, ["great-wave", "scream", "udnie"])
    if mix is not None:
        assert all(0 <= weight <= 1 for weight in (*mix.weights, mix.strength))
        assert 0.5 <= mix.strokes <= 3 and len(to_text(mix)) < 200


def read_checkpoint(path: str) -> None:
    from arbitrary_nst.training.checkpoint import load_checkpoint

    assert load_checkpoint(small_training(), Path(path)) >= 0


def read_state(path: str) -> None:
    from arbitrary_nst.engines.vgg19.resume import load_state

    picture = load_state(Path(path), "mine")[3]
    assert picture is not None and np.isfinite(picture).all()


def read_config(path: str) -> None:
    """Reads it, and looks at what it says as `train` does."""
    from arbitrary_nst.training.config import TrainConfig, check_config

    check_config(TrainConfig.load(path))


def read_list(path: str) -> None:
    """Takes it as a list of styles, or else as one of paintings."""
    from dataclasses import replace

    from arbitrary_nst.errors import InputError
    from arbitrary_nst.training.config import check_config
    from arbitrary_nst.training.reading import read_painting_list, read_style_list

    config = small_training().config
    try:
        check_config(replace(config, styles=read_style_list(path, "folder")))
    except InputError:
        check_config(replace(config, paintings=read_painting_list(path, "folder")))


def read_pack(path: str) -> None:
    from arbitrary_nst.training.config import check_config
    from arbitrary_nst.training.pack import open_pack

    with tempfile.TemporaryDirectory() as folder:
        config, _ = open_pack(path, Path(folder, "pack"))
        check_config(config)


def twisted_json(data: bytes, rng: random.Random) -> bytes:
    """JSON with odd things in it."""
    value = json.loads(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        _twist(value, rng)
    return json.dumps(value).encode()


def twisted_tensors(data: bytes, rng: random.Random) -> bytes:
    """A file of safetensors with odd things in its header."""
    size = int.from_bytes(data[:8], "little")
    header = twisted_json(data[8 : 8 + size], rng)
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


def twisted_pack(data: bytes, rng: random.Random) -> bytes:
    """A training pack with odd things in its settings."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as archive,
        zipfile.ZipFile(stream, "w") as other,
    ):
        for name in archive.namelist():
            part = archive.read(name)
            other.writestr(name, twisted_json(part, rng) if name.endswith(".json") else part)
    return stream.getvalue()


class Kind(NamedTuple):
    """How whole files are made and read, and how they become odd, but well-formed."""

    whole: Callable[[], list[bytes]]
    read: Callable[[str], None]
    twisted: Callable[[bytes, random.Random], bytes] | None = None


KINDS = {
    "style": Kind(style_files, read_style, twisted_tensors),
    "network": Kind(network_files, read_network, twisted_tensors),
    "predictor": Kind(predictor_files, read_predictor, twisted_tensors),
    "vgg19": Kind(vgg19_files, read_vgg19),
    "tflite": Kind(tflite_files, read_tflite),
    "mask": Kind(mask_files, read_mask),
    "record": Kind(record_files, read_record, twisted_json),
    "mix": Kind(mix_files, read_mix),
    "checkpoint": Kind(checkpoint_files, read_checkpoint, twisted_tensors),
    "state": Kind(state_files, read_state, twisted_tensors),
    "config": Kind(config_files, read_config, twisted_json),
    "list": Kind(list_files, read_list, twisted_json),
    "pack": Kind(pack_files, read_pack, twisted_pack),
}


def changed(data: bytes, kind: Kind, others: list[bytes], rng: random.Random) -> bytes:
    """A damaged file; every other time one that is well-formed, but odd, where there are such."""
    if kind.twisted is None or rng.random() < 0.5:
        return mutated(data, others, rng)
    return kind.twisted(data, rng)


def _twist(whole: dict | list, rng: random.Random) -> None:
    """One odd thing, anywhere in what JSON holds, also in the JSON inside it."""
    place: object = whole
    while isinstance(place, dict | list) and place:
        key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
        inner = place[key]
        if isinstance(inner, str) and inner[:1] in "{[" and rng.random() < 0.8:
            try:
                value = json.loads(inner)
            except ValueError:
                value = {}
            if isinstance(value, dict | list) and value:
                _twist(value, rng)
                place[key] = json.dumps(value)
                return
        if not isinstance(inner, dict | list) or not inner or rng.random() < 0.2:
            how = rng.random()
            if how < 0.5:
                place[key] = rng.choice(ODD)
            elif how < 0.6 and isinstance(place, dict):
                place["x" * rng.choice((1, 300, 10**6))] = place.pop(key)
            elif how < 0.8:
                del place[key]
            elif isinstance(place, dict):
                place[f"{key}\u0000\n"] = inner
            else:
                place.extend([inner] * rng.choice((1, 100, 10_000)))
            return
        place = inner


def serve(kind: str) -> None:
    """In the child: reads a length and a file again and again; answers each with a line."""
    from arbitrary_nst.errors import InputError, WeightsUnavailable

    read = KINDS[kind].read
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "w")
    with tempfile.TemporaryFile() as file:  # for what native code says
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    warnings.simplefilter("ignore")
    path = Path(tempfile.mkdtemp()) / "file.bin"
    path.write_bytes(KINDS[kind].whole()[0])
    read(str(path))  # what that imports is not the damaged files' doing
    while head := requests.read(8):
        data = requests.read(struct.unpack("<Q", head)[0])
        path.write_bytes(data)
        _forget_peak()
        before, start, faults = _peak_mb(), time.process_time(), []
        try:
            read(str(path))
            outcome = "read"
        except (InputError, WeightsUnavailable) as error:
            outcome = type(error).__name__
            if "\n" in str(error) or len(str(error)) > 2000:
                faults.append(f"a message of {len(str(error))} characters: {str(error)[:300]!r}")
        except BaseException as error:  # which is what is looked for
            outcome = type(error).__name__
            faults.append(f"{outcome}: {error}"[:300])
        seconds, grown = time.process_time() - start, _peak_mb() - before
        if seconds > SECONDS:
            faults.append(f"{seconds:.1f} s")
        if grown > SPARE_MB.get(kind, 60) + 10 * len(data) / 1e6:
            faults.append(f"{grown:.0f} MB more, for {len(data)} bytes")
        answers.write(json.dumps([outcome, faults, round(seconds, 2), round(grown)]) + "\n")
        answers.flush()


def fuzz(kind: str, number: int, seed: int, keep: Path | None) -> int:
    """Reads them all; prints the outcomes, and the faults as they come."""
    outcomes: collections.Counter[str] = collections.Counter()
    bad, slowest, largest = 0, 0.0, 0.0
    rng, whole = random.Random(seed), KINDS[kind].whole()
    child = _child(kind)
    for index in range(number):
        data = changed(whole[index % len(whole)], KINDS[kind], whole, rng)
        outcome, faults, seconds, grown = ask(child, data, HANGS)
        slowest, largest = max(slowest, seconds), max(largest, grown)
        if child.poll() is not None:
            child = _child(kind)
        outcomes[outcome] += 1
        if faults:
            bad += 1
            print(f"{kind} {index}: {outcome}; {'; '.join(faults)}", flush=True)
            if keep is not None:
                (keep / f"{kind}-{index:05d}").write_bytes(data)
    child.stdin.close()
    child.wait()
    print(f"{number} files of {kind}, seed {seed}: {dict(outcomes)}; {bad} with a fault")
    print(f"slowest {slowest} s, most memory {largest} MB", flush=True)
    return bad


def _child(kind: str) -> subprocess.Popen:
    command = [sys.executable, __file__, "--serve", "--kind", kind]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def main() -> int:
    """Does what is asked for; returns 1 where something did not end well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--number", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    if options.serve:
        serve(options.kind)
        return 0
    return min(1, fuzz(options.kind, options.number, options.seed, options.keep))


if __name__ == "__main__":
    sys.exit(main())
