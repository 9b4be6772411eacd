"""The predictor of a trained network fitted once more, by the loss of the refinement.

A predicted vector is refined by a few steps on four photos (`LightRefiner`), and what these steps
change is much alike from one painting to the next: so most of it can be known beforehand. Here the
predictor's dense layers learn from the gradients that the refinement follows, on many paintings and
photos. The network stays as it is, and so do the predictor's convolutions, of whose features the
loss is made.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from arbitrary_nst.checkpoints import NETWORK_FILE, PREDICTOR_FILE
from arbitrary_nst.common.atomic import check_target, write_bytes
from arbitrary_nst.common.checks import check_share, positive_int, positive_number, whole_number
from arbitrary_nst.common.keras_on_tensorflow import keras
from arbitrary_nst.engines.cin.photos import square_photos
from arbitrary_nst.engines.cin.sizes import as_looked_at
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import load_image
from arbitrary_nst.networks.cin.file import load_network, network_id
from arbitrary_nst.networks.predictor.file import load_predictor, predictor_bytes
from arbitrary_nst.networks.predictor.layout import DENSE_RATES
from arbitrary_nst.networks.predictor.light import LightPredictor
from arbitrary_nst.networks.predictor.light_refiner import LightRefiner
from arbitrary_nst.networks.predictor.network import trunk_of
from arbitrary_nst.networks.vgg import gram_matrix
from arbitrary_nst.pipeline.arguments import Progress
from arbitrary_nst.training.config import PaintingSpec
from arbitrary_nst.training.data import photo_rows
from arbitrary_nst.training.paintings import draw_files
from arbitrary_nst.training.reading import find_images

NUM_PHOTOS = 64
NUM_PAINTINGS = 1000  # at most; half a megabyte each is kept of them
LEARNING_RATE = 0.001  # of Adam, falling to zero
SHARE = 0.5
SHOWN = 50  # steps whose mean loss is told


@dataclass(frozen=True)
class _Painting:
    """What the predictor sees of it: numbers (1, N) for the dense layers, and Gram matrices."""

    pooled: np.ndarray
    grams: list[np.ndarray]


def refine_predictor(
    network: str | os.PathLike[str],
    paintings: Sequence[PaintingSpec],
    photos: str | os.PathLike[str],
    *,
    steps: int = 1500,
    batch_size: int = 4,
    learning_rate: float = LEARNING_RATE,
    share: float = SHARE,
    seed: int = 0,
    progress: Progress = lambda done, total, message: None,
) -> Path:
    """Fits the dense layers of a network's predictor to what the refinement asks for.

    Args:
        network: its folder, with a predictor; `predictor.safetensors` is written anew at the end.
        paintings: that it learns from, drawn as in training, `NUM_PAINTINGS` at most.
        photos: folder of photos.
        steps: of the optimiser.
        batch_size: paintings a step, each on a photo of its own.
        learning_rate: of Adam (Kingma, Ba 2015) at its beginning.
        share: how far the numbers go from what they were to what is learned, in `[0, 1]`. All the
            way, the loss is lower, but VGG19's over parts of the picture, which had its say before,
            is higher; half-way it is not (Wortsman et al. 2022, "Robust fine-tuning of zero-shot
            models").
        seed: of all draws, and of the network's noise.
        progress: called as progress(done, total, message) for each painting that was looked at and
            after each step.

    Returns:
        The predictor's file.

    Raises:
        CheckpointError: a file of the network is missing, damaged, or of another network.
        ImageError: a painting or a photo cannot be read.
        InputError: no photos, numbers out of range, the predictor's file cannot be written, or the
            loss became NaN or infinite.
    """
    positive_int(steps, "steps")
    positive_int(batch_size, "batch_size")
    positive_number(learning_rate, "learning_rate")
    check_share(share, "share")
    whole_number(seed, "seed")
    folder, rng = Path(network), np.random.default_rng(seed)
    files = find_images(Path(photos))
    layout, kernels = load_network(folder / NETWORK_FILE)
    path, own = folder / PREDICTOR_FILE, network_id(kernels)
    check_target(path)  # now, not after an hour
    predictor = load_predictor(path, layout.style_size, own)
    light = LightPredictor(path, layout.style_size, own)
    refiner = LightRefiner(layout, kernels, light)
    side = len(square_photos()[0])
    drawn = [files[i] for i in rng.permutation(len(files))[:NUM_PHOTOS]]
    inputs = [refiner.inputs(photo, i) for i, photo in enumerate(photo_rows(drawn, side))]
    chosen = draw_files(paintings, NUM_PAINTINGS, rng)
    total, seen = len(chosen) + steps, []
    for painting in _looked_at(predictor, chosen):
        seen.append(painting)
        progress(len(seen), total, "looking at paintings")
    order = _shuffled(len(seen), rng)

    def slopes(painting: _Painting, vector: np.ndarray) -> tuple[float, np.ndarray]:
        """Loss of a predicted vector on some photo, and its gradient by the vector."""
        gamma, beta = np.split(vector, 2)
        photo = inputs[int(rng.integers(len(inputs)))]
        loss, *by_halves = refiner.slopes(painting.grams, 1 + gamma, beta, photo)
        return float(loss), np.concatenate(by_halves)

    head = keras.Sequential([predictor.get_layer(name) for name in DENSE_RATES])
    variables = [weight for layer in head.layers for weight in layer.trainable_variables]
    before = [variable.numpy() for variable in variables]
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps))
    losses: deque[float] = deque(maxlen=SHOWN * batch_size)
    for step in range(1, steps + 1):
        batch = [seen[next(order)] for _ in range(batch_size)]
        with tf.GradientTape() as tape:
            vectors = head(np.concatenate([painting.pooled for painting in batch]))
        found = [slopes(*pair) for pair in zip(batch, vectors.numpy(), strict=True)]
        losses.extend(loss for loss, _ in found)
        gradients = np.stack([gradient for _, gradient in found]) / batch_size
        if not np.isfinite(gradients).all():
            raise InputError(
                f"The loss is not finite any more at step {step}; {path} stays as it was. Expected "
                f"a `learning_rate` that it bears. Received: {learning_rate}."
            )
        adam.apply(tape.gradient(vectors, variables, output_gradients=gradients), variables)
        progress(len(seen) + step, total, f"loss {np.mean(losses):.4f}")
    for variable, old in zip(variables, before, strict=True):
        variable.assign(old + share * (variable.numpy() - old))
    write_bytes(path, predictor_bytes(predictor, light.layout, own))
    return path


def _looked_at(predictor: keras.Model, files: Sequence[str]) -> Iterator[_Painting]:
    """Of each painting what the predictor sees at the size at which styles are looked at."""
    trunk = trunk_of(predictor)
    model = keras.Model(predictor.input, [predictor.get_layer("standard").output, *trunk.outputs])

    @tf.function(input_signature=[tf.TensorSpec((1, None, None, 3))])
    def look(image):
        pooled, *features = model(image)
        return pooled, [gram_matrix(f)[0] for f in features]

    for file in files:
        pooled, grams = look(as_looked_at(load_image(file, role="painting")[0], 1.0)[None])
        yield _Painting(pooled.numpy(), [gram.numpy() for gram in grams])


def _shuffled(count: int, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from (int(index) for index in rng.permutation(count))
