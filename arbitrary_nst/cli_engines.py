"""The options that choose an engine and its settings."""

from __future__ import annotations

import argparse
from typing import Any

from arbitrary_nst import api
from arbitrary_nst.cli_options import default_of, whole_numbers
from arbitrary_nst.engines import ENGINES
from arbitrary_nst.errors import InputError

# Options of `Vgg19Settings`, under the same names: kind, placeholder, help.
VGG19_SETTINGS = (
    ("iterations", whole_numbers, "N,N,N", "steps at each scale, coarse to fine"),
    ("style-weight", float, "N", "of the style against the photo"),
    ("style-size", int, "PIXELS", "longer side at which paintings are looked at"),
    ("total-variation-weight", float, "N", "of smoothness"),
    ("pooling", str, "max|average", "of VGG19"),
    ("optimizer", str, "lbfgs|adam", "how the picture is optimised"),
    ("init", str, "content|noise|FILE", "what it starts from"),
)


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Adds `--engine` and the settings of the engines."""
    parser.add_argument(
        "--engine",
        choices=("auto", *ENGINES),
        default=default_of(api.stylize, "engine"),
        help="what paints (default: %(default)s: cin for names, magenta for images)",
    )
    parser.add_argument(
        "--style-scale",
        type=float,
        metavar="0.25..4",
        help="size of the strokes of style images, with --engine magenta or cin (default: 1)",
    )
    group = parser.add_argument_group("settings of --engine vgg19, minutes for a picture")
    for name, kind, metavar, text in VGG19_SETTINGS:
        group.add_argument(f"--{name}", type=kind, metavar=metavar, help=text)
    group.add_argument(
        "--checkpoint", metavar="FILE", help="keeps the state, so that the same command goes on"
    )


def chosen_engine(options: argparse.Namespace) -> Any:
    """The engine that `add_engine`'s options ask for: a name, or an object with its settings."""
    names = [name.replace("-", "_") for name, *_ in VGG19_SETTINGS]
    settings = {n: getattr(options, n) for n in names if getattr(options, n) is not None}
    if settings or options.checkpoint:
        if options.engine != "vgg19":
            name = next(iter([*settings, "checkpoint"])).replace("_", "-")
            raise InputError(f"--{name} is a setting of --engine vgg19, not of {options.engine}.")
        from arbitrary_nst.engines.vgg19 import Vgg19, Vgg19Settings

        return Vgg19(settings=Vgg19Settings(**settings), checkpoint=options.checkpoint)
    if options.style_scale is None:
        return options.engine
    if options.engine == "cin":
        from arbitrary_nst.engines.cin import Cin

        return Cin(style_scale=options.style_scale)
    if options.engine not in ("auto", "magenta"):
        raise InputError(
            f"--style-scale is a setting of the engines magenta and cin, not of {options.engine}."
        )
    from arbitrary_nst.engines.magenta import Magenta

    return Magenta(style_scale=options.style_scale)
