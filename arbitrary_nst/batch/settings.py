"""What the pictures of a batch depend on, and the engine that makes them, in any process."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from arbitrary_nst import api
from arbitrary_nst.common.checks import check_quality
from arbitrary_nst.embedding import Embedding, blend, normalize_weights
from arbitrary_nst.engines import load_engine
from arbitrary_nst.errors import InputError, WeightsUnavailable
from arbitrary_nst.image import DEFAULT_MAX_PIXELS
from arbitrary_nst.pipeline.styles import Styles, list_of_styles


@dataclass(frozen=True)
class EngineRecipe:
    """What makes the same engine again in another process; see `make_engine`.

    Args:
        name: of the engine.
        network: id of its weights.
        precision: "float32" or "bfloat16" of the cin engine, else None.
        threads: of a single operation of TensorFlow; 0 for as many as there are cores.
        settings: of the vgg19 engine, else None.
    """

    name: str
    network: str
    precision: str | None
    threads: int
    settings: Any = None


@dataclass(frozen=True)
class BatchSettings:
    """All that the pictures of a batch depend on, ready to be sent to another process."""

    engine: EngineRecipe
    style: Embedding
    parts: tuple[str, ...]  # the styles in words, such as "scream:0.3"
    strength: float
    color: str
    size: int | None
    seed: int
    max_pixels: int
    output_format: str
    quality: int

    def fingerprint(self) -> dict[str, Any]:
        """JSON values by name that are equal for equal pictures."""
        values = {
            "style": self.style.digest,
            "engine": self.engine.name,
            "network": self.engine.network,
            "precision": self.engine.precision,
            **{n: getattr(self, n) for n in ("strength", "color", "size", "seed", "quality")},
            "format": self.output_format,
        }
        if self.engine.settings is not None:
            values["vgg19"] = dataclasses.asdict(self.engine.settings)
        return values


def prepare(
    styles: Styles,
    weights: Sequence[float] | None = None,
    *,
    strength: float = 1.0,
    color: str = "style",
    size: int | None = None,
    engine: Any = "auto",
    seed: int = 0,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    precision: str = "auto",
    output_format: str = "keep",
    quality: int = 95,
) -> tuple[BatchSettings, Any]:
    """Checks the options, loads the engine, and embeds and blends the styles.

    `precision` is that of the cin engine: "float32", "bfloat16", or "auto", which is bfloat16
    where this machine's processor multiplies it in hardware; all machines of a batch use the
    same. `output_format` is that of `files.find_jobs`, `quality` that of `save_image`, the
    others are those of `stylize`. Where Magenta's network cannot be had, that is an error: vgg19
    takes its place for one picture, not for thousands.

    Returns:
        The settings, and the engine.

    Raises:
        InputError: an argument that cannot be used.
        WeightsUnavailable: the engine's network cannot be had.
    """
    strength, size, seed = api.check_options(strength, color, size, seed, None)
    quality = check_quality(quality)
    parts = list_of_styles(styles)
    shares = normalize_weights(weights, len(parts))
    chosen, resolved = api.resolve(parts, engine, max_pixels)
    if precision != "auto" and chosen != "cin":
        raise InputError("`precision` is a setting of the cin engine alone.")
    runner, recipe = _engine_and_recipe(chosen, precision)
    embeddings = api.embedded(runner, resolved)
    names = [
        e.name or (os.fspath(p) if isinstance(p, (str, os.PathLike)) else "unnamed")
        for e, p in zip(embeddings, parts, strict=True)
    ]
    settings = BatchSettings(
        engine=recipe,
        style=blend(embeddings, shares),
        parts=tuple(f"{n}:{share:.4g}" for n, share in zip(names, shares, strict=True)),
        strength=strength,
        color=color,
        size=size,
        seed=seed,
        max_pixels=max_pixels,
        output_format=output_format,
        quality=quality,
    )
    return settings, runner


def _engine_and_recipe(chosen: Any, precision: str) -> tuple[Any, EngineRecipe]:
    if chosen != "cin":
        runner = load_engine(chosen) if isinstance(chosen, str) else chosen
        settings = getattr(runner, "settings", None)
        return runner, EngineRecipe(runner.name, runner.network, None, 0, settings)
    from arbitrary_nst.engines.cin import PRECISIONS
    from arbitrary_nst.networks.precision import has_fast_bfloat16

    if precision not in PRECISIONS:
        raise InputError(
            f"`precision` is one of {', '.join(PRECISIONS)}. Received: {precision!r:.100}."
        )
    if precision == "auto":
        precision = "bfloat16" if has_fast_bfloat16() else "float32"
    recipe = EngineRecipe("cin", "", precision, set_threads(1))
    runner = make_engine(recipe)
    return runner, dataclasses.replace(recipe, network=runner.network)


def set_threads(threads: int) -> int:
    """Sets the threads of a single operation of TensorFlow, if it is not yet at work.

    The last bits of a picture depend on them: sums are taken in as many parts.

    Returns:
        The number that is set; 0 for as many as there are cores.
    """
    import tensorflow as tf

    # It says so with an error where it is too late; then what is set stays.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    return tf.config.threading.get_intra_op_parallelism_threads()


def make_engine(recipe: EngineRecipe) -> Any:
    """The engine of a recipe.

    Raises:
        WeightsUnavailable: its network cannot be had, or this machine has another one.
        InputError: it is an engine object of the caller's, of which there is no recipe.
    """
    if recipe.name == "cin":
        from arbitrary_nst.engines.cin import Cin

        engine: Any = Cin(precision=recipe.precision or "auto")
    elif recipe.name == "vgg19":
        from arbitrary_nst.engines.vgg19 import Vgg19

        engine = Vgg19(settings=recipe.settings)
    else:
        engine = load_engine(recipe.name)
    if recipe.network and engine.network != recipe.network:
        raise WeightsUnavailable(
            f"The {recipe.name} engine has another network here: {engine.network}. Expected "
            f"{recipe.network}. Install the same files on all machines."
        )
    return engine
