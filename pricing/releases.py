"""Releases of the price book: a name for everything recorded through a day, and the digest that proves it unchanged.

The digest is SHA-256 over canonical JSON of all that can change a result: every dated record through that day with all its
fields, and of the items that have one what shapes their results beside it. Names, aliases and comments do not count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import BaseModel

from pricing.book import PriceBook, Recorded
from pricing.errors import PricingError, UnknownRelease
from pricing.model import Provider, Release

ITEM_FACTS = {"weights", "context_tokens", "max_training_tokens_per_example", "dimensions", "hardware"}
"""What is not dated of an item and yet shapes its results."""

ORDERING = {
    *("recorded", "effective", "event", "date"),
    *("service", "tuned", "context_above_tokens", "deployment", "method", "technique", "hours_utc", "weekdays"),
}
"""Fields by which two records answer different questions; between records alike in all of them the file's order decides."""

Records = Mapping[str, Iterable[Recorded]]


class Place(NamedTuple):
    """A provider, a size band of it, or an item: where prices, events and rules are recorded."""

    offer: str
    """As in ``together/llama-3.3-70b``; a provider's id alone; a band with its sizes in words."""
    facts: Mapping[str, Any]
    """What is not dated."""
    records: Records
    """By kind: price, lifecycle, cache, billing, store."""


class Basis(NamedTuple):
    """Which state of the price book an answer rests on."""

    release: Release | None
    """The one pinned, or without a pin the newest; None where only a day is pinned, or there is none."""
    recorded_through: date | None
    """What was recorded later is ignored; None: nothing is."""
    has_later: bool
    """Whether records after the release count too and could matter to the answer."""


# --- what is recorded -----------------------------------------------------------------------------------------------------


def places(provider: Provider) -> Iterator[Place]:
    """Where a provider's facts are recorded: the provider itself, its size bands, its items."""
    shared = {"price": provider.price, "lifecycle": provider.lifecycle, "cache": provider.cache, "billing": provider.billing}
    yield Place(provider.id, {}, shared)
    for band in provider.band:
        sizes = f"above {band.above_billion_parameters:g} up to {band.up_to_billion_parameters:g} billion parameters"
        yield Place(f"{provider.id} ({sizes})", {}, {"price": band.price})
    for item_id, item in provider.items.items():
        facts = item.model_dump(include=ITEM_FACTS, exclude_defaults=True)
        kinds = ("price", "lifecycle", "cache", "billing", "store")
        yield Place(f"{provider.id}/{item_id}", facts, {kind: getattr(item, kind) for kind in kinds})


def facts(book: PriceBook) -> dict[str, Records]:
    """What is recorded outside the providers' tables, by topic and name. Fitted coefficients are assumptions too."""
    return {
        "assumptions": {**book.assumptions, **{f"coefficients.{name}": fits for name, fits in book.fits.items()}},
        "open_models": book.open_models,
        "gpus": book.gpus,
        "exchange_rates": book.exchange_rates,
    }


def digest(book: PriceBook, recorded_through: date) -> str:
    """SHA-256 of everything recorded through a day that can change a result. Defaults left out and stated are the same."""
    text = json.dumps(_content(book, recorded_through), sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _content(book: PriceBook, recorded_through: date) -> dict[str, Any]:
    content: dict[str, Any] = {"places": {}}
    for provider_id in book.provider_ids:
        for place in places(book.provider(provider_id)):
            if found := _known(place.records, recorded_through):
                content["places"][place.offer] = {"facts": place.facts} | found
    return content | {topic: _known(named, recorded_through) for topic, named in facts(book).items()}


def _known(records: Records, recorded_through: date) -> dict[str, list[Recorded]]:
    """The records of each kind or name through a day; where the file's order decides nothing, in one order of their own."""
    known = {name: sorted((r for r in found if r.recorded <= recorded_through), key=_order) for name, found in records.items()}
    return {name: found for name, found in known.items() if found}


def _order(record: Recorded) -> str:
    return json.dumps({name: getattr(record, name, None) for name in sorted(ORDERING)}, default=str)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_defaults=True, exclude={"name"})
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat()


# --- releases -------------------------------------------------------------------------------------------------------------


def is_unchanged(book: PriceBook, release: Release) -> bool:
    """Whether everything the release names is still in the book as it was."""
    return digest(book, release.recorded_through) == release.sha256


