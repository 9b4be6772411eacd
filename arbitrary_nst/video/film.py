"""Videos: every frame painted, in step with the frames before it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from arbitrary_nst.common.checks import check_progress, check_quality, check_share
from arbitrary_nst.common.extras import require
from arbitrary_nst.common.version import __version__
from arbitrary_nst.embedding import Embedding, Weights, blend
from arbitrary_nst.engines import EngineName
from arbitrary_nst.engines.protocol import Engine
from arbitrary_nst.errors import InputError, VideoError
from arbitrary_nst.image import DEFAULT_MAX_PIXELS, ImageSource, resize
from arbitrary_nst.image.arrays import as_floats, check_size, fill_hidden, to_uint8
from arbitrary_nst.image.resizing import resized_shape
from arbitrary_nst.pipeline.arguments import DEFAULT_MAX_MEMORY, Color, Options, Progress
from arbitrary_nst.pipeline.engine_choice import choose, embeddings_by, loaded
from arbitrary_nst.pipeline.paint import cover_for, finished, paint_arrays
from arbitrary_nst.pipeline.plan import Look
from arbitrary_nst.pipeline.regions import Mask, Regions, read_masks
from arbitrary_nst.pipeline.styles import Style, Styles
from arbitrary_nst.video.clip import Clip, Frame
from arbitrary_nst.video.copying import check_sounds, what_is_lost
from arbitrary_nst.video.keyframes import Keyframe, read_keyframes, style_at
from arbitrary_nst.video.parts import (
    finish,
    has_finished,
    load_past,
    open_parts,
    parts_folder,
    remove_parts,
    save_past,
    segment_path,
)
from arbitrary_nst.video.reading import open_clip, read_frames
from arbitrary_nst.video.steady import Past, painted_steadily
from arbitrary_nst.video.writing import (
    VIDEO_FORMATS,
    check_video_path,
    join,
    write_segment,
)

__all__ = ["Keyframe", "stylize_video"]

_log = logging.getLogger(__name__)
SEGMENT_FRAMES = 48  # so many are painted anew at most where a run was stopped


@dataclass(frozen=True)
class _Settings:
    """All that a frame's picture depends on, apart from the frame."""

    engine: Engine
    styles: tuple[tuple[float, Embedding], ...]
    look: Look  # but for the style, which depends on the time
    shape: tuple[int, int]  # height and width of the pictures
    is_scaled: bool  # to that shape; otherwise cropped, by one pixel at most
    steady: float


