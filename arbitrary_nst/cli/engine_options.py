"""The options that choose an engine and its settings."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from arbitrary_nst import api
from arbitrary_nst.checkpoints import predicts_styles
from arbitrary_nst.cli.options import default_of, whole_numbers
from arbitrary_nst.engines import ENGINES, EngineName
from arbitrary_nst.engines.protocol import Engine
from arbitrary_nst.engines.shared import REFINE_STEPS
from arbitrary_nst.errors import InputError
from arbitrary_nst.pipeline.arguments import Options
from arbitrary_nst.pipeline.contents import load_content
from arbitrary_nst.pipeline.engine_choice import choose
from arbitrary_nst.samples import content_or_sample

# Options of `Cin`, under the same names; the first one magenta has, too.
CIN_SETTINGS = ("style_scale", "refine_steps", "fit_steps")
# Options of `Vgg19Settings`, under the same names: kind, placeholder, help.
VGG19_SETTINGS = (
    ("iterations", whole_numbers, "N,N,N", "steps at each scale, coarse to fine"),
    ("style-weight", float, "N", "of the style against the photo"),
    ("covariance-weight", float, "0..1", "share of it that is about the features' means"),
    ("parts-weight", float, "0..1", "share of it that is asked of flat and detailed places each"),
    ("drawing-weight", float, "N", "of the photo's outlines"),
    ("palette-weight", float, "0..1", "how far the photo's colours give way to the style's"),
    ("style-size", int, "PIXELS", "longer side at which paintings are looked at, at most"),
    ("total-variation-weight", float, "N", "of smoothness"),
    ("pooling", str, "max|average", "of VGG19"),
    ("optimizer", str, "lbfgs|adam", "how the picture is optimised"),
    ("init", str, "cin|content|noise|FILE", "what it starts from"),
)


def add_engine(parser: argparse.ArgumentParser, engines: Sequence[str] = ENGINES) -> None:
    """Adds `--engine` and the settings of these engines."""
    parser.add_argument(
        "--engine",
        choices=("auto", *engines),
        default=default_of(api.stylize, "engine"),
        help="what paints (default: %(default)s, which is cin with the packaged network)",
    )
    parser.add_argument(
        "--style-scale",
        type=float,
        metavar="0.25..4",
        help="size of the strokes of style images (default: 1)",
    )
    parser.add_argument(
        "--refine-steps",
        type=int,
        metavar="N",
        help="with which the engine cin fits what it guesses of a style image, a tenth of a second "
        f"each; 0 is what it guesses (default: {REFINE_STEPS})",
    )
    parser.add_argument(
        "--fit-steps",
        type=int,
        metavar="N",
        help="with which the engine cin fits styles to each photo besides, a quarter of a second "
        "each (default: 0)",
    )
    if "vgg19" not in engines:
        return
    group = parser.add_argument_group("settings of --engine vgg19, minutes for a picture")
    for name, kind, metavar, text in VGG19_SETTINGS:
        group.add_argument(f"--{name}", type=kind, metavar=metavar, help=text)
    group.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="keeps the state, so that the same command goes on",
    )


def chosen_engine(
    options: argparse.Namespace, styles: Sequence[str], content: str | None = None
) -> EngineName | Engine:
    """The engine that `add_engine`'s options ask for: a name, or an object with its settings.

    An object begins by reading its network, which may have to be downloaded; so what it is for is
    read before. (A name is loaded when all that is read already.)

    Args:
        options: parsed.
        styles: that it is to paint in.
        content: the photo, where it is one.
    """
    given = {name: value for name, value in vars(options).items() if value is not None}
    for name in CIN_SETTINGS[1:]:
        if name in given and not means_cin(options):
            option = name.replace("_", "-")
            raise InputError(f"--{option} is a setting of the engine cin, not of {options.engine}.")
    names = [name.replace("-", "_") for name, *_ in VGG19_SETTINGS]
    settings = {name: given[name] for name in names if name in given}
    checkpoint = given.get("checkpoint")
    if options.engine == "vgg19" and "style_scale" in given:
        settings["style_scale"] = given["style_scale"]
    if settings or checkpoint:
        if options.engine != "vgg19":
            name = next(iter([*settings, "checkpoint"])).replace("_", "-")
            raise InputError(f"--{name} is a setting of --engine vgg19, not of {options.engine}.")
        check_readable(options, styles, content)
        from arbitrary_nst.engines.vgg19 import Vgg19, Vgg19Settings

        return Vgg19(settings=Vgg19Settings(**settings), checkpoint=checkpoint)
    chosen = {name: given[name] for name in CIN_SETTINGS if name in given}
    if not chosen:
        return options.engine
    if means_cin(options):
        from arbitrary_nst.engines.cin import Cin

        return Cin(**chosen, precision=given.get("precision", "auto"))
    check_readable(options, styles, content)
    from arbitrary_nst.engines.magenta import Magenta

    return Magenta(style_scale=options.style_scale)


def check_readable(
    options: argparse.Namespace, styles: Sequence[str], content: str | None = None
) -> None:
    """Reads styles and photo once for nothing, so that they are refused before a download.

    Raises:
        InputError: one cannot be read; its subclasses tell why.
        WeightsUnavailable: there is no cin network, whose styles are known by name.
    """
    choose(styles, options.engine, Options(max_pixels=options.max_pixels).max_pixels)
    if content is not None:
        load_content(content_or_sample(content), Options(max_pixels=options.max_pixels))


def means_cin(options: argparse.Namespace) -> bool:
    """Whether the engine of these options is cin, for images as styles as well."""
    return options.engine == "cin" or (options.engine == "auto" and predicts_styles())
