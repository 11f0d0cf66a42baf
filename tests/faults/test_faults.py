"""Every fault in its short form; `make faults` injects the long one."""

import pytest

from tests.faults.catalogue import FAULTS
from tests.faults.fault import Fault, Run

SEED = 1


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_no_promise_is_broken(fault: Fault, tmp_path) -> None:
    """As many are injected as asked for, and what the fault's row promises holds."""
    needed = fault.missing()
    if needed:
        pytest.skip(f"needs {needed}")

    outcome = fault.inject(Run(fault.short, SEED, tmp_path))

    assert outcome.broken == []
    assert outcome.injected >= fault.short
