"""A price through time: each step is what is charged on its days, and nothing is charged outside them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pricing import PriceBook, PriceMissing, UnknownOffer
from pricing.book import Rates
from pricing.history import History, changes
from pricing.keys import bought_at_once

DAY = timedelta(days=1)
DAY_ONE = date(2026, 11, 20)
IN, OUT, MINIMUM, TRAINING = "input_usd_per_mtok", "output_usd_per_mtok", "minimum_usd_per_job", "training_usd_per_mtok"
BUNDLED = PriceBook.bundled()


def block(effective: date, recorded: date = date(2026, 1, 1), **fields: Any) -> dict[str, Any]:
    sourced = {"source": "https://acme.example/pricing", "source_date": date(2026, 1, 1), "confidence": "primary", "own": False}
    return sourced | {"effective": effective, "recorded": recorded} | fields


def view(tmp_path: Path, *blocks: dict[str, Any], recorded_through: date | None = None, **provider: Any) -> Rates:
    model = {"base": {"name": "Base", "price": list(blocks)}, "org/model.1:free": {"name": "Free", "price": []}}
    table = {"name": "Acme", "price_page": "https://acme.example/pricing", "model": model} | provider
    return PriceBook(tmp_path, {"acme": table}).as_of(date(2026, 11, 20), recorded_through)


def spans(rates: Rates, key: str = IN, **conditions: Any) -> list[tuple[str, str | None, Decimal]]:
    return [
        (str(step.first), step.until and str(step.until), step.price.value)
        for step in rates.history("acme/base", key, **conditions)
    ]


def charged(rates: Rates, offer: str, key: str, day: date, question: Any) -> Any:
    """What `price` says, and nothing where that is no longer sold."""
    over = {"inference_ends", "training_ends"} if bought_at_once(key) else {"inference_ends"}
    if any(event.event in over and event.date <= day for event in rates.lifecycle(offer)):
        return None
    try:
        return rates.price(offer, key, on=day, accept_unverified=True, **question)
    except PriceMissing:
        return None


def assert_is_what_is_charged(rates: Rates, history: History) -> None:
    """Both ends of each step, and the day before and after it."""
    for step in history.steps:
        days = [step.first - DAY, step.first, *([step.until - DAY, step.until] if step.until else [date(2040, 1, 1)])]
        assert step.holds(step.first)
        assert not step.holds(step.first - DAY)
        for day in days:
            assert history.on(day) == charged(rates, history.offer, history.key, day, history.question), (history[:3], day)
    assert charged(rates, history.offer, history.key, history.steps[0].first - DAY, history.question) is None
    assert all(a.until is not None and a.until <= b.first for a, b in zip(history.steps, history.steps[1:], strict=False))


@pytest.mark.parametrize("recorded_through", [None, date(2026, 11, 20)])
@pytest.mark.parametrize("provider_id", BUNDLED.provider_ids)
def test_every_history_of_the_book_is_what_is_charged(provider_id: str, recorded_through: date | None) -> None:
    rates = BUNDLED.as_of(date(2026, 11, 20), recorded_through)
    for item_id in BUNDLED.provider(provider_id).items:
        offer = f"{provider_id}/{item_id}"
        histories = rates.histories(offer)
        for history in histories:
            assert_is_what_is_charged(rates, history)
        in_force = {price for history in histories if (price := history.on(rates.as_of)) is not None}
        assert in_force == set(rates.all_in_force(offer))


FROM_MARCH = block(date(2026, 3, 1), input_usd_per_mtok=2)


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([], []),
        ([FROM_MARCH], [("2026-03-01", None, 2)]),
        (
            [FROM_MARCH, block(date(2027, 1, 1), input_usd_per_mtok=3)],
            [("2026-03-01", "2027-01-01", 2), ("2027-01-01", None, 3)],
        ),
        (  # an ended promotion uncovers the list price
            [FROM_MARCH, block(date(2026, 4, 1), ends=date(2026, 4, 20), input_usd_per_mtok=1)],
            [("2026-03-01", "2026-04-01", 2), ("2026-04-01", "2026-04-20", 1), ("2026-04-20", None, 2)],
        ),
        (  # a later record of the same day corrects it
            [FROM_MARCH, block(date(2026, 3, 1), date(2026, 6, 1), input_usd_per_mtok=4)],
            [("2026-03-01", None, 4)],
        ),
        (  # an end learned later
            [FROM_MARCH, block(date(2026, 3, 1), date(2026, 6, 1), ends=date(2026, 5, 1), input_usd_per_mtok=2)],
            [("2026-03-01", "2026-05-01", 2)],
        ),
        (  # withdrawn: the one before it goes on
            [
                FROM_MARCH,
                block(date(2026, 6, 1), input_usd_per_mtok=9),
                block(date(2026, 6, 1), date(2026, 7, 1), withdrawn=True),
            ],
            [("2026-03-01", None, 2)],
        ),
        ([FROM_MARCH, block(date(2026, 3, 1), date(2026, 6, 1), withdrawn=True)], []),
        (  # a gap: sold again later
            [
                block(date(2026, 1, 1), ends=date(2026, 2, 1), input_usd_per_mtok=1),
                FROM_MARCH,
            ],
            [("2026-01-01", "2026-02-01", 1), ("2026-03-01", None, 2)],
        ),
        (  # the user's own wins from its day on, whatever is listed later
            [
                FROM_MARCH,
                block(date(2026, 4, 1), own=True, input_usd_per_mtok=1),
                block(date(2026, 6, 1), input_usd_per_mtok=3),
            ],
            [("2026-03-01", "2026-04-01", 2), ("2026-04-01", None, 1)],
        ),
    ],
)
def test_steps(tmp_path: Path, blocks: list[dict[str, Any]], expected: list[Any]) -> None:
    rates = view(tmp_path, *blocks)
    assert spans(rates) == expected
    for history in rates.histories("acme/base"):
        assert_is_what_is_charged(rates, history)


EVENT = {key: value for key, value in FROM_MARCH.items() if key not in ("effective", IN)}
TRAINING_ENDS = EVENT | {"event": "training_ends", "date": date(2027, 1, 6)}
INFERENCE_ENDS = EVENT | {"event": "inference_ends", "date": date(2027, 1, 14)}


def test_prices_end_when_the_offer_does_and_training_when_that_does(tmp_path: Path) -> None:
    prices = [FROM_MARCH, block(date(2026, 3, 1), training_usd_per_mtok=5), block(date(2027, 2, 1), input_usd_per_mtok=3)]
    lifecycle = [INFERENCE_ENDS, EVENT | {"event": "available_until_at_least", "date": date(2026, 4, 1)}]
    table = {"name": "Base", "price": prices, "lifecycle": lifecycle}
    provider = {"lifecycle": [TRAINING_ENDS], "price": [block(date(2026, 1, 1), minimum_usd_per_job=4)]}
    acme = {"name": "Acme", "price_page": "https://acme.example/pricing", "model": {"base": table}} | provider
    book = PriceBook(tmp_path, {"acme": acme})
    assert spans(book.as_of(DAY_ONE), IN) == [("2026-03-01", "2027-01-14", 2)]
    assert spans(book.as_of(DAY_ONE), TRAINING) == [("2026-03-01", "2027-01-06", 5)]
    expected = [("2027-01-05", {IN, TRAINING, MINIMUM}), ("2027-01-06", {IN}), ("2027-01-13", {IN}), ("2027-01-14", set())]
    for day, keys in ((date.fromisoformat(day), keys) for day, keys in expected):
        rates = book.as_of(day)
        assert {price.key for price in rates.all_in_force("acme/base")} == keys
        assert {price.key for price in rates.in_force("acme/base", rates.item("acme/base")[2].price)} == keys - {MINIMUM}
        assert {price.key for price in rates.in_force("acme", rates.book.provider("acme").price)} == keys & {MINIMUM}
    assert book.as_of(date(2027, 3, 1)).price("acme/base", IN).value == 3  # what `price` says is not touched


def test_a_pinned_view_knows_no_later_record(tmp_path: Path) -> None:
    blocks = (FROM_MARCH, block(date(2026, 3, 1), date(2026, 6, 1), input_usd_per_mtok=4))
    assert spans(view(tmp_path, *blocks, recorded_through=date(2026, 5, 31))) == [("2026-03-01", None, 2)]


def test_what_the_provider_sets_fills_where_the_item_has_none(tmp_path: Path) -> None:
    own = block(date(2026, 3, 1), ends=date(2026, 5, 1), minimum_usd_per_job=9)
    rates = view(tmp_path, own, price=[block(date(2026, 1, 1), minimum_usd_per_job=4)])
    expected = [("2026-01-01", "2026-03-01", 4), ("2026-03-01", "2026-05-01", 9), ("2026-05-01", None, 4)]
    assert spans(rates, MINIMUM) == expected
    assert [history.key for history in rates.histories("acme")] == [MINIMUM]
    assert {history.offer for history in rates.histories("acme")} == {"acme"}


def test_conditions_fall_back_to_what_holds_always(tmp_path: Path) -> None:
    rates = view(
        tmp_path,
        block(date(2026, 1, 1), training_usd_per_mtok=5),
        block(date(2026, 4, 1), training_usd_per_mtok=3, method="dpo"),
    )
    assert spans(rates, TRAINING, method="dpo") == [("2026-01-01", "2026-04-01", 5), ("2026-04-01", None, 3)]
    assert spans(rates, TRAINING) == [("2026-01-01", None, 5)]
    assert {history.conditions for history in rates.histories("acme/base")} == {"", "dpo"}


def test_a_seen_day_is_told_from_a_stated_one(tmp_path: Path) -> None:
    rates = view(
        tmp_path,
        block(date(2026, 1, 1), input_usd_per_mtok=2, effective_is="seen"),
        block(date(2026, 4, 1), ends=date(2026, 5, 1), input_usd_per_mtok=1),
    )
    # the first value comes back on the day on which the second is stated to end
    assert [step.is_seen for step in rates.history("acme/base", IN)] == [True, False, False]


def test_changes_are_of_the_value(tmp_path: Path) -> None:
    rates = view(
        tmp_path,
        FROM_MARCH,
        block(date(2026, 4, 1), input_usd_per_mtok=2),  # read again
        block(date(2026, 5, 1), input_usd_per_mtok=3, ends=date(2026, 6, 1)),
    )
    [history] = rates.histories("acme/base")
    found = [(str(c.day), c.old and c.old.value, c.new and c.new.value) for c in changes(history)]
    assert found == [("2026-03-01", None, 2), ("2026-05-01", 2, 3), ("2026-06-01", 3, 2)]


def test_an_end_and_a_return_are_changes(tmp_path: Path) -> None:
    gap = block(date(2026, 1, 1), ends=date(2026, 2, 1), input_usd_per_mtok=1)
    last = block(date(2026, 3, 1), ends=date(2026, 4, 1), input_usd_per_mtok=1)
    [history] = view(tmp_path, gap, last).histories("acme/base")
    found = [(str(c.day), c.old and c.old.value, c.new and c.new.value) for c in changes(history)]
    assert found == [("2026-01-01", None, 1), ("2026-02-01", 1, None), ("2026-03-01", None, 1), ("2026-04-01", 1, None)]


def test_an_offer_without_prices_has_no_history_and_an_unknown_one_is_told(tmp_path: Path) -> None:
    rates = view(tmp_path, FROM_MARCH)
    assert rates.histories("acme/org/model.1:free") == ()
    assert rates.history("acme/org/model.1:free", IN) == ()
    with pytest.raises(UnknownOffer, match=r"Did you mean base\?"):
        rates.history("acme/bas", IN)
    with pytest.raises(PriceMissing, match="not a price key"):
        rates.history("acme/base", "inpt_usd_per_mtok")
