"""From a stated approach to its ledger: who serves which months, what is trained when, and every cost line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from calc.ledger import CostLine, Ledger, per_request, priced_line
from calc.parts import agreements, data_preparation, evaluation, failures, own_gpus, prompt, retrieval, serving, staffing, tuning
from calc.scenario import Approach, Dedicated, OwnGpus, PerToken, Scenario, Tuning
from calc.setting import Setting, say
from calc.timeline import (
    Floats,
    MonthlyPrice,
    Months,
    Refusal,
    Segment,
    TimelineEvent,
    cited,
    inference_ends,
    noted,
    service_segments,
    training_refused,
)
from pricing import Price, PricingError, Rates, UnknownOffer
from pricing.model import LifecycleEvent


@dataclass(frozen=True)
class Unavailable:
    """An approach that cannot serve the whole horizon: from when, and why."""

    since: date
    reason: str
    off_premises: bool = False
    """Whether that is because nothing may leave the user's premises."""


@dataclass(frozen=True)
class Plan:
    """Who serves an approach's months, what is trained when, and the dated events that shaped it."""

    segments: tuple[Segment, ...]
    trainings: tuple[tuple[int, str, str], ...] = ()
    """(month, offer, what); what is training, retraining or migration."""
    migrations: tuple[int, ...] = ()
    events: tuple[TimelineEvent, ...] = ()
    unavailable: Unavailable | None = None

    def active(self, months: int) -> Floats:
        """1 in the months the approach itself serves."""
        return np.asarray(sum((segment.active(months) for segment in self.segments), start=np.zeros(months)))


@dataclass(frozen=True)
class Evaluated:
    """An approach's plan and ledger."""

    plan: Plan
    ledger: Ledger
    approach: Approach
    offer: str


def offer_of(rates: Rates, approach: Approach) -> str:
    """The offer that is called, or tuned and called, for the approach's model.

    Open weights named by ``maker/model`` become the item of the tuning or serving provider that has these weights; on own
    GPUs alone they stay what they are.

    Raises:
        UnknownOffer: neither the book nor the open models know the model.
    """
    model, at = approach.model, _provider_wanted(approach)
    if at is None or model.partition("/")[0] == at:
        if isinstance(approach.serving, OwnGpus) and model in rates.open_models:
            return model
        provider, item_id, _ = rates.item(model)
        return f"{provider.id}/{item_id}"
    rates.open_model(model)
    provider = rates.book.provider(at)
    for item_id, item in provider.model.items():
        if item.weights == model and rates.is_listed(item):
            return f"{provider.id}/{item_id}"
    raise UnknownOffer(f"{provider.name} does not list {model} in the price book; choose another provider or model.")


def _provider_wanted(approach: Approach) -> str | None:
    if approach.tuning is not None and approach.tuning.kind == "managed" and approach.tuning.at is not None:
        return approach.tuning.at
    if isinstance(approach.serving, Dedicated):
        return approach.serving.provider
    return None


def plan_of(scenario: Scenario, approach: Approach, rates: Rates, months: Months) -> Plan:
    """Walk the horizon: may it be tuned, until when does its model last, which retrainings fall when."""
    offer, first = offer_of(rates, approach), approach.go_live_month
    tuned = approach.tuning
    managed = tuned is not None and tuned.kind == "managed"
    if scenario.task.on_premises and (called := outside_calls(approach, offer)):
        why = f"cannot run on your premises: it calls {', '.join(called)}"
        return Plan((), unavailable=Unavailable(months.as_of, why, off_premises=True))
    if managed:
        refusal = training_refused(rates, offer, standing(scenario, offer), _training_day(months, first))
        if refusal is not None:
            return Plan((), unavailable=Unavailable(_training_day(months, first), _refused(scenario, offer, refusal)))
    if isinstance(approach.serving, OwnGpus):
        segments: tuple[Segment, ...] = (Segment(offer, first, months.count),)
        events: tuple[TimelineEvent, ...] = ()
        end = None
    else:
        segments, events, end = service_segments(
            rates, months, offer, first, lambda successor, day: _successor_refused(scenario, approach, rates, successor, day)
        )
    if not segments:
        assert end is not None
        return Plan((), unavailable=Unavailable(end.event.date, _never_serves(offer, end.event, months)))
    trainings, refused = _trainings(scenario, tuned, rates, months, segments, managed) if tuned is not None else ((), ())
    plan = Plan(
        segments,
        trainings,
        tuple(segment.first for segment in segments[1:]),
        tuple(sorted((*events, *refused), key=lambda e: (e.month, e.day))),
    )
    if end is None:
        return plan
    stop = segments[-1].stop
    shutdown = end.event
    why = f"{segments[-1].offer} ends on {shutdown.date} ({cited(shutdown)}); {end.why_no_successor}"
    if approach.after_end == "unavailable":
        return replace(plan, unavailable=Unavailable(shutdown.date, why))
    instead = f"{why}; from {months.starts[stop]:%B %Y} {scenario.reference} serves instead"
    fallback = TimelineEvent(stop, shutdown.date, "fallback", instead, shutdown.source)
    return replace(plan, events=tuple(sorted((*plan.events, fallback), key=lambda e: (e.month, e.day))))


