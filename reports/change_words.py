"""Why a number changed, in words and rows: effects are rounded so that what is shown adds up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from math import floor
from typing import Any, NamedTuple

from calc.diff import MOST_CAUSES, ApproachChange, BreakEvenChange, Cause, ChangeExplained, Effect, FieldChange, State
from calc.estimate import ESTIMATE_KEYS
from reports import words

_NO_EFFECT = 1e-9
"""Of the total: what is smaller comes from the computer's rounding."""
_MOST_FIELDS, _MOST_VALUES = 6, 6
"""Named one by one; of more, as many are named and the rest is counted."""


class ChangeRow(NamedTuple):
    """An approach and its totals, or an effect under it, every figure as text."""

    approach: str
    before: str
    after: str
    change: str
    because: str


def rows(found: ChangeExplained) -> Iterator[ChangeRow]:
    """Every approach, followed by what moved it, the largest first."""
    for approach in found.approaches:
        yield _approach_row(approach)
        if approach.outcome == "split":
            telling = [effect for effect in approach.effects if not _is_nothing(effect, approach)]
            for effect, shown in zip(telling, _adding_up(telling, approach), strict=True):
                yield ChangeRow("", "", "", _amount(shown, effect.usd), cause(effect.cause))


def cause(found: Cause) -> str:
    """What differs, with both values."""
    if found.merged == "too many":
        return f"{_part(found)} ({_listed(change.field.removeprefix(_prefix(found)) for change in found.fields)})"
    if found.merged == "not apart":
        return " together with ".join(_change(change) for change in found.fields)
    if found.kind == "model":
        named = found.fields[0].path[1]
        inside = f"approaches.{named}."
        told = (_change(change).removeprefix(inside).removeprefix("model ") for change in found.fields)
        return f"model of {words.in_sentence(named)}: {', '.join(told)}"
    if found.kind == "volume":
        told = (_change(change).removeprefix("volume: ") for change in reversed(found.fields))
        return f"volume: {', '.join(told)}"
    return ", ".join(_change(change) for change in found.fields)


def sentences(found: ChangeExplained) -> list[str]:
    """What the rows leave out: causes that moved nothing, causes that were joined, and who is cheapest now."""
    if not found.differs:
        return ["Nothing changed: scenario, prices, day and totals are the same.", *_cheapest(found)]
    said = []
    if found.approaches and all(a.outcome != "split" or not _moved(a) for a in found.approaches):
        said.append("No total that both have has changed.")
    idle = _idle(found)
    if idle:
        said.append(f"Without effect on any total: {'; '.join(map(cause, idle))}.")
    joined = {effect.cause.merged for approach in found.approaches for effect in approach.effects}
    if "too many" in joined:
        said.append(f"At most {MOST_CAUSES} causes are told apart for each approach: changed inputs are joined by the part of "
                    "the scenario they share.")  # fmt: skip
    if "not apart" in joined:
        said.append("Causes named together cannot be told apart: one without the other cannot be computed.")
    if any(effect.cause.kind == "calculation" for approach in found.approaches for effect in approach.effects):
        said.append("A difference between what a report states and what this tuneworth computes from the same scenario and "
                    "prices is named by the versions.")  # fmt: skip
    return [*said, *_cheapest(found)]


def state(found: State, name: str) -> str:
    """Where one of the two answers comes from, and the prices it rests on."""
    made = f"as reported by {_version(found.answer.tuneworth)}" if found.answer else "computed now"
    return f"{name}, {made}: prices as of {words.day(found.day)}, {words.price_book(found.comparison)}."


def break_even(found: BreakEvenChange, counting: str) -> str:
    """A break-even that is not the same any more."""
    was, is_now = (words.break_even_sentence(verdict, counting) for verdict in found)
    return f"{is_now} Before: {was[:1].lower() if not was.startswith('RAG') else was[:1]}{was[1:]}"


# --- rows -----------------------------------------------------------------------------------------------------------------


def _approach_row(found: ApproachChange) -> ChangeRow:
    before, after = (words.money(usd) for usd in (found.old_usd, found.new_usd))
    if found.change_usd is None:
        change = words.MISSING
    elif found.outcome == "split" and not _moved(found):
        change = words.money(0)
    else:
        change = _amount(_whole(found.new_usd) - _whole(found.old_usd), found.change_usd)
    return ChangeRow(words.label(found.name), before, after, change, _why(found))


def _why(found: ApproachChange) -> str:
    reason = words.without_sources(words.days_in_words(found.why)) if found.why else ""
    told = {
        "split": "",
        "unsplit": f"not split: {reason}",
        "added": f"only in the second{f'; no total: {reason}' if reason else ''}",
        "removed": f"only in the first{f'; no total: {reason}' if reason else ''}",
        "lost": f"no total any more: {reason}",
        "gained": f"a total now; before: {reason}",
        "no total": f"no total: {reason}",
    }
    return told[found.outcome]


