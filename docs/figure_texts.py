"""Puts the figures of `docs/data` into README, docs and model card.

A figure stands in a text between two comments, which a reader does not see:

    a style loss of <!-- = cin.style -->0.127<!-- /= -->

What is between them, a number, a sentence or a whole table, is written from `docs/data`; a test
compares.
"""

from __future__ import annotations

import csv
import datetime
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean, median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "docs" / "data"
PLACE = re.compile(r"(<!-- = ([\w.-]+) -->)(.*?)(<!-- /= -->)", re.DOTALL)
LOSSES = ("style_loss", "content_loss", "detailed", "flat", "order", "contrast", "saturation")
FOUR_BLOCKS = "num_residual_blocks 4"
Row = dict[str, Any]
Values = dict[str, str]


def texts() -> list[Path]:
    """Every text that may hold figures."""
    return [
        ROOT / "README.md",
        ROOT / "models" / "cin" / "README.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]


def filled() -> Iterator[tuple[Path, str, str]]:
    """Each text as it is, and with the figures of `docs/data`."""
    found = values()

    def place(match: re.Match[str]) -> str:
        start, key, _, end = match.groups()
        if key not in found:
            raise KeyError(f"no figure {key!r}; there are {', '.join(sorted(found))}")
        block = "\n" if "\n" in found[key] else ""
        return f"{start}{block}{found[key]}{block}{end}"

    for path in texts():
        old = path.read_text("utf-8")
        yield path, old, PLACE.sub(place, old)


def write() -> None:
    """Writes the texts whose figures differ."""
    for path, old, new in filled():
        if old != new:
            path.write_text(new, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")


def values() -> Values:
    """All figures by their keys, as they are printed."""
    makers: tuple[Callable[[], Values], ...] = (
        _stamps,
        _scores,
        _unseen,
        _fit,
        _pairs,
        _blends,
        _regions,
        _speed,
        _cold,
        _latency,
        _large,
        _video,
        _magenta,
        _export,
        _install,
    )
    import figure_plan

    return {key: value for make in (*makers, figure_plan.values) for key, value in make().items()}


def rows(name: str) -> list[Row]:
    """A CSV file of `docs/data`, numbers as floats."""
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return [{k: _number(v) for k, v in row.items()} for row in csv.DictReader(file)]


def _json(name: str) -> Any:
    return json.loads((DATA / name).read_text("utf-8"))


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def table(head: list[str], body: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def short(seconds: float) -> str:
    """Seconds to two digits, such as 0.063, 1.5 or 170."""
    if seconds >= 10:
        return f"{seconds:.0f}"
    return (
        f"{seconds:.3f}" if seconds < 0.1 else f"{seconds:.2f}" if seconds < 1 else f"{seconds:.1f}"
    )


def means(found: list[Row], engine: str, **where: Any) -> dict[str, float]:
    """Means of all columns of an engine's rows."""
    chosen = [
        r for r in found if r["engine"] == engine and all(r[k] == v for k, v in where.items())
    ]
    names = [k for k, v in chosen[0].items() if isinstance(v, float)]
    return {name: mean(row[name] for row in chosen) for name in names}


def nearer(found: list[Row], column: str) -> tuple[int, int]:
    """In how many styles cin's mean is below magenta's, and of how many."""
    styles = sorted({row["style"] for row in found})
    wins = [
        means(found, "cin", style=s)[column] < means(found, "magenta", style=s)[column]
        for s in styles
    ]
    return sum(wins), len(wins)


def _figures(prefix: str, found: dict[str, float]) -> Values:
    names = {"style": "style_loss", "content": "content_loss"}
    names |= {n: n for n in ("detailed", "flat", "unrest", "edges", "contrast", "saturation")}
    digits = {"edges": 2, "contrast": 2, "saturation": 2}
    return {
        f"{prefix}.{key}": f"{found[column]:.{digits.get(key, 3)}f}"
        for key, column in names.items()
        if column in found
    }


def _stamps() -> Values:
    import figures

    stamps, now = figures.read_stamps(), figures.shipped()
    found = {"network": f"`{now['network']}`"}
    for name, stamp in stamps.items():
        day = datetime.date.fromisoformat(stamp["date"])
        words = f"Made on {day.day} {day:%B %Y}"
        depends = figures.PARTS[name].depends_on
        if depends == "nothing":
            found[f"stamp.{name}"] = f"{words}."
            continue
        words += f" with network `{stamp['network']}`"
        older = {"predictor": " and an older predictor", "styles": " and older styles"}
        if depends in older and stamp["network"] == now["network"]:
            words += older[depends] if stamp.get(depends) != now[depends] else ""
        elif stamp.get(depends) != now[depends]:
            words += f", older than the one that ships (`{now['network']}`)"
        elif depends == "layout" and stamp["network"] != now["network"]:
            words += ", of the same layout as the one that ships"
        if stamp.get("load", 0) > 1:
            words += f", on a machine that did other work beside it (load {stamp['load']:g})"
        found[f"stamp.{name}"] = f"{words}."
    return found


def _scores() -> Values:
    found = rows("evaluate.csv")
    cin, magenta, photo = (means(found, engine) for engine in ("cin", "magenta", "photo"))
    styles = list(dict.fromkeys(row["style"] for row in found))
    by_style = {style: means(found, "cin", style=style) for style in styles}
    half = (len(styles) + 1) // 2
    cells = [
        [s, f"{by_style[s]['style_loss']:.3f}", f"{by_style[s]['content_loss']:.3f}"]
        for s in styles
    ]
    body = [
        cells[i] + ["", *(cells[i + half] if i + half < len(cells) else [""] * 3)]
        for i in range(half)
    ]
    best = [f"**{x}**" if a < b else x for x, a, b in _pair(cin, magenta)]
    other = [f"**{x}**" if b < a else x for x, b, a in _pair(magenta, cin)]
    head = ["", "style loss", "content loss", "style, detailed / flat half"]
    head += ["contrast, saturation", "moved by a little noise"]
    wins, content_wins = nearer(found, "style_loss"), nearer(found, "content_loss")
    return {
        **_figures("cin", cin),
        **_figures("magenta", magenta),
        "photo.style": f"{photo['style_loss']:.3f}",
        "cin.wins": f"{wins[0]} of {wins[1]} styles",
        "cin.content-wins": f"{content_wins[0]} of {content_wins[1]}",
        "cin.styles": str(len(styles)),
        "cin.table": table(
            head,
            [
                ["the photo itself", f"{photo['style_loss']:.3f}", "0", "", "", ""],
                ["`cin`", *best],
                ["`magenta`, phone version, on the same pairs", *other],
            ],
        ),
        "cin.farthest": _farthest(by_style),
        "cin.by-style": table(
            ["style", "style loss", "content loss", "", "style", "style loss", "content loss"], body
        ),
    }


def _farthest(by_style: dict[str, dict[str, float]]) -> str:
    """The three styles that are farthest from their paintings."""
    worst = sorted(by_style, key=lambda style: -by_style[style]["style_loss"])[:3]
    return ", ".join(f"`{style}` ({by_style[style]['style_loss']:.3f})" for style in worst)


def _pair(a: dict[str, float], b: dict[str, float]) -> list[tuple[str, float, float]]:
    """Cells of `a` with the numbers by which they are compared with `b`, lower is better."""
    return [
        (f"{a['style_loss']:.3f}", a["style_loss"], b["style_loss"]),
        (f"{a['content_loss']:.3f}", a["content_loss"], b["content_loss"]),
        (f"{a['detailed']:.3f} / {a['flat']:.3f}", *(m["detailed"] + m["flat"] for m in (a, b))),
        (f"{a['contrast']:.2f}, {a['saturation']:.2f}", 0, 0),
        (f"{a['unrest']:.3f}", a["unrest"], b["unrest"]),
    ]


def _unseen() -> Values:
    found, guessed = rows("evaluate-unseen.csv"), rows("evaluate-predicted.csv")
    cin, magenta = means(found, "cin"), means(found, "magenta")
    predicted, named = means(guessed, "cin"), means(rows("evaluate.csv"), "cin")
    wins, content_wins = nearer(found, "style_loss"), nearer(found, "content_loss")
    names = {
        "`cin`, as shipped: predicted and refined": cin,
        "`cin`, as predicted (`refine_steps=0`)": predicted,
        "`magenta`, phone version": magenta,
        "`cin`, its own named styles (six photos)": named,
    }
    body = [
        [
            name,
            *(
                f"{m[c]:.{d}f}"
                for c, d in (("style_loss", 3), ("content_loss", 3), ("edges", 2), ("unrest", 3))
            ),
        ]
        for name, m in names.items()
    ]
    head = ["", "style loss", "content loss", "edges", "moved by a little noise"]
    images = {int(r["refine_steps"]): r for r in rows("images.csv")}
    return {
        **_figures("unseen", cin),
        **_figures("unseen-magenta", magenta),
        **_figures("predicted", predicted),
        "unseen.wins": f"{wins[0]} of the {wins[1]}",
        "unseen.content-wins": f"{content_wins[0]} of them",
        "unseen.paintings": str(wins[1]),
        "unseen.times-as-far": f"{cin['style_loss'] / named['style_loss']:.1f}",
        "unseen.table": table(head, body),
        "images.refined": f"{short(images[max(images)]['best'])} s",
        "images.predicted": f"{short(images[0]['best'])} s",
    }


def _fit() -> Values:
    fitted = rows("fit.csv")
    photos = {name for row in fitted for name in row["photo"].split()}
    plain = [row for row in rows("evaluate.csv") if row["photo"] in photos]
    measured = {"as shipped": means(plain, "cin"), "`fit_steps=10`": means(fitted, "cin")}
    body = [
        [name, *(f"{m[c]:.{3 if i < 4 else 2}f}" for i, c in enumerate(LOSSES))]
        for name, m in measured.items()
    ]
    head = ["", *(name.replace("_loss", "") for name in LOSSES)]
    return {"fit.table": table(head, body)}


def _pairs() -> Values:
    found = rows("evaluate-pairs.csv")
    return {
        **_figures("pairs.cin", means(found, "cin")),
        **_figures("pairs.magenta", means(found, "magenta")),
    }


def _blends() -> Values:
    found = _json("blends.json")
    low, high = min(found["identity"]), max(found["identity"])
    return {
        "blends.steady": f"{found['steady']} of {found['steps']} steps",
        "blends.pairs": f"{found['pairs']} pairs of styles",
        "identity.decibels": f"{low:.0f} to {high:.0f} dB",
    }


def _regions() -> Values:
    found = _json("regions.json")
    return {
        "scale.with": f"{found['working_size']:.1f} dB",
        "scale.without": f"{found['plain']:.1f} dB",
        "passes.most": f"{found['highest']:.2f}",
        "passes.mean": f"{found['mean']:.2f}",
    }


def _speed() -> Values:
    by = {(int(r["size"]), r["precision"]): r for r in rows("speed.csv")}
    sizes = sorted({size for size, _ in by})
    body = []
    for size in sizes:
        fast, exact = by.get((size, "bfloat16")), by.get((size, "float32"))
        cells = [f"{short(r['best'])} s" if r else "" for r in (fast, exact)]
        body.append([f"{size} x {size}", *cells, f"{(fast or exact)['peak'] / 1000:.2f} GB"])
    fast = by.get((512, "bfloat16")) or by[512, "float32"]
    head = ["photo", "bfloat16", "float32", "peak memory (bfloat16)"]
    return {
        "speed.table": table(head, body),
        "speed.512": f"{fast['best']:.2f} s",
        "speed.first": f"{fast['first'] - fast['best']:.1f} s",
    }


def _cold() -> Values:
    by = {(int(r["size"]), r["runtime"]): r for r in rows("cold.csv") if r["style"] == "name"}
    body = []
    for size in sorted({size for size, _ in by}):
        a, b = by[size, "auto"], by[size, "tensorflow"]
        pairs = [f"{short(a[k])} for {short(b[k])} s" for k in ("wall", "cpu")]
        body.append([f"{size} x {size}", *pairs, f"{a['peak']:.0f} for {b['peak']:.0f} MiB"])
    head = ["photo", "wall clock", "processor's time", "peak memory"]
    return {"cold.table": table(head, body)}


def _latency() -> Values:
    by = {int(r["size"]): r for r in rows("latency.csv")}
    large = by[512]
    return {
        "latency.512": f"{large['median'] / 1000:.2f} s",
        "latency.256": f"{by[256]['median'] / 1000:.2f} s",
        "latency.alone": f"{large['alone'] / 1000:.2f}",
        "latency.moves": f"{large['moves']:.0f}",
        "latency.painted": f"{large['painted']:.0f}",
        "latency.late": f"{large['late'] / 1000:.2f} s",
    }


def _large() -> Values:
    found = rows("large.csv")
    body = []
    for r in found:
        size = f"{r['mp']:.2g}" if r["mp"] < 10 else f"{r['mp']:.0f}, in passes"
        memory = [f"{r[key]:.2f} GiB" for key in ("peak", "before")]
        body.append([size, short(r["s"]), f"{r['s'] / r['mp']:.2f} s", *memory])
    head = ["megapixels", "seconds", "a megapixel", "peak of the process", "before painting"]
    return {
        "large.table": table(head, body),
        "large.100": f"{short(found[-1]['s'])} s",
        "large.100-peak": f"{found[-1]['peak']:.1f} GiB",
    }


def _video() -> Values:
    found = rows("video.csv")
    body = [
        [
            r["clip"],
            r["style"] or "the source",
            f"{r['steady']:g}" if r["style"] else "",
            f"{r['flicker']:.2f}",
            f"{r['sharpness']:.1f}",
        ]
        for r in found
    ]
    plain = {(r["clip"], r["style"]): r["flicker"] for r in found if r["steady"] == 0}
    gains = [plain[r["clip"], r["style"]] / r["flicker"] for r in found if r["steady"] == 0.7]
    return {
        "video.table": table(["clip", "style", "steady", "flicker", "sharpness"], body),
        "video.gain": f"{median(gains):.1f}",
    }


def _magenta() -> Values:
    by = {row["step"]: row["ms"] for row in rows("magenta.csv")}
    names = {
        "stylize, style image": "`stylize` with a style image",
        "stylize, precomputed": "`stylize` with a precomputed embedding",
        "embed": "embed one painting",
    }
    body = [[names.get(step, step), f"{ms:.0f}"] for step, ms in by.items()]
    return {
        "magenta.table": table(["step", "ms"], body),
        "magenta.seconds": f"{by['stylize, style image'] / 1000:.2f} s",
    }


def _export() -> Values:
    found = rows("export.csv")
    photos = list(dict.fromkeys(r["photo"] for r in found))
    by = {(r["photo"], r["by"]): r for r in found}
    names = {"engine": "engine", "savedmodel": "SavedModel", "tflite": "TFLite", "onnx": "ONNX"}

    def body(column: str, words: Callable[[float], str]) -> list[list[str]]:
        cells = [[by[photo, name][column] for name in names] for photo in photos]
        return [
            [photo, *(words(x) if isinstance(x, float) else x for x in line)]
            for photo, line in zip(photos, cells, strict=True)
        ]

    most = max(by[photos[0], name]["levels"] for name in ("tflite", "onnx"))
    levels = body("levels", lambda x: f"{x:.2f}")
    return {
        "export.times": table(["seconds a picture", *names.values()], body("s", short)),
        "export.levels": table(["levels of 255 from the engine", *names.values()], levels),
        "export.most": f"{most:.2f}",
    }


def _install() -> Values:
    found = _json("install.json")
    return {
        "install.download": f"{found['download']} MB",
        "install.tensorflow": f"{found['tensorflow']} MB",
        "install.disk": f"{found['disk'] / 1000:.1f} GB",
    }