def outside_calls(approach: Approach, offer: str) -> tuple[str, ...]:
    """What of an approach is called at a provider, so that data leave the premises. GPUs, also rented ones, are not calls."""
    called: list[str | None] = []
    if not isinstance(approach.serving, OwnGpus) or (approach.tuning is not None and approach.tuning.kind == "managed"):
        called.append(offer)
    if approach.mix is not None:
        called.append(approach.mix.model)
    if (found := approach.retrieval) is not None:
        called += [found.embedding, found.store, found.reranker, found.parser, found.rewrite_model]
    if approach.tuning is not None:
        called += [approach.tuning.grader_model, approach.data_preparation.teacher_model]
    return tuple(dict.fromkeys(offer for offer in called if offer is not None))


def _never_serves(offer: str, end: LifecycleEvent, months: Months) -> str:
    ended = "was" if end.date <= months.as_of else "is"
    instead = f"; its named successor is {end.successor}" if end.successor else ""
    return f"{offer} {ended} shut down on {end.date} ({cited(end)}){instead}"


def _training_day(months: Months, month: int) -> date:
    """The model of month 0 is trained before it, from the as-of day on; others on the first day of their month."""
    return months.as_of if month == 0 else months.starts[month]


def _refused(scenario: Scenario, offer: str, refusal: Refusal) -> str:
    provider, by_standing = offer.partition("/")[0], ("closed_to_new_customers", "closed_to_inactive")
    assumed = refusal.event is not None and refusal.event.event in by_standing and provider not in scenario.organisation
    return f"cannot be tuned: {refusal.reason}" + (
        f"; organisation.{provider} is not stated, so new is assumed" if assumed else ""
    )


def standing(scenario: Scenario, offer: str) -> str:
    """The organisation's standing with the offer's provider: as stated, else new."""
    return scenario.organisation.get(offer.partition("/")[0], "new")


def _successor_refused(scenario: Scenario, approach: Approach, rates: Rates, successor: str, day: date) -> Refusal | None:
    """Why a named successor cannot take over: not in the book, shut down by then, or not tunable by this organisation."""
    try:
        rates.item(successor)
    except UnknownOffer as error:
        return Refusal(str(error))
    end = inference_ends(rates, successor)
    if end is not None and end.date <= day:
        return Refusal(f"{successor} is shut down on {end.date}", end)
    if approach.tuning is None or approach.tuning.kind == "own_gpus":
        return None
    refusal = training_refused(rates, successor, standing(scenario, successor), day)
    if refusal is not None:
        return refusal
    technique = "full" if approach.tuning.technique == "full" else "lora"
    terms = {"method": approach.tuning.method, "technique": technique, "deployment": approach.tuning.deployment}
    tunable = any(_priced(rates, successor, key, day, terms) for key in ("training_usd_per_mtok", "training_usd_per_hour"))
    return None if tunable else Refusal(f"the price book has no tuning price for {successor}")


def _priced(rates: Rates, offer: str, key: str, day: date, terms: dict[str, str | None]) -> bool:
    try:
        rates.price(offer, key, on=day, **terms)  # type: ignore[arg-type]
    except PricingError:
        return False
    return True


