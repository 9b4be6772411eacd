"""Everything that a training needs in one small file, to be taken to a machine with an accelerator.

A pack is a zip archive, nothing compressed twice: the settings, the paintings of the named styles,
photos and further paintings as JPEG, reduced and as many as the size allows, and the convolutions
of VGG19 in float16 and, the deepest, in 8 bits. There `arbitrary-nst train --pack` takes it.
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath

import keras
import numpy as np
from safetensors.numpy import save

from arbitrary_nst.common.atomic import replacing
from arbitrary_nst.common.files import check_regular
from arbitrary_nst.common.text import said
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import load_image, resize, to_pil
from arbitrary_nst.image.resizing import resized_shape
from arbitrary_nst.networks.vgg import load_vgg19
from arbitrary_nst.pipeline.arguments import Progress
from arbitrary_nst.training.config import WHOLE, PaintingSpec, TrainConfig
from arbitrary_nst.training.data import load_cropped
from arbitrary_nst.training.reading import find_images
from arbitrary_nst.training.statistics import LOSS_LAYERS

CONFIG, VGG = "config.json", "vgg19.safetensors"
SIDE = 224  # shorter side of photos and paintings
QUALITY = 80
SPARE = 0.02  # of the size, for the archive's own directory


def write_pack(
    config: TrainConfig,
    path: str | Path,
    *,
    vgg_weights: str = "imagenet",
    megabytes: float = 60.0,
    progress: Progress = lambda done, total, message: None,
) -> tuple[int, int]:
    """Packs a training into one file.

    Photos and paintings are taken in an order drawn by `config.seed`, half of the room for
    paintings, the rest for photos. `config.initial` is not packed: it ships, or is named again.

    Args:
        config: the settings, with the files as they are here.
        path: of the pack.
        vgg_weights: "imagenet" or a file, as `load_vgg19` takes it.
        megabytes: the most that the file may have, in 10^6 bytes.
        progress: called as progress(done, total, message) with bytes.

    Returns:
        How many photos and how many paintings are in it.

    Raises:
        InputError: not even the weights and the named styles fit, or an image cannot be read.
        WeightsUnavailable: no VGG19.
    """
    room = int(megabytes * 1e6 * (1 - SPARE))
    fixed = {VGG: _vgg_bytes(vgg_weights)}
    styles = []
    for index, style in enumerate(config.styles):
        image = load_cropped(style)
        name = f"styles/{index:03d}.jpg"
        reduced = resize(image, longer_side=min(style.style_size, max(image.shape)))
        fixed[name] = _jpeg(reduced, quality=95, subsampling=0)  # few, and all is learned from them
        styles.append(replace(style, file=name, crop=WHOLE))
    left = room - sum(map(len, fixed.values())) - 200 * (len(config.styles) + 20)
    rng = np.random.default_rng(config.seed)
    groups = {spec.file: spec.group for spec in config.paintings}
    with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, data in fixed.items():
            archive.writestr(name, data)
        halves = ((sorted(groups), "paintings", 2), (find_images(config.photos), "photos", 1))
        taken: dict[str, dict[str, str]] = {}
        for files, folder, share in halves:
            order = [files[i] for i in rng.permutation(len(files))]
            began, budget = left, left // share
            taken[folder] = {}
            for number, source in enumerate(order):
                image, _ = load_image(source, role=folder.rstrip("s"))
                data = _jpeg(_reduced(image))
                if len(data) + 200 > budget:
                    break
                name = f"{folder}/{number:05d}.jpg"
                archive.writestr(name, data)
                taken[folder][name] = str(source)
                budget, left = budget - len(data) - 200, left - len(data) - 200
                progress(room - left, room, f"{folder} {began - left} bytes")
        if not taken["photos"]:
            raise InputError(
                f"{megabytes:g} MB have no room for a photo beside the weights "
                f"({len(fixed[VGG]) / 1e6:.1f} MB) and the styles. Raise `megabytes`."
            )
        packed = replace(
            config,
            styles=tuple(styles),
            photos="photos",
            paintings=tuple(
                PaintingSpec(name, groups[source]) for name, source in taken["paintings"].items()
            ),
            slim_weights=None,
            initial=None,
        )
        archive.writestr(CONFIG, json.dumps(asdict(packed)))
    return len(taken["photos"]), len(taken["paintings"])


def open_pack(path: str | Path, folder: str | Path) -> tuple[TrainConfig, str]:
    """Unpacks into a folder, once, and gives the settings with the files as they are there.

    Args:
        path: of the pack.
        folder: where to; what an earlier call unpacked there from the same file is used again.

    Returns:
        The settings, and the file of VGG19's weights.

    Raises:
        InputError: it is no pack, or is damaged.
    """
    folder = Path(folder)
    try:
        check_regular(path)
        size = Path(path).stat().st_size
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            # Nothing is compressed by `write_pack`, so that no small file unpacks to a large one.
            if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
                raise InputError(f"{path} is not a training pack: it is compressed.")
            # Nor does any part lie in another, of which thousands could be one and the same.
            if sum(info.file_size for info in archive.infolist()) > size:
                raise InputError(f"{path} is not a training pack: its parts overlap.")
            stamp = folder / "complete.txt"
            mark = f"{size} {len(names)}"
            if not stamp.is_file() or stamp.read_text() != mark:
                _check_names(path, names)
                shutil.rmtree(folder, ignore_errors=True)
                archive.extractall(folder)
                stamp.write_text(mark)
    except InputError:
        raise
    except (OSError, zipfile.BadZipFile, RuntimeError, ValueError) as error:  # RuntimeError: secret
        raise InputError(f"{path} is not a readable training pack: {said(error)}") from error
    config = TrainConfig.load(folder / CONFIG)
    return (
        replace(
            config,
            photos=str(folder / config.photos),
            styles=tuple(replace(s, file=str(folder / s.file)) for s in config.styles),
            paintings=tuple(replace(p, file=str(folder / p.file)) for p in config.paintings),
        ),
        str(folder / VGG),
    )


def _check_names(path: str | Path, names: Sequence[str]) -> None:
    """Only what `write_pack` writes is unpacked: no other folders, no other kinds of file."""
    for name in names:
        parts = PurePosixPath(name).parts
        known = name in (CONFIG, VGG) or (
            len(parts) == 2
            and parts[0] in ("styles", "photos", "paintings")
            and parts[1].endswith(".jpg")
            and parts[1][:-4].isdigit()
        )
        if not known:
            raise InputError(f"{path} is not a training pack: it holds {name!r:.100}.")
    if CONFIG not in names or VGG not in names:
        raise InputError(f"{path} is not a training pack: it lacks {CONFIG} or {VGG}.")


def _vgg_bytes(weights: str) -> bytes:
    """The convolutions that the losses need, as `load_vgg19` reads them.

    Those of the last two blocks, four fifths of all numbers, are kept in 8 bits with a factor for
    each filter, which is right to 1/254 of the filter's largest number; the others in float16.
    """
    model = load_vgg19(LOSS_LAYERS, weights=weights)
    arrays = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel, bias = layer.get_weights()
            arrays[f"{layer.name}.bias"] = bias.astype(np.float16)
            if layer.name.startswith(("block4", "block5")):
                scale = np.abs(kernel).max(axis=(0, 1, 2)) / 127 + 1e-12
                arrays[f"{layer.name}.scale"] = scale.astype(np.float32)
                arrays[f"{layer.name}.kernel"] = np.rint(kernel / scale).astype(np.int8)
            else:
                arrays[f"{layer.name}.kernel"] = kernel.astype(np.float16)
    return save(arrays)


def _reduced(image: np.ndarray) -> np.ndarray:
    shorter, longer = sorted(image.shape[:2])
    if shorter <= SIDE:
        return image
    return resize(image, shape=resized_shape(image.shape, longer * SIDE / shorter))


def _jpeg(image: np.ndarray, **options: int) -> bytes:
    data = io.BytesIO()
    to_pil(image).save(data, "JPEG", **{"quality": QUALITY, **options})
    return data.getvalue()
