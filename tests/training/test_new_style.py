"""Learning one style for a network that stays as it is."""

import numpy as np
import pytest
from small_training import small_vgg, write_data, write_image

from arbitrary_nst.checkpoints import trained_styles
from arbitrary_nst.embedding import Embedding, save_styles
from arbitrary_nst.errors import CheckpointError, ImageError, InputError, WeightsUnavailable
from arbitrary_nst.networks.cin.file import load_network, network_id
from arbitrary_nst.training import new_style, train
from arbitrary_nst.training.config import StyleSpec, TrainConfig
from arbitrary_nst.training.data import BatchSource
from arbitrary_nst.training.new_style import learn_style, nearest_style
from arbitrary_nst.training.statistics import to_array
from arbitrary_nst.training.train import build_trainer


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data") / "drawn")


@pytest.fixture(scope="module", autouse=True)
def small_crops():
    """Crops of 32 pixels in place of 256."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(new_style.LAST_STAGE, "crop_size", 32)
        yield


@pytest.fixture(scope="module")
def learned(data, network_folder):
    """What learning a painting gave: the embedding, the losses, and the trainer it was done by."""
    losses, trainers = [], []
    with pytest.MonkeyPatch.context() as patch:

        def remember(*args, **kwargs):
            trainers.append(build_trainer(*args, **kwargs))
            return trainers[-1]

        def step(trainer, batch, number):
            losses.append(train.take_step(trainer, batch, number))
            return losses[-1]

        patch.setattr(new_style, "build_trainer", remember)
        patch.setattr(new_style, "take_step", step)
        embedding = learn(data, network_folder, steps=30)
    return embedding, losses, trainers[0]


def learn(data, folder, **options):
    settings = {"network": folder, "style_size": 40, "vgg": small_vgg(), "steps": 1, **options}
    painting = settings.pop("painting", data / "styles" / "checks.png")
    photos = settings.pop("photos", data / "photos")
    return learn_style(painting, settings.pop("name", "mine"), photos, **settings)


def test_embedding(learned, network_folder):
    embedding, *_ = learned
    layout, kernels = load_network(network_folder / "network.safetensors")
    assert isinstance(embedding, Embedding)
    assert (embedding.engine, embedding.network) == ("cin", network_id(kernels))
    assert (embedding.name, embedding.source) == ("mine", "checks.png")
    assert {name: array.shape for name, array in embedding.arrays.items()} == {
        "gamma": (layout.style_size,),
        "beta": (layout.style_size,),
    }


def test_loss_falls(learned):
    """The one that is minimised, of the mean of five steps: every batch has other photos."""
    losses = [step["loss"] for step in learned[1]]
    assert len(losses) == 30
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])


def test_network_stays_as_it_is(learned, network_folder):
    _, kernels = load_network(network_folder / "network.safetensors")
    for name, kernel in kernels.items():
        found = to_array(learned[2].network.get_layer(f"{name}_conv").kernel)
        np.testing.assert_array_equal(found, kernel)


def test_style_moved_from_its_start(learned, network_folder):
    for style in trained_styles(network_folder).values():
        assert np.abs(learned[0].arrays["gamma"] - style.arrays["gamma"]).max() > 0.01


def test_files_of_the_network_are_untouched(data, network_folder):
    before = {path.name: path.read_bytes() for path in network_folder.iterdir()}
    learn(data, network_folder)
    assert {path.name: path.read_bytes() for path in network_folder.iterdir()} == before


def test_nearest_style(data, network_folder, tmp_path):
    """A painting that is what the network makes of a photo in a style is nearest to that style."""
    layout, kernels = load_network(network_folder / "network.safetensors")
    styles = trained_styles(network_folder)
    names = list(styles)
    settings = {
        "photos": str(data / "photos"),
        "layout": layout,
        "crop_size": 32,
        "batch_size": 1,
        "precision": "float32",
    }

    def trainer_for(painting):
        specs = (StyleSpec("new", str(painting), style_size=32),)
        config = TrainConfig(styles=specs, **settings)
        return build_trainer(config, vgg=small_vgg(), kernels=kernels), BatchSource(config).batch(0)

    painter, batch = trainer_for(data / "styles" / "waves.png")
    for name in names[1:]:
        painter.table.assign(1, styles[name].arrays["gamma"], styles[name].arrays["beta"])
        picture = to_array(painter({**batch, "mixing": np.array([[0, 1]], np.float32)}))[0]
        path = write_image(tmp_path / f"{name}.png", picture)
        trainer, _ = trainer_for(path)
        assert nearest_style(trainer, batch, styles).name == name


def test_progress(data, network_folder):
    calls = []
    learn(data, network_folder, steps=2, progress=lambda *call: calls.append(call))
    assert [call[:2] for call in calls] == [(1, 2), (2, 2)]
    assert calls[0][2].startswith("loss ")


def test_network_with_nothing_but_the_identity(data, network_folder, tmp_path):
    """There is no nearest style then, and the identity is what learning starts from."""
    (tmp_path / "network.safetensors").write_bytes(
        (network_folder / "network.safetensors").read_bytes()
    )
    identity = trained_styles(network_folder)["identity"]
    save_styles([identity], tmp_path / "styles.safetensors")
    assert learn(data, tmp_path).network == identity.network


def test_styles_of_another_network(data, network_folder, other_network_folder, tmp_path):
    for folder, name in (
        (network_folder, "network.safetensors"),
        (other_network_folder, "styles.safetensors"),
    ):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(CheckpointError, match="belong to another network than the one there"):
        learn(data, tmp_path)


def test_no_network(data, tmp_path):
    with pytest.raises(WeightsUnavailable, match="No cin network in"):
        learn(data, tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "identity"}, "each with its own name other than 'identity'"),
        ({"name": ""}, "`styles` needs at least one style, each with its own name"),
        ({"steps": 0}, "`steps` must be a whole number from 1 up. Received: 0"),
        ({"style_size": 8}, "`style_size` of style 'mine' must be a whole number from 32 up"),
        ({"style_weight": -1.0}, "`style_weight` of style 'mine' must be a number from 0 up"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be a number"),
    ],
)
def test_settings_that_make_no_sense(data, network_folder, options, message):
    with pytest.raises(InputError, match=message):
        learn(data, network_folder, **options)


def test_broken_painting(data, network_folder, tmp_path):
    (tmp_path / "broken.png").write_text("no painting")
    with pytest.raises(ImageError, match=r"broken\.png"):
        learn(data, network_folder, painting=tmp_path / "broken.png")


def test_no_photos(data, network_folder, tmp_path):
    with pytest.raises(InputError, match="holds no image file"):
        learn(data, network_folder, photos=tmp_path)
