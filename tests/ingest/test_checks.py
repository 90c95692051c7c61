"""Providers' rules: for each a record that breaks it and one that does not, and what is told of a whole file."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from ingest.checks import PROVIDERS, RULES, Checks, File, formats_taken_by, rules_document
from ingest.counting import counting_for
from ingest.dataset import measure
from ingest.formats import FORMATS, example_of, formats_of
from ingest.inspection import Inspection, checks_by_provider
from ingest.records import Record
from pricing import PriceBook


def user(content="Hi", **more):
    return {"role": "user", "content": content, **more}


def system(content="Be brief."):
    return {"role": "system", "content": content}


def assistant(content="Hello!", **more):
    return {"role": "assistant", "content": content, **more}


def chat(*messages, **more):
    return {"messages": list(messages), **more}


def call(id="a"):  # noqa: A002
    return {"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}]}


def result(id="a"):  # noqa: A002
    return {"role": "tool", "tool_call_id": id, "content": "4"}


def images(n):
    return [{"type": "text", "text": "?"}, *({"type": "image_url", "image_url": {"url": "https://a.b/c.png"}} for _ in range(n))]


def preference(preferred, asked=None, **more):
    messages = [user()] if asked is None else asked
    return {"input": {"messages": messages, **more}, "preferred_output": preferred, "non_preferred_output": [assistant("No.")]}


def turn(role, *texts):
    return {"role": role, "parts": [{"text": text} for text in texts]}


def vertex(*turns):
    return {"contents": list(turns)}


def bedrock(*messages, version="bedrock-conversation-2024"):
    return {"schemaVersion": version, "messages": [{"role": role, "content": [{"text": text}]} for role, text in messages]}


GOOD = chat(system(), user(), assistant())
GOOD_PREFERENCE = preference([assistant()])
GOOD_VERTEX = vertex(turn("user", "Hi"), turn("model", "Hello!"))
GOOD_BEDROCK = bedrock(("user", "Hi"), ("assistant", "Hello!"))
TOOLS = [{"type": "function", "function": {"name": "f"}}]
WITH_TOOLS = chat(user(), call(), result(), assistant(), tools=TOOLS)
PROMPT = chat(user(), answer="4")

OF_OPENAI = {
    "message keys": (chat(user(mood="good"), assistant()), chat(user(name="Ann"), assistant(weight=1))),
    "content parts": (chat(user([{"type": "text", "value": "Hi"}]), assistant()), chat(user(images(1)), assistant())),
    "record keys": (chat(user(), assistant(), id=7), WITH_TOOLS),
    "content": (chat(user(""), assistant()), WITH_TOOLS),
    "last message": (chat(user(), assistant(), user()), GOOD),
    "weight": (chat(user(), assistant(weight=0.5)), chat(user(), assistant(weight=0), user(), assistant())),
    "weight of others": (chat(user(weight=0), assistant()), chat(user(), assistant(weight=0), user(), assistant())),
    "name": (chat(user(name="Ann Lee"), assistant()), chat(user(name="Ann_Lee"), assistant())),
    "tool calls answered": (chat(user(), call(), assistant(), tools=TOOLS), WITH_TOOLS),
    "tools": (chat(user(), call()), chat(user(), call(), tools=TOOLS)),
    "images": (chat(user(images(65)), assistant()), chat(user(images(64)), assistant())),
    "images in answers": (chat(user(), assistant(images(1))), chat(user(images(1)), assistant())),
    "preference answers": (preference([user()]), preference([call(), result(), assistant()])),
    "preference images": (preference([assistant()], asked=[user(images(1))]), GOOD_PREFERENCE),
    "reinforcement prompt": (chat(user(), system(), answer="4"), PROMPT),
}
CASES = {
    "openai": OF_OPENAI,
    "azure-openai": OF_OPENAI,
    "vertex-ai": {
        "roles": (vertex(turn("assistant", "Hello!"), turn("model", "Hello!")), GOOD_VERTEX),
        "turns": (vertex(turn("user", "Hi"), turn("user", "Hi?"), turn("model", "Hello!")), GOOD_VERTEX),
        "last message": (vertex(turn("user", "Hi"), turn("model", "Hello!"), turn("user", "Hi")), GOOD_VERTEX),
        "images": (
            vertex({"role": "user", "parts": [{"inlineData": {"data": "x"}}] * 31}, turn("model", "!")),
            vertex({"role": "user", "parts": [{"inlineData": {"data": "x"}}] * 30}, turn("model", "!")),
        ),
    },
    "bedrock": {
        "schema version": (bedrock(("user", "Hi"), ("assistant", "!"), version="bedrock-conversation-1"), GOOD_BEDROCK),
        "roles": (bedrock(("system", "x"), ("user", "Hi"), ("assistant", "!")), GOOD_BEDROCK),
        "first message": (bedrock(("assistant", "Hi"), ("user", "Hi"), ("assistant", "!")), GOOD_BEDROCK),
        "last message": (bedrock(("user", "Hi"), ("assistant", "!"), ("user", "Hi")), GOOD_BEDROCK),
        "turns": (bedrock(("user", "Hi"), ("user", "Hi"), ("assistant", "!")), GOOD_BEDROCK),
        "reserved words": (
            bedrock(("user", "What does User: mean?"), ("assistant", "!")),
            bedrock(("user", "What does user: mean?"), ("assistant", "System: is one of them.")),
        ),
    },
    "mistral": {
        "roles": (chat({"role": "developer", "content": "x"}, user(), assistant()), GOOD),
        "message keys": (chat(user(name="Ann"), assistant()), chat(user(), assistant(weight=0), user(), assistant())),
        "content parts": (chat(user(images(0)), assistant()), GOOD),
        "last message": (chat(user(), assistant(), user()), GOOD),
        "tool calls answered": (chat(user(), call("a"), result("b"), assistant()), WITH_TOOLS),
    },
    "together": {
        "roles": (chat({"role": "developer", "content": "x"}, user(), assistant()), GOOD),
        "message keys": (chat(user(name="Ann"), assistant()), chat(user(), assistant(weight=0), user(), assistant())),
        "content parts": (chat(user([{"text": "Hi"}]), assistant()), chat(user(images(1)), assistant())),
        "turns": (chat(user(), user(), assistant()), GOOD),
        "first message": (chat(assistant(), user(), assistant()), GOOD),
        "record keys": (chat(user(), assistant(), id=7), chat(user(), assistant(), id=None)),
        "completion keys": ({"prompt": "a", "completion": "b", "id": 7}, {"prompt": "a", "completion": "b"}),
        "text keys": ({"text": "a", "id": 7}, {"text": "a"}),
        "weight": (chat(user(), assistant(weight=2)), chat(user(), assistant(weight=1))),
        "preference answers": (preference([assistant(), assistant()]), GOOD_PREFERENCE),
    },
    "fireworks": {
        "roles": (chat({"role": "developer", "content": "x"}, user(), assistant()), GOOD),
        "message keys": (chat(user(name="Ann"), assistant()), chat(user(), assistant(weight=0), user(), assistant())),
        "content parts": (chat(user([{"text": "Hi"}]), assistant()), chat(user(images(1)), assistant())),
        "system message": (chat(user(), system(), assistant()), GOOD),
        "weight": (chat(user(), assistant(), weight="high"), chat(user(), assistant(), weight=-0.5)),
    },
}


def broken_rules(data) -> set[tuple[str, str]]:
    record = Record("file.jsonl", 1, data)
    told = []
    checks = Checks(on_broken=lambda rule, _: told.append((rule.provider, rule.id)))
    names = formats_of(data)
    checks.add(record, example_of(record, names[0]))
    return set(told)


@pytest.mark.parametrize(("provider", "rule"), [(p, rule) for p, rules in CASES.items() for rule in rules])
def test_a_rule_is_told_where_it_is_broken_and_only_there(provider, rule):
    bad, good = CASES[provider][rule]
    assert (provider, rule) in broken_rules(bad)
    assert (provider, rule) not in broken_rules(good)


def test_every_rule_about_lines_has_its_case():
    of_lines = {(rule.provider, rule.id) for rule in RULES if rule.breaks_line}
    assert of_lines == {(provider, rule) for provider, rules in CASES.items() for rule in rules}


@pytest.mark.parametrize("good", [GOOD, GOOD_PREFERENCE, GOOD_VERTEX, GOOD_BEDROCK])
def test_what_is_right_for_all_breaks_nothing(good):
    assert broken_rules(good) == set()


FILES = {
    ("openai", "fewest examples"): (File(9), File(10)),
    ("azure-openai", "fewest examples"): (File(9), File(10)),
    ("openai", "file size"): (File(10, size_bytes=512_000_001), File(10, size_bytes=512_000_000)),
    ("azure-openai", "file size"): (File(10, size_bytes=5_000_000_001), File(10, size_bytes=5_000_000_000)),
    ("azure-openai", "upload in parts"): (File(10, size_bytes=100_000_001), File(10)),
    ("vertex-ai", "most examples"): (File(1_000_001), File(1_000_000)),
    ("vertex-ai", "file size"): (File(10, size_bytes=1_000_000_001), File(10, size_bytes=1_000_000_000)),
    ("vertex-ai", "validation size"): (File(10, validation_examples=5_001), File(10, validation_examples=5_000)),
    ("mistral", "file size"): (File(10, size_bytes=512_000_001), File(10, size_bytes=512_000_000)),
    ("together", "file size"): (File(10, size_bytes=100_000_000_001), File(10)),
    ("fireworks", "fewest examples"): (File(2), File(3)),
    ("fireworks", "most examples"): (File(3_000_001), File(3_000_000)),
}


@pytest.mark.parametrize(("provider", "rule"), FILES)
def test_rules_about_files(provider, rule):
    bad, good = FILES[provider, rule]
    taken = frozenset(formats_taken_by(provider)[:1])
    for file, expected in ((bad, True), (good, False)):
        file.formats = taken
        assert ((provider, rule) in {(b.rule.provider, b.rule.id) for b in Checks().broken(file)}) is expected


def test_images_count_over_the_file():
    told = {(r.provider, r.id): r for r in RULES if r.breaks_file}
    assert told["openai", "most examples with images"].breaks_file(File(60_000, with_images=50_001))
    assert not told["openai", "most examples with images"].breaks_file(File(60_000, with_images=50_000))
    assert told["vertex-ai", "most examples with images"].breaks_file(File(300_001, with_images=1))
    assert not told["vertex-ai", "most examples with images"].breaks_file(File(300_001))


def test_a_format_that_is_not_taken_is_all_that_is_told():
    checks = Checks()
    record = Record("f", 1, chat(user(), user(), assistant()))
    checks.add(record, example_of(record, "OpenAI chat"))
    told = {(b.rule.provider, b.rule.id) for b in checks.broken(File(50, formats=frozenset({"Vertex AI"})))}
    assert told == {(provider, "format") for provider in PROVIDERS if provider != "vertex-ai"}


def test_every_provider_takes_formats_there_are():
    for provider in PROVIDERS:
        assert set(formats_taken_by(provider)) <= FORMATS.keys()
        assert formats_taken_by(provider)


def test_every_rule_has_a_source_and_words():
    for rule in RULES:
        assert rule.source.startswith("https://")
        assert (rule.source_date is None) == (rule.confidence == "unverified")
        assert rule.words
        assert rule.expected
    assert len({(rule.provider, rule.id) for rule in RULES}) == len(RULES)


# --- the tables --------------------------------------------------------------------------------------------------------------


def inspected(tmp_path, rows, model="gpt-4o-mini", **tables):
    path = tmp_path / "train.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    rates = PriceBook.bundled().as_of(date(2026, 11, 21))
    counting = counting_for(model, assumptions=rates.assumptions)
    inspection = Inspection()
    measured = measure(path, [counting], on_record=inspection.add)
    return inspection.tables(measured, counting, rates, **tables)


def test_cases_are_counted_and_the_first_lines_named(tmp_path):
    rows = [GOOD, *[chat(user(), assistant(), user())] * 7, *[GOOD] * 5]
    row = next(r for r in inspected(tmp_path, rows).checks if r["provider"] == "mistral")
    assert (row["rule"], row["severity"], row["cases"], row["lines"]) == ("last message", "rejects the line", 7, "2, 3, 4, 5, 6")


def test_lines_keep_their_number_where_others_are_left_out(tmp_path):
    rows = ["{", GOOD, "", chat(user(), assistant(), user())]
    assert next(r for r in inspected(tmp_path, rows).checks if r["provider"] == "mistral")["lines"] == "4"


def test_a_provider_with_nothing_against_the_file_has_one_row(tmp_path):
    tables = inspected(tmp_path, [GOOD] * 10)
    row = next(r for r in tables.checks if r["provider"] == "openai")
    assert (row["rule"], row["cases"]) == ("", 0)
    assert next(r for r in checks_by_provider(tables) if r["provider"] == "openai")["rejects the file"] == ""


def test_truncated_examples_are_told_by_the_limit_in_the_price_book(tmp_path):
    long = chat(user("hi " * 70_000), assistant())
    rows = [r for r in inspected(tmp_path, [GOOD, long, *[GOOD] * 9]).checks if r["severity"] == "truncates"]
    limit = PriceBook.bundled().provider("openai").model["gpt-4o-mini"].max_training_tokens_per_example
    row = next(r for r in rows if r["provider"] == "azure-openai")
    assert (row["cases"], row["lines"]) == (1, "2")
    assert f"{limit:,} tokens" in row["problem"]


def test_a_real_file_with_keys_of_its_own_is_refused_by_line(shared_file):
    inspection = Inspection()
    counting = counting_for("gpt-4o-mini")
    measured = measure(shared_file("v1_sft_demo.jsonl"), [counting], on_record=inspection.add)
    rows = inspection.tables(measured).checks
    assert {(r["provider"], r["cases"]) for r in rows if r["rule"] == "message keys"} == {
        (provider, 500) for provider in ("openai", "azure-openai", "mistral", "together", "fireworks")
    }


def test_what_is_remembered_of_a_shape_is_what_the_rules_say():
    """Each record after all others in one go: what is remembered of one must not be said of another."""
    told = []
    checks = Checks(on_broken=lambda rule, _: told.append((rule.provider, rule.id)))
    records = [data for rules in CASES.values() for case in rules.values() for data in case]
    for data in [*records, *reversed(records)]:
        told.clear()
        checks.add(Record("file.jsonl", 1, data), example_of(Record("file.jsonl", 1, data), formats_of(data)[0]))
        assert set(told) == broken_rules(data)


def test_the_document_of_the_rules_is_up_to_date():
    written = Path(__file__).resolve().parents[2] / "docs" / "training-rules.md"
    assert written.read_text(encoding="utf-8") == rules_document() + "\n", "python -m ingest.checks > docs/training-rules.md"
