"""`arbitrary-nst batch`: folders of photos, in this process and in one that is stopped."""

import dataclasses
import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import arbitrary_nst
from arbitrary_nst import load_engine, stylize
from arbitrary_nst.batch import BatchReport, processes, stylize_folder, work
from arbitrary_nst.batch.files import (
    MANIFEST,
    Job,
    find_jobs,
    is_done,
    open_manifest,
    remove_leftovers,
)
from arbitrary_nst.batch.settings import make_engine, prepare
from arbitrary_nst.batch.work import paint_jobs
from arbitrary_nst.cli import main
from arbitrary_nst.common.alone import alone_in
from arbitrary_nst.errors import InputError, StyleError, WeightsUnavailable
from arbitrary_nst.image import save_image, to_pil
from arbitrary_nst.pipeline.arguments import Options
from arbitrary_nst.pipeline.contents import load_content
from arbitrary_nst.pipeline.picture import Picture

STYLES = "-s great-wave:0.7 -s starry-night:0.3"


@pytest.fixture
def folder(network, make_photo, tmp_path, monkeypatch):
    """The current folder, with photos of two sizes in `in`, and a small network in use."""
    monkeypatch.chdir(tmp_path)
    names = ["a.png", "b.png", "c.jpg", "d.JPG", "below/e.png", "below/.hidden.png", "f.ppm"]
    for seed, name in enumerate(names):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = to_pil(make_photo(48 if name == "c.jpg" else 64, 64, seed))
        picture.save(path)
    Path("in/notes.txt").write_text("not a photo")
    return tmp_path


@pytest.fixture
def fails(capsys):
    """Runs a command that must fail with one line; returns the line."""

    def run(command):
        capsys.readouterr()
        assert main(["batch", *command.split()]) == 2
        output = capsys.readouterr()
        assert output.out == "" and output.err.count("\n") == 1
        return output.err

    return run


def run(command):
    return main(["batch", *command.split()])


def opened(path):
    with Image.open(path) as picture:
        picture.load()
        return picture


def pictures(root="out"):
    """Bytes of the pictures by their path, without the manifest."""
    files = [path for path in Path(root).rglob("*") if path.is_file() and path.name != MANIFEST]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


# The pictures.


def test_pictures_are_those_of_stylize(folder, capsys):
    assert run(f"in out {STYLES} --recursive --workers 2 --strength 0.8 --seed 3 --size 56") == 0
    output = capsys.readouterr()
    assert output.out.startswith("out: 6 painted in ") and output.err == ""
    assert output.out.endswith(" 0 already there, 0 failed\n")
    names = ["a.png", "b.png", "below/e.png", "c.jpg", "d.JPG", "f.png"]
    assert sorted(pictures()) == names
    for name in names:
        source = "in/f.ppm" if name == "f.png" else f"in/{name}"
        expected = stylize(
            source, ["great-wave", "starry-night"], [0.7, 0.3], strength=0.8, seed=3, size=56
        )
        save_image(expected, f"expected{Path(name).suffix}")
        assert Path("out", name).read_bytes() == Path(f"expected{Path(name).suffix}").read_bytes()


def test_colour_and_transparency(folder):
    photo = np.asarray(opened("in/a.png").convert("RGBA")).copy()
    photo[:20, :20, 3] = 0
    Image.fromarray(photo).save("in/a.png")
    assert run("in out -s scream --color content") == 0
    expected = stylize("in/a.png", "scream", color="content")
    np.testing.assert_array_equal(opened("out/a.png"), expected)
    assert expected.mode == "RGBA"


