"""Checkpoints: what they hold, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from small_runs import assert_same_state, batch_of, contents, one_hot, run
from small_training import LAYOUT, small_config, small_vgg

from arbitrary_nst.checkpoints import trained_styles
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.errors import CheckpointError, WeightsUnavailable
from arbitrary_nst.networks.cin.file import load_network
from arbitrary_nst.networks.cin.layout import CinLayout
from arbitrary_nst.training.checkpoint import (
    load_checkpoint,
    save_checkpoint,
    start_from,
    write_network,
)
from arbitrary_nst.training.config import StyleSpec
from arbitrary_nst.training.statistics import to_array
from arbitrary_nst.training.train import build_trainer, take_step


@pytest.fixture
def saved(trainer, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(trainer, 0, path)
    return path


def rewrite(path, change, metadata=None):
    arrays = load_file(path)
    change(arrays)
    save_file(arrays, path, metadata)


def test_names_in_a_checkpoint(saved):
    """Pinned: checkpoints of runs that are under way have to be readable."""
    names = sorted(load_file(saved))
    assert len(names) == 10 + 1 + 2 * 10
    assert names[:2] == ["model/0000/kernel", "model/0001/kernel"]
    assert names[8:13] == [
        "model/0008/gamma_offset",
        "model/0009/beta_offset",
        "optimizer/0000/iteration",
        "optimizer/0001/in_conv_kernel_momentum",
        "optimizer/0002/in_conv_kernel_velocity",
    ]
    assert names[-1] == "optimizer/0020/styles_beta_offset_velocity"


def test_checkpoint_round_trip(trainer, tmp_path):
    take_step(trainer, batch_of(one_hot(1)), 1)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    path = tmp_path / "a" / "checkpoint.safetensors"
    save_checkpoint(trainer, 1, path)
    take_step(trainer, batch_of(one_hot(2)), 2)
    assert load_checkpoint(trainer, path) == 1
    save_checkpoint(trainer, 1, tmp_path / "b" / path.name)
    assert_same_state(tmp_path / "a", tmp_path / "b")
    with safe_open(path, framework="numpy") as file:
        assert file.metadata()["step"] == "1"


def test_no_checkpoint(trainer, tmp_path):
    assert load_checkpoint(trainer, tmp_path / "none") == 0


def test_checkpoint_without_settings(trainer, saved):
    """As older versions wrote it."""
    rewrite(saved, lambda arrays: None, {"step": "0"})
    assert load_checkpoint(trainer, saved) == 0


def test_checkpoint_of_a_layout_with_fewer_settings(trainer, saved):
    """As written before layouts had noise at several levels; another layout is still refused."""
    layout = {"channels": [4, 8, 16], "num_residual_blocks": 1, "outer_kernel": 3}
    layout |= {"skip_connections": False, "noise_channels": 0}
    rewrite(saved, lambda arrays: None, {"step": "0", "layout": json.dumps(layout)})
    assert load_checkpoint(trainer, saved) == 0
    for other in ({**layout, "noise_channels": 1}, {**layout, "fine_blocks": 2}):
        rewrite(saved, lambda arrays: None, {"step": "0", "layout": json.dumps(other)})
        assert_refused(trainer, saved, "another setting `layout`")


def drop(arrays):
    del arrays["model/0003/kernel"]


def add(arrays):
    arrays["model/0099/kernel"] = np.zeros(3, np.float32)


def reshape(arrays):
    arrays["model/0000/kernel"] = arrays["model/0000/kernel"][:2].copy()


def widen(arrays):
    arrays["model/0000/kernel"] = arrays["model/0000/kernel"].astype(np.float64)


def spoil(arrays):
    arrays["model/0001/kernel"][0, 0, 0, 0] = np.nan


def rewind(arrays):
    arrays["optimizer/0000/iteration"] = np.array(-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop, "array 'model/0003/kernel' differs. Expected float32 .* Received: no such array"),
        (add, "array 'model/0099/kernel' differs. Expected no such array. Received: float32"),
        (reshape, r"'model/0000/kernel' differs. Expected float32 \(3, 3, 3, 4\). Received: f"),
        (widen, "array 'model/0000/kernel' differs. Expected float32 .* Received: F64"),
        (spoil, "array 'model/0001/kernel' holds NaN or infinite values"),
        (rewind, "is damaged: it is of step -5"),
    ],
)
def test_checkpoint_with_wrong_arrays(trainer, saved, change, message):
    rewrite(saved, change)
    assert_refused(trainer, saved, message)


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "huge header", "folder"])
def test_damaged_checkpoint(trainer, saved, kind):
    whole = saved.read_bytes()
    saved.unlink()
    if kind == "folder":
        saved.mkdir()
    else:
        saved.write_bytes(
            {
                "empty": b"",
                "text": b"no checkpoint",
                "cut": whole[: len(whole) // 2],
                "huge header": (2**60).to_bytes(8, "little") + whole[8:],
            }[kind]
        )
    assert_refused(trainer, saved, "is not a readable checkpoint")


def assert_refused(trainer, path, message):
    """Nothing of a refused checkpoint is taken over."""
    variables = [*trainer.trainable_variables, *trainer.optimizer.variables]
    before = [to_array(variable).copy() for variable in variables]
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(trainer, path)
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_array_equal(to_array(variable), value)


def test_damaged_checkpoint_stops_a_run(data, tmp_path):
    (tmp_path / "checkpoint.safetensors").write_text("no checkpoint")
    (tmp_path / "log.csv").write_text("precious")
    with pytest.raises(CheckpointError, match="is not a readable checkpoint"):
        run(data, tmp_path)
    assert contents(tmp_path) == {
        "checkpoint.safetensors": b"no checkpoint",
        "log.csv": b"precious",
    }


def test_weights_that_are_not_numbers_are_not_saved(trainer, saved):
    before = saved.read_bytes()
    trainer.table.assign(1, np.full(LAYOUT.style_size, np.nan), np.zeros(LAYOUT.style_size))
    with pytest.raises(CheckpointError, match="after step 7, which is not saved: array 'model/00"):
        save_checkpoint(trainer, 7, saved)
    assert saved.read_bytes() == before


def test_start_from_a_trained_network(data, finished):
    """Kernels and known styles are taken over; a new style starts as the mean of the known."""
    styles = (*small_config(data).styles[:2], StyleSpec("new", str(data / "styles" / "waves.png")))
    styles = tuple(replace(style, style_size=40) for style in styles)
    trainer = build_trainer(small_config(data, styles=styles), vgg=small_vgg())
    start_from(trainer, finished)
    _, kernels = load_network(finished / "network.safetensors")
    for name, kernel in kernels.items():
        found = to_array(trainer.network.get_layer(f"{name}_conv").kernel)
        np.testing.assert_array_equal(found, kernel)
    known = trained_styles(finished)
    gamma = to_array(trainer.table(np.eye(4, dtype=np.float32))[0])
    np.testing.assert_allclose(gamma[1], known["stripes"].arrays["gamma"], rtol=1e-5)
    mean = np.mean([style.arrays["gamma"] for style in known.values()], axis=0)
    np.testing.assert_allclose(gamma[3], mean, rtol=1e-5)


def test_new_parts_of_the_network_start_closed(data, finished):
    """What the trained network lacks of them does not change its pictures."""
    layout = replace(
        LAYOUT,
        skip_connections=True,
        noise_channels=2,
        noise_levels=2,
        num_residual_blocks=2,
        fine_blocks=1,
    )
    trainer = build_trainer(small_config(data, layout=layout), vgg=small_vgg())
    start_from(trainer, finished)
    old = build_trainer(small_config(data), vgg=small_vgg())
    start_from(old, finished)
    batch = batch_of(one_hot(2))
    noise = np.random.default_rng(0).normal(size=(2, 8, 8, layout.noise_depth)).astype(np.float32)
    picture = to_array(trainer({**batch, "noise": noise}))
    np.testing.assert_allclose(picture, to_array(old(batch)), atol=1e-6)
    # Closed, but not dead: the new block's own gammas can open it.
    losses = [take_step(trainer, {**batch, "noise": noise}, step) for step in (1, 2)]
    assert all(np.isfinite(loss["loss"]) for loss in losses)
    ends = np.cumsum([c.filters for c in layout.convolutions()])
    gamma = to_array(trainer.table(np.eye(4, dtype=np.float32))[0])
    names = [c.name for c in layout.convolutions()]
    for name in ("residual2b", "fine1b", "grain", "grain1"):
        index = names.index(name)
        assert np.abs(gamma[2, ends[index - 1] : ends[index]]).max() > 0


@pytest.mark.parametrize("more", [{"num_residual_blocks": 2}, {"fine_blocks": 1}])
def test_a_network_with_fewer_blocks_is_refused(data, tmp_path, more):
    large = build_trainer(small_config(data, layout=replace(LAYOUT, **more)), vgg=small_vgg())
    write_network(large, tmp_path)
    with pytest.raises(CheckpointError, match="has another layout"):
        run(data, tmp_path / "run", settings={"initial": str(tmp_path)})


def test_start_from_another_layout(data, finished, tmp_path):
    with pytest.raises(CheckpointError, match="has another layout. Expected CinLayout"):
        run(data, tmp_path, settings={"layout": CinLayout((4, 8), 1, 3), "initial": str(finished)})


def test_start_from_nothing(data, tmp_path):
    with pytest.raises(WeightsUnavailable, match="No cin network in"):
        run(data, tmp_path, settings={"initial": str(tmp_path / "nowhere")})


def test_exported_styles_render_what_the_trainer_renders(trainer, tmp_path):
    write_network(trainer, tmp_path)
    style = trained_styles(tmp_path)["checks"]
    gamma, beta = (to_array(values)[2] for values in trainer.table(np.eye(4, dtype=np.float32)))
    np.testing.assert_array_equal(style.arrays["gamma"], gamma)
    np.testing.assert_array_equal(style.arrays["beta"], beta)
    assert isinstance(style, Embedding)
