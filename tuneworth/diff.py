"""``tuneworth diff``: why the totals of two reports differ, in parts that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from calc.break_even import BreakEven
from calc.diff import ApproachChange, BreakEvenChange, ChangeExplained, Effect, State, explain_change
from calc.scenario import Scenario
from ingest.errors import InputError, Problem
from ingest.own_prices import load_own_prices
from ingest.report_file import ReportFile, load_report
from ingest.scenario_file import located
from pricing import OwnFile, OwnPrices, PriceBook
from reports import change_words, words
from tuneworth.clock import today
from tuneworth.compare import ABOUT_THE_SCENARIO, print_list, print_prose, stated
from tuneworth.output import PARTIAL, Figure, Format, emit, say, write
from tuneworth.version import installed_version

SCHEMA = {"id": "tuneworth.change", "version": 1}
RERUN = "the same today"
MOST_PRICE_CHANGES = 20
"""Listed one by one in the terminal; JSON has all."""

OwnPricesFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--own-prices",
        metavar="FILE",
        help="TOML file of own prices; may be given several times. A report takes the one it was made with, a scenario the last.",
    ),
]


class _Books:
    """The bundled book, and with own prices laid over it."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.bundled = PriceBook.bundled()
        self._own: dict[str, OwnPrices] = {}
        self._laid_over: dict[tuple[str, ...], PriceBook] = {(): self.bundled}
        self._used: set[str] = set()
        for path in paths:
            own = load_own_prices(path, book=self.bundled)
            self._own[own.file.sha256] = own
            for warning in own.warnings:
                say(warning)

    def of_report(self, report: ReportFile) -> PriceBook:
        """The book a report was made with.

        Raises:
            InputError: it rests on own prices that are not given.
        """
        return self._with([self._given(file, report.name) for file in report.own_files])

    def of_scenario(self) -> PriceBook:
        """The book with the own prices named last, if any."""
        return self._with(list(self._own.values())[-1:])

    def _given(self, file: OwnFile, report: str) -> OwnPrices:
        if file.sha256 in self._own:
            return self._own[file.sha256]
        alike = next((own for own in self._own.values() if own.file.name == file.name), None)
        wrong = f"it rests on own prices of {file}, which are not given"
        expected = f"The {file.name} given is another: {alike.file}" if alike else ""
        raise InputError(Problem(report, wrong, expected, f"Name that file by --own-prices {file.name}", field="own_prices"))

    def _with(self, files: Sequence[OwnPrices]) -> PriceBook:
        key = tuple(own.file.sha256 for own in files)
        self._used.update(key)
        if key not in self._laid_over:
            book = self.bundled
            for own in files:
                book = book.with_overrides(own)
            self._laid_over[key] = book
        return self._laid_over[key]

    def say_unused(self) -> None:
        """Own prices that neither of the two rests on: naming them may be a mistake."""
        for sha256, own in self._own.items():
            if sha256 not in self._used:
                say(f"{own.file.name}: neither of the two rests on these own prices.")


