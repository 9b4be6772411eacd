"""Changes one line of the package at a time, and says which of the tests notice.

A test suite that passes says little until something is broken on purpose. Each mutant below is a
fault that someone could make, in what the pictures depend on: blending, masks, strength,
normalisation, resuming, refining. `docs/testing.md` has the result.

    python benchmarks/mutants.py            # all of them, some minutes on a quiet machine
    python benchmarks/mutants.py 2 7 30     # these

The package and its tests are copied into a temporary folder first; the checkout stays as it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("arbitrary_nst", "models", "tests", "setup.cfg", "setup.py", "README.md")
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


class Mutant(NamedTuple):
    """`old`, which stands once in the file, becomes `new`; `tests` are those that should notice."""

    fault: str
    file: str
    old: str
    new: str
    tests: str


BLEND, BLENDS = "embedding/blending.py", "tests/embedding/test_blend.py"
REGIONS, MASKS = "pipeline/regions.py", "tests/pipeline/test_regions.py"
PAINT = "pipeline/paint.py"
FAST, NORMS, CONTRAST = "networks/cin/fast.py", "networks/cin/norms.py", "engines/cin/contrast.py"
REFINER, REFINING = "networks/predictor/refiner.py", "networks/predictor/refining.py"
REFINED = "tests/networks/test_refiner.py"
FILM, PARTS = "video/film.py", "tests/video/test_video_parts.py"
PHOTO = "tests/networks/test_cin_photo.py"

MUTANTS = [
    # Blending.
    Mutant(
        "weights are not scaled to the sum 1",
        BLEND,
        "return [value / total for value in scaled]",
        "return scaled",
        BLENDS,
    ),
    Mutant(
        "a blend is summed in the order given",
        BLEND,
        "for digest in sorted(arrays):",
        "for digest in arrays:",
        BLENDS,
    ),
    Mutant(
        "of equal styles only the first counts",
        BLEND,
        "math.fsum(shares[digest]) * arrays",
        "shares[digest][0] * arrays",
        BLENDS,
    ),
    Mutant(
        "a blend is summed in float32",
        BLEND,
        "np.zeros(array.shape, np.float64)",
        "np.zeros(array.shape, np.float32)",
        BLENDS,
    ),
    Mutant(
        "styles of weight 0 are in a blend's name",
        BLEND,
        "strict=True) if share > 0]",
        "strict=True) if share >= 0]",
        BLENDS,
    ),
    Mutant(
        "huge weights overflow",
        BLEND,
        "scaled = [value / largest for value in values]",
        "scaled = [value for value in values]",
        BLENDS,
    ),
    # Masks.
    Mutant(
        "masks are hardened at a half",
        REGIONS,
        "return grey if grey.dtype == np.uint8 else grey.clip(0, 1).astype(np.float32)",
        "return (grey > 0.5).astype(np.float32)",
        MASKS,
    ),
    Mutant(
        "the transparency of a mask does not count",
        REGIONS,
        "    if alpha is not None:\n        grey",
        "    if False:\n        grey",
        MASKS,
    ),
    Mutant(
        "masks of styles without a share cover the photo",
        REGIONS,
        "if mask is not None and share > 0:",
        "if mask is not None:",
        MASKS,
    ),
    Mutant(
        "masks are enlarged by Lanczos, with rings",
        REGIONS,
        "Image.Resampling.LANCZOS if shrinks else Image.Resampling.BILINEAR",
        "Image.Resampling.LANCZOS",
        MASKS,
    ),
    Mutant(
        "strips of a scaled mask do not see their neighbours",
        REGIONS,
        "reach = math.ceil(LANCZOS_REACH * max(1.0, height / shape[0])) + 1",
        "reach = 0",
        f"{MASKS} tests/pipeline/test_masks_of_large_photos.py",
    ),
    Mutant(
        "the picture is laid over the photo by the root of the mask",
        PAINT,
        "return photo + cover * (picture - photo)",
        "return photo + cover**0.5 * (picture - photo)",
        MASKS,
    ),
    # Strength.
    Mutant(
        "strength does not count where there are masks",
        PAINT,
        "targets = [at_strength(engine, photo, style, options.strength) "
        "for style in regions.styles]",
        "targets = list(regions.styles)",
        MASKS,
    ),
    Mutant(
        "nearly full strength is full strength",
        PAINT,
        "if strength == 1.0:",
        "if strength >= 0.9:",
        "tests/pipeline/test_painting.py",
    ),
    Mutant(
        "the identity's contrast is the variance",
        "networks/cin/photo.py",
        "return xp.sqrt(variance), mean",
        "return variance, mean",
        f"{PHOTO} tests/engines/test_cin_contrast.py",
    ),
    Mutant(
        "ordinary photos get less of a style",
        CONTRAST,
        "NOTHING_SEEN, ALL_SEEN = 0.005, 0.05",
        "NOTHING_SEEN, ALL_SEEN = 0.005, 0.07",
        "tests/engines/test_cin_contrast.py",
    ),
    Mutant(
        "there is a jump where a film fades",
        CONTRAST,
        "return min(max(share, 0.0), 1.0)",
        "return float(share > 0.5)",
        "tests/engines/test_cin_contrast.py",
    ),
    # Normalisation.
    Mutant(
        "the shared epsilon is a hundred times as large",
        "networks/cin/layout.py",
        "EPSILON = 1e-5\n",
        "EPSILON = 1e-3\n",
        "tests/networks/test_cin_epsilon.py",
    ),
    Mutant(
        "the last normalisation is in bfloat16, so that skies show its steps",
        FAST,
        "return tf.sigmoid(normalize(tf.cast(x, tf.float32), step))",
        "return tf.cast(tf.sigmoid(normalize(x, step)), tf.float32)",
        "tests/networks/test_cin_fast.py",
    ),
    Mutant(
        "a region's variance is about 0 and not about its mean",
        FAST,
        "affine_of_region(*step.affine(gamma, beta), mean, square - mean**2)",
        "affine_of_region(*step.affine(gamma, beta), mean, square)",
        "tests/networks/test_cin_large_regions.py",
    ),
    Mutant(
        "a region's weights count a little too much",
        "networks/cin/layout.py",
        "TOTAL_EPSILON = 1e-6",
        "TOTAL_EPSILON = 1.0",
        "tests/networks/test_cin_large_regions.py",
    ),
    Mutant(
        "strips of a large photo are added up without what lies between their means",
        NORMS,
        "spread = spread + squares + apart**2 * (count * size / (count + size))",
        "spread = spread + squares",
        "tests/networks/test_cin_large.py",
    ),
    Mutant(
        "the same where there are regions",
        NORMS,
        "spread = spread + squares + apart**2 * (total * share)",
        "spread = spread + squares",
        "tests/networks/test_cin_large_regions.py",
    ),
    # Resuming.
    Mutant(
        "a film goes on with parts of another seed",
        FILM,
        '        "seed": options.seed,\n',
        "",
        PARTS,
    ),
    Mutant(
        "a film that goes on has forgotten the last frame",
        FILM,
        "past = load_past(folder, index)",
        "past = None",
        PARTS,
    ),
    Mutant(
        "a damaged part of a film is taken as it is",
        "video/parts.py",
        "if found != segments or _digest",
        "if _digest",
        PARTS,
    ),
    Mutant(
        "a training that goes on has lost half of Adam's state",
        "training/checkpoint.py",
        "    for name, variable in state.items():\n        variable.assign(arrays[name])",
        "    for name, variable in state.items():\n        if 'velocity' not in name:\n"
        "            variable.assign(arrays[name])",
        "tests/training/test_train.py",
    ),
    Mutant(
        "pictures from before the settings changed count as done",
        "batch/files.py",
        "return {path for path, entry in entries if entry.stat().st_mtime_ns >= since}",
        "return {path for path, entry in entries}",
        "tests/batch/test_batch.py",
    ),
    # Refining.
    Mutant(
        "refining has no content weight",
        REFINING,
        "CONTENT_WEIGHT = 0.05",
        "CONTENT_WEIGHT = 0.0",
        REFINED,
    ),
    Mutant(
        "refining looks at one photo only",
        REFINER,
        "*inputs[step % len(inputs)], targets)",
        "*inputs[0], targets)",
        REFINED,
    ),
    Mutant(
        "the rate of refining does not fall",
        REFINING,
        "learning_rate * (1 - step / steps) * ",
        "learning_rate * ",
        REFINED,
    ),
]


def copied(folder: Path) -> Path:
    """A copy of the package and its tests."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    return folder


