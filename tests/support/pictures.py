"""Pictures like those of a line: one part after the other, with noise, and what may befall them."""

from pathlib import Path

import cv2
import numpy as np

import inspector

SAMPLES = Path(inspector.__file__).parent / "samples"


def sample(surface: str) -> np.ndarray:
    """A good part of the samples: phone, plate or text."""
    image = cv2.imread(str(SAMPLES / surface / "1-good.jpg"))
    assert image is not None
    return image


def noisy(image: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    """With a sensor's noise."""
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Out of focus."""
    return cv2.GaussianBlur(image, (0, 0), sigma)


def darker(image: np.ndarray, stops: float) -> np.ndarray:
    """With so many stops less of light, for a camera whose gray levels go with light^(1/2.2)."""
    return np.round(image * 2 ** (-stops / 2.2)).astype(np.uint8)


def parts(surface: str, count: int) -> list[np.ndarray]:
    """So many good parts: each lies a little differently in a little other light."""
    made = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        x, y = rng.integers(-8, 9, 2)
        lit = np.roll(sample(surface), (y, x), axis=(0, 1)) * rng.uniform(0.9, 1.0)
        made.append(noisy(lit, 1.5, seed))
    return made