def newest(book: PriceBook) -> Release | None:
    """The release that reaches furthest; of several of one day the last cut."""
    return max(reversed(book.releases), key=lambda release: release.recorded_through, default=None)


def cut(book: PriceBook, name: str, recorded_through: date) -> Release:
    """Name a state of the book: one more entry at the end of its releases.toml.

    Raises:
        PricingError: the name is taken, or is not the day with dots, like 2026.11.20 or 2026.11.20.1.
    """
    if name in {release.name for release in book.releases}:
        raise PricingError(f"There is a release '{name}' already, and a release never changes. Choose another name.")
    expected = f"{recorded_through.year}.{recorded_through.month}.{recorded_through.day}"
    if _named_day(name) != recorded_through:
        raise PricingError(
            f"'{name}' is no name of a release of what is recorded through {recorded_through}. "
            f"Write that day with dots: {expected}, or {expected}.1 for another one of the day."
        )
    release = Release(name=name, recorded_through=recorded_through, sha256=digest(book, recorded_through))
    with book.releases_file.open("a", encoding="utf-8", newline="\n") as file:
        file.write(
            f'\n[[release]]\nname = "{release.name}"\nrecorded_through = {recorded_through}\nsha256 = "{release.sha256}"\n'
        )
    return release


def _named_day(name: str) -> date | None:
    """The day in a release's name; None where it is no such name."""
    try:
        Release(name=name, recorded_through=date.max, sha256="0" * 64)
        year, month, day = map(int, name.split(".")[:3])
        return date(year, month, day)
    except ValueError:  # pydantic's is one, too
        return None


def pinned(text: str) -> date | str:
    """A release or day as somebody writes it: ``2026-11-20`` is a day, everything else a release's name."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def last_day(book: PriceBook, state: date | str | None) -> date | None:
    """The last day whose records count in a state of the book that holds something; None: all do.

    Raises:
        UnknownRelease: there is no release of that name, or nothing was recorded by the day.
    """
    through = book.recorded_through(state)
    if through is None or any(release.recorded_through <= through for release in book.releases):
        return through
    begin = _first_recorded(book)
    if begin is not None and through < begin:
        first = min(book.releases, key=lambda release: release.recorded_through, default=None)
        named = f"The first release is {first.name}." if first else "State a day from then on."
        raise UnknownRelease(f"The price book begins on {begin}: there is none as recorded through {through}. {named}")
    return through


def _first_recorded(book: PriceBook) -> date | None:
    providers = (place.records for provider_id in book.provider_ids for place in places(book.provider(provider_id)))
    days = (r.recorded for named in (*providers, *facts(book).values()) for records in named.values() for r in records)
    return min(days, default=None)


def basis(
    book: PriceBook,
    state: date | str | None,
    offers: Iterable[str],
    assumptions: Iterable[str],
    currencies: Iterable[str] = (),
) -> Basis:
    """Which state of the book an answer rests on.

    Args:
        state: the release or day stated; None: everything recorded counts.
        offers: what the answer used; a later record of any of their providers could matter to it.
        assumptions: names of the assumptions it used.
        currencies: codes of those it converted from or to.

    Raises:
        UnknownRelease: there is no release of that name.
    """
    if isinstance(state, str):
        release = book.release(state)
        return Basis(release, release.recorded_through, has_later=False)
    if state is not None:
        return Basis(None, state, has_later=False)
    latest = newest(book)
    if latest is None:
        return Basis(None, None, has_later=False)
    rates = [rate for code in currencies for rate in book.exchange_rates.get(code, ())]
    used = [*_used_records(book, offers, assumptions), *rates]
    return Basis(latest, None, has_later=any(record.recorded > latest.recorded_through for record in used))


def _used_records(book: PriceBook, offers: Iterable[str], assumptions: Iterable[str]) -> Iterator[Recorded]:
    """Every record of the offers' providers and their weights, and of the assumptions."""
    named = list(offers)
    for provider_id in sorted({offer.partition("/")[0] for offer in named} & set(book.provider_ids)):
        for place in places(book.provider(provider_id)):
            for records in place.records.values():
                yield from (record for record in records if not getattr(record, "own", False))
            yield from book.open_models.get(place.facts.get("weights", ""), ()) if place.offer in named else ()
    for offer in named:
        yield from book.open_models.get(offer, ()) if offer.partition("/")[0] not in book.provider_ids else ()
    for name in assumptions:
        yield from book.assumptions.get(name, ())
