"""What every part of an approach is given: the stated inputs, the prices, and the months in which it runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from calc.scenario import Approach, Scenario
from calc.timeline import Floats, MonthlyPrice, Months, declined, growth_factors, monthly_price, scaled
from pricing import PriceMissing, Rates
from pricing.model import Price


class Given(NamedTuple):
    """A number and, where it was not stated, the name of the assumption it comes from."""

    value: Any
    assumption: str | None = None


class StaffRate(NamedTuple):
    """Loaded hourly rate of a role."""

    price: MonthlyPrice
    assumptions: tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """The circumstances of one approach over the months it is active.

    The scenario is resolved: its numbers are floats, or arrays with a last axis of length 1 where they are drawn.
    """

    scenario: Scenario
    approach: Approach
    rates: Rates
    months: Months
    active: Floats
    """1 in the months in which the approach runs, else 0. Shape (months,)."""

    @property
    def name(self) -> str:
        """What the scenario calls the approach; <name> where it is none of the scenario's own."""
        named = (name for name, approach in self.scenario.approaches.items() if approach is self.approach)
        return next(named, "<name>")

    def within(self, active: Floats) -> Setting:
        """The same approach in other months."""
        return replace(self, active=active)

    def in_month(self, month: int) -> Setting:
        """The same approach in one month alone."""
        return self.within((np.arange(self.months.count) == month).astype(float))

    @cached_property
    def growth(self) -> Floats:
        """g_m in active months, else 0."""
        return np.asarray(growth_factors(self.scenario.workload.growth, self.months) * self.active)

    @cached_property
    def _accepted(self) -> frozenset[str]:
        """Offers whose unverified prices may be used, by every name they go by."""
        found = [self.rates.item(offer) for offer in self.scenario.accept_unverified]
        return frozenset(f"{provider.id}/{name}" for provider, item_id, item in found for name in (item_id, *item.aliases))

    @property
    def start(self) -> int:
        """First active month; the horizon's length where there is none."""
        running = np.flatnonzero(self.active)
        return int(running[0]) if running.size else self.months.count

    @property
    def active_hours(self) -> Given:
        """Hours of the day with traffic: as stated, the length of the stated window, or the assumption."""
        work = self.scenario.workload
        if work.active_hours_per_day is None and work.active_hours_utc is not None:
            return Given(float(len(hours_of(work.active_hours_utc))))
        return self.given(work.active_hours_per_day, "serving.active_hours_per_day")

    def price(self, offer: str, key: str, **conditions: Any) -> MonthlyPrice:
        """The price of an offer by month, zero outside the active months. See `calc.timeline.monthly_price`."""
        if offer in self._accepted:
            conditions["accept_unverified"] = True
        price = monthly_price(self.rates, self.months, self.active, offer, key, **conditions)
        peak = self.rates.peak_half_hours(offer)
        if peak and not price.missing:
            price = self._blended(price, peak, offer, key, conditions)
        price = scaled(price, self.rates.price_factor(offer, key))
        if key.endswith("_usd_per_mtok") and not key.startswith("training"):
            return declined(price, self.months, self.scenario.finance.price_decline_per_year)
        return price

    def _blended(
        self, price: MonthlyPrice, peak: frozenset[tuple[int, float]], offer: str, key: str, conditions: dict[str, Any]
    ) -> MonthlyPrice:
        """Time-of-day rates weighed by the share of the traffic in each of their half hours."""
        half_hours = [hour + half for hour in hours_of(self.scenario.workload.active_hours_utc) for half in (0, 0.5)]
        timed = [(day, hour) for day in range(1, 8) for hour in half_hours if (day, hour) in peak]
        at_peak = [monthly_price(self.rates, self.months, self.active, offer, key, at_hour=at, **conditions) for at in timed]
        usd = price.usd * (1 - len(timed) / (7 * len(half_hours))) + sum(p.usd for p in at_peak) / (7 * len(half_hours))
        rows = (*price.rows, *(row for p in at_peak for row in p.rows))
        missing = next((p.missing for p in at_peak if p.missing), None)
        return MonthlyPrice(np.asarray(usd), tuple(dict.fromkeys(rows)), missing)

    def sells(self, offer: str, key: str, **conditions: Any) -> bool:
        """Whether the offer has such a charge in the active months, be its price usable or not.

        For charges that not every provider makes (a job's minimum, storage of a tuned model, a plan's minimum): where
        the book lists none there is none to pay, which is not a missing price.
        """
        day = self.months.starts[min(self.start, self.months.count - 1)]
        return self.rates.lists(offer, key, day, **conditions)

    def given(self, stated: Any, assumption: str) -> Given:
        """The stated number, or the likely value of the named assumption."""
        if stated is not None:
            return Given(stated)
        return Given(self.rates.assumption(assumption).likely, assumption)

    def staff_rate(self, role: str) -> StaffRate:
        """US$ an hour of a role: as stated, else published wage × (1 + overhead) ÷ productive hours.

        Raises:
            UnknownOffer: the role is neither stated nor in the book.
        """
        stated = self.scenario.staff_usd_per_hour.get(role)
        everywhere = np.ones(self.months.count)
        if stated is not None:
            return StaffRate(MonthlyPrice(np.asarray(stated) * everywhere), ())
        try:
            hourly, wage, names = role_rate(self.rates, role)
        except PriceMissing as error:
            return StaffRate(MonthlyPrice(everywhere * np.nan, missing=str(error)), ())
        return StaffRate(MonthlyPrice(hourly * everywhere, (wage,)), names)


def role_rate(rates: Rates, role: str) -> tuple[Any, Price, tuple[str, ...]]:
    """US$ an hour of a role, published wage × (1 + overhead) ÷ productive hours; the wage, and the assumptions' names.

    Raises:
        UnknownOffer: the role is not in the book.
        PriceMissing: its wage is not, or not yet.
    """
    offer = f"bls/{role}"
    key = "wage_usd_per_hour" if rates.lists(offer, "wage_usd_per_hour", rates.as_of) else "wage_usd_per_year"
    wage = rates.prices(offer, key, (rates.as_of,))[0]
    by_hour, overhead = key == "wage_usd_per_hour", "staff.overhead_share"
    hours = "staff.productive_hours_per_year"
    paid = wage.usd * rates.price_factor(offer, key)
    hourly = paid if by_hour else paid / rates.assumption(hours).likely
    return hourly * (1 + rates.assumption(overhead).likely), wage, (overhead,) if by_hour else (overhead, hours)


def hours_of(active_hours_utc: str | None) -> tuple[int, ...]:
    """The hours of a window like ``08:00-20:00``, which may pass midnight; all of the day where none is stated."""
    first, last = (int(t[:2]) for t in active_hours_utc.split("-")) if active_hours_utc else (0, 24)
    return tuple(range(first, last)) if first < last else (*range(first, 24), *range(last))


def say(number: Any) -> str:
    """A number for a formula's text; drawn numbers and missing ones are only named."""
    if np.size(number) != 1:
        return "(drawn)"
    one = float(number if isinstance(number, float | int) else np.asarray(number).reshape(()))
    if np.isnan(one):
        return "(unknown)"
    return f"{one:,.0f}" if abs(one) >= 1e5 else f"{one:,.6g}"


def counted(number: Any, thing: str) -> str:
    """``1 epoch``, ``3 epochs``: a number with what it counts."""
    return f"{say(number)} {thing}" + ("" if np.size(number) == 1 and np.all(np.asarray(number) == 1) else "s")
