"""Where names are in the bytes of a file, so that a scan reads only the functions that can have them."""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from typing import Callable, Iterable, Iterator, List, Optional, Pattern, Tuple

from unihub._saved_model.unsafe_ops import UNSAFE_OPS, pattern
from unihub._saved_model.wire import Message

# More places than this are no shorter way than to look at everything.
_MANY = 1 << 18
# What is in a tag of five bytes and in a length of ten, of whose last byte some versions of protobuf drop bits.
_OVERFLOWING = (b"\x92\x80\x80\x80", 8 * b"\x80")

# From where to where in the bytes to look, and where it is; ``None`` if it may be anywhere.
Finder = Callable[[bytes, int, int], Optional[Iterator[int]]]


def positions_of(message: Message, find: Finder) -> Optional[List[int]]:
    """Where something is found in a message.

    ``None`` for a message that is too large to be in memory, and for what stands anywhere, as an author can have it.
    """
    memory, base = message.load().source.window(message.start, message.end)
    if not memory:
        return None
    places = find(memory, message.start - base, message.end - base)
    found = None if places is None else sorted(base + place for place in itertools.islice(places, _MANY))
    return found if found is None or len(found) < _MANY else None


def find_unsafe_ops(memory: bytes, start: int, end: int) -> Optional[Iterator[int]]:
    """Where an unsafe op stands as a field of its own."""
    if any(memory.find(number, start, end) >= 0 for number in _OVERFLOWING):
        return None
    found = (field.finditer(memory, start, end) for field in _ops_in_bytes())
    return (match.start() for matches in found for match in matches)


def finder(name: str) -> Finder:
    """Finds a name, and whatever begins with it: what follows a name in a file is for its author to choose."""
    wanted = name.encode()

    def find(memory: bytes, start: int, end: int) -> Iterator[int]:
        place = memory.find(wanted, start, end)
        while place >= 0:
            yield place
            place = memory.find(wanted, place + 1, end)

    return find


def at(messages: List[Message], positions: Optional[List[int]]) -> Iterable[Message]:
    """Those of the messages in which one of the positions in the file is; all of them where none are given."""
    if positions is None:
        return messages
    following = ((message, bisect.bisect_left(positions, message.start)) for message in messages)
    return (message for message, place in following if place < len(positions) and positions[place] < message.end)


@functools.lru_cache(maxsize=1)
def _ops_in_bytes() -> Tuple[Pattern[bytes], Pattern[bytes]]:
    """What finds the field of an unsafe op as everybody writes it, and with a tag or a length that is written longer.

    Of the latter, numbers with zeros in front, the last byte is 0. Each begins with one byte, which is found many times
    faster than one of several.
    """
    # Made when it is needed: with so many names that takes as long as all of the import.
    names = pattern(UNSAFE_OPS).encode()
    lengths = sorted(map(len, UNSAFE_OPS))
    length = re.escape(bytes(lengths[:1])) + b"-" + re.escape(bytes(lengths[-1:]))
    return re.compile(b"\x12[" + length + b"]" + names), re.compile(b"\x00[" + length + b"]?" + names)
