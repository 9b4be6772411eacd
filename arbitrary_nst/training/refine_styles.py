"""Named styles fitted once more when a network is trained, on many photos.

The training's losses ask much at once: all layers of VGG19, flat parts by themselves, repeats.
Where they pull against each other a style may settle for a net of one motif. Here its vector alone
follows the Gram matrices of the predictor's convolutions, as a predicted one does in `Cin.embed`,
and the drawing of the photo, not its colours; the network stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from arbitrary_nst.checkpoints import STYLES_FILE
from arbitrary_nst.common.atomic import check_target
from arbitrary_nst.common.checks import check_share, positive_int, whole_number
from arbitrary_nst.embedding import save_styles
from arbitrary_nst.engines.cin import MIN_CONTENT_SIDE, Cin
from arbitrary_nst.engines.cin.sizes import grown
from arbitrary_nst.engines.cin.targets import fit_photo, load_targets, target_grams
from arbitrary_nst.errors import StyleError
from arbitrary_nst.image import load_image
from arbitrary_nst.pipeline.arguments import Progress
from arbitrary_nst.training.reading import find_images

LEARNING_RATE = 0.01  # a third of that for one photo, since each step sees another
CONTENT_WEIGHT = 0.03  # of the photo in the picture's colours; see docs/training.md
SHARE = 0.5


def refine_styles(
    network: str | os.PathLike[str],
    photos: str | os.PathLike[str],
    *,
    names: Sequence[str] = (),
    steps: int = 60,
    share: float = SHARE,
    seed: int = 0,
    progress: Progress = lambda done, total, message: None,
) -> Path:
    """Fits the vectors of named styles to their paintings, each step on another photo.

    Args:
        network: its folder, with predictor and targets; `styles.safetensors` is written anew.
        photos: folder of photos.
        names: of the styles; default all that have a target.
        steps: of the optimiser for each style.
        share: how far the vectors go from what they were to what is found, in `[0, 1]`. The first
            half of the way brings most of the style for less of the drawing.
        seed: of the photos that are drawn, and of the noise.
        progress: called as progress(done, total, style) after each style.

    Returns:
        The file of the styles.

    Raises:
        WeightsUnavailable: no network in the folder, or no targets.
        CheckpointError: its files are damaged, or belong to different networks.
        StyleError: a name that is no style with a target.
        InputError: no photos, numbers out of range, or the styles' file cannot be written.
    """
    positive_int(steps, "steps")
    check_share(share, "share")
    whole_number(seed, "seed")
    engine = Cin(network, runtime="tensorflow")
    targets = load_targets(engine.folder, engine.network)
    unknown = [name for name in names if name not in targets]
    if unknown:
        raise StyleError(
            f"There is no target for the style {unknown[0]!r}. Known are: {', '.join(targets)}."
        )
    path = engine.folder / STYLES_FILE
    check_target(path)  # now, not after minutes
    files = find_images(Path(photos))
    order = np.random.default_rng(seed).permutation(len(files))[:steps]
    drawn = [_photo(files[index], engine.layout.multiple) for index in order]
    chosen = list(names) or [name for name in targets if name in engine.styles]
    styles = dict(engine.styles)
    refiner = engine.make_refiner(content_weight=CONTENT_WEIGHT, recolor=True)
    for done, name in enumerate(chosen, start=1):
        before = styles[name].arrays
        found = refiner(
            target_grams(targets[name]),
            before,
            drawn,
            steps,
            seed=seed,
            learning_rate=LEARNING_RATE,
        )
        moved = {key: old + np.float32(share) * (found[key] - old) for key, old in before.items()}
        styles[name] = replace(styles[name], arrays=moved)
        progress(done, len(chosen), name)
    save_styles(list(styles.values()), path)
    return path


def _photo(file: Path, multiple: int) -> np.ndarray:
    """A photo at the size that vectors are fitted at, grown to sides that the network takes."""
    small = fit_photo(load_image(file, role="photo")[0], MIN_CONTENT_SIDE)
    return grown(small[None], multiple)[0]
