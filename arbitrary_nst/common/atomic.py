"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from arbitrary_nst.errors import InputError

# A full disk or quota, a limit on the size of files, a device that failed.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def check_name(path: str | os.PathLike[str]) -> None:
    """Raises `InputError` for what no file could be called, of which systems say little."""
    if "\0" in os.fsdecode(path):
        raise InputError(
            f"The output path {os.fspath(path)!r} holds a zero byte. Expected none: no name of a "
            f"file does."
        )


def check_is_no_folder(path: str | os.PathLike[str]) -> None:
    """Raises `InputError` where the path of a file ends as that of a folder does.

    Python's paths would drop the slash, and a file appear where a folder was meant.
    """
    text = os.fsdecode(path)
    if text.endswith(tuple(filter(None, (os.sep, os.altsep)))):
        raise InputError(
            f"The output path {os.fspath(path)!r} is that of a folder: it ends in {text[-1]!r}. "
            f"Expected the name of a file."
        )


def check_target(path: str | os.PathLike[str]) -> Path:
    """Checks that a file can be written at `path`, so that heavy work is not done in vain.

    Returns:
        The file that will be written: `path` with symbolic links followed.

    Raises:
        InputError: the folder is missing or not writable, or `path` is a folder, a device, or no
            name that a file could have.
    """
    check_name(path)
    check_is_no_folder(path)
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise InputError(
            f"The output path {os.fspath(path)!r} exists and is a folder or a device. "
            f"Expected the name of a file."
        )
    if not target.parent.is_dir():
        raise InputError(
            f"The output path {os.fspath(path)!r} is in a folder that does not exist. "
            f"Create it first: {str(target.parent)!r}."
        )
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise InputError(
            f"The folder {str(target.parent)!r} is not writable. Choose another output path."
        )
    return target


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Opens a new file beside `path` that takes its place when all went well.

    After an error or an interruption the new file is gone and the old one, if any, untouched.
    A symbolic link is followed: it stays, and its target is replaced. The permissions of a
    replaced file are kept.

    Raises:
        OSError: the disk is full, say; it names the file.
    """
    target = Path(os.path.realpath(path))
    # Not `tempfile`: its files are private (0600), and the umask that a new file should follow
    # cannot be read without setting it for the whole process.
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            if target.exists():
                shutil.copymode(target, temporary)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in FULL and error.filename is None:
            # Which disk is full, the system does not say.
            raise OSError(error.errno, error.strerror, str(target)) from error
        raise


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes a file of these contents; see `replacing`."""
    with replacing(path) as file:
        file.write(data)
