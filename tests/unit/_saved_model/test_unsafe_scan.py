"""The audit without TensorFlow: what it finds in files written by hand, and what it must not."""

import json

import pytest

import unihub
from model_files import block, bundle_entry, saved_model, varint, write_variables
from paths import DATA
from unihub._audit import op_packages
from unihub._saved_model import keras_lambda, reader, unsafe_ops, unsafe_scan
from unihub._saved_model.text_format import encode_text
from unihub._saved_model.wire import Message, Source, WireError

CLEAN = sorted(file.parent for file in DATA.rglob("saved_model.pb"))


def write(directory, graph):
    (directory / "saved_model.pb").write_bytes(graph)
    write_variables(directory, {"variables.data-00000-of-00001": 4}, {"w": bundle_entry(0, 0, 4)})
    return reader.inspect(directory)


def unsafe(info):
    return [op.op for op in info.unsafe_ops]


def ops_of(directory, text):
    return unsafe(write(directory, saved_model("meta_graphs {" + text + "}")))


@pytest.mark.parametrize("path", CLEAN, ids=lambda path: path.name)
def test_no_clean_model_is_flagged(path):
    assert unihub.inspect(path).unsafe_ops == ()


def test_there_are_clean_models():
    assert len(CLEAN) >= 25


def test_what_is_said_of_an_op(tmp_path):
    info = write(tmp_path, saved_model('meta_graphs { graph_def { node { name: "a/b" op: "ReadFile" input: "c" } } }'))
    (op,) = info.unsafe_ops
    assert (op.op, op.node, op.where, op.reason) == ("ReadFile", "a/b", "graph", "reads files")
    assert str(op) == "ReadFile reads files (a/b, in the graph)"
    assert "unsafe ops  ReadFile reads files (a/b, in the graph)" in str(info)
    assert info.to_dict()["unsafe_ops"] == [
        {"op": "ReadFile", "node": "a/b", "where": "graph", "reason": "reads files"}
    ]


def test_a_function_that_nobody_calls(tmp_path):
    text = 'graph_def { library { function { signature { name: "f" } node_def { name: "r" op: "PyFunc" } } } }'
    info = write(tmp_path, saved_model("meta_graphs {" + text + "}"))
    assert [(op.op, op.where) for op in info.unsafe_ops] == [("PyFunc", "f")]


SAVER = """
  graph_def {
    node { name: "name" op: "Placeholder" }
    node { name: "other" op: "Const" attr { key: "value" value { tensor { string_val: "/etc/x" } } } }
    node { name: "end" op: "Const" attr { key: "value" value { tensor { string_val: "%s" } } } }
    node { name: "path" op: "StringJoin" input: "name" input: "end" }
    node { name: "save" op: "SaveV2" input: "%s" }
    node { name: "y" op: "Identity" input: "x" %s }
  }
  saver_def { filename_tensor_name: "name:0" }
  signature_def { key: "s" value { outputs { key: "y" value { name: "y:0" } } } }
"""


@pytest.mark.parametrize(
    "end, path, more, found",
    [
        ("_part", "path", "", []),
        ("_part", "name", "", []),
        ("_part", "other", "", ["SaveV2"]),
        ("/../../x", "path", "", ["SaveV2"]),
        ("_part", "path", 'input: "^save"', ["SaveV2"]),
    ],
)
def test_the_saver_is_judged_by_what_feeds_it_and_what_it_feeds(tmp_path, end, path, more, found):
    assert ops_of(tmp_path, SAVER % (end, path, more)) == found


ASSET = """
  graph_def {
    node { name: "asset" op: "Const" attr { key: "value" value { tensor { string_val: "/etc/passwd" } } } }
    node { name: "init" op: "InitializeTableFromTextFileV2" input: "table" input: "asset" }
    node { name: "y" op: "Identity" input: "x" %s }
  }
  %s
  signature_def { key: "s" value { outputs { key: "y" value { name: "y:0" } } } }
"""
OWN = 'asset_file_def { tensor_info { name: "asset:0" } filename: "%s" }'


