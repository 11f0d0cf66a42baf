"""Vehicle number plates: embossed characters, rims, bolts, stickers, scenery, frames."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from training.synth import fonts, noise
from training.synth.surfaces.base import Colour, Image, Surface, colour, inside, paint, rounded_box


def plate(rng: np.random.Generator, h: int, w: int, whole: bool = False) -> Surface:
    """A plate or a piece of one, (h, w); a frame as wide as a plate is mostly filled by it."""
    aspect = float(rng.choice([2.0, 2.0, 2.0, 4.6, 3.1, 1.4]))
    pw = w * 0.9 if whole else float(np.exp(rng.uniform(np.log(w * 0.5), np.log(w * 2.0))))
    pw = min(pw, h * 0.9 * aspect) if whole else pw
    filled = not whole and w > 1.7 * h and rng.random() < 0.8
    if filled:
        aspect = w / h
        pw = w * rng.uniform(0.96, 1.05)
    ph = pw / aspect
    cx, cy = w / 2, h / 2
    if filled:
        pass
    elif pw > w * 0.9 and not whole:
        cx += rng.uniform(-0.5, 0.5) * (pw - 0.7 * w)
        cy += rng.uniform(-0.5, 0.5) * max(0.0, ph - 0.6 * h)
    cy += 0 if whole or filled else rng.uniform(-0.5, 0.5) * max(0.0, h - ph)
    image = np.empty((h, w, 3), np.float32)
    image[:] = colour(rng, 10, 200, 25)
    image += rng.uniform(0, 14) * noise.fractal(rng, h, w, 50)[..., None]
    body = rounded_box(h, w, (cx, cy), (pw / 2, ph / 2), rng.uniform(0.01, 0.08) * pw)
    part = body < 0
    face, ink = _face(rng, h, w, cx, cy, pw, ph)
    paint(image, inside(body), face)
    glyphs = _glyphs(rng, h, w, cx, cy, pw, ph)
    _emboss(rng, image, glyphs, ink)
    _print(rng, image, cx, cy, pw, ph, ink)
    if rng.random() < 0.35:
        _script(rng, image, (cx, cy), (pw, ph), ink)
    _rim(rng, image, body, pw, ink)
    _fittings(rng, image, cx, cy, pw, ph)
    if rng.random() < 0.2:
        _frame(rng, image, body, pw)
    if rng.random() < 0.4:
        dirt = np.clip(noise.fractal(rng, h, w, rng.uniform(10, 70)) - rng.uniform(0, 0.6), 0, 1)
        paint(image, dirt * np.float32(rng.uniform(0.1, 0.7)), colour(rng, 40, 170, 12))
    if rng.random() < 0.3:
        image *= (1 + 0.25 * noise.ramp(rng, h, w))[..., None]
    return Surface(
        image, part, 0.5, 40, [(190, 195, 200), (150, 150, 150), (235, 235, 235), (60, 60, 70)]
    )


def _face(
    rng: np.random.Generator, h: int, w: int, cx: float, cy: float, pw: float, ph: float
) -> tuple[Image, Colour]:
    """The background (h, w, 3) and the ink that reads on it."""
    light = rng.random() < 0.8
    base = colour(rng, 200, 255, 8) if light else colour(rng, 20, 130, 45)
    if light and rng.random() < 0.35:
        base = (
            float(rng.uniform(20, 200)),
            float(rng.uniform(170, 235)),
            float(rng.uniform(200, 250)),
        )
    face = np.empty((h, w, 3), np.float32)
    face[:] = base
    art = rng.random() < 0.5
    if art:
        v = np.linspace((0 - cy) / ph + 0.5, (h - cy) / ph + 0.5, h, dtype=np.float32)[:, None]
        for _ in range(int(rng.integers(1, 3))):
            band = np.clip(1 - np.abs(v - rng.choice([0, 1, 0.5])) / rng.uniform(0.15, 0.7), 0, 1)
            paint(
                face,
                np.broadcast_to(band, (h, w)).copy() * np.float32(rng.uniform(0.3, 1)),
                colour(rng, 60, 250, 60),
            )
    if art and rng.random() < 0.6:
        _scenery(rng, face, cx, cy, pw, ph)
    ink = colour(rng, 0, 70, 25) if light else colour(rng, 190, 255, 15)
    if light and rng.random() < 0.5:
        ink = [(140.0, 40.0, 20.0), (30.0, 25.0, 160.0), (60.0, 110.0, 20.0), (110.0, 50.0, 10.0)][
            int(rng.integers(4))
        ]
    return face, ink


def _script(
    rng: np.random.Generator, image: Image, centre: tuple[float, float],
    size: tuple[float, float], ink: Colour,
) -> None:  # fmt: skip
    """A word in brush script: slanted, joined loops whose width changes with their direction."""
    tall = rng.uniform(0.07, 0.22) * size[1]
    letters = int(rng.integers(3, 10))
    t = np.linspace(0, letters, letters * 20)
    heights = np.interp(t, np.arange(letters + 1), rng.uniform(0.3, 1.0, letters + 1))
    y = -tall * heights * np.sin(2 * np.pi * t + rng.uniform(0, 6))
    x = tall * (rng.uniform(0.5, 0.9) * t + 0.35 * np.cos(2 * np.pi * t)) - rng.uniform(0, 0.6) * y
    rise = rng.normal(0, 0.15)
    x, y = x * np.cos(rise) + y * np.sin(rise), y * np.cos(rise) - x * np.sin(rise)
    x += centre[0] + rng.uniform(-0.5, 0.3) * size[0] - x[0]
    y += centre[1] + rng.choice([-0.38, 0.38, rng.uniform(-0.4, 0.4)]) * size[1] - y[0]
    nib, thick = rng.uniform(0, np.pi), rng.uniform(0.06, 0.22) * tall
    wide = thick * (0.35 + np.abs(np.sin(np.arctan2(np.gradient(y), np.gradient(x)) - nib)))
    mask = np.zeros(image.shape[:2], np.float32)
    points = np.rint(np.stack([x, y], axis=1) * 16).astype(int).tolist()
    for a, b, w in zip(points, points[1:], wide.tolist(), strict=False):
        cv2.line(mask, a, b, 1.0, max(1, round(w)), cv2.LINE_AA, 4)
    paint(image, np.clip(mask, 0, 1), ink if rng.random() < 0.7 else colour(rng, 0, 255, 60))


def _scenery(
    rng: np.random.Generator, face: Image, cx: float, cy: float, pw: float, ph: float
) -> None:
    """Hills, suns, trees, stripes, line art: flat shapes with sharp edges, pale or strong."""
    h, w = face.shape[:2]
    for _ in range(int(rng.integers(1, 5))):
        mask = np.zeros((h, w), np.float32)
        kind = rng.random()
        x, y = cx + rng.uniform(-0.5, 0.5) * pw, cy + rng.uniform(-0.5, 0.5) * ph
        r = rng.uniform(0.05, 0.5) * ph
        edge = None
        if kind < 0.35:
            n = int(rng.integers(5, 24))
            xs = np.linspace(cx - pw / 2, cx + pw / 2, n)
            ys = cy + ph * (
                rng.uniform(-0.1, 0.4) + rng.uniform(0.02, 0.15) * rng.standard_normal(n)
            )
            pts = np.concatenate(
                [np.stack([xs, ys], 1), [[cx + pw / 2, cy + ph], [cx - pw / 2, cy + ph]]]
            )
            cv2.fillPoly(mask, [np.rint(pts).astype(np.int32)], 1.0, cv2.LINE_AA)
            edge = pts[:n]
        elif kind < 0.55:
            cv2.circle(mask, (int(x), int(y)), max(2, int(r)), 1.0, -1, cv2.LINE_AA)
        elif kind < 0.8:
            n = int(rng.integers(4, 12))
            angle = np.sort(rng.uniform(0, 2 * np.pi, n))
            pts = np.stack(
                [
                    x + r * rng.uniform(0.4, 1.2, n) * np.cos(angle),
                    y + r * rng.uniform(0.4, 1.2, n) * np.sin(angle),
                ],
                1,
            )
            cv2.fillPoly(mask, [np.rint(pts).astype(np.int32)], 1.0, cv2.LINE_AA)
            edge = np.concatenate([pts, pts[:1]])
        else:
            for k in range(int(rng.integers(2, 6))):
                pts = np.stack(
                    [
                        x + r * np.linspace(-1, 1, 20),
                        y + 4 * k + 0.3 * r * np.sin(np.linspace(0, rng.uniform(2, 7), 20)),
                    ],
                    1,
                )
                cv2.polylines(
                    mask,
                    [np.rint(pts).astype(np.int32)],
                    False,
                    1.0,
                    int(rng.integers(1, 4)),
                    cv2.LINE_AA,
                )
        paint(face, mask * np.float32(rng.uniform(0.15, 1)), colour(rng, 30, 240, 60))
        if edge is not None and rng.random() < 0.4:
            paint(face, _outline(rng, (h, w), edge), colour(rng, 0, 255, 80))


def _outline(
    rng: np.random.Generator, shape: tuple[int, int], corners: NDArray[np.float64]
) -> Image:
    """A printed contour, (h, w) coverage: even, ragged as a coast or the border of a state is."""
    along = np.linspace(0, len(corners) - 1, 12 * len(corners))
    line = np.stack([np.interp(along, np.arange(len(corners)), c) for c in corners.T], 1)
    line += rng.normal(0, rng.uniform(0, 1.8), line.shape)
    mask = np.zeros(shape, np.float32)
    thick = int(rng.integers(1, 5))
    cv2.polylines(mask, [np.rint(line * 16).astype(np.int32)], False, 1.0, thick, cv2.LINE_AA, 4)
    return np.clip(mask, 0, 1)


def _glyphs(
    rng: np.random.Generator, h: int, w: int, cx: float, cy: float, pw: float, ph: float
) -> Image:
    """Coverage of the large characters, narrowed as plate lettering is."""
    size = max(10, int(ph * rng.uniform(0.5, 0.85)))
    words = fonts.code(rng, int(rng.integers(4, 8)))
    if rng.random() < 0.6:
        at = int(rng.integers(2, len(words)))
        words = words[:at] + str(rng.choice([" ", "-", "·", "  "])) + words[at:]
    font = fonts.random_font(rng, size, bold=bool(rng.random() < 0.6))
    box = font.getbbox(words)
    tile = Pillow.new("L", (max(1, int(box[2] + 4)), max(1, int(box[3] + 4))), 0)
    ImageDraw.Draw(tile).text((2, 0), words, fill=255, font=font)
    a = np.asarray(tile, np.float32)[max(0, int(box[1]) - 1) :] / 255
    tall, wide = ph * rng.uniform(0.42, 0.66), pw * rng.uniform(0.75, 0.92)
    sx, sy = wide / a.shape[1], tall / a.shape[0]
    place = np.float32([[sx, 0, cx - wide / 2], [0, sy, cy - tall / 2 + rng.normal(0, 0.03) * ph]])
    return np.clip(cv2.warpAffine(a, place, (w, h), flags=cv2.INTER_AREA), 0, 1)


def _emboss(rng: np.random.Generator, image: Image, glyphs: Image, ink: Colour) -> None:
    """Ink the characters and light their pressed edges: thin bright and dark lines."""
    if rng.random() < 0.75:
        lift = cv2.GaussianBlur(glyphs, (0, 0), rng.uniform(0.8, 3))
        gx, gy = (
            cv2.Sobel(lift, cv2.CV_32F, 1, 0, ksize=3),
            cv2.Sobel(lift, cv2.CV_32F, 0, 1, ksize=3),
        )
        angle = rng.uniform(0, 2 * np.pi)
        light = gx * np.float32(np.cos(angle)) + gy * np.float32(np.sin(angle))
        shade = (rng.uniform(10, 80) * light)[..., None]
    else:
        shade = np.float32(0)
    worn = np.ones_like(glyphs)
    if rng.random() < 0.25:
        worn = np.clip(1.1 - 0.6 * np.clip(noise.fractal(rng, *glyphs.shape, 12) + 0.1, 0, 1), 0, 1)
    paint(image, glyphs * worn, ink)
    image += shade


def _print(
    rng: np.random.Generator, image: Image, cx: float, cy: float, pw: float, ph: float, ink: Colour
) -> None:
    """The state's name, a motto, a web address, the country band."""
    h, w = image.shape[:2]
    page = Pillow.new("L", (w, h), 0)
    pen = ImageDraw.Draw(page)
    for v in (-0.38, 0.38):
        if rng.random() < 0.75:
            size = max(6, int(ph * rng.uniform(0.08, 0.2)))
            words = " ".join(fonts.word(rng) for _ in range(int(rng.integers(1, 4))))
            pen.text(
                (cx + rng.normal(0, 0.05) * pw, cy + v * ph),
                words,
                fill=255,
                font=fonts.random_font(rng, size),
                anchor="mm",
            )
    paint(
        image,
        np.asarray(page, np.float32) / 255,
        ink if rng.random() < 0.5 else colour(rng, 0, 160, 60),
    )
    if rng.random() < 0.2:
        x = cx - pw / 2
        band = np.zeros((h, w), np.float32)
        cv2.rectangle(
            band, (int(x), int(cy - ph / 2)), (int(x + 0.09 * pw), int(cy + ph / 2)), 1.0, -1
        )
        paint(image, band, (150.0, 60.0, 10.0))


