"""The totals of variables, and what the parts of a description are when they are not given."""

import pytest

from unihub._saved_model.model_info import Contents, MetaGraph, Totals, Variable

KNOWN = Variable("k", "float32", (1000, 2), True)
TEXTS = Variable("t", "string", (3,), False)
UNKNOWN = Variable("u", "float32", None, True)


@pytest.mark.parametrize(
    "variables, totals, text",
    [
        ([], Totals(0, 0, 0, 0, 0), "none"),
        ([KNOWN], Totals(1, 2000, 8000, 0, 0), "1 variable, 2,000 parameters, 8,000 bytes"),
        ([KNOWN, KNOWN], Totals(2, 4000, 16000, 0, 0), "2 variables, 4,000 parameters, 16,000 bytes"),
        ([TEXTS], Totals(1, 3, 0, 0, 1), "1 variable, 3 parameters, at least 0 bytes (1 of unknown size)"),
        (
            [KNOWN, UNKNOWN, UNKNOWN],
            Totals(3, 2000, 8000, 2, 2),
            "3 variables, at least 2,000 parameters, at least 8,000 bytes (2 of unknown shape)",
        ),
        (
            [UNKNOWN, TEXTS],
            Totals(2, 3, 0, 1, 2),
            "2 variables, at least 3 parameters, at least 0 bytes (1 of unknown shape, 1 of unknown size)",
        ),
    ],
)
def test_totals(variables, totals, text):
    assert Totals.of(variables) == totals
    assert str(totals) == text
    assert list(totals.to_dict().values()) == [
        totals.variables,
        totals.parameters,
        totals.nbytes,
        totals.unknown_shapes,
        totals.unknown_sizes,
    ]


def test_what_is_not_given():
    assert Totals() == Totals(0, 0, 0, 0, 0)
    assert Contents() == Contents(frozenset(), (), frozenset(), 0, 0, (), frozenset())
    assert MetaGraph(frozenset(), ()) == MetaGraph(frozenset(), (), Contents(), "", (), (), False, None, frozenset())


@pytest.mark.parametrize("count", [0, 1, 2])
def test_how_many_at_least(count):
    contents = Contents(node_count=count, function_count=2 - count)
    assert [contents.has_nodes(number) for number in (0, 1, 2, 3)] == [number <= count for number in (0, 1, 2, 3)]
    assert [contents.has_functions(number) for number in (0, 1, 2, 3)] == [
        number <= 2 - count for number in (0, 1, 2, 3)
    ]
