"""``tuneworth tokens``: what a training file holds and what training on it bills."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from ingest import TrainingFile, measure_training_file
from ingest.files import readable_file
from ingest.tokenizers import tokenizer_names
from pricing import PriceBook, Rates, UnknownOffer
from tuneworth.clock import today
from tuneworth.output import PARTIAL, Format, emit, say

PROBLEMS_SHOWN = 20


def tokens(
    file: Annotated[Path, typer.Argument(help="Training file: OpenAI chat format, JSON Lines.")],
    model: Annotated[str, typer.Option(help="Model that is tuned, such as gpt-4.1-mini or together/llama-3.3-70b.")],
    max_tokens_per_example: Annotated[
        int | None, typer.Option(min=1, help="Longer examples are cut there. Default: the model's limit in the price book.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Passes over the file. Default: the provider's rule.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Count a training file exactly: examples, tokens, truncation, epochs, billed tokens, problems by line.

    Exits with 3 where lines had to be left out.
    """
    readable_file(file)
    limit, rule, unknown = _providers_rules(PriceBook.bundled().as_of(today()), model)
    with _progress(file) as advance:
        measured = measure_training_file(
            file,
            model,
            max_tokens_per_example=max_tokens_per_example or limit,
            epochs=epochs,
            epochs_rule=rule,
            on_progress=advance,
        )
    emit(form, _rows(measured), title=f"{file.name} for {model}", as_json=_json(measured))
    if unknown:
        say(f"Note: {unknown} The tokens are counted all the same.")
    for note in measured.notes:
        say(f"Note: {note}.")
    if measured.problem_count:
        _say_problems(measured)
        raise typer.Exit(PARTIAL)


def _providers_rules(rates: Rates, model: str) -> tuple[int | None, int | str | None, str]:
    """The price book's limit per example and rule for epochs, and what to say where OpenAI has no such model.

    A model that names no provider is OpenAI's.
    """
    offer = model if "/" in model else f"openai/{model}"
    try:
        _, _, item = rates.item(offer)
        billing = rates.billing_rules(offer)
    except UnknownOffer as error:
        unknown = offer.startswith("openai/") and model not in tokenizer_names()
        return None, None if "/" in model else "openai-cookbook", str(error) if unknown else ""
    return item.max_training_tokens_per_example, billing.default_epochs if billing else None, ""


def _rows(measured: TrainingFile) -> list[dict[str, Any]]:
    limit = measured.max_tokens_per_example
    cut = f"each example cut at {limit:,}" if limit else "no limit per example"
    left_out = f"{measured.problem_count:,} lines left out" if measured.problem_count else ""
    figures = [
        ("examples", measured.examples, left_out),
        ("content tokens", measured.content_tokens, "text of the messages alone"),
        ("answer tokens", measured.answer_tokens, "of these the model learns to write"),
        ("total tokens", measured.total_tokens, f"counted by {measured.tokenizer} and OpenAI's chat rule"),
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
    return [{"figure": name, "value": value, "note": note} for name, value, note in figures]


def _json(measured: TrainingFile) -> dict[str, Any]:
    return asdict(measured) | {"problems": [{"line": line, "problem": problem} for line, problem in measured.problems]}


def _say_problems(measured: TrainingFile) -> None:
    say(f"{measured.problem_count:,} lines were left out of every figure:")
    for line, problem in measured.problems[:PROBLEMS_SHOWN]:
        say(f"{measured.file}, line {line}: {problem}.")
    if measured.problem_count > PROBLEMS_SHOWN:
        say(f"… and {measured.problem_count - PROBLEMS_SHOWN:,} more; --format json lists the first {len(measured.problems):,}.")


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], None] | None]:
    """A bar on standard error while a large file is read; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = ("Counting", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=file.stat().st_size)
        yield lambda read: progress.advance(task, read)
