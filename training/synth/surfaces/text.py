"""Printed text and labels: paper, film and foil with print, rules, codes and pen marks."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from training.synth import fonts, noise
from training.synth.surfaces.base import Image, Surface, colour, paint


def text(rng: np.random.Generator, h: int, w: int, whole: bool = False) -> Surface:
    """A piece of printed matter, (h, w); `whole` shows the label's outline too."""
    light = rng.random() < 0.8
    white = light and rng.random() < 0.45
    paper = (
        (255.0, 255.0, 255.0)
        if white
        else colour(rng, 170, 252, 8)
        if light
        else colour(rng, 15, 150, 45)
    )
    image = np.empty((h, w, 3), np.float32)
    image[:] = paper
    if not white:
        image *= (
            1 + 0.05 * noise.fractal(rng, h, w, 60) + rng.uniform(0, 0.15) * noise.ramp(rng, h, w)
        )[..., None]
        image += rng.uniform(0, 4) * noise.grain(rng, h, w, rng.uniform(0, 1))[..., None]
    inks = [colour(rng, 0, 70, 10)] if light else [colour(rng, 190, 255, 12)]
    inks += [colour(rng, 20, 190, 60) for _ in range(int(rng.integers(0, 3)))]
    if rng.random() < 0.3:
        _blocks(rng, image)
    ink = _print(rng, h, w)
    if rng.random() < 0.3:
        ink = _degrade(rng, ink)
    paint(image, ink, inks[0])
    if len(inks) > 1 and rng.random() < 0.5:
        extra = np.zeros((h, w), np.float32)
        _lines(rng, extra, sparse=True)
        paint(image, extra, inks[1])
    if rng.random() < 0.22:
        for _ in range(int(rng.integers(1, 4))):
            _pen(rng, image)
    if rng.random() < 0.25:
        _shade(rng, image)
    if rng.random() < 0.15:
        _folds(rng, image)
    part = np.ones((h, w), bool)
    if whole or rng.random() < 0.15:
        part = _outline(rng, image, whole)
    return Surface(
        image,
        part,
        0.45 if light else 0.8,
        45,
        [(250, 250, 250), (200, 200, 205), colour(rng, 60, 200, 20)],
    )


def _print(rng: np.random.Generator, h: int, w: int) -> Image:
    """Coverage of the ink: lines of text, tables, rules and codes, slightly turned."""
    big = np.zeros((h, w), np.float32)
    roll = rng.random()
    if roll < 0.06:
        pass
    elif roll < 0.85:
        _lines(rng, big, sparse=False)
    else:
        _lines(rng, big, sparse=True)
    if rng.random() < 0.4:
        _rules(rng, big)
    if rng.random() < 0.3:
        _code(rng, big)
    if rng.random() < 0.1:
        _hershey(rng, big)
    angle = (
        rng.normal(0, 2) + (90 if rng.random() < 0.12 else 0) + (180 if rng.random() < 0.05 else 0)
    )
    if rng.random() < 0.7:
        turn = cv2.getRotationMatrix2D((w / 2, h / 2), angle, 1.03)
        big = cv2.warpAffine(big, turn, (w, h), flags=cv2.INTER_LINEAR)
    return big


