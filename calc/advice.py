"""Rules of thumb beside the computed result.

A rule is never stronger than the result: it says whether it holds for this workload, with the number behind it, and whether
it points to the same approach as the totals do. Findings are plain sentences; `values` holds their numbers unrounded. What is
claimed stands in `calc.claims`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from math import exp
from typing import Literal, NamedTuple

import numpy as np

from calc.claims import CLAIMS, Claim, ClaimKind
from calc.compare import ApproachResult, Comparison
from calc.feasibility import ADVISED_EXAMPLES, MINIMUM_EXAMPLES, Severity, everywhere
from calc.hardware.architecture import Shape, UnknownShape, lora_parameters, shape_of, total_parameters
from calc.ledger import CostLine
from calc.parts.prompt import mean_input_tokens, output_tokens
from calc.scenario import FAMILIES, OwnGpus, PerToken, TaskKind
from calc.sentences import day_words, model_name, money, named, sentence, times
from calc.timeline import DAYS_PER_MONTH
from pricing import Price, PricingError, UnknownOffer
from pricing.currency import symbol

State = Literal["Holds", "Fails", "Dated", "Too high", "Cannot tell"]


@dataclass(frozen=True)
class Rule:
    """A rule of thumb, checked against one comparison."""

    id: str
    kind: ClaimKind
    text: str
    """The rule in at most 52 characters."""
    claimed: str
    """The claim as it is made, with its figures."""
    state: State
    finding: str
    """One sentence with this workload's numbers."""
    severity: Severity = "info"
    """caution: following the rule would not lead to the approach that was computed to be cheapest."""
    values: Mapping[str, float] = field(default_factory=dict)
    """The finding's numbers, unrounded."""
    source: str = ""
    """Where the price beside the claim is from; empty where the finding is computed from the scenario."""
    source_date: date | None = None
    """When it was read there."""


class _Finding(NamedTuple):
    state: State
    text: str
    values: Mapping[str, float] = {}
    agrees: bool | None = None
    """Whether the rule points to the computed winner; None where it points nowhere."""
    source: str = ""
    source_date: date | None = None


_Check = Callable[[Comparison], _Finding]


# --- what the rules look at -----------------------------------------------------------------------------------------------


def _tuned(comparison: Comparison) -> ApproachResult | None:
    """The tuned approach the rules speak of: the cheapest that serves to the end, else the first stated."""
    tuned = [result for result in comparison.results.values() if result.approach.tuning is not None]
    available = [result for result in tuned if result.name in comparison.available and _lasts(result)]
    return min(available, key=lambda r: _total(comparison, r)) if available else next(iter(tuned), None)


def _total(comparison: Comparison, result: ApproachResult) -> float:
    """US$ over the horizon at equal resolved answers, as approaches are ranked."""
    return float(result.curve.total(comparison.requests))


def _lasts(result: ApproachResult) -> bool:
    """Whether the approach itself serves to the end of the horizon, the reference not standing in for it."""
    return all(event.kind != "fallback" for event in result.ledger.events)


def _is_tuned(comparison: Comparison, name: str) -> bool:
    result = comparison.results[name]
    return result.approach.tuning is not None and _lasts(result)


def _winner(comparison: Comparison) -> ApproachResult | None:
    return comparison.available[comparison.winner()] if comparison.available else None


def _own(result: ApproachResult, *starts: str) -> list[CostLine]:
    """Priced lines of the approach itself whose key starts so; lines of a reference standing in are left out."""
    return [line for line in result.ledger.lines if line.key.startswith(starts) and "@" not in line.key and not line.missing]


def _before_go_live(result: ApproachResult) -> list[CostLine]:
    return [line for line in _own(result, "") if line.timing == "one-off" and ":" not in line.key]


def _unpriced_before_go_live(result: ApproachResult) -> bool:
    return any(line.timing == "one-off" and ":" not in line.key and "@" not in line.key for line in result.ledger.missing)


def _spent(comparison: Comparison, lines: list[CostLine]) -> float:
    return float(sum(np.sum(line.total(comparison.requests)) for line in lines))


def _run_usd(result: ApproachResult) -> float | None:
    """What one full training run costs."""
    lines = [line for line in _own(result, "tuning.training") if line.key == "tuning.training"]
    return float(np.max(lines[0].unit_price)) if lines else None