def test_large_jpeg_files_are_read_small(folder, make_photo):
    """Nearly the same photo, upright, and no way around `max_pixels`."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    to_pil(make_photo(600, 900)).save("in/large.jpg", exif=exif)
    rgb, alpha, _ = work._load("in/large.jpg", Options(size=64))
    expected, *_ = load_content("in/large.jpg", Options(size=64))
    assert rgb.shape == expected.shape == (64, 43, 3) and alpha is None
    assert 0 < np.abs(rgb - expected).mean() < 0.01
    np.testing.assert_array_equal(
        work._load("in/large.jpg", Options(size=400))[0].shape, (400, 267, 3)
    )
    with pytest.raises(InputError, match="max_pixels=500000"):
        work._load("in/large.jpg", Options(size=64, max_pixels=500_000))
    Path("in/large.jpg").write_bytes(Path("in/large.jpg").read_bytes()[:9000])
    with pytest.raises(InputError, match="'in/large.jpg' cannot be read"):
        work._load("in/large.jpg", Options(size=64))


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_no_picture(folder, workers):
    run("in out -s great-wave --workers 2")
    run(f"in other -s great-wave --workers {workers}")
    assert pictures("other") == pictures("out")


def test_formats(folder):
    assert run("in out -s scream --format webp") == 0
    assert sorted(pictures()) == ["a.webp", "b.webp", "c.webp", "d.webp", "f.webp"]
    assert opened("out/a.webp").format == "WEBP"
    assert run("in jpg -s scream --format jpg --quality 95") == 0
    assert run("in small -s scream --format jpg --quality 50") == 0
    assert len(pictures("small")["a.jpg"]) < len(pictures("jpg")["a.jpg"])


def test_own_engine_object_and_progress(folder):
    seen = []
    report = stylize_folder(
        "in", ["scream"], "out", engine=load_engine("cin"), progress=lambda *a: seen.append(a)
    )
    assert report == BatchReport(5, 0, [])
    assert seen == [(n, 5, "") for n in range(1, 6)]


# The files.


def test_output_folder_within_the_input_is_not_read(folder, capsys):
    assert run("in in/out -s scream --recursive") == 0
    assert run("in in/out -s scream --recursive") == 0
    assert "0 painted, 6 already there, 0 failed" in capsys.readouterr().out
    # Nor is that of another batch.
    assert run("in in/second -s great-wave --recursive") == 0
    assert sorted(pictures("in/second")) == sorted(pictures("in/out"))
    assert "left out: 'in/out' holds pictures" in capsys.readouterr().err


def test_two_photos_for_one_output_are_refused(folder, fails):
    opened("in/a.png").save("in/a.jpg")
    message = fails("in out -s scream --format png")
    assert "same file 'out/a.png'" in message
    assert "'in/a.jpg'" in message and "'in/a.png'" in message
    assert not Path("out").exists()


@pytest.mark.parametrize("out", ["in", "./in", "link"])
def test_photos_are_never_replaced(folder, fails, out):
    os.symlink("in", "link")
    assert "would replace the photo" in fails(f"in {out} -s scream")


def test_links_among_the_outputs_are_not_followed(folder, fails):
    Path("out").mkdir()
    os.symlink("../in/b.png", "out/a.png")
    before = pictures("in")
    assert "'out/a.png' exists" in fails("in out -s scream")
    assert "'out/a.png' is a link" in fails("in out -s scream --overwrite")
    assert pictures("in") == before


def test_wrong_folders(folder, fails):
    assert "not a folder" in fails("in/a.png out -s scream")
    assert "not a folder" in fails("nowhere out -s scream")
    Path("empty/below").mkdir(parents=True)
    assert "--recursive" in fails("empty out -s scream")
    assert "is a file" in fails("in in/notes.txt -s scream")


def test_wrong_settings(folder, fails):
    assert "greet-wave" in fails("in out -s greet-wave")
    assert "`strength`" in fails("in out -s scream --strength 2")
    assert "`workers`" in fails("in out -s scream --workers 0")
    assert "--checkpoint" in fails("in out -s scream --engine vgg19 --checkpoint state")
    assert "cin engine alone" in fails("in out -s in/a.png --engine magenta --precision float32")
    with pytest.raises(InputError, match="quality"):
        prepare(["scream"], quality=101)
    with pytest.raises(InputError, match="precision"):
        prepare(["scream"], precision="half")
    with pytest.raises(InputError, match="format"):
        find_jobs("in", "out", output_format="gif")
    with pytest.raises(StyleError):
        prepare([])
    assert not Path("out").exists()


def test_no_silent_change_to_the_slow_engine(folder, fails):
    """The network in use has no predictor for images, and Magenta's is not to be had."""
    assert "no-magenta-here" in fails("in out -s in/a.png")


def test_a_network_that_differs_is_refused(network):
    settings, _ = prepare(["scream"])
    recipe = dataclasses.replace(settings.engine, network="cin-of-another-machine")
    with pytest.raises(WeightsUnavailable, match="cin-of-another-machine"):
        make_engine(recipe)


# Broken photos.


def test_broken_photos_are_listed_and_stop_nothing(folder, capsys):
    Path("in/b.png").write_bytes(Path("in/b.png").read_bytes()[:300])
    Path("in/empty.jpg").touch()
    Image.new("RGB", (64, 8)).save("in/narrow.png")
    assert run("in out -s scream --workers 2") == 1
    output = capsys.readouterr()
    assert "4 painted" in output.out and "3 failed" in output.out
    lines = output.err.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["in/b.png", "in/empty.jpg", "in/narrow.png"]
    assert "damaged" in lines[0] and "is empty" in lines[1] and "at least 16x16" in lines[2]
    assert sorted(pictures()) == ["a.png", "c.jpg", "d.JPG", "f.png"]
    # A rerun tries them again, and only them.
    save_image(opened("in/a.png"), "in/b.png")
    os.remove("in/empty.jpg")
    os.remove("in/narrow.png")
    assert run("in out -s scream") == 0
    assert "1 painted" in capsys.readouterr().out


