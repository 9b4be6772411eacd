"""A process that was forked after the first picture says so instead of waiting for ever."""

import os

import pytest

from arbitrary_nst.common import forks

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

CODE = """
import multiprocessing, numpy, os
from arbitrary_nst import Cin, stylize

photo = numpy.zeros((32, 32, 3), "f4")
engine = Cin() if ENGINE == "object" else "auto"

def paint(answers):
    try:
        answers.put(stylize(photo, "scream", engine=engine).size)
    except RuntimeError as error:
        answers.put(str(error))

if ENGINE == "name":
    stylize(photo, "scream")
context = multiprocessing.get_context("fork")
answers = context.Queue()
child = context.Process(target=paint, args=(answers,))
child.start()
child.join(60)
print("waits" if child.is_alive() else answers.get())
child.kill()
"""


def test_the_same_process_may_go_on(monkeypatch):
    monkeypatch.setattr(forks._First, "process", None)
    forks.check_not_forked()
    forks.check_not_forked()
    monkeypatch.setattr(forks._First, "process", os.getpid() + 1)
    with pytest.raises(RuntimeError, match=r"forked from one.*get_context\('spawn'\)"):
        forks.check_not_forked()


@pytest.mark.parametrize("engine", ["name", "object"])
def test_a_fork_after_the_first_engine_is_refused(network, run_python, engine):
    done = run_python("-c", f"ENGINE = {engine!r}\n{CODE}")
    assert "forked from one that has already loaded an engine" in done.stdout, done.stderr