@pytest.mark.parametrize(
    "more, asset, found",
    [
        ("", OWN % "vocab.txt", []),
        ("", "", ["InitializeTableFromTextFileV2"]),
        # Who runs it feeds the path of the asset only while it initializes the model.
        ('input: "^init"', OWN % "vocab.txt", ["InitializeTableFromTextFileV2"]),
    ],
)
def test_assets_are_judged_likewise(tmp_path, more, asset, found):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "vocab.txt").write_text("a")
    assert ops_of(tmp_path, ASSET % (more, asset)) == found


def test_an_asset_that_is_a_file_elsewhere(tmp_path):
    model = tmp_path / "model"
    (model / "assets").mkdir(parents=True)
    (tmp_path / "secret").write_text("a")
    assert ops_of(model, ASSET % ("", OWN % "../../secret")) == ["InitializeTableFromTextFileV2"]


@pytest.mark.parametrize(
    "op, attribute, is_unsafe",
    [
        ("PrintV2", 'key: "output_stream" value { s: "file:///tmp/x" }', True),
        ("PrintV2", 'key: "output_stream" value { s: "stderr" }', False),
        ("DebugIdentity", 'key: "debug_urls" value { list { s: "file:///tmp/x" } }', True),
        ("DebugIdentity", 'key: "debug_urls" value { list { } }', False),
        ("FixedUnigramCandidateSampler", 'key: "vocab_file" value { s: "/etc/passwd" }', True),
        ("FixedUnigramCandidateSampler", 'key: "vocab_file" value { s: "" }', False),
    ],
)
def test_ops_that_are_unsafe_by_an_attribute(tmp_path, op, attribute, is_unsafe):
    text = 'graph_def {{ node {{ name: "n" op: "{}" attr {{ {} }} }} }}'.format(op, attribute)
    assert ops_of(tmp_path, text) == ([op] if is_unsafe else [])


@pytest.mark.parametrize("name, found", [("", []), ("/tmp/x", ["CacheDataset"])])
def test_a_cache_in_memory_is_none_in_files(tmp_path, name, found):
    constant = 'node { name: "c" op: "Const" attr { key: "value" value { tensor { string_val: "NAME" } } } }'
    text = (
        "graph_def { "
        + constant.replace("NAME", name)
        + ' node { name: "n" op: "CacheDataset" input: "d" input: "c" } }'
    )
    assert ops_of(tmp_path, text) == found


READER = (
    """
  graph_def {
    node { name: "asset" op: "Const" }
    node { name: "elsewhere" op: "Const" attr { key: "value" value { tensor { string_val: "/etc/passwd" } } } }
    node { name: "good" op: "reader" input: "asset" }
    library {
      function {
        signature { name: "reader" input_arg { name: "path" } }
        node_def { name: "r" op: "ReadFile" input: "path" }
      }
    }
  }
"""
    + OWN % "vocab.txt"
)


def padded(number, length):
    """A number of seven bits in so many bytes."""
    return bytes([number]) if length == 1 else bytes([number | 0x80]) + (length - 2) * b"\x80" + b"\x00"


