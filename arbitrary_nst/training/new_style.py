"""One more style for a trained network: only the style's vector is learned.

Reference: Dumoulin, Shlens, Kudlur 2017, section 3.2: a new style is a few thousand numbers in a
network whose convolutions stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from arbitrary_nst.checkpoints import (
    IDENTITY,
    NETWORK_FILE,
    cin_folder,
    predicts_styles,
    trained_styles,
)
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines.cin import STYLE_SIZE, Cin
from arbitrary_nst.errors import CheckpointError
from arbitrary_nst.networks.cin.file import load_network, network_id
from arbitrary_nst.networks.losses import style_loss
from arbitrary_nst.pipeline.arguments import Progress
from arbitrary_nst.training.config import StyleSpec, TrainConfig, check_config
from arbitrary_nst.training.data import BatchSource, load_painting
from arbitrary_nst.training.report import RunningMeans
from arbitrary_nst.training.statistics import NUM_GRAMS, style_statistics, to_array
from arbitrary_nst.training.train import build_trainer, take_step
from arbitrary_nst.training.trainer import StyleTrainer

# Those of the packaged network's last stage (docs/training.md), for a single painting.
LAST_STAGE: dict[str, Any] = {
    "content_weight": 2.3,
    "drawing_weight": 1.5,
    "palette_weight": 1.0,
    "light_weight": 0.5,
    "detailed_weight": 0.7,
    "flat_weight": 0.5,
    "matched_parts": 0.4,
    "tone_weight": 0.6,
    "shift_weight": 1.2,
    "total_variation_weight": 0.5,
    "zoom": 1.3,
    "crop_size": 256,
    "batch_size": 2,
}


def learn_style(
    image: str | os.PathLike[str],
    name: str,
    photos: str | os.PathLike[str],
    *,
    network: str | os.PathLike[str] | None = None,
    steps: int = 400,
    learning_rate: float = 5e-3,
    style_weight: float = 8.0,
    style_size: int = 512,
    vgg: keras.Model | None = None,
    vgg_weights: str | None = None,
    seed: int = 0,
    progress: Progress = lambda done, total, message: None,
) -> Embedding:
    """Learns the embedding of a painting for a network that has never seen it.

    Starts from what the network's predictor says of the painting, if it has one, or from a trained
    style: whichever is nearest, by the style loss of its pictures.

    Args:
        image: the painting.
        name: short name of the new style.
        photos: folder of content photos, a few dozen at least.
        network: folder of the network; default the packaged one.
        steps: optimiser steps.
        learning_rate: Adam's, after the warm-up, before the cosine decay.
        style_weight: of the style loss against the content loss.
        style_size: longer side in pixels at which the painting is looked at.
        vgg: loss network; by default the full VGG19 from `vgg_weights`.
        vgg_weights: "imagenet", for Keras' download, or a file, as `load_vgg19` takes them.
            Default: `$ARBITRARY_NST_VGG19`, then "imagenet".
        seed: of the photos' draws.
        progress: called as progress(step, steps, losses).

    Returns:
        The embedding, of the engine "cin" and this network.

    Raises:
        InputError: the painting or the photos cannot be read, or settings make no sense.
        WeightsUnavailable: no network, or no VGG19.
    """
    folder = cin_folder(network)
    layout, kernels = load_network(folder / NETWORK_FILE)
    styles = trained_styles(folder)
    if any(embedding.network != network_id(kernels) for embedding in styles.values()):
        raise CheckpointError(
            f"The styles in {folder} belong to another network than the one there."
        )
    spec = StyleSpec(name, os.fspath(image), Path(image).name, style_weight, style_size)
    config = TrainConfig(
        styles=(spec,),
        photos=os.fspath(photos),
        layout=layout,
        steps=steps,
        learning_rate=learning_rate,
        **LAST_STAGE,
        blend_share=0.0,
        strength_share=0.0,
        identity_share=0.0,
        seed=seed,
    )
    check_config(config)
    source = BatchSource(config)
    trainer = build_trainer(config, vgg=vgg, vgg_weights=vgg_weights, kernels=kernels)
    known = {style: e for style, e in styles.items() if style != IDENTITY}
    known = known or dict(styles)
    if predicts_styles(folder):
        # Looked at as large as for the losses here, as far as the engine goes.
        scale = min(max(style_size / STYLE_SIZE, 0.25), 4.0)
        known["as predicted"] = Cin(folder, style_scale=scale).embed(load_painting(spec))
    start = nearest_style(trainer, source.batch(0), known)
    trainer.table.assign(1, start.arrays["gamma"], start.arrays["beta"])

    means = RunningMeans()
    for step, batch in enumerate(source.batches(0, steps), start=1):
        progress(step, steps, means.add(take_step(trainer, batch, step)))
    gamma, beta = (to_array(v)[0] for v in trainer.table(np.eye(2, dtype="f4")[1:]))
    learned = {"gamma": gamma, "beta": beta}
    return Embedding("cin", network_id(kernels), learned, name=name, source=spec.source)


def nearest_style(
    trainer: StyleTrainer, batch: Mapping[str, np.ndarray], known: Mapping[str, Embedding]
) -> Embedding:
    """The embedding whose pictures of a batch come closest to the style that `trainer` is for."""
    count = len(batch["content"])
    targets = trainer.target_statistics(np.eye(2, dtype="f4")[1:])
    losses = {}
    for name, embedding in known.items():
        trainer.table.assign(1, embedding.arrays["gamma"], embedding.arrays["beta"])
        picture = trainer({**batch, "mixing": np.eye(2, dtype="f4")[[1] * count]})
        statistics = style_statistics(picture, trainer.vgg(picture))[:NUM_GRAMS]
        losses[name] = float(ops.mean(style_loss(statistics, targets[:NUM_GRAMS])))
    return known[min(losses, key=losses.__getitem__)]
