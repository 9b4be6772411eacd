"""What the pictures of a batch depend on, and the engine that makes them, in any process."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arbitrary_nst.batch.files import PictureFormat
from arbitrary_nst.checkpoints import cin_folder
from arbitrary_nst.common.checks import check_quality
from arbitrary_nst.embedding import Weights
from arbitrary_nst.engines import EngineName, load_engine
from arbitrary_nst.engines.cin.runtime import Runtime
from arbitrary_nst.engines.protocol import Engine
from arbitrary_nst.errors import InputError, WeightsUnavailable
from arbitrary_nst.image import DEFAULT_MAX_PIXELS, ImageSource, KeepMetadata
from arbitrary_nst.image.writing import Bits
from arbitrary_nst.networks.precision import Precision, choose_precision
from arbitrary_nst.pipeline.arguments import DEFAULT_MAX_MEMORY, Color, Options
from arbitrary_nst.pipeline.engine_choice import Choice, loaded
from arbitrary_nst.pipeline.plan import Look, look_of, plan
from arbitrary_nst.pipeline.styles import Styles

if TYPE_CHECKING:  # it brings TensorFlow
    from arbitrary_nst.engines.vgg19 import Vgg19Settings


@dataclass(frozen=True)
class EngineRecipe:
    """What makes the same engine again in another process; see `make_engine`.

    Args:
        name: of the engine.
        network: id of its weights.
        precision: "float32" or "bfloat16" of the cin engine, else None.
        threads: of a single operation of TensorFlow; 0 for as many as there are cores.
        settings: of the vgg19 engine, else None.
        folder: of the cin engine's network; None: the one in `$ARBITRARY_NST_CIN`, or packaged.
        fit_steps: of the cin engine, see `Cin`.
        runtime: of the cin engine, "tensorflow", or "onnx" where the caller's own engine has that.
    """

    name: str
    network: str
    precision: Precision | None
    threads: int
    settings: Vgg19Settings | None = None
    folder: str | None = None
    fit_steps: int = 0
    runtime: Runtime = "tensorflow"


@dataclass(frozen=True)
class BatchSettings:
    """All that the pictures of a batch depend on, ready to be sent to another process."""

    engine: EngineRecipe
    look: Look
    parts: tuple[str, ...]  # the styles in words, such as "scream:0.3"
    output_format: str
    quality: int

    def fingerprint(self) -> dict[str, Any]:
        """JSON values by name that are equal for equal pictures."""
        options = self.look.options
        values: dict[str, Any] = {
            "style": self.look.style.digest,
            "engine": self.engine.name,
            "network": self.engine.network,
            "precision": self.engine.precision,
            "strength": options.strength,
            "color": options.color,
            "size": options.size,
            "seed": options.seed,
            "quality": self.quality,
            "format": self.output_format,
            **self.look.unusual(),
        }
        if self.engine.settings is not None:
            values["vgg19"] = dataclasses.asdict(self.engine.settings)
        if self.engine.fit_steps:
            values["fit_steps"] = self.engine.fit_steps
        if self.engine.runtime == "onnx":
            values["runtime"] = self.engine.runtime
        return values


def prepare(
    styles: Styles,
    weights: Weights | None = None,
    *,
    strength: float = 1.0,
    color: Color = "style",
    size: int | None = None,
    working_size: int | None = None,
    texture_scale: float = 1.0,
    masks: Sequence[ImageSource | None] | None = None,
    engine: EngineName | Engine = "auto",
    seed: int = 0,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_memory: float = DEFAULT_MAX_MEMORY,
    precision: Precision = "auto",
    output_format: PictureFormat = "keep",
    quality: int = 95,
    bits: Bits = 8,
    keep_metadata: KeepMetadata = False,
) -> tuple[BatchSettings, Engine]:
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
    options = Options(
        strength,
        color,
        size,
        working_size,
        texture_scale,
        seed,
        max_pixels,
        max_memory,
        bits,
        keep_metadata,
    )
    quality = check_quality(quality)
    plans = plan(styles, weights, masks, engine, options)
    runner, recipe = _engine_and_recipe(plans.choice, precision)
    settings = BatchSettings(
        engine=recipe,
        look=look_of(plans, runner),
        parts=tuple(
            f"{name}:{share:.4g}" for name, share in zip(plans.names, plans.shares, strict=True)
        ),
        output_format=output_format,
        quality=quality,
    )
    return settings, runner


def _engine_and_recipe(choice: Choice, precision: str) -> tuple[Engine, EngineRecipe]:
    if not isinstance(choice.engine, str) and choice.engine.name == "cin":
        recipe = _recipe_of_cin(choice.engine)
        if precision not in ("auto", recipe.precision):
            raise InputError(
                f"`precision` is that of the engine object here, such as "
                f"`Cin(precision={precision!r})`. Expected no other. Received: {precision!r}."
            )
        return choice.engine, recipe
    if choice.engine != "cin":
        if precision != "auto":
            raise InputError("`precision` is a setting of the cin engine alone.")
        runner = loaded(dataclasses.replace(choice, may_change=False))
        return runner, EngineRecipe(runner.name, runner.network, None, 0, _vgg19_settings(runner))
    recipe = EngineRecipe("cin", "", choose_precision(precision), set_threads(1))
    runner = make_engine(recipe)
    return runner, dataclasses.replace(recipe, network=runner.network)


def _recipe_of_cin(engine: Engine) -> EngineRecipe:
    """The recipe of a `Cin`, whose styles are embedded: of how it looks at images nothing is left.

    An engine of another type paints in this process alone: nobody knows how to make it again.
    """
    from arbitrary_nst.engines.cin import Cin

    if type(engine) is not Cin:
        return EngineRecipe(engine.name, engine.network, None, 0)
    folder: str | None = os.path.abspath(engine.folder)
    with contextlib.suppress(WeightsUnavailable):
        if engine.folder == cin_folder():  # it may have another path on another machine
            folder = None
    return EngineRecipe(
        "cin",
        engine.network,
        engine.precision,
        set_threads(1),
        folder=folder,
        fit_steps=engine.fit_steps,
        runtime="onnx" if engine.runtime == "onnx" else "tensorflow",
    )


def _vgg19_settings(engine: Engine) -> Vgg19Settings | None:
    if engine.name != "vgg19":
        return None
    from arbitrary_nst.engines.vgg19 import Vgg19

    return engine.settings if isinstance(engine, Vgg19) else None


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


def make_engine(recipe: EngineRecipe) -> Engine:
    """The engine of a recipe.

    Raises:
        WeightsUnavailable: its network cannot be had, or this machine has another one.
        InputError: it is an engine object of the caller's, of which there is no recipe.
    """
    if recipe.name == "cin":
        from arbitrary_nst.engines.cin import Cin

        engine: Engine = Cin(
            recipe.folder,
            precision=recipe.precision or "auto",
            fit_steps=recipe.fit_steps,
            runtime=recipe.runtime,
        )
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