def test_one_photo_that_fails_in_a_group(folder):
    class Choosy:
        """Refuses a batch with the photo of seed 1, as an engine short of memory would."""

        name, network, styles = "cin", "none", {}
        embed = identity = render = render_steps = memory_for = None

        def render_batch(self, contents, embeddings, *, seed):
            if any((c == bad).all() for c in contents):
                raise MemoryError("no room")
            return contents

    settings, _ = prepare(["scream"])
    jobs = find_jobs("in", "out")[:2]
    Path("out").mkdir()
    bad = work._read(settings, jobs[1])[1][0]
    outcomes = list(paint_jobs(Choosy(), settings, jobs))
    assert [outcome.job for outcome in outcomes] == jobs
    assert outcomes[0].error == "" and "not enough memory" in outcomes[1].error


def test_unwritable_picture(folder, monkeypatch, capsys):
    def full(picture, path, **options):
        raise OSError(code, os.strerror(code), path)

    monkeypatch.setattr(Picture, "save", full)
    code = errno.EACCES
    assert run("in out -s scream") == 1
    assert capsys.readouterr().err.count("Permission denied") == 5
    code = errno.ENOSPC  # for the next ones there would be no room either
    assert run("in out -s scream") == 2
    assert capsys.readouterr().err.count("No space left") == 1


# Going on.


def test_a_rerun_paints_what_is_missing(folder, capsys):
    run(f"in out {STYLES}")
    before = pictures()
    times = {name: os.stat(f"out/{name}").st_mtime_ns for name in before}
    os.remove("out/b.png")
    capsys.readouterr()
    # Shares and order may be written in another way, and workers are no setting of the picture.
    assert run("in out -s starry-night:3 -s great-wave:7 --workers 1") == 0
    assert "1 painted" in (output := capsys.readouterr().out) and "4 already there" in output
    assert pictures() == before
    assert all(os.stat(f"out/{n}").st_mtime_ns == t for n, t in times.items() if n != "b.png")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("-s scream", ["styles: great-wave:1 there, scream:1 now"]),
        ("-s great-wave -s scream", ["great-wave:1 there, great-wave:0.5, scream:0.5 now"]),
        ("-s great-wave --size 32 --seed 1", ["size: None there, 32 now", "seed: 0 there, 1 now"]),
        ("-s great-wave --format png", ["format: keep there, png now"]),
        ("-s great-wave --strength .5 --color content", ["strength: 1.0 there", "color: style"]),
    ],
)
def test_other_settings_are_refused_and_named(folder, fails, change, words):
    run("in out -s great-wave --precision float32")
    before = pictures()
    message = fails(f"in out {change} --precision float32")
    assert all(word in message for word in words) and "--overwrite" in message
    assert pictures() == before


@pytest.mark.skipif(os.name == "nt", reason="no locks of folders there")
def test_a_second_run_beside_the_first_is_refused(folder, fails):
    """With --overwrite it would change the settings under the first, whose pictures then count."""
    Path("out").mkdir()
    with alone_in("out"):
        assert "Another run is at work in 'out'" in fails("in out -s scream --overwrite")
    assert not list(Path("out").iterdir())
    assert run("in out -s scream") == 0


def test_overwrite_and_a_rerun_after_it(folder, capsys):
    run("in out -s great-wave")
    first = pictures()
    # An --overwrite that was stopped after one picture ...
    jobs = find_jobs("in", "out")
    settings, engine = prepare(["scream"])
    open_manifest("out", jobs, settings.fingerprint(), settings.parts, overwrite=True)
    list(paint_jobs(engine, settings, jobs[:1]))
    capsys.readouterr()
    # ... is gone on with, and leaves none of the old pictures.
    assert run("in out -s scream") == 0
    assert "4 painted" in (output := capsys.readouterr().out) and "1 already there" in output
    run("in fresh -s scream")
    assert pictures() == pictures("fresh") != first
    assert run("in out -s scream --overwrite") == 0
    assert pictures() == pictures("fresh")


