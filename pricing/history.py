"""A price through time: which value held from which day to which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from pricing.model import Price, PriceBlock
from pricing.terms import Discount


class Step(NamedTuple):
    """One price in force from ``first`` until ``until``, which is the first day without it; None: with no end known."""

    first: date
    until: date | None
    price: Price

    def holds(self, on: date) -> bool:
        """Whether the price is in force on a day."""
        return self.first <= on and (self.until is None or on < self.until)

    @property
    def is_seen(self) -> bool:
        """Whether the day is the first on which the price was sighted, not one that its source states."""
        return self.price.effective_is == "seen" and self.price.effective == self.first


class History(NamedTuple):
    """Every dated value of one price: of an offer and key under one set of conditions."""

    offer: str
    key: str
    conditions: str
    """In words, as in `Price.conditions`; empty: standard."""
    question: Mapping[str, Any]
    """The conditions with which `Rates.price` is asked for it."""
    steps: tuple[Step, ...]
    """By day, without overlap; where there is a gap, nothing was in force."""

    def on(self, day: date) -> Price | None:
        """The price in force on a day."""
        return next((step.price for step in self.steps if step.holds(day)), None)


class Change(NamedTuple):
    """A value that became another on a day; None: there was no price before, or there is none after."""

    day: date
    history: History
    old: Price | None
    new: Price | None


def changes(history: History) -> tuple[Change, ...]:
    """Every day on which the value became another, by day; the same value from another source is no change."""
    found: list[Change] = []
    held: Step | None = None
    for step in history.steps:
        if held is not None and held.until is not None and held.until < step.first:
            found.append(Change(held.until, history, held.price, None))
            held = None
        if held is None or held.price.value != step.price.value:
            found.append(Change(step.first, history, held.price if held else None, step.price))
        held = step
    if held is not None and held.until is not None:
        found.append(Change(held.until, history, held.price, None))
    return tuple(found)


def turning_days(*dated: Iterable[PriceBlock | Discount]) -> list[date]:
    """The days on which another price may come into force: the first of each block or discount, and the first after its end."""
    found = [one for many in dated for one in many]
    return sorted({one.effective for one in found} | {one.ends for one in found if one.ends is not None})


def steps(days: Sequence[date], on: Callable[[date], Price | None], end: date | None = None) -> tuple[Step, ...]:
    """What is in force from day to day.

    Args:
        days: by date, all on which it may change.
        on: the price in force on a day, if any.
        end: the first day on which it is no longer sold, whatever is listed.
    """
    held = [(day, on(day)) for day in days if end is None or day < end]
    held += [] if end is None else [(end, None)]
    turns = [(day, price) for i, (day, price) in enumerate(held) if i == 0 or price != held[i - 1][1]]
    untils = [day for day, _ in turns[1:]]
    spans = zip(turns, [*untils, None], strict=False)
    return tuple(Step(day, until, price) for (day, price), until in spans if price is not None)
