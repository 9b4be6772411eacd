"""Names of outputs that no file could have."""

import os

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst import (
    Embedding,
    InputError,
    export_network,
    save_image,
    save_styles,
    stylize_folder,
)
from arbitrary_nst.image import to_pil

NAME = "a\0b"


def style():
    return Embedding("cin", "cin-0", {"gamma": np.ones(2, np.float32)}, name="one")


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: save_image(Image.new("RGB", (4, 4)), folder / f"{NAME}.png"),
        lambda folder: style().save(folder / f"{NAME}.safetensors"),
        lambda folder: save_styles([style()], folder / f"{NAME}.safetensors"),
        lambda folder: stylize_folder(folder, "scream", folder / NAME),
        lambda folder: export_network(folder / NAME, "onnx"),
    ],
)
@pytest.mark.usefixtures("network")
def test_a_zero_byte_is_named(tmp_path, make_photo, write):
    save_image(to_pil(make_photo()), tmp_path / "photo.png")
    with pytest.raises(InputError, match=r"'.*a\\x00b.*' holds a zero byte. Expected none"):
        write(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="no limits of files there")
def test_what_is_full_is_named(tmp_path, run_python):
    """By a limit on the size of files, which ends a write as a full disk does."""
    script = (
        "import resource, sys; from arbitrary_nst.common.atomic import write_bytes\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_bytes(sys.argv[1], bytes(10**6))"
    )
    done = run_python("-B", "-c", script, str(tmp_path / "out.png"))
    assert done.stderr.strip().endswith(f"File too large: '{tmp_path / 'out.png'}'")
    assert list(tmp_path.iterdir()) == []
