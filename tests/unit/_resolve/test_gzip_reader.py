"""The reader of gzip files, byte by byte: what it gives, where it is, and which files it refuses."""

import gzip
import io
import os
import random
import zlib

import pytest

from unihub._resolve import gzip_reader
from unihub._resolve.gzip_reader import Gunzip

DATA = bytes(range(256)) * 5
PACKED = gzip.compress(DATA)


class Slow(io.BytesIO):
    """A file that gives few bytes at a time, as a network does."""

    def __init__(self, data, at_once=1):
        super().__init__(data)
        self._at_once = at_once

    def read(self, size=-1):
        return super().read(self._at_once)


def opened(data=PACKED):
    return Gunzip(io.BytesIO(data))


def all_of(reader, size=100):
    return b"".join(iter(lambda: reader.read(size), b""))


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(gzip_reader, "_CHUNK", 16)


def test_as_many_bytes_as_are_asked_for():
    reader = opened()
    assert reader.tell() == 0
    assert reader.read(3) == DATA[:3] and reader.tell() == 3
    assert reader.read(0) == b"" and reader.tell() == 3
    assert reader.read(1) == DATA[3:4] and reader.tell() == 4
    assert reader.read(10**6) == DATA[4:] and reader.tell() == len(DATA)
    assert reader.read(1) == b"" and reader.tell() == len(DATA)


def test_across_chunks(small_chunks):
    reader = opened()
    assert reader.read(40) == DATA[:40]
    assert reader.read(1000) == DATA[40:1040]
    assert all_of(reader) == DATA[1040:]


@pytest.mark.parametrize("at_once", [1, 7, 100])
def test_a_file_that_gives_few_bytes_at_a_time(at_once):
    assert all_of(Gunzip(Slow(PACKED + PACKED, at_once))) == DATA + DATA


def test_no_more_is_unpacked_than_a_chunk_at_a_time():
    reader = opened(gzip.compress(bytes(2**22)))
    assert reader.read(1) == b"\0"
    assert len(reader._plain) < gzip_reader._CHUNK
    assert reader.read(2**22) == bytes(2**22 - 1)


def test_seek():
    reader = opened()
    assert reader.seek(1) == 1 and reader.read(1) == DATA[1:2]
    assert reader.seek(10) == 10 and reader.read(2) == DATA[10:12]
    assert reader.seek(12) == 12 and reader.read(1) == DATA[12:13]
    assert reader.seek(5, os.SEEK_CUR) == 18 and reader.read(1) == DATA[18:19]
    assert reader.seek(0, os.SEEK_CUR) == 19
    assert reader.seek(10**6) == len(DATA) and reader.tell() == len(DATA)


def test_seek_across_chunks(small_chunks):
    reader = opened()
    assert reader.seek(1000) == 1000
    assert reader.read(3) == DATA[1000:1003]


@pytest.mark.parametrize("where", [(9,), (-1, os.SEEK_CUR), (0, os.SEEK_END), (10**6, os.SEEK_END)])
def test_seek_back(where):
    reader = opened()
    reader.read(10)
    with pytest.raises(EOFError, match="lead back"):
        reader.seek(*where)
    assert reader.tell() == 10


@pytest.mark.parametrize("between", [b"", b"\0", bytes(100), bytes(2**20), bytes(2**20 + 100)])
def test_several_members_and_the_zeros_between(between):
    empty = gzip.compress(b"")
    assert all_of(opened(PACKED + between + empty + PACKED + between)) == DATA + DATA


@pytest.mark.parametrize("between", [0, 1, 15, 16, 17, 100])
def test_zeros_at_the_edges_of_chunks(small_chunks, between):
    assert all_of(opened(PACKED + bytes(between) + PACKED + bytes(between))) == DATA + DATA


def test_an_empty_file():
    assert opened(b"").read(1) == b""
    assert opened(bytes(5)).read(1) == b""
    assert opened(gzip.compress(b"")).read(1) == b""


@pytest.mark.parametrize("chunk", [16, 2**20])
def test_a_file_that_is_cut_off_anywhere(monkeypatch, chunk):
    monkeypatch.setattr(gzip_reader, "_CHUNK", chunk)
    packed = gzip.compress(random.Random(0).getrandbits(800).to_bytes(100, "big"))
    for length in range(1, len(packed)):
        with pytest.raises(EOFError, match="cut off"):
            all_of(opened(packed[:length]))
        with pytest.raises(EOFError, match="cut off"):
            all_of(opened(packed + packed[:length]))


def test_repetitions_from_far_back():
    data = random.Random(0).getrandbits(8 * 30000).to_bytes(30000, "big")
    assert all_of(opened(gzip.compress(data + data)), 2**20) == data + data


def test_other_streams_of_zlib():
    for data in (zlib.compress(DATA), PACKED + zlib.compress(DATA)):
        with pytest.raises(zlib.error):
            all_of(opened(data))


def test_damage():
    for place in (0, 1, len(PACKED) // 2, len(PACKED) - 8, len(PACKED) - 4):
        damaged = bytearray(PACKED)
        damaged[place] ^= 0xFF
        with pytest.raises((zlib.error, EOFError)):
            all_of(opened(bytes(damaged)))
    with pytest.raises(zlib.error):
        all_of(opened(PACKED + b"more"))
