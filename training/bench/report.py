"""The tables and the picture of docs/performance.md: each between marks, the prose by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from inspector.bench import machine
from training.bench.frames import Cost, Seams, Straight
from training.bench.lines import Lines
from training.bench.peers import REFERENCES, Row
from training.bench.profiles import STAGES, Stages, Step

LIBRARIES = ("ultralytics", "torch", "sahi", "supervision", "openvino-model-api")
COLOURS = {"inspector": "C0", "shrunk to 640 px": "C7", "SAHI": "C1", "supervision": "C2"}


def put(page: Path, name: str, lines: Sequence[str]) -> None:
    """Replace what stands between `<!-- name -->` and `<!-- end -->`.

    Raises:
        ValueError: the page has no such place.
    """
    text = page.read_text(encoding="utf-8")
    place = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not place.search(text):
        raise ValueError(f"{page}: expected <!-- {name} --> … <!-- end -->, found none")
    body = "\n".join(lines) + "\n"
    page.write_text(place.sub(lambda m: m[1] + body + m[2], text), encoding="utf-8")


def about() -> list[str]:
    """The machine, the versions and the day."""
    facts = {**machine(), **{name: _version(name) for name in LIBRARIES}}
    told = ", ".join(f"{name} {value}" for name, value in facts.items() if value)
    return [f"{told}; {datetime.now(UTC):%Y-%m-%d}."]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def peers(rows: Sequence[Row], refused: Sequence[str]) -> list[str]:
    """Ratios with their spread, a block for each number of scratches in view."""
    references = [name for name in REFERENCES if name in rows[0].multiples]
    heads = ["scratches in view", "way", "ms", *(f"× {name}" for name in references), "told"]
    out = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        multiples = [row.multiples[name].told(2) for name in references]
        told = "" if row.found is None else str(row.found)
        out.append(
            f"| {' | '.join([str(row.scratches), row.way, row.ms.told(), *multiples, told])} |"
        )
    return [*out, *(f"\nNot run: {why}" for why in refused)]


def stages(rows: Sequence[Stages]) -> list[str]:
    """Milliseconds of each stage of one part."""
    out = [f"| scratches in view | {' | '.join(STAGES)} |", "|---" * (len(STAGES) + 1) + "|"]
    return out + [
        f"| {row.scratches} | " + " | ".join(row.ms[name].told(2) for name in STAGES) + " |"
        for row in rows
    ]


def steps(rows: Sequence[Step]) -> list[str]:
    """The dearest steps of refining and measuring."""
    out = ["| step | own share | calls per scratch |", "|---|---|---|"]
    return out + [f"| `{row.name}` | {row.share:.1%} | {row.calls:.1f} |" for row in rows]


def seams(rows: Sequence[Seams], refused: Sequence[str]) -> list[str]:
    """The error of the length by seams crossed; pieces in brackets."""
    ways = list(dict.fromkeys(row.way for row in rows))
    out = ["| seams crossed | " + " | ".join(ways) + " |", "|---" * (len(ways) + 1) + "|"]
    for count in sorted({row.seams for row in rows}):
        cells = [
            f"{row.median:.1f} %, worst {row.worst:.0f} % ({row.pieces:.1f})"
            for way in ways
            for row in rows
            if (row.way, row.seams) == (way, count)
        ]
        out.append(f"| {count} | " + " | ".join(cells) + " |")
    return [*out, *(f"\nNot run: {why}" for why in refused)]


def straight(rows: Sequence[Straight]) -> list[str]:
    """What becomes of straight scratches, by heading."""
    out = ["| degrees | length true to a tenth | not found | of |", "|---|---|---|---|"]
    return out + [f"| {row.degrees} | {row.true} | {row.missed} | {row.count} |" for row in rows]


def cost(rows: Sequence[Cost]) -> list[str]:
    """Time and memory by area."""
    out = [
        "| frame | tiles | ms | ms per tile | memory, MB | MB per MP |",
        "|---|---|---|---|---|---|",
    ]
    return out + [
        f"| {row.name} | {row.tiles} | {row.ms.told(0)} | {row.ms.median / row.tiles:.1f} "
        f"| {row.more_mb:.0f} | {row.more_mb / row.megapixels:.1f} |"
        for row in rows
    ]


def lines(rows: Sequence[Lines]) -> list[str]:
    """Several lines at once."""
    out = [
        "| lines | threads | parts/s of all | slowest … fastest | p50, ms | p99, ms | own, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    return out + [
        f"| {row.instances} | {row.threads} | {row.rate:.1f} | {row.slowest:.1f} … "
        f"{row.fastest:.1f} | {row.p50_ms:.0f} | {row.p99_ms:.0f} | {row.own_mb:.0f} |"
        for row in rows
    ]


def plot(path: Path, rows: Sequence[Seams]) -> None:
    """The error of the length over the number of seams crossed, one line for each way."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for way in dict.fromkeys(row.way for row in rows):
        own = sorted((row.seams, row.median) for row in rows if row.way == way)
        axes.plot(*zip(*own, strict=True), "o-", label=way, color=COLOURS.get(way))
    axes.axhline(2, color="k", lw=0.8, ls="--", label="2 %")
    axes.set(xlabel="seams crossed", ylabel="error of the length, %", ylim=(0, 105))
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)
