"""Runs the tests of a module on its mutants, in a copy of the project.

Each run is a process that is forked from one which has imported pytest, and TensorFlow where the tests need it. So a
mutant costs the time of its tests alone.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

import mutants

ROOT = Path(__file__).resolve().parents[2]

_NOT_COPIED = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "_site")
_OPTIONS = ("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:randomly")
# A mutant may forget to stop. What it may take is bounded, so that it harms nobody.
_MEMORY = 4 * 2**30
_FILE = 2**33
_LEAST_SECONDS = 20


class Outcome(NamedTuple):
    """What became of a mutant."""

    mutant: mutants.Mutant
    is_killed: bool
    seconds: float


class BrokenTests(Exception):
    """The tests fail without any change."""


class Copy:
    """A copy of the project in a temporary directory."""

    def __init__(self, parent: str) -> None:
        self.path = tempfile.mkdtemp(prefix="copy-", dir=parent)
        self.project = os.path.join(self.path, "project")
        shutil.copytree(ROOT, self.project, ignore=_NOT_COPIED)
        self._seconds: Dict[Tuple[str, ...], float] = {}

    def judge(self, mutant: mutants.Mutant, tests: Sequence[str]) -> Outcome:
        """Runs the tests on a mutant; on the unchanged module first, once."""
        limit = max(_LEAST_SECONDS, 5 * self._time_unchanged(tuple(tests)))
        file = Path(self.project, "unihub", mutant.module + ".py")
        original = file.read_text(encoding="utf-8")
        _write(file, mutant.source)
        try:
            status, seconds = self._run(tests, limit, keeps_bytecode=False)
        finally:
            _write(file, original)
        return Outcome(mutant, status != 0, seconds)

    def _time_unchanged(self, tests: Tuple[str, ...]) -> float:
        if tests not in self._seconds:
            status, seconds = self._run(tests, 600, keeps_bytecode=True)
            if status != 0:
                raise BrokenTests("{} fail without any change:\n{}".format(" ".join(tests), self._output()))
            self._seconds[tests] = seconds
        return self._seconds[tests]

    def _output(self) -> str:
        return Path(self.path, "output").read_text(encoding="utf-8", errors="replace")[-4000:]

    def _run(self, tests: Sequence[str], limit: float, keeps_bytecode: bool) -> Tuple[int, float]:
        began = time.monotonic()
        process = os.fork()
        if not process:
            os.setsid()
            status = 1
            try:
                status = self._run_pytest(tests, keeps_bytecode)
            finally:
                os._exit(status)
        try:
            while time.monotonic() < began + limit:
                ended, status = os.waitpid(process, os.WNOHANG)
                if ended:
                    return status, time.monotonic() - began
                time.sleep(0.02)
            return -1, limit
        finally:
            # Its own children too, and what they left.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, 0)
            shutil.rmtree(os.path.join(self.path, "scratch"), ignore_errors=True)

    def _run_pytest(self, tests: Sequence[str], keeps_bytecode: bool) -> int:
        import pytest

        output = os.open(os.path.join(self.path, "output"), os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
        os.dup2(output, 1)
        os.dup2(output, 2)
        _bound_memory()
        home = os.path.join(self.path, "scratch", "home")
        os.makedirs(home)
        os.chdir(self.project)
        os.environ.pop("UNIHUB_INSTALLED", None)
        os.environ.update(HOME=home, TMPDIR=os.path.dirname(home), UNIHUB_CACHE_DIR=os.path.join(home, "cache"))
        os.environ["PYTHONPATH"] = self.project
        tempfile.tempdir = None
        sys.path[:] = [self.project] + [path for path in sys.path if path != os.path.dirname(__file__)]
        sys.dont_write_bytecode = not keeps_bytecode
        return int(pytest.main([*_OPTIONS, "--basetemp=" + os.path.join(self.path, "scratch", "tests"), *tests]))


def run(chosen: List[Tuple[mutants.Mutant, Sequence[str]]], jobs: int) -> Iterator[Outcome]:
    """The outcomes of mutants, each given with its tests, in this order."""
    if any("tests/live" in path for _, tests in chosen for path in tests):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
        import tensorflow  # noqa: F401
    import pytest  # noqa: F401

    with tempfile.TemporaryDirectory(prefix="mutation-") as parent, _pool(jobs, parent) as pool:
        yield from pool.imap(_judge, chosen)


@contextlib.contextmanager
def _pool(jobs: int, parent: str) -> Iterator[multiprocessing.pool.Pool]:
    with multiprocessing.get_context("fork").Pool(jobs, _prepare, (parent,)) as pool:
        yield pool


_copy: List[Copy] = []


def _prepare(parent: str) -> None:
    _copy[:] = [Copy(parent)]


def _judge(task: Tuple[mutants.Mutant, Sequence[str]]) -> Outcome:
    return _copy[0].judge(*task)


def _write(file: Path, source: str) -> None:
    """Replaces a module. Its bytecode goes, which would pass for that of another source of the same size and second."""
    for compiled in (file.parent / "__pycache__").glob(file.stem + ".*.pyc"):
        compiled.unlink()
    file.write_text(source, encoding="utf-8")


def _bound_memory() -> None:
    with contextlib.suppress(OSError, ValueError), open("/proc/self/statm", encoding="ascii") as file:
        taken = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (taken + _MEMORY, taken + _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE, _FILE))
