"""A cost line and a ledger of them: what is bought, how much of it at any volume, at what price, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from calc.timeline import Floats, MonthlyPrice, TimelineEvent
from calc.volume import Curve, Linear, Shape
from pricing import Price

Group = Literal[
    "rejected answers",
    "tokens",
    "gpu rental",
    "staff and evaluation",
    "data and training",
    "retrieval",
    "commitments and credits",
]
GROUPS: tuple[Group, ...] = get_args(Group)
Timing = Literal["one-off", "monthly", "per request", "stepped"]


class Unpriced(Exception):
    """A total was asked of a ledger with a line that has no price; the message names the lines and why."""


class Predicted(NamedTuple):
    """A quantity of own GPUs that was not stated but predicted, with the interval that holds nine of ten."""

    what: str
    """The field of the scenario that would state it."""
    low: Any
    likely: Any
    high: Any
    unit: str
    basis: str
    """What it was computed from, and what the coefficients were fitted to."""


@dataclass(frozen=True)
class CostLine:
    """One thing that is paid for: quantity × unit price in every month.

    ``quantity`` gives the amount by month as a function of the volume; ``unit_price`` is in USD per ``unit``.
    """

    key: str
    """Stable id, ``part.what``."""
    name: str
    group: Group
    timing: Timing
    quantity: Shape
    unit: str
    unit_price: Floats
    formula: str
    """How quantity and price come about, with their numbers."""
    prices: tuple[Price, ...] = ()
    assumptions: tuple[str, ...] = ()
    """Names of the assumptions used (``pricing.Rates.assumption``)."""
    missing: str | None = None
    """Why the line cannot be priced."""
    predicted: tuple[Predicted, ...] = ()

    @property
    def part(self) -> str:
        """The part of the approach the line belongs to."""
        return self.key.partition(".")[0]

    def by_month(self, volume: Any) -> NDArray[np.float64]:
        """US$ in every month. Shape: that of ``volume`` (and of any draws), then months."""
        return np.asarray(self.quantity.at(volume) * self.unit_price)

    def total(self, volume: Any) -> NDArray[np.float64]:
        """US$ over the horizon. Shape: that of ``volume`` and of any draws."""
        return np.asarray(self.by_month(volume).sum(axis=-1))

    def quantity_total(self, volume: Any) -> NDArray[np.float64]:
        """Units over the horizon."""
        return np.asarray(self.quantity.at(volume).sum(axis=-1))


def priced_line(
    key: str,
    name: str,
    group: Group,
    timing: Timing,
    quantity: Shape,
    unit: str,
    price: MonthlyPrice,
    formula: str,
    *,
    per: float = 1.0,
    assumptions: Iterable[str | None] = (),
    predicted: tuple[Predicted, ...] = (),
) -> CostLine:
    """A line at a price of the book; ``per`` is the number of quantity units the price is for (10⁶ for a price per Mtok)."""
    return CostLine(
        key=key,
        name=name,
        group=group,
        timing=timing,
        quantity=quantity,
        unit=unit,
        unit_price=price.usd if per == 1 else price.usd / per,
        formula=f"{formula}, {price.note}" if price.note else formula,
        prices=price.rows,
        assumptions=tuple(dict.fromkeys(a for a in assumptions if a)),
        missing=price.missing,
        predicted=predicted,
    )


def once(months: int, month: int, quantity: Any) -> Linear:
    """A quantity bought in one month, whatever the volume."""
    return Linear(np.asarray(quantity, dtype=float) * (np.arange(months) == month), np.zeros(months))


def each(active: Floats, quantity: Any) -> Linear:
    """A quantity bought in every active month, whatever the volume."""
    return Linear(np.asarray(quantity) * active, np.zeros_like(active))


def per_request(active_growth: Floats, quantity: Any) -> Linear:
    """A quantity bought for every request of the active months.

    Args:
        active_growth: g_m in active months, else 0.
    """
    per = np.asarray(quantity) * active_growth
    return Linear(np.zeros(per.shape[-1]), per)


@dataclass(frozen=True)
class Ledger:
    """All cost lines of one approach, and what happens to it over the horizon."""

    approach: str
    lines: tuple[CostLine, ...]
    events: tuple[TimelineEvent, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[CostLine, ...]:
        """The lines without a price."""
        return tuple(line for line in self.lines if line.missing)

    @cached_property
    def curve(self) -> Curve:
        """Total US$ over the horizon as a function of the volume.

        Raises:
            Unpriced: a line has no price.
        """
        self._check_priced()
        return Curve.of((line.quantity, line.unit_price) for line in self.lines)

    def total(self, volume: Any) -> NDArray[np.float64]:
        """US$ over the horizon, the sum of all lines.

        Raises:
            Unpriced: a line has no price.
        """
        self._check_priced()
        return np.asarray(sum((line.total(volume) for line in self.lines), start=np.zeros(np.shape(volume))))

    def by_month(self, volume: Any) -> NDArray[np.float64]:
        """US$ in every month, the sum of all lines.

        Raises:
            Unpriced: a line has no price.
        """
        self._check_priced()
        return np.asarray(sum(line.by_month(volume) for line in self.lines))

    def by_group(self, volume: Any) -> dict[Group, NDArray[np.float64]]:
        """US$ over the horizon by group of lines; groups without a line are left out.

        Raises:
            Unpriced: a line has no price.
        """
        self._check_priced()
        sums: dict[Group, NDArray[np.float64]] = {}
        for group in GROUPS:
            lines = [line for line in self.lines if line.group == group]
            if lines:
                sums[group] = np.asarray(sum(line.total(volume) for line in lines))
        return sums

    def _check_priced(self) -> None:
        if self.missing:
            raise Unpriced("; ".join(f"{line.name}: {line.missing}" for line in self.missing))
