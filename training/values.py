"""What a number in a file of settings has to be. Pure."""

from __future__ import annotations

import math
from typing import Any

from inspector.errors import ConfigError


def whole(key: str, value: Any, least: int) -> None:
    """Raises: ConfigError: `value` is no whole number, or below `least`."""
    if type(value) is not int or value < least:
        raise ConfigError(f"{key}: expected a whole number from {least} on, found {value!r:.60}")


def above_zero(key: str, value: Any) -> None:
    """Raises: ConfigError: `value` is no finite number above 0."""
    if not is_above_zero(value):
        raise ConfigError(f"{key}: expected a number above 0, found {value!r:.60}")


def is_above_zero(value: Any) -> bool:
    """Of a finite number, which True is not."""
    return type(value) in (int, float) and 0 < value < math.inf
