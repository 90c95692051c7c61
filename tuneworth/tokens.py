"""``tuneworth tokens``: what a training file holds and what training on it bills."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from ingest import InputError, Problem, TrainingFile
from ingest.chat_templates import OPENAI
from ingest.checks import Rule
from ingest.counting import Counting, counting_for
from ingest.dataset import Measured, measure, training_file
from ingest.examples import Example
from ingest.formats import FORMATS
from ingest.inspection import Inspection, Tables, checks_by_provider
from ingest.records import Record
from ingest.sources import find_files, size_bytes
from ingest.tokenizers import tokenizer_names
from pricing import PriceBook, Rates, UnknownOffer
from tuneworth.clock import today
from tuneworth.output import PARTIAL, Format, emit, say, write

PROBLEMS_SHOWN = 20
PROBLEM_KEYS = frozenset({"file", "line", "problem"})
PROBLEM_LINE_BYTES = 1_000_000
DEFAULT_MODEL = "gpt-4.1-mini"
SHOWN_OF_CHECKS = ("provider", "rule", "severity", "cases", "lines", "problem", "expected", "source", "source_date", "confidence")
SHOWN_OF_FINDINGS = ("finding", "cases", "words", "lines", "advice")


def tokens(
    files: Annotated[
        list[str], typer.Argument(help="Training files, folders or patterns: JSON Lines, JSON, CSV, Parquet, also .gz or .zst.")
    ],
    model: Annotated[
        str, typer.Option(help="Model that is tuned, such as gpt-4.1-mini or together/llama-3.3-70b.")
    ] = DEFAULT_MODEL,
    tokenizer: Annotated[
        Path | None, typer.Option(help="The model's tokenizer.json, to count exactly by a vocabulary that is not at hand.")
    ] = None,
    format_of_file: Annotated[
        str | None, typer.Option(help="The files' format where it is not the likeliest, such as 'OpenAI chat' or Alpaca.")
    ] = None,
    validation: Annotated[str | None, typer.Option(help="A validation file, folder or pattern, counted apart.")] = None,
    max_tokens_per_example: Annotated[
        int | None, typer.Option(min=1, help="Longer examples are cut there. Default: the model's limit in the price book.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Passes over the file. Default: the provider's rule.")
    ] = None,
    problems: Annotated[
        Path | None, typer.Option(help="Where to write every line that is left out or breaks a rule, one JSON object a line.")
    ] = None,
    checks: Annotated[
        bool, typer.Option("--checks", help="Every rule of a provider that the file breaks, with its lines and its source.")
    ] = False,
    findings: Annotated[
        bool,
        typer.Option("--findings", help="Look for duplicates, leaks, outliers and the like; takes 3 to 4 times as long."),
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Count training files: examples, tokens, truncation, epochs, billed tokens, problems by line.

    Counts are exact where the model's vocabulary is at hand or its tokenizer.json is named, and else an estimate with its range.
    Exits with 3 where records had to be left out.
    """
    if form is Format.csv and checks and findings:
        wrong = "CSV holds one table, and these are two"
        raise InputError(Problem("--checks --findings", wrong, "", "Ask for one of them, or for all by --format json"))
    read_as = _known_format(format_of_file)
    if validation is not None:
        find_files(validation)  # before the long count: it says what is not there
    rates = PriceBook.bundled().as_of(today())
    counting = counting_for(model, tokenizer_file=tokenizer, assumptions=rates.assumptions)
    limit, rule, unknown = _providers_rules(rates, counting)
    limit = max_tokens_per_example or limit
    with _problems_file(problems, [*files, validation] if validation else files) as write_problem:
        on_problem = None if write_problem is None else lambda problem: write_problem(_as_json(problem))
        inspection = Inspection(findings=findings, on_broken=_broken_writer(write_problem))
        measured = _measured(files, counting, read_as, on_problem, inspection.add)
        counted = training_file(measured, counting, max_tokens_per_example=limit, epochs=epochs, epochs_rule=rule)
        checked = None
        if validation is not None:
            validated = _measured([validation], counting, read_as, on_problem, inspection.add_validation)
            checked = training_file(validated, counting, max_tokens_per_example=limit, epochs=1)
        tables = inspection.tables(measured, counting, rates, size_bytes(files))
    answer = _json(counted, measured, checked) | {"checks": tables.checks, "findings": tables.findings if findings else None}
    title = f"{measured.name}, {measured.format}, for {model}"
    if form is not Format.csv or not (checks or findings):
        emit(form, _rows(counted, counting, checked), title=title, as_json=answer)
    if form is not Format.json:
        _emit_inspection(form, tables, checks, findings)
    if unknown:
        say(f"Note: {unknown} The tokens are counted all the same.")
    for note in counted.notes:
        say(f"Note: {note}.")
    left_out = measured.problems + (validated.problems if validation is not None else [])
    if left_out:
        _say_problems(left_out, measured.problem_count + (checked.problem_count if checked else 0))
        raise typer.Exit(PARTIAL)


