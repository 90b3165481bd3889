"""The index of a checkpoint: which tensor lies where in which shard, read without TensorFlow.

``variables.index`` is a sorted string table of LevelDB's make: a footer names the index block, that names the data
blocks, and these map the keys of tensors to messages. Damage ends in a WireError; the shards are never opened.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Dict, Iterator, Mapping, Optional, Tuple

from unihub._saved_model.wire import Message, Source, WireError

_MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
_FOOTER_BYTES = 48
_TRAILER_BYTES = 5  # of each block: how it is compressed, and a checksum
_PLAIN, _SNAPPY = 0, 1

_MAX_BLOCK = 1 << 28

Shape = Optional[Tuple[Optional[int], ...]]


@dataclass(frozen=True)
class Index:
    """What a checkpoint holds.

    Attributes:
        shard_count: The number of files over which the tensors are spread.
        shard_bytes: How long each file that holds something has to be at least, by its number.
    """

    shard_count: int
    shard_bytes: Mapping[int, int]


def read_index(path: str) -> Index:
    """Reads a checkpoint's index.

    Args:
        path: The ``.index`` file.

    Returns:
        What it says.

    Raises:
        WireError: The file is damaged.
        OSError: The file cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        source = Source(file)
        if source.size < _FOOTER_BYTES:
            raise WireError("it is {} bytes long, shorter than its own footer".format(source.size), truncated=True)
        if source.read(source.size - len(_MAGIC), source.size) != _MAGIC:
            raise WireError("it does not end as the index of a checkpoint does", truncated=True)
        return _read_table(source)


def _read_table(source: Source) -> Index:
    shard_count = 0
    needed: Dict[int, int] = {}
    for has_key, value in _read_pairs(source):
        if not has_key:
            shard_count = value.read_as("BundleHeaderProto").number("num_shards")
            continue
        shard, offset, size = value.read_as("BundleEntryProto").numbers("shard_id", "offset", "size")
        if min(shard, offset, size) < 0:
            raise WireError("it places a tensor at a negative position")
        needed[shard] = max(needed.get(shard, 0), offset + size)
    return Index(shard_count, needed)


def read_shape(message: Message) -> Shape:
    """The shape that a ``TensorShapeProto`` describes."""
    if message.number("unknown_rank"):
        return None
    sizes = [dim.number("size") for dim in message.messages("dim")]
    return tuple(None if size < 0 else size for size in sizes)


def _read_pairs(source: Source) -> Iterator[Tuple[bool, Message]]:
    footer = source.size - _FOOTER_BYTES
    _, _, footer = _read_handle(source, footer)  # of the block of filters, which has none
    start, size, _ = _read_handle(source, footer)
    for _, handle in _read_block(source, start, size):
        start, size, _ = _read_handle(handle.source, handle.start)
        yield from _read_block(source, start, size)


def _read_handle(source: Source, position: int) -> Tuple[int, int, int]:
    """The start and size of a block, and the position behind the two."""
    start, position = source.varint(position)
    size, position = source.varint(position)
    return start, size, position


def _read_block(source: Source, start: int, size: int) -> Iterator[Tuple[bool, Message]]:
    """The values of a block and whether they have a key; each key is told by how it differs from the one before."""
    if size > _MAX_BLOCK:
        raise WireError("it speaks of a block of {} bytes".format(size))
    stored = source.read(start, start + size + _TRAILER_BYTES)
    if stored[size] not in (_PLAIN, _SNAPPY):
        raise WireError("its block at byte {} is compressed in the unknown way {}".format(start, stored[size]))
    data = stored[:size] if stored[size] == _PLAIN else decompress(stored[:size])
    block = Source.of_bytes(data)
    known = 0
    position, end = 0, _end_of_pairs(data)
    while position < end:
        shared, unshared, length = data[position : position + 3].ljust(3, b"\xff")
        if max(shared, unshared, length) < 0x80:  # as nearly all are
            position += 3
        else:
            shared, position = block.varint(position)
            unshared, position = block.varint(position)
            length, position = block.varint(position)
        if shared > known:
            raise WireError("a key in its block at byte {} continues one that is too short".format(start))
        known = shared + unshared
        position += unshared
        if position + length > end:
            raise WireError("its block at byte {} ends within a value".format(start))
        yield known > 0, Message(block, "", position, position + length)
        position += length


def _end_of_pairs(block: bytes) -> int:
    """Behind the pairs stand the places where a key is told in full, four bytes each, and their number."""
    if len(block) < 4:
        raise WireError("it holds a block of {} bytes".format(len(block)))
    restarts = int(struct.unpack("<I", block[-4:])[0])
    return len(block) - 4 * (restarts + 1)


def decompress(data: bytes) -> bytes:
    """What Snappy made smaller, as TensorFlow does where it was built with it.

    Raises:
        WireError: The data is damaged.
    """
    source = Source.of_bytes(data)
    length, position = source.varint(0)
    if length > _MAX_BLOCK:
        raise WireError("it holds a compressed block of {} bytes".format(length))
    output = bytearray()
    while position < len(data):
        kind, count, offset, position = _read_element(source, position)
        if kind == _LITERAL:
            output += source.read(position, position + count)
            position += count
        elif not 0 < offset <= len(output):
            raise WireError("a compressed block in it repeats what is not there")
        else:
            # What is repeated may reach into the repetition itself.
            repeated = output[-offset:][:count]
            output += (repeated * (count // len(repeated) + 1))[:count]
        if len(output) > length:
            break
    if len(output) != length:
        raise WireError("a compressed block in it is not as long as it says")
    return bytes(output)


_LITERAL = 0


def _read_element(source: Source, position: int) -> Tuple[int, int, int, int]:
    """The kind of an element, how many bytes it stands for, how far back they are, and the position behind."""
    tag = source.read(position, position + 1)[0]
    kind, upper = tag & 3, tag >> 2
    position += 1
    if kind == _LITERAL:
        extra = max(0, upper - 59)
        count = _little_endian(source, position, extra) if extra else upper
        return kind, count + 1, 0, position + extra
    if kind == 1:
        return kind, (upper & 7) + 4, (tag >> 5) << 8 | _little_endian(source, position, 1), position + 1
    extra = 2 if kind == 2 else 4
    return kind, upper + 1, _little_endian(source, position, extra), position + extra


def _little_endian(source: Source, position: int, length: int) -> int:
    return int.from_bytes(source.read(position, position + length), "little")
