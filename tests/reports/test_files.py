"""JSON, CSV, Markdown and PDF of a comparison: complete, safe, and the same bytes for the same answer."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from calc import compare
from calc.export import comparison_dict, prices_digest, scenario_digest, to_json
from ingest import load_scenario
from pricing import PriceBook
from reports.csv import csv_files, safe
from reports.letters import breakable, printable
from reports.markdown import approaches_markdown, escaped, lines_markdown, sources_markdown, summary_markdown
from reports.sources import source_words
from reports.words import verdict

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))
GOLDEN = Path(__file__).parent / "golden"
DAY = date(2026, 11, 20)
HOSTILE = "=1+1 #strong[x] $2 <b> | `code` 日本 Überprüfung"


def held_against_golden(name: str, text: str) -> None:
    """The text is as reviewed; TUNEWORTH_WRITE_GOLDEN=1 writes it anew, to be read before it is committed."""
    path = GOLDEN / name
    if os.environ.get("TUNEWORTH_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"differs from {path}; TUNEWORTH_WRITE_GOLDEN=1 writes it anew"


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    found = json.loads((REPOSITORY / "docs" / "comparison.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda path: path.stem)
def example(request):
    return compare(load_scenario(request.param), PriceBook.bundled(), today=DAY)


# --- JSON -----------------------------------------------------------------------------------------------------------------


def test_examples_follow_the_schema(example, schema):
    schema.validate(json.loads(to_json(comparison_dict(example))))


def test_lines_sum_to_the_total_in_every_view(example):
    for approach in comparison_dict(example)["approaches"]:
        if approach["status"] == "available":
            total = approach["total_usd"]
            for parts in (
                [line["amount_usd"] for line in approach["lines"]],
                approach["by_month_usd"],
                approach["by_group_usd"].values(),
                approach["cumulative_usd"][-1:],
            ):
                assert math.fsum(parts) == pytest.approx(total, rel=1e-10)


def test_what_is_unpriced_is_null_and_has_its_reason(answer, prompting, tuned, schema):
    found = answer(approaches={"few-shot": None, "prompting": prompting(), "fine-tuning": tuned(model="acme/unpriced")})
    data = comparison_dict(found)
    schema.validate(data)
    unpriced = data["approaches"][1]
    assert (unpriced["status"], unpriced["total_usd"], unpriced["by_month_usd"]) == ("unpriced", None, None)
    assert any("acme/unpriced" in why for why in unpriced["why_not"])
    assert data["winner"] == "prompting"
    assert data["break_evens"] == []


def test_no_approach_is_still_valid_json(answer, prompting, schema):
    data = comparison_dict(answer(approaches={"few-shot": None, "prompting": prompting(model="acme/unpriced")}))
    schema.validate(data)
    assert data["winner"] is None


def test_digests_change_with_the_scenario_and_with_the_prices(by_hand, answer):
    same, other = answer(), answer(10_001)
    assert scenario_digest(same) == scenario_digest(by_hand) != scenario_digest(other)
    assert prices_digest(same) == prices_digest(by_hand) == prices_digest(other)
    elsewhere = answer(approaches={"prompting": {"model": "acme/ending", "instruction_tokens": 1}})
    assert prices_digest(elsewhere) != prices_digest(same)


def test_the_version_is_recorded_where_given(by_hand):
    assert comparison_dict(by_hand)["tuneworth"] is None
    assert comparison_dict(by_hand, tuneworth="1.2.3")["tuneworth"] == "1.2.3"
    assert by_hand.to_dict() == comparison_dict(by_hand)


def test_ranges_are_listed_with_their_point(answer):
    ranges = comparison_dict(answer({"p10": 100, "p90": 400}))["ranges"]
    assert ranges == [{"field": "workload.requests_per_month", "stated": {"p10": 100.0, "p90": 400.0}, "computed_at": 200.0}]


def test_golden_json(by_hand):
    held_against_golden("comparison.json", to_json(comparison_dict(by_hand)))


# --- CSV ------------------------------------------------------------------------------------------------------------------


def test_csv_reads_back(example):
    files = csv_files(example)
    data = comparison_dict(example)
    lines = list(csv.DictReader(io.StringIO(files["lines.csv"])))
    amounts = [float(row["amount_usd"]) for row in lines if row["amount_usd"]]
    stated = [line["amount_usd"] for a in data["approaches"] for line in a["lines"] if line["amount_usd"] is not None]
    assert amounts == stated
    months = list(csv.DictReader(io.StringIO(files["months.csv"])))
    assert len(months) == len(data["months"]) * len(example.available)
    assert all(len(row) == 5 and None not in row for row in csv.DictReader(io.StringIO(files["break_even.csv"])))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\r=1"])
def test_no_text_runs_as_a_formula(text):
    assert safe(text).startswith("'")


@pytest.mark.parametrize(("value", "cell"), [(1e-7, "0.0000001"), (-2.5, "-2.5"), (1e21, "1" + "0" * 21), (None, ""), (3.0, "3")])
def test_numbers_are_written_in_full(value, cell):
    assert safe(value) == cell


def test_golden_lines(by_hand):
    held_against_golden("lines.csv", csv_files(by_hand)["lines.csv"])


# --- Markdown -------------------------------------------------------------------------------------------------------------


def test_markdown_shows_names_as_they_are():
    assert escaped("a*b_[x](y)\n#") == r"a\*b\_\[x\](y) \#"


def test_golden_markdown(by_hand):
    parts = approaches_markdown(by_hand), lines_markdown(by_hand), sources_markdown(by_hand)
    held_against_golden("answer.md", "\n\n".join(parts) + "\n")


def test_the_summary_begins_with_the_verdict(example):
    text = summary_markdown(example)
    assert text.startswith(f"# {escaped(verdict(example))}\n")
    assert text.count("\n## ") >= 2


def test_sources_are_short():
    assert source_words("https://www.acme.example/pricing/") == "acme.example/pricing"
    assert source_words("pkg:pypi/litellm@1.2.3#prices.json") == "litellm 1.2.3 (pypi package)"


# --- PDF ------------------------------------------------------------------------------------------------------------------


def test_letters_the_font_lacks_are_replaced_and_counted():
    assert printable({"a": ["日本 Жизнь é", 1]}) == ({"a": ["□□ Жизнь é", 1]}, 2)
    assert printable("x\u202ey\x00z") == ("xyz", 0)
    assert printable("⌈V ÷ 2⌉") == ("roundup(V ÷ 2)", 0)


def test_long_words_may_break():
    assert breakable("short " + "x" * 13) == "short " + "x" * 12 + "\u200bx"


def test_every_example_makes_a_report(example):
    pytest.importorskip("typst")
    from reports.pdf import report_pdf

    made = report_pdf(example, tuneworth="1.2.3")
    assert made.startswith(b"%PDF-1.7")
    assert made == report_pdf(example, tuneworth="1.2.3")


def test_hostile_names_are_printed_not_run(answer, prompting):
    pytest.importorskip("typst")
    from reports.pdf import report_data, report_pdf

    approaches = {"few-shot": None, HOSTILE: prompting(), "x" * 80: prompting(instruction_tokens=50)}
    found = answer(name=HOSTILE, approaches=approaches, reference=HOSTILE)
    assert report_pdf(found).startswith(b"%PDF")
    assert HOSTILE in report_data(found)["subtitle"]
    assert next(csv.DictReader(io.StringIO(csv_files(found)["lines.csv"])))["approach"] == f"'{HOSTILE}"


def test_a_report_without_a_winner(answer, prompting):
    pytest.importorskip("typst")
    from reports.pdf import report_pdf

    assert report_pdf(answer(approaches={"few-shot": None, "prompting": prompting(model="acme/unpriced")})).startswith(b"%PDF")


def test_another_process_makes_the_same_bytes(tmp_path):
    pytest.importorskip("typst")
    digests = set()
    for seed in ("1", "2"):
        out = tmp_path / seed
        verb = ["report", str(EXAMPLES[-1]), "--out", str(out), "--as-of", "2026-11-20"]
        command = [sys.executable, "-m", "tuneworth.main", *verb]
        ran = subprocess.run(command, cwd=REPOSITORY, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=False)
        assert ran.returncode in (0, 3), ran.stderr
        digests.add(tuple(path.read_bytes() for path in sorted(out.iterdir())))
    assert len(digests) == 1
