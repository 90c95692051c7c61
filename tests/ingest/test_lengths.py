"""Lengths of examples of every kind, by several vocabularies in one reading."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import bpe_openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import InputError
from ingest.counting import counting_for
from ingest.dataset import measure, training_file
from ingest.lengths import batches, histogram, percentile, total

MODELS = ("gpt-4.1-mini", "gpt-4", "llama-3.3-70b", "mistral-v3", "claude-opus-4-8")


def turn(role: str, content: str, **extra) -> dict:
    return {"role": role, "content": content, **extra}


@pytest.fixture
def measured(tmp_path):
    """A function that writes lines of objects and measures them as a model counts."""

    def of(*lines: dict, model: str = "gpt-4.1-mini", **options):
        path = tmp_path / "data.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        counting = counting_for(model)
        return training_file(measure(path, [counting]), counting, **options)

    return of


def words(n: int) -> str:
    """A text of n tokens in o200k."""
    return " a" * n


def test_preferences_are_counted_with_the_prompt_for_either_answer(measured):
    # prompt: 3 for the reply + 3 + role 1 + 10; preferred: 3 + 1 + 5; other: 3 + 1 + 2
    line = {
        "prompt": [turn("user", words(10))],
        "chosen": [turn("assistant", words(5))],
        "rejected": [turn("assistant", words(2))],
    }
    file = measured(line, max_tokens_per_example=25, epochs=2)
    assert (file.examples, file.kinds, file.format) == (1, {"preference": 1}, "TRL preference")
    assert file.total_tokens == (17 + 9) + (17 + 6)
    assert file.training_tokens == 25 + 23
    assert file.billed_tokens == 96
    assert file.prompt_once_tokens == 17 + 9 + 6
    assert (file.content_tokens, file.trained_tokens, file.truncated_examples) == (17, 7, 1)
    assert any("that it is billed so is an estimate" in note for note in file.notes)


def test_assistant_turns_before_a_preference_are_not_learned(measured):
    shared = [turn("user", "Hi"), turn("assistant", words(50)), turn("user", "Hi")]
    line = {"prompt": shared, "chosen": [turn("assistant", words(3))], "rejected": [turn("assistant", words(4))]}
    assert measured(line).trained_tokens == 7


def test_one_judged_answer_is_one_sequence(measured):
    file = measured({"prompt": words(10), "completion": words(4), "label": True})
    assert file.kinds == {"unpaired preference": 1}
    assert (file.total_tokens, file.trained_tokens) == (3 + (4 + 10) + (4 + 4), 4)


def test_completions_are_learned_and_prompts_are_not(measured):
    file = measured({"prompt": words(10), "completion": words(4)})
    assert (file.kinds, file.total_tokens, file.trained_tokens) == ({"completion": 1}, 25, 4)
    assert measured({"prompt": words(10), "completion": words(4)}, model="davinci-002").total_tokens == 14


def test_text_is_learned_whole_and_has_no_template(measured):
    file = measured({"text": words(12)}, {"text": words(3)})
    assert (file.kinds, file.total_tokens, file.trained_tokens, file.content_tokens) == ({"text": 2}, 15, 15, 15)


def test_reinforcement_prompts_teach_nothing_by_themselves(measured):
    file = measured({"messages": [turn("user", words(10))], "reference": "4"})
    assert (file.kinds, file.trained_tokens) == ({"reinforcement": 1}, 0)
    assert any("are prompts" in note for note in file.notes)


def test_tool_definitions_are_counted_apart_and_calls_are_learned(measured):
    tools = [{"type": "function", "function": {"name": "track", "parameters": {}}}]
    call = {"id": "c", "type": "function", "function": {"name": "track", "arguments": "{}"}}
    messages = [turn("user", "Where?"), {"role": "assistant", "tool_calls": [call]}]
    plain = measured({"messages": messages})
    file = measured({"messages": messages, "tools": tools})
    encode = bpe_openai.get_encoding("o200k_base").encode_ordinary
    assert file.tool_definition_tokens == len(encode(json.dumps(tools, separators=(",", ":"))))
    assert file.total_tokens == plain.total_tokens
    assert file.trained_tokens == len(encode("track")) + len(encode("{}"))


def test_images_are_counted_apart(measured):
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}] * 2
    file = measured({"messages": [turn("user", parts), turn("assistant", "A cat.")]})
    assert file.media == 2
    assert any("which are not counted" in note for note in file.notes)


def test_an_estimate_has_its_range_and_cuts_each_example(measured):
    line = {"messages": [turn("user", words(100)), turn("assistant", words(100))]}
    file = measured(line, model="claude-opus-4-8", max_tokens_per_example=300, epochs=2)
    # 211 tokens of o200k: 232 to 401, likely 327
    assert (file.exact, file.total_tokens, file.training_tokens, file.billed_tokens) == (False, 327, 300, 600)
    assert file.estimate["training_tokens"] == (232, 300)
    assert file.estimate["billed_tokens"] == (464, 600)
    assert measured(line).estimate == {}


def test_one_reading_counts_as_many_do(shared_file):
    for name in ("dpo_en_demo.json", "toy_chat_fine_tuning.jsonl", "v1_sft_demo.jsonl"):
        path = shared_file(name)
        countings = [counting_for(model) for model in MODELS]
        together = measure(path, countings)
        for counting in countings:
            assert measure(path, [counting]).family(counting) == together.family(counting)
        assert together.families.keys() == {counting.family for counting in countings}


@pytest.mark.parametrize("encoding", ["cl100k_base", "o200k_base"])
@pytest.mark.parametrize("name", ["alpaca_en_demo.json", "gpteacher_roleplay.json"])
def test_real_files_count_as_another_tokenizer_does(shared_file, name, encoding):
    path = shared_file(name)
    encode = bpe_openai.get_encoding(encoding).encode_ordinary
    lengths: Counter[int] = Counter()
    trained = 0
    for row in json.loads(path.read_text(encoding="utf-8")):
        answer = row.get("output", row.get("response"))
        asked = [text for text in (row["instruction"], row["input"]) if text]
        lengths[11 + sum(len(encode(text)) for text in [*asked, answer])] += 1
        trained += len(encode(answer))
    counting = counting_for(encoding)
    family = measure(path, [counting]).family(counting)
    assert (family.lengths, family.trained_tokens) == (lengths, trained)


def test_several_files_of_several_formats_are_one_set(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"messages": [turn("user", "Hi"), turn("assistant", "Hello")]}) + "\n{\n")
    (tmp_path / "b.json").write_text(json.dumps([{"instruction": "Say hi", "output": "Hello"}] * 3))
    (tmp_path / "c.jsonl").write_text('{"a": 1}\n')
    counting = counting_for("gpt-4.1-mini")
    told = []
    measured = measure(tmp_path, [counting], on_problem=told.append)
    assert measured.examples.total() == 4
    assert measured.format == "Alpaca, OpenAI chat"
    assert [problem.file.rsplit("/", 1)[-1] for problem in measured.problems] == ["a.jsonl", "c.jsonl"]
    assert told == measured.problems


def test_a_stated_format_is_taken(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps({"text": "ignored", "prompt": "a", "completion": "b"}) + "\n")
    counting = counting_for("gpt-4.1-mini")
    assert measure(path, [counting], format="text").examples == {"text": 1}
    with pytest.raises(InputError, match="none of its 1 lines is a usable example"):
        measure(path, [counting], format="OpenAI chat")


def test_problems_beyond_those_kept_are_still_counted_and_told(tmp_path):
    path = tmp_path / "data.jsonl"
    good = json.dumps({"messages": [turn("user", "Hi"), turn("assistant", "Hello")]}) + "\n"
    path.write_text(good * 400 + "{\n" * 1300)
    told = []
    counting = counting_for("gpt-4.1-mini")
    measured = measure(path, [counting], on_problem=told.append)
    assert (measured.problem_count, len(measured.problems), len(told)) == (1300, 1000, 1300)


def test_batches_end_by_texts_and_lose_none(tmp_path):
    line = {"messages": [turn("user", "Hi"), turn("assistant", "Hello")]}
    path = tmp_path / "data.jsonl"
    path.write_text((json.dumps(line) + "\n") * 9001)
    counting = counting_for("gpt-4.1-mini")
    family = measure(path, [counting]).family(counting)
    assert family.lengths == {13: 9001}


@given(st.dictionaries(st.integers(1, 500), st.integers(1, 9), min_size=1), st.floats(0, 1))
def test_percentiles_are_exact(lengths, share):
    counter = Counter(lengths)
    everyone = sorted(counter.elements())
    found = percentile(counter, share)
    assert sum(length <= found for length in everyone) >= share * len(everyone)
    assert not any(sum(other <= length for other in everyone) >= share * len(everyone) for length in everyone if length < found)


@given(st.dictionaries(st.integers(1, 100_000), st.integers(1, 9), min_size=1), st.integers(1, 60))
def test_a_histogram_holds_everyone_once(lengths, buckets):
    counter = Counter(lengths)
    bars = histogram(counter, buckets)
    assert sum(count for _, _, count in bars) == counter.total()
    assert bars[0][0] == min(lengths)
    assert bars[-1][1] >= max(lengths)
    assert len(bars) <= buckets
    assert len({through - start for start, through, _ in bars}) == 1
    assert all(left[1] + 1 == right[0] for left, right in pairwise(bars))


def test_totals_cut_each_length():
    assert (total(Counter({5: 2, 20: 1})), total(Counter({5: 2, 20: 1}), 10)) == (30, 20)
    assert list(batches([])) == []
    assert histogram(Counter()) == []
