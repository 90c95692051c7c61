"""An estimate held against what was used and billed: which lines were off, by how much, and through what.

Usage is counted by month and model (`MonthUsage`). Each month is held against the same month of the estimate; a month before the
horizon against its first, with compound growth run backwards, and one after it against its last. Where a log covers part of a
month, so does the estimate it is held against. Totals of a log are never scaled.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple, get_args

import numpy as np

from calc.compare import ApproachResult, Comparison
from calc.evaluate import token_terms
from calc.ledger import CostLine
from calc.logged_models import LoggedModel, names_of
from calc.scenario import CompoundGrowth
from calc.setting import Setting, counted
from calc.usage import usage_charges
from pricing import PricingError
from pricing.model import Service
from pricing.near import did_you_mean

MOST_NAMES, LONGEST_NAME = 12, 80
"""Names of a log that a message lists, and characters of one."""


class NotMatched(Exception):
    """No approach, or more than one, uses the models of the log; the message names them and says what to state."""


@dataclass(frozen=True)
class MonthUsage:
    """What one model was used for in one month, and what was billed. None is unknown, never zero."""

    month: date
    """Its first day."""
    days: int
    """Days of it that the log covers."""
    model: str
    """As the log names it; empty where the log does not split by model."""
    service: str | None = None
    """standard, batch …; None where the log does not say."""
    requests: float | None = None
    input_tokens: float | None = None
    """All input tokens, cached or not."""
    cache_read_tokens: float | None = None
    cache_write_tokens: float | None = None
    """Written to a cache, for however long."""
    cache_write_1h_tokens: float | None = None
    """Those of them written for an hour, where that has a price of its own."""
    output_tokens: float | None = None
    """All output tokens, reasoning among them."""
    reasoning_tokens: float | None = None
    billed_usd: float | None = None
    source: str = ""
    """The kind of file it was read from."""
    first_day: int = 1
    """Of the month, the first day that the log covers."""

    @property
    def covered(self) -> range:
        """The days of the month that the log covers."""
        return range(self.first_day, self.first_day + self.days)

    @property
    def days_in_month(self) -> int:
        """Days of the calendar month."""
        return monthrange(self.month.year, self.month.month)[1]

    @property
    def is_whole(self) -> bool:
        """Whether the log covers every day of the month."""
        return self.days >= self.days_in_month


COUNTERS = tuple(field.name for field in fields(MonthUsage) if field.name.endswith(("requests", "tokens")))


def added(usages: Sequence[MonthUsage]) -> MonthUsage:
    """Usages of one month as one.

    What one line of a kind of file does not know, its sum does not know either. Where two kinds of file state one figure, the
    first counts.
    """
    sums: dict[str, Any] = {name: _first_stated(usages, name) for name in (*COUNTERS, "billed_usd")}
    services = {usage.service for usage in usages if usage.service is not None}
    service = services.pop() if len(services) == 1 else None
    days = set().union(*(usage.covered for usage in usages))
    return replace(usages[0], days=len(days), first_day=min(days), service=service, **sums)


def _first_stated(usages: Sequence[MonthUsage], name: str) -> float | None:
    for source in dict.fromkeys(usage.source for usage in usages):
        values = [getattr(usage, name) for usage in usages if usage.source == source]
        if any(value is not None for value in values):
            return _sum(values)
    return None


def _sum(values: Iterable[float | None]) -> float | None:
    found = list(values)
    known = [value for value in found if value is not None]
    return sum(known) if known and len(known) == len(found) else None


# --- which lines ----------------------------------------------------------------------------------------------------------


class Unmatched(NamedTuple):
    """Usage that is held against no line, and what its model's name may mean."""

    model: str
    requests: float | None
    tokens: float | None
    billed_usd: float | None
    hint: str


@dataclass(frozen=True)
class Matched:
    """The approach whose lines are held against the log, and the usage that is its own."""

    result: ApproachResult
    models: tuple[str, ...]
    """As the log names them."""
    usage: tuple[MonthUsage, ...]
    unmatched: tuple[Unmatched, ...]


