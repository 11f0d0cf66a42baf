"""What is not a scratch though it looks like one: dirt, fibres, liquids, lines of the part.

Every function draws into `image` (h, w, 3) float32 in place.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth import noise
from training.synth.surfaces.base import Image, colour, paint

Draw = Callable[[np.random.Generator, Image], None]


def _curve(
    rng: np.random.Generator, h: int, w: int, length: float, curl: float
) -> NDArray[np.float64]:
    """A smooth curly path of about one point per 2 px; `curl` in radians per pixel."""
    n = max(8, int(length / 2))
    knots = rng.standard_normal(max(4, n // 12 + 3)) * curl * 2
    turn = np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots)
    angle = rng.uniform(0, 2 * np.pi) + np.cumsum(turn + rng.normal(0, curl))
    step = 2 * np.stack([np.cos(angle), np.sin(angle)], 1)
    return np.cumsum(step, 0) + rng.uniform(0, 1, 2) * (w, h)


def _trace(shape: tuple[int, int], path: NDArray[np.float64], thick: float) -> Image:
    """Anti-aliased coverage of an even line; below 1 px it grows faint instead of thin."""
    mask = np.zeros(shape, np.float32)
    whole = max(1, round(thick))
    cv2.polylines(mask, [np.rint(path * 16).astype(np.int32)], False, 1.0, whole, cv2.LINE_AA, 4)
    return np.clip(mask, 0, 1) * np.float32(min(1.0, thick))


def hair(rng: np.random.Generator, image: Image) -> None:
    """A hair: even, smooth, long, curling, with a soft shadow."""
    h, w = image.shape[:2]
    path = _curve(rng, h, w, rng.uniform(80, 500), rng.uniform(0.015, 0.05))
    mark = _trace((h, w), path, rng.uniform(0.6, 2.4))
    shadow = cv2.GaussianBlur(_trace((h, w), path + rng.uniform(1, 5, 2), 2), (0, 0), 2)
    image *= (1 - rng.uniform(0, 0.4) * shadow)[..., None]
    paint(image, mark * np.float32(rng.uniform(0.5, 1)), colour(rng, 5, 90, 12))


def fibre(rng: np.random.Generator, image: Image) -> None:
    """Lint: short, tightly curled, bright or coloured."""
    h, w = image.shape[:2]
    for _ in range(int(rng.integers(1, 6))):
        path = _curve(rng, h, w, rng.uniform(12, 90), rng.uniform(0.08, 0.3))
        mark = _trace((h, w), path, rng.uniform(0.4, 1.8)) * np.float32(rng.uniform(0.3, 1))
        paint(image, mark, colour(rng, 20, 255, 40))


def dust(rng: np.random.Generator, image: Image) -> None:
    """Specks of 1 to 5 px, mostly bright, some with a tiny tail."""
    h, w = image.shape[:2]
    layer = np.zeros((h, w), np.float32)
    for _ in range(int(np.exp(rng.uniform(np.log(5), np.log(200))))):
        at = (int(rng.uniform(0, w)), int(rng.uniform(0, h)))
        if rng.random() < 0.8:
            layer[at[1], at[0]] = rng.uniform(0.2, 1)
        else:
            cv2.ellipse(
                layer,
                at,
                (int(rng.integers(1, 4)), int(rng.integers(0, 2))),
                rng.uniform(0, 180),
                0,
                360,
                rng.uniform(0.3, 1),
                -1,
            )
    layer = cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.3, 0.9))
    layer /= max(1e-6, float(layer.max()))
    paint(
        image,
        np.clip(layer, 0, 1),
        colour(rng, 90, 255, 12) if rng.random() < 0.75 else colour(rng, 0, 80, 12),
    )


def _blob(rng: np.random.Generator, h: int, w: int, size: float, stretch: float) -> Image:
    """Signed distance-like field of an irregular spot, negative inside."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    x, y = x - np.float32(rng.uniform(0, w)), y - np.float32(rng.uniform(0, h))
    a = rng.uniform(0, np.pi)
    u, v = x * np.cos(a) + y * np.sin(a), (y * np.cos(a) - x * np.sin(a)) * stretch
    ragged = rng.uniform(0.05, 0.5) * size * noise.fractal(rng, h, w, max(4.0, size * 0.6))
    return (np.hypot(u, v) - size + ragged).astype(np.float32)


