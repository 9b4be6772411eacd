"""The commands that train: a network, its styles, one style more."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from arbitrary_nst.checkpoints import vgg19_weights
from arbitrary_nst.cli.options import (
    STYLE_FILE_HELP,
    ProgressBar,
    add_command,
    check_style_file,
    save_style_file,
    whole_numbers,
)
from arbitrary_nst.common.atomic import check_target
from arbitrary_nst.networks.precision import PRECISIONS

# Options of `train` that are settings of `TrainConfig`, under the same names.
SETTINGS = (
    ("num-residual-blocks", int, "residual blocks"),
    ("noise-channels", int, "maps of noise mixed in, which keep flat areas from a woven look"),
    ("noise-levels", int, "resolutions that get noise, from the lowest up"),
    (
        "fine-blocks",
        int,
        "residual blocks at the lowest resolution but one, for fine strokes",
    ),
    ("steps", int, "optimiser steps in all"),
    ("batch-size", int, "samples a step"),
    ("styles-per-photo", int, "samples that share a photo, which saves time"),
    ("crop-size", int, "pixels of the square crops"),
    ("zoom", float, "the most that photos are enlarged for a crop, from 1 up"),
    ("learning-rate", float, "of the optimizer, at its highest"),
    ("content-weight", float, "of the content loss"),
    ("style-weight", float, "of the style loss, for styles that name none of their own"),
    ("style-size", int, "longer side at which paintings are looked at, likewise"),
    ("shift-weight", float, "of the autocorrelations in the style loss, which see lattices"),
    ("detailed-weight", float, "of the style of the photo's detailed half, in the style loss"),
    ("flat-weight", float, "of the style of its flat half: skies and walls are painted too"),
    ("matched-parts", float, "how much each half follows the painting's own such half, 0..1"),
    ("tone-weight", float, "of the painting's contrast and colours, in the style loss"),
    ("drawing-weight", float, "of the photo's outlines, whatever their contrast"),
    ("local-drawing-weight", float, "of its faint lines too, each place by itself"),
    ("light-weight", float, "of what is dark in the photo staying dark"),
    ("palette-weight", float, "how far the photo is compared in the picture's colours, 0..1"),
    ("total-variation-weight", float, "of the smoothness term"),
    ("identity-weight", float, "of giving the photo back in the identity style"),
    ("stability-weight", float, "of equal pictures for a photo and the same with noise"),
    ("identity-share", float, "of the samples that train the identity style, 0..1"),
    ("paintings-per-batch", int, "paintings of --painting-list a step"),
    ("painting-crop", int, "pixels of the square parts of them that are looked at"),
    ("painting-share", float, "of the style draws that take a painting of --painting-list, 0..1"),
    (
        "painting-style-weight",
        float,
        "of the style loss for these (default: the mean of the named styles')",
    ),
    ("averaging", float, "momentum of the running average of the weights, such as 0.999"),
    ("seed", int, "of every draw"),
)
STYLE_LIST_HELP = "JSON list of {name, file, source, style_weight, style_size, levels, crop}"


def add_commands(commands) -> None:
    """Adds all commands of this module to the parser."""
    for add in (_add_train, _add_pack, _add_refine_predictor, _add_refine, _add_new_style):
        add(commands)


def add_vgg_weights(parser: argparse.ArgumentParser) -> None:
    """Adds `--vgg-weights`."""
    parser.add_argument(
        "--vgg-weights",
        metavar="PATH",
        help="VGG19 .h5 file (default: $ARBITRARY_NST_VGG19, else it is downloaded)",
    )


def _add_train(commands) -> None:
    parser = add_command(
        commands,
        "train",
        train,
        "train a network on your styles",
        teach="Takes hours on a CPU. An interrupted run goes on when the same command is given "
        "again.\nSample sheets in the run's folder show how far it is.",
        examples="  arbitrary-nst train --styles PAINTINGS --photos PHOTOS --out models/mine\n"
        "  ARBITRARY_NST_CIN=models/mine arbitrary-nst stylize photo.jpg -s my-style -o out.png",
    )
    _add_sources(parser, required=False)
    parser.add_argument(
        "--pack", metavar="FILE", help="what `pack-training` wrote, in place of styles and photos"
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of the run")
    add_vgg_weights(parser)
    _add_train_settings(parser)
    _add_run_settings(parser)


def _add_sources(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument("--styles", required=required, metavar="DIR", help="folder of style images")
    parser.add_argument(
        "--style-list",
        metavar="FILE",
        help=f"{STYLE_LIST_HELP} (default: every image in the folder, named after its file)",
    )
    parser.add_argument(
        "--photos", required=required, metavar="DIR", help="folder of content photos"
    )
    parser.add_argument(
        "--painting-list",
        metavar="FILE",
        help="JSON list of {file, group}: many paintings, from which a predictor of styles from "
        "images is trained beside the network",
    )
    parser.add_argument("--paintings", metavar="DIR", help="folder of these")


def _add_train_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--channels", type=whole_numbers, help="widths, such as 32,64,128")
    parser.add_argument(
        "--skip-connections",
        action="store_true",
        default=None,
        help="let the decoder see the encoder's features: more detail of the photo",
    )
    parser.add_argument(
        "--slim-weights",
        metavar="FILE",
        help="slim VGG19 (safetensors) for the losses: several times faster; end with the full one",
    )
    parser.add_argument(
        "--frozen-trunk",
        action="store_true",
        default=None,
        help="keep the predictor's first five convolutions as they are",
    )
    for name, kind, text in SETTINGS:
        parser.add_argument(f"--{name}", type=kind, metavar="N", help=text)
    parser.add_argument(
        "--optimizer",
        choices=("adam", "muon"),
        help="of the network's kernels (default: adam); muon gets further in as many steps",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="of activations; auto is bfloat16 where the processor is fast at it",
    )


def _add_run_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--backend",
        choices=("tensorflow", "jax", "torch"),
        help="Keras backend (default: $KERAS_BACKEND, else tensorflow)",
    )
    parser.add_argument(
        "--initial", metavar="DIR", help="folder of a trained network to start from"
    )
    parser.add_argument("--stop-at", type=int, metavar="STEP", help="stop early, to go on later")
    parser.add_argument(
        "--checkpoint-every",
        type=int,
        default=500,
        metavar="STEPS",
        help="steps between checkpoints and sample sheets (default: %(default)s)",
    )
    parser.add_argument(
        "--sample-photo",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="photo of the sample sheets; repeat for more (default: some of the training photos)",
    )


def train(options: argparse.Namespace) -> None:
    """`arbitrary-nst train`: see `training.train.train`."""
    if options.backend:
        os.environ["KERAS_BACKEND"] = options.backend
    weights, packed = options.vgg_weights, None
    if not options.pack:
        weights = vgg19_weights(weights)
    from arbitrary_nst.training.reading import config_from_options
    from arbitrary_nst.training.train import train as run

    if options.pack:
        from arbitrary_nst.training.pack import open_pack

        packed, of_pack = open_pack(options.pack, Path(options.out) / "pack")
        weights = weights or of_pack
    config = config_from_options(vars(options), packed)
    with ProgressBar("train", unit="step") as bar:
        run(
            config,
            options.out,
            vgg_weights=weights,
            stop_at=options.stop_at,
            checkpoint_every=options.checkpoint_every,
            sample_photos=options.sample_photo,
            progress=bar,
        )


def _add_pack(commands) -> None:
    parser = add_command(
        commands,
        "pack-training",
        pack,
        "put all that a training needs into one file",
        teach="For a machine with an accelerator: photos and paintings, as many as fit, VGG19, "
        "settings.\nThere `train --pack FILE` takes it; other settings given there count.",
        examples="  arbitrary-nst pack-training --styles PAINTINGS --photos PHOTOS -o my.pack\n"
        "  arbitrary-nst train --pack my.pack --backend jax --batch-size 16 --out runs/1",
    )
    _add_sources(parser, required=True)
    add_vgg_weights(parser)
    _add_train_settings(parser)
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the pack")
    parser.add_argument(
        "--megabytes",
        type=float,
        default=60,
        metavar="N",
        help="the most that it may have (default: %(default)s)",
    )


def pack(options: argparse.Namespace) -> None:
    """`arbitrary-nst pack-training`: see `training.pack.write_pack`."""
    check_target(options.output)
    weights = vgg19_weights(options.vgg_weights)
    from arbitrary_nst.training.config import check_config
    from arbitrary_nst.training.pack import write_pack
    from arbitrary_nst.training.reading import config_from_options

    config = config_from_options(vars(options))
    check_config(config)
    with ProgressBar("pack", unit="byte") as bar:
        photos, paintings = write_pack(
            config,
            options.output,
            vgg_weights=weights,
            megabytes=options.megabytes,
            progress=bar,
        )
    print(f"{options.output}: {photos} photos, {paintings} paintings")


def _add_refine_predictor(commands) -> None:
    parser = add_command(
        commands,
        "refine-predictor",
        refine_predictor,
        "fit the predictor of a trained network once more",
        teach="After a training: what the refinement of a style image would change, the predictor "
        "learns\nbeforehand, from many paintings, while the network stays as it is. Takes half an "
        "hour and\nmore. predictor.safetensors of the network is written anew at the end.",
        examples="  arbitrary-nst refine-predictor --network runs/1 --painting-list LIST "
        "--paintings DIR --photos PHOTOS",
    )
    _add_network_and_photos(parser)
    parser.add_argument(
        "--painting-list", required=True, metavar="FILE", help="JSON list of {file, group}"
    )
    parser.add_argument("--paintings", required=True, metavar="DIR", help="folder of these")
    parser.add_argument(
        "--steps", type=int, default=1500, metavar="N", help="in all (default: %(default)s)"
    )
    _add_share(parser)
    parser.add_argument("--seed", type=int, default=0, help="of every draw (default: %(default)s)")


def refine_predictor(options: argparse.Namespace) -> None:
    """`arbitrary-nst refine-predictor`: see `training.refine_predictor.refine_predictor`."""
    from arbitrary_nst.training.reading import read_painting_list
    from arbitrary_nst.training.refine_predictor import refine_predictor as fit

    paintings = read_painting_list(options.painting_list, options.paintings)
    with ProgressBar("refine-predictor", unit="step") as bar:
        path = fit(
            options.network,
            paintings,
            options.photos,
            steps=options.steps,
            share=options.share,
            seed=options.seed,
            progress=bar,
        )
    print(path)


def _add_network_and_photos(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--network", required=True, metavar="DIR", help="folder of the network, with a predictor"
    )
    parser.add_argument("--photos", required=True, metavar="DIR", help="folder of content photos")


def _add_share(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--share",
        type=float,
        default=0.5,
        help="how far to go to what is found, 0..1 (default: %(default)s)",
    )


def _add_refine(commands) -> None:
    parser = add_command(
        commands,
        "refine-styles",
        refine,
        "fit the named styles of a trained network once more",
        teach="The last step of a training: each style's vector follows its painting on many "
        "photos,\nby the predictor's convolutions, while the network stays as it is. Nets of one "
        "motif go\naway. styles.safetensors of the network is written anew.",
        examples="  arbitrary-nst refine-styles --network runs/1 --photos PHOTOS",
    )
    _add_network_and_photos(parser)
    parser.add_argument(
        "--style", action="append", default=[], metavar="NAME", help="only this; repeat for more"
    )
    parser.add_argument(
        "--steps", type=int, default=60, metavar="N", help="for each style (default: %(default)s)"
    )
    _add_share(parser)


def refine(options: argparse.Namespace) -> None:
    """`arbitrary-nst refine-styles`: see `training.refine_styles.refine_styles`."""
    from arbitrary_nst.training.refine_styles import refine_styles

    with ProgressBar("refine-styles", unit="style") as bar:
        path = refine_styles(
            options.network,
            options.photos,
            names=options.style,
            steps=options.steps,
            share=options.share,
            progress=bar,
        )
    print(path)


def _add_new_style(commands) -> None:
    parser = add_command(
        commands,
        "add-style",
        add_style,
        "learn one new style for the trained network",
        teach="Takes minutes on a CPU. Only the style's vector is learned, so the network and its "
        "other\nstyles stay as they are.",
        examples="  arbitrary-nst add-style painting.jpg --name mine --photos PHOTOS "
        "-o mine.safetensors\n"
        "  arbitrary-nst stylize photo.jpg -s mine.safetensors -o out.png",
    )
    parser.add_argument("image", help="the painting")
    parser.add_argument("--name", required=True, help="short name of the new style")
    parser.add_argument(
        "--photos", required=True, metavar="DIR", help="folder of content photos, some dozens"
    )
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help=STYLE_FILE_HELP)
    parser.add_argument(
        "--network", metavar="DIR", help="folder of the network (default: the packaged one)"
    )
    add_vgg_weights(parser)
    parser.add_argument("--steps", type=int, metavar="N", help="optimiser steps")
    parser.add_argument("--style-weight", type=float, metavar="N", help="of the style loss")
    parser.add_argument(
        "--style-size",
        type=int,
        metavar="PIXELS",
        help="longer side at which the painting is looked at; larger makes finer strokes",
    )


def add_style(options: argparse.Namespace) -> None:
    """`arbitrary-nst add-style`: see `training.new_style.learn_style`."""
    check_style_file(options.output)
    weights = vgg19_weights(options.vgg_weights)
    from arbitrary_nst.training.new_style import learn_style

    given = {name: getattr(options, name) for name in ("steps", "style_weight", "style_size")}
    with ProgressBar("add-style", unit="step") as bar:
        embedding = learn_style(
            options.image,
            options.name,
            options.photos,
            network=options.network,
            vgg_weights=weights,
            progress=bar,
            **{name: value for name, value in given.items() if value is not None},
        )
    save_style_file([embedding], options.output)
