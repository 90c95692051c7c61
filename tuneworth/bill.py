"""``tuneworth bill``: what every provider charges to train on a file, and what the tuned model costs then."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, get_args

import typer

from calc.scenario import TaskKind
from calc.staff_time import ENDS, Source, StaffTime, staff_time, teacher_bill
from calc.training_bill import BY_GPU_HOUR, Job, Standing, TrainingBill, last_training_day
from ingest.bills import FileBills, file_bills
from ingest.errors import InputError, Problem
from pricing import Rates
from pricing.book import Method
from reports import words
from reports.training_words import counted
from tuneworth.clock import day_or_today
from tuneworth.compare import AsOf
from tuneworth.output import PARTIAL, Figure, Format, emit, say, write
from tuneworth.own_prices import OwnPricesFile, book_with
from tuneworth.tokens import progress

_KEPT_ON_GPUS = "GPUs by the hour"

NOTHING_BILLED = 1
"""Exit code where every offer is refused or without a price."""
MOST_HOURS = 87_600
"""Ten years."""

SHOWN = 25
"""Bills of the table unless all are asked for."""


def bill(
    file: Annotated[str, typer.Argument(help="Training file, folder or pattern, in any format that 'tuneworth tokens' reads.")],
    provider: Annotated[list[str] | None, typer.Option(help="This provider alone; may be given several times.")] = None,
    model: Annotated[str | None, typer.Option(help="Only offers with this in their id, such as llama-3.1-8b.")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Passes over the file. Default: each provider's rule.")
    ] = None,
    evaluations: Annotated[int, typer.Option(min=0, max=10_000, help="Passes over the validation file in one job.")] = 0,
    validation: Annotated[str | None, typer.Option(metavar="FILE", help="Validation file.")] = None,
    max_tokens_per_example: Annotated[
        int | None, typer.Option(min=1, help="Longer examples are cut there. Default: the model's limit in the price book.")
    ] = None,
    packing: Annotated[bool, typer.Option(help="Whether short examples share a sequence.")] = True,
    hours: Annotated[
        float | None, typer.Option(min=0.01, max=MOST_HOURS, help="Hours of a job, where training is billed by the hour.")
    ] = None,
    organisation: Annotated[
        list[str] | None, typer.Option(metavar="PROVIDER=STANDING", help="Such as openai=active. Default: new everywhere.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="sft, dpo, rft or cpt. Default: what suits the file's examples.")] = None,
    staff: Annotated[bool, typer.Option("--staff", help="Add the hours people spend on such a file.")] = False,
    task: Annotated[
        str | None, typer.Option(help="Kind of task, for the hours: style, format, classification … Default: style.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Where the examples come from, for the hours: logs, hand, teacher, bought. Default: logs.")
    ] = None,
    teacher: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Price the answers as written by this model, such as openai/gpt-6-luna.")
    ] = None,
    accept_unverified: Annotated[
        list[str] | None, typer.Option(metavar="OFFER", help="Use this offer's unverified prices; may be given several times.")
    ] = None,
    own_prices: OwnPricesFile = None,
    as_of: AsOf = None,
    every: Annotated[bool, typer.Option("--all", help=f"Print every bill, not only the {SHOWN} cheapest.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Bill one training job at every provider that sells it: tokens, job, tuned rates, hosting, and until when it can be had.

    The cheapest job comes first; what this organisation cannot have, or what has no price, follows with the reason. Exits with
    3 where something in the file is in no bill.
    """
    rates = book_with(own_prices).as_of(day_or_today(as_of))
    standings = _standings(organisation or [], rates)
    _refuse_without_effect(
        task=(bool(task) and not staff, "--staff"),
        source=(bool(source) and not staff, "--staff"),
        evaluations=(bool(evaluations) and validation is None, "--validation"),
    )
    with progress([file]) as advance:
        found = file_bills(
            rates,
            file,
            Job(
                epochs=epochs,
                evaluations=evaluations,
                max_tokens_per_example=max_tokens_per_example,
                packing=packing,
                training_hours=hours,
            ),
            method=_one_of("--method", method, Method) if method else None,
            validation=validation,
            wanted=(lambda offer: model.lower() in offer.lower()) if model else (lambda offer: True),  # noqa: ARG005
            providers=provider or None,
            organisation=standings,
            accept_unverified=accept_unverified or (),
            teacher=teacher,
            on_progress=advance,
        )
    if not found.bills:
        option = "--model" if model else "--provider"
        raise InputError(Problem(option, f"nothing that it names sells {found.method} training in the price book"))
    needed = (
        _people(rates, found, _one_of("--task", task or "style", TaskKind), _one_of("--source", source or "logs", Source))
        if staff
        else None
    )
    taught = _taught(rates, found, teacher) if teacher else None
    _print(found, needed, taught, form, every, rates)
    if all(bill.status != "billed" for bill in found.bills):
        say("No provider bills this job: the reasons stand beside the offers.")
        raise typer.Exit(NOTHING_BILLED)
    if found.is_partial:
        _say_left_out(found)
        raise typer.Exit(PARTIAL)


