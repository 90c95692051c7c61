"""Prices that were last read long before the day they are used for, and how much of an approach's cost rests on them."""

from __future__ import annotations

from typing import NamedTuple

from calc.compare import ApproachResult, Comparison
from pricing import Price

THRESHOLD = "prices.stale_after_days"
"""The assumption that says from which age on a price is stale."""
SMALL_SHARE = 0.01
"""Below this share of an approach's cost a stale price is not worth a sentence of its own."""


class StalePrices(NamedTuple):
    """Prices of one offer that were read on the same day at the same source, and the share of the total they make up."""

    prices: tuple[Price, ...]
    age_days: int
    """From the day they were read to the as-of day."""
    share: float
    """Of the total before credits, by the lines that use them; a line counts whole for each price it changes between."""


def stale_prices(comparison: Comparison, result: ApproachResult) -> tuple[StalePrices, ...]:
    """The stale prices of a priced approach, those that make up most of its total first.

    Wages are left out: they are yearly statistics, so the newest figure is read up to two years after the month it is of, and
    reading it again finds the same one.
    """
    known = comparison.rates.assumptions
    if result.status != "available" or THRESHOLD not in known:  # a release pinned to before there was a threshold
        return ()
    oldest_days = known[THRESHOLD].likely
    spent = sum(max(0.0, float(line.total(result.requests))) for line in result.ledger.lines)
    read_together: dict[tuple[object, ...], dict[Price, None]] = {}
    costs: dict[tuple[object, ...], float] = {}
    for line in result.ledger.lines:
        stale = [p for p in line.prices if not p.key.startswith("wage") and _age_days(comparison, p) > oldest_days]
        for price in stale:
            read_together.setdefault(_reading(price), {})[price] = None
        for reading in dict.fromkeys(map(_reading, stale)):
            costs[reading] = costs.get(reading, 0) + float(line.total(result.requests))
    found = [
        StalePrices(tuple(prices), _age_days(comparison, next(iter(prices))), costs[reading] / spent if spent > 0 else 0)
        for reading, prices in read_together.items()
    ]
    return tuple(sorted(found, key=lambda stale: (-stale.share, -stale.age_days, stale.prices[0].offer)))


def _reading(price: Price) -> tuple[object, ...]:
    return (price.offer, price.source, price.source_date)


def _age_days(comparison: Comparison, price: Price) -> int:
    return (comparison.as_of - price.source_date).days
