"""``tuneworth compare --data``: a training file says what the scenario leaves out, or all of it."""

from __future__ import annotations

import json

import pytest

EXAMPLE = (
    '{"messages": [{"role": "system", "content": "Be brief and kind."}, {"role": "user", "content": "Hi"}, '
    '{"role": "assistant", "content": "Hello!"}]}\n'
)
SCENARIO = """
name: stated in part
as_of: 2026-11-20
horizon_months: 6
workload: {requests_per_month: 20000, answer_tokens: 99}
task: {kind: style}
approaches:
  prompting: {model: openai/gpt-6-luna}
  fine-tuning: {extends: prompting, model: vertex-ai/gemini-3.1-flash-lite, instruction_tokens: 0, tuning: {}}
"""


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "chat.jsonl"
    path.write_text(EXAMPLE * 300)
    return path


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "partly.yaml"
    path.write_text(SCENARIO)
    return path


def test_a_file_and_a_volume_are_enough(tuneworth, data):
    ran = tuneworth("compare", "--data", data, "--volume", 40000, "--as-of", "2026-11-20", "--format", "json")
    assert ran.code == 0
    answer = json.loads(ran.out)
    assert {approach["name"] for approach in answer["approaches"]} == {"prompting", "few-shot", "fine-tuning"}
    assert "task.examples = 300" in ran.err
    assert "100% of the examples open with the same 9 tokens" in ran.err  # 5 of the text, 1 of the role, 3 of a message
    assert "Assumed: horizon_months = 12" in ran.err
    assert "requests_per_month" not in ran.err


def test_the_scenario_counts_before_the_file(tuneworth, data, scenario):
    ran = tuneworth("compare", scenario, "--data", data, "--format", "json")
    assert ran.code == 0
    assert "not taken from the file: workload.answer_tokens." in ran.err
    assert "workload.user_tokens = 1.0" in ran.err
    assert "approaches.prompting.instruction_tokens = 9" in ran.err
    assert json.loads(ran.out)["as_of"] == "2026-11-20"


def test_without_the_file_the_same_scenario_is_incomplete(tuneworth, scenario):
    ran = tuneworth("compare", scenario)
    assert (ran.code, "workload.user_tokens: the field is missing" in ran.err) == (1, True)


def test_mistakes_in_the_scenario_keep_their_line(tuneworth, data, scenario):
    scenario.write_text(SCENARIO.replace("horizon_months: 6", "horizon_months: 0"))
    ran = tuneworth("compare", scenario, "--data", data)
    assert (ran.code, "line 4" in ran.err) == (1, True)


def test_records_left_out_make_the_answer_partial(tuneworth, data):
    data.write_text(EXAMPLE * 10 + "{broken\n")
    ran = tuneworth("compare", "--data", data)
    assert (ran.code, "1 record left out" in ran.err) == (3, True)


GRADED = '{"messages": [{"role": "user", "content": "Two and two?"}], "answer": "4"}\n'
JUDGED = '{"prompt": "Hi", "completion": "Hello!", "label": true}\n'


def test_prompts_to_be_graded_need_a_stated_length_of_answers(tuneworth, data, scenario):
    data.write_text(GRADED * 20)
    ran = tuneworth("compare", "--data", data)
    assert (ran.code, ran.out) == (1, "")
    assert "hold no answers" in ran.err
    assert "State workload.answer_tokens in a scenario" in ran.err
    scenario.write_text(SCENARIO.replace("gpt-6-luna}", "gpt-6-luna, instruction_tokens: 9}"))
    assert tuneworth("compare", scenario, "--data", data).code == 0


def test_nobody_trains_on_unpaired_preferences(tuneworth, data, scenario):
    data.write_text(JUDGED * 20)
    for arguments in (("--data", data), (scenario, "--data", data)):
        ran = tuneworth("compare", *arguments)
        assert (ran.code, ran.out, "no provider in the price book trains" in ran.err) == (1, "", True)


WRONG = [
    ((), "Name a scenario file, or a training file by --data"),
    (("--volume", "5"), "Name a scenario file"),
    (("--data", "nowhere.jsonl"), "there is no such file"),
    (("--tuned-model", "vertex-ai/gemini-9", "--data", "DATA"), "has no 'gemini-9'"),
    (("SCENARIO", "--data", "DATA", "--volume", "7"), "Change them there"),
    (("SCENARIO", "--volume", "7"), "Name one by --data"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_wrong_input_is_told_in_words(tuneworth, data, scenario, options, message):
    ran = tuneworth("compare", *({"DATA": data, "SCENARIO": scenario}.get(option, option) for option in options))
    assert (ran.code, message in ran.err) == (1, True), ran.err
    assert "Traceback" not in ran.err
