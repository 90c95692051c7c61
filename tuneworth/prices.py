"""``tuneworth prices``: what the price book holds, with sources, and whether its files are in order."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from ingest.errors import InputError, Problem
from pricing import Price, PriceBook, PriceMissing, Rates, UnknownOffer
from tuneworth.clock import day_or_today
from tuneworth.output import Format, emit, say
from tuneworth.price_check import check_prices

prices = typer.Typer(help="Look prices up with their sources; check the tables.", no_args_is_help=True, rich_markup_mode=None)


@prices.command()
def show(
    text: Annotated[str, typer.Argument(metavar="[OFFER]", help="provider/model, a provider, or any part of a name.")] = "",
    as_of: Annotated[str | None, typer.Option(help="Prices in force on this day, such as 2026-11-20. Default: today.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Show the prices in force on a day: value, unit, since when, source, the day it was read, confidence."""
    day = day_or_today(as_of)
    rates = PriceBook.bundled().as_of(day)
    offers = _matching(rates, text)
    found = [price for offer in offers for price in rates.all_in_force(offer)]
    if not found:
        raise PriceMissing(f"No price of {', '.join(offers[:5])} is in force on {day}. Ask for another day with --as-of.")
    emit(form, [_row(price) for price in found], title=f"Prices in force on {day}")
    if len(offers) == 1:
        _say_lifecycle(rates, offers[0])


@prices.command()
def check() -> None:
    """Load every table and every assumption and report what is wrong, file by file; exits with 1 where anything is."""
    problems, files, count = check_prices()
    if problems:
        raise InputError(*problems)
    typer.echo(f"{files} files with {count:,} prices and assumptions are in order.")


def _matching(rates: Rates, text: str) -> list[str]:
    try:
        provider, item_id, _ = rates.item(text)
        return [f"{provider.id}/{item_id}"]
    except UnknownOffer:
        pass
    wanted = text.lower()
    named = dict(_named_offers(rates))
    of_provider = [offer for offer in named if offer.startswith(f"{wanted}/")]
    matching = of_provider or [offer for offer, names in named.items() if wanted in names]
    if matching:
        return matching
    near = difflib.get_close_matches(wanted, named, n=3, cutoff=0.5)
    raise InputError(
        Problem(
            "OFFER",
            f"nothing in the price book is called '{text}'",
            f"Did you mean {' or '.join(near)}?" if near else "",
            "'tuneworth prices show' without a name lists everything",
        )
    )


def _named_offers(rates: Rates) -> Iterator[tuple[str, str]]:
    """Every offer and the text in which a search looks for it."""
    for provider_id in rates.book.provider_ids:
        provider = rates.book.provider(provider_id)
        for item_id, item in provider.items.items():
            offer = f"{provider_id}/{item_id}"
            yield offer, " ".join((offer, provider.name, item.name, *item.aliases)).lower()


def _row(price: Price) -> dict[str, Any]:
    seen = "seen " if price.effective_is == "seen" else ""
    return {
        "offer": price.offer,
        "key": price.key,
        "value": price.value,
        "unit": price.unit,
        "conditions": price.conditions,
        "effective": f"{seen}{price.effective}",
        "source": price.source,
        "source date": price.source_date,
        "confidence": price.confidence,
    }


def _say_lifecycle(rates: Rates, offer: str) -> None:
    for event in rates.lifecycle(offer):
        successor = f", successor {event.successor}" if event.successor else ""
        say(f"{event.date}: {event.event.replace('_', ' ')}{successor} ({event.source})")