def stain(rng: np.random.Generator, image: Image) -> None:
    """Dried spots: a body with a darker or brighter edge, round or drawn out."""
    h, w = image.shape[:2]
    for _ in range(int(rng.integers(1, 6))):
        size = float(np.exp(rng.uniform(np.log(3), np.log(60))))
        d = _blob(rng, h, w, size, float(rng.choice([1, 1, 1.6, 3])))
        body = np.clip(0.5 - d / (2 * rng.uniform(0.8, 8)), 0, 1) * np.float32(
            rng.uniform(0.05, 0.8)
        )
        edge = np.exp(-((d / rng.uniform(0.8, 3)) ** 2)) * np.float32(rng.uniform(0, 0.7))
        if rng.random() < 0.5:
            edge *= np.clip(noise.cloud(rng, h, w, 30) + 0.5, 0, 1)
        tone = colour(rng, 60, 255, 10) if rng.random() < 0.6 else colour(rng, 0, 120, 25)
        paint(
            image,
            np.clip(np.maximum(body * (1 + 0.3 * noise.grain(rng, h, w, 1)), edge), 0, 1),
            tone,
        )


def droplets(rng: np.random.Generator, image: Image) -> None:
    """Oil or water drops: dim bodies with a bright crescent."""
    h, w = image.shape[:2]
    where = rng.uniform(0, 1, 2) * (w, h)
    for _ in range(int(rng.integers(2, 25))):
        r = float(np.exp(rng.uniform(np.log(2), np.log(22))))
        at = where + rng.normal(0, 1, 2) * rng.uniform(10, 120)
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        far = np.hypot(x - np.float32(at[0]), y - np.float32(at[1]))
        lit = np.clip((x - at[0]) / (r + 1) * 0.7 + (y - at[1]) / (r + 1) * 0.7, 0, 1)
        image += (np.clip(r - far + 0.5, 0, 1) * rng.uniform(-15, 25))[..., None].astype(np.float32)
        image += (np.exp(-(((far - r) / 1.3) ** 2)) * lit * rng.uniform(10, 120))[..., None].astype(
            np.float32
        )


def smear(rng: np.random.Generator, image: Image) -> None:
    """A wiped film of oil: wide, soft, cloudy bands with fine parallel texture."""
    h, w = image.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        path = _curve(rng, h, w, rng.uniform(60, 400), rng.uniform(0.0, 0.02))
        wide = float(np.exp(rng.uniform(np.log(7), np.log(70))))
        band = cv2.GaussianBlur(_trace((h, w), path, wide), (0, 0), rng.uniform(0.12, 0.5) * wide)
        cloudy = np.clip(0.6 + 0.6 * noise.fractal(rng, h, w, rng.uniform(5, 40)), 0, 1)
        if rng.random() < 0.5:
            comb = noise.streaks(rng, h, w, 80, False)
            turn = cv2.getRotationMatrix2D((w / 2, h / 2), rng.uniform(0, 180), 1.5)
            cloudy = np.clip(
                cloudy + 0.15 * cv2.warpAffine(comb, turn, (w, h), borderMode=cv2.BORDER_REFLECT),
                0,
                1,
            )
        gain = rng.uniform(6, 55) * (1 if rng.random() < 0.75 else -0.6)
        image += (band * cloudy * gain)[..., None] * np.float32(1 + rng.normal(0, 0.1, 3))


