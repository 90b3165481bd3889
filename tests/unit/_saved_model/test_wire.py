import random

import pytest

from model_files import block, number, varint
from unihub._saved_model.text_format import encode_text
from unihub._saved_model.wire import Message, Source, WireError


def read(data, kind="SavedModel"):
    return Message(Source.of_bytes(data), kind)


class TestReading:
    def test_fields_go_by_their_names(self):
        information = block(4, b"serve") + block(4, b"gpu") + block(5, b"2.4.1")
        message = read(number(1, 1) + block(2, block(1, information)))
        assert message.number("saved_model_schema_version") == 1
        (meta_graph,) = message.messages("meta_graphs")
        assert list(meta_graph.message("meta_info_def").texts("tags")) == ["serve", "gpu"]
        assert meta_graph.message("meta_info_def").text("tensorflow_version") == "2.4.1"

    def test_what_is_absent_reads_as_the_default(self):
        message = read(b"")
        assert message.number("saved_model_schema_version") == 0
        assert not message.has("meta_graphs")
        assert message.count("meta_graphs") == 0
        assert message.message("meta_graphs").message("meta_info_def").text("tensorflow_version") == ""

    def test_unknown_fields_of_every_type_are_skipped(self):
        data = number(99, 5) + block(98, b"??") + varint(97 << 3 | 1) + b"8 bytes." + varint(96 << 3 | 5) + b"four"
        assert read(data + number(1, 7)).number("saved_model_schema_version") == 7

    def test_a_known_number_with_another_type_is_an_unknown_field(self):
        assert read(block(1, b"x") + number(2, 1)).number("saved_model_schema_version") == 0
        assert not read(number(2, 1)).has("meta_graphs")

    @pytest.mark.parametrize("value", [0, 1, 127, 128, 1 << 40, -1, -(1 << 63), (1 << 63) - 1])
    def test_numbers_are_signed(self, value):
        assert read(number(1, value), "Dim").number("size") == value

    def test_map(self):
        entries = block(4, block(1, b"a") + block(2, block(1, block(1, b"node")))) + block(4, block(1, b"empty"))
        collections = read(entries, "MetaGraphDef").entries("collection_def")
        assert sorted(collections) == ["a", "empty"]
        assert list(collections["a"].message("node_list").texts("value")) == ["node"]
        assert not collections["empty"].has("node_list")

    def test_walk_gives_messages_in_their_order(self):
        data = block(1, block(2, b"Add")) + number(3, 9) + block(2, b"") + block(1, block(2, b"Mul"))
        assert [(field, part.end - part.start) for field, part in read(data, "GraphDef").walk()] == [
            ("node", 5),
            ("library", 0),
            ("node", 5),
        ]

    def test_bytes_are_read_as_what_they_hold(self):
        (item,) = read(block(1, block(1, b"w:0")), "BytesList").messages("value")
        assert item.read_as("VariableDef").text("variable_name") == "w:0"

    def test_text_that_is_no_utf8_does_not_fail(self):
        assert read(block(5, b"2.\xff"), "MetaInfoDef").text("tensorflow_version") == "2.\ufffd"

    def test_many_windows(self):
        tags = ["tag{}".format(index) * 50 for index in range(5000)]
        data = b"".join(block(4, tag.encode()) for tag in tags)
        assert list(read(data, "MetaInfoDef").texts("tags")) == tags


class TestDamage:
    @pytest.mark.parametrize(
        ("data", "reason", "truncated"),
        [
            (b"\x08", "it ends at byte 1, within a number", True),
            (b"\x08\x80\x80", "it ends at byte 3, within a number", True),
            (b"\x12\x05ab", "it ends at byte 4, within a field", True),
            (b"\x09ab", "it ends at byte 3, within a field", True),
            (b"\x0f", "the field at byte 0 has the unknown type 7", False),
            (b"\x0b\x0c", "the field at byte 0 has the unknown type 3", False),
            (b"\x00\x01", "the field at byte 0 has the number 0", False),
            (b"\x08" + b"\xff" * 10 + b"\x01", "the number at byte 1 does not end", False),
        ],
    )
    def test_reason(self, data, reason, truncated):
        with pytest.raises(WireError) as caught:
            read(data).has("meta_graphs")
        assert (str(caught.value), caught.value.truncated) == (reason, truncated)

    def test_a_field_may_not_leave_its_message(self):
        inner = block(1, b"abc")[:-1]
        message = read(block(1, inner) + block(7, b""), "MetaGraphDef").message("meta_info_def")
        with pytest.raises(WireError, match="longer than the message it is in") as caught:
            message.has("tags")
        assert not caught.value.truncated

    def test_depth_is_bounded(self):
        value = block(13, b"x")
        for _ in range(200):
            value = block(51, block(1, value))
        with pytest.raises(WireError, match="nested more than 100 deep"):
            message = read(value, "StructuredValue")
            while True:
                message = message.message("list_value").message("values")

    def test_size_of_a_text_is_bounded(self):
        with pytest.raises(WireError, match="the text at byte 4 is 1048577 bytes long"):
            read(block(5, bytes((1 << 20) + 1)), "MetaInfoDef").text("tensorflow_version")

    def test_file_that_shrinks_while_it_is_read(self, tmp_path):
        path = tmp_path / "file"
        path.write_bytes(number(1, 1) * 1000)
        with open(str(path), "r+b", buffering=0) as file:
            source = Source(file)
            file.truncate(10)
            with pytest.raises(WireError, match="it ends earlier than it did a moment ago"):
                Message(source, "SavedModel").has("meta_graphs")