def _retraining_usd(comparison: Comparison, result: ApproachResult) -> float | None:
    """What one retraining costs with its share of data preparation: as planned, else by the assumptions."""
    planned = _own(result, "tuning.retraining:")
    prepared = [line for line in _own(result, "data_preparation.") if ":" in line.key]
    if planned:
        return _spent(comparison, planned) / len(planned) + _spent(comparison, prepared) / len(planned)
    run = _run_usd(result)
    if run is None or result.approach.tuning is None:
        return None
    rates, tuning = comparison.rates, result.approach.tuning
    stated, share = tuning.retrain_runs, result.approach.data_preparation.retrain_share
    runs = rates.assumption("tuning.retrain_run_equivalents").likely if stated is None else stated
    share = rates.assumption("data_preparation.retrain_data_share").likely if share is None else share
    first = [line for line in _own(result, "data_preparation.") if ":" not in line.key]
    return float(runs * run + share * _spent(comparison, first))


def _token_price(comparison: Comparison, result: ApproachResult, offer: str, tuned: bool) -> float | None:
    """US$ of one request's tokens at an offer's plain rates, or None where it is not sold by the token."""
    setting = everywhere(comparison, result)
    tokens = {"input_usd_per_mtok": mean_input_tokens(setting), "output_usd_per_mtok": output_tokens(setting)}
    try:
        return float(sum(n * comparison.rates.price(offer, key, tuned=tuned).usd for key, n in tokens.items()) / 1e6)
    except PricingError:
        return None


# --- the rules ------------------------------------------------------------------------------------------------------------

FEW_REQUESTS_A_DAY, FEW_EXAMPLES = 10_000, 500


def _small_workload(comparison: Comparison) -> _Finding:
    examples, winner, tuned = comparison.point.task.examples, _winner(comparison), _tuned(comparison)
    if examples is None or winner is None or tuned is None:
        return _Finding("Cannot tell", "Needs task.examples and a tuned approach to compare.")
    daily = comparison.requests / DAYS_PER_MONTH
    values = {"requests_per_day": daily, "examples": float(examples)}
    here = f"{daily:,.0f} a day, {examples:,.0f} examples"
    if daily >= FEW_REQUESTS_A_DAY or examples >= FEW_EXAMPLES:
        return _Finding("Cannot tell", f"{here}: the rule is silent; {named(winner.name)} is cheapest.", values)
    if (lacking := _lacking(comparison)) is not None:
        return _Finding("Cannot tell", f"{here}: {lacking}", values)
    if winner.approach.tuning is not None:
        return _Finding("Fails", f"{here}: {named(winner.name)} is cheapest all the same.", values, agrees=False)
    saved = _total(comparison, tuned) - _total(comparison, winner)
    values["saved_usd"] = saved
    return _Finding("Holds", f"{here}: {named(winner.name)} saves {money(saved, comparison.currency)}.", values, agrees=True)


SKILLS: dict[TaskKind, tuple[str, int, int]] = {
    "style": ("a style", 50, 200),
    "format": ("a format", 50, 200),
    "classification": ("a set of labels", 50, 200),
    "extraction": ("an extraction", 50, 200),
    "facts": ("a new domain", 1_000, 10_000),
    "reasoning": ("a new skill", 1_000, 10_000),
    "code": ("a new skill", 1_000, 10_000),
    "drafting": ("a new skill", 1_000, 10_000),
    "preference": ("a new preference", 1_000, 10_000),
}
"""What a kind of task asks of the examples: in words, and how many of them are said to be needed."""


def _examples_needed(comparison: Comparison) -> _Finding:
    task = comparison.point.task
    what, low, high = SKILLS[task.kind]
    if task.examples is None:
        return _Finding("Cannot tell", f"Needs task.examples; {what} takes {low:,} to {high:,}.")
    values = {"examples": float(task.examples), "low": float(low), "high": float(high)}
    if task.examples < low:
        return _Finding("Fails", f"{task.examples:,.0f} at hand; {what} takes {low:,} to {high:,}.", values)
    return _Finding("Holds", f"{task.examples:,.0f} at hand; {what} takes {low:,} to {high:,}.", values)


def _changing_facts(comparison: Comparison) -> _Finding:
    share, winner, tuned = comparison.point.task.facts_changing_per_month_share, _winner(comparison), _tuned(comparison)
    searched = next((r for r in comparison.available.values() if _own(r, "retrieval.re_embed")), None)
    retraining = _retraining_usd(comparison, tuned) if tuned is not None else None
    if not share:
        return _Finding("Cannot tell", "No share of changing facts is stated: the rule is silent.")
    if winner is None or searched is None or tuned is None or tuned.status != "available" or retraining is None:
        return _Finding("Cannot tell", "Needs an approach with retrieval and a tuned one.")
    embedding = _spent(comparison, _own(searched, "retrieval.re_embed")) / searched.asset_life_months
    values = {"changing_share": share, "embedding_usd_per_month": embedding, "retraining_usd": retraining}
    embed, retrain = (money(usd, comparison.currency) for usd in (embedding, retraining))
    text = f"{share:.0%} change a month: {embed} to embed, {retrain} to retrain."
    state: State = "Holds" if embedding < retraining else "Fails"
    return _Finding(state, text, values, agrees=(winner.approach.retrieval is not None) == (state == "Holds"))


