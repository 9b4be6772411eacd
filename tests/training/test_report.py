"""The log of a run."""

import pytest
from small_runs import logged

from arbitrary_nst.training.report import COLUMNS, LossLog, RunningMeans
from arbitrary_nst.training.trainer import LOSS_NAMES


def write_log(path, *rows):
    lines = [",".join(COLUMNS), *rows]
    path.write_text("\r\n".join(lines))


def row(step):
    return ",".join([str(step), *"1" * len(LOSS_NAMES), f"{step}.5"])


def test_log_goes_on_after_the_checkpoint(tmp_path):
    path = tmp_path / "log.csv"
    write_log(path, row(1), row(2), row(3))
    LossLog(path, 2).add(3, dict.fromkeys(LOSS_NAMES, 0.25))
    rows = logged(tmp_path)
    assert [row["step"] for row in rows] == ["1", "2", "3"]
    assert rows[2]["loss"] == "0.25"
    assert float(rows[2]["seconds"]) >= 2.5


@pytest.mark.parametrize("cut", ["2", "2,0.1", "", "x,,,"])
def test_row_cut_short_is_dropped(tmp_path, cut):
    path = tmp_path / "log.csv"
    write_log(path, row(1), row(2), cut)
    LossLog(path, 5)
    assert [row["step"] for row in logged(tmp_path)] == ["1", "2"]


def test_log_with_other_columns(tmp_path):
    """Of an older version: what it has is kept."""
    path = tmp_path / "log.csv"
    path.write_text("step,loss,old,seconds\n1,2.5,7,3.0\n")
    LossLog(path, 1)
    (found,) = logged(tmp_path)
    assert list(found) == list(COLUMNS)
    assert (found["loss"], found["style"]) == ("2.5", "")


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"no,log\n1,2"])
def test_log_that_is_none(tmp_path, content):
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    LossLog(path, 3)
    assert logged(tmp_path) == []


def test_new_run_starts_a_new_log(tmp_path):
    path = tmp_path / "log.csv"
    write_log(path, row(1))
    LossLog(path, 0)
    assert logged(tmp_path) == []


def test_running_means():
    """1 moves a hundredth of the way to 3."""
    means = RunningMeans()
    losses = {"loss": 1.0, "style": 0.5, "flat": 0.75, "content": 0.25, "light": 2.0}
    assert means.add(losses) == "loss 1.000 style 0.500 flat 0.750 content 0.250"
    found = means.add({**losses, "loss": 3.0})
    assert found == "loss 1.020 style 0.500 flat 0.750 content 0.250"
