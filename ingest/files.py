"""Reading a file the user named, with every way that can fail said in words."""

from __future__ import annotations

import codecs
import errno
from pathlib import Path

from ingest.errors import InputError, Problem


def readable_file(path: str | Path) -> Path:
    """The path, if a regular file can be read there.

    Raises:
        InputError: there is no such file, it is a folder, it may not be read, or it is empty.
    """
    path = Path(path)
    if path.is_dir():
        raise _refused(path, "is a folder", "Expected a file", "Name a file inside it")
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _refused(path, "is a link that leads back to itself", "Expected a file", "Name the file itself") from None
    if path.exists() and not path.is_file():
        raise _refused(path, "is no regular file", "Expected a file", "Save it as a file, and name that")
    if not path.is_file():
        raise _refused(path, "there is no such file", "", "Check the spelling and the folder you run from")
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise _refused(path, "the file is empty")
    except OSError as error:
        raise _refused(path, f"the file cannot be read ({error.strerror})", "", "Check its permissions") from None
    return path


def read_text(path: str | Path, limit_bytes: int) -> str:
    """A whole UTF-8 text file of at most ``limit_bytes``.

    Raises:
        InputError: as `readable_file`, or the file is too large or not text.
    """
    path = readable_file(path)
    with path.open("rb") as file:
        data = file.read(limit_bytes + 1)
    if is_utf_16(data):
        raise _refused(path, "the file is UTF-16 text", "Expected UTF-8", "Save it as UTF-8")
    if len(data) > limit_bytes:
        raise _refused(path, "the file is too large", f"Expected at most {limit_bytes:,} bytes", "Is it the right file?")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refused(path, "the file is not UTF-8 text", "", "Save it as UTF-8, or name the right file", line) from None
    if "\0" in text:
        raise _refused(path, "the file is binary", "Expected a text file", "Name the right file")
    return text


def is_utf_16(data: bytes) -> bool:
    """Whether bytes begin with the mark of UTF-16."""
    return data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def _refused(path: Path, wrong: str, expected: str = "", next_step: str = "", line: int | None = None) -> InputError:
    return InputError(Problem(str(path), wrong, expected, next_step, line=line))
