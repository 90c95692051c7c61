"""Scenario files: what is read, and how each mistake is told."""

from __future__ import annotations

import contextlib
import copy
import json
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.scenario import Scenario
from ingest import InputError, load_scenario, read_scenario
from ingest.scenario_file import located, scenario_from

SMALL = """\
name: Support replies
as_of: 2026-11-20
horizon_months: 12
workload:
  requests_per_month: 180_000
  user_tokens: 350
  answer_tokens: 220
task: {kind: style}
approaches:
  prompting:
    model: openai/gpt-4.1-mini
    instruction_tokens: 2600
"""


@pytest.fixture
def loaded(tmp_path):
    """A function that writes text to a scenario file and loads it."""

    def load(text: str, name: str = "scenario.yaml") -> Scenario:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_scenario(path)

    return load


def message_of(load, text, name="scenario.yaml") -> str:
    with pytest.raises(InputError) as caught:
        load(text, name)
    return str(caught.value)


def test_a_small_scenario_loads(loaded):
    scenario = loaded(SMALL)
    assert scenario.as_of == date(2026, 11, 20)
    assert scenario.workload.requests_per_month == 180_000


def test_json_and_yaml_give_the_same_scenario(loaded):
    fields, _ = read_scenario(SMALL, "scenario.yaml")
    assert loaded(json.dumps(fields, default=str, indent="\t"), "scenario.json") == loaded(SMALL)


def test_windows_line_ends_and_a_byte_order_mark_are_read(loaded):
    assert loaded("\ufeff" + SMALL.replace("\n", "\r\n")) == loaded(SMALL)


def test_values_are_plain_python_by_yaml_1_2():
    data, lines = read_scenario("a: 180_000\nb: no\nc: 12:30\nd: 2026-11-20\ne: 0.5\nf: [1, {g: ~}]\n1: x\n", "s.yaml")
    assert data == {"a": 180_000, "b": "no", "c": "12:30", "d": date(2026, 11, 20), "e": 0.5, "f": [1, {"g": None}], "1": "x"}
    assert [type(data[key]) for key in "aef"] == [int, float, list]
    assert type(data["f"][1]) is dict
    assert lines["a"] == 1
    assert lines["f.1.g"] == 6


