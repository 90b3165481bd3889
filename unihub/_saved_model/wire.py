"""A lazy reader of protocol buffers that does not need the protobuf package.

A message is a range of a file. Fields that are not asked for are skipped by their lengths, so a graph with a gigabyte
of constants costs a few reads. Any bytes are safe to read: the only error is WireError; depth and sizes are bounded.
"""

from __future__ import annotations

import io
import itertools
from typing import BinaryIO, Dict, Iterator, List, Optional, Tuple

from unihub._saved_model import schema

# The limit of protobuf itself.
MAX_DEPTH = 100

# No name is longer: such a field is damaged, or meant to exhaust the memory.
_MAX_TEXT = 1 << 20

# A read after a jump is small, as another jump may follow; reads in a row grow.
_SMALL_WINDOW = 64
_LARGE_WINDOW = 64 * 1024

# A file up to this size is read at once.
_SMALL_FILE = 1 << 18

# A message up to this size may be read at once, because seeking in it takes longer.
_SMALL_MESSAGE = 1 << 26

_VARINT_BYTES = 10
_MAX_TAG = (1 << 32) - 1
UINT64 = (1 << 64) - 1

VARINT, _FIXED64, LENGTH, _FIXED32 = 0, 1, 2, 5

NUMERIC_KINDS = frozenset(schema.ENUMS) | {schema.NUMBER}


class WireError(ValueError):
    """These bytes are not such a protocol buffer.

    Attributes:
        truncated: Whether the file ends too early.
    """

    def __init__(self, reason: str, truncated: bool = False) -> None:
        super().__init__(reason)
        self.truncated = truncated


class Source:
    """The bytes of a seekable file, read in windows that grow while reads are sequential."""

    def __init__(self, file: BinaryIO) -> None:
        self.size = file.seek(0, io.SEEK_END)
        self._file = file
        self._start = 0
        self._bytes = b""
        self._window = _SMALL_WINDOW
        if self.size <= _SMALL_FILE:
            self.load(0, self.size)

    @classmethod
    def of_bytes(cls, data: bytes) -> Source:
        """A source of bytes in memory."""
        source = cls(io.BytesIO(data))
        source._bytes = data
        return source

    def read(self, start: int, end: int) -> bytes:
        """The bytes from ``start`` to ``end``."""
        if end > self.size:
            raise WireError("it ends at byte {}, within a field".format(self.size), truncated=True)
        first = self._start
        if not (first <= start and end <= first + len(self._bytes)):
            self._load(start, end - start)
            first = self._start
        return self._bytes[start - first : end - first]

    def load(self, start: int, end: int) -> None:
        """Read a range at once if it is short enough."""
        if start < end <= self.size and end - start <= _SMALL_MESSAGE:
            self._load(start, end - start)

    def window(self, start: int, end: int) -> Tuple[bytes, int]:
        """The bytes in memory and their start, if they include the complete range; else no bytes."""
        if self._start <= start and end <= self._start + len(self._bytes):
            return self._bytes, self._start
        return b"", 0

    def varint(self, position: int) -> Tuple[int, int]:
        """The number at ``position`` and the position after it."""
        offset = position - self._start
        known = self._bytes
        if 0 <= offset < len(known) - 1:
            # Tags and lengths take most of the time, and most are one or two bytes.
            first, second = known[offset], known[offset + 1]
            if first < 0x80:
                return first, position + 1
            if second < 0x80:
                return first & 0x7F | second << 7, position + 2
        if not 0 <= offset <= len(known) - _VARINT_BYTES:
            offset = self._load(position, _VARINT_BYTES)
            known = self._bytes
        value = shift = 0
        for byte in known[offset : offset + _VARINT_BYTES]:
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value, position + shift // 7
        if position + _VARINT_BYTES > self.size:
            raise WireError("it ends at byte {}, within a number".format(self.size), truncated=True)
        raise WireError("the number at byte {} does not end".format(position))

    def _load(self, position: int, length: int) -> int:
        """Load ``length`` bytes from ``position``, or up to the end of the file; return their offset in the window."""
        offset = position - self._start
        if 0 <= offset and offset + length <= len(self._bytes):
            return offset
        in_a_row = 0 <= offset <= len(self._bytes) + self._window
        self._window = min(2 * self._window, _LARGE_WINDOW) if in_a_row else _SMALL_WINDOW
        self._file.seek(position)
        self._bytes = _read_exactly(self._file, min(max(length, self._window), self.size - position))
        self._start = position
        return 0


