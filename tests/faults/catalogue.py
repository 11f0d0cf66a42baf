"""All faults, in the order of the promises."""

from tests.faults import kills
from tests.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (*kills.FAULTS,)
