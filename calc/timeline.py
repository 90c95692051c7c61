"""Months, growth, prices over time, and the dates on which models stop.

Month 0 is the first calendar month after the as-of day. A month is 730 hours. Prices of a month are those in force on
its first day. A model serves a month only if it lasts through the month's last day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calc.scenario import CompoundGrowth, Growth, LinearGrowth, SCurveGrowth, SeasonalGrowth, SeriesGrowth
from pricing import Price, PriceMissing, PriceUnverified, Rates
from pricing.keys import bought_at_once
from pricing.model import LifecycleEvent

HOURS_PER_MONTH = 730.0
"""Hours of a month: 8,760 ÷ 12, as providers' own monthly examples use."""
DAYS_PER_MONTH = HOURS_PER_MONTH / 24

Floats = NDArray[np.float64]


def first_of_month(day: date, months_later: int = 0) -> date:
    """First day of the month ``months_later`` months after the one ``day`` is in."""
    index = day.year * 12 + day.month - 1 + months_later
    return date(index // 12, index % 12 + 1, 1)


@dataclass(frozen=True)
class Months:
    """The months of a horizon: month m starts on ``starts[m]`` and ends before ``starts[m + 1]``."""

    as_of: date
    count: int

    @cached_property
    def starts(self) -> tuple[date, ...]:
        """First day of each month, month 0 being the first calendar month after the as-of day."""
        return tuple(first_of_month(self.as_of, 1 + m) for m in range(self.count))

    def last_day(self, month: int) -> date:
        """Last day of a month."""
        return first_of_month(self.as_of, 2 + month) - timedelta(days=1)

    def first_unserved(self, ends: date) -> int:
        """The first month not wholly before an exclusive end date; ``count`` where all are served."""
        return next((m for m in range(self.count) if self.last_day(m) >= ends), self.count)

    def index(self, day: date) -> int:
        """The month a day falls in; negative before month 0."""
        return (day.year - self.starts[0].year) * 12 + day.month - self.starts[0].month


def growth_factors(growth: Growth, months: Months) -> Floats:
    """g_m with g_0 = 1: each month's volume over month 0's. Shape (months,), or draws × months where inputs are drawn."""
    m = np.arange(months.count, dtype=float)
    if isinstance(growth, CompoundGrowth):
        factors: Floats = np.asarray((1 + np.asarray(growth.monthly_share)) ** m)
        return factors
    if isinstance(growth, LinearGrowth):
        return np.asarray(np.maximum(1 + np.asarray(growth.monthly_share) * m, 0))
    if isinstance(growth, SCurveGrowth):
        # ln 81 separates 10 % from 90 % of a logistic curve of unit steepness
        steepness = np.log(81) / np.asarray(growth.months_from_10_to_90_percent)
        logistic = _logistic(steepness * (m - growth.midpoint_month))
        start = _logistic(-steepness * growth.midpoint_month)
        return np.asarray(1 + (growth.final_multiple - 1) * (logistic - start) / (1 - start))
    if isinstance(growth, SeasonalGrowth):
        factors = _side_by_side([growth.january_to_december[day.month - 1] for day in months.starts])
        return np.asarray(factors / factors[..., :1])
    if isinstance(growth, SeriesGrowth):
        series = _side_by_side(list(growth.requests_by_month[: months.count]))
        return np.asarray(series / series[..., :1])
    return np.ones(months.count)


def _logistic(x: Any) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -700, 700))))  # beyond, e^x leaves the range of floats


def _side_by_side(values: list[Any]) -> Floats:
    """One number a month, drawn or not, along the last axis."""
    return np.concatenate(np.broadcast_arrays(*(np.atleast_1d(value) for value in values)), axis=-1)


