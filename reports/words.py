"""Every label, number format and sentence a reader sees. Numbers are rounded here, half to even, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import wraps
from math import floor, isfinite, log10
from typing import Concatenate, Literal, ParamSpec, Protocol, TypeVar

from calc.advice import State
from calc.break_even import BreakEven, Interval, Kind
from calc.compare import ApproachResult, Comparison, Savings, Status
from calc.export import stated_ranges
from calc.feasibility import Note, Severity, feasibility
from calc.ledger import CostLine, Group, Timing
from calc.scenario import Approach, Family, OwnGpus, PerToken
from calc.timeline import inference_ends
from pricing import ExchangeRate, Price, UnknownOffer
from pricing.currency import CURRENCIES, USD, symbol
from pricing.model import US_DOLLAR, Confidence, Event
from reports.sources import source_words

_P = ParamSpec("_P")
_T = TypeVar("_T")

MISSING = "—"
MINUS = "−"

DIGEST_LETTERS = 12
"""Of a digest as people read it."""

# --- labels ---------------------------------------------------------------------------------------------------------------

FAMILY_LABELS: dict[Family, str] = {
    "prompting": "Prompting",
    "few-shot": "Few-shot",
    "rag": "RAG",
    "fine-tuning": "Fine-tuning",
    "hybrid": "Hybrid",
}
GROUP_LABELS: dict[Group, str] = {
    "rejected answers": "Rejected answers",
    "tokens": "Tokens",
    "gpu rental": "GPU rental",
    "staff and evaluation": "Staff and evaluation",
    "data and training": "Data and training",
    "retrieval": "Retrieval",
    "commitments and credits": "Commitments and credits",
}
TIMING_LABELS: dict[Timing, str] = {
    "one-off": "Once",
    "monthly": "Every month",
    "per request": "Per request",
    "stepped": "In steps",
}
STATUS_LABELS: dict[Status, str] = {"available": "Available", "unpriced": "No price", "unavailable": "Unavailable"}
CONFIDENCE_LABELS: dict[Confidence, str] = {
    "primary": "Provider's own page",
    "package": "Published package",
    "transcribed": "Transcribed from the provider",
    "bulk": "Provider's bulk list",
    "estimate": "Derived",
    "unverified": "Not verified",
    "own": "Own price",
}
EVENT_LABELS: dict[Event, str] = {
    "released": "Released",
    "deprecated": "Deprecated",
    "closed_to_new_customers": "Closed to new customers",
    "closed_to_inactive": "Closed to inactive customers",
    "training_ends": "No tuning from",
    "inference_ends": "Ends",
    "available_until_at_least": "Stays until at least",
}
GROUP_HEADS: dict[str, tuple[Group, ...]] = {
    "Grows with volume": ("rejected answers", "tokens"),
    "In steps or fixed": ("gpu rental", "staff and evaluation", "data and training", "commitments and credits"),
    "Partly": ("retrieval",),
}
"""The parts of cost by how they follow the volume."""
MemoryPartName = Literal["weights", "optimizer", "gradients", "overhead", "activations", "logits"]
MEMORY_LABELS: dict[MemoryPartName, str] = {
    "weights": "Weights",
    "optimizer": "Optimizer states",
    "gradients": "Gradients",
    "overhead": "Gathered or temporary",
    "activations": "Activations",
    "logits": "Logits",
}
MEMORY_PARTS = tuple(MEMORY_LABELS)
"""In drawing order: first what does not depend on the tokens at work."""
PHASE_LABELS: dict[str, str] = {
    "load": "Load",
    "loss": "Loss",
    "backward begins": "Backward begins",
    "backward ends": "Backward ends",
    "step": "Optimizer step",
}
SEVERITY_LABELS: dict[Severity, str] = {"stop": "Stops it", "caution": "Caution", "info": "Note"}
STATE_LABELS: dict[State, str] = {
    "Holds": "Holds",
    "Fails": "Fails",
    "Dated": "Dated",
    "Too high": "Costs less here",
    "Cannot tell": "Cannot tell",
}
"""How a rule of thumb fares."""
CARD_LETTERS = 11
"""Letters of a name that fit beside an amount in a card."""
TUNED: tuple[Family, ...] = ("fine-tuning", "hybrid")

_NUMBER_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def label(name: str) -> str:
    """An approach as a heading: one of the five, or the name the scenario gives it."""
    if name in FAMILY_LABELS:
        return FAMILY_LABELS[name]
    named = in_sentence(name)
    return named[:1].upper() + named[1:]


def in_sentence(name: str) -> str:
    """An approach inside a sentence: lower case but for RAG; names of the scenario's own as stated."""
    return re.sub(r"\brag\b", "RAG", name)


def role(name: str) -> str:
    """A role as a heading: ml_engineer is an ML engineer."""
    text = name.replace("_", " ")
    return re.sub(r"^Ml\b", "ML", text[:1].upper() + text[1:])


def model_name(offer: str) -> str:
    """The model of an offer, without its provider."""
    return offer.partition("/")[2] or offer


# --- numbers --------------------------------------------------------------------------------------------------------------


def _signed(text: str) -> str:
    return text.replace("-", MINUS)


_shown_in: ContextVar[ExchangeRate] = ContextVar("currency amounts are shown in", default=US_DOLLAR)
_names_with_amounts: ContextVar[tuple[str, ...]] = ContextVar("names whose amounts are left as written", default=())


