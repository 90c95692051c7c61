"""Sentences on a training file and its bills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from calc.training_bill import BY_GPU_HOUR, TrainingBill
from ingest.chat_templates import NO_TEMPLATE, OPENAI
from ingest.counting import Counting
from ingest.dataset import Measured
from ingest.inspection import CONVERT, NOT_KNOWN, REFUSES, TAKES, upload_of
from reports import words

AT_LEAST = "at least: what a model writes is not in the file"
"""Of reinforcement."""


def verdict(
    name: str, bills: Sequence[TrainingBill], left_out: int, by_provider: Mapping[str, str] = MappingProxyType({})
) -> str:
    """What tuning on a file costs, where it is cheapest to train and keep today, and how much of the file is in no bill.

    Args:
        by_provider: what uploads do with the file, as `ingest.inspection.uploads`; who refuses it is in no figure.
    """
    bills = taking(bills, by_provider)
    costs = [bill.job_usd for bill in bills if bill.status == "billed" and bill.job_usd is not None]
    tail = f"; {counted(left_out, 'line')} left out" if left_out else ""
    if any(bill.method == "rft" for bill in bills if bill.status == "billed"):
        tail += f"; {AT_LEAST}"
    if not costs:
        return f"Nobody in the price book {'takes and ' if by_provider else ''}bills tuning on {name} today{tail}"
    least, most = words.money_run(min(costs)), words.money_run(max(costs))
    span = least if least == most else f"{least} to {most}"
    best = cheapest_kept(bills)
    if best is None:
        return f"A tuning run on {name} costs {span}; what the tuned model costs then has no price for any offer{tail}"
    return (
        f"A tuning run on {name} costs {span}; cheapest to train and keep today is {where(best)}, "
        f"{words.money_run(best.job_usd)} once and {_kept(best)} a month{_after(best, by_provider)}{tail}"
    )


def taking(bills: Sequence[TrainingBill], by_provider: Mapping[str, str]) -> list[TrainingBill]:
    """Those whose provider does not refuse the file."""
    return [bill for bill in bills if not upload_of(bill.offer, bill.name, by_provider).startswith(REFUSES)]


def cheapest_kept(bills: Sequence[TrainingBill]) -> TrainingBill | None:
    """The cheapest first month of those that may train today and whose every price is known."""
    whole = [bill for bill in bills if bill.status == "billed" and bill.first_month_usd is not None]
    return min(whole, key=lambda bill: bill.first_month_usd or 0.0, default=None)


def reasons(bills: Sequence[TrainingBill], by_provider: Mapping[str, str] = MappingProxyType({})) -> str:
    """The cheapest run where it is another, who refuses the file, and who is closed."""
    billed = [bill for bill in taking(bills, by_provider) if bill.status == "billed"]
    parts = []
    best = cheapest_kept(billed)
    if billed and best is not None and billed[0] is not best:
        parts.append(
            f"The cheapest run, {words.money_run(billed[0].job_usd)}, is {where(billed[0])}: {_why_not_kept(billed[0], best)}."
        )
    if best is not None and by_provider and upload_of(best.offer, best.name, by_provider) == NOT_KNOWN:
        parts.append(f"Whether {best.provider} takes the file as it is, is not known.")
    refusing = sum(bill.status == "billed" for bill in bills) - len(billed)
    if refusing:
        parts.append(f"In no figure here, as the upload refuses the file: {counted(refusing, 'offer')}.")
    refused = [bill for bill in bills if bill.status == "refused"]
    if refused:
        least = min((bill.job_usd for bill in refused if bill.job_usd is not None), default=None)
        from_ = f" (from {words.money_run(least)})" if least is not None else ""
        closed = words.listed(dict.fromkeys(b.provider for b in refused))
        parts.append(f"Closed to you: {counted(len(refused), 'offer')} of {closed}{from_}.")
    unpriced = sum(bill.status == "unpriced" for bill in bills)
    if unpriced:
        parts.append(f"No price for this job: {counted(unpriced, 'offer')}.")
    return " ".join(parts)


def basis(counting: Counting) -> str:
    """What counts, with the tokens around messages: o200k_base with OpenAI's rule."""
    if counting.template is OPENAI:
        around = "OpenAI's rule" if counting.template_is_known else "OpenAI's rule in place of its own chat template"
    else:
        around = "no chat template" if counting.template is NO_TEMPLATE else f"the {counting.template.name} chat template"
    return f"{counting.label} with {around}"


def where(bill: TrainingBill) -> str:
    """An offer in a sentence: Qwen3 8B at Tinker."""
    return f"{bill.name} at {bill.provider}"


def kept_usd(bill: TrainingBill) -> float | None:
    """Hosting and storage of a month; None where one of them has no price."""
    if bill.hosting_usd_per_month is None or bill.storage_usd_per_month is None:
        return None
    return bill.hosting_usd_per_month + bill.storage_usd_per_month


def bounds(bill: TrainingBill) -> str:
    """Least and most a job is charged, where there is such a bound."""
    parts = [f"at least {words.money_cents(bill.minimum_usd)}"] if bill.minimum_usd else []
    parts += [f"stops at {words.money_cents(bill.cap_usd)}"] if bill.cap_usd else []
    return ", ".join(parts)


def method(bill: TrainingBill) -> str:
    """SFT LoRA."""
    technique = {"lora": "LoRA"}.get(bill.technique or "", bill.technique)
    return " ".join(filter(None, (bill.method.upper(), technique, bill.deployment)))


def left_out(measured: Measured | None) -> int:
    """Lines in no figure."""
    return 0 if measured is None else measured.problem_count


def counted(number: int, what: str) -> str:
    """1 line, 37 lines."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _after(bill: TrainingBill, by_provider: Mapping[str, str]) -> str:
    """What is to be done to the file first."""
    upload = upload_of(bill.offer, bill.name, by_provider)
    if upload == CONVERT:
        return ", after converting the format"
    return "" if upload in (TAKES, NOT_KNOWN) else f", after you {upload.partition(':')[0]}"


def _kept(bill: TrainingBill) -> str:
    usd = kept_usd(bill)
    return "nothing" if usd == 0 else words.money(usd)


def _why_not_kept(cheapest: TrainingBill, best: TrainingBill) -> str:
    if kept_usd(cheapest) is not None:
        return f"keeping it costs {_kept(cheapest)} a month, against {_kept(best)}"
    return "it is kept on GPUs by the hour" if cheapest.hosting_basis == BY_GPU_HOUR else "what it costs to keep has no price"
