"""The numbers of a scenario in words: what stands at a dotted path, in which unit, and how a value of it is written.

One place for every surface that names an input: `calc.sampling` draws it, `calc.drivers` moves it, and people read about it.
"""

from __future__ import annotations

import re
from typing import Literal

from calc.fields import VOLUME
from calc.sampling import ASSUMED, PREDICTED, Input
from calc.scenario import Scenario
from reports import words

Kind = Literal["usd", "share", "factor", "count"]

APPROACHES = "approaches."

_LABELS: dict[str, str] = {
    VOLUME: "Requests per month",
    "horizon_months": "Horizon, months",
    "workload.user_tokens": "Question tokens",
    "workload.answer_tokens": "Answer tokens",
    "workload.turns_per_conversation": "Turns per conversation",
    "workload.seconds_between_turns": "Seconds between turns",
    "workload.active_hours_per_day": "Active hours a day",
    "workload.active_days_per_month": "Active days a month",
    "workload.peak_factor": "Peak over mean traffic",
    "workload.batch_share": "Batch share",
    "workload.cache_hit_share": "Cache hit share",
    "workload.retry_share": "Technical retries",
    "workload.reasoning_tokens_per_answer_token": "Reasoning tokens per answer token",
    "workload.growth.monthly_share": "Growth a month",
    "workload.growth.final_multiple": "Growth, times the first month",
    "workload.growth.midpoint_month": "Growth, middle month",
    "workload.growth.months_from_10_to_90_percent": "Growth, months from 10% to 90%",
    "task.examples": "Training examples",
    "task.tokens_per_example": "Tokens per example",
    "task.corpus_tokens": "Corpus tokens",
    "task.corpus_pages": "Corpus pages",
    "task.facts_changing_per_month_share": "Facts changing a month",
    "task.rejected_answer_usd": "Cost of a rejected answer",
    "task.rejected_answer_handling_minutes": "Minutes for a rejected answer",
    "finance.discount_rate_per_year": "Discount rate a year",
    "finance.price_decline_per_year": "Fall of token prices a year",
    "accepted": "answers accepted",
    "instruction_tokens": "instruction tokens",
    "shots": "examples shown",
    "tokens_per_shot": "tokens per example shown",
    "retrieval.chunks_per_request": "chunks per request",
    "retrieval.chunk_tokens": "tokens per chunk",
    "retrieval.overlap_tokens": "overlap tokens",
    "tuning.runs": "training runs",
    "tuning.epochs": "epochs",
    "tuning.examples": "training examples",
    "tuning.retrain_every_months": "months between retrainings",
    "tuning.training_hours_per_run": "training hours per run",
    "tuning.usd_per_gpu_hour": "training GPU, US$ an hour",
    "tuning.speed_factor": "training speed over predicted",
    "serving.requests_per_second_per_replica": "requests per second and replica",
    "serving.target_utilisation": "target utilisation",
    "serving.usd_per_gpu_hour": "serving GPU, US$ an hour",
    "serving.speed_factor": "serving speed over predicted",
    "serving.gpus_per_replica": "GPUs per replica",
    "serving.min_replicas": "replicas at least",
    "serving.hours_per_month": "hours served a month",
    "staffing.set_up_hours": "set-up hours",
    "staffing.maintenance_hours_per_month": "maintenance hours a month",
    "data_preparation.accept_share": "candidates accepted as examples",
    "data_preparation.hand_written_share": "examples written by hand",
    "data_preparation.review_share": "candidates reviewed",
    "data_preparation.author_minutes_per_example": "minutes to write an example",
    "data_preparation.review_minutes_per_example": "minutes to review an example",
    "data_preparation.label_usd_per_item": "price of a label",
    "evaluation.examples": "evaluation examples",
    "evaluation.set_hours": "hours for the evaluation set",
    "evaluation.runs_per_release": "evaluation runs per release",
    "evaluation.runs_per_month": "evaluation runs a month",
    "evaluation.grading_minutes_per_answer": "minutes to grade an answer",
}
"""By path, or within an approach by what follows its name; whatever is not here is named by its field."""

