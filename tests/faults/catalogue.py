"""All faults, in the order of the promises."""

from tests.faults import blind, bundles, configurations, kills
from tests.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *kills.FAULTS,
    *blind.FAULTS,
    *configurations.FAULTS,
    *bundles.FAULTS,
)
