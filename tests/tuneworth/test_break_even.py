"""``tuneworth break-even``: who is cheapest as one number moves."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "support_tone.yaml"
USD = "task.rejected_answer_usd"


def test_changes_of_the_cheapest_are_listed_with_their_values(tuneworth):
    ran = tuneworth("break-even", EXAMPLE, "--over", USD, "--from", 0, "--to", 1, "--format", "json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert [stretch["cheapest"] for stretch in found["stretches"]][:2] == ["prompting", "few-shot"]
    assert 0 < found["changes"][0]["at"] < 1
    assert found["over"]["present"] == 0.06
    at = found["changes"][0]["totals_usd"]
    assert at["prompting"] == pytest.approx(at["few-shot"], rel=1e-9)
    assert found["stretches"][0]["to"] == pytest.approx(found["changes"][0]["at"])


def test_a_table_says_what_moves_what_is_today_and_the_totals_at_both_ends(tuneworth):
    ran = tuneworth("break-even", EXAMPLE, "--over", USD, "--from", 0, "--to", 1, "--between", "prompting", "--and", "few-shot")
    assert ran.code == 0, ran.err
    what, today, verdict, *table = [line for line in ran.out.splitlines() if line]
    assert what == f"{USD} (rejected answer US$) from 0 to 1, as asked for, all else as stated."
    assert today.startswith("Today 0.06: Few-shot is the cheapest, $")
    assert verdict == "Few-shot is the cheapest from 0.0151577 on, Prompting is the cheapest below."
    heading = next(line for line in table if "cheapest" in line)
    assert "Prompting, US$ at from" in heading
    assert "Few-shot, US$ at to" in heading


def test_without_a_field_the_volume_moves_as_the_comparison_has_it(tuneworth):
    ran = tuneworth("break-even", EXAMPLE, "--format", "json")
    assert ran.code == 0, ran.err
    compared = json.loads(tuneworth("compare", EXAMPLE, "--format", "json").out)
    found = json.loads(ran.out)
    assert found["over"]["path"] == "workload.requests_per_month"
    assert [stretch["cheapest"] for stretch in found["stretches"]] == [i["winner"] for i in compared["envelope"]]


def test_csv_and_markdown_hold_the_same_stretches(tuneworth):
    asked = ("break-even", EXAMPLE, "--over", USD, "--from", 0, "--to", 1, "--format")
    rows = list(csv.DictReader(io.StringIO(tuneworth(*asked, "csv").out)))
    assert [row["cheapest"] for row in rows][:2] == ["prompting", "few-shot"]
    assert float(rows[0]["to"]) == pytest.approx(float(rows[1]["from"]))
    assert float(rows[0]["prompting_usd_at_to"]) == pytest.approx(float(rows[0]["few-shot_usd_at_to"]))
    assert tuneworth(*asked, "md").out.count("\n| ") == len(rows) + 2


def test_every_number_that_can_be_moved_is_listed_with_its_value(tuneworth):
    listed = {row["path"]: row for row in json.loads(tuneworth("break-even", EXAMPLE, "--list", "--format", "json").out)}
    assert listed["task.examples"] == {"path": "task.examples", "present": 488, "unit": "examples", "whole": False}
    assert listed["prices.openai/gpt-6.1-terra.output_usd_per_mtok"]["unit"] == "USD per million output tokens"
    assert listed["staff_usd_per_hour.ml_engineer"]["present"] > 50
    assert listed["horizon_months"]["whole"] is True
    assert "task.examples" in tuneworth("break-even", EXAMPLE, "--list").out


def test_values_without_an_answer_are_told_with_the_reason_and_the_code_for_partial(tuneworth):
    ran = tuneworth("break-even", EXAMPLE, "--over", "approaches.rag.go_live_month", "--from", 8, "--to", 14)
    assert ran.code == 3
    assert "From 12 to 14 nothing can be computed: " in ran.err
    assert "within the horizon of 12 months" in ran.err


def test_a_total_without_limit_at_one_value_is_told_and_not_counted(tuneworth):
    asked = ("--over", "assumptions.serving.target_utilisation", "--between", "few-shot", "--and", "fine-tuning")
    ran = tuneworth("break-even", EXAMPLE, *asked)
    assert ran.code == 3
    assert ran.err == "At 0 Fine-tuning has no total: its cost has no limit there\n"
    assert "Never changes in 0 to 1: Few-shot is the cheapest wherever both have a total." in ran.out
    gaps = json.loads(tuneworth("break-even", EXAMPLE, *asked, "--format", "json").out)["gaps"]
    assert [(gap["approach"], gap["from"], gap["to"]) for gap in gaps] == [("fine-tuning", 0, 0)]
    above = tuneworth("break-even", EXAMPLE, *asked, "--from", 0.1, "--to", 1)
    assert (above.code, above.err) == (0, "")
    assert "Few-shot is the cheapest throughout." in above.out


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("horizon_months", "--from", 2.5, "--to", 9.5), "from 3 to 9, the whole months within the 2.5 to 9.5 asked for, all"),
        (("horizon_months", "--from", 3, "--to", 9), "from 3 to 9, as asked for, all"),
        (("approaches.rag.accepted",), "from 0.898577 to 0.974158, the middle 98% of the stated distribution, all"),
    ],
)
def test_the_header_says_which_values_are_looked_at_in_lines_that_fit(tuneworth, asked, told):
    ran = tuneworth("break-even", EXAMPLE, "--over", *asked)
    assert ran.code == 0, ran.err
    header = ran.out.partition("\n\n")[0]
    assert told in " ".join(header.split())
    assert all(len(line) <= 100 for line in header.splitlines())


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--over", "task.rejected_answers", "--from", 0, "--to", 1), "there is no field task.rejected_answers"),
        (("--over", "approaches.rag.accepted", "--from", 0.5, "--to", 1.7), "expected a number between 0 and 1, got 1.7"),
        (("--over", "task.kind", "--from", 0, "--to", 1), "task.kind does not hold a number"),
        (("--over", "task.examples", "--from", 9, "--to", 5), "is empty"),
        (("--over", "task.examples", "--from", "nan", "--to", 5), "must be finite numbers"),
        (("--over", "approaches.prompting.tool_tokens"), "gives no range to look at"),
        (("--over", "prices.openai/gpt-6.1-tera.output_usd_per_mtok"), "Did you mean gpt-6.1-terra"),
        (("--between", "prompting", "--and", "ragg"), "Did you mean rag"),
        (("--between", "rag", "--and", "rag"), "cannot be held against itself"),
    ],
)
def test_what_is_wrong_is_told_in_one_message(tuneworth, asked, told):
    ran = tuneworth("break-even", EXAMPLE, *asked)
    assert ran.code == 1
    assert told in ran.err
    assert ran.err.startswith(("--over", "--between"))
    assert "error of its own" not in ran.err


@pytest.mark.parametrize("asked", [("--between", "rag"), ("--and", "rag"), ("--from", "low")])
def test_wrong_usage_ends_with_two(tuneworth, asked):
    assert tuneworth("break-even", EXAMPLE, *asked).code == 2