def _hybrid_default(comparison: Comparison) -> _Finding:
    winner = _winner(comparison)
    hybrids = [r for r in comparison.available.values() if r.family == "hybrid"]
    if winner is None or not hybrids:
        return _Finding("Cannot tell", "No hybrid approach is priced over the whole horizon.")
    best = min(hybrids, key=lambda r: _total(comparison, r))
    if winner.family == "hybrid":
        others = [n for n in comparison.ranked() if comparison.available[n].family != "hybrid"]
        if not others:
            return _Finding("Cannot tell", "Needs an approach that is no hybrid, priced over the whole horizon.")
        saved = _total(comparison, comparison.available[others[0]]) - _total(comparison, winner)
        ahead = f"{money(saved, comparison.currency)} less than {named(others[0])}"
        return _Finding("Holds", sentence(f"{named(winner.name)} is cheapest, {ahead}"), {"saved_usd": saved}, agrees=True)
    more = _total(comparison, best) - _total(comparison, winner)
    cheapest = [i for i in comparison.envelope if i.winner and comparison.results[i.winner].family == "hybrid"]
    start = f"Cheapest from {cheapest[0].first:,} a month only" if cheapest else "Never cheapest"
    text = f"{start}: {money(more, comparison.currency)} more than {named(winner.name)}{_points(best, winner)}."
    return _Finding("Fails", text, {"more_usd": more}, agrees=False)


def _points(result: ApproachResult, other: ApproachResult) -> str:
    """How many points of accepted answers an approach itself gains over another, in words."""
    own, others = result.approach.accepted, other.approach.accepted
    if own is None or others is None:
        return ""
    points = (float(own) - float(others)) * 100
    return f" for {points:.1f} points accepted" if points > 0 else ", and no more answers accepted"


def _twice_the_base(comparison: Comparison) -> _Finding:
    for result in comparison.results.values():
        if result.approach.tuning is None or not isinstance(result.approach.serving, PerToken):
            continue
        tuned, base = (_token_price(comparison, result, result.offer, tuned=t) for t in (True, False))
        if tuned and base:
            return _against_base(comparison, result, tuned, base)
    hourly = _tuned(comparison)
    if hourly is None:
        return _Finding("Cannot tell", "No approach is tuned.")
    if isinstance(hourly.approach.serving, PerToken):
        return _Finding(
            "Dated", f"{model_name(hourly.offer)} has no tuned price of its own: it is billed as its base, or not sold."
        )
    return _Finding("Dated", f"{model_name(hourly.offer)} is served by the hour, at no price per token.")


def _against_base(comparison: Comparison, result: ApproachResult, tuned: float, base: float) -> _Finding:
    reference = comparison.results[comparison.point.reference]
    prompted = _token_price(comparison, result, reference.offer, tuned=False)
    ratio = tuned / base
    values = {"times_base": ratio}
    text = f"{model_name(result.offer)}: {times(ratio)} its base"
    if prompted:
        values["times_reference"] = tuned / prompted
        text += f", {times(tuned / prompted)} {model_name(reference.offer)}"
    state: State = "Holds" if 1.8 <= ratio <= 2.2 else "Too high" if ratio < 1.8 else "Fails"
    return _listed(state, f"{text}.", values, comparison.rates.price(result.offer, "input_usd_per_mtok", tuned=True))


def _compute_to_production(comparison: Comparison) -> _Finding:
    tuned = _tuned(comparison)
    lines = [line for line in _own(tuned, "tuning.training") if line.key == "tuning.training"] if tuned is not None else []
    if tuned is None or not lines:
        return _Finding("Cannot tell", "No tuning run is priced.")
    spent = _spent(comparison, lines)
    state: State = "Holds" if spent < 1_000 else "Fails"
    return _Finding(state, f"{money(spent)} for all runs of {model_name(tuned.offer)} up to go-live.", {"training_usd": spent})


def _largest_line(comparison: Comparison) -> _Finding:
    tuned = _tuned(comparison)
    if tuned is None or tuned.status == "unavailable" or _unpriced_before_go_live(tuned):
        return _Finding("Cannot tell", "No tuned approach can be priced up to go-live.")
    once = _before_go_live(tuned)
    prepared = _spent(comparison, [line for line in once if line.part == "data_preparation"])
    other = max((line for line in once if line.part != "data_preparation"), key=lambda x: _spent(comparison, [x]), default=None)
    if other is None:
        return _Finding("Cannot tell", "Nothing is spent before go-live.")
    next_largest = _spent(comparison, [other])
    here, there = (money(usd, comparison.currency) for usd in (prepared, next_largest))
    text = f"{here} before go-live; {other.name[:1].lower()}{other.name[1:]} costs {there}."
    values = {"data_preparation_usd": prepared, "next_largest_usd": next_largest}
    return _Finding("Holds" if prepared > next_largest else "Fails", text, values)


