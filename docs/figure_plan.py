"""The figures of many photos: the tables of `benchmarks/batch.py`, and the plan that follows."""

from __future__ import annotations

from figure_texts import Values, rows, table

PICTURES = 10_000_000
CORES = 128
FEEDERS = 16  # cores beside a GPU
RESERVE = 1.25
DOLLARS_A_CORE_HOUR = 0.04
READ, WRITE = 0.0004, 0.005  # dollars for a thousand objects
MEGABYTES = 4.0  # of a photo
BYTES_OUT = 0.52  # megabytes of a picture of 1024 pixels


def values() -> Values:
    """All of them."""
    stages = {}
    for row in rows("batch-stages.csv"):
        size = str(int(row["size"])) if row["size"] else "its own"
        stages.setdefault((row["photo"], size), {})[row["stage"]] = row["cpu_ms"]
    return {**_stages(stages), **_ways(), **_plan(stages)}


def _ms(value: float) -> str:
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.1f} ms"


def _stages(stages: dict) -> Values:
    body = []
    for (photo, size), t in stages.items():
        beside = (t["read"] + t["write"]) / t["paint"]
        cells = [_ms(t[name]) for name in ("read", "paint", "write")]
        body.append([photo.replace("x", " x "), size, *cells, f"{beside:.2f}"])
    head = ["photo, JPEG", "`--size`", "read", "paint", "write"]
    return {"batch.stages": table([*head, "decode and encode against painting"], body)}


def _ways() -> Values:
    found = rows("batch-ways.csv")
    body = [
        [
            "Ray, local" if r["ray"] else "itself",
            f"{r['workers']:.0f}",
            f"{r['rate']:.1f} ({r['lowest']:.1f} to {r['highest']:.1f})",
            f"{r['ratio']:.2f}",
            f"{r['start']:.0f} s",
        ]
        for r in found
    ]
    head = ["run by", "workers", "a second", "ratio to the first", "start"]
    by = {(bool(r["ray"]), int(r["workers"])): r for r in found}
    return {
        "batch.ways": table(head, body),
        "batch.one": f"{by[False, 1]['rate']:.1f}",
        "batch.two": f"{by[False, 2]['rate']:.1f}",
        "batch.ray": f"{by[True, 1]['ratio']:.2f}",
        "batch.ray-start": f"{by[True, 1]['start'] - by[False, 1]['start']:.0f} s",
        "batch.ray-start-two": f"{by[True, 2]['start'] - by[False, 2]['start']:.0f} s",
        "batch.second": f"{by[False, 2]['ratio']:.2f}",
        "plan.start": f"{by[True, 2]['start']:.0f} s",
        "plan.starts": (
            f"100 starts of {by[True, 2]['start']:.0f} s are "
            f"{100 * by[True, 2]['start'] / 60:.0f} minutes"
        ),
    }


def _plan(stages: dict) -> Values:
    def cost(size: str) -> tuple[float, float, float, float]:
        t = stages["4000x3000", size]
        seconds = sum(t.values()) / 1000
        hours = PICTURES * seconds / 3600
        return seconds, hours, hours * RESERVE, hours * RESERVE / CORES

    t = stages["4000x3000", "1024"]
    seconds, hours, reserved, elapsed = cost("1024")
    dollars = reserved * DOLLARS_A_CORE_HOUR
    objects = PICTURES / 1000 * (READ + WRITE)
    incoming, outgoing = PICTURES * MEGABYTES / 1e6, PICTURES * BYTES_OUT / 1e6  # TB
    rate = incoming * 1000 / (elapsed * 3600)
    body = [
        [
            "processor time of a picture",
            f"{t['read']:.0f} ms read + {t['paint']:.0f} ms paint + {t['write']:.0f} ms write",
            f"{seconds:.2f} s",
        ],
        ["of all", f"{PICTURES:,} x {seconds:.3f} s / 3,600", f"{hours:,.0f} core-hours"],
        [
            "with a quarter in reserve (stragglers, starts, retries)",
            f"{hours:,.0f} x {RESERVE}",
            f"{reserved:,.0f} core-hours",
        ],
        [f"on {CORES} cores", f"{reserved:,.0f} / {CORES}", f"{elapsed:.1f} hours"],
        ["cores", f"{reserved:,.0f} x {DOLLARS_A_CORE_HOUR} $", f"{dollars:.0f} $"],
        [
            "reads and writes of objects",
            f"{PICTURES // 1000:,} x ({READ} $ + {WRITE} $)",
            f"{objects:.0f} $",
        ],
        ["in", f"{incoming:.0f} TB in {elapsed:.1f} h", f"{rate:.1f} GB/s"],
        ["out", f"{outgoing:.1f} TB", f"{outgoing * 1000 / (elapsed * 3600):.2f} GB/s"],
    ]
    small, own = cost("512"), cost("its own")
    # What a GPU can be fed with by the cores beside it.
    beside = (t["read"] + t["write"]) / 1000
    fed = FEEDERS / beside
    replaced = fed * t["paint"] / 1000
    quick = stages["4000x3000", "512"]
    return {
        "plan.painting": f"{t['paint'] / sum(t.values()):.0%}".replace("%", " %"),
        "plan.small-read": f"{quick['read']:.0f} ms",
        "plan.small-paint": f"{quick['paint']:.0f} ms",
        "plan.beside": f"{1000 * beside:.0f} ms",
        "plan.gpu-rate": f"{FEEDERS} / {beside:.3f} s = {fed:.0f}",
        "plan.gpu-hours": f"{PICTURES / fed / 3600:.1f} hours",
        "plan.gpu-cores": f"{fed:.0f} x {t['paint'] / 1000:.3f} s = {replaced:.0f}",
        "plan.gpu-dollars": f"{replaced * DOLLARS_A_CORE_HOUR:.1f} $",
        "plan.table": table(["", "arithmetic", "result"], body),
        "plan.hours": f"{reserved:,.0f} core-hours",
        "plan.dollars": f"{dollars + objects:.0f} $",
        "plan.small": (
            f"{small[0] * 1000:.0f} ms, {small[2]:,.0f} core-hours with the reserve, "
            f"{small[3]:.1f} hours on the same cores and {small[2] * DOLLARS_A_CORE_HOUR:.0f} $"
        ),
        "plan.small-rate": f"{incoming * 1000 / (small[3] * 3600):.1f} GB/s",
        "plan.own": (
            f"{own[0]:.2f} s, {own[1]:,.0f} core-hours, {own[1] * DOLLARS_A_CORE_HOUR:,.0f} $"
        ),
    }
