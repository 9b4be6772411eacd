"""What a video leaves on disk while it is painted, so that the same command goes on.

Beside the output, in a folder of its name with `.parts` after it: the segments that are finished,
what the next frame needs of the last one, and the settings, without which parts of two different
videos could be joined. A record names these files with their digests: what it names is complete,
and what it does not, or with another digest, counts as not there.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

from arbitrary_nst.common.alone import alone_in
from arbitrary_nst.common.atomic import replacing, write_bytes
from arbitrary_nst.common.files import check_regular
from arbitrary_nst.common.json_text import read_json
from arbitrary_nst.errors import VideoError
from arbitrary_nst.video.steady import Past

_log = logging.getLogger(__name__)
SETTINGS_FILE, RECORD_FILE = "settings.json", "finished.json"
# Names of what the package leaves in such a folder.
OWN_FILES = (SETTINGS_FILE, RECORD_FILE, "segment-*.part", "past-*.npz", "joined.*", "*.tmp")


def parts_folder(target: Path) -> Path:
    """Where the parts of a video lie."""
    return target.with_name(f"{target.name}.parts")


def open_parts(folder: Path, settings: Mapping[str, Any], held: ExitStack) -> int:
    """Prepares the folder of parts; parts that were made with other settings are removed.

    Args:
        folder: from `parts_folder`.
        settings: all that the frames depend on, as JSON knows it.
        held: gets what keeps other runs out of the folder.

    Returns:
        The number of segments that need not be made again.

    Raises:
        VideoError: there is something of that name that is not a folder of parts.
        InputError: another run is at work in it.
    """
    text = json.dumps(settings, indent=1, sort_keys=True)
    if folder.exists() or folder.is_symlink():
        if folder.is_symlink() or not _is_ours(folder):
            raise VideoError(
                f"The parts of the video are to be kept in {str(folder)!r}, but there is "
                f"something else of that name. Move it away or choose another output path."
            )
        held.enter_context(alone_in(folder))
        found = _read(folder / SETTINGS_FILE)
        if found == text.encode():
            return _num_finished(folder)
        if found:
            _log.warning("the parts in %s are of other settings: beginning anew", folder)
        remove_parts(folder)
    folder.mkdir(exist_ok=True)
    held.enter_context(alone_in(folder))
    try:
        write_bytes(folder / SETTINGS_FILE, text.encode())
    except BaseException:
        remove_parts(folder)
        raise
    return 0


def remove_parts(folder: Path) -> None:
    """Removes a folder of parts, its record first, so that no half of it is taken for the whole."""
    _remove(folder / RECORD_FILE)
    shutil.rmtree(folder)


def has_finished(folder: Path) -> bool:
    """Whether there is a segment from which the same command can go on."""
    return bool(_record(folder)[0])


def segment_path(folder: Path, index: int) -> Path:
    """The file of a segment, counted from 0."""
    return folder / f"segment-{index:06d}.part"


def save_past(folder: Path, index: int, past: Past | None) -> None:
    """Keeps what the segment `index` needs of those before, and records that they are finished.

    The same of earlier segments is removed.
    """
    path = _past_path(folder, index)
    with replacing(path) as file:
        np.savez(file, **({} if past is None else past._asdict()))
    segments, _ = _record(folder)
    segments = [*segments[: index - 1], str(_digest(segment_path(folder, index - 1)))]
    record = {"segments": segments, "past": _digest(path)}
    write_bytes(folder / RECORD_FILE, json.dumps(record, indent=1).encode())
    for other in folder.glob("past-*.npz"):
        if other != path:
            other.unlink()


def load_past(folder: Path, index: int) -> Past | None:
    """What `save_past` kept."""
    if index == 0:
        return None
    with np.load(_past_path(folder, index)) as arrays:
        return Past(*(arrays[name] for name in Past._fields)) if arrays.files else None


def finish(folder: Path, joined: Path, target: Path) -> None:
    """Puts the finished video into its place, in one step, and removes the parts."""
    if target.exists():
        shutil.copymode(target, joined)
    with open(joined, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(joined, target)
    remove_parts(folder)


def _num_finished(folder: Path) -> int:
    """Segments from the first one on that need not be made again: all that are recorded, or none.

    What a frame needs of the one before is kept of the last segment alone.
    """
    for path in folder.glob("*.tmp"):
        _remove(path)
    segments, past = _record(folder)
    count = len(segments)
    found = [_digest(segment_path(folder, number)) for number in range(count)]
    if found != segments or _digest(_past_path(folder, count)) != past:
        _log.warning("parts in %s are damaged or missing: beginning anew", folder)
        return 0
    return count


def _record(folder: Path) -> tuple[list[str], str | None]:
    """Digests of the segments that are finished, and of what the next one needs."""
    try:
        record = read_json(folder / RECORD_FILE)
        segments = [str(digest) for digest in record.get("segments", [])]
        return segments, record.get("past")
    except (OSError, ValueError, AttributeError, TypeError):
        return [], None


def _digest(path: Path) -> str | None:
    """Of a file's contents; None where there is no file."""
    digest = hashlib.sha256()
    try:
        check_regular(path)
        with open(path, "rb") as file:
            while part := file.read(2**20):
                digest.update(part)
    except OSError:
        return None
    return digest.hexdigest()


def _remove(path: Path) -> None:
    """Removes what is of that name, which may be a folder, too."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _is_ours(folder: Path) -> bool:
    """Whether it is a folder of parts, or what a kill left of one that was being removed."""
    if not folder.is_dir() or (folder / SETTINGS_FILE).is_file():
        return folder.is_dir()
    names = [path.name for path in folder.iterdir()]
    return all(any(fnmatch(name, own) for own in OWN_FILES) for name in names)


def _past_path(folder: Path, index: int) -> Path:
    return folder / f"past-{index:06d}.npz"