def matched(found: Comparison, usage: Sequence[MonthUsage], *, approach: str | None = None, model: str | None = None) -> Matched:
    """The usage of one approach's model.

    Args:
        approach: its name; default the only one whose model the log names.
        model: the name in the log of the model that serves the approach, where it cannot be told, as of a private deployment.

    Raises:
        NotMatched: there is no such approach, model or match, or more than one; the names are told.
    """
    billed = {name: result for name, result in found.results.items() if token_lines(result)}
    if approach is not None and approach not in found.results:
        raise NotMatched(f"There is no approach '{approach}'. {did_you_mean(approach, found.results) or _has(found.results)}")
    if approach is not None and approach not in billed:
        why = "; ".join(found.results[approach].why_not) or "it is not billed by token"
        raise NotMatched(f"Approach '{approach}' has no token lines to hold a log against: {why}.")
    logged = tuple(dict.fromkeys(line.model for line in usage if line.model))
    if model is not None and model.lower() not in (name.lower() for name in logged):
        raise NotMatched(f"The log names no model '{model}'. {did_you_mean(model, logged) or _has(logged)}")
    wanted = billed if approach is None else {approach: billed[approach]}
    mine = {name: _models_of(found, result, logged, model) for name, result in wanted.items()}
    users = [name for name, models in mine.items() if models]
    if len(users) != 1:
        raise NotMatched(_why_not_one(found, wanted, logged, users))
    models = mine[users[0]]
    own = tuple(line for line in usage if line.model in models)
    if len(logged) == len(models):  # a bill that is not split by model can only be for the one
        own += tuple(replace(line, model=models[0]) for line in usage if not line.model)
    rest = [line for line in usage if line.model not in models and not (len(logged) == len(models) and not line.model)]
    return Matched(billed[users[0]], models, own, _unmatched(found, rest, billed))


def token_lines(result: ApproachResult) -> tuple[CostLine, ...]:
    """The token lines of an approach's own model: not those of a second model, nor of the reference in its place."""
    return tuple(
        line
        for line in result.ledger.lines
        if line.part == "prompt" and line.key != "prompt.check" and ":mix:" not in line.key and "@" not in line.key
    )


def _models_of(found: Comparison, result: ApproachResult, logged: Sequence[str], model: str | None) -> tuple[str, ...]:
    if model is not None:
        return tuple(name for name in logged if name.lower() == model.lower())
    offers = {result.offer} | {row.offer for line in token_lines(result) for row in line.prices}
    is_tuned = result.approach.tuning is not None
    return tuple(
        name
        for name in logged
        if (read := LoggedModel.of(name)).tuned == is_tuned and any(read.is_offer(found.rates, offer) for offer in offers)
    )


def _why_not_one(found: Comparison, wanted: Mapping[str, ApproachResult], logged: Sequence[str], users: Sequence[str]) -> str:
    if users:
        model = wanted[users[0]].offer
        return f"{', '.join(users)} all use {model}, so the log cannot tell which it is of. Name one by --approach."
    used = ", ".join(f"{name} uses {'a tuned ' if r.approach.tuning else ''}{r.offer}" for name, r in wanted.items())
    if not logged:
        return f"The log names no model, and {used}. Export it grouped by model."
    hint = next(filter(None, (_hint(found, name, wanted) for name in logged)), "")
    return (
        f"The log has {_listed(logged)}, and {used or 'no approach is billed by token'}. {hint} "
        "If a name in the log stands for an approach's model, state both: --approach NAME --model NAME."
    ).replace(".  If", ". If")


def _hint(found: Comparison, model: str, billed: Mapping[str, ApproachResult]) -> str:
    """What a name that is no approach's model may mean."""
    read = LoggedModel.of(model)
    of_base = [name for name, result in billed.items() if model and read.is_offer(found.rates, result.offer)]
    if of_base:
        differs = "It is tuned, and the model of {} is not." if read.tuned else "It is not tuned, and the model of {} is."
        return differs.format(", ".join(of_base))
    names = dict.fromkeys(name for result in billed.values() for name in names_of(found.rates, result.offer))
    return did_you_mean(read.name, names, most=1, cutoff=0.6) if model else ""


def _unmatched(found: Comparison, rest: Sequence[MonthUsage], billed: Mapping[str, ApproachResult]) -> tuple[Unmatched, ...]:
    result = []
    for model in dict.fromkeys(line.model for line in rest):
        whole = added([line for line in rest if line.model == model])
        users = [a for a, r in billed.items() if model and _models_of(found, r, (model,), None)]
        hint = f"the model of {', '.join(users)}" if users else _hint(found, model, billed)
        tokens = _sum((whole.input_tokens, whole.output_tokens))
        result.append(Unmatched(model, whole.requests, tokens, whole.billed_usd, hint))
    return tuple(result)


def _has(names: Iterable[str]) -> str:
    return f"There are {_listed(names)}."