def _millions_a_month(comparison: Comparison) -> _Finding:
    if (lacking := _lacking(comparison)) is not None:
        return _Finding("Cannot tell", sentence(lacking))
    pays = [i for i in comparison.envelope if i.winner is not None and _is_tuned(comparison, i.winner)]
    today = comparison.requests
    if not pays:
        text = f"Never cheapest up to {comparison.largest_volume:,} a month."
        return _Finding("Fails", text, {"requests": float(today)}, agrees=today < 1_000_000)
    first = pays[0].first
    state: State = "Too high" if first < 100_000 else "Holds"
    text = f"Pays from {first:,} a month ({pays[0].winner}); today {today:,}."
    tuned_wins = _is_tuned(comparison, comparison.winner())
    return _Finding(state, text, {"first": float(first), "requests": float(today)}, agrees=tuned_wins == (today >= 1_000_000))


def _own_gpus_nearly_free(comparison: Comparison) -> _Finding:
    own = next((r for r in comparison.available.values() if isinstance(r.approach.serving, OwnGpus)), None)
    reference = comparison.results[comparison.point.reference]
    if own is None:
        return _Finding("Cannot tell", "No approach runs on GPUs of its own.")
    prompted = _token_price(comparison, reference, reference.offer, tuned=False)
    if not prompted:
        return _Finding("Cannot tell", f"{reference.name} is not sold by the token.")
    if not own.own_requests:
        return _Finding("Cannot tell", f"{sentence(named(own.name))[:-1]} answers no request.")
    each = _spent(comparison, _own(own, "serving.")) / float(own.own_requests)
    values = {"gpu_usd_per_request": each, "tokens_usd_per_request": prompted}
    mark = symbol(comparison.currency.code)
    here, there = (f"{mark}{comparison.currency.of_usd(1_000 * usd):,.2f}" for usd in (each, prompted))
    text = f"{here} of GPU per thousand requests it answers over the horizon; {model_name(reference.offer)} {there} uncached."
    return _Finding("Holds" if each < prompted / 10 else "Fails", text, values)


def _training_price(offer: str, claimed_usd_per_mtok: float) -> _Check:
    """A claimed training price held against the book's."""

    def check(comparison: Comparison) -> _Finding:
        try:
            listed = comparison.rates.price(offer, "training_usd_per_mtok", method="sft")
        except PricingError as error:
            return _Finding("Dated", str(error))
        values = {"listed": listed.usd, "claimed": claimed_usd_per_mtok}
        if abs(listed.usd - claimed_usd_per_mtok) < 0.005:
            return _listed("Holds", f"The page says {money(listed.usd)}.", values, listed)
        ends = [e for e in comparison.rates.lifecycle(offer) if e.event == "training_ends"]
        until = f"; no job starts from {day_words(ends[0].date)} on" if ends else ""
        return _listed("Dated", f"The page says {money(listed.usd)}{until}.", values, listed)

    return check


# --- when it is worth it, and when not -------------------------------------------------------------------------------------


def _lacking(comparison: Comparison) -> str | None:
    """What a rule for or against tuning cannot do without: a tuned approach with a total, and another that has one or may not
    be used.
    """
    tuned = {name for name in comparison.available if _is_tuned(comparison, name)}
    if not tuned:
        return "needs a tuned approach, priced and serving to the end, to compare."
    others = [result for name, result in comparison.results.items() if result.approach.tuning is None]
    if any(result.status == "available" or result.unavailable is not None for result in others):
        return None
    return "needs an approach without tuning, priced over the whole horizon, to compare."


def _advises(comparison: Comparison, met: bool, here: str, tuning: bool, **values: float) -> _Finding:
    """A rule that advises for or against tuning where its condition is met, and is silent elsewhere."""
    winner = _winner(comparison)
    if winner is None:
        return _Finding("Cannot tell", f"{here}; no approach has a total.", values)
    if not met:
        return _Finding("Cannot tell", f"{here}: the rule is silent; {named(winner.name)} is cheapest.", values)
    if (lacking := _lacking(comparison)) is not None:
        return _Finding("Cannot tell", f"{here}: {lacking}", values)
    agrees = _is_tuned(comparison, winner.name) == tuning
    all_the_same = "" if agrees else " all the same"
    text = f"{here}: {named(winner.name)} is cheapest{all_the_same}."
    return _Finding("Holds" if agrees else "Fails", text, values, agrees)


