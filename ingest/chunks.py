"""The text of a file as chunks of UTF-8 bytes: uncompressed, re-encoded, bounded, and refused in words where it is no text."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from ingest.errors import NotInstalled

EXPANDED_LIMIT_BYTES = 20_000_000_000
EXPANSION_LIMIT = 200
"""Most bytes that one compressed byte may become on average, once `EXPANSION_FREE_BYTES` are out; text rarely passes 20."""
EXPANSION_FREE_BYTES = 100_000_000

CHUNK_BYTES = 1 << 19
HEAD_BYTES = 1 << 19
"""By these what a file is gets decided."""
PARQUET = b"PAR1"

_GZIP = b"\x1f\x8b"
_ZSTD = (b"\x28\xb5\x2f\xfd", *(bytes((0x50 + n, 0x2A, 0x4D, 0x18)) for n in range(16)))
"""A frame, or one of the frames to skip that may stand before it."""

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_NOT_SUPPORTED = (
    (b"PK\x03\x04", "a .zip archive (or an office document), which is not supported; unpack it and name the files"),
    (b"PK\x05\x06", "an empty .zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a .7z archive, which is not supported; unpack it"),
    (b"Rar!", "a .rar archive, which is not supported; unpack it"),
    (b"BZh", "compressed with bzip2, which is not supported; unpack it, or use gzip or zstd"),
    (b"\xfd7zXZ\0", "compressed with xz, which is not supported; unpack it, or use gzip or zstd"),
    (b"PARE", "an encrypted Parquet file; write it without encryption"),
    (b"ARROW1", "an Arrow file; write it as Parquet or JSON Lines"),
    (b"\xff\xff\xff\xff", "an Arrow stream; write it as Parquet or JSON Lines"),
    (b"SQLite format 3", "an SQLite database; export the table as CSV or JSON Lines"),
    (b"%PDF", "a PDF; a training file is text, such as JSON Lines"),
    (b"Salted__", "encrypted; decrypt it first"),
    (b"-----BEGIN PGP", "encrypted; decrypt it first"),
    (b"age-encryption.org", "encrypted; decrypt it first"),
    (b"version https://git-lfs", "a pointer to a file that Git LFS has not fetched; run: git lfs pull"),
    (b"<!DOCTYPE", "a web page, perhaps a log-in or error page; download the file again"),
    (b"<html", "a web page, perhaps a log-in or error page; download the file again"),
)

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
_CONTROL_SHARE = 0.05
"""More control characters than this in a file's first half megabyte, and it is no text; a damaged line alone stays below."""


class Refused(Exception):
    """A file, or the rest of it, cannot be read; says why and what to do."""


def chunks_of(file: BinaryIO, on_progress: Callable[[int], None]) -> Iterator[bytes]:
    """The file's text without a byte order mark; of a Parquet file its bytes.

    Args:
        file: at its beginning.
        on_progress: called with the bytes read from ``file`` since the last call.

    Raises:
        Refused: the file is empty, is no text, is damaged, or grows beyond the limits when uncompressed; what came before
            the damage has been given.
        NotInstalled: the ``data`` extra is missing, for zstd.
    """
    counted = _Counted(file, on_progress)
    head, chunks = _with_head(counted.chunks())
    if head.startswith(_GZIP):
        head, chunks = _with_head(_bounded(_gunzipped(chunks), counted))
    elif head.startswith(_ZSTD):
        head, chunks = _with_head(_bounded(_unzstd(chunks), counted))
    if not head:
        raise Refused("the file is empty")
    _refuse_what_is_no_text(head)
    if (encoding := next((name for mark, name in _MARKS if head.startswith(mark)), None)) is not None:
        return (text.encode("utf-8", "replace") for text in codecs.iterdecode(chunks, encoding, "replace"))
    return _without_mark(chunks)


