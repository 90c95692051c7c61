"""``tuneworth prices release`` and ``releases``: naming a state of the price book, and holding the named ones against it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from ingest.errors import InputError, Problem
from pricing import PriceBook, releases
from tuneworth.clock import today
from tuneworth.output import Format, emit, say, write


def release(
    name: Annotated[str, typer.Argument(help="A day with dots, like 2026.11.20.")],
    through: Annotated[
        str | None,
        typer.Option("--recorded-through", help="Last day whose records belong to it, like 2026-11-20. Default: today."),
    ] = None,
) -> None:
    """Name everything recorded through a day, with its digest, for scenarios to be pinned to; a name is given once."""
    day = _day(through)
    if day > today():
        expected = f"Expected a day up to today, {today()}"
        raise InputError(Problem("--recorded-through", f"{day} is not over: records can still enter the book", expected))
    made = releases.cut(PriceBook.bundled(), name, day)
    if day == today():
        say(
            "The day is not over: a record that still enters the book today would change this release, and 'prices releases' "
            "would say so. Add no more today, or name the state through yesterday."
        )
    write(f"Release {made.name}: recorded through {made.recorded_through}, SHA-256 {made.sha256}.\n")


def list_releases(form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table) -> None:
    """List the releases of the price book, and whether everything in each is still as it was; exits with 1 where not."""
    book = PriceBook.bundled()
    found = [(entry, releases.is_unchanged(book, entry)) for entry in book.releases]
    rows = [
        {
            "release": entry.name,
            "recorded through": entry.recorded_through,
            "SHA-256": entry.sha256,
            "unchanged": unchanged,
        }
        for entry, unchanged in found
    ]
    emit(form, rows, title="Releases of the price book")
    if not all(unchanged for _, unchanged in found):
        raise typer.Exit(1)


def _day(text: str | None) -> date:
    try:
        return today() if text is None else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a date; write it like 2026-11-20", param_hint="--recorded-through") from None