def stylize_video(
    path: str | os.PathLike[str],
    styles: Styles | Sequence[Keyframe],
    out: str | os.PathLike[str],
    weights: Weights | None = None,
    *,
    strength: float = 1.0,
    color: Color = "style",
    size: int | None = None,
    working_size: int | None = None,
    texture_scale: float = 1.0,
    masks: Sequence[ImageSource | None] | None = None,
    steady: float = 0.7,
    engine: EngineName | Engine = "auto",
    seed: int = 0,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_memory: float = DEFAULT_MAX_MEMORY,
    quality: int = 90,
    audio: bool = True,
    progress: Progress | None = None,
) -> Path:
    """Paints a video in a blend of styles, or from one style to another.

    Frames are read, painted and written one after the other; memory does not grow with the
    length. A run that was stopped goes on when it is called again with the same arguments: what is
    finished lies beside the output, in a folder of its name with `.parts` after it. The output
    appears whole or not at all, and replaces a file of that name.

    Times of presentation (from the beginning of the file), the way colours are stored, the shape
    of pixels, sound, chapters, titles and loop counts are kept, subtitles where the format takes
    them as they are; a line is logged about what it cannot hold. Rotation and mirroring are
    applied, and frames of another size than the first one's are scaled to it. Videos are written
    with 8 bits a channel, and as H.264, or VP9 in .webm, which need even sides: an odd side loses
    its last pixel, with a warning.

    Args:
        path: video of any kind that FFmpeg reads, or an animated GIF, WebP, PNG or AVIF.
        styles: as for `stylize`, or `Keyframe`s in the order of their times; between two of them
            the style vectors are blended linearly.
        out: file to write: .mp4, .mov, .mkv, .webm, .gif or .webp.
        weights: one non-negative number per style; not with keyframes, which have their own.
        strength: from 0 (the frame, as the engine reconstructs it) to 1 (the full style).
        color: "style", or "content" to keep the colours of the video.
        size: longer side in pixels to work at and to write. Default: the video's own.
        working_size: longer side in pixels to paint at, as for `stylize`.
        texture_scale: the same as a factor, as for `stylize`.
        masks: for each style an image, or None, as for `stylize`; the same for all frames. Not
            with keyframes, whose styles flow into each other over the whole frame.
        steady: against flicker, from 0 (each frame for itself) to 1. Above 0 it needs OpenCV.
        engine: as for `stylize`; vgg19 is not among them, since it takes minutes for a frame.
        seed: of the engine's noise, the same for all frames.
        max_pixels: largest frame, mask or style image, width times height.
        max_memory: bytes that painting a frame may take, as for `stylize`.
        quality: 1 to 100, of the encoded video.
        audio: whether the sound is copied; .gif and .webp have none.
        progress: called as progress(done, total, message) with numbers of frames. The first call
            says how many are there from a run that was stopped.

    Returns:
        The file that was written.

    Raises:
        InputError: an argument or image that cannot be used; its subclasses tell which, of a
            video `VideoError`.
        WeightsUnavailable: the engine's network cannot be had.
        CheckpointError: its files are damaged.
        ImportError: PyAV or OpenCV is missing: `pip install "arbitrary-nst[video]"`.
        OSError: the disk is full.

    Examples:
        >>> stylize_video("in.mp4", [Keyframe(0, "great-wave"), Keyframe(5, "scream")], "out.mp4")
    """
    target, suffix = check_video_path(out), Path(out).suffix.lower()
    options = Options(
        strength, color, size, working_size, texture_scale, seed, max_pixels, max_memory
    )
    check_progress(progress)
    steady, quality = check_share(steady, "steady"), check_quality(quality)
    times, parts, groups = read_keyframes(styles, weights)
    areas = _masks(masks, groups, options)
    if steady > 0:
        require("cv2")
    clip = open_clip(path)
    if target.exists() and os.path.samefile(path, target):
        raise InputError(f"The output path {os.fspath(out)!r} is the video itself. Choose another.")
    _check_copies(clip, suffix, audio)
    shape = _shape(clip, options, is_even=suffix in VIDEO_FORMATS)
    runner, embeddings = _engine(parts, engine, options.max_pixels)
    blends = [blend([embeddings[i] for i, _ in g], [w for _, w in g]) for g in groups]
    moments = tuple(zip(times, blends, strict=True))
    regions = None if areas is None else Regions(embeddings, [w for _, w in groups[0]], areas)
    look = Look(blends[0], options, regions)
    settings = _Settings(runner, moments, look, shape, size is not None, steady)
    folder = parts_folder(target)
    with ExitStack() as held:
        done = open_parts(folder, _fingerprint(clip, settings, suffix, quality, audio), held)
        try:
            segments = _segments(folder, done, clip, settings, suffix, quality, progress)
            joined = folder / f"joined{suffix}"
            join(segments, clip, joined, suffix, audio)
        except BaseException as error:
            # Nothing goes on from what is refused, nor from where nothing is finished.
            if isinstance(error, InputError) or not has_finished(folder):
                remove_parts(folder)
            raise
        finish(folder, joined, target)
    return target


def _segments(
    folder: Path,
    index: int,
    clip: Clip,
    settings: _Settings,
    suffix: str,
    quality: int,
    progress: Progress | None,
) -> list[Path]:
    """Makes the segments from `index` on, and returns the files of all of them."""
    frames = islice(read_frames(clip), index * SEGMENT_FRAMES, None)
    past = load_past(folder, index)
    done = min(index * SEGMENT_FRAMES, clip.num_frames)
    if progress is not None:
        progress(done, max(done, clip.num_frames), "")
    painter = _painted(frames, clip, settings, past)

    def next_frames() -> Iterator[Frame]:
        nonlocal past, done
        for frame, latest in islice(painter, SEGMENT_FRAMES):
            past = latest
            yield frame
            done += 1
            if progress is not None:
                height, width = frame.rgb.shape[:2]
                progress(done, max(done, clip.num_frames), f"{width}x{height} pixels")

    while write_segment(segment_path(folder, index), next_frames(), clip, suffix, quality):
        index += 1
        save_past(folder, index, past if settings.steady else None)
    if index == 0:
        raise VideoError(f"The video {str(clip.path)!r} has no frames that can be decoded.")
    return [segment_path(folder, number) for number in range(index)]


