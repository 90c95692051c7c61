"""What rejected answers cost, and the measures of quality built on the success share s."""

from __future__ import annotations

from typing import Any

import numpy as np

from calc.ledger import CostLine, per_request, priced_line
from calc.scenario import Scenario, Task
from calc.setting import Setting, say
from calc.timeline import MonthlyPrice

NO_SHARE = (
    "no accepted share is stated for this approach while others state theirs: "
    "add approaches.{name}.accepted, for example {{successes: 180, trials: 200}}"
)

NONE_ACCEPTED = "no answer is accepted, so its cost per accepted answer is not defined"


def failure_mode(task: Task) -> str:
    """remediate where a rejected answer has a handling cost, else discard, unless stated."""
    if task.failure_mode is not None:
        return task.failure_mode
    costed = task.rejected_answer_usd is not None or task.rejected_answer_handling_minutes is not None
    return "remediate" if costed else "discard"


def handling_usd(setting: Setting) -> tuple[MonthlyPrice, str, tuple[str, ...]]:
    """Cost of handling one rejected answer: as stated, or minutes × the role's rate."""
    task = setting.scenario.task
    if task.rejected_answer_usd is not None:
        price = MonthlyPrice(np.asarray(task.rejected_answer_usd) * np.ones(setting.months.count))
        return price, f"${say(task.rejected_answer_usd)} each", ()
    minutes: Any = task.rejected_answer_handling_minutes
    rate = setting.staff_rate(task.rejected_answer_role)
    usd = MonthlyPrice(rate.price.usd * minutes / 60, rate.price.rows, rate.price.missing)
    return usd, f"{say(minutes)} min of {task.rejected_answer_role.replace('_', ' ')}", rate.assumptions


def quality_stated(scenario: Scenario) -> bool:
    """Whether any approach states its accepted share; if none does, quality is left out of the comparison."""
    return any(approach.accepted is not None for approach in scenario.approaches.values())


def rejected_lines(setting: Setting) -> list[CostLine]:
    """V(1 − s) rejected answers at their handling cost.

    An approach without s beside others that state theirs cannot be compared with them: its line has no price. Where
    rejected answers are discarded there is no cost, and no line for those that state s.
    """
    if not quality_stated(setting.scenario):
        return []
    share: Any = setting.approach.accepted
    values_answers = setting.scenario.value is not None and setting.scenario.value.is_of_answers
    remediate = failure_mode(setting.scenario.task) == "remediate"
    nothing = MonthlyPrice(np.zeros(setting.months.count)), "lost", ()
    price, each, assumptions = handling_usd(setting) if remediate else nothing
    if share is None:
        price = MonthlyPrice(price.usd * np.nan, missing=NO_SHARE.format(name=setting.name))
    elif not remediate and not values_answers and np.all(np.asarray(share) == 0):
        price = MonthlyPrice(price.usd * np.nan, missing=NONE_ACCEPTED)
    elif not remediate:
        return []
    rejected = 1 - np.asarray(share if share is not None else 0.0)
    return [
        priced_line(
            "failures.rejected",
            "Rejected answers",
            "rejected answers",
            "per request",
            per_request(setting.growth, rejected),
            "answer",
            price,
            f"requests × (1 − {say(share)}) × {each}" if share is not None else each,
            assumptions=assumptions,
        )
    ]


def cost_per_resolved_usd(total_usd: Any, requests: Any) -> Any:
    """remediate: every request ends resolved, T / V with the handling of rejected answers inside T; never divided by s."""
    return total_usd / requests


def cost_per_accepted_usd(total_usd: Any, requests: Any, accepted_share: Any) -> Any:
    """discard: T / (V·s), not defined at s = 0.

    Raises:
        ValueError: the accepted share is zero.
    """
    if np.any(np.asarray(accepted_share) <= 0):
        raise ValueError("the cost per accepted answer is not defined where no answer is accepted")
    return total_usd / (requests * accepted_share)


def break_even_share(other_total_usd: Any, tokens_and_fixed_usd: Any, requests: Any, handling_usd_each: Any) -> Any:
    """s* = 1 − (C_other − T_a)/(V·c_fail): the success share at which approach a ties with the cheapest other.

    Args:
        other_total_usd: the other's total with its rejected answers.
        tokens_and_fixed_usd: a's total without its rejected answers.

    Returns:
        The share; outside [0, 1] it cannot tie.
    """
    return 1 - (other_total_usd - tokens_and_fixed_usd) / (requests * handling_usd_each)
