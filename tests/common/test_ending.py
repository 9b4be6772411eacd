"""Ctrl-C and SIGTERM: what interrupts, and where it waits."""

import os
import signal
import threading

import pytest

from arbitrary_nst.common.ending import Terminated, held_interrupts, interrupted_by_sigterm

on_unix = pytest.mark.skipif(os.name == "nt", reason="no process can be asked to end there")


@pytest.fixture
def own_sigterm():
    """What a program without a handler has, and what was there comes back."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


def step_with(number, finished):
    signal.raise_signal(number)
    finished.append("step")


def in_thread(block):
    """Whether the block ran to its end in a thread that is not the main one."""
    ended = []

    def run():
        with block():
            pass
        ended.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return ended == [True]


@on_unix
def test_sigterm_interrupts_within(own_sigterm):
    with pytest.raises(Terminated), interrupted_by_sigterm():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@on_unix
def test_sigterm_waits_for_the_end_of_a_step(own_sigterm):
    finished = []
    with pytest.raises(Terminated), interrupted_by_sigterm(), held_interrupts():
        step_with(signal.SIGTERM, finished)
    assert finished == ["step"]


def test_ctrl_c_waits_for_the_end_of_a_step():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    finished = []
    try:
        with pytest.raises(KeyboardInterrupt), held_interrupts():
            step_with(signal.SIGINT, finished)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert finished == ["step"]


def test_other_threads_are_left_alone():
    assert in_thread(interrupted_by_sigterm)
    assert in_thread(held_interrupts)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_s_own_handler_stays_in_charge(number):
    caught = []
    previous = signal.signal(number, lambda number, frame: caught.append(number))
    try:
        with interrupted_by_sigterm(), held_interrupts():
            signal.raise_signal(number)
            assert caught == [number]
    finally:
        signal.signal(number, previous)
