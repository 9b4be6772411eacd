"""The command that paints a photo."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

import numpy as np
from PIL import Image

from arbitrary_nst import api
from arbitrary_nst.cli.engine_options import add_engine, chosen_engine
from arbitrary_nst.cli.options import (
    ProgressBar,
    add_command,
    add_look,
    add_max_memory,
    add_max_pixels,
    add_saving,
    add_scale,
    add_styles,
    check_inputs_stay,
    kept_metadata,
    styles_of,
)
from arbitrary_nst.cli.stopping import Stops
from arbitrary_nst.engines import EngineName
from arbitrary_nst.engines.protocol import Engine
from arbitrary_nst.errors import RenderError
from arbitrary_nst.image import check_output_path, save_image, to_pil
from arbitrary_nst.image.writing import WITHOUT_EXIF, check_bits, format_of
from arbitrary_nst.pipeline.arguments import Options, Progress
from arbitrary_nst.pipeline.picture import Picture
from arbitrary_nst.samples import SAMPLES, content_or_sample


def add_commands(commands) -> None:
    """Adds `stylize` to the parser."""
    parser = add_command(
        commands,
        "stylize",
        stylize,
        "paint a photo in a style, or in a blend of several",
        teach="Weights are shares: `-s A:2 -s B:1` is two parts of A and one of B.",
        examples="  arbitrary-nst stylize photo.jpg -s great-wave -o out.png\n"
        "  arbitrary-nst stylize photo.jpg -s great-wave:0.7 -s composition-vii:0.3 -o out.png\n"
        "  arbitrary-nst stylize photo.jpg -s udnie --strength 0.6 --color content -o out.jpg\n"
        "  arbitrary-nst stylize photo.jpg -s painting.jpg --engine vgg19 --size 512 -o out.png\n"
        "  arbitrary-nst stylize photo.jpg -s great-wave@sky.png -s udnie -o out.png\n"
        "  arbitrary-nst stylize photo.jpg -s starry-night --working-size 800 -o large.jpg\n"
        "  arbitrary-nst stylize sample:astronaut -s mine.safetensors --size 1024 -o out.png",
    )
    samples = ", ".join(f"sample:{name}" for name in SAMPLES)
    parser.add_argument("content", help=f"the photo; or one to try with: {samples}")
    add_styles(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="picture to write: .png, .jpg, .webp, .avif, .tif or .bmp",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="write it also over the photo, a style or a mask"
    )
    _add_settings(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    add_look(parser, api.stylize, "photo")
    add_scale(parser, api.stylize)
    add_engine(parser)
    parser.add_argument(
        "--save-every",
        type=int,
        metavar="N",
        help="with --engine vgg19: also write every N-th step beside the picture",
    )
    add_max_memory(parser, api.stylize)
    add_max_pixels(parser, api.stylize)
    add_saving(parser, save_image)


def stylize(options: argparse.Namespace) -> None:
    """`arbitrary-nst stylize`: see `api.stylize`."""
    check_output_path(options.output)
    check_bits(options.bits, options.output)
    names, _, masks = styles_of(options)
    if not options.overwrite:
        parts = {f"style {number}": name for number, name in enumerate(names, start=1)}
        areas = {f"mask {number}": mask for number, mask in enumerate(masks or (), start=1)}
        check_inputs_stay(options.output, {"photo": options.content, **parts, **areas})
    engine = chosen_engine(options, names, options.content)
    try:
        with (
            ProgressBar("stylize", unit="", at_once=False) as bar,
            Stops() as stops,
        ):
            picture = _painted(options, engine, bar, stops)
    except RenderError as error:
        if error.picture is None:
            raise
        file = _keep_last(error.picture, options)
        raise RenderError(f"{error} The last good picture is kept as {file}.") from error
    picture.save(options.output, quality=options.quality, bits=options.bits)
    height, width = picture.rgb.shape[:2]
    print(f"{options.output}: {width}x{height} pixels{_what_is_kept(picture, options)}")


def _what_is_kept(picture: Picture, options: argparse.Namespace) -> str:
    if not picture.exif or format_of(options.output) in WITHOUT_EXIF:
        return ""
    place = "" if options.keep_gps else ", without the place (GPS)"
    return f", with the photo's EXIF data{place}"


def _painted(
    options: argparse.Namespace, engine: EngineName | Engine, bar: ProgressBar, stops: Stops
) -> Picture:
    names, weights, masks = styles_of(options)
    how = Options(
        options.strength,
        options.color,
        options.size,
        options.working_size,
        options.texture_scale,
        options.seed,
        options.max_pixels,
        options.max_memory,
        options.bits,
        kept_metadata(options),
    )
    content = content_or_sample(options.content)
    progress: Progress = functools.partial(_save_and_show, bar, stops, options)
    if options.engine == "vgg19" and not options.save_every:
        # Nobody looks at the pictures on the way, and finishing one takes as long as a coarse step.
        progress = functools.partial(_show, bar, stops)
    return next(api.paint_photos([content], names, weights, masks, engine, how, progress))


def _keep_last(picture: np.ndarray, options: argparse.Namespace) -> Path:
    """Writes what there is of a picture that broke off, beside the one that was wanted."""
    file = _beside(options.output, "unfinished")
    alpha = picture[..., 3] if picture.shape[-1] == 4 else None
    save_image(to_pil(picture[..., :3], alpha), file, quality=options.quality)
    return file


def _beside(output: str, word: str) -> Path:
    path = Path(output)
    return path.with_name(f"{path.stem}-{word}{path.suffix}")


def _show(bar: ProgressBar, stops: Stops, done: int, total: int, message: str) -> None:
    """The progress of `stylize` by an engine with steps, without pictures on the way."""
    bar(done, total, message)
    stops.after_this_step()


def _save_and_show(
    bar: ProgressBar,
    stops: Stops,
    options: argparse.Namespace,
    done: int,
    total: int,
    message: str,
    preview: Image.Image | None = None,
) -> None:
    """The progress of `stylize`: the bar, and with --save-every the pictures on the way."""
    bar(done, total, message)
    if preview is None:
        return
    if options.save_every and done % options.save_every == 0:
        save_image(preview, _beside(options.output, f"{done:04d}"), quality=options.quality)
    stops.after_this_step()
