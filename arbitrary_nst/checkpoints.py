"""Where network weights come from: an argument, the environment, or the package itself."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from arbitrary_nst.embedding import Embedding, load_styles
from arbitrary_nst.errors import CheckpointError, WeightsUnavailable

IDENTITY = "identity"
CIN_VARIABLE = "ARBITRARY_NST_CIN"
MAGENTA_VARIABLE = "ARBITRARY_NST_MAGENTA"
MAGENTA_URL = "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2"
VGG19_VARIABLE = "ARBITRARY_NST_VGG19"
NETWORK_FILE = "network.safetensors"
STYLES_FILE = "styles.safetensors"
PREDICTOR_FILE = "predictor.safetensors"  # of styles from images; not every network has one
TARGETS_FILE = "targets.safetensors"  # Gram matrices of the styles' paintings, likewise
PHOTOS_FILE = "reference-photos.png"  # square photos side by side, which vectors are fitted on


def cin_folder(folder: str | os.PathLike[str] | None = None) -> Path:
    """The folder of the cin network: `folder`, `$ARBITRARY_NST_CIN`, or the packaged one.

    Raises:
        WeightsUnavailable: the folder lacks the network or its styles.
    """
    chosen = folder or os.environ.get(CIN_VARIABLE)
    candidates = [Path(chosen)] if chosen else [folder / "cin" for folder in _models_folders()]
    for candidate in candidates:
        if (candidate / NETWORK_FILE).is_file() and (candidate / STYLES_FILE).is_file():
            return candidate
    raise WeightsUnavailable(
        f"No cin network in {candidates[0]}: expected {NETWORK_FILE} and {STYLES_FILE}, as "
        f"`arbitrary-nst train --out FOLDER` writes them. Without the option and {CIN_VARIABLE} "
        f"the packaged network is used; if that is missing, reinstall the package."
    )


def reference_photos() -> Path:
    """The file of the reference photos, square ones side by side.

    Raises:
        WeightsUnavailable: it is missing in the package.
    """
    for models in _models_folders():
        if (models / PHOTOS_FILE).is_file():
            return models / PHOTOS_FILE
    raise WeightsUnavailable(f"The package lacks the file {PHOTOS_FILE}. Reinstall it.")


def _models_folders() -> list[Path]:
    # In a checkout `models/` lies beside the package, in the wheel inside it.
    package = Path(__file__).parent
    return [package / "models", package.parent / "models"]


def predicts_styles(folder: str | os.PathLike[str] | None = None) -> bool:
    """Whether a cin network comes with a predictor, so that it takes images as styles.

    Raises:
        WeightsUnavailable: see `cin_folder`.
    """
    return (cin_folder(folder) / PREDICTOR_FILE).is_file()


def trained_styles(folder: str | os.PathLike[str] | None = None) -> Mapping[str, Embedding]:
    """The styles that a cin network was trained with, by name, its identity among them.

    Reads one small file, when it is new or has changed, and needs no TensorFlow.

    Raises:
        WeightsUnavailable: see `cin_folder`.
        EmbeddingError: the file of the styles is damaged.
        CheckpointError: the identity style is missing.
    """
    path = cin_folder(folder) / STYLES_FILE
    status = path.stat()
    return _styles_of(path.absolute(), status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=4)  # of the networks in use; a page with sliders asks at every move
def _styles_of(path: Path, mtime_ns: int, size: int) -> Mapping[str, Embedding]:
    """The styles of a file that was written at that time and is that large."""
    styles = load_styles(path)
    if IDENTITY not in styles:
        raise CheckpointError(f"{path} lacks the style {IDENTITY!r}, which `strength` needs.")
    return MappingProxyType(styles)


def magenta_source(source: str | os.PathLike[str] | None = None) -> str:
    """Where Magenta's network comes from: `source`, `$ARBITRARY_NST_MAGENTA`, or its URL."""
    return os.fspath(source or os.environ.get(MAGENTA_VARIABLE) or MAGENTA_URL)


def vgg19_weights(path: str | os.PathLike[str] | None = None) -> str:
    """What to load VGG19 from: `path`, `$ARBITRARY_NST_VGG19`, or "imagenet" for the download.

    Raises:
        WeightsUnavailable: the file does not exist.
    """
    chosen = path or os.environ.get(VGG19_VARIABLE)
    if not chosen or str(chosen) == "imagenet":
        return "imagenet"
    if not Path(chosen).is_file():
        raise WeightsUnavailable(
            f"There is no VGG19 weights file {os.fspath(chosen)!r}. Expected the path of "
            f"vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5 (80 MB), or nothing at all: then "
            f"it is downloaded and kept."
        )
    return os.fspath(chosen)
