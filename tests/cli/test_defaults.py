"""The defaults of the command line are those of the functions."""

import inspect

import numpy as np
import pytest
from small_training import small_config, write_data

from arbitrary_nst import (
    ImageTooLarge,
    Vgg19,
    Vgg19Settings,
    WeightsUnavailable,
    embed,
    export_network,
    stylize,
    train,
)
from arbitrary_nst.cli import main
from arbitrary_nst.cli.parser import build_parser
from arbitrary_nst.image import save_image, to_pil
from arbitrary_nst.training.evaluate import evaluate_styles
from arbitrary_nst.training.new_style import learn_style
from arbitrary_nst.training.refine_predictor import refine_predictor
from arbitrary_nst.training.refine_styles import refine_styles

COMMANDS = [
    (
        "stylize a.jpg -s x -o o.png",
        stylize,
        "strength color size working_size texture_scale engine seed max_pixels max_memory",
    ),
    ("embed x -o o.safetensors", embed, "engine max_pixels"),
    ("train --styles a --photos b --out c", train, "vgg_weights stop_at checkpoint_every"),
    ("evaluate --photos a --styles b", evaluate_styles, "size vgg_weights"),
    (
        "refine-predictor --network a --photos b --painting-list c --paintings d",
        refine_predictor,
        "steps share seed",
    ),
    ("refine-styles --network a --photos b", refine_styles, "steps share"),
    ("add-style a.jpg --name x --photos b -o c.safetensors", learn_style, "network vgg_weights"),
    ("export --format onnx -o a", export_network, "blend_weights seed"),
]


@pytest.mark.parametrize(("command", "function", "names"), COMMANDS)
def test_defaults(command, function, names):
    options = vars(build_parser().parse_args(command.split()))
    parameters = inspect.signature(function).parameters
    wanted = {name: parameters[name].default for name in names.split()}
    assert {name: options[name] for name in wanted} == wanted


def test_vgg19_comes_from_the_environment_in_python_as_well(network, tmp_path):
    """The tests' environment names a file that is not there; nothing is downloaded instead."""
    config = small_config(write_data(tmp_path))
    painting = config.styles[0].file
    calls = [
        lambda: train(config, tmp_path / "run"),
        lambda: learn_style(painting, "x", config.photos),
        lambda: Vgg19(settings=Vgg19Settings()),
    ]
    for call in calls:
        with pytest.raises(WeightsUnavailable, match="no VGG19 weights file 'no-vgg19-here.h5'"):
            call()


def test_embed_reads_as_large_images_as_it_is_told(network, tmp_path, capsys):
    save_image(to_pil(np.full((40, 50, 3), 0.5)), tmp_path / "painting.png")
    style = tmp_path / "painting.png"
    with pytest.raises(ImageTooLarge, match="style 1 .* max_pixels=1999"):
        embed(style, max_pixels=1999)
    words = ["embed", str(style), "-o", str(tmp_path / "o.safetensors"), "--max-pixels", "1999"]
    assert main(words) == 2 and "max_pixels=1999" in capsys.readouterr().err
