"""What a video leaves on disk while it is painted, so that the same command goes on.

Beside the output, in a folder of its name with `.parts` after it: the segments that are finished,
what the next frame needs of the last one, and the settings, without which parts of two different
videos could be joined.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from arbitrary_nst.common.atomic import replacing, write_bytes
from arbitrary_nst.errors import VideoError
from arbitrary_nst.video.steady import Past

_log = logging.getLogger(__name__)
SETTINGS_FILE = "settings.json"


def parts_folder(target: Path) -> Path:
    """Where the parts of a video lie."""
    return target.with_name(f"{target.name}.parts")


def open_parts(folder: Path, settings: Mapping[str, Any]) -> int:
    """Prepares the folder of parts; parts that were made with other settings are removed.

    Args:
        folder: from `parts_folder`.
        settings: all that the frames depend on, as JSON knows it.

    Returns:
        The number of segments that need not be made again.

    Raises:
        VideoError: there is something of that name that is not a folder of parts.
    """
    text = json.dumps(settings, indent=1, sort_keys=True)
    if folder.exists() or folder.is_symlink():
        if not (folder / SETTINGS_FILE).is_file():
            if not folder.is_dir() or folder.is_symlink() or any(folder.iterdir()):
                raise VideoError(
                    f"The parts of the video are to be kept in {str(folder)!r}, but there is "
                    f"something else of that name. Move it away or choose another output path."
                )
        elif (folder / SETTINGS_FILE).read_text("utf-8") == text:
            return _num_finished(folder)
        else:
            _log.warning("the parts in %s are of other settings: beginning anew", folder)
            shutil.rmtree(folder)
    folder.mkdir(exist_ok=True)
    write_bytes(folder / SETTINGS_FILE, text.encode())
    return 0


def segment_path(folder: Path, index: int) -> Path:
    """The file of a segment, counted from 0."""
    return folder / f"segment-{index:06d}.part"


def save_past(folder: Path, index: int, past: Past | None) -> None:
    """Keeps what the segment `index` needs of the frames before; the same of others is removed."""
    path = _past_path(folder, index)
    with replacing(path) as file:
        np.savez(file, **({} if past is None else past._asdict()))
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
    shutil.rmtree(folder)


def _num_finished(folder: Path) -> int:
    """Segments in a row from the first one on, up to one for which the past is known."""
    for path in folder.glob("*.tmp"):
        path.unlink()
    count = 0
    while segment_path(folder, count).is_file():
        count += 1
    while count and not _past_path(folder, count).is_file():
        count -= 1
    return count


def _past_path(folder: Path, index: int) -> Path:
    return folder / f"past-{index:06d}.npz"
