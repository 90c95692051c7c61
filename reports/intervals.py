"""Who is cheapest at which volume, interval by interval, and what makes it so."""

from __future__ import annotations

from dataclasses import dataclass

from calc.break_even import Interval
from calc.compare import Comparison
from calc.timeline import growth_factors
from reports import words


@dataclass(frozen=True)
class IntervalRow:
    """One interval of the envelope."""

    first: int
    last: int
    cheapest: str
    why: str


def interval_rows(comparison: Comparison) -> list[IntervalRow]:
    """The whole envelope in order, each interval with what hands the lead over at its start."""
    rows: list[IntervalRow] = []
    before: Interval | None = None
    for interval in comparison.envelope:
        name = words.label(interval.winner) if interval.winner else "Tie"
        rows.append(IntervalRow(interval.first, interval.last, name, _why(comparison, before, interval)))
        before = interval
    return rows


def _why(comparison: Comparison, before: Interval | None, interval: Interval) -> str:
    if interval.winner is None:
        return "the totals are equal"
    if before is None:
        fixed = float(comparison.available[interval.winner].curve.total(interval.first))
        return f"costs least without traffic: {words.money(fixed)}"
    if before.winner is None:
        return "ahead by the least of amounts"
    return _handed_over(comparison, before.winner, interval.winner, interval.first)


def _handed_over(comparison: Comparison, old: str, new: str, at: int) -> str:
    """A step of one of the two, or fewer dollars for each further request."""
    curves = {name: comparison.available[name].curve for name in (old, new)}
    found = comparison.break_even(old, new)
    smooth = dict(zip(found.crossings, found.equal_at, strict=False)).get(at)
    if smooth is None:
        jumps = {name: float(curve.total(at) - curve.total(at - 1)) for name, curve in curves.items()}
        name = max(jumps, key=lambda n: abs(jumps[n]))
        return f"{words.in_sentence(name)} steps by {words.money(jumps[name], plus=True)}"
    growth = float(growth_factors(comparison.point.workload.growth, comparison.months).sum())
    more = {name: float(curve.total(2 * at) - curve.total(at)) / (at * growth) * 1000 for name, curve in curves.items()}
    if more[new] < more[old]:
        return f"1,000 more cost {words.money_cents(more[new])}, not {words.money_cents(more[old])}"
    return f"catches up with {words.in_sentence(old)} in between two steps"
