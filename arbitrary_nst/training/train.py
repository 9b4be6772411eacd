"""The training program: a loop over batches that can stop and go on at any step."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np

from arbitrary_nst.checkpoints import vgg19_weights
from arbitrary_nst.common.alone import alone_in
from arbitrary_nst.common.checks import positive_int
from arbitrary_nst.common.ending import held_interrupts
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import save_image
from arbitrary_nst.networks.predictor.start import standardize, start_trunk
from arbitrary_nst.networks.vgg import load_vgg19
from arbitrary_nst.networks.vgg_slim import load_vgg_slim
from arbitrary_nst.pipeline.arguments import Progress
from arbitrary_nst.training.checkpoint import (
    CHECKPOINT_FILE,
    assign_kernels,
    averaged,
    load_checkpoint,
    save_checkpoint,
    start_from,
    write_network,
)
from arbitrary_nst.training.config import TrainConfig, check_config
from arbitrary_nst.training.data import BatchSource, load_style, photo_rows
from arbitrary_nst.training.devices import device_scope, dtype_policy
from arbitrary_nst.training.optimizers import Muon
from arbitrary_nst.training.report import LossLog, RunningMeans, sample_sheet
from arbitrary_nst.training.statistics import LOSS_LAYERS, painting_statistics, to_array
from arbitrary_nst.training.trainer import LOSS_NAMES, StyleTrainer

WARMUP_STEPS = 100
SAMPLE_SIZE = 256
STANDARD_PAINTINGS = 96  # on which the predictor's pooled numbers are standardised

_log = logging.getLogger(__name__)


def train(
    config: TrainConfig,
    out: str | Path,
    *,
    vgg: keras.Model | None = None,
    vgg_weights: str | None = None,
    stop_at: int | None = None,
    checkpoint_every: int = 500,
    sample_photos: Sequence[Path] = (),
    progress: Progress = lambda done, total, message: None,
) -> Path:
    """Trains a network for the styles of `config`, or goes on where an earlier call stopped.

    The folder `out` receives `config.json`, `checkpoint.safetensors` (the full state of the
    run), `log.csv`, `samples/` (a contact sheet each time a checkpoint is written), and the
    result: `network.safetensors` and `styles.safetensors`. Where `out` already holds a
    checkpoint the run resumes from it, and computes just what an uninterrupted run would have.
    Ctrl-C finishes the step at hand and writes a checkpoint; on the command line SIGTERM, too.

    Args:
        config: the settings.
        out: folder of the run, made if missing.
        vgg: loss network; by default the full VGG19 from `vgg_weights`.
        vgg_weights: "imagenet", for Keras' download, or a file, as `load_vgg19` takes them.
            Default: `$ARBITRARY_NST_VGG19`, then "imagenet".
        stop_at: last step of this call, for runs in portions; default `config.steps`.
        checkpoint_every: steps between checkpoints.
        sample_photos: photos of the sample sheets; default four of the training photos.
        progress: called as progress(step, steps, losses) after every step.

    Returns:
        `out`.

    Raises:
        InputError: settings that do not fit together, unreadable styles, no photos.
        CheckpointError: the checkpoint in `out` is damaged or belongs to other settings.
        WeightsUnavailable: no VGG19.
    """
    out = Path(out)
    check_config(config)
    positive_int(checkpoint_every, "checkpoint_every")
    stop = config.steps if stop_at is None else min(positive_int(stop_at, "stop_at"), config.steps)
    source = BatchSource(config)
    photos = (
        photo_rows(sample_photos, SAMPLE_SIZE) if sample_photos else source.samples(4, SAMPLE_SIZE)
    )
    (out / "samples").mkdir(parents=True, exist_ok=True)
    with alone_in(out), device_scope(config.batch_size):
        trainer = build_trainer(config, vgg=vgg, vgg_weights=vgg_weights)
        start = load_checkpoint(trainer, out / CHECKPOINT_FILE)
        if start == 0 and trainer.predictor is not None:
            standardize(trainer.predictor, source.paintings(STANDARD_PAINTINGS))
        if start == 0 and config.initial is not None:
            start_from(trainer, config.initial)
        config.save(out / "config.json")
        log, means = LossLog(out / "log.csv", start), RunningMeans()
        if start >= stop:  # in case the earlier call was killed before it could
            with averaged(trainer):
                write_network(trainer, out)
        with _saved_when_stopped(trainer, out / CHECKPOINT_FILE):
            for step, batch in enumerate(source.batches(start, stop), start=start + 1):
                with held_interrupts():
                    losses = take_step(trainer, batch, step)
                    log.add(step, losses)
                progress(step, stop, means.add(losses))
                if step % checkpoint_every == 0 or step == stop:
                    save_checkpoint(trainer, step, out / CHECKPOINT_FILE)
                    with averaged(trainer):
                        write_network(trainer, out)
                        sheet = sample_sheet(trainer, photos)
                    save_image(sheet, out / "samples" / f"step-{step:06d}.jpg")
    return out


def build_trainer(
    config: TrainConfig,
    *,
    vgg: keras.Model | None = None,
    vgg_weights: str | None = None,
    kernels: Mapping[str, np.ndarray] | None = None,
) -> StyleTrainer:
    """A compiled `StyleTrainer` with the Gram matrices of the paintings in `config`.

    Args:
        config: the settings of the run.
        vgg: loss network; by default the full VGG19 from `vgg_weights`.
        vgg_weights: "imagenet", for Keras' download, or a file, as `load_vgg19` takes them.
            Default: `$ARBITRARY_NST_VGG19`, then "imagenet".
        kernels: of a trained network, by convolution; they are frozen, so that only the styles
            learn. None: a new network.
    """
    paintings = [load_style(style, style.style_size) for style in config.styles]
    shares = config.shares_of_parts()
    if vgg is None:
        reference = _loss_network(config, vgg_weights, "float32")
        targets = painting_statistics(reference, paintings, shares)
        vgg = _loss_network(config, vgg_weights, dtype_policy(config.precision))
    else:
        targets = painting_statistics(vgg, paintings, shares)
    trainer = StyleTrainer(config, vgg, targets)
    if trainer.predictor is not None and config.slim_weights is None:
        start_trunk(trainer.predictor, vgg, paintings)
    if kernels is not None:
        assign_kernels(trainer, kernels)
        trainer.network.trainable = False
    warmup = max(1, min(WARMUP_STEPS, config.steps // 4))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, config.steps - warmup),
        warmup_target=config.learning_rate,
        warmup_steps=warmup,
    )
    # Compiled by XLA, TensorFlow is slower on a CPU; JAX without it goes one operation at a time.
    jit_compile = keras.backend.backend() == "jax"
    averaging = {"use_ema": True, "ema_momentum": config.averaging} if config.averaging else {}
    trainer.compile(optimizer=_optimizer(trainer, rate, averaging), jit_compile=jit_compile)
    trainer.optimizer.build(trainer.trainable_variables)
    return trainer


def _optimizer(trainer: StyleTrainer, rate, options: Mapping) -> keras.optimizers.Optimizer:
    if trainer.config.optimizer == "adam":
        return keras.optimizers.Adam(rate, **options)
    variables = trainer.network.trainable_variables
    return Muon(rate, kernels=[v for v in variables if len(v.shape) == 4], **options)


def _loss_network(config: TrainConfig, vgg_weights: str | None, dtype: str) -> keras.Model:
    if config.slim_weights is not None:
        return load_vgg_slim(config.slim_weights, LOSS_LAYERS, dtype=dtype)
    return load_vgg19(
        LOSS_LAYERS, weights=vgg19_weights(vgg_weights), pooling=config.pooling, dtype=dtype
    )


def take_step(
    trainer: StyleTrainer, batch: Mapping[str, np.ndarray], step: int
) -> dict[str, float]:
    """One optimiser step on a batch of `BatchSource`; returns its losses by name.

    Raises:
        InputError: the loss is NaN or infinite.
    """
    trainer.reset_metrics()  # up to Keras 3.14 they would be means over the steps
    losses = trainer.train_on_batch(batch, return_dict=True)
    losses = {name: float(losses[name]) for name in LOSS_NAMES}
    if not np.isfinite(losses["loss"]):
        raise InputError(
            f"The loss is {losses['loss']} at step {step}: `learning_rate` is too high, or a loss "
            f"weight is. Received: learning_rate={trainer.config.learning_rate}. Lower it and "
            f"start again; the last checkpoint, if there is one, is untouched."
        )
    return losses


@contextlib.contextmanager
def _saved_when_stopped(trainer: StyleTrainer, path: Path) -> Iterator[None]:
    """Writes a checkpoint of the last finished step when an interrupt ends the block."""

    def finished_steps() -> int:
        return int(to_array(trainer.optimizer.iterations))

    before = finished_steps()
    try:
        yield
    except KeyboardInterrupt:
        if finished_steps() > before:
            save_checkpoint(trainer, finished_steps(), path)
            _log.warning(
                "stopped after step %d; its checkpoint is written, and the same call goes on from "
                "there.",
                finished_steps(),
            )
        raise
