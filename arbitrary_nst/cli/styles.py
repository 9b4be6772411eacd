"""The commands about styles: list and draw them, save them, blend them."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

from arbitrary_nst import api
from arbitrary_nst.cli.engine_options import add_engine, check_readable, chosen_engine, means_cin
from arbitrary_nst.cli.options import (
    STYLE_FILE_HELP,
    STYLE_HELP,
    ProgressBar,
    add_command,
    add_max_pixels,
    check_inputs_stay,
    check_style_file,
    save_style_file,
    weighted,
)
from arbitrary_nst.embedding import blend
from arbitrary_nst.image import check_output_path, load_image, save_image
from arbitrary_nst.image.sheet import columns_for, contact_sheet, side_by_side
from arbitrary_nst.samples import content_or_sample


def add_commands(commands) -> None:
    """Adds `styles`, `embed` and `blend` to the parser."""
    for add in (_add_styles, _add_embed, _add_blend):
        add(commands)


def _add_styles(commands) -> None:
    parser = add_command(
        commands,
        "styles",
        styles,
        "list the packaged styles: name, artist and title",
        teach="With --sheet they are also drawn, each on one or more photos.",
        examples="  arbitrary-nst styles\n"
        "  arbitrary-nst styles --sheet styles.jpg --photo me.jpg --photo street.jpg",
    )
    parser.add_argument("--sheet", metavar="FILE", help="picture to draw all styles into")
    parser.add_argument(
        "--photo",
        action="append",
        metavar="FILE",
        help="photo of the sheet; repeat for more (default: sample:astronaut)",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="write the sheet also over one of its photos"
    )
    parser.add_argument(
        "--cell",
        type=int,
        default=256,
        metavar="PIXELS",
        help="side of a cell of the sheet (default: %(default)s)",
    )


def styles(options: argparse.Namespace) -> None:
    """`arbitrary-nst styles`: the names, and with `--sheet` a contact sheet."""
    if options.sheet:
        check_output_path(options.sheet)
        if not options.overwrite:
            given = enumerate(options.photo or (), start=1)
            check_inputs_stay(options.sheet, {f"photo {n}": photo for n, photo in given})
    known = api.list_styles()
    width = max((len(style.name) for style in known), default=0)
    for style in known:
        print(f"{style.name:{width}}  {style.source}")
    if options.sheet:
        photos = [content_or_sample(name) for name in options.photo or ["sample:astronaut"]]
        sheet = style_sheet(photos, [style.name for style in known], options.cell)
        save_image(sheet, options.sheet)
        count = "a photo" if len(photos) == 1 else f"{len(photos)} photos"
        size = f"{sheet.width}x{sheet.height} pixels"
        print(f"{options.sheet}: {len(known)} styles on {count}, {size}")


def style_sheet(photos: Sequence, names: Sequence[str], cell: int):
    """A contact sheet of styles (rows) on photos (columns), the photos themselves on top.

    Rows are wrapped: they stand in as many columns as make the sheet about as wide as a screen.
    """
    # Worked at three times the cell's size: strokes keep their place in the picture.
    size = 3 * cell
    originals = [load_image(photo)[0] for photo in photos]
    rows = []
    with ProgressBar("sheet", unit="style") as bar:
        for done, name in enumerate(names, start=1):
            pictures = api.stylize_many(originals, [name], size=size)
            rows.append([load_image(picture)[0] for picture in pictures])
            bar(done, len(names), name)
    heights = [cell * photo.shape[0] / max(photo.shape[:2]) for photo in originals]
    # Names stand on the left, about half a cell wide.
    width = (len(originals) + 0.5) * cell
    columns = columns_for(len(names), width, max(heights), top=max(heights))
    step = max(1, math.ceil(len(names) / columns))
    parts = [
        contact_sheet(
            [originals, *rows[first : first + step]],
            row_labels=["photo", *names[first : first + step]],
            cell=cell,
        )
        for first in range(0, max(1, len(names)), step)
    ]
    return side_by_side(parts)


def _add_embed(commands) -> None:
    parser = add_command(
        commands,
        "embed",
        embed,
        "save styles as a file of their own",
        teach="Several styles make a library, which Python reads with `load_styles`.",
        examples="  arbitrary-nst embed great-wave -o wave.safetensors\n"
        "  arbitrary-nst embed great-wave udnie -o library.safetensors\n"
        "  arbitrary-nst embed paintings/*.jpg -o paintings.safetensors",
    )
    parser.add_argument("style", nargs="+", metavar="STYLE", help=STYLE_HELP)
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help=STYLE_FILE_HELP)
    add_engine(parser)
    add_max_pixels(parser, api.embed)


def embed(options: argparse.Namespace) -> None:
    """`arbitrary-nst embed`: one style, or a library of several, in one file."""
    check_style_file(options.output)
    if not means_cin(options):
        check_readable(options, options.style)  # all of them, before the first is embedded
    engine = chosen_engine(options, options.style)
    embeddings = []
    with ProgressBar("embed", unit="style") as bar:
        for done, style in enumerate(options.style, start=1):
            embedding = api.embed(style, engine=engine, max_pixels=options.max_pixels)
            embeddings.append(embedding)
            bar(done, len(options.style), embeddings[-1].name)
    save_style_file(embeddings, options.output)


def _add_blend(commands) -> None:
    parser = add_command(
        commands,
        "blend",
        blend_styles,
        "blend styles into a new style file",
        teach="The file is a style like any other, and may be blended again.",
        examples="  arbitrary-nst blend great-wave:2 starry-night:1 -o mine.safetensors\n"
        "  arbitrary-nst stylize photo.jpg -s mine.safetensors -o out.png",
    )
    parser.add_argument(
        "style", nargs="+", type=weighted, metavar="STYLE[:WEIGHT]", help=STYLE_HELP
    )
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help=STYLE_FILE_HELP)
    parser.add_argument("--name", help="of the blend (default: made from its parts)")


def blend_styles(options: argparse.Namespace) -> None:
    """`arbitrary-nst blend`: see `embedding.blend`."""
    check_style_file(options.output)
    embeddings = [api.embed(name) for name, _ in options.style]
    weights = [weight for _, weight in options.style]
    save_style_file([blend(embeddings, weights, name=options.name)], options.output)