@contextmanager
def amounts_in(currency: ExchangeRate, names: Iterable[str] = ()) -> Iterator[None]:
    """Within it, amounts given in dollars are written in a currency. Each thread has its own; outside of it, dollars.

    Args:
        names: what the reader called something; an amount inside is part of the name.
    """
    before, named_before = _shown_in.set(currency), _names_with_amounts.set(tuple(name for name in names if "$" in name))
    try:
        yield
    finally:
        _shown_in.reset(before)
        _names_with_amounts.reset(named_before)


def in_its_currency(made: Callable[Concatenate[Comparison, _P], _T]) -> Callable[Concatenate[Comparison, _P], _T]:
    """A function of a comparison that writes its amounts in that comparison's currency, whoever calls it."""

    @wraps(made)
    def within(comparison: Comparison, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        with amounts_in(comparison.currency, _names_given(comparison)):
            return made(comparison, *args, **kwargs)

    return within


def _names_given(comparison: Comparison) -> Iterator[str]:
    """What the reader called approaches, and providers in own prices."""
    yield from comparison.scenario.approaches
    yield from (provider.name for provider in comparison.rates.book.agreed_providers)


def shown_amount(usd: float) -> float:
    """An amount of dollars in the currency shown, for a chart to draw."""
    return _shown_in.get().of_usd(usd)


def mark() -> str:
    """What stands before an amount in the currency shown: $, €, CHF and a thin space."""
    return symbol(_shown_in.get().code)


def unit_name() -> str:
    """The currency shown, as a heading or an axis names it: US$, EUR."""
    found = _shown_in.get()
    return "US$" if found.is_dollar else found.code


def rate_words(rate: ExchangeRate) -> str:
    """An exchange rate with its day and whose it is: 0.8951 EUR per USD of 30 Oct 2026, ECB."""
    of = f" of {day_short(rate.effective)}, {rate.publisher}" if rate.effective else ""
    return f"{rate.per_usd:.4f} {rate.code} per USD{of}"


def currency_sentence(comparison: Comparison) -> str:
    """At which rate amounts are converted, what was stated in which currency; empty where all is in dollars."""
    rate, converted = comparison.currency, comparison.scenario.conversions
    parts = []
    if not rate.is_dollar:
        parts.append(f"Amounts in {rate.code} at {rate_words(rate)} (source: {source_words(rate.source or '')}).")
    for other in dict.fromkeys(found.rate for found in converted):
        names = listed(".".join((*found.path[:-1], found.stated_as)) for found in converted if found.rate == other)
        at = "that rate" if other == rate else f"{rate_words(other)} (source: {source_words(other.source or '')})"
        parts.append(f"Stated in {other.code} and converted at {at}: {names}.")
    return " ".join(parts)


def money(usd: float | None, *, plus: bool = False) -> str:
    """A total in whole dollars (or units of the currency shown): $21,538. What would round to nothing is said to be under one.

    Args:
        plus: show the sign of a positive amount too.
    """
    if usd is None:
        return MISSING
    amount = shown_amount(usd)
    if 0 < abs(amount) < 0.5:
        return f"<{mark()}1" if amount > 0 else f"{MINUS}<{mark()}1"
    sign = MINUS if round(amount) < 0 else "+" if plus and amount > 0 else ""
    return f"{sign}{mark()}{abs(round(amount)):,}"


def money_per(usd: float | None) -> str:
    """An amount per request or answer to a hundredth of a cent, below a tenth of a cent two digits: $0.0134, $0.000064, ¥2.11."""
    if usd is None:
        return MISSING
    amount, cents = shown_amount(usd), _cents()
    if 0 < abs(amount) < 0.5 * 10 ** -(cents + 5):
        least = f"<{mark()}{10 ** -(cents + 5):.{cents + 5}f}"
        return least if amount > 0 else f"{MINUS}{least}"
    large = amount == 0 or abs(amount) >= 10 ** -(cents + 1)
    decimals = cents + 2 if large else min(cents + 5, 1 - floor(log10(abs(amount))))
    return f"{MINUS if amount < 0 else ''}{mark()}{abs(amount):,.{decimals}f}"


def money_cents(usd: float) -> str:
    """An amount to the smallest coin: $1,234.50, ¥194,126."""
    amount = shown_amount(usd)
    return f"{MINUS if amount < 0 else ''}{mark()}{abs(amount):,.{_cents()}f}"


def money_run(usd: float | None) -> str:
    """The cost of one run, to the smallest coin; below it two digits: $4.00, $0.43, $0.0031."""
    if usd is None:
        return MISSING
    return money_per(usd) if 0 < abs(shown_amount(usd)) < 10 ** -_cents() else money_cents(usd)


def money_tick(amount: float) -> str:
    """A round amount on an axis, already in the currency shown, with no more digits than it needs: $30,000, $0.03, $0.0003."""
    return f"{mark()}{amount:,.0f}" if amount >= 1 else f"{mark()}{amount:.{max(_cents(), -floor(log10(amount)))}f}"


def money_short(amount: float, largest: float) -> str:
    """A round amount beside a chart, already in the currency shown: $2,500, or −$400k where the largest has five digits."""
    shown = _short(abs(amount)) if largest >= 10_000 else _plain(_rounded(abs(amount), 4))
    return f"{MINUS if amount < 0 else ''}{mark()}{shown}"


def _cents() -> int:
    """Decimals of the smallest coin of the currency shown."""
    return CURRENCIES[_shown_in.get().code].decimals


def exact_money(amount: Decimal, code: str = USD) -> str:
    """An amount of a currency with all its digits, no fewer than its coins have: $2.50, $0.0375."""
    digits = f"{amount:f}"
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    whole, _, fraction = digits.partition(".")
    fraction = fraction.ljust(CURRENCIES[code].decimals, "0")
    return f"{symbol(code)}{int(whole):,}{'.' if fraction else ''}{fraction}"


def price(row: Price) -> str:
    """A price as its provider lists it, with unit and conditions: $2.50 per million input tokens, batch.

    Of another currency the rate is said too: 1.99 EUR per GPU and hour at 0.8951 EUR per USD of 30 Oct 2026, ECB.
    """
    unit, conditions = row.unit.removeprefix("USD "), f", {row.conditions}" if row.conditions else ""
    if row.exchange_rate is None:
        return f"{exact_money(row.value)} {unit}{conditions}"
    return f"{row.listed_value:f} {row.listed_currency} {unit}{conditions} at {rate_words(row.exchange_rate)}"


def listed_as(row: Price) -> str:
    """How a converted price is listed, and the rate: listed as 1.99 EUR at 0.8951 EUR per USD of 30 Oct 2026, ECB; else empty."""
    if row.exchange_rate is None:
        return ""
    return f"listed as {row.listed_value:f} {row.listed_currency} at {rate_words(row.exchange_rate)}"


def listed_money(row: Price) -> str:
    """A price in the currency its provider lists it in, without its unit: $2.50, €1.99."""
    return exact_money(row.listed_value, row.listed_currency)


def volume(requests: float, *beside: float) -> str:
    """A volume in prose, three significant digits: 486,000, 12 million.

    Args:
        beside: other volumes of the same sentence; more digits are shown where two different ones would look the same.
    """
    return _distinct(requests, beside, _prose_volume)


def volume_short(requests: float, *beside: float) -> str:
    """A volume on a chart: 486k, 1.2M; with more digits where another of the chart would look the same."""
    return _distinct(requests, beside, lambda v, digits: _short(v, digits))


def exact_volume(requests: int) -> str:
    """A volume to the last request, for tables: 128,716."""
    return f"{requests:,}"


def _distinct(value: float, beside: Sequence[float], shown: _Shown) -> str:
    others = [other for other in beside if other != value]
    for digits in range(3, 12):
        text = shown(value, digits)
        if all(shown(other, digits) != text for other in others):
            break
    return text


def _rounded(value: float, digits: int) -> Decimal:
    """To a number of significant digits; whole numbers keep all digits before the point of a larger precision."""
    return Decimal(f"{value:.{digits - 1}e}")


def _plain(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _prose_volume(requests: float, digits: int) -> str:
    value = _rounded(requests, digits)
    for size, named in ((Decimal(10) ** 12, "trillion"), (Decimal(10) ** 9, "billion"), (Decimal(10) ** 6, "million")):
        if value >= size:
            return f"{_plain(value / size)} {named}"
    return _plain(value)


def _short(value: float, digits: int = 3) -> str:
    rounded = _rounded(value, digits)
    for size, unit in ((Decimal(10) ** 12, "T"), (Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(1000), "k")):
        if rounded >= size:
            return f"{_plain(rounded / size)}{unit}"
    return _plain(rounded)


def quantity(amount: float) -> str:
    """How much of something is bought: whole from a thousand on, else four significant digits."""
    if abs(amount) >= 1000 or amount == int(amount):
        return _signed(f"{round(amount):,}")
    return _signed(_plain(_rounded(amount, 4)))


def unit_price(usd: float) -> str:
    """A computed price of one unit, four significant digits: $0.0000025."""
    amount, code = shown_amount(usd), _shown_in.get().code
    text = exact_money(_rounded(abs(amount), 4) if amount else Decimal(0), code)
    return f"{MINUS}{text}" if amount < 0 else text


def hours(amount: float | None) -> str:
    """A duration, two digits: 6 min, 1.5 h, 3.2 days."""
    if amount is None:
        return MISSING
    for size, unit in ((24 * 3, " days"), (1.0, " h"), (1 / 60, " min")):
        if amount >= size * 0.995:
            value = amount / (24 if unit == " days" else size)
            return f"{value:,.0f}{unit}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0") + unit
    return "under a minute"


def percent(share: float) -> str:
    """A share, one decimal where it needs it: 94.5%, 8%."""
    return _signed(f"{share * 100:.1f}".removesuffix(".0")) + "%"


def percent_whole(share: float) -> str:
    """A share without decimals: 62%."""
    return _signed(f"{share:.0%}")


def figure(number: float) -> str:
    """A number as it is put down: 0.35, 1,200."""
    return _signed(f"{number:,g}")


def put_in(number: float) -> str:
    """A number as a reader put it in, with its digits: 1,000,000, 100.5."""
    digits = f"{number:.{15 if float(number).is_integer() else 10}g}"
    return _signed(f"{Decimal(digits):,f}" if number == 0 or 1e-12 < abs(number) < 1e15 else digits)


def rate(annual: float) -> str:
    """A yearly rate of return; beyond ten times a year no digits are worth showing."""
    return "over 1,000%" if annual > 10 else percent(annual)


def payback(months_until: int | None) -> str:
    """After how many months from the decision what is spent has come back: at once, 7 months, never."""
    return "at once" if months_until == 0 else months(months_until)


def irr(found: Savings) -> str:
    """The annual rate of return where there is exactly one, else "none": `irr_reason` says why."""
    return rate(found.annual_irr[0]) if found.irr_note is None else "none"


def irr_reason(found: Savings) -> str:
    """Why there is not one rate of return, with the rates where there are several; empty where there is one."""
    several = f" ({listed(map(rate, found.annual_irr))})" if found.annual_irr else ""
    return f"{found.irr_note}{several}" if found.irr_note is not None else ""


def day(on: date) -> str:
    """20 November 2026."""
    return f"{on.day} {on:%B %Y}"


def price_book(comparison: Comparison) -> str:
    """Which state of the price book an answer rests on, with the start of its digest, and what own prices are laid over it."""
    return "; ".join((_release(comparison), *(f"own prices of {file}" for file in comparison.rates.book.own_files)))


def _release(comparison: Comparison) -> str:
    found = comparison.price_book
    if found.release is None:
        return "price book" + (f" as recorded through {day(found.recorded_through)}" if found.recorded_through else "")
    later = " and later records" if found.has_later else ""
    through = f"recorded through {day(found.release.recorded_through)}, SHA-256 {found.release.sha256[:DIGEST_LETTERS]}"
    return f"price book release {found.release.name} ({through}){later}"


def price_book_short(comparison: Comparison) -> str:
    """As `price_book`, for a footer: the release's name and the start of its digest, or the day."""
    own = (f"own prices {file.sha256[:DIGEST_LETTERS]}" for file in comparison.rates.book.own_files)
    return ", ".join((_release_short(comparison), *own))


def _release_short(comparison: Comparison) -> str:
    found = comparison.price_book
    if found.release is None:
        return f"recorded through {day_short(found.recorded_through)}" if found.recorded_through else "no release"
    later = " and later" if found.has_later else ""
    return f"release {found.release.name}{later}, {found.release.sha256[:DIGEST_LETTERS]}"


def day_short(on: date) -> str:
    """20 Nov 2026."""
    return f"{on.day} {on:%b %Y}"


def month(on: date) -> str:
    """December 2026."""
    return f"{on:%B %Y}"


def months(count: int | None) -> str:
    """A number of months, or that there is none."""
    if count is None:
        return "never"
    return "1 month" if count == 1 else f"{count} months"


def counted(count: int) -> str:
    """A count as text: words up to twelve."""
    return _NUMBER_WORDS[count] if count < len(_NUMBER_WORDS) else f"{count:,}"


def listed(items: Iterable[str], joined: str = "and") -> str:
    """a, b and c."""
    found = list(items)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} {joined} {found[-1]}" if found else ""


