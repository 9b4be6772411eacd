"""A mix of styles, the picture it makes, and the line of code that makes it again."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from arbitrary_nst.api import embed, list_styles, stylize
from arbitrary_nst.checkpoints import TARGETS_FILE, cin_folder
from arbitrary_nst.demo.files import plain
from arbitrary_nst.demo.names import Captions, title_of
from arbitrary_nst.demo.photos import LEAST_SIDE, Photo, as_picture, fitted, full_shape
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.embedding import Embedding, normalize_weights
from arbitrary_nst.engines import EngineName, load_engine
from arbitrary_nst.engines.protocol import Engine
from arbitrary_nst.errors import InputError, StyleError
from arbitrary_nst.image import to_pil
from arbitrary_nst.image.resizing import resized_shape
from arbitrary_nst.pipeline.arguments import Progress

MAX_STYLES = 6
THUMBNAIL = 256  # pixels of the pictures in the choice of styles, which are also looked at closely
LIBRARY_FILE = "my-styles.safetensors"
REGIONS_FILE = "regions.png"  # whose red, green and blue are the masks of three styles
FIT_STEPS = 10


@dataclass(frozen=True, eq=False)
class OwnStyle:
    """A style that a visitor made or loaded, and the painting that it was made of, small.

    Without a painting it is shown as the others are: by the photo painted in it.
    """

    embedding: Embedding
    painting: Image.Image | None = None


Own = Mapping[str, OwnStyle]
Masks = Sequence[np.ndarray | None] | None  # one for each style of a mix, uint8 `(h, w)`


@dataclass(frozen=True)
class Mix:
    """The settings that make a picture of a photo.

    Args:
        styles: names, of packaged styles or of the visitor's own.
        weights: one number for each, none negative.
        strength: from 0 to 1.
        keep_colors: whether the photo's colours stay.
        strokes: size of the strokes; at 2 they are twice as large as they would be.
        fit: whether the packaged styles are fitted to the photo before it is painted.
    """

    styles: tuple[str, ...]
    weights: tuple[float, ...]
    strength: float = 1.0
    keep_colors: bool = False
    strokes: float = 1.0
    fit: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to paint with: no style, or none with a weight."""
        return not any(self.weights)

    def shares(self, captions: Captions | None = None) -> str:
        """The mix in words, such as "67% great-wave, 33% scream"; by titles where there are any."""
        shares = normalize_weights(self.weights, len(self.weights))
        pairs = zip(shares, self.styles, strict=True)
        return ", ".join(
            f"{share:.0%} {title_of(name, captions or {})}" for share, name in pairs if share > 0
        )


def embedded_styles() -> dict[str, Embedding]:
    """The styles that ship with the network, by name."""
    return {style.name: embed(style.name) for style in list_styles()}


def embeddings_of(names: tuple[str, ...], embedded: Mapping[str, Embedding], own: Own) -> list:
    """The embeddings of these names. A visitor's own styles have names of their own.

    Raises:
        StyleError: a message made by hand named what is no style, or one that was forgotten.
    """
    for name in names:
        if not isinstance(name, str) or (name not in own and name not in embedded):
            raise StyleError(f"There is no style named {name!r:.100}, or no longer.")
    return [own[name].embedding if name in own else embedded[name] for name in names]


def paint(
    image: np.ndarray,
    mix: Mix,
    styles: list[Embedding],
    engine: EngineName | Engine = "auto",
    progress: Progress | None = None,
    working_size: int | None = None,
    masks: Masks = None,
) -> Image.Image:
    """The picture of an image in a mix; without a mix the image itself.

    Args:
        image: float32 `(h, w, 3)` or `(h, w, 4)`, in `[0, 1]`.
        mix: of the styles.
        styles: their embeddings.
        engine: that paints; "auto" is that of the embeddings.
        progress: as for `stylize`.
        working_size: likewise.
        masks: likewise; None for styles that go everywhere.
    """
    if mix.is_empty:
        return as_picture(image)
    if mix.fit:
        engine = fitting_engine()
    shape = image.shape[:2]
    # Fine strokes are painted larger than the picture is: by `LEAST_STROKES` at most.
    shapes = [shape, resized_shape(shape, working_size or max(shape))]
    return stylize(
        image,
        list(mix.styles) if mix.fit else styles,  # the engine's own carry what they are fitted to
        mix.weights,
        strength=mix.strength,
        color="content" if mix.keep_colors else "style",
        working_size=working_size,
        masks=masks,
        engine=engine,
        max_pixels=max(1, *(height * width for height, width in shapes)),
        progress=progress,
    )


