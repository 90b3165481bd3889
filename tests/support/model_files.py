"""Writes the files of models byte by byte, so that tests of reading them need neither TensorFlow nor our encoder."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Dict, Iterable, List, Tuple, Union

from unihub._saved_model.text_format import encode_text

# A piece of a file is what stands there, or how many zero bytes do.
Piece = Union[bytes, int]


def varint(value: int) -> bytes:
    encoded = b""
    while value >= 0x80:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value & (1 << 64) - 1)


def block(field: int, value: bytes) -> bytes:
    """A text, a message, or bytes."""
    return varint(field << 3 | 2) + varint(len(value)) + value


def block_of(field: int, pieces: Iterable[Piece]) -> List[Piece]:
    """The same of pieces, so that a gigabyte of zeros is never in memory."""
    pieces = list(pieces)
    length = sum(piece if isinstance(piece, int) else len(piece) for piece in pieces)
    return [varint(field << 3 | 2) + varint(length), *pieces]


def write_pieces(path: Path, pieces: Iterable[Piece]) -> None:
    """Leaves holes for zeros where the file system can."""
    with open(str(path), "wb") as file:
        for piece in pieces:
            if isinstance(piece, int):
                file.seek(piece, 1)
            else:
                file.write(piece)
        file.truncate()


def saved_model(text: str) -> bytes:
    return encode_text(text.encode(), "SavedModel")


def bundle_entry(shard: int, offset: int, size: int, dtype: int = 1, shape: Tuple[int, ...] = ()) -> bytes:
    dims = b"".join(block(2, number(1, dim)) for dim in shape)
    return number(1, dtype) + block(2, dims) + number(3, shard) + number(4, offset) + number(5, size)


def table_block(pairs: Dict[bytes, bytes]) -> bytes:
    """The pairs of a LevelDB block, keys told by what they share with the one before."""
    encoded, last = b"", b""
    for key, value in sorted(pairs.items()):
        shared = 0
        while shared < min(len(last), len(key)) and last[shared] == key[shared]:
            shared += 1
        encoded += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    return encoded + struct.pack("<II", 0, 1)


def checkpoint_index(entries: Dict[str, bytes], shards: int = 1, compression: int = 0, data: bytes = b"") -> bytes:
    """A ``variables.index``; ``data`` stands in for the data block, for one that is compressed."""
    pairs = {key.encode(): value for key, value in entries.items()}
    data = data or table_block({b"": number(1, shards), **pairs})
    content = data + bytes([compression]) + bytes(4)
    index = table_block({b"\xff": varint(0) + varint(len(data))})
    handles = varint(0) + varint(0) + varint(len(content)) + varint(len(index))
    return content + index + bytes(5) + handles.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def write_variables(directory: Path, shards: Dict[str, int], entries: Dict[str, bytes]) -> None:
    """The ``variables`` of a model: the shards by their names, with their lengths, and the index."""
    variables = directory / "variables"
    variables.mkdir(parents=True, exist_ok=True)
    (variables / "variables.index").write_bytes(checkpoint_index(entries, len(shards)))
    for name, size in shards.items():
        (variables / name).write_bytes(bytes(size))
