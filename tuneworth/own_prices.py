"""``--own-prices``: a file of own prices, laid over the bundled book."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ingest.own_prices import load_own_prices
from pricing import PriceBook
from tuneworth.output import say

OwnPricesFile = Annotated[
    Path | None,
    typer.Option("--own-prices", metavar="FILE", help="TOML file of own prices, discounts, commitments and credits."),
]


def book_with(own_prices: Path | None) -> PriceBook:
    """The bundled book, with the file's prices laid over it; what may be a slip in it is said on standard error.

    Raises:
        InputError: the file is not usable; every mistake is named with its line.
    """
    book = PriceBook.bundled()
    if own_prices is None:
        return book
    own = load_own_prices(own_prices, book=book)
    for warning in own.warnings:
        say(warning)
    return book.with_overrides(own)
