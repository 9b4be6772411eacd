"""The files of a batch: which photos, which outputs, which of them are done, and the manifest.

The manifest is a small JSON file in the output folder. It says with which settings the pictures
beside it were made, so that a later run continues them and never mixes in others. Its time counts,
too: a picture older than the manifest is one of an earlier job, and not done.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from arbitrary_nst.common.atomic import check_name, write_bytes
from arbitrary_nst.common.json_text import read_json
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import can_write

_log = logging.getLogger(__name__)
MANIFEST = "arbitrary-nst-batch.json"
MANIFEST_VERSION = 1
PictureFormat = Literal["keep", "jpg", "png", "webp", "avif", "tif", "bmp"]
PICTURE_FORMATS: tuple[str, ...] = get_args(PictureFormat)
INPUT_SUFFIXES = frozenset(
    ".avif .bmp .gif .heic .heif .j2k .jfif .jp2 .jpe .jpeg .jpg .mpo .pbm .pgm .png .pnm .ppm "
    ".tif .tiff .webp".split()
)
_LEFTOVER = re.compile(r"\.[0-9a-f]{16}\.tmp")  # as `atomic.replacing` names them


@dataclass(frozen=True)
class Job:
    """A photo to paint: the file `source`, and the file `target` to write."""

    source: str
    target: str


def find_jobs(
    in_dir: str | os.PathLike[str],
    out_dir: str | os.PathLike[str],
    *,
    recursive: bool = False,
    output_format: PictureFormat = "keep",
) -> list[Job]:
    """The photos of a folder, each with the file to write, sorted by name.

    Photos are known by their suffix. Hidden files and folders are left out, and so is, with
    `recursive`, the output folder, and any other one with a manifest.

    Args:
        in_dir: folder of photos.
        out_dir: folder of the outputs, which have the same paths in it; it need not exist.
        recursive: also the folders in `in_dir`; links to folders are not followed.
        output_format: one of `PICTURE_FORMATS`. "keep" keeps the suffix; what can only be read,
            such as .heic, becomes .png.

    Raises:
        InputError: no such folder, no photos in it, two photos with one output, or an output that
            would replace a photo.
        OSError: a folder cannot be listed.
    """
    if output_format not in PICTURE_FORMATS:
        raise InputError(
            f"The format is one of {', '.join(PICTURE_FORMATS)}. Received: {output_format!r:.100}."
        )
    if output_format != "keep" and not can_write(f".{output_format}"):
        raise InputError(f"This Pillow cannot write {output_format} files. Choose another format.")
    root, out = os.fspath(in_dir), os.fspath(out_dir)
    if not os.path.isdir(root):
        raise InputError(
            f"The input {root!r} is not a folder. Expected a folder of photos; for a single photo "
            f"there is `stylize`."
        )
    check_name(out)
    sources = sorted(_photos(root, os.path.realpath(out), recursive))
    if not sources:
        hint = "" if recursive else " Photos in the folders below are found with --recursive."
        raise InputError(
            f"There are no photos in {root!r}. Expected files ending in "
            f"{', '.join(sorted(INPUT_SUFFIXES))}.{hint}"
        )
    jobs = [
        Job(os.path.join(root, name), os.path.join(out, _output_name(name, output_format)))
        for name in sources
    ]
    _check_targets(jobs)
    return jobs


def _photos(root: str, out: str, recursive: bool) -> Iterator[str]:
    """Names of the photos, relative to `root`."""

    def stop(error: OSError) -> None:
        raise error  # `os.walk` would leave the folder out without a word

    for folder, folders, files in os.walk(root, onerror=stop):
        folders[:] = (
            [f for f in folders if _is_read(os.path.join(folder, f), out)] if recursive else []
        )
        for file in files:
            if not file.startswith(".") and Path(file).suffix.lower() in INPUT_SUFFIXES:
                yield os.path.relpath(os.path.join(folder, file), root)


def _is_read(folder: str, out: str) -> bool:
    if os.path.basename(folder).startswith(".") or os.path.realpath(folder) == out:
        return False
    if os.path.exists(os.path.join(folder, MANIFEST)):
        _log.warning("left out: %r holds pictures that an earlier batch made", folder)
        return False
    return True


def _output_name(name: str, output_format: str) -> str:
    stem, suffix = os.path.splitext(name)
    if output_format != "keep":
        return f"{stem}.{output_format}"
    return name if can_write(suffix) else f"{stem}.png"


def _check_targets(jobs: Sequence[Job]) -> None:
    writers: dict[str, str] = {}
    for job in jobs:
        other = writers.setdefault(os.path.normcase(job.target), job.source)
        if other is not job.source:
            raise InputError(
                f"Two photos would be written to the same file {job.target!r}: {other!r} and "
                f"{job.source!r}. Rename one of them, or put them into different folders."
            )
    # By folder: the true path of each file would take many questions to a remote file system.
    real = functools.cache(os.path.realpath)
    photos = {(real(os.path.dirname(j.source)), os.path.basename(j.source)): j for j in jobs}
    for job in jobs:
        photo = photos.get((real(os.path.dirname(job.target)), os.path.basename(job.target)))
        if photo is not None:
            raise InputError(
                f"The output {job.target!r} would replace the photo {photo.source!r}. Choose "
                f"another output folder."
            )


def existing_targets(jobs: Iterable[Job]) -> dict[str, os.DirEntry]:
    """The outputs that exist, from one listing of each folder: a query for each takes hours."""
    targets = {job.target for job in jobs}
    found = {}
    for folder in {os.path.dirname(target) for target in targets}:
        with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
            for entry in entries:
                path = os.path.join(folder, entry.name)
                if path in targets:
                    found[path] = entry
    return found


def find_done(jobs: Iterable[Job], since: int) -> set[str]:
    """The outputs that exist and are not older than the manifest; see `is_done`."""
    entries = existing_targets(jobs).items()
    return {path for path, entry in entries if entry.stat().st_mtime_ns >= since}


def is_done(target: str, since: int) -> bool:
    """Whether an output exists and is not older than the manifest.

    Args:
        target: the file.
        since: `st_mtime_ns` of the manifest.
    """
    try:
        return os.stat(target).st_mtime_ns >= since
    except FileNotFoundError:
        return False


def make_out_dir(out_dir: str | os.PathLike[str]) -> None:
    """Makes the output folder where it is missing.

    Raises:
        InputError: there is a file of that name.
    """
    check_name(out_dir)
    if os.path.exists(out_dir) and not os.path.isdir(out_dir):
        raise InputError(f"The output {os.fspath(out_dir)!r} is a file. Expected a folder.")
    os.makedirs(out_dir, exist_ok=True)


def open_manifest(
    out_dir: str | os.PathLike[str],
    jobs: Sequence[Job],
    settings: Mapping[str, Any],
    styles: Sequence[str],
    *,
    overwrite: bool = False,
) -> int:
    """Checks the output folder's manifest, or writes one.

    Args:
        out_dir: the output folder, which exists.
        jobs: what is to be painted.
        settings: JSON values by name: all that the pictures depend on.
        styles: the styles and their weights in words, for people.
        overwrite: begin anew, whatever is there.

    Returns:
        The manifest's time, `st_mtime_ns`, for `is_done`.

    Raises:
        InputError: the pictures that are there were made with other settings, or nobody knows
            with which.
    """
    path = Path(out_dir) / MANIFEST
    if overwrite or not path.exists():
        strangers = sorted(existing_targets(jobs))
        links = [path for path in strangers if os.path.islink(path)]
        if links and overwrite:
            # They would be followed, perhaps to the photos themselves.
            raise InputError(
                f"{links[0]!r} is a link, and so may be more of the files to be written. Remove "
                f"the links, or choose another folder."
            )
        if strangers and not overwrite:
            raise InputError(
                f"{strangers[0]!r} exists, and {len(strangers) - 1} more of the files to be "
                f"written, but no {MANIFEST} says how they were made. Choose another folder, or "
                f"have them replaced with --overwrite."
            )
        content = {"version": MANIFEST_VERSION, "styles": list(styles), "settings": settings}
        write_bytes(path, (json.dumps(content, indent=2) + "\n").encode())
    else:
        _compare(path, settings, styles)
    return path.stat().st_mtime_ns


def _compare(path: Path, settings: Mapping[str, Any], styles: Sequence[str]) -> None:
    found = _read(path)
    there, now = found["settings"], json.loads(json.dumps(settings))
    names = [name for name in {**now, **there} if there.get(name) != now.get(name)]
    if not names:
        return
    texts = {
        "style": f"styles: {', '.join(map(str, found['styles']))} there, {', '.join(styles)} now",
        "regions": f"masks: {_masks(there)} there, {_masks(now)} now",
    }
    differences = [
        texts.get(name, f"{name}: {there.get(name)} there, {now.get(name)} now") for name in names
    ]
    raise InputError(
        f"The pictures in {str(path.parent)!r} were made with other settings. "
        f"{'; '.join(differences)}. Choose another folder, repeat the settings that are there, or "
        f"have the pictures replaced with --overwrite."
    )


def _masks(settings: Mapping[str, Any]) -> str:
    """Masks in words: of their digests nobody could tell which they are."""
    return "none" if settings.get("regions") is None else "others"


def _read(path: Path) -> dict[str, Any]:
    try:
        found = read_json(path)
        if (
            found["version"] == MANIFEST_VERSION
            and isinstance(found["settings"], dict)
            and isinstance(found["styles"], list)
        ):
            return found
        reason = f"version {found['version']!r}, expected {MANIFEST_VERSION}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
    raise InputError(
        f"The manifest {str(path)!r} cannot be used ({reason}). Choose another folder, or have its "
        f"pictures replaced with --overwrite."
    )


def make_folders(jobs: Iterable[Job]) -> None:
    """Makes the folders of the outputs."""
    for folder in {os.path.dirname(job.target) for job in jobs}:
        os.makedirs(folder, exist_ok=True)


def remove_leftovers(jobs: Iterable[Job], *, min_age: float = 0.0) -> None:
    """Removes half-written files beside outputs, which killed processes left there.

    Args:
        jobs: whose outputs.
        min_age: seconds since the last write; another process may still be at a younger one.
    """
    newest = time.time() - min_age
    for folder in {os.path.dirname(job.target) for job in jobs}:
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(folder):
                path = Path(folder, name)
                if _LEFTOVER.fullmatch(name) and path.stat().st_mtime <= newest:
                    path.unlink()