def noticed_by(mutant: Mutant, folder: Path) -> str | None:
    """The first test that fails with the mutant in place of the package; None where none does."""
    path = folder / "arbitrary_nst" / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.file} has {mutant.old!r} {text.count(mutant.old)} times, not 1.")
    path.write_text(text.replace(mutant.old, mutant.new))
    try:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [*command, *mutant.tests.split()],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        path.write_text(text)
    if done.returncode == 0:
        return None
    failed = FAILED.search(done.stdout)
    if done.returncode != 1 or failed is None:
        raise SystemExit(f"The tests did not run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return failed.group(1)


def main(numbers: list[int]) -> int:
    """Tries the mutants of these numbers, from 1 on; returns how many survive."""
    survivors = 0
    with tempfile.TemporaryDirectory() as name:
        folder = copied(Path(name))
        for number in numbers or range(1, len(MUTANTS) + 1):
            mutant = MUTANTS[number - 1]
            test = noticed_by(mutant, folder)
            survivors += test is None
            caught = "SURVIVES" if test is None else f"`{test.removeprefix('tests/')}`"
            print(f"| {number} | {mutant.fault} | `{mutant.file}` | {caught} |", flush=True)
    return survivors


if __name__ == "__main__":
    sys.exit(min(main([int(text) for text in sys.argv[1:]]), 1))
