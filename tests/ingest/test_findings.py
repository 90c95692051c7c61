"""Findings of quality: made files with known duplicates, contradictions, leaks and outliers."""

from __future__ import annotations

import random

import pytest

import ingest.findings as findings_of
from ingest.counting import counting_for
from ingest.dataset import measure
from ingest.examples import Example, Message
from ingest.findings import Findings
from ingest.inspection import Inspection

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "r", "st", "ma", "lo")]


def chat(asked, answered, system=""):
    messages = (Message("user", (asked,)), Message("assistant", (answered,)))
    return Example("chat", ((Message("system", (system,)), *messages) if system else messages))


def text(generator, words=60):
    return " ".join(generator.choices(WORDS, k=words))


def found(examples, validation=()):
    findings = Findings()
    for line, example in enumerate(examples, start=1):
        findings.add("train.jsonl", line, example)
    for line, example in enumerate(validation, start=1):
        findings.add("valid.jsonl", line, example, validation=True)
    return {row["finding"]: row for row in findings.rows(several=False)}


@pytest.fixture
def generator():
    return random.Random(7)


@pytest.fixture
def distinct(generator):
    """Examples that have nothing in common."""
    return [chat(text(generator), text(generator)) for _ in range(300)]


def test_nothing_is_found_in_distinct_examples(distinct):
    assert found(distinct) == {}


def test_exact_duplicates_ignore_spaces(distinct):
    again = distinct[4].messages
    spaced = chat(again[0].texts[0].replace(" ", "\n  "), again[1].texts[0] + " ")
    row = found([*distinct, spaced, distinct[9]])["exact duplicates"]
    assert (row["cases"], row["of"], row["lines"]) == (2, 302, "301 = 5; 302 = 10")
    assert row["share"] == pytest.approx(2 / 302)


def changed(generator, said, words):
    parts = said.split()
    for at in generator.sample(range(len(parts)), words):
        parts[at] = "other" + str(generator.randrange(1000))
    return " ".join(parts)


@pytest.mark.parametrize(("words", "recall"), [(1, 1.0), (4, 0.97), (8, 0.85)])
def test_near_duplicates_are_found(distinct, generator, words, recall):
    """Of 120 words, 1, 4 or 8 are changed: some 95 %, 82 % and 67 % of the runs of three words are left in common."""
    variants = []
    for example in distinct[:200]:
        asked, answered = (message.texts[0] for message in example.messages)
        said = changed(generator, f"{asked} {answered}", words).split()
        variants.append(chat(" ".join(said[:60]), " ".join(said[60:])))
    row = found([*distinct, *variants])["near duplicates"]
    assert recall * 200 <= row["cases"] <= 200
    assert "exact duplicates" not in found([*distinct, *variants])


def test_what_shares_a_third_is_no_near_duplicate(distinct, generator):
    variants = [chat(example.messages[0].texts[0], text(generator)) for example in distinct]
    assert "near duplicates" not in found([*distinct, *variants])


def test_a_template_around_the_text_makes_no_duplicates(generator):
    template = text(generator, 200)
    examples = [chat(f"{template} {text(generator, 20)}", text(generator, 15)) for _ in range(400)]
    assert "near duplicates" not in found(examples)


def test_near_duplicates_stop_at_their_bound_and_say_so(distinct, monkeypatch):
    monkeypatch.setattr(findings_of, "NEAR_KEPT", 10)
    double = chat(distinct[3].messages[0].texts[0] + " extra", distinct[3].messages[1].texts[0])
    row = found([*distinct[:9], double, *distinct[10:]])["near duplicates"]
    assert (row["cases"], row["of"], row["lines"]) == (1, 10, "10 = 4")
    assert "of the first 10 examples" in row["words"]


def test_beyond_the_bound_a_share_of_the_prompts_is_compared(monkeypatch, generator):
    monkeypatch.setattr(findings_of, "PROMPTS_KEPT", 500)
    examples = [chat(f"question {n}", text(generator, 5)) for n in range(1000)]
    row = found([*examples, *examples])["exact duplicates"]
    assert row["of"] <= 500
    assert row["cases"] == row["of"] / 2  # of the prompts drawn every copy is found
    assert "1 in " in row["words"]


def test_same_prompt_with_different_answers(distinct):
    asked = distinct[2].messages[0].texts[0]
    row = found([*distinct, chat(asked, "Something else altogether, at some length."), distinct[2]])[
        "same prompt, different answers"
    ]
    assert (row["cases"], row["lines"]) == (3, "3 ≠ 301")


