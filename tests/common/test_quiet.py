"""`quiet`: native lines vanish, Python's stay, and everything is as before at its end."""

import logging
import os
import subprocess
import sys

import pytest

from arbitrary_nst import quiet

PROGRAM = """
import logging, os, sys, warnings
from arbitrary_nst import quiet

def native(text):
    os.write(2, text.encode() + b"\\n")

native("before")
sys.stderr.write("python before\\n")
silence = quiet()
native("hidden")
quiet()
native("hidden as well")
print("python meanwhile", file=sys.stderr)
warnings.warn("a warning")
logging.getLogger("mine").warning("a record")
silence.close()
silence.close()
native("after")
with quiet():
    native("hidden again")
native("at the end")
1 / 0
"""


def test_lines_of_a_process(run_python):
    told = run_python("-c", PROGRAM).stderr.splitlines()
    assert told[:3] == ["before", "python before", "python meanwhile"]
    assert [line for line in told if "hidden" in line] == []
    assert any("UserWarning: a warning" in line for line in told)
    rest = [line for line in told if line in ("a record", "after", "at the end")]
    assert rest == ["a record", "after", "at the end"]
    assert told[-1].startswith("ZeroDivisionError")


def test_a_traceback_within(run_python):
    done = run_python("-c", "from arbitrary_nst import quiet\nquiet()\n1 / 0")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"


def test_an_object_in_the_place_of_stderr_stays(monkeypatch, capfd):
    """As in a notebook: only the descriptor is silenced."""

    class Cell:
        def write(self, text):
            return len(text)

        def flush(self):
            pass

    cell = Cell()
    monkeypatch.setattr(sys, "stderr", cell)
    with quiet():
        assert sys.stderr is cell
        os.write(2, b"hidden")
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"


def test_levels_of_tensorflows_logger_come_back():
    logger = logging.getLogger("tensorflow")
    level = logger.level
    with quiet():
        assert logger.level >= logging.ERROR
    assert logger.level == level


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are closed by the shell")
def test_without_standard_error():
    command = f'exec 2>&-; exec "{sys.executable}" -c "$0"'
    program = "from arbitrary_nst import quiet\nquiet().close()\nprint('ok')"
    done = subprocess.run(["bash", "-c", command, program], stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"ok\n"
