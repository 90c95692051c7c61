"""``tuneworth prices coverage``: what of each provider the book prices, and when that was last read."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pricing import PriceBook
from pricing.coverage import coverage
from tuneworth.output import Format, emit


def coverage_rows(book: PriceBook) -> list[dict[str, Any]]:
    """One row a provider, under each heading the day its newest source was read."""
    return [
        {"provider": book.provider(id_).name, "models": len(book.provider(id_).model) or None, **priced}
        for id_, priced in coverage(book).items()
    ]


def price_coverage(form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table) -> None:
    """Show for each provider what is priced, and the day on which the newest source of it was read."""
    rows = coverage_rows(PriceBook.bundled())
    emit(form, rows, title="What is priced, and the day its newest source was read")
