"""An encoder of protobuf's text format: ``.pbtxt`` files become the bytes that ``wire`` reads."""

from __future__ import annotations

import re
from typing import Iterator, List, Match, Tuple, Union

from unihub._saved_model import schema
from unihub._saved_model.wire import (
    LENGTH,
    MAX_DEPTH,
    NUMERIC_KINDS,
    UINT64,
    VARINT,
    WireError,
    encode_varint,
)

_Value = Union[int, bytes]

_TOKEN = re.compile(
    rb"""(?P<space>(?:\s|\#[^\n]*)+)
       | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
       | (?P<type>\[\s*[A-Za-z_][\w./-]*\s*\](?=\s*[:{<]))
       | (?P<word>[A-Za-z_]\w*)
       | (?P<number>[0-9.][\w.]*(?:(?<=[eE])[+-]\w+)?)
       | (?P<mark>[-:{}<>\[\],;])""",
    re.VERBOSE,
)

_CLOSING = {b"{": b"}", b"<": b">"}

_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)

_LETTER_ESCAPES = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}

_BOOLEANS = {"true": 1, "True": 1, "t": 1, "false": 0, "False": 0, "f": 0}


def encode_text(text: bytes, kind: str) -> bytes:
    """The wire bytes of a message in the text format; fields that ``schema`` does not list are left out.

    Args:
        text: A message as in a ``.pbtxt`` file.
        kind: Its name in ``schema.MESSAGES``.

    Raises:
        WireError: The text is no such message.
    """
    return _TextEncoder(text).fields(kind, b"", 0)


class _TextEncoder:
    """One pass over a text, with the next token in hand."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._position = 0
        self._kind = ""
        self._token = b""
        self._advance()

    def fields(self, kind: str, closing: bytes, depth: int) -> bytes:
        """The fields of a message up to the closing mark, or up to the end of the text where there is none."""
        if depth > MAX_DEPTH:
            raise WireError("messages are nested more than {} deep".format(MAX_DEPTH))
        known = schema.MESSAGES.get(kind, {})
        encoded: List[bytes] = []
        while self._goes_on(closing):
            name_kind, name = self._advance()
            if name_kind == "type":
                encoded += self._expanded_any(name, depth)
            elif name_kind in ("word", "number"):
                number, value_kind = known.get(name.decode("ascii"), (0, ""))
                values = list(self._values(value_kind, depth))
                encoded += [self._encode(number, value_kind, value) for value in values if number]
            else:
                raise self._error(name_kind)
            if not self._take(b","):
                self._take(b";")
        return b"".join(encoded)

    def _goes_on(self, closing: bytes) -> bool:
        return not self._take(closing) if closing else bool(self._kind)

    def _expanded_any(self, name: bytes, depth: int) -> Iterator[bytes]:
        """An Any may be written as the name of its type, and the message it holds."""
        type_url = name[1:-1].strip()
        fields = schema.MESSAGES["Any"]
        kind = type_url.decode("ascii").split(".")[-1]
        for value in self._values(kind, depth):
            yield self._encode(*fields["type_url"], value=type_url)
            yield self._encode(*fields["value"], value=value)

    def _values(self, kind: str, depth: int) -> Iterator[_Value]:
        """What stands behind the name of a field: a value, or a list of them."""
        self._take(b":")
        if not self._take(b"["):
            yield self._value(kind, depth)
            return
        while not self._take(b"]"):
            yield self._value(kind, depth)
            self._take(b",")

    def _value(self, kind: str, depth: int) -> _Value:
        negative = self._take(b"-")
        token_kind, token = self._advance()
        if token_kind == "string":
            return self._string(token)
        if token_kind == "mark" and token in _CLOSING:
            return self.fields(kind, _CLOSING[token], depth + 1)
        if token_kind in ("word", "number"):
            value = self._number(kind, token.decode("ascii"))
            return -value if negative else value
        raise self._error(token_kind)

    def _string(self, token: bytes) -> bytes:
        """Strings that follow each other are one."""
        value = _unescape(token[1:-1])
        while self._kind == "string":
            value += _unescape(self._advance()[1][1:-1])
        return value

    def _number(self, kind: str, word: str) -> int:
        if kind in schema.ENUMS and word in schema.ENUMS[kind]:
            return schema.ENUMS[kind][word]
        if kind == schema.NUMBER and word in _BOOLEANS:
            return _BOOLEANS[word]
        if kind not in NUMERIC_KINDS:
            return 0
        try:
            return int(word, 0)
        except ValueError:
            raise self._error() from None

    def _encode(self, number: int, kind: str, value: _Value) -> bytes:
        numeric = kind in NUMERIC_KINDS
        if isinstance(value, int) and numeric:
            return encode_varint(number << 3 | VARINT) + encode_varint(value & UINT64)
        if isinstance(value, bytes) and not numeric:
            return encode_varint(number << 3 | LENGTH) + encode_varint(len(value)) + value
        raise self._error()

    def _take(self, mark: bytes) -> bool:
        if self._kind != "mark" or self._token != mark:
            return False
        self._advance()
        return True

    def _advance(self) -> Tuple[str, bytes]:
        """The token in hand and its kind, which is empty at the end; takes up the next."""
        current = self._kind, self._token
        self._kind, self._token = "", b""
        while self._position < len(self._text) and not self._kind:
            match = _TOKEN.match(self._text, self._position)
            if match is None:
                raise self._error()
            self._position = match.end()
            if match.lastgroup != "space":
                self._kind, self._token = str(match.lastgroup), match.group()
        return current

    def _error(self, kind: str = "any") -> WireError:
        """What to raise for a token of this kind, which is empty when there was none."""
        if not kind:
            return WireError("it ends at byte {}, within a message".format(len(self._text)), truncated=True)
        return WireError("the text near byte {} is no protocol buffer".format(self._position))


def _unescape(text: bytes) -> bytes:
    return _ESCAPE.sub(_unescape_one, text) if b"\\" in text else text


def _unescape_one(match: Match[bytes]) -> bytes:
    octal, hexadecimal, short, long, character = match.groups()
    if octal or hexadecimal:
        return bytes([(int(octal, 8) if octal else int(hexadecimal, 16)) & 0xFF])
    if short or long:
        return chr(min(int(short or long, 16), 0x10FFFF)).encode("utf-8", "replace")
    return _LETTER_ESCAPES.get(character, character)
