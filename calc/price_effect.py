"""What changes of the price book do to a scenario: totals and break-evens under two states of the book."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from calc.break_even import BreakEven
from calc.compare import Comparison, compare
from calc.export import assumptions, price_rows
from calc.scenario import Scenario
from pricing import PriceBook
from pricing.diff import Change, changes
from pricing.keys import PRICE_KEYS


class TotalEffect(NamedTuple):
    """An approach's total over the horizon under both states, US$; None where it has none."""

    name: str
    old_usd: float | None
    new_usd: float | None

    @property
    def difference_usd(self) -> float | None:
        """What it costs more."""
        return None if self.old_usd is None or self.new_usd is None else self.new_usd - self.old_usd


class BreakEvenEffect(NamedTuple):
    """The break-even of two approaches under both states; None where one of them has no total."""

    a: str
    b: str
    old: BreakEven | None
    new: BreakEven | None

    @property
    def shifts(self) -> tuple[int, ...] | None:
        """By how many requests a month each change of the cheaper one moves; None where they are not the same changes."""
        if self.old is None or self.new is None or self.old.verdict.kind is not self.new.verdict.kind:
            return None
        volumes = zip(self.old.verdict.volumes, self.new.verdict.volumes, strict=False)
        return tuple(after - before for before, after in volumes)


@dataclass(frozen=True)
class PriceEffect:
    """A scenario under two states of the price book."""

    old: Comparison
    new: Comparison
    changes: tuple[Change, ...]
    """Those that the scenario's lines use."""

    @property
    def totals(self) -> list[TotalEffect]:
        """Of every approach, in the scenario's order."""
        return [TotalEffect(name, _total(self.old, name), _total(self.new, name)) for name in self.new.results]

    @property
    def break_evens(self) -> list[BreakEvenEffect]:
        """Of every two approaches that have a total under one of the states."""
        names = [name for name in self.new.results if name in self.old.available or name in self.new.available]
        pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
        found = [BreakEvenEffect(a, b, _break_even(self.old, a, b), _break_even(self.new, a, b)) for a, b in pairs]
        return [effect for effect in found if effect.old is not None or effect.new is not None]


def price_effect(
    scenario: Scenario, book: PriceBook, old: date | str, new: date | str | None, *, today: date | None = None
) -> PriceEffect:
    """A scenario under two states of the book, each a release's name or the last day whose records count.

    Args:
        new: None: everything recorded.
        today: the day to use where the scenario states no ``as_of``.

    Raises:
        as `calc.compare.compare`.
    """
    before, after = (compare(scenario.model_copy(update={"price_release": state}), book, today=today) for state in (old, new))
    old_day = before.rates.recorded_through
    assert old_day is not None
    every = changes(book, old_day, after.rates.recorded_through)
    return PriceEffect(before, after, tuple(change for change in every if rests_on(before, change) or rests_on(after, change)))


def _total(found: Comparison, name: str) -> float | None:
    return float(found.available[name].total()) if name in found.available else None


def _break_even(found: Comparison, a: str, b: str) -> BreakEven | None:
    return found.break_even(a, b) if a in found.available and b in found.available else None


def rests_on(found: Comparison, change: Change) -> bool:
    """Whether the comparison rests on what changed: on that price, that rate, or another fact of what it buys."""
    rows = price_rows(found)
    if change.fact in PRICE_KEYS:
        same = (change.fact, change.conditions, change.effective)
        listed = (row.undiscounted or row for row in rows)
        return any((row.key, row.conditions, row.effective) == same and _is_of(change.offer, row.offer) for row in listed)
    if change.fact == "per_usd":
        rates = (found.currency, *(row.exchange_rate for row in rows if row.exchange_rate is not None))
        return (change.offer, change.effective) in {(rate.code, rate.effective) for rate in rates}
    offers = {row.offer for row in rows} | {result.offer for result in found.results.values()}
    weights = {_weights(found, offer) for offer in offers}
    return any(_is_of(change.offer, name) for name in offers | weights | set(assumptions(found)))


def _weights(found: Comparison, offer: str) -> str:
    """The open weights behind an offer; empty where there are none."""
    listed = offer.partition("/")[0] in found.rates.book.provider_ids
    return (found.rates.item(offer)[2].weights or "") if listed else offer


def _is_of(place: str, offer: str) -> bool:
    """Whether what is recorded of a place holds for an offer: the offer's own, its size band's, its provider's."""
    return place == offer or ("/" not in place and place.partition(" (")[0] == offer.partition("/")[0])
