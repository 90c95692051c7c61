"""Rules of thumb beside the computed result, and what stands in an approach's way.

A rule is never stronger than the result: it says whether it holds for this workload, with the number behind it, and whether
it points to the same approach as the totals do. Findings are plain sentences; `values` holds their numbers unrounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NamedTuple

import numpy as np

from calc.compare import ApproachResult, Comparison
from calc.evaluate import standing
from calc.ledger import CostLine
from calc.parts.prompt import input_tokens, mean_input_tokens, output_tokens, turn_weights
from calc.scenario import OwnGpus, PerToken, TaskKind
from calc.setting import Setting
from calc.staleness import SMALL_SHARE, StalePrices, stale_prices
from calc.timeline import DAYS_PER_MONTH, Refusal, TimelineEvent, training_refused
from pricing import ExchangeRate, Price, PricingError, UnknownOffer
from pricing.currency import USD, symbol
from pricing.model import US_DOLLAR, LifecycleEvent

State = Literal["Holds", "Fails", "Dated", "Too high", "Cannot tell"]
Severity = Literal["info", "caution", "stop"]
NoteKind = Literal[
    "unavailable",
    "closed to this organisation",
    "tuning closes",
    "model ends",
    "promised until",
    "retraining refused",
    "migration",
    "fallback",
    "context exceeded",
    "too few examples",
    "unverified price",
    "old price",
    "no price",
    "not tunable",
    "quality not stated",
]


@dataclass(frozen=True)
class Rule:
    """A rule of thumb, checked against one comparison."""

    id: str
    text: str
    """The rule in at most 52 characters."""
    claimed: str
    """The claim as it is made, with its figures and where it is from."""
    state: State
    finding: str
    """One sentence with this workload's numbers."""
    severity: Severity = "info"
    """caution: following the rule would not lead to the approach that was computed to be cheapest."""
    values: Mapping[str, float] = field(default_factory=dict)
    """The finding's numbers, unrounded."""


@dataclass(frozen=True)
class Note:
    """Something that limits an approach, or will."""

    approach: str
    kind: NoteKind
    severity: Severity
    text: str
    day: date | None = None
    """The day it takes effect."""
    source: str = ""


class _Finding(NamedTuple):
    state: State
    text: str
    values: Mapping[str, float] = {}
    agrees: bool | None = None
    """Whether the rule points to the computed winner; None where it points nowhere."""


class _RuleOfThumb(NamedTuple):
    id: str
    text: str
    claimed: str
    check: Callable[[Comparison], _Finding]


# --- numbers in sentences -------------------------------------------------------------------------------------------------


def _money(usd: float, currency: ExchangeRate = US_DOLLAR) -> str:
    """Whole units with thousands separators; cents below ten. What is held against a claim in dollars stays in dollars."""
    amount, mark = currency.of_usd(usd), symbol(currency.code)
    if 0 < amount < 0.01:
        return f"under {mark}0.01"
    return f"{mark}{amount:,.0f}" if abs(amount) >= 9.995 or amount == round(amount) else f"{mark}{amount:,.2f}"


def _named(name: str) -> str:
    """An approach inside a sentence."""
    return "RAG" if name == "rag" else name


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio < 10 else f"{ratio:,.0f} times"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _model(offer: str) -> str:
    return offer.partition("/")[2]


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


def _spent(comparison: Comparison, lines: list[CostLine]) -> float:
    return float(sum(np.sum(line.total(comparison.requests)) for line in lines))