def _print(
    found: FileBills, needed: StaffTime | None, taught: dict[str, Any] | None, form: Format, every: bool, rates: Rates
) -> None:
    if form is Format.json:
        emit(form, [], as_json=_json(found, needed, taught, rates))
        return
    if form is Format.csv:
        emit(form, [_plain_row(bill, found) for bill in found.bills])
        return
    billed = [bill for bill in found.bills if bill.status == "billed"]
    shown = billed if every else billed[:SHOWN]
    examples = found.measured.examples.total()
    title = f"{found.measured.name}: {counted(examples, 'example')}, {found.method.upper()}, prices of {rates.as_of}"
    if shown:
        emit(form, [_row(bill, found) for bill in shown], title=title)
    if len(shown) < len(billed):
        write(f"\n{len(billed) - len(shown)} dearer ones are left out: --all prints them.\n")
    without = [bill for bill in found.bills if bill.status != "billed"]
    if without:
        write("\n")
        emit(form, [_row_without(bill) for bill in without], title="Not to be had, or without a price")
    if needed is not None:
        write("\n")
        emit(form, _staff_rows(needed), title=f"Staff time of a {needed.role.replace('_', ' ')}")
    if taught is not None:
        write(
            f"\n{taught['model']} writes {taught['candidates']:,.0f} candidates of {taught['tokens_in']:,.0f} input and "
            f"{taught['tokens_out']:,.0f} output tokens for ${taught['usd']:,.2f}.\n"
        )
    for note in dict.fromkeys(note for bill in shown for note in bill.notes):
        say(f"Note: {note}.")


# --- rows -----------------------------------------------------------------------------------------------------------------


def _row(bill: TrainingBill, found: FileBills) -> dict[str, Any]:
    last = last_training_day(bill)
    rate = f"{bill.usd_per_mtok:g}/M" if bill.usd_per_mtok is not None else f"{bill.usd_per_hour:g}/h"
    limits = [f"at least {bill.minimum_usd:g}"] if bill.minimum_usd else []
    limits += [f"at most {bill.cap_usd:g}"] if bill.cap_usd else []
    return {
        "offer": bill.offer,
        "how": _how(bill),
        "epochs": "" if bill.epochs is None else f"{bill.epochs:g}, {bill.epochs_basis}",
        "billed tokens": None if bill.billed_tokens is None else round(bill.billed_tokens),
        "US$": rate,
        "job, US$": _usd(bill.job_usd),
        "job's bounds": ", ".join(limits),
        "tuned in/out per M": _tuned_rates(bill),
        "kept a month, US$": _kept(bill),
        "start by": "" if last is None else str(last),
        "answers until": "" if bill.answers_before is None else f"{bill.answers_before} ({words.months(bill.months_of_answers)})",
        "upload": found.upload(bill),
        "cut": bill.truncated_examples,
        "counted by": bill.counted_by,
        "prices": bill.confidence,
    }


def _row_without(bill: TrainingBill) -> dict[str, Any]:
    return {"offer": bill.offer, "how": _how(bill), "job, US$": _usd(bill.job_usd), "why": bill.refused or bill.unpriced}


def _plain_row(bill: TrainingBill, found: FileBills) -> dict[str, Any]:
    flat = {key: value for key, value in _plain(bill, found).items() if key not in ("prices", "notes", "formula")}
    return {key: value if not isinstance(value, bool) else str(value).lower() for key, value in flat.items()}


def _plain(bill: TrainingBill, found: FileBills) -> dict[str, Any]:
    own = asdict(bill)
    own |= {"prices": [price.model_dump(mode="json", exclude_none=True) for price in bill.prices]}
    return own | {
        "status": bill.status,
        "first_month_usd": bill.first_month_usd,
        "last_training_day": last_training_day(bill),
        "confidence": bill.confidence,
        "upload": found.upload(bill),
    }


