"""Reading the records of training files: whatever the container, one record at a time.

JSON Lines, a JSON list, a JSON object that holds one list, CSV and Parquet; plain or compressed with gzip or zstd; in UTF-8, or
in UTF-16 or UTF-32 with a byte order mark. What a file is, its content decides, never its name. Of a key that stands twice in an
object the last value counts.
"""

from __future__ import annotations

import csv
import json
import math
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import orjson

from ingest.chunks import PARQUET, Refused, chunks_of
from ingest.errors import InputError, NotInstalled, Problem
from ingest.sources import Source, file_name, find_files

RECORD_LIMIT_BYTES = 16_000_000
"""Longer records are left out: a million tokens are some 4 MB of text."""

LIST_KEYS = frozenset(
    [
        "messages",
        "conversations",
        "conversation",
        "contents",
        "system",
        "history",
        "prompt",
        "completion",
        "chosen",
        "rejected",
        "input",
        "output",
        "preferred_output",
        "non_preferred_output",
        "tools",
        "functions",
        "images",
        "videos",
        "audios",
    ]
)
"""Keys whose value may be a list within one record; a list under any other key of a lone object holds the records."""

_PARQUET_ROWS = 64
_SPACE = b" \t\r\n"

Progress = Callable[[int], None]
Numbered = Iterator[tuple[int, bytes | None]]
"""Where a record begins, and its bytes; None where they are over the limit."""


class Record(NamedTuple):
    """One record of a file: its data, or the problem with it.

    ``line`` is where it begins, of Parquet the row's number. Where a file is cut short it is the last one read, and None where
    nothing of the file was.
    """

    file: str
    line: int | None
    data: Any
    problem: str | None = None


def records(sources: Source | Iterable[Source], on_progress: Progress | None = None) -> Iterator[Record]:
    """The records of files, in memory that does not grow with them.

    Args:
        sources: what to read; see `ingest.sources.find_files`.
        on_progress: called with the bytes read, as they lie on disk, since the last call.

    Raises:
        InputError: nothing is there to read, or the only file cannot be read at all; of several, such a file is a `Record`
            with a problem.
        NotInstalled: a file needs the ``data`` extra.
    """
    found, left_out = find_files(sources)
    return _all_records(found, left_out, on_progress or (lambda _: None))


def _all_records(found: list[Path | BinaryIO], left_out: list[Problem], on_progress: Progress) -> Iterator[Record]:
    for problem in left_out:
        yield Record(problem.file, None, None, problem.in_file)
    for source in found:
        name = file_name(source)
        record: Record | None = None
        try:
            for record in _file_records(source, name, on_progress):
                yield record
            if record is None:
                raise Refused("the file holds no line but blank ones")
        except Refused as refusal:
            if record is None and len(found) == 1:
                raise InputError(Problem(name, str(refusal))) from None
            yield Record(name, record and record.line, None, str(refusal))


def _file_records(source: Path | BinaryIO, name: str, on_progress: Progress) -> Iterator[Record]:
    if not isinstance(source, Path) and source.seekable():
        source.seek(0)
    try:
        opened = source.open("rb") if isinstance(source, Path) else nullcontext(source)
    except OSError as error:
        raise Refused(f"the file cannot be read ({error.strerror}); check its permissions") from None
    with opened as file:
        if file.seekable() and _is_parquet(file):
            yield from _parquet(name, file, on_progress)
            return
        chunks = chunks_of(file, on_progress)
        head = next(chunks, b"")
        if head.startswith(PARQUET):
            with tempfile.TemporaryFile() as unpacked:
                unpacked.writelines(_joined(head, chunks))
                yield from _parquet(name, unpacked, lambda _: None)
        else:
            yield from _text_records(name, head, _joined(head, chunks))


def _is_parquet(file: BinaryIO) -> bool:
    start = file.read(len(PARQUET))
    file.seek(0)
    return start == PARQUET


