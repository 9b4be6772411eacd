"""What the commands share: their parser, kinds of arguments, and the progress bar."""

from __future__ import annotations

import argparse
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from arbitrary_nst.common.atomic import check_target
from arbitrary_nst.embedding import Embedding, save_styles
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import IMAGE_SUFFIXES, KeepMetadata
from arbitrary_nst.pipeline.arguments import COLORS
from arbitrary_nst.pipeline.styles import STYLE_FILE_SUFFIX

STYLE_HELP = f"name of a packaged style, a style file ({STYLE_FILE_SUFFIX}), or a style image"
STYLE_FILE_HELP = f"style file to write, ending in {STYLE_FILE_SUFFIX}"


def add_command(
    commands: Any, name: str, run: Callable, summary: str, *, teach: str = "", examples: str = ""
) -> argparse.ArgumentParser:
    """Adds a command that calls `run` with its options.

    Args:
        commands: what `ArgumentParser.add_subparsers` returns.
        name: of the command.
        run: function of one command, taking the parsed options.
        summary: half a sentence for the list of commands.
        teach: what else one should know, below the summary in the command's own help.
        examples: command lines, shown as they stand at the end of it.
    """
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n{teach}",
        epilog=f"examples:\n{examples}" if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_debug(parser, default=argparse.SUPPRESS)  # or it would undo a --debug before the command
    parser.set_defaults(run=run)
    return parser


def add_debug(parser: argparse.ArgumentParser, **options: Any) -> None:
    """Adds `--debug`, which may stand before and after the command."""
    parser.add_argument(
        "--debug", action="store_true", help="show the traceback of an error", **options
    )


def add_look(parser: argparse.ArgumentParser, function: Callable, subject: str) -> None:
    """Adds what all commands that paint share: `--strength`, `--color`, `--size`, `--seed`.

    Args:
        parser: of a command.
        function: of the API, whose defaults hold.
        subject: what is painted, such as "photo".
    """
    parser.add_argument(
        "--strength",
        type=float,
        metavar="0..1",
        default=default_of(function, "strength"),
        help=f"from 0, the {subject}, to 1, the full style (default)",
    )
    parser.add_argument(
        "--color",
        choices=COLORS,
        default=default_of(function, "color"),
        help=f"whose colours: the style's (default) or the {subject}'s",
    )
    parser.add_argument(
        "--size",
        type=int,
        metavar="PIXELS",
        help="longer side to work at and to write; smaller is faster, and the strokes larger "
        f"(default: the {subject}'s own)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        default=default_of(function, "seed"),
        help="another number lays the strokes a little differently (default: %(default)s)",
    )


def add_scale(parser: argparse.ArgumentParser, function: Callable) -> None:
    """Adds the scale of strokes: `--working-size` and `--texture-scale`."""
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
        default=default_of(function, "texture_scale"),
        help="the same as a factor: at 2 strokes are twice as large (default: %(default)s)",
    )


def add_max_memory(parser: argparse.ArgumentParser, function: Callable) -> None:
    """Adds `--max-memory`, with the default of a function of the API."""
    parser.add_argument(
        "--max-memory",
        type=bytes_of,
        metavar="BYTES",
        default=default_of(function, "max_memory"),
        help="that painting may take, beside the photo, such as 4G; a photo that needs more is "
        "painted in passes, which takes longer (default: 2G)",
    )


