"""Files from and for the browser, in the folder that Gradio serves and cleans."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import threading
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from arbitrary_nst.demo.photos import Photo
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.errors import ImageError

SETTINGS_KEY = "arbitrary_nst"  # under which a PNG has its settings
MOST_PHOTOS = 256  # whose files are remembered

_photos: dict[tuple[str, str, int], str] = {}  # files of photos, by folder, token and size
_lock = threading.Lock()


def new_file(name: str) -> Path:
    """A path for a file of this name that no other visitor can guess.

    It lies in Gradio's folder, so that what comes back from an event is served from there without
    another copy, and deleted with the rest of what the demo made.
    """
    folder = Path(get_upload_folder()) / secrets.token_hex(16)
    folder.mkdir(parents=True)
    return folder / name


def shown(picture: Image.Image) -> str:
    """Writes a picture to be looked at, fast and small; returns its path."""
    if picture.mode == "RGBA":  # PNG's speed beats its size here
        path = new_file("picture.png")
        picture.save(path, compress_level=1)
    else:
        path = new_file("picture.jpg")
        picture.save(path, quality=92, subsampling=0)
    return str(path)


def shown_photo(photo: Photo) -> str:
    """Writes a visitor's photo to be looked at, once; returns its path.

    The same address at every move of a slider is one that the browser need not ask for again.
    """
    key = get_upload_folder(), photo.token, photo.size
    with _lock:
        path = _photos.get(key)
    if path is not None:
        with contextlib.suppress(OSError):  # it was swept
            os.utime(path)  # it is in use: old files are deleted
            return path
    path = shown(photo.picture())
    with _lock:
        _photos[key] = path
        while len(_photos) > MOST_PHOTOS:
            del _photos[next(iter(_photos))]
    return path


def exact(picture: Image.Image, name: str, settings: str = "") -> str:
    """Writes a picture to be kept, as PNG, with its settings as a text; returns its path."""
    path = new_file(f"{plain(name) or 'picture'}.png")
    notes = PngInfo()
    if settings:
        notes.add_itxt(SETTINGS_KEY, settings)
    picture.save(path, compress_level=4, pnginfo=notes)
    return str(path)


def settings_in(data: bytes) -> str:
    """The settings in a PNG that `exact` wrote; "" where there are none.

    Only the heads of the chunks before the pixels are read, so that no file costs anything.
    """
    place, key = 8, SETTINGS_KEY.encode() + b"\0\0\0\0\0"  # neither packed nor in a language
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ""
    for _ in range(64):
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if kind in (b"IDAT", b""):
            break
        body = data[place + 8 : place + 8 + min(length, 4000)]
        if kind == b"iTXt" and body.startswith(key):
            return body.removeprefix(key).decode("utf-8", "replace")
        place += length + 12
    return ""


def plain(text: str) -> str:
    """A text as part of a file name, on any system."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:120]


def read_upload(file: Any, settings: Settings) -> bytes:
    """The bytes of an uploaded file.

    Args:
        file: what Gradio hands on: a mapping with the `path` of the file.
        settings: for the limit of its size.

    Raises:
        ImageError: the file is larger than allowed, no longer there, or no upload at all.
    """
    path = uploaded_path(file)
    if path.stat().st_size > settings.max_file_megabytes * 10**6:
        raise ImageError(
            f"The file is larger than the {settings.max_file_megabytes} MB that this demo takes. "
            f"Save it as JPEG, or make it smaller."
        )
    return path.read_bytes()


def uploaded_path(file: Any) -> Path:
    """Where an uploaded file lies.

    Gradio checks paths only in messages of the form that its own page sends. A message can be
    made by hand, so that the path is not to be believed.

    Raises:
        ImageError: it is not in the folder of the uploads.
    """
    text = file.get("path") if isinstance(file, dict) else getattr(file, "path", None)
    if isinstance(text, str) and "\0" not in text:
        path = Path(text).resolve()
        if path.is_relative_to(Path(get_upload_folder()).resolve()) and path.is_file():
            return path
    raise ImageError("The uploaded file is not here, or no longer. Upload it again.")


def original_name(file: Any) -> str:
    """The name that an uploaded file had, on one line."""
    text = file.get("orig_name") if isinstance(file, dict) else getattr(file, "orig_name", None)
    name = Path(str(text or "image")).name
    return "".join(c if c.isprintable() else " " for c in name).strip()[-200:] or "image"