def check_can_be_fitted(mix: Mix, own: Own) -> None:
    """Checks that the styles of a mix can be fitted to a photo.

    Raises:
        InputError: the network cannot, or a style is the visitor's own.
    """
    if not fits_styles():
        raise InputError("This network cannot fit styles to a photo: its targets are not here.")
    mine = [name for name in mix.styles if name in own]
    if mine:
        raise InputError(
            f"Packaged styles alone can be fitted to a photo, for which their paintings are known. "
            f"Take these out first: {', '.join(mine)}."
        )


def fits_styles() -> bool:
    """Whether the network comes with what its styles are fitted to."""
    return (cin_folder() / TARGETS_FILE).is_file()


def fitting_engine() -> Engine:
    """The engine that fits styles to each photo; made once, since it takes seconds."""
    return _fitting_engine(str(cin_folder()))


@functools.lru_cache(maxsize=1)
def _fitting_engine(folder: str) -> Engine:
    from arbitrary_nst.engines.cin import Cin

    return Cin(folder, fit_steps=FIT_STEPS)


def thumbnails(image: np.ndarray, styles: Mapping[str, Embedding]) -> dict[str, Image.Image]:
    """The image, small, in each style, by name; all of them in one pass per engine."""
    small = fitted(image, THUMBNAIL)
    pictures: dict[str, Image.Image] = {}
    for engine in sorted({style.engine for style in styles.values()}):
        names = [name for name, style in styles.items() if style.engine == engine]
        painted = load_engine(engine).render_batch(
            [small] * len(names), [styles[name] for name in names]
        )
        pictures.update(zip(names, map(to_pil, painted), strict=True))
    return {name: pictures[name] for name in styles}


def tile_pictures(
    image: np.ndarray, embedded: Mapping[str, Embedding], own: Own
) -> dict[str, Image.Image]:
    """What the choice of styles shows, by name: the image in each, or the painting itself."""
    drawn = {name: style.embedding for name, style in own.items() if style.painting is None}
    pictures = thumbnails(image, {**embedded, **drawn})
    for name, style in own.items():
        if style.painting is not None:
            pictures[name] = style.painting
    return {name: pictures[name] for name in [*embedded, *own]}


def plain_photo() -> np.ndarray:
    """A picture to show styles on where there is no photo: hills and a sun, `(h, w, 3)`."""
    y, x = np.mgrid[0:THUMBNAIL, 0:THUMBNAIL].astype(np.float32) / THUMBNAIL
    sky = np.stack([0.55 + 0.4 * y, 0.7 + 0.15 * y, 0.95 - 0.2 * y], axis=-1)
    far, near = 0.62 + 0.08 * np.sin(7 * x), 0.78 + 0.06 * np.sin(4 * x + 2)
    image = np.where((y > far)[..., None], (0.35, 0.5, 0.45), sky)
    image = np.where((y > near)[..., None], (0.2, 0.32, 0.18), image)
    sun = (x - 0.7) ** 2 + (y - 0.3) ** 2 < 0.012
    return np.where(sun[..., None], (1.0, 0.85, 0.5), image).astype(np.float32)


def preview(photo: Photo, mix: Mix, styles: list[Embedding], masks: Masks = None) -> Image.Image:
    """The picture that follows the sliders."""
    return paint(photo.image, mix, styles, working_size=preview_size(photo, mix), masks=masks)


