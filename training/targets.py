"""What a dense net is taught: masks at the resolution at which it answers."""

from __future__ import annotations

import torch
from torch.nn import functional

LEFT_OUT = 255
"""Class of the pixels that a dense net is not asked about."""


def dense_target(masks: torch.Tensor) -> torch.Tensor:
    """Masks (n, h, w) of 0, 1 and 255 for «leave out» → the same (n, h/2, w/2), int32.

    A cell is scratched if a scratch comes within a pixel of it: what is 1 px wide stays in one
    piece, and every target is about 3 px wide at least.
    """
    wide = functional.pad(masks[:, None].float(), (1, 1, 1, 1), mode="replicate")
    scratched = functional.max_pool2d((wide == 1).float(), 4, 2) > 0
    left_out = functional.max_pool2d((wide == LEFT_OUT).float(), 4, 2) > 0
    return torch.where(scratched, 1, torch.where(left_out, LEFT_OUT, 0))[:, 0].to(torch.int32)
