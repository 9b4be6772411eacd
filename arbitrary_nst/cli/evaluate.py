"""The command that measures pictures."""

from __future__ import annotations

import argparse
from typing import Any

from arbitrary_nst.checkpoints import vgg19_weights
from arbitrary_nst.cli.options import ProgressBar, add_command
from arbitrary_nst.cli.training import add_vgg_weights
from arbitrary_nst.common.atomic import check_target
from arbitrary_nst.engines import ENGINES
from arbitrary_nst.image import check_output_path, save_image
from arbitrary_nst.image.sheet import contact_sheet


def add_commands(commands) -> None:
    """Adds `evaluate` to the parser."""
    parser = add_command(
        commands,
        "evaluate",
        evaluate,
        "measure style and content loss with VGG19",
        teach="Paints every photo in every style. Lower is better for both losses; the photo "
        "itself,\nin the first columns, has no content loss and the worst style loss. Edges: 1 is "
        "every\ncontour kept. Unrest: how far a little noise moves the picture.",
        examples="  arbitrary-nst evaluate --photos PHOTOS --styles PAINTINGS "
        "--style-list styles.json",
    )
    parser.add_argument("--photos", required=True, metavar="DIR", help="folder of photos")
    parser.add_argument("--styles", required=True, metavar="DIR", help="folder of the paintings")
    parser.add_argument(
        "--style-list",
        metavar="FILE",
        help="JSON list of {name, file}: which painting a packaged style is, or which to take "
        "(default: all images of the folder, by their file names)",
    )
    parser.add_argument(
        "--engine",
        action="append",
        choices=ENGINES,
        help="what to measure; repeat for several side by side (default: cin)",
    )
    parser.add_argument(
        "--fit-steps",
        type=int,
        default=0,
        metavar="N",
        help="with which cin fits styles to each photo (default: %(default)s)",
    )
    parser.add_argument("--size", type=int, default=512, help="longer side (default: %(default)s)")
    parser.add_argument("--limit", type=int, metavar="N", help="use the first N photos only")
    add_vgg_weights(parser)
    parser.add_argument("--csv", metavar="FILE", help="write every pair's figures")
    parser.add_argument(
        "--sheet", metavar="FILE", help="draw the pictures of the first photo, a row per style"
    )


def evaluate(options: argparse.Namespace) -> None:
    """`arbitrary-nst evaluate`: see `evaluate.evaluate_styles`."""
    if options.csv:
        check_target(options.csv)
    if options.sheet:
        check_output_path(options.sheet)
    weights = vgg19_weights(options.vgg_weights)
    from arbitrary_nst.training.evaluate import evaluate_styles, format_table, write_csv
    from arbitrary_nst.training.reading import find_images, read_style_list

    specs = read_style_list(options.style_list, options.styles)
    photos = find_images(options.photos)[: options.limit]
    pictures: dict[tuple[str, str], Any] = {}

    def keep(engine: str, style: str, photo: str, picture: Any) -> None:
        if photo == photos[0].name:
            pictures[style, engine] = picture

    names = options.engine or ["cin"]
    engines: list[Any] = list(names)
    if options.fit_steps:
        from arbitrary_nst.engines.cin import Cin

        engines = [Cin(fit_steps=options.fit_steps) if n == "cin" else n for n in names]
    with ProgressBar("evaluate", unit="picture") as bar:
        rows = evaluate_styles(
            specs,
            photos,
            size=options.size,
            vgg_weights=weights,
            engines=engines,
            progress=bar,
            on_picture=keep,
        )
    if options.csv:
        write_csv(rows, options.csv)
    if options.sheet:
        cells = [[pictures[spec.name, name] for name in names] for spec in specs]
        rows_of = [spec.name for spec in specs]
        sheet = contact_sheet(cells, row_labels=rows_of, column_labels=names, cell=320)
        save_image(sheet, options.sheet)
    print(format_table(rows))