MANY_EXAMPLES = 1_000


def _labelled_examples(comparison: Comparison) -> _Finding:
    examples = comparison.point.task.examples
    if examples is None:
        return _Finding("Cannot tell", "Needs task.examples.")
    return _advises(comparison, examples >= MANY_EXAMPLES, f"{examples:,.0f} examples", True, examples=float(examples))


def _kind_of_task(*kinds: TaskKind, tuning: bool) -> _Check:
    """A rule for tasks of some kinds."""

    def check(comparison: Comparison) -> _Finding:
        kind = comparison.point.task.kind
        return _advises(comparison, kind in kinds, f"Task of kind {kind}", tuning)

    return check


def _latency(comparison: Comparison) -> _Finding:
    limit = comparison.point.task.seconds_per_answer_limit
    if limit is None:
        return _Finding("Cannot tell", "Needs task.seconds_per_answer_limit.")
    seconds = {r.name: float(s) for r in comparison.available.values() if (s := r.approach.seconds_per_answer) is not None}
    tuned = [name for name in seconds if _is_tuned(comparison, name)]
    others = [name for name in seconds if name not in tuned]
    if not tuned or not others:
        return _Finding("Cannot tell", "Needs seconds_per_answer of a tuned approach and of another one.")
    first, second = (min(names, key=lambda name: seconds[name]) for names in (tuned, others))
    here = f"{limit:g} s at most; {named(first)} {seconds[first]:g} s, {named(second)} {seconds[second]:g} s"
    met = seconds[first] <= limit < seconds[second]
    return _advises(comparison, met, here, True, limit=float(limit), tuned=seconds[first], other=seconds[second])


def _on_premises(comparison: Comparison) -> _Finding:
    if not comparison.point.task.on_premises:
        return _Finding("Cannot tell", "task.on_premises is not stated: the rule is silent.")
    return _advises(comparison, True, "Nothing may leave your premises", True)


def _shares(comparison: Comparison) -> tuple[ApproachResult, float, ApproachResult, float] | None:
    """The best accepted share of tuned and of other approaches, with whose they are; None where either is not stated."""
    stated = [r for r in comparison.available.values() if r.approach.accepted is not None]
    tuned = [r for r in stated if _is_tuned(comparison, r.name)]
    others = [r for r in stated if r.approach.tuning is None]
    if not tuned or not others:
        return None
    first, second = (max(found, key=lambda r: float(r.approach.accepted or 0)) for found in (tuned, others))
    return first, float(first.approach.accepted or 0), second, float(second.approach.accepted or 0)


def _itself(result: ApproachResult) -> str:
    """Whose share an accepted share is, where the reference stands in for some of the horizon: the approach's own."""
    return named(result.name) + (" itself" if result.own_requests < result.served_requests else "")


def _quality_gained(wanted: bool) -> _Check:
    """A rule for tasks in which tuning gains accepted answers over every other approach (wanted), or none."""

    def check(comparison: Comparison) -> _Finding:
        found = _shares(comparison)
        if found is None:
            return _Finding("Cannot tell", "Needs the accepted share of a tuned approach and of another one.")
        tuned, its_share, other, other_share = found
        here = f"{its_share:.1%} accepted with {_itself(tuned)}, {other_share:.1%} with {_itself(other)}"
        met = (its_share > other_share) == wanted
        return _advises(comparison, met, here, wanted, tuned=its_share, other=other_share)

    return check


def _no_data(comparison: Comparison) -> _Finding:
    examples = comparison.point.task.examples
    if examples is None:
        return _Finding("Cannot tell", "Needs task.examples.")
    return _advises(comparison, examples < ADVISED_EXAMPLES, f"{examples:,.0f} examples at hand", False, examples=float(examples))


# --- in which order ---------------------------------------------------------------------------------------------------------

MOST_NAMED = 5


def _order(comparison: Comparison) -> _Finding:
    families = {result.family for result in comparison.available.values()}
    if len(families) < 2:
        return _Finding("Cannot tell", "Needs two kinds of approaches that are priced over the whole horizon.")
    by_cost = list(dict.fromkeys(comparison.available[name].family for name in comparison.ranked()))
    advised = [family for family in FAMILIES if family in by_cost]
    text = sentence("by cost: " + ", ".join(named(family) for family in by_cost[:MOST_NAMED]))
    if by_cost == advised and not any(_is_tuned(comparison, name) for name in comparison.available):
        return _Finding("Cannot tell", f"{text[:-1]}; no tuned approach is priced to be last.")
    return _Finding("Holds" if by_cost == advised else "Fails", text, agrees=by_cost[0] == advised[0])


