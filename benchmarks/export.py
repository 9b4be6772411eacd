"""Exported models beside the engine: how far their pictures differ, and what they take.

    python benchmarks/export.py --photo photo.jpg --csv export.csv

Needs the extras `export` and `tflite`. The engine paints in float32, as the models do.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tables import write_csv

from arbitrary_nst import Cin, export_network, load_image
from arbitrary_nst.export import FORMATS
from arbitrary_nst.image import resize

Run = Callable[[np.ndarray, np.ndarray], np.ndarray]


def savedmodel(folder: Path) -> Run:
    """The model as TensorFlow runs it."""
    import tensorflow as tf

    model = tf.saved_model.load(str(folder / "model"))
    serve = model.signatures["serving_default"]
    return lambda photo, style: serve(content=tf.constant(photo), style=tf.constant(style))[
        "picture"
    ].numpy()


def tflite(folder: Path) -> Run:
    """The model as LiteRT runs it."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / "model.tflite"), num_threads=2)

    def run(photo: np.ndarray, style: np.ndarray) -> np.ndarray:
        runner = interpreter.get_signature_runner()
        return runner(content=photo, style=style)["picture"]

    return run


def onnx(folder: Path) -> Run:
    """The model as ONNX Runtime runs it."""
    import onnxruntime

    path, providers = str(folder / "model.onnx"), ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(path, providers=providers)
    return lambda photo, style: session.run(["picture"], {"content": photo, "style": style})[0]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photo", required=True)
    parser.add_argument("--style", default="great-wave")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 2048], help="longer sides")
    parser.add_argument("--runs", type=int, default=3, help="of which the best counts")
    parser.add_argument("--csv", metavar="FILE", help="write the table")
    options = parser.parse_args()
    engine = Cin(precision="float32", runtime="tensorflow")
    style = engine.styles[options.style]
    vector = np.concatenate([style.arrays["gamma"], style.arrays["beta"]])
    photo, _ = load_image(options.photo)
    photos = [resize(photo, longer_side=size) for size in options.sizes]
    runners: dict[str, Run] = {"engine": lambda p, _: engine.render(p[0], style)[None]}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in FORMATS:
            export_network(Path(folder) / name, name)
            runners[name] = {"savedmodel": savedmodel, "tflite": tflite, "onnx": onnx}[name](
                Path(folder) / name
            )
        for photo in photos:
            wanted = runners["engine"](photo[None], vector)
            for name, run in runners.items():
                times, picture = [], wanted
                for _ in range(1 + options.runs):
                    start = time.perf_counter()
                    picture = run(photo[None], vector)
                    times.append(time.perf_counter() - start)
                levels = 255 * float(np.abs(picture - wanted).max())
                shape = f"{photo.shape[1]}x{photo.shape[0]}"
                rows.append({"photo": shape, "by": name, "s": min(times[1:]), "levels": levels})
                print("{photo:>10} {by:>10} {s:7.2f} s, {levels:.3f} levels".format_map(rows[-1]))
    write_csv(options.csv, rows)


if __name__ == "__main__":
    main()
