"""The index of a checkpoint, read byte by byte, as LevelDB and Snappy write it."""

import os
import struct

import pytest

from model_files import bundle_entry, checkpoint_index, number, saved_model, table_block, varint
from unihub._saved_model import checkpoint_index as module
from unihub._saved_model.checkpoint_index import Index, decompress, read_index, read_shape
from unihub._saved_model.wire import Message, Source, WireError

MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
HEADER = number(1, 1)


def read(tmp_path, data):
    path = tmp_path / "variables.index"
    path.write_bytes(data)
    return read_index(str(path))


def table(*blocks, kinds=None):
    """A table of such data blocks, each compressed in such a way; the handles of all are in one block."""
    content, handles = b"", {}
    for place, block in enumerate(blocks):
        handles[b"\x01" + bytes([place])] = varint(len(content)) + varint(len(block))
        content += block + bytes([kinds[place] if kinds else 0]) + bytes(4)
    index = table_block(handles)
    footer = varint(0) + varint(0) + varint(len(content)) + varint(len(index))
    return content + index + bytes(5) + footer.ljust(40, b"\0") + MAGIC


def pairs(*entries, restarts=1):
    """A block of what is shared with the key before, the rest of the key, and the value."""
    encoded = b"".join(
        varint(shared) + varint(len(key)) + varint(len(value)) + key + value for shared, key, value in entries
    )
    return encoded + bytes(4 * restarts) + struct.pack("<I", restarts)


