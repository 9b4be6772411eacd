"""A picture that takes minutes, step by step."""

import threading

import pytest
from PIL import Image

from arbitrary_nst.demo.steps import Report, in_steps

PICTURE = Image.new("RGB", (4, 3))


def test_reports_and_then_the_picture():
    def paint(progress):
        progress(1, 2, "loss 3")
        progress(2, 2, "loss 2", preview=PICTURE)
        return PICTURE

    assert list(in_steps(paint)) == [Report(1, 2, None), Report(2, 2, PICTURE), PICTURE]


def test_closing_ends_the_work_at_its_next_step():
    seen = []
    go_on = threading.Event()

    def paint(progress):
        for step in range(1, 1000):
            progress(step, 1000, "")
            seen.append(step)
            go_on.wait(10)
        pytest.fail("goes on after Cancel")

    steps = in_steps(paint)
    assert next(steps) == Report(1, 1000, None)
    threading.Timer(0.05, go_on.set).start()
    steps.close()
    assert len(seen) <= 2
    assert not any(thread.name.startswith("minutes") for thread in threading.enumerate())


def test_errors_come_through_after_the_reports():
    def paint(progress):
        progress(1, 2, "")
        raise ValueError("diverged")

    steps = in_steps(paint)
    assert next(steps) == Report(1, 2, None)
    with pytest.raises(ValueError, match="diverged"):
        next(steps)
