"""Contact sheets: many small images in one labelled grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from arbitrary_nst.common.checks import positive_int
from arbitrary_nst.errors import InputError
from arbitrary_nst.image.profiles import in_srgb
from arbitrary_nst.image.resizing import resize
from arbitrary_nst.image.writing import to_pil


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray | None]],
    *,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
    cell: int = 256,
    gap: int = 8,
) -> Image.Image:
    """Draws images in a labelled grid, on white.

    Each image is shown whole: scaled until its longer side fills the cell, and centred. A row is
    as high as its highest image.

    Args:
        rows: rows of float arrays `(H, W, 3)`, RGB in `[0, 1]`, of any sizes; None leaves a cell
            blank, and short rows are blank at their end.
        row_labels: one text per row, drawn on the left; long ones are cut.
        column_labels: one text per column, drawn on top; long ones are cut.
        cell: side of a cell in pixels.
        gap: white space around cells in pixels.

    Returns:
        PIL image of mode "RGB".
    """
    cell = positive_int(cell, "cell")
    num_columns = max((len(row) for row in rows), default=0)
    if num_columns == 0:
        raise InputError("`rows` needs at least one row with at least one image. Received none.")
    _check_label_count(row_labels, len(rows), "row")
    _check_label_count(column_labels, num_columns, "column")

    font = ImageFont.load_default(size=max(10, cell // 14))
    line_height = sum(font.getmetrics()) if isinstance(font, ImageFont.FreeTypeFont) else 12
    row_texts = [_cut(text, font, cell) for text in row_labels or ()]
    left = max((gap + round(font.getlength(text)) for text in row_texts), default=0) + gap
    top = gap + (line_height + gap if column_labels else 0)
    tiles = [[i if i is None else to_pil(resize(i, longer_side=cell)) for i in row] for row in rows]
    # Not all of the cell: rows of landscapes would be more white than picture.
    heights = [max((tile.height for tile in row if tile is not None), default=0) for row in tiles]
    tops = [top + sum(heights[:y]) + y * gap for y in range(len(rows))]
    step = cell + gap
    size = (left + num_columns * step, top + sum(heights) + len(rows) * gap)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for y, text in enumerate(row_texts):
        draw.text((gap, tops[y] + (heights[y] - line_height) // 2), text, "black", font)
    for x, label in enumerate(column_labels or ()):
        text = _cut(label, font, cell)
        indent = (cell - round(font.getlength(text))) // 2
        draw.text((left + x * step + indent, gap), text, "black", font)
    for y, row in enumerate(tiles):
        for x, tile in enumerate(row):
            if tile is not None:
                indents = (cell - tile.width) // 2, (heights[y] - tile.height) // 2
                sheet.paste(tile, (left + x * step + indents[0], tops[y] + indents[1]))
    return sheet


def side_by_side(sheets: Sequence[Image.Image]) -> Image.Image:
    """Pictures of any sizes in a row, on white, their tops in line."""
    size = sum(sheet.width for sheet in sheets), max(sheet.height for sheet in sheets)
    whole = in_srgb(Image.new("RGB", size, "white"))
    left = 0
    for sheet in sheets:
        whole.paste(sheet, (left, 0))
        left += sheet.width
    return whole


def columns_for(count: int, width: float, height: float, top: float = 0.0) -> int:
    """In how many columns rows are to stand so that the whole is nearest to 3 by 2, as screens are.

    Args:
        count: of the rows.
        width: of a row.
        height: of a row.
        top: height of what stands above each column.
    """

    def distance(columns: int) -> float:
        rows = max(1, math.ceil(count / columns))
        return abs(math.log(columns * width / (top + rows * height) / 1.5))

    return min(range(1, max(2, count + 1)), key=distance)


def _check_label_count(labels: Sequence[str] | None, count: int, name: str) -> None:
    if labels is not None and len(labels) != count:
        raise InputError(
            f"`{name}_labels` needs one text per {name}. Expected {count}. Received: {len(labels)}."
        )


def _cut(text: str, font: Any, width: int) -> str:
    """Shortens a label to one line of at most `width` pixels."""
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
