"""The command line: one function per command, defaults from the API's signatures."""

from __future__ import annotations

import argparse
import contextlib
import functools
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from arbitrary_nst import api
from arbitrary_nst.cli import batch, demo, export, styles, training, video
from arbitrary_nst.cli.engine_options import add_engine, chosen_engine
from arbitrary_nst.cli.options import (
    STYLE_HELP,
    ProgressBar,
    add_command,
    add_debug,
    add_look,
    add_max_pixels,
    add_quality,
    bytes_of,
    default_of,
    placed,
)
from arbitrary_nst.common.version import __version__
from arbitrary_nst.errors import InputError, WeightsUnavailable
from arbitrary_nst.image import check_output_path, save_image
from arbitrary_nst.samples import SAMPLES, content_or_sample

EXPECTED_ERRORS = (InputError, WeightsUnavailable, ImportError, OSError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        0, or what the command returns; 2 after one line about what went wrong; 130 where the
        user pressed Ctrl-C.
    """
    options = build_parser().parse_args(arguments)
    code = None
    with _own_words_only(options.debug):
        try:
            code = options.run(options)
            sys.stdout.flush()
        except KeyboardInterrupt:
            _complain("stopped")
            return 130
        except BrokenPipeError:
            # The reader of our output, such as `head`, has seen enough. What Python still holds
            # for it goes nowhere, instead of into a second error at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except Exception as error:
            if options.debug:
                raise
            _complain(_describe(error))
            return 2
    return code or 0


class _LineHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _complain(record.getMessage())


@contextlib.contextmanager
def _own_words_only(debug: bool) -> Iterator[None]:
    """Warnings and log records as plain lines on stderr, and nothing of what libraries say."""
    handler = _LineHandler(logging.WARNING)
    logger = logging.getLogger("arbitrary_nst")
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings(), _without_native_remarks(debug):
            warnings.showwarning = _show_warning
            yield
    finally:
        logger.removeHandler(handler)


@contextlib.contextmanager
def _without_native_remarks(debug: bool) -> Iterator[None]:
    """Sends what native code writes to stderr nowhere; Python's own `sys.stderr` stays.

    TensorFlow greets there with a dozen lines, and no setting of its own stops all of them.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0" if debug else "3")
    python_stderr = sys.stderr
    try:
        redirected = not debug and python_stderr.fileno() == 2
    except (AttributeError, OSError):  # none, or an object in its place, as in a notebook
        redirected = False
    if not redirected:
        yield
        return
    encoding, errors = python_stderr.encoding, python_stderr.errors
    with open(os.dup(2), "w", buffering=1, encoding=encoding, errors=errors) as sys.stderr:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(sys.stderr.fileno(), 2)
            sys.stderr.flush()
            sys.stderr = python_stderr


def _complain(text: str) -> None:
    print(f"arbitrary-nst: {' '.join(text.split())}", file=sys.stderr)


def _describe(error: Exception) -> str:
    if isinstance(error, EXPECTED_ERRORS):
        return str(error)
    if isinstance(error, MemoryError):
        return f"There is not enough memory; a smaller --size needs less. {error}"
    return f"Unexpected {type(error).__name__}: {error} (--debug shows where)"


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    # The library's own remarks, without the line of code that they come from.
    _complain(f"warning: {message}")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="arbitrary-nst",
        description="Paints photos in a blend of styles.",
        epilog="examples:\n"
        "  arbitrary-nst styles\n"
        "  arbitrary-nst stylize photo.jpg -s great-wave:2 -s scream:1 -o out.png\n"
        "`arbitrary-nst COMMAND --help` explains a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    add_debug(parser)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_stylize(commands)
    batch.add_commands(commands)
    video.add_commands(commands)
    styles.add_commands(commands)
    training.add_commands(commands)
    _add_check(commands)
    demo.add_commands(commands)
    export.add_commands(commands)
    return parser


def _add_stylize(commands) -> None:
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
    parser.add_argument(
        "-s",
        "--style",
        action="append",
        type=placed,
        required=True,
        metavar="STYLE[:WEIGHT][@MASK]",
        help=f"{STYLE_HELP}; repeat to blend. `arbitrary-nst styles` lists the names. A mask is an "
        "image, white where the style goes; a style without one then goes everywhere else",
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="picture to write: .png, .jpg, .webp, .tif or .bmp",
    )
    _add_stylize_settings(parser)


def _add_stylize_settings(parser: argparse.ArgumentParser) -> None:
    add_look(parser, api.stylize, "photo")
    parser.add_argument(
        "--working-size",
        type=int,
        metavar="PIXELS",
        help="longer side to paint at, whatever the size of the result: strokes look as in a "
        "picture of that size, and the photo's fine structure is put back",
    )
    parser.add_argument(
        "--texture-scale",
        type=float,
        metavar="TIMES",
        default=default_of(api.stylize, "texture_scale"),
        help="the same as a factor: at 2 strokes are twice as large (default: %(default)s)",
    )
    add_engine(parser)
    parser.add_argument(
        "--save-every",
        type=int,
        metavar="N",
        help="with --engine vgg19: also write every N-th step beside the picture",
    )
    parser.add_argument(
        "--max-memory",
        type=bytes_of,
        metavar="BYTES",
        default=default_of(api.stylize, "max_memory"),
        help="that painting may take, beside the photo, such as 4G; a photo that needs more is "
        "painted in passes, which takes longer (default: 2G)",
    )
    add_max_pixels(parser, api.stylize)
    add_quality(parser, save_image, "JPEG and WebP")


def stylize(options: argparse.Namespace) -> None:
    """`arbitrary-nst stylize`: see `api.stylize`."""
    check_output_path(options.output)
    engine = chosen_engine(options)
    masks = [mask for _, _, mask in options.style]
    with ProgressBar("stylize", unit="") as bar:
        picture = api.stylize(
            content_or_sample(options.content),
            [name for name, _, _ in options.style],
            [weight for _, weight, _ in options.style],
            strength=options.strength,
            color=options.color,
            size=options.size,
            working_size=options.working_size,
            texture_scale=options.texture_scale,
            masks=masks if any(masks) else None,
            engine=engine,
            seed=options.seed,
            max_pixels=options.max_pixels,
            max_memory=options.max_memory,
            progress=functools.partial(_save_and_show, bar, options),
        )
    save_image(picture, options.output, quality=options.quality)
    print(f"{options.output}: {picture.width}x{picture.height} pixels")


def _save_and_show(bar, options, done: int, total: int, message: str, preview=None) -> None:
    """The progress of `stylize`: the bar, and with --save-every the pictures on the way."""
    bar(done, total, message)
    if preview is not None and options.save_every and done % options.save_every == 0:
        output = Path(options.output)
        file = output.with_name(f"{output.stem}-{done:04d}{output.suffix}")
        save_image(preview, file, quality=options.quality)


def _add_check(commands) -> None:
    parser = add_command(
        commands,
        "check",
        check,
        "look whether an engine works here, from its files to a picture",
        teach="Loads the network (the first time it is downloaded, 92 MB), cuts it in two,\n"
        "embeds, blends and paints, and says whether the weights are those that were published.",
        examples="  arbitrary-nst check magenta\n"
        "  ARBITRARY_NST_MAGENTA=FOLDER arbitrary-nst check magenta",
    )
    parser.add_argument("engine", choices=("magenta",), help="which one")


def check(options: argparse.Namespace) -> None:
    """`arbitrary-nst check`: see `engines.magenta.check`."""
    from arbitrary_nst.engines.magenta import check as check_magenta

    for finding in check_magenta():
        print(finding, flush=True)
