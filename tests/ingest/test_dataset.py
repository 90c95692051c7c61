"""Training files: exact counts, bills, and every bad line named."""

from __future__ import annotations

import json

import bpe_openai
import pytest

from ingest import InputError, measure_training_file


def chat(*messages: tuple[str, str], **extra) -> dict:
    return {"messages": [{"role": role, "content": content} for role, content in messages], **extra}


GOOD = chat(("system", "Answer kindly."), ("user", "Where is my parcel? 📦"), ("assistant", "On its way, arriving today."))


@pytest.fixture
def written(tmp_path):
    """A function that writes lines (objects or raw text) to a file and gives its path."""

    def write(*lines) -> str:
        path = tmp_path / "data.jsonl"
        texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return str(path)

    return write


def cookbook_tokens(example: dict, encoding: str) -> int:
    """The published rule, written anew over another tokenizer."""
    encode = bpe_openai.get_encoding(encoding).encode_ordinary
    return 3 + sum(3 + sum(len(encode(value)) + (key == "name") for key, value in m.items()) for m in example["messages"])


def test_the_cookbooks_published_figures(shared_file):
    toy = str(shared_file("toy_chat_fine_tuning.jsonl"))
    limited = measure_training_file(toy, "gpt-3.5-turbo", max_tokens_per_example=4096)
    assert (limited.training_tokens, limited.epochs, limited.billed_tokens) == (4306, 20, 86_120)
    assert (limited.truncated_examples, limited.problem_count) == (1, 0)
    assert (limited.longest_tokens, limited.mean_tokens) == (8032, pytest.approx(1648.4))
    assert measure_training_file(toy, "gpt-3.5-turbo").training_tokens == 8242


@pytest.mark.parametrize(("model", "encoding"), [("gpt-3.5-turbo", "cl100k_base"), ("gpt-4.1-mini", "o200k_base")])
def test_counts_follow_the_cookbooks_rule(written, model, encoding):
    named = {"messages": [{"role": "user", "name": "Zoë", "content": "你好"}, {"role": "assistant", "content": "您好！"}]}
    expected = [cookbook_tokens(example, encoding) for example in (GOOD, named)]
    measured = measure_training_file(written(GOOD, named), model)
    assert measured.tokenizer == encoding
    assert (measured.total_tokens, measured.training_tokens) == (sum(expected), sum(expected))
    assert measured.longest_tokens == max(expected)
    assert measured.mean_tokens == sum(expected) / 2


def test_a_line_by_hand(written):
    # reply 3 + user (3 + role 1 + "Hi" 1) + assistant (3 + role 1 + "Hello" 1) + "!" 1
    measured = measure_training_file(written(chat(("user", "Hi"), ("assistant", "Hello!"))), "gpt-4o")
    assert (measured.total_tokens, measured.content_tokens, measured.trained_tokens) == (14, 3, 2)


def test_each_example_is_cut_on_its_own(written):
    short = chat(("user", "Hi"), ("assistant", "Hello!"))
    long = chat(("user", "Hi"), ("assistant", "Hello!" * 100))
    measured = measure_training_file(written(short, long), "gpt-4o", max_tokens_per_example=20, epochs=3)
    assert (measured.training_tokens, measured.truncated_examples, measured.billed_tokens) == (34, 1, 102)
    assert measured.epochs_basis == "stated"


@pytest.mark.parametrize(
    ("examples", "rule", "epochs"),
    [(1, "openai-cookbook", 25), (5, "openai-cookbook", 20), (34, "openai-cookbook", 3), (100, "openpipe", 10), (9, 1, 1)],
)
def test_epochs_by_the_providers_rule(written, examples, rule, epochs):
    measured = measure_training_file(written(*[GOOD] * examples), "gpt-4o", epochs_rule=rule)
    assert measured.epochs == epochs
    assert measured.billed_tokens == epochs * measured.training_tokens