class _Shown(Protocol):
    """A number at some precision, as text."""

    def __call__(self, value: float, digits: int, /) -> str:
        """The text."""
        ...


# --- the verdict ----------------------------------------------------------------------------------------------------------


def rejected_are_lost(comparison: Comparison) -> bool:
    """Whether approaches are compared at equal accepted answers: rejected ones are lost, and shares are known."""
    return any(result.volume_scale != 1 for result in comparison.available.values())


def value_is_counted(comparison: Comparison) -> bool:
    """Whether approaches are compared by cost less value."""
    return any(result.compared_benefits for result in comparison.available.values())


def counted_value(comparison: Comparison) -> str:
    """What the value that approaches are compared by is of: accepted answers, seconds saved, or both."""
    counted = [benefit for result in comparison.available.values() for benefit in result.compared_benefits]
    of_answers = "accepted answers" if any(benefit.is_of_answers for benefit in counted) else ""
    of_seconds = "seconds saved" if any(not benefit.is_of_answers for benefit in counted) else ""
    return f"value of {' and '.join(filter(None, (of_answers, of_seconds)))}"


def volume_unit(comparison: Comparison) -> str:
    """What the volumes count: a request, or an accepted answer where rejected ones are lost."""
    return "accepted answer" if rejected_are_lost(comparison) else "request"


