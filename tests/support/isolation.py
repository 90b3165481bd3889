"""Keeps tests to directories of their own: home, caches, temporary files. A test that writes elsewhere fails."""

from __future__ import annotations

import atexit
import getpass
import os
import shutil
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest

from installed import ROOT

# What a user may have set that changes what unihub does. The tests' own declarations stay.
SETTINGS = (
    "UNIHUB_",
    "TFHUB_",
    "KAGGLE",
    "SSL_CERT",
    "REQUESTS_CA",
    "CURL_CA",
    "AWS_",
    "XDG_",
    "KERAS_HOME",
    "TF_USE_LEGACY",
)
COLOURS = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES")
DECLARED = (
    "UNIHUB_INSTALLED", "UNIHUB_RUNTIME", "UNIHUB_TENSORFLOW", "UNIHUB_HUB", "UNIHUB_SERVED", "UNIHUB_PASSED", "UNIHUB_ENGINES",
    "UNIHUB_PACKAGE_MODELS", "TF_USE_LEGACY_KERAS",
)  # fmt: skip
# Of the real home, what the packages under test would write to.
CACHES = (".cache/unihub", ".cache/tfhub_modules", ".cache/kagglehub", ".keras", ".config/unihub")

Directories = namedtuple("Directories", ["home", "cache", "work", "variables"])
_state = {}


def begin():
    """Gives the process a home, caches and temporary files of its own, from before the packages under test are imported."""
    # Workers of pytest-xdist inherit what their controller has set.
    real_temporary = os.environ.get("PYTEST_DEBUG_TEMPROOT") or tempfile.gettempdir()
    _state.update(home=os.path.expanduser("~"), temporary=real_temporary, count=0)
    # pytest's own directories stay where they are always found.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", real_temporary)
    own = os.path.realpath(tempfile.mkdtemp(prefix="unihub-", dir=real_temporary))
    # Tests that give up their rights still have to get through.
    os.chmod(own, 0o711)
    _state["own"] = own
    atexit.register(_remove, own, os.getpid())
    for name in set(os.environ) - set(DECLARED):
        if name.startswith(SETTINGS) or name in COLOURS or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ.update(new_directories().variables)
    temporary = os.path.join(own, "t")
    os.mkdir(temporary)
    os.environ["TMPDIR"] = tempfile.tempdir = temporary
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(ROOT / ".hypothesis"))


def new_directories():
    """Fresh directories, and the environment variables that lead there."""
    _state["count"] += 1
    base = Path(_state["own"], str(_state["count"]))
    home, work = base / "home", base / "work"
    for path in (base, home, work):
        path.mkdir()
    variables = {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local"),
        "UNIHUB_CACHE_DIR": str(base / "cache"),
        "TFHUB_CACHE_DIR": str(base / "tfhub"),
        "KAGGLEHUB_CACHE": str(base / "kagglehub"),
        "KAGGLE_CONFIG_DIR": str(home / ".kaggle"),
    }
    return Directories(home, base / "cache", work, variables)


def _remove(path, process):
    if os.getpid() == process:
        shutil.rmtree(path, ignore_errors=True)


class Guard:
    """Fails tests that write outside of their own directories.

    In the process of the tests an audit hook sees each file that Python opens, makes, moves or removes (from Python 3.8
    on). For other processes the caches in the real home are listed before and after.
    """

    def __init__(self, config):
        self._written = []
        self._is_worker = hasattr(config, "workerinput")
        self._before = _listing()
        allowed = [_state["own"], str(ROOT), sys.prefix, sys.base_prefix, "/dev", "/proc"]
        allowed.append(os.path.join(_state["temporary"], "pytest-of-" + _user()))
        if config.option.basetemp:
            allowed.append(os.path.abspath(str(config.option.basetemp)))
        # Where the tests' own declarations say that something is to be written.
        allowed += [os.path.dirname(os.environ[name]) for name in ("UNIHUB_SERVED",) if name in os.environ]
        self._allowed = tuple(os.path.realpath(path) for path in allowed)
        if hasattr(sys, "addaudithook"):
            sys.addaudithook(self._on_event)

    def _on_event(self, event, arguments):
        if event == "open":
            path, mode, flags = arguments
            is_write = bool(flags & (os.O_WRONLY | os.O_RDWR)) if isinstance(flags, int) else False
            if not is_write:
                return
        elif event in ("os.mkdir", "os.remove", "os.rmdir", "os.truncate"):
            path = arguments[0]
        elif event in ("os.rename", "os.link", "os.symlink"):
            path = arguments[1]
        else:
            return
        if isinstance(path, (str, bytes)):
            path = os.path.abspath(os.fsdecode(path))
            if not path.startswith(self._allowed) and not os.path.realpath(path).startswith(self._allowed):
                self._written.append("{} {}".format(event, path))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item):
        del self._written[:]
        yield
        written, self._written[:] = sorted(set(self._written)), []
        if written:
            pytest.fail("written outside of the test's own directories: " + ", ".join(written), pytrace=False)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        new = sorted(_listing() - self._before)
        if new and not self._is_worker:
            # Only CI has a home in which nothing else is at work.
            session.exitstatus = 1 if os.environ.get("UNIHUB_INSTALLED") else session.exitstatus
            sys.stderr.write(
                "\nsince the tests began, there is in {}: {} and {} more\n".format(_state["home"], new[0], len(new) - 1)
            )


def _user():
    try:
        return getpass.getuser()
    except Exception:
        return "unknown"


def _listing():
    """What is in the caches of the real home, two levels deep."""
    home = Path(_state["home"])
    return {
        str(path.relative_to(home))
        for name in CACHES
        for pattern in ("*", "*/*")
        for path in (home / name).glob(pattern)
    }