def preview_size(photo: Photo, mix: Mix) -> int | None:
    """At which size to paint the small photo; None: as it is, with its own strokes."""
    return None if mix.strokes == 1 else _working_size(photo, mix.strokes)


def full_working_size(photo: Photo, mix: Mix) -> int | None:
    """At which size to paint the photo itself, so that it looks as the preview does.

    None: at its own, where the preview has that already.
    """
    if mix.strokes == 1 and not photo.is_scaled:
        return None
    return _working_size(photo, mix.strokes)


def _working_size(photo: Photo, strokes: float) -> int:
    height, width = photo.image.shape[:2]
    least = -(-LEAST_SIDE * max(height, width) // min(height, width))
    return max(round(max(height, width) / strokes), least)


def file_name(photo: Photo, mix: Mix) -> str:
    """Photo and mix as the name of a file, without its ending."""
    stem = photo.name.removeprefix("sample:").rpartition(".")
    names = [plain(stem[0] or stem[2])]
    if not mix.is_empty:
        shares = normalize_weights(mix.weights, len(mix.weights))
        parts = zip(mix.styles, shares, strict=True)
        names += [f"{plain(name)}-{share:.0%}".rstrip("%") for name, share in parts if share > 0]
    return "-".join(names)[:120] or "picture"


def code(
    photo: Photo,
    mix: Mix,
    own: Own,
    engine: str | None = None,
    settings: Settings | None = None,
    channels: Sequence[int | None] | None = None,
) -> str:
    """The Python lines that make the very file that is downloaded.

    Args:
        photo: to be painted.
        mix: of which styles; names of files stand for style images.
        own: the visitor's own styles.
        engine: to be named, where it is not the one that the styles lead to.
        settings: for the limit of the picture's size.
        channels: for each style the channel of `REGIONS_FILE` that says where it goes, or None.
    """
    imports = ["stylize"]
    lines: list[str] = []
    if any(name in own for name in mix.styles):
        imports.insert(0, "load_styles")
        lines.append(f'mine = load_styles("{LIBRARY_FILE}")')
    content = _quoted(photo.name)
    kind, _, sample = photo.name.partition(":")
    head = [f"from arbitrary_nst import {', '.join(imports)}"]
    if kind == "sample" and isinstance(photo.source, np.ndarray):
        head.append("from arbitrary_nst.samples import sample_photo")
        content = f"sample_photo({_quoted(sample)})"
    if channels is not None:
        head[:0] = ["import numpy as np", "from PIL import Image", ""]
        lines.append(f'regions = np.asarray(Image.open("{REGIONS_FILE}"))')
    if mix.fit:
        head.append("from arbitrary_nst.engines.cin import Cin")
    styles = (f"mine[{_quoted(n)}]" if n in own else _quoted(n) for n in mix.styles)
    arguments = [content, f"[{', '.join(styles)}]", f"[{', '.join(map(_number, mix.weights))}]"]
    if mix.strength != 1:
        arguments.append(f"strength={_number(mix.strength)}")
    if mix.keep_colors:
        arguments.append('color="content"')
    if channels is not None:
        masks = ("None" if c is None else f"regions[..., {c}]" for c in channels)
        arguments.append(f"masks=[{', '.join(masks)}]")
    if mix.fit:
        arguments.append(f"engine=Cin(fit_steps={FIT_STEPS})")
    elif engine is not None:
        arguments.append(f"engine={_quoted(engine)}")
    shape = full_shape(photo, settings or Settings())
    if shape != photo.shape:
        arguments.append(f"size={max(shape)}")
    if (working_size := full_working_size(photo, mix)) is not None:
        arguments.append(f"working_size={working_size}")
    body = ",\n    ".join(arguments)
    save = f"picture.save({_quoted(file_name(photo, mix) + '.png')})"
    return "\n".join([*head, "", *lines, f"picture = stylize(\n    {body},\n)", save])


def _quoted(text: str) -> str:
    quoted = repr(text)
    return f'"{text}"' if quoted == f"'{text}'" and '"' not in text else quoted


def _number(value: Any) -> str:
    return f"{float(value):g}"
