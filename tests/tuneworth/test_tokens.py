"""``tuneworth tokens``: the printed figures, the four forms, the exit codes."""

from __future__ import annotations

import csv
import io
import json
import sys

import pytest

from ingest.tokenizers import load_tokenizer

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


def test_without_a_model_a_common_one_counts(tuneworth, training_file):
    answer = json.loads(tuneworth("tokens", training_file, "--format", "json").out)
    assert (answer["model"], answer["tokenizer"], answer["format"]) == ("gpt-4.1-mini", "o200k_base", "OpenAI chat")
    assert {"examples", "content_tokens", "training_tokens", "trained_tokens", "problems"} <= answer.keys()


def test_an_estimate_is_never_shown_as_exact(tuneworth, training_file):
    ran = tuneworth("tokens", training_file, "--model", "claude-opus-4-8", "--format", "json")
    answer = json.loads(ran.out)
    assert (answer["exact"], answer["billed_tokens"]) == (False, None)
    low, high = answer["estimate"]["training_tokens"]
    assert low < answer["training_tokens"] < high
    assert "every figure is an estimate" in ran.err
    shown = tuneworth("tokens", training_file, "--model", "claude-opus-4-8").out
    assert f"{low:,} to {high:,}; " in shown
    assert "estimate: 1.55 (1.1 to 1.9) × o200k_base" in shown


def test_a_tokenizer_file_counts(tuneworth, training_file, tmp_path):
    path = tmp_path / "tokenizer.json"
    split = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    letters = {letter: number for number, letter in enumerate("Helo!iusraetn3")}
    model = {"type": "BPE", "vocab": letters, "merges": []}
    path.write_text(json.dumps({"version": "1.0", "added_tokens": [], "pre_tokenizer": split, "decoder": split, "model": model}))
    ran = tuneworth("tokens", training_file, "--model", "my-model", "--tokenizer", path, "--format", "json")
    answer = json.loads(ran.out)
    assert (answer["tokenizer"], answer["exact"]) == ("tokenizer.json", True)
    assert (answer["content_tokens"], answer["trained_tokens"]) == (40 * 8, 40 * 6)


def test_validation_is_counted_apart(tuneworth, training_file, tmp_path):
    other = tmp_path / "validation.jsonl"
    other.write_text(EXAMPLE * 3 + "{\n")
    ran = tuneworth("tokens", training_file, "--validation", other, "--format", "json")
    answer = json.loads(ran.out)
    assert answer["examples"] == 40
    assert {key: answer["validation"][key] for key in ("examples", "training_tokens", "problem_count")} == {
        "examples": 3,
        "training_tokens": 42,
        "problem_count": 1,
    }
    assert ran.code == 3
    assert f"{other}, line 4: not valid JSON" in ran.err