class TestText:
    def test_every_kind_of_value(self):
        text = rb"""
            # a comment
            name: "a" 'b'  # strings that follow each other are one
            op: "tab\t\x41\101\u00e9\"\\";
            input: ["x", "y"],
            attr { key: "dtype" value: { type: DT_FLOAT } }
            attr < key: "shape" value < shape { dim { size: -1 } dim { size: 0x10 } unknown_rank: false } > >
            attr { key: "f" value { f: 1.5e-07 } }
            attr { key: "g" value { f: -inf } }
            attr { key: "l" value { list { i: [1, 2] s: "x" } } }
            7 { 1: 4 }
        """
        node = read(encode_text(text, "NodeDef"), "NodeDef")
        assert node.text("name") == "ab"
        assert node.text("op") == 'tab\tAA\u00e9"\\'
        attributes = node.entries("attr")
        assert sorted(attributes) == ["dtype", "f", "g", "l", "shape"]
        assert attributes["dtype"].number("type") == 1
        shape = attributes["shape"].message("shape")
        assert [dim.number("size") for dim in shape.messages("dim")] == [-1, 16]
        assert shape.has("unknown_rank")
        assert shape.number("unknown_rank") == 0

    def test_wire_bytes(self):
        text = b'saved_model_schema_version: 1 meta_graphs { meta_info_def { tags: "serve" } }'
        expected = number(1, 1) + block(2, block(1, block(4, b"serve")))
        assert encode_text(text, "SavedModel") == expected

    def test_list_of_a_repeated_field(self):
        assert list(read(encode_text(b'tags: ["a", "b"]', "MetaInfoDef"), "MetaInfoDef").texts("tags")) == ["a", "b"]

    def test_any_written_as_its_message(self):
        text = b'value { [type.googleapis.com/tensorflow.AssetFileDef] { filename: "vocab.txt" } }'
        (item,) = read(encode_text(text, "AnyList"), "AnyList").messages("value")
        assert item.text("type_url") == "type.googleapis.com/tensorflow.AssetFileDef"
        assert item.message("value").read_as("AssetFileDef").text("filename") == "vocab.txt"

    def test_bytes_that_hold_a_message(self):
        text = rb'value: "\n\003w:0"'
        (item,) = read(encode_text(text, "BytesList"), "BytesList").messages("value")
        assert item.read_as("VariableDef").text("variable_name") == "w:0"

    def test_reference_dtype(self):
        assert read(encode_text(b"dtype: DT_FLOAT_REF", "TensorInfo"), "TensorInfo").number("dtype") == 101

    @pytest.mark.parametrize(
        "text",
        [
            b"meta_graphs {",
            b"meta_graphs }",
            b'meta_graphs: "unclosed',
            b"saved_model_schema_version: high",
            b'saved_model_schema_version: "text"',
            b"meta_graphs: 5",
            b"{ }",
            b"\xff\xfe",
            b"x: [1, 2",
            b"saved_model_schema_version:",
            b"<html>not a model</html>",
            b"x {" * 5000,
        ],
    )
    def test_nonsense(self, text):
        with pytest.raises(WireError):
            encode_text(text, "SavedModel")

    def test_random_damage_ends_in_a_wire_error_or_a_message(self):
        text = b'meta_graphs { meta_info_def { tags: "serve" } graph_def { node { name: "a" op: "Const" } } }' * 3
        noise = random.Random(3)
        outcomes = set()
        for _ in range(2000):
            damaged = bytearray(text)
            for _ in range(noise.randrange(1, 4)):
                damaged[noise.randrange(len(damaged))] = noise.choice(b"{}[]<>:\"'\\#-; a0\xff")
            try:
                encode_text(bytes(damaged[: noise.randrange(len(damaged) // 2, len(damaged) + 1)]), "SavedModel")
                outcomes.add("message")
            except WireError:
                outcomes.add("error")
        assert outcomes == {"message", "error"}


@pytest.mark.parametrize("long_name", [False, True])
def test_texts_within_are_those_of_each_message(long_name):
    """The short way and the long one give the same, whatever stands before the text."""
    name = "n" * 200 if long_name else "n"
    text = (
        'node_def {{ name: "{0}" op: "A" }} node_def {{ op: "B" name: "{0}" }} node_def {{ name: "c" }} node_def {{ }}'
    )
    data = encode_text(text.format(name).encode(), "FunctionDef")
    message = Message(Source.of_bytes(data), "FunctionDef")
    assert list(message.texts_within("node_def", "op")) == ["A", "B", "", ""]
    assert [node.text("op") for node in message.messages("node_def")] == ["A", "B", "", ""]


def test_may_mention_is_certain_of_what_is_not_there():
    data = encode_text(b'node_def { name: "n" op: "A" attr { key: "T" value { type: DT_FLOAT } } }', "FunctionDef")
    message = Message(Source.of_bytes(data), "FunctionDef")
    assert message.may_mention("NodeDef", "attr")
    assert not message.may_mention("StructuredValue", "type_spec_value")