def _dearest(comparison: Comparison, these: list[str], usd_of: Callable[[ApproachResult], float], what: str) -> _Finding:
    """Whether one of these approaches spends the most on something."""
    spent = {name: usd_of(result) for name, result in comparison.available.items()}
    if not these or len(these) == len(spent):
        return _Finding("Cannot tell", "Needs such an approach and another one, priced over the whole horizon.")
    most, mine = max(spent, key=lambda name: spent[name]), max(these, key=lambda name: spent[name])
    if most in these:
        return _Finding("Holds", sentence(f"{named(most)} {what}"), {"usd": spent[most]})
    ahead = f", {times(spent[most] / spent[mine])} what {named(mine)} does" if spent[mine] else ""
    return _Finding("Fails", sentence(f"{named(most)} {what}{ahead}"), {"usd": spent[most]})


def _prompting_per_request(comparison: Comparison) -> _Finding:
    def each(result: ApproachResult) -> float:
        tokens = _spent(comparison, [line for line in _own(result, "") if line.group == "tokens"])
        return tokens / float(result.own_requests) if result.own_requests else 0.0

    prompted = [name for name, result in comparison.available.items() if result.family == "prompting"]
    return _dearest(comparison, prompted, each, "pays the most for the tokens of a request")


def _tuning_up_front(comparison: Comparison) -> _Finding:
    tuned = [name for name, result in comparison.available.items() if result.approach.tuning is not None]
    return _dearest(comparison, tuned, lambda r: _spent(comparison, _before_go_live(r)), "pays the most before go-live")


# --- figures ----------------------------------------------------------------------------------------------------------------


def _run_between(low: float, high: float, kind: str | None = None) -> _Check:
    """What one training run costs, where it is one of the kind claimed: an adapter's (lora), or a provider's (managed)."""

    def check(comparison: Comparison) -> _Finding:
        tuned = _tuned(comparison)
        run = _run_usd(tuned) if tuned is not None else None
        if tuned is None or run is None or tuned.approach.tuning is None:
            return _Finding("Cannot tell", "No tuning run is priced.")
        if kind == "lora" and tuned.approach.tuning.technique == "full":
            return _Finding("Cannot tell", "All weights are tuned here, not an adapter.")
        if kind == "managed" and tuned.approach.tuning.kind != "managed":
            return _Finding("Cannot tell", "It is tuned on own GPUs here.")
        state: State = "Too high" if run < low else "Holds" if run <= high else "Fails"
        text = f"{money(run)} for one run of {model_name(tuned.offer)}."
        rows = [row for line in _own(tuned, "tuning.training") for row in line.prices]
        return _listed(state, text, {"run_usd": run}, rows[0]) if rows else _Finding(state, text, {"run_usd": run})

    return check


HOURS_PER_WEEK = 40


def _staff_to_production(comparison: Comparison) -> _Finding:
    tuned = _tuned(comparison)
    staffed = ("staffing.", "data_preparation.", "evaluation.")
    hours = [line for line in _before_go_live(tuned) if line.unit == "hour" and line.key.startswith(staffed)] if tuned else []
    if tuned is None or not hours or _unpriced_before_go_live(tuned):
        return _Finding("Cannot tell", "No staff time is counted before go-live.")
    weeks = float(sum(line.quantity_total(comparison.requests) for line in hours)) / HOURS_PER_WEEK
    state: State = "Too high" if weeks < 1 else "Holds" if weeks <= 4 else "Fails"
    return _Finding(state, f"{weeks:.1f} weeks of 40 hours for {named(tuned.name)} before go-live.", {"weeks": weeks})


def _near_base_at_together(comparison: Comparison) -> _Finding:
    offer = "together/llama-3.3-70b"
    try:
        rules = comparison.rates.billing_rules(offer)
    except UnknownOffer as error:
        return _Finding("Cannot tell", str(error))
    if rules is None:
        return _Finding("Cannot tell", "The price book does not say how Together bills tuned models.")
    if rules.tuned_inference == "dedicated only":
        text = "The page serves tuned models on dedicated GPUs only, by the hour."
        return _Finding("Dated", text, source=rules.source, source_date=rules.source_date)
    return _Finding("Holds", "The page bills tuned models by the token.", source=rules.source, source_date=rules.source_date)


def _training_at_together(comparison: Comparison) -> _Finding:
    low, high = 0.5, 5.0
    rows = []
    for item in comparison.rates.book.provider("together").model:
        try:
            rows.append(comparison.rates.price(f"together/{item}", "training_usd_per_mtok", method="sft", technique="lora"))
        except PricingError:
            continue
    if not rows:
        return _Finding("Cannot tell", "The price book lists no training price of Together on this day.")
    least, most = min(rows, key=lambda row: row.usd), max(rows, key=lambda row: row.usd)
    within = low <= least.usd and most.usd <= high
    text = f"The page lists {money(least.usd)} to {money(most.usd)} for LoRA on {len(rows)} models."
    return _listed("Holds" if within else "Dated", text, {"least": least.usd, "most": most.usd}, most)