def _find_short(memory: bytes, position: int, end: int, wanted: int) -> Optional[bytes]:
    """The field with a tag, if nothing but short fields and numbers comes before it, and it is short."""
    last = min(end, len(memory)) - 1
    while position < last:
        tag, length = memory[position], memory[position + 1]
        if tag & 0x87 == VARINT:
            position += 1
            while position < last and memory[position] >= 0x80:
                position += 1
            position += 1
        elif tag & 0x87 == LENGTH and length < 0x80:
            following = position + 2 + length
            if tag == wanted:
                return memory[position + 2 : following] if following <= end else None
            position = following
        else:
            return None
    return None


def _read_exactly(file: BinaryIO, length: int) -> bytes:
    """An unbuffered file may return less than it is asked for, and the file may have shrunk."""
    parts: List[bytes] = []
    while length > 0:
        part = file.read(length)
        if not part:
            raise WireError("it ends earlier than it did a moment ago", truncated=True)
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


class Message:
    """A message as a range of a source; nothing is read before it is needed.

    Fields go by their names in ``schema.MESSAGES``. A field that is absent reads as protobuf's default: 0, the
    empty text, the empty message. Of a field that ought to be single the first is taken, so that a reader can stop.
    """

    __slots__ = ("source", "_fields", "start", "end", "_depth")

    def __init__(self, source: Source, kind: str, start: int = 0, end: Optional[int] = None, depth: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise WireError("messages are nested more than {} deep".format(MAX_DEPTH))
        self.source = source
        self._fields = schema.MESSAGES.get(kind, {})
        self.start = start
        self.end = source.size if end is None else end
        self._depth = depth

    def load(self) -> Message:
        """Read the message at once if it is not too long, and return it: for messages that are mostly read."""
        self.source.load(self.start, self.end)
        return self

    def has(self, name: str, times: int = 1) -> bool:
        """Whether the field occurs at least ``times`` times, possibly empty; reading stops there."""
        return times < 1 or next(itertools.islice(self._spans(name), times - 1, None), None) is not None

    def count(self, name: str) -> int:
        """The number of values of a repeated field."""
        return sum(1 for _ in self._spans(name))

    def number(self, name: str) -> int:
        """The value of a number, which may be negative."""
        return next((_signed(value) for value, _ in self._spans(name)), 0)

    def numbers(self, *names: str) -> List[int]:
        """The values of several numbers, in one pass."""
        indices = {self._fields[name][0]: index for index, name in enumerate(names)}
        values: List[Optional[int]] = [None] * len(names)
        for number, wire, value, _ in self._scan():
            if wire == VARINT and number in indices and values[indices[number]] is None:
                values[indices[number]] = _signed(value)
        return [value or 0 for value in values]

    def repeated_numbers(self, name: str) -> List[int]:
        """The values of a repeated number, each by itself or all in one field."""
        values: List[int] = []
        for number, wire, start, end in self._scan():
            if number == self._fields[name][0] and wire == VARINT:
                values.append(_signed(start))
            elif number == self._fields[name][0] and wire == LENGTH:
                while start < end:
                    value, start = self.source.varint(start)
                    values.append(_signed(value))
        return values

    def text(self, name: str) -> str:
        """The value of a text."""
        return next(self.texts(name), "")

    def texts(self, name: str) -> Iterator[str]:
        """The values of a repeated text."""
        for start, end in self._spans(name):
            yield self._decode(start, end)

    def all_texts(self, *names: str) -> List[List[str]]:
        """The values of several repeated texts, in one pass."""
        numbers = [self._fields[name][0] for name in names]
        values: Dict[int, List[str]] = {number: [] for number in numbers}
        for number, _, start, end in self._scan(*(number << 3 | LENGTH for number in numbers)):
            values[number].append(self._decode(start, end))
        return list(values.values())

    def data(self, name: str) -> bytes:
        """The value of a field of bytes."""
        return next((self.source.read(start, end) for start, end in self._spans(name)), b"")

    def message(self, name: str) -> Message:
        """The value of a message."""
        message = next(self.messages(name), None)
        return message if message is not None else self._part(self._fields[name][1], self.end, self.end)

    def messages(self, name: str) -> Iterator[Message]:
        """The values of a repeated message."""
        kind = self._fields[name][1]
        for start, end in self._spans(name):
            yield self._part(kind, start, end)

    def entries(self, name: str) -> Dict[str, Message]:
        """The values of a map by their keys."""
        return {entry.text("key"): entry.message("value") for entry in self.messages(name)}

    def read_as(self, kind: str) -> Message:
        """The same bytes as another message, for a field of bytes that holds one."""
        return self._part(kind, self.start, self.end)

    def texts_within(self, field: str, name: str) -> Iterator[str]:
        """The text ``name`` of each message ``field``, as ``part.text(name) for part in messages(field)``, only faster.

        A large graph has ten thousands of nodes, of which a name and an op are short fields that come first, or behind
        a number only.
        """
        memory, base = self.load().source.window(self.start, self.end)
        kind = self._fields[field][1]
        wanted = schema.MESSAGES[kind][name][0] << 3 | LENGTH
        for start, end in self._spans(field):
            text = _find_short(memory, start - base, end - base, wanted)
            yield self._part(kind, start, end).text(name) if text is None else text.decode("utf-8", "replace")

    def may_mention(self, kind: str, name: str) -> bool:
        """Whether a field of a kind of message can be anywhere in here, at any depth; ``False`` is certain."""
        return encode_varint(schema.MESSAGES[kind][name][0] << 3 | LENGTH) in self.source.read(self.start, self.end)

    def walk(self, *only: str) -> Iterator[Tuple[str, Message]]:
        """Every message in here with the name of its field, in one pass; or those of some fields."""
        wanted = only or self._fields
        names = {self._fields[name][0]: (name, self._fields[name][1]) for name in wanted}
        names = {number: (name, kind) for number, (name, kind) in names.items() if kind in schema.MESSAGES}
        for number, wire, start, end in self._scan():
            if wire == LENGTH and number in names:
                name, kind = names[number]
                yield name, self._part(kind, start, end)

    def _part(self, kind: str, start: int, end: int) -> Message:
        return Message(self.source, kind, start, end, self._depth + 1)

    def _decode(self, start: int, end: int) -> str:
        if end - start > _MAX_TEXT:
            raise WireError("the text at byte {} is {} bytes long".format(start, end - start))
        return self.source.read(start, end).decode("utf-8", "replace")

    def _spans(self, name: str) -> Iterator[Tuple[int, int]]:
        """Where the values of a field are; for a number the value itself. Another wire type is another field."""
        number, kind = self._fields[name]
        wire = VARINT if kind in NUMERIC_KINDS else LENGTH
        for _, _, start, end in self._scan(number << 3 | wire):
            yield start, end

    def _scan(self, *tags: int) -> Iterator[Tuple[int, int, int, int]]:
        """The number, wire type, start and end of every field, or of those with some tags.

        In place of the start there is the value of a varint.
        """
        varint = self.source.varint
        memory, base = self.source.window(self.start, self.end)
        in_memory = base + len(memory) - 1
        position, last = self.start, self.end
        while position < last:
            # Tags and lengths take most of the time, and most are one byte.
            if position < in_memory and memory[position - base] < 0x80:
                tag, start = memory[position - base], position + 1
            else:
                tag, start = varint(position)
            wire = tag & 7
            if wire == LENGTH:
                if start < in_memory and memory[start - base] < 0x80:
                    end = start + 1 + memory[start - base]
                    start += 1
                else:
                    length, start = varint(start)
                    end = start + length
            elif wire == VARINT:
                start, end = varint(start)
            elif wire in (_FIXED64, _FIXED32):
                end = start + (8 if wire == _FIXED64 else 4)
            else:
                raise WireError("the field at byte {} has the unknown type {}".format(position, wire))
            if end > last:
                raise self._overrun(position)
            if not 8 <= tag <= _MAX_TAG:
                # Some readers drop the excess bits and see a field that others do not.
                raise WireError("the field at byte {} has the number {}".format(position, tag >> 3))
            position = end
            if not tags or tag in tags:
                yield tag >> 3, wire, start, end

    def _overrun(self, position: int) -> WireError:
        if self.end == self.source.size:
            return WireError("it ends at byte {}, within a field".format(self.end), truncated=True)
        return WireError("the field at byte {} is longer than the message it is in".format(position))


def _signed(value: int) -> int:
    value &= UINT64
    return value - UINT64 - 1 if value >> 63 else value


def encode_varint(value: int) -> bytes:
    """A number as the wire format writes it."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