def _lines(rng: np.random.Generator, ink: Image, sparse: bool) -> None:
    """Lines of text in one or more typefaces, as receipts, labels and pages have them."""
    h, w = ink.shape
    page = Pillow.new("L", (w, h), 0)
    pen = ImageDraw.Draw(page)
    size = int(np.exp(rng.uniform(np.log(9), np.log(64 if sparse else 36))))
    script = int(rng.integers(1, len(fonts.SCRIPTS))) if rng.random() < 0.15 else 0
    make = (lambda s: fonts.dejavu(rng, s)) if script else (lambda s: fonts.random_font(rng, s))
    font, left = make(size), rng.uniform(-0.3, 0.3) * w
    y = rng.uniform(-size, size)
    while y < h:
        if rng.random() < 0.15:
            size = int(np.clip(size * rng.uniform(0.6, 1.7), 8, 80))
            font = make(size)
        if not sparse or rng.random() < 0.4:
            words = (
                fonts.sentence(rng, script)
                if w < 400
                else " ".join(fonts.sentence(rng, script) for _ in range(2))
            )
            x = left if rng.random() < 0.7 else rng.uniform(-0.2, 0.7) * w
            stroke = 1 if rng.random() < 0.06 else 0
            pen.text((x, y), words, fill=int(rng.uniform(150, 255)) if rng.random() < 0.2 else 255,
                     font=font, stroke_width=stroke)  # fmt: skip
            if rng.random() < 0.4:
                pen.text(
                    (rng.uniform(0.55, 0.9) * w, y), fonts.word(rng, script), fill=255, font=font
                )
        y += size * rng.uniform(1.05, 1.6)
    np.maximum(ink, np.asarray(page, np.float32) / 255, out=ink)


def _rules(rng: np.random.Generator, ink: Image) -> None:
    """Table rules, boxes, underlines, dashed and dotted separators."""
    h, w = ink.shape
    thick = int(rng.integers(1, 4))
    for _ in range(int(rng.integers(1, 6))):
        y, x = int(rng.uniform(0, h)), int(rng.uniform(0, w))
        kind = rng.random()
        if kind < 0.4:
            x0 = 0 if rng.random() < 0.5 else x
            cv2.line(
                ink,
                (x0, y),
                (w if rng.random() < 0.5 else min(w, x0 + int(rng.uniform(20, w))), y),
                1.0,
                thick,
            )
        elif kind < 0.55:
            cv2.line(ink, (x, 0 if rng.random() < 0.5 else y), (x, h), 1.0, thick)
        elif kind < 0.8:
            period, on = int(rng.integers(3, 14)), rng.uniform(0.3, 0.8)
            columns = np.arange(w) % period < period * on
            ink[y : y + thick, columns] = 1.0
        else:
            cv2.rectangle(
                ink, (x, y), (x + int(rng.uniform(15, w)), y + int(rng.uniform(10, h))), 1.0, thick
            )
    if rng.random() < 0.25:
        for y in range(int(rng.uniform(0, 20)), h, int(rng.uniform(14, 60))):
            cv2.line(ink, (0, y), (w, y), 1.0, thick)


def _code(rng: np.random.Generator, ink: Image) -> None:
    """A bar code or a matrix code."""
    h, w = ink.shape
    x, y = int(rng.uniform(-0.1, 0.7) * w), int(rng.uniform(-0.1, 0.8) * h)
    module = int(rng.integers(1, 7))
    if rng.random() < 0.6:
        bars = np.repeat(rng.integers(0, 2, int(rng.integers(30, 90))), module)[None].repeat(
            int(rng.uniform(20, 100)), 0
        )
    else:
        n = int(rng.integers(12, 34))
        cells = rng.integers(0, 2, (n, n))
        cells[0], cells[:, 0] = 1, 1
        bars = cells.repeat(module, 0).repeat(module, 1)
    bars = bars[max(0, -y) : h - y, max(0, -x) : w - x].astype(np.float32)
    if bars.size:
        x, y = max(0, x), max(0, y)
        ink[y : y + bars.shape[0], x : x + bars.shape[1]] = bars


def _hershey(rng: np.random.Generator, ink: Image) -> None:
    """Plotter lettering: lines as thin as scratches."""
    h, w = ink.shape
    for _ in range(int(rng.integers(1, 5))):
        words = fonts.sentence(rng)[:24].encode("ascii", "ignore").decode()
        where = (int(rng.uniform(-20, w / 2)), int(rng.uniform(10, h)))
        cv2.putText(ink, words, where,
                    int(rng.choice([0, 1, 2, 3, 4, 5, 6, 7])), float(rng.uniform(0.4, 2.2)), 1.0,
                    int(rng.integers(1, 4)), cv2.LINE_AA)  # fmt: skip