def per_month(comparison: Comparison) -> str:
    """What the volumes count, in a month."""
    return f"{volume_unit(comparison)}s a month"


def cards_caption(comparison: Comparison) -> str:
    """What every figure of the approaches' cards is for."""
    over, start = months(comparison.months.count), month(comparison.months.starts[0])
    net = f", net of the {counted_value(comparison)}" if value_is_counted(comparison) else ""
    return f"Total over {over} from {start}, at {volume(comparison.requests)} {per_month(comparison)}{net}"


def verdict(comparison: Comparison) -> str:
    """The answer in one sentence, with the volume it holds for."""
    if not comparison.available:
        can = _can(comparison)
        return f"No approach {can}{' over the whole horizon' if can == 'can be priced' else ''}"
    winner = comparison.winner()
    tuned = [result for result in comparison.results.values() if result.family in TUNED]
    answer = _advice(comparison, winner, any(result.status == "available" for result in tuned))
    counting = per_month(comparison).replace("s a", " a") if comparison.requests == 1 else per_month(comparison)
    at = f"at {volume(comparison.requests, *_telling(comparison))} {counting}"
    named = in_sentence(winner) if answer == "Do not fine-tune" else "it"
    rank = _rank(comparison, named, winner)
    return f"{answer}: {at} {rank}{_until(comparison, winner, tuned)}"


def _advice(comparison: Comparison, winner: str, tuned_compared: bool) -> str:
    if winner == "fine-tuning":
        return "Fine-tune"
    if winner == comparison.point.reference and tuned_compared and comparison.results[winner].family not in TUNED:
        return "Do not fine-tune"
    return f"Use {in_sentence(winner)}"


def _rank(comparison: Comparison, named: str, winner: str) -> str:
    compared, stated = len(comparison.available), len(comparison.results)
    if compared == 1:
        only = f"the only one of {counted(stated)} approaches that {_can(comparison)}" if stated > 1 else "the only approach"
        return f"{named} is {only}"
    tied = _holding(comparison).winner != winner
    if tied:
        return f"no approach is cheaper than {named}" if named != "it" else "no approach is cheaper"
    which = "cheaper" if compared == 2 else "cheapest"
    of = f"{counted(compared)} approaches"
    if compared < stated:
        of = f"the {of} that {_can(comparison)}"
    return f"{named} is the {which} of {of}"


