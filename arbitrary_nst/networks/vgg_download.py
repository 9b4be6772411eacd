"""VGG19's weights from the internet, where Keras keeps them, too: said, shown and checked."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from arbitrary_nst.errors import WeightsUnavailable

FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
VGG19_URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg19/{FILE}"
VGG19_MD5 = "253f8cb515780f3b799900260a226db6"  # as Keras publishes it
BLOCK = 2**20
TIMEOUT = 30  # seconds without a byte

_log = logging.getLogger(__name__)


def kept_at() -> Path:
    """Where the file is kept: in the folder in which Keras looks for it as well."""
    home = os.environ.get("KERAS_HOME")
    folder = Path(home) if home else Path("~").expanduser() / ".keras"
    return folder / "models" / FILE


def vgg19_file() -> Path:
    """The file of the weights; fetched at first use, which one line announces.

    Raises:
        WeightsUnavailable: it cannot be fetched or kept; the message has its address, its
            checksum and its place.
    """
    path = kept_at()
    try:
        if path.is_file() and _md5(path) == VGG19_MD5:
            return path
        _log.warning("fetching VGG19 (80 MB, once) from %s to %s", VGG19_URL, path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _appearing(path) as (file, part):
            _fetch(file)
            file.flush()
            found = _md5(part)
            if found != VGG19_MD5:
                raise OSError(f"what came has the MD5 {found}")
    except OSError as error:  # of the network, too
        raise WeightsUnavailable(
            f"The VGG19 weights (80 MB) could not be downloaded: {error}. Fetch {VGG19_URL} on "
            f"another machine (MD5 {VGG19_MD5}), and put it at {path}, or name the file by "
            f"ARBITRARY_NST_VGG19."
        ) from error
    return path


def _fetch(file: BinaryIO) -> None:
    """Writes what the URL gives, with a progress bar where stderr is a terminal."""
    from tqdm import tqdm

    with urllib.request.urlopen(VGG19_URL, timeout=TIMEOUT) as answer:
        total = int(answer.headers.get("Content-Length") or 0) or None
        with tqdm(
            desc="VGG19", total=total, unit="B", unit_scale=True, disable=None, leave=False
        ) as bar:
            while block := answer.read(BLOCK):
                file.write(block)
                bar.update(len(block))


@contextlib.contextmanager
def _appearing(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A file beside `path` that takes its place at the end, and is gone after an error."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(part, "wb") as file:
            yield file, part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
