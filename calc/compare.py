"""All approaches of a scenario side by side: totals, the winner at any volume, every break-even, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from calc import cash_flow
from calc.break_even import BreakEven, Interval, all_break_evens
from calc.cash_flow import CashFlow, Flows
from calc.evaluate import Evaluated, Unavailable, evaluate
from calc.ledger import CostLine, Ledger, Unpriced
from calc.parts import failures
from calc.parts.value import Benefit, answer_benefits, latency_benefit
from calc.scenario import Approach, Family, Scenario
from calc.setting import Setting, counted
from calc.timeline import Floats, Months, first_of_month, growth_factors
from calc.volume import Curve, Linear
from pricing import ExchangeRate, PriceBook, PriceMissing, PricingError, Rates, UnknownOffer, UnknownRelease, releases

Status = Literal["available", "unpriced", "unavailable"]
MOST_REQUESTS = 1e13
"""Requests of any month that are still computed."""
LARGEST_VOLUME = 10_000_000
"""Break-evens are sought from 1 request a month to this, or to a hundred times today's volume if that is more."""


class NothingToCompare(Exception):
    """No approach of the scenario can be priced over the whole horizon; the message says why for each."""


@dataclass(frozen=True)
class ApproachResult:
    """One approach, evaluated."""

    name: str
    approach: Approach
    family: Family
    offer: str
    """What is called or served."""
    ledger: Ledger
    unavailable: Unavailable | None
    requests: Any
    """Requests in month 0. This and the figures below are arrays where an input of the scenario is one."""
    served_requests: Any
    """Requests over the horizon."""
    own_requests: Any
    """Those of them it answers itself, not the reference in its place."""
    asset_life_months: int
    """Months of the horizon in which the approach itself serves: fewer where its model ends sooner."""
    accepted: Any
    """Share of all answers accepted, the stand-in's included, or None where it is not stated."""
    failure_mode: str
    benefits: tuple[Benefit, ...]
    """What its answers are worth at the same requests, each benefit that the scenario states."""
    compared_benefits: tuple[Benefit, ...]
    """Those that approaches are compared by, at `volume_scale`: of accepted answers where rejected ones are lost, and of
    seconds saved where any approach states its seconds."""
    growth: Floats
    """g_m of every month."""

    @property
    def status(self) -> Status:
        """available: priced and served in every month; else unpriced or unavailable."""
        if self.unavailable is not None:
            return "unavailable"
        return "unpriced" if self.unpriced else "available"

    @property
    def why_not(self) -> tuple[str, ...]:
        """Why there is no total: the end of availability, or each line without a price."""
        if self.unavailable is not None:
            return (self.unavailable.reason,)
        return tuple(f"{found.name}: {found.missing}" for found in self.unpriced)

    @property
    def unpriced(self) -> tuple[CostLine | Benefit, ...]:
        """Each cost line and compared benefit without a price."""
        return (*self.ledger.missing, *(benefit for benefit in self.compared_benefits if benefit.missing))

    @property
    def incomplete_steps(self) -> tuple[str, ...]:
        """Stated steps that cannot be done, such as a retraining after the last training day."""
        return tuple(event.text for event in self.ledger.events if event.kind == "retraining refused")

    @property
    def volume_scale(self) -> Any:
        """Requests to be sent per answer that is to be accepted: 1/s where rejected answers are lost, else 1.

        Not a number where no answer is accepted.

        Where an answer's value is stated, approaches are compared at equal requests by cost less value instead.
        """
        if self.failure_mode == "remediate" or self.values_answers or self.accepted is None:
            return 1.0
        share = np.asarray(self.accepted, dtype=float)
        return np.divide(1.0, share, out=np.full(share.shape, np.nan), where=share > 0)[()]

    @property
    def sourced(self) -> tuple[CostLine | Benefit, ...]:
        """Cost lines and benefits: what rests on price rows and assumptions."""
        return (*self.ledger.lines, *self.benefits)

    @property
    def values_answers(self) -> bool:
        """Whether the scenario states what accepted answers are worth."""
        return any(benefit.is_of_answers for benefit in self.benefits)

    @property
    def value_lines(self) -> tuple[tuple[Linear, Floats], ...]:
        """Quantity and worth by month of each compared benefit, at `compared_requests`."""
        return tuple((benefit.quantity, benefit.usd) for benefit in self.compared_benefits)

    @property
    def compared_requests(self) -> Any:
        """Requests in month 0 at which it is compared: today's × `volume_scale`. Not a number where no answer is accepted."""
        return self.requests * self.volume_scale

    @cached_property
    def curve(self) -> Curve:
        """What is compared, in US$ by volume: the total at equal resolved answers (`volume_scale`), less value where it counts.

        Raises:
            Unpriced: a line has no price.
        """
        self._check_priced()
        costs = [(line.quantity, line.unit_price) for line in self.ledger.lines]
        earned = [(quantity, -usd) for quantity, usd in self.value_lines]
        return Curve.of([*costs, *earned], self.volume_scale)

    def _check_priced(self) -> None:
        if self.unpriced:
            raise Unpriced("; ".join(f"{found.name}: {found.missing}" for found in self.unpriced))

    def total(self, volume: Any = None) -> NDArray[np.float64]:
        """US$ over the horizon at a volume in month 0; default today's.

        Raises:
            Unpriced: a line has no price.
        """
        if volume is not None and not np.all(np.asarray(volume) >= 0):
            raise ValueError(f"a volume is a number of requests, 0 or more, got {volume}")
        return self.ledger.total(self.requests if volume is None else volume)

    def compared_usd(self) -> NDArray[np.float64]:
        """What is compared at today's volume: as `curve`, also where inputs are arrays.

        Raises:
            Unpriced: a line has no price.
        """
        self._check_priced()
        at = self.compared_requests
        earned = sum((benefit.total(at) for benefit in self.compared_benefits), start=np.zeros(1))
        return np.where(np.isnan(at), np.inf, self.ledger.total(at) - np.squeeze(earned))

    def per_request(self) -> float:
        """US$ per request over the horizon, today's volume."""
        return float(self.total() / self.served_requests)

    def per_accepted(self) -> float | None:
        """US$ per resolved (remediate) or accepted (discard) answer; None where quality is not stated or no answer passes."""
        if self.accepted is None:
            return None
        if self.failure_mode == "remediate":
            return float(failures.cost_per_resolved_usd(self.total(), self.served_requests))
        if self.accepted <= 0:
            return None
        return float(failures.cost_per_accepted_usd(self.total(), self.served_requests, self.accepted))