def _joined(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from chunks


def _text_records(name: str, head: bytes, chunks: Iterator[bytes]) -> Iterator[Record]:
    shape = _shape(head)
    if shape == "lines":
        return _parsed(name, lines(chunks))
    if shape == "csv":
        return _at_least_one(_csv(name, lines(chunks, blank=True)), "the file holds a header and no row")
    if shape == "values":
        return _parsed(name, _values(chunks, 0))
    return _at_least_one(_listed(name, head, chunks), "the list in the file holds no record")


def _at_least_one(found: Iterator[Record], otherwise: str) -> Iterator[Record]:
    record = None
    for record in found:
        yield record
    if record is None:
        raise Refused(otherwise)


# --- what a text holds -------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
_COLUMN = re.compile(r"[A-Za-z_][\w .-]{0,63}")
_COLUMNS = frozenset(
    [
        "text",
        "prompt",
        "completion",
        "instruction",
        "input",
        "output",
        "response",
        "chosen",
        "rejected",
        "label",
        "system",
        "question",
        "answer",
        "messages",
    ]
)


def _shape(head: bytes) -> str:
    """``lines`` of JSON, ``list`` (alone or in an object), ``values`` (objects over several lines each) or ``csv``."""
    text = head.lstrip(_SPACE)
    first, _, rest = text.partition(b"\n")
    follows = rest.lstrip(_SPACE)[:1]
    indented = rest[:1] in (b" ", b"\t")
    if text[:1] == b"[":
        return "lines" if follows in (b"{", b"[") and not indented and _is_whole(first) else "list"
    if text[:1] != b"{":
        return "csv" if follows != b"{" and _is_header(first) else "lines"
    whole = _is_whole(first)
    if whole and follows == b"{" and not indented:
        return "lines"
    if _list_of_records(text) is not None:
        return "list"
    return "values" if not whole and follows and follows in b'"}' else "lines"


def _is_whole(line: bytes) -> bool:
    """Whether every bracket on the line closes there."""
    return _bounds(line, 0, 0, 0)[2] == 0


def _is_header(line: bytes) -> bool:
    if len(line) > 10_000:
        return False
    try:
        cells = next(csv.reader([line.decode("utf-8", "replace")], delimiter=_delimiter(line)), [])
    except csv.Error:
        return False
    names = [cell.strip().lower() for cell in cells]
    return all(map(_COLUMN.fullmatch, names)) and (len(names) > 1 or not _COLUMNS.isdisjoint(names))


def _delimiter(header: bytes) -> str:
    return max(",;\t|", key=lambda mark: header.count(mark.encode()))


def _list_of_records(text: bytes) -> int | None:
    """Where the list of records begins within the object that begins the text; None where the object is itself a record."""
    level = 0
    key = ""
    found = None
    for token in _TOKEN.finditer(text):
        mark = token.group()[:1]
        if mark == b'"':
            if level == 1:
                key = token.group()[1:-1].decode("utf-8", "replace")
        elif mark in b"{[":
            if level == 1 and mark == b"[":
                if key in LIST_KEYS:
                    return None
                if found is None and text[token.end() : token.end() + 1000].lstrip(_SPACE)[:1] == b"{":
                    found = token.start()
            level += 1
        else:
            level -= 1
            if level == 0:
                return found
    return found


# --- JSON --------------------------------------------------------------------------------------------------------------------


def lines(chunks: Iterator[bytes], blank: bool = False) -> Numbered:
    """Lines, numbered from 1, without their end; those that are blank only where ``blank`` wants them."""
    number = 0
    parts: list[bytes] = []
    held = 0
    for chunk in chunks:
        found = chunk.split(b"\n")
        if len(found) > 1:
            number += 1
            parts.append(found[0])
            if held + len(found[0]) > RECORD_LIMIT_BYTES:
                yield number, None
            else:
                line = b"".join(parts)
                parts.clear()
                if blank or line.strip():
                    yield number, line
            parts.clear()
            held = 0
            for line in found[1:-1]:
                number += 1
                if blank or (line and not line.isspace()):
                    yield number, line
        parts.append(found[-1])
        held += len(found[-1])
        if held > RECORD_LIMIT_BYTES:
            parts.clear()
    if held > RECORD_LIMIT_BYTES:
        yield number + 1, None
    elif (line := b"".join(parts)) and (blank or line.strip()):
        yield number + 1, line


def _parsed(name: str, numbered: Numbered) -> Iterator[Record]:
    for number, text in numbered:
        if text is None:
            yield Record(name, number, None, f"longer than {RECORD_LIMIT_BYTES:,} bytes; split it")
            continue
        try:
            yield Record(name, number, orjson.loads(text))
        except orjson.JSONDecodeError:
            yield _parsed_leniently(name, number, text)


def _parsed_leniently(name: str, number: int, text: bytes) -> Record:
    """What orjson refuses but providers take, text with lone surrogates; or else what is wrong with it."""
    try:
        return Record(name, number, json.loads(text.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite))
    except UnicodeDecodeError:
        problem = "not UTF-8 text; save the file as UTF-8"
    except RecursionError:
        problem = "nested too deeply for a training example"
    except json.JSONDecodeError as error:
        at = f"column {error.colno}" if error.lineno == 1 else f"column {error.colno} of its line {error.lineno}"
        problem = f"not valid JSON ({error.msg}, {at}); mend or remove the line"
    except ValueError as error:
        problem = f"not valid JSON ({error}); mend or remove the line"
    return Record(name, number, None, problem)


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number:.20} is too large for a number; write a smaller one or leave the key out")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value; write null or leave the key out")


