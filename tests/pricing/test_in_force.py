"""Every price in force on a day: of one place's blocks, and of an offer with all that applies to it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pricing.book import PriceBook, Rates

SOURCED: dict[str, Any] = {
    "source": "https://acme.example/pricing",
    "source_date": date(2026, 1, 1),
    "confidence": "primary",
}
IN, OUT, MINIMUM = "input_usd_per_mtok", "output_usd_per_mtok", "minimum_usd_per_job"


def block(effective: date, recorded: date = date(2026, 1, 1), **fields: Any) -> dict[str, Any]:
    return SOURCED | {"own": False, "effective": effective, "recorded": recorded} | fields


PROMOTION = block(date(2026, 3, 1), ends=date(2026, 4, 20), input_usd_per_mtok=1)
CORRECTED = block(date(2026, 1, 1), date(2026, 6, 1), output_usd_per_mtok=9)
RETRACTED = block(date(2026, 6, 1), date(2026, 7, 1), withdrawn=True)
TABLE: dict[str, Any] = {
    "name": "Acme",
    "price_page": "https://acme.example/pricing",
    "price": [block(date(2026, 1, 1), minimum_usd_per_job=4)],
    "model": {
        "base": {
            "name": "Base",
            "price": [
                block(date(2026, 1, 1), input_usd_per_mtok=2, output_usd_per_mtok=8),
                block(date(2026, 1, 1), service="batch", input_usd_per_mtok=1.5),
                block(date(2026, 1, 1), input_usd_per_mtok=4, context_above_tokens=200_000),
                block(date(2026, 6, 1), input_usd_per_mtok=3),
                PROMOTION,
                CORRECTED,
                RETRACTED,
            ],
        }
    },
}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> PriceBook:
    folder: Path = tmp_path_factory.mktemp("book")
    return PriceBook(folder, {"acme": TABLE})


def listed(rates: Rates) -> dict[tuple[str, str], Decimal]:
    prices = rates.in_force("acme/base", rates.item("acme/base")[2].price)
    assert len({(p.key, p.conditions) for p in prices}) == len(prices)
    return {(p.key, p.conditions): p.value for p in prices}


@pytest.mark.parametrize(
    ("day", "usd"),
    [
        (date(2026, 2, 28), 2),
        (date(2026, 3, 1), 1),
        (date(2026, 4, 19), 1),
        (date(2026, 4, 20), 2),  # an ended promotion uncovers the list price
        (date(2026, 6, 1), 2),  # what was withdrawn is not in force
    ],
)
def test_the_block_in_force_is_the_one_that_is_charged(book: PriceBook, day: date, usd: int) -> None:
    rates = book.as_of(day)
    assert listed(rates)[IN, ""] == usd == rates.price("acme/base", IN).value


def test_each_set_of_conditions_has_its_own(book: PriceBook) -> None:
    found = listed(book.as_of(date(2026, 2, 1)))
    assert found == {(IN, ""): 2, (OUT, ""): 9, (IN, "batch"): Decimal("1.5"), (IN, "above 200,000 tokens"): 4}


def test_a_pinned_day_does_not_see_later_records(book: PriceBook) -> None:
    found = listed(book.as_of(date(2026, 7, 2), recorded_through=date(2026, 1, 1)))
    assert (found[IN, ""], found[OUT, ""]) == (3, 8)


def test_before_the_first_day_there_is_none(book: PriceBook) -> None:
    assert listed(book.as_of(date(2025, 12, 31))) == {}


def test_an_offer_has_what_holds_for_its_whole_provider(book: PriceBook) -> None:
    prices = book.as_of(date(2026, 2, 1)).all_in_force("acme/base")
    assert {p.key for p in prices} == {IN, OUT, MINIMUM}
    assert {p.offer for p in prices} == {"acme/base"}


def test_what_is_listed_in_the_bundled_book_is_what_is_charged() -> None:
    rates = PriceBook.bundled().as_of(date(2026, 11, 20))
    for provider_id in ("openai", "deepseek", "bedrock"):
        for item_id, item in rates.book.provider(provider_id).items.items():
            offer = f"{provider_id}/{item_id}"
            assert set(rates.in_force(offer, item.price)) <= set(rates.all_in_force(offer))