class TestHostileBytes:
    """TensorFlow reads these as a graph with ReadFile; so must we."""

    NAME = block(1, b"n")

    def found(self, tmp_path, graphs):
        meta_graph = b"".join(block(2, graph) for graph in graphs)
        return unsafe(write(tmp_path, block(2, meta_graph)))

    def test_the_last_op_of_two(self, tmp_path):
        node = self.NAME + block(2, b"Identity") + block(2, b"ReadFile")
        assert self.found(tmp_path, [block(1, node)]) == ["ReadFile"]

    def test_a_second_graph(self, tmp_path):
        clean, planted = self.NAME + block(2, b"Identity"), block(1, b"m") + block(2, b"ReadFile")
        assert self.found(tmp_path, [block(1, clean), block(1, planted)]) == ["ReadFile"]

    def test_numbers_that_are_longer_than_they_need_to_be(self, tmp_path):
        node = self.NAME + b"\x92\x00" + b"\x88\x00" + b"ReadFile"
        assert self.found(tmp_path, [block(1, node)]) == ["ReadFile"]

    @pytest.mark.parametrize("before", [NAME, b"", block(4, b"\x12"), block(4, b"\x00"), block(4, b"\x12\x12")])
    def test_numbers_of_any_length(self, before):
        """A number may be written with zeros in front, a tag in up to five bytes, and a length in up to ten."""
        for tag in range(1, 6):
            for length in range(1, 11):
                field = padded(2 << 3 | 2, tag) + padded(len("ReadFile"), length) + b"ReadFile"
                graph = block(1, block(1, b"x") + block(2, b"Identity")) + block(1, before + field)
                meta_graph = Message(Source.of_bytes(block(2, graph)), "MetaGraphDef")
                assert [op.op for op in unsafe_scan.find(meta_graph)] == ["ReadFile"], (tag, length)

    @pytest.mark.parametrize("field", [b"\x92\x80\x80\x80\x10\x08", b"\x12\x88" + 8 * b"\x80" + b"\x7e"])
    def test_numbers_of_too_many_bits(self, tmp_path, field):
        """Some versions of protobuf drop the bits, and others refuse it, as we do."""
        graph = block(1, self.NAME + field + b"ReadFile")
        with pytest.raises(unihub.errors.IntegrityError, match="saved_model.pb is (damaged|truncated)"):
            self.found(tmp_path, [graph])
        with pytest.raises(WireError):
            unsafe_scan.find(Message(Source.of_bytes(block(2, graph)), "MetaGraphDef"))

    def test_a_name_that_goes_on(self, tmp_path):
        node = self.NAME + block(2, b"ReadFile") + varint(8 << 3 | 2) + varint(1) + b"x"
        assert self.found(tmp_path, [block(1, node)]) == ["ReadFile"]

    def test_a_name_that_stands_anywhere(self, tmp_path):
        graphs = encode_text(READER.replace("reader", "x").encode(), "MetaGraphDef")
        other = block(1, b"bad") + block(2, b"x") + block(3, b"elsewhere")
        padding = block(1, block(1, b"n") + block(4, b"x" * (1 << 18)))
        (tmp_path / "assets").mkdir()
        (tmp_path / "assets" / "vocab.txt").write_text("a")
        assert unsafe(write(tmp_path, block(2, graphs + block(2, padding)))) == []
        assert unsafe(write(tmp_path, block(2, graphs + block(2, block(1, other) + padding)))) == ["ReadFile"]

    @pytest.mark.parametrize("more", [b"", varint(14 << 3 | 2) + varint(1) + b"x"])
    def test_a_call_whose_name_goes_on(self, tmp_path, more):
        """One call of a function gives it the model's own asset, and another one any file."""
        graphs = encode_text(READER.encode(), "MetaGraphDef")
        other = block(1, b"bad") + block(2, b"reader") + more + block(3, b"elsewhere")
        (tmp_path / "assets").mkdir()
        (tmp_path / "assets" / "vocab.txt").write_text("a")
        assert unsafe(write(tmp_path, block(2, graphs))) == []
        assert unsafe(write(tmp_path, block(2, graphs + block(2, block(1, other))))) == ["ReadFile"]


def keras_metadata(config):
    return block(1, block(4, b"_tf_keras_layer") + block(5, json.dumps(config).encode()))


