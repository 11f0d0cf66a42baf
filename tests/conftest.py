"""What all tests share."""

import os

import pytest

SKIP_NOTHING = "INSPECTOR_TESTS_SKIP_NOTHING"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything that tests need was installed, a skipped test is a failed run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get(SKIP_NOTHING) and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
