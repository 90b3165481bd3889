"""The plain bytes of a gzip file, in large steps.

Python's own reader takes eight kilobytes at a time before Python 3.12, and asks for the interpreter's lock as often:
beside a thread that receives the file, that costs as much again as all of the unpacking.
"""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unihub._resolve.archive import Packed

_CHUNK = 2**20
# A gzip header, and the checksum that zlib then compares.
_GZIP = 16 + zlib.MAX_WBITS


class Gunzip:
    """A gzip file, to be read from its start to its end.

    Args:
        file: The compressed bytes.
    """

    def __init__(self, file: Packed) -> None:
        self._file = file
        self._member = zlib.decompressobj(_GZIP)
        self._inside = False
        self._packed = b""
        self._plain = memoryview(b"")
        self._position = 0

    def read(self, size: int) -> bytes:
        """Reads so many bytes, or as many as there are up to the end.

        Raises:
            EOFError: The file is cut off.
            zlib.error: It is damaged.
        """
        parts = []
        while size > 0:
            if not self._plain:
                self._plain = memoryview(self._inflate())
                if not self._plain:
                    break
            parts.append(self._plain[:size])
            self._plain = self._plain[size:]
            size -= len(parts[-1])
            self._position += len(parts[-1])
        return b"".join(parts)

    def tell(self) -> int:
        """How many bytes were read."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Reads on to a place."""
        left = offset - (self._position if whence == os.SEEK_SET else 0)
        if left < 0 or whence == os.SEEK_END:
            raise EOFError("its headers lead back")
        while left > 0:
            read = len(self.read(min(left, _CHUNK)))
            if not read:
                break
            left -= read
        return self._position

    def _inflate(self) -> bytes:
        """The next bytes; none at the end."""
        while self._find_member():
            is_end = not self._packed
            plain = self._member.decompress(self._packed, _CHUNK)
            self._inside = not self._member.eof
            self._packed = self._member.unconsumed_tail if self._inside else self._member.unused_data
            if plain:
                return plain
            if is_end and self._inside:
                raise EOFError("it is cut off")
        return b""

    def _find_member(self) -> bool:
        """Reads on, and begins with the next member behind the end of one; false at the end of the last."""
        self._packed = self._packed or self._file.read(_CHUNK)
        if not self._inside:
            # Between members, and behind the last one, there may be zeros.
            while self._packed and not self._packed.strip(b"\0"):
                self._packed = self._file.read(_CHUNK)
            self._packed = self._packed.lstrip(b"\0")
            self._member, self._inside = zlib.decompressobj(_GZIP), bool(self._packed)
        return self._inside
