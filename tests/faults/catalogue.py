"""All faults, in the order of the promises."""

from tests.faults import (
    backlog,
    blind,
    bundles,
    cameras,
    clocks,
    configurations,
    disks,
    kills,
    outages,
    soak,
)
from tests.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *kills.FAULTS,
    *outages.FAULTS,
    *backlog.FAULTS,
    *disks.FAULTS,
    *clocks.FAULTS,
    *cameras.FAULTS,
    *blind.FAULTS,
    *configurations.FAULTS,
    *bundles.FAULTS,
    *soak.FAULTS,
)
