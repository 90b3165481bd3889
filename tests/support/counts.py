"""Counts the tests that passed, and notes their names, so that none drops out of all environments silently."""

from __future__ import annotations

import os
import sys
import uuid


class Counter:
    """Fails a run in which fewer tests passed than ``--at-least`` says."""

    def __init__(self, config):
        self._wanted = config.getoption("--at-least")
        self._is_worker = hasattr(config, "workerinput")
        self._passed = 0
        self._names = set()

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.passed:
            self._passed += 1
            self._names.add(report.nodeid.split("[")[0])

    def pytest_sessionfinish(self, session):
        if "UNIHUB_PASSED" in os.environ and not self._is_worker:
            self._note(os.environ["UNIHUB_PASSED"])
        if not self._is_worker and self._passed < self._wanted and not session.config.option.collectonly:
            session.exitstatus = 1
            sys.stderr.write("\n{} tests passed, and at least {} must\n".format(self._passed, self._wanted))

    def _note(self, directory):
        """Writes the names of the tests that passed, for the session ``promises`` of noxfile.py."""
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, uuid.uuid4().hex), "w", encoding="utf-8") as file:
            file.writelines(name + "\n" for name in sorted(self._names))