def _listed(state: State, text: str, values: Mapping[str, float], row: Price) -> _Finding:
    return _Finding(state, text, values, source=row.source, source_date=row.source_date)


def _domain_transfer(comparison: Comparison) -> _Finding:
    task = comparison.point.task
    if task.kind != "facts" or task.examples is None:
        return _Finding("Cannot tell", "For a task of kind facts with task.examples; the rule is silent here.")
    state: State = "Holds" if task.examples >= 50_000 else "Fails"
    return _Finding(state, f"{task.examples:,.0f} at hand of 50,000.", {"examples": float(task.examples)})


def _base_to_instructions(comparison: Comparison) -> _Finding:
    tuned, examples = _tuned(comparison), comparison.point.task.examples
    if tuned is None or tuned.approach.tuning is None or tuned.approach.tuning.method != "cpt":
        return _Finding("Cannot tell", "No base model is trained further: the rule is silent.")
    if examples is None:
        return _Finding("Cannot tell", "Needs task.examples.")
    state: State = "Holds" if examples >= 50_000 else "Fails"
    return _Finding(state, f"{examples:,.0f} at hand of 50,000.", {"examples": float(examples)})


def _least_examples(comparison: Comparison) -> _Finding:
    examples = comparison.point.task.examples
    if examples is None:
        return _Finding("Cannot tell", "Needs task.examples.")
    least = MINIMUM_EXAMPLES["openai"]
    advised = "above" if examples >= ADVISED_EXAMPLES else "below"
    state: State = "Holds" if examples >= ADVISED_EXAMPLES else "Fails"
    text = f"{examples:,.0f} at hand: {advised} the {ADVISED_EXAMPLES} advised"
    return _Finding(state, f"{text}, and below the {least} taken." if examples < least else f"{text}.", {"examples": examples})


def _few_shot_examples(comparison: Comparison) -> _Finding:
    shown = {r.name: float(r.approach.shots) for r in comparison.results.values() if r.approach.shows_examples}
    if not shown:
        return _Finding("Cannot tell", "No approach shows examples.")
    state: State = "Holds" if all(5 <= shots <= 20 for shots in shown.values()) else "Fails"
    text = ", ".join(f"{shots:g} in {named(name)}" for name, shots in list(shown.items())[:MOST_NAMED])
    return _Finding(state, sentence(text), {f"shots of {name}": shots for name, shots in shown.items()})


LORA_RANK = 16


def _adapted_shape(comparison: Comparison) -> Shape | None:
    """The shape of the open model that is tuned; None where its weights are not open or its shape is not known."""
    tuned = _tuned(comparison)
    if tuned is None:
        return None
    try:
        weights = comparison.rates.item(tuned.offer)[2].weights
    except UnknownOffer:
        weights = tuned.offer
    try:
        return shape_of(comparison.rates.open_model(weights)) if weights is not None else None
    except (UnknownOffer, UnknownShape):
        return None


def _lora_weights(comparison: Comparison) -> _Finding:
    shape = _adapted_shape(comparison)
    if shape is None:
        return _Finding("Cannot tell", "No open model of known shape is tuned.")
    share = lora_parameters(shape, LORA_RANK) / total_parameters(shape)
    text = f"{share:.2%} of {shape.name} at rank {LORA_RANK} on all linear layers."
    return _Finding("Holds" if share < 0.01 else "Fails", text, {"share": share})


def _lora_adapter(comparison: Comparison) -> _Finding:
    shape = _adapted_shape(comparison)
    if shape is None:
        return _Finding("Cannot tell", "No open model of known shape is tuned.")
    megabytes = 2 * lora_parameters(shape, LORA_RANK) / 1e6
    state: State = "Holds" if 10 <= megabytes < 100 else "Fails"
    text = f"{megabytes:,.0f} MB for {shape.name} at rank {LORA_RANK}, 16 bits a number."
    return _Finding(state, text, {"megabytes": megabytes})


def _lora_cheaper(comparison: Comparison) -> _Finding:
    tuned = _tuned(comparison)
    if tuned is None:
        return _Finding("Cannot tell", "No approach is tuned.")
    try:
        lora, full = (
            comparison.rates.price(tuned.offer, "training_usd_per_mtok", method="sft", technique=technique)
            for technique in ("lora", "full")
        )
    except PricingError:
        return _Finding("Cannot tell", f"No page lists both for {model_name(tuned.offer)}.")
    if lora == full or not lora.usd:
        return _Finding("Cannot tell", f"One price for both: {model_name(tuned.offer)}.")
    ratio = full.usd / lora.usd
    text = f"The page says {money(lora.usd)} and {money(full.usd)} a million tokens: {times(ratio)}."
    return _listed("Holds" if 10 <= ratio <= 100 else "Fails", text, {"ratio": ratio}, full)