@dataclass(frozen=True)
class MonthlyPrice:
    """A price in every month, with the price rows it comes from in order of first use."""

    usd: Floats
    rows: tuple[Price, ...] = ()
    missing: str | None = None
    """Why there is no price; ``usd`` is then not a number anywhere, so that nothing can be built on it."""
    note: str = ""
    """What a formula has to say of the price beyond its rows: how it is assumed to fall."""


def monthly_price(rates: Rates, months: Months, active: Floats, offer: str, key: str, **conditions: Any) -> MonthlyPrice:
    """The price in force on the first day of each active month; 0 in months that are not active, where nothing is bought.

    A price that is missing, unverified, or of an offer shut down before the last active month ends gives a
    `MonthlyPrice` that says so.

    Raises:
        UnknownOffer: the offer is not in the book.
    """
    asked = (months, active.tobytes(), offer, key, *sorted(conditions.items()))
    if asked not in rates.memory:
        price = _looked_up(rates, months, active, offer, key, conditions)
        price.usd.setflags(write=False)
        rates.memory[asked] = price
    remembered: MonthlyPrice = rates.memory[asked]
    return remembered


def _looked_up(rates: Rates, months: Months, active: Floats, offer: str, key: str, conditions: dict[str, Any]) -> MonthlyPrice:
    needed = np.flatnonzero(active)
    if needed.size == 0:
        return MonthlyPrice(np.zeros(months.count))
    end, last = inference_ends(rates, offer), int(needed[-1])
    if end is not None and end.date <= (months.starts[last] if bought_at_once(key) else months.last_day(last)):
        return _no_price(months, f"{offer} is shut down on {end.date} ({cited(end)})")
    try:
        found = rates.prices(offer, key, tuple(months.starts[m] for m in needed), **conditions)
    except (PriceMissing, PriceUnverified) as error:
        return _no_price(months, str(error))
    usd = np.zeros(months.count)
    usd[needed] = [price.usd for price in found]
    return MonthlyPrice(usd, tuple(dict.fromkeys(found)))


def _no_price(months: Months, why: str) -> MonthlyPrice:
    return MonthlyPrice(np.full(months.count, np.nan), missing=why)


def scaled(price: MonthlyPrice, factor: Any) -> MonthlyPrice:
    """The price multiplied by a number, or by an array of shape (n, 1); its rows stay as they are listed."""
    if np.ndim(factor) == 0 and factor == 1:
        return price
    return MonthlyPrice(np.asarray(price.usd * factor), price.rows, price.missing)


def declined(price: MonthlyPrice, months: Months, price_decline_per_year: Any) -> MonthlyPrice:
    """The price falling by an assumed yearly share after the last month with a listed change: (1 − d)^((m − m_last)/12).

    m_last is the first month with the last announced price, so that announced cuts are not counted twice.
    """
    if np.ndim(price_decline_per_year) == 0 and price_decline_per_year == 0:
        return price
    # a price that starts within a month is that of the next one
    last_listed = max((months.index(row.effective) + (row.effective.day > 1) for row in price.rows), default=0)
    m = np.arange(months.count)
    first = max(last_listed, 0)
    exponent = np.maximum(m - first, 0) / 12
    usd = price.usd * (1 - np.asarray(price_decline_per_year)) ** exponent
    falls = np.size(price_decline_per_year) == 1 and np.any((exponent > 0) & (price.usd != 0))
    return MonthlyPrice(usd, price.rows, price.missing, _falling(price_decline_per_year, months.starts[first]) if falls else "")


def noted(*prices: MonthlyPrice) -> str:
    """The notes of prices that are added up, each once."""
    return "; ".join(dict.fromkeys(price.note for price in prices if price.note))


def _falling(price_decline_per_year: Any, since: date) -> str:
    percent = 100 * float(np.asarray(price_decline_per_year).reshape(()))
    return f"price falling {percent:.6g}% a year after {since:%B %Y}"


# --- lifecycle ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Refusal:
    """Why something cannot be done on a day, in words, with the recorded event behind it where there is one."""

    reason: str
    event: LifecycleEvent | None = None


