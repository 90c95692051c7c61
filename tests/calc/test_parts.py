"""The parts' formulas and defaults, where a case cannot say it."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from calc import Scenario
from calc.parts import failures, prompt, retrieval, staffing, tuning
from calc.setting import Setting
from calc.timeline import Months
from pricing import PriceBook
from pricing.model import StoreRules

BOOK = PriceBook.bundled()
AS_OF = date(2026, 11, 20)


def setting(approach: dict[str, Any], **fields: Any) -> Setting:
    scenario = Scenario.model_validate(
        {
            "name": "any",
            "horizon_months": 3,
            "reference": "it",
            "workload": {"requests_per_month": 1000, "user_tokens": 100, "answer_tokens": 50},
            "task": {"kind": "style", "corpus_tokens": 1_000_000, "examples": 100, "tokens_per_example": 300},
            "approaches": {"it": {"model": "openai/gpt-4.1-mini", "instruction_tokens": 400} | approach},
        }
        | fields
    )
    months = Months(AS_OF, 3)
    return Setting(scenario.at_point(), scenario.at_point().approaches["it"], BOOK.as_of(AS_OF), months, np.ones(3))


# --- prompt -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turns", [1, 2, 7, (1, 1, 4), (3, 3), (1, 2, 3, 4, 20)])
def test_turns_weigh_one_together_and_give_the_mean_history(turns: Any) -> None:
    weights = prompt.turn_weights(turns)
    n = np.array(turns if isinstance(turns, tuple) else (turns,))
    assert sum(weights.values()) == pytest.approx(1)
    mean = sum(weight * prompt.history_tokens(turn, 100, 50) for turn, weight in weights.items())
    assert mean == pytest.approx(150 * (n * (n - 1)).mean() / (2 * n.mean()))


def test_caching_never_pays_where_reading_saves_nothing() -> None:
    assert prompt.caching_pays_above(1.0, 1.25, 1.25) == np.inf
    assert prompt.caching_pays_above(1.0, 0.1, 1.0) == 0


# --- tuning -------------------------------------------------------------------------------------------------------------


def test_the_minimum_holds_for_each_drawn_job() -> None:
    assert tuning.job_usd(np.array([1e6, 5e6, 10e6]), 1.0, 4.0).tolist() == [4, 5, 10]


def test_billed_tokens() -> None:
    assert tuning.billed_tokens(1000, 3, validation_tokens=200, evaluations=4) == 3800


def test_an_unknown_epoch_rule_is_named() -> None:
    with pytest.raises(ValueError, match="no epoch rule 'guess'"):
        tuning.default_epochs("guess", 10)


@pytest.mark.parametrize("rule", ["openai-cookbook", "openpipe"])
def test_epochs_never_rise_with_examples(rule: str) -> None:
    epochs = [tuning.default_epochs(rule, n) for n in range(34, 40_000, 97)]
    assert all(few >= many for few, many in pairwise(epochs))
    assert min(epochs) >= 1


# --- retrieval ----------------------------------------------------------------------------------------------------------


def rules(**fields: Any) -> StoreRules:
    sourced = {"source": "https://example.org/", "source_date": AS_OF, "recorded": AS_OF, "confidence": "transcribed"}
    return StoreRules.model_validate({"kind": "serverless units"} | sourced | fields)


def test_read_units_meet_every_published_point() -> None:
    points = ((0.5, 5), (3, 15), (60, 75), (600, 290))
    met = retrieval.read_units(np.array([gb for gb, _ in points]), rules(read_units_at_gb=points))
    assert met == pytest.approx([units for _, units in points])


def test_read_units_between_and_beyond_points_are_straight_on_logarithmic_axes() -> None:
    at = rules(read_units_at_gb=((1, 10), (100, 1000)))
    assert retrieval.read_units(np.array([10, 0.1, 10_000]), at) == pytest.approx([100, 1, 100_000])


def test_read_units_have_a_minimum() -> None:
    assert retrieval.read_units(0.01, rules(read_units_per_gb=1, minimum_read_units=0.25)) == 0.25
    assert retrieval.read_units(3.0, rules(read_units_per_gb=1, minimum_read_units=0.25)) == 3.0
    assert retrieval.read_units(0.0, rules(read_units_at_gb=((1, 10), (100, 1000)), minimum_read_units=6)) == 6


def test_scanned_vectors_fall_in_tiers() -> None:
    tiers = retrieval.scanned_tb_by_tier(250, 1e6, rules(scan_tier_starts=(100, 200)))
    assert tiers == pytest.approx([0.1, 0.1, 0.05])


# --- failures -----------------------------------------------------------------------------------------------------------


def test_the_cost_per_accepted_answer_is_not_defined_without_one() -> None:
    with pytest.raises(ValueError, match="no answer is accepted"):
        failures.cost_per_accepted_usd(100, 10, np.array([0.5, 0.0]))


def test_at_the_break_even_share_the_totals_are_equal() -> None:
    share = failures.break_even_share(500.0, 350.0, 10_000, 0.06)
    assert 350 + 10_000 * (1 - share) * 0.06 == pytest.approx(500)


# --- staff --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("approach", "parts"),
    [
        ({}, ("prompt",)),
        ({"shots": 3}, ("prompt", "few_shot")),
        ({"retrieval": {"store": "pinecone/serverless"}}, ("prompt", "retrieval")),
        ({"tuning": {}}, ("prompt", "tuning")),
        (
            {
                "model": "meta/llama-3.1-8b",
                "retrieval": {"store": "pinecone/serverless"},
                "tuning": {"kind": "own_gpus", "gpu": "l40s", "rent": "runpod", "training_hours_per_run": 1},
                "serving": {"kind": "own_gpus", "gpu": "l40s", "rent": "runpod", "requests_per_second_per_replica": 1},
            },
            ("prompt", "retrieval", "tuning", "own_gpu"),
        ),
    ],
)
def test_staff_hours_are_the_sum_over_the_parts(approach: dict[str, Any], parts: tuple[str, ...]) -> None:
    here = setting(approach)
    assert staffing.parts_to_staff(here) == parts
    set_up, upkeep = staffing.lines(here)
    likely = {name: assumption.likely for name, assumption in BOOK.as_of(AS_OF).assumptions.items()}
    assert set_up.quantity_total(1) == pytest.approx(sum(likely[f"staff.{part}_set_up_hours"] for part in parts))
    monthly = sum(likely[f"staff.{part}_maintenance_hours_per_month"] for part in parts if part != "few_shot")
    assert upkeep.quantity_total(1) == pytest.approx(3 * monthly)
    assert {f"staff.{part}_set_up_hours" for part in parts} <= set(set_up.assumptions)


def test_a_rate_that_is_not_stated_is_wage_overhead_and_hours() -> None:
    rate = setting({}).staff_rate("ml_engineer")
    (wage,) = rate.price.rows
    overhead, hours = (
        BOOK.as_of(AS_OF).assumption(f"staff.{name}").likely for name in ("overhead_share", "productive_hours_per_year")
    )
    assert wage.key == "wage_usd_per_year"
    assert rate.price.usd == pytest.approx([wage.usd * (1 + overhead) / hours] * 3)
    assert rate.assumptions == ("staff.overhead_share", "staff.productive_hours_per_year")


def test_a_stated_rate_needs_no_assumption() -> None:
    rate = setting({}, staff_usd_per_hour={"ml_engineer": 75}).staff_rate("ml_engineer")
    assert rate.price.usd.tolist() == [75, 75, 75]
    assert rate.assumptions == ()