def _can(comparison: Comparison) -> str:
    """What the approaches that are compared can and the others cannot."""
    left_out = [result.unavailable for result in comparison.results.values() if result.status != "available"]
    premises = [why is not None and why.off_premises for why in left_out]
    if all(premises):
        return "can run on your premises"
    return "can be priced and run on your premises" if any(premises) else "can be priced"


def _until(comparison: Comparison, winner: str, tuned: Sequence[ApproachResult]) -> str:
    """The second half: where fine-tuning is the cheapest of all, or where the winner stays so."""
    own = comparison.results[winner].family in TUNED
    if own or not tuned:
        return _stays(comparison, winner)
    candidates = [result for result in tuned if result.status == "available"]
    if not candidates:
        return f"; {_no_total(comparison, tuned[0])}"
    names = {result.name for result in candidates}
    runs = _runs(comparison.envelope, names)
    winners = {interval.winner for interval in comparison.envelope if interval.winner in names}
    subject = in_sentence(next(iter(winners))) if len(winners) == 1 else _tuning(candidates)
    return f"; {subject} {_wins(comparison, runs)}"


def _tuning(candidates: Sequence[ApproachResult]) -> str:
    return in_sentence(candidates[0].name) if len(candidates) == 1 else "fine-tuning"


def _wins(comparison: Comparison, runs: Sequence[tuple[int, int]]) -> str:
    """Where something is the cheapest of all that is not so at today's volume."""
    top, today = comparison.largest_volume, comparison.requests
    wins = "is cheaper" if len(comparison.available) == 2 else "is the cheapest of all"
    if not runs:
        return f"{wins} at no volume up to {volume(top)}"
    first, last = runs[0][0], runs[-1][1]
    if len(runs) > 1:
        if first > today:
            return f"{wins} only above {volume(first, today)}, and not at every volume"
        return f"{wins} only at {counted(len(runs))} other ranges of volume"
    if last == top:
        return f"{wins} only from {volume(first, today)}"
    if first == 1:
        return f"{wins} only up to {volume(last, today)}"
    return f"{wins} only between {volume(first, last, today)} and {volume(last, first, today)}"


def _stays(comparison: Comparison, winner: str) -> str:
    """From which to which volume the winner stays so."""
    if len(comparison.available) == 1:
        return ""
    if _holding(comparison).winner != winner:
        return ""
    up = " up" if _holding(comparison).last == comparison.largest_volume and _holding(comparison).first > 1 else ""
    return f"; it stays cheapest {_span(comparison)}{up}"


def _no_total(comparison: Comparison, result: ApproachResult) -> str:
    """Why an approach is not compared, in a few words."""
    name = in_sentence(result.name)
    if result.unavailable is None:
        first, *more = dict.fromkeys(found.name[:1].lower() + found.name[1:] for found in result.unpriced)
        others = f" and {counted(len(more))} other {'line' if len(more) == 1 else 'lines'}" if more else ""
        return f"{name} has no price for {first}{others}"
    if result.unavailable.off_premises:
        return f"{name} is not on your premises"
    since = result.unavailable.since
    return f"{name} is unavailable{f' from {day(since)}' if since > comparison.as_of else ''}"


def _holding(comparison: Comparison) -> Interval:
    """The interval of the envelope that today's volume lies in."""
    return next(i for i in comparison.envelope if i.first <= comparison.requests <= i.last)


def _telling(comparison: Comparison) -> list[int]:
    """Ends of today's interval, which today's volume must not be confused with."""
    if len(comparison.available) < 2:
        return []
    held = _holding(comparison)
    return [v for v in (held.first, held.last) if v not in (1, comparison.largest_volume)]


def _span(comparison: Comparison) -> str:
    """From which to which volume today's winner stays cheapest."""
    held, top, today = _holding(comparison), comparison.largest_volume, comparison.requests
    if held.first == 1 and held.last == top:
        return f"at every volume up to {volume(top)}"
    if held.first == 1:
        return f"up to {volume(held.last, today)}"
    if held.last == top:
        return f"from {volume(held.first, today)}"
    return f"from {volume(held.first, today, held.last)} to {volume(held.last, today, held.first)}"


def _runs(envelope: Sequence[Interval], names: set[str]) -> list[tuple[int, int]]:
    """Unbroken ranges of volume in which one of the names is cheapest."""
    runs: list[tuple[int, int]] = []
    for interval in envelope:
        if interval.winner not in names:
            continue
        if runs and runs[-1][1] == interval.first - 1:
            runs[-1] = (runs[-1][0], interval.last)
        else:
            runs.append((interval.first, interval.last))
    return runs


# --- reasons --------------------------------------------------------------------------------------------------------------


def reasons(comparison: Comparison) -> str:
    """Why, in a few sentences: the total, the lead, how far it holds, and what the answer leaves out."""
    parts = [_lead_sentence(comparison), *_stopping(comparison)] if comparison.available else []
    parts += [left_out(comparison, result) for result in comparison.results.values() if result.status != "available"]
    parts += [_cut_short(comparison, result) for result in comparison.available.values()]
    if comparison.available and not comparison.quality_included:
        without = [in_sentence(name) for name, result in comparison.available.items() if result.accepted is None]
        none = len(without) == len(comparison.available)
        stating = "no approach states" if none else f"{listed(without)} {'does' if len(without) == 1 else 'do'} not state"
        parts.append(f"Quality is not included: {stating} an accepted share.")
    parts.append(ranges_sentence(comparison))
    return " ".join(part for part in parts if part)


def _stopping(comparison: Comparison) -> list[str]:
    """What stops the cheapest approach although it has a total, such as a request that its model cannot read."""
    winner = comparison.winner()
    stops = [found for found in feasibility(comparison) if found.approach == winner and found.severity == "stop"]
    return [f"But {in_sentence(winner)} does not meet what is asked: {note(found)}" for found in stops]


