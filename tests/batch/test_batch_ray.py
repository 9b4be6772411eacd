"""`arbitrary-nst batch --ray`: what can be tested without Ray, and, slow, real clusters."""

import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np
import pytest

import arbitrary_nst
from arbitrary_nst.batch import ray as batch_ray
from arbitrary_nst.batch.files import MANIFEST, find_jobs, make_folders, make_out_dir, open_manifest
from arbitrary_nst.batch.settings import prepare
from arbitrary_nst.cli import main
from arbitrary_nst.errors import InputError, WeightsUnavailable
from arbitrary_nst.image import to_pil

ROOT = str(Path(arbitrary_nst.__file__).resolve().parents[1])


@pytest.fixture
def folder(packaged, make_photo, tmp_path, monkeypatch):
    """The current folder, with small photos in `in`, one of them broken, one oddly named."""
    monkeypatch.chdir(tmp_path)
    Path("in/below").mkdir(parents=True)
    for seed in range(20):
        to_pil(make_photo(64, 64, seed)).save(f"in/{seed:02d}.png")
    to_pil(make_photo(48, 64)).save("in/below/photo.jpg")
    if sys.platform == "linux":
        os.rename("in/00.png", b"in/caf\xe9.png")
    Path("in/broken.jpg").write_bytes(b"no photo")
    return tmp_path


