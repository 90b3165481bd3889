"""The reader of protocol buffers gives the same whether a message is in memory, in windows of a file, or padded."""

import io
import random

import pytest

from model_files import block, number, varint
from unihub._saved_model import byte_search, unsafe_scan, wire
from unihub._saved_model.wire import LENGTH, VARINT, Message, Source, WireError

SIZES = [(0, 0, 16, 64), (0, 0, 64, 2**16), (0, 2**26, 16, 64), (2**18, 2**26, 64, 2**16)]


class File(io.BytesIO):
    """A file that notes what is read of it."""

    def __init__(self, data):
        super().__init__(data)
        self.reads = []

    def read(self, size=-1):
        place = self.tell()
        data = super().read(size)
        self.reads.append((place, len(data)))
        return data


@pytest.fixture(params=SIZES, ids=["tiny windows", "windows", "loaded", "in memory"])
def sizes(request, monkeypatch):
    names = ("_SMALL_FILE", "_SMALL_MESSAGE", "_SMALL_WINDOW", "_LARGE_WINDOW")
    for name, value in zip(names, request.param):
        monkeypatch.setattr(wire, name, value)


@pytest.fixture
def tiny(monkeypatch):
    for name, value in zip(("_SMALL_FILE", "_SMALL_MESSAGE", "_SMALL_WINDOW", "_LARGE_WINDOW"), SIZES[0]):
        monkeypatch.setattr(wire, name, value)


def padded(value, length):
    encoded = varint(value)
    if len(encoded) >= length:
        return encoded
    return encoded[:-1] + bytes([encoded[-1] | 0x80]) + (length - len(encoded) - 1) * b"\x80" + b"\0"


def random_fields(chance, count=30):
    """Fields as bytes, and what they are: number, wire type, value."""
    encoded, wanted = b"", []
    for _ in range(count):
        field = chance.choice([1, 2, 3, 15, 16, 2047, 2048, 2**29 - 1])
        kind = chance.choice([0, 0, 1, 2, 2, 2, 5])
        encoded += padded(field << 3 | kind, chance.choice([1, 1, 1, 2, 5]))
        if kind == 0:
            value = chance.choice([0, 1, 127, 128, 300, 2**63, 2**64 - 1])
            encoded += padded(value, chance.choice([1, 1, 3, 10]))
        else:
            value = bytes(
                chance.randrange(256) for _ in range({1: 8, 5: 4}.get(kind) or chance.choice([0, 1, 5, 130, 300]))
            )
            encoded += (padded(len(value), chance.choice([1, 1, 2, 10])) if kind == 2 else b"") + value
        wanted.append((field, kind, value))
    return encoded, wanted