def _measured(
    files: list[str],
    counting: Counting,
    read_as: str | None,
    on_problem: Callable[[Problem], None] | None,
    on_record: Callable[[Record, Example | None], None],
) -> Measured:
    with progress(files) as advance:
        return measure(files, [counting], format=read_as, on_progress=advance, on_problem=on_problem, on_record=on_record)


def _broken_writer(write_problem: Callable[[dict[str, Any]], None] | None) -> Callable[[Rule, Record], None] | None:
    """Writes a rule that a line breaks as one of its problems."""
    if write_problem is None:
        return None

    def write_broken(rule: Rule, record: Record) -> None:
        problem = f"{rule.words}; expected {rule.expected}"
        write_problem(
            {"file": record.file, "line": record.line, "problem": problem, "provider": rule.provider, "severity": rule.severity}
        )

    return write_broken


def _emit_inspection(form: Format, tables: Tables, in_full: bool, looked_for: bool) -> None:
    """The checks, in full or as counts by provider, and the findings; CSV holds one table: what was asked for."""
    if form is not Format.csv:
        write("\n")
    if in_full:
        emit(form, [{key: row[key] for key in SHOWN_OF_CHECKS} for row in tables.checks], title="Checks by provider")
    elif form is not Format.csv:
        emit(form, checks_by_provider(tables), title="Checks by provider (--checks lists the rules, with lines and sources)")
    rows = [{key: row[key] for key in SHOWN_OF_FINDINGS} for row in tables.findings]
    if form is Format.csv and looked_for:
        if rows:
            emit(form, rows)
        else:
            write(f"{','.join(SHOWN_OF_FINDINGS)}\n")
    elif rows:
        write("\n")
        emit(form, rows, title="Findings")


def _known_format(stated: str | None) -> str | None:
    """The format's name as we write it.

    Raises:
        InputError: there is no such format.
    """
    if stated is None:
        return None
    found = next((name for name in FORMATS if name.casefold() == stated.casefold()), None)
    if found is None:
        raise InputError(Problem("--format-of-file", f"there is no format '{stated}'", f"Known are {', '.join(FORMATS)}"))
    return found


def _providers_rules(rates: Rates, counting: Counting) -> tuple[int | None, int | str | None, str]:
    """The price book's limit per example and rule for epochs, and what to say where OpenAI has no such model.

    A model that names no provider is OpenAI's if it is counted by OpenAI's rule, and else nobody's.
    """
    model = counting.model
    is_openais = "/" not in model and counting.template is OPENAI and counting.template_is_known
    if not is_openais and "/" not in model:
        return None, None, ""
    offer = f"openai/{model}" if is_openais else model
    try:
        _, _, item = rates.item(offer)
        billing = rates.billing_rules(offer)
    except UnknownOffer as error:
        return (
            None,
            "openai-cookbook" if is_openais else None,
            str(error) if is_openais and model not in tokenizer_names() else "",
        )
    return item.max_training_tokens_per_example, billing.default_epochs if billing else None, ""


