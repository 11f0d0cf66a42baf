"""Phone screens from above: dark or lit glass, bezel, openings, reflections, mat."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from training.synth import fonts, noise
from training.synth.surfaces.base import Image, Surface, colour, inside, paint, rounded_box


def phone(rng: np.random.Generator, h: int, w: int, whole: bool = False) -> Surface:
    """A phone or a window on one, (h, w)."""
    long = (
        min(w * 0.92, h * 1.8) if whole else float(np.exp(rng.uniform(np.log(500), np.log(2000))))
    )
    short = long / rng.uniform(1.75, 2.25)
    angle = rng.normal(0, 0.02)
    half = (long / 2, short / 2)
    if not whole and rng.random() < 0.35:
        half = (half[1], half[0])
    centre = (w / 2, h / 2) if whole else _window(rng, h, w, half)
    image = _mat(rng, h, w)
    radius = rng.uniform(0.02, 0.14) * short
    body = rounded_box(h, w, centre, half, radius, angle)
    rim = colour(rng, 10, 60, 6) if rng.random() < 0.65 else colour(rng, 150, 255, 8)
    shadow = np.exp(-np.maximum(body, 0) / rng.uniform(3, 25)) * rng.uniform(0, 0.7)
    image *= (1 - shadow)[..., None]
    paint(image, inside(body), rim)
    along = 0 if half[0] > half[1] else 1
    border = [rng.uniform(0.005, 0.03) * short] * 2
    border[along] = rng.uniform(0.01, 0.12) * long
    inner = (half[0] - border[0], half[1] - border[1])
    screen = rounded_box(h, w, centre, inner, radius * rng.uniform(0.0, 0.9), angle)
    lit = rng.random() < 0.2
    glass = _lit(rng, h, w) if lit else _dark(rng, h, w)
    paint(image, inside(screen), glass)
    _openings(rng, image, centre, half, border, along, angle)
    for _ in range(int(rng.choice([0, 1, 2], p=[0.7, 0.2, 0.1]))):
        at = np.array([rng.uniform(-0.9, 0.9) * half[0], rng.uniform(-0.9, 0.9) * half[1]])
        at[along] = rng.choice([-1, 1]) * (half[along] - rng.uniform(0.02, 0.12) * long)
        _lens(rng, image, (centre[0] + at[0], centre[1] + at[1]), rng.uniform(8, 45))
    _highlights(rng, image, body, screen)
    for sx, sy in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        round_of = (centre[0] + sx * (half[0] - radius), centre[1] + sy * (half[1] - radius))
        for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.3, 0.4, 0.2, 0.1]))):
            _crescent(rng, image, round_of, radius, float(np.arctan2(sy, sx)))
    if rng.random() < 0.8:
        _reflections(rng, image, body < 0)
    # The outermost glass is round: a thin line of light there is the lamp's, not a scratch.
    return Surface(
        image,
        body < -rng.uniform(2, 10),
        0.75 if lit else 0.94,
        36 if lit else 20,
        [colour(rng, 120, 230, 6)],
    )


def _window(
    rng: np.random.Generator, h: int, w: int, half: tuple[float, float]
) -> tuple[float, float]:
    """Where the phone's centre lies, so that the window shows glass, an edge, a corner or an end.

    Corners and ends are small, and hold most of what looks like a scratch there: light that the
    round glass catches, rims of keys and openings.
    """
    kind = rng.random()
    if kind < 0.35:
        reach = 1.0 if rng.random() < 0.5 else 0.7
        return (
            w / 2 + rng.uniform(-reach, reach) * half[0],
            h / 2 + rng.uniform(-reach, reach) * half[1],
        )
    spot = (rng.uniform(0.1, 0.9) * w, rng.uniform(0.1, 0.9) * h)
    ends = rng.choice([-1, 1], 2)
    if kind < 0.8:
        return spot[0] + ends[0] * half[0], spot[1] + ends[1] * half[1]
    if half[0] > half[1]:
        return spot[0] + ends[0] * half[0], spot[1] + rng.uniform(-0.5, 0.5) * half[1]
    return spot[0] + rng.uniform(-0.5, 0.5) * half[0], spot[1] + ends[1] * half[1]


def _mat(rng: np.random.Generator, h: int, w: int) -> Image:
    """What the phone lies on."""
    image = np.empty((h, w, 3), np.float32)
    image[:] = colour(rng, 15, 130, 6) if rng.random() < 0.8 else colour(rng, 60, 240, 30)
    image += (
        rng.uniform(0, 10) * noise.fractal(rng, h, w, 8) + rng.uniform(0, 8) * noise.ramp(rng, h, w)
    )[..., None]
    return image


def _dark(rng: np.random.Generator, h: int, w: int) -> Image:
    """A screen that is off: nearly black with a cast and slow gradients."""
    glass = np.empty((h, w, 3), np.float32)
    glass[:] = colour(rng, 2, 42, 3)
    glass += (
        rng.uniform(0, 9) * noise.cloud(rng, h, w, 250) + rng.uniform(0, 8) * noise.ramp(rng, h, w)
    )[..., None]
    if rng.random() < 0.25:
        glass += (rng.uniform(1, 5) * noise.streaks(rng, h, w, 60, bool(rng.random() < 0.5)))[
            ..., None
        ]
    return glass


def _lit(rng: np.random.Generator, h: int, w: int) -> Image:
    """A screen that is on: wallpaper or panels, icons, lines of text, sometimes its pixels."""
    glass = np.empty((h, w, 3), np.float32)
    glass[:] = colour(rng, 20, 250, 50)
    for c in range(3):
        glass[..., c] += rng.uniform(0, 50) * noise.cloud(rng, h, w, rng.uniform(60, 300))
    pitch, size = int(rng.uniform(50, 150)), rng.uniform(0.3, 0.45)
    if rng.random() < 0.5:
        for y in range(int(rng.uniform(0, pitch)), h, pitch):
            for x in range(int(rng.uniform(0, pitch)), w, pitch):
                icon = rounded_box(h, w, (x, y), (pitch * size, pitch * size), pitch * 0.12)
                paint(glass, inside(icon), colour(rng, 20, 255, 70))
    page = Pillow.new("L", (w, h), 0)
    pen = ImageDraw.Draw(page)
    for _ in range(int(rng.integers(0, 9))):
        font = fonts.random_font(rng, int(rng.uniform(10, 34)))
        pen.text(
            (rng.uniform(-0.2, 0.9) * w, rng.uniform(0, 1) * h),
            fonts.sentence(rng),
            fill=255,
            font=font,
        )
    paint(glass, np.asarray(page, np.float32) / 255, colour(rng, 0, 255, 20))
    for _ in range(int(rng.integers(0, 4))):
        y = int(rng.uniform(0, h))
        glass[y : y + int(rng.integers(1, 3))] += rng.uniform(-60, 60)
    if rng.random() < 0.3:
        glass[:: int(rng.integers(2, 4))] *= np.float32(rng.uniform(0.75, 0.95))
        glass[:, :: int(rng.integers(2, 4))] *= np.float32(rng.uniform(0.75, 0.95))
    return glass


def _openings(
    rng: np.random.Generator, image: Image, centre: tuple[float, float], half: tuple[float, float],
    border: list[float], along: int, angle: float,
) -> None:  # fmt: skip
    """Speaker slit, cameras, sensors, home button, printed keys: in the borders at both ends."""
    h, w = image.shape[:2]
    for end in (-1, 1):
        for _ in range(int(rng.integers(0, 5))):
            at = np.zeros(2)
            at[along] = end * (
                half[along] - border[along] * rng.uniform(0.3, 0.8) - rng.uniform(0, 8)
            )
            at[1 - along] = rng.uniform(-0.6, 0.6) * half[1 - along]
            if rng.random() < 0.4:
                at[1 - along] = 0
            kind = rng.random()
            size = rng.uniform(4, 26)
            box = (size, size)
            if kind < 0.45:
                box = (size * 0.35, size * 2.2) if along == 0 else (size * 2.2, size * 0.35)
            spot = (centre[0] + at[0] - at[1] * angle, centre[1] + at[1] + at[0] * angle)
            hole = rounded_box(h, w, spot, box, rng.uniform(0.3, 1) * min(box), angle)
            if kind < 0.8:
                paint(
                    image,
                    inside(hole),
                    colour(rng, 0, 60, 8) if rng.random() < 0.6 else colour(rng, 60, 170, 8),
                )
            if rng.random() < 0.3:
                _crescent(rng, image, spot, min(box), rng.uniform(0, 2 * np.pi))
            if rng.random() < 0.25:
                _lens(rng, image, spot, min(box))
            ring = np.exp(-((hole / rng.uniform(0.7, 2)) ** 2)) * rng.uniform(0, 150)
            lit_side = 0.5 + 0.5 * noise.ramp(rng, h, w) if rng.random() < 0.5 else np.float32(1)
            image += (ring * lit_side)[..., None] * np.float32(1 + rng.normal(0, 0.1, 3))


def _highlights(rng: np.random.Generator, image: Image, body: Image, screen: Image) -> None:
    """Light caught by the glass edge: long thin bright lines that follow the outline."""
    h, w = body.shape
    for _ in range(int(rng.integers(0, 5))):
        outline = body if rng.random() < 0.7 else screen
        d = outline + np.float32(rng.uniform(-2, 14))
        patchy = np.clip(
            noise.cloud(rng, h, w, rng.uniform(40, 300)) * 1.5 + rng.uniform(-0.5, 1), 0, 1
        )
        line = np.exp(-((d / rng.uniform(0.6, 3.5)) ** 2)) * patchy * rng.uniform(15, 230)
        if rng.random() < 0.3:  # on the round of a corner alone: a short bright arc
            line *= np.clip(noise.cloud(rng, h, w, 40) * 2, 0, 1)
        image += line[..., None] * np.float32(1 + rng.normal(0, 0.08, 3))


def _crescent(
    rng: np.random.Generator,
    image: Image,
    centre: tuple[float, float],
    radius: float,
    towards: float,
) -> None:
    """Light on a round edge: a bright arc, widest and brightest in its middle, that tapers off."""
    h, w = image.shape[:2]
    reach = radius + 30
    x0, x1 = int(max(0, centre[0] - reach)), int(min(w, centre[0] + reach))
    y0, y1 = int(max(0, centre[1] - reach)), int(min(h, centre[1] + reach))
    if x1 - x0 < 4 or y1 - y0 < 4:
        return
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    x, y = x - np.float32(centre[0]), y - np.float32(centre[1])
    off = np.angle(np.exp(1j * (np.arctan2(y, x) - towards - rng.normal(0, 0.35))))
    window = np.exp(-((off / rng.uniform(0.12, 0.7)) ** 2))
    wide = rng.uniform(0.7, 5) * np.maximum(window, 0.15)
    d = np.hypot(x, y) - radius - rng.uniform(-8, 4)
    bright = np.exp(rng.uniform(np.log(12), np.log(500)))
    # Glass bends blue light more than red: the channels lie beside each other by a little.
    fringe = rng.uniform(-1.2, 1.2) if rng.random() < 0.5 else 0.0
    for c in range(3):
        line = np.exp(-(((d - (c - 1) * fringe) / wide) ** 2)) * window
        image[y0:y1, x0:x1, c] += (line * bright * (1 + rng.normal(0, 0.1))).astype(np.float32)


def _lens(
    rng: np.random.Generator, image: Image, centre: tuple[float, float], radius: float
) -> None:
    """A camera behind the glass: faint rings, lit from one side, and a spot of light."""
    for _ in range(int(rng.integers(1, 4))):
        _crescent(rng, image, centre, radius * rng.uniform(0.2, 1.3), rng.uniform(0, 2 * np.pi))
    at = (round(centre[0] + rng.normal(0, 2)), round(centre[1] + rng.normal(0, 2)))
    cv2.circle(image, at, int(rng.integers(1, 3)), [rng.uniform(60, 255)] * 3, -1, cv2.LINE_AA)


def _reflections(rng: np.random.Generator, image: Image, part: np.ndarray) -> None:
    """Lamps, the camera and its arm, windows and people, mirrored softly in the glass."""
    h, w = part.shape
    glare = np.zeros((h, w, 3), np.float32)
    for _ in range(int(rng.integers(1, 5))):
        size = np.exp(rng.uniform(np.log(15), np.log(300), 2))
        where = (rng.uniform(-0.2, 1.2) * w, rng.uniform(-0.2, 1.2) * h)
        turn = rng.uniform(0, np.pi) if rng.random() < 0.6 else 0.0
        d = rounded_box(
            h,
            w,
            where,
            (float(size[0]), float(size[1])),
            rng.uniform(0, 1) * float(min(size)),
            turn,
        )
        shape = inside(d, float(np.exp(rng.uniform(np.log(1.5), np.log(40)))))
        level = (
            -rng.uniform(2, 14)
            if rng.random() < 0.45
            else np.exp(rng.uniform(np.log(3), np.log(70)))
        )
        cast = 1 + rng.normal(0, 0.5 if rng.random() < 0.3 else 0.08, 3)
        glare += shape[..., None] * np.float32(level * np.clip(cast, 0, 2.5))
    image += np.maximum(glare, -image * 0.5) * part[..., None]
    if rng.random() < 0.08:
        spots = cv2.GaussianBlur(
            (rng.random((h, w)) > 0.9995).astype(np.float32), (0, 0), rng.uniform(2, 8)
        )
        image += (spots / max(1e-6, float(spots.max())) * rng.uniform(20, 220) * part)[..., None]