def fingerprint(rng: np.random.Generator, image: Image) -> None:
    """Ridges: many near-parallel arcs inside an oval, low contrast."""
    h, w = image.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    cx, cy, r = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(30, 110)
    d = np.hypot((x - cx) * rng.uniform(0.8, 1.4), y - cy) + 8 * noise.cloud(rng, h, w, 40)
    ridges = 0.5 + 0.5 * np.sin(d * 2 * np.pi / rng.uniform(4, 9))
    oval = np.clip((r - np.hypot((x - cx) * 1.3, y - cy)) / 15, 0, 1)
    oval *= np.clip(0.7 + 0.6 * noise.fractal(rng, h, w, 30), 0, 1)
    image += (ridges * oval * rng.uniform(5, 45) * (1 if rng.random() < 0.8 else -0.7))[
        ..., None
    ].astype(np.float32)


def seam(rng: np.random.Generator, image: Image) -> None:
    """A joint, edge or moulding line: dead straight, even, from border to border.

    One that runs askew parts two faces, or nothing would tell it from a long scratch.
    """
    h, w = image.shape[:2]
    askew = rng.random() < 0.15
    a = rng.choice([0, np.pi / 2]) + rng.normal(0, 0.5 if askew else 0.02)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    d = (x - rng.uniform(0.05, 0.95) * w) * np.cos(a) + (y - rng.uniform(0.05, 0.95) * h) * np.sin(
        a
    )
    d = d.astype(np.float32)
    wide = rng.uniform(0.5, 3)
    for _ in range(int(rng.integers(1, 4))):
        shift = np.float32(rng.uniform(-6, 6))
        image += (np.exp(-(((d - shift) / wide) ** 2)) * rng.uniform(-90, 90))[..., None]
    if askew or rng.random() < 0.5:
        other = rng.uniform(0.5, 0.85) if rng.random() < 0.6 else rng.uniform(1.15, 1.4)
        image *= np.where(d > 0, 1.0, other).astype(np.float32)[..., None]


def wire(rng: np.random.Generator, image: Image) -> None:
    """A wire or cable: an even tube with a highlight and a shadow, from border to border."""
    h, w = image.shape[:2]
    path = _curve(rng, h, w, 900, rng.uniform(0.0005, 0.006))
    path += np.array([w / 2, h / 2]) - path[len(path) // 2] + rng.normal(0, 0.25, 2) * (w, h)
    thick = rng.uniform(3, 12)
    shadow = _trace((h, w), path + rng.choice([-1, 1], 2) * rng.uniform(0.3, 0.8) * thick, thick)
    image *= (1 - rng.uniform(0.2, 0.5) * cv2.GaussianBlur(shadow, (0, 0), 0.4 * thick))[..., None]
    paint(image, _trace((h, w), path, thick), colour(rng, 5, 200, 40))
    shine = cv2.GaussianBlur(
        _trace((h, w), path + rng.uniform(-0.2, 0.2) * thick, max(1, thick * 0.3)), (0, 0), 0.8
    )
    image += (shine * rng.uniform(30, 110))[..., None]


def crease(rng: np.random.Generator, image: Image) -> None:
    """A fold: a soft step of brightness, much wider than a groove."""
    h, w = image.shape[:2]
    a, soft = rng.uniform(0, np.pi), rng.uniform(3, 18)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    d = (x - rng.uniform(0, w)) * np.cos(a) + (y - rng.uniform(0, h)) * np.sin(a)
    d = d + rng.uniform(0, 5) * noise.cloud(rng, h, w, 60)
    gain = (
        1
        + rng.uniform(-0.2, 0.1) * np.tanh(d / soft)
        + rng.uniform(-0.12, 0.12) * np.exp(-((d / soft) ** 2))
    )
    image *= gain.astype(np.float32)[..., None]


def streak(rng: np.random.Generator, image: Image) -> None:
    """A reflection drawn out: wide, smooth, without grain, fading at both ends."""
    h, w = image.shape[:2]
    path = _curve(rng, h, w, rng.uniform(60, 500), rng.uniform(0, 0.006))
    wide = rng.uniform(12, 40)
    band = cv2.GaussianBlur(_trace((h, w), path, wide), (0, 0), wide * rng.uniform(0.3, 0.6))
    image += (band * rng.uniform(10, 130))[..., None] * np.float32(1 + rng.normal(0, 0.1, 3))


def trail(rng: np.random.Generator, image: Image) -> None:
    """Spots in a row, as a dripping or dragged liquid leaves them: dots, not a groove."""
    h, w = image.shape[:2]
    path = _curve(rng, h, w, rng.uniform(40, 300), rng.uniform(0.0, 0.04))
    layer = np.zeros((h, w), np.float32)
    biggest, at = rng.uniform(2, 9), 0.0
    while at < len(path):
        r = rng.uniform(0.3, 1) * biggest
        x, y = path[int(at)] + rng.normal(0, biggest * 0.4, 2)
        axes = (max(1, round(r * rng.uniform(0.7, 1.5))), max(1, round(r)))
        cv2.ellipse(
            layer,
            (round(x), round(y)),
            axes,
            rng.uniform(0, 180),
            0,
            360,
            rng.uniform(0.3, 1),
            -1,
            cv2.LINE_AA,
        )
        at += (r * rng.uniform(1.8, 6) + 1) / 2
    layer = cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.4, 1.6)) * np.float32(
        rng.uniform(0.15, 0.9)
    )
    paint(
        image,
        np.clip(layer, 0, 1),
        colour(rng, 80, 255, 12) if rng.random() < 0.75 else colour(rng, 0, 90, 15),
    )


