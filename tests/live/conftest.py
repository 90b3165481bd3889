"""The tests in this folder run on a real TensorFlow, in one runtime a process: see ``live_runtime``."""

from __future__ import annotations

import os
import sys

import pytest

import unihub
from live_runtime import DATA, MODES, RUNTIME, check_environment, live_context

# They need engines, which the session "engines" installs and declares.
collect_ignore = [] if "UNIHUB_ENGINES" in os.environ else ["engines"]

# Not in a hook: pytest calls those of session start only if it is asked for this very folder.
check_environment()


# Tests of which one runtime, one Keras and few models stand for all in the README's command. CI runs each.
REPEATED = ("test_goldens.py", "test_inspect.py", "test_packages.py", "test_rules.py", "test_save_model.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        values = [str(value) for value in getattr(item, "callspec", None) and item.callspec.params.values() or ()]
        is_repeated = item.path.name in REPEATED and ("tf2-graph" in values or "keras2" in values)
        is_large = "mobilenet" in values and not (item.path.name == "test_goldens.py" and "load" in values)
        if is_repeated or is_large:
            item.add_marker(pytest.mark.slow)
        if any(is_of_keras(value) for value in getattr(item, "callspec", None) and item.callspec.params.values() or ()):
            item.add_marker(pytest.mark.keras2)


def is_of_keras(value):
    """Whether a parameter of a test is an api of Keras, or a row of the matrix with one."""
    return str(getattr(value, "api", value)) in ("keras", "keras2", "keras3", "layer", "hub.KerasLayer")


def pytest_report_header(config):
    from unihub._plan.runtime import detect_runtime

    return "unihub runtime: {} on Python {}".format(detect_runtime(), sys.version.split()[0])


@pytest.fixture(scope="session")
def converted_convnet(tmp_path_factory):
    """A network for images, converted."""
    path = tmp_path_factory.mktemp("models") / "convnet"
    unihub.convert(str(DATA / "tf1_hub" / "convnet"), str(path), progress=lambda line: None)
    return str(path)


@pytest.fixture
def runtime():
    """The declared runtime, one of ``tf1``, ``tf1-compat``, ``tf2``."""
    return RUNTIME


@pytest.fixture(params=MODES)
def place(request):
    """The same as ``live``, for each runtime that can be reached in this process; ``place.mode`` says which."""
    with live_context(request.param) as context:
        yield context


@pytest.fixture
def live():
    """A clean place for one model: a graph and its session, or eager TensorFlow."""
    with live_context(RUNTIME) as context:
        yield context
