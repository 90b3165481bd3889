"""Counts the tests that passed, so that none drops out of an environment silently."""

from __future__ import annotations

import sys


class Counter:
    """Fails a run in which fewer tests passed than ``--at-least`` says."""

    def __init__(self, config):
        self._wanted = config.getoption("--at-least")
        self._is_worker = hasattr(config, "workerinput")
        self._passed = 0

    def pytest_runtest_logreport(self, report):
        self._passed += report.when == "call" and report.passed

    def pytest_sessionfinish(self, session):
        if not self._is_worker and self._passed < self._wanted and not session.config.option.collectonly:
            session.exitstatus = 1
            sys.stderr.write("\n{} tests passed, and at least {} must\n".format(self._passed, self._wanted))