def test_without_a_rule_there_is_no_bill(written):
    measured = measure_training_file(written(GOOD), "gpt-4o", epochs_rule=None)
    assert (measured.epochs, measured.billed_tokens) == (None, None)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"messages": [', "not valid JSON"),
        ("[1]", "not a JSON object"),
        ("7", "not a JSON object"),
        ({"prompt": "a", "completion": "b"}, "no list of messages (keys here: prompt, completion)"),
        ({"messages": []}, "no list of messages"),
        ({"messages": "hi"}, "no list of messages"),
        ({"messages": ["hi"]}, "message 1 is not an object"),
        ({"messages": [{"content": "hi"}]}, "message 1 has no role"),
        (chat(("user", "hi"), ("bot", "hello")), "message 2 has the unrecognised role 'bot'"),
        ({"messages": [{"role": ["user"], "content": "hi"}]}, "unrecognised role"),
        ({"messages": [{"role": "assistant"}]}, "message 1 (assistant) has no content"),
        ({"messages": [{"role": "assistant", "content": 5}]}, "content is neither text nor a list"),
        ({"messages": [{"role": "assistant", "content": ["hi"]}]}, "a content part is not"),
        (chat(("user", "hi")), "no assistant message"),
        ("[" * 3000 + "]" * 3000, "nested too deeply"),
    ],
)
def test_a_bad_line_is_named_and_left_out(written, line, told):
    measured = measure_training_file(written(GOOD, line, GOOD), "gpt-4o")
    assert measured.examples == 2
    assert measured.problem_count == 1
    [(number, message)] = measured.problems
    assert number == 2
    assert told in message


def test_line_numbers_count_blank_lines(written):
    measured = measure_training_file(written("", GOOD, "   ", "{", GOOD), "gpt-4o")
    assert [number for number, _ in measured.problems] == [4]


def test_bytes_that_are_not_text_are_named(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b'\r\n{"messages": "\xff"}\r\n' + json.dumps(GOOD).encode())
    measured = measure_training_file(path, "gpt-4o")
    assert (measured.examples, measured.problems) == (2, ((2, "not UTF-8 text; save the file as UTF-8"),))


def test_a_lone_surrogate_is_counted(written):
    line = '{"messages": [{"role": "user", "content": "a\\ud800b"}, {"role": "assistant", "content": "c"}]}'
    replaced = chat(("user", "a\ufffdb"), ("assistant", "c"))
    measured = measure_training_file(written(line), "gpt-4o")
    assert (measured.problem_count, measured.total_tokens) == (0, cookbook_tokens(replaced, "o200k_base"))


def test_tool_calls_are_counted_without_json_punctuation(written):
    call = {"id": "c1", "type": "function", "function": {"name": "track", "arguments": '{"id": 7}'}}
    example = {
        "messages": [
            {"role": "user", "content": "Where?"},
            {"role": "assistant", "content": None, "tool_calls": [call], "weight": 1},
        ],
        "tools": [{"type": "function", "function": {"name": "track"}}],
    }
    flat = {"messages": [example["messages"][0], {"role": "assistant", "a": "track", "b": '{"id": 7}'}]}
    measured = measure_training_file(written(example), "gpt-4o")
    assert measured.total_tokens == cookbook_tokens(flat, "o200k_base")
    assert any("call tools" in note for note in measured.notes)
    assert any("define tools" in note for note in measured.notes)


def test_text_parts_are_counted_and_images_are_named(written):
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    example = {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "A parcel."}]}
    measured = measure_training_file(written(example), "gpt-4o")
    text_only = chat(("user", "What is this?"), ("assistant", "A parcel."))
    assert measured.total_tokens == cookbook_tokens(text_only, "o200k_base")
    assert any("images" in note for note in measured.notes)


def test_answers_of_weight_0_are_billed_but_not_learned(written):
    example = chat(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))
    example["messages"][1]["weight"] = 0
    measured = measure_training_file(written(example), "gpt-4o")
    assert (measured.content_tokens, measured.trained_tokens) == (4, 1)


def test_a_conversation_of_which_nothing_is_learned_is_left_out(written):
    example = chat(("user", "a"), ("assistant", "b"))
    example["messages"][1]["weight"] = 0
    measured = measure_training_file(written(chat(("user", "a"), ("assistant", "b")), example), "gpt-4o")
    assert (measured.examples, measured.problem_count) == (1, 1)
    assert measured.problems[0][0] == 2
    assert "nothing to learn" in measured.problems[0][1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        ("\n \n", "no line but blank ones"),
        ("[\n1]", "no format fits more than half of 1 records"),
        ("{\n{", "none of its 2 lines is a usable example"),
    ],
)
def test_a_file_without_examples_is_refused(tmp_path, text, told):
    path = tmp_path / "data.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=told):
        measure_training_file(path, "gpt-4o")


def test_progress_covers_every_byte(written, tmp_path):
    path = written(GOOD, GOOD, "{")
    read: list[int] = []
    measure_training_file(path, "gpt-4o", on_progress=read.append)
    assert sum(read) == (tmp_path / "data.jsonl").stat().st_size


def test_percentiles_of_lengths(written):
    lines = [chat(("user", "a"), ("assistant", "b" + " b" * n)) for n in range(100)]
    measured = measure_training_file(written(*lines), "gpt-4o")
    assert (measured.p5_tokens, measured.p50_tokens, measured.p95_tokens) == (17, 62, 107)