def inference_ends(rates: Rates, offer: str) -> LifecycleEvent | None:
    """The recorded end of inference of an offer, or None where none is known."""
    ends = [e for e in rates.lifecycle(offer) if e.event == "inference_ends"]
    return min(ends, key=lambda e: (e.date, e.confidence != "primary"), default=None)


def cited(event: LifecycleEvent) -> str:
    """Where an event's date comes from, in brackets' words."""
    return f"{event.source}, read {event.source_date}" + (", unverified" if event.confidence == "unverified" else "")


def training_refused(rates: Rates, offer: str, standing: str, day: date) -> Refusal | None:
    """Why an organisation of this standing cannot start a tuning job on this day, or None where it can.

    Args:
        standing: new, inactive or active with the offer's provider.
    """
    provider, _, _ = rates.item(offer)
    for event in rates.lifecycle(offer):
        if event.date > day:
            continue
        closed = {
            "training_ends": f"{provider.name} starts no tuning job of {offer} from {event.date} on",
            "inference_ends": f"{offer} was shut down on {event.date}",
            "closed_to_new_customers": f"{provider.name} closed tuning to new organisations on {event.date}",
            "closed_to_inactive": f"{provider.name} closed tuning to inactive organisations on {event.date}",
        }.get(event.event)
        applies = {
            "closed_to_new_customers": standing == "new",
            "closed_to_inactive": standing in ("new", "inactive"),
        }.get(event.event, True)
        if closed and applies:
            return Refusal(f"{closed} ({cited(event)})", event)
    return None


@dataclass(frozen=True)
class Segment:
    """A run of months served by one offer (or by own weights)."""

    offer: str
    first: int
    stop: int

    def active(self, months: int) -> Floats:
        """1 in the months of the segment, else 0."""
        m = np.arange(months)
        return ((m >= self.first) & (m < self.stop)).astype(float)


@dataclass(frozen=True)
class End:
    """The end of an offer that nothing takes over from, and why not."""

    event: LifecycleEvent
    why_no_successor: str


@dataclass(frozen=True)
class TimelineEvent:
    """Something dated that happens to an approach within the horizon."""

    month: int
    day: date
    kind: str
    """migration, fallback, or retraining refused."""
    text: str
    source: str = ""


def service_segments(
    rates: Rates,
    months: Months,
    offer: str,
    first: int,
    successor_refused: Callable[[str, date], Refusal | None],
) -> tuple[tuple[Segment, ...], tuple[TimelineEvent, ...], End | None]:
    """Which offer serves which months: an offer until it ends, then its named successor where it is eligible.

    An offer that ends before it serves a month is not replaced: its user has to choose another.

    Args:
        first: month of go-live.
        successor_refused: why a successor cannot take over on a day, or None where it can.

    Returns:
        The segments, the migrations, and the end that no successor takes over from (None where all months are served).
    """
    segments: list[Segment] = []
    events: list[TimelineEvent] = []
    start = first
    while True:
        end = inference_ends(rates, offer)
        stop = months.first_unserved(end.date) if end else months.count
        if stop > start:
            segments.append(Segment(offer, start, min(stop, months.count)))
        if end is None or stop >= months.count:
            return tuple(segments), tuple(events), None
        successor, start = end.successor, stop
        if successor is None:
            return tuple(segments), tuple(events), End(end, "no successor is named")
        if not segments or segments[-1].stop != stop:
            return tuple(segments), tuple(events), End(end, f"it never serves a month, so its successor {successor} is not tried")
        day = months.starts[stop]
        refusal = successor_refused(successor, day)
        if refusal is not None:
            return tuple(segments), tuple(events), End(end, f"its named successor cannot take over: {refusal.reason}")
        events.append(
            TimelineEvent(
                start,
                day,
                "migration",
                f"{offer} ends on {end.date}; moved to its named successor {successor}",
                cited(end),
            )
        )
        offer = successor
