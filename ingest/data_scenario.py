"""A scenario from a training file: what the file says, and stated assumptions for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from calc.scenario import Scenario
from ingest.errors import InputError, Problem
from ingest.savings import DataFile
from ingest.scenario_file import scenario_from
from pricing import Rates

DEFAULT_MODEL = "openai/gpt-6.1-terra"
"""Prompted, unless another is named."""
DEFAULT_TUNED = "vertex-ai/gemini-3.1-flash-lite"
"""Tuned on conversations, unless another is named: sold to every organisation, by the token, with no end announced."""
DEFAULT_TUNED_OTHERWISE = "tinker/gpt-oss-120b"
"""The same for preferences, prompts to be graded and text."""
DEFAULT_VOLUME = 100_000
DEFAULT_MONTHS = 12
_METHODS = {"preference": "dpo", "reinforcement": "rft", "text": "cpt"}
_MOST_TURNS = 1000


class Filled(NamedTuple):
    """Fields of a scenario with what a training file says filled in."""

    fields: dict[str, Any]
    measured: tuple[str, ...]
    """``task.examples = 488`` … for each field taken from the file."""
    kept: tuple[str, ...]
    """Fields that the file could fill but the scenario states: the scenario's count."""


class FromData(NamedTuple):
    """A scenario made from a training file, and in words where its numbers come from."""

    scenario: Scenario
    measured: tuple[str, ...]
    assumed: tuple[str, ...]


def filled_in(fields: Mapping[str, Any], data: DataFile) -> Filled:
    """A scenario's plain fields with those it leaves out taken from a file; what is stated stays.

    Args:
        fields: as `ingest.scenario_file.read_scenario` gives them.
        data: as `ingest.savings.read_data` gives it.

    Raises:
        InputError: the examples are judged answers, on which nobody trains; or they hold no answers, and the scenario does not
            state how long an answer is.
    """
    if data.kind == "unpaired preference":
        wrong = "it holds unpaired preferences, on which no provider in the price book trains"
        raise InputError(Problem(data.name, wrong, "", "Pair good and bad answers to the same prompt to make preferences"))
    result, measured, kept = dict(fields), [], []
    for (group, name), value in _measured(data).items():
        part = result.get(group)
        if part is not None and not isinstance(part, Mapping):
            continue  # validation says what is wrong with it
        if part is not None and part.get(name) is not None:
            kept.append(f"{group}.{name}")
            continue
        if name == "answer_tokens" and not value:
            wrong = f"its examples ({data.kind}) hold no answers, so how long an answer is cannot be told"
            raise InputError(Problem(data.name, wrong, "", "State workload.answer_tokens in a scenario and name it, too"))
        result[group] = dict(part or {}) | {name: value}
        measured.append(f"{group}.{name} = {value:,}")
    approaches = result.get("approaches")
    prompting = approaches.get("prompting") if isinstance(approaches, Mapping) else None
    if isinstance(prompting, Mapping) and data.instruction_tokens:
        path = "approaches.prompting.instruction_tokens"
        if prompting.get("instruction_tokens") is not None:
            kept.append(path)
        else:
            instructed = dict(prompting) | {"instruction_tokens": data.instruction_tokens}
            result["approaches"] = dict(approaches) | {"prompting": instructed}  # type: ignore[arg-type]
            measured.append(f"{path} = {data.instruction_tokens:,}")
    return Filled(result, tuple(measured), tuple(kept))


def scenario_from_data(
    data: DataFile,
    rates: Rates,
    *,
    requests_per_month: int | None = None,
    model: str | None = None,
    tuned_model: str | None = None,
    kind: str | None = None,
) -> FromData:
    """A whole scenario from a training file: prompting, few-shot and fine-tuning on its tokens.

    The tuned model is trained and asked without the opening that the examples share; prompting and few-shot send it.

    Args:
        data: as `ingest.savings.read_data` gives it.
        rates: the prices of the day asked about; they hold the assumptions.
        requests_per_month: default 100,000. model: prompted. tuned_model: tuned and asked. kind: of task. What is left out is
            assumed, and said so.

    Raises:
        InputError: a value does not make a scenario; the field is named. Or as `filled_in`.
        PriceMissing: an assumption is not in the book.
    """
    assumed: list[str] = []

    def stated_or(path: str, stated: Any, default: Any, why: str = "") -> Any:
        if stated is None:
            assumed.append(f"{path} = {f'{default:,}' if isinstance(default, int) else default}{why and f': {why}'}")
        return default if stated is None else stated

    like_those = "every request is one answer like those in the file"
    volume = stated_or("workload.requests_per_month", requests_per_month, DEFAULT_VOLUME, like_those)
    prompted = stated_or("approaches.prompting.model", model, DEFAULT_MODEL)
    method = _METHODS.get(data.kind, "sft")
    tuned = stated_or("approaches.fine-tuning.model", tuned_model, DEFAULT_TUNED if method == "sft" else DEFAULT_TUNED_OTHERWISE)
    task_kind = "preference" if data.kind == "preference" else "style"
    task_kind = stated_or("task.kind", kind, task_kind, "it decides the staff time of an example")
    instructions: float = data.instruction_tokens
    if not instructions:
        found = rates.assumption("prompt.instruction_tokens")
        instructions = found.likely
        between = f"{instructions:,.0f} ({found.low:,.0f} to {found.high:,.0f})"
        assumed.append(f"approaches.prompting.instruction_tokens = {between}: the examples share no instructions")
    prompting = {"model": prompted, "instruction_tokens": instructions}
    approaches: dict[str, Any] = {
        "prompting": prompting,
        "fine-tuning": {
            "model": tuned,
            "instruction_tokens": 0,
            "tuning": {"method": method},
        },
    }
    if data.shots:
        approaches["few-shot"] = {
            "extends": "prompting",
            "shots": data.shots,
            "tokens_per_shot": data.few_shot_tokens / data.shots,
        }
    assumed += [
        f"horizon_months = {DEFAULT_MONTHS}",
        "approaches.fine-tuning.instruction_tokens = 0: trained and asked without instructions",
    ]
    title = f"Tuning on {data.name.replace(chr(92), '/').rpartition('/')[2]}"[:80]
    fields = filled_in(
        {
            "name": title if title.isprintable() else "Tuning on a training file",
            "as_of": rates.as_of,
            "horizon_months": DEFAULT_MONTHS,
            "workload": {"requests_per_month": volume},
            "task": {"kind": task_kind},
            "approaches": approaches,
        },
        data,
    )
    measured = list(fields.measured)
    if data.instruction_tokens:
        measured.append(f"approaches.prompting.instruction_tokens = {data.instruction_tokens:,}")
    if data.shots:
        measured.append(f"approaches.few-shot.shots = {data.shots}, {data.few_shot_tokens:,} tokens in all")
    return FromData(scenario_from(fields.fields, {}, data.name), tuple(measured), tuple(assumed))


def _measured(data: DataFile) -> dict[tuple[str, str], float]:
    """What a file says of a scenario's fields."""
    found: dict[tuple[str, str], float] = {
        ("task", "examples"): data.examples,
        ("task", "tokens_per_example"): round(data.tokens_per_example, 1),
        ("workload", "user_tokens"): round(data.user_tokens, 1),
        ("workload", "answer_tokens"): round(data.answer_tokens, 1),
    }
    turns = min(round(data.turns_per_conversation), _MOST_TURNS)
    if turns > 1:
        found["workload", "turns_per_conversation"] = turns
    return found
