"""The mutation tests' own script: which changes it makes, and that its lists name what exists."""

import importlib.util
import json
import sys
import textwrap

import pytest

from paths import ROOT, TESTS

pytestmark = pytest.mark.skipif(sys.version_info < (3, 9), reason="positions of keywords are known since Python 3.9")


@pytest.fixture(scope="module")
def mutants():
    spec = importlib.util.spec_from_file_location("mutants", str(TESTS / "mutation" / "mutants.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutants"] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules["mutants"]


def changes(mutants, text):
    source = textwrap.dedent(text)
    found = mutants.choose(mutants.of_module("m", source), 0, 0)
    assert all(compile(mutant.source, "m", "exec") for mutant in found)
    return {(mutant.line, mutant.after) for mutant in found}


@pytest.mark.parametrize(
    "line, after",
    [
        ("x = a < b", {"x = a <= b", "x = a >= b"}),
        ("x = (a) == (b)", {"x = (a) != (b)"}),
        ("x = a is not b", {"x = a is b"}),
        ("x = a not  in b", {"x = a in b"}),
        ("x = a < b in c", {"x = a <= b in c", "x = a >= b in c", "x = a < b not in c"}),
        ("x = a and b or c", {"x = a or b or c", "x = a and b and c"}),
        ("x = not a", {"x = a"}),
        ("x = 3", {"x = (3 + 1)", "x = (3 - 1)"}),
        ("x = True", {"x = False"}),
        ("x = min(a, b)", {"x = max(a, b)"}),
        ("x = any(a)", {"x = all(a)"}),
        ("x = a[b:c]", {"x = a[b + 1:c]", "x = a[b:c + 1]"}),
        ("x = a[:b]", {"x = a[1:b]", "x = a[:b + 1]"}),
        ("x = a[b:]", {"x = a[b + 1:]", "x = a[b:-1]"}),
        ("x = f(a, b=c, d=e)", {"x = f(a, d=e)", "x = f(a, b=c)"}),
        ("x = f(b=c, d=e)", {"x = f(d=e)", "x = f(b=c)"}),
        ("x = f(b='ü', d=e)", {"x = f(d=e)", "x = f(b='ü')"}),
        ("x = f(b=c)", {"x = f()"}),
        ("f(a)", {"pass"}),
        ("x += a", {"pass"}),
        ("raise a", {"pass"}),
        ("x = a if b else c", {"x = a if not b else c"}),
        ("x = open(a, encoding='utf-8')", set()),
        ("x = 2**20", set()),
        ("x: Tuple[3] = a", set()),
        ("'text'", set()),
        ("_log.debug(a)", set()),
        ("raise NotImplementedError", set()),
    ],
)
def test_changes_of_a_line(mutants, line, after):
    assert {text for _, text in changes(mutants, line)} == after


def test_changes_of_statements(mutants):
    text = """
        @cache(size=3)
        def f(x: int = 1) -> int:
            '''Text.'''
            for y in x:
                if y:
                    continue
                return False
            return y
        """
    assert changes(mutants, text) == {
        (3, "def f(x: int = (1 + 1)) -> int:"),
        (3, "def f(x: int = (1 - 1)) -> int:"),
        (6, "if not y:"),
        (7, "pass"),
        (8, "return True"),
        (9, "return None"),
    }


def test_the_last_return_of_a_function_may_go(mutants):
    text = """
        def f(x):
            if x:
                return
            else:
                try:
                    pass
                except E:
                    return None
        """
    assert changes(mutants, text) == {(3, "if not x:")}


def test_the_last_continue_of_a_loop_may_go(mutants):
    text = """
        for x in y:
            if x:
                continue
            try:
                pass
            except E:
                continue
        while x:
            if x:
                break
        """
    assert changes(mutants, text) == {
        (3, "if not x:"),
        (4, "pass"),
        (9, "while not x:"),
        (10, "if not x:"),
        (11, "pass"),
    }


def test_the_choice_depends_on_the_seed_and_on_the_lines_alone(mutants):
    lines = ["x{} = a < {}".format(index, index) for index in range(50)]

    def chosen(lines, seed):
        return [
            str(each).split("  ", 1)[1] for each in mutants.choose(mutants.of_module("m", "\n".join(lines)), 10, seed)
        ]

    first = chosen(lines, 0)
    assert len(first) == 10 and chosen(lines, 0) == first != chosen(lines, 1)
    assert chosen(["z = b", *lines], 0) == first


def test_the_lists_name_what_exists():
    tests = json.loads((TESTS / "mutation" / "tests.json").read_text(encoding="utf-8"))
    for module, paths in tests.items():
        assert (ROOT / "unihub" / (module + ".py")).is_file(), module
        assert all((ROOT / path).is_file() for path in paths), paths
    for module, before, after, reason in json.loads((TESTS / "mutation" / "equivalent.json").read_text("utf-8")):
        assert module in tests and before != after and reason.endswith("."), before