def _everywhere(comparison: Comparison, result: ApproachResult) -> Setting:
    return Setting(comparison.point, result.approach, comparison.rates, comparison.months, np.ones(comparison.months.count))


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
    setting = _everywhere(comparison, result)
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
        return _Finding("Cannot tell", f"{here}: the rule is silent; {_named(winner.name)} is cheapest.", values)
    if winner.approach.tuning is not None:
        return _Finding("Fails", f"{here}: {_named(winner.name)} is cheapest all the same.", values, agrees=False)
    if tuned.status != "available":
        text = f"{here}: {_named(winner.name)} is cheapest; {tuned.name} is not to be had."
        return _Finding("Holds", text, values, agrees=True)
    saved = _total(comparison, tuned) - _total(comparison, winner)
    values["saved_usd"] = saved
    return _Finding("Holds", f"{here}: {_named(winner.name)} saves {_money(saved, comparison.currency)}.", values, agrees=True)


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
    if winner is None or searched is None or retraining is None:
        return _Finding("Cannot tell", "Needs an approach with retrieval and a tuned one.")
    embedding = _spent(comparison, _own(searched, "retrieval.re_embed")) / comparison.months.count
    values = {"changing_share": share, "embedding_usd_per_month": embedding, "retraining_usd": retraining}
    embed, retrain = (_money(usd, comparison.currency) for usd in (embedding, retraining))
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
        saved = _total(comparison, comparison.available[others[0]]) - _total(comparison, winner) if others else 0.0
        ahead = f", {_money(saved, comparison.currency)} less than {_named(others[0])}" if others else ""
        return _Finding("Holds", _sentence(f"{_named(winner.name)} is cheapest{ahead}"), {"saved_usd": saved}, agrees=True)
    more = _total(comparison, best) - _total(comparison, winner)
    cheapest = [i for i in comparison.envelope if i.winner and comparison.results[i.winner].family == "hybrid"]
    start = f"Cheapest from {cheapest[0].first:,} a month only" if cheapest else "Never cheapest"
    text = f"{start}: {_money(more, comparison.currency)} more than {_named(winner.name)}{_points(best, winner)}."
    return _Finding("Fails", text, {"more_usd": more}, agrees=False)


def _points(result: ApproachResult, other: ApproachResult) -> str:
    """How many points of accepted answers a result gains over another, in words."""
    if result.accepted is None or other.accepted is None:
        return ""
    points = (result.accepted - other.accepted) * 100
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
        return _Finding("Dated", f"{_model(hourly.offer)} has no tuned price of its own: it is billed as its base, or not sold.")
    return _Finding("Dated", f"{_model(hourly.offer)} is served by the hour, at no price per token.")


def _against_base(comparison: Comparison, result: ApproachResult, tuned: float, base: float) -> _Finding:
    reference = comparison.results[comparison.point.reference]
    prompted = _token_price(comparison, result, reference.offer, tuned=False)
    ratio = tuned / base
    values = {"times_base": ratio}
    text = f"{_model(result.offer)}: {_times(ratio)} its base"
    if prompted:
        values["times_reference"] = tuned / prompted
        text += f", {_times(tuned / prompted)} {_model(reference.offer)}"
    state: State = "Holds" if 1.8 <= ratio <= 2.2 else "Too high" if ratio < 1.8 else "Fails"
    return _Finding(state, f"{text}.", values)


LORA_RUN_USD = (10, 500)


def _lora_run(comparison: Comparison) -> _Finding:
    tuned = _tuned(comparison)
    run = _run_usd(tuned) if tuned is not None else None
    if tuned is None or run is None or tuned.approach.tuning is None:
        return _Finding("Cannot tell", "No tuning run is priced.")
    if tuned.approach.tuning.technique == "full":
        return _Finding("Cannot tell", "All weights are tuned here, not an adapter.")
    low, high = LORA_RUN_USD
    state: State = "Too high" if run < low else "Holds" if run <= high else "Fails"
    return _Finding(state, f"{_money(run)} for one run of {_model(tuned.offer)}.", {"run_usd": run})


def _compute_to_production(comparison: Comparison) -> _Finding:
    tuned = _tuned(comparison)
    lines = [line for line in _own(tuned, "tuning.training") if line.key == "tuning.training"] if tuned is not None else []
    if tuned is None or not lines:
        return _Finding("Cannot tell", "No tuning run is priced.")
    spent = _spent(comparison, lines)
    state: State = "Holds" if spent < 1_000 else "Fails"
    return _Finding(state, f"{_money(spent)} for all runs of {_model(tuned.offer)} up to go-live.", {"training_usd": spent})


