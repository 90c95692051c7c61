"""``tuneworth report``: the answer as files."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from calc import Comparison
from calc.export import comparison_dict, to_json
from ingest.errors import InputError, NotInstalled, Problem
from reports import words
from reports.csv import csv_files
from reports.markdown import summary_markdown
from tuneworth.compare import AsOf, ScenarioFile, compared, say_why
from tuneworth.output import PARTIAL, write
from tuneworth.own_prices import OwnPricesFile
from tuneworth.version import installed_version


class ReportFormat(StrEnum):
    """Which files are written."""

    all = "all"
    pdf = "pdf"
    json = "json"
    csv = "csv"
    md = "md"


def _named_folder(text: str) -> Path:
    if not text.strip():
        raise typer.BadParameter("is empty; name the folder that the files are written to", param_hint="--out")
    return Path(text)


def report(
    file: ScenarioFile,
    out: Annotated[
        Path,
        typer.Option(
            "--out", parser=_named_folder, metavar="PATH", help="Folder the files are written to; made where it does not exist."
        ),
    ],
    form: Annotated[ReportFormat, typer.Option("--format", help="Which files.")] = ReportFormat.all,
    as_of: AsOf = None,
    own_prices: OwnPricesFile = None,
) -> None:
    """Write the report of a scenario: report.pdf, report.json, report.md, lines.csv, months.csv, break_even.csv, limits.csv.

    Every file is written whole or not at all. The same scenario, day and version give the same bytes. Exits with 3 where an
    approach has no price, is unavailable or cannot be kept up as stated.
    """
    found = compared(file, as_of, own_prices)
    made = report_files(found, form)
    folder = _folder(out)
    for name, content in made.items():
        _write_whole(folder / name, content)
    write(f"{words.verdict(found)}.\n")
    for name in made:
        write(f"{folder / name}\n")
    if found.is_partial:
        say_why(found)
        raise typer.Exit(PARTIAL)


def report_files(found: Comparison, form: ReportFormat = ReportFormat.all) -> dict[str, bytes]:
    """The files' contents by name.

    Raises:
        NotInstalled: a PDF is asked for and what it takes is not installed.
    """
    makers: dict[ReportFormat, Callable[[Comparison], dict[str, bytes]]] = {
        ReportFormat.pdf: _pdf,
        ReportFormat.json: lambda c: {"report.json": to_json(comparison_dict(c, tuneworth=installed_version() or None)).encode()},
        ReportFormat.md: lambda c: {"report.md": summary_markdown(c).encode()},
        ReportFormat.csv: lambda c: {name: text.encode() for name, text in csv_files(c).items()},
    }
    wanted = list(makers) if form is ReportFormat.all else [form]
    return {name: content for kind in wanted for name, content in makers[kind](found).items()}


def _pdf(found: Comparison) -> dict[str, bytes]:
    if not all(importlib.util.find_spec(needed) for needed in ("typst", "matplotlib")):
        raise NotInstalled("The PDF report", "reports")
    from reports.pdf import report_pdf

    return {"report.pdf": report_pdf(found, tuneworth=installed_version())}


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InputError(Problem(str(path), "is a file", "Expected a folder", "Name another with --out")) from None
    except OSError as error:
        raise _unwritable(path, error) from None
    return path


def _write_whole(path: Path, content: bytes) -> None:
    """To a temporary file beside it, then renamed: nobody ever sees half of it."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _unwritable(path.parent, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise _unwritable(path, error) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError) -> InputError:
    reason = (error.strerror or str(error)).lower()
    return InputError(Problem(str(path), f"cannot be written ({reason})", "", "Name a folder you may write to with --out"))