def test_empty_answers_and_those_of_one_word(distinct):
    calls = Example("chat", (Message("user", ("Weather?",)), Message("assistant", calls=("weather", "{}"))))
    rows = found([*distinct, chat("Who are you, then?", "  "), chat("And what is this?", "Yes."), calls])
    assert (rows["empty answers"]["cases"], rows["empty answers"]["lines"]) == (1, "301")
    assert (rows["one-word answers"]["cases"], rows["one-word answers"]["lines"]) == (1, "302")


def test_lengths_far_from_the_median_are_named(distinct, generator):
    row = found([*distinct, chat(text(generator, 4000), "As asked, a summary."), chat("Hm?", "Well, hm.")])["unusual lengths"]
    assert row["cases"] == 2
    assert row["lines"].startswith("301 (")
    assert "; 302 (" in row["lines"]


def test_system_prompts_that_differ(generator):
    examples = [
        chat(text(generator), text(generator), "Be brief." if n < 80 else "Be kind." if n < 95 else "") for n in range(100)
    ]
    row = found(examples)["inconsistent system prompts"]
    assert (row["cases"], row["of"]) == (20, 100)
    assert "80% “Be brief.” from 1; 15% “Be kind.” from 81; 5% without one" in row["words"]
    assert "inconsistent system prompts" not in found(examples[:80])


def test_rare_labels(generator):
    examples = [chat(text(generator), "spam" if n % 20 == 0 else "no spam") for n in range(200)]
    rows = found(examples)
    assert (rows["label imbalance"]["cases"], rows["label imbalance"]["of"]) == (10, 200)
    assert "“no spam” 95%, “spam” 5.0%" in rows["label imbalance"]["words"]
    balanced = [chat(text(generator), "spam" if n % 2 else "no spam") for n in range(200)]
    assert "label imbalance" not in found(balanced)


def test_leaks_between_training_and_validation(distinct, generator):
    asked, answered = (message.texts[0] for message in distinct[7].messages)
    validation = [
        chat(text(generator), text(generator)),
        distinct[5],
        chat(distinct[6].messages[0].texts[0], text(generator)),
        chat(changed(generator, asked, 2), answered),
    ]
    rows = found(distinct, validation)
    assert {finding: (row["cases"], row["of"], row["lines"]) for finding, row in rows.items()} == {
        "validation examples in training": (1, 4, "2 = 6 in training"),
        "validation prompts in training": (1, 4, "3 = 7 in training"),
        "validation examples near training": (1, 4, "4 = 8 in training"),
    }


def test_texts_without_spaces_are_compared_by_characters(generator):
    texts = ["".join(generator.choices("的一是不了人我在有他这中大来上国", k=120)) for _ in range(120)]
    examples = [chat(said[:60], said[60:]) for said in texts]
    near = chat(texts[3][:60], texts[3][60:-1] + "我们")
    assert found([*examples, near])["near duplicates"]["lines"] == "121 = 4"


def test_preferences_and_texts_are_compared_too(generator):
    said = text(generator)
    plain = Example("text", (Message("user", (said,)),))
    pair = Example(
        "preference", (Message("user", (said,)),), ((Message("assistant", ("a b",)),), (Message("assistant", ("b",)),))
    )
    assert found([plain, plain])["exact duplicates"]["cases"] == 1
    assert found([pair, pair])["exact duplicates"]["cases"] == 1


def test_several_files_name_the_file_of_a_line(distinct):
    findings = Findings()
    findings.add("a.jsonl", 1, distinct[0])
    findings.add("b.jsonl", 7, distinct[0])
    assert findings.rows(several=True)[0]["lines"] == "b.jsonl:7 = a.jsonl:1"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alpaca_en_demo.json", {"exact duplicates": 14, "one-word answers": 14}),
        ("gpteacher_roleplay.json", {}),
        ("v1_sft_demo.jsonl", {"exact duplicates": 1, "near duplicates": 2, "same prompt, different answers": 2}),
    ],
)
def test_real_files(shared_file, name, expected):
    inspection = Inspection()
    measured = measure(shared_file(name), [counting_for("gpt-4o-mini")], on_record=inspection.add)
    rows = {row["finding"]: row["cases"] for row in inspection.tables(measured).findings}
    assert expected.items() <= rows.items()


def test_preferences_with_equal_answers():
    asked = (Message("user", ("Hi",)),)

    def pair(preferred, other):
        return Example("preference", asked, tuple((Message("assistant", (said,)),) for said in (preferred, other)))

    row = found([pair("Hello!", "What?"), pair("Hello  there", "Hello there\n"), pair("", "Hi")])[
        "preferences with equal answers"
    ]
    assert (row["cases"], row["of"], row["lines"]) == (1, 3, "2")
    assert "preferences with equal answers" not in found([pair("Hello!", "What?")])
