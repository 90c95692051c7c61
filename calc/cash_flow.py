"""Money over time: flows by month, NPV, IRR and payback of what one approach saves against another.

Nominal and before tax. One-offs fall at the start of their month (m/12 years from the decision), everything else at its
end ((m + 1)/12), as a spreadsheet's NPV does. Discounting is at the effective annual rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calc.ledger import CostLine, Ledger

Flows = NDArray[np.float64]
"""US$ at 0, 1, … H months from the decision. Shape (…, months + 1)."""


def cost_flows(ledger: Ledger, volume: Any) -> Flows:
    """What the ledger costs, dated: positive where money goes out.

    Raises:
        Unpriced: a line has no price.
    """
    return one_off_flows(ledger, volume) + running_flows(ledger, volume)


def one_off_flows(ledger: Ledger, volume: Any) -> Flows:
    """The one-offs among the costs, each at the start of its month.

    Raises:
        Unpriced: a line has no price.
    """
    return at_start(_of_lines(ledger, volume, lambda line: line.timing == "one-off"))


def running_flows(ledger: Ledger, volume: Any) -> Flows:
    """The other costs, each at the end of its month.

    Raises:
        Unpriced: a line has no price.
    """
    return at_end(_of_lines(ledger, volume, lambda line: line.timing != "one-off"))


def _of_lines(ledger: Ledger, volume: Any, wanted: Callable[[CostLine], bool]) -> Flows:
    nothing = np.zeros_like(ledger.by_month(volume))
    return np.asarray(sum((line.by_month(volume) for line in ledger.lines if wanted(line)), start=nothing))


def at_start(by_month: Flows) -> Flows:
    """Amounts of months, dated at the start of each."""
    return np.concatenate([by_month, np.zeros_like(by_month[..., :1])], axis=-1)


def at_end(by_month: Flows) -> Flows:
    """Amounts of months, dated at the end of each."""
    return np.concatenate([np.zeros_like(by_month[..., :1]), by_month], axis=-1)


@dataclass(frozen=True)
class CashFlow:
    """What an approach saves against the reference, dated. Amounts are above zero where it costs less or earns more."""

    dates: tuple[date, ...]
    """Start of month 0, where the decision falls, then the end of every month, which is the start of the next."""
    one_off_usd: Flows
    """One-offs saved, at the start of their month. Shape (…, months + 1), as all amounts."""
    running_usd: Flows
    """Running cost saved, at the end of its month."""
    value_usd: Flows
    """Value earned beyond the reference's, where it enters the comparison, at the end of its month."""
    annual_rate: Any
    """Effective discount rate."""
    go_live_month: int

    @property
    def net_usd(self) -> Flows:
        """The sum of the three."""
        return self.one_off_usd + self.running_usd + self.value_usd

    @property
    def discounted_usd(self) -> Flows:
        """The sum of the three at its present value."""
        return discounted(self.net_usd, self.annual_rate)

    @property
    def cumulative_usd(self) -> Flows:
        """Net up to each date."""
        return np.asarray(np.cumsum(self.net_usd, axis=-1))

    @property
    def discounted_cumulative_usd(self) -> Flows:
        """Net at its present value, up to each date; the last is the net present value."""
        return np.asarray(np.cumsum(self.discounted_usd, axis=-1))

    @property
    def outlay_usd(self) -> NDArray[np.float64]:
        """Present value of what is spent more up front than by the reference: one-offs up to go-live. 0 where nothing is."""
        up_front = self.one_off_usd * (np.arange(self.one_off_usd.shape[-1]) <= self.go_live_month)
        return np.maximum(-present_value(up_front, self.annual_rate), 0.0) + 0.0  # never −0


def present_value(flows: Flows, annual_rate: Any) -> NDArray[np.float64]:
    """Σ flow_t / (1 + r)^(t/12), t in months from the decision.

    Args:
        annual_rate: effective; a number, or several of a shape that meets the flows' leading axes.

    Raises:
        ValueError: the rate is −100 % or less.
    """
    return np.asarray(discounted(flows, annual_rate).sum(axis=-1))


