"""Plans on own GPUs: what fits as published, whole instances paid once, the choice by brute force, and refusals in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from calc.hardware.memory import MemoryRefused
from calc.hardware.plans import (
    Demand,
    Latency,
    OwnedTerms,
    TokenShape,
    TuningChoice,
    TuningTask,
    owned_hour,
    peak_of,
    precision_of,
    rents,
    run_terms,
    serving_plans,
    tuning_plans,
    tuning_setup,
)
from calc.hardware.serving_throughput import ServingRefused
from calc.hardware.training_time import TrainingRefused
from pricing import PriceBook, PriceMissing, UnknownOffer

RATES = PriceBook.bundled().as_of(date(2026, 11, 21))
TASK = TuningTask(tokens=30e6, technique="qlora")
LLAMA = RATES.open_model("meta/llama-3.1-8b")
TOKENS = TokenShape(1200, 300)


def tuning(weights: str, technique: str = "qlora", **asked: object) -> TuningChoice:
    return tuning_plans(RATES, RATES.open_model(weights), replace(TASK, technique=technique), **asked)


def least(weights: str, technique: str, gpu: str) -> int | None:
    """The fewest GPUs of a kind that a plan has."""
    return min((plan.gpus for plan in tuning(weights, technique, gpus=[gpu]).plans), default=None)


# --- what fits, as published ----------------------------------------------------------------------------------------------


def test_a_7b_by_qlora_fits_a_card_of_24_gb_and_in_full_does_not():
    assert least("meta/llama-2-7b", "qlora", "rtx-4090") == 1
    assert least("meta/llama-2-7b", "full", "rtx-4090") not in (None, 1)


def test_a_70b_in_full_needs_more_than_a_node_of_eight_and_by_qlora_one_card():
    assert least("meta/llama-3-70b", "qlora", "h100") == 1
    needed = least("meta/llama-3-70b", "full", "h100")
    assert needed is not None
    assert needed > 8


def test_what_fits_nowhere_is_refused_with_what_it_needs():
    choice = tuning("deepseek-ai/deepseek-v3", "full", gpus=["l4", "t4"])
    assert choice.plans == ()
    assert choice.cheapest is None
    assert [each.gpu_id for each in choice.refused] == ["l4", "t4"]
    assert "GiB on each of 64" in choice.refused[0].reason
    assert "NVIDIA L4 has 22 GiB" in choice.refused[0].reason


# --- money ----------------------------------------------------------------------------------------------------------------


def test_an_instance_of_eight_is_paid_once_for_each_eight():
    instances = [plan for plan in tuning("meta/llama-3.1-8b").plans if plan.rent.offer == "aws-ec2/p5.48xlarge"]
    assert {plan.rented: plan.gpus for plan in instances} == {1: 8, 2: 16}
    for plan in instances:
        assert plan.usd == pytest.approx(plan.rented * 55.04 * plan.paid_hours)
        assert plan.gpu_hours == pytest.approx(plan.gpus * plan.paid_hours)


def test_set_up_idle_hours_and_what_spot_repeats_are_paid():
    on_demand, spot = (
        next(p for p in tuning("meta/llama-3.1-8b", gpus=["h100"], providers=["verda"], services=[s]).plans if p.gpus == 1)
        for s in ("standard", "spot")
    )
    terms = run_terms(RATES)
    training = on_demand.hours - terms.set_up_hours
    assert on_demand.usd == pytest.approx((training + terms.set_up_hours) / (1 - terms.idle_share) * 3.81)
    assert spot.hours - terms.set_up_hours == pytest.approx(training * (1 + terms.interruption_share))
    assert spot.usd == pytest.approx(spot.paid_hours * 1.91)


def test_a_bought_hour_is_the_sum_of_what_is_paid_over_its_life():
    hour = owned_hour(RATES, "h100", utilisation=0.5)
    known = RATES.assumption
    purchase = 27500 * known("hardware.server_cost_factor").likely / known("hardware.server_life_years").likely / 8760 / 0.5
    assert hour.purchase == pytest.approx(purchase)
    kilowatt = 0.7 * known("hardware.host_power_factor").likely
    assert hour.power == pytest.approx(kilowatt * known("hardware.pue").likely * 0.1453 / 0.5)
    assert hour.colocation == pytest.approx(kilowatt * 194.95 * 12 / 8760 / 0.5)
    assert hour.usd == pytest.approx(hour.purchase + hour.power + hour.colocation + hour.staff)
    assert owned_hour(RATES, "h100", utilisation=1).usd == pytest.approx(hour.usd / 2)
    assert {price.offer for price in hour.prices} >= {"eia", "cbre"}


def test_what_a_bought_gpu_costs_follows_the_assumptions_asked_with():
    asked = {"gpus": ["h100"], "providers": ["bought"]}
    now = tuning("meta/llama-3.1-8b", **asked).plans[0].rent.usd_per_hour
    dearer = RATES.assuming({"hardware.server_cost_factor": 3 * RATES.assumption("hardware.server_cost_factor").likely})
    then = tuning_plans(dearer, LLAMA, TASK, **asked).plans[0].rent.usd_per_hour
    assert then == pytest.approx(owned_hour(dearer, "h100").usd, rel=1e-12)
    assert then > 1.5 * now


def test_a_gpu_without_a_purchase_price_is_not_bought():
    with pytest.raises(PriceMissing, match=r"no purchase price of NVIDIA B300.*State purchase_usd_per_gpu"):
        owned_hour(RATES, "b300")
    assert not any(plan.rent.gpu_id == "b300" for plan in tuning("meta/llama-3.1-8b", services=["bought"]).plans)


def test_unverified_rents_are_not_offered_and_each_rent_has_its_row():
    found = rents(RATES)
    assert not any(rent.offer.startswith("predibase/") for rent in found)
    assert all(rent.price is not None and rent.price.usd == rent.usd_per_hour > 0 for rent in found)
    assert len({(rent.offer, rent.service) for rent in found}) == len(found)


def test_nothing_is_trained_on_serving_machines_nor_served_from_jobs():
    trained = {plan.rent.offer for plan in tuning("meta/llama-3.1-8b").plans}
    served = serving_plans(RATES, RATES.open_model("meta/llama-3.1-8b"), TokenShape(500, 100), Demand(1e5))
    assert not any(offer.startswith(("deepinfra/", "fireworks/", "huggingface-endpoints/", "predibase/")) for offer in trained)
    assert not trained & {"together/h100", "together/b200"}
    assert not any(plan.rent.offer.startswith(("fpt/", "huggingface-jobs/")) for plan in served.plans)
    assert any(plan.rent.offer.startswith("fireworks/") for plan in served.plans)
    assert any(offer.startswith("huggingface-jobs/") for offer in trained)


def test_an_owner_states_figures_of_his_own_and_the_rest_is_the_books():
    stated = OwnedTerms(purchase_usd_per_gpu=50_000, life_years=4, electricity_usd_per_kwh=0.2, colocation_usd_per_kw_month=0)
    hour = owned_hour(RATES, "b300", utilisation=0.5, stated=stated._replace(staff_hours_per_gpu_year=10, staff_usd_per_hour=80))
    assert hour.purchase == pytest.approx(50_000 * 1.35 / 4 / 8760 / 0.5)
    assert hour.power == pytest.approx(1.4 * 1.6 * 1.36 * 0.2 / 0.5)
    assert hour.colocation == 0
    assert hour.staff == pytest.approx(10 * 80 / 8760 / 0.5)
    assert hour.prices == ()


def test_storage_and_egress_stand_beside_the_rent_where_the_renter_prices_them():
    run = next(p for p in tuning("meta/llama-3.1-8b", gpus=["h100"], providers=["runpod"], services=["standard"]).plans)
    # 8.03 G parameters in 16 bits, three adapters of rank 16 (41.9 M parameters, 83.9 MB), 30 M tokens of 4 bytes
    assert run.run.stored_gb == pytest.approx(16.06 + 3 * 0.0839 + 0.12, rel=1e-3)
    assert run.storage_usd == pytest.approx(run.run.stored_gb * run.hours / 730 * 0.07)
    assert run.egress_usd == 0
    unknown = next(p for p in tuning("meta/llama-3.1-8b", gpus=["h100"], providers=["verda"]).plans)
    assert unknown.storage_usd is None
    assert unknown.egress_usd is None
    month = serving_plans(RATES, LLAMA, TOKENS, Demand(1e6), gpus=["h100"], providers=["aws-ec2"]).plans[0]
    assert month.storage_usd_per_month == pytest.approx(16.06 * 0.08, rel=1e-3)
    assert month.egress_usd_per_month == pytest.approx(1e6 * 300 * 4 / 1e9 * 0.09)


def test_what_is_trained_on_in_several_passes_is_stored_once():
    once, thrice = (TuningTask(tokens=30e6, technique="qlora", epochs=epochs) for epochs in (1, 3))
    stored = [tuning_plans(RATES, LLAMA, task, gpus=["h100"]).plans[0].run.stored_gb for task in (once, thrice)]
    assert stored[0] - stored[1] == pytest.approx(20e6 * 4 / 1e9)


def test_spot_serving_holds_spare_replicas():
    asked = {"gpus": ["h100"], "providers": ["verda"]}
    plans = serving_plans(RATES, LLAMA, TOKENS, Demand(500e6), **asked).plans
    on_demand, spot = (next(p for p in plans if p.rent.service == s and p.deployment.gpus == 1) for s in ("standard", "spot"))
    assert on_demand.replicas > 10
    needed = peak_of(RATES, Demand(500e6)) / (spot.capacity.requests_per_second * 0.6)
    assert on_demand.replicas == np.ceil(needed)
    assert spot.replicas == np.ceil(needed * 1.1)


def test_many_adapters_on_one_base_cost_less_than_as_many_deployments():
    asked = {"gpus": ["h100"], "providers": ["runpod"], "services": ["standard"]}
    together = serving_plans(RATES, LLAMA, TOKENS, Demand(500_000), adapters=50, **asked).plans[0]
    apart = serving_plans(RATES, LLAMA, TOKENS, Demand(10_000), **asked).plans[0]
    assert together.usd_per_month < 50 * apart.usd_per_month
    assert together.stored_gb == pytest.approx(apart.stored_gb + 50 * 0.0839, rel=1e-3)
    assert together.capacity.requests_per_second < apart.capacity.requests_per_second


def test_a_bought_gpu_that_serves_is_paid_in_all_hours_used_or_not():
    month = serving_plans(RATES, LLAMA, TOKENS, Demand(1000), gpus=["h100"], providers=["bought"]).plans[0]
    assert month.usd_per_month == pytest.approx(owned_hour(RATES, "h100", utilisation=1).usd * 730)
    opening = serving_plans(RATES, LLAMA, TOKENS, Demand(1000), gpus=["h100"], providers=["bought"], hours_per_month=365).plans[0]
    assert opening.usd_per_month == pytest.approx(month.usd_per_month)


@pytest.mark.parametrize("requests", [1e15, 1e18])
def test_absurd_demand_is_answered_in_whole_replicas(requests):
    plan = serving_plans(RATES, LLAMA, TOKENS, Demand(requests), gpus=["h100"], providers=["runpod"]).plans[0]
    assert np.isfinite(plan.usd_per_month)
    assert plan.replicas > 1e6


# --- the choice -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deadline", [0.6, 1.0, 3.0, 9.0, 1000.0])
def test_the_cheapest_within_a_deadline_is_what_trying_all_finds(deadline):
    choice = tuning("meta/llama-3.1-70b", deadline_hours=deadline)
    within = [plan for plan in choice.plans if plan.hours <= deadline]
    assert (choice.cheapest is None) == (not within)
    if within:
        assert choice.cheapest is not None
        assert choice.cheapest.usd == min(plan.usd for plan in within)
    assert [plan.usd for plan in choice.plans] == sorted(plan.usd for plan in choice.plans)


def test_of_each_offer_the_one_shown_meets_the_deadline_where_any_does():
    choice = tuning("meta/llama-3.1-70b", deadline_hours=3)
    for shown in choice.best_of_offers:
        of_it = [p for p in choice.plans if (p.rent.offer, p.rent.service) == (shown.rent.offer, shown.rent.service)]
        within = [plan for plan in of_it if plan.meets(3)]
        assert shown.usd == min(plan.usd for plan in within or of_it)


def test_more_gpus_are_faster_and_their_interval_holds_the_likely():
    plans = [p for p in tuning("meta/llama-3.1-8b").plans if (p.rent.offer, p.rent.service) == ("runpod/h100", "standard")]
    by_count = {plan.gpus: plan for plan in plans}
    assert sorted(by_count) == [1, 2, 4, 8, 16]
    assert [by_count[n].hours for n in sorted(by_count)] == sorted((p.hours for p in plans), reverse=True)
    assert all(plan.low_hours < plan.hours < plan.high_hours and plan.low_usd < plan.usd < plan.high_usd for plan in plans)


FAMILY = ("qwen/qwen2.5-0.5b", "qwen/qwen2.5-1.5b", "qwen/qwen2.5-3b", "qwen/qwen2.5-7b", "qwen/qwen2.5-14b", "qwen/qwen2.5-32b")


@pytest.mark.parametrize("technique", ["full", "lora", "qlora"])
def test_more_parameters_never_cost_less(technique):
    costs = [tuning(weights, technique).plans[0].usd for weights in (*FAMILY, "qwen/qwen2.5-72b")]
    assert costs == sorted(costs)


@pytest.mark.parametrize("technique", ["full", "lora", "qlora"])
def test_a_gpu_better_in_everything_never_takes_longer(technique):
    hours = {}
    for gpu in ("a100-80gb", "h100", "h200"):
        hours[gpu] = min(plan.hours for plan in tuning("qwen/qwen2.5-14b", technique, gpus=[gpu]).plans if plan.gpus <= 8)
    assert hours["a100-80gb"] >= hours["h100"] >= hours["h200"]


# --- serving --------------------------------------------------------------------------------------------------------------


def test_cost_of_a_month_rises_by_whole_replicas_above_one_replicas_capacity():
    def month(requests: float) -> tuple[int, float]:
        plans = serving_plans(RATES, LLAMA, TOKENS, Demand(requests), gpus=["l40s"], providers=["runpod"], services=["standard"])
        plan = next(plan for plan in plans.plans if plan.deployment.gpus == 1)
        return plan.replicas, plan.usd_per_month

    found = [month(volume) for volume in np.geomspace(1e4, 1e8, 25)]
    counts = [replicas for replicas, _ in found]
    assert counts[0] == 1
    assert counts == sorted(counts)
    assert counts[-1] > 50
    assert all(usd == pytest.approx(replicas * 1.09 * 730) for replicas, usd in found)


def test_replicas_share_an_instance_and_it_is_paid_whole():
    choice = serving_plans(RATES, LLAMA, TOKENS, Demand(30e6), providers=["aws-ec2"], gpus=["h100"])
    (plan,) = (p for p in choice.plans if p.rent.offer == "aws-ec2/p5.48xlarge" and p.deployment.gpus == 2)
    assert plan.replicas_per_rent == 4
    assert plan.rented == -(-plan.replicas // 4)
    assert plan.usd_per_month == pytest.approx(plan.rented * 55.04 * 730)


def test_the_cost_of_a_token_falls_with_utilisation_and_meets_the_months_cost():
    choice = serving_plans(RATES, LLAMA, TOKENS, Demand(500_000), gpus=["h100"], providers=["runpod"], services=["standard"])
    plan = next(plan for plan in choice.plans if plan.deployment.gpus == 1)
    assert plan.usd_per_mtok_at(plan.utilisation) == pytest.approx(plan.usd_per_mtok)
    curve = plan.usd_per_mtok_at(np.array([0.1, 0.2, 0.5, 1.0]))
    assert curve == pytest.approx(curve[-1] / np.array([0.1, 0.2, 0.5, 1.0]))


def test_a_tighter_latency_never_costs_less():
    months = [
        serving_plans(RATES, LLAMA, TOKENS, Demand(5e6), latency=Latency(1.0, tpot)).plans[0].usd_per_month
        for tpot in (0.2, 0.05, 0.02)
    ]
    assert months == sorted(months)


def test_an_impossible_latency_is_refused_for_every_gpu_in_words():
    choice = serving_plans(RATES, LLAMA, TOKENS, Demand(5e6), latency=Latency(None, 1e-4), gpus=["h100", "l4"])
    assert choice.cheapest is None
    assert all("out of reach" in each.reason for each in choice.refused)
    assert {each.gpu_id for each in choice.refused} == {"h100", "l4"}


# --- bad input ------------------------------------------------------------------------------------------------------------


def test_unknown_gpus_and_providers_name_near_matches():
    with pytest.raises(UnknownOffer, match="h100"):
        tuning("meta/llama-3.1-8b", gpus=["h10"])
    with pytest.raises(UnknownOffer, match="runpod"):
        tuning("meta/llama-3.1-8b", providers=["runpodd"])


def test_a_gpu_that_nobody_rents_out_is_said():
    choice = tuning("meta/llama-3.1-8b", gpus=["mi355x"])
    assert choice.plans == ()
    assert "nobody in the price book" in choice.refused[0].reason


def test_no_tokens_no_requests_and_too_long_sequences_are_refused():
    model = RATES.open_model("meta/llama-2-7b")
    with pytest.raises(TrainingRefused, match="no tokens"):
        tuning_plans(RATES, model, replace(TASK, tokens=0))
    with pytest.raises(MemoryRefused, match="4,096"):
        tuning_plans(RATES, model, replace(TASK, sequence_tokens=8192))
    with pytest.raises(ServingRefused, match="no requests"):
        serving_plans(RATES, model, TOKENS, Demand(0))
    with pytest.raises(ServingRefused, match="context"):
        serving_plans(RATES, model, TokenShape(4000, 200), Demand(1000))


def test_cards_without_bf16_train_in_fp16_with_weights_in_32_bits():
    assert precision_of(RATES.gpu("t4")) == "fp16"
    full = replace(TASK, technique="full")
    assert tuning_setup(full, "fp16").master_weights
    assert not tuning_setup(full, "bf16").master_weights
    assert not tuning_setup(TASK, "fp16").master_weights