def _rim(rng: np.random.Generator, image: Image, body: Image, pw: float, ink: Colour) -> None:
    """The painted border and the rolled edge with its highlight."""
    depth, thick = rng.uniform(0.008, 0.03) * pw, rng.uniform(0.6, 4)
    if rng.random() < 0.6:
        line = np.clip(thick / 2 + 0.5 - np.abs(body + np.float32(depth)), 0, 1)
        paint(image, line, ink if rng.random() < 0.5 else colour(rng, 0, 255, 30))
    for _ in range(int(rng.integers(0, 3))):
        d = body + np.float32(rng.uniform(0, 0.05) * pw)
        image += (rng.uniform(-70, 70) * np.exp(-((d / rng.uniform(0.7, 2.5)) ** 2)))[..., None]


def _fittings(
    rng: np.random.Generator, image: Image, cx: float, cy: float, pw: float, ph: float
) -> None:
    """Bolts or holes, and validity stickers with small print."""
    h, w = image.shape[:2]
    dx = rng.uniform(0.25, 0.42)
    hardware = rng.random()
    for sx in (-1, 1):
        for sy in (-1, 1):
            if hardware > 0.85 or (sy > 0 and hardware > 0.7):
                continue
            x, y = cx + sx * dx * pw, cy + sy * 0.41 * ph
            r = rng.uniform(0.012, 0.025) * pw
            hole = rounded_box(h, w, (x, y), (r * rng.uniform(1, 1.8), r), r)
            paint(
                image,
                inside(hole),
                colour(rng, 0, 90, 8) if hardware < 0.5 else colour(rng, 90, 220, 10),
            )
            image += (rng.uniform(-60, 90) * np.exp(-((hole / 1.2) ** 2)))[..., None]
    for _ in range(int(rng.integers(0, 3))):
        side = rng.choice([-1, 1], 2)
        x, y = cx + side[0] * 0.42 * pw, cy + side[1] * 0.38 * ph
        a, b = rng.uniform(0.03, 0.07) * pw, rng.uniform(0.05, 0.11) * ph
        mark = rounded_box(h, w, (x, y), (a, b), 1.5, rng.normal(0, 0.05))
        paint(image, inside(mark), colour(rng, 40, 240, 70))
        page = Pillow.new("L", (w, h), 0)
        ImageDraw.Draw(page).text(
            (x, y),
            fonts.code(rng, 2),
            fill=255,
            font=fonts.random_font(rng, int(b * 1.3)),
            anchor="mm",
        )
        paint(image, np.asarray(page, np.float32) / 255, colour(rng, 0, 255, 40))


def _frame(rng: np.random.Generator, image: Image, body: Image, pw: float) -> None:
    """A holder round the plate: chrome, black or lettered, with a highlight along it."""
    wide = rng.uniform(0.01, 0.05) * pw
    ring = np.clip(wide / 2 + 0.5 - np.abs(body + np.float32(rng.uniform(-0.3, 0.5) * wide)), 0, 1)
    paint(image, ring, colour(rng, 10, 220, 8))
    image += (
        rng.uniform(0, 100)
        * np.exp(-(((body + np.float32(rng.uniform(-0.5, 0.5) * wide)) / 1.3) ** 2))
    )[..., None]