def discounted(flows: Flows, annual_rate: Any) -> Flows:
    """Each flow at its present value.

    Raises:
        ValueError: the rate is −100 % or less.
    """
    rate = np.asarray(annual_rate, dtype=float)
    if not np.all(rate > -1):
        raise ValueError(f"a discount rate must be above -1, which is -100 % a year, got {np.min(rate):g}")
    return np.asarray(flows / (1 + rate)[..., None] ** (np.arange(flows.shape[-1]) / 12))


def months_to_payback(savings: Flows) -> Flows:
    """Months from the decision until the cumulative savings are at or above zero and stay so; infinite where never.

    Args:
        savings: costs of the reference minus those of the approach. Shape (…, months + 1). Discount them first for the
            discounted payback.
    """
    below = np.cumsum(savings, axis=-1) < -1e-9 * np.abs(savings).sum(axis=-1, keepdims=True)
    last_below = savings.shape[-1] - 1 - np.argmax(below[..., ::-1], axis=-1)
    return np.where(below[..., -1], np.inf, np.where(below.any(axis=-1), last_below + 1.0, 0.0))


def payback_months(savings: Flows) -> Any:
    """`months_to_payback` of one series as a whole number, None where never; of several (draws) as it is."""
    months = months_to_payback(savings)
    if months.ndim:
        return months
    return None if np.isinf(months) else int(months)


def straight_line_usd_by_month(up_front_usd: float, first: int, life_months: int, months: int) -> Flows:
    """An up-front cost in equal parts over its asset's life within the horizon: an accounting view, no flow of money.

    Args:
        first: month of go-live.
        life_months: months the asset serves; what lies beyond the horizon is not counted.
        months: the horizon.

    Raises:
        ValueError: the asset does not serve in the horizon.
    """
    stop = min(first + life_months, months)
    if stop <= first:
        raise ValueError(f"a cost cannot be spread over {life_months} months from month {first} of {months}")
    m = np.arange(months)
    return np.asarray(np.where((m >= first) & (m < stop), up_front_usd / (stop - first), 0.0))


def annual_irr(savings: Flows) -> tuple[float, ...]:
    """Every annual rate above −100 % at which the present value of the savings is zero: i = x⁻¹² − 1 for the roots x of
    Σ flow_t xᵗ. Empty where there is none; several are possible where the sign changes more than once.
    """
    flows = np.where(np.abs(savings) > 1e-12 * np.abs(savings).max(), savings, 0.0)  # no roots from rounding
    if not (np.any(flows > 0) and np.any(flows < 0)):
        return ()
    roots = np.roots(np.trim_zeros(flows[::-1], "f"))
    # a rate of −100 % is none; a double root comes out as a pair a rounding apart
    factors = np.sort(roots.real[(np.abs(roots.imag) < 1e-6) & (roots.real > 1e-6) & (roots.real < 1e-9 ** (-1 / 12))])
    distinct = factors[np.diff(factors, prepend=0.0) > 1e-6 * factors]
    return tuple(sorted(float(x**-12.0 - 1) for x in distinct))


def irr_in_words(savings: Flows, rates: tuple[float, ...]) -> str | None:
    """Why there is not one internal rate of return; None where there is exactly one.

    Args:
        savings: as given to `annual_irr`, which gave the rates.
    """
    if len(rates) == 1:
        return None
    flows = savings[np.abs(savings) > 1e-12 * np.abs(savings).max()]
    changes = int(np.count_nonzero(np.diff(np.sign(flows))))
    if flows.size == 0:
        return "nothing is spent or saved"
    if changes == 0:
        return "nothing is spent more than by the reference" if flows[0] > 0 else "nothing is ever saved"
    times = "once" if changes == 1 else f"{changes} times"
    if rates:
        return f"{len(rates)} rates make the present value zero, for the flows change sign {times}: none of them is the return"
    return f"no rate makes the present value zero, though the flows change sign {times}"
