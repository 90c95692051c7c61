"""Which files a user's words mean: a file, a folder, a pattern, an upload."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from ingest.errors import InputError, Problem

ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
COMPRESSED_ENDINGS = (".gz", ".zst")

Source = str | os.PathLike[str] | BinaryIO


def find_files(sources: Source | Iterable[Source]) -> tuple[list[Path | BinaryIO], list[Problem]]:
    """The files meant, each once whatever its names, in order, and what was left out and why.

    Args:
        sources: a file, a folder (its files and those of its folders with a known ending), a pattern such as ``data/*.jsonl``,
            an uploaded or open binary file, or several of them.

    Raises:
        InputError: nothing is there to read.
    """
    named: list[Any] = [sources] if isinstance(sources, str | os.PathLike) or hasattr(sources, "read") else list(sources)
    found: list[Path | BinaryIO] = []
    left_out: list[Problem] = []
    for source in named:
        _find(source, found, left_out)
    if found:
        return _each_once(found, left_out), left_out
    if not named or len(left_out) != len(named):
        where = ", ".join(map(str, named)) or "no file named"
        left_out.insert(0, Problem(where, "there is no training file", f"Expected {_endings()}"))
    raise InputError(*left_out)


def _each_once(found: list[Path | BinaryIO], left_out: list[Problem]) -> list[Path | BinaryIO]:
    first: dict[tuple[int, int], Path] = {}
    kept: list[Path | BinaryIO] = []
    for source in found:
        if isinstance(source, Path):
            status = source.stat()
            if (same := first.setdefault((status.st_dev, status.st_ino), source)) is not source:
                left_out.append(Problem(str(source), f"skipped: the same file as {same}, which is counted once"))
                continue
        kept.append(source)
    return kept


def file_name(source: Source) -> str:
    """What to call a file in messages."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return str(getattr(source, "name", "the uploaded file"))


def size_bytes(sources: Source | Iterable[Source]) -> int:
    """Of the files meant, as they lie on disk; open ones are not counted."""
    return sum(found.stat().st_size for found in find_files(sources)[0] if isinstance(found, Path))


def _endings() -> str:
    return f"names ending in {', '.join(ENDINGS)}, each also with .gz or .zst"


def _find(source: Source, found: list[Path | BinaryIO], left_out: list[Problem]) -> None:
    if not isinstance(source, str | os.PathLike):
        found.append(source)
        return
    path = Path(source)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        _find_pattern(os.fspath(source), error, found, left_out)
        return
    if stat.S_ISDIR(mode):
        _find_in_folder(path, found, left_out, depth=1)
    elif stat.S_ISREG(mode):
        found.append(path)
    else:
        left_out.append(Problem(str(path), "is a device or pipe", "Expected a file", "Save what it gives to one"))


def _find_pattern(pattern: str, error: Exception, found: list[Path | BinaryIO], left_out: list[Problem]) -> None:
    paths = sorted(glob.glob(pattern, recursive=True)) if glob.has_magic(pattern) else []  # noqa: PTH207
    if not paths:
        left_out.append(_not_there(pattern, error))
    for path in paths:
        if not Path(path).is_dir():
            _find(path, found, left_out)


def _not_there(name: str, error: Exception) -> Problem:
    if isinstance(error, PermissionError):
        return Problem(name, f"the file cannot be read ({error.strerror})", "", "Check its permissions")
    return Problem(name, "there is no such file", "", "Check the spelling and the folder you run from")


def _find_in_folder(folder: Path, found: list[Path | BinaryIO], left_out: list[Problem], depth: int) -> None:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        left_out.append(Problem(str(folder), f"the folder cannot be read ({error.strerror})", "", "Check its permissions"))
        return
    for path in entries:
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if path.is_symlink() and _is_around(folder, path):
                left_out.append(Problem(str(path), "skipped: a link to a folder that is read or that holds this one"))
            elif depth:
                _find_in_folder(path, found, left_out, depth - 1)
            else:
                left_out.append(Problem(str(path), "skipped: a folder two levels down", "", "Name it as well"))
        elif _has_known_ending(path):
            _find(path, found, left_out)
        else:
            left_out.append(Problem(str(path), "skipped: not a training file by its name", f"Expected {_endings()}"))


def _is_around(folder: Path, link: Path) -> bool:
    here, there = folder.resolve(), link.resolve()
    return there == here or there in here.parents or here in there.parents


def _has_known_ending(path: Path) -> bool:
    name = path.name.lower()
    for ending in COMPRESSED_ENDINGS:
        name = name.removesuffix(ending)
    return name.endswith(ENDINGS)
