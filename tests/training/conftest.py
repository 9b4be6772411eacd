"""Drawn photos and paintings, a trainer, and a finished run."""

import numpy as np
import pytest
from small_runs import run
from small_training import LAYOUT, small_config, small_vgg, write_data

from arbitrary_nst.training.statistics import to_array
from arbitrary_nst.training.train import build_trainer


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A folder with photos and paintings."""
    return write_data(tmp_path_factory.mktemp("data") / "drawn")


@pytest.fixture(scope="session")
def built(data):
    """One compiled trainer for all tests that only look, or that put it back as it was."""
    trainer = build_trainer(small_config(data), vgg=small_vgg())
    rng = np.random.default_rng(0)
    for index in range(4):
        vectors = rng.normal(1, 0.5, LAYOUT.style_size), rng.normal(0, 0.5, LAYOUT.style_size)
        trainer.table.assign(index, *vectors)
    return trainer


@pytest.fixture
def trainer(built):
    """The trainer of `built`, with the same state at the start of every test."""
    variables = [*built.trainable_variables, *built.optimizer.variables]
    before = [to_array(variable).copy() for variable in variables]
    yield built
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)


@pytest.fixture(scope="session")
def finished(data, tmp_path_factory):
    """The folder of a run of twelve steps without a pause."""
    return run(data, tmp_path_factory.mktemp("finished"))
