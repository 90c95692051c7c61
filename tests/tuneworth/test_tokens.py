"""``tuneworth tokens``: the printed figures, the four forms, the exit codes."""

from __future__ import annotations

import csv
import io
import json

import pytest

EXAMPLE = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]}\n'


@pytest.fixture
def training_file(tmp_path):
    path = tmp_path / "chat.jsonl"
    path.write_text(EXAMPLE * 40)
    return path


def values(out: str) -> dict[str, str]:
    return {row["figure"]: row["value"] for row in csv.DictReader(io.StringIO(out))}


def test_the_cookbooks_published_bill(tuneworth, shared_file):
    toy = shared_file("toy_chat_fine_tuning.jsonl")
    ran = tuneworth("tokens", toy, "--model", "gpt-3.5-turbo", "--max-tokens-per-example", 4096)
    assert ran.code == 0
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert "training tokens 4,306 each example cut at 4,096" in lines
    assert any(line.startswith("epochs 20 ") for line in lines)
    assert "billed tokens 86,120 epochs × training tokens" in lines
    unlimited = tuneworth("tokens", toy, "--model", "gpt-3.5-turbo", "--format", "csv")
    assert values(unlimited.out)["training tokens"] == "8242"


def test_csv_holds_plain_numbers(tuneworth, training_file):
    ran = tuneworth("tokens", training_file, "--model", "gpt-4o-mini", "--format", "csv")
    assert ran.code == 0
    assert {k: values(ran.out)[k] for k in ("examples", "total tokens", "epochs", "billed tokens")} == {
        "examples": "40",
        "total tokens": "560",
        "epochs": "3",
        "billed tokens": "1680",
    }


def test_json_holds_every_field(tuneworth, training_file):
    ran = tuneworth("tokens", training_file, "--model", "gpt-4o-mini", "--epochs", 2, "--format", "json")
    answer = json.loads(ran.out)
    assert (answer["examples"], answer["epochs"], answer["billed_tokens"]) == (40, 2, 1120)
    assert answer["epochs_basis"] == "stated"
    assert answer["tokenizer"] == "o200k_base"


def test_markdown_is_a_table(tuneworth, training_file):
    ran = tuneworth("tokens", training_file, "--model", "gpt-4o-mini", "--format", "md")
    assert ran.out.splitlines()[:3] == ["| figure | value | note |", "| :-- | --: | :-- |", "| examples | 40 |  |"]


def test_piped_tables_are_plain(tuneworth, training_file):
    out = tuneworth("tokens", training_file, "--model", "gpt-4o-mini").out
    assert "\x1b" not in out
    assert all(line == line.rstrip() for line in out.splitlines())


def test_lines_left_out_are_told_and_make_the_answer_partial(tuneworth, training_file):
    training_file.write_text(EXAMPLE + "{\n" + EXAMPLE)
    ran = tuneworth("tokens", training_file, "--model", "gpt-4o-mini", "--format", "json")
    assert ran.code == 3
    assert json.loads(ran.out)["examples"] == 2
    assert json.loads(ran.out)["problems"][0]["line"] == 2
    assert f"{training_file}, line 2: not valid JSON" in ran.err


def test_a_provider_without_a_rule_gives_no_bill(tuneworth, training_file):
    ran = tuneworth("tokens", training_file, "--model", "meta/llama-3.1-8b", "--format", "json")
    assert ran.code == 0
    assert json.loads(ran.out)["billed_tokens"] is None
    assert "chat template" in ran.err


def test_a_model_that_is_not_in_the_price_book_is_told(tuneworth, training_file):
    ran = tuneworth("tokens", training_file, "--model", "gpt-4.1-mni")
    assert ran.code == 0
    assert "total tokens" in ran.out
    assert "OpenAI has no 'gpt-4.1-mni' in the price book. Did you mean gpt-4.1-mini" in ran.err
    for known in ("gpt-4.1-mini", "o200k_base"):
        assert "price book" not in tuneworth("tokens", training_file, "--model", known).err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("tokens", "nowhere.jsonl", "--model", "gpt-4o"), 1, "nowhere.jsonl: there is no such file"),
        (("tokens", "EMPTY", "--model", "gpt-4o"), 1, "there is no training file"),
        (("tokens", "FILE", "--model", "mistral-7b"), 1, "the tokenizer of 'mistral-7b' is not at hand"),
        (("tokens",), 2, "Missing argument 'files'"),
        (("tokens", "FILE", "--format-of-file", "xml"), 1, "there is no format 'xml'. Known are OpenAI preference"),
        (("tokens", "FILE", "--problems", "FILE"), 1, "would be overwritten"),
        (("tokens", "FILE", "--problems", "nowhere/problems.jsonl"), 1, "cannot be written"),
        (("tokens", "FILE", "--tokenizer", "FILE"), 1, "no tokenizer could be read"),
        (("tokens", "FILE", "--model", "gpt-4o", "--epochs", "0"), 2, "--epochs"),
        (("tokens", "FILE", "--model", "gpt-4o", "--epochs", "two"), 2, "--epochs"),
        (("tokens", "FILE", "--model", "gpt-4o", "--epochs", "1001"), 2, "less than or equal to 1000"),
        (("tokens", "FILE", "--model", "gpt-4o", "--format", "xml"), 2, "--format"),
        (("tokns",), 2, "tokns"),
    ],
)
def test_mistakes_end_in_a_message(tuneworth, training_file, tmp_path, arguments, code, told):
    empty = tmp_path / "empty"
    empty.mkdir()
    ran = tuneworth(*({"FILE": training_file, "EMPTY": empty}.get(argument, argument) for argument in arguments))
    assert ran.code == code
    assert ran.out == ""
    assert told in ran.err
    assert "Traceback" not in ran.err
