"""``tuneworth prices history``: every dated value of an offer's prices, with the events of its life between them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Any

import typer

from ingest.errors import InputError, Problem
from pricing import PriceBook, PriceMissing, Rates, releases
from pricing.history import History, Step
from pricing.model import LifecycleEvent
from pricing.near import did_you_mean
from tuneworth.clock import today
from tuneworth.offers import one_offer
from tuneworth.output import Format, emit
from tuneworth.own_prices import OwnPricesFile, book_with


def history(
    text: Annotated[str, typer.Argument(metavar="OFFER", help="provider/model, or any part of a name that only one offer has.")],
    key: Annotated[str, typer.Argument(metavar="[KEY]", help="Only this price, such as input_usd_per_mtok.")] = "",
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    corrections: Annotated[
        bool, typer.Option("--corrections", help="Add the values that were recorded first and corrected or withdrawn later.")
    ] = False,
    own_prices: OwnPricesFile = None,
) -> None:
    """Show every dated value of an offer's prices, past and announced, with its source, and the events of its life."""
    book = book_with(own_prices)
    rates = book.as_of(today())
    offer = one_offer(rates, text)
    histories = rates.histories(offer)
    if not histories:
        raise PriceMissing(f"The price book has no price of {offer} on any day.")
    wanted = _of_key(histories, key)
    rows = [_price_row(history, step) for history in wanted for step in history.steps]
    if corrections:
        rows += _corrected_rows(book, offer, wanted)
    rows += [_event_row(event) for event in _events(rates, offer)]
    rows.sort(key=lambda row: row["from"])
    emit(form, rows, title=f"Prices of {offer}, by the day they take effect")


def _of_key(histories: Sequence[History], key: str) -> list[History]:
    found = [history for history in histories if key in ("", history.key)]
    if found:
        return found
    keys = list(dict.fromkeys(history.key for history in histories))
    expected = did_you_mean(key, keys) or f"Expected {', '.join(keys)}"
    raise InputError(Problem("KEY", f"the price book has no '{key}' of {histories[0].offer}", expected))


def _corrected_rows(book: PriceBook, offer: str, histories: Sequence[History]) -> list[dict[str, Any]]:
    """What an earlier state of the book said of these prices and no longer holds: each value with the day that corrected it."""
    shown = {_said(history, step) for history in histories for step in history.steps}
    keys = {history.key for history in histories}
    rows: list[dict[str, Any]] = []
    days = _recorded_days(book, offer)
    for last, corrected_on in pairwise(days):
        earlier = [history for history in book.as_of(today(), last).histories(offer) if history.key in keys]
        later = book.as_of(today(), corrected_on).histories(offer)
        still = {_said(history, step) for history in later for step in history.steps}
        for history in earlier:
            for step in history.steps:
                if _said(history, step) not in still | shown:
                    shown.add(_said(history, step))
                    note = ". ".join(filter(None, (f"corrected on {corrected_on}", step.price.note)))
                    rows.append(_price_row(history, step) | {"note": note})
    return rows


def _said(history: History, step: Step) -> tuple[Any, ...]:
    """What makes two statements of a price one; its end is none of it, for that moves when a later price is announced."""
    return history.key, history.conditions, step.first, step.price.value


def _recorded_days(book: PriceBook, offer: str) -> list[date]:
    provider = book.provider(offer.partition("/")[0])
    places = releases.places(provider)
    records = (
        record
        for place in places
        if place.offer in (offer, provider.id) or "/" not in place.offer
        for record in place.records["price"]
    )
    return sorted({record.recorded for record in records if not getattr(record, "own", False)})


def _events(rates: Rates, offer: str) -> Sequence[LifecycleEvent]:
    return rates.lifecycle(offer) if "/" in offer else rates.book.provider(offer).lifecycle


def _price_row(history: History, step: Step) -> dict[str, Any]:
    price = step.price
    return {
        "from": step.first,
        "until": step.until,
        "what": history.key,
        "conditions": history.conditions,
        "value": price.value,
        "unit": price.unit,
        "day is": "seen" if step.is_seen else "stated",
        "source": price.source,
        "source date": price.source_date,
        "recorded": price.recorded,
        "confidence": price.confidence,
        "note": price.note,
    }


def _event_row(event: LifecycleEvent) -> dict[str, Any]:
    until: date | None = None
    successor = f", successor {event.successor}" if event.successor else ""
    return {
        "from": event.date,
        "until": until,
        "what": event.event.replace("_", " ") + successor,
        "conditions": "",
        "value": None,
        "unit": "event",
        "day is": "stated",
        "source": event.source,
        "source date": event.source_date,
        "recorded": event.recorded,
        "confidence": event.confidence,
        "note": event.note,
    }
