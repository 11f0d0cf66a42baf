"""What is inspected: each file draws one kind of surface without any scratch."""

from training.synth.surfaces.base import Surface
from training.synth.surfaces.metal import metal
from training.synth.surfaces.own import OwnPart
from training.synth.surfaces.phone import phone
from training.synth.surfaces.plate import plate
from training.synth.surfaces.text import text

SURFACES = {"text": text, "plate": plate, "phone": phone, "metal": metal}

__all__ = ["SURFACES", "OwnPart", "Surface"]
