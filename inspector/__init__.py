"""Automatic scratch inspection on a factory line."""

__version__ = "0.1.0"
