"""The parts of `figures.py`: which commands make which files, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Part:
    """A picture or table, or a few that one command makes.

    `minutes` are those of two cores with nothing else to do. What is `costly`, or holds `times`,
    which need a machine with nothing else to do, may be older than the network that ships; the
    texts then say with which it was made. Pictures and scores depend on the network and its named
    styles, those in the style of an image on the predictor and its refinement instead, times on
    the layout alone, and some on nothing of it.
    """

    minutes: int
    files: tuple[str, ...]
    commands: tuple[str, ...]
    needs: tuple[str, ...] = ()
    costly: bool = False
    times: bool = False
    depends_on: Literal["styles", "predictor", "layout", "nothing"] = "styles"
    environment: tuple[tuple[str, str], ...] = ()


LIST = "models/cin/training-styles.json"
UNSEEN = "docs/data/unseen-paintings.json"
GALLERY_PHOTOS = " ".join(f"{{PHOTOS}}/kodim{n}.jpg" for n in ("04", "07", "21", "23"))
# Of the six paintings by four photos of the galleries of magenta and vgg19.
SIX = "starry-night great-wave scream the-kiss composition-vii udnie"


def _images(*names: str) -> tuple[str, ...]:
    return tuple(f"docs/images/{name}" for name in names)


def _data(*names: str) -> tuple[str, ...]:
    return tuple(f"docs/data/{name}" for name in names)


PARTS = {
    "readme": Part(
        1,
        _images("hero.jpg", "blend-strip.jpg", "strength-strip.jpg", "styles.jpg"),
        ("python examples/readme_pictures.py --photos {PHOTOS} --out docs/images",),
        ("PHOTOS",),
    ),
    "strips": Part(
        1,
        _images("blend-strips.jpg"),
        (
            "python examples/blend_strip.py {PHOTOS}/kodim07.jpg great-wave:composition-vii "
            "starry-night:roman-mosaic scream:water-lilies the-kiss:blue-horses udnie:cubist-ochre "
            "shipwreck:woman-with-a-hat -o docs/images/blend-strips.jpg",
        ),
        ("PHOTOS",),
    ),
    "gallery": Part(
        1,
        _images("cin-gallery.jpg", "cin-blend.jpg"),
        (
            "python examples/painting_gallery.py -o docs/images --only gallery blend "
            f"--photos {GALLERY_PHOTOS} --paintings "
            "{MORE}/albrecht-durer-young-hare.jpg "
            "{MORE}/gustav-klimt-adele-bloch-bauer-i.jpg {MORE}/egon-schiele-four-trees.jpg "
            "{MORE}/giuseppe-arcimboldo-vertumnus.jpg {MORE}/henri-matisse-goldfish.jpg "
            "{MORE}/pieter-bruegel-the-hunters-in-the-snow.jpg "
            "{MORE}/francis-picabia-edtaonisl.jpg {MORE}/kitagawa-utamaro-three-beauties.jpg",
        ),
        ("PHOTOS", "MORE"),
        depends_on="predictor",
    ),
    "regions": Part(
        2,
        (*_images("regions.jpg", "scale.jpg", "passes.jpg"), *_data("regions.json")),
        (
            "python examples/regions_and_scale.py {PHOTOS}/kodim21.jpg {LARGE} --horizon 0.5 "
            "-o docs/images --json docs/data/regions.json",
        ),
        ("PHOTOS", "LARGE"),
    ),
    "demo": Part(
        2,
        _images("demo-laptop.jpg", "demo-phone.jpg", "demo-dark.jpg", "demo-between.jpg"),
        ("python -m pytest -m slow -k shots tests/demo",),
        environment=(("ARBITRARY_NST_SCREENSHOTS", "docs/images"),),
    ),
    "blends": Part(
        2,
        _data("blends.json"),
        (
            "python benchmarks/blends.py --photos {PHOTOS}/kodim04.jpg {PHOTOS}/kodim07.jpg "
            "{PHOTOS}/kodim21.jpg {PHOTOS}/kodim23.jpg --size 256 --json docs/data/blends.json",
        ),
        ("PHOTOS",),
    ),
    "speed": Part(
        2,
        _data("speed.csv"),
        ("python benchmarks/stylize.py --csv docs/data/speed.csv",),
        depends_on="layout",
        times=True,
    ),
    "images": Part(
        1,
        _data("images.csv"),
        (
            "python benchmarks/images.py {MORE}/henri-matisse-goldfish.jpg "
            "--csv docs/data/images.csv",
        ),
        ("MORE",),
        depends_on="predictor",
        times=True,
    ),
    "cold": Part(
        3,
        _data("cold.csv"),
        (
            "python benchmarks/cold.py --sizes 256 512 1024 2048 --styles name "
            "--runtimes auto tensorflow --warm 0 --csv docs/data/cold.csv",
        ),
        depends_on="layout",
        times=True,
    ),
    "latency": Part(
        2,
        _data("latency.csv"),
        ("python benchmarks/demo.py --csv docs/data/latency.csv",),
        depends_on="layout",
        times=True,
    ),
    "scores": Part(
        5,
        _data("evaluate.csv"),
        (
            "arbitrary-nst evaluate --photos {PHOTOS} --limit 6 --styles {PAINTINGS} "
            f"--style-list {LIST} --engine cin --engine magenta --csv docs/data/evaluate.csv",
        ),
        ("PHOTOS", "PAINTINGS", "ARBITRARY_NST_VGG19", "ARBITRARY_NST_MAGENTA"),
    ),
    "fit": Part(
        4,
        _data("fit.csv"),
        (
            "python benchmarks/scores.py --photos {PHOTOS}/kodim01.jpg {PHOTOS}/kodim02.jpg "
            f"--styles {{PAINTINGS}} --style-list {LIST} --fit-steps 10 --csv docs/data/fit.csv",
        ),
        ("PHOTOS", "PAINTINGS", "ARBITRARY_NST_VGG19"),
    ),
    "unseen": Part(
        4,
        _data("evaluate-unseen.csv"),
        (
            "python benchmarks/scores.py --photos {PHOTOS}/kodim20.jpg {PHOTOS}/kodim23.jpg "
            f"--styles {{MANY}} --style-list {UNSEEN} --engines cin magenta "
            "--csv docs/data/evaluate-unseen.csv",
        ),
        ("PHOTOS", "MANY", "ARBITRARY_NST_VGG19", "ARBITRARY_NST_MAGENTA"),
        depends_on="predictor",
    ),
    "predicted": Part(
        2,
        _data("evaluate-predicted.csv"),
        (
            "python benchmarks/scores.py --photos {PHOTOS}/kodim20.jpg {PHOTOS}/kodim23.jpg "
            f"--styles {{MANY}} --style-list {UNSEEN} --refine-steps 0 "
            "--csv docs/data/evaluate-predicted.csv",
        ),
        ("PHOTOS", "MANY", "ARBITRARY_NST_VGG19"),
        depends_on="predictor",
    ),
    "pairs": Part(
        2,
        _data("evaluate-pairs.csv"),
        (
            f"python benchmarks/scores.py --photos {GALLERY_PHOTOS} --styles {{PAINTINGS}} "
            f"--style-list {LIST} --names {SIX} --engines cin magenta "
            "--csv docs/data/evaluate-pairs.csv",
        ),
        ("PHOTOS", "PAINTINGS", "ARBITRARY_NST_VGG19", "ARBITRARY_NST_MAGENTA"),
        costly=True,
    ),
    "export": Part(
        4,
        _data("export.csv"),
        ("python benchmarks/export.py --photo {PHOTOS}/kodim04.jpg --csv docs/data/export.csv",),
        ("PHOTOS",),
        depends_on="layout",
        times=True,
    ),
    "engines": Part(
        6,
        _images("engines.jpg"),
        (
            "python examples/compare_engines.py --photo {PHOTOS}/kodim04.jpg --styles {PAINTINGS} "
            f"--style-list {LIST} --names starry-night composition-vii roman-mosaic the-kiss "
            "-o docs/images/engines.jpg",
        ),
        ("PHOTOS", "PAINTINGS", "ARBITRARY_NST_VGG19", "ARBITRARY_NST_MAGENTA"),
        costly=True,
    ),
    "large": Part(
        8,
        (*_images("large.png"), *_data("large.csv")),
        (
            "python benchmarks/large.py --megapixels 1 4 8.3 25 50 100 "
            "--plot docs/images/large.png --csv docs/data/large.csv",
        ),
        costly=True,
        depends_on="layout",
        times=True,
    ),
    "huge": Part(
        5,
        _images("huge.jpg"),
        (
            "python examples/regions_and_scale.py {PHOTOS}/kodim21.jpg {LARGE} --only huge "
            "--huge 100 -o docs/images",
        ),
        ("PHOTOS", "LARGE"),
        costly=True,
    ),
    "video": Part(
        10,
        (*_images("video-strip.jpg"), *_data("video.csv")),
        (
            "python benchmarks/video.py {CLIPS}/fox.mp4 {CLIPS}/car-detection.mp4 --frames 80 "
            "--csv docs/data/video.csv",
            "python benchmarks/video.py {CLIPS}/fox.mp4 --strip docs/images/video-strip.jpg "
            "--start 30 --size 320 --steady 0 0.7",
        ),
        ("CLIPS",),
        costly=True,
    ),
    "batch": Part(
        20,
        _data("batch-stages.csv", "batch-ways.csv"),
        (
            "python benchmarks/batch.py --photos {PHOTOS} --size 512 --rounds 3 "
            "--csv docs/data/batch",
        ),
        ("PHOTOS",),
        costly=True,
        depends_on="layout",
        times=True,
    ),
    "magenta": Part(
        8,
        (
            *_images("magenta-gallery.jpg", "magenta-blend.jpg", "magenta-strength.jpg"),
            *_data("magenta.csv"),
        ),
        (
            "python examples/painting_gallery.py --engine magenta -o docs/images "
            f"--photos {GALLERY_PHOTOS} --paintings "
            "{PAINTINGS}/vincent-van-gogh-the-starry-night.jpg "
            "{PAINTINGS}/wassily-kandinsky-composition-vii.jpg "
            "{PAINTINGS}/katsushika-hokusai-the-great-wave.jpg "
            "{PAINTINGS}/edvard-munch-the-scream.jpg {PAINTINGS}/gustav-klimt-the-kiss.jpg "
            "{PAINTINGS}/francis-picabia-udnie.jpg",
            "python benchmarks/magenta.py --photos {PHOTOS}/kodim04.jpg --paintings "
            "{PAINTINGS}/edvard-munch-the-scream.jpg --size 512 --csv docs/data/magenta.csv",
        ),
        ("PHOTOS", "PAINTINGS", "ARBITRARY_NST_MAGENTA"),
        costly=True,
        depends_on="nothing",
    ),
    "install": Part(
        6,
        _data("install.json"),
        ("python benchmarks/install.py --json docs/data/install.json",),
        costly=True,
        depends_on="nothing",
    ),
}

# Records of what was done once, and pictures in which no network of ours has a share.
RECORDS = {
    "training-curves.png": "the losses of a training that is over",
    "predictor-curves.png": "the losses of a training that is over",
    "vgg19-looks.jpg": "twelve pairs by cin and vgg19, half an hour (benchmarks/vgg19_looks.py)",
    "vgg19-before.jpg": "the same pairs as they were before",
    "vgg19-gallery.jpg": "vgg19 alone, 18 pictures, 20 minutes (examples/vgg19_gallery.py)",
    "vgg19-blend.jpg": "vgg19 alone, by the same",
    "vgg19-peers.jpg": "vgg19 beside two recipes, by vgg19_looks.py",
    "vgg19-pooling.jpg": "vgg19 alone",
}