def _largest_line(comparison: Comparison) -> _Finding:
    tuned = _tuned(comparison)
    if tuned is None or tuned.status == "unavailable":
        return _Finding("Cannot tell", "No tuned approach can be priced.")
    once = [line for line in _own(tuned, "") if line.timing == "one-off" and ":" not in line.key]
    prepared = _spent(comparison, [line for line in once if line.part == "data_preparation"])
    other = max((line for line in once if line.part != "data_preparation"), key=lambda x: _spent(comparison, [x]), default=None)
    if other is None:
        return _Finding("Cannot tell", "Nothing is spent before go-live.")
    next_largest = _spent(comparison, [other])
    here, there = (_money(usd, comparison.currency) for usd in (prepared, next_largest))
    text = f"{here} before go-live; {other.name[:1].lower()}{other.name[1:]} costs {there}."
    values = {"data_preparation_usd": prepared, "next_largest_usd": next_largest}
    return _Finding("Holds" if prepared > next_largest else "Fails", text, values)


def _millions_a_month(comparison: Comparison) -> _Finding:
    if not comparison.available or not any(_is_tuned(comparison, name) for name in comparison.available):
        return _Finding("Cannot tell", "No tuned approach is priced over the whole horizon.")
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
    each = _spent(comparison, _own(own, "serving.")) / own.served_requests
    values = {"gpu_usd_per_request": each, "tokens_usd_per_request": prompted}
    mark = symbol(comparison.currency.code)
    here, there = (f"{mark}{comparison.currency.of_usd(1_000 * usd):,.2f}" for usd in (each, prompted))
    text = f"{here} of GPU per thousand requests today; {_model(reference.offer)} {there} uncached."
    return _Finding("Holds" if each < prompted / 10 else "Fails", text, values)


def _training_price(offer: str, claimed_usd_per_mtok: float) -> Callable[[Comparison], _Finding]:
    """A claimed training price held against the book's."""

    def check(comparison: Comparison) -> _Finding:
        try:
            listed = comparison.rates.price(offer, "training_usd_per_mtok", method="sft")
        except PricingError as error:
            return _Finding("Dated", str(error))
        values = {"listed": listed.usd, "claimed": claimed_usd_per_mtok}
        if abs(listed.usd - claimed_usd_per_mtok) < 0.005:
            return _Finding("Holds", f"The page says {_money(listed.usd)}.", values)
        ends = [e for e in comparison.rates.lifecycle(offer) if e.event == "training_ends"]
        until = f"; no job starts from {_day(ends[0].date)} on" if ends else ""
        return _Finding("Dated", f"The page says {_money(listed.usd)}{until}.", values)

    return check


RULES: tuple[_RuleOfThumb, ...] = (
    _RuleOfThumb(
        "millions-a-month",
        "Fine-tune once requests run to millions a month",
        "Fine-tuning is worth it where inference cost dominates, at millions of requests.",
        _millions_a_month,
    ),
    _RuleOfThumb(
        "small-workload",
        "Skip it under 10,000 requests a day and 500 examples",
        "Under 10,000 requests a day and fewer than 500 labelled examples, prompting and RAG win at a tenth of the work.",
        _small_workload,
    ),
    _RuleOfThumb(
        "examples-needed",
        "Bring 50 examples for style, 1,000 for a skill",
        "Format and style take 50 to 200 examples, a new capability or domain 1,000 to 10,000.",
        _examples_needed,
    ),
    _RuleOfThumb(
        "changing-facts",
        "Facts that change belong in retrieval",
        "Data that changes: RAG. Style that is hard to describe: fine-tuning.",
        _changing_facts,
    ),
    _RuleOfThumb(
        "hybrid-default",
        "Hybrid is the default in production",
        "Most production systems tune for style and structure and retrieve facts.",
        _hybrid_default,
    ),
    _RuleOfThumb(
        "twice-the-base",
        "A tuned model costs twice its base per token",
        "OpenAI bills tuned models at twice the base price; by model it has been 1.5 to 2 times.",
        _twice_the_base,
    ),
    _RuleOfThumb(
        "lora-run",
        "A LoRA run costs $10 to $500",
        "A LoRA run on an open model costs $10 to $500, a managed one $5 to $100.",
        _lora_run,
    ),
    _RuleOfThumb(
        "compute-to-production",
        "Production takes under $1,000 of compute",
        "From nothing to production most startups spend under $1,000 on compute, and one to four weeks of staff time.",
        _compute_to_production,
    ),
    _RuleOfThumb(
        "data-preparation",
        "Data preparation is often the largest line",
        "Of what a first tuned model costs, data preparation is often the largest line.",
        _largest_line,
    ),
    _RuleOfThumb(
        "own-gpus",
        "Own GPUs answer at nearly nothing per token",
        "A self-hosted adapter costs nearly nothing per token: GPU time is paid instead.",
        _own_gpus_nearly_free,
    ),
    _RuleOfThumb(
        "training-gpt-4o-mini",
        "gpt-4o-mini trains at $25 a million tokens",
        "Often repeated: training gpt-4o-mini costs $25 a million tokens.",
        _training_price("openai/gpt-4o-mini", 25),
    ),
    _RuleOfThumb(
        "training-gpt-4o",
        "gpt-4o trains at $100 a million tokens",
        "Often repeated: training gpt-4o costs $100 a million tokens.",
        _training_price("openai/gpt-4o", 100),
    ),
)
"""The rules of thumb, the most telling first."""


