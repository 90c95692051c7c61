"""``tuneworth prices history``: every dated value of an offer's prices, with the events of its life between them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import typer

from ingest.errors import InputError, Problem
from pricing import PriceBook, PriceMissing, Rates
from pricing.history import History, Step
from pricing.model import LifecycleEvent
from tuneworth.clock import today
from tuneworth.offers import one_offer
from tuneworth.output import Format, emit


def history(
    text: Annotated[str, typer.Argument(metavar="OFFER", help="provider/model, or any part of a name that only one offer has.")],
    key: Annotated[str, typer.Argument(metavar="[KEY]", help="Only this price, such as input_usd_per_mtok.")] = "",
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Show every dated value of an offer's prices, past and announced, with its source, and the events of its life."""
    rates = PriceBook.bundled().as_of(today())
    offer = one_offer(rates, text)
    histories = rates.histories(offer)
    if not histories:
        raise PriceMissing(f"The price book has no price of {offer} on any day.")
    rows = [_price_row(history, step) for history in _of_key(histories, key) for step in history.steps]
    rows += [_event_row(event) for event in _events(rates, offer)]
    rows.sort(key=lambda row: row["from"])
    emit(form, rows, title=f"Prices of {offer}, by the day they take effect")


def _of_key(histories: Sequence[History], key: str) -> list[History]:
    found = [history for history in histories if key in ("", history.key)]
    if found:
        return found
    keys = list(dict.fromkeys(history.key for history in histories))
    near = difflib.get_close_matches(key, keys, n=3, cutoff=0.5)
    expected = f"Did you mean {' or '.join(near)}?" if near else f"Expected {', '.join(keys)}"
    raise InputError(Problem("KEY", f"the price book has no '{key}' of {histories[0].offer}", expected))


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
