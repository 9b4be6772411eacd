"""The published Magenta networks, where they are at hand: nothing is downloaded here.

The phone version is real; of the TF-Hub model there is the true graph with random weights.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from arbitrary_nst import api
from arbitrary_nst.embedding import load_styles, save_styles
from arbitrary_nst.engines.magenta import Magenta, check
from arbitrary_nst.errors import CheckpointError
from arbitrary_nst.networks.magenta.hub import HubNetwork

SHARED = Path(os.environ.get("ARBITRARY_NST_SHARED", Path(__file__).parents[3] / "shared"))
TFLITE = SHARED / "weights" / "magenta" / "tflite"
HUB_GRAPH = SHARED / "weights" / "magenta" / "hub_graph"

needs_tflite = pytest.mark.skipif(
    not TFLITE.is_dir() or importlib.util.find_spec("ai_edge_litert") is None,
    reason="needs ai-edge-litert, and the TFLite networks; ARBITRARY_NST_SHARED names their folder",
)
needs_hub_graph = pytest.mark.skipif(
    not HUB_GRAPH.is_dir(), reason="no hub graph here; ARBITRARY_NST_SHARED names its folder"
)


@pytest.fixture(scope="module")
def pair():
    return Magenta(TFLITE)


@pytest.fixture(scope="module")
def hub_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "magenta"
    command = [sys.executable, str(HUB_GRAPH / "fill_random.py"), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture
def painting(make_photo):
    return 1 - make_photo(200, 300, seed=3)


@needs_tflite
@pytest.mark.parametrize("size", [(2, 2), (5, 3), (16, 16), (37, 50), (64, 48)])
def test_the_pair_paints_photos_of_any_size(pair, size, make_photo, painting):
    content = make_photo(*size)
    picture = pair.render(content, pair.embed(painting))
    assert picture.shape == content.shape and picture.dtype == np.float32
    assert picture.min() >= 0 and picture.max() <= 1


@needs_tflite
def test_the_pair_takes_up_the_styles_colours(pair, make_photo):
    photo = make_photo(96, 128)
    means = []
    for channel in (0, 2):
        style = np.random.default_rng(0).uniform(0, 0.2, (128, 128, 3)).astype(np.float32)
        style[..., channel] += 0.7
        means.append(pair.render(photo, pair.embed(style)).mean(axis=(0, 1)))
    assert means[0][0] > means[1][0] + 0.1 and means[1][2] > means[0][2] + 0.1


@needs_tflite
def test_stored_embeddings_of_the_pair_give_the_same_picture(pair, photo, painting, tmp_path):
    fresh = np.asarray(api.stylize(photo, [painting, photo], [2, 1], engine=pair))
    library = {"one": pair.embed(painting), "two": pair.embed(photo)}
    save_styles(library, tmp_path / "styles.safetensors")
    styles = load_styles(tmp_path / "styles.safetensors")
    np.testing.assert_array_equal(
        np.asarray(api.stylize(photo, styles, [2, 1], engine=pair)), fresh
    )


@needs_tflite
def test_check_of_the_pair():
    lines = list(check(TFLITE))
    assert "100 numbers" in lines[1] and "dynamic" in lines[2]


@needs_tflite
@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"style_predict": "dynamic", "style_transfer": "predict"},
            "is no style predictor.*swapped",
        ),
        ({"style_predict": "predict", "style_transfer": "predict"}, "is no style transformer"),
        ({"style_predict": "predict", "style_transfer": "f16_384"}, "of 384x384 pixels only"),
    ],
)
def test_real_files_in_the_wrong_place(files, message, tmp_path):
    for name, source in files.items():
        (path,) = TFLITE.glob(f"*{source}*.tflite")
        shutil.copyfile(path, tmp_path / f"{name}.tflite")
    with pytest.raises(CheckpointError, match=message):
        Magenta(tmp_path)


@needs_tflite
@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999])
def test_a_real_file_cut_off(share, tmp_path):
    for path in TFLITE.glob("*.tflite"):
        data = path.read_bytes()
        length = int(len(data) * share) if "dynamic" in path.name else len(data)
        (tmp_path / path.name).write_bytes(data[:length])
    with pytest.raises(CheckpointError, match="dynamic.tflite is no TFLite file, or a damaged one"):
        Magenta(tmp_path)


@pytest.mark.slow
@needs_hub_graph
def test_the_true_hub_graph(hub_folder, make_photo, painting):
    network = HubNetwork(str(hub_folder))
    assert network.bottleneck == "bottleneck/Mean:0" and network.vector_size == 768
    assert network.difference < 1e-4
    content, style = make_photo(40, 56), make_photo(64, 64, seed=1)
    whole = network.whole(tf.constant(content[None]), tf.constant(style[None]))[0].numpy()[0]
    joined = network.transform(content, network.predict(style))
    np.testing.assert_allclose(joined, whole, atol=1e-5)
    engine = Magenta(hub_folder)
    embedding = engine.embed(painting)
    for size in ((2, 2), (3, 9), (30, 41)):
        photo = make_photo(*size)
        assert engine.render(photo, embedding).shape == photo.shape
