"""How much memory a picture takes in each form of the network."""

from __future__ import annotations

# Of a whole picture's work; measured, see benchmarks/large.py.
BYTES_PER_PIXEL = {"bfloat16": 215, "float32": 330, "onnx": 420}
# With regions scales and offsets for every pixel come on top, float32 in any form.
REGIONS_BYTES_PER_PIXEL = {"bfloat16": 290, "float32": 330, "onnx": 500}
WEIGHTS_BYTES_PER_PIXEL = 12  # of each style: its weights, and what is made of them


def bytes_for(form: str, pixels: int, num_regions: int = 0) -> float:
    """About how many bytes a photo of so many pixels takes, beside those of the runtime itself.

    Args:
        form: a precision of the TensorFlow form, or "onnx".
        pixels: of the photo.
        num_regions: styles that `Cin.render_regions` is given; 0 for `Cin.render`.
    """
    if not num_regions:
        return pixels * BYTES_PER_PIXEL[form]
    return pixels * (REGIONS_BYTES_PER_PIXEL[form] + WEIGHTS_BYTES_PER_PIXEL * num_regions)
