"""Images of noise, and PNG files and colour profiles by hand."""

import io
import struct
import zlib

import numpy as np
from PIL import Image


def noise(height=6, width=5, channels=3, seed=0):
    """uint8 noise, `(height, width, channels)`."""
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def encode(picture, file_format, **options):
    """The bytes of a PIL image or uint8 array in a file format."""
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width, height):
    """A PNG that claims a size and holds a single compressed byte."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = png_chunk(b"IDAT", zlib.compress(b"\0"))
    return b"\x89PNG\r\n\x1a\n" + header + data + png_chunk(b"IEND", b"")


def icc_profile(space, tags, pcs=b"XYZ ", device_class=b"mntr"):
    """A colour profile by hand: the ICC format is a header, a table of tags, and their data."""
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = {b"desc": text, b"cprt": b"text\0\0\0\0none\0", b"wtpt": D50, **tags}
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for tag, data in tags.items():
        table += tag + struct.pack(">II", offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4sI4s4s4s", offset + len(body), b"test", 0x02400000, device_class,
                         space, pcs)  # fmt: skip
    header += struct.pack(">6H4s", 2020, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    header += D50[8:]
    return header + bytes(128 - len(header)) + table + body


def xyz(*values):
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


D50 = xyz(0.9642, 1.0, 0.8249)
# The curve of light itself, and the sRGB primaries adapted to D50.
LINEAR = b"curv\0\0\0\0" + struct.pack(">I", 0)
RED, GREEN, BLUE = (
    xyz(0.4361, 0.2225, 0.0139),
    xyz(0.3851, 0.7169, 0.0971),
    xyz(0.1431, 0.0606, 0.7141),
)
CURVES = {b"rTRC": LINEAR, b"gTRC": LINEAR, b"bTRC": LINEAR}
LINEAR_RGB = icc_profile(b"RGB ", {b"rXYZ": RED, b"gXYZ": GREEN, b"bXYZ": BLUE, **CURVES})