def rules(comparison: Comparison) -> tuple[Rule, ...]:
    """Every rule of thumb, checked against the computed result."""
    return tuple(_checked(rule, comparison) for rule in RULES)


def _checked(rule: _RuleOfThumb, comparison: Comparison) -> Rule:
    found = rule.check(comparison)
    severity: Severity = "caution" if found.agrees is False else "info"
    return Rule(rule.id, rule.text, rule.claimed, found.state, found.text, severity, dict(found.values))


# --- what stands in the way -----------------------------------------------------------------------------------------------

MINIMUM_EXAMPLES = {"openai": 10, "azure-openai": 10}
"""Training examples a provider takes at least, where one is stated."""
ADVISED_EXAMPLES = 50
"""Below this, tuning is said to be of little use anywhere."""


def feasibility(comparison: Comparison) -> tuple[Note, ...]:
    """What limits each approach within the horizon, those that stop it first."""
    order: dict[Severity, int] = {"stop": 0, "caution": 1, "info": 2}
    found = [note for result in comparison.results.values() for note in _notes(comparison, result)]
    return tuple(sorted(found, key=lambda note: order[note.severity]))


def _notes(comparison: Comparison, result: ApproachResult) -> Iterator[Note]:
    yield from _availability(comparison, result)
    yield from _lifecycle_notes(comparison, result)
    yield from _event_notes(comparison, result)
    yield from _size_notes(comparison, result)
    yield from _price_notes(result)
    yield from _age_notes(comparison, result)
    if result.accepted is None:
        text = "No accepted share is stated: its quality is not in the comparison."
        yield Note(result.name, "quality not stated", "caution", text)


def _tuned_at_provider(result: ApproachResult) -> bool:
    tuning = result.approach.tuning
    return tuning is not None and tuning.kind == "managed"


def _served_by_provider(result: ApproachResult) -> bool:
    return not isinstance(result.approach.serving, OwnGpus)


def _refusal(comparison: Comparison, result: ApproachResult, day: date) -> Refusal | None:
    """Why the approach's model cannot be tuned on a day; None where it can, or is tuned on own GPUs."""
    if not _tuned_at_provider(result):
        return None
    return training_refused(comparison.rates, result.offer, standing(comparison.point, result.offer), day)


def _availability(comparison: Comparison, result: ApproachResult) -> Iterator[Note]:
    refusal = _refusal(comparison, result, comparison.as_of)
    event = refusal.event if refusal is not None else None
    if event is not None and event.event.startswith("closed_to"):
        stands = standing(comparison.point, result.offer)
        text = f"Closed to this organisation ({stands}) since {_day(event.date)}: no tuning of {_model(result.offer)}."
        yield Note(result.name, "closed to this organisation", "stop", text, event.date, event.source)
    elif result.unavailable is not None:
        source = event.source if event is not None else ""
        yield Note(result.name, "unavailable", "stop", _sentence(result.unavailable.reason), result.unavailable.since, source)
    if _tuned_at_provider(result) and result.offer.startswith("anthropic/"):
        yield _claude_note(comparison, result)


