"""What stands in an approach's way within the horizon, in plain sentences: ends of models, limits of size, prices, age."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np

from calc.compare import ApproachResult, Comparison
from calc.evaluate import standing
from calc.parts.prompt import input_tokens, output_tokens, turn_weights
from calc.scenario import BOUGHT, OwnGpus, Tuning
from calc.sentences import day_words, model_name, named, sentence
from calc.setting import Setting
from calc.staleness import SMALL_SHARE, StalePrices, stale_prices
from calc.timeline import Refusal, TimelineEvent, training_refused
from pricing import Price, UnknownOffer
from pricing.currency import USD
from pricing.model import LifecycleEvent

Severity = Literal["info", "caution", "stop"]
NoteKind = Literal[
    "unavailable",
    "off premises",
    "rented GPUs",
    "too slow",
    "too few accepted",
    "stale facts",
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
    "no tokens",
    "quality not stated",
]


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
    yield from _premises_notes(comparison, result)
    yield from _size_notes(comparison, result)
    yield from _limit_notes(comparison, result)
    yield from _price_notes(result)
    yield from _age_notes(comparison, result)
    workload = comparison.point.workload
    if not workload.user_tokens and not workload.answer_tokens:
        text = "A request has neither a message nor an answer: workload.user_tokens and workload.answer_tokens are both 0."
        yield Note(result.name, "no tokens", "caution", text)
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
        text = f"Closed to this organisation ({stands}) since {day_words(event.date)}: no tuning of {model_name(result.offer)}."
        yield Note(result.name, "closed to this organisation", "stop", text, event.date, event.source)
    elif result.unavailable is not None and not result.unavailable.off_premises:
        source = event.source if event is not None else ""
        yield Note(result.name, "unavailable", "stop", sentence(result.unavailable.reason), result.unavailable.since, source)
    if _tuned_at_provider(result) and result.offer.startswith("anthropic/"):
        yield _claude_note(comparison, result)


def _claude_note(comparison: Comparison, result: ApproachResult) -> Note:
    """Anthropic tunes no model; the one Claude that could be tuned at Bedrock has its end recorded in the book."""
    text, source = "Anthropic offers no tuning of Claude", ""
    try:
        ended = [e for e in comparison.rates.lifecycle("bedrock/claude-3-haiku") if e.event == "training_ends"]
    except UnknownOffer:
        ended = []
    if ended:
        verb = "ended" if ended[0].date <= comparison.as_of else "ends"
        text += f"; that of Claude 3 Haiku at Bedrock {verb} on {day_words(ended[0].date)}"
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
    model, day = model_name(result.offer), day_words(event.date)
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
            yield Note(result.name, "migration", "info", sentence(found.text), found.day, found.source)
        elif found.kind == "fallback":
            since = comparison.months.starts[found.month]
            reference = named(comparison.point.reference)
            text = f"Falls back to the reference: from {since:%B %Y} on {reference} serves and is billed."
            yield Note(result.name, "fallback", "caution", text, found.day, found.source)


def _refused_note(comparison: Comparison, result: ApproachResult, refused: TimelineEvent) -> Note:
    """The refusal, dated by the day from which no job starts rather than by the month of the retraining."""
    refusal = _refusal(comparison, result, refused.day)
    event = refusal.event if refusal is not None else None
    if event is None:
        return Note(result.name, "retraining refused", "caution", sentence(refused.text), refused.day, refused.source)
    planned = refused.text.partition(" is refused")[0]
    text = f"{planned} is refused: no job starts from {day_words(event.date)} on."
    return _note(result, "retraining refused", "caution", text, event)


def _size_notes(comparison: Comparison, result: ApproachResult) -> Iterator[Note]:
    window, needed = _context_tokens(comparison, result), _longest_request(comparison, result)
    if window is not None and needed > window:
        text = f"A request takes {needed:,.0f} tokens with its answer; {model_name(result.offer)} reads {window:,}."
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


def _premises_notes(comparison: Comparison, result: ApproachResult) -> Iterator[Note]:
    """What leaves the premises, where nothing may."""
    if not comparison.point.task.on_premises:
        return
    if result.unavailable is not None and result.unavailable.off_premises:
        yield Note(result.name, "off premises", "stop", sentence(result.unavailable.reason), result.unavailable.since)
        return
    parts = (result.approach.serving, result.approach.tuning)
    rented = dict.fromkeys(part.rent for part in parts if isinstance(part, OwnGpus | Tuning) and part.rent not in (None, BOUGHT))
    if rented:
        text = f"Its GPUs are rented from {' and '.join(map(str, rented))}: yours to run, but not on your premises."
        yield Note(result.name, "rented GPUs", "caution", text)


def _limit_notes(comparison: Comparison, result: ApproachResult) -> Iterator[Note]:
    """Limits of the task that an approach misses, and facts that change while it stays."""
    task, approach = comparison.point.task, result.approach
    seconds, limit, share = approach.seconds_per_answer, task.seconds_per_answer_limit, approach.accepted
    if limit is not None and seconds is None:
        yield Note(result.name, "too slow", "info", f"An answer may take {limit:g} s; seconds_per_answer is not stated.")
    elif limit is not None and seconds is not None and seconds > limit:
        yield Note(result.name, "too slow", "stop", f"An answer takes {seconds:g} s; {limit:g} s are allowed.")
    if task.minimum_accepted_share is not None and share is not None and share < task.minimum_accepted_share:
        own = "its own" if result.own_requests < result.served_requests else "the"
        text = f"{share:.1%} of {own} answers are accepted; {task.minimum_accepted_share:.1%} are asked for."
        yield Note(result.name, "too few accepted", "stop", text)
    changing, tuning = task.facts_changing_per_month_share, approach.tuning
    if changing and tuning is not None and approach.retrieval is None and not tuning.retrain_every_months:
        text = f"{changing:.0%} of the facts change a month; it neither retrieves them nor is retrained."
        yield Note(result.name, "stale facts", "caution", text)


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
    setting = everywhere(comparison, result)
    last = max(turn_weights(comparison.point.workload.turns_per_conversation))
    return float(input_tokens(setting, last) + output_tokens(setting))


def _price_notes(result: ApproachResult) -> Iterator[Note]:
    """Lines without a price, and unverified prices that were accepted."""
    if result.unavailable is None:
        for line in result.unpriced:
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


def everywhere(comparison: Comparison, result: ApproachResult) -> Setting:
    """The approach's setting as if it ran in every month."""
    return Setting(comparison.point, result.approach, comparison.rates, comparison.months, np.ones(comparison.months.count))
