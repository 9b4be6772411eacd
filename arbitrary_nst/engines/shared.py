"""What the engines share, and what may be known of one without loading TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from arbitrary_nst.embedding import Embedding
from arbitrary_nst.errors import InputError, StyleError
from arbitrary_nst.image.arrays import check_image

REFINE_STEPS = 5  # of the cin engine, see `Cin`
LARGEST = 1e6  # number of an embedding; trained and predicted ones stay below a hundred


def check_embedding(
    embedding: Embedding,
    engine: str,
    network: str,
    shapes: Mapping[str, tuple[int, ...]],
    error: type[Exception] = StyleError,
    *,
    largest: float = LARGEST,
) -> None:
    """Raises `error` where an embedding is not of this engine and network, or not of its arrays.

    Args:
        embedding: what an engine is asked to paint.
        engine: its name.
        network: the id of its weights.
        shapes: shape of each array of its embeddings, by name.
        error: type of the error.
        largest: magnitude that its numbers may have. Far larger ones, as in a file that somebody
            changed, are finite and make a picture that is not.
    """
    check_network(embedding, engine, network, f"The style {embedding.name!r}", error)
    found = {name: array.shape for name, array in embedding.arrays.items()}
    if found != dict(shapes):
        raise error(
            f"The arrays of the style {embedding.name!r} do not fit the network. "
            f"Expected {dict(shapes)}. Received: {found}."
        )
    most = max(float(np.abs(array).max()) for array in embedding.arrays.values())
    if most > largest:
        raise error(
            f"The style {embedding.name!r} holds numbers that no network makes. Expected up to "
            f"{largest:g}. Received: {most:g}. Embed it again."
        )


def check_network(
    embedding: Embedding,
    engine: str,
    network: str,
    label: str,
    error: type[Exception] = StyleError,
) -> None:
    """Raises `error` where an embedding is not of this engine and this very network.

    Args:
        embedding: what an engine is asked to paint.
        engine: its name.
        network: the id of its weights.
        label: what the message calls the embedding, such as "Style 2 ('scream')".
        error: type of the error.
    """
    if (embedding.engine, embedding.network) == (engine, network):
        return
    hint = "Embed it again for this network."
    if engine != "cin" and embedding.engine == "cin":
        hint = f"The {engine} engine takes pictures of paintings as styles."
    raise error(
        f"{label} was made for the engine {embedding.engine}, network {embedding.network}. "
        f"Expected: {engine}, network {network}. {hint}"
    )


def check_batch(contents: Sequence[np.ndarray], embeddings: Sequence[Embedding]) -> None:
    """Raises `InputError` where there is not an embedding for each photo."""
    if len(contents) != len(embeddings):
        raise InputError(
            f"A batch needs an embedding for each photo. Received: {len(contents)} photos, "
            f"{len(embeddings)} embeddings."
        )


def common_shape(contents: Sequence[np.ndarray], num_embeddings: int) -> tuple[int, int]:
    """Height and width of the photos of a batch, which must be the same for all."""
    for content in contents:
        check_image(content, "content", (3,))
    shapes = {content.shape[:2] for content in contents}
    if len(shapes) != 1 or len(contents) != num_embeddings:
        raise InputError(
            f"A batch needs photos of one shape and an embedding for each. Received: "
            f"{len(contents)} photos of shapes {sorted(shapes)}, {num_embeddings} embeddings."
        )
    return shapes.pop()