def _listed(name: str, head: bytes, chunks: Iterator[bytes]) -> Iterator[Record]:
    """The elements of a list, alone or in an object."""
    begin = len(head) - len(head.lstrip(_SPACE))
    if head[begin : begin + 1] == b"{":
        begin += _list_of_records(head[begin:]) or 0
    next(chunks)
    line = head.count(b"\n", 0, begin) + 1
    yield from _parsed(name, _values(_joined(head[begin:], chunks), 1, line))


_IS_STRUCTURE = bytes(mark in b'"{}[]' for mark in range(256))
_STEP = np.zeros(256, dtype=np.int8)
_STEP[list(b"{[")] = 1
_STEP[list(b"}]")] = -1
_SEPARATORS = _SPACE + b","


def _values(chunks: Iterator[bytes], depth: int, line: int = 1) -> Numbered:
    """JSON objects and lists ``depth`` levels inside a text, each with the line it begins on, and what stands between them.

    A value's own syntax is not looked at here, so one that is malformed but balanced costs itself alone.
    """
    level = quoted = held = 0
    parts: list[bytes] = []
    begun: int | None = None
    for chunk in _with_whole_escapes(chunks):
        starts, ends, level, quoted, closed = _bounds(chunk, depth, level, quoted)
        counted = done = 0
        if begun is not None:
            done = ends.pop(0) if ends else len(chunk)
            held += done
            parts.append(chunk[:done])
            if held > RECORD_LIMIT_BYTES:
                parts.clear()
            if level > depth and not starts:
                line += chunk.count(b"\n")
                continue
            yield begun, b"".join(parts) if held <= RECORD_LIMIT_BYTES else None
            parts.clear()
            begun = None
        for start, end in zip(starts, ends, strict=False):
            line += chunk.count(b"\n", counted, start)
            counted = start
            if start - done > 1 and (between := chunk[done:start].strip(_SEPARATORS)) not in (b"", b"["):
                yield line, between
            yield line, chunk[start:end]
            done = end
        if len(starts) > len(ends):
            line += chunk.count(b"\n", counted, starts[-1])
            counted = starts[-1]
            begun, held = line, len(chunk) - counted
            parts.append(chunk[counted:])
        elif between := chunk[done:closed].strip(_SEPARATORS).removeprefix(b"[" if not done else b"").strip(_SEPARATORS):
            yield line, between
        if closed is not None:
            _refuse_unread(chunk[closed + 1 :], depth, line + chunk.count(b"\n", counted, closed))
            return
        line += chunk.count(b"\n", counted)
    if begun is not None:
        raise Refused(f"the file ends inside the record that begins on line {begun}: it is cut off; what came before was read")
    if depth:
        raise Refused("the list does not end: the file is cut off; what came before was read")


def _refuse_unread(rest: bytes, depth: int, line: int) -> None:
    """Refuse what follows a list, unless it is the end of the object that holds it and no further list."""
    rest = rest.strip(_SPACE)
    if depth == 0:
        raise Refused(f"line {line} closes a bracket that was never opened; nothing after it was read")
    if rest and (rest[:1] not in (b",", b"}") or b"[" in rest):
        raise Refused(f"the list ends on line {line}, and what follows it was not read; put all records into one list")