def _degrade(rng: np.random.Generator, ink: Image) -> Image:
    """Dot matrix, faded thermal print, worn or starved ink."""
    h, w = ink.shape
    kind = rng.random()
    if kind < 0.3:
        pitch = int(rng.integers(2, 4))
        grid = np.zeros((h, w), np.float32)
        grid[::pitch, ::pitch] = 1
        return ink * np.clip(cv2.GaussianBlur(grid, (0, 0), 0.6) * pitch * 1.5, 0, 1)
    if kind < 0.7:
        return ink * np.clip(0.65 + 0.5 * noise.fractal(rng, h, w, rng.uniform(15, 80)), 0.1, 1)
    return ink * (noise.grain(rng, h, w, 0.7) > rng.uniform(-2, -0.8))


def _blocks(rng: np.random.Generator, image: Image) -> None:
    """Coloured panels, logos and fading areas."""
    h, w = image.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        shape = np.zeros((h, w), np.float32)
        x, y = rng.uniform(-0.2, 1) * w, rng.uniform(-0.2, 1) * h
        a, b = rng.uniform(0.1, 0.7) * w, rng.uniform(0.05, 0.5) * h
        if rng.random() < 0.6:
            cv2.rectangle(shape, (int(x), int(y)), (int(x + a), int(y + b)), 1.0, -1)
        else:
            cv2.ellipse(
                shape,
                (int(x), int(y)),
                (int(a / 2), int(b / 2)),
                rng.uniform(0, 180),
                0,
                360,
                1.0,
                -1,
                cv2.LINE_AA,
            )
        paint(image, shape * np.float32(rng.uniform(0.2, 1)), colour(rng, 30, 230, 60))


def _pen(rng: np.random.Generator, image: Image) -> None:
    """Handwriting: even strokes with loops, spikes, rings and ticks. No scratches."""
    h, w = image.shape[:2]
    mark = np.zeros((h, w), np.float32)
    thick, scale = int(rng.integers(1, 6)), rng.uniform(8, 60)
    x, y = rng.uniform(0, 0.8) * w, rng.uniform(0.1, 0.9) * h
    kind = rng.random()
    if kind < 0.4:
        t = np.linspace(0, rng.uniform(4, 14), 300)
        f, g = rng.uniform(2.0, 5.0, 2)
        px = x + scale * (0.6 * t + 0.7 * np.cos(f * t) + 0.3 * np.cos(2.3 * g * t))
        py = y + scale * (
            0.8 * np.sin(f * t + rng.uniform(0, 1)) * (0.4 + rng.random() * np.abs(np.sin(0.7 * t)))
            + 0.3 * np.sin(g * t)
        )
        line = np.stack([px, py], 1)
    elif kind < 0.65:
        line = _signature(rng, scale) + np.array([x, y])
    elif kind < 0.85:
        turn, t = rng.uniform(0, np.pi), np.linspace(0, rng.uniform(4.5, 7.5), 80)
        grow, flat = scale * rng.uniform(1, 4) * (1 + 0.03 * t), rng.uniform(0.3, 1)
        u, v = grow * np.cos(t), flat * grow * np.sin(t)
        line = np.stack(
            [x + u * np.cos(turn) - v * np.sin(turn), y + v * np.cos(turn) + u * np.sin(turn)], 1
        )
    else:
        line = np.array([[x, y], [x + scale * 0.4, y + scale * 0.6], [x + scale * 1.5, y - scale]])
    cv2.polylines(mark, [np.rint(line * 16).astype(np.int32)], False, 1.0, thick, cv2.LINE_AA, 4)
    ink = [(10, 10, 10), (20, 20, 20), (150, 50, 20), (40, 30, 190)][int(rng.integers(4))]
    paint(image, np.clip(mark, 0, 1) * np.float32(rng.uniform(0.7, 1)), ink)


