"""All faults, in the order of the promises."""

from tests.faults import blind, bundles, configurations, kills, outages
from tests.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *kills.FAULTS,
    *outages.FAULTS,
    *blind.FAULTS,
    *configurations.FAULTS,
    *bundles.FAULTS,
)