def test_files_folders_and_patterns_are_one_set(tuneworth, tmp_path):
    for name in ("a.jsonl", "b.jsonl", "sub/c.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(EXAMPLE)
    by_folder = tuneworth("tokens", tmp_path, "--format", "json")
    assert json.loads(by_folder.out)["examples"] == 3
    by_names = tuneworth("tokens", tmp_path / "[ab].jsonl", tmp_path / "sub", "--format", "json")
    assert json.loads(by_names.out)["examples"] == 3


def test_all_problems_go_to_a_file(tuneworth, training_file, tmp_path):
    training_file.write_text(EXAMPLE * 60 + "{\n" * 50)
    told = tmp_path / "problems.jsonl"
    ran = tuneworth("tokens", training_file, "--problems", told)
    assert ran.code == 3
    assert "50 records were left out" in ran.err
    assert "and 30 more; --problems FILE writes them all" in ran.err
    rows = [json.loads(line) for line in told.read_text().splitlines()]
    assert [row["line"] for row in rows] == list(range(61, 111))
    assert rows[0]["file"] == str(training_file)


def test_a_stated_format_is_read(tuneworth, tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text('{"prompt": "a", "completion": "b", "text": "c"}\n')
    for given, read in (("alpaca", None), ("TEXT", "text"), ("Prompt/Completion", "prompt/completion")):
        ran = tuneworth("tokens", path, "--format-of-file", given, "--format", "json")
        assert (json.loads(ran.out)["format"] if ran.code == 0 else None) == read


def test_without_the_counting_library_the_extra_is_named(tuneworth, training_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "splintr", None)
    load_tokenizer.cache_clear()
    ran = tuneworth("tokens", training_file)
    assert (ran.code, ran.out) == (1, "")
    assert "needs the 'tokens' extra" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("tokens", "nowhere.jsonl", "--model", "gpt-4o"), 1, "nowhere.jsonl: there is no such file"),
        (("tokens", "EMPTY", "--model", "gpt-4o"), 1, "there is no training file"),
        (("tokens", "FILE", "--model", "mistral-7b"), 1, "the tokenizer of 'mistral-7b' is not at hand"),
        (("tokens",), 2, "Missing argument 'files'"),
        (("tokens", "FILE", "--format-of-file", "xml"), 1, "there is no format 'xml'. Known are OpenAI preference"),
        (("tokens", "FILE", "--problems", "FILE"), 1, "would be overwritten"),
        (("tokens", "FILE", "--validation", "OTHER", "--problems", "OTHER"), 1, "would be overwritten"),
        (("tokens", "FILE", "--problems", "OTHER"), 1, "Choose another name"),
        (("tokens", "FILE", "--problems", "nowhere/problems.jsonl"), 1, "cannot be written"),
        (("tokens", "FILE", "--validation", "nowhere.jsonl"), 1, "nowhere.jsonl: there is no such file"),
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
    other = tmp_path / "other.jsonl"
    other.write_text(EXAMPLE)
    ran = tuneworth(*({"FILE": training_file, "EMPTY": empty, "OTHER": other}.get(argument, argument) for argument in arguments))
    assert ran.code == code
    assert ran.out == ""
    assert told in ran.err
    assert "Traceback" not in ran.err
    assert other.read_text() == EXAMPLE


def test_checks_and_findings_follow_the_figures(tuneworth, training_file):
    training_file.write_text(EXAMPLE * 5)
    out = tuneworth("tokens", training_file, "--model", "gpt-4o-mini", "--findings").out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "openai fewer than 10 examples 0 0 0" in lines
    assert any(line.startswith("exact duplicates 4 4 of 5 examples repeat an earlier one") for line in lines)


def test_findings_are_asked_for(tuneworth, training_file):
    without = tuneworth("tokens", training_file, "--model", "gpt-4o-mini", "--format", "json")
    assert json.loads(without.out)["findings"] is None
    asked = tuneworth("tokens", training_file, "--model", "gpt-4o-mini", "--findings", "--format", "json")
    assert [(row["finding"], row["cases"]) for row in json.loads(asked.out)["findings"]] == [("exact duplicates", 39)]


def test_the_full_checks_have_rules_lines_and_sources(tuneworth, training_file):
    unended = '{"messages": [{"role": "assistant", "content": "Hello!"}, {"role": "user", "content": "Hi"}]}\n'
    training_file.write_text(EXAMPLE * 20 + unended)
    ran = tuneworth("tokens", training_file, "--model", "gpt-4o-mini", "--checks", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    row = next(row for row in rows if row["provider"] == "openai")
    assert (row["rule"], row["severity"], row["cases"], row["lines"]) == ("last message", "rejects the line", "1", "21")
    assert row["source"].startswith("https://")
    answer = json.loads(tuneworth("tokens", training_file, "--model", "gpt-4o-mini", "--format", "json").out)
    assert [(r["rule"], r["lines"]) for r in answer["checks"] if r["provider"] == "openai"] == [("last message", "21")]


def test_lines_that_break_a_rule_are_written_with_the_problems(tuneworth, training_file, tmp_path):
    weighed = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "!", "weight": 3}]}\n'
    training_file.write_text(EXAMPLE * 20 + "{\n" + weighed * 30)
    written = tmp_path / "problems.jsonl"
    tuneworth("tokens", training_file, "--model", "gpt-4o-mini", "--problems", written)
    rows = [json.loads(line) for line in written.read_text().splitlines()]
    assert [row["line"] for row in rows if row.get("provider") == "openai"] == list(range(22, 52))
    assert [row["line"] for row in rows if "provider" not in row] == [21]


def test_leaks_from_the_validation_file(tuneworth, training_file, tmp_path):
    validation = tmp_path / "valid.jsonl"
    validation.write_text(EXAMPLE)
    ran = tuneworth(
        "tokens", training_file, "--model", "gpt-4o-mini", "--validation", validation, "--findings", "--format", "json"
    )
    found = {row["finding"]: row["lines"] for row in json.loads(ran.out)["findings"]}
    assert found["validation examples in training"] == "1 = 1 in training"


def test_problems_replace_earlier_ones_only_once_the_file_is_read(tuneworth, training_file, tmp_path):
    told = tmp_path / "problems.jsonl"
    training_file.write_text(EXAMPLE + "{\n")
    tuneworth("tokens", training_file, "--problems", told)
    before = told.read_text()
    assert json.loads(before)["line"] == 2
    training_file.write_text("{\n")
    assert tuneworth("tokens", training_file, "--problems", told).code == 1
    assert told.read_text() == before
    training_file.write_text("{\n" + EXAMPLE)
    tuneworth("tokens", training_file, "--problems", told)
    assert json.loads(told.read_text())["line"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chat.jsonl", "problems.jsonl"]


def test_skipped_files_are_no_records_and_sentences_end_once(tuneworth, training_file, tmp_path):
    (tmp_path / "notes.txt").write_text("hi")
    training_file.write_text(EXAMPLE + "{\n")
    ran = tuneworth("tokens", tmp_path)
    assert "1 record and 1 file were left out of every figure:" in ran.err
    assert "notes.txt: skipped: not a training file by its name." in ran.err
    assert ".." not in ran.err


def test_csv_holds_the_one_table_that_was_asked_for(tuneworth, training_file):
    ran = tuneworth("tokens", training_file, "--findings", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(ran.out))
    assert (row["finding"], row["cases"]) == ("exact duplicates", "39")
    training_file.write_text(EXAMPLE)
    assert tuneworth("tokens", training_file, "--findings", "--format", "csv").out == "finding,cases,words,lines,advice\n"
    both = tuneworth("tokens", training_file, "--findings", "--checks", "--format", "csv")
    assert (both.code, both.out, "--format json" in both.err) == (1, "", True)


def test_lines_that_are_too_long_are_written_with_the_problems(tuneworth, training_file, tmp_path):
    training_file.write_text(EXAMPLE * 20 + EXAMPLE.replace("Hi", "word " * 140_000))
    written = tmp_path / "problems.jsonl"
    tuneworth("tokens", training_file, "--problems", written)
    rows = [json.loads(line) for line in written.read_text().splitlines()]
    assert {row["line"] for row in rows if row["severity"] == "truncates"} == {21}