class TestTable:
    def test_how_long_each_shard_has_to_be(self, tmp_path):
        entries = {"a": bundle_entry(0, 100, 8), "b": bundle_entry(0, 0, 100), "c": bundle_entry(2, 0, 0)}
        assert read(tmp_path, checkpoint_index(entries, shards=3)) == Index(3, {0: 108, 2: 0})

    def test_the_header_is_no_tensor(self, tmp_path):
        assert read(tmp_path, table(pairs((0, b"", HEADER)))) == Index(1, {})

    def test_a_compressed_block_between_others(self, tmp_path):
        plain = [
            pairs((0, b"", HEADER)),
            pairs((0, b"k", bundle_entry(0, 0, 4))),
            pairs((0, b"l", bundle_entry(1, 0, 4))),
        ]
        packed = varint(len(plain[1])) + literal(plain[1])
        assert read(tmp_path, table(plain[0], packed, plain[2], kinds=[0, 1, 0])) == Index(1, {0: 4, 1: 4})

    @pytest.mark.parametrize("entry", [(-1, 0, 0), (0, -1, 0), (0, 0, -1)])
    def test_positions_that_are_negative(self, tmp_path, entry):
        with pytest.raises(WireError, match="negative position"):
            read(tmp_path, checkpoint_index({"w": bundle_entry(*entry)}))

    def test_several_blocks(self, tmp_path):
        first, second = (
            pairs((0, b"", HEADER), (0, b"a", bundle_entry(0, 0, 4))),
            pairs((0, b"b", bundle_entry(0, 4, 4))),
        )
        assert read(tmp_path, table(first, second)) == Index(1, {0: 8})

    def test_a_key_is_whole_at_the_beginning_of_each_block(self, tmp_path):
        first, second = (
            pairs((0, b"", HEADER), (0, b"abc", bundle_entry(0, 0, 4))),
            pairs((1, b"", bundle_entry(0, 4, 4))),
        )
        with pytest.raises(
            WireError, match="in its block at byte {} continues one that is too short".format(len(first) + 5)
        ):
            read(tmp_path, table(first, second))

    def test_what_keys_share(self, tmp_path):
        entry = bundle_entry(0, 0, 4)
        assert read(tmp_path, table(pairs((0, b"", HEADER), (0, b"abc", entry), (3, b"", entry)))).shard_bytes == {0: 4}
        assert read(
            tmp_path, table(pairs((0, b"", HEADER), (0, b"abc", entry), (2, b"", entry), (2, b"", entry)))
        ).shard_bytes
        for shared in (4, 200):
            with pytest.raises(WireError, match="continues one that is too short"):
                read(tmp_path, table(pairs((0, b"", HEADER), (0, b"abc", entry), (shared, b"", entry))))
        with pytest.raises(WireError, match="continues one that is too short"):
            read(tmp_path, table(pairs((0, b"", HEADER), (0, b"abc", entry), (2, b"", entry), (3, b"", entry))))

    @pytest.mark.parametrize("length", [126, 127, 128, 129, 300, 20000])
    def test_long_keys(self, tmp_path, length):
        entry = bundle_entry(0, 0, 4)
        data = pairs(
            (0, b"", HEADER), (0, b"k" * length, entry), (length, b"x", bundle_entry(0, 4, 4)), (length, b"y", entry)
        )
        assert read(tmp_path, table(data)) == Index(1, {0: 8})

    @pytest.mark.parametrize("length", [126, 127, 128, 129, 300])
    def test_long_values(self, tmp_path, length):
        entry = bundle_entry(0, 0, 4)
        value = entry + bytes([15 << 3 | 2]) + varint(length) + bytes(length)
        assert read(
            tmp_path, table(pairs((0, b"", HEADER), (0, b"k", value), (0, b"l", bundle_entry(0, 4, 4))))
        ) == Index(1, {0: 8})

    @pytest.mark.parametrize("restarts", [0, 1, 2, 100])
    def test_the_list_at_the_end_of_a_block(self, tmp_path, restarts):
        data = pairs((0, b"", HEADER), (0, b"k", bundle_entry(0, 0, 4)), restarts=restarts)
        assert read(tmp_path, table(data)) == Index(1, {0: 4})

    def test_a_block_without_pairs(self, tmp_path):
        assert read(tmp_path, table(pairs())) == Index(0, {})
        # One whose list is longer than itself.
        assert read(tmp_path, table(struct.pack("<I", 9))) == Index(0, {})

    @pytest.mark.parametrize("length", [0, 1, 3])
    def test_a_block_that_is_too_short(self, tmp_path, length):
        with pytest.raises(WireError, match="a block of {} bytes".format(length)):
            read(tmp_path, table(bytes(length)))

    def test_a_value_that_is_cut_off(self, tmp_path):
        whole = pairs((0, b"", HEADER), (0, b"k", bundle_entry(0, 0, 4)))
        for missing in (1, 2, 3):
            data = whole[: -8 - missing] + whole[-8:]
            with pytest.raises(WireError, match="its block at byte 0 ends within a value"):
                read(tmp_path, table(data))

    @pytest.mark.parametrize("length", [1, 2])
    def test_a_pair_that_is_cut_off(self, tmp_path, length):
        with pytest.raises(WireError):
            read(tmp_path, table(bytes(length) + struct.pack("<II", 0, 1)))

    def test_a_block_that_is_too_large(self, tmp_path, monkeypatch):
        data = pairs((0, b"", HEADER), (0, b"k", bundle_entry(0, 0, 4)))
        monkeypatch.setattr(module, "_MAX_BLOCK", len(data))
        assert read(tmp_path, table(data)) == Index(1, {0: 4})
        monkeypatch.setattr(module, "_MAX_BLOCK", len(data) - 1)
        with pytest.raises(WireError, match="speaks of a block of {} bytes".format(len(data))):
            read(tmp_path, table(data))

    @pytest.mark.parametrize("kind", [2, 255])
    def test_unknown_compression(self, tmp_path, kind):
        data = pairs((0, b"", HEADER))
        with pytest.raises(
            WireError, match="block at byte {} is compressed in the unknown way {}".format(len(data) + 5, kind)
        ):
            read(tmp_path, table(data, data, kinds=[0, kind]))

    def test_the_footer_alone(self, tmp_path):
        with pytest.raises(WireError, match="47 bytes long, shorter"):
            read(tmp_path, bytes(47))
        with pytest.raises(WireError, match="does not end as") as caught:
            read(tmp_path, bytes(40) + MAGIC[::-1])
        assert caught.value.truncated
        with pytest.raises(WireError, match="shorter than its own footer") as caught:
            read(tmp_path, b"")
        assert caught.value.truncated