def _painted(
    frames: Iterator[Frame], clip: Clip, settings: _Settings, past: Past | None
) -> Iterator[tuple[Frame, Past]]:
    """The painted frames, each with what the next one needs of it."""
    cover = cover_for(settings.look, settings.shape)
    for frame in frames:
        content, alpha = _prepared(frame, settings)
        style = style_at(settings.styles, float(frame.time * clip.time_base))
        look = replace(settings.look, style=style)

        def paint(calm: np.ndarray, look: Look = look) -> np.ndarray:
            return as_floats(paint_arrays(settings.engine, look, None, [calm])[0])

        past = painted_steadily(past, content, settings.steady, paint)
        # Of a copy, since the next frame needs the picture as it was painted.
        picture = finished(past.picture.copy(), content, look, cover)
        yield frame._replace(rgb=to_uint8(picture), alpha=alpha), past


def _prepared(frame: Frame, settings: _Settings) -> tuple[np.ndarray, np.ndarray | None]:
    """The frame as floats of the wanted shape, and its transparency as bytes."""
    height, width = settings.shape
    content = as_floats(frame.rgb)
    if frame.alpha is None:
        if settings.is_scaled:
            content = resize(content, shape=settings.shape)
        return np.ascontiguousarray(content[:height, :width]), None
    alpha = as_floats(frame.alpha)
    content = fill_hidden(content, alpha)
    if settings.is_scaled:
        content = resize(content, shape=settings.shape)
        alpha = resize(alpha, shape=settings.shape)
    return np.ascontiguousarray(content[:height, :width]), to_uint8(alpha[:height, :width])


# What the arguments mean.


def _engine(
    parts: list[Style], engine: str | Engine, max_pixels: int
) -> tuple[Engine, list[Embedding]]:
    # Where Magenta's network cannot be had, that is an error: vgg19 takes its place for a photo.
    choice = replace(choose(parts, engine, max_pixels), may_change=False)
    is_slow = choice.engine == "vgg19"
    if is_slow or (not isinstance(choice.engine, str) and choice.engine.render_steps is not None):
        name = choice.engine if isinstance(choice.engine, str) else choice.engine.name
        raise InputError(
            f"The {name} engine takes minutes for a frame. Videos are painted by the cin or the "
            "magenta engine."
        )
    runner = loaded(choice)
    return runner, embeddings_by(runner, choice.styles)


def _masks(masks: Any, groups: Sequence[Any], options: Options) -> list[Mask] | None:
    """Reads the masks of styles without times."""
    if masks is None:
        return None
    if len(groups) > 1:
        raise InputError(
            "`masks` are for styles without times: from keyframe to keyframe styles flow into "
            "each other over the whole frame."
        )
    return read_masks(masks, len(groups[0]), options.max_pixels)


def _check_copies(clip: Clip, suffix: str, audio: bool) -> None:
    """Refuses a format that cannot hold the sound, and says what else it cannot hold."""
    container = VIDEO_FORMATS[suffix][0] if suffix in VIDEO_FORMATS else None
    if audio and container is not None:
        check_sounds(clip, suffix, container)
    lost = what_is_lost(clip, container, audio)
    if lost:
        _log.warning("not kept of the video in a %s file: %s", suffix, ", ".join(lost))


def _shape(clip: Clip, options: Options, *, is_even: bool) -> tuple[int, int]:
    """Height and width of the pictures."""
    size, height, width = options.size, clip.height, clip.width
    if size is not None and is_even:
        height, width = (2 * half for half in resized_shape((height, width), size / 2))
    elif size is not None:
        height, width = resized_shape((height, width), size)
    elif is_even and (height % 2 or width % 2):
        _log.warning(
            "videos need even sides: %dx%d pixels lose the last row or column, to %dx%d",
            *(width, height, width - width % 2, height - height % 2),
        )
        height, width = height - height % 2, width - width % 2
    check_size(height, width, f"video {str(clip.path)!r}", options.max_pixels)
    options.working_shape(height, width)  # refused here, and not at the first frame
    return height, width


def _fingerprint(
    clip: Clip, settings: _Settings, suffix: str, quality: int, audio: bool
) -> dict[str, Any]:
    """What must be the same for parts to fit together."""
    status, options = clip.path.stat(), settings.look.options
    return {
        "version": __version__,
        "video": [str(clip.path.resolve()), status.st_size, status.st_mtime_ns],
        "engine": [settings.engine.name, settings.engine.network],
        "styles": [[time, style.digest] for time, style in settings.styles],
        "strength": options.strength,
        "color": options.color,
        "shape": list(settings.shape),
        "seed": options.seed,
        "steady": settings.steady,
        "segment": SEGMENT_FRAMES,
        "output": [suffix, quality, audio],
        **settings.look.unusual(),
    }
