"""A run and its folder: results, pauses, going on."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from small_runs import assert_same_state, checkpoint, contents, logged, run
from small_training import LAYOUT, NAMES, small_config

from arbitrary_nst.checkpoints import trained_styles
from arbitrary_nst.common import ending
from arbitrary_nst.common.alone import alone_in
from arbitrary_nst.errors import CheckpointError, InputError
from arbitrary_nst.networks.cin.file import load_network, network_id
from arbitrary_nst.networks.cin.layout import CinLayout
from arbitrary_nst.training.config import TrainConfig
from arbitrary_nst.training.statistics import to_array
from arbitrary_nst.training.trainer import LOSS_NAMES, StyleTrainer


def test_results_of_a_run(finished, data):
    assert TrainConfig.load(finished / "config.json") == small_config(data)
    layout, kernels = load_network(finished / "network.safetensors")
    styles = trained_styles(finished)
    assert layout == LAYOUT
    assert list(styles) == ["identity", *NAMES]
    assert styles["waves"].source == "drawn waves"
    for style in styles.values():
        assert (style.engine, style.network) == ("cin", network_id(kernels))
        assert style.arrays["gamma"].shape == (LAYOUT.style_size,)
    assert not list(finished.rglob("*.tmp"))


def test_sample_sheet(finished):
    """Four photos down, the identity and three styles across."""
    sheet = Image.open(finished / "samples" / "step-000012.jpg")
    assert sheet.width > 4 * 192
    assert sheet.height > 4 * 192
    assert np.asarray(sheet.convert("L")).std() > 10


def test_log(finished):
    rows = logged(finished)
    assert list(rows[0]) == ["step", *LOSS_NAMES, "seconds"]
    assert [int(row["step"]) for row in rows] == list(range(1, 13))
    assert all(float(row["loss"]) > 0 for row in rows)
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds)


def test_progress(data, tmp_path):
    calls = []
    run(data, tmp_path, stop_at=2, progress=lambda *call: calls.append(call))
    assert [call[:2] for call in calls] == [(1, 2), (2, 2)]
    assert calls[0][2].startswith("loss ")
    assert " style " in calls[0][2]


def test_resumed_run_equals_uninterrupted_one(data, finished, tmp_path):
    """Every weight, every moment of the optimiser, and the step, bit for bit."""
    run(data, tmp_path, stop_at=5)
    assert [row["step"] for row in logged(tmp_path)] == [str(step) for step in range(1, 6)]
    run(data, tmp_path)
    assert_same_state(tmp_path, finished)
    assert trained_styles(tmp_path) == trained_styles(finished)
    for row, expected in zip(logged(tmp_path), logged(finished), strict=True):
        assert {**row, "seconds": ""} == {**expected, "seconds": ""}
    seconds = [float(row["seconds"]) for row in logged(tmp_path)]
    assert seconds == sorted(seconds)


def test_killed_run_repeats_the_steps_after_its_checkpoint(data, finished, tmp_path):
    def kill(step, *_):
        if step == 7:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        run(data, tmp_path, checkpoint_every=4, progress=kill)
    assert int(checkpoint(tmp_path)["optimizer/0000/iteration"]) == 4
    assert len(logged(tmp_path)) == 7
    run(data, tmp_path)
    assert_same_state(tmp_path, finished)
    assert [int(row["step"]) for row in logged(tmp_path)] == list(range(1, 13))


@pytest.mark.parametrize(
    ("number", "handler", "error"),
    [
        (signal.SIGINT, signal.default_int_handler, KeyboardInterrupt),
        (signal.SIGTERM, ending.interrupt, ending.Terminated),
    ],
)
def test_interrupted_run_saves_its_last_step(
    data, finished, tmp_path, caplog, monkeypatch, request, number, handler, error
):
    """Stopped in the middle of the third step: the step is finished, saved and said."""
    original = StyleTrainer.train_on_batch

    def interrupted(self, *args, **kwargs):
        if int(to_array(self.optimizer.iterations)) == 2:
            signal.raise_signal(number)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(StyleTrainer, "train_on_batch", interrupted)
    # A shell that starts the tests in the background has them ignore Ctrl-C, and SIGTERM is the
    # command line's to set.
    before = signal.signal(number, handler)
    request.addfinalizer(lambda: signal.signal(number, before))
    with pytest.raises(error):
        run(data, tmp_path)
    assert int(checkpoint(tmp_path)["optimizer/0000/iteration"]) == 3
    assert "stopped after step 3; its checkpoint is written" in caplog.text
    assert len(logged(tmp_path)) == 3
    monkeypatch.undo()
    run(data, tmp_path)
    assert_same_state(tmp_path, finished)


def test_interruption_before_the_first_step_saves_nothing(data, tmp_path, monkeypatch, caplog):
    def interrupted(self, *args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(StyleTrainer, "train_on_batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path)
    assert not (tmp_path / "checkpoint.safetensors").exists()
    assert not caplog.records


def test_finished_run_has_nothing_left_to_do(data, finished, tmp_path):
    """Only the results are written again, should they be missing."""
    for name, value in contents(finished).items():
        if name not in ("network.safetensors", "styles.safetensors"):
            (tmp_path / name).write_bytes(value)
    run(data, tmp_path)
    assert trained_styles(tmp_path) == trained_styles(finished)
    for name in ("checkpoint.safetensors", "log.csv"):
        assert (tmp_path / name).read_bytes() == (finished / name).read_bytes()


def test_changing_what_may_change(data, finished, tmp_path):
    for name, value in contents(finished).items():
        (tmp_path / name).write_bytes(value)
    changes = {
        "steps": 20,
        "crop_size": 36,
        "batch_size": 1,
        "learning_rate": 1e-4,
        "content_weight": 2.0,
        "styles": tuple(replace(s, style_weight=1.0) for s in small_config(data).styles),
    }
    run(data, tmp_path, stop_at=13, settings=changes)
    assert int(checkpoint(tmp_path)["optimizer/0000/iteration"]) == 13
    assert [int(row["step"]) for row in logged(tmp_path)] == list(range(1, 14))
    assert TrainConfig.load(tmp_path / "config.json").steps == 20


@pytest.mark.parametrize("kind", ["order", "names", "fewer", "layout"])
def test_run_of_other_settings_is_refused(data, finished, tmp_path, kind):
    for name, value in contents(finished).items():
        (tmp_path / name).write_bytes(value)
    (tmp_path / "samples").mkdir()
    before, styles = contents(tmp_path), small_config(data).styles
    changes = {
        "order": {"styles": styles[::-1]},
        "names": {"styles": (*styles[:2], replace(styles[2], name="ripples"))},
        "fewer": {"styles": styles[:2]},
        "layout": {"layout": CinLayout((4, 8, 16), 2, 3)},
    }[kind]
    setting = "layout" if kind == "layout" else "styles"
    with pytest.raises(CheckpointError, match=f"run with another setting `{setting}`. Expected"):
        run(data, tmp_path, settings=changes)
    assert contents(tmp_path) == before


def test_loss_that_is_not_a_number(data, tmp_path):
    run(data, tmp_path, stop_at=2)
    before = contents(tmp_path)
    with pytest.raises(InputError, match=r"The loss is (nan|inf) at step \d+: `learning_rate` is"):
        run(data, tmp_path, settings={"learning_rate": 1e30}, checkpoint_every=1000)
    after = contents(tmp_path)
    for name in ("checkpoint.safetensors", "network.safetensors", "styles.safetensors"):
        assert after[name] == before[name]


@pytest.mark.skipif(os.name == "nt", reason="no locks of folders there")
def test_a_second_run_beside_the_first_is_refused(data, tmp_path):
    """Both would write the checkpoints and the log that the other goes on from."""
    with alone_in(tmp_path), pytest.raises(InputError, match="Another run is at work"):
        run(data, tmp_path)
    assert not (tmp_path / "log.csv").exists()
