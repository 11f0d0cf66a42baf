"""All faults, in the order of the promises."""

from tests.faults import blind, bundles, cameras, configurations, kills, outages
from tests.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *kills.FAULTS,
    *outages.FAULTS,
    *cameras.FAULTS,
    *blind.FAULTS,
    *configurations.FAULTS,
    *bundles.FAULTS,
)