def test_pictures_of_unknown_settings_are_refused(folder, fails):
    run("in out -s great-wave")
    os.remove(f"out/{MANIFEST}")
    assert f"no {MANIFEST}" in fails("in out -s great-wave")
    for content in ("{", "[]", json.dumps({"version": 99, "settings": {}, "styles": []})):
        Path("out", MANIFEST).write_text(content)
        assert "cannot be used" in fails("in out -s great-wave")


def test_leftovers_of_killed_runs(tmp_path):
    old, young, other = (tmp_path / f".{16 * d}.tmp" for d in "abz")
    for path in (old, young, other):
        path.touch()
    os.utime(old, (0, 0))
    jobs = [Job("x", str(tmp_path / "y.png")), Job("x", str(tmp_path / "missing" / "y.png"))]
    remove_leftovers(jobs, min_age=3600)
    assert [p.exists() for p in (old, young, other)] == [False, True, True]
    remove_leftovers(jobs)
    assert [p.exists() for p in (young, other)] == [False, True]
    assert is_done(str(other), 0) and not is_done(str(other), time.time_ns() + 10**9)


# Stopping.


def test_closing_stops_after_the_pictures_being_written(folder):
    settings, engine = prepare(["scream"])
    for number in range(40):
        to_pil(np.full((64, 64, 3), number / 40)).save(f"in/more{number:02d}.png")
    jobs = find_jobs("in", "out")
    Path("out").mkdir()
    outcomes = paint_jobs(engine, settings, jobs, threads=2)
    next(outcomes)
    outcomes.close()
    assert 0 < len(pictures()) < len(jobs)
    assert not any(
        thread.name.startswith(("read", "paint_", "write")) for thread in threading.enumerate()
    )
    for name in pictures():
        opened(f"out/{name}")


def test_an_engine_of_many_steps_stops_within_a_picture(folder):
    stop = threading.Event()

    class Slow:
        memory_for = None

        def render_steps(self, content, style, *, seed):
            raise AssertionError("it is `render` that is given `on_step`")

        def render(self, content, style, *, seed, on_step):
            stop.set()  # Ctrl-C, after the first step
            on_step(types.SimpleNamespace(step=1, total=2, loss=0.0, picture=content))
            raise AssertionError("goes on after Ctrl-C")

    settings, _ = prepare(["scream"])
    group = [work._read(settings, find_jobs("in", "out")[0])]
    assert work._paint(Slow(), settings, None, stop, group) == []


@pytest.mark.slow
def test_processes_make_the_same_pictures(folder, capsys):
    for number in range(40):
        to_pil(np.full((64, 64, 3), number / 40)).save(f"in/more{number:02d}.png")
    Path("in/more00.png").write_bytes(b"no photo")
    assert run("in out -s scream --workers 1") == 1
    assert run("in other -s scream --workers 3") == 1
    assert pictures("other") == pictures("out") and len(pictures()) == 44
    assert capsys.readouterr().err.count("failed: in/more00.png: ") == 2


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for the processes in /proc")
def test_a_killed_process_ends_the_run_and_loses_nothing(folder, packaged):
    for number in range(1500):
        to_pil(np.full((64, 64, 3), number / 1500)).save(f"in/more{number:04d}.png")
    settings, _ = prepare(["scream"])
    jobs = find_jobs("in", "out")
    Path("out").mkdir()
    outcomes = processes.paint_by_processes(settings, jobs, workers=2)
    next(outcomes)
    workers = [process for process in multiprocessing.active_children() if "Spawn" in process.name]
    max(workers, key=lambda process: process.pid).kill()
    with pytest.raises(processes.WorkerDied, match="killed"):
        list(outcomes)
    done = pictures()
    assert 0 < len(done) < len(jobs) and not any(name.endswith(".tmp") for name in done)
    assert not multiprocessing.active_children()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for another process there")
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c(folder, packaged, workers):
    for number in range(1500):
        to_pil(np.full((64, 64, 3), number / 1500)).save(f"in/more{number:04d}.png")
    root = Path(arbitrary_nst.__file__).resolve().parents[1]
    words = f"batch in out -s scream --workers {workers}"
    process = subprocess.Popen(
        [sys.executable, "-m", "arbitrary_nst.cli", *words.split()],
        env={**os.environ, "PYTHONPATH": str(root)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not list(Path("out").glob("*.png")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    assert process.wait(60) == 130
    assert process.stderr.read() == "arbitrary-nst: stopped\n"
    process.stderr.close()
    done = pictures()
    assert 0 < len(done) < 1505 and not any(name.endswith(".tmp") for name in done)
    for name in done:
        opened(f"out/{name}")
    assert run("in out -s scream") == 0
    assert len(pictures()) == 1505
