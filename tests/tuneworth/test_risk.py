"""``tuneworth risk``: the verdict and its tables for people, every number for programs, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / "examples" / "documentation_assistant.yaml"

SMALL = """
name: Small
as_of: 2026-11-20
horizon_months: 6
workload:
  requests_per_month: {low: 10_000, likely: 20_000, high: 40_000}
  user_tokens: 300
  answer_tokens: 100
task:
  kind: style
  rejected_answer_usd: 0.05
approaches:
  prompting:
    model: openai/gpt-6.1-terra
    instruction_tokens: 1000
    accepted: {low: 0.8, high: 0.9}
  few-shot:
    extends: prompting
    shots: 4
    tokens_per_shot: 400
    accepted: {low: 0.85, high: 0.93}
"""


@pytest.fixture
def small(tmp_path):
    """A function that writes a small scenario with something added, and gives its path."""

    def written(more: str = "") -> Path:
        path = tmp_path / "small.yaml"
        path.write_text(SMALL + more, encoding="utf-8")
        return path

    return written


def test_the_verdict_comes_first_and_everything_has_a_table(tuneworth):
    ran = tuneworth("risk", EXAMPLE, "--scrambles", 2)
    assert ran.code == 0, ran.err
    text = " ".join(ran.out.split())
    assert ran.out.startswith("RAG is cheapest in 72 of 100 simulations, hybrid in 28.\n")
    assert "On average, choosing RAG costs $7,152 more over 12 months than the best choice would." in text
    for told in (
        "Break-even volume, requests a month",
        "Hybrid against RAG",
        "Hybrid answers accepted",
        "to hybrid above 91.8%",
        "Set-up hours of tuning (assumption)",
        "no flip in its range",
        "Knowing everything exactly before choosing would save $7,152 on average",
        "Shares of the lead's variance (Sobol indices)",
        "16,384 simulations: 2 independent scrambles of 8,192 Sobol points, seed 0.",
        "SHA-256",
    ):
        assert told in text
    assert "nan" not in text.lower().split()
    assert "inf" not in text.lower().split()


def test_json_follows_the_published_schema(tuneworth, small):
    ran = tuneworth("risk", small(), "--scrambles", 2, "--seed", 7, "--format", "json")
    assert ran.code == 0, ran.err
    data = json.loads(ran.out)
    jsonschema.validate(data, json.loads((REPOSITORY / "docs" / "risk.schema.json").read_text(encoding="utf-8")))
    assert (data["seed"], data["draws"], data["winner_at_point"]) == (7, 16_384, "prompting")


def test_csv_holds_every_number_of_the_json(tuneworth, small):
    data = json.loads(tuneworth("risk", small(), "--scrambles", 2, "--format", "json").out)
    rows = list(csv.DictReader(io.StringIO(tuneworth("risk", small(), "--scrambles", 2, "--format", "csv").out)))
    by_key = {(row["table"], row["row"], row["figure"]): row["value"] for row in rows}
    assert len(by_key) == len(rows)
    for approach in data["approaches"]:
        key = ("approaches", approach["name"], "probability_cheapest.value")
        assert float(by_key[key]) == approach["probability_cheapest"]["value"]
        assert sum(row["row"].startswith(f"{approach['name']}: ") for row in rows) == 4 * len(approach["lines"])
    for bar in data["tornado"]["bars"]:
        assert float(by_key["tornado", bar["input"], "lead_at_p10_usd"]) == bar["lead_at_p10_usd"]
    assert {row["table"] for row in rows} >= {"simulation", "lines", "inputs", "sobol_indices", "break_evens_against_winner"}


def test_markdown_has_headings_and_tables(tuneworth, small):
    out = tuneworth("risk", small(), "--scrambles", 2, "--format", "md").out
    assert "\n## Approaches, US$ over 6 months" in out
    assert "| approach | cheapest | SE, points |" in out
    assert "\n\n\n" not in out


def test_a_tolerance_draws_until_it_is_reached(tuneworth, small):
    few = json.loads(tuneworth("risk", small(), "--scrambles", 2, "--format", "json").out)
    wanted = few["standard_error"] / 1.5
    more = json.loads(tuneworth("risk", small(), "--scrambles", 2, "--tolerance", wanted, "--format", "json").out)
    assert more["standard_error"] <= wanted
    assert more["scrambles"] > 2


def test_a_tolerance_that_is_not_reached_is_said(tuneworth, small, monkeypatch):
    monkeypatch.setattr("calc.uncertainty.MOST_SCRAMBLES", 2)  # sparing the test half a million draws
    monkeypatch.setattr("reports.risk_words.MOST_SCRAMBLES", 2)
    options = ("risk", small(), "--scrambles", 2, "--tolerance", 1e-7)
    ran = tuneworth(*options)
    assert ran.code == 0
    assert "That is more than the 1e-05 asked for, as no more than 2 scrambles are made." in " ".join(ran.out.split())
    data = json.loads(tuneworth(*options, "--format", "json").out)
    assert (data["tolerance"], data["tolerance_reached"]) == (1e-7, False)
    assert "simulation,,tolerance,1e-07" in tuneworth(*options, "--format", "csv").out


def test_nothing_is_said_of_a_tolerance_that_is_reached_or_not_asked_for(tuneworth, small):
    for options, told in (((), (None, None)), (("--tolerance", 0.5), (0.5, True))):
        ran = tuneworth("risk", small(), "--scrambles", 2, *options)
        assert "asked for" not in ran.out
        data = json.loads(tuneworth("risk", small(), "--scrambles", 2, "--format", "json", *options).out)
        assert (data["tolerance"], data["tolerance_reached"]) == told


def test_the_help_names_where_draws_end(tuneworth):
    assert "524,288 draws" in " ".join(tuneworth("risk", "--help").out.replace("│", " ").split())


def test_a_scenario_without_stated_ranges_still_draws_the_assumptions(tuneworth, tmp_path):
    path = tmp_path / "fixed.yaml"
    fixed = SMALL.replace("{low: 10_000, likely: 20_000, high: 40_000}", "20_000")
    fixed = fixed.replace("{low: 0.8, high: 0.9}", "0.85").replace("{low: 0.85, high: 0.93}", "0.88")
    path.write_text(fixed, encoding="utf-8")
    out = " ".join(tuneworth("risk", path, "--scrambles", 2).out.split())
    assert "stated range" not in out
    assert "assumptions bring their own" in out


def test_one_approach_alone_is_told_as_such(tuneworth, tmp_path):
    path = tmp_path / "alone.yaml"
    path.write_text(SMALL.partition("  few-shot:")[0], encoding="utf-8")
    ran = tuneworth("risk", path, "--scrambles", 2)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("Prompting is the only approach that can be priced.")
    assert "Break-even" not in ran.out
    assert "standard error" not in ran.out


def test_a_partial_answer_says_why_and_exits_with_3(tuneworth):
    ran = tuneworth("risk", REPOSITORY / "examples" / "support_tone.yaml", "--scrambles", 2)
    assert ran.code == 3
    assert "Fine-tuning at OpenAI: Retraining in February 2027" in ran.err
    assert ran.out.startswith("Few-shot is cheapest in 78 of 100 simulations, prompting in 22.")


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--scrambles", 1], 2, "--scrambles"),
        (["--scrambles", 129], 2, "--scrambles"),
        (["--scrambles", "many"], 2, "--scrambles"),
        (["--seed", -1], 2, "--seed"),
        (["--tolerance", 0], 2, "above 0 and below 1"),
        (["--tolerance", 2], 2, "above 0 and below 1"),
        (["--format", "xml"], 2, "--format"),
        (["--as-of", "yesterday"], 2, "yesterday"),
    ],
)
def test_wrong_options_are_named(tuneworth, small, options, code, told):
    ran = tuneworth("risk", small(), *options)
    assert ran.code == code
    assert told in ran.err
    assert "Traceback" not in ran.err


ACCEPTED = "approaches.prompting.accepted, approaches.few-shot.accepted"


@pytest.mark.parametrize("command", ["compare", "risk"])
@pytest.mark.parametrize(
    ("between", "told"),
    [
        ("approaches.few-shot.acepted, task.rejected_answer_usd", "Did you mean approaches.few-shot.accepted"),
        ("approaches.few-shot.accepted, task.rejected_answer_usd", "it is one number, 0.05"),
        ("approaches.few-shot.accepted, task.examples", "task.examples is no range that is drawn: it is not stated"),
        ("approaches.few-shot.accepted, workload.retry_share", "it has no width"),
        ("approaches.few-shot.accepted, assumptions.evaluation.hours", "nothing here is called that"),
        ("approaches.few-shot.accepted, assumptions.tuning.gpu_memory", "nothing here is called that"),
        ("approaches.few-shot.accepted, approaches.few-shot.instruction_tokens", "it is one number, 1000"),
        ("approaches.few-shot.accepted, predicted.serving", "nothing here is called that"),
    ],
)
def test_a_correlation_of_what_is_not_drawn_is_told_with_its_line_wherever_it_is_compared(
    tuneworth, small, command, between, told
):
    path = small(f"correlations:\n  - rank: 0.5\n    between: [{between}]\n")
    path.write_text(path.read_text().replace("answer_tokens: 100", "answer_tokens: 100\n  retry_share: {low: 0, high: 0}"))
    ran = tuneworth(command, path)
    said = " ".join(ran.err.split())
    assert ran.code == 1
    assert told in said
    line = path.read_text().splitlines().index(f"    between: [{between}]") + 1
    assert f"line {line}" in said or f":{line}" in said
    assert len(said) < 500, "no list of every path"


@pytest.mark.parametrize(
    ("between", "paired", "told"),
    [
        (ACCEPTED, (70, 10, 15, 5), ""),
        (ACCEPTED, (70, 11, 14, 5), "both and first_only make 81 accepted of 100 questions, but approaches.prompting.accepted "
         "states 80 successes of 100 trials"),
        (ACCEPTED, (70, 10, 14, 6), "both and second_only make 84 accepted of 100 questions, but approaches.few-shot.accepted"),
        (ACCEPTED, (75, 5, 10, 5), "make 80 accepted of 95 questions"),
        (ACCEPTED, (0, 0, 0, 0), "all four counts are 0"),
        ("approaches.prompting.accepted, workload.requests_per_month", (70, 10, 15, 5), "is no accepted share"),
    ],
)  # fmt: skip
def test_paired_counts_must_be_those_of_the_stated_shares(tuneworth, small, between, paired, told):
    both, first, second, neither = paired
    counts = f"{{both: {both}, first_only: {first}, second_only: {second}, neither: {neither}}}"
    path = small(f"correlations: [{{between: [{between}], paired: {counts}}}]\n")
    shares = path.read_text().replace("{low: 0.8, high: 0.9}", "{successes: 80, trials: 100}")
    path.write_text(shares.replace("{low: 0.85, high: 0.93}", "{successes: 85, trials: 100}"))
    ran = tuneworth("compare", path)
    assert ran.code == (1 if told else 0), ran.err
    assert told in " ".join(ran.err.split())


def test_impossible_correlations_are_told_with_the_file(tuneworth, small):
    for more, told in (
        (
            "correlations: [{between: [approaches.few-shot.accepted, task.rejected_answer_usd], rank: 0.5}]\n",
            "task.rejected_answer_usd",
        ),
        (
            "correlations:\n"
            "  - {between: [approaches.few-shot.accepted, approaches.prompting.accepted], rank: 0.9}\n"
            "  - {between: [approaches.few-shot.accepted, workload.requests_per_month], rank: 0.9}\n"
            "  - {between: [approaches.prompting.accepted, workload.requests_per_month], rank: -0.9}\n",
            "cannot all hold at once",
        ),
    ):
        for command in ("risk", "compare"):
            ran = tuneworth(command, small(more))
            assert ran.code == 1
            assert "small.yaml" in ran.err
            assert told in " ".join(ran.err.split())


def test_amounts_are_in_the_scenarios_currency(tuneworth, small):
    out = tuneworth("risk", small("finance: {currency: EUR}\n"), "--scrambles", 2).out
    assert "€" in out
    assert "$" not in out.replace("US$", "")


def test_a_missing_file_is_named(tuneworth, tmp_path):
    ran = tuneworth("risk", tmp_path / "nowhere.yaml")
    assert ran.code == 1
    assert "nowhere.yaml" in ran.err
