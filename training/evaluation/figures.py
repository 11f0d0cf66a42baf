"""Plots as SVG with the page's own ink, so that one figure serves light, dark and paper."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inspector.intervals import Estimate
from training.evaluation.values import Judged, LimitCost, Summary

INK, FAINT = "#010203", "#040506"
"""Stand for the page's own colours `--ink` and `--faint`, which the page puts in their place."""
BLUE, ORANGE, GREEN, RED, PURPLE, SKY = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9",
)  # fmt: skip
"""Okabe and Ito's palette: told apart by colour-blind eyes, and on white as on black."""
SURFACE_COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY)
DASHES = ("-", "--", "-.", ":")
OCTAVES_PX = (10, 20, 40, 80, 160, 320, 640, 1280)
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a surface is called as its folder is, with $ or not
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.4,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
}


def figures(
    groups: Sequence[Summary], judged: Sequence[Judged], limit_px: float
) -> dict[str, Figure]:
    """Every plot of the report by its name. `groups`: all surfaces together, then each."""
    with mpl.rc_context(STYLE):
        return {
            "roc": _roc(groups),
            "limits": _limits(groups, limit_px),
            "recall": _recall(groups[0]),
            "length": _length(groups[0], judged),
        }


def svg(name: str, figure: Figure) -> str:
    """The figure as an element of an HTML page that defines `--ink` and `--faint`.

    All names inside get the prefix `name`, because a page holds several figures. HTML knows the
    namespaces of SVG without their addresses.
    """
    text = io.StringIO()
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the page's typeface has it
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    drawn = text.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r' xmlns(:\w+)?="[^"]*"', "", drawn)
    drawn = re.sub(r'\bid="', f'id="{name}-', drawn)
    drawn = re.sub(r'href="#', f'href="#{name}-', drawn)
    drawn = re.sub(r"url\(#", f"url(#{name}-", drawn)
    drawn = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", drawn)  # the page's typeface
    return drawn.replace(INK, "var(--ink)").replace(FAINT, "var(--faint)")


def _new(columns: int = 1, rows: int = 1, height: float = 3.4) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(4.4 * columns, height * rows), layout="constrained")
    axes: Any = figure.subplots(rows, columns, squeeze=False)
    return figure, list(axes.ravel())


def _roc(groups: Sequence[Summary]) -> Figure:
    """ROC over the longest measured scratch: at the limit's own question, and for any scratch."""
    figure, axes = _new(2, height=4.2)
    titles = ("ought to be rejected at the limit", "labelled bad, however small the scratch")
    for axis, title, blocks in zip(
        axes, titles, ([g.by_limit for g in groups], [g.by_label for g in groups]), strict=True
    ):
        axis.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8)
        curves, labels = [], []
        for k, (group, block) in enumerate(zip(groups, blocks, strict=True)):
            false, true, _ = block.roc
            if false:
                colour = INK if k == 0 else SURFACE_COLOURS[(k - 1) % len(SURFACE_COLOURS)]
                labels.append(f"{group.name}, AUC {block.auc.value:.3f}")
                curves += axis.plot(
                    false, true, color=colour, linewidth=2.2 if k == 0 else 1.3,
                    linestyle=DASHES[k % len(DASHES)],
                )  # fmt: skip
        axis.set(xlabel="falsely rejected", ylabel="rightly rejected", title=title)
        axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        if curves:  # named here: matplotlib leaves out what is called _so
            axis.legend(curves, labels, loc="lower right")
    return figure


