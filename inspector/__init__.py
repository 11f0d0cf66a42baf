"""Automatic scratch inspection on a factory line."""

import os

# The cores are the model's. NumPy would wake a thread for each of them for every small product
# along a scratch, and let it wait for more; it reads this once, when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