def _lead_sentence(comparison: Comparison) -> str:
    ranked = comparison.ranked()
    winner = ranked[0]
    total = total_usd(comparison, winner)
    equal = " at equal accepted answers" if rejected_are_lost(comparison) else ""
    equal += f" net of the {counted_value(comparison)}" if value_is_counted(comparison) else ""
    sentence = f"{label(winner)} costs {money(total)} over {months(comparison.months.count)}{equal}"
    if len(ranked) == 1:
        return f"{sentence}."
    behind = money(total_usd(comparison, ranked[1]) - total)
    runner_up = ", the runner-up" if len(ranked) > 2 else ""
    lead = f"{behind} less than {in_sentence(ranked[1])}{runner_up}"
    if _holding(comparison).winner != winner:
        return f"{sentence}, as much as {in_sentence(ranked[1])}."
    return f"{sentence}, {lead}, and stays cheapest {_span(comparison)} {per_month(comparison)}."


def total_usd(comparison: Comparison, name: str) -> float:
    """The total that approaches are compared by: today's volume, at equal answers where rejected ones are lost."""
    return float(comparison.available[name].compared_usd())


def shown_requests(result: ApproachResult) -> float:
    """Requests in month 0 that an approach's shown figures are for: where rejected answers are lost, as many as it takes to
    have today's volume of accepted ones.
    """
    sent = float(result.requests * result.volume_scale)
    return sent if isfinite(sent) else float(result.requests)


def per_request_usd(result: ApproachResult) -> float:
    """The compared total over the requests it takes: the same basis as the total shown beside it."""
    return float(result.compared_usd()) * float(result.requests) / (float(result.served_requests) * shown_requests(result))


def per_accepted_usd(result: ApproachResult) -> float | None:
    """The compared total over the answers it gives: resolved ones, or accepted ones where the rejected are lost."""
    if result.accepted is None:
        return None
    share = 1.0 if result.failure_mode == "remediate" else float(result.accepted)
    return per_request_usd(result) / share if share > 0 else None


def left_out(comparison: Comparison, result: ApproachResult) -> str:
    """Why an approach has no total, as a sentence."""
    text = _capital(_no_total(comparison, result), result)
    if result.unavailable is None:
        return f"{text}."
    why = days_in_words(without_sources(result.unavailable.reason))
    return f"{label(result.name)} {why}." if why.startswith("cannot ") else f"{text}: {why}."


def note(found: Note) -> str:
    """What limits an approach: ids as they are, dates as people write them, its source left out but for what is old there."""
    text = found.text
    if found.kind == "old price":
        text = text.replace(f"({found.source})", f"at {source_words(found.source)}")
    return days_in_words(without_sources(text))


def days_in_words(text: str) -> str:
    """A message with its dates as people write them, and its amounts in the currency shown."""
    return re.sub(r"\b\d{4}-\d\d-\d\d\b", lambda found: day(date.fromisoformat(found.group())), amounts_in_words(text))