def _limits(groups: Sequence[Summary], limit_px: float) -> Figure:
    """Missed and falsely rejected parts over the limit; a panel for each group."""
    columns = min(3, len(groups))
    figure, axes = _new(columns, -(-len(groups) // columns), height=3)
    curves: tuple[tuple[str, str, str, Callable[[LimitCost], Estimate]], ...] = (
        ("missed", RED, "-", lambda c: c.missed),
        ("falsely rejected", BLUE, "-", lambda c: c.false_reject),
        ("falsely rejected, good only", SKY, "--", lambda c: c.false_reject_good),
    )
    for axis in axes[len(groups) :]:
        axis.set_visible(False)
    for axis, group in zip(axes, groups, strict=False):
        for label, colour, dash, of in curves:
            points = [(c.limit_px, of(c)) for c in group.limits if of(c).value is not None]
            if not points:
                continue
            x = [limit for limit, _ in points]
            axis.plot(x, [100 * (e.value or 0) for _, e in points], dash, color=colour, label=label)
            if dash == "-":
                low, high = ([100 * (getattr(e, k)) for _, e in points] for k in ("low", "high"))
                axis.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
        axis.axvline(limit_px, color=INK, linewidth=0.8, linestyle=":")
        axis.set(xscale="log", ylim=(-2, 102), title=group.name)
        axis.set(xlabel="min_scratch_px", ylabel="% of the parts")
        _plain_ticks(axis, [limit_px * 2.0**k for k in range(-3, 4)])
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def _recall(group: Summary) -> Figure:
    """Recall over length, a line for each span of contrast, with Wilson's intervals."""
    figure, (axis,) = _new(height=3.4)
    contrasts = list(dict.fromkeys(b.contrast for b in group.scratches.bins))
    lengths = list(dict.fromkeys(b.length_px for b in group.scratches.bins))
    for k, (contrast, colour) in enumerate(zip(contrasts, (RED, ORANGE, BLUE), strict=True)):
        bins = [b.recall for b in group.scratches.bins if b.contrast == contrast]
        at = [i for i, e in enumerate(bins) if e.n]
        if not at:
            continue
        value = np.array([100 * (bins[i].value or 0) for i in at])
        ends = [[100 * (getattr(bins[i], end) or 0) for i in at] for end in ("low", "high")]
        axis.errorbar(
            np.array(at) + (k - 1) * 0.09, value,
            yerr=np.abs(np.array(ends) - value), color=colour, marker="os^"[k], markersize=5,
            linewidth=1.2, capsize=2, label=f"contrast {span(*contrast)}",
        )  # fmt: skip
    axis.set_xticks(range(len(lengths)), [span(*length) for length in lengths])
    axis.set(xlabel="true length, px", ylabel="% found", ylim=(-3, 103))
    if axis.get_legend_handles_labels()[0]:
        axis.legend(loc="lower right")
    return figure


def _length(group: Summary, judged: Sequence[Judged]) -> Figure:
    """Measured against true length, and the error over the true length with its limits."""
    figure, (left, right) = _new(2, height=3.6)
    pairs = [(t.length_px, t.error_px) for j in judged for t in j.truths if t.error_px is not None]
    true, error = np.array(pairs, float).reshape(-1, 2).T
    left.scatter(true, true + error, color=BLUE, s=9, alpha=0.45, linewidths=0)
    right.scatter(true, error, color=BLUE, s=9, alpha=0.45, linewidths=0)
    if len(true):
        ends = np.array([min(true.min(), (true + error).min()), max(true.max(), 1)])
        left.plot(ends, ends, color=INK, linewidth=0.8)
    left.set(xscale="log", yscale="log", xlabel="true length, px", ylabel="measured, px")
    for value, dash in (
        (group.length.bias_px.value, "-"),
        (group.length.low_limit_px.value, "--"),
        (group.length.high_limit_px.value, "--"),
    ):
        if value is not None:
            right.axhline(value, color=RED, linewidth=1, linestyle=dash)
            right.annotate(
                f"{value:+.1f}", (1, value), xycoords=("axes fraction", "data"), color=RED,
                ha="right", va="bottom", fontsize=9,
            )  # fmt: skip
    right.set(xscale="log", xlabel="true length, px", ylabel="measured − true, px")
    for axis in (left, right):
        _plain_ticks(axis, OCTAVES_PX)
    left.set_yticks(OCTAVES_PX)
    left.yaxis.set_major_formatter("{x:.0f}")
    left.yaxis.set_minor_locator(mpl.ticker.NullLocator())
    if len(true):
        left.set(ylim=(max(1, (true + error).min() * 0.8), (true + error).max() * 1.25))
    return figure


def span(low: float, high: float | None) -> str:
    """`20–40`, `< 10` from nothing on, `≥ 80` without an end."""
    if high is None:
        return f"≥ {low:g}"
    return f"< {high:g}" if low == 0 else f"{low:g}–{high:g}"


def _plain_ticks(axis: Axes, at: Sequence[float]) -> None:
    """Numbers of pixels instead of powers of ten; the range stays that of the data."""
    limits = axis.get_xlim()
    axis.set_xticks(at)
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_locator(mpl.ticker.NullLocator())
    axis.set_xlim(limits)
