"""Finding offers by what a user typed: an id, an alias, a provider, or part of a name."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.errors import InputError, Problem
from pricing import Rates, UnknownOffer
from pricing.near import did_you_mean


def matching_offers(rates: Rates, text: str) -> list[str]:
    """Ids of the offers that a text names.

    Raises:
        InputError: there is none; near matches are named.
    """
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
    raise InputError(
        Problem(
            "OFFER",
            f"nothing in the price book is called '{text}'",
            did_you_mean(wanted, named),
            "'tuneworth prices show' without a name lists everything",
        )
    )


def one_offer(rates: Rates, text: str) -> str:
    """The id of the one offer that a text names; a provider's id stands for what holds for everything it sells.

    Raises:
        InputError: there is none, or there are several; they are named.
    """
    if text in rates.book.provider_ids and rates.book.provider(text).price:
        return text
    found = matching_offers(rates, text)
    if len(found) > 1:
        names = ", ".join(found[:6]) + (" …" if len(found) > 6 else "")
        raise InputError(Problem("OFFER", f"{len(found):,} offers match '{text}': {names}", "Name one of them"))
    return found[0]


def _named_offers(rates: Rates) -> Iterator[tuple[str, str]]:
    """Every offer and the text in which a search looks for it."""
    for provider_id in rates.book.provider_ids:
        provider = rates.book.provider(provider_id)
        for item_id, item in provider.items.items():
            offer = f"{provider_id}/{item_id}"
            yield offer, " ".join((offer, provider.name, item.name, *item.aliases)).lower()
