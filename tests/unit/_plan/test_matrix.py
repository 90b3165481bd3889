"""The compatibility matrix: complete, as decided, read-only, and the one in the README."""

import ast
import dataclasses
import json

import pytest

import unihub
from paths import ROOT
from unihub._plan import matrix
from unihub._plan.matrix import SERVICES, STRATEGIES, TABLE, WRITERS, lookup
from unihub._types import Api, Backend, Format, Keras, Operation, RuntimeMode

GRAPH = ("tf1", "tf1-compat", "tf2-graph")
SAVE = "tf.saved_model.save"

# The table of README and docs/matrix.md: what each cell says in the column of TensorFlow 1 and in that of TensorFlow 2. The second way
# of fine-tuning a TF2 SavedModel in graphs is more than the guide promises.
EXPECTED = {
    ("tf1-hub", "inference"): ("module", "load (signature); keras (signature)"),
    ("tf1-hub", "fine-tune"): ('module, trainable=True, tags={"train"}', "-"),
    ("tf1-hub", "create"): ("module spec + export", "-"),
    ("tf2-saved-model", "inference"): ("load; keras", "load; keras"),
    ("tf2-saved-model", "fine-tune"): (
        "keras, trainable=True; load, called with training=",
        "keras, trainable=True; load, called with training=",
    ),
    ("tf2-saved-model", "create"): (SAVE, SAVE),
    ("tf1-saved-model", "inference"): ("load (signature)", "load (signature); keras (signature)"),
    ("tf1-saved-model", "fine-tune"): ("-", "-"),
    ("tf1-saved-model", "create"): ("-", "-"),
}

KEYS = [(format, operation, runtime) for format in Format for operation in Operation for runtime in RuntimeMode]


def key_id(key):
    return "-".join(map(str, key)) if isinstance(key, tuple) else None


def test_one_row_for_each_format_operation_and_runtime():
    assert len(TABLE) == len(KEYS) == 36
    assert set(TABLE) == set(KEYS)
    assert len(unihub.matrix()) == 36
    assert set(unihub.matrix()) == set(TABLE.values())


@pytest.mark.parametrize("key", KEYS, ids=key_id)
def test_row(key):
    format, operation, runtime = map(str, key)
    cell = TABLE[key]
    assert (str(cell.format), str(cell.operation), str(cell.runtime)) == (format, operation, runtime)
    assert str(cell) == EXPECTED[format, operation][runtime not in GRAPH]
    assert cell.since == ("1.15" if format == "tf2-saved-model" else None)


@pytest.mark.parametrize("key", KEYS, ids=key_id)
def test_a_refusal_says_why_and_what_to_do_and_nothing_else_does(key):
    cell = TABLE[key]
    assert cell.supported == (str(cell) != "-") == bool(cell.choices)
    assert bool(cell.reason) == bool(cell.hint) == (not cell.supported)
    if not cell.supported:
        assert cell.reason.endswith(".") and cell.hint.endswith(".")


@pytest.mark.parametrize("key", KEYS, ids=key_id)
def test_apis_of_a_cell_stand_once_and_are_what_its_words_say(key):
    apis = [choice.api for choice in TABLE[key].choices]
    assert len(set(apis)) == len(apis)
    for choice in TABLE[key].choices:
        assert choice.call.startswith(str(choice.api)) or choice.call == SAVE


def test_choice():
    cell = TABLE[Format.TF1_HUB, Operation.INFERENCE, RuntimeMode.TF2]
    assert cell.choice(None) is cell.choice(Api.LOAD) is cell.choices[0]
    assert cell.choice(Api.KERAS) is cell.choices[1]
    assert cell.choice(Api.MODULE) is None
    assert TABLE[Format.TF1_HUB, Operation.FINE_TUNE, RuntimeMode.TF2].choice(None) is None


class TestVersionBound:
    @pytest.mark.parametrize(
        "tensorflow", ["1.15.0", "1.15", "1.15.5", "2.0.0", "2.10.1", "2.22.0rc0", "10.0", "1.100"]
    )
    def test_at_and_above(self, tensorflow):
        key = (Format.TF2_SAVED_MODEL, Operation.INFERENCE, RuntimeMode.TF1)
        assert lookup(*key, tensorflow=tensorflow) is TABLE[key]

    # A release candidate is older than what it is a candidate for.
    @pytest.mark.parametrize("tensorflow", ["1.14.0", "1.14", "1.9.0", "1.2", "1.15.0rc1", "1.15.0.dev20190821"])
    @pytest.mark.parametrize("operation", list(Operation))
    def test_below(self, tensorflow, operation):
        key = (Format.TF2_SAVED_MODEL, operation, RuntimeMode.TF1)
        cell = lookup(*key, tensorflow=tensorflow)
        assert not cell.supported
        assert str(cell) == "-"
        assert cell.reason == "TensorFlow {} is older than 1.15, the first that can read TF2 SavedModels.".format(
            tensorflow
        )
        assert cell.hint == "pip install 'tensorflow>=1.15'."
        assert (cell.format, cell.operation, cell.runtime) == key
        assert TABLE[key].supported

    @pytest.mark.parametrize("format", [Format.TF1_HUB, Format.TF1_SAVED_MODEL])
    @pytest.mark.parametrize("operation", list(Operation))
    def test_other_formats_have_none(self, format, operation):
        key = (format, operation, RuntimeMode.TF1)
        assert lookup(*key, tensorflow="1.14.0") is TABLE[key]