def _signature(rng: np.random.Generator, scale: float) -> np.ndarray:
    """Spikes and loops in a row, rounded: points (n, 2) from (0, 0) on."""
    n = int(rng.integers(5, 16))
    knots = np.stack(
        [np.cumsum(rng.normal(0.35, 0.5, n)), rng.choice([-1, 1], n) * rng.uniform(0.2, 1.4, n)], 1
    )
    for _ in range(int(rng.integers(1, 4))):  # Chaikin's corner cutting
        a, b = knots[:-1], knots[1:]
        knots = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], 1).reshape(-1, 2)
    lean = rng.uniform(-0.7, 0.7)
    return scale * (knots @ np.array([[1, rng.normal(0, 0.1)], [lean, 1]]))


def _folds(rng: np.random.Generator, image: Image) -> None:
    """Wrinkles and sharp folds: a thin soft line from which one side lies in a broad shade."""
    h, w = image.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    for _ in range(int(rng.integers(1, 5))):
        a = rng.uniform(0, np.pi)
        u = (x - rng.uniform(0, w)) * np.cos(a) + (y - rng.uniform(0, h)) * np.sin(a)
        v = (y - h / 2) * np.cos(a) - (x - w / 2) * np.sin(a)
        bow = rng.normal(0, 0.0012) * v * v + rng.uniform(0, 3) * noise.cloud(rng, h, w, 90)
        d = (u + bow).astype(np.float32)
        lasting = np.clip(0.6 + noise.cloud(rng, h, w, rng.uniform(60, 300)), 0, 1)
        line = np.exp(-((d / rng.uniform(0.7, 3.5)) ** 2)) * rng.uniform(-0.35, 0.1)
        fade = np.exp(-np.maximum(d, 0) / rng.uniform(6, 50))
        side = np.where(d > 0, fade, 0) * rng.uniform(-0.25, -0.04)
        image *= (1 + lasting * (line + side)).astype(np.float32)[..., None]


def _shade(rng: np.random.Generator, image: Image) -> None:
    """Folds, waves and shadows: brightness steps and bands that are wide and soft."""
    h, w = image.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        d = noise.ramp(rng, h, w) * max(h, w) + np.float32(rng.uniform(-0.6, 0.6) * max(h, w))
        d = d + rng.uniform(0, 6) * noise.cloud(rng, h, w, 80)
        soft = rng.uniform(3, 60)
        if rng.random() < 0.5:
            gain = 1 + rng.uniform(-0.25, 0.12) * (np.tanh(d / soft) + 1) / 2
        else:
            gain = 1 + rng.uniform(-0.3, 0.1) * np.exp(-((d / max(6.0, soft)) ** 2))
        image *= gain[..., None].astype(np.float32)


def _outline(rng: np.random.Generator, image: Image, whole: bool) -> np.ndarray:
    """Cut the sheet out and lay it on a table; straight or torn edges, punched holes."""
    h, w = image.shape[:2]
    margin = 0.06 if whole else 0.45
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    sheet = np.ones((h, w), np.float32)
    for side in rng.permutation(4)[: 4 if whole else int(rng.integers(1, 3))]:
        d = (x, w - x, y, h - y)[side]
        n = (y, y, x, x)[side]
        at = rng.uniform(0.2, 1) * margin * (w if side < 2 else h)
        torn = np.zeros_like(d)
        if not whole and rng.random() < 0.3:
            torn = rng.uniform(1, 6) * noise.fractal(rng, h, w, 25)
        sheet *= np.clip(d - at - rng.normal(0, 0.02) * n + torn, 0, 1)
    back = colour(rng, 0, 110, 12) if rng.random() < 0.7 else colour(rng, 0, 255, 30)
    table = np.float32(back) + rng.uniform(0, 8) * noise.fractal(rng, h, w, 30)[..., None]
    if not whole and rng.random() < 0.3:
        table = np.zeros_like(image)
    shadow = cv2.GaussianBlur(sheet, (0, 0), rng.uniform(1, 6))[..., None]
    table = table * (1 - 0.4 * shadow)
    image[:] = image * sheet[..., None] + table * (1 - sheet[..., None])
    return sheet > 0.5