def test_lines_of_a_json_file():
    assert read_scenario('{\n\t"a": {\n\t\t"b": [\n1,\n2]}}', "s.json")[1] == {"a": 2, "a.b": 3, "a.b.0": 4, "a.b.1": 5}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  requests_per_month: 180_000", "  requests_per_mnth: 180_000", "line 5, workload.requests_per_mnth: there is no such"),
        ("  requests_per_month: 180_000", "  requests_per_mnth: 180_000", "Did you mean requests_per_month?"),
        (
            "  requests_per_month: 180_000",
            "  requests_per_mnth: 180_000",
            "line 4, workload.requests_per_month: the field is miss",
        ),
        (
            "horizon_months: 12",
            "horizon_months: 12 months",
            "line 3, horizon_months: '12 months' is not a whole number. The unit",
        ),
        ("horizon_months: 12", "horizon_months: 12 months", "Write 'horizon_months: 12'"),
        ("horizon_months: 12", "horizon_months: 0", "0 is out of bounds. Expected a number of 1 or more"),
        ("user_tokens: 350", "user_tokens: -350", "line 6, workload.user_tokens: expected a number 0 or more, got -350"),
        ("user_tokens: 350", "user_tokens: 350 tokens", "Write 'user_tokens: 350'"),
        ("user_tokens: 350", "user_tokens: 12%", "so write the number alone."),
        ("user_tokens: 350", "user_tokens: {low: 3, likely: 2, high: 5}", "must be in ascending order"),
        ("kind: style", "kind: styl", "line 8, task.kind: 'styl' is not a choice. Expected 'style', 'format'"),
        ("as_of: 2026-11-20", "as_of: soon", "Expected a date such as 2026-11-20"),
        ("as_of: 2026-11-20", "as_of: 2026-13-45", "line 2, as_of: '2026-13-45' cannot be read: month must be in 1..12"),
        ("task: {kind: style}", "task: style", "line 8, task: 'style' stands where a group of fields belongs"),
        ("    instruction_tokens: 2600", "    retrieval: yes", "line 12, approaches.prompting.retrieval: 'yes' stands where a"),
        ("    instruction_tokens: 2600", "    extends: [a]", "line 12, approaches.prompting.extends: a list is not the name"),
        ("  prompting:", "  rag: 5\n  prompting:", "line 10, approaches.rag: 5 stands where a group of fields"),
        ("openai/gpt-4.1-mini", "gpt-4.1-mini", "Expected provider/model"),
        ("  user_tokens: 350", "  growth: {monthly_share: 0.1}", "workload.growth: does not say its kind. Add it: kind: flat"),
        ("    instruction_tokens: 2600", "    serving: {kind: api}", "kind 'api' is not a choice. Expected one of 'per_token'"),
        ("    instruction_tokens: 2600", "    extends: promting", "there is no approach 'promting'"),
        ("  user_tokens: 350", "  turns_per_conversation: two", "'two' does not fit. Expected a whole number or a list"),
        ("180_000", "180k", "Write 'requests_per_month: 180000'"),
        ("180_000", "1.2 M", "Write 'requests_per_month: 1200000'"),
        ("  user_tokens: 350", "  batch_share: 12.5%", "Write 'batch_share: 0.125'"),
        ("180_000", "180 requests/month", "Write 'requests_per_month: 180'"),
        ("  user_tokens: 350", "  active_hours_utc: 8-20", "Expected full hours from-to. Write 'active_hours_utc: 08:00-20:00'"),
        ("Support replies", "x" * 200, "line 1, name: the name 'xxx"),
        ("Support replies", '""', "line 1, name: it is empty. Expected 1 or more letters"),
        (
            "  user_tokens: 350",
            "  growth: {kind: seasonal, january_to_december: [1, 2]}",
            "growth.january_to_december: it has 2 values. Expected 12 values",
        ),
        ("user_tokens: 350", "user_tokens: null", "got null;"),
        ("user_tokens: 350", "user_tokens: true", "got true;"),
        ("horizon_months: 12", "horizon_months: 2026-11-20", "2026-11-20 "),
        ("as_of: 2026-11-20", "as_of: 1999-01-01", "1999-01-01 is out of bounds. Expected a day from 2020-01-01 on"),
        ("as_of: 2026-11-20", "reference: foo", "line 2, reference: 'foo' is not among the approaches"),
        (
            "  user_tokens: 350",
            "  user_tokens: 350\n  growth: {kind: series, requests_by_month: [1, 2, 3]}",
            "line 7, workload.growth.requests_by_month: has 3 months",
        ),
        (
            "    instruction_tokens: 2600",
            "    instruction_tokens: 2600\n    retrieval: {store: pinecone}",
            "Expected provider/store. For example pinecone/serverless",
        ),
        ("  user_tokens: 350", "  growth: {kind: compound}", "line 6, workload.growth.monthly_share: the field is missing"),
    ],
)
def test_a_mistake_is_told_with_its_line_field_and_remedy(loaded, old, new, told):
    assert told in message_of(loaded, SMALL.replace(old, new))


@pytest.mark.parametrize("wrong", ["180b", "180m", "180x", "2 years", "1,000", "12%", "180 k€", "180 €"])
def test_no_number_is_suggested_where_another_may_be_meant(loaded, wrong):
    assert "Write '" not in message_of(loaded, SMALL.replace("180_000", wrong))


def test_no_message_speaks_of_the_program(loaded):
    wrongs = {"approaches:\n  prompting:": "approaches: {}\nx:\n  y:", "180_000": "~", "350": "yes", "{kind: style}": "{kind: 1}"}
    for old, new in wrongs.items():
        told = message_of(loaded, SMALL.replace(old, new))
        assert not re.search(r"None|True|Dictionary|Tuple|Value error|validation|datetime", told), told


