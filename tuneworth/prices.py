"""``tuneworth prices``: what the price book holds, with sources, and whether its files are in order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.errors import InputError, Problem
from pricing import Price, PriceMissing, Rates
from pricing.check import check_book
from pricing.own import OwnFile
from reports import words
from reports.sources import source_words
from tuneworth.clock import day_or_today
from tuneworth.offers import matching_offers
from tuneworth.output import Format, emit, say
from tuneworth.own_prices import OwnPricesFile, book_with
from tuneworth.price_coverage import price_coverage
from tuneworth.price_diff import diff
from tuneworth.price_history import history
from tuneworth.price_import import compare_prices, import_prices
from tuneworth.price_release import list_releases, release
from tuneworth.price_schema import price_schemas

prices = typer.Typer(help="Look prices up with their sources; check the tables.", no_args_is_help=True, rich_markup_mode=None)
prices.command()(history)
prices.command()(diff)
prices.command()(release)
prices.command("releases")(list_releases)


prices.command("import")(import_prices)
prices.command("parity")(compare_prices)
prices.command("coverage")(price_coverage)


@prices.command()
def show(
    text: Annotated[str, typer.Argument(metavar="[OFFER]", help="provider/model, a provider, or any part of a name.")] = "",
    as_of: Annotated[str | None, typer.Option(help="Prices in force on this day, such as 2026-11-20. Default: today.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    own_prices: OwnPricesFile = None,
) -> None:
    """Show the prices in force on a day: value, unit, since when, source, the day it was read, confidence."""
    day = day_or_today(as_of)
    rates = book_with(own_prices).as_of(day)
    offers = matching_offers(rates, text)
    found = [price for offer in offers for price in rates.all_in_force(offer)]
    if not found:
        if len(offers) == 1:
            _say_lifecycle(rates, offers[0])
        raise PriceMissing(f"No price of {', '.join(offers[:5])} is in force on {day}. Ask for another day with --as-of.")
    for_programs = form in (Format.json, Format.csv)
    rows = [_data(price, rates.book.own_files) if for_programs else _row(price) for price in found]
    emit(form, rows, title=f"Prices in force on {day}")
    if len(offers) == 1:
        _say_lifecycle(rates, offers[0])


@prices.command()
def check(
    folder: Annotated[Path | None, typer.Option(help="A price book's folder of your own. Default: the bundled one.")] = None,
) -> None:
    """Hold every file of the price book to its rules and report all that is wrong, by file; exits with 1 where anything is."""
    if folder is not None and not (folder / "tables").is_dir():
        raise InputError(Problem(str(folder), "it has no folder 'tables'", "Expected a folder laid out like pricing/"))
    checked = check_book() if folder is None else check_book(folder)
    if not checked.problems:
        typer.echo(f"{checked.files} files with {checked.facts:,} prices and assumptions are in order.")
        return
    by_file = [(name, list(problems)) for name, problems in groupby(checked.problems, key=lambda problem: problem.file)]
    for name, problems in by_file:
        say("\n".join((name, *(f"  {problem.in_file}" for problem in problems))))
    say(f"{_counted(len(checked.problems), 'problem')} in {_counted(len(by_file), 'file')} of {checked.files}.")
    raise typer.Exit(1)


@prices.command()
def schema(
    folder: Annotated[Path, typer.Argument(help="Where to put the files.")] = Path("docs"),
) -> None:
    """Write the JSON Schemas of the price book's files, by which editors complete and check them."""
    if not folder.is_dir():
        raise InputError(Problem(str(folder), "there is no such folder", "", "Name one that exists"))
    for name, text in price_schemas().items():
        (folder / name).write_text(text, encoding="utf-8")
        typer.echo(folder / name)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _row(price: Price) -> dict[str, Any]:
    seen = "seen " if price.effective_is == "seen" else ""
    return {
        "offer": price.offer,
        "key": price.key,
        "value": price.value,
        "unit": price.unit,
        "conditions": ", ".join(filter(None, (price.conditions, words.listed_as(price)))),
        "effective": f"{seen}{price.effective}",
        "source": source_words(price.source) if price.source.startswith("file:") else price.source,
        "source date": price.source_date,
        "confidence": price.confidence,
    }


def _data(price: Price, own_files: Sequence[OwnFile]) -> dict[str, Any]:
    """A price for programs: one fact a field."""
    listed = price.undiscounted or price
    discounted = price.undiscounted is not None and listed.value > 0
    return {
        "offer": price.offer,
        "key": price.key,
        "value": price.value,
        "unit": price.unit,
        "conditions": listed.conditions,
        "effective": price.effective,
        "effective_is": price.effective_is,
        "source": price.source,
        "source_date": price.source_date,
        "recorded": price.recorded,
        "confidence": price.confidence,
        "list_price_value": listed.value,
        "discount_percent": 100 * (1 - price.value / listed.value) if discounted else None,
        "discount_file": ", ".join(file.name for file in own_files) if discounted else None,
        "listed_value": listed.listed_value,
        "listed_currency": listed.listed_currency,
        "usd_rate_date": None if listed.exchange_rate is None else listed.exchange_rate.effective,
    }


def _say_lifecycle(rates: Rates, offer: str) -> None:
    for event in rates.lifecycle(offer):
        successor = f", successor {event.successor}" if event.successor else ""
        say(f"{event.date}: {event.event.replace('_', ' ')}{successor} ({event.source})")