class TestLambda:
    CODE = {"class_name": "Lambda", "config": {"name": "cut", "function_type": "lambda", "function": ["4wEAAA", None]}}
    NAMED = {"class_name": "Lambda", "config": {"name": "cut", "function_type": "function", "function": "relu"}}

    def found(self, tmp_path, config):
        (tmp_path / "keras_metadata.pb").write_bytes(keras_metadata(config))
        return ops_of(tmp_path, "graph_def { }")

    def test_in_a_model(self, tmp_path):
        assert self.found(tmp_path, {"config": {"layers": [self.CODE]}}) == ["Lambda"]

    def test_by_the_name_of_a_function(self, tmp_path):
        assert self.found(tmp_path, {"config": {"layers": [self.NAMED]}}) == []

    def test_spelled_by_numbers(self, tmp_path):
        text = json.dumps({"config": {"layers": [self.CODE]}}).replace('"Lambda"', '"L\\u0061mbda"').encode()
        (tmp_path / "keras_metadata.pb").write_bytes(block(1, block(4, b"_tf_keras_layer") + block(5, text)))
        assert ops_of(tmp_path, "graph_def { }") == ["Lambda"]

    def test_layers_of_other_names_are_not_read(self, tmp_path, monkeypatch):
        """A network has hundreds of these, which have megabytes of JSON."""
        read = []
        monkeypatch.setattr(keras_lambda.json, "loads", read.append)
        assert self.found(tmp_path, {"config": {"layers": [dict(self.CODE, class_name="TFOpLambda")]}}) == []
        assert read == []

    def test_read_once(self, tmp_path, monkeypatch):
        (tmp_path / "keras_metadata.pb").write_bytes(keras_metadata({"config": {"layers": [self.CODE]}}))
        ops_of(tmp_path, "graph_def { }")
        info = unihub.inspect(tmp_path)
        first = info.unsafe_ops
        (tmp_path / "keras_metadata.pb").unlink()
        assert first and info.unsafe_ops is first and unihub.inspect(tmp_path).unsafe_ops == ()

    def test_in_the_graph_of_objects(self, tmp_path):
        text = json.dumps(json.dumps(self.CODE))
        graph = "object_graph_def { nodes { user_object { metadata: " + text + " } } }"
        assert ops_of(tmp_path, graph) == ["Lambda"]


# The tables.


def test_the_pattern_finds_each_op_and_no_other():
    import re

    pattern = re.compile(unsafe_ops.pattern(unsafe_ops.UNSAFE_OPS))
    assert all(pattern.fullmatch(op) for op in unsafe_ops.UNSAFE_OPS)
    assert not pattern.search("MatMul Identity ReadVariableOp HashTableV2")
    assert len(unsafe_ops.UNSAFE_OPS) > 150


@pytest.mark.parametrize(
    "op, package",
    [
        ("SentencepieceOp", "tensorflow-text"),
        ("WordpieceTokenizeWithOffsets", "tensorflow-text"),
        ("TFText>NgramsStringJoin", "tensorflow-text"),
        ("Addons>GatherTree", "tensorflow-addons"),
        ("GatherTree", "tensorflow"),
        ("SimpleMLInferenceOpWithHandle", "tensorflow-decision-forests"),
        ("IO>DecodeJSON", "tensorflow-io"),
        ("TFRA>CuckooHashTableFind", "tensorflow-recommenders-addons"),
        ("DecodeProtoSparseV4", "struct2tensor"),
        ("MatMul", ""),
        ("NewOpOfTomorrow", ""),
    ],
)
def test_the_package_of_an_op(op, package):
    found = op_packages.package_of(op)
    assert (found.name if found else "") == package


def test_releases():
    assert op_packages.release_of("tensorflow-text", "2.15.1") == "tensorflow-text==2.15.*"
    assert op_packages.release_of("tensorflow-io", "2.10.1") == "tensorflow-io==0.27.0"
    assert op_packages.release_of("tensorflow-io", "2.99.0") == ""


def test_types():
    assert op_packages.type_package("tfp.distributions.Normal_ACTTypeSpec") == (
        "tensorflow-probability",
        "tensorflow_probability",
    )
    assert op_packages.type_package("tf_agents.policies.Spec") == ("tf-agents", "tf_agents")
    assert op_packages.type_package("own_types.Spec") == ("own-types", "own_types")


def test_the_table_in_the_docs_is_the_data():
    text = (DATA.parent.parent / "docs" / "safety.md").read_text(encoding="utf-8")
    for name, tables in unsafe_ops.GROUPS:
        assert "### " + name in text
        for table in tables:
            for op, rule in table.items():
                row = next((line for line in text.splitlines() if line.startswith("| `{}` |".format(op))), "")
                assert rule.reason in row, op
