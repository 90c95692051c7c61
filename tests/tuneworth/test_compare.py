"""The verbs compare and report."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path

import pytest

from tuneworth.clock import today

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
COMPLETE = EXAMPLES / "documentation_assistant.yaml"
PARTIAL = EXAMPLES / "helpfulness_dpo.yaml"
ON = ("--as-of", "2026-11-20")


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text(COMPLETE.read_text(encoding="utf-8").replace("horizon_months: 12", "horizon_months: zwölf"), encoding="utf-8")
    return path


def test_the_answer_comes_first(tuneworth):
    ran = tuneworth("compare", COMPLETE, *ON)
    assert ran.code == 0
    assert ran.out.startswith("Use RAG: at 40,000 requests a month")
    assert "Break-even" in ran.out
    assert ran.err == ""


def test_a_partial_answer_is_printed_and_ends_in_3(tuneworth):
    ran = tuneworth("compare", PARTIAL, *ON)
    assert ran.code == 3
    assert ran.out.startswith("Do not fine-tune: at 300,000 requests a month")
    assert "DPO at OpenAI cannot be tuned" in " ".join(ran.out.split())
    assert ran.err == "Partial answer (exit code 3): DPO at OpenAI: unavailable.\n"
    for form in ("json", "csv", "md"):
        other = tuneworth("compare", PARTIAL, "--format", form, *ON)
        assert other.code == 3
        assert "DPO at OpenAI: cannot be tuned" in other.err


def test_lines_and_sources_are_added_when_asked(tuneworth):
    plain, full = tuneworth("compare", COMPLETE, *ON), tuneworth("compare", COMPLETE, "--lines", "--sources", *ON)
    assert "Output tokens" not in plain.out
    assert "Output tokens" in full.out
    assert "Prices used" in full.out
    marked = tuneworth("compare", COMPLETE, "--lines", "--sources", "--format", "md", *ON).out
    assert "## Prices" in marked
    assert "| Line | Group | Formula | US$ |" in marked


def test_json_and_csv_are_for_programs(tuneworth):
    data = json.loads(tuneworth("compare", COMPLETE, "--format", "json", *ON).out)
    assert data["winner"] == "rag"
    rows = list(csv.DictReader(io.StringIO(tuneworth("compare", COMPLETE, "--format", "csv", *ON).out)))
    assert [row["name"] for row in rows] == [approach["name"] for approach in data["approaches"]]
    lines = list(csv.DictReader(io.StringIO(tuneworth("compare", COMPLETE, "--format", "csv", "--lines", *ON).out)))
    assert {row["approach"] for row in lines} == {row["name"] for row in rows}


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ("price_release: 1999-01-01", "price_release: The price book begins on 2026-11-20"),
        ("price_release: 1999-01-01", "The first release is 2026.11.20."),
        ("price_release: 2999-01-01", "price_release: 2999-01-01 is yet to come"),
        ("accept_unverified: [openai/gpt-6-lunar]", "accept_unverified.0: OpenAI has no 'gpt-6-lunar'"),
        ("accept_unverified: [openai/gpt-6-lunar]", "Did you mean gpt-6-luna"),
    ],
)
def test_what_is_not_in_the_book_is_told_at_its_field(tuneworth, tmp_path, stated, told):
    path = tmp_path / "scenario.yaml"
    path.write_text(COMPLETE.read_text(encoding="utf-8") + stated + "\n", encoding="utf-8")
    line = len(path.read_text(encoding="utf-8").splitlines())
    for verb in (("compare",), ("report", "--out", tmp_path / "out")):
        ran = tuneworth(verb[0], path, *verb[1:])
        assert (ran.code, ran.out) == (1, "")
        assert told in ran.err
        assert f"scenario.yaml, line {line}, " in ran.err


def test_a_pin_to_today_warns(tuneworth, tmp_path):
    path = tmp_path / "scenario.yaml"
    path.write_text(f"{COMPLETE.read_text(encoding='utf-8')}price_release: {today()}\n", encoding="utf-8")
    assert "can move until tomorrow" in tuneworth("compare", path, *ON).err


def test_wrong_input_ends_in_1_and_names_the_line(tuneworth, broken):
    for verb in (("compare", broken), ("report", broken, "--out", broken.parent / "out")):
        ran = tuneworth(*verb)
        assert ran.code == 1
        assert "broken.yaml, line" in ran.err
        assert ran.out == ""
    assert tuneworth("compare", "nowhere.yaml").code == 1
    assert tuneworth("compare", COMPLETE, "--as-of", "yesterday").code == 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "openai/text-embedding-3-small",
            "openai/text-embedding-3-smal",
            "approaches.rag: OpenAI has no 'text-embedding-3-smal'",
        ),
        ("horizon_months: 12", "horizon_months: 12\nstaff_usd_per_hour: {ml_enginer: 90}", "staff_usd_per_hour.ml_enginer: "),
        ("horizon_months: 12", "horizon_months: 12\norganisation: {opnai: active}", "organisation.opnai: "),
    ],
)
def test_what_cannot_be_computed_is_told_with_its_line_and_field(tuneworth, tmp_path, old, new, told):
    path = tmp_path / "slip.yaml"
    text = COMPLETE.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    for verb in (
        ("compare", path),
        ("report", path, "--out", tmp_path / "out"),
        ("break-even", path, "--over", "task.facts_changing_per_month_share", "--from", 0, "--to", 1),
    ):
        ran = tuneworth(*verb)
        assert ran.code == 1
        assert ran.out == ""
        assert re.search(rf"slip\.yaml, line \d+, {re.escape(told)}", ran.err), ran.err
    assert not (tmp_path / "out").exists()


def test_before_the_first_price_it_says_so(tuneworth):
    ran = tuneworth("compare", COMPLETE, "--as-of", "2019-01-01")
    assert ran.code == 1
    assert ran.out == ""
    assert "No approach can be priced" in ran.err


def test_a_report_is_all_its_files(tuneworth, tmp_path):
    pytest.importorskip("typst")
    out = tmp_path / "new" / "folder"
    ran = tuneworth("report", COMPLETE, "--out", out, *ON)
    names = ["report.pdf", "report.json", "report.md", "lines.csv", "months.csv", "break_even.csv", "limits.csv"]
    assert ran.code == 0
    assert ran.out.splitlines()[1:] == [str(out / name) for name in names]
    assert sorted(path.name for path in out.iterdir()) == sorted(names)
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")
    again = tuneworth("report", COMPLETE, "--out", out, "--format", "csv", *ON)
    assert again.code == 0
    assert len(again.out.splitlines()) == 5
    told = " ".join(tuneworth("report", "--help").out.split())
    assert all(name in told for name in names)


def test_a_report_that_is_partial_says_why(tuneworth, tmp_path):
    ran = tuneworth("report", PARTIAL, "--out", tmp_path, "--format", "json", *ON)
    assert ran.code == 3
    assert "DPO at OpenAI: cannot be tuned" in ran.err
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["is_partial"] is True


def test_a_folder_that_cannot_be_written_is_named(tuneworth, tmp_path):
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    ran = tuneworth("report", COMPLETE, "--out", file, "--format", "json", *ON)
    assert ran.code == 1
    assert f"{file}: is a file. Expected a folder." in ran.err
    assert tuneworth("report", COMPLETE, "--out", file / "below", "--format", "json", *ON).code == 1


def test_an_empty_folder_name_is_wrong_usage(tuneworth, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = tuneworth("report", COMPLETE, "--out", "", *ON)
    assert ran.code == 2
    assert "--out" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_nothing_half_written_is_left(tuneworth, tmp_path, monkeypatch):
    (tmp_path / "report.json").write_text("old", encoding="utf-8")

    def full(self, target):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", full)
    ran = tuneworth("report", COMPLETE, "--out", tmp_path, "--format", "json", *ON)
    assert ran.code == 1
    assert "cannot be written" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == "old"


def test_without_the_pdf_extra_it_says_what_to_install(tuneworth, tmp_path, monkeypatch):
    monkeypatch.setattr("tuneworth.report.importlib.util.find_spec", lambda name: None)
    ran = tuneworth("report", COMPLETE, "--out", tmp_path, "--format", "pdf", *ON)
    assert ran.code == 1
    assert "pip install 'tuneworth[reports]'" in ran.err


def test_requests_without_message_and_answer_are_remarked_on(tuneworth, tmp_path):
    text = """\
