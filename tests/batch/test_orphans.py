"""Workers of a batch end with the process that started them, however that ends."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import arbitrary_nst

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="no groups of processes here")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    # SIGTERM ends the command as Ctrl-C does; a shell calls both ends of it 143.
    [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 128 + signal.SIGTERM)],
)
def test_workers_end_with_their_parent(network, tmp_path, number, code):
    (tmp_path / "in").mkdir()
    for index in range(1500):
        pixels = np.full((64, 64, 3), index % 256, np.uint8)
        Image.fromarray(pixels).save(tmp_path / "in" / f"{index:04d}.png")
    root = Path(arbitrary_nst.__file__).resolve().parents[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "arbitrary_nst", *"batch in out -s scream --workers 2".split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,  # which the workers hold as well, for as long as they live
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 400
        while not list(tmp_path.glob("out/*.png")):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        process.communicate(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert process.returncode == code