@pytest.mark.parametrize(
    "text, shape",
    [
        ("", ()),
        ("dim { size: 2 } dim { size: 0 } dim { }", (2, 0, 0)),
        ("dim { size: -1 } dim { size: 3 }", (None, 3)),
        ("unknown_rank: 1", None),
        ("unknown_rank: 1 dim { size: 1 }", None),
        ("unknown_rank: 0 dim { size: 1 }", (1,)),
    ],
)
def test_shapes(text, shape):
    wrapped = "meta_graphs { signature_def { value { inputs { value { tensor_shape { %s } } } } } }" % text  # noqa: UP031
    message = Message(Source.of_bytes(saved_model(wrapped)), "SavedModel")
    for name in ("meta_graphs", "signature_def", "value", "inputs", "value", "tensor_shape"):
        message = message.message(name)
    assert read_shape(message) == shape


def literal(data):
    length = len(data) - 1
    if length < 60:
        return bytes([length << 2]) + data
    extra = (length.bit_length() + 7) // 8
    return bytes([(59 + extra) << 2]) + length.to_bytes(extra, "little") + data


def copy(kind, offset, count):
    if kind == 1:
        return bytes([offset >> 8 << 5 | (count - 4) << 2 | 1, offset & 0xFF])
    return bytes([(count - 1) << 2 | kind]) + offset.to_bytes(2 if kind == 2 else 4, "little")


class TestDecompress:
    START = os.urandom(2000)

    @pytest.mark.parametrize("length", [1, 2, 59, 60, 61, 62, 255, 256, 257, 65536, 65537, 2**24 + 1])
    def test_literals(self, length):
        data = os.urandom(length)
        assert decompress(varint(length + 2) + literal(data) + literal(b"ab")) == data + b"ab"

    @pytest.mark.parametrize(
        "kind, offset, count",
        [
            (1, 1, 4),
            (1, 3, 11),
            (1, 255, 5),
            (1, 256, 4),
            (1, 1999, 11),
            (2, 1, 1),
            (2, 7, 64),
            (2, 2000, 64),
            (2, 64, 64),
            (2, 63, 64),
            (3, 2000, 64),
            (3, 1, 1),
            (3, 300, 33),
        ],
    )
    def test_repetitions(self, kind, offset, count):
        wanted = bytearray(self.START)
        for _ in range(count):
            wanted.append(wanted[-offset])
        data = literal(self.START) + copy(kind, offset, count) + literal(b"end")
        assert decompress(varint(len(wanted) + 3) + data) == bytes(wanted) + b"end"

    @pytest.mark.parametrize("kind, offset", [(1, 0), (2, 0), (3, 0), (1, 2001), (2, 2001), (3, 2**31)])
    def test_repetitions_of_nothing(self, kind, offset):
        with pytest.raises(WireError, match="repeats what is not there"):
            decompress(varint(2010) + literal(self.START) + copy(kind, offset, 10))

    def test_the_length_is_checked(self):
        data = literal(self.START)
        assert decompress(varint(2000) + data) == self.START
        for length in (1999, 2001):
            with pytest.raises(WireError, match="not as long as it says"):
                decompress(varint(length) + data)

    def test_no_more_is_made_than_the_length(self, monkeypatch):
        """A few bytes could be told to become gigabytes."""
        elements = []
        read_element = module._read_element
        monkeypatch.setattr(module, "_read_element", lambda *where: elements.append(where) or read_element(*where))
        with pytest.raises(WireError, match="not as long as it says"):
            decompress(varint(100) + literal(b"a") + 50 * copy(2, 1, 64))
        assert len(elements) == 3

    @pytest.mark.parametrize("excess", [0, 1])
    def test_a_length_that_is_too_large(self, monkeypatch, excess):
        monkeypatch.setattr(module, "_MAX_BLOCK", 2000 - excess)
        if not excess:
            assert decompress(varint(2000) + literal(self.START)) == self.START
            return
        with pytest.raises(WireError, match="compressed block of 2000 bytes"):
            decompress(varint(2000) + literal(self.START))