def _with_whole_escapes(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, cut so that no backslash is parted from what it escapes."""
    held = b""
    for chunk in chunks:
        chunk = held + chunk
        held = b"\\" * ((len(chunk) - len(chunk.rstrip(b"\\"))) % 2)
        yield chunk[: len(chunk) - len(held)]
    if held:
        yield held


def _bounds(chunk: bytes, depth: int, level: int, quoted: int) -> tuple[list[int], list[int], int, int, int | None]:
    """Where values at a depth start and end in a chunk of JSON, the level and whether a string is open after it, and where the
    level fell below the depth.

    Escapes are blotted out first, so that every quote left opens or closes a string.
    """
    if b"\\" in chunk:
        chunk = chunk.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    text = np.frombuffer(chunk, dtype=np.uint8)
    at = np.flatnonzero(np.frombuffer(chunk.translate(_IS_STRUCTURE), dtype=bool))
    marks = text[at]
    is_quote = marks == ord('"')
    inside = (np.cumsum(is_quote, dtype=np.int32) + quoted) & 1
    quoted = int(inside[-1]) if len(inside) else quoted
    brackets = ~is_quote & (inside == 0)
    at = at[brackets]
    steps = _STEP[marks[brackets]]
    levels = np.cumsum(steps, dtype=np.int32) + level
    below = np.flatnonzero(levels < depth)
    closed = int(at[below[0]]) if len(below) else None
    if closed is not None:
        at, steps, levels = at[: below[0]], steps[: below[0]], levels[: below[0]]
    starts = at[(steps > 0) & (levels == depth + 1)].tolist()
    ends = (at[(steps < 0) & (levels == depth)] + 1).tolist()
    return starts, ends, int(levels[-1]) if len(levels) else level, quoted, closed


# --- tables ------------------------------------------------------------------------------------------------------------------


def _csv(name: str, numbered: Numbered) -> Iterator[Record]:
    """Rows as objects by the header's names; a cell under a key of lists that holds JSON is read as such."""
    csv.field_size_limit(RECORD_LIMIT_BYTES)  # of the whole process; its default is shorter than a long document
    text = _CsvLines(numbered)
    delimiter = _delimiter(text.header())
    rows = csv.reader(text, delimiter=delimiter)
    try:
        header = [cell.strip() for cell in next(rows)]
    except csv.Error as error:
        raise Refused(f"its first line is no header of CSV ({error})") from None
    if text.ended and text.line > 1:
        raise Refused(_unclosed(1, text.line))
    if len(set(header)) < len(header) or "" in header:
        raise Refused("two columns have the same name, or one has none; name each column in the first line")
    lists = [column for column, key in enumerate(header) if key in LIST_KEYS]
    while True:
        begins = text.line + 1
        text.problem = ""
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            wrong = _unclosed(begins, text.line) if "field limit" in str(error) else f"not a row of CSV ({error})"
            yield Record(name, begins, None, wrong)
            continue
        if text.ended and text.line > begins:
            yield Record(name, begins, None, _unclosed(begins, text.line))
        elif text.problem:
            yield Record(name, begins, None, text.problem)
        elif len(row) == len(header):
            yield Record(name, begins, _row(header, lists, row))
        elif row and any(cell.strip() for cell in row):
            wrong = f"the row has {len(row)} cells and the header {len(header)}; "
            wrong += (
                f"a cell that holds '{delimiter}' needs quotes"
                if text.line == begins
                else f"it goes on to line {text.line}: is a quote on line {begins} left open?"
            )
            yield Record(name, begins, None, wrong)


def _unclosed(begins: int, ends: int) -> str:
    unread = f"lines {begins} to {ends} were not read"
    return f"a quote opened on line {begins} is never closed; {unread}. Close it, or double a quote that is text"


def _row(header: list[str], lists: list[int], row: list[str]) -> dict[str, Any]:
    data: dict[str, Any] = dict(zip(header, row, strict=True))
    for column in lists:
        if row[column].startswith(("[{", "{")):
            try:
                data[header[column]] = orjson.loads(row[column])
            except orjson.JSONDecodeError:
                continue
    return data


class _CsvLines:
    """Lines of a CSV file as text, which knows the last line given and what was wrong with any."""

    def __init__(self, numbered: Numbered) -> None:
        self._numbered = numbered
        self._first: str | None = None
        self.line = 0
        self.ended = False
        """Asked for a line when there was none left: a row given after that ends within quotes, harmless on one line."""
        self.problem = ""

    def __iter__(self) -> _CsvLines:
        return self

    def header(self) -> bytes:
        """The first line that is not blank, which is given again."""
        self._first = ""
        while not self._first:
            self._first = self._next().lstrip()
        return self._first.encode()

    def __next__(self) -> str:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return self._next()

    def _next(self) -> str:
        numbered = next(self._numbered, None)
        if numbered is None:
            self.ended = True
            raise StopIteration
        self.line, text = numbered
        if text is None:
            self.problem = f"longer than {RECORD_LIMIT_BYTES:,} bytes; split it"
            return "\n"
        try:
            return text.decode("utf-8") + "\n"
        except UnicodeDecodeError:
            self.problem = "not UTF-8 text; save the file as UTF-8"
            return text.decode("utf-8", "replace") + "\n"


def _parquet(name: str, file: BinaryIO, on_progress: Progress) -> Iterator[Record]:
    """Rows numbered from 1."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise NotInstalled("Reading a Parquet file", "data") from None
    number = told = 0
    size_bytes = file.seek(0, 2)
    try:
        table = parquet.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20)
        rows = max(table.metadata.num_rows, 1)
        for batch in table.iter_batches(batch_size=_PARQUET_ROWS, use_threads=False):
            for data in batch.to_pylist():
                number += 1
                yield Record(name, number, data)
            on_progress(size_bytes * number // rows - told)
            told = size_bytes * number // rows
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:200]
        raise Refused(f"the Parquet file cannot be read beyond row {number} ({reason}); is it whole?") from None