def scanned(message, *tags):
    source = Source.of_bytes(message.source.read(0, message.source.size))
    return [
        (number, kind, start if kind == VARINT else source.read(start, end))
        for number, kind, start, end in message._scan(*tags)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_fields_are_those_that_were_written(sizes, seed):
    chance = random.Random(seed)
    data, wanted = random_fields(chance)
    before, after = bytes(chance.randrange(40)), bytes(chance.randrange(40))
    source = Source(File(before + data + after))
    for load in (False, True):
        message = Message(source, "", len(before), len(before) + len(data))
        if load:
            message.load()
        assert scanned(message) == wanted
        tag = 2 << 3 | LENGTH
        assert scanned(message, tag) == [field for field in wanted if field[:2] == (2, LENGTH)]


@pytest.mark.parametrize("length", range(1, 11))
def test_numbers_of_each_length(sizes, length):
    value = min(1 << 7 * length - 1, 2**69)
    for before in (0, 1, 6, 7, 15, 16, 17, 100):
        data = bytes(before) + varint(value) + b"\x01"
        assert len(varint(value)) == length
        source = Source(File(data))
        assert source.varint(before) == (value, before + length)
        assert source.varint(before + length) == (1, len(data))
        assert Source.of_bytes(data).varint(before) == (value, before + length)
        for end in range(before + 1, before + length):
            with pytest.raises(WireError, match="it ends at byte {}, within a number".format(end)) as caught:
                Source(File(data[:end])).varint(before)
            assert caught.value.truncated


def test_a_number_without_an_end(sizes):
    for after in (0, 1, 20):
        with pytest.raises(WireError, match="the number at byte 3 does not end") as caught:
            Source(File(bytes(3) + b"\xff" * 10 + bytes(after))).varint(3)
        assert not caught.value.truncated


@pytest.mark.parametrize("seed", range(5))
def test_any_stretch_is_read(sizes, seed):
    chance = random.Random(seed)
    data = bytes(chance.randrange(256) for _ in range(1000))
    source = Source(File(data))
    for _ in range(300):
        start = chance.randrange(1001)
        end = min(1000, start + chance.choice([0, 1, 10, 200, 1000]))
        if chance.random() < 0.2:
            source.load(start, end)
        memory, base = source.window(start, end)
        assert memory == b"" or memory[start - base : end - base] == data[start:end]
        assert source.read(start, end) == data[start:end]
        memory, base = source.window(start, end)
        assert memory[start - base : end - base] == data[start:end]
    with pytest.raises(WireError, match="it ends at byte 1000, within a field") as caught:
        source.read(999, 1001)
    assert caught.value.truncated


def test_what_is_loaded_at_once(tiny, monkeypatch):
    monkeypatch.setattr(wire, "_SMALL_MESSAGE", 100)
    file = File(bytes(1000))
    source = Source(file)
    assert file.reads == []
    source.load(10, 110)
    assert sum(length for _, length in file.reads) == 100 and source.window(10, 110) == (bytes(100), 10)
    assert source.window(9, 110) == source.window(10, 111) == (b"", 0)
    count = len(file.reads)
    source.load(10, 110)
    source.load(200, 301)
    source.load(200, 200)
    source.load(950, 1001)
    assert len(file.reads) == count
    source.load(900, 1000)
    assert source.window(900, 1000) == (bytes(100), 900)


def test_a_small_file_is_read_at_once(monkeypatch):
    monkeypatch.setattr(wire, "_SMALL_FILE", 100)
    for size, at_once in ((0, True), (100, True), (101, False)):
        file = File(bytes(size))
        Source(file)
        assert (sum(length for _, length in file.reads) == size) == at_once


def test_windows_grow_in_a_row_and_not_after_a_jump(tiny):
    file = File(bytes(2000))
    source = Source(file)
    for place in range(1000):
        source.read(place, place + 1)
    lengths = [length for _, length in file.reads]
    assert lengths[:3] == [32, 64, 64] and set(lengths[2:]) == {64}
    file.reads.clear()
    for place in (1900, 100, 1500, 300):
        source.read(place, place + 1)
    assert file.reads == [(1900, 16), (100, 16), (1500, 16), (300, 16)]
    file.reads.clear()
    source.read(316, 317)
    assert file.reads == [(316, 32)]


@pytest.mark.parametrize("seed", range(30))
def test_texts_within_are_those_of_each_message_anyhow_written(sizes, seed):
    chance = random.Random(seed)

    def text(field):
        value = chance.choice([b"", b"a", b"Op", b"\xff", b"x" * 127, b"x" * 128, b"x" * 300])
        return (
            padded(field << 3 | 2, chance.choice([1, 1, 1, 2]))
            + padded(len(value), chance.choice([1, 1, 1, 2]))
            + value
        )

    nodes = []
    for _ in range(20):
        parts = [
            text(1),
            text(2),
            text(2),
            number(9, chance.choice([1, 127, 128, 2**40])),
            varint(10 << 3 | 5) + b"four",
            text(3),
        ]
        chance.shuffle(parts)
        nodes.append(b"".join(parts[: chance.randrange(len(parts) + 1)]))
    data = b"".join(block(3, node) for node in nodes)
    message = Message(Source(File(data)), "FunctionDef")
    wanted = [node.text("op") for node in Message(Source.of_bytes(data), "FunctionDef").messages("node_def")]
    assert list(message.texts_within("node_def", "op")) == wanted


def test_a_text_that_leaves_its_message():
    for node in (b"\x12\x05Id", b"\x08\x80", b"\x12", b"\x0a\x01n\x12\x03Id"):
        message = Message(Source.of_bytes(block(3, node) + block(3, block(2, b"Other"))), "FunctionDef")
        with pytest.raises(WireError):
            list(message.texts_within("node_def", "op"))


class TestMessages:
    def read(self, data, kind):
        return Message(Source.of_bytes(data), kind)

    def test_numbers_in_one_pass_are_the_first_of_each(self):
        data = number(4, 7) + number(3, 5) + number(4, 8) + block(5, b"x") + number(5, -2)
        message = self.read(data, "BundleEntryProto")
        assert message.numbers("shard_id", "offset", "size") == [5, 7, -2]
        assert message.numbers("size") == [-2] and self.read(b"", "BundleEntryProto").numbers("size") == [0]

    def test_repeated_numbers_however_they_are_written(self):
        data = (
            number(2, 3)
            + block(2, varint(4) + varint(300) + varint(2**64 - 1))
            + number(1, 9)
            + block(1, b"\x05")
            + block(2, b"")
        )
        assert self.read(data, "SavedConcreteFunction").repeated_numbers("bound_inputs") == [3, 4, 300, -1]

    def test_how_often_a_field_is_there(self):
        message = self.read(block(4, b"a") + block(4, b"") + number(4, 1), "MetaInfoDef")
        assert message.count("tags") == 2
        assert [message.has("tags", times) for times in (0, 1, 2, 3)] == [True, True, True, False]

    def test_walk_over_some_fields(self):
        data = block(1, b"") + block(2, b"") + number(1, 3) + block(99, b"")
        message = self.read(data, "GraphDef")
        assert [name for name, _ in message.walk()] == ["node", "library"]
        assert [name for name, _ in message.walk("library")] == ["library"]
        assert list(self.read(block(4, b"serve"), "MetaInfoDef").walk()) == []

    @pytest.mark.parametrize("depth, fits", [(100, True), (101, False)])
    def test_depth(self, depth, fits):
        source = Source.of_bytes(b"")
        if fits:
            assert Message(source, "GraphDef", depth=depth).count("node") == 0
            return
        with pytest.raises(WireError, match="nested more than 100 deep"):
            Message(source, "GraphDef", depth=depth)

    def test_the_longest_text(self):
        text = b"x" * (1 << 20)
        assert self.read(block(5, text), "MetaInfoDef").text("tensorflow_version") == text.decode()

    @pytest.mark.parametrize("tag, fits", [((1 << 32) - 6, True), (1 << 32 | 8, False), (7, False)])
    def test_field_numbers(self, tag, fits):
        message = self.read(varint(tag) + b"\0" * 10, "")
        if not fits:
            with pytest.raises(WireError, match="has the number 536870913$|has the unknown type 7"):
                list(message._scan())
            return
        field = next(message._scan())
        assert field[:2] == (tag >> 3, LENGTH)

    def test_what_is_absent_is_an_empty_message_at_the_end(self):
        found = self.read(block(1, b"ab"), "MetaGraphDef").message("graph_def")
        assert (found.start, found.end) == (4, 4) and not found.has("node")

    def test_bytes(self):
        assert self.read(block(4, b"\xff\0"), "SavedUserObject").data("metadata") == b""
        assert self.read(block(3, b"\xff\0") + block(3, b"x"), "SavedUserObject").data("metadata") == b"\xff\0"


class TestScanOfWhatIsNotInMemory:
    """A model of many gigabytes is read node by node."""

    def graph(self, op):
        return block(2, block(1, block(1, b"n") + block(2, b"Identity")) + block(1, block(1, b"m") + block(2, op)))

    def test_it_is_looked_at_whole(self, tiny):
        for op, found in ((b"ReadFile", ["ReadFile"]), (b"Identity", [])):
            message = Message(Source(File(self.graph(op) + bytes(0))), "MetaGraphDef")
            assert byte_search.positions_of(message, byte_search.find_unsafe_ops) is None
            assert [each.op for each in unsafe_scan.find(message)] == found