def _trainings(
    scenario: Scenario, spec: Tuning, rates: Rates, months: Months, segments: tuple[Segment, ...], managed: bool
) -> tuple[tuple[tuple[int, str, str], ...], tuple[TimelineEvent, ...]]:
    """Trainings in order, and the retrainings that are refused.

    The first run is before go-live; retrainings fall every q months after it while the model lasts; a successor is tuned
    in the month it takes over.
    """
    trainings = [(segments[0].first, segments[0].offer, "training")]
    trainings += [(segment.first, segment.offer, "migration") for segment in segments[1:]]
    refusals: list[tuple[int, Refusal]] = []
    every = spec.retrain_every_months
    for month in range(segments[0].first + every, months.count, every) if every else ():
        serving_now = next((s.offer for s in segments if s.first <= month < s.stop), None)
        offer = serving_now or segments[-1].offer
        refusal = training_refused(rates, offer, standing(scenario, offer), months.starts[month]) if managed else None
        ended = serving_now is None and (refusal is None or refusal.event is None or refusal.event.event == "inference_ends")
        if ended:  # the model is gone, and with it the reason to retrain it
            continue
        if refusal is not None:
            refusals.append((month, refusal))
        elif all(month != m for m, _, _ in trainings):
            trainings.append((month, offer, "retraining"))
    return tuple(sorted(trainings, key=lambda t: t[0])), _refused_retrainings(refusals, months)


def _refused_retrainings(refusals: list[tuple[int, Refusal]], months: Months) -> tuple[TimelineEvent, ...]:
    """One event for the first refused retraining, which counts the later ones."""
    if not refusals:
        return ()
    month, refusal = refusals[0]
    day, later = months.starts[month], len(refusals) - 1
    more = f" (and {later} later one{'s' if later > 1 else ''})" if later else ""
    source = cited(refusal.event) if refusal.event else ""
    text = f"Retraining in {day:%B %Y}{more} is refused: {refusal.reason}"
    return (TimelineEvent(month, day, "retraining refused", text, source),)


def evaluate(scenario: Scenario, name: str, rates: Rates, months: Months, reference: Evaluated | None = None) -> Evaluated:
    """The ledger of one approach.

    Args:
        scenario: resolved (`Scenario.at_point`).
        reference: the evaluated reference approach; it serves before go-live and after a fallback. None for itself.

    Raises:
        UnknownOffer: a model, store or role is not in the book.
        ValueError: the approach is composed in a way that cannot be computed; the message says what to state.
    """
    approach = scenario.approaches[name]
    plan, offer = plan_of(scenario, approach, rates, months), offer_of(rates, approach)
    notes: tuple[str, ...] = (
        (f"accepted share taken from {approach.accepted_from}, not measured here",) if approach.accepted_from else ()
    )
    active = plan.active(months.count)
    gap = 1 - active
    if plan.unavailable is None and gap.any():
        plan = replace(plan, unavailable=_no_stand_in(scenario, plan, months, gap, reference))
    if plan.unavailable is not None:
        return Evaluated(plan, Ledger(name, (), plan.events, notes), approach, offer)
    setting = Setting(scenario, approach, rates, months, active)
    lines = approach_lines(setting, plan)
    notes += own_gpus.uncounted(setting, offer)
    if gap.any() and reference is not None:
        lines += _stand_in_lines(scenario, reference, rates, months, gap)
    lines += agreements.lines(rates, months, lines)
    return Evaluated(plan, Ledger(name, tuple(lines), plan.events, notes), approach, offer)


def _no_stand_in(scenario: Scenario, plan: Plan, months: Months, gap: Floats, reference: Evaluated | None) -> Unavailable | None:
    """Why the reference cannot serve the months in which the approach does not; None where it can."""
    since = months.starts[int(np.flatnonzero(gap)[0])]
    if reference is None:
        reason = plan.events[-1].text if plan.events else "it does not serve every month"
        return Unavailable(since, f"the reference cannot fall back to itself: {reason}")
    if not (gap > reference.plan.active(months.count)).any():
        return None
    why = reference.plan.unavailable.reason if reference.plan.unavailable else "it ends, too"
    return Unavailable(since, f"{scenario.reference} cannot stand in for it: {why}")


def _stand_in_lines(scenario: Scenario, reference: Evaluated, rates: Rates, months: Months, gap: Floats) -> list[CostLine]:
    """The reference's lines in the months in which it stands in, its set-up in the first of them."""
    segments = tuple(
        Segment(segment.offer, int(held[0]), int(held[-1]) + 1)
        for segment in reference.plan.segments
        if (held := np.flatnonzero(segment.active(months.count) * gap)).size
    )
    setting = Setting(scenario, reference.approach, rates, months, gap)
    migrations = tuple(m for m in reference.plan.migrations if gap[m])
    trainings = tuple((m, offer, what) for m, offer, what in reference.plan.trainings if gap[m] and m > setting.start)
    if reference.plan.trainings:  # it has to be trained before it can stand in, whenever that is
        trainings = ((setting.start, segments[0].offer, "training"), *trainings)
    plan = replace(reference.plan, segments=segments, migrations=migrations, trainings=trainings)
    return [
        replace(line, key=f"{line.key}@{reference.ledger.approach}", name=f"{line.name} ({reference.ledger.approach})")
        for line in approach_lines(setting, plan)
        if line.key != "evaluation.set"  # the questions are the approach's own, already paid for
    ]


