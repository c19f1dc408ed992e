"""What is packed into bytes: streams that are compressed, texts in base64, tables in Parquet."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

DEPTH = 3  # a compressed pickle in base64 in a page of a database
MOST_BYTES = 64 * 2**20
PIECE = 512
PARQUET = b"PAR1"
BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}|[A-Za-z0-9_-]{24,}")
ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
GZIP = re.compile(rb"\x1f\x8b\x08")
ZSTD = re.compile(rb"\x28\xb5\x2f\xfd")


def unpack(content: bytes, depth: int = DEPTH) -> Iterator[bytes]:
    """Yield some bytes as they are, and all that can be unpacked from them, again and again.

    What is packed in the same way is yielded together, for there are thousands of runs of letters in a
    database that could be base64.
    """
    yield content
    if depth == 0:
        return
    ways = [
        _streams(content, ZLIB, lambda packed: _inflate(packed, zlib.MAX_WBITS)),
        _streams(content, GZIP, lambda packed: _inflate(packed, zlib.MAX_WBITS | 16)),
        _streams(content, ZSTD, _decompress_zstd),
        *(_base64_texts(content, shift) for shift in range(4)),
        _parquet(content),
    ]
    for way in ways:
        parts = list(way)
        tables = [part for part in parts if part.startswith(PARQUET)]
        for unpacked in (b"\n".join(parts), *tables):
            if unpacked:
                yield from unpack(unpacked, depth - 1)


def _streams(
    content: bytes, beginning: re.Pattern[bytes], decompress: Callable[[memoryview], bytes]
) -> Iterator[bytes]:
    """Yield what is compressed."""
    for match in beginning.finditer(content):
        yield decompress(memoryview(content)[match.start() :])


def _inflate(packed: memoryview, bits: int) -> bytes:
    """Decompress as far as it goes: streams may be cut off, or only look like one."""
    stream, unpacked = zlib.decompressobj(bits), bytearray()
    try:
        for start in range(0, len(packed), PIECE):
            unpacked += stream.decompress(packed[start : start + PIECE])
            if stream.eof or len(unpacked) > MOST_BYTES:
                break
    except zlib.error:
        pass  # no stream from here on
    return bytes(unpacked)


def _decompress_zstd(packed: memoryview) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
        try:
            return bytes(stream.read(MOST_BYTES))
        except OSError:  # it only looks like the beginning of a stream
            return b""


def _base64_texts(content: bytes, shift: int) -> Iterator[bytes]:
    """Yield what base64 may stand for; letters before it shift the beginning by up to three."""
    for run in BASE64.findall(content):
        plain = run[shift:].replace(b"-", b"+").replace(b"_", b"/")
        yield base64.b64decode(plain[: len(plain) // 4 * 4])


def _parquet(content: bytes) -> Iterator[bytes]:
    """Yield the cells of a file of Parquet, as Python prints them."""
    if not (content.startswith(PARQUET) and content.endswith(PARQUET)):
        return
    for column in pq.read_table(pa.BufferReader(content)).columns:
        yield "\n".join(map(str, column.to_pylist())).encode()