def command(text):
    """The command in a process of its own: TensorFlow takes its threads from the first user."""
    return subprocess.Popen(
        [sys.executable, "-m", "arbitrary_nst.cli", "batch", *text.split()],
        env={**os.environ, "PYTHONPATH": ROOT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )


def run(text):
    process = command(text)
    output, complaints = process.communicate(timeout=1200)
    return process.returncode, output, complaints


def pictures(root):
    files = [path for path in Path(root).rglob("*") if path.is_file() and path.name != MANIFEST]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


# Without Ray.


def test_without_ray_the_error_says_what_to_install(folder, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main("batch in out -s scream --ray local".split()) == 2
    assert 'pip install "arbitrary-nst[ray]"' in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_worker_paints_what_is_not_done(folder):
    settings, _ = prepare(["scream"])
    jobs = find_jobs("in", "out", recursive=True)
    make_out_dir("out")
    since = open_manifest("out", jobs, settings.fingerprint(), settings.parts)
    make_folders(jobs)
    rows = {
        "source": np.array([batch_ray._path(job.source) for job in jobs], dtype=object),
        "target": np.array([batch_ray._path(job.target) for job in jobs], dtype=object),
    }
    worker = batch_ray.Worker(settings, "out", since, 2)
    first = worker(rows)
    assert list(first) == ["source", "target", "error"]
    failed = first["source"][first["error"] != ""]
    assert [os.path.basename(path) for path in failed] == [b"broken.jpg"]
    times = {name: os.stat(f"out/{name}").st_mtime_ns for name in pictures("out")}
    assert len(times) == 21
    # Given the same once more, as after the death of another worker, it only tries the broken one.
    assert (worker(rows)["error"] == first["error"]).all()
    assert times == {name: os.stat(f"out/{name}").st_mtime_ns for name in pictures("out")}


def test_a_worker_that_does_not_see_the_folder(packaged, tmp_path):
    settings, _ = prepare(["scream"])
    with pytest.raises(InputError, match="does not see the output folder"):
        batch_ray.Worker(settings, str(tmp_path / "out"), 0, 1)


def test_errors_of_workers_are_told_in_their_own_words():
    text = "The actor died\n  File x\narbitrary_nst.errors.WeightsUnavailable: No: network.\n\n"
    error = batch_ray._plain(RuntimeError(text))
    assert type(error) is WeightsUnavailable and str(error) == "No: network."
    full = OSError(28, "No space left on device")
    wrapped = RuntimeError("long story")
    wrapped.cause = full
    assert batch_ray._plain(wrapped) is full
    assert str(batch_ray._plain(RuntimeError(""))) == "A worker failed: RuntimeError"


def test_no_cluster_at_the_address(folder):
    ray = types.SimpleNamespace(is_initialized=lambda: False)
    cluster = batch_ray._cluster(ray, "127.0.0.1:1", None)
    with pytest.raises(InputError, match="no Ray cluster at '127.0.0.1:1'"), cluster:
        pass


# On real clusters.


@pytest.mark.slow
def test_a_local_cluster_makes_the_same_pictures(folder):
    pytest.importorskip("ray")
    settings = "-s great-wave:0.7 -s starry-night:0.3 --recursive --strength 0.9 --seed 5"
    code, output, _ = run(f"in here {settings} --workers 2")
    assert code == 1 and "21 painted" in output
    code, output, complaints = run(f"in there {settings} --ray local --workers 2")
    assert code == 1 and "21 painted" in output and "1 failed" in output
    assert complaints.count("\n") == 1
    assert complaints.startswith(f"failed: {os.path.join('in', 'broken.jpg')}: ")
    assert pictures("there") == pictures("here")
    # It goes on where either stopped.
    removed = sorted(pictures("here"))[:3]
    for name in removed:
        os.remove(f"here/{name}")
    code, output, _ = run(f"in here {settings} --ray local --workers 1")
    assert code == 1 and "3 painted" in output and "18 already there" in output
    assert pictures("there") == pictures("here")


@pytest.mark.slow
def test_a_cluster_by_its_address(folder):
    pytest.importorskip("ray")
    with_cluster = (
        "import os, subprocess, sys\n"
        "from ray.cluster_utils import Cluster\n"
        "cluster = Cluster(initialize_head=True, head_node_args={'num_cpus': 1})\n"
        "cluster.add_node(num_cpus=1)\n"
        "words = 'batch in out -s scream --ray'.split() + [cluster.address]\n"
        "code = subprocess.call([sys.executable, '-m', 'arbitrary_nst.cli', *words])\n"
        "cluster.shutdown()\n"
        "sys.exit(code)\n"
    )
    environment = {**os.environ, "PYTHONPATH": ROOT}
    done = subprocess.run(
        [sys.executable, "-c", with_cluster],
        env=environment,
        capture_output=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 1 and b"20 painted" in done.stdout
    run("in here -s scream")
    assert pictures("out") == pictures("here")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for the workers in /proc")
def test_a_worker_killed_in_the_middle(folder):
    pytest.importorskip("ray")
    count = 1200
    for number in range(count):
        to_pil(np.full((64, 64, 3), number / count)).save(f"in/more{number:04d}.png")
    process = command("in out -s scream --ray local --workers 2")
    deadline = time.monotonic() + 200
    while len(list(Path("out").glob("*.png"))) < 40 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = _workers(process.pid)
    os.kill(workers[0], signal.SIGKILL)
    at_the_kill = len(list(Path("out").glob("*.png")))
    output, complaints = process.communicate(timeout=1200)
    assert workers and 40 <= at_the_kill < count
    assert process.returncode == 1 and f"{count + 20} painted" in output, complaints
    assert "0 already there, 1 failed" in output
    # Nothing lost, nothing doubled, no half of a file.
    assert run("in here -s scream")[0] == 1
    assert pictures("out") == pictures("here") and len(pictures("out")) == count + 20
    assert not _workers(process.pid)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for another process there")
def test_ctrl_c_with_ray(folder):
    pytest.importorskip("ray")
    for number in range(1200):
        to_pil(np.full((64, 64, 3), number / 1200)).save(f"in/more{number:04d}.png")
    process = command("in out -s scream --ray local --workers 1")
    deadline = time.monotonic() + 200
    while len(list(Path("out").glob("*.png"))) < 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=1200)
    assert process.returncode == 130 and complaints == "arbitrary-nst: stopped\n"
    done = pictures("out")
    assert 20 <= len(done) < 1220 and not any(name.endswith(".tmp") for name in done)
    assert run("in out -s scream")[0] == 1
    assert run("in here -s scream")[0] == 1
    assert pictures("out") == pictures("here")


def _workers(ancestor):
    """Process ids of the engines of the cluster that a process started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes()
            parents = [int(folder.name)]
            while parents[-1] > 1:
                stat = Path(f"/proc/{parents[-1]}/stat").read_text()
                parents.append(int(stat.rpartition(")")[2].split()[1]))
        except OSError:  # it has ended
            continue
        if b"MapWorker" in title and ancestor in parents:
            found.append(int(folder.name))
    return found