def diff(
    old: Annotated[Path, typer.Argument(help="Report in JSON (compare --format json, report), or a scenario file.")],
    new: Annotated[
        Path | None, typer.Argument(help="Another, later one. Default: OLD's scenario again, at today's prices.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    own_prices: OwnPricesFiles = None,
) -> None:
    """Say why a number changed: what prices, volume, models and each changed input did to every total.

    The parts add up to the change and do not depend on an order: each is the mean of what its cause does, over all orders in
    which the causes could have come. What another version of tuneworth makes of the same scenario and prices is a part of its
    own. Exits with 3 where an approach has no total in one of the two, or its change cannot be split.
    """
    books = _Books(own_prices or [])
    first = _state(old, books)
    second = _rerun(first, books, str(old)) if new is None else _state(new, books)
    books.say_unused()
    found = explain_change(first, second, tuneworth=installed_version() or None)
    names = (str(old), RERUN if new is None else str(new))
    if form is Format.json:
        emit(form, [], as_json=_plain(found, names))
    elif form is Format.csv:
        emit(form, _csv_rows(found))
    else:
        with words.amounts_in(second.comparison.currency, second.scenario.approaches):
            _print(found, names, form)
    if any(approach.outcome in ("lost", "gained", "no total", "unsplit") for approach in found.approaches):
        raise typer.Exit(PARTIAL)


# --- the two --------------------------------------------------------------------------------------------------------------


def _state(file: Path, books: _Books) -> State:
    """What a file asked, at its prices, with its answer where it holds one."""
    report = load_report(file, books.bundled)
    if report is None:
        scenario, lines = stated(file, None)
        found = State(scenario, books.of_scenario(), scenario.as_of or today())
        return _computed(found, lines, str(file))
    for note in report.notes:
        say(note)
    return _computed(State(report.scenario, books.of_report(report), report.as_of, report.answer), {}, report.name)


def _rerun(old: State, books: _Books, name: str) -> State:
    """The same scenario at today's prices: on today's day, with everything recorded."""
    scenario: Scenario = old.scenario.model_copy(update={"price_release": None})
    return _computed(State(scenario, books.of_scenario(), today()), {}, f"{name}, again today")


def _computed(state: State, lines: Mapping[str, int], name: str) -> State:
    """The state, which can be computed.

    Raises:
        InputError: it cannot, and why.
    """
    try:
        _ = state.comparison
    except ABOUT_THE_SCENARIO as error:
        raise located(error, lines, name) from None
    return state


# --- for people -----------------------------------------------------------------------------------------------------------


def _print(found: ChangeExplained, names: tuple[str, str], form: Format) -> None:
    ends = [change_words.state(state, name) for state, name in zip((found.old, found.new), names, strict=True)]
    print_prose([f"Before: {ends[0]}", f"After: {ends[1]}"])
    if found.approaches:
        emit(form, [_shown(row) for row in change_words.rows(found)])
    counting = words.per_month(found.new.comparison)
    print_list("Break-even", [change_words.break_even(change, counting) for change in found.break_evens])
    write("\n")
    print_prose(change_words.sentences(found))
    if found.price_changes:
        _print_price_changes(found, form)


def _shown(row: change_words.ChangeRow) -> dict[str, Any]:
    return {
        "approach": row.approach,
        **{name: Figure(getattr(row, name)) for name in ("before", "after", "change")},
        "because of": row.because,
    }


def _print_price_changes(found: ChangeExplained, form: Format) -> None:
    shown = found.price_changes[:MOST_PRICE_CHANGES]
    rows = [
        {"what": change.offer, "fact": change.fact, "before": Figure(change.old or "–"), "after": Figure(change.new or "–")}
        for change in shown
    ]
    more = len(found.price_changes) - len(shown)
    emit(form, rows, title="Recorded in the price book between the two, of what they rest on")
    if more:
        write(f"\n{more:,} more: --format json lists all.\n")


# --- for programs ---------------------------------------------------------------------------------------------------------


def _plain(found: ChangeExplained, names: tuple[str, str]) -> dict[str, Any]:
    """The whole answer, unrounded; null is unknown (`docs/change.schema.json`)."""
    states = zip(("old", "new"), (found.old, found.new), names, strict=True)
    return {
        "schema": SCHEMA,
        "tuneworth": installed_version() or None,
        **{end: _plain_state(state, name) for end, state, name in states},
        "approaches": [_plain_approach(approach) for approach in found.approaches],
        "break_evens": [_plain_break_even(change) for change in found.break_evens],
        "price_changes": [change._asdict() for change in found.price_changes],
    }


def _plain_state(state: State, name: str) -> dict[str, Any]:
    basis = state.comparison.price_book
    return {
        "name": name,
        "tuneworth": state.answer.tuneworth if state.answer else installed_version() or None,
        "as_of": state.day,
        "price_release": None if basis.release is None else basis.release.name,
        "recorded_through": basis.recorded_through,
        "has_later_records": basis.has_later,
        "own_prices": [file._asdict() for file in state.book.own_files],
        "winner": state.given.winner,
    }


def _plain_approach(found: ApproachChange) -> dict[str, Any]:
    return {
        "name": found.name,
        "outcome": found.outcome,
        "old_usd": found.old_usd,
        "new_usd": found.new_usd,
        "change_usd": found.change_usd,
        "why": found.why or None,
        "effects": [_plain_effect(effect) for effect in found.effects],
    }


def _plain_effect(effect: Effect) -> dict[str, Any]:
    return {
        "kind": effect.cause.kind,
        "merged": effect.cause.merged or None,
        "part": ".".join(effect.cause.part) or None,
        "fields": [{"field": change.field, "old": change.old, "new": change.new} for change in effect.cause.fields],
        "usd": effect.usd,
    }


def _plain_break_even(change: BreakEvenChange) -> dict[str, Any]:
    def verdict(found: BreakEven) -> dict[str, Any]:
        return {"kind": str(found.verdict.kind), "volumes": list(found.verdict.volumes)}

    return {"a": change.new.a, "b": change.new.b, "old": verdict(change.old), "new": verdict(change.new)}


def _csv_rows(found: ChangeExplained) -> list[dict[str, Any]]:
    """A row for each effect; an approach without any has one row of its own."""
    empty = {"kind": None, "merged": None, "fields": None, "effect_usd": None}
    rows: list[dict[str, Any]] = []
    for approach in found.approaches:
        plain = _plain_approach(approach)
        head = {key: plain[key] for key in ("name", "outcome", "old_usd", "new_usd", "change_usd", "why")}
        effects = [
            {"kind": e.cause.kind, "merged": e.cause.merged or None}
            | {"fields": " ".join(change.field for change in e.cause.fields), "effect_usd": e.usd}
            for e in approach.effects
        ]
        rows += [head | effect for effect in effects or [empty]]
    return rows