def _sentence(text: str) -> str:
    """A capital and a full stop; an id at the start stays as it is."""
    start = text[:1] if "/" in text.partition(" ")[0] else text[:1].upper()
    return f"{start}{text[1:].rstrip('.')}."


def _claude_note(comparison: Comparison, result: ApproachResult) -> Note:
    """Anthropic tunes no model; the one Claude that could be tuned at Bedrock has its end recorded in the book."""
    text, source = "Anthropic offers no tuning of Claude", ""
    try:
        ended = [e for e in comparison.rates.lifecycle("bedrock/claude-3-haiku") if e.event == "training_ends"]
    except UnknownOffer:
        ended = []
    if ended:
        verb = "ended" if ended[0].date <= comparison.as_of else "ends"
        text += f"; that of Claude 3 Haiku at Bedrock {verb} on {_day(ended[0].date)}"
        source = ended[0].source
    return Note(result.name, "not tunable", "stop", f"{text}.", source=source)


def _lifecycle_notes(comparison: Comparison, result: ApproachResult) -> Iterator[Note]:
    """Dates of the offer that fall within the horizon."""
    if result.unavailable is not None and not result.ledger.events:
        return
    last = comparison.months.last_day(comparison.months.count - 1)
    seen: set[str] = set()
    for event in _lifecycle(comparison, result.offer):
        if comparison.as_of < event.date <= last and event.event not in seen:
            note = _dated_note(result, event)
            if note is not None:
                seen.add(event.event)
                yield note


def _lifecycle(comparison: Comparison, offer: str) -> tuple[LifecycleEvent, ...]:
    """The offer's dated events; none for open weights, which nobody can withdraw."""
    try:
        return comparison.rates.lifecycle(offer)
    except UnknownOffer:
        return ()


def _dated_note(result: ApproachResult, event: LifecycleEvent) -> Note | None:
    model, day = _model(result.offer), _day(event.date)
    if event.event == "training_ends" and _tuned_at_provider(result):
        return _note(result, "tuning closes", "caution", f"No tuning job of {model} starts from {day} on.", event)
    if event.event == "inference_ends" and _served_by_provider(result):
        return _note(result, "model ends", "caution", f"{model} stops answering on {day}.", event)
    if event.event == "available_until_at_least" and _served_by_provider(result):
        return _note(result, "promised until", "info", f"{model} is promised until {day}; the horizon is longer.", event)
    return None


def _note(result: ApproachResult, kind: NoteKind, severity: Severity, text: str, event: LifecycleEvent) -> Note:
    return Note(result.name, kind, severity, text, event.date, event.source)


def _event_notes(comparison: Comparison, result: ApproachResult) -> Iterator[Note]:
    """Migrations, fallbacks, and retrainings that are refused."""
    for found in result.ledger.events:
        if found.kind == "retraining refused":
            yield _refused_note(comparison, result, found)
        elif found.kind == "migration":
            yield Note(result.name, "migration", "info", _sentence(found.text), found.day, found.source)
        elif found.kind == "fallback":
            since = comparison.months.starts[found.month]
            reference = _named(comparison.point.reference)
            text = f"Falls back to the reference: from {since:%B %Y} on {reference} serves and is billed."
            yield Note(result.name, "fallback", "caution", text, found.day, found.source)


def _refused_note(comparison: Comparison, result: ApproachResult, refused: TimelineEvent) -> Note:
    """The refusal, dated by the day from which no job starts rather than by the month of the retraining."""
    refusal = _refusal(comparison, result, refused.day)
    event = refusal.event if refusal is not None else None
    if event is None:
        return Note(result.name, "retraining refused", "caution", _sentence(refused.text), refused.day, refused.source)
    planned = refused.text.partition(" is refused")[0]
    text = f"{planned} is refused: no job starts from {_day(event.date)} on."
    return _note(result, "retraining refused", "caution", text, event)


