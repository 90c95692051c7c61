"""What is drawn, once or twice, and how draws move together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from calc import Comparison, Scenario, compare
from calc.sampling import compared_at, held_fixed, shares, uncertain_inputs, values_at
from calc.scenario import PairedAnswers
from calc.uncertainty import simulate
from pricing import PriceBook

Two = Callable[..., Scenario]
Certain = Callable[[Scenario, PriceBook], Comparison]

BOOK = PriceBook.bundled()
WORKLOAD = {"requests_per_month": 1000, "user_tokens": 100, "answer_tokens": 100}
TERRA = {"model": "openai/gpt-6.1-terra"}


def scenario(approaches: dict[str, Any], **more: Any) -> Scenario:
    fields = {"name": "Draws", "as_of": "2026-11-20", "horizon_months": 3, "workload": WORKLOAD, "task": {"kind": "style"}}
    return Scenario.model_validate(fields | {"approaches": {"few-shot": None, **approaches}, "reference": "prompting"} | more)


def stated_inputs(stated: Scenario) -> dict[str, tuple[str, ...]]:
    return {one.path: one.fields for one in uncertain_inputs(compare(stated, BOOK)) if one.is_stated}


# --- what is drawn --------------------------------------------------------------------------------------------------------

RANGE = {"low": 500, "likely": 900, "high": 2000}
OTHER = {"low": 400, "likely": 900, "high": 2000}


def test_an_inherited_range_is_one_number_and_an_overridden_one_is_its_own() -> None:
    approaches = {
        "prompting": TERRA | {"instruction_tokens": RANGE},
        "inherits": {"extends": "prompting", "tool_tokens": 10},
        "inherits twice": {"extends": "inherits", "shots": 2, "tokens_per_shot": 10},
        "overrides": {"extends": "prompting", "instruction_tokens": OTHER},
        "below it": {"extends": "overrides"},
    }
    path = "approaches.{}.instruction_tokens".format
    assert stated_inputs(scenario(approaches)) == {
        path("prompting"): (path("prompting"), path("inherits"), path("inherits twice")),
        path("overrides"): (path("overrides"), path("below it")),
    }


def test_it_does_not_matter_whether_the_parent_is_listed_first() -> None:
    approaches = {"prompting": {"extends": "house style"}, "house style": TERRA | {"instruction_tokens": RANGE}}
    path = "approaches.{}.instruction_tokens".format
    found = stated_inputs(scenario(approaches))
    assert {owner: set(fields) for owner, fields in found.items()} == {
        path("house style"): {path("prompting"), path("house style")}
    }


def test_inherited_ranges_move_both_approaches_alike(two: Two, plain_book: PriceBook) -> None:
    stated = two({"instruction_tokens": RANGE}, {"extends": "first"})
    fields = stated.model_dump(mode="json")
    fields["approaches"]["second"] = {"extends": "first"}
    simulation = simulate(compare(Scenario.model_validate(fields), plain_book), scrambles=2)
    assert np.array_equal(simulation.compared["first"], simulation.compared["second"])
    fields["approaches"]["second"]["instruction_tokens"] = OTHER
    simulation = simulate(compare(Scenario.model_validate(fields), plain_book), scrambles=2)
    assert abs(np.corrcoef(simulation.compared["first"], simulation.compared["second"])[0, 1]) < 0.02


def test_retrieval_taken_over_is_one_number_with_its_origin() -> None:
    chunks = {"low": 3, "likely": 5, "high": 9}
    approaches = {
        "prompting": TERRA | {"instruction_tokens": 10},
        "rag": {
            "extends": "prompting",
            "retrieval": {"store": "pinecone/serverless", "corpus_tokens": 1e6, "chunks_per_request": chunks},
        },
        "searching too": {"extends": "prompting", "retrieval": {"same_as": "rag"}},
        "more chunks": {"extends": "prompting", "retrieval": {"same_as": "rag", "chunks_per_request": {"low": 4, "high": 9}}},
    }
    path = "approaches.{}.retrieval.chunks_per_request".format
    assert stated_inputs(scenario(approaches)) == {
        path("rag"): (path("rag"), path("searching too")),
        path("more chunks"): (path("more chunks"),),
    }


def test_shares_measured_apart_are_two_numbers_even_where_they_are_equal() -> None:
    measured = {"accepted": {"successes": 90, "trials": 100}}
    approaches = {
        "prompting": TERRA | {"instruction_tokens": 10} | measured,
        "shorter": {"extends": "prompting", "instruction_tokens": 5} | measured,
        "elsewhere": {"extends": "prompting", "serving": {"service": "flex"}},
    }
    path = "approaches.{}.accepted".format
    assert stated_inputs(scenario(approaches)) == {
        path("prompting"): (path("prompting"), path("elsewhere")),
        path("shorter"): (path("shorter"),),
    }


def test_assumptions_left_open_are_drawn_and_those_given_are_not(certain: Certain) -> None:
    stated = scenario({"prompting": TERRA | {"instruction_tokens": 10}})
    name = "evaluation.evaluation_set_hours"
    drawn = uncertain_inputs(compare(stated, BOOK))
    assert f"assumptions.{name}" in {one.path for one in drawn}
    given = compare(stated, BOOK, assuming={name: 500.0})  # far outside of its range
    assert {one.path for one in drawn} - {one.path for one in uncertain_inputs(given)} == {f"assumptions.{name}"}
    spent, before = (simulate(each, scrambles=2).total("prompting").p50 for each in (given, compare(stated, BOOK)))
    assert spent > before + 400 * 50, "what is given holds at every draw"
    assert uncertain_inputs(certain(stated, BOOK)) == ()


def test_given_prices_hold_at_every_draw() -> None:
    stated = scenario({"prompting": TERRA | {"instruction_tokens": RANGE}})
    dearer = compare(stated, BOOK, pricing={("openai/gpt-6.1-terra", "input_usd_per_mtok"): 1000.0})
    inputs = uncertain_inputs(dearer)
    again = compared_at(dearer, inputs, {one.path: np.array([one.estimate.point]) for one in inputs})
    assert again.results["prompting"].total().item() == pytest.approx(float(dearer.results["prompting"].total()), rel=1e-9)


def test_ranges_of_one_value_are_not_drawn_and_give_the_very_same_totals() -> None:
    def degenerate(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: degenerate(item) for key, item in value.items()}
        return value if isinstance(value, str) else {"low": value, "likely": value, "high": value}

    approaches = {
        "prompting": {"instruction_tokens": 1234, "tool_tokens": 17, "accepted": 0.87},
        "rag": {
            "instruction_tokens": 200.5,
            "accepted": 0.91,
            "retrieval": {"store": "pinecone/serverless", "corpus_tokens": 1e6, "chunks_per_request": 4, "overlap_tokens": 33},
        },
    }
    workload = WORKLOAD | {"retry_share": 0.013, "batch_share": 0.1, "growth": {"kind": "compound", "monthly_share": 0.017}}
    task = {"kind": "style", "rejected_answer_usd": 0.031}

    def build(wrap: Callable[[Any], Any]) -> Comparison:
        stated = {name: TERRA | wrap(fields) for name, fields in approaches.items()}
        finance = wrap({"price_decline_per_year": 0.07, "discount_rate_per_year": 0.11})
        return compare(scenario(stated, workload=wrap(workload), task=wrap(task), finance=finance), BOOK)

    plain, ranges = build(lambda value: value), build(degenerate)
    assert {n: float(r.total()) for n, r in plain.results.items()} == {n: float(r.total()) for n, r in ranges.results.items()}
    assert not [one.path for one in uncertain_inputs(ranges) if one.is_stated]


def test_what_is_stated_without_a_range_is_said_to_be_held() -> None:
    approaches = {"prompting": TERRA | {"instruction_tokens": RANGE, "accepted": {"successes": 3, "trials": 4}, "tool_tokens": 7}}
    fixed = held_fixed(compare(scenario(approaches), BOOK))
    assert "approaches.prompting.tool_tokens" in fixed
    assert "workload.user_tokens" in fixed
    assert not [path for path in fixed if "instruction_tokens" in path or "accepted" in path]


# --- how draws move together ----------------------------------------------------------------------------------------------

SKEWED = {"instruction_tokens": {"p10": 100, "p90": 5000}}, {"instruction_tokens": {"low": 0, "likely": 1, "high": 50}}
FIRST, SECOND = "approaches.first.instruction_tokens", "approaches.second.instruction_tokens"


def drawn(two: Two, book: PriceBook, correlations: list[dict[str, Any]], **more: Any) -> tuple[Any, np.ndarray]:
    comparison = compare(two(*SKEWED, correlations=correlations, **more), book)
    inputs = uncertain_inputs(comparison)
    return inputs, shares(inputs, comparison.scenario.correlations, 0, range(2))


@pytest.mark.parametrize("rank", [-0.999, -0.7, -0.2, 0.0, 0.35, 0.8, 0.999])
def test_ranks_correlate_as_stated_and_each_number_keeps_its_distribution(two: Two, plain_book: PriceBook, rank: float) -> None:
    inputs, at = drawn(two, plain_book, [{"between": [FIRST, SECOND], "rank": rank}])
    values = values_at(inputs, at)
    assert stats.spearmanr(values[FIRST], values[SECOND]).statistic == pytest.approx(rank, abs=0.01)
    for one in inputs:
        levels = np.array([0.05, 0.1, 0.5, 0.9, 0.95])
        assert np.mean(values[one.path][:, None] <= one.quantile(levels), axis=0) == pytest.approx(levels, abs=0.004)


def test_what_is_not_correlated_stays_independent(two: Two, plain_book: PriceBook) -> None:
    workload = {"requests_per_month": {"low": 100, "high": 900}, "user_tokens": {"low": 1, "high": 9}, "answer_tokens": 0}
    inputs, at = drawn(two, plain_book, [{"between": [FIRST, SECOND], "rank": 0.9}], workload=workload)
    ranks = stats.spearmanr(at).statistic
    paths = [one.path for one in inputs]
    a, b = paths.index(FIRST), paths.index(SECOND)
    assert ranks[a, b] == pytest.approx(0.9, abs=0.01)
    ranks[a, b] = ranks[b, a] = 0
    assert np.abs(ranks - np.eye(len(paths))).max() < 0.02


THIRD = "workload.user_tokens"
THREE = {"requests_per_month": 1000, "user_tokens": {"low": 1, "high": 9}, "answer_tokens": 0}


@pytest.mark.parametrize(
    ("correlations", "says"),
    [
        ([((FIRST, SECOND), 0.9), ((FIRST, THIRD), 0.9), ((SECOND, THIRD), -0.9)], f"{FIRST}, {SECOND}, {THIRD} cannot all hold"),
        ([((FIRST, SECOND), 0.9), ((FIRST, THIRD), 0.9)], "or state the missing one"),
        ([((FIRST, SECOND), 0.5), ((SECOND, FIRST), 0.5)], "are correlated twice"),
        (
            [((FIRST, "workload.answer_tokens"), 0.5)],
            r"correlations\.0\.between: workload\.answer_tokens is no range that is drawn",
        ),
        ([((FIRST, "workload.nothing"), 0.5)], r"correlations\.0\.between: workload\.nothing is no range that is drawn"),
    ],
)
def test_impossible_correlations_are_refused_by_name(two: Two, plain_book: PriceBook, correlations: Any, says: str) -> None:
    stated = [{"between": list(between), "rank": rank} for between, rank in correlations]
    with pytest.raises(ValueError, match=says):
        drawn(two, plain_book, stated, workload=THREE)


@pytest.mark.parametrize(
    "stated",
    [
        {"between": [FIRST, SECOND], "rank": 1},
        {"between": [FIRST, SECOND], "rank": -1.2},
        {"between": [FIRST, SECOND]},
        {"between": [FIRST, SECOND], "rank": 0.5, "paired": {"both": 1, "first_only": 1, "second_only": 1, "neither": 1}},
        {"between": [FIRST, FIRST], "rank": 0.5},
        {"between": [FIRST, SECOND], "paired": {"both": -1, "first_only": 1, "second_only": 1, "neither": 1}},
    ],
)
def test_what_is_no_correlation_is_refused(two: Two, stated: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="correlations"):
        two(*SKEWED, correlations=[stated])


def test_three_that_move_together(two: Two, plain_book: PriceBook) -> None:
    stated = [
        {"between": list(pair), "rank": rank}
        for pair, rank in (((FIRST, SECOND), 0.8), ((FIRST, THIRD), -0.6), ((SECOND, THIRD), -0.3))
    ]
    inputs, at = drawn(two, plain_book, stated, workload=THREE)
    order = [[one.path for one in inputs].index(path) for path in (FIRST, SECOND, THIRD)]
    found = stats.spearmanr(at[:, order]).statistic
    assert [found[0, 1], found[0, 2], found[1, 2]] == pytest.approx([0.8, -0.6, -0.3], abs=0.01)


@pytest.mark.parametrize(
    ("table", "phi"),
    [
        ((40, 10, 10, 40), 0.6),  # 1,500 / √(50·50·50·50)
        ((25, 25, 25, 25), 0.0),
        ((0, 50, 50, 0), -1.0),
        ((80, 10, 5, 5), 350 / (90 * 85 * 10 * 15) ** 0.5),
        ((90, 10, 0, 0), 0.0),  # one of them was always right
    ],
)
def test_paired_counts_give_phi(table: tuple[int, ...], phi: float) -> None:
    both, first_only, second_only, neither = table
    paired = PairedAnswers(both=both, first_only=first_only, second_only=second_only, neither=neither)
    assert paired.correlation == pytest.approx(phi, rel=1e-12, abs=1e-15)


def test_a_field_that_inherits_a_range_stands_for_the_number_it_inherits(two: Two, plain_book: PriceBook) -> None:
    fields = two({"instruction_tokens": RANGE}, {}).model_dump(mode="json", exclude_none=True)
    fields["approaches"]["second"] = {"extends": "first"}
    fields["workload"]["user_tokens"] = {"low": 1, "high": 9}
    drawn_at = []
    for path in (FIRST, SECOND):
        stated = fields | {"correlations": [{"between": [path, "workload.user_tokens"], "rank": 0.6}]}
        drawn_at.append(simulate(compare(Scenario.model_validate(stated), plain_book), scrambles=2).at)
    assert np.array_equal(*drawn_at)
    itself = fields | {"correlations": [{"between": [FIRST, SECOND], "rank": 0.6}]}
    with pytest.raises(ValueError, match=r"correlations\.0\.between: .* are one number, which an approach inherits"):
        compare(Scenario.model_validate(itself), plain_book)


def test_correlations_stand_in_no_way_of_what_is_computed_at_the_point(two: Two, plain_book: PriceBook) -> None:
    comparison = compare(two(*SKEWED, correlations=[{"between": [FIRST, SECOND], "rank": 0.6}]), plain_book)
    assert comparison.point.correlations == ()
    assert set(compare(comparison.point, plain_book).available) == {"first", "second"}


def test_answers_to_the_same_questions_tell_two_approaches_better_apart(two: Two, plain_book: PriceBook) -> None:
    first, second = ({"accepted": {"successes": k, "trials": 100}} for k in (90, 85))
    paired = {
        "between": ["approaches.first.accepted", "approaches.second.accepted"],
        "paired": {"both": 80, "first_only": 10, "second_only": 5, "neither": 5},
    }
    task = {"kind": "style", "rejected_answer_usd": 1.0}
    spread = {}
    for name, correlations in (("apart", []), ("paired", [paired])):
        simulation = simulate(compare(two(first, second, task=task, correlations=correlations), plain_book), scrambles=2)
        spread[name] = np.var(simulation.compared["first"] - simulation.compared["second"])
    variances = [stats.beta(k + 0.5, 100.5 - k).var() * 1000**2 for k in (90, 85)]
    assert spread["apart"] == pytest.approx(sum(variances), rel=0.01)
    phi = 350 / (90 * 85 * 10 * 15) ** 0.5
    assert spread["paired"] == pytest.approx(sum(variances) - 2 * phi * np.prod(variances) ** 0.5, rel=0.02)


def test_predicted_speed_spreads_as_its_measurements_do() -> None:
    own = {"kind": "own_gpus", "gpu": "h100", "rent": "runpod"}
    approach = {"model": "qwen/qwen3-32b", "instruction_tokens": 10, "serving": own}
    comparison = compare(scenario({"prompting": approach}), BOOK)
    (one,) = (found for found in uncertain_inputs(comparison) if found.path == "predicted.serving")
    assert one.fields == ("approaches.prompting.serving.speed_factor",)
    predicted = [
        p for line in comparison.results["prompting"].ledger.lines for p in line.predicted if p.what.startswith("serving")
    ]
    widest = max(float(np.max(p.high / p.low)) for p in predicted)
    low, middle, high = one.quantile(np.array([0.05, 0.5, 0.95]))
    assert high / low == pytest.approx(widest, rel=1e-9), "nine of ten draws are within the interval"
    assert middle == pytest.approx(1, rel=1e-12)
    measured = {"prompting": approach | {"serving": own | {"speed_factor": 1.3}}}
    assert not [
        found
        for found in uncertain_inputs(compare(scenario(measured), BOOK))
        if not found.is_stated and "predicted" in found.path
    ]
