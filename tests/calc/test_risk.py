"""What a simulation found, and its published JSON: complete, bounded, and the same as the draws it was made of."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from calc import compare
from calc.export import to_json
from calc.risk import BINS_PER_DECADE, NO_ANSWERS, assess, break_even_shares, risk_dict
from calc.uncertainty import break_even_draws, simulate
from ingest import load_scenario
from ingest.scenario_file import scenario_from
from pricing import PriceBook

REPOSITORY = Path(__file__).resolve().parents[2]
BOOK = PriceBook.bundled()
DAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def support():
    return compare(load_scenario(REPOSITORY / "examples" / "support_tone.yaml"), BOOK, today=DAY)


@pytest.fixture(scope="module")
def found(support):
    return assess(support, scrambles=2)


@pytest.fixture(scope="module")
def schema():
    read = json.loads((REPOSITORY / "docs" / "risk.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(read)
    return jsonschema.Draft202012Validator(read)


def stated(**changes):
    fields = {
        "name": "Small",
        "horizon_months": 6,
        "workload": {
            "requests_per_month": {"low": 10_000, "likely": 20_000, "high": 40_000},
            "user_tokens": 300,
            "answer_tokens": 100,
        },
        "task": {"kind": "style", "tokens_per_example": 400, "rejected_answer_usd": 0.05},
        "approaches": {
            "prompting": {"model": "openai/gpt-6.1-terra", "instruction_tokens": 1000, "accepted": {"low": 0.8, "high": 0.9}},
            "few-shot": {"extends": "prompting", "shots": 5, "accepted": {"low": 0.85, "high": 0.93}},
        },
    }
    return compare(scenario_from(fields | changes, {}, "small.yaml", today=DAY), BOOK, today=DAY)


def test_the_json_follows_its_schema(found, schema):
    schema.validate(json.loads(to_json(risk_dict(found))))


def test_every_property_is_described_by_the_schema_and_only_those(found, schema):
    data = risk_dict(found) | {"another": 1}
    with pytest.raises(jsonschema.ValidationError, match="another"):
        schema.validate(data)


def test_it_says_what_the_draws_say(support, found):
    simulation, data = simulate(support, scrambles=2), risk_dict(found)
    assert data["draws"] == simulation.draws == 16_384
    for approach in data["approaches"]:
        name = approach["name"]
        assert approach["probability_cheapest"]["value"] == pytest.approx(simulation.probability_cheapest[name].value)
        assert approach["regret_usd"]["value"] == pytest.approx(simulation.regret_usd[name].value)
        assert approach["total_usd"]["p50"] == pytest.approx(simulation.total(name).p50)
        assert approach["total_usd"]["at_point"] == pytest.approx(float(support.results[name].total()))
        assert {line["key"] for line in approach["lines"]} == set(simulation.lines[name])
        assert approach["missing"] is None
    assert sum(approach["probability_cheapest"]["value"] for approach in data["approaches"]) == pytest.approx(1)
    assert data["safest"] == min(data["approaches"], key=lambda a: a["regret_usd"]["value"])["name"]


def test_the_same_seed_gives_the_same_bytes_and_another_one_others():
    comparison = stated()
    first, again, other = (to_json(risk_dict(assess(comparison, seed=seed, scrambles=2))) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_break_evens_are_shares_of_all_draws(support, found):
    simulation = simulate(support, scrambles=2)
    for shares in (*found.against_reference, *found.against_winner.values()):
        assert shares.from_a_volume + shares.always + shares.never + shares.only_below == pytest.approx(1)
        assert sum(shares.shares) == pytest.approx(shares.from_a_volume)
        if shares.edges:
            ratios = np.diff(np.log10(shares.edges))
            assert ratios == pytest.approx(1 / BINS_PER_DECADE)
            below = sum(share for high, share in zip(shares.edges[1:], shares.shares, strict=True) if high <= 180_000 * 1.001)
            assert below == pytest.approx(shares.below_today)
    drawn = break_even_draws(simulation, "fine-tuning", "few-shot")
    counted = break_even_shares(simulation, "fine-tuning", "few-shot")
    low, high = counted.edges[3], counted.edges[4]
    assert counted.shares[3] == pytest.approx(np.mean((drawn.volumes > low) & (drawn.volumes <= high)))


def test_a_pair_is_told_in_the_direction_in_which_there_is_a_break_even(found):
    # prompting is cheaper than few-shot up to a volume, so it is few-shot that pays from one on
    assert (found.against_winner["prompting"].cheaper, found.against_winner["prompting"].than) == ("few-shot", "prompting")
    assert found.against_winner["fine-tuning"].cheaper == "fine-tuning"
    assert {one.than for one in found.against_reference} == {"prompting"}


def test_where_ranges_come_from(found):
    inputs = {one["input"]: one for one in risk_dict(found)["inputs"]}
    assert inputs["workload.requests_per_month"]["from"] == "stated"
    assumed = inputs["assumptions.staff.prompt_set_up_hours"]
    assert (assumed["from"], assumed["unit"], assumed["distribution"]) == ("assumption", "hours", "Pert")
    assert assumed["basis"]
    assert assumed["p10"] < assumed["p50"] < assumed["p90"]
    assert not set(risk_dict(found)["held_fixed"]) & set(inputs)


def test_what_is_infinite_is_null_with_the_reason(schema):
    # with no answers accepted in some draws, an approach whose rejected answers are lost costs infinitely much
    comparison = stated(
        task={"kind": "style", "tokens_per_example": 400, "failure_mode": "discard"},
        approaches={
            "prompting": {"model": "openai/gpt-6.1-terra", "instruction_tokens": 1000, "accepted": 0.9},
            "few-shot": {"extends": "prompting", "shots": 5, "accepted": {"values": [0.0, 0.5, 0.9]}},
        },
    )
    data = risk_dict(assess(comparison, scrambles=2))
    schema.validate(json.loads(to_json(data)))
    few_shot = next(approach for approach in data["approaches"] if approach["name"] == "few-shot")
    assert few_shot["regret_usd"] == {"value": None, "standard_error": None}
    assert few_shot["missing"] == NO_ANSWERS


def test_less_is_found_where_less_is_asked(support):
    quick = assess(support, scrambles=2, complete=False)
    assert quick.against_reference == ()
    assert quick.effects == ()
    assert quick.against_winner


def test_progress_ends_at_one():
    told: list[float] = []
    assess(stated(), scrambles=2, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
