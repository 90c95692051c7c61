"""What answers are worth, where the scenario states it: each way of earning a benefit of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calc.ledger import Unpriced, per_request
from calc.parts.failures import failure_mode
from calc.scenario import Value
from calc.setting import Setting, say
from calc.timeline import Floats
from calc.volume import Linear
from pricing import Price

NOT_ACCEPTED = (
    "not valued, because no accepted share is stated: add approaches.{name}.accepted, for example {{successes: 180, trials: 200}}"
)
NO_SECONDS = "not valued, because {name} states no seconds: add approaches.{name}.seconds_per_answer"


@dataclass(frozen=True)
class Benefit:
    """One thing that is earned: quantity × worth in every month. Below zero where it is lost."""

    key: str
    """Stable id, ``value.what``."""
    name: str
    quantity: Linear
    unit: str
    usd: Floats
    """US$ a unit, by month."""
    formula: str
    prices: tuple[Price, ...] = ()
    assumptions: tuple[str, ...] = ()
    missing: str | None = None
    """Why it is not valued."""

    @property
    def is_of_answers(self) -> bool:
        """Whether accepted answers earn it, not saved seconds."""
        return self.key != LATENCY

    def by_month(self, volume: Any) -> NDArray[np.float64]:
        """US$ in every month, at its end. Shape: that of ``volume`` (and of any draws), then months.

        Raises:
            Unpriced: it is not valued.
        """
        if self.missing:
            raise Unpriced(f"{self.name}: {self.missing}")
        return np.asarray(self.quantity.at(volume) * self.usd)

    def total(self, volume: Any) -> NDArray[np.float64]:
        """US$ over the horizon.

        Raises:
            Unpriced: it is not valued.
        """
        return np.asarray(self.by_month(volume).sum(axis=-1))


LATENCY = "value.latency"


def answer_benefits(setting: Setting, value: Value, accepted: Floats | None) -> tuple[Benefit, ...]:
    """What the accepted answers earn, by each method that is stated.

    Args:
        setting: over all months.
        accepted: share of the requests that end accepted, by month: all where rejected answers are remediated; None where
            it is not stated.
    """
    if not value.is_of_answers:
        return ()
    share = np.full(setting.months.count, np.nan) if accepted is None else accepted
    what, times_share = _counted(setting)
    answers = per_request(setting.growth, share)
    minutes = value.minutes_saved_per_accepted_answer
    found = []
    if np.any(np.asarray(minutes) > 0):
        found.append(_staff_time(setting, value, answers, what))
    if value.conversion_uplift_share is not None:
        uplift, each = value.conversion_uplift_share, np.asarray(value.usd_per_conversion)
        formula = f"{what} × {say(uplift)} more conversions × ${say(each)}"
        quantity = per_request(setting.growth, share * uplift)
        found.append(_stated(setting, "uplift", "Revenue uplift", quantity, "conversion", each, formula))
    if value.churn_avoided_share_per_month is not None:
        found.append(_retention(setting, value, share, times_share))
    if value.paying_customers is not None:
        count, each = value.paying_customers, np.asarray(value.usd_premium_per_customer_per_month)
        formula = f"{say(count)} paying customers{times_share} × ${say(each)} a month"
        found.append(_stated(setting, "premium", "Premium", _fixed(share * count), "customer-month", each, formula))
    plain = np.asarray(value.usd_per_accepted_answer)
    if np.any(plain > 0) or not found:
        formula = f"{what} × ${say(plain)}"
        found.insert(0, _stated(setting, "answers", "Accepted answers", answers, "answer", plain, formula))
    why = NOT_ACCEPTED.format(name=setting.name)
    return tuple(found) if accepted is not None else tuple(_not_valued(benefit, why) for benefit in found)


def _counted(setting: Setting) -> tuple[str, str]:
    """What is counted in a formula's words: answers, and customers' share."""
    remediate = failure_mode(setting.scenario.task) == "remediate"
    return ("resolved answers", "") if remediate else ("accepted answers", " × accepted share")


def _staff_time(setting: Setting, value: Value, answers: Linear, what: str) -> Benefit:
    minutes: Any = value.minutes_saved_per_accepted_answer
    rate = setting.staff_rate(value.role)
    return Benefit(
        "value.staff_time",
        "Staff time displaced",
        answers,
        "answer",
        np.asarray(minutes / 60 * rate.price.usd),
        f"{what} × {say(minutes)} min of {value.role.replace('_', ' ')}",
        rate.price.rows,
        rate.assumptions,
        f"value.role: {rate.price.missing}" if rate.price.missing else None,
    )


def _retention(setting: Setting, value: Value, share: Floats, times_share: str) -> Benefit:
    joining = share * np.asarray(value.churn_avoided_share_per_month) * np.asarray(value.customers)
    leaving = value.kept_customers_leaving_share_per_month
    each = np.asarray(value.usd_per_customer_per_month)
    formula = (
        f"{say(value.customers)} customers × {say(value.churn_avoided_share_per_month)} less churn a month{times_share}, "
        f"of whom {say(leaving)} leave in each later month × ${say(each)} a month"
    )
    return _stated(setting, "retention", "Retention", _fixed(kept(joining, leaving)), "customer-month", each, formula)


def kept(joining: Floats, leaving_share: Any) -> Floats:
    """Customers still there who would have left: K_m = K_(m−1)·(1 − leaving share) + joining_m. Shape (…, months)."""
    stock, months = np.zeros(1), []
    for m in range(joining.shape[-1]):
        stock = stock * (1 - np.asarray(leaving_share)) + joining[..., m : m + 1]
        months.append(stock)
    return np.concatenate(months, axis=-1)


def latency_benefit(
    setting: Setting, value: Value, name: str, active: Floats, reference: tuple[str, Any], reference_requests: Any = 1.0
) -> tuple[Benefit, ...]:
    """What it is worth that answers take fewer seconds than the reference's; none where a second has no worth.

    Args:
        setting: over all months.
        name: of the approach.
        active: 1 in the months in which it serves itself, else 0: then the reference's seconds are waited.
        reference: its name and its seconds per answer.
        reference_requests: requests the reference is sent for each of the approach's.
    """
    if value.usd_per_second_saved is None:
        return ()
    each, own, theirs = np.asarray(value.usd_per_second_saved), setting.approach.seconds_per_answer, reference[1]
    silent = reference[0] if theirs is None else name if own is None else None
    if silent is not None:
        nothing = per_request(setting.growth, np.nan)
        benefit = _stated(setting, "latency", "Seconds saved", nothing, "second", each, f"seconds saved × ${say(each)}")
        return (_not_valued(benefit, NO_SECONDS.format(name=silent)),)
    waited = active * np.asarray(own) + (1 - active) * np.asarray(theirs)
    quantity = per_request(setting.growth, np.asarray(theirs) * reference_requests - waited)
    formula = f"requests × ({say(theirs)} s of {reference[0]} − {say(own)} s) × ${say(each)}"
    return (_stated(setting, "latency", "Seconds saved", quantity, "second", each, formula),)


def _stated(setting: Setting, what: str, name: str, quantity: Linear, unit: str, usd: Any, formula: str) -> Benefit:
    """A benefit whose worth is stated, the same in every month."""
    return Benefit(f"value.{what}", name, quantity, unit, np.asarray(usd * np.ones(setting.months.count)), formula)


def _fixed(by_month: Any) -> Linear:
    """A quantity of every month that does not depend on the volume."""
    return Linear(by_month, np.zeros(np.shape(by_month)[-1]))


def _not_valued(benefit: Benefit, why: str) -> Benefit:
    return replace(benefit, usd=benefit.usd * np.nan, missing=why)
