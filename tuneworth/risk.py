"""``tuneworth risk``: how sure the answer is, and what it hangs on."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TimeRemainingColumn

from calc.export import Plain, to_json
from calc.risk import Risk, assess, risk_dict
from calc.sampling import DRAWS_PER_SCRAMBLE
from calc.uncertainty import MOST_SCRAMBLES, SCRAMBLES
from ingest.errors import InputError, Problem
from reports import risk_words, words
from reports.risk_words import Row
from tuneworth.compare import AsOf, ScenarioFile, compared, print_prose, say_why
from tuneworth.output import PARTIAL, Figure, Format, emit, write
from tuneworth.own_prices import OwnPricesFile
from tuneworth.version import installed_version


def risk(
    file: ScenarioFile,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same draws.")] = 0,
    scrambles: Annotated[int, typer.Option(min=2, max=MOST_SCRAMBLES, help="Independent sets of 8,192 draws each.")] = SCRAMBLES,
    tolerance: Annotated[
        float | None,
        typer.Option(
            metavar="SE",
            help="Wanted standard error of every share, like 0.0005 for 0.05 percentage points. Scrambles are doubled until it "
            f"is reached or {MOST_SCRAMBLES} are made, {MOST_SCRAMBLES * DRAWS_PER_SCRAMBLE:,} draws; if it is not, it says so.",
        ),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    own_prices: OwnPricesFile = None,
    as_of: AsOf = None,
) -> None:
    """Draw everything uncertain, and say how often each approach is the cheapest.

    Drawn are the ranges that the scenario states, those of the assumptions it leaves open, and the error of predicted speeds.
    Then: what choosing otherwise would cost, from which volume each approach pays in how many simulations, which inputs can turn
    the answer, and what measuring them would save.

    Exits with 3 where an approach has no price, is unavailable or cannot be kept up as stated.
    """
    if tolerance is not None and not 0 < tolerance < 1:
        raise typer.BadParameter(
            f"a standard error of a share is above 0 and below 1, got {tolerance:g}", param_hint="--tolerance"
        )
    comparison = compared(file, as_of, own_prices)
    try:
        with _progress() as progress:
            found = assess(comparison, seed=seed, scrambles=scrambles, tolerance=tolerance, progress=progress)
    except ValueError as error:
        raise InputError(Problem(str(file), str(error))) from None
    if form is Format.json:
        write(to_json(risk_dict(found, tuneworth=installed_version() or None)))
    elif form is Format.csv:
        write(tidy_csv(risk_dict(found)))
    else:
        _print(found, form)
    if comparison.is_partial:
        say_why(comparison)
        raise typer.Exit(PARTIAL)


@contextmanager
def _progress() -> Iterator[Callable[[float], None] | None]:
    """A bar with the time left on standard error; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    with Progress("Simulating", BarColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda share: bar.update(task, completed=share)


# --- for people -----------------------------------------------------------------------------------------------------------


@risk_words.in_its_currency
def _print(found: Risk, form: Format) -> None:
    comparison = found.comparison
    print_prose([risk_words.verdict(found) + "."])
    print_prose([risk_words.reasons(found)])
    print_prose([words.currency_sentence(comparison)])
    months, unit = words.months(comparison.months.count), words.unit_name()
    at = f"{words.volume(comparison.requests)} {words.per_month(comparison)} at the point"
    _table(
        form,
        f"Approaches, {unit} over {months}, {at}",
        "approach",
        risk_words.approach_rows(found),
        risk_words.skew_sentence(found),
    )
    _table(
        form,
        f"Break-even volume, {words.per_month(comparison)}, shares of the simulations",
        "cheaper",
        risk_words.break_even_rows(found),
    )
    if found.tornado is not None:
        behind = f"what {words.in_sentence(found.tornado.winner)} leads by, {unit}, as one input moves"
        _table(form, f"What the lead hangs on: {behind}", "input", *risk_words.tornado_rows(found))
    _table(form, f"What measuring an input first would save on average, {unit}", "input", *risk_words.information_rows(found))
    _table(form, "Shares of the lead's variance (Sobol indices)", "input", *risk_words.effect_rows(found))
    prices = f"Prices as of {words.day(comparison.as_of)}, {words.price_book(comparison)}."
    print_prose([risk_words.convergence(found), prices])


def _table(form: Format, title: str, about: str, rows: Sequence[Row], rest: str = "") -> None:
    """A table under its title, and what is left of it in words; a blank line below."""
    if rows:
        write(f"## {title}\n\n" if form is Format.md else f"{title}\n")
        emit(form, [{about: row.about} | {name: Figure(text) for name, text in row.figures.items()} | row.text for row in rows])
    if rows and (form is Format.md or not rest):
        write("\n")
    print_prose([rest])


# --- for programs ---------------------------------------------------------------------------------------------------------


def tidy_csv(data: Plain) -> str:
    """Every number of `risk_dict`, one a row: of what, which, which figure, its value; empty where there is none."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("table", "row", "figure", "value"))
    writer.writerows((table, row, figure, "" if value is None else value) for table, row, figure, value in _numbers_of(data))
    return text.getvalue()


def _numbers_of(data: Plain) -> Iterator[tuple[str, str, str, float | None]]:
    for name in ("seed", "scrambles", "draws", "standard_error", "tolerance", "requests_per_month", "perfect_information_usd"):
        yield from _flat("simulation", "", name, data[name])
    for approach in data["approaches"]:
        for name in ("compared_usd", "total_usd", "probability_cheapest", "regret_usd", "probability_of_payback"):
            yield from _flat("approaches", approach["name"], name, approach[name])
        for line in approach["lines"]:
            for name in ("at_point", "p10", "p50", "p90"):
                yield "lines", f"{approach['name']}: {line['key']}", name, line[name]
    for table in ("break_evens_against_reference", "break_evens_against_winner"):
        for pair in data[table]:
            for name in ("from_a_volume", "always", "never", "only_below", "below_today", "volume"):
                yield from _flat(table, f"{pair['cheaper']} against {pair['than']}", name, pair[name])
    for bar in (data["tornado"] or {}).get("bars", []):
        for name in ("at_point", "p10", "p90", "lead_at_p10_usd", "lead_at_p90_usd", "flips_at"):
            yield "tornado", bar["input"], name, bar[name]
    for effect in data["sobol_indices"]:
        for name in ("first_order", "total"):
            yield "sobol_indices", " and ".join(effect["inputs"]), name, effect[name]
    for one in data["inputs"]:
        for name in ("at_point", "p10", "p50", "p90", "information_usd"):
            yield "inputs", one["input"], name, one[name]


def _flat(table: str, row: str, name: str, value: Plain | float | None) -> Iterator[tuple[str, str, str, float | None]]:
    if isinstance(value, dict):
        yield from ((table, row, f"{name}.{inner}", found) for inner, found in value.items())
    else:
        yield table, row, name, value
