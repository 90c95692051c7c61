"""What a file's examples share and what a scenario takes from them."""

from __future__ import annotations

import json
import tracemalloc
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from calc import compare
from ingest import InputError, read_data, scenario_from_data, tokenizer_for
from ingest.data_scenario import filled_in
from pricing import PriceBook

BOOK = PriceBook.bundled()
DAY = date(2026, 11, 21)
RATES = BOOK.as_of(DAY, recorded_through=DAY)
MODEL = "gpt-4.1-mini"

SYSTEM = {"role": "system", "content": "You answer customers of a shop. Be brief and kind."}
SHOTS = [
    {"role": "user", "content": "Where is my parcel?"},
    {"role": "assistant", "content": "It will be there tomorrow."},
    {"role": "user", "content": "Can I return it?"},
    {"role": "assistant", "content": "Yes, within a month."},
]


def request(number: int) -> list[dict[str, Any]]:
    return [{"role": "user", "content": f"Order {number}?"}, {"role": "assistant", "content": "On its way."}]


def written(path: Path, examples: list[list[dict[str, Any]]]) -> Path:
    path.write_text("".join(json.dumps({"messages": messages}) + "\n" for messages in examples))
    return path


def count(*texts: str) -> int:
    return int(sum(tokenizer_for(MODEL).counts(list(texts))))


def test_the_opening_of_all_examples_is_found_and_counted(tmp_path: Path) -> None:
    read = read_data(written(tmp_path / "a.jsonl", [[SYSTEM, *SHOTS, *request(i)] for i in range(50)]), MODEL)
    # by the cookbook's rule a message is its texts, its role and 3 tokens
    shown = count(*(text for shot in SHOTS for text in shot.values())) + 3 * len(SHOTS)
    assert read.with_opening_share == 1
    assert (read.instruction_tokens, read.few_shot_tokens, read.shots) == (count(*SYSTEM.values()) + 3, shown, 2)
    assert read.saved_tokens_per_request == read.instruction_tokens + read.few_shot_tokens
    assert read.answer_tokens == count("On its way.")
    assert read.user_tokens == pytest.approx(sum(count(f"Order {i}?") for i in range(50)) / 50)
    # what is left of an example is its request, its answer and the 3 tokens of the reply's start
    alone = read_data(written(tmp_path / "b.jsonl", [request(i) for i in range(50)]), MODEL)
    assert read.tokens_per_example == pytest.approx(alone.tokens_per_example)


def test_a_minority_without_the_opening_is_counted_not_dropped(tmp_path: Path) -> None:
    examples = [[SYSTEM, *request(i)] if i % 4 else request(i) for i in range(2000)]
    read = read_data(written(tmp_path / "a.jsonl", examples), MODEL)
    assert (read.examples, read.with_opening_share, read.instruction_tokens) == (2000, 0.75, count(*SYSTEM.values()) + 3)


def test_an_opening_of_half_the_examples_is_none(tmp_path: Path) -> None:
    examples = [[SYSTEM, *request(i)] if i % 2 else request(i) for i in range(100)]
    read = read_data(written(tmp_path / "a.jsonl", examples), MODEL)
    assert (read.with_opening_share, read.saved_tokens_per_request) == (0, 0)


def test_the_request_itself_is_no_opening_however_often_it_is_asked(tmp_path: Path) -> None:
    read = read_data(written(tmp_path / "a.jsonl", [[SYSTEM, *request(7)]] * 20), MODEL)
    assert (read.shots, read.few_shot_tokens) == (0, 0)
    assert read.user_tokens == count("Order 7?")


def test_turns_after_the_opening_are_counted(tmp_path: Path) -> None:
    read = read_data(written(tmp_path / "a.jsonl", [[SYSTEM, *request(i), *request(i + 1)] for i in range(20)]), MODEL)
    assert read.turns_per_conversation == 2


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(examples: int) -> int:
        path = written(tmp_path / "a.jsonl", [[SYSTEM, *request(i)] for i in range(examples)])
        tracemalloc.start()
        read_data(path, MODEL)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(100)
    assert peak(40_000) < 1.5 * peak(10_000)


def test_a_scenario_is_made_of_a_file_and_says_what_it_assumes(tmp_path: Path) -> None:
    read = read_data(written(tmp_path / "a.jsonl", [[SYSTEM, *SHOTS, *request(i)] for i in range(50)]), MODEL)
    made = scenario_from_data(read, RATES, requests_per_month=250_000)
    scenario = made.scenario
    assert (scenario.task.examples, scenario.workload.requests_per_month) == (50, 250_000)
    assert scenario.approaches["prompting"].instruction_tokens == read.instruction_tokens
    assert scenario.approaches["fine-tuning"].instruction_tokens == 0
    few = scenario.approaches["few-shot"]
    assert few.shots * few.tokens_per_shot == pytest.approx(read.few_shot_tokens)  # type: ignore[operator]
    assert not any("requests_per_month" in line for line in made.assumed)  # it was stated
    assert any(line.startswith("approaches.fine-tuning.model = ") for line in made.assumed)
    assert {r.status for r in compare(scenario, BOOK).results.values()} == {"available"}


def test_without_shared_instructions_their_length_is_an_assumption(tmp_path: Path) -> None:
    read = read_data(written(tmp_path / "a.jsonl", [request(i) for i in range(50)]), MODEL)
    made = scenario_from_data(read, RATES)
    assert made.scenario.approaches["prompting"].instruction_tokens == 600
    assert any("instruction_tokens = 600 (150 to 3,000)" in line for line in made.assumed)
    assert any("requests_per_month = 100,000" in line for line in made.assumed)


def test_preferences_are_tuned_as_such(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    answers = {key: [{"role": "assistant", "content": "Yes."}] for key in ("preferred_output", "non_preferred_output")}
    path.write_text((json.dumps({"input": {"messages": request(1)[:1]}} | answers) + "\n") * 20)
    read = read_data(path, MODEL)
    made = scenario_from_data(read, RATES)
    assert made.scenario.approaches["fine-tuning"].tuning.method == "dpo"  # type: ignore[union-attr]
    assert made.scenario.task.kind == "preference"
    assert compare(made.scenario, BOOK).results["fine-tuning"].status == "available"


def test_what_a_scenario_states_wins(tmp_path: Path) -> None:
    read = read_data(written(tmp_path / "a.jsonl", [[SYSTEM, *request(i)] for i in range(50)]), MODEL)
    fields = {
        "workload": {"requests_per_month": 10, "answer_tokens": 99},
        "approaches": {"prompting": {"model": "openai/gpt-6-luna"}},
    }
    filled = filled_in(fields, read)
    assert filled.fields["workload"]["answer_tokens"] == 99
    assert filled.kept == ("workload.answer_tokens",)
    assert filled.fields["task"]["examples"] == 50
    assert filled.fields["approaches"]["prompting"]["instruction_tokens"] == read.instruction_tokens
    assert any(line.startswith("task.examples = 50") for line in filled.measured)
    assert fields["workload"] == {"requests_per_month": 10, "answer_tokens": 99}


def test_misshapen_scenarios_are_left_to_validation(tmp_path: Path) -> None:
    read = read_data(written(tmp_path / "a.jsonl", [request(i) for i in range(5)]), MODEL)
    assert filled_in({"workload": 7, "approaches": ["prompting"]}, read).fields["workload"] == 7


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_data(tmp_path / "none.jsonl", MODEL)
