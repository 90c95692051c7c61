"""Printing results: one table, four forms; numbers right aligned, plain text when piped."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

PARTIAL = 3
"""Exit code of a verb that answered, but not all of it."""


class ReaderGone(Exception):
    """The reader of a pipe has seen enough. Not a `BrokenPipeError`: on that the command line library would end with 1."""


class Format(StrEnum):
    """How a result is printed."""

    table = "table"
    json = "json"
    csv = "csv"
    md = "md"


class Figure(str):
    """A figure already written out for people: right aligned as numbers are."""

    __slots__ = ()


def emit(form: Format, rows: Sequence[Mapping[str, Any]], *, title: str = "", as_json: Any = None) -> None:
    """Print rows of the same keys to standard output.

    Args:
        form: table for people, Markdown for documents, CSV and JSON for programs.
        rows: values by column; Decimal, dates, numbers and None are printed fit for the form.
        title: shown above a table.
        as_json: printed instead of the rows with ``json``.
    """
    if form is Format.json:
        write(json.dumps(rows if as_json is None else as_json, indent=2, ensure_ascii=False, default=_jsonable) + "\n")
    elif form is Format.csv:
        write(_csv(rows))
    elif form is Format.md:
        write(_markdown(rows))
    else:
        _print_table(rows, title)


_CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\r(?!\n)"
)
"""What moves a terminal's cursor, colours it or turns its text round."""


def harmless(text: str) -> str:
    """Text with control characters and marks of direction written out, as in ``\\u001b``; valid within JSON, too."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(text: str) -> None:
    """A line about the answer, such as a warning, on standard error."""
    sys.stderr.write(harmless(text.rstrip("\n")) + "\n")


def shown(value: Any) -> str:
    """A value as people read it: thousands separated, no figure where there is none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    if isinstance(value, Decimal):
        return f"{value:,f}"
    return str(value)


def _print_table(rows: Sequence[Mapping[str, Any]], title: str) -> None:
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in _columns(rows):
        numeric = _numeric(row[column] for row in rows)
        table.add_column(column, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    for row in rows:
        table.add_row(*(harmless(shown(value)).replace("[", r"\[") for value in row.values()))
    if sys.stdout.isatty():
        Console().print(table)
    else:
        write(_plain_text(table))


def _plain_text(table: Table) -> str:
    """The table for a pipe: lines as long as they need to be, without colour."""
    text = io.StringIO()
    Console(file=text, width=1000, no_color=True, highlight=False).print(table)
    lines = "\n".join(line.rstrip() for line in text.getvalue().splitlines())
    return lines.strip("\n") + "\n"


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_columns(rows))
    writer.writerows(["" if value is None else _exact(value) for value in row.values()] for row in rows)
    return text.getvalue()


def _markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = _columns(rows)
    aligned = ["--:" if _numeric(row[column] for row in rows) else ":--" for column in columns]
    body = [[shown(value).replace("|", "\\|").replace("\n", " ") for value in row.values()] for row in rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (columns, aligned, *body))


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(rows[0]) if rows else []


def _numeric(values: Any) -> bool:
    found = [value for value in values if value is not None]
    figures = (int, float, Decimal, Figure)
    return bool(found) and all(isinstance(value, figures) and not isinstance(value, bool) for value in found)


def _exact(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value


def _jsonable(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def write(text: str) -> None:
    """Text on standard output, control characters written out.

    Raises:
        ReaderGone: nobody reads the pipe any more.
    """
    try:
        sys.stdout.write(harmless(text))
    except BrokenPipeError:
        raise ReaderGone from None
