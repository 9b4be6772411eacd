"""The command that paints a folder of photos."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from arbitrary_nst.batch import num_cores, stylize_folder
from arbitrary_nst.batch.files import PICTURE_FORMATS
from arbitrary_nst.batch.settings import set_threads
from arbitrary_nst.cli.engine_options import CIN_SETTINGS, add_engine, chosen_engine, means_cin
from arbitrary_nst.cli.options import (
    ProgressBar,
    add_command,
    add_look,
    add_max_memory,
    add_max_pixels,
    add_saving,
    add_scale,
    add_styles,
    default_of,
    kept_metadata,
    styles_of,
)
from arbitrary_nst.common.checks import positive_int
from arbitrary_nst.engines import EngineName
from arbitrary_nst.engines.protocol import Engine
from arbitrary_nst.errors import InputError
from arbitrary_nst.networks.precision import PRECISIONS


def add_commands(commands) -> None:
    """Adds `batch` to the parser."""
    parser = add_command(
        commands,
        "batch",
        batch,
        "paint a folder of photos, thousands if need be",
        teach="The pictures get the paths of the photos, in OUT_DIR. The same command again goes\n"
        "on where it stopped; with other settings it refuses. Photos that cannot be painted are\n"
        "listed at the end; the exit code is then 1.",
        examples="  arbitrary-nst batch photos painted -s great-wave:0.7 -s scream:0.3\n"
        "  arbitrary-nst batch photos painted -s udnie --recursive --size 1024 --format jpg\n"
        "  arbitrary-nst batch photos painted -s udnie --ray local --workers 4\n"
        "  arbitrary-nst batch /nfs/photos /nfs/painted -s udnie --ray auto",
    )
    parser.add_argument("in_dir", metavar="IN_DIR", help="folder of photos")
    parser.add_argument("out_dir", metavar="OUT_DIR", help="folder to write to; made if missing")
    add_styles(parser)
    parser.add_argument(
        "--recursive", action="store_true", help="also photos in the folders below IN_DIR"
    )
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="pictures painted at once, each in memory of its own (default: one for each core; "
        "with --ray one for each of the cluster's GPUs, or cores)",
    )
    parser.add_argument(
        "--format",
        choices=PICTURE_FORMATS,
        default=default_of(stylize_folder, "output_format"),
        help="of the pictures (default: %(default)s that of the photo; what can only be read, "
        "such as .heic, becomes .png)",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="paint everything anew, whatever is in OUT_DIR"
    )
    parser.add_argument(
        "--ray",
        metavar="local|ADDRESS",
        help="share the work out with Ray: on this machine, or on the cluster of that address, "
        "whose machines all see both folders",
    )
    _add_settings(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """Those of `stylize` that make sense for many photos."""
    add_look(parser, stylize_folder, "photo")
    add_scale(parser, stylize_folder)
    add_engine(parser)
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default=default_of(stylize_folder, "precision"),
        help="of --engine cin, on all machines alike (default: %(default)s: what this processor "
        "is fast at)",
    )
    add_max_memory(parser, stylize_folder)
    add_max_pixels(parser, stylize_folder)
    add_saving(parser, stylize_folder)


def _engine(options: argparse.Namespace, styles: Sequence[str]) -> EngineName | Engine:
    is_set = any(getattr(options, name) is not None for name in CIN_SETTINGS)
    if is_set and means_cin(options):
        set_threads(1)  # as a batch has them, which has to be said before there is an engine
    return chosen_engine(options, styles)


def batch(options: argparse.Namespace) -> int:
    """`arbitrary-nst batch`: see `batch.stylize_folder`.

    Returns:
        The exit code: 1 if a photo failed, else 0.
    """
    if options.checkpoint:
        raise InputError("--checkpoint keeps the state of one picture; a batch goes on by itself.")
    if options.workers is not None:
        positive_int(options.workers, "workers")
    names, weights, masks = styles_of(options)
    started = time.monotonic()
    with ProgressBar("batch", unit="photo") as bar:
        report = stylize_folder(
            options.in_dir,
            names,
            options.out_dir,
            weights,
            strength=options.strength,
            color=options.color,
            size=options.size,
            working_size=options.working_size,
            texture_scale=options.texture_scale,
            masks=masks,
            engine=_engine(options, names),
            seed=options.seed,
            max_pixels=options.max_pixels,
            max_memory=options.max_memory,
            precision=options.precision,
            recursive=options.recursive,
            workers=options.workers or (None if options.ray else num_cores()),
            ray=options.ray,
            output_format=options.format,
            quality=options.quality,
            bits=options.bits,
            keep_metadata=kept_metadata(options),
            overwrite=options.overwrite,
            progress=bar,
        )
    seconds = time.monotonic() - started
    rate = f" in {seconds:.0f} s" if report.painted else ""
    print(
        f"{options.out_dir}: {report.painted} painted{rate}, {report.skipped} already there, "
        f"{len(report.failed)} failed"
    )
    for outcome in report.failed:
        print(f"failed: {outcome.job.source}: {outcome.error}", file=sys.stderr)
    return 1 if report.failed else 0
