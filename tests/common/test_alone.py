"""One run at a time in a folder, wherever a second one would spoil the first."""

import contextlib

import pytest

from arbitrary_nst.common import alone
from arbitrary_nst.common.alone import alone_in
from arbitrary_nst.errors import InputError

pytestmark = pytest.mark.skipif(alone.fcntl is None, reason="no such locks on this system")


def test_it_is_held_until_the_end(tmp_path):
    with contextlib.suppress(KeyboardInterrupt), alone_in(tmp_path):
        with pytest.raises(InputError, match="Another run is at work in .*choose another output"):
            alone_in(tmp_path).__enter__()
        raise KeyboardInterrupt
    with alone_in(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_killed_holds_nothing(tmp_path, run_python):
    script = (
        "import os, signal, sys; from arbitrary_nst.common.alone import alone_in\n"
        "with alone_in(sys.argv[1]): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert run_python("-c", script, str(tmp_path)).returncode == -9
    with alone_in(tmp_path):
        pass


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(alone.fcntl, "flock", refuse)
    with alone_in(tmp_path), alone_in(tmp_path):
        pass