def _listed(names: Iterable[str]) -> str:
    """Names in a row: the first of them, long ones cut."""
    found = [name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…" for name in names]
    more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
    return ", ".join(found[:MOST_NAMES]) + more


# --- how far off ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LineError:
    """One line of the estimate beside what happened. Amounts are in US$ at list prices; None is unknown."""

    name: str
    unit: str
    estimated: float | None
    actual: float | None
    estimated_usd: float | None = None
    actual_usd: float | None = None

    @property
    def difference(self) -> float | None:
        """Actual less estimated, in units."""
        return None if self.estimated is None or self.actual is None else self.actual - self.estimated

    @property
    def ratio(self) -> float | None:
        """Actual over estimated."""
        return None if not self.estimated or self.actual is None else self.actual / self.estimated

    @property
    def difference_usd(self) -> float | None:
        """Actual less estimated, in US$."""
        return None if self.estimated_usd is None or self.actual_usd is None else self.actual_usd - self.estimated_usd


class Cause(NamedTuple):
    """A part of the difference between billed and estimated."""

    name: str
    usd: float


Tokens = dict[str, float | None]
"""requests, input, cache_read, cache_write, output: tokens of a month; input is what is neither read nor written."""
_KINDS = ("input", "cache_read", "cache_write", "output")
_NAMES = {
    "input": "Input tokens, uncached",
    "cache_read": "Input tokens read from cache",
    "cache_write": "Input tokens written to cache",
    "output": "Output tokens",
}
_COUNTER = {"input": "input_tokens"} | {kind: f"{kind}_tokens" for kind in _KINDS[1:]}


@dataclass(frozen=True)
class MonthError:
    """One month of the log beside its month of the estimate."""

    usage: MonthUsage
    held_against: date
    """The first day of that month of the estimate."""
    estimated: Tokens
    actual: Tokens
    estimated_usd: float | None
    """Of the token lines, for the days that the log covers."""
    estimated_by_kind: Mapping[str, float] | None
    """The same by kind of token."""
    actual_at_list: Mapping[str, float] | None
    """What the log's tokens cost at list prices, by kind."""
    no_list: str
    """Why the counters have no amount at list prices."""

    @property
    def list_usd(self) -> float | None:
        """What the counters cost at list prices."""
        return None if self.actual_at_list is None else sum(self.actual_at_list.values())

    @property
    def causes(self) -> tuple[Cause, ...] | None:
        """Billed less estimated, cause by cause; None where something it takes is unknown.

        One quantity after another is put from its estimated to its actual value: requests, input per request, what of it is
        cached, output per request, the list price of a token; the rest is billed over list.
        """
        e, a, listed = self.estimated, self.actual, self.actual_at_list
        known = (*e.values(), *a.values(), self.usage.billed_usd)
        if self.estimated_by_kind is None or listed is None or any(value is None for value in known) or not e["requests"]:
            return None
        tokens = {kind: (_of(e, kind), _of(a, kind)) for kind in _KINDS}
        unit = {
            kind: self.estimated_by_kind[kind] / was if was else listed[kind] / now if now else 0.0
            for kind, (was, now) in tokens.items()
        }
        grown = _of(a, "requests") / _of(e, "requests")
        was_usd = {kind: tokens[kind][0] * unit[kind] for kind in _KINDS}
        now_usd = {kind: tokens[kind][1] * unit[kind] for kind in _KINDS}
        was_input, now_input = (sum(tokens[kind][side] for kind in _KINDS[:3]) for side in (0, 1))
        input_usd = sum(was_usd[kind] for kind in _KINDS[:3]) * grown
        longer_usd = input_usd * now_input / (was_input * grown) if was_input else 0.0
        return (
            Cause("requests", sum(was_usd.values()) * (grown - 1)),
            Cause("input tokens per request", longer_usd - input_usd),
            Cause("share of the input cached", sum(now_usd[kind] for kind in _KINDS[:3]) - longer_usd),
            Cause("output tokens per request", now_usd["output"] - was_usd["output"] * grown),
            Cause("list price of a token", sum(listed.values()) - sum(now_usd.values())),
            Cause("billed over list price", float(self.usage.billed_usd or 0.0) - sum(listed.values())),
        )


def _of(tokens: Tokens, kind: str) -> float:
    value = tokens[kind]
    assert value is not None
    return value


@dataclass(frozen=True)
class InvoiceCheck:
    """An estimate beside a log."""

    comparison: Comparison
    match: Matched
    months: tuple[MonthError, ...]
    notes: tuple[str, ...] = ()

    @property
    def result(self) -> ApproachResult:
        """The approach."""
        return self.match.result

    @cached_property
    def lines(self) -> tuple[LineError, ...]:
        """The errors line by line, over all months of the log."""
        est = {kind: _sum(m.estimated[kind] for m in self.months) for kind in ("requests", *_KINDS)}
        act = {kind: _sum(m.actual[kind] for m in self.months) for kind in ("requests", *_KINDS)}
        est_usd = {kind: _sum(_at(m.estimated_by_kind, kind) for m in self.months) for kind in _KINDS}
        act_usd = {kind: _sum(_at(m.actual_at_list, kind) for m in self.months) for kind in _KINDS}
        all_input = _sum(m.usage.input_tokens for m in self.months)
        rows = [
            LineError("Requests", "request", est["requests"], act["requests"]),
            LineError("Input tokens, all", "token", _sum(est[kind] for kind in _KINDS[:3]), all_input),
        ]
        rows += [LineError(_NAMES[k], "token", est[k], act[k], est_usd[k], act_usd[k]) for k in _KINDS]
        return tuple(row for row in rows if row.estimated or row.actual or row.actual is None)

    @property
    def outside_horizon(self) -> tuple[str, ...]:
        """Which month of the estimate, and which volume, months before and after its horizon are held against."""
        months = self.comparison.months
        before = [m.usage.month for m in self.months if months.index(m.usage.month) < 0]
        after = [m.usage.month for m in self.months if months.index(m.usage.month) >= months.count]
        kind = self.comparison.point.workload.growth.kind
        said = []
        if before:
            grown = f"{kind} growth is not run backwards, so" if kind not in ("compound", "flat") else ""
            how = "compound growth run backwards from it" if kind == "compound" else f"{grown} its volume as it is".strip()
            said.append(f"the estimate begins in {months.starts[0]:%B %Y}: {self._held(before)} its first month; {how}")
        if after:
            said.append(
                f"the estimate ends in {months.starts[-1]:%B %Y}: {self._held(after)} its last month, its volume as it is"
            )
        return tuple(f"{each}: {self._volumes(which)}" for each, which in zip(said, filter(None, (before, after)), strict=True))

    @staticmethod
    def _held(months: Sequence[date]) -> str:
        first, last = months[0], months[-1]
        return f"{first:%B %Y} is held against" if first == last else f"{first:%B %Y} to {last:%B %Y} are held against"

    def _volumes(self, months: Sequence[date]) -> str:
        """What the estimate takes for whole months."""
        volumes = [self.result.requests * requests_per_volume(self.comparison, self.result, month) for month in months]
        low, high = (counted(round(found(volumes)), "request") for found in (min, max))
        return f"{high} a month" if low == high else f"{low} to {high} a month"

    @property
    def estimated_usd(self) -> float | None:
        """Of the token lines over the months of the log."""
        return _sum(month.estimated_usd for month in self.months)

    @property
    def list_usd(self) -> float | None:
        """What the counters cost at list prices."""
        return _sum(month.list_usd for month in self.months)

    @property
    def billed_usd(self) -> float | None:
        """What was billed for them."""
        return _sum(month.usage.billed_usd for month in self.months)

    @property
    def causes(self) -> tuple[Cause, ...] | None:
        """Billed less estimated, by cause, over the months; None where it is unknown in one of them."""
        by_month = [month.causes for month in self.months]
        if not by_month or any(causes is None for causes in by_month):
            return None
        return tuple(Cause(same[0].name, sum(c.usd for c in same)) for same in zip(*filter(None, by_month), strict=True))

    @property
    def billed_over_list(self) -> float | None:
        """Billed over list price, of the months in which both are known."""
        both = [(m.usage.billed_usd, m.list_usd) for m in self.months if m.usage.billed_usd is not None and m.list_usd]
        return sum(billed for billed, _ in both) / sum(listed for _, listed in both if listed) if both else None


def check_invoice(
    found: Comparison, usage: Sequence[MonthUsage], *, approach: str | None = None, model: str | None = None
) -> InvoiceCheck:
    """Hold an estimate against a log.

    Args:
        found: the estimate.
        usage: the log, by month, model and service.
        approach, model: as of `matched`.

    Raises:
        NotMatched: as `matched`, or the log has no usage of the approach's model.
    """
    match = matched(found, usage, approach=approach, model=model)
    by_month = {month: [u for u in match.usage if u.month == month] for month in sorted({u.month for u in match.usage})}
    months = tuple(_month_error(found, match.result, _of_the_same_days(lines)) for lines in by_month.values())
    notes = [note for lines in by_month.values() for note in _of_other_days(lines)]
    notes += [f"{m.usage.month:%B %Y}: {m.no_list}" for m in months if m.no_list]
    if found.rates.peak_half_hours(match.result.offer):
        notes.append(f"{match.result.offer} has prices by the hour; the log's counters are priced outside these hours")
    if match.result.approach.mix is not None:
        notes.append(f"the second model, {match.result.approach.mix.model}, is held against no line")
    return InvoiceCheck(found, match, months, tuple(notes))


def _of_the_same_days(lines: Sequence[MonthUsage]) -> list[MonthUsage]:
    """Lines that belong together: not counters of a month and the bill of a day of it, nor one day in two exports.

    Files of one kind add up where they cover the same days or none in common, as pages do; of such as overlap in part the wider
    one counts. Of several kinds that with the most days counts, and those that cover the same days.
    """
    taken: dict[str, list[range]] = {}
    for line in sorted(lines, key=lambda line: -line.days):
        held = taken.setdefault(line.source, [])
        if all(set(line.covered).isdisjoint(days) for days in held):
            held.append(line.covered)
    days_of = {source: frozenset(day for days in held for day in days) for source, held in taken.items()}
    most = max(days_of.values(), key=len)
    return [line for line in lines if line.covered in taken[line.source] and days_of[line.source] == most]


def _of_other_days(lines: Sequence[MonthUsage]) -> list[str]:
    """What is to be said of lines that do not belong to the others."""
    kept = _of_the_same_days(lines)
    covered = set().union(*(line.covered for line in kept))
    left_out = dict.fromkeys((line.source or "a file", line.covered) for line in lines if line not in kept)
    month = f"{lines[0].month:%B %Y}"
    return [
        f"{month}: {source} covers {len(days)} of the {len(covered)} days that another covers, so its figures are left out"
        if covered.issuperset(days)
        else f"{month}: {source} covers other days ({days[0]} to {days[-1]}) than another, so its figures are left out"
        for source, days in left_out
    ]


def setting_of(found: Comparison, result: ApproachResult) -> Setting:
    """The circumstances of an approach in every month of the horizon."""
    return Setting(found.point, result.approach, found.rates, found.months, np.ones(found.months.count))


def month_index(found: Comparison, month: date) -> int:
    """The month of the horizon that a month of the log is held against."""
    return min(max(found.months.index(month), 0), found.months.count - 1)


def run_back(found: Comparison, month: date) -> float:
    """What compound growth makes of month 0's volume in a month before the horizon; 1 within it, and for other growth."""
    index, growth = found.months.index(month), found.point.workload.growth
    if index >= 0 or not isinstance(growth, CompoundGrowth):
        return 1.0
    return float((1 + growth.monthly_share) ** index)


def requests_per_volume(found: Comparison, result: ApproachResult, month: date) -> float:
    """Billed requests of the approach's own model in a month, per request of month 0."""
    mix, retries = result.approach.mix, found.point.workload.retry_share
    share = 1 - mix.share if mix is not None and mix.kind == "routing" else 1.0
    return float(result.growth[month_index(found, month)] * run_back(found, month) * share * (1 + retries))


def estimated_tokens(lines: Iterable[CostLine], volume: float, index: int) -> dict[str, float]:
    """Tokens of token lines in a month, by kind; what is written at the price of plain input counts as that."""
    tokens = dict.fromkeys(_KINDS, 0.0)
    for line in lines:
        tokens[_kind(line)] += float(np.broadcast_to(line.quantity.at(volume), line.unit_price.shape)[index])
    return tokens


def _kind(line: CostLine) -> str:
    if line.prices:
        key = line.prices[0].key.removesuffix("_usd_per_mtok")
        return key if key in _KINDS else "input"
    signs = {"_read": "cache_read", "_write": "cache_write", "output": "output"}
    return next((kind for sign, kind in signs.items() if sign in line.key), "input")


def _at(by_kind: Mapping[str, float] | None, kind: str) -> float | None:
    return None if by_kind is None else by_kind[kind]


def _month_error(found: Comparison, result: ApproachResult, lines: Sequence[MonthUsage]) -> MonthError:
    usage, index = added(lines), month_index(found, lines[0].month)
    covered = usage.days / usage.days_in_month
    own, volume = token_lines(result), result.requests * run_back(found, usage.month)
    # A cache is hit by the traffic of the whole month, whatever part of it is looked at.
    estimated: Tokens = {"requests": result.requests * requests_per_volume(found, result, usage.month) * covered}
    estimated |= {kind: tokens * covered for kind, tokens in estimated_tokens(own, volume, index).items()}
    by_kind = dict.fromkeys(_KINDS, 0.0)
    for line in own:
        by_kind[_kind(line)] += float(line.by_month(volume)[index]) * covered
    is_priced = not any(line.missing for line in own)
    at_list, why = _at_list(found, result, lines, usage)
    return MonthError(
        usage=usage,
        held_against=found.months.starts[index],
        estimated=estimated,
        actual=_actual(found, result, usage),
        estimated_usd=sum(by_kind.values()) if is_priced else None,
        estimated_by_kind=by_kind if is_priced else None,
        actual_at_list=at_list,
        no_list=why,
    )


def _sells(found: Comparison, result: ApproachResult, key: str) -> bool:
    return f"{key}_usd_per_mtok" in found.rates.keys(result.offer)


def _actual(found: Comparison, result: ApproachResult, usage: MonthUsage) -> Tokens:
    """The log's tokens by kind. What has no price of its own is plain input."""
    read = usage.cache_read_tokens if _sells(found, result, "cache_read") else 0.0
    written = usage.cache_write_tokens if _sells(found, result, "cache_write") else 0.0
    known = usage.input_tokens is not None and read is not None and written is not None
    plain = usage.input_tokens - read - written if known else None  # type: ignore[operator]
    return {"requests": usage.requests, "input": plain, "cache_read": read, "cache_write": written, "output": usage.output_tokens}


def _at_list(
    found: Comparison, result: ApproachResult, lines: Sequence[MonthUsage], month: MonthUsage
) -> tuple[dict[str, float] | None, str]:
    """US$ of counters by kind at the list prices of their month, or why that cannot be told.

    Args:
        month: the lines, added.
    """
    counted = [line for line in lines if line.input_tokens is not None or line.output_tokens is not None]
    if not counted:
        return None, "the log counts no tokens"
    usd = dict.fromkeys(_KINDS, 0.0)
    for usage in (line for line in counted if line.source == counted[0].source):
        why = _lacking(found, result, usage) or _no_terms(found, result, usage, month)
        if why:
            return None, why
        terms = token_terms(setting_of(found, result), result.offer)
        terms["service"] = usage.service or terms["service"]
        terms["context_tokens"] = (month.input_tokens or 0) / (month.requests or 1) if month.requests else 0
        terms["accept_unverified"] = result.offer in found.scenario.accept_unverified
        counters = {name: float(getattr(usage, name) or 0) for name in _billed_counters(found, result)}
        try:
            charges = usage_charges(found.rates, result.offer, counters, usage.month, **terms)
        except (PricingError, ValueError) as error:
            return None, str(error)
        for charge in charges:
            kind = next((kind for kind in _KINDS if charge.counter.startswith(kind)), "output")
            usd[kind] += charge.usd
    return usd, ""


def _billed_counters(found: Comparison, result: ApproachResult) -> tuple[str, ...]:
    cached = [name for name in ("cache_read", "cache_write", "cache_write_1h") if _sells(found, result, name)]
    return ("input_tokens", "output_tokens", *(f"{name}_tokens" for name in cached))


def _lacking(found: Comparison, result: ApproachResult, usage: MonthUsage) -> str:
    """Which counters a bill takes and the log lacks."""
    needed = [name for name in _billed_counters(found, result) if name != "cache_write_1h_tokens"]
    lacking = [name for name in needed if getattr(usage, name) is None]
    return f"no amount at list prices, for {' and '.join(lacking)} are not known" if lacking else ""


def _no_terms(found: Comparison, result: ApproachResult, usage: MonthUsage, month: MonthUsage) -> str:
    """Why it is not known which of the offer's prices hold for logged usage."""
    if usage.service is None and np.any(np.asarray(found.point.workload.batch_share) > 0):
        return "no amount at list prices, for the log does not say which requests were batched"
    if usage.service is not None and usage.service not in get_args(Service):
        return f"no amount at list prices, for the price book has no service '{usage.service}'"
    if month.requests is None and found.rates.context_tiers(result.offer):
        return "no amount at list prices, for they depend on a request's length, and the log does not count requests"
    return ""