def _size_notes(comparison: Comparison, result: ApproachResult) -> Iterator[Note]:
    window, needed = _context_tokens(comparison, result), _longest_request(comparison, result)
    if window is not None and needed > window:
        text = f"A request takes {needed:,.0f} tokens with its answer; {_model(result.offer)} reads {window:,}."
        yield Note(result.name, "context exceeded", "stop", text)
    tuning = result.approach.tuning
    if tuning is None:
        return
    examples: Any = tuning.examples if tuning.examples is not None else comparison.point.task.examples
    least = MINIMUM_EXAMPLES.get(result.offer.partition("/")[0], 0) if _tuned_at_provider(result) else 0
    if examples is not None and examples < least:
        text = f"{examples:,.0f} examples; the provider takes {least} at least."
        yield Note(result.name, "too few examples", "stop", text)
    elif examples is not None and examples < ADVISED_EXAMPLES:
        text = f"{examples:,.0f} examples; fewer than {ADVISED_EXAMPLES} seldom change a model's answers."
        yield Note(result.name, "too few examples", "caution", text)


def _context_tokens(comparison: Comparison, result: ApproachResult) -> int | None:
    """The longest request the model reads, prompt and answer together; None where it is not known."""
    rates = comparison.rates
    try:
        item = rates.item(result.offer)[2]
    except UnknownOffer:
        return rates.open_model(result.offer).context_tokens
    if item.context_tokens is not None or item.weights is None:
        return item.context_tokens
    return rates.open_model(item.weights).context_tokens


def _longest_request(comparison: Comparison, result: ApproachResult) -> float:
    """Input and output tokens of the last turn of the longest conversation."""
    setting = _everywhere(comparison, result)
    last = max(turn_weights(comparison.point.workload.turns_per_conversation))
    return float(input_tokens(setting, last) + output_tokens(setting))


def _price_notes(result: ApproachResult) -> Iterator[Note]:
    """Lines without a price, and unverified prices that were accepted."""
    if result.unavailable is None:
        for line in result.ledger.missing:
            kind: NoteKind = "unverified price" if "unverified" in str(line.missing) else "no price"
            if line.key != "failures.rejected":
                yield Note(result.name, kind, "stop", f"{line.name}: {line.missing}")
    accepted = {p for line in result.ledger.lines for p in line.prices if p.confidence == "unverified"}
    for price in sorted(accepted, key=lambda p: (p.offer, p.key)):
        text = f"{price.offer}: the price of {price.listed_value} {_listed_unit(price)} is unverified; you accepted it by name."
        yield Note(result.name, "unverified price", "caution", text, price.effective, price.source)


def _listed_unit(price: Price) -> str:
    """The price's unit in the currency it is listed in."""
    return price.unit.replace(USD, price.listed_currency, 1)


MOST_FIGURES = 3
"""Prices of one page that a note names."""


def _age_notes(comparison: Comparison, result: ApproachResult) -> Iterator[Note]:
    """Prices that were read long before the day they are used for, by what rests on them; small ones in one sentence."""
    stale = stale_prices(comparison, result)
    small = [found for found in stale if found.share < SMALL_SHARE]
    for found in stale[: len(stale) - len(small)]:
        first = found.prices[0]
        text = f"{found.share:.0%} of its cost rests on {_old(found)}: {_figures(found.prices)}. Check before you decide."
        yield Note(result.name, "old price", "caution", text, first.source_date, first.source)
    if small:
        oldest = max(small, key=lambda found: found.age_days)
        first, others = oldest.prices[0], len(small) - 1
        more = f", and as little on each of {others} more such pages" if others > 1 else ", as on one more page" * others
        text = f"Under {SMALL_SHARE:.0%} of its cost rests on {_old(oldest)}{more}."
        yield Note(result.name, "old price", "info", text, first.source_date, first.source)


def _old(found: StalePrices) -> str:
    first = found.prices[0]
    return f"prices of {first.offer} read {found.age_days:,} days before ({first.source})"


def _figures(prices: tuple[Price, ...]) -> str:
    figures = [" ".join(filter(None, (f"{price.listed_value} {_listed_unit(price)}", price.conditions))) for price in prices]
    more = len(figures) - MOST_FIGURES
    return ", ".join(figures[:MOST_FIGURES]) + (f" and {more} more" if more > 0 else "")
