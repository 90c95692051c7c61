"""``tuneworth prices diff``: what changed between two states of the price book, and what that does to a scenario."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from calc.break_even import BreakEven, Kind
from calc.compare import Comparison
from calc.price_effect import PriceEffect, price_effect
from ingest.errors import InputError, Problem
from ingest.scenario_file import located
from pricing import PriceBook, releases
from pricing import diff as book_diff
from pricing.diff import Change, changes
from reports import words
from tuneworth.clock import day_or_today
from tuneworth.compare import ABOUT_THE_SCENARIO, stated
from tuneworth.output import Figure, Format, emit, say, write
from tuneworth.own_prices import OwnPricesFile, book_with

MOST_WITHOUT_SUMMARY = 40
"""Changes that are listed without counting them by provider first."""


def diff(
    old: Annotated[str, typer.Argument(help="A release, like 2026.11.20, or the last day whose records count.")],
    new: Annotated[str, typer.Argument(help="A later one.")],
    scenario: Annotated[
        Path | None, typer.Option("--scenario", help="Show what the changes do to this scenario, and only those that it uses.")
    ] = None,
    provider: Annotated[str | None, typer.Option("--provider", help="Only what this provider lists.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print; csv prints the changes alone.")] = Format.table,
    own_prices: OwnPricesFile = None,
) -> None:
    """Show each price, event, rule and number that two states of the price book have otherwise."""
    book = book_with(own_prices)
    days = _days(book, old, new)
    effect = None if scenario is None else _effect(scenario, book, old, new)
    found = changes(book, *days, provider) if effect is None else _of_provider(effect.changes, book, provider)
    if form is Format.json:
        states = {"old": _state(old, days[0]), "new": _state(new, days[1])}
        emit(form, [], as_json=states | {"changes": [_plain(c) for c in found]} | (_plain_effect(effect) if effect else {}))
        return
    if form is not Format.csv:
        if effect is not None:
            _print_effect(form, effect, old, new)
        if not found:
            write(f"No {'change that this scenario uses' if effect else 'change'} between {old} and {new}.\n")
            return
        if len(found) > MOST_WITHOUT_SUMMARY:
            emit(form, _summary(found), title=f"{len(found):,} changes from {old} to {new}")
            write("\n")
    emit(form, [_plain(change) for change in found], title=f"Changes from {old} to {new}")


def _days(book: PriceBook, old: str, new: str) -> tuple[date, date]:
    first, last = (book.recorded_through(releases.pinned(text)) for text in (old, new))
    assert first is not None
    assert last is not None
    if last < first:
        raise InputError(Problem("prices diff", f"{new} is before {old}", "Expected the earlier one first", "Exchange them"))
    return first, last


def _effect(file: Path, book: PriceBook, old: str, new: str) -> PriceEffect:
    scenario, lines = stated(file, None)
    try:
        return price_effect(scenario, book, releases.pinned(old), releases.pinned(new), today=day_or_today(None))
    except ABOUT_THE_SCENARIO as error:
        raise located(error, lines, str(file)) from None


def _of_provider(found: Sequence[Change], book: PriceBook, provider: str | None) -> list[Change]:
    return [change for change in found if provider is None or change.group == book.provider(provider).id]


def _summary(found: Sequence[Change]) -> list[dict[str, Any]]:
    by_group: dict[str, Counter[str]] = {}
    for change in found:
        by_group.setdefault(change.group, Counter())[change.kind] += 1
    return [
        {"provider": group} | {kind: counts[kind] for kind in get_args(book_diff.Kind)} | {"all": counts.total()}
        for group, counts in by_group.items()
    ]


# --- a scenario -----------------------------------------------------------------------------------------------------------


def _print_effect(form: Format, effect: PriceEffect, old: str, new: str) -> None:
    rows = [
        {
            "approach": words.label(total.name),
            f"US$, {old}": _money(total.old_usd),
            f"US$, {new}": _money(total.new_usd),
            "difference": _money(total.difference_usd, sign="+"),
        }
        for total in effect.totals
    ]
    emit(form, rows, title=f"{words.months(effect.new.months.count)} at {effect.new.requests:,} requests a month")
    write("\n")
    rows = [
        {
            "break-even": f"{words.label(found.a)}, {words.in_sentence(found.b)}",
            old: _changes_at(found.old),
            new: _changes_at(found.new),
            "difference": _shifts(found.shifts),
        }
        for found in effect.break_evens
    ]
    if rows:
        emit(form, rows, title=f"Break-even, {words.per_month(effect.new)}")
        write("\n")
    for state, comparison in ((old, effect.old), (new, effect.new)):
        _say_why_not(state, comparison)


def _money(usd: float | None, sign: str = "") -> Figure:
    return Figure("–" if usd is None else f"{usd:{sign if abs(usd) >= 0.005 else ''},.2f}")


def _changes_at(found: BreakEven | None) -> Figure:
    """The volumes at which the cheaper one changes, or who is cheaper at every one."""
    if found is None:
        return Figure("–")
    if found.verdict.kind is Kind.TIE:
        return Figure("equal")
    if not found.verdict.volumes:
        return Figure(f"none: always {words.in_sentence(found.a if found.verdict.kind is Kind.ALWAYS_A else found.b)}")
    return Figure(", ".join(map(words.exact_volume, found.verdict.volumes)))


def _shifts(shifts: tuple[int, ...] | None) -> Figure:
    return Figure("–" if not shifts else ", ".join(f"{shift:+,}" if shift else "0" for shift in shifts))


def _say_why_not(state: str, comparison: Comparison) -> None:
    for result in comparison.results.values():
        for why in result.why_not:
            say(f"{state}, {words.label(result.name)}: {why}")


# --- plain data -----------------------------------------------------------------------------------------------------------


def _plain(change: Change) -> dict[str, Any]:
    return change._asdict()


def _state(text: str, day: date) -> dict[str, Any]:
    named = releases.pinned(text)
    return {"release": named if isinstance(named, str) else None, "recorded_through": day}


def _plain_effect(effect: PriceEffect) -> dict[str, Any]:
    return {
        "totals": [
            {"approach": t.name, "old_usd": t.old_usd, "new_usd": t.new_usd, "difference_usd": t.difference_usd}
            for t in effect.totals
        ],
        "break_evens": [
            {"a": found.a, "b": found.b, "old": _plain_break_even(found.old), "new": _plain_break_even(found.new)}
            | {"shifts": None if found.shifts is None else list(found.shifts)}
            for found in effect.break_evens
        ],
    }


def _plain_break_even(found: BreakEven | None) -> dict[str, Any] | None:
    return None if found is None else {"kind": str(found.verdict.kind), "volumes": list(found.verdict.volumes)}
