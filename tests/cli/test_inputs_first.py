"""What cannot be read is refused before an engine reads its network, or downloads it."""

import pytest
from PIL import Image

from arbitrary_nst.cli import main
from arbitrary_nst.image import to_pil

VGG19 = "--engine vgg19 --iterations 1"
MAGENTA = "--engine magenta --style-scale 2"


@pytest.fixture
def folder(network, photo, tmp_path, monkeypatch):
    """The current folder, with a photo in it, and engines that must not begin."""
    monkeypatch.chdir(tmp_path)
    to_pil(photo).save("photo.png")
    (tmp_path / "photos").mkdir()
    to_pil(photo).save("photos/a.png")
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
    frames[0].save("clip.gif", save_all=True, append_images=frames[1:])
    (tmp_path / "broken.png").write_bytes((tmp_path / "photo.png").read_bytes()[:99])
    (tmp_path / "broken.safetensors").write_bytes(b"\xff" * 40)

    def download(*_, **__):
        pytest.fail("the network was asked for")

    monkeypatch.setattr("arbitrary_nst.networks.vgg_download._fetch", download)
    monkeypatch.setattr("arbitrary_nst.networks.magenta.hub._resolve", download)
    monkeypatch.setattr("arbitrary_nst.engines.vgg19.engine.load_vgg19", download)
    monkeypatch.delenv("ARBITRARY_NST_VGG19")
    monkeypatch.delenv("ARBITRARY_NST_MAGENTA")
    return tmp_path


LINES = [
    "stylize photo.png -s broken.png -o out.png",
    "stylize photo.png -s photo.png -s broken.safetensors -o out.png",
    "stylize photo.png -s nope -o out.png",
    "stylize broken.png -s photo.png -o out.png",
    "stylize none.png -s photo.png -o out.png",
    "batch photos out -s broken.png",
    "video clip.gif -s broken.png -o out.gif",
    "video clip.gif --keyframe 0:photo.png --keyframe 1:broken.png -o out.gif",
    "embed photo.png broken.png -o out.safetensors",
    "embed photo.png none.png -o out.safetensors",
]
ENGINES = [VGG19, MAGENTA, "--engine vgg19", "--engine magenta"]
CASES = [f"{line} {engine}" for line in LINES for engine in ENGINES]


@pytest.mark.parametrize("line", [c for c in CASES if not ("vgg19" in c and c.startswith("video"))])
def test_before_a_download(folder, capsys, line):
    assert main(line.split()) == 2
    said = capsys.readouterr().err
    assert any(name in said for name in ("broken", "nope", "none.png")), said
    assert not list(folder.glob("out*"))


@pytest.mark.parametrize(
    "line",
    [
        "stylize photo.png -s scream -o out.png/",
        "styles --sheet out.png/",
        "embed scream -o out.safetensors/",
        "blend scream -o out.safetensors/",
        "video clip.gif -s scream -o out.gif/",
    ],
)
def test_a_slash_at_the_end_means_a_folder(folder, capsys, line):
    """Python's paths drop it, and a file would appear where a folder was meant."""
    assert main(line.split()) == 2
    assert "is that of a folder: it ends in '/'" in capsys.readouterr().err
    assert not list(folder.glob("out*"))
