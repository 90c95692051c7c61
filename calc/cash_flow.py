"""Money over time: flows by month, NPV, IRR and payback of what one approach saves against another.

Nominal and before tax. One-offs fall at the start of their month (m/12 years from the decision), everything else at its
end ((m + 1)/12), as a spreadsheet's NPV does. Discounting is at the effective annual rate.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from calc.ledger import Ledger

Flows = NDArray[np.float64]
"""US$ at 0, 1, … H months from the decision. Shape (…, months + 1)."""


def cost_flows(ledger: Ledger, volume: Any) -> Flows:
    """What the ledger costs, dated: positive where money goes out.

    Raises:
        Unpriced: a line has no price.
    """
    months = ledger.by_month(volume)
    flows = np.zeros((*months.shape[:-1], months.shape[-1] + 1))
    for line in ledger.lines:
        if line.timing == "one-off":
            flows[..., :-1] += line.by_month(volume)
        else:
            flows[..., 1:] += line.by_month(volume)
    return flows


def present_value(flows: Flows, annual_rate: Any) -> NDArray[np.float64]:
    """Σ flow_t / (1 + r)^(t/12), t in months from the decision."""
    return np.asarray(discounted(flows, annual_rate).sum(axis=-1))


def discounted(flows: Flows, annual_rate: Any) -> Flows:
    """Each flow at its present value."""
    t = np.arange(flows.shape[-1])
    return np.asarray(flows / (1 + np.asarray(annual_rate)[..., None]) ** (t / 12))


def payback_months(savings: Flows) -> int | None:
    """Months from the decision until the cumulative savings are at or above zero and stay so; None where never.

    Args:
        savings: costs of the reference minus those of the approach. Shape (months + 1,). Discount them first for the
            discounted payback.
    """
    cumulative = np.cumsum(savings)
    tolerance = 1e-9 * np.abs(savings).sum()
    below = np.flatnonzero(cumulative < -tolerance)
    if below.size and below[-1] == len(savings) - 1:
        return None
    return int(below[-1]) + 1 if below.size else 0


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