def add_styles(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Adds `-s STYLE[:WEIGHT][@MASK]`, which may be repeated."""
    parser.add_argument(
        "-s",
        "--style",
        action="append",
        type=placed,
        required=required,
        metavar="STYLE[:WEIGHT][@MASK]",
        help=f"{STYLE_HELP}; repeat to blend. `arbitrary-nst styles` lists the names. A mask is an "
        "image, white where the style goes; a style without one then goes everywhere else",
    )


def styles_of(
    options: argparse.Namespace,
) -> tuple[list[str], list[float], list[str | None] | None]:
    """Styles, weights and masks, as the API takes them, from what `add_styles` added."""
    names, weights, masks = (list(column) for column in zip(*options.style, strict=True))
    return names, weights, masks if any(masks) else None


def add_max_pixels(parser: argparse.ArgumentParser, function: Callable) -> None:
    """Adds `--max-pixels`, with the default of a function of the API."""
    parser.add_argument(
        "--max-pixels",
        type=int,
        metavar="N",
        default=default_of(function, "max_pixels"),
        help="largest image to read, width times height (default: %(default)s)",
    )


def add_quality(parser: argparse.ArgumentParser, function: Callable, kinds: str) -> None:
    """Adds `--quality`, with the default of a function of the API; `kinds` have one."""
    parser.add_argument(
        "--quality",
        type=quality,
        metavar="1..100",
        default=default_of(function, "quality"),
        help=f"of {kinds} (default: %(default)s)",
    )


def add_saving(parser: argparse.ArgumentParser, function: Callable) -> None:
    """Adds how pictures are written: `--quality`, `--bits`, `--keep-metadata`, `--keep-gps`."""
    add_quality(parser, function, "JPEG, WebP and AVIF")
    parser.add_argument(
        "--bits",
        type=int,
        choices=(8, 16),
        default=default_of(function, "bits"),
        help="of a channel; 16 for .png and .tif, from photos that have as many and from others "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--keep-metadata",
        action="store_true",
        help="write the photo's EXIF data into the picture: camera, time, author, but not the "
        "place (GPS), the maker's notes and the small preview",
    )
    parser.add_argument(
        "--keep-gps", action="store_true", help="the same, and the place where it was taken"
    )


def kept_metadata(options: argparse.Namespace) -> KeepMetadata:
    """What `add_saving`'s options ask for, as the API takes it."""
    return "gps" if options.keep_gps else options.keep_metadata


def default_of(function: Callable, name: str) -> Any:
    """The default in the signature of an API function."""
    return inspect.signature(function).parameters[name].default


# Kinds of arguments.


def weighted(text: str) -> tuple[str, float]:
    """Splits `great-wave:0.7` into name and weight; without a number the weight is 1."""
    name, _, number = text.rpartition(":")
    try:
        weight = float(number)
    except ValueError:  # a colon of another kind, as in C:\paintings\wave.safetensors
        return text, 1.0
    return (name, weight) if name else (text, 1.0)


def placed(text: str) -> tuple[str, float, str | None]:
    """Splits `great-wave:0.7@sky.png` into name, weight and the file of the mask.

    The mask's name has to look like an image's, so that a name with an @ can be a style. Both may
    have more of them, as `mask@2x.png` has: the mask is the first file there is, else what is
    behind the last @.
    """
    places = [place for place, character in enumerate(text) if character == "@" and place]
    if not places or Path(text).suffix.lower() not in IMAGE_SUFFIXES or Path(text).exists():
        return *weighted(text), None
    there = (place for place in places if Path(text[place + 1 :]).is_file())
    place = next(there, places[-1])
    return *weighted(text[:place]), text[place + 1 :]


def bytes_of(text: str) -> float:
    """A number of bytes from text such as `2G`, `800M` or `2e9`."""
    factors = {"K": 1e3, "M": 1e6, "G": 1e9}
    unit = text[-1:].upper()
    try:
        value = float(text[:-1]) * factors[unit] if unit in factors else float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected bytes such as 2G or 800M, not {text!r}")
    return value


def quality(text: str) -> int:
    """A JPEG quality; checked here because the picture is not to be painted in vain."""
    if text.isdecimal() and 1 <= int(text) <= 100:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 100, not {text!r}")


def whole_numbers(text: str) -> tuple[int, ...]:
    """Splits `32,64,128`."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected numbers such as 32,64,128, not {text!r}"
        ) from None


def check_inputs_stay(output: str, inputs: Mapping[str, str | None]) -> None:
    """Checks that the file to be written is none of those that are read.

    Args:
        output: its path.
        inputs: what is read, such as "photo", and its path; what is no file does not matter.

    Raises:
        InputError: it would be replaced.
    """
    for what, path in inputs.items():
        if path is None or not os.path.exists(path) or not os.path.exists(output):
            continue
        if os.path.samefile(path, output):
            raise InputError(
                f"The output {output!r} is the {what} itself, which would be replaced. Choose "
                f"another name, or add --overwrite."
            )


def check_style_file(path: str) -> None:
    """Checks that a style file can be written, before anything is computed for it.

    Raises:
        InputError: another suffix, by which the file would not be found again, or no such folder.
    """
    if Path(path).suffix.lower() != STYLE_FILE_SUFFIX:
        raise InputError(f"A style file needs the suffix {STYLE_FILE_SUFFIX}. Received: {path!r}.")
    check_target(path)


def save_style_file(embeddings: Sequence[Embedding], path: str) -> None:
    """Writes styles into a file and says which."""
    save_styles(embeddings, path)
    print(f"{path}: {', '.join(embedding.name for embedding in embeddings)}")


class ProgressBar:
    """A tqdm bar as the `progress` callable of the API; silent where stderr is no terminal.

    Args:
        title: what stands before it.
        unit: what is counted.
        at_once: whether it is there before the first call. Where a single one is all that there
            is, a bar would come with the end, and the import of tqdm be a tenth of the time.
    """

    def __init__(self, title: str, *, unit: str, at_once: bool = True):
        self._words = {"desc": title, "unit": unit}
        self._bar: Any = None
        if at_once:
            self._start()

    def _start(self) -> None:
        from tqdm import tqdm

        self._bar = tqdm(**self._words, disable=None, leave=False)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, done: int, total: int, message: str, preview: object = None) -> None:
        if self._bar is None:
            if done == total == 1:
                return
            self._start()
        if done < self._bar.n:  # the next picture of an engine that counts steps
            self._bar.reset()
        self._bar.total = total
        self._bar.set_postfix_str(message, refresh=False)
        self._bar.update(done - self._bar.n)
