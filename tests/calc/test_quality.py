"""How many evaluated answers settle which approach is cheaper."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from calc import Comparison, Scenario, compare
from calc.quality import evaluations_to_settle, settling
from pricing import PriceBook

DRAWS = 200_000


def comparison(task: dict[str, Any] | None = None, **accepted: Any) -> Comparison:
    """Prompting with long instructions against few-shot, without staff."""
    none = {
        "staffing": {"set_up_hours": 0, "maintenance_hours_per_month": 0},
        "evaluation": {"examples": 0, "set_hours": 0, "runs_per_release": 0, "runs_per_month": 0},
    }
    fields = {
        "name": "shares",
        "as_of": date(2026, 11, 20),
        "horizon_months": 12,
        "workload": {"requests_per_month": 10_000, "user_tokens": 200, "answer_tokens": 100, "cache_hit_share": 0},
        "task": {"kind": "style", "tokens_per_example": 300} | (task or {}),
        "approaches": {
            "prompting": {"model": "openai/gpt-6-luna", "instruction_tokens": 2_000, "accepted": 0.9} | none,
            "few-shot": {"extends": "prompting", "instruction_tokens": 500, "accepted": 0.8},
        },
    }
    for name, share in accepted.items():
        fields["approaches"][name.replace("_", "-")]["accepted"] = share
    return compare(Scenario.model_validate(fields), PriceBook.bundled())


def test_by_hand() -> None:
    # 100,000 requests at $0.10 a rejected answer: $10,000 for each unit of either share, leads of $1,000.
    # Var₁ = 10,000² · (0.9·0.1 + 0.8·0.2) = 2.5e7; n = 1.6449² · 2.5e7 / 1,000² = 67.6
    assert evaluations_to_settle(1_000, [(0.9, 10_000), (0.8, -10_000)]) == 68
    assert evaluations_to_settle(-1_000, [(0.9, 10_000), (0.8, -10_000)]) == 68
    # paired with ρ = 0.5: less 2 · 0.5 · 10,000² · 0.3 · 0.4 = 1.2e7, so 1.3e7 and n = 35.2
    assert evaluations_to_settle(1_000, [(0.9, 10_000), (0.8, -10_000)], correlations={(0, 1): 0.5}) == 36


def test_what_no_number_settles() -> None:
    assert evaluations_to_settle(1_000, [(0.9, 0), (0.8, 0)]) is None
    assert evaluations_to_settle(1_000, []) is None
    assert evaluations_to_settle(0, [(0.9, 10_000), (0.8, -10_000)]) is None
    # the same answers to the same questions: whatever the share is, both have it
    assert evaluations_to_settle(1_000, [(0.9, 10_000), (0.9, -10_000)], correlations={(0, 1): 1.0}) is None


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_impossible_shares_are_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        evaluations_to_settle(1_000, [(share, 1)])
    with pytest.raises(ValueError, match="between -1 and 1"):
        evaluations_to_settle(1_000, [(0.5, 1)], correlations={(0, 0): share * 20})


def test_with_so_many_answers_one_decision_of_twenty_is_wrong_where_rejected_answers_are_handled() -> None:
    requests, handling, fixed = 100_000, 0.10, (0.0, 37.0)
    s = np.array([0.9, 0.88])
    cost = np.array(fixed) + requests * handling * (1 - s)
    n = evaluations_to_settle(cost[1] - cost[0], [(s[0], requests * handling), (s[1], -requests * handling)])
    assert n is not None
    shares = np.random.default_rng(7).binomial(n, s, size=(DRAWS, 2)) / n
    drawn = np.array(fixed) + requests * handling * (1 - shares)
    assert np.mean(drawn[:, 1] < drawn[:, 0]) == pytest.approx(0.05, abs=0.005)


def test_with_so_many_answers_one_decision_of_twenty_is_wrong_where_rejected_answers_are_lost() -> None:
    total, requests = np.array([10_000.0, 9_600.0]), 100_000  # cost per accepted answer: T / (V·s)
    s = np.array([0.9, 0.83])
    cost = total / (requests * s)
    slopes = -total / (requests * s**2)
    n = evaluations_to_settle(cost[1] - cost[0], [(s[0], -slopes[0]), (s[1], slopes[1])])
    assert n is not None
    drawn = total / (requests * np.random.default_rng(8).binomial(n, s, size=(DRAWS, 2)) / n)
    assert np.mean(drawn[:, 1] < drawn[:, 0]) == pytest.approx(0.05, abs=0.005)


def test_paired_answers_one_decision_of_twenty_is_wrong() -> None:
    table = np.array([0.82, 0.08, 0.05, 0.05])  # both, first only, second only, neither
    s, handling = (0.90, 0.87), 10_000.0
    phi = (0.82 * 0.05 - 0.08 * 0.05) / np.sqrt(s[0] * (1 - s[0]) * s[1] * (1 - s[1]))
    lead = handling * (s[0] - s[1])
    n = evaluations_to_settle(lead, [(s[0], handling), (s[1], -handling)], correlations={(0, 1): phi})
    assert n is not None
    counts = np.random.default_rng(9).multinomial(n, table, size=DRAWS)
    ties = counts[:, 1] == counts[:, 2]
    assert np.mean((counts[:, 1] < counts[:, 2]) + ties / 2) == pytest.approx(0.05, abs=0.005)


def test_a_comparison_where_rejected_answers_are_handled() -> None:
    found = comparison({"rejected_answer_usd": 0.10})
    settled = settling(found)
    assert settled is not None
    each = 12 * 10_000 * 0.10
    assert settled.answers == evaluations_to_settle(settled.lead_usd, [(0.9, each), (0.8, -each)])
    assert settled.text.startswith(f"{settled.answers:,} evaluated answers of each would settle ")


def test_a_comparison_where_rejected_answers_are_lost() -> None:
    found = comparison()
    settled = settling(found)
    assert settled is not None
    # nothing is fixed here, so that T at equal accepted answers is V·p/s and falls by V·p/s² for each unit of s
    totals = {name: float(result.compared_usd()) for name, result in found.results.items()}
    slopes = [(0.9, totals["prompting"] / 0.9), (0.8, totals["few-shot"] / 0.8)]
    expected = evaluations_to_settle(settled.lead_usd, [(slopes[0][0], slopes[0][1]), (slopes[1][0], -slopes[1][1])])
    assert expected is not None
    assert settled.answers == pytest.approx(expected, rel=1e-3)


def test_where_the_shares_do_not_matter_that_is_said() -> None:
    settled = settling(comparison({"rejected_answer_usd": 0}))
    assert settled is not None
    assert settled.answers is None
    assert settled.text.startswith("No number of evaluations changes")


def test_without_shares_there_is_nothing_to_settle() -> None:
    found = comparison(prompting=None, few_shot=None)
    assert settling(found) is None


def test_paired_counts_of_the_scenario_are_used() -> None:
    stated = comparison({"rejected_answer_usd": 0.10})
    paired = {"both": 78, "first_only": 12, "second_only": 2, "neither": 8}
    between = ("approaches.prompting.accepted", "approaches.few-shot.accepted")
    fields = stated.scenario.model_dump() | {"correlations": [{"between": between, "paired": paired}]}
    for name, share in (("prompting", 90), ("few-shot", 80)):
        fields["approaches"][name]["accepted"] = {"successes": share, "trials": 100}
    together = settling(compare(Scenario.model_validate(fields), PriceBook.bundled()))
    apart = settling(stated)
    assert together is not None
    assert apart is not None
    assert together.answers < apart.answers


def test_shares_of_all_or_nothing_are_certain_and_that_is_said() -> None:
    found = settling(comparison({"rejected_answer_usd": 0.1}, prompting=1, few_shot=1))
    assert found is not None
    assert found.answers is None
    assert "shares of 0% or 100% are taken as certain" in found.text