class TestReadOnly:
    def test_table(self):
        key = KEYS[0]
        with pytest.raises(TypeError):
            TABLE[key] = TABLE[key]
        with pytest.raises(TypeError):
            del TABLE[key]

    def test_rows(self):
        for row in (TABLE[KEYS[0]], TABLE[KEYS[0]].choices[0], SERVICES[0]):
            with pytest.raises(dataclasses.FrozenInstanceError):
                row.api = None

    def test_matrix(self):
        with pytest.raises(TypeError):
            unihub.matrix()[0] = None
        assert isinstance(SERVICES, tuple)


class TestServices:
    def test_every_api_of_the_table_is_served(self):
        apis = {choice.api for cell in TABLE.values() for choice in cell.choices}
        assert {service.api for service in SERVICES} == apis == set(Api)

    def test_who_serves(self):
        assert [(service.api, service.keras, service.backend, service.needs) for service in SERVICES] == [
            (Api.MODULE, None, Backend.TENSORFLOW_HUB, "Module"),
            (Api.MODULE, None, Backend.UNIHUB, None),
            (Api.LOAD, None, Backend.UNIHUB, None),
            (Api.KERAS, Keras.KERAS2, Backend.TENSORFLOW_HUB, "KerasLayer"),
            (Api.KERAS, Keras.KERAS3, Backend.UNIHUB, None),
        ]

    def test_who_creates(self):
        assert [
            (service.api, service.backend, service.strategy, service.keras, service.needs) for service in WRITERS
        ] == [
            (Api.MODULE, Backend.TENSORFLOW_HUB, "module-writer", None, "create_module_spec"),
            (Api.MODULE, Backend.UNIHUB, "module-writer", None, None),
            (Api.LOAD, Backend.UNIHUB, "saved-model-writer", None, None),
        ]

    def test_a_strategy_is_imported_by_its_name(self, monkeypatch):
        monkeypatch.setattr(matrix, "STRATEGIES", {"own": "json:dumps"})
        assert matrix.import_strategy("own") is json.dumps

    def test_in_which_runtimes(self):
        """Only a layer of Keras 3 needs eager TensorFlow 2."""
        for service in SERVICES + WRITERS:
            assert service.runtimes == ((RuntimeMode.TF2,) if service.keras is Keras.KERAS3 else tuple(RuntimeMode))

    @pytest.mark.parametrize("service", SERVICES, ids=lambda service: str(service.api))
    def test_strategy_is_a_class_that_loads(self, service):
        """Read, not imported: a strategy may import TensorFlow."""
        module, name = STRATEGIES[service.strategy].split(":")
        path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
        classes = {node.name: node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)}
        functions = [node for node in classes[name].body if isinstance(node, ast.FunctionDef)]
        (load,) = (function for function in functions if function.name == "load")
        assert [argument.arg for argument in load.args.args] == ["cls", "plan"]


class TestPrinted:
    def test_is_a_markdown_table_of_nine_rows(self):
        lines = str(unihub.matrix()).splitlines()
        assert lines[:2] == ["| format | operation | tf1, tf1-compat, tf2-graph | tf2 |", "|---|---|---|---|"]
        assert len(lines) == 2 + 9
        for line, ((format, operation), cells) in zip(lines[2:], EXPECTED.items()):
            since = " (TensorFlow 1.15 and later)" if format == "tf2-saved-model" else ""
            assert line == "| {} | {} | {}{} | {} |".format(format, operation, cells[0], since, cells[1])

    def test_columns_that_are_printed_as_one_are_one(self):
        for format in Format:
            for operation in Operation:
                cells = [TABLE[format, operation, mode] for mode in RuntimeMode if mode is not RuntimeMode.TF2]
                assert len({(cell.choices, cell.reason, cell.hint, cell.since) for cell in cells}) == 1

    def test_is_the_table_of_the_readme(self):
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        _, begin, rest = readme.partition("<!-- matrix: printed by unihub.matrix() -->\n")
        table, end, _ = rest.partition("\n<!-- end of matrix -->")
        assert begin and end
        assert table == str(matrix.matrix())