name: Nothing
as_of: 2026-11-20
horizon_months: 6
workload: {requests_per_month: 1000, user_tokens: 0, answer_tokens: 0}
task: {kind: style}
approaches: {prompting: {model: openai/gpt-6.1-terra, instruction_tokens: 0}}
"""
    path = tmp_path / "nothing.yaml"
    told = "workload.user_tokens and workload.answer_tokens are both 0"
    for stated, is_told in ((text, True), (text.replace("user_tokens: 0", "user_tokens: 300"), False)):
        path.write_text(stated, encoding="utf-8")
        assert (told in " ".join(tuneworth("compare", path).out.split())) is is_told


@pytest.mark.parametrize("day", ["2100-01-01", "9999-12-31"])
def test_a_day_after_all_prices_is_refused(tuneworth, day):
    ran = tuneworth("compare", COMPLETE, "--as-of", day)
    assert ran.code == 2
    assert "expected a day before 2100-01-01" in " ".join(ran.err.replace("│", " ").split())
    assert "out of range" not in ran.err


WITH_REFERENCE = """
name: Savings
as_of: 2026-11-20
horizon_months: 12
organisation: {openai: active}
workload: {requests_per_month: 90000, user_tokens: 400, answer_tokens: 200}
task: {kind: classification, examples: 800, tokens_per_example: 500, TASK}
approaches:
  prompting: {model: openai/gpt-6.1-terra, instruction_tokens: 2600, accepted: 0.85}
  few-shot: {extends: prompting, instruction_tokens: 1200, shots: 6, accepted: 0.89, go_live_month: 2}
value: {usd_per_accepted_answer: 0.05}
"""


@pytest.mark.parametrize(
    ("task", "column", "caption"),
    [
        (
            "rejected_answer_usd: 0.4",
            " US$, 12 months ",
            "The value does not enter the savings above: rejected answers are handled",
        ),
        ("failure_mode: discard", "cost less value, US$, 12 months", "The value of accepted answers enters the savings above"),
    ],
)
def test_savings_against_the_reference_are_shown(tuneworth, tmp_path, task, column, caption):
    path = tmp_path / "scenario.yaml"
    path.write_text(WITH_REFERENCE.replace("TASK", task), encoding="utf-8")
    ran = tuneworth("compare", path)
    assert ran.code == 0
    told = " ".join(ran.out.split())
    assert "Saved against prompting, discounted at" in told
    assert "approach net present value payback annual IRR value" in told
    assert column in ran.out
    assert caption in told
    assert "Few-shot: 88.3% accepted, prompting's until go-live included; 89% of its own." in told


def test_without_value_there_is_no_column_of_it(tuneworth, tmp_path):
    path = tmp_path / "scenario.yaml"
    stated = WITH_REFERENCE.replace("TASK", "rejected_answer_usd: 0.4").partition("value:")[0]
    path.write_text(stated, encoding="utf-8")
    told = " ".join(tuneworth("compare", path).out.split())
    assert "approach net present value payback annual IRR ─" in told
    assert "The value" not in told
