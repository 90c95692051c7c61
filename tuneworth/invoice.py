"""``tuneworth invoice``: an estimate held against what was used and billed, and its inputs put right."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import floor, log10
from pathlib import Path
from typing import Annotated, Any

import typer

from calc.corrections import Corrected, Correction, corrections
from calc.invoice import InvoiceCheck, LineError, check_invoice
from calc.setting import counted
from ingest.corrected import billed_prices, check_new, corrected_scenario, write_new
from ingest.errors import InputError, Problem
from ingest.usage_logs import UsageFile, read_usages
from reports import words
from tuneworth.clock import day_or_today
from tuneworth.compare import AsOf, ScenarioFile, compared
from tuneworth.output import PARTIAL, Figure, Format, emit, say, write
from tuneworth.own_prices import OwnPricesFile
from tuneworth.version import installed_version

SCHEMA = {"id": "tuneworth.invoice", "version": 1}


class InputTo(StrEnum):
    """Which field takes a difference of the input tokens."""

    instruction_tokens = "instruction_tokens"
    user_tokens = "user_tokens"


def invoice(
    file: ScenarioFile,
    usage: Annotated[list[Path], typer.Option("--usage", metavar="FILE", help="Usage or cost export; may be repeated.")],
    approach: Annotated[str | None, typer.Option(help="Approach that the usage is of, where several use the model.")] = None,
    model: Annotated[str | None, typer.Option(help="Model's name in the file, where it cannot be told.")] = None,
    input_to: Annotated[InputTo, typer.Option(help="What takes a difference of input tokens.")] = InputTo.instruction_tokens,
    apply: Annotated[Path | None, typer.Option(metavar="OUT", help="Write the scenario with the corrections taken.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT, which is never SCENARIO itself.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    as_of: AsOf = None,
    own_prices: OwnPricesFile = None,
) -> None:
    """Hold a scenario's estimate against what was used and billed: the error of each line, its causes, and corrected inputs.

    Files are told by their fields (docs/usage-files.md): OpenAI's and Anthropic's usage and costs, LiteLLM's spend logs, or a
    CSV of your own. A file of counters and one of costs may be named together.

    Exits with 3 where usage in the files is held against no line.
    """
    if apply is not None:
        _check_out(apply, file, force)
    found = compared(file, as_of, own_prices)
    files = read_usages(usage, found.rates, today=day_or_today(None))
    lines = [line for each in files for line in each.usage]
    check = check_invoice(found, lines, approach=approach, model=model)
    corrected = corrections(check, input_to=input_to.value)
    if form is Format.table:
        _print(files, check, corrected)
    else:
        emit(form, _line_rows(check.lines, exact=True), as_json=as_dict(files, check, corrected))
    if apply is not None:
        _apply(file, apply, check, corrected, force)
    if check.match.unmatched:
        raise typer.Exit(PARTIAL)


def _check_out(out: Path, file: Path, force: bool) -> None:
    is_json = file.suffix.lower() == ".json"
    if (out.suffix.lower() == ".json") != is_json:
        expected = f"Expected a name that ends in {'.json' if is_json else '.yaml'}, as the scenario's does"
        raise InputError(Problem(str(out), "would be written in another format than the scenario's", expected))
    if out.exists() and out.samefile(file):
        next_step = "Choose another name: the file that is read is not overwritten, not by --force either"
        raise InputError(Problem(str(out), "is the scenario itself", "", next_step))
    check_new(out, force=force)


def _apply(file: Path, out: Path, check: InvoiceCheck, corrected: Corrected, force: bool) -> None:
    """Write what was corrected, and say what is left of the difference."""
    prices = out.with_suffix(".prices.toml")
    if corrected.price_ratio is not None:
        check_new(prices, force=force)
    write_new(out, corrected_scenario(file, corrected.corrections), force=force)
    say(f"Written: {out}, with {counted(len(corrected.corrections), 'field')} corrected.")
    if corrected.price_ratio is not None:
        write_new(prices, billed_prices(check, corrected.price_ratio), force=force)
        say(f"Written: {prices}, the prices that were billed: tuneworth compare {out} --own-prices {prices}")


# --- the terminal ---------------------------------------------------------------------------------------------------------


def _print(files: Sequence[UsageFile], check: InvoiceCheck, corrected: Corrected) -> None:
    for each in files:
        write(f"{each.name}: {each.kind}, {each.rows:,} {'row' if each.rows == 1 else 'rows'}.\n")
        for note in each.notes:
            write(f"  {_sentence(note)}\n")
    write(f"\n{_headline(check)}\n")
    for basis in check.outside_horizon:
        write(f"{_sentence(basis)}\n")
    write("\n")
    emit(Format.table, _line_rows(check.lines))
    _print_costs(check)
    if len(check.months) > 1 or not check.months[0].usage.is_whole:
        write("\n")
        emit(Format.table, _month_rows(check), title="Month by month")
    for note in (*check.notes, *corrected.notes):
        write(f"\n{_sentence(note)}\n")
    if check.match.unmatched:
        write("\n")
        emit(Format.table, _unmatched_rows(check), title="Held against no line")
    _print_corrections(corrected, is_known=not check.notes and not corrected.notes)


def _headline(check: InvoiceCheck) -> str:
    first, last = check.months[0], check.months[-1]
    span = words.month(first.usage.month) + ("" if first is last else f" to {words.month(last.usage.month)}")
    against = f"the estimate of {words.month(first.held_against)}"
    if first.held_against != last.held_against:
        against += f" to {words.month(last.held_against)}"
    name = words.label(check.result.name)
    return f"{name}, {check.result.offer} ({', '.join(check.match.models)} in the file): {span}, held against {against}."


def _line_rows(lines: Sequence[LineError], *, exact: bool = False) -> list[dict[str, Any]]:
    if exact:
        return [
            {
                "line": line.name, "unit": line.unit, "estimated": line.estimated, "actual": line.actual,
                "difference": line.difference, "ratio": line.ratio, "estimated_usd": line.estimated_usd,
                "actual_at_list_usd": line.actual_usd,
            }
            for line in lines
        ]  # fmt: skip
    return [
        {
            "line": line.name,
            "estimated": _count(line.estimated),
            "actual": _count(line.actual),
            "actual ÷ estimated": _ratio(line.ratio),
            "estimated US$": _usd(line.estimated_usd),
            "actual at list US$": _usd(line.actual_usd),
            "difference US$": _usd(line.difference_usd, plus=True),
        }
        for line in lines
    ]


def _print_costs(check: InvoiceCheck) -> None:
    billed, estimated, listed = check.billed_usd, check.estimated_usd, check.list_usd
    write(f"\nToken cost: {_usd(estimated)} US$ estimated, {_usd(listed)} US$ at list prices for what was used, "
          f"{_usd(billed)} US$ billed.\n")  # fmt: skip
    unknown = [words.month(m.usage.month) for m in check.months if m.usage.billed_usd is None]
    if unknown:
        write(f"The files do not state what {words.listed(unknown)} cost, so only quantities are compared.\n")
    if check.causes:
        write("\n")
        assert billed is not None
        assert estimated is not None
        rows = [{"why billed differs from estimated": cause.name, "US$": _usd(cause.usd, plus=True)} for cause in check.causes]
        rows.append({"why billed differs from estimated": "in all", "US$": _usd(billed - estimated, plus=True)})
        emit(Format.table, rows)


def _month_rows(check: InvoiceCheck) -> list[dict[str, Any]]:
    return [
        {
            "month": words.month(m.usage.month),
            "days": "all" if m.usage.is_whole else f"{m.usage.days} of {m.usage.days_in_month}",
            "requests estimated": _count(m.estimated["requests"]),
            "actual": _count(m.usage.requests),
            "US$ estimated": _usd(m.estimated_usd),
            "at list": _usd(m.list_usd),
            "billed": _usd(m.usage.billed_usd),
        }
        for m in check.months
    ]


def _unmatched_rows(check: InvoiceCheck) -> list[dict[str, Any]]:
    return [
        {
            "model in the file": each.model or "(not split by model)",
            "requests": _count(each.requests),
            "tokens": _count(each.tokens),
            "billed US$": _usd(each.billed_usd),
            "hint": each.hint or words.MISSING,
        }
        for each in check.match.unmatched
    ]


def _print_corrections(corrected: Corrected, *, is_known: bool) -> None:
    """Args:
    is_known: nothing is left that the files do not tell, or no field can express.
    """
    if not corrected.corrections and corrected.price_ratio is None:
        found = "No input needs correcting: the estimate says what the file says."
        write(f"\n{found if is_known else 'No correction can be suggested.'}\n")
        return
    rows = [{"field": c.path, "stated": _stated(c.stated), "suggested": _stated(c.suggested), "why": c.why}
            for c in corrected.corrections]  # fmt: skip
    if corrected.price_ratio is not None:
        rows.append({"field": "own prices", "stated": "list", "suggested": f"{corrected.price_ratio:.3f} × list",
                     "why": "what was billed over list price"})  # fmt: skip
    write("\n")
    emit(Format.table, rows, title="Suggested corrections (--apply OUT writes them)")


def _stated(value: Any) -> str:
    value = value.model_dump() if hasattr(value, "model_dump") else value
    if isinstance(value, dict):
        return ", ".join(f"{key} {_stated(each)}" for key, each in value.items())
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}" if isinstance(value, float) else str(value)


def _count(value: float | None) -> Figure:
    return Figure(words.MISSING if value is None else f"{value:,.0f}")


def _ratio(value: float | None) -> Figure:
    """Three decimals, or of a small one as many as show three digits."""
    if value is None:
        return Figure(words.MISSING)
    decimals = 2 - floor(log10(value)) if 0 < value < 1 else 3
    return Figure(f"{value:,.{max(decimals, 3)}f}")


def _usd(value: float | None, *, plus: bool = False) -> Figure:
    if value is None:
        return Figure(words.MISSING)
    text = f"{abs(value):,.2f}"
    sign = "−" if value < 0 and float(text.replace(",", "")) else "+" if plus and float(text.replace(",", "")) else ""
    return Figure(sign + text)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


# --- for programs ---------------------------------------------------------------------------------------------------------


def as_dict(files: Sequence[UsageFile], check: InvoiceCheck, corrected: Corrected) -> dict[str, Any]:
    """The whole answer, unrounded; null is unknown (`docs/invoice.schema.json`)."""
    return {
        "schema": SCHEMA,
        "tuneworth": installed_version() or None,
        "files": [{"name": f.name, "kind": f.kind, "rows": f.rows, "notes": list(f.notes)} for f in files],
        "approach": check.result.name,
        "offer": check.result.offer,
        "models": list(check.match.models),
        "lines": _line_rows(check.lines, exact=True),
        "estimated_usd": check.estimated_usd,
        "list_usd": check.list_usd,
        "billed_usd": check.billed_usd,
        "billed_over_list": check.billed_over_list,
        "causes": None if check.causes is None else [cause._asdict() for cause in check.causes],
        "months": [
            {
                "month": m.usage.month,
                "days": m.usage.days,
                "whole": m.usage.is_whole,
                "held_against": m.held_against,
                "estimated": m.estimated,
                "actual": m.actual,
                "estimated_usd": m.estimated_usd,
                "list_usd": m.list_usd,
                "billed_usd": m.usage.billed_usd,
            }
            for m in check.months
        ],
        "unmatched": [each._asdict() for each in check.match.unmatched],
        "corrections": [_correction(each) for each in corrected.corrections],
        "price_ratio": corrected.price_ratio,
        "notes": [*check.outside_horizon, *check.notes, *corrected.notes],
    }


def _correction(each: Correction) -> dict[str, Any]:
    stated = each.stated.model_dump() if hasattr(each.stated, "model_dump") else each.stated
    return {"field": each.path, "stated": stated, "suggested": each.suggested, "why": each.why}