def located_problem(message: str, lines: dict[str, int]) -> tuple[str | None, int | None, str]:
    [problem] = located(ValueError(message), lines, "s.yaml").problems
    return problem.field, problem.line, problem.wrong


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("approaches.rag: there is none.", ("approaches.rag", 4, "there is none.")),
        ("approaches.rag.mix.share: too much", ("approaches.rag.mix.share", 4, "too much")),
        ("approaches.hybrid: not written", ("approaches.hybrid", 3, "not written")),
        ("approaches.gpt-4.1 at X: no", ("approaches.gpt-4.1 at X", 5, "no")),
        ("approaches.gpt-4.1 at X.go_live_month must be 1", ("approaches.gpt-4.1 at X.go_live_month", 5, "must be 1")),
        ("approaches.one more: no", ("approaches.one more", 3, "no")),
        ("workload.growth: no", ("workload.growth", 2, "no")),
        ("organisation.opnai: no such provider", ("organisation.opnai", None, "no such provider")),
        ("value of an answer: no", (None, None, "value of an answer: no")),
        ("the scenario has no day", (None, None, "the scenario has no day")),
    ],
)
def test_what_the_model_refuses_is_told_at_its_field(message, expected):
    lines = {"name": 1, "workload": 1, "workload.growth": 2, "approaches": 3, "approaches.rag": 4, "approaches.gpt-4.1 at X": 5}
    assert located_problem(message, lines) == expected
    assert located_problem(message, {})[0] == expected[0] or "must" in message


def test_a_mistake_that_others_inherit_is_told_once(loaded):
    text = SMALL.replace("2600", "many") + "  short:\n    extends: prompting\n"
    told = message_of(loaded, text).splitlines()
    assert [line.split(": ")[0].split(", ", 1)[1] for line in told] == ["line 12, approaches.prompting.instruction_tokens"]


def test_names_of_approaches_may_hold_dots(loaded):
    text = SMALL + "  gpt-4.1 mini:\n    extends: prompting\n    shots: -1\n"
    assert "line 15, approaches.gpt-4.1 mini.shots: expected a number 0 or more" in message_of(loaded, text)


def test_many_mistakes_are_cut_short(loaded):
    text = SMALL + "".join(f"unknown_{number}: 1\n" for number in range(50))
    told = message_of(loaded, text).splitlines()
    assert len(told) == 21
    assert "… and 30 more mistakes" in told[-1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        ("# only a comment\n", "holds nothing at its top level"),
        ("- a\n- b\n", "holds a list at its top level"),
        ("just text", "holds a single value at its top level"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is not UTF-8 text"),
        (b"a: \x00", "the file is binary"),
        ("name: x\n\tb: 1", "line 2, column 1: is not valid YAML"),
        ("name: [x", "is not valid YAML"),
        ("a: 1\nb: 2\na: 3", "line 3, a: is stated twice. First on line 1"),
        ("a: {b: 1, b: 2}", "line 1, a.b: is stated twice"),
        ("a: &x [1]\nb: *x", "b: repeats a part by a YAML alias"),
        ("a: &x [*x]", "repeats a part by a YAML alias"),
        ("a: 1\n---\nb: 2", "is not valid YAML"),
        ("a: !!python/name:os.system x", "line 1, a: carries the YAML tag !!python/name:os.system, which is not read here"),
        ("a:\n  b: !!python/object:os.system {c: 1}", "line 2, a.b: carries the YAML tag !!python/object:os.system"),
        ("a: !mine 1", "line 1, a: carries the YAML tag !mine"),
        ("? [a, b]\n: 1", "line 1: a field's name is a list or a mapping"),
        ("a: " + "[" * 5000, "is nested too deeply"),
        ("a: " + "9" * 5000, "cannot be read: the number has too many digits"),
        ("a: \x07", "is not valid YAML"),
        ("x" * 1_000_001, "the file is too large. Expected at most 1,000,000 bytes"),
    ],
)
def test_a_file_that_is_no_scenario_gives_one_clear_error(loaded, text, told):
    message = message_of(loaded, text)
    assert told in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1,}', "line 1, column 9: is not valid JSON"),
        ('{"a": 1, "a": 2}', "'a' is stated twice"),
        ('{"a": NaN}', "NaN is not a number"),
        ('{"a": ' + "9" * 5000 + "}", "is not valid JSON: the number has too many digits"),
        ("[1]", "holds a list at its top level"),
        ("[" * 100_000, "is nested too deeply"),
    ],
)
def test_broken_json_gives_one_clear_error(loaded, text, told):
    assert told in message_of(loaded, text, "scenario.json")


