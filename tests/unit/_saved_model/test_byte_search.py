"""The search for names in bytes: it may point at too much, never at too little."""

import pytest

from model_files import block
from unihub._saved_model import byte_search, unsafe_scan
from unihub._saved_model.unsafe_ops import UNSAFE_OPS
from unihub._saved_model.wire import Message, Source

MANY = byte_search._MANY


def message_of(data):
    return Message(Source.of_bytes(data), "MetaGraphDef")


def node(op, more=b""):
    return block(1, block(1, b"n") + block(2, op) + more)


@pytest.mark.parametrize("before", [MANY - 2, MANY - 1, MANY, MANY + 1])
def test_no_number_of_decoys_hides_an_op(before):
    """A field that is written with a longer length is found by a zero byte, which decoys can have too."""
    decoy = b"\x00ReadFile"
    padding = block(1, block(1, b"n") + block(4, decoy * before))
    found = unsafe_scan.find(message_of(block(2, padding + node(b"WriteFile"))))
    assert [op.op for op in found] == ["WriteFile"]


def test_how_many_places_are_listed():
    def places(count):
        return byte_search.positions_of(message_of(b"ab" * count), byte_search.finder("ab"))

    assert places(3) == [0, 2, 4]
    assert len(places(MANY - 1)) == MANY - 1
    assert places(MANY) is None and places(MANY + 1) is None


def test_places_that_overlap():
    assert byte_search.positions_of(message_of(b"xaaa"), byte_search.finder("aa")) == [1, 2]


def test_places_are_those_in_the_file():
    whole = message_of(b"aa" + b"a" * 6 + b"a")
    part = Message(whole.source, "MetaGraphDef", 2, 6)
    assert byte_search.positions_of(part, byte_search.finder("aa")) == [2, 3, 4]


def test_the_whole_name_of_each_op_is_found():
    for op in sorted(UNSAFE_OPS):
        graph = message_of(block(2, node(b"Identity") + node(op.encode())))
        positions = byte_search.positions_of(graph, byte_search.find_unsafe_ops)
        assert positions is not None and len(positions) == 1, op


def test_which_messages_have_a_place():
    source = Source.of_bytes(bytes(12))
    first, second, third = (Message(source, "", start, start + 4) for start in (0, 4, 8))
    messages = [first, second, third]

    def at(*positions):
        return list(byte_search.at(messages, list(positions)))

    assert list(byte_search.at(messages, None)) == messages
    assert at() == []
    assert at(0) == [first] and at(3) == [first] and at(4) == [second] and at(11) == [third] and at(12) == []
    assert at(1, 2, 9) == [first, third]


@pytest.mark.parametrize("overflowing", byte_search._OVERFLOWING)
def test_where_numbers_overflow_everything_is_looked_at(overflowing):
    data = block(2, node(b"Identity", block(4, overflowing)))
    assert byte_search.positions_of(message_of(overflowing), byte_search.find_unsafe_ops) is None
    assert byte_search.positions_of(message_of(data), byte_search.find_unsafe_ops) is None
