"""A predictor that is trained on: first convolutions that stay, and a network that grows."""

from dataclasses import replace

import numpy as np
import pytest
from small_training import LAYOUT, small_config, small_vgg, write_data

from arbitrary_nst.networks.predictor.network import TRUNK, PredictorLayout
from arbitrary_nst.training.checkpoint import (
    load_checkpoint,
    save_checkpoint,
    start_from,
    write_network,
)
from arbitrary_nst.training.config import PaintingSpec
from arbitrary_nst.training.statistics import to_array
from arbitrary_nst.training.train import build_trainer, take_step

SMALL = PredictorLayout(trunk=(4, 4, 6, 6, 8), widths=(8, 8), mixed=3, hidden=8, bottleneck=4)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = write_data(tmp_path_factory.mktemp("data") / "drawn")
    files = sorted((folder / "photos").iterdir())[:2]
    return small_config(
        folder,
        paintings=tuple(PaintingSpec(str(file), "painter") for file in files),
        predictor=SMALL,
        painting_crop=32,
        painting_share=1.0,
        frozen_trunk=True,
        steps=4,
    )


def test_trunk_does_not_learn(config):
    """All other layers of the predictor do."""
    trainer = build_trainer(config, vgg=small_vgg())
    layers = trainer.predictor.layers
    before = {layer.name: [to_array(w).copy() for w in layer.weights] for layer in layers}
    rng = np.random.default_rng(0)
    mixing = np.zeros((2, 4 + 3), np.float32)
    mixing[:, -1] = 1
    batch = {
        "content": rng.random((2, 32, 32, 3), np.float32),
        "paintings": rng.random((3, 32, 32, 3), np.float32),
        "mixing": mixing,
    }
    for step in (1, 2):
        take_step(trainer, batch, step)
    for layer in layers:
        changed = [
            (to_array(new) != old).any()
            for new, old in zip(layer.weights, before[layer.name], strict=True)
        ]
        if layer.name in TRUNK:
            assert not any(changed), layer.name
        elif changed:
            assert all(changed), layer.name


def test_trunk_comes_from_the_checkpoint(config, tmp_path):
    """Not from what a new trainer starts with: a resumed run had another trunk."""
    trainer = build_trainer(config, vgg=small_vgg())
    kernel = trainer.predictor.get_layer(TRUNK[0]).kernel
    kernel.assign(to_array(kernel) + 1)
    save_checkpoint(trainer, 0, tmp_path / "checkpoint.safetensors")
    again = build_trainer(config, vgg=small_vgg())
    load_checkpoint(again, tmp_path / "checkpoint.safetensors")
    found = to_array(again.predictor.get_layer(TRUNK[0]).kernel)
    np.testing.assert_array_equal(found, to_array(kernel))


def test_a_predictor_goes_on_with_a_network_that_grows(config, tmp_path):
    """Its vectors make the same pictures in the larger network, whose new parts are closed."""
    old = build_trainer(config, vgg=small_vgg())
    write_network(old, tmp_path)
    layout = replace(LAYOUT, noise_channels=1, noise_levels=2, num_residual_blocks=2, fine_blocks=1)
    new = build_trainer(replace(config, layout=layout), vgg=small_vgg())
    start_from(new, tmp_path)
    rng = np.random.default_rng(0)
    paintings = rng.random((3, 32, 32, 3), np.float32)
    content = rng.random((3, 32, 32, 3), np.float32)
    pictures = []
    for trainer in (old, new):
        gamma, beta = np.split(to_array(trainer.predictor(paintings)), 2, axis=1)
        inputs = {"content": content, "gamma": 1 + gamma, "beta": beta}
        if trainer is new:
            inputs["noise"] = rng.standard_normal((3, 8, 8, layout.noise_depth), np.float32)
        pictures.append(to_array(trainer.network(inputs)))
    # The file has half precision.
    np.testing.assert_allclose(pictures[1], pictures[0], atol=2e-3)
    assert np.std(pictures[0]) > 0.05