def _rows(measured: TrainingFile, counting: Counting, checked: TrainingFile | None) -> list[dict[str, Any]]:
    limit = measured.max_tokens_per_example
    cut = f"each example cut at {limit:,}" if limit else "no limit per example"
    left_out = f"{measured.problem_count:,} left out" if measured.problem_count else ""
    figures = [
        ("examples", measured.examples, left_out),
        ("content tokens", measured.content_tokens, "text of the messages alone"),
        ("trained tokens", measured.trained_tokens, "of these the model learns to write, tool calls included"),
        ("total tokens", measured.total_tokens, f"counted by {counting.label} and the {measured.chat_template} chat rule"),
        ("training tokens", measured.training_tokens, cut),
        ("truncated examples", measured.truncated_examples, ""),
        ("longest example", measured.longest_tokens, "tokens"),
        ("mean example", round(measured.mean_tokens, 1), "tokens"),
        ("p5 example", measured.p5_tokens, "tokens"),
        ("median example", measured.p50_tokens, "tokens"),
        ("p95 example", measured.p95_tokens, "tokens"),
        ("epochs", measured.epochs, measured.epochs_basis),
        ("billed tokens", measured.billed_tokens, "epochs × training tokens"),
    ]
    if measured.tool_definition_tokens:
        figures.insert(5, ("tool definitions", measured.tool_definition_tokens, "tokens of their JSON, in no other figure"))
    if checked is not None:
        figures.append(
            ("validation examples", checked.examples, f"{checked.problem_count:,} left out" * bool(checked.problem_count))
        )
        figures.append(("validation tokens", checked.training_tokens, "one evaluation"))
    ranges = {name.replace("_", " "): f"{low:,} to {high:,}" for name, (low, high) in measured.estimate.items()}
    return [
        {"figure": name, "value": value, "note": f"{ranges[name]}; {note}" if name in ranges else note}
        for name, value, note in figures
    ]


def _json(counted: TrainingFile, measured: Measured, checked: TrainingFile | None) -> dict[str, Any]:
    answer = asdict(counted) | {"problems": [_as_json(problem) for problem in measured.problems]}
    if checked is not None:
        keys = ("file", "format", "examples", "content_tokens", "training_tokens", "trained_tokens", "problem_count")
        answer["validation"] = {key: getattr(checked, key) for key in keys}
    return answer


def _as_json(problem: Problem) -> dict[str, Any]:
    return {"file": problem.file, "line": problem.line, "problem": problem.wrong}


def left_out_words(problems: list[Problem], count: int) -> str:
    """How many records, and how many files, were left out.

    Args:
        problems: those that are kept; one without a line is about a file.
        count: of all.
    """
    files = sum(problem.line is None for problem in problems)
    parts = [(count - files, "record"), (files, "file")]
    said = " and ".join(f"{n:,} {noun}{'s' * (n != 1)}" for n, noun in parts if n)
    return f"{said} {'was' if count == 1 else 'were'} left out"


def _say_problems(problems: list[Problem], count: int) -> None:
    say(f"{left_out_words(problems, count)} of every figure:")
    for problem in problems[:PROBLEMS_SHOWN]:
        say(str(problem))
    if count > PROBLEMS_SHOWN:
        say(f"… and {count - PROBLEMS_SHOWN:,} more; --problems FILE writes them all.")


@contextmanager
def _problems_file(path: Path | None, files: list[str]) -> Iterator[Callable[[dict[str, Any]], None] | None]:
    """Writes problems as they come to a file that takes its place once all are written; does nothing where none is named.

    Raises:
        InputError: the file cannot be written, is one of those that are read, or holds something else than problems.
    """
    if path is None:
        yield None
        return
    _refuse_to_overwrite(path, files)
    path = path.resolve()
    begun = path.with_name(f".{path.name}.{os.getpid()}.part") if path.is_file() or not path.exists() else path
    try:
        with _opened(begun, path) as file:
            yield lambda problem: print(json.dumps(problem, ensure_ascii=False), file=file)
        if begun != path:
            begun.replace(path)
    finally:
        if begun != path:
            begun.unlink(missing_ok=True)


def _refuse_to_overwrite(path: Path, files: list[str]) -> None:
    if not path.is_file() or path.stat().st_size == 0:
        return
    if any(isinstance(found, Path) and found.samefile(path) for found in find_files(files)[0]):
        wrong = "this file is read, and would be overwritten by the problems"
    elif not _holds_problems(path):
        wrong = "the file exists and holds something else than problems written by this command, which would be lost"
    else:
        return
    raise InputError(Problem(str(path), wrong, "", "Choose another name for the problems"))


def _holds_problems(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline(PROBLEM_LINE_BYTES))
    except (OSError, ValueError):
        return False
    return isinstance(first, dict) and PROBLEM_KEYS <= first.keys() <= PROBLEM_KEYS | {"provider", "severity"}


def _opened(begun: Path, path: Path) -> TextIO:
    try:
        return begun.open("w", encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(Problem(str(path), f"the file cannot be written ({error.strerror})", "", "Name another place")) from None


@contextmanager
def progress(files: list[str]) -> Iterator[Callable[[int], None] | None]:
    """A bar with the time left on standard error while large files are read; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    size = size_bytes(files)
    columns = ("Counting", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=size)
        yield lambda read: progress.advance(task, read)
