"""Estimates against the distributions they stand for (scipy.stats), and what is no estimate."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from scipy import stats

from calc import Scenario, compare
from calc.estimate import (
    GrowthShare,
    Multiple,
    NonNegative,
    OptionalHours,
    OptionalPositive,
    OptionalShareAboveZero,
    OptionalShareBelowOne,
    Share,
    WholePositive,
)
from pricing import PriceBook

SHARES = np.concatenate([[2.0**-33, 1e-6, 1e-3], np.linspace(0.01, 0.99, 99), [0.999, 1 - 1e-6, 1 - 2.0**-33]])
Z90 = stats.norm.ppf(0.9)


class Fields(BaseModel):
    amount: NonNegative = 0
    limited: OptionalPositive = None
    hours: OptionalHours = None
    share: Share = 0
    share_above_zero: OptionalShareAboveZero = None
    share_below_one: OptionalShareBelowOne = None
    growth: GrowthShare = 0
    multiple: Multiple = 1
    count: WholePositive = 1


def parsed(field: str, stated: Any) -> Any:
    return getattr(Fields.model_validate({field: stated}), field)


def pert(low: float, likely: float, high: float) -> Any:
    width = high - low
    return stats.beta(1 + 4 * (likely - low) / width, 1 + 4 * (high - likely) / width, loc=low, scale=width)


def lognormal(p10: float, p90: float) -> Any:
    return stats.lognorm(s=np.log(p90 / p10) / (2 * Z90), scale=np.sqrt(p10 * p90))


def logit_normal_quantile(p10: float, p90: float, share: Any) -> Any:
    low, high = (np.log(p / (1 - p)) for p in (p10, p90))
    return 1 / (1 + np.exp(-((low + high) / 2 + (high - low) / (2 * Z90) * stats.norm.ppf(share))))


positive = st.floats(1e-3, 1e9).map(lambda number: float(f"{number:.6g}"))
triples = st.lists(positive, min_size=3, max_size=3, unique=True).map(sorted)
inner_shares = st.floats(0.001, 0.999).map(lambda number: round(number, 6))


@given(triples)
@settings(max_examples=6)
def test_low_likely_high_is_a_pert_distribution_with_its_mode_as_point(stated: list[float]) -> None:
    low, likely, high = stated
    found = parsed("amount", {"low": low, "likely": likely, "high": high})
    assert found.point == likely
    expected = pert(low, likely, high).ppf(SHARES)
    assert found.quantile(SHARES) == pytest.approx(expected, abs=2e-5 * (high - low))
    assert found.ends == (low, high)
    # the mean that gives the distribution its name
    assert found.quantile((np.arange(4096) + 0.5) / 4096).mean() == pytest.approx((low + 4 * likely + high) / 6, rel=1e-4)


@pytest.mark.parametrize("likely", [2.0, 7.0])
def test_the_mode_may_be_an_end(likely: float) -> None:
    found = parsed("amount", {"low": 2.0, "likely": likely, "high": 7.0})
    assert found.quantile(SHARES) == pytest.approx(pert(2.0, likely, 7.0).ppf(SHARES), abs=5e-5)


@given(st.lists(positive, min_size=2, max_size=2, unique=True).map(sorted))
@settings(max_examples=40)
def test_low_high_is_uniform_with_its_middle_as_point(stated: list[float]) -> None:
    low, high = stated
    found = parsed("amount", {"low": low, "high": high})
    assert found.point == pytest.approx((low + high) / 2, rel=1e-15)
    assert found.quantile(SHARES) == pytest.approx(stats.uniform(low, high - low).ppf(SHARES), rel=1e-12)


@given(st.floats(1e-3, 1e6), st.floats(1.001, 1000))
@settings(max_examples=60)
def test_p10_p90_is_lognormal_with_its_median_as_point(p10: float, ratio: float) -> None:
    p90 = p10 * ratio
    found = parsed("amount", {"p10": p10, "p90": p90})
    assert found.quantile(np.array([0.1, 0.5, 0.9])) == pytest.approx([p10, np.sqrt(p10 * p90), p90], rel=1e-7)
    assert found.point == pytest.approx(np.sqrt(p10 * p90), rel=1e-12)
    within = lognormal(p10, p90).cdf(1e15)  # the largest number that a field takes
    assert found.quantile(SHARES[:-2]) == pytest.approx(lognormal(p10, p90).ppf(SHARES[:-2] * within), rel=1e-6)


@given(st.lists(inner_shares, min_size=2, max_size=2, unique=True).map(sorted))
@settings(max_examples=60)
def test_p10_p90_of_a_share_stays_a_share(stated: list[float]) -> None:
    p10, p90 = stated
    found = parsed("share", {"p10": p10, "p90": p90})
    drawn = found.quantile(SHARES)
    assert ((drawn >= 0) & (drawn <= 1)).all()
    assert found.quantile(np.array([0.1, 0.9])) == pytest.approx([p10, p90], rel=1e-9)
    assert drawn == pytest.approx(logit_normal_quantile(p10, p90, SHARES), rel=1e-9)
    assert found.point == pytest.approx(float(found.quantile(0.5)), rel=1e-12)
    assert found.model_dump() == {"p10": p10, "p90": p90}


@given(st.integers(1, 3000), st.data())
@settings(max_examples=15)
def test_successes_of_trials_are_a_jeffreys_beta_with_k_over_n_as_point(trials: int, data: Any) -> None:
    k = data.draw(st.integers(0, trials))
    found = parsed("share", {"successes": k, "trials": trials})
    beta = stats.beta(k + 0.5, trials - k + 0.5)
    assert found.point == k / trials
    assert found.quantile(SHARES) == pytest.approx(beta.ppf(SHARES), abs=1e-3 * beta.std())
    assert not found.is_certain, "a finite number of trials leaves the share uncertain"


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=9))
@settings(max_examples=40)
def test_observed_values_are_drawn_alike_and_their_median_is_the_point(values: list[float]) -> None:
    found = parsed("amount", {"values": values})
    drawn = found.quantile((np.arange(len(values) * 8) + 0.5) / (len(values) * 8))
    assert sorted(drawn) == sorted(np.repeat(values, 8))
    assert found.point == np.median(values)


CERTAIN = [{"low": 0, "likely": 0, "high": 0}, {"low": 0, "high": 0}, {"p10": 0, "p90": 0}, {"values": [0, 0]}]


@pytest.mark.parametrize("kind", CERTAIN, ids=lambda kind: "-".join(kind))
@pytest.mark.parametrize("value", [3.0, 0.1, 1e-9, 12345.678, 7e11])
def test_a_range_of_one_value_is_that_value_exactly(kind: dict[str, Any], value: float) -> None:
    found = parsed("amount", {key: [value, value] if key == "values" else value for key in kind})
    assert found.is_certain
    assert found.point == value
    assert (found.quantile(SHARES) == value).all()


def test_a_share_of_one_value_is_that_value_exactly() -> None:
    found = parsed("share", {"p10": 0.3, "p90": 0.3})
    assert found.point == 0.3
    assert (found.quantile(SHARES) == 0.3).all()


@pytest.mark.parametrize(
    ("field", "low", "high", "p10", "p90"),
    [("hours", 0, 24, 8, 20), ("multiple", 0.001, 1000, 0.5, 500), ("growth", -0.99, 1, 0.1, 0.9), ("amount", 0, 1e15, 1, 1e14)],
)
def test_a_lognormal_is_cut_at_the_bounds_of_its_field(field: str, low: float, high: float, p10: float, p90: float) -> None:
    found, whole = parsed(field, {"p10": p10, "p90": p90}), lognormal(p10, p90)
    below, within = whole.cdf([max(low, 0), high])
    assert found.quantile(SHARES[1:-2]) == pytest.approx(whole.ppf(below + SHARES[1:-2] * (within - below)), rel=1e-6)
    assert found.quantile(SHARES).max() <= high * (1 + 1e-9)
    assert found.quantile(SHARES).min() >= low


def test_an_evaluated_share_is_cut_at_the_bounds_of_its_field() -> None:
    found, whole = parsed("share_below_one", {"successes": 98, "trials": 100}), stats.beta(98.5, 2.5)
    assert found.quantile(SHARES) == pytest.approx(whole.ppf(SHARES * whole.cdf(0.99)), rel=1e-5)
    assert found.quantile(SHARES).max() <= 0.99 * (1 + 1e-9)


def test_a_share_is_cut_at_the_bounds_of_its_field() -> None:
    found = parsed("share_below_one", {"p10": 0.5, "p90": 0.985})
    assert found.quantile(SHARES).max() <= 0.99 * (1 + 1e-12)
    assert parsed("share_above_zero", {"p10": 0.01, "p90": 0.5}).quantile(SHARES).min() > 0


@pytest.mark.parametrize("stated", [{"low": 1, "likely": 2.5, "high": 4}, {"low": 1, "high": 4.2}, {"p10": 1.5, "p90": 9.7}])
def test_what_counts_whole_things_is_whole_at_the_point_and_at_every_draw(stated: dict[str, float]) -> None:
    found = parsed("count", stated)
    drawn = found.quantile(SHARES)
    assert (drawn == np.round(drawn)).all()
    assert drawn.min() >= 1
    assert isinstance(found.point, int)


def test_the_point_of_a_whole_number_is_what_the_model_computes_with() -> None:
    serving = {"kind": "own_gpus", "gpu": "h100", "rent": "runpod", "gpus_per_replica": {"low": 1, "high": 4}}
    approach = {"model": "qwen/qwen3-32b", "instruction_tokens": 10, "serving": serving}
    stated = Scenario.model_validate(
        {
            "name": "whole",
            "horizon_months": 1,
            "workload": {"requests_per_month": {"low": 100, "high": 201}, "user_tokens": 1, "answer_tokens": 1},
            "task": {"kind": "style"},
            "approaches": {"prompting": approach},
        }
    )
    point = stated.at_point()
    assert point.approaches["prompting"].serving.gpus_per_replica == 2
    assert point.workload.requests_per_month == 150
    assert stated.approaches["prompting"].family == "prompting"


def test_a_range_of_replicas_that_can_sleep_is_refused_in_words() -> None:
    serving = {"kind": "own_gpus", "gpu": "h100", "rent": "runpod", "idle_minutes_to_zero": 5}
    workload = {"requests_per_month": 9, "user_tokens": 1, "answer_tokens": 1}
    for replicas, refused in (({"low": 1, "likely": 1, "high": 3}, True), ({"low": 1, "high": 1}, False)):
        approach = {"model": "qwen/qwen3-32b", "instruction_tokens": 1, "serving": serving | {"min_replicas": replicas}}
        fields = {
            "name": "a",
            "horizon_months": 1,
            "workload": workload,
            "task": {"kind": "style"},
            "approaches": {"prompting": approach},
        }
        if refused:
            with pytest.raises(ValidationError, match="idle_minutes_to_zero"):
                Scenario.model_validate(fields)
        else:
            Scenario.model_validate(fields)


def test_a_range_of_examples_shown_tells_the_kind_of_approach() -> None:
    approach = {"model": "openai/gpt-6.1-terra", "instruction_tokens": 1, "tokens_per_shot": 9}
    workload = {"requests_per_month": 9, "user_tokens": 1, "answer_tokens": 1}
    fields = {"name": "a", "horizon_months": 1, "workload": workload, "task": {"kind": "style"}}
    shots = {"shots": {"low": 0, "likely": 2, "high": 5}}
    stated = Scenario.model_validate(fields | {"approaches": {"prompting": approach | shots}})
    assert stated.approaches["prompting"].family == "few-shot"
    assert compare(stated, PriceBook.bundled(), today=date(2026, 11, 20)).results["prompting"].family == "few-shot"


@pytest.mark.parametrize(
    ("field", "stated", "says"),
    [
        ("amount", {"low": 3, "likely": 2, "high": 4}, "low 3, likely 2, high 4 must be in ascending order"),
        ("amount", {"low": 3, "likely": 3, "high": 2}, "must be in ascending order"),
        ("amount", {"low": 3, "high": 2}, "low 3 must be at most high 2"),
        ("amount", {"p10": 3, "p90": 2}, "p10 3 must be above zero and at most p90 2"),
        ("amount", {"p10": 0, "p90": 2}, "p10 0 must be above zero"),
        ("growth", {"p10": -0.1, "p90": 0.2}, "p10 -0.1 must be above zero"),
        ("share", {"p10": 0.2, "p90": 1}, "must ascend and lie between 0 and 1"),
        ("share", {"p10": 0, "p90": 0.5}, "p10 0 must be above zero"),
        ("share", {"low": 0.5, "likely": 0.9, "high": 1.1}, "expected a number between 0 and 1, got 1.1"),
        ("share", {"values": [0.5, 90]}, "expected a number between 0 and 1, got 90"),
        ("share", 1.5, "expected a number between 0 and 1, got 1.5"),
        ("share", {"successes": 3, "trials": 0}, "trials is 0; at least one evaluated answer is needed"),
        ("share", {"successes": 5, "trials": 4}, "successes 5 must be between 0 and trials 4"),
        ("share", {"successes": -1, "trials": 4}, "successes -1 must be between 0 and trials 4"),
        ("share", {"successes": 1.5, "trials": 4}, "valid integer"),
        ("amount", {"values": []}, "values is empty"),
        ("amount", {"low": 1, "likely": 2}, "expected a number or one of"),
        ("amount", {"low": 1, "likely": 2, "high": "x"}, "valid number"),
        ("amount", {"low": 1, "likely": 2, "high": float("inf")}, "expected a finite number, got inf"),
        ("amount", {"low": float("nan"), "likely": 2, "high": 3}, "must be in ascending order"),
        ("amount", True, "expected a number or one of"),
        ("amount", "12 tokens", "the unit is in the name"),
        ("count", 1.5, "expected a whole number, got 1.5"),
        ("hours", {"low": 20, "high": 25}, "at most 24, got 25"),
    ],
)
def test_what_is_no_estimate_is_refused_with_the_reason(field: str, stated: Any, says: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Fields.model_validate({field: stated})
    assert says in str(raised.value)
    assert field in str(raised.value)