def _moved(found: ApproachChange) -> bool:
    return any(not _is_nothing(effect, found) for effect in found.effects)


def _is_nothing(effect: Effect, of: ApproachChange) -> bool:
    return abs(effect.usd) <= _NO_EFFECT * max(abs(of.old_usd or 0), abs(of.new_usd or 0))


def _adding_up(effects: Sequence[Effect], of: ApproachChange) -> list[int]:
    """Effects in whole units of the currency that add up to the change as it is shown: the largest remainders are rounded up."""
    amounts = [words.shown_amount(effect.usd) for effect in effects]
    shown = [floor(amount) for amount in amounts]
    left = _whole(of.new_usd) - _whole(of.old_usd) - sum(shown)
    order = sorted(range(len(shown)), key=lambda i: (shown[i] - amounts[i], i))
    for turn in range(abs(left)):
        shown[order[turn % len(order)] if left > 0 else order[-1 - turn % len(order)]] += 1 if left > 0 else -1
    return shown


def _whole(usd: float | None) -> int:
    return round(words.shown_amount(usd or 0))


def _amount(shown: int, usd: float) -> str:
    """A rounded amount of the currency shown, with its sign; what rounds to nothing is said to be under one."""
    if shown:
        return words.money(shown / words.shown_amount(1), plus=True)
    return words.money(min(max(usd, -0.4), 0.4) / words.shown_amount(1)) if usd else words.money(0)


# --- causes ---------------------------------------------------------------------------------------------------------------


def _idle(found: ChangeExplained) -> list[Cause]:
    """What differs and moved no total."""
    effects = [(effect, approach) for approach in found.approaches for effect in approach.effects]
    busy = {path for effect, approach in effects if not _is_nothing(effect, approach) for path in effect.cause.paths}
    idle = {effect.cause.paths: effect.cause for effect, _ in effects if not busy & effect.cause.paths}
    return list(idle.values())


def _part(found: Cause) -> str:
    return ".".join(found.part) or "inputs"


def _prefix(found: Cause) -> str:
    return f"{'.'.join(found.part)}." if found.part else ""


def _change(found: FieldChange) -> str:
    old, new = value(found.old), value(found.new)
    match found.path:
        case ("tuneworth",):
            same = f"{_version(found.old)}, as it computes now" if found.old == found.new else ""
            return same or f"{_version(found.old)} → {_version(found.new).removeprefix('tuneworth ')}"
        case ("price_release",):
            return f"price book {old} → {new}"
        case ("own_prices",):
            return f"own prices: {_none(found.old, old)} → {_none(found.new, new)}"
        case ("as_of",):
            before, after = (words.day_short(date.fromisoformat(day)) for day in (found.old, found.new))
            return f"day of the prices: {before} → {after}"
        case ("workload", "requests_per_month"):
            return f"volume: {old} → {new} requests a month"
    if _is_part(found.old) or _is_part(found.new):
        verb = "added" if found.old is None else "removed" if found.new is None else "replaced"
        return f"{found.field} {verb}"
    return f"{found.field} {old} → {new}"


def _none(stated: Any, text: str) -> str:
    return "none" if stated is None else text


def _version(tuneworth: str | None) -> str:
    return f"tuneworth {tuneworth}" if tuneworth else "tuneworth of no stated version"


def _is_part(stated: Any) -> bool:
    return isinstance(stated, dict) and not set(stated) <= ESTIMATE_KEYS


def value(stated: Any) -> str:
    """A field's value as people read it."""
    if stated is None:
        return "not stated"
    if isinstance(stated, bool):
        return "yes" if stated else "no"
    if isinstance(stated, int | float):
        return words.put_in(stated)
    if isinstance(stated, dict):
        return words.listed(f"{key} {value(inner)}" for key, inner in stated.items() if inner is not None)
    if isinstance(stated, list):
        return ", ".join(map(value, stated)) if len(stated) <= _MOST_VALUES else f"{len(stated):,} values"
    return str(stated)


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    more = f" and {len(found) - _MOST_FIELDS} more" if len(found) > _MOST_FIELDS else ""
    return f"{', '.join(found[:_MOST_FIELDS])}{more}"


def _cheapest(found: ChangeExplained) -> list[str]:
    was, is_now = found.old.given.winner, found.new.given.winner
    if was is None and is_now is None:
        return []
    if was == is_now:
        return [f"{words.label(str(is_now))} is the cheapest in both."]
    before = f"{words.label(was)} was the cheapest" if was else "Nothing had a total"
    return [f"{before}; {f'now {words.in_sentence(is_now)} is' if is_now else 'now nothing has one'}."]
