"""Visitors' files leave: by age, at SIGTERM, and those that a killed run left."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from arbitrary_nst.demo import sweep

WAITS = """
import sys, time
from pathlib import Path
from arbitrary_nst.demo.sweep import ended_by_sigterm, private_folder
import os
with private_folder(), ended_by_sigterm():
    Path(os.environ["GRADIO_TEMP_DIR"], "private.jpg").write_bytes(b"x")
    print(os.environ["GRADIO_TEMP_DIR"], flush=True)
    time.sleep(60)
"""


@pytest.fixture
def run(tmp_path):
    """A run that waits, and its folder."""
    root = str(Path(sweep.__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", WAITS], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_sigterm_leaves_nothing(run):
    process, folder = run
    assert (folder / "private.jpg").exists()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    assert not folder.exists()


@pytest.mark.skipif(sweep.fcntl is None, reason="locks are those of Unix")
def test_the_next_run_removes_what_a_killed_one_left(run, monkeypatch):
    process, folder = run
    monkeypatch.setattr(sweep.tempfile, "gettempdir", lambda: str(folder.parent))
    sweep.remove_stale()
    assert folder.exists()  # it is in use
    process.kill()
    process.wait(30)
    assert folder.exists()
    sweep.remove_stale()
    assert not folder.exists()


def test_old_files_go_and_those_of_the_page_stay(tmp_path):
    for name in ("page", "old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jpg").write_bytes(b"x")
    for name in ("page", "old"):
        for path in (tmp_path / name / "a.jpg", tmp_path / name):
            os.utime(path, (1, 1))
    sweep.sweep(tmp_path, time.time() - 60, {tmp_path / "page" / "a.jpg"})
    assert (tmp_path / "page" / "a.jpg").exists() and (tmp_path / "new" / "a.jpg").exists()
    assert not (tmp_path / "old" / "a.jpg").exists()


def test_goes_on_while_files_come(tmp_path):
    stop = sweep.start_sweeping(tmp_path, 0.01, 0.05)

    def upload(who):
        for number in range(200):
            (tmp_path / f"{who}-{number}.jpg").write_bytes(b"x")

    threads = [threading.Thread(target=upload, args=(who,)) for who in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deadline = time.monotonic() + 20
    while any(tmp_path.rglob("*.jpg")) and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.set()
    assert not any(tmp_path.rglob("*.jpg"))
