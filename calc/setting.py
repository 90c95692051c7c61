"""What every part of an approach is given: the stated inputs, the prices, and the months in which it runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from calc.scenario import Approach, Scenario
from calc.timeline import Floats, MonthlyPrice, Months, declined, growth_factors, monthly_price
from pricing import PriceMissing, PriceUnverified, Rates
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

    @property
    def start(self) -> int:
        """First active month; the horizon's length where there is none."""
        running = np.flatnonzero(self.active)
        return int(running[0]) if running.size else self.months.count

    @property
    def stop(self) -> int:
        """The month after the last active one."""
        running = np.flatnonzero(self.active)
        return int(running[-1]) + 1 if running.size else 0

    def price(self, offer: str, key: str, **conditions: Any) -> MonthlyPrice:
        """The price of an offer by month, zero outside the active months. See `calc.timeline.monthly_price`."""
        provider, item_id, _ = self.rates.item(offer)
        if {offer, f"{provider.id}/{item_id}"} & set(self.scenario.accept_unverified):
            conditions["accept_unverified"] = True
        price = monthly_price(self.rates, self.months, self.active, offer, key, **conditions)
        peak = self.rates.peak_hours(offer)
        if peak and not price.missing:
            price = self._blended(price, peak, offer, key, conditions)
        if key.endswith("_usd_per_mtok") and not key.startswith("training"):
            return declined(price, self.months, self.scenario.finance.price_decline_per_year)
        return price

    def _blended(
        self, price: MonthlyPrice, peak: frozenset[tuple[int, int]], offer: str, key: str, conditions: dict[str, Any]
    ) -> MonthlyPrice:
        """Time-of-day rates weighed by the share of traffic in their hours (`peak_share`)."""
        at_peak = monthly_price(self.rates, self.months, self.active, offer, key, at_hour=min(peak), **conditions)
        share = peak_share(peak, self.scenario.workload.active_hours_utc)
        rows = tuple(dict.fromkeys((*price.rows, *at_peak.rows)))
        return MonthlyPrice((1 - share) * price.usd + share * at_peak.usd, rows, at_peak.missing)

    def sells(self, offer: str, key: str, **conditions: Any) -> bool:
        """Whether the offer has such a charge at all in the first active month, be its price usable or not.

        For charges that not every provider makes (a job's minimum, storage of a tuned model, a store's writes): where
        the book lists none there is none to pay, which is not a missing price.
        """
        day = self.months.starts[min(self.start, self.months.count - 1)]
        try:
            self.rates.prices(offer, key, (day,), **conditions)
        except PriceMissing:
            return False
        except PriceUnverified:
            return True
        return True

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
        overhead = self.rates.assumption("staff.overhead_share").likely
        hours = self.rates.assumption("staff.productive_hours_per_year").likely
        try:
            wage = self._wage(f"bls/{role}")
        except PriceMissing as error:
            return StaffRate(MonthlyPrice(everywhere * np.nan, missing=str(error)), ())
        hourly = wage.usd if wage.key == "wage_usd_per_hour" else wage.usd / hours
        names = ("staff.overhead_share",) + (("staff.productive_hours_per_year",) if wage.key == "wage_usd_per_year" else ())
        return StaffRate(MonthlyPrice(hourly * (1 + overhead) * everywhere, (wage,)), names)

    def _wage(self, offer: str) -> Price:
        hourly = any("wage_usd_per_hour" in block.prices for block in self.rates.item(offer)[2].price)
        key = "wage_usd_per_hour" if hourly else "wage_usd_per_year"
        return self.rates.prices(offer, key, (self.rates.as_of,))[0]


def peak_share(peak: frozenset[tuple[int, int]], active_hours_utc: str | None) -> float:
    """Share of the traffic that falls in hours of a price of their own.

    Args:
        peak: (ISO weekday, hour UTC).
        active_hours_utc: ``08:00-20:00``; None spreads the traffic evenly over the week.
    """
    first, last = (int(t[:2]) for t in active_hours_utc.split("-")) if active_hours_utc else (0, 24)
    hours = range(first, last) if first < last else (*range(first, 24), *range(last))
    return sum((day, hour) in peak for day in range(1, 8) for hour in hours) / (7 * len(hours))


def say(number: Any) -> str:
    """A number for a formula's text; drawn numbers are only named."""
    if np.size(number) != 1:
        return "(drawn)"
    one = float(number if isinstance(number, float | int) else np.asarray(number).reshape(()))
    return f"{one:,.0f}" if abs(one) >= 1e5 else f"{one:,.6g}"


def counted(number: Any, thing: str) -> str:
    """``1 epoch``, ``3 epochs``: a number with what it counts."""
    return f"{say(number)} {thing}" + ("" if np.size(number) == 1 and np.all(np.asarray(number) == 1) else "s")