def approach_lines(setting: Setting, plan: Plan) -> list[CostLine]:
    """Every cost line of an approach in its active months, part by part."""
    approach = setting.approach
    releases = [setting.start, *(m for m, _, what in plan.trainings if what == "retraining"), *plan.migrations]
    lines = failures.rejected_lines(setting)
    for segment in plan.segments:
        tag = f":{segment.offer}" if len(plan.segments) > 1 else ""
        lines += _serving_lines(setting.within(segment.active(setting.months.count) * setting.active), segment.offer, tag)
    if approach.mix is not None:
        lines += _second_model_lines(setting)
    if approach.retrieval is not None:
        lines += retrieval.lines(setting)
    if approach.tuning is not None:
        lines += tuning.lines(setting, plan.trainings)
        prepared = [(m, what) for m, _, what in plan.trainings if what != "migration"]
        lines += data_preparation.lines(setting, prepared)
    lines += staffing.lines(setting)
    lines += staffing.migration_lines(setting, plan.migrations)
    lines += evaluation.lines(setting, releases, _evaluated_request(setting, plan))
    return lines


def token_terms(setting: Setting, offer: str) -> dict[str, Any]:
    """How the offer's tokens are billed: tuned or base rates, service and deployment."""
    approach = setting.approach
    assert isinstance(approach.serving, PerToken)
    tuned = approach.tuning is not None and tuning.billed_as_tuned(setting.rates, offer)
    return {"tuned": tuned, "service": approach.serving.service, "deployment": approach.serving.deployment}


def _first_share(setting: Setting) -> float:
    """Share of requests the first model answers: all but those routed away."""
    mix = setting.approach.mix
    return 1.0 - mix.share if mix is not None and mix.kind == "routing" else 1.0


def _serving_lines(setting: Setting, offer: str, tag: str) -> list[CostLine]:
    spec, share = setting.approach.serving, _first_share(setting)
    if not isinstance(spec, PerToken):
        return [replace(line, key=line.key + tag) for line in serving.replica_lines(setting, offer, share)]
    lines = prompt.token_lines(setting, offer, share=share, tag=tag, **token_terms(setting, offer))
    if setting.approach.tuning is not None:
        lines += [
            replace(line, key=line.key + tag)
            for line in serving.hosting_lines(setting, offer, spec.hosting_hours_per_month, spec.deployment)
        ]
    return lines


def _second_model_lines(setting: Setting) -> list[CostLine]:
    mix = setting.approach.mix
    assert mix is not None
    lines = [
        replace(line, name=f"{line.name}, {mix.model.partition('/')[2]}")
        for line in prompt.token_lines(setting, mix.model, share=mix.share, tag=f":mix:{mix.model}")
    ]
    if mix.kind == "fallback" and np.any(np.asarray(mix.check_usd_per_request) > 0):
        price = MonthlyPrice(np.asarray(mix.check_usd_per_request) * np.ones(setting.months.count))
        quantity = per_request(setting.growth, 1.0)
        formula = f"requests × ${say(mix.check_usd_per_request)}"
        lines.append(
            priced_line("prompt.check", "Checks of first answers", "tokens", "per request", quantity, "answer", price, formula)
        )
    return lines


def _evaluated_request(setting: Setting, plan: Plan) -> MonthlyPrice:
    """Cost of one evaluated request by month: token rates of whoever serves; nothing on GPUs that are paid for anyway."""
    months = setting.months.count
    if not isinstance(setting.approach.serving, PerToken):
        return MonthlyPrice(np.zeros(months))
    usd, missing = np.zeros(months), None
    rows: list[Price] = []
    used: list[MonthlyPrice] = []
    for segment in plan.segments:
        here = setting.within(segment.active(months) * setting.active)
        price = prompt.plain_request_usd(here, segment.offer, **token_terms(here, segment.offer))
        usd, missing = usd + price.usd, missing or price.missing
        rows += price.rows
        used.append(price)
    return MonthlyPrice(usd, tuple(dict.fromkeys(rows)), missing, noted(*used))