_ASSUMED: dict[str, str] = {
    "staff.overhead_share": "Overhead on wages",
    "staff.productive_hours_per_year": "Productive hours a year",
    "staff.prompt_set_up_hours": "Set-up hours of a prompt",
    "staff.few_shot_set_up_hours": "Set-up hours of few-shot",
    "staff.retrieval_set_up_hours": "Set-up hours of retrieval",
    "staff.tuning_set_up_hours": "Set-up hours of tuning",
    "staff.own_gpu_set_up_hours": "Set-up hours of own GPUs",
    "staff.prompt_maintenance_hours_per_month": "Prompt upkeep, hours a month",
    "staff.retrieval_maintenance_hours_per_month": "Retrieval upkeep, hours a month",
    "staff.tuning_maintenance_hours_per_month": "Tuning upkeep, hours a month",
    "staff.own_gpu_maintenance_hours_per_month": "Own GPUs' upkeep, hours a month",
    "staff.migration_hours": "Hours to migrate a model",
    "evaluation.evaluation_examples": "Evaluation examples",
    "evaluation.evaluation_set_hours": "Hours for the evaluation set",
    "evaluation.runs_per_release": "Evaluation runs per release",
    "evaluation.grading_minutes_per_answer": "Minutes to grade an answer",
    "evaluation.evaluation_runs_per_month": "Evaluation runs a month",
    "finance.discount_rate_per_year": "Discount rate a year",
    "data_preparation.accept_share": "Candidates accepted as examples",
    "data_preparation.hand_written_share": "Examples written by hand",
    "data_preparation.reviewed_share": "Candidates reviewed",
    "data_preparation.reviewers_per_example": "Reviewers per example",
    "data_preparation.adjudication_minutes_per_example": "Minutes to settle an example",
    "data_preparation.rework_share": "Rework of the data",
    "data_preparation.guideline_hours": "Hours for guidelines",
    "data_preparation.quality_hours": "Hours to check the data",
    "data_preparation.retrain_data_share": "New data for a retraining",
    "data_preparation.collect_hours": "Hours to collect data",
    "tuning.full_run_equivalents": "Training runs",
    "tuning.retrain_run_equivalents": "Runs per retraining",
    "tuning.epochs": "Epochs",
    "retrieval.chunk_tokens": "Tokens per chunk",
    "retrieval.overlap_tokens": "Overlap of chunks, tokens",
    "retrieval.chunks_per_request": "Chunks per request",
    "retrieval.metadata_bytes_per_vector": "Metadata bytes per vector",
    "retrieval.index_overhead": "Billed bytes per byte of the index",
    "serving.target_utilisation": "Target utilisation",
    "serving.peak_factor": "Peak over mean traffic",
    "serving.active_hours_per_day": "Active hours a day",
    "serving.active_days_per_month": "Active days a month",
    "serving.spot_spare_share": "Spare replicas on spot",
    "prompt.instruction_tokens": "Instruction tokens",
    "hardware.checkpoints_per_run": "Checkpoints kept per run",
    "hardware.bytes_per_token": "Bytes per token",
    "hardware.pue": "Power of the site over its computers'",
    "hardware.idle_share": "Idle share of paid hours",
    "hardware.set_up_hours_per_run": "Hours to set up a run",
    "hardware.spot_interruption_share": "Hours lost on spot",
    "hardware.owned_utilisation": "Use of bought GPUs",
}
"""Assumptions by name."""

_PREDICTED = {"training": "Training speed over predicted", "serving": "Serving speed over predicted"}

_SHARES = re.compile(r"(_share|_share_per_month|_utilisation|_rate_per_year|_decline_per_year)$|^accepted$")
_FACTORS = re.compile(r"(speed_factor|_multiple|overhead)$")