def _lora_quality(comparison: Comparison) -> _Finding:
    shares: dict[bool, float] = {}
    for result in comparison.results.values():
        if result.approach.tuning is not None and result.approach.accepted:
            full = result.approach.tuning.technique == "full"
            shares[full] = max(shares.get(full, 0.0), float(result.approach.accepted))
    if len(shares) < 2:
        return _Finding("Cannot tell", "Needs the accepted share of an adapter and of full tuning.")
    kept = shares[False] / shares[True]
    return _Finding("Holds" if kept >= 0.95 else "Fails", f"{kept:.1%} of full tuning's accepted share.", {"kept": kept})


def _unsloth(comparison: Comparison) -> _Finding:
    try:
        fit = comparison.rates.fit("training_time")
        ratio = exp(fit.value("unsloth_padded") - fit.value("plain_kernels"))
    except (PricingError, KeyError):
        return _Finding("Cannot tell", "The price book has no coefficient for it.")
    text = f"{times(ratio)} as fast on padded batches, fitted to published runs."
    return _Finding("Holds" if ratio >= 1.8 else "Fails", text, {"ratio": ratio})


def _shorter_prompt(comparison: Comparison) -> _Finding:
    tuned, reference = _tuned(comparison), comparison.results[comparison.point.reference]
    if tuned is None or reference.approach.tuning is not None:
        return _Finding("Cannot tell", "Needs a tuned approach and a reference that is not.")
    left, before = float(tuned.approach.instruction_tokens), float(reference.approach.instruction_tokens)
    text = f"{left:,.0f} tokens of instructions left of {before:,.0f}."
    return _Finding("Holds" if 0 < left < before else "Fails", text, {"left": left, "before": before})


# --- all of them ------------------------------------------------------------------------------------------------------------

CHECKS: dict[str, _Check] = {
    "millions-a-month": _millions_a_month,
    "labelled-examples": _labelled_examples,
    "narrow-task": _kind_of_task("format", "classification", "extraction", tuning=True),
    "latency": _latency,
    "style": _kind_of_task("style", tuning=True),
    "on-premises": _on_premises,
    "edge-cases": _quality_gained(wanted=True),
    "small-workload": _small_workload,
    "changing-facts": _changing_facts,
    "only-facts": _kind_of_task("facts", tuning=False),
    "prompted-already": _quality_gained(wanted=False),
    "no-data": _no_data,
    "order": _order,
    "hybrid-default": _hybrid_default,
    "prompting-per-request": _prompting_per_request,
    "tuning-up-front": _tuning_up_front,
    "tuning-run": _run_between(50, 5_000),
    "lora-run": _run_between(10, 500, "lora"),
    "managed-run": _run_between(5, 100, "managed"),
    "compute-to-production": _compute_to_production,
    "staff-to-production": _staff_to_production,
    "data-preparation": _largest_line,
    "twice-the-base": _twice_the_base,
    "near-base-at-together": _near_base_at_together,
    "own-gpus": _own_gpus_nearly_free,
    "training-gpt-4o-mini": _training_price("openai/gpt-4o-mini", 25),
    "training-gpt-4o": _training_price("openai/gpt-4o", 100),
    "training-together": _training_at_together,
    "examples-needed": _examples_needed,
    "domain-transfer": _domain_transfer,
    "base-to-instructions": _base_to_instructions,
    "least-examples": _least_examples,
    "few-shot-examples": _few_shot_examples,
    "lora-weights": _lora_weights,
    "lora-adapter": _lora_adapter,
    "lora-cheaper": _lora_cheaper,
    "lora-quality": _lora_quality,
    "unsloth": _unsloth,
    "shorter-prompt": _shorter_prompt,
}
"""How each claim is checked."""


def rules(comparison: Comparison) -> tuple[Rule, ...]:
    """Every rule of thumb, checked against the computed result."""
    return tuple(_checked(claim, comparison) for claim in CLAIMS)


def _checked(claim: Claim, comparison: Comparison) -> Rule:
    found = CHECKS[claim.id](comparison)
    severity: Severity = "caution" if found.agrees is False else "info"
    return Rule(
        claim.id, claim.kind, claim.text, claim.claimed, found.state, found.text, severity, dict(found.values),
        found.source, found.source_date,
    )  # fmt: skip
