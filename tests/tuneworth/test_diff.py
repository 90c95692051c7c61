"""``tuneworth diff``: reports read back, what is printed, and every way a file can be wrong."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calc import compare
from calc.uncertainty import simulate
from ingest import load_scenario
from ingest.report_file import load_report
from pricing import PriceBook
from reports import words

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

SCENARIO = """
name: Two answers
as_of: {day}
horizon_months: 12
workload: {{requests_per_month: {volume}, user_tokens: {tokens}, answer_tokens: 200}}
task: {{kind: style, examples: 500, tokens_per_example: 400}}
staff_usd_per_hour: {{ml_engineer: 50, support_agent: 20}}
approaches:
  prompting:
    model: {model}
    instruction_tokens: {instructions}
    staffing: {{set_up_hours: 0, maintenance_hours_per_month: 0}}
  few-shot: null
  short: {{extends: prompting, instruction_tokens: 100, staffing: {{set_up_hours: 2, maintenance_hours_per_month: 0}}}}
"""
DEFAULTS = {"day": "2026-11-20", "volume": 100_000, "tokens": 500, "instructions": 5000, "model": "openai/gpt-6.1-terra"}
OWN = """
[[openai.discount]]
percent = 20
effective = 2026-01-01
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a scenario file."""

    def write(name: str = "scenario.yaml", **changes: Any) -> Path:
        path = tmp_path / name
        path.write_text(SCENARIO.format(**DEFAULTS | changes), encoding="utf-8")
        return path

    return write


@pytest.fixture
def report(tuneworth, scenario, tmp_path: Path) -> Callable[..., Path]:
    """A function that writes the report of a scenario."""

    def write(name: str = "old.json", own_prices: Path | None = None, **changes: Any) -> Path:
        options = ["--own-prices", own_prices] if own_prices else []
        path = tmp_path / name
        path.write_text(tuneworth("compare", scenario(**changes), "--format", "json", *options).out, encoding="utf-8")
        return path

    return write


def altered(path: Path, *at: str | int, value: Any) -> Path:
    data = json.loads(path.read_text(encoding="utf-8"))
    inside = data
    for key in at[:-1]:
        inside = inside[key]
    inside[at[-1]] = value
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def dollars(text: str) -> int:
    return int(re.sub(r"[^\d−-]", "", text).replace("−", "-"))


def test_shown_effects_add_up_to_the_shown_change(tuneworth, report):
    old, new = report(), report("new.json", volume=173_000, tokens=777, model="openai/gpt-6-luna")
    ran = tuneworth("diff", old, new, "--format", "md")
    assert ran.code == 0
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in ran.out.splitlines() if line.startswith("|")][2:]
    approach: list[str] = []
    effects: dict[str, int] = {}
    for row in rows:
        if row[0]:
            approach = row
            assert dollars(row[2]) - dollars(row[1]) == dollars(row[3])
        effects[approach[0]] = effects.get(approach[0], 0) + (0 if row[0] else dollars(row[3]))
    assert effects == {row[0]: dollars(row[3]) for row in rows if row[0]}
    assert "volume: 100,000 → 173,000 requests a month" in ran.out
    assert "workload.user_tokens 500 → 777" in ran.out
    assert "model of prompting: openai/gpt-6.1-terra → openai/gpt-6-luna" in ran.out


def test_the_table_names_both_ends_the_winner_and_moved_break_evens(tuneworth, report):
    old, new = report(), report("new.json", volume=100, instructions=4000)
    ran = tuneworth("diff", old, new)
    assert " ".join(ran.out.split()).startswith(f"Before: {old}, as reported by")
    assert "prices as of 20 November 2026, price book release" in " ".join(ran.out.split())
    winners = [json.loads(path.read_text())["winner"] for path in (old, new)]
    assert winners == ["short", "prompting"]
    assert "Short was the cheapest; now prompting is." in ran.out
    assert re.search(
        r"Short is cheaper than prompting from [\d,]+ requests a month\. Before: short is cheaper", " ".join(ran.out.split())
    )


def test_amounts_of_a_column_end_below_each_other(tuneworth, report):
    lines = tuneworth("diff", report(), report("new.json", volume=173_000, tokens=777)).out.splitlines()
    [head] = [line for line in lines if "because of" in line]
    end = head.index("change") + len("change")
    figures = [line for line in lines if "$" in line]
    assert len(figures) == 6
    for line in figures:
        assert line[end - 1].isdigit()
        assert line[end : end + 3].strip() == ""


def test_the_same_report_twice(tuneworth, report):
    old = report()
    ran = tuneworth("diff", old, old)
    assert ran.code == 0
    assert "Nothing changed: scenario, prices, day and totals are the same." in ran.out
    found = json.loads(tuneworth("diff", old, old, "--format", "json").out)
    assert all(approach["change_usd"] == 0 and approach["effects"] == [] for approach in found["approaches"])


def test_a_report_against_today(tuneworth, report, monkeypatch):
    old = altered(report(), "approaches", 0, "total_usd", value=1234.5)
    monkeypatch.setattr("tuneworth.diff.today", lambda: date(2026, 11, 24))
    found = json.loads(tuneworth("diff", old, "--format", "json").out)
    assert (found["old"]["as_of"], found["new"]["as_of"]) == ("2026-11-20", "2026-11-24")
    prompting = found["approaches"][0]
    assert prompting["old_usd"] == 1234.5
    [effect] = [effect for effect in prompting["effects"] if effect["kind"] == "calculation"]
    assert effect["usd"] == pytest.approx(prompting["new_usd"] - 1234.5)
    days = [effect for effect in prompting["effects"] if effect["kind"] == "day"]
    assert [effect["fields"] for effect in days] == [[{"field": "as_of", "old": "2026-11-20", "new": "2026-11-24"}]]


def test_another_version_is_named(tuneworth, report):
    old = altered(altered(report(), "approaches", 0, "total_usd", value=1234.5), "tuneworth", value="0.0.1")
    assert re.search(r"tuneworth 0\.0\.1 → \d", tuneworth("diff", old).out)


def test_a_scenario_file_is_computed_now(tuneworth, scenario, report):
    ran = tuneworth("diff", report(), scenario("new.yaml", volume=50_000))
    assert ran.code == 0
    assert "computed now" in " ".join(ran.out.split())
    assert "volume: 100,000 → 50,000 requests a month" in ran.out


def test_two_states_of_the_price_book(tuneworth, report):
    old, new = (report(f"{name}.json", day=f"2026-11-20\nprice_release: {name}") for name in ("2026-11-20", "2026-11-21"))
    ran = tuneworth("diff", old, new, "--format", "json")
    kinds = {effect["kind"] for approach in json.loads(ran.out)["approaches"] for effect in approach["effects"]}
    assert kinds == {"price book"}


def test_csv_has_a_row_for_each_effect_and_sums(tuneworth, report):
    old, new = report(), report("new.json", volume=150_000, tokens=700)
    rows = list(csv.DictReader(io.StringIO(tuneworth("diff", old, new, "--format", "csv").out)))
    prompting = [row for row in rows if row["name"] == "prompting"]
    assert {row["fields"] for row in prompting} == {"workload.requests_per_month", "workload.user_tokens"}
    assert sum(float(row["effect_usd"]) for row in prompting) == pytest.approx(float(prompting[0]["change_usd"]), rel=1e-9)


def test_amounts_are_shown_in_the_later_scenario_s_currency(tuneworth, report, scenario):
    new = scenario("new.yaml", volume=150_000)
    new.write_text(new.read_text() + "finance: {currency: EUR}\n", encoding="utf-8")
    out = tuneworth("diff", report(), new).out
    assert "€" in out
    assert "$" not in out


def test_a_lost_total_is_told_with_its_reason(tuneworth, report, scenario):
    old, new = report(), scenario("new.yaml")
    tuned = "{extends: prompting, model: openai/gpt-4.1-mini, tuning: {epochs: 3}, "
    new.write_text(new.read_text().replace("short: {extends: prompting, ", f"short: {tuned}"), encoding="utf-8")
    ran = tuneworth("diff", old, new)
    assert ran.code == 3
    [row] = [line for line in ran.out.splitlines() if line.startswith(" Short ")]
    assert row.count(words.MISSING) == 2
    assert "no total any more: cannot be tuned" in row
    assert json.loads(tuneworth("diff", old, new, "--format", "json").out)["approaches"][1]["outcome"] == "lost"


# --- own prices -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "negotiated.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


def test_own_prices_are_a_cause(tuneworth, report, own):
    old, new = report(), report("new.json", own_prices=own)
    found = json.loads(tuneworth("diff", old, new, "--own-prices", own, "--format", "json").out)
    for approach in found["approaches"]:
        assert [effect["kind"] for effect in approach["effects"]] == ["own prices"]
        assert approach["effects"][0]["usd"] == pytest.approx(approach["change_usd"], rel=1e-9)
        assert approach["change_usd"] < 0


def test_own_prices_that_are_not_given_are_asked_for(tuneworth, report, own):
    ran = tuneworth("diff", report(own_prices=own))
    assert ran.code == 1
    assert "it rests on own prices of negotiated.toml" in ran.err
    assert "--own-prices negotiated.toml" in ran.err


def test_other_own_prices_of_the_same_name_are_told(tuneworth, report, own):
    old = report(own_prices=own)
    own.write_text(OWN.replace("20\n", "30\n"), encoding="utf-8")
    ran = tuneworth("diff", old, "--own-prices", own)
    assert ran.code == 1
    assert "The negotiated.toml given is another" in ran.err


def test_own_prices_that_neither_uses_are_told(tuneworth, report, own):
    old = report()
    assert "neither of the two rests on these own prices" in tuneworth("diff", old, old, "--own-prices", own).err


# --- bad input ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"schema": ', ["is not valid JSON", "line 1"]),
        ('{"schema": {"id": "other.thing", "version": 1}}', ["schema.id", "'other.thing'", "tuneworth.comparison"]),
        ('{"schema": 7}', ["schema.id", "does not say what it is"]),
        ('{"approaches": []}', ["schema.id", "does not say what it is", "--format json"]),
        ('{"schema": {"id": "tuneworth.comparison", "version": 2}}', ["schema.version", "newer tuneworth", "up to 1"]),
        ('{"schema": {"id": "tuneworth.comparison", "version": "x"}}', ["schema.version", "whole number"]),
        ('{"schema": {"id": "tuneworth.comparison", "version": 1}}', ["price_book", "the field is missing", "not whole"]),
        ('{"schema": {"id": "tuneworth.comparison", "version": true}}', ["schema.version", "whole number"]),
        ('{"schema": ' + "9" * 5000 + "}", ["more digits than can be read"]),
        ("", ["the file is empty"]),
        ('{"name": "A scenario without the rest"}', ["workload", "the field is missing"]),
    ],
)
def test_files_that_are_no_report(tuneworth, tmp_path, text, told):
    path = tmp_path / "wrong.json"
    path.write_text(text, encoding="utf-8")
    ran = tuneworth("diff", path)
    assert (ran.code, ran.out) == (1, "")
    assert "Traceback" not in ran.err
    for words_told in (str(path), *told):
        assert words_told in ran.err


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("approaches", 0, "total_usd"), float("nan"), "approaches.0.total_usd"),
        (("approaches", 0, "total_usd"), float("inf"), "approaches.0.total_usd"),
        (("approaches", 0, "lines"), 5, "approaches.0.lines"),
        (("approaches", 0, "lines"), [1], "approaches.0.lines.0"),
        (("approaches", 0, "lines"), [{"prices": [{}]}], "approaches.0.lines.0.prices.0.recorded"),
        (("approaches", 0, "lines"), [{"assumptions": [{"recorded": "x"}]}], "approaches.0.lines.0.assumptions.0.recorded"),
        (("as_of",), "9999-12-31", "as_of: '9999-12-31' is out of bounds. Expected a day before 2100-01-01"),
        (("price_book", "recorded_through"), "9999-12-31", "price_book.recorded_through: '9999-12-31' is out of bounds"),
        (("break_evens", 0, "intervals"), [], "break_evens.0.intervals"),
        (("break_evens", 0, "equal_at"), [float("inf")], "break_evens.0.equal_at.0"),
    ],
)
def test_a_report_with_what_none_holds(tuneworth, report, place, value, told):
    ran = tuneworth("diff", altered(report(), *place, value=value))
    assert (ran.code, ran.out) == (1, "")
    assert told in ran.err
    assert "error of its own" not in ran.err


def test_a_file_that_is_not_there(tuneworth, tmp_path):
    ran = tuneworth("diff", tmp_path / "none.json")
    assert ran.code == 1
    assert "there is no such file" in ran.err


def test_a_release_this_book_does_not_know(tuneworth, report):
    old = altered(altered(report(), "price_book", "release", value="2099.1.1"), "tuneworth", value="9.9")
    ran = tuneworth("diff", old)
    assert ran.code == 1
    assert "price_book.release" in ran.err
    assert "'2099.1.1'" in ran.err
    assert "tuneworth 9.9" in ran.err


def test_a_release_of_the_same_name_with_another_content_is_told(tuneworth, report):
    old = altered(report(), "price_book", "sha256", value="0" * 64)
    ran = tuneworth("diff", old)
    assert ran.code == 0
    assert "is not the one the report rests on" in ran.err


def test_records_after_the_release_are_told(tuneworth, report):
    old = altered(report(), "price_book", "has_later_records", value=True)
    ran = tuneworth("diff", old)
    assert ran.code == 0
    assert "does not say through which day" in ran.err


def test_a_scenario_inside_that_cannot_be_read(tuneworth, report):
    old = altered(report(), "scenario", "stated", "horizon_months", value=0)
    ran = tuneworth("diff", old)
    assert ran.code == 1
    assert "scenario.stated, horizon_months" in ran.err


def test_a_model_inside_that_nobody_lists(tuneworth, report):
    old = altered(report(), "scenario", "stated", "approaches", "prompting", "model", value="openai/gpt-none")
    ran = tuneworth("diff", old)
    assert ran.code == 1
    assert "gpt-none" in ran.err


def test_a_report_that_is_read_back_is_drawn_as_the_scenario_was(tuneworth, tmp_path):
    book = PriceBook.bundled()
    for name in ("code_conventions", "support_tone"):  # what extends, takes retrieval over, and shares an accepted share
        path = tmp_path / f"{name}.json"
        path.write_text(tuneworth("compare", EXAMPLES / f"{name}.yaml", "--format", "json").out, encoding="utf-8")
        read = load_report(path, book)
        assert read is not None
        stated = load_scenario(EXAMPLES / f"{name}.yaml")
        assert read.scenario.approaches == stated.approaches
        once, again = (simulate(compare(each, book), scrambles=2) for each in (stated, read.scenario))
        assert [one.fields for one in once.inputs] == [one.fields for one in again.inputs]
        assert all(np.array_equal(once.compared[approach], again.compared[approach]) for approach in once.names)


def test_a_changed_correlation_changes_no_total_and_stops_no_split(tuneworth, scenario, tmp_path):
    ranges = "{low: 90_000, high: 110_000}"
    old, new = tmp_path / "one.json", scenario("two.yaml", volume=ranges, tokens="{low: 400, high: 600}", instructions=4000)
    old.write_text(tuneworth("compare", scenario(volume=ranges, tokens="{low: 400, high: 600}"), "--format", "json").out)
    text = new.read_text() + "correlations: [{between: [workload.requests_per_month, workload.user_tokens], rank: 0.3}]\n"
    new.write_text(text, encoding="utf-8")
    data = json.loads(tuneworth("diff", old, new, "--format", "json").out)
    outcomes = {found["name"]: found for found in data["approaches"]}
    assert outcomes["prompting"]["outcome"] == "split"
    assert "correlations" not in json.dumps(outcomes)