def swab(rng: np.random.Generator, image: Image) -> None:
    """One stroke of a greasy finger or brush: broad, mottled, with a sharp border."""
    h, w = image.shape[:2]
    path = _curve(rng, h, w, rng.uniform(30, 300), rng.uniform(0.0, 0.03))
    band = _trace((h, w), path, rng.uniform(9, 40))
    band = cv2.GaussianBlur(band, (0, 0), rng.uniform(0.6, 2.5))
    mottled = np.clip(0.5 + 0.9 * noise.fractal(rng, h, w, rng.uniform(3, 20)), 0, 1)
    rim = np.clip(cv2.morphologyEx(band, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), 0, 1)
    cover = band * mottled * rng.uniform(0.06, 0.45) + rim * rng.uniform(0, 0.3)
    paint(
        image,
        np.clip(cover, 0, 1).astype(np.float32),
        colour(rng, 90, 255, 10) if rng.random() < 0.7 else colour(rng, 0, 110, 25),
    )


COMMON: tuple[Draw, ...] = (
    hair, fibre, dust, stain, droplets, smear, fingerprint, seam, wire, crease, streak, trail, swab,
)  # fmt: skip
WEIGHTS = {
    "phone": (0.05, 0.1, 0.18, 0.13, 0.08, 0.13, 0.07, 0.04, 0.02, 0.01, 0.06, 0.06, 0.07),
    "text": (0.13, 0.1, 0.13, 0.15, 0.03, 0.07, 0.03, 0.08, 0.04, 0.12, 0.04, 0.04, 0.04),
    "plate": (0.06, 0.06, 0.14, 0.18, 0.07, 0.09, 0.02, 0.08, 0.06, 0.06, 0.1, 0.04, 0.04),
    "photo": (0.08, 0.14, 0.2, 0.17, 0.06, 0.11, 0.09, 0, 0, 0, 0.03, 0.06, 0.06),
    "metal": (0.1, 0.1, 0.14, 0.2, 0.06, 0.12, 0.05, 0, 0.04, 0.02, 0.07, 0.05, 0.05),
}


def scatter(rng: np.random.Generator, image: Image, surface: str, count: int) -> None:
    """Draw `count` distractors of the kinds usual on a surface.

    On a `photo` only what comes and goes: the lines of the part are in the picture already.
    """
    for _ in range(count):
        COMMON[int(rng.choice(len(COMMON), p=WEIGHTS[surface]))](rng, image)
