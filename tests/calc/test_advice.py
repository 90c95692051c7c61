"""Rules of thumb against the computed result, and the notes on what stands in an approach's way."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from calc import Comparison, Scenario, compare
from calc.advice import CHECKS, Rule, rules
from calc.claims import CLAIMS
from calc.feasibility import Note, feasibility
from ingest import load_scenario
from pricing import PriceBook
from reports import words

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STATES = {"Holds", "Fails", "Dated", "Too high", "Cannot tell"}


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return PriceBook.bundled()


def example(book: PriceBook, name: str) -> Comparison:
    return compare(load_scenario(EXAMPLES / f"{name}.yaml"), book)


def small(book: PriceBook, tuned: dict[str, Any] | None = None, **changes: Any) -> Comparison:
    """A small workload; ``tuned`` changes its fine-tuning, ``changes`` its top-level fields."""
    fields: dict[str, Any] = {
        "name": "small",
        "as_of": date(2026, 11, 20),
        "horizon_months": 12,
        "organisation": {"openai": "active"},
        "workload": {"requests_per_month": 10_000, "user_tokens": 200, "answer_tokens": 100},
        "task": {"kind": "style", "examples": 100, "tokens_per_example": 300, "rejected_answer_usd": 0.1},
        "approaches": {
            "prompting": {"model": "openai/gpt-6-luna", "instruction_tokens": 500, "accepted": 0.9},
            "few-shot": None,
            "fine-tuning": {
                "model": "bedrock/nova-micro",
                "instruction_tokens": 50,
                "tuning": {"epochs": 3},
                "accepted": 0.92,
                **(tuned or {}),
            },
        },
    }
    return compare(Scenario.model_validate(fields | changes), book)


def by_id(comparison: Comparison) -> dict[str, Rule]:
    return {rule.id: rule for rule in rules(comparison)}


def of(comparison: Comparison, approach: str) -> dict[str, Note]:
    return {note.kind: note for note in feasibility(comparison) if note.approach == approach}


def test_rules_are_short_and_told_apart() -> None:
    assert [claim.id for claim in CLAIMS] == list(CHECKS)
    assert len({claim.text for claim in CLAIMS}) == len(CLAIMS)
    assert all(len(claim.text) <= 52 for claim in CLAIMS)


@pytest.mark.parametrize("name", [path.stem for path in sorted(EXAMPLES.glob("*.yaml"))])
def test_every_rule_has_a_finding_for_every_example(book: PriceBook, name: str) -> None:
    for rule in rules(example(book, name)):
        assert rule.state in STATES
        assert rule.finding.endswith(".")
        assert "nan" not in rule.finding.lower()
        assert all(value == value for value in rule.values.values())


def test_support_tone(book: PriceBook) -> None:
    comparison = example(book, "support_tone")
    found = by_id(comparison)
    assert found["small-workload"].state == "Holds"
    saved = found["small-workload"].values["saved_usd"]
    totals = {name: float(result.total()) for name, result in comparison.available.items()}
    assert saved == pytest.approx(totals["fine-tuning"] - totals["few-shot"])  # not the variant that falls back
    assert found["millions-a-month"].values["first"] == next(i.first for i in comparison.envelope if i.winner == "fine-tuning")
    assert found["lora-run"].state == "Too high"
    # 488 examples × 570 tokens × 3 epochs at $0.50 a million
    assert found["lora-run"].values["run_usd"] == pytest.approx(488 * 570 * 3 * 0.5 / 1e6)
    assert found["twice-the-base"].values["times_base"] == pytest.approx(2)
    assert found["hybrid-default"].state == "Fails"
    assert found["hybrid-default"].severity == "caution"


def test_a_rule_of_thumb_gives_way_to_the_computed_result(book: PriceBook) -> None:
    spam, legal = by_id(example(book, "spam_classification")), by_id(example(book, "legal_drafts"))
    assert spam["changing-facts"].state == "Holds"
    assert spam["changing-facts"].severity == "caution"
    assert legal["millions-a-month"].state == "Too high"
    assert legal["millions-a-month"].severity == "caution"
    assert legal["hybrid-default"].state == "Holds"
    assert legal["hybrid-default"].severity == "info"


def test_claimed_training_prices_are_held_against_the_page(book: PriceBook) -> None:
    found = by_id(small(book))
    mini, large = found["training-gpt-4o-mini"], found["training-gpt-4o"]
    assert (mini.state, mini.values["listed"], mini.values["claimed"]) == ("Dated", 3, 25)
    assert (large.state, large.values["listed"], large.values["claimed"]) == ("Dated", 25, 100)
    assert "$3" in mini.finding
    assert "6 January 2027" in mini.finding


def test_the_small_workload_rule_fails_where_tuning_wins_all_the_same(book: PriceBook) -> None:
    task = {"kind": "style", "examples": 100, "tokens_per_example": 300, "rejected_answer_usd": 50}
    rule = by_id(small(book, task=task))["small-workload"]
    assert (rule.state, rule.severity) == ("Fails", "caution")


def test_a_missing_input_cannot_tell(book: PriceBook) -> None:
    found = by_id(small(book))
    assert found["changing-facts"].state == "Cannot tell"
    assert found["hybrid-default"].state == "Cannot tell"
    assert found["own-gpus"].state == "Cannot tell"


def test_examples_needed_follow_the_kind_of_task(book: PriceBook) -> None:
    style = {"kind": "style", "examples": 60, "tokens_per_example": 300}
    assert by_id(small(book, task=style))["examples-needed"].state == "Holds"
    assert by_id(small(book, task=style | {"kind": "reasoning"}))["examples-needed"].state == "Fails"


def test_rules_of_a_scenario_without_tuning(book: PriceBook) -> None:
    prompting = {"model": "openai/gpt-6-luna", "instruction_tokens": 500, "accepted": 0.9}
    comparison = small(book, approaches={"prompting": prompting})
    assert {rule.state for rule in rules(comparison)} <= STATES
    assert by_id(comparison)["millions-a-month"].state == "Cannot tell"


def test_a_context_window_that_is_exceeded_stops(book: PriceBook) -> None:
    comparison = small(book, {"instruction_tokens": 200_000})
    note = of(comparison, "fine-tuning")["context exceeded"]
    assert note.severity == "stop"
    assert "128,000" in note.text
    assert "context exceeded" not in of(comparison, "prompting")


def test_a_conversation_that_outgrows_the_window_is_seen(book: PriceBook) -> None:
    work = {"requests_per_month": 10_000, "user_tokens": 4_000, "answer_tokens": 4_000, "turns_per_conversation": 20}
    assert "context exceeded" in of(small(book, workload=work), "fine-tuning")


def test_too_few_examples(book: PriceBook) -> None:
    openai = {"model": "openai/gpt-4.1-mini"}
    few = {"kind": "style", "examples": 9, "tokens_per_example": 300}
    assert of(small(book, openai, task=few), "fine-tuning")["too few examples"].severity == "stop"
    assert of(small(book, openai, task=few | {"examples": 20}), "fine-tuning")["too few examples"].severity == "caution"
    assert "too few examples" not in of(small(book, openai), "fine-tuning")


def test_claude_is_not_tunable_first_hand(book: PriceBook) -> None:
    note = of(small(book, {"model": "anthropic/claude-haiku-5-5"}), "fine-tuning")["not tunable"]
    assert note.severity == "stop"
    assert "Bedrock ended on 10 September 2026" in note.text


def test_an_unverified_price_is_named(book: PriceBook) -> None:
    unverified = {"model": "openai/gpt-4.1-mini", "tuning": {"method": "dpo", "epochs": 2}}
    refused = of(small(book, unverified), "fine-tuning")["unverified price"]
    assert refused.severity == "stop"
    accepted = of(small(book, unverified, accept_unverified=("openai/gpt-4.1-mini",)), "fine-tuning")["unverified price"]
    assert accepted.severity == "caution"
    assert "accepted" in accepted.text


def test_closed_to_inactive_organisations(book: PriceBook) -> None:
    note = of(small(book, {"model": "openai/gpt-4.1-mini"}, organisation={"openai": "inactive"}), "fine-tuning")
    assert note["closed to this organisation"].day == date(2026, 7, 2)
    assert note["closed to this organisation"].source.startswith("https://")


def test_a_missing_share_is_said(book: PriceBook) -> None:
    assert "quality not stated" in of(small(book, {"accepted": None}), "fine-tuning")


def test_stops_come_first(book: PriceBook) -> None:
    order = [note.severity for note in feasibility(example(book, "helpfulness_dpo"))]
    assert order == sorted(order, key=["stop", "caution", "info"].index)


def test_a_price_read_long_ago_is_pointed_out() -> None:
    example = Path(__file__).parents[2] / "examples" / "support_tone.yaml"
    found = compare(load_scenario(example), PriceBook.bundled())
    notes = {note.approach: note for note in feasibility(found) if note.kind == "old price"}
    # OpenAI's page with the tuned rates was read on 21 August 2025, 456 days before 20 November 2026
    assert "456 days" in notes["fine-tuning at OpenAI"].text
    assert "prompting" not in notes


def test_every_kind_of_claim_is_there(book: PriceBook) -> None:
    kinds = [claim.kind for claim in CLAIMS]
    assert kinds.count("worth it when") == 7
    assert kinds.count("skip it when") == 5
    assert [rule.id for rule in rules(small(book))] == [claim.id for claim in CLAIMS]


def test_a_rule_that_advises_otherwise_than_the_totals_fails(book: PriceBook) -> None:
    task = {"kind": "format", "examples": 1_500, "tokens_per_example": 300, "rejected_answer_usd": 0.1}
    found = by_id(small(book, task=task))
    for rule in ("narrow-task", "labelled-examples", "edge-cases"):
        assert (found[rule].state, found[rule].severity) == ("Fails", "caution"), rule
    assert found["only-facts"].state == found["no-data"].state == "Cannot tell"
    found = by_id(small(book, task=task | {"rejected_answer_usd": 50}))  # two points of quality pay for everything
    for rule in ("narrow-task", "labelled-examples", "edge-cases"):
        assert (found[rule].state, found[rule].severity) == ("Holds", "info"), rule


def test_rules_against_tuning(book: PriceBook) -> None:
    found = by_id(small(book, {"accepted": 0.89}, task={"kind": "facts", "examples": 20, "tokens_per_example": 300}))
    for rule in ("only-facts", "no-data", "prompted-already"):
        assert (found[rule].state, found[rule].severity) == ("Holds", "info"), rule


def test_latency_is_told_where_seconds_are_stated(book: PriceBook) -> None:
    task = {"kind": "style", "examples": 100, "tokens_per_example": 300, "rejected_answer_usd": 0.1}
    prompting = {"model": "openai/gpt-6-luna", "instruction_tokens": 500, "accepted": 0.9, "seconds_per_answer": 4}
    tuned = {"model": "bedrock/nova-micro", "instruction_tokens": 50, "tuning": {"epochs": 3}, "accepted": 0.92}
    approaches = {"prompting": prompting, "few-shot": None, "fine-tuning": tuned | {"seconds_per_answer": 1.5}}
    limited = small(book, task=task | {"seconds_per_answer_limit": 2}, approaches=approaches)
    rule = by_id(limited)["latency"]
    assert (rule.state, rule.values) == ("Fails", {"limit": 2, "tuned": 1.5, "other": 4})
    assert of(limited, "prompting")["too slow"].severity == "stop"
    assert "too slow" not in of(limited, "fine-tuning")
    assert by_id(small(book, task=task, approaches=approaches))["latency"].state == "Cannot tell"


def test_seconds_that_are_not_stated_are_said(book: PriceBook) -> None:
    task = {"kind": "style", "examples": 100, "tokens_per_example": 300, "seconds_per_answer_limit": 2}
    assert of(small(book, task=task), "prompting")["too slow"].severity == "info"


def test_a_share_below_what_is_asked_for_stops_but_keeps_its_total(book: PriceBook) -> None:
    task = {"kind": "style", "examples": 100, "tokens_per_example": 300, "minimum_accepted_share": 0.91}
    comparison = small(book, task=task)
    assert of(comparison, "prompting")["too few accepted"].severity == "stop"
    assert "too few accepted" not in of(comparison, "fine-tuning")
    assert comparison.winner() == "prompting"
    assert "But prompting does not meet what is asked: 90.0% of the answers are accepted" in words.reasons(comparison)


def test_facts_that_change_while_nothing_does(book: PriceBook) -> None:
    task = {"kind": "style", "examples": 100, "tokens_per_example": 300, "facts_changing_per_month_share": 0.1}
    assert of(small(book, task=task), "fine-tuning")["stale facts"].severity == "caution"
    kept_up = {"tuning": {"epochs": 3, "retrain_every_months": 3}}
    assert "stale facts" not in of(small(book, kept_up, task=task), "fine-tuning")


ON_PREMISES = {"kind": "style", "examples": 1_000, "tokens_per_example": 300, "on_premises": True}
OWN = {
    "model": "meta/llama-3.1-8b",
    "instruction_tokens": 50,
    "accepted": 0.92,
    "tuning": {"kind": "own_gpus", "gpu": "l40s", "rent": "runpod", "training_hours_per_run": 1, "epochs": 3},
    "serving": {"kind": "own_gpus", "gpu": "l40s", "rent": "runpod", "requests_per_second_per_replica": 4},
}


def test_what_calls_a_provider_cannot_win_on_premises(book: PriceBook) -> None:
    prompting = {"model": "openai/gpt-6-luna", "instruction_tokens": 500, "accepted": 0.9}
    retrieving = OWN | {"retrieval": {"corpus_tokens": 1e6, "store": "pinecone/serverless"}}
    approaches = {"prompting": prompting, "few-shot": None, "fine-tuning": OWN, "hybrid": retrieving}
    comparison = small(book, task=ON_PREMISES, approaches=approaches)
    assert list(comparison.available) == ["fine-tuning"]
    assert comparison.winner() == "fine-tuning"
    assert {interval.winner for interval in comparison.envelope} == {"fine-tuning"}
    assert comparison.is_partial
    assert of(comparison, "prompting")["off premises"].severity == "stop"
    assert "openai/gpt-6-luna" in of(comparison, "prompting")["off premises"].text
    assert "pinecone/serverless" in of(comparison, "hybrid")["off premises"].text
    assert of(comparison, "fine-tuning")["rented GPUs"].severity == "caution"
    assert by_id(comparison)["on-premises"].state == "Holds"
    assert "Prompting cannot run on your premises: it calls openai/gpt-6-luna." in words.reasons(comparison)
    assert "the only one of three approaches that can run on your premises" in words.verdict(comparison)
    assert words.lead(comparison, "prompting") == "Not on your premises"


def test_without_the_requirement_nothing_is_said_of_premises(book: PriceBook) -> None:
    comparison = small(book, task=ON_PREMISES | {"on_premises": False})
    assert not {"off premises", "rented GPUs"} & {note.kind for note in feasibility(comparison)}
    assert "prompting" in comparison.available


def test_a_claim_held_against_a_page_names_it(book: PriceBook) -> None:
    found = by_id(small(book))
    for rule in ("training-gpt-4o-mini", "training-gpt-4o", "training-together", "near-base-at-together", "lora-run"):
        assert found[rule].source.startswith(("https://", "pkg:")), rule
        assert found[rule].source_date is not None, rule
    assert found["near-base-at-together"].state == "Dated"


def test_what_lora_trains_is_computed_from_the_shape(book: PriceBook) -> None:
    found = by_id(small(book, OWN))
    # rank 16, 32 layers; the two sides of q and o, of k and v, and of gate, up and down; 8.03 billion in all
    sides = (4096 + 4096) * 2 + (4096 + 1024) * 2 + (4096 + 14336) * 3
    assert found["lora-adapter"].values["megabytes"] == pytest.approx(2 * 16 * 32 * sides / 1e6)
    assert found["lora-weights"].values["share"] == pytest.approx(16 * 32 * sides / 8.03e9, rel=1e-3)
    assert found["lora-weights"].state == "Holds"


def test_an_adapter_is_held_against_full_tuning(book: PriceBook) -> None:
    tuned = {"model": "fireworks/llama-3.1-8b", "instruction_tokens": 50, "tuning": {"epochs": 3}, "accepted": 0.9}
    full = tuned | {"tuning": {"epochs": 3, "technique": "full"}, "accepted": 0.96}
    prompting = {"model": "openai/gpt-6-luna", "instruction_tokens": 500, "accepted": 0.9}
    approaches = {"prompting": prompting, "few-shot": None, "fine-tuning": tuned, "all weights": full}
    found = by_id(small(book, approaches=approaches))
    assert found["lora-quality"].values["kept"] == pytest.approx(0.9 / 0.96)
    assert found["lora-quality"].state == "Fails"
    assert found["lora-cheaper"].values["ratio"] == pytest.approx(2)


def test_where_nothing_stays_on_premises_the_verdict_says_so(book: PriceBook) -> None:
    comparison = small(book, task=ON_PREMISES)
    assert not comparison.available
    assert words.verdict(comparison) == "No approach can run on your premises"
    assert rules(comparison)[0].state == "Cannot tell"


# --- rules conclude about nothing that was never priced -----------------------------------------------------------------------

PROMPTED: dict[str, Any] = {"model": "openai/gpt-6-luna", "instruction_tokens": 500, "accepted": 0.9}
SHOWN: dict[str, Any] = {"extends": "prompting", "shots": 4, "accepted": 0.92}
TUNED: dict[str, Any] = {"model": "bedrock/nova-micro", "instruction_tokens": 50, "tuning": {"epochs": 3}, "accepted": 0.92}
UNTUNABLE = TUNED | {"model": "anthropic/claude-haiku-5-5"}
WEIGHING_TUNING = {
    "millions-a-month", "labelled-examples", "narrow-task", "latency", "style", "on-premises", "edge-cases", "small-workload",
    "changing-facts", "only-facts", "prompted-already", "no-data", "order", "hybrid-default", "tuning-up-front",
}  # fmt: skip


@pytest.mark.parametrize(
    ("approaches", "task"),
    [
        ({"prompting": PROMPTED}, {}),
        ({"prompting": PROMPTED, "few-shot": SHOWN}, {}),
        ({"prompting": PROMPTED, "few-shot": SHOWN, "fine-tuning": UNTUNABLE, "another": UNTUNABLE}, {}),
        ({"prompting": PROMPTED, "few-shot": SHOWN}, {"examples": 2_000, "kind": "format"}),
        ({"prompting": PROMPTED, "few-shot": SHOWN}, {"examples": 20, "kind": "facts"}),
        ({"prompting": PROMPTED | {"accepted": None}, "fine-tuning": TUNED}, {}),
        ({"prompting": PROMPTED | {"accepted": None}, "fine-tuning": TUNED}, {"examples": 2_000, "kind": "format"}),
    ],
)
def test_rules_for_or_against_tuning_need_both_priced(book: PriceBook, approaches: dict[str, Any], task: dict[str, Any]) -> None:
    stated = {"kind": "style", "examples": 100, "tokens_per_example": 300, "rejected_answer_usd": 0.1} | task
    found = by_id(small(book, approaches={"few-shot": None} | approaches, task=stated))
    concluding = {name: rule.state for name, rule in found.items() if name in WEIGHING_TUNING and rule.state != "Cannot tell"}
    # where prompting and few-shot alone are in the wrong order by cost, that is a finding
    assert not concluding or concluding == {"order": "Fails"}
    assert all(rule.severity == "info" for name, rule in found.items() if name not in concluding)


def test_prompting_beside_few_shot_fails_no_rule_of_tuning(book: PriceBook) -> None:
    rule = by_id(small(book, approaches={"prompting": PROMPTED, "few-shot": None}))["style"]
    assert rule.state == "Cannot tell"
    assert "needs a tuned approach" in rule.finding


def test_only_what_may_not_be_used_needs_no_price(book: PriceBook) -> None:
    own = TUNED | {
        "model": "meta/llama-3.1-8b",
        "tuning": {"kind": "own_gpus", "gpu": "l40s", "rent": "runpod", "epochs": 3},
        "serving": {"kind": "own_gpus", "gpu": "l40s", "rent": "runpod"},
    }
    task = {"kind": "style", "examples": 100, "tokens_per_example": 300, "on_premises": True}
    approaches = {"prompting": PROMPTED, "few-shot": None, "fine-tuning": own}
    found = small(book, approaches=approaches, task=task)
    assert found.results["prompting"].status == "unavailable"
    assert by_id(found)["on-premises"].state == "Holds"


# --- an approach's own requests ----------------------------------------------------------------------------------------------


def late(book: PriceBook, go_live_month: int, **more: Any) -> Comparison:
    """Own GPUs and retrieval that go live in a month, the prompting reference standing in before."""
    own = TUNED | {
        "model": "meta/llama-3.1-8b",
        "tuning": {"kind": "managed", "at": "fireworks", "epochs": 3},
        "serving": {"kind": "own_gpus", "gpu": "l40s", "rent": "runpod", "requests_per_second_per_replica": 5},
        "go_live_month": go_live_month,
    }
    approaches = {"prompting": PROMPTED, "few-shot": None, "fine-tuning": own | more}
    return small(book, approaches=approaches)


def test_gpus_of_a_late_start_are_divided_by_the_requests_they_answer(book: PriceBook) -> None:
    first, second = (by_id(late(book, month))["own-gpus"] for month in (0, 6))
    # one replica answers the same requests a month whenever it starts
    assert second.values["gpu_usd_per_request"] == pytest.approx(first.values["gpu_usd_per_request"], rel=0.01)
    assert "today" not in second.finding
    assert "it answers over the horizon" in second.finding


def test_a_share_of_a_late_start_is_named_its_own(book: PriceBook) -> None:
    assert "92.0% accepted with fine-tuning itself, 90.0% with prompting:" in by_id(late(book, 6))["edge-cases"].finding
    assert "92.0% accepted with fine-tuning, 90.0% with prompting:" in by_id(late(book, 0))["edge-cases"].finding


def test_too_few_accepted_is_of_the_approach_itself(book: PriceBook) -> None:
    task = {"kind": "style", "examples": 100, "tokens_per_example": 300, "minimum_accepted_share": 0.915}
    approaches = {"prompting": PROMPTED, "few-shot": None, "fine-tuning": TUNED | {"go_live_month": 6}}
    found = small(book, approaches=approaches, task=task)
    assert "too few accepted" not in of(found, "fine-tuning")  # 92 %, of which the first six months' 90 % are prompting's
    assert "too few accepted" in of(found, "prompting")


def test_re_embedding_is_told_for_the_months_with_retrieval(book: PriceBook) -> None:
    task = {
        "kind": "facts", "examples": 100, "tokens_per_example": 300, "corpus_tokens": 50_000_000,
        "facts_changing_per_month_share": 0.5,
    }  # fmt: skip
    monthly = []
    for month in (0, 6):
        rag = {"extends": "prompting", "retrieval": {"store": "pinecone/serverless"}, "accepted": 0.9, "go_live_month": month}
        approaches = {"prompting": PROMPTED, "few-shot": None, "rag": rag, "fine-tuning": TUNED, "hybrid": None}
        rule = by_id(small(book, approaches=approaches, task=task))["changing-facts"]
        monthly.append(rule.values["embedding_usd_per_month"])
    assert monthly[1] == pytest.approx(monthly[0])