class _Counted:
    """Reads a file in chunks and counts them."""

    def __init__(self, file: BinaryIO, on_progress: Callable[[int], None]) -> None:
        self._file = file
        self._on_progress = on_progress
        self.bytes_read = 0

    def chunks(self) -> Iterator[bytes]:
        while True:
            try:
                chunk = self._file.read(CHUNK_BYTES)
            except OSError as error:
                raise Refused(f"reading stopped after {self.bytes_read:,} bytes ({error.strerror or error})") from None
            if not chunk:
                return
            self.bytes_read += len(chunk)
            self._on_progress(len(chunk))
            yield chunk


def _with_head(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first chunk, and all of them."""
    head = b""
    failed: Exception | None = None
    try:
        while len(head) < HEAD_BYTES and (chunk := next(chunks, b"")):
            head += chunk
    except Refused as refusal:
        if not head:
            raise
        failed = refusal

    def all_chunks() -> Iterator[bytes]:
        yield head
        if failed is not None:
            raise failed
        yield from chunks

    return head, all_chunks()


def _without_mark(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield next(chunks).removeprefix(codecs.BOM_UTF8)
    yield from chunks


def _refuse_what_is_no_text(head: bytes) -> None:
    if head.startswith(PARQUET) or any(head.startswith(mark) for mark, _ in _MARKS):
        return
    for magic, what in _NOT_SUPPORTED:
        if head.startswith(magic):
            raise Refused(f"the file is {what}")
    if head.startswith((_GZIP, *_ZSTD)):
        raise Refused("the file is compressed twice; unpack it once")
    if head[257:262] == b"ustar":
        raise Refused("the file is a .tar archive, which is not supported; unpack it and name the files")
    if len(head) - len(head.translate(None, _CONTROLS)) > _CONTROL_SHARE * len(head):
        raise Refused("the file is binary, not text (encrypted, or of another kind?); expected JSON Lines, JSON, CSV or Parquet")


def _bounded(chunks: Iterator[bytes], counted: _Counted) -> Iterator[bytes]:
    """Chunks of an uncompressed file, until they pass what a training file can be."""
    expanded = 0
    for chunk in chunks:
        expanded += len(chunk)
        if expanded > EXPANDED_LIMIT_BYTES:
            raise Refused(f"it unpacks to over {EXPANDED_LIMIT_BYTES:,} bytes, the most that is read of a file; split it")
        if expanded > EXPANSION_FREE_BYTES and expanded > EXPANSION_LIMIT * counted.bytes_read:
            raise Refused(
                f"it unpacks to over {EXPANSION_LIMIT} times its size ({counted.bytes_read:,} bytes became {expanded:,}), "
                "as no training text does; unpack it yourself if it is meant so"
            )
        yield chunk


def _gunzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(wbits=31)
    begun = False
    for data in chunks:
        while data:
            begun = True
            try:
                out = member.decompress(data, CHUNK_BYTES)
            except zlib.error:
                raise Refused("the gzip compression is damaged here; what came before was read") from None
            if out:
                yield out
            data = member.unconsumed_tail
            if member.eof:
                data = member.unused_data.lstrip(b"\0")
                member, begun = zlib.decompressobj(wbits=31), False
    if begun:
        yield member.flush()
        if not member.eof:
            raise Refused("the gzip file is cut off; what came before was read. Copy or download it again")


def _unzstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    zstd = _zstd()
    frame = zstd.ZstdDecompressor()
    begun = False
    for data in chunks:
        while data or (begun and not frame.needs_input and not frame.eof):
            begun = True
            try:
                out = frame.decompress(data, CHUNK_BYTES)
            except zstd.ZstdError:
                raise Refused("the zstd compression is damaged here; what came before was read") from None
            data = b""
            if out:
                yield out
            if frame.eof:
                data = frame.unused_data
                frame, begun = zstd.ZstdDecompressor(), False
    if begun:
        raise Refused("the zstd file is cut off; what came before was read. Copy or download it again")


def _zstd() -> Any:
    with suppress(ImportError):
        from compression import zstd

        return zstd
    try:
        from backports import zstd
    except ImportError:
        raise NotInstalled("Reading a file compressed with zstd", "data") from None
    return zstd