def label(path: str, scenario: Scenario) -> str:
    """A number of a scenario, ``assumptions.`` or ``predicted.`` ones included, as a heading: RAG answers accepted.

    Args:
        scenario: whose it is; its approaches' names may hold dots.
    """
    if path.startswith(ASSUMED):
        name = re.sub(r"(author|review)_minutes_\w+$", r"\1_minutes_per_example", path.removeprefix(ASSUMED))
        return _ASSUMED.get(name) or _capital(_LABELS.get(name) or _humanised(name.partition(".")[2]))
    path = re.sub(r"\.\d+$", "", path)
    if path.startswith(PREDICTED):
        return _PREDICTED[path.removeprefix(PREDICTED)]
    name, inside = _approach(path, scenario)
    if name is None:
        if path.startswith("staff_usd_per_hour."):
            return f"{words.role(path.rpartition('.')[2])}, hourly rate"
        return _LABELS.get(path) or _capital(_humanised(path.partition(".")[2] or path))
    what = _LABELS.get(inside) or _humanised(inside.rpartition(".")[2])
    return f"{words.label(name)} {what}" if inside == "accepted" else f"{words.label(name)}: {what}"


def input_label(one: Input, scenario: Scenario) -> str:
    """An uncertain input as a heading; one that several approaches share names them all: RAG and hybrid answers accepted."""
    names = [name for name, inside in (_approach(path, scenario) for path in one.fields) if name and inside == "accepted"]
    if len(names) > 1:
        return f"{_capital(words.listed(words.in_sentence(name) for name in names))} answers accepted"
    return label(one.path, scenario)


def short(heading: str) -> str:
    """A heading where there is little room: RAG accepted."""
    return heading.replace(" answers accepted", " accepted")


def in_sentence(text: str) -> str:
    """A heading inside a sentence: lower case but for what is written large anyway."""
    return text if re.match(r"[A-Z]{2}|[A-Z]\w*[A-Z]", text) else text[:1].lower() + text[1:]


def kind(path: str) -> Kind:
    """What a number counts: dollars, a share, a factor, or things."""
    name = path.rpartition(".")[2]
    if path.startswith(PREDICTED) or _FACTORS.search(name):
        return "factor"
    if _SHARES.search(name):
        return "share"
    return "usd" if "usd" in name or path.startswith("staff_usd_per_hour.") else "count"


def value(path: str, number: float, digits: int = 3) -> str:
    """A value of it: 92.9%, $0.06, 180,000, 0.85 times."""
    found = kind(path)
    if found == "share":
        return words.percent(number)
    if found == "usd":
        return words.unit_price(float(f"{number:.{digits}g}"))
    if found == "factor":
        return f"{number:.2f} times"
    if path == VOLUME and number >= 1e6:
        return words.volume(number)
    return words.quantity(float(f"{number:.{digits}g}"))


def value_short(path: str, number: float) -> str:
    """The same for a chart: 60k, 93%."""
    found = kind(path)
    if found == "share":
        return words.percent_whole(number) if abs(number * 100 - round(number * 100)) < 0.05 else words.percent(number)
    return words.volume_short(number) if found == "count" and abs(number) >= 10_000 else value(path, number)


def _approach(path: str, scenario: Scenario) -> tuple[str | None, str]:
    """The approach a path belongs to, and the rest of the path."""
    if path.startswith(APPROACHES):
        for name in sorted(scenario.approaches, key=len, reverse=True):
            if path.startswith(f"{APPROACHES}{name}."):
                return name, path.removeprefix(f"{APPROACHES}{name}.")
    return None, path


def _humanised(name: str) -> str:
    text = name.replace(".", " ").replace("_", " ")
    return re.sub(r"\bgpu(s?)\b", r"GPU\1", re.sub(r"\busd\b", "US$", text))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
