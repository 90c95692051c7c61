"""What a scenario leaves open of own GPUs is predicted, and enters totals, steps and break-evens as what is stated does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from calc import Comparison, Scenario, compare
from calc.ledger import CostLine
from pricing import PriceBook

BOOK = PriceBook.bundled()
TUNED: dict[str, Any] = {
    "kind": "own_gpus",
    "technique": "qlora",
    "gpu": "h100",
    "rent": "runpod",
    "examples": 20_000,
    "tokens_per_example": 500,
    "epochs": 3,
    "runs": 1,
}
SERVED: dict[str, Any] = {"kind": "own_gpus", "gpu": "l40s", "rent": "runpod"}


def compared(
    model: str = "meta/llama-3.1-8b", tuning: dict[str, Any] | None = None, set_up_hours: float = 60, **serving: Any
) -> Comparison:
    staffing = {"set_up_hours": set_up_hours, "maintenance_hours_per_month": 0}
    own: dict[str, Any] = {"model": model, "instruction_tokens": 400, "serving": SERVED | serving, "staffing": staffing}
    scenario = {
        "name": "own GPUs",
        "as_of": "2026-11-21",
        "horizon_months": 3,
        "reference": "api",
        "workload": {"requests_per_month": 2_000_000, "user_tokens": 800, "answer_tokens": 300},
        "task": {"kind": "style"},
        "approaches": {
            "api": {"model": "openai/gpt-4.1-mini", "instruction_tokens": 400},
            "own": own | ({"tuning": tuning} if tuning else {}),
        },
    }
    return compare(Scenario.model_validate(scenario), BOOK)


def line(comparison: Comparison, key: str) -> CostLine:
    return next(line for line in comparison.results["own"].ledger.lines if line.key == key)


def test_predicted_throughput_makes_the_same_steps_as_the_same_number_stated():
    predicted = compared()
    (found,) = line(predicted, "serving.replicas").predicted
    stated = compared(requests_per_second_per_replica=float(found.likely))
    volumes = np.geomspace(1e4, 1e8, 400)
    assert predicted.results["own"].total(volumes) == pytest.approx(stated.results["own"].total(volumes), rel=1e-12)
    assert predicted.break_even("api", "own").crossings == stated.break_even("api", "own").crossings
    assert not line(stated, "serving.replicas").predicted


def test_cost_per_request_keeps_rising_by_steps_above_one_replicas_capacity():
    result = compared().results["own"]
    rent = line(compared(), "serving.replicas")
    replicas = rent.total(np.geomspace(1e4, 1e9, 2_000)) / (1.09 * 730 * 3)
    assert replicas == pytest.approx(np.round(replicas))
    assert replicas[0] == 1
    assert replicas[-1] > 100
    per_step = np.diff(replicas[replicas <= 12])
    assert set(per_step.round().astype(int)) == {0, 1}
    big = np.array([1e8, 1e9])
    assert np.diff(result.total(big))[0] > 0


def test_break_evens_with_a_sleeping_replica_are_those_of_trying_every_volume():
    comparison = compared(set_up_hours=45, idle_minutes_to_zero=240, requests_per_second_per_replica=10)
    volumes = np.arange(1, 3_000_000)
    api, own = (comparison.results[name].total(volumes) for name in ("api", "own"))
    tried = [int(volumes[i + 1]) for i in np.flatnonzero(np.diff(np.sign(api - own)))]
    assert len(tried) >= 2
    assert [v for v in comparison.break_even("api", "own").crossings if v < 3_000_000] == tried
    assert comparison.results["own"].curve.total(volumes) == pytest.approx(own, rel=1e-9)


def test_the_interval_of_throughput_and_hours_holds_the_likely_value_and_names_its_field():
    comparison = compared(tuning=TUNED)
    for key, field in (
        ("serving.replicas", "serving.requests_per_second_per_replica"),
        ("tuning.training", "tuning.training_hours_per_run"),
    ):
        (found,) = line(comparison, key).predicted
        assert found.what == field
        assert found.low < found.likely < found.high
        assert "recorded" in found.basis


def test_a_speed_factor_scales_training_and_throughput():
    plain, fast = compared(tuning=TUNED), compared(tuning=TUNED | {"speed_factor": 2}, speed_factor=2)
    served = [line(c, "serving.replicas").predicted[0].likely for c in (plain, fast)]
    assert served[1] == pytest.approx(2 * served[0])
    hours = [line(c, "tuning.training").predicted[0].likely for c in (plain, fast)]
    set_up, idle = (BOOK.as_of(plain.as_of).assumption(f"hardware.{n}").likely for n in ("set_up_hours_per_run", "idle_share"))
    assert hours[0] * (1 - idle) - set_up == pytest.approx(2 * (hours[1] * (1 - idle) - set_up))


def test_quantised_weights_and_longer_prompts_move_the_throughput():
    def served(**asked: Any) -> float:
        return float(line(compared(**asked), "serving.replicas").predicted[0].likely)

    assert served(weights="fp8") > served()
    assert served(caches_prefix=False) < served()


def test_ranges_enter_the_prediction_as_arrays():
    from calc.evaluate import approach_lines, plan_of
    from calc.setting import Setting

    comparison = compared(tuning=TUNED)
    approach = comparison.point.approaches["own"]
    factors = np.array([[0.5], [1.0], [2.0]])
    assert approach.tuning is not None
    drawn = approach.model_copy(
        update={
            "serving": approach.serving.model_copy(update={"speed_factor": factors}),
            "tuning": approach.tuning.model_copy(update={"examples": factors * 20_000}),
        }
    )
    months = comparison.months
    scenario = comparison.point.model_copy(update={"approaches": comparison.point.approaches | {"own": drawn}})
    plan = plan_of(scenario, drawn, comparison.rates, months)
    lines = {
        x.key: x for x in approach_lines(Setting(scenario, drawn, comparison.rates, months, plan.active(months.count)), plan)
    }
    rent, training = lines["serving.replicas"].total(2_000_000), lines["tuning.training"].total(2_000_000)
    assert rent.shape == training.shape == (3,)
    assert rent[0] > rent[1] >= rent[2]
    assert training[0] < training[1] < training[2]
    assert rent[1] == pytest.approx(line(comparison, "serving.replicas").total(2_000_000))
    assert training[1] == pytest.approx(line(comparison, "tuning.training").total(2_000_000))


def test_weights_named_by_an_offer_are_known_by_their_shape():
    found = compared(model="together/llama-3.3-70b", gpus_per_replica=4)
    assert line(found, "serving.replicas").predicted


@pytest.mark.parametrize(
    ("tuning", "said"),
    [
        ({"method": "rft"}, "measure it and state the hours"),
        ({"tokens_per_example": None}, "it needs task.examples"),
        ({"max_tokens_per_example": 200_000}, "longer than the 131,072 that Llama 3.1 8B takes"),
        ({"technique": "full", "gpu": "l4"}, "most of it is"),
    ],
)
def test_what_cannot_be_predicted_has_no_price_and_says_why(tuning, said):
    own = compared(tuning={k: v for k, v in (TUNED | tuning).items() if v is not None}).results["own"]
    assert own.status == "unpriced"
    assert any(
        "tuning.training_hours_per_run is not stated and cannot be predicted" in why and said in why for why in own.why_not
    )


def test_the_json_says_what_was_predicted_and_nothing_where_nothing_was():
    def predicted(comparison: Comparison) -> dict[str, list[str]]:
        (lines,) = (each["lines"] for each in comparison.to_dict()["approaches"] if each["name"] == "own")
        return {found["key"]: [each["what"] for each in found["predicted"]] for found in lines if "predicted" in found}

    assert predicted(compared(tuning=TUNED)) == {
        "serving.replicas": ["serving.requests_per_second_per_replica"],
        "tuning.training": ["tuning.training_hours_per_run"],
    }
    stated = compared(tuning=TUNED | {"training_hours_per_run": 2}, requests_per_second_per_replica=2)
    assert predicted(stated) == {}


def test_drawn_markets_storage_and_purchases_are_those_of_each_draw_alone():
    from calc.sampling import compared_at, uncertain_inputs, values_at

    bought = {"purchase_usd_per_gpu": {"low": 20_000, "high": 30_000}, "life_years": {"low": 3, "likely": 4, "high": 6}}
    spot = {"gpu": "h100", "rent": "verda", "rent_service": "spot", "egress_usd_per_gb": {"low": 0.05, "high": 0.1}}
    stored = {"storage_usd_per_gb_month": {"low": 0.01, "high": 0.1}}
    served = {"gpu": "h100", "rent": "bought", "adapters": 5, "hours_per_month": {"low": 400, "high": 730}, "bought": bought}
    comparison = compared(tuning=TUNED | spot | stored, **served, **stored)
    inputs = uncertain_inputs(comparison)
    assert {"assumptions.hardware.spot_interruption_share", "assumptions.hardware.checkpoints_per_run"} <= {
        i.path for i in inputs
    }
    values = values_at(inputs, np.random.default_rng(1).random((4, len(inputs))))
    drawn = compared_at(comparison, inputs, values).results["own"].total(2_000_000)
    for i, total in enumerate(drawn):
        alone = compared_at(comparison, inputs, {path: each[i : i + 1] for path, each in values.items()})
        assert alone.results["own"].total(2_000_000) == pytest.approx(total)
