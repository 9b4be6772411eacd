"""The command that writes the network for other runtimes."""

from __future__ import annotations

import argparse

from arbitrary_nst.cli.options import add_command, default_of
from arbitrary_nst.export import FORMATS, export
from arbitrary_nst.pipeline.styles import STYLE_FILE_SUFFIX


def add_commands(commands) -> None:
    """Adds `export` to the parser."""
    parser = add_command(
        commands,
        "export",
        run_export,
        "write the network for TensorFlow Serving, phones (TFLite) or ONNX Runtime",
        teach="The folder holds the model, which takes a photo of any size and a style's vector, "
        "the\nvectors of the styles, and a README.txt that shows how to run it.",
        examples="  arbitrary-nst export --format onnx -o onnx-model\n"
        "  arbitrary-nst export --format tflite -s great-wave -s scream --blend-weights "
        "-o phone-model\n"
        "  arbitrary-nst export --format savedmodel --network models/mine -o served-model",
    )
    parser.add_argument(
        "--format",
        required=True,
        choices=FORMATS,
        help="of the model; onnx needs the package onnx",
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="DIR", help="folder to write, new or empty"
    )
    parser.add_argument(
        "-s",
        "--style",
        action="append",
        metavar="STYLE",
        help=f"name of a style of the network, or a style file ({STYLE_FILE_SUFFIX}) for it; "
        "repeat for more (default: all that the network was trained with)",
    )
    parser.add_argument(
        "--blend-weights",
        action="store_true",
        help="the model takes a weight for each of these styles in place of a vector",
    )
    parser.add_argument(
        "--network", metavar="DIR", help="folder of the network (default: the packaged one)"
    )
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        default=default_of(export, "seed"),
        help="of the noise in the model, as for `stylize` (default: %(default)s)",
    )


def run_export(options: argparse.Namespace) -> None:
    """`arbitrary-nst export`: see `export.export`."""
    names = export(
        options.output,
        options.format,
        options.style,
        blend_weights=options.blend_weights,
        folder=options.network,
        seed=options.seed,
    )
    print(f"{options.output}: {options.format}, {', '.join(names)}")