def amounts_in_words(text: str) -> str:
    """A message or a formula of the model with its dollar amounts in the currency shown, to five digits: 3 h × €26.85.

    What stands in quotation marks, and names that `amounts_in` was given, are somebody's own words and stay as written.
    """
    if _shown_in.get().is_dollar:
        return text

    def converted(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        return f"{mark()}{_plain(_rounded(shown_amount(float(found[1].replace(',', ''))), 5))}"

    own_words = "|".join((r"(?<!\w)'[^']*'(?!\w)", *map(re.escape, sorted(_names_with_amounts.get(), key=len, reverse=True))))
    return re.sub(rf"{own_words}|\$(\d+(?:,\d{{3}})*(?:\.\d+)?)", converted, text)


def formula(line: CostLine) -> str:
    """How a line comes about, its amounts in the currency shown."""
    return amounts_in_words(line.formula)


def _cut_short(comparison: Comparison, result: ApproachResult) -> str:
    """What of an approach does not last to the end of the horizon; empty where all of it does."""
    fallback = fallback_day(comparison, result)
    if fallback is not None:
        reference = in_sentence(comparison.point.reference)
        return f"{label(result.name)} lasts until {month(fallback)}, from when {reference} stands in for it."
    refused = [event.day for event in result.ledger.events if event.kind == "retraining refused"]
    return f"{label(result.name)} cannot be retrained as stated from {month(refused[0])} on." if refused else ""


def fallback_day(comparison: Comparison, result: ApproachResult) -> date | None:
    """First day on which the reference stands in for an approach whose model has ended."""
    months_in = [event.month for event in result.ledger.events if event.kind == "fallback"]
    return comparison.months.starts[months_in[0]] if months_in else None


def without_sources(text: str) -> str:
    """A message without the sources in brackets."""
    return re.sub(r"\s*\((?:https?://|pkg:)[^)]*\)", "", text)


def ranges_sentence(comparison: Comparison) -> str:
    """Which inputs are ranges, computed at their point value; empty where there are none."""
    ranges = stated_ranges(comparison.scenario)
    if not ranges:
        return ""
    at = ranges.pop("workload.requests_per_month", None)
    others = len(ranges)
    inputs = "input is a range" if others == 1 else "inputs are ranges"
    if at is None:
        return f"{counted(others).capitalize()} {inputs}, computed at {'its' if others == 1 else 'their'} point value."
    low, high = min(at.stated), max(at.stated)
    text = f"The volume is a range, {volume(low)} to {volume(high)}, computed at {volume(at.point)}"
    if not others:
        return f"{text}."
    return f"{text}; {counted(others)} other {inputs}, also computed at {'its' if others == 1 else 'their'} point value."


# --- badges ---------------------------------------------------------------------------------------------------------------

BadgeKind = Literal["certainty", "until", "closed", "partial"]


@dataclass(frozen=True)
class Badge:
    """A fact beside the verdict: how sure it is, until when it holds, what is closed, what is missing."""

    kind: BadgeKind
    text: str

    @property
    def is_warning(self) -> bool:
        """Whether it limits the answer."""
        return self.kind in ("closed", "partial")


def badges(comparison: Comparison) -> list[Badge]:
    """Retirements and closings of the models used, and what the answer leaves out."""
    found = []
    if comparison.available:
        found.append(_lasts(comparison, comparison.results[comparison.winner()]))
    for offer in dict.fromkeys(result.offer for result in comparison.results.values()):
        found += _closings(comparison, offer)
    found += [
        Badge("partial", _capital(_no_total(comparison, result), result))
        for result in comparison.results.values()
        if result.status == "unpriced"
    ]
    return list(dict.fromkeys(found))


def _capital(text: str, result: ApproachResult) -> str:
    return f"{label(result.name)}{text[len(result.name) :]}"


def _lasts(comparison: Comparison, result: ApproachResult) -> Badge:
    model = model_name(result.offer)
    if isinstance(result.approach.serving, OwnGpus):
        return Badge("until", f"{model} on own GPUs: nobody can retire it")
    end = inference_ends(comparison.rates, result.offer)
    if end is not None:
        return Badge("closed", f"{model} ends on {day_short(end.date)}")
    promised = [e.date for e in comparison.rates.lifecycle(result.offer) if e.event == "available_until_at_least"]
    if promised:
        return Badge("until", f"{model} stays until {day_short(max(promised))} at least")
    return Badge("until", f"No retirement announced for {model}")


def _closings(comparison: Comparison, offer: str) -> list[Badge]:
    """Announced ends of an offer that an approach uses, in one badge."""
    users = [result for result in comparison.results.values() if result.offer == offer]
    calls = any(not isinstance(result.approach.serving, OwnGpus) for result in users)
    tunes = any(result.approach.tuning is not None and result.approach.tuning.kind == "managed" for result in users)
    try:
        events = comparison.rates.lifecycle(offer)
    except UnknownOffer:
        return []
    texts = []
    if tunes:
        standing = comparison.point.organisation.get(offer.partition("/")[0], "new")
        closed = [e for e in events if e.event == "closed_to_new_customers" and standing == "new"]
        texts += [f"closed to new customers since {day_short(e.date)}" for e in closed[:1] if e.date <= comparison.as_of]
        texts += [f"no tuning from {day_short(e.date)}" for e in events if e.event == "training_ends"]
    if calls:
        texts += [f"ends on {day_short(e.date)}" for e in events if e.event == "inference_ends"][:1]
    return [Badge("closed", f"{model_name(offer)}: {', '.join(texts)}")] if texts else []


# --- approaches and break-evens -------------------------------------------------------------------------------------------


def lead(comparison: Comparison, name: str) -> str:
    """An approach against the winner: "cheapest", or "+$7,444"."""
    if name not in comparison.available:
        return status_label(comparison.results[name])
    winner = comparison.winner()
    if name == winner:
        return "cheapest" if len(comparison.available) > 2 else "cheaper" if len(comparison.available) == 2 else "the only one"
    return money(total_usd(comparison, name) - total_usd(comparison, winner), plus=True)


def lead_on_card(comparison: Comparison, name: str) -> str:
    """The lead in the width of a card: "+$7,444 vs RAG"; a winner of a long name is called the cheapest."""
    found = lead(comparison, name)
    if name not in comparison.available or name == comparison.winner():
        return found
    against = label(comparison.winner())
    return f"{found} vs {against if len(against) <= CARD_LETTERS else 'cheapest'}"


def where_it_runs(approach: Approach) -> str:
    """Where an approach's model runs, in a few words."""
    serving = approach.serving
    if isinstance(serving, OwnGpus):
        return f"own {serving.gpu.upper()}"
    return "by token" if isinstance(serving, PerToken) else "dedicated"


def made_of(result: ApproachResult) -> str:
    """The model of an approach and what is added to it."""
    approach = result.approach
    parts = [model_name(result.offer)]
    if approach.tuning is not None:
        parts.append(where_it_runs(approach))
    if approach.shots:
        parts.append(f"{quantity(float(approach.shots))} example{'s' if approach.shots != 1 else ''}")
    if approach.retrieval is not None:
        parts.append("retrieval")
    return ", ".join(parts)


def accepted(comparison: Comparison, result: ApproachResult) -> str:
    """The share of all answers accepted, and whether the reference's are among them; empty where no share is stated."""
    if result.accepted is None:
        return ""
    return f"{percent(float(result.accepted))} accepted{accepted_of_others(comparison, result)}"


def accepted_of_others(comparison: Comparison, result: ApproachResult) -> str:
    """In which months an approach's accepted share is the reference's: ``, prompting's until go-live included``; else empty."""
    if result.accepted is None or result.own_requests >= result.served_requests:
        return ""
    months_of = ["until go-live"] * (result.approach.go_live_month > 0)
    months_of += ["after its end"] * (fallback_day(comparison, result) is not None)
    return f", {in_sentence(comparison.point.reference)}'s {listed(months_of)} included"


def accepted_notes(comparison: Comparison) -> list[str]:
    """A sentence for each approach whose accepted share is not its own alone, with its own."""
    return [
        f"{label(result.name)}: {accepted(comparison, result)}; {percent(float(result.approach.accepted or 0))} of its own."
        for result in comparison.available.values()
        if accepted_of_others(comparison, result)
    ]


def total_column(comparison: Comparison) -> str:
    """The column of what approaches are compared by."""
    less_value = "cost less value, " if value_is_counted(comparison) else ""
    return f"{less_value}{unit_name()}, {months(comparison.months.count)}"


@dataclass(frozen=True)
class ApproachRow:
    """An approach in a table, every figure as text."""

    name: str
    total: str
    lead: str
    per_request: str
    per_accepted: str
    accepted: str
    status: str


def approach_rows(comparison: Comparison) -> list[ApproachRow]:
    """Every approach, in the order of the scenario."""
    return [_approach_row(comparison, result) for result in comparison.results.values()]


def _approach_row(comparison: Comparison, result: ApproachResult) -> ApproachRow:
    if result.status != "available":
        return ApproachRow(result.name, MISSING, MISSING, MISSING, MISSING, MISSING, _no_total_status(comparison, result))
    return ApproachRow(
        name=result.name,
        total=money(total_usd(comparison, result.name)),
        lead=lead(comparison, result.name),
        per_request=money_per(per_request_usd(result)),
        per_accepted=money_per(per_accepted_usd(result)),
        accepted=MISSING if result.accepted is None else percent(float(result.accepted)),
        status=_priced_status(comparison, result),
    )


def _priced_status(comparison: Comparison, result: ApproachResult) -> str:
    fallback = fallback_day(comparison, result)
    if fallback is not None:
        return f"Until {fallback:%b %Y}, then {in_sentence(comparison.point.reference)}"
    return "Not retrained as stated" if result.incomplete_steps else status_label(result)


def _no_total_status(comparison: Comparison, result: ApproachResult) -> str:
    if result.unavailable is not None and result.unavailable.since > comparison.as_of:
        return f"Unavailable from {day_short(result.unavailable.since)}"
    return status_label(result)


def status_label(result: ApproachResult) -> str:
    """Whether an approach is compared, and if not why, in a few words."""
    if result.unavailable is not None and result.unavailable.off_premises:
        return "Not on your premises"
    return STATUS_LABELS[result.status]


def line_amount(line: CostLine, result: ApproachResult) -> str:
    """A cost line's amount over the horizon, at the requests its approach is shown for, or that it has no price."""
    return "no price" if line.missing else money(float(line.total(shown_requests(result))))


def break_even_sentence(found: BreakEven, counting: str = "requests a month") -> str:
    """Who of two is cheaper at which volume.

    Args:
        counting: what the volumes count (`per_month`).
    """
    a, b, high = found.a, found.b, found.intervals[-1].last
    kind, volumes = found.verdict.kind, found.verdict.volumes
    match kind:
        case Kind.TIE:
            return f"{label(a)} and {in_sentence(b)} cost the same at every volume up to {volume(high)} {counting}."
        case Kind.ALWAYS_A | Kind.ALWAYS_B:
            cheap, dear = (a, b) if kind is Kind.ALWAYS_A else (b, a)
            text = f"{label(cheap)} is cheaper than {in_sentence(dear)} at every volume up to {volume(high)} {counting}"
        case Kind.A_THEN_B | Kind.B_THEN_A:
            first, then = (a, b) if kind is Kind.A_THEN_B else (b, a)
            text = f"{label(then)} is cheaper than {in_sentence(first)} from {volume(volumes[0])} {counting}"
        case Kind.A_BETWEEN | Kind.B_BETWEEN:
            cheap, dear = (a, b) if kind is Kind.A_BETWEEN else (b, a)
            low, up = volumes[0], volumes[1] - 1
            span = f"from {volume(low, up)} to {volume(up, low)} {counting}"
            text = f"{label(cheap)} is cheaper than {in_sentence(dear)} only {span}"
        case _:
            text = _several(found, volumes, counting)
    return f"{text}{_ties(found)}."


def _several(found: BreakEven, volumes: Sequence[int], counting: str) -> str:
    winners = [interval.winner for interval in found.intervals if interval.winner is not None]
    first, last = winners[0], winners[-1]
    low, up = volumes[0], volumes[-1]
    between = f"in between they change places {counted(len(volumes))} times"
    if first == last:
        other = found.b if first == found.a else found.a
        return (
            f"{label(str(first))} is cheaper than {in_sentence(other)} below {volume(low, up)} and from {volume(up, low)} "
            f"{counting}; {between}"
        )
    return (
        f"{label(str(first))} is cheaper than {in_sentence(str(last))} below {volume(low, up)} {counting}, "
        f"{in_sentence(str(last))} from {volume(up, low)}; {between}"
    )


def _ties(found: BreakEven) -> str:
    """Ranges, not single volumes, in which two cost the same."""
    spans = [i for i in found.intervals if i.winner is None and i.last > i.first]
    return "".join(f"; they cost the same from {volume(i.first, i.last)} to {volume(i.last, i.first)}" for i in spans)


def break_even_sentences(comparison: Comparison) -> list[str]:
    """The winner against every other approach, in the order of the scenario; why where there is no break-even."""
    if not comparison.available:
        return []
    winner, counting = comparison.winner(), per_month(comparison)
    sentences = []
    for name, result in comparison.results.items():
        if result.status != "available":
            sentences.append(no_break_even_sentence(comparison, result))
        elif name != winner:
            sentences.append(break_even_sentence(comparison.break_even(winner, name), counting))
    return sentences


def no_break_even_sentence(comparison: Comparison, result: ApproachResult) -> str:
    """Why an approach without a total has no break-even."""
    return f"{_capital(_no_total(comparison, result), result)}, so it has no break-even."
