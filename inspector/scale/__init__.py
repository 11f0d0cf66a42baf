"""Millimetres per pixel from a picture of something whose size is known. Pure.

A scale is one number for the whole frame, so it is only true where the camera looks straight at the
part: what is tilted, bent by the lens, blurred or too small in the picture is refused with the
reason. The uncertainty is a standard one (GUM, JCGM 100:2008), of pointing and of perspective.
"""

from inspector.scale.measured import Measured, from_points
from inspector.scale.plane import from_aruco, from_checkerboard
from inspector.scale.ruler import from_ruler

__all__ = ["Measured", "from_aruco", "from_checkerboard", "from_points", "from_ruler"]