def test_an_alias_bomb_is_refused(loaded):
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    assert "repeats a part by a YAML alias" in message_of(loaded, bomb)


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.yaml: there is no such file"):
        load_scenario(tmp_path / "nowhere.yaml")
    with pytest.raises(InputError, match="is a folder"):
        load_scenario(tmp_path)


def test_problems_are_there_one_by_one(loaded):
    with pytest.raises(InputError) as caught:
        loaded(SMALL.replace("350", "-1").replace("220", "-2"))
    assert [(p.line, p.field) for p in caught.value.problems] == [(6, "workload.user_tokens"), (7, "workload.answer_tokens")]


@given(
    text=st.text(alphabet=st.sampled_from("ab:-[]{}#&*!|>?%@\"'\\\n\t 01.~,\x00\ud800é"), max_size=60),
    suffix=st.sampled_from(["yaml", "json"]),
)
def test_any_text_is_read_or_refused_in_words(text, suffix):
    with contextlib.suppress(InputError):
        data, lines = read_scenario(text, f"any.{suffix}")
        assert isinstance(data, dict)
        assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


def stated_fields(fields, path=()):
    """The path of every field and item, the deeper ones after their group."""
    for key, value in fields.items() if isinstance(fields, dict) else enumerate(fields) if isinstance(fields, list) else ():
        yield (*path, key)
        yield from stated_fields(value, (*path, key))


@pytest.mark.parametrize(
    "wrong", [None, True, -1, 1e300, float("nan"), "x", "", [], {}, [1], {"a": 1}, {"p10": 1, "p90": 2}, {"low": "a"}], ids=repr
)
def test_any_wrong_value_anywhere_is_told_in_words(wrong):
    fields, lines = read_scenario(SMALL, "scenario.yaml")
    for path in stated_fields(fields):
        broken = copy.deepcopy(fields)
        group = broken
        for key in path[:-1]:
            group = group[key]
        group[path[-1]] = wrong
        with contextlib.suppress(InputError):
            scenario_from(broken, lines, "scenario.yaml")


@pytest.mark.parametrize(
    ("stated", "wrong"),
    [("{low: 6, high: 12}", "this field takes no range"), ("{months: 6}", "this field has none below it")],
)
def test_a_field_of_one_number_says_that_it_takes_no_range(loaded, stated, wrong):
    said = message_of(loaded, SMALL.replace("horizon_months: 12", f"horizon_months: {stated}"))
    expected = "Expected a whole number. Write one value, 'horizon_months: …'."
    assert said.endswith(f"line 3, horizon_months: {wrong}. {expected}")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("tuneworth.comparison", ["is a report", "tuneworth diff", "scenario.stated"]),
        ("tuneworth.invoice", ["is the answer of a command (tuneworth.invoice)", "Expected a scenario"]),
    ],
)
def test_what_a_command_wrote_is_told_from_a_scenario(loaded, kind, said):
    text = json.dumps({"schema": {"id": kind, "version": 1}, "as_of": "2026-11-20", "approaches": []}, indent=1)
    found = message_of(loaded, text, "c.json")
    assert "c.json, line 2, schema.id: " in found
    assert "no such field" not in found
    for each in said:
        assert each in found
