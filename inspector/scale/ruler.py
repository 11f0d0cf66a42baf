"""Millimetres per pixel from the ticks of a ruler. Pure.

Each tick along a line is found by itself, and the scale is the slope of their places over their
numbers. The danger is a soft picture, in which only each fifth or tenth tick is left: the scale
would be wrong by as much and look as exact. So what is not sharp enough to show ticks between those
found is refused, and so is what shows any.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.errors import TargetRefused
from inspector.scale.measured import TILT, Measured, large_enough
from inspector.types import Gray

BAND_PX = 3  # the profile is the mean over so many px on each side of the line: less noise
LEAST_TICKS = 10
SEEN = 0.15  # least height of a tick, of the highest: above the halo of a sharpened picture
CLEAR = 8.0  # and in standard deviations of the noise
FAINTEST = 1.0  # and in grey levels
UNEVEN = 0.2  # most by which a distance of two ticks may be off the others, of their pitch
UNLIKE = 0.3  # most by which each second tick may be fainter
GROUPED = 0.15  # least by which each fifth or tenth tick stands out, where it does
FINEST_PX = 2.9  # ticks nearer to each other than that are not told apart in any picture
WIDE = 0.3  # ticks that take so much of the pitch leave no room for others between them
WIDEST_PX = 4.0  # widest edge, from a quarter to three quarters: more is out of focus
OBLIQUE = 0.1  # most by which the line may be off a right angle to the ticks, as a tangent
TICK_PX = 0.5  # standard error of the place of a tick: unevenly printed, or lit from the side

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Ticks:
    """Places along the line and widths at half their heights, px; heights in grey levels."""

    at: Floats
    width: Floats
    height: Floats

    @property
    def pitch(self) -> float:
        return float(np.median(np.diff(self.at)))


def from_ruler(
    gray: Gray, a: tuple[float, float], b: tuple[float, float], tick_mm: float
) -> Measured:
    """A ruler's ticks along the line from `a` to `b`, which must cross them; `tick_mm` apart.

    A ruler that leans to one end looks shorter, and nothing of that is seen: it has to lie flat.

    Raises:
        TargetRefused: no regular ticks, too few of them, blurred, with others between them, or
            tilted.
    """
    length = float(np.hypot(b[0] - a[0], b[1] - a[1]))
    large_enough(length, "the line along the ruler")
    band = _band(gray, a, b, length)
    line, noise = _line(band)
    ticks = _found(line, max(SEEN * float(np.ptp(line)), CLEAR * noise, FAINTEST))
    edge = _edge(_typical(line, ticks))
    # Wide ticks leave no room for others, but ticks are also wide where they are blurred.
    roomy = not float(np.median(ticks.width)) > max(WIDE * ticks.pitch, 4.4 * edge)
    _sharp(ticks, edge, _parts(ticks, noise) if roomy else (1,))
    _regular(ticks)
    number = np.interp(np.arange(len(line)) / 2, ticks.at, np.arange(len(ticks.at)), np.nan, np.nan)
    within = ~np.isnan(number)
    if roomy:
        _alone(line[within], number[within], noise, ticks)
    period, spread = _period(ticks)
    period *= _across(band[:, within], float(np.median(ticks.width)))
    mm_per_px = tick_mm / period
    relative = np.hypot(np.sqrt(2) * TICK_PX / length, spread / np.sqrt(12))
    return Measured(
        mm_per_px,
        float(mm_per_px * relative),
        f"{len(ticks.at)} ticks, {period:.2f} px apart, so that the line is "
        f"{length * mm_per_px:.4g} mm long",
    )


def _band(gray: Gray, a: tuple[float, float], b: tuple[float, float], length: float) -> Floats:
    """Brightness along the line and along its parallels, a row for each, two samples per px."""
    along, aside = (
        np.linspace(0, length, round(2 * length) + 1)[None],
        np.arange(-BAND_PX, BAND_PX + 1)[:, None],
    )
    c, s = (b[0] - a[0]) / length, (b[1] - a[1]) / length
    x, y = a[0] + along * c - aside * s, a[1] + along * s + aside * c
    seen = cv2.remap(
        gray, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(seen, np.float64)


def _line(band: Floats) -> tuple[Floats, float]:
    """The profile, of which the ticks are peaks whether they are dark or bright, and its noise."""
    line = band.mean(axis=0)
    level = cv2.blur(line[None], (max(3, len(line) // 8), 1))[0]
    narrow = float(((line - level) ** 3).mean())  # its sign: what takes less room than the ground
    # Every second row less the others: a line that is oblique to the ticks moves both alike.
    apart = np.abs(band[::2].mean(axis=0) - band[1::2].mean(axis=0))
    return (line if narrow > 0 else -line), float(np.median(apart)) / 0.6745 / 2


def _found(line: Floats, least: float) -> _Ticks:
    """Peaks that stand out by `least` on both sides.

    Raises:
        TargetRefused: there are too few.
    """
    peaks = _peaks(line, least)
    if len(peaks) < LEAST_TICKS:
        raise TargetRefused(
            f"expected at least {LEAST_TICKS} clear ticks along the line, found {len(peaks)}: "
            "focus, go nearer, or lay the line across the ticks"
        )
    bounds = [0, *peaks, len(line) - 1]
    rows = [_tick(line, *bounds[k : k + 3]) for k in range(len(peaks))]
    at, width, height = np.array(rows).T
    return _Ticks(at / 2, width / 2, height)


def _peaks(line: Floats, least: float) -> list[int]:
    peaks, best, rising = [], 0, False
    for i, value in enumerate(line):
        if value > line[best] if rising else value < line[best]:
            best = i
        elif abs(value - line[best]) >= least:
            if rising:
                peaks.append(best)
            best, rising = i, not rising
    return peaks


def _tick(line: Floats, before: int, peak: int, after: int) -> tuple[float, float, float]:
    """Middle and width at half the height over the higher ground beside it, samples; the height."""
    ground = max(line[before : peak + 1].min(), line[peak : after + 1].min())
    left = peak - _crossing(line[peak::-1], (line[peak] + ground) / 2)
    right = peak + _crossing(line[peak:], (line[peak] + ground) / 2)
    return (left + right) / 2, right - left, float(line[peak] - ground)


def _crossing(falls: Floats, level: float) -> float:
    """Where it first goes below the level, in samples from its begin, which is above."""
    i = int(np.argmax(falls < level))
    return i - float((level - falls[i]) / (falls[i - 1] - falls[i]))


def _typical(line: Floats, ticks: _Ticks) -> Floats:
    """The median tick, with half the pitch on both sides of it."""
    reach = np.arange(-int(ticks.pitch), int(ticks.pitch) + 1)
    all_of_them = np.interp(2 * ticks.at[1:-1, None] + reach, np.arange(len(line)), line)
    return np.asarray(np.median(all_of_them, axis=0))


def _edge(typical: Floats) -> float:
    """How far the sides of a tick are from a quarter to three quarters of its height, mean, px."""
    peak = len(typical) // 2
    sides = typical[peak::-1], typical[peak:]
    ground = max(side.min() for side in sides)
    low, high = (ground + share * (typical[peak] - ground) for share in (0.25, 0.75))
    if not low < typical[peak]:
        return np.inf
    return float(np.mean([_crossing(side, low) - _crossing(side, high) for side in sides])) / 2


def _sharp(ticks: _Ticks, edge: float, parts: tuple[int, ...]) -> None:
    """Edges are narrow enough that ticks between those found would be seen."""
    limit = _softest(ticks.pitch, parts)
    if ticks.pitch < FINEST_PX or not edge <= limit:
        raise TargetRefused(
            f"expected sharp ticks, edges of at most {limit:.2f} px where they are "
            f"{ticks.pitch:.1f} px apart, or finer ones between them would not be seen; found "
            f"{edge:.2f} px: focus, or go nearer"
        )


def _parts(ticks: _Ticks, noise: float) -> tuple[int, ...]:
    """Into how many parts finer ticks, if there were any, could divide the pitch of those found."""
    return (1, 2) if _in_fives(ticks.height, noise) else (1, 2, 5, 10)


def _in_fives(heights: Floats, noise: float) -> bool:
    """Each fifth or tenth stands out, as where the finest ticks of a ruler are seen."""
    for group in (5, 10):
        for first in range(group):
            own, rest = heights[first::group], np.delete(heights, np.s_[first::group])
            usual = float(np.quantile(rest, 0.9))
            if len(own) >= 2 and own.min() - usual > max(GROUPED * usual, 4 * noise):
                return True
    return False


def _softest(pitch: float, parts: tuple[int, ...]) -> float:
    """The widest edge, px, in which ticks as fine as the picture could show are still seen.

    Of a pure wave, which is what blur leaves of any ticks in the end, it is a sixth of the pitch.
    """
    finest = min(pitch / part for part in parts if part == 1 or pitch / part >= FINEST_PX)
    return min(max(finest / 3, 1.1), max(1.4, pitch / 7), WIDEST_PX)


def _regular(ticks: _Ticks) -> None:
    apart = np.diff(ticks.at)
    if not np.abs(apart / ticks.pitch - 1).max() <= UNEVEN:
        raise TargetRefused(
            f"expected regular ticks along the line and nothing else, found them {apart.min():.1f} "
            f"to {apart.max():.1f} px apart: focus, go nearer, or look straight at it"
        )
    pair = [float(np.median(ticks.height[k::2])) for k in (0, 1)]
    if not max(pair) - min(pair) <= UNLIKE * max(pair):
        raise TargetRefused(
            "expected ticks of one kind, found every second one fainter, as where only those of "
            "5 and of 10 are seen: focus, go nearer, or lay the line across equal ticks"
        )


def _alone(line: Floats, number: Floats, noise: float, ticks: _Ticks) -> None:
    """No ripple between the ticks with a fifth or a tenth of their pitch.

    `number` counts the ticks at each sample. The weight hides the ticks themselves; of what else
    is there, as halos, slower ripples are the stronger ones.
    """
    weight = np.sin(np.pi * number) ** 8
    weight /= weight.sum()
    rest = line - (weight * line).sum()
    least = max(5 * noise * np.sqrt(8 * (weight**2).sum()), 0.1, 0.003 * np.median(ticks.height))
    for part in (5, 10):
        slower, ripple = (
            2 * float((weight * rest * np.cos(2 * np.pi * k * number)).sum())
            for k in (part - 2, part)
        )
        if ticks.pitch >= 1.5 * part and ripple > max(least, 1.5 * abs(slower)):
            raise TargetRefused(
                f"expected nothing between the ticks, found fainter ones, {part} on "
                f"{ticks.pitch:.1f} px: focus, or go nearer"
            )


def _period(ticks: _Ticks) -> tuple[float, float]:
    """Mean distance of the ticks, px, and by how much it differs from end to end, as a share."""
    number = np.arange(len(ticks.at))
    period = float(np.polyfit(number, ticks.at, 1)[0])
    spread = abs(2 * float(np.polyfit(number, ticks.at, 2)[0])) * (len(number) - 1) / period
    if not spread <= TILT:
        raise TargetRefused(
            f"expected the ruler square to the camera, found ticks {spread:.1%} wider at one end"
        )
    return period, spread


def _across(band: Floats, width: float) -> float:
    """Cosine of how oblique the line is to the ticks, which are farther apart along an oblique one.

    The slope of the brightness from side to side of the band is that along it, times the tangent.
    """
    calm = cv2.GaussianBlur(band, (0, 0), sigmaX=width, sigmaY=1e-3)
    aside = np.arange(-BAND_PX, BAND_PX + 1)
    slope_along = np.gradient(calm.mean(axis=0), 0.5)
    slope_aside = aside @ calm / (aside @ aside)
    tangent = float(slope_aside @ slope_along / (slope_along @ slope_along))
    if not abs(tangent) <= OBLIQUE:
        off = abs(np.degrees(np.arctan(tangent)))
        raise TargetRefused(f"expected the line square to the ticks, found it {off:.0f}° off")
    return float(np.cos(np.arctan(tangent)))
