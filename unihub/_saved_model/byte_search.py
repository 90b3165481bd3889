"""Where names are in the bytes of a file, so that a scan reads only the functions that can have them."""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from typing import Callable, Iterable, Iterator, List, Optional, Pattern, Tuple

from unihub._saved_model.unsafe_ops import UNSAFE_OPS, pattern
from unihub._saved_model.wire import Message

# With more positions than this, scanning everything takes no longer.
_MANY = 1 << 18
# What is in a tag of five bytes and in a length of ten, of whose last byte some versions of protobuf drop bits.
_OVERFLOWING = (b"\x92\x80\x80\x80", 8 * b"\x80")

# Takes bytes, a start and an end, and returns the offsets of what it finds; ``None`` if it may be anywhere.
Finder = Callable[[bytes, int, int], Optional[Iterator[int]]]


def positions_of(message: Message, find: Finder) -> Optional[List[int]]:
    """The positions in the file of what is found in a message.

    ``None`` if the message is too large for memory, or if what is searched for may be anywhere.
    """
    memory, base = message.load().source.window(message.start, message.end)
    if not memory:
        return None
    offsets = find(memory, message.start - base, message.end - base)
    positions = None if offsets is None else sorted(base + offset for offset in itertools.islice(offsets, _MANY))
    return positions if positions is None or len(positions) < _MANY else None


def find_unsafe_ops(memory: bytes, start: int, end: int) -> Optional[Iterator[int]]:
    """The offsets of unsafe ops that are fields of their own."""
    if any(memory.find(number, start, end) >= 0 for number in _OVERFLOWING):
        return None
    matches_of_fields = (field.finditer(memory, start, end) for field in _ops_in_bytes())
    return (match.start() for matches in matches_of_fields for match in matches)


def finder(name: str) -> Finder:
    """Find a name, and longer names that begin with it: the author of a file chooses what follows a name."""
    wanted = name.encode()

    def find(memory: bytes, start: int, end: int) -> Iterator[int]:
        offset = memory.find(wanted, start, end)
        while offset >= 0:
            yield offset
            offset = memory.find(wanted, offset + 1, end)

    return find


def at(messages: List[Message], positions: Optional[List[int]]) -> Iterable[Message]:
    """The messages that contain one of the positions; all messages if ``positions`` is ``None``."""
    if positions is None:
        return messages
    following = ((message, bisect.bisect_left(positions, message.start)) for message in messages)
    return (message for message, index in following if index < len(positions) and positions[index] < message.end)


@functools.lru_cache(maxsize=1)
def _ops_in_bytes() -> Tuple[Pattern[bytes], Pattern[bytes]]:
    """Patterns for the field of an unsafe op: in the usual encoding, and with an overlong tag or length.

    The last byte of an overlong number is 0. Each pattern begins with one fixed byte, because that is found many times
    faster than one of several.
    """
    # Compiled on first use: with so many names it takes as long as the rest of the import.
    names = pattern(UNSAFE_OPS).encode()
    lengths = sorted(map(len, UNSAFE_OPS))
    length = re.escape(bytes(lengths[:1])) + b"-" + re.escape(bytes(lengths[-1:]))
    return re.compile(b"\x12[" + length + b"]" + names), re.compile(b"\x00[" + length + b"]?" + names)
