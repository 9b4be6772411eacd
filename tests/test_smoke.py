"""Once through everything that stands on another package: `python -m pytest -m smoke`.

For an environment that is new in some way: the lowest versions that setup.cfg allows (see
`.ci/lowest.py`), the newest, another Python. Whatever is not installed is skipped by name.
"""

import gc
import json
import urllib.request
import warnings

import numpy as np
import pytest
from PIL import Image
from small_training import small_config, small_vgg, write_data

from arbitrary_nst import (
    Cin,
    Embedding,
    blend,
    embed,
    export_network,
    load_styles,
    save_image,
    save_styles,
    stylize,
    stylize_folder,
    train,
)
from arbitrary_nst.cli import main
from arbitrary_nst.image import to_pil

pytestmark = [
    pytest.mark.smoke,
    # Not ours, and another with every version: what packages warn each other of.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def photo_file(tmp_path, make_photo):
    path = tmp_path / "photo.png"
    to_pil(make_photo(48, 64)).save(path)
    return path


def painted(picture, photo, size=(64, 48)):
    """Of the photo's size, with something on it, and not the photo."""
    assert picture.size == size
    pixels, photo = (np.asarray(p.convert("RGB"), np.float64) for p in (picture, photo))
    assert pixels.std() > 5 and np.abs(pixels - photo).mean() > 5


@pytest.mark.parametrize("runtime", ["tensorflow", "onnx"])
def test_names_blends_masks_and_strength(packaged, photo_file, runtime):
    if runtime == "onnx":
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
    engine, photo = Cin(runtime=runtime), Image.open(photo_file)
    left = np.zeros((48, 64), np.uint8)
    left[:, :32] = 255
    names = ["great-wave", "scream"]
    painted(stylize(photo_file, "great-wave", engine=engine), photo)
    painted(stylize(photo_file, names, [3, 1], strength=0.8, engine=engine), photo)
    painted(stylize(photo_file, names, masks=[left, None], engine=engine), photo)


def test_an_image_as_style_and_style_files(packaged, photo_file, tmp_path, make_photo):
    image = (make_photo(80, 80, 3) * 255).astype(np.uint8)
    painted(stylize(photo_file, [image, "udnie"]), Image.open(photo_file))
    mine = blend([embed("great-wave"), embed("udnie")], [2, 1])
    mine.save(tmp_path / "mine.safetensors")
    assert Embedding.load(tmp_path / "mine.safetensors") == mine
    save_styles({"mine": mine, "wave": embed("great-wave")}, tmp_path / "both.safetensors")
    assert list(load_styles(tmp_path / "both.safetensors")) == ["mine", "wave"]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_kinds_of_images(packaged, photo_file, tmp_path, suffix):
    photo = tmp_path / f"other{suffix}"
    Image.open(photo_file).save(photo)
    save_image(stylize(photo, "scream"), tmp_path / f"out{suffix}")
    assert Image.open(tmp_path / f"out{suffix}").size == (64, 48)


def test_a_photo_of_an_iphone(packaged, photo_file, tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Image.open(photo_file)).save(tmp_path / "photo.heic")
    painted(stylize(tmp_path / "photo.heic", "scream"), Image.open(photo_file))


def test_the_command_line(packaged, photo_file, tmp_path):
    out = tmp_path / "out.png"
    assert main(["stylize", str(photo_file), "-s", "scream:2", "-s", "udnie", "-o", str(out)]) == 0
    painted(Image.open(out), Image.open(photo_file))


def test_a_folder(packaged, photo_file, tmp_path):
    photos = tmp_path / "in"
    photos.mkdir()
    for name in ("a.png", "b.png"):
        (photos / name).write_bytes(photo_file.read_bytes())
    report = stylize_folder(photos, "scream", tmp_path / "out")
    assert (report.painted, report.failed) == (2, [])


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_a_film(packaged, tmp_path, suffix):
    av = pytest.importorskip("av")
    pytest.importorskip("cv2")
    from small_clips import make_clip

    from arbitrary_nst import stylize_video

    make_clip(tmp_path / "in.mp4", sound=suffix == ".mp4")  # .webm has other codecs
    out = stylize_video(tmp_path / "in.mp4", "great-wave", tmp_path / f"out{suffix}")
    with av.open(str(out)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 12


@pytest.mark.parametrize("kind", ["savedmodel", "tflite", "onnx"])
def test_export(packaged, tmp_path, kind):
    if kind == "onnx":
        pytest.importorskip("onnx")
    export_network(tmp_path / "model", kind, ["great-wave", "udnie"])
    vectors = json.loads((tmp_path / "model/styles.json").read_text())
    assert [style["name"] for style in vectors["styles"]] == ["great-wave", "udnie"]


def test_two_steps_of_training(tmp_path):
    """The losses that are logged are those of each step."""
    data = write_data(tmp_path / "data")
    out = train(small_config(data, steps=2), tmp_path / "run", vgg=small_vgg())
    lines = (out / "log.csv").read_text().splitlines()
    assert len(lines) == 3
    painted(
        stylize(data / "photos/0.png", "waves", engine=Cin(out)),
        Image.open(data / "photos/0.png"),
        (48, 40),
    )


def test_the_page_opens(packaged):
    from arbitrary_nst.demo.serving import private_folder, quiet

    quiet()  # before Gradio is imported
    pytest.importorskip("gradio")
    from arbitrary_nst.demo import Settings, start

    with private_folder():
        page = start(Settings(port=0), wait=False)
        try:
            with urllib.request.urlopen(page.local_url) as answer:
                assert answer.status == 200 and b"<html" in answer.read()
        finally:
            page.close(verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
