"""What a camera does to a scene: lens (deterministic for one draw) and sensor (noise, JPEG)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth import noise
from training.synth.surfaces.base import Image


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera and its settings; blur in pixels, noise in grey levels."""

    defocus: float
    motion: float
    motion_angle: float
    gain: float
    gamma: float
    balance: tuple[float, float, float]
    vignette: float
    sharpen: float
    grey: bool
    noise: float
    noise_blur: float
    soften: float
    jpeg: int


def random_camera(rng: np.random.Generator, surface: str) -> Camera:
    """Mostly good cameras; plates come smaller, softer and harder compressed."""
    soft = surface == "plate"
    cast = 1 + rng.normal(0, 0.05, 3)
    return Camera(
        defocus=float(
            rng.uniform(0.3, 1.5) if rng.random() < (0.7 if soft else 0.5) else rng.uniform(0, 0.5)
        ),
        motion=float(rng.uniform(2, 6)) if rng.random() < 0.07 else 0.0,
        motion_angle=float(rng.uniform(0, np.pi)),
        gain=float(np.exp(rng.normal(0, 0.12))),
        gamma=float(np.exp(rng.normal(0, 0.1))),
        balance=(float(cast[0]), float(cast[1]), float(cast[2])),
        vignette=float(rng.uniform(0, 0.3)) if rng.random() < 0.4 else 0.0,
        sharpen=float(rng.uniform(0.2, 1.5)) if rng.random() < 0.35 else 0.0,
        grey=bool(rng.random() < (0.3 if surface in ("text", "metal") else 0.1)),
        noise=float(rng.uniform(0, 2) if rng.random() < 0.6 else rng.uniform(1, 8)),
        noise_blur=float(rng.uniform(0.4, 1.2)) if rng.random() < 0.5 else 0.0,
        soften=float(rng.uniform(1.1, 2.0)) if rng.random() < (0.35 if soft else 0.08) else 0.0,
        jpeg=int(
            rng.uniform(40, 80) if rng.random() < (0.5 if soft else 0.25) else rng.uniform(80, 98)
        ),
    )  # fmt: skip


def second_camera(rng: np.random.Generator, grey: bool) -> Camera:
    """What a photograph may still take: other light, a little blur and noise, JPEG once more.

    It is never sharpened or shrunk: its own camera has done so, if any did.
    """
    cast = 1 + rng.normal(0, 0.015, 3)
    return Camera(
        defocus=float(rng.uniform(0.3, 0.7)) if rng.random() < 0.2 else 0.0,
        motion=0.0,
        motion_angle=0.0,
        gain=float(np.exp(rng.normal(0, 0.08))),
        gamma=float(np.exp(rng.normal(0, 0.06))),
        balance=(float(cast[0]), float(cast[1]), float(cast[2])),
        vignette=0.0,
        sharpen=0.0,
        grey=grey,
        noise=float(rng.uniform(0, 1.5)) if rng.random() < 0.5 else 0.0,
        noise_blur=0.0,
        soften=0.0,
        jpeg=int(rng.uniform(85, 99)),
    )


def lens(camera: Camera, image: Image) -> Image:
    """Scene to exposed picture, noise free, (h, w, 3) in 0..255: the same for the same camera."""
    h, w = image.shape[:2]
    out = np.clip(image, 0, 255)
    if camera.soften:
        small = cv2.resize(
            out, (round(w / camera.soften), round(h / camera.soften)), interpolation=cv2.INTER_AREA
        )
        out = cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC)
    if camera.defocus > 0.25:
        out = cv2.GaussianBlur(out, (0, 0), camera.defocus)
    if camera.motion:
        kernel = np.zeros((13, 13), np.float32)
        reach = (
            camera.motion / 2 * np.array([np.cos(camera.motion_angle), np.sin(camera.motion_angle)])
        )
        ends = [tuple(int(v) for v in np.rint((6 + s * reach) * 16)) for s in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
        out = cv2.filter2D(out, -1, kernel / kernel.sum())
    if camera.sharpen:
        out = out + camera.sharpen * (out - cv2.GaussianBlur(out, (0, 0), 1.2))
    if camera.grey:
        out = np.repeat(cv2.cvtColor(np.clip(out, 0, 255), cv2.COLOR_BGR2GRAY)[..., None], 3, 2)
    else:
        out = out * np.float32(camera.balance)
    out = 255 * np.power(np.clip(out * camera.gain, 0, 255) / 255, np.float32(camera.gamma))
    if camera.vignette:
        y, x = (
            np.linspace(-1, 1, h, dtype=np.float32)[:, None],
            np.linspace(-1, 1, w, dtype=np.float32)[None],
        )
        out = out * (1 - np.float32(camera.vignette) * (x * x + y * y) / 2)[..., None]
    return np.clip(out, 0, 255).astype(np.float32)


def sensor(camera: Camera, image: Image, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Add noise (stronger in the light, as photons are) and compress; returns uint8 BGR."""
    h, w = image.shape[:2]
    amount = camera.noise * np.sqrt(0.4 + image.mean(2) / 255)
    shared = noise.grain(rng, h, w, camera.noise_blur)
    out = image + (amount * shared)[..., None]
    if not camera.grey and camera.noise > 0.5:
        out = out + 0.4 * amount[..., None] * rng.standard_normal((h, w, 3), dtype=np.float32)
    done = np.clip(np.rint(out), 0, 255).astype(np.uint8)
    ok, packed = cv2.imencode(".jpg", done, [cv2.IMWRITE_JPEG_QUALITY, camera.jpeg])
    if not ok:
        raise RuntimeError("expected the JPEG encoder to work, it refused a picture")
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
