"""The file that keeps the state of a picture on its way, so that an interrupted run goes on."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from arbitrary_nst.common.atomic import write_bytes
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines.vgg19.settings import Vgg19Settings
from arbitrary_nst.errors import CheckpointError
from arbitrary_nst.networks.weights_file import open_weights


def fingerprint_of(
    content: np.ndarray,
    embeddings: Sequence[Embedding],
    weights: np.ndarray | None,
    settings: Vgg19Settings,
    seed: int,
) -> str:
    """What tells one picture from another: its photo, styles, regions, settings and seed."""
    digest = hashlib.sha256(np.ascontiguousarray(content, "<f4").tobytes())
    values = {**asdict(settings), "seed": seed, "shape": content.shape}
    digest.update(json.dumps(values, sort_keys=True).encode())
    for embedding in embeddings:
        digest.update(embedding.digest.encode())
    if weights is not None:
        digest.update(np.ascontiguousarray(weights, "<f4").tobytes())
    return digest.hexdigest()


def save_state(
    path: Path | None,
    fingerprint: str,
    scale: int,
    iteration: int,
    loss: float,
    picture: np.ndarray,
) -> None:
    """Writes how far a picture is; without a path nothing."""
    if path is not None:
        state = {"scale": repr(scale), "iteration": repr(iteration), "loss": repr(loss)}
        metadata = {"picture": fingerprint, **state, "digest": _digest(fingerprint, state, picture)}
        values = {"picture": np.ascontiguousarray(picture, np.float32)}
        write_bytes(path, save(values, metadata))


def _digest(fingerprint: str, state: Mapping[str, str], picture: np.ndarray) -> str:
    digest = hashlib.sha256(json.dumps([fingerprint, picture.shape, *state.items()]).encode())
    digest.update(np.ascontiguousarray(picture, "<f4").tobytes())
    return digest.hexdigest()


def load_state(path: Path | None, fingerprint: str) -> tuple[int, int, float, np.ndarray | None]:
    """Scale, iteration, loss and picture to go on from.

    Raises:
        CheckpointError: the file is of another kind, of another picture, or damaged.
    """
    if path is None or not path.exists():
        return 0, 0, math.nan, None
    hint = "Name another file, or delete this one."
    with open_weights(path, "a checkpoint of the vgg19 engine", hint=hint) as file:
        metadata, picture = file.metadata() or {}, file.get_tensor("picture")
        found = metadata["picture"]
        scale, iteration = int(metadata["scale"]), int(metadata["iteration"])
        loss = float(metadata["loss"])
        state = {name: metadata[name] for name in ("scale", "iteration", "loss")}
        # A flipped bit would be a step, or a picture, that never was. (Older files have no digest.)
        digest = _digest(found, state, picture)
        if metadata.get("digest", digest) != digest:
            raise ValueError("it is damaged")
    if found != fingerprint:
        raise CheckpointError(
            f"{path} belongs to another photo, style or settings. Name another file "
            f"for this picture, or delete this one."
        )
    return scale, iteration, loss, picture
