"""``tuneworth compare``: the answer to a scenario, in the terminal or for a program."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from calc import Comparison, compare
from calc.export import comparison_dict, price_rows
from calc.feasibility import feasibility
from calc.scenario import Scenario
from ingest.data_scenario import DEFAULT_MODEL, filled_in, scenario_from_data
from ingest.errors import InputError, Problem
from ingest.files import read_text
from ingest.savings import DataFile, read_data
from ingest.scenario_file import SIZE_LIMIT_BYTES, Lines, load_with_lines, located, read_scenario, scenario_from
from pricing import PriceBook, PriceMissing, PriceUnverified, UnknownOffer, UnknownRelease
from reports import advice_words, cash_words, words
from reports.csv import in_currency, lines_csv
from reports.markdown import lines_markdown, sources_markdown, summary_markdown
from reports.sources import source_words
from reports.training_words import counted
from tuneworth.clock import day_or_today
from tuneworth.output import PARTIAL, Figure, Format, emit, say, write
from tuneworth.own_prices import OwnPricesFile, book_with
from tuneworth.tokens import progress
from tuneworth.version import installed_version

WIDEST = 110
"""Letters a line of prose takes at most."""

ABOUT_THE_SCENARIO = (UnknownOffer, UnknownRelease, PriceMissing, PriceUnverified, ValueError)
"""Errors of the model that something stated in the scenario is the cause of."""

ScenarioFile = Annotated[Path, typer.Argument(help="Scenario file: YAML or JSON.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="Day of the prices, like 2026-11-20. Default: the scenario's, else today.")
]


def compare_verb(
    file: Annotated[Path | None, typer.Argument(help="Scenario file: YAML or JSON; not needed with --data.")] = None,
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="Training file that says what the scenario leaves out, or all of it.")
    ] = None,
    volume: Annotated[
        int | None, typer.Option(min=1, help="Requests a month, with --data and no scenario. Default: 100,000, assumed.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model that is prompted, with --data and no scenario.")] = None,
    tuned_model: Annotated[str | None, typer.Option(help="Model that is tuned, with --data and no scenario.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    as_of: AsOf = None,
    lines: Annotated[bool, typer.Option("--lines", help="Add every cost line with its formula.")] = False,
    sources: Annotated[bool, typer.Option("--sources", help="Add every price used, with its source and day.")] = False,
    own_prices: OwnPricesFile = None,
) -> None:
    """Compare the approaches of a scenario: the cheapest, from which volume each pays, and why.

    With --data, a training file says how many examples there are, how long they and their requests and answers are, and which
    instructions they share; what a scenario states counts before it, and what neither says is assumed and named.

    Exits with 3 where an approach has no price, is unavailable or cannot be kept up as stated.
    """
    if data is None:
        if file is None:
            raise InputError(Problem("SCENARIO", "none is named", "", "Name a scenario file, or a training file by --data"))
        if volume or model or tuned_model:
            raise InputError(Problem("--volume, --model, --tuned-model", "there is no training file", "", "Name one by --data"))
        found, left_out = compared(file, as_of, own_prices), False
    else:
        found, left_out = compared_from_data(data, file, as_of, own_prices, volume=volume, model=model, tuned_model=tuned_model)
    if form is Format.json:
        emit(form, [], as_json=comparison_dict(found, tuneworth=installed_version() or None))
    elif form is Format.csv:
        _print_csv(found, lines)
    elif form is Format.md:
        _print_markdown(found, lines, sources)
    else:
        _print_tables(found, lines, sources)
    if found.is_partial:
        if form is Format.table:
            say(f"Partial answer (exit code {PARTIAL}): {'; '.join(_partial_rows(found))}.")
        else:
            say_why(found)
    if found.is_partial or left_out:
        raise typer.Exit(PARTIAL)


def compared(file: Path, as_of: str | None, own_prices: Path | None = None) -> Comparison:
    """The comparison of a scenario file, with a file of own prices laid over the book where one is given.

    Raises:
        InputError: the file is no scenario, or it cannot be computed as stated; the field at fault and its line are named.
        NothingToCompare: no approach has a total.
    """
    scenario, lines = stated(file, as_of)
    return _answered(scenario, lines, str(file), book_with(own_prices))


def compared_from_data(
    data: str,
    file: Path | None,
    as_of: str | None,
    own_prices: Path | None = None,
    *,
    volume: int | None = None,
    model: str | None = None,
    tuned_model: str | None = None,
) -> tuple[Comparison, bool]:
    """As `compared`, with what a training file says, and whether something in that file is in no figure.

    Where each number comes from is said on standard error.

    Args:
        data: the training file.
        file: the scenario, of which what is stated counts; None makes one of the file and of assumptions.
        volume, model, tuned_model: stated, where there is no scenario.

    Raises:
        InputError: as `compared`, or the training file cannot be used, or volume or models are stated beside a scenario.
    """
    book = book_with(own_prices)
    if file is None:
        read = _read(data, model or DEFAULT_MODEL)
        made = scenario_from_data(
            read, book.as_of(day_or_today(as_of)), requests_per_month=volume, model=model, tuned_model=tuned_model
        )
        _say_origin(read, made.measured, (), made.assumed)
        return _answered(made.scenario, {}, data, book), read.is_partial
    if volume or model or tuned_model:
        raise InputError(Problem(str(file), "the scenario states the volume and the models", "", "Change them there"))
    fields, lines = read_scenario(read_text(file, SIZE_LIMIT_BYTES), str(file))
    read = _read(data, _prompted_model(fields))
    filled = filled_in(fields, read)
    day = None if as_of is None else day_or_today(as_of)
    scenario = scenario_from(filled.fields, lines, str(file), as_of=day, today=day_or_today(None))
    _check_state(scenario, lines, str(file))
    _say_origin(read, filled.measured, filled.kept, ())
    scenario = scenario if day is None else scenario.model_copy(update={"as_of": day})
    return _answered(scenario, lines, str(file), book), read.is_partial


def _read(data: str, model: str) -> DataFile:
    with progress([data]) as advance:
        return read_data(data, model, on_progress=advance)


def _prompted_model(fields: Mapping[str, Any]) -> str:
    """The model by whose tokenizer a scenario's training file is counted: that of its prompting, if it states one."""
    approaches = fields.get("approaches")
    prompting = approaches.get("prompting") if isinstance(approaches, Mapping) else None
    model = prompting.get("model") if isinstance(prompting, Mapping) else None
    return model if isinstance(model, str) else DEFAULT_MODEL


