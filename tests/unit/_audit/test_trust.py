"""Whom a model with unsafe ops is trusted for: the argument, the environment, and where the model came from."""

import sys
import warnings

import pytest

from unihub import errors
from unihub._audit import trust
from unihub._resolve import provenance
from unihub._saved_model.unsafe_scan import UnsafeOp

READ = UnsafeOp("ReadFile", "r", "graph", "reads files")
WRITE = UnsafeOp("WriteFile", "w", "f", "writes a file")


@pytest.fixture
def fetched(monkeypatch):
    monkeypatch.setattr(provenance, "is_fetched", lambda path: path == "/fetched")


class TestParse:
    @pytest.mark.parametrize(
        "text, parsed",
        [
            (None, None),
            ("", None),
            ("  ", None),
            ("1", True),
            (" 1 ", True),
            ("true", True),
            ("True", True),
            ("0", False),
            ("false", False),
            ("FALSE", False),
            ("ReadFile", {"ReadFile"}),
            (" ReadFile , WriteFile,", {"ReadFile", "WriteFile"}),
            (",", set()),
        ],
    )
    def test_the_environment(self, monkeypatch, text, parsed):
        monkeypatch.delenv("UNIHUB_TRUST", raising=False)
        if text is not None:
            monkeypatch.setenv("UNIHUB_TRUST", text)
        assert trust.parse(None) == parsed

    @pytest.mark.parametrize(
        "value, parsed",
        [
            (True, True),
            (False, False),
            ("ReadFile", {"ReadFile"}),
            ("1", {"1"}),
            (["ReadFile", "Rpc"], {"ReadFile", "Rpc"}),
            ([], set()),
        ],
    )
    def test_the_argument_goes_before_it(self, monkeypatch, value, parsed):
        monkeypatch.setenv("UNIHUB_TRUST", "Other")
        assert trust.parse(value) == parsed

    @pytest.mark.parametrize("value", [3, 1.5, [3], ["ReadFile", None], object])
    def test_something_else(self, value):
        with pytest.raises(errors.InputError, match="trust"):
            trust.parse(value)


class TestCheck:
    def check(self, trusted, path="/own", found=(READ, WRITE)):
        return trust.check("handle", path, found, trusted)

    def test_ops_that_are_left(self):
        assert trust.not_trusted((READ, WRITE), None) == trust.not_trusted((READ, WRITE), False) == (READ, WRITE)
        assert trust.not_trusted((READ, WRITE), True) == ()
        assert trust.not_trusted((READ, WRITE), frozenset(["ReadFile"])) == (WRITE,)
        assert trust.not_trusted((READ, WRITE), frozenset()) == (READ, WRITE)

    def test_a_model_of_ones_own(self, fetched):
        assert self.check(None) == (READ, WRITE)
        assert self.check(True) == ()
        assert self.check(frozenset(["ReadFile"])) == (WRITE,)
        assert self.check(frozenset(["ReadFile", "WriteFile"])) == ()

    def test_one_that_was_fetched(self, fetched):
        assert self.check(True, "/fetched") == ()
        assert self.check(frozenset(["ReadFile", "WriteFile"]), "/fetched") == ()
        for trusted in (None, frozenset(["ReadFile"]), frozenset()):
            left = trust.not_trusted((READ, WRITE), trusted)
            with pytest.raises(errors.UnsafeModelError) as caught:
                self.check(trusted, "/fetched")
            assert str(caught.value) == str(errors.UnsafeModelError.untrusted("handle", left))

    @pytest.mark.parametrize("path", ["/own", "/fetched"])
    def test_one_that_must_have_none(self, fetched, path):
        with pytest.raises(errors.UnsafeModelError) as caught:
            self.check(False, path)
        assert str(caught.value) == str(errors.UnsafeModelError.refused("handle", (READ, WRITE)))

    @pytest.mark.parametrize("trusted", [None, True, False, frozenset()])
    def test_a_clean_one(self, fetched, trusted):
        assert self.check(trusted, "/fetched", ()) == ()


# Code in the package, and in a file outside of it, by which a warning finds the line of the caller.
IN_PACKAGE = trust._PACKAGE + "module.py"


def compiled(text, name):
    space = {"trust": trust, "READ": READ}
    exec(compile(text, name, "exec"), space)
    return space


class TestWarn:
    def place_of(self, call):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call()
        (warning,) = caught
        assert warning.category is errors.UnsafeModelWarning
        assert "ReadFile" in str(warning.message) and "/own" in str(warning.message)
        return warning.filename, warning.lineno

    def test_at_the_line_of_the_caller(self):
        inside = compiled("def load():\n    trust.warn('/own', (READ,))\n\ndef deep():\n    load()", IN_PACKAGE)
        line = sys._getframe().f_lineno + 1
        assert self.place_of(lambda: inside["load"]()) == (__file__, line)
        assert self.place_of(lambda: inside["deep"]()) == (__file__, line + 1)

    def test_wrappers_between_are_not_the_caller(self):
        """TensorFlow's own frames may be between two of unihub's."""
        inner = compiled("def load():\n    trust.warn('/own', (READ,))", IN_PACKAGE)
        wrapper = compiled("def wrap(load):\n    load()", "/elsewhere/wrapper.py")
        outer = compiled("def api(wrap, load):\n    wrap(load)", IN_PACKAGE)
        line = sys._getframe().f_lineno + 1
        assert self.place_of(lambda: outer["api"](wrapper["wrap"], inner["load"])) == (__file__, line)

    def test_nothing_to_warn_of(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            trust.warn("/own", ())
