"""What a run keeps on disk: its full state to go on from, and the network that it makes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import save

from arbitrary_nst.checkpoints import (
    IDENTITY,
    NETWORK_FILE,
    PREDICTOR_FILE,
    STYLES_FILE,
    cin_folder,
    trained_styles,
)
from arbitrary_nst.common.atomic import write_bytes
from arbitrary_nst.common.json_text import parse_json
from arbitrary_nst.embedding import Embedding, save_styles
from arbitrary_nst.errors import CheckpointError
from arbitrary_nst.networks.cin.file import load_network, network_bytes, network_id
from arbitrary_nst.networks.cin.layout import CinLayout
from arbitrary_nst.networks.predictor.file import load_predictor, predictor_bytes
from arbitrary_nst.networks.predictor.start import start_at
from arbitrary_nst.networks.weights_file import open_weights
from arbitrary_nst.training.statistics import to_array
from arbitrary_nst.training.targets import write_targets
from arbitrary_nst.training.trainer import StyleTrainer

CHECKPOINT_FILE = "checkpoint.safetensors"


def save_checkpoint(trainer: StyleTrainer, step: int, path: Path) -> None:
    """Writes weights, optimiser state and step; the old file stays until the new one is whole.

    Raises:
        CheckpointError: a weight is NaN or infinite, and so of no use to go on from.
    """
    arrays = {name: to_array(variable) for name, variable in _state(trainer).items()}
    _check_finite(arrays, f"The network after step {step}, which is not saved")
    write_bytes(path, save(arrays, {"step": str(step), **_settings(trainer)}))


def load_checkpoint(trainer: StyleTrainer, path: Path) -> int:
    """Restores what `save_checkpoint` wrote and returns its step; 0 where there is no file.

    Settings that may change between portions of a run are not compared: steps, learning rate,
    crop size, loss weights and the like.

    Raises:
        CheckpointError: the file is damaged, or of other styles or another layout. Nothing of it
            has been taken over then.
    """
    if not path.exists():
        return 0
    state = _state(trainer)
    with open_weights(path, "a readable checkpoint") as file:
        _check_settings(path, file.metadata() or {}, _settings(trainer))
        _check_arrays(path, state, file)
        arrays = {name: file.get_tensor(name) for name in state}
    _check_finite(arrays, str(path))
    step = int(arrays["optimizer/0000/iteration"])
    if step < 0:
        raise CheckpointError(f"{path} is damaged: it is of step {step}.")
    for name, variable in state.items():
        variable.assign(arrays[name])
    return step


def _state(trainer: StyleTrainer) -> dict[str, keras.Variable]:
    groups = {
        "model": trainer.trainable_variables,
        "optimizer": trainer.optimizer.variables,
        # Of a predictor whose trunk stays as it is; the loss network is no part of the state.
        "frozen": trainer.predictor.non_trainable_variables if trainer.predictor else [],
    }
    return {
        f"{group}/{index:04d}/{variable.name}": variable
        for group, variables in groups.items()
        for index, variable in enumerate(variables)
    }


def _settings(trainer: StyleTrainer) -> dict[str, str]:
    """The settings that have to stay as they are, as text, by name."""
    config = trainer.config
    return {
        "styles": json.dumps([style.name for style in config.styles]),
        "layout": json.dumps(asdict(config.layout)),
    }


def _check_settings(path: Path, found: Mapping[str, str], expected: Mapping[str, str]) -> None:
    for name, value in expected.items():
        # Where an older file does not tell, the shapes of its arrays do.
        if name in found and _current(name, found[name]) != value:
            raise CheckpointError(
                f"{path} belongs to a run with another setting `{name}`. Expected {value}. "
                f"Received: {found[name]}. Train into another folder, or go back to that setting."
            )


def _current(name: str, value: str) -> str:
    """A setting as this version writes it: an older file leaves out what the layout had not yet."""
    if name != "layout":
        return value
    try:
        return json.dumps({**asdict(CinLayout()), **parse_json(value)})
    except (ValueError, TypeError):
        return value


def _check_arrays(path: Path, state: Mapping[str, keras.Variable], file) -> None:
    found = set(file.keys())
    for name in sorted(set(state) | found):
        want = have = "no such array"
        if name in state:
            kind = "integer" if "int" in state[name].dtype else "float32"
            want = f"{kind} {tuple(state[name].shape)}"
        if name in found:
            part = file.get_slice(name)
            # Backends count steps in int32 or int64.
            kind = {"F32": "float32", "I32": "integer", "I64": "integer"}.get(
                part.get_dtype(), part.get_dtype()
            )
            have = f"{kind} {tuple(part.get_shape())}"
        if want != have:
            raise CheckpointError(
                f"{path} is damaged or belongs to other settings: array {name!r} differs. "
                f"Expected {want}. Received: {have}."
            )


def _check_finite(arrays: Mapping[str, np.ndarray], owner: str) -> None:
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise CheckpointError(f"{owner}: array {name!r} holds NaN or infinite values.")


@contextlib.contextmanager
def averaged(trainer: StyleTrainer) -> Iterator[None]:
    """Within the block the trainer has the average of its weights, see `TrainConfig.averaging`."""
    if not trainer.config.averaging or not int(to_array(trainer.optimizer.iterations)):
        yield
        return
    variables = trainer.trainable_variables
    latest = [to_array(variable).copy() for variable in variables]
    trainer.optimizer.finalize_variable_values(variables)
    try:
        yield
    finally:
        for variable, values in zip(variables, latest, strict=True):
            variable.assign(values)


def write_network(trainer: StyleTrainer, out: Path) -> None:
    """Writes `network.safetensors` and `styles.safetensors`: what the cin engine loads.

    And `predictor.safetensors` with `targets.safetensors`, where one is trained.
    """
    layout, config = trainer.config.layout, trainer.config
    kernels = {
        convolution.name: to_array(trainer.network.get_layer(f"{convolution.name}_conv").kernel)
        for convolution in layout.convolutions()
    }
    count = 1 + len(config.styles)
    tables = trainer.table(np.eye(count, dtype=np.float32))
    gamma, beta = (to_array(table) for table in tables)
    network = network_id(kernels)
    names = [(IDENTITY, "the photo as it is")] + [(s.name, s.source) for s in config.styles]
    styles = [
        Embedding("cin", network, {"gamma": g, "beta": b}, name=name, source=source)
        for (name, source), g, b in zip(names, gamma, beta, strict=True)
    ]
    write_bytes(out / NETWORK_FILE, network_bytes(layout, kernels))
    save_styles(styles, out / STYLES_FILE)
    if trainer.predictor is not None:
        data = predictor_bytes(trainer.predictor, config.predictor, network)
        write_bytes(out / PREDICTOR_FILE, data)
        write_targets(trainer.predictor, config.styles, network, out)


def assign_kernels(trainer: StyleTrainer, kernels: Mapping[str, np.ndarray]) -> None:
    """Gives the network the kernels of a trained one, by convolution."""
    for name, kernel in kernels.items():
        trainer.network.get_layer(f"{name}_conv").kernel.assign(kernel)


def start_from(trainer: StyleTrainer, folder: str | Path) -> None:
    """Takes over the kernels and styles of a trained network; see `TrainConfig.initial`.

    Raises:
        WeightsUnavailable: no network in the folder.
        CheckpointError: its layout differs by more than skip connections, noise, and blocks that
            it lacks.
    """
    folder = cin_folder(folder)
    old, kernels = load_network(folder / NETWORK_FILE)
    layout = trainer.config.layout
    growing = (
        "skip_connections",
        "noise_channels",
        "num_residual_blocks",
        "noise_levels",
        "fine_blocks",
    )
    grown = replace(old, **{name: getattr(layout, name) for name in growing})
    if grown != layout or any(getattr(old, name) > getattr(layout, name) for name in growing[2:]):
        raise CheckpointError(
            f"The network in {folder} has another layout. Expected {layout}. Received: {old}."
        )
    assign_kernels(trainer, kernels)
    styles = trained_styles(folder)
    names = [IDENTITY, *(style.name for style in trainer.config.styles)]
    for index, name in enumerate(names):
        # A style that the network does not know starts as a mean of those that it does.
        known = [styles[name]] if name in styles else list(styles.values())
        gamma, beta = (
            _spread_by_layer(
                np.mean([style.arrays[key] for style in known], axis=0), old, layout, inside
            )
            for key, inside in (("gamma", 1.0), ("beta", 0.0))
        )
        trainer.table.assign(index, gamma, beta)
    if trainer.predictor is not None:
        _start_predictor(trainer, trainer.predictor, folder, old, network_id(kernels))


def _start_predictor(
    trainer: StyleTrainer, predictor: keras.Model, folder: Path, old: CinLayout, network: str
) -> None:
    """Takes over the predictor of a trained network, or makes one begin at its styles."""
    layout = trainer.config.layout
    if (folder / PREDICTOR_FILE).is_file():
        trained = load_predictor(folder / PREDICTOR_FILE, old.style_size, network)
        for layer in trained.layers:
            weights = layer.get_weights()
            if layer.name == "vector":
                weights = [
                    _spread_vector(layer.rate * w, old, layout) / layer.rate for w in weights
                ]
            predictor.get_layer(layer.name).set_weights(weights)
        return
    count = 1 + len(trainer.config.styles)
    gamma, beta = (to_array(v) for v in trainer.table(np.eye(count, dtype=np.float32)))
    start_at(predictor, np.concatenate([gamma - 1, beta], axis=1)[1:])


def _spread_vector(weights: np.ndarray, old: CinLayout, new: CinLayout) -> np.ndarray:
    """The predictor's last kernel (bottleneck, 2 * style_size), or bias, for another layout."""
    gamma, beta = np.split(weights, 2, axis=-1)
    # The bias is that of gamma - 1, and what is closed has a gamma of 0.
    closed = -1.0 if weights.ndim == 1 else 0.0
    gamma = _spread_by_layer(gamma, old, new, inside=0.0, closed=closed)
    return np.concatenate([gamma, _spread_by_layer(beta, old, new, inside=0.0)], axis=-1)


def _spread_by_layer(
    vector: np.ndarray, old: CinLayout, new: CinLayout, inside: float, closed: float = 0.0
) -> np.ndarray:
    """A style's gammas or betas (..., style_size) for another layout.

    Those of layers that `old` lacks are `closed`, and so add nothing; but those inside a residual
    block are `inside`: with a gamma of zero nothing would ever reach its second half.
    """
    sizes = [c.filters for c in old.convolutions()]
    parts = np.split(vector, np.cumsum(sizes)[:-1], axis=-1)
    by_name = {c.name: part for c, part in zip(old.convolutions(), parts, strict=True)}
    for c in new.convolutions():
        fill = inside if c.activation == "relu" else closed
        by_name.setdefault(c.name, np.full((*vector.shape[:-1], c.filters), fill, vector.dtype))
    return np.concatenate([by_name[c.name] for c in new.convolutions()], axis=-1)
