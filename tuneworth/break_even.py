"""``tuneworth break-even``: who is cheapest as one number of a comparison moves, and where that changes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from calc import Comparison
from calc.export import number
from calc.fields import VOLUME
from calc.goal_seek import GoalSeek, goal_seek
from calc.movable import movables
from calc.setting import say as figure
from ingest.errors import InputError, Problem
from reports import words
from tuneworth.compare import AsOf, ScenarioFile, compared, print_prose
from tuneworth.output import PARTIAL, Figure, Format, emit, say, write
from tuneworth.own_prices import OwnPricesFile


def break_even(
    file: ScenarioFile,
    over: Annotated[
        str,
        typer.Option(
            "--over",
            metavar="FIELD",
            help="The number that moves: a field by its dotted path, like task.examples; a price, like "
            "prices.openai/gpt-6.1-terra.output_usd_per_mtok; or an assumption, like assumptions.staff.overhead_share.",
        ),
    ] = VOLUME,
    low: Annotated[float | None, typer.Option("--from", help="Low end of its range.")] = None,
    high: Annotated[float | None, typer.Option("--to", help="High end of its range.")] = None,
    between: Annotated[str | None, typer.Option("--between", metavar="A", help="Hold this approach ...")] = None,
    and_: Annotated[str | None, typer.Option("--and", metavar="B", help="... against this one alone. Default: all.")] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Print every number that can be moved, and stop.")] = False,
    as_of: AsOf = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    own_prices: OwnPricesFile = None,
) -> None:
    """Show who is cheapest as one number moves, all others as stated, and every value at which that changes.

    Without --over the volume moves. Without --from and --to: the field's stated range, every value of a field that counts months,
    every share, else a tenth to ten times the present value. A price is that on the day of the comparison: announced changes,
    context tiers, batch and tuned rates of the same key move by the same factor. An approach that extends another one keeps
    what it took over.

    Exits with 3 where an approach has no total, or the model computes nothing, in a part of the range.
    """
    if (between is None) != (and_ is None):
        raise typer.BadParameter("name two approaches, one by --between and one by --and, or neither")
    base = compared(file, as_of, own_prices)
    if list_them:
        _print_list(base, form)
        return
    pair = None if between is None or and_ is None else (between, and_)
    try:
        found = goal_seek(base.scenario, base.rates.book, over, low, high, between=pair, today=base.as_of)
    except ValueError as error:
        option, wrong = ("--between", str(error).removeprefix("between: ")) if str(error).startswith("between:") else ("", "")
        listed = "tuneworth break-even SCENARIO --list prints every number there is" if "there is no " in str(error) else ""
        raise InputError(Problem(option or "--over", wrong or str(error), next_step="" if option else listed)) from None
    with words.amounts_in(base.currency, base.scenario.approaches):
        _print(found, form)
    if found.gaps:
        say_gaps(found)
        raise typer.Exit(PARTIAL)


def say_gaps(found: GoalSeek) -> None:
    """Where there is no total and why, on standard error."""
    for gap in found.gaps:
        whose = "nothing can be computed" if gap.approach is None else f"{words.label(gap.approach)} has no total"
        low, high = _figure(found, gap.low), _figure(found, gap.high)
        say(f"{f'At {low}' if low == high else f'From {low} to {high}'} {whose}: {gap.why}")


def _figure(found: GoalSeek, value: float) -> str:
    """A value of the range; what is next to nothing within it is 0."""
    return figure(value if abs(value) > 1e-11 * (found.high - found.low) else 0.0)


def _print(found: GoalSeek, form: Format) -> None:
    if form is Format.table:
        print_prose([_what_moves(found), _today(found), _sentence(found.verdict(words.label))])
        emit(form, _shown_rows(found))
    elif form is Format.md:
        write(f"{_what_moves(found)}  \n{_today(found)}  \n**{_sentence(found.verdict(words.label))}**\n\n")
        emit(form, _shown_rows(found))
    else:
        emit(form, _plain_rows(found), as_json=_as_json(found))


def _what_moves(found: GoalSeek) -> str:
    ends = f"{figure(found.low)} to {figure(found.high)}"
    return f"{found.path} ({found.number.unit}) from {ends}, {found.range_is}, all else as stated."


def _today(found: GoalSeek) -> str:
    winner = found.present_winner
    now = "not stated" if found.number.present is None else figure(found.number.present)
    if winner is None:
        return f"Today {now}: no total."
    total = words.money(found.present_totals_usd[winner])
    return f"Today {now}: {words.label(winner)} is the cheapest, {total} over {words.months(found.comparison.months.count)}."


def _sentence(verdict: str) -> str:
    return f"{verdict[:1].upper()}{verdict[1:]}."


def _rows(found: GoalSeek) -> list[tuple[Any, str, str | None]]:
    """Each stretch, how it starts, and who was the cheapest before it."""
    starts = [("start", None), *(("tie" if change.smooth else "jump", change.before) for change in found.changes)]
    return [(stretch, starts_with, before) for stretch, (starts_with, before) in zip(found.stretches, starts, strict=True)]


def _shown_rows(found: GoalSeek) -> list[dict[str, Any]]:
    unit, rows = words.unit_name(), []
    for stretch, starts_with, _ in _rows(found):
        row: dict[str, Any] = {"from": Figure(_figure(found, stretch.low)), "to": Figure(_figure(found, stretch.high))}
        row |= {"cheapest": words.MISSING if stretch.winner is None else words.label(stretch.winner), "starts with": starts_with}
        shown = found.names if len(found.names) == 2 else (stretch.winner,)
        for name in shown:
            whose = f"{words.label(name)}, " if len(found.names) == 2 else ""
            ends = {"from": stretch.low_totals_usd, "to": stretch.high_totals_usd}
            row |= {f"{whose}{unit} at {end}": Figure(words.money(totals.get(name))) for end, totals in ends.items()}
        rows.append(row)
    return rows


def _plain_rows(found: GoalSeek) -> list[dict[str, Any]]:
    return [
        {"from": number(stretch.low), "to": number(stretch.high), "cheapest": stretch.winner, "starts_with": starts_with}
        | {f"{name}_usd_at_from": number(stretch.low_totals_usd.get(name)) for name in found.names}
        | {f"{name}_usd_at_to": number(stretch.high_totals_usd.get(name)) for name in found.names}
        for stretch, starts_with, _ in _rows(found)
    ]


def _as_json(found: GoalSeek) -> dict[str, Any]:
    """The answer as plain data; amounts are US$ over the horizon."""
    return {
        "over": {
            "path": found.path,
            "unit": found.number.unit,
            "present": number(found.number.present),
            "from": number(found.low),
            "to": number(found.high),
            "range_is": found.range_is,
        },
        "between": list(found.names),
        "verdict": found.verdict(),
        "today": {"cheapest": found.present_winner, "totals_usd": _totals(found.present_totals_usd)},
        "stretches": [
            {
                "from": number(stretch.low),
                "to": number(stretch.high),
                "cheapest": stretch.winner,
                "totals_at_from_usd": _totals(stretch.low_totals_usd),
                "totals_at_to_usd": _totals(stretch.high_totals_usd),
            }
            for stretch in found.stretches
        ],
        "changes": [
            {
                "at": number(change.value),
                "before": change.before,
                "after": change.winner,
                "kind": "tie" if change.smooth else "jump",
                "totals_usd": _totals(change.totals_usd),
            }
            for change in found.changes
        ],
        "gaps": [
            {"approach": gap.approach, "from": number(gap.low), "to": number(gap.high), "why": gap.why} for gap in found.gaps
        ],
    }


def _totals(totals: Any) -> dict[str, float | None]:
    return {name: number(usd) for name, usd in totals.items()}


def _print_list(base: Comparison, form: Format) -> None:
    listed = movables(base)
    plain = [{"path": one.path, "present": number(one.present), "unit": one.unit, "whole": one.whole} for one in listed]
    shown = [
        {"number": one.path, "present": words.MISSING if one.present is None else Figure(figure(one.present)), "unit": one.unit}
        for one in listed
    ]
    emit(form, shown if form in (Format.table, Format.md) else plain, as_json=plain)
