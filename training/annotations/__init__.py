"""Real annotations become a data set: a reader per format, then one way; `importer.py` is it."""