def _json(found: FileBills, needed: StaffTime | None, taught: dict[str, Any] | None, rates: Rates) -> dict[str, Any]:
    measured = found.measured
    answer: dict[str, Any] = {
        "file": measured.name,
        "as_of": rates.as_of,
        "method": found.method,
        "examples": measured.examples.total(),
        "problem_count": measured.problem_count,
        "media": measured.media,
        "tool_definition_tokens": found.tool_definition_tokens,
        "bills": [_plain(bill, found) for bill in found.bills],
    }
    if needed is not None:
        answer["staff"] = {
            "role": needed.role,
            "usd_per_hour": needed.usd_per_hour,
            "steps": [step._asdict() for step in needed.steps],
            "hours": {end: needed.hours(end) for end in ENDS},
            "usd": {end: needed.usd(end) for end in ENDS},
        }
    return answer | ({} if taught is None else {"teacher": taught})


def _staff_rows(needed: StaffTime) -> list[dict[str, Any]]:
    rows = [{"step": s.name} | {f"{end}, hours": Figure(f"{getattr(s, end):,.1f}") for end in ENDS} for s in needed.steps]
    rows.append({"step": "all"} | {f"{end}, hours": Figure(f"{needed.hours(end):,.1f}") for end in ENDS})
    rows.append(
        {"step": f"at ${needed.usd_per_hour:.2f} an hour"} | {f"{e}, hours": Figure(f"${needed.usd(e):,.0f}") for e in ENDS}
    )
    return rows


def _how(bill: TrainingBill) -> str:
    return " ".join(filter(None, (bill.method.upper(), bill.technique, bill.deployment)))


def _usd(usd: float | None) -> Figure | None:
    return None if usd is None else Figure(f"{usd:,.2f}" if usd >= 1 else f"{usd:.4f}")


def _tuned_rates(bill: TrainingBill) -> str:
    if bill.input_usd_per_mtok is None or bill.output_usd_per_mtok is None:
        return "–"
    return f"{bill.input_usd_per_mtok:g} / {bill.output_usd_per_mtok:g}"


def _kept(bill: TrainingBill) -> str:
    """Hosting and storage of a month."""
    if bill.hosting_usd_per_month is None:
        return _KEPT_ON_GPUS if bill.hosting_basis == BY_GPU_HOUR else "not in the book"
    return f"{bill.hosting_usd_per_month + (bill.storage_usd_per_month or 0):,.2f}"


# --- what is beside the bills ---------------------------------------------------------------------------------------------


def _people(rates: Rates, found: FileBills, kind: TaskKind, source: Source) -> StaffTime:
    return staff_time(rates, found.measured.examples.total(), kind, source=source)


def _taught(rates: Rates, found: FileBills, teacher: str) -> dict[str, Any]:
    """What the teacher charges to write as many answers of the same length, counted by the tokenizer closest to its own."""
    assert found.teacher_tokens is not None
    bill = teacher_bill(rates, teacher, found.measured.examples.total(), *found.teacher_tokens)
    return {key: value for key, value in bill._asdict().items() if key != "prices"}


def _standings(stated: list[str], rates: Rates) -> dict[str, Standing]:
    found: dict[str, Standing] = {}
    for text in stated:
        provider, equals, standing = text.partition("=")
        rates.book.provider(provider)
        if standing not in get_args(Standing):
            wrong = f"'{standing}' in '{text}' is no standing" if equals else f"'{text}' does not say the standing"
            raise InputError(Problem("--organisation", wrong, "Expected new, inactive or active", "Write it like openai=active"))
        found[provider] = standing  # type: ignore[assignment]
    return found


def _refuse_without_effect(**options: tuple[bool, str]) -> None:
    """Refuse the first option that is stated but of no effect without another, which is named."""
    for name, (is_without_effect, needed) in options.items():
        if is_without_effect:
            raise InputError(
                Problem(f"--{name}", f"it has no effect without {needed}", "", f"Add {needed}, or leave --{name} out")
            )


def _one_of(option: str, stated: str, choices: Any) -> Any:
    if stated not in get_args(choices):
        raise InputError(Problem(option, f"'{stated}' is not a choice", f"Expected one of {', '.join(get_args(choices))}"))
    return stated


def _say_left_out(found: FileBills) -> None:
    measured = found.measured
    for of in filter(None, (measured, found.validation)):
        if of.problem_count:
            one = of.problem_count == 1
            say(
                f"{of.name}: {counted(of.problem_count, 'record')} {'was' if one else 'were'} left out of every bill; "
                f"'tuneworth tokens' lists {'it' if one else 'them'}."
            )
    if measured.media:
        say(f"{measured.media:,} images, sounds or files are in no bill: it will be higher.")
    if found.tool_definition_tokens:
        say(f"{found.tool_definition_tokens:,} tokens of tool definitions are in no bill: it will be higher.")