def _say_origin(read: DataFile, measured: Iterable[str], kept: Iterable[str], assumed: Iterable[str]) -> None:
    left_out = f"; {counted(read.problem_count, 'record')} left out" if read.problem_count else ""
    taken = ", ".join(measured) or "nothing"
    say(f"From {read.name} ({counted(read.examples, 'example')}, counted by {read.counted_by}{left_out}): {taken}.")
    if read.with_opening_share:
        say(f"{read.with_opening_share:.0%} of the examples open with the same {read.saved_tokens_per_request:,} tokens, which a "
            "model tuned without them is not sent.")  # fmt: skip
    if read.media:
        say(f"{read.media:,} images, sounds or files are not counted: every approach that sends them will cost more.")
    if any(kept):
        say(f"Stated in the scenario, so not taken from the file: {', '.join(kept)}.")
    for line in assumed:
        say(f"Assumed: {line}.")


def _answered(scenario: Scenario, lines: Lines, name: str, book: PriceBook) -> Comparison:
    try:
        found = compare(scenario, book, today=day_or_today(None))
    except ABOUT_THE_SCENARIO as error:
        raise located(error, lines, name) from None
    found.winner()  # an answer there is only where an approach can be priced
    return found


def stated(file: Path, as_of: str | None) -> tuple[Scenario, Lines]:
    """The scenario of a file, on the day of ``--as-of`` if that is given, and where each field is written.

    Raises:
        InputError: the file is no scenario.
    """
    day = None if as_of is None else day_or_today(as_of)
    scenario, lines = load_with_lines(file, as_of=day, today=day_or_today(None))
    _check_state(scenario, lines, str(file))
    if day is not None:
        scenario = scenario.model_copy(update={"as_of": day})
    return scenario, lines


def _check_state(scenario: Scenario, lines: Lines, name: str) -> None:
    """Refuse a pin to a day that is to come, and warn of one to today: records may still enter such a state of the book."""
    pinned, day = scenario.price_release, day_or_today(None)
    if not isinstance(pinned, date) or pinned < day:
        return
    if pinned > day:
        wrong = f"{pinned} is yet to come, and until then the price book moves; state a day before today, {day}, or a release"
        raise located(ValueError(f"price_release: {wrong}"), lines, name)
    say(f"{name}, price_release: what is still recorded today, {pinned}, will count too; the answer can move until tomorrow.")


# --- the terminal ---------------------------------------------------------------------------------------------------------


@words.in_its_currency
def _print_tables(found: Comparison, lines: bool, sources: bool) -> None:
    print_prose([words.verdict(found) + "."])
    print_prose([words.reasons(found)])
    print_prose([words.currency_sentence(found)])
    emit(Format.table, _shown_rows(found))
    print_prose(words.accepted_notes(found), before="\n")
    _print_savings(found)
    print_list("Break-even", words.break_even_sentences(found))
    print_list("What would change the answer", advice_words.turns(found))
    print_list("What would settle it", filter(None, [advice_words.settling_sentence(found)]))
    print_list("In the way", _feasibility(found))
    write("\n")
    emit(
        Format.table,
        [
            {"rule of thumb": r.text, "": words.STATE_LABELS[r.state], "this workload": advice_words.finding_with_page(r)}
            for r in advice_words.told(found)
        ],
    )
    print_prose([advice_words.rules_caption(found)], before="\n")
    if lines:
        _print_lines(found)
    if sources:
        write("\n")
        emit(Format.table, _source_rows(found), title="Prices used")
    print_prose([f"Prices as of {words.day(found.as_of)}, {words.price_book(found)}; {words.months(found.months.count)} from "
                  f"{words.month(found.months.starts[0])}."], before="\n")  # fmt: skip


