"""The command that paints videos."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from arbitrary_nst.cli.engine_options import add_engine, chosen_engine
from arbitrary_nst.cli.options import (
    ProgressBar,
    add_command,
    add_look,
    add_max_memory,
    add_max_pixels,
    add_quality,
    add_scale,
    add_styles,
    default_of,
    styles_of,
    weighted,
)
from arbitrary_nst.errors import InputError
from arbitrary_nst.video import Keyframe, stylize_video
from arbitrary_nst.video.parts import parts_folder
from arbitrary_nst.video.writing import check_video_path

VIDEO_ENGINES = ("cin", "magenta")  # vgg19 takes minutes for a frame


def add_commands(commands) -> None:
    """Adds `video` to the parser."""
    parser = add_command(
        commands,
        "video",
        video,
        "paint a video in a style, or from one style to another",
        teach="Sound, times and colour range are kept. A run that was stopped goes on when the "
        "same command is\ngiven again: what is finished lies in FILE.parts until then.",
        examples="  arbitrary-nst video in.mp4 -s great-wave -o out.mp4\n"
        "  arbitrary-nst video in.mp4 -s great-wave:2 -s scream:1 --size 720 -o out.mkv\n"
        "  arbitrary-nst video in.mp4 --keyframe 0:great-wave --keyframe 5s:scream -o out.mp4\n"
        "  arbitrary-nst video in.mp4 -s great-wave@sky.png -s udnie -o out.mp4\n"
        "  arbitrary-nst video in.gif -s udnie -o out.webp",
    )
    parser.add_argument("video", help="the video, or an animated GIF, WebP, PNG or AVIF")
    add_styles(parser, required=False)
    parser.add_argument(
        "--keyframe",
        action="append",
        type=keyframe,
        metavar="SECONDS:STYLE[:WEIGHT]",
        help="instead of -s: a style for a moment; between moments styles are blended. Repeat, in "
        "the order of time; several of one time are blended",
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="video to write: .mp4, .mov, .mkv, .webm, .gif or .webp",
    )
    _add_settings(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    add_look(parser, stylize_video, "video")
    add_scale(parser, stylize_video)
    parser.add_argument(
        "--steady",
        type=float,
        metavar="0..1",
        default=default_of(stylize_video, "steady"),
        help="against flicker: from 0, each frame for itself, to 1 (default: %(default)s)",
    )
    add_engine(parser, VIDEO_ENGINES)
    add_max_memory(parser, stylize_video)
    add_max_pixels(parser, stylize_video)
    add_quality(parser, stylize_video, "the encoded video")
    parser.add_argument("--no-audio", action="store_true", help="leave the sound out")


def keyframe(text: str) -> tuple[float, str, float]:
    """Splits `5s:great-wave:2` into seconds, style and weight; the `s` may be left out."""
    time, _, style = text.partition(":")
    try:
        seconds = float(time.removesuffix("s"))
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf or not style:
        raise argparse.ArgumentTypeError(
            f"expected seconds and a style, such as 5s:great-wave, not {text!r}"
        )
    return seconds, *weighted(style)


def video(options: argparse.Namespace) -> None:
    """`arbitrary-nst video`: see `video.stylize_video`."""
    styles, weights, masks = _styles(options)
    bar = _ProgressBar("video", unit="frame")
    with bar:
        try:
            stylize_video(
                options.video,
                styles,
                options.output,
                weights,
                strength=options.strength,
                color=options.color,
                size=options.size,
                working_size=options.working_size,
                texture_scale=options.texture_scale,
                masks=masks,
                steady=options.steady,
                engine=chosen_engine(options, _names(options)),
                seed=options.seed,
                max_pixels=options.max_pixels,
                max_memory=options.max_memory,
                quality=options.quality,
                audio=not options.no_audio,
                progress=bar,
            )
        except KeyboardInterrupt:
            folder = parts_folder(check_video_path(options.output))
            if folder.is_dir():
                print(
                    f"arbitrary-nst: the same command goes on from here; what is finished is in "
                    f"{folder}",
                    file=sys.stderr,
                )
            raise
    size = Path(options.output).stat().st_size
    print(f"{options.output}: {bar.done} frames, {size / 1e6:.1f} MB")


def _styles(options: argparse.Namespace) -> tuple:
    """Styles, weights and masks, as `stylize_video` takes them."""
    if bool(options.style) == bool(options.keyframe):
        raise InputError("A video needs either styles (-s) or keyframes (--keyframe).")
    if options.style:
        return styles_of(options)
    moments: list[tuple[float, list[str], list[float]]] = []
    for time, name, weight in options.keyframe:
        if not moments or moments[-1][0] != time:
            moments.append((time, [], []))
        moments[-1][1].append(name)
        moments[-1][2].append(weight)
    return [Keyframe(*moment) for moment in moments], None, None


def _names(options: argparse.Namespace) -> list[str]:
    """The styles, at whatever time they are."""
    if options.style:
        return styles_of(options)[0]
    return [name for _, name, _ in options.keyframe]


class _ProgressBar(ProgressBar):
    """The bar, with a rate that does not count what an earlier run has done."""

    done = -1

    def __call__(self, done: int, total: int, message: str, preview: object = None) -> None:
        if self.done < 0:
            self._bar.initial = self._bar.n = done
        self.done = done
        super().__call__(done, total, message)
