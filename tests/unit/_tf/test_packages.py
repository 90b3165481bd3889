"""What is known of tensorflow_hub without importing it."""

import importlib.machinery
import sys
import types

import pytest

from unihub._tf import packages

PRESENT = ("pkg_resources", "tf_keras")


@pytest.fixture
def modules(monkeypatch):
    """Makes modules importable, or not, whatever is installed here."""
    monkeypatch.delitem(sys.modules, "tensorflow_hub", raising=False)
    monkeypatch.setattr(packages, "_found", set())

    def make(*present):
        for name in PRESENT:
            module = types.ModuleType(name)
            module.__spec__ = importlib.machinery.ModuleSpec(name, None)
            monkeypatch.setitem(sys.modules, name, module if name in present else None)

    return make


@pytest.mark.parametrize(
    "tensorflow, hub, present, problem",
    [
        ("2.15.1", "0.15.0", ["pkg_resources"], None),
        ("2.15.1", "0.16.1", ["pkg_resources"], None),
        ("2.16.2", "0.15.0", PRESENT, "ImportError: cannot import name 'estimator' from 'tensorflow.compat.v1'"),
        ("2.16.2", "0.16.0", PRESENT, None),
        ("2.21.0", "0.16.1", PRESENT, None),
        ("2.22.0-rc0", "0.16.1", PRESENT, None),
        ("2.21.0", "unknown", PRESENT, None),
        ("2.21.0", "0.16.1", ["pkg_resources"], "ModuleNotFoundError: No module named 'tf_keras'"),
        ("2.21.0", "0.16.1", ["tf_keras"], "ModuleNotFoundError: No module named 'pkg_resources'"),
        ("1.15.5", "0.12.0", ["tf_keras"], "ModuleNotFoundError: No module named 'pkg_resources'"),
        ("2.21.0", None, PRESENT, "ModuleNotFoundError: No module named 'tensorflow_hub'"),
    ],
)
def test_what_keeps_a_hub_from_being_imported(tensorflow, hub, present, problem, modules):
    modules(*present)
    assert packages.hub_problem(tensorflow, hub) == problem


def test_a_module_without_a_spec_counts_as_there(monkeypatch, modules):
    """As people write one by hand for setuptools 82."""
    modules("tf_keras")
    monkeypatch.setitem(sys.modules, "pkg_resources", types.ModuleType("pkg_resources"))
    assert packages.hub_problem("2.21.0", "0.16.1") is None


def test_a_finder_that_raises_counts_as_not_there(monkeypatch, modules):
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == "pkg_resources":
                raise ModuleNotFoundError("it is blocked", name=name)

    modules("tf_keras")
    monkeypatch.delitem(sys.modules, "pkg_resources")
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    assert packages.hub_problem("2.21.0", "0.16.1") == "ModuleNotFoundError: No module named 'pkg_resources'"


def test_a_hub_that_is_imported_works(monkeypatch, modules):
    modules()
    monkeypatch.setitem(sys.modules, "tensorflow_hub", types.ModuleType("tensorflow_hub"))
    assert packages.hub_problem("2.21.0", "0.16.1") is None


@pytest.mark.parametrize("importable, version", [(True, "unknown"), (False, None)])
def test_a_hub_without_a_distribution(monkeypatch, importable, version):
    """As a nightly build, or a source tree on the path."""
    monkeypatch.setattr(packages, "installed_version", lambda package: None)
    monkeypatch.setattr(packages, "_found", set())
    monkeypatch.setitem(sys.modules, "tensorflow_hub", types.ModuleType("tensorflow_hub") if importable else None)
    assert packages.hub_version() == version
