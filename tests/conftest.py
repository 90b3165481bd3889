"""What holds for every test: which unihub is tested, and directories of its own.

The tests run on the unihub that is installed, and on the checkout only where none is installed. The report's header says
which. ``UNIHUB_INSTALLED=1`` makes a checkout an error.
"""

from __future__ import annotations

import os

import pytest

import isolation
from installed import ROOT, prefer_installed

# Before anything imports unihub, TensorFlow or Keras: they read these when they are imported.
prefer_installed()
isolation.begin()

import counts  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--at-least", type=int, default=0, help="fail unless so many tests passed")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Runs all of the tests in as many processes as there are cores, where pytest-xdist is installed.

    A few files run faster in one process. The workers come here too, and must not start workers of their own.
    """
    is_worker = hasattr(config, "workerinput")
    is_whole = config.args_source == pytest.Config.ArgsSource.TESTPATHS
    if (
        is_whole
        and not is_worker
        and getattr(config.option, "numprocesses", 1) is None
        and not (config.option.usepdb or config.option.collectonly)
    ):
        config.option.numprocesses = min(os.cpu_count() or 1, 4)
        # Fixtures of a file are made once.
        config.option.dist = "loadfile"


def pytest_configure(config):
    config.pluginmanager.register(counts.Counter(config), "counts")
    config.pluginmanager.register(isolation.Guard(config), "guard")


def pytest_report_header(config):
    import unihub

    found = os.path.dirname(os.path.abspath(unihub.__file__))
    where = "the checkout" if os.path.dirname(found) == str(ROOT) else "installed"
    if where != "installed" and os.environ.get("UNIHUB_INSTALLED"):
        raise pytest.UsageError("UNIHUB_INSTALLED is set, but unihub is imported from {}".format(found))
    return "unihub {} ({}): {}".format(unihub.__version__, where, found)


@pytest.fixture(autouse=True)
def own_directories(monkeypatch):
    """A home, a cache and a working directory for each test, and none of the user's settings."""
    directories = isolation.new_directories()
    monkeypatch.chdir(directories.work)
    for name, value in directories.variables.items():
        monkeypatch.setenv(name, value)
    return directories


@pytest.fixture
def own_cache(own_directories):
    """The path of the test's own cache; nothing is there yet."""
    return own_directories.cache
