"""The settings of a training run."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from small_runs import run
from small_training import NAMES, small_config

from arbitrary_nst.errors import ImageError, InputError
from arbitrary_nst.networks.cin.layout import CinLayout
from arbitrary_nst.training.config import StyleSpec, TrainConfig, check_config
from arbitrary_nst.training.reading import config_from_options, read_style_list


def test_config_round_trip(data, tmp_path):
    config = small_config(data, initial="models/é", layout=CinLayout((4, 8), skip_connections=True))
    config.save(tmp_path / "config.json")
    assert TrainConfig.load(tmp_path / "config.json") == config


def test_config_of_an_older_version(data, tmp_path):
    """Settings that a file does not have get their defaults."""
    values = asdict(small_config(data))
    del values["seed"], values["layout"]["noise_channels"]
    (tmp_path / "config.json").write_text(json.dumps(values))
    assert TrainConfig.load(tmp_path / "config.json") == small_config(data)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"styles": [], "layout": {}}', '{"unknown": 1}', "\x00\xff"]
)
def test_damaged_config(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"config.json is not a training configuration"):
        TrainConfig.load(path)


def test_missing_config(tmp_path):
    with pytest.raises(InputError, match="is not a training configuration"):
        TrainConfig.load(tmp_path / "config.json")


def test_style_list(tmp_path):
    path = tmp_path / "styles.json"
    path.write_text(
        '[{"name": "a", "file": "x.png", "style_weight": 4.0, "levels": [0.1, 1],'
        ' "crop": [0, 0, 0.5, 1]},'
        '{"name": "b", "file": "y"}]'
    )
    styles = read_style_list(path, "paintings", defaults={"style_weight": 8.0})
    assert styles == (
        StyleSpec(
            "a",
            str(Path("paintings/x.png")),
            style_weight=4.0,
            levels=(0.1, 1),
            crop=(0, 0, 0.5, 1),
        ),
        StyleSpec("b", str(Path("paintings/y")), style_weight=8.0),
    )


def test_folder_as_style_list(data):
    styles = read_style_list(None, data / "styles")
    assert [style.name for style in styles] == sorted(NAMES)
    assert styles[0].file == str(data / "styles" / "checks.png")


@pytest.mark.parametrize(
    "text", ["", "{}x", '{"name": "a"}', '[{"name": "a"}]', "[1]", '[{"f": 1}]']
)
def test_damaged_style_list(tmp_path, text):
    path = tmp_path / "styles.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"styles.json is not a style list. Expected a JSON list"):
        read_style_list(path, tmp_path)


def test_config_from_options(data):
    options = {
        "styles": str(data / "styles"),
        "photos": str(data / "photos"),
        "style_weight": 7.0,
        "channels": (8, 16),
        "steps": 5,
        "seed": None,
        "stop_at": 3,
    }
    config = config_from_options(options)
    assert (config.steps, config.seed, config.layout.channels) == (5, 0, (8, 16))
    assert {style.style_weight for style in config.styles} == {7.0}


def spec(**changes):
    return (StyleSpec(**{"name": "a", "file": "a.png", **changes}),)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"styles": ()}, "`styles` needs at least one style"),
        ({"styles": spec() + spec()}, "each with its own name other than 'identity'. Received"),
        ({"styles": spec(name="identity")}, "`styles` needs .* Received: \\['identity'\\]"),
        ({"styles": spec(name="")}, "`styles` needs"),
        ({"styles": spec(name="a\x00")}, "`name`"),
        ({"styles": spec(style_weight=-1)}, "`style_weight` of style 'a' must be a number from 0"),
        ({"styles": spec(style_size=16)}, "`style_size` of style 'a' must be a whole number fr"),
        ({"styles": spec(levels=(0.5, 0.52))}, "`levels` of style 'a' must be black and white"),
        ({"styles": spec(levels=(0.7, 0.2))}, "at least 0.05 apart. Received: .0.7, 0.2."),
        ({"styles": spec(levels=(0, "1"))}, "`levels` of style 'a'"),
        ({"styles": spec(levels=(0, 0.5, 1))}, "`levels` of style 'a'"),
        ({"styles": spec(crop=(0, 0, 1))}, "`crop` of style 'a' must be left, top, right and"),
        ({"styles": spec(crop=(0.5, 0, 0.5, 1))}, "Received: .0.5, 0, 0.5, 1."),
        ({"styles": spec(crop=(0, 0, 1, True))}, "`crop` of style 'a'"),
        ({"styles": spec(crop=(0, -0.1, 1, 1))}, "as in .0.1, 0, 0.9, 1.. Received"),
        ({"layout": CinLayout((8,))}, "`channels` of the layout needs 2 to 6 numbers"),
        ({"layout": CinLayout((0, 0, 0))}, "`channels` of the layout needs 2 to 6 numbers from 1"),
        ({"layout": CinLayout((8, 16), 0)}, "`num_residual_blocks` of the layout goes from 1 to"),
        ({"layout": CinLayout((8, 16), -1)}, "`num_residual_blocks` of the layout goes from 1 to"),
        ({"layout": CinLayout((8, 16), 65)}, "`num_residual_blocks` .* to 64. Received: 65"),
        ({"layout": CinLayout((8, 16), 1, 8)}, "`outer_kernel` of the layout is an odd number"),
        ({"layout": CinLayout((8, 16), 1, 33)}, "`outer_kernel` of the layout goes from 1 to 31"),
        ({"layout": CinLayout((8, 16), noise_channels=-1)}, "`noise_channels` .* from 0 to 1023"),
        ({"crop_size": 34}, "`crop_size` must be a multiple of 4, 32 at least. Received: 34"),
        ({"crop_size": 16}, "`crop_size` must be a multiple of 4, 32 at least. Received: 16"),
        ({"steps": 0}, "`steps` must be a whole number from 1 up. Received: 0"),
        ({"stability_weight": 1.0, "batch_size": 1}, "needs two photos a step at least"),
        ({"batch_size": 2.5}, "`batch_size` must be a whole number from 1 up. Received: 2.5"),
        ({"seed": -1}, "`seed` must be a whole number from 0 up"),
        ({"zoom": 0.5}, "`zoom` must be a number from 1 up. Received: 0.5"),
        ({"learning_rate": 0.0}, "`learning_rate` must be a number"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be a number"),
        ({"content_weight": "1"}, "`content_weight` must be a number from 0 up. Received: '1'"),
        ({"total_variation_weight": float("inf")}, "`total_variation_weight` must be a number"),
        ({"blend_share": 0.7, "identity_share": 0.5}, "and 1 at most together"),
        ({"strength_share": -0.1}, "must be 0 or more"),
        ({"strength_share": float("nan")}, "must be 0 or more"),
        ({"strength_share": {}}, "must be 0 or more"),
        ({"crop_size": "64"}, "`crop_size` must be a whole number from 1 up. Received: '64'"),
        ({"styles": (StyleSpec({}, "a.jpg"),)}, "`styles` needs at least one style"),
        ({"palette_weight": 2}, "`palette_weight` goes from 0 to 1. Received: 2."),
        ({"matched_parts": "0.5"}, "`matched_parts` goes from 0 to 1. Received: '0.5'"),
        ({"pooling": "median"}, "`pooling` is one of 'max', 'average'. Received: 'median'"),
        ({"precision": "float16"}, "`precision` is one of 'auto', 'float32', 'bfloat16'"),
    ],
)
def test_settings_that_cannot_work(data, changes, message):
    with pytest.raises(InputError, match=message):
        check_config(small_config(data, **changes))


@pytest.mark.parametrize("name", ["photos", "slim_weights", "initial"])
def test_what_is_no_path_is_said_where_it_is_read(data, tmp_path, name):
    small_config(data).save(tmp_path / "config.json")
    values = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**values, name: 5}))
    with pytest.raises(InputError, match="a name or a path is no text, but 5"):
        TrainConfig.load(tmp_path / "config.json")


@pytest.mark.parametrize("options", [{"stop_at": 0}, {"checkpoint_every": 0}])
def test_portions_that_cannot_work(data, tmp_path, options):
    with pytest.raises(InputError, match=f"`{next(iter(options))}` needs to be a whole number"):
        run(data, tmp_path, **options)


def test_broken_painting(data, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    styles = (StyleSpec("sunset", str(tmp_path / "broken.png")),)
    with pytest.raises(ImageError, match="style 'sunset'"):
        run(data, tmp_path / "out", settings={"styles": styles})


def test_broken_sample_photo(data, tmp_path):
    (tmp_path / "broken.png").write_text("no photo")
    with pytest.raises(ImageError, match="broken.png"):
        run(data, tmp_path / "out", sample_photos=[tmp_path / "broken.png"])
    assert not (tmp_path / "out").exists()