def _print_savings(found: Comparison) -> None:
    """What each approach saves against the reference, and whether value enters that."""
    rows = cash_words.brief_rows(found)
    if not rows:
        return
    write("\n")
    emit(
        Format.table,
        [{key: Figure(text) if key != "approach" else text for key, text in row.items()} for row in rows],
        title=cash_words.savings_title(found),
    )
    value = cash_words.value_caption(found) if found.point.value is not None else ""
    print_prose([" ".join(filter(None, (cash_words.no_rate_sentence(found), value)))], before="\n")


def _print_csv(found: Comparison, lines: bool) -> None:
    if lines:
        write(lines_csv(comparison_dict(found)))
    else:
        emit(Format.csv, _plain_rows(found))


def _print_markdown(found: Comparison, lines: bool, sources: bool) -> None:
    write(summary_markdown(found))
    if lines:
        write(f"\n{lines_markdown(found)}\n")
    if sources:
        write(f"\n{sources_markdown(found)}\n")


def print_prose(paragraphs: Iterable[str], before: str = "") -> None:
    """Paragraphs, broken into lines that fit."""
    for paragraph in paragraphs:
        if paragraph:
            write(f"{before}{textwrap.fill(paragraph, _width(), break_long_words=False, break_on_hyphens=False)}\n\n")


def print_list(title: str, sentences: Iterable[str]) -> None:
    """Sentences under a title, if there are any."""
    found = list(sentences)
    if not found:
        return
    write(f"\n{title}\n")
    for sentence in found:
        wrapped = textwrap.fill(
            sentence, _width(), initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
        )
        write(f"{wrapped}\n")


def _width() -> int:
    return min(shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100, WIDEST)


def _feasibility(found: Comparison) -> list[str]:
    return [f"{words.label(note.approach)}: {words.note(note)}" for note in feasibility(found)]


def _print_lines(found: Comparison) -> None:
    for result in found.results.values():
        rows = [
            {
                "line": line.name,
                "group": words.GROUP_LABELS[line.group],
                words.unit_name(): Figure(words.line_amount(line, result)),
                "formula": words.amounts_in_words(line.missing or line.formula),
            }
            for line in result.ledger.lines
        ]
        if rows:
            write("\n")
            emit(Format.table, rows, title=f"{words.label(result.name)}, {result.offer}")


# --- rows -----------------------------------------------------------------------------------------------------------------


def _shown_rows(found: Comparison) -> list[dict[str, Any]]:
    rows = words.approach_rows(found)
    lost = {"per accepted answer": [row.per_accepted for row in rows]} if words.rejected_are_lost(found) else {}
    columns = {
        words.total_column(found): [row.total for row in rows],
        "against the cheapest": [row.lead for row in rows],
        "per request": [row.per_request for row in rows],
        **lost,
        **({"accepted": [row.accepted for row in rows]} if any(r.accepted is not None for r in found.results.values()) else {}),
    }
    return [
        {"approach": words.label(row.name)}
        | {column: Figure(figures[i]) for column, figures in columns.items()}
        | {"status": row.status}
        for i, row in enumerate(rows)
    ]


def _plain_rows(found: Comparison) -> list[dict[str, Any]]:
    columns = (
        "name",
        "family",
        "offer",
        "status",
        "total_usd",
        "total_at_equal_answers_usd",
        "per_request_usd",
        "per_accepted_usd",
    )
    data = comparison_dict(found)
    rows = [{column: a[column] for column in columns} | {"why_not": " ".join(a["why_not"])} for a in data["approaches"]]
    return [in_currency(row, data["currency"]) for row in rows]


def _source_rows(found: Comparison) -> list[dict[str, Any]]:
    rows = [(row.offer, words.price(row), source_words(row.source), row.source_date, row.confidence) for row in price_rows(found)]
    head = ("offer", "price", "source", "read on", "confidence")
    return [dict(zip(head, row, strict=True)) for row in dict.fromkeys(rows)]


def _partial_rows(found: Comparison) -> list[str]:
    partial = (r for r in found.results.values() if r.status != "available" or r.incomplete_steps)
    status = {row.name: row.status for row in words.approach_rows(found)}
    return [f"{words.label(r.name)}: {status[r.name][:1].lower()}{status[r.name][1:]}" for r in partial]


def say_why(found: Comparison) -> None:
    """Why the answer is partial, on standard error."""
    for result in found.results.values():
        for why in (*result.why_not, *result.incomplete_steps):
            say(f"{words.label(result.name)}: {why}")
