"""A tiny network with random weights, made anew for each run, and a photo without files."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import arbitrary_nst
from arbitrary_nst.embedding import Embedding, save_styles

STYLES = {"great-wave": "Hokusai, The Great Wave", "starry-night": "Van Gogh", "scream": "Munch"}


def write_network(folder, seed=0):
    """Writes a small network with all its parts, random kernels and styles, as training would."""
    from arbitrary_nst.networks.cin.file import kernel_shapes, network_bytes, network_id
    from arbitrary_nst.networks.cin.layout import CinLayout

    rng = np.random.default_rng(seed)
    layout = CinLayout((8, 8, 8), num_residual_blocks=1, skip_connections=True, noise_channels=2)
    kernels = {
        name: (rng.normal(size=shape) / np.sqrt(np.prod(shape[:3]))).astype(np.float32)
        for name, shape in kernel_shapes(layout).items()
    }
    styles = [
        Embedding(
            "cin",
            network_id(kernels),
            {
                "gamma": rng.uniform(0.5, 1.5, layout.style_size).astype(np.float32),
                "beta": rng.normal(0, 0.5, layout.style_size).astype(np.float32),
            },
            name=name,
            source=source,
        )
        for name, source in {"identity": "the photo as it is", **STYLES}.items()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "network.safetensors").write_bytes(network_bytes(layout, kernels))
    save_styles(styles, folder / "styles.safetensors")
    return folder


@pytest.fixture(scope="session")
def network_folder(tmp_path_factory):
    """A folder as `arbitrary-nst train` leaves it, of a network with random weights."""
    return write_network(tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="session")
def other_network_folder(tmp_path_factory):
    """The same with other weights."""
    return write_network(tmp_path_factory.mktemp("other"), seed=1)


@pytest.fixture
def network(network_folder, monkeypatch):
    """The random network in place of the packaged one."""
    monkeypatch.setenv("ARBITRARY_NST_CIN", str(network_folder))
    return network_folder


@pytest.fixture
def packaged(monkeypatch):
    """The packaged network, whatever the environment of whoever runs the tests says."""
    monkeypatch.delenv("ARBITRARY_NST_CIN", raising=False)


@pytest.fixture(scope="session")
def magenta_model():
    """The little network in Magenta's form, for what is expected of it."""
    from small_magenta import TinyMagenta

    return TinyMagenta()


@pytest.fixture(scope="session")
def magenta_folder(tmp_path_factory, magenta_model):
    """The same as a SavedModel, which no test changes."""
    from small_magenta import save_model, two_images

    folder = tmp_path_factory.mktemp("magenta") / "tiny"
    return save_model(folder, magenta_model, two_images(magenta_model.stylize))


@pytest.fixture(scope="session")
def magenta_engine(magenta_folder):
    """The engine of it."""
    from arbitrary_nst.engines.magenta import Magenta

    return Magenta(magenta_folder)


def _make_photo(height=32, width=40, seed=0):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    colour = np.random.default_rng(seed).uniform(0.2, 0.8, 3)
    image = np.stack([x / width, y / height, 0.5 + 0.4 * np.sin(x / 9 + y / 7)], axis=-1)
    disc = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(height, width) / 4) ** 2
    return np.where(disc[..., None], colour, image).astype(np.float32).clip(0, 1)


@pytest.fixture(scope="session")
def make_photo():
    """Makes smooth photos with a disc, by height, width and seed: float32 `(H, W, 3)`."""
    return _make_photo


@pytest.fixture
def photo():
    """A small smooth photo: float32 (32, 40, 3)."""
    return _make_photo()


@pytest.fixture(scope="session")
def run_python():
    """Runs Python with these arguments in a process of its own, which finds the package."""

    def run(*arguments, **options):
        root = str(Path(arbitrary_nst.__file__).resolve().parents[1])
        environment = {**os.environ, "PYTHONPATH": root}
        command = [sys.executable, *arguments]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.run(command, env=environment, text=True, check=False, **options)

    return run


@pytest.fixture(autouse=True)
def no_download(monkeypatch):
    """Nothing is fetched from the internet because a test names no network."""
    monkeypatch.setenv("ARBITRARY_NST_MAGENTA", "no-magenta-here")
    monkeypatch.setenv("ARBITRARY_NST_VGG19", "no-vgg19-here.h5")