@dataclass(frozen=True)
class Savings:
    """An approach against the reference at today's volume."""

    net_present_value_usd: float
    total_usd: float
    """Nominal savings over the horizon."""
    payback_months: int | None
    discounted_payback_months: int | None
    annual_irr: tuple[float, ...]
    irr_note: str | None
    """Why there is not one rate: none, or several; None where there is exactly one."""
    incremental_roi: float | None
    """NPV over the outlay; None where there is no outlay."""
    outlay_usd: float
    """Present value of what the approach costs more up front than the reference, at its go-live or before; 0 where nothing."""


@dataclass(frozen=True)
class Comparison:
    """The answer to a scenario. All amounts are nominal US$ over the horizon unless said otherwise."""

    scenario: Scenario
    """As stated, ranges included."""
    point: Scenario
    """As computed, every range at its point value."""
    rates: Rates
    months: Months
    results: Mapping[str, ApproachResult]

    @property
    def as_of(self) -> date:
        """The day of the prices."""
        return self.rates.as_of

    @property
    def requests(self) -> int:
        """Requests in month 0."""
        return round(self.point.workload.requests_per_month)

    @cached_property
    def price_book(self) -> releases.Basis:
        """Which state of the price book the answer rests on."""
        lines = [found for result in self.results.values() for found in result.sourced]
        offers = {row.offer for line in lines for row in line.prices} | {result.offer for result in self.results.values()}
        assumed = {name for line in lines for name in line.assumptions} | {"finance.discount_rate_per_year"}
        converted = [row.exchange_rate for line in lines for row in line.prices if row.exchange_rate is not None]
        converted += [found.rate for found in self.scenario.conversions]
        currencies = {rate.code for rate in (self.currency, *converted)}
        return releases.basis(self.rates.book, self.scenario.price_release, offers, assumed, currencies)

    @cached_property
    def currency(self) -> ExchangeRate:
        """What amounts are shown in, and the rate to it; the model computes in dollars."""
        return self.rates.exchange_rate(self.point.finance.currency)

    @property
    def largest_volume(self) -> int:
        """The largest monthly volume at which break-evens are sought."""
        return max(LARGEST_VOLUME, 100 * self.requests)

    @cached_property
    def available(self) -> dict[str, ApproachResult]:
        """The approaches that are priced and serve the whole horizon."""
        return {name: result for name, result in self.results.items() if result.status == "available"}

    def compared_totals(self, values: int) -> dict[str, Floats]:
        """What is compared of each available approach where inputs are arrays of so many values, US$ over the horizon.

        Shape (values,); infinite where there is no finite total, as where none of the answers is accepted.
        """
        found = {name: np.squeeze(result.compared_usd()) for name, result in self.available.items()}
        return {name: np.broadcast_to(np.where(np.isfinite(usd), usd, np.inf), (values,)) for name, usd in found.items()}

    @property
    def quality_included(self) -> bool:
        """Whether every compared approach states its accepted share."""
        return all(result.accepted is not None for result in self.available.values())

    @property
    def is_partial(self) -> bool:
        """Whether an approach is unpriced or unavailable, or a stated step is refused."""
        return any(result.status != "available" or result.incomplete_steps for result in self.results.values())

    @cached_property
    def _solved(self) -> tuple[dict[tuple[str, str], BreakEven], tuple[Interval, ...]]:
        curves = {name: result.curve for name, result in self.available.items()}
        return all_break_evens(curves, 1, self.largest_volume)

    @property
    def envelope(self) -> tuple[Interval, ...]:
        """Who is cheapest at which volume: closed integer ranges that tile 1 … largest_volume."""
        return self._solved[1]

    def break_even(self, a: str, b: str) -> BreakEven:
        """Every change of the cheaper one of two approaches.

        Raises:
            ValueError: one of them is not among the available approaches.
        """
        for name in (a, b):
            if name not in self.available or a == b:
                raise ValueError(f"'{name}' has no break-even here; choose two of {', '.join(self.available) or 'none'}")
        pairs = self._solved[0]
        return pairs[a, b] if (a, b) in pairs else pairs[b, a].mirrored

    def winner(self, volume: int | None = None) -> str:
        """The approach with the lowest total at a volume (default today's); of several equal ones the first stated.

        Raises:
            NothingToCompare: no approach is available.
        """
        return self.ranked(volume)[0]

    def ranked(self, volume: int | None = None) -> list[str]:
        """The available approaches from the lowest to the highest total, at equal resolved answers.

        Raises:
            NothingToCompare: no approach is available.
        """
        if not self.available:
            reasons = "\n".join(f"- {name}: {_first_reason(result)}" for name, result in self.results.items())
            raise NothingToCompare(f"No approach can be priced over the whole horizon.\n{reasons}")
        at = self.requests if volume is None else volume
        return sorted(self.available, key=lambda name: float(self.available[name].curve.total(at)))

    def savings(self, name: str) -> Savings | None:
        """What the approach saves against the reference; None where either has no total.

        The flows are compared at equal resolved answers.
        """
        found = self.cash_flow(name)
        if found is None:
            return None
        saved, discounted = found.net_usd, found.discounted_usd
        value, outlay, rates = float(discounted.sum()), float(found.outlay_usd), cash_flow.annual_irr(saved)
        return Savings(
            net_present_value_usd=value,
            total_usd=float(saved.sum()),
            payback_months=cash_flow.payback_months(saved),
            discounted_payback_months=cash_flow.payback_months(discounted),
            annual_irr=rates,
            irr_note=cash_flow.irr_in_words(saved, rates),
            incremental_roi=value / outlay if outlay > 0 else None,
            outlay_usd=outlay,
        )

    def cash_flow(self, name: str) -> CashFlow | None:
        """What the approach saves against the reference at today's volume, dated; None where either has no total.

        At equal resolved answers; nominal and before tax. Where inputs are arrays of shape (n, 1), amounts are (n, months + 1).
        """
        reference = self.point.reference
        if name not in self.available or reference not in self.available:
            return None
        mine, theirs = (self._flows(self.available[each]) for each in (name, reference))
        return CashFlow(
            dates=tuple(first_of_month(self.as_of, 1 + t) for t in range(self.months.count + 1)),
            one_off_usd=theirs[0] - mine[0],
            running_usd=theirs[1] - mine[1],
            value_usd=mine[2] - theirs[2],
            annual_rate=self.discount_rate,
            go_live_month=self.results[name].approach.go_live_month,
        )

    def _flows(self, result: ApproachResult) -> tuple[Flows, Flows, Flows]:
        """One-offs, running cost and value as they are compared, dated."""
        at, nothing = result.compared_requests, np.zeros(self.months.count)
        earned = sum((benefit.by_month(at) for benefit in result.compared_benefits), start=nothing)
        return (
            cash_flow.one_off_flows(result.ledger, at),
            cash_flow.running_flows(result.ledger, at),
            cash_flow.at_end(np.asarray(earned)),
        )

    def straight_line_usd_by_month(self, name: str) -> Floats | None:
        """The approach's up-front cost in equal parts over the months its first model serves: an accounting view, no cash flow.

        None where it has no total. The cost of a successor is not in it.
        """
        if name not in self.available:
            return None
        result, months = self.results[name], self.months.count
        first = result.approach.go_live_month
        up_front = cash_flow.one_off_flows(result.ledger, self.requests)[first] - self._stand_in_one_offs(result, first)
        moved = [event.month for event in result.ledger.events if event.kind == "migration"]
        life = min([*moved, first + result.asset_life_months]) - first
        return cash_flow.straight_line_usd_by_month(float(up_front), first, life, months)

    def _stand_in_one_offs(self, result: ApproachResult, month: int) -> float:
        lines = (line for line in result.ledger.lines if line.key.endswith(f"@{self.point.reference}"))
        return float(sum(line.by_month(self.requests)[month] for line in lines if line.timing == "one-off"))

    @property
    def discount_rate(self) -> Any:
        """Effective annual rate: as stated or assumed. A number, or an array of shape (n,) where it is drawn."""
        stated = self.point.finance.discount_rate_per_year
        rate = np.asarray(self.rates.assumption("finance.discount_rate_per_year").likely if stated is None else stated)
        return rate[..., 0] if rate.ndim else float(rate)

    def break_even_share(self, name: str) -> float | None:
        """The success share at which an approach ties with the cheapest other one at today's volume.

        None where answers are not remediated or there is no other; outside [0, 1] it cannot tie.
        """
        result = self.results[name]
        rejected = next((line for line in result.ledger.lines if line.key == "failures.rejected"), None)
        others = [float(r.compared_usd()) for other, r in self.available.items() if other != name]
        if not others or name not in self.available or rejected is None or not rejected.unit_price.max():
            return None
        rest = float(result.compared_usd()) - float(rejected.total(self.requests))
        handling = float(rejected.unit_price.max())
        return float(failures.break_even_share(min(others), rest, result.own_requests, handling))

    def value_usd(self, name: str) -> float | None:
        """The sum of the approach's benefits over the horizon; None where no value is stated or one of them is not valued."""
        benefits = self.results[name].benefits
        if not benefits or any(benefit.missing for benefit in benefits):
            return None
        return float(sum(benefit.total(self.requests) for benefit in benefits))

    def compared_value_usd(self, name: str) -> float | None:
        """The value that is taken off the total approaches are compared by; None where none is, or there is no total."""
        result = self.results[name]
        if name not in self.available or not result.compared_benefits:
            return None
        return float(sum(benefit.total(result.compared_requests) for benefit in result.compared_benefits))

    def roi(self, name: str) -> float | None:
        """(PV of value − PV of cost) / PV of cost, where the worth of accepted answers is stated and there is a cost."""
        result = self.results[name]
        if name not in self.available or not result.values_answers or self.value_usd(name) is None:
            return None
        worth = cash_flow.at_end(np.asarray(sum(benefit.by_month(self.requests) for benefit in result.benefits)))
        cost = float(cash_flow.present_value(cash_flow.cost_flows(result.ledger, self.requests), self.discount_rate))
        return float(cash_flow.present_value(worth, self.discount_rate)) / cost - 1 if cost > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data (`docs/comparison.schema.json`)."""
        from calc.export import comparison_dict

        return comparison_dict(self)


def _first_reason(result: ApproachResult) -> str:
    first, more = result.why_not[0], len(result.why_not) - 1
    return first + (f" And {counted(more, 'more line')} without a price." if more else "")


def compare(
    scenario: Scenario,
    book: PriceBook,
    *,
    today: date | None = None,
    assuming: Mapping[str, Any] | None = None,
    pricing: Mapping[tuple[str, str], Any] | None = None,
) -> Comparison:
    """Evaluate every approach of a scenario.

    Args:
        today: the day to use where the scenario states no ``as_of``; the model reads no clock.
        assuming: other likely values of assumptions, by ``topic.name``: numbers, or arrays of shape (n, 1).
        pricing: what listed prices are multiplied by, by offer and key: numbers, or arrays of shape (n, 1).

    Raises:
        UnknownOffer: a model, store, GPU or role is not in the book.
        ValueError: no day is given, an approach lacks what it needs, or a correlation cannot be drawn.
    """
    as_of = scenario.as_of or today
    if as_of is None:
        raise ValueError("the scenario states no as_of; pass today=")
    _known("price_release", partial(releases.last_day, book, scenario.price_release))
    rates = book.as_of(as_of, scenario.price_release)
    rates = rates.assuming(assuming) if assuming else rates
    rates = rates.pricing(pricing) if pricing else rates
    return compare_at(scenario, rates)


def compare_at(scenario: Scenario, rates: Rates) -> Comparison:
    """Evaluate every approach of a scenario at given rates, which say the day.

    Raises:
        UnknownOffer: a model, store, GPU or role is not in the book.
        ValueError: an approach lacks what it needs, or a correlation cannot be drawn.
    """
    point = scenario.at_point()
    _known("finance.currency", partial(rates.exchange_rate, point.finance.currency))
    months = Months(rates.as_of, scenario.horizon_months)
    requests = np.round(point.workload.requests_per_month)
    _check_names(point, rates)
    _check_volume(point, months, requests)
    reference = _evaluated(point, point.reference, rates, months, None)
    results = {}
    for name in point.approaches:
        found = reference if name == point.reference else _evaluated(point, name, rates, months, reference)
        results[name] = _result(point, rates, months, found, reference, requests)
    comparison = Comparison(scenario, point, rates, months, results)
    if scenario.correlations:
        from calc.sampling import check_correlations

        check_correlations(comparison)
    return comparison


def _evaluated(point: Scenario, name: str, rates: Rates, months: Months, reference: Evaluated | None) -> Evaluated:
    """The evaluated approach; errors name it by its path in the scenario."""
    try:
        return evaluate(point, name, rates, months, reference)
    except (ValueError, PricingError) as error:
        raise type(error)(f"approaches.{name}: {error}") from None


def _check_names(point: Scenario, rates: Rates) -> None:
    """Raise UnknownOffer where a role, provider or offer is named that nothing knows: a slip there would go unnoticed."""
    for provider in point.organisation:
        _known(f"organisation.{provider}", partial(rates.book.provider, provider))
    for number, offer in enumerate(point.accept_unverified):
        _known(f"accept_unverified.{number}", partial(rates.item, offer))
    used = roles_used(point)
    for path, role in used.items():
        if role not in point.staff_usd_per_hour:
            _known(path, partial(rates.item, f"bls/{role}"))
    for role in point.staff_usd_per_hour.keys() - set(used.values()):
        _known(f"staff_usd_per_hour.{role}", partial(rates.item, f"bls/{role}"))


def roles_used(scenario: Scenario) -> dict[str, str]:
    """Whose hours a scenario may count, by the dotted path of the field that names the role."""
    used = {"task.rejected_answer_role": scenario.task.rejected_answer_role}
    used |= {"value.role": scenario.value.role} if scenario.value is not None else {}
    for name, approach in scenario.approaches.items():
        for part in ("staffing", "evaluation", "data_preparation"):
            used[f"approaches.{name}.{part}.role"] = getattr(approach, part).role
        for part in ("tuning", "serving"):
            bought = getattr(getattr(approach, part), "bought", None)
            if bought is not None:
                used[f"approaches.{name}.{part}.bought.staff_role"] = bought.staff_role
    return used


def _known(path: str, look_up: Callable[[], object]) -> None:
    try:
        look_up()
    except (UnknownOffer, UnknownRelease, PriceMissing) as error:
        raise type(error)(f"{path}: {error}") from None


def _check_volume(point: Scenario, months: Months, requests: Any) -> None:
    peak = float(np.max(requests * growth_factors(point.workload.growth, months).max(axis=-1)))
    if not peak <= MOST_REQUESTS:
        raise ValueError(
            f"workload.growth: it takes the volume to {peak:.3g} requests a month; "
            f"up to {MOST_REQUESTS:.0e} can be computed. State a slower growth, a shorter horizon or a smaller volume"
        )


def _result(
    point: Scenario, rates: Rates, months: Months, found: Evaluated, reference: Evaluated, requests: Any
) -> ApproachResult:
    everywhere = Setting(point, found.approach, rates, months, np.ones(months.count))
    active = found.plan.active(months.count)
    own = everywhere.growth * active
    accepted = _accepted(found.approach, reference.approach, own.sum(axis=-1) / everywhere.growth.sum(axis=-1))
    benefits, compared = _benefits(everywhere, found, reference, accepted)
    return ApproachResult(
        name=found.ledger.approach,
        approach=found.approach,
        family=found.approach.family,
        offer=found.offer,
        ledger=found.ledger,
        unavailable=found.plan.unavailable,
        requests=requests,
        served_requests=requests * everywhere.growth.sum(axis=-1),
        own_requests=requests * own.sum(axis=-1),
        asset_life_months=int(active.sum()),
        accepted=accepted,
        failure_mode=failures.failure_mode(point.task),
        benefits=benefits,
        compared_benefits=compared,
        growth=everywhere.growth,
    )


def _benefits(
    everywhere: Setting, found: Evaluated, reference: Evaluated, accepted: Any
) -> tuple[tuple[Benefit, ...], tuple[Benefit, ...]]:
    """What the answers are worth: all of it at the same requests, and what enters the comparison."""
    point, value = everywhere.scenario, everywhere.scenario.value
    if value is None or found.plan.unavailable is not None:
        return (), ()
    active, remediate = found.plan.active(everywhere.months.count), failures.failure_mode(point.task) == "remediate"
    share = None if accepted is None else _ended_well(found.approach, reference.approach, active, remediate)
    of_answers = answer_benefits(everywhere, value, share)
    theirs = (point.reference, reference.approach.seconds_per_answer)
    waited = partial(latency_benefit, everywhere, value, found.ledger.approach, active, theirs)
    compared: tuple[Benefit, ...] = () if remediate or accepted is None else of_answers
    if any(approach.seconds_per_answer is not None for approach in point.approaches.values()):
        at_equal_requests = remediate or of_answers or accepted is None
        compared += waited() if at_equal_requests else waited(_reference_requests(accepted, reference))
    return (*of_answers, *waited()), compared


def _ended_well(approach: Approach, reference: Approach, active: Floats, remediate: bool) -> Floats:
    """Share of each month's requests that end in an accepted answer: all of them where the rejected are remediated."""
    if remediate:
        return np.ones(len(active))
    stand_in = reference.accepted if reference.accepted is not None else 0.0  # where it is not stated it stands in nowhere
    return np.asarray(active * np.asarray(approach.accepted) + (1 - active) * np.asarray(stand_in))


def _reference_requests(accepted: Any, reference: Evaluated) -> Any:
    """Requests the reference is sent for each of the approach's, at equal accepted answers."""
    theirs = np.asarray(1.0 if reference.approach.accepted is None else _of_draws(reference.approach.accepted))
    return (np.asarray(accepted) / np.where(theirs > 0, theirs, 1.0))[..., np.newaxis]


def _accepted(approach: Approach, reference: Approach, own_share: Any) -> Any:
    """The accepted share over all requests: its own where it answers, the reference's where that stands in."""
    if np.all(own_share == 1) or approach.accepted is None:
        return _of_draws(approach.accepted)
    if reference.accepted is None:
        return None
    return own_share * _of_draws(approach.accepted) + (1 - own_share) * _of_draws(reference.accepted)


def _of_draws(number: Any) -> Any:
    """A number of the scenario without the axis of the months; draws of it have shape (n, 1) there."""
    return np.asarray(number)[..., 0] if np.ndim(number) else number
