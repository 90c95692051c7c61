"""``--own-prices`` on the verbs that answer with prices."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from pathlib import Path

import pytest

SCENARIO = Path(__file__).resolve().parents[2] / "examples" / "documentation_assistant.yaml"
TERMS = """
[[openai.discount]]
percent = 12
effective = 2026-11-01
[[openai.credit]]
usd = 500
effective = 2026-11-01
[acme]
name = "Acme inference"
[[acme.model.one.price]]
effective = 2026-11-01
input_usd_per_mtok = 0.1
output_usd_per_mtok = 0.3
"""
ON = ("--as-of", "2026-11-20")


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "acme.toml"
    path.write_text(TERMS, encoding="utf-8")
    return path


def test_compare_names_the_file_and_every_discount(tuneworth, own):
    listed, ran = tuneworth("compare", SCENARIO, *ON), tuneworth("compare", SCENARIO, *ON, "--sources", "--own-prices", own)
    sha = hashlib.sha256(TERMS.encode()).hexdigest()
    told = " ".join(ran.out.split())
    assert (ran.code, ran.err) == (0, "")
    assert f"own prices of acme.toml, SHA-256 {sha[:12]}" in told
    assert "12 % negotiated discount" in told
    assert str(own.parent) not in ran.out
    assert "acme.toml" not in listed.out
    assert "own prices" not in listed.out


def test_the_json_names_the_file_and_the_lines(tuneworth, own):
    data = json.loads(tuneworth("compare", SCENARIO, *ON, "--format", "json", "--own-prices", own).out)
    assert data["own_prices"] == [{"name": "acme.toml", "sha256": hashlib.sha256(TERMS.encode()).hexdigest()}]
    lines = {line["key"]: line for approach in data["approaches"] for line in approach["lines"]}
    assert lines["agreements.credit:openai"]["group"] == "commitments and credits"
    assert lines["agreements.credit:openai"]["amount_usd"] < 0


def test_reports_are_written_with_own_prices(tuneworth, own, tmp_path):
    ran = tuneworth("report", SCENARIO, *ON, "--out", tmp_path / "out", "--own-prices", own)
    assert ran.code == 0
    for name in ("report.md", "report.json", "lines.csv"):
        assert "acme.toml" in (tmp_path / "out" / name).read_text(encoding="utf-8")


def test_break_even_counts_own_prices(tuneworth, own):
    scenario = SCENARIO.with_name("support_tone.yaml")
    own.write_text("[[openai.discount]]\npercent = 90\neffective = 2026-11-01\n", encoding="utf-8")
    args = ("break-even", scenario, *ON, "--over", "workload.answer_tokens", "--from", "50", "--to", "9000")
    assert tuneworth(*args, "--own-prices", own).out != tuneworth(*args).out


def test_prices_show_finds_private_models(tuneworth, own):
    ran = tuneworth("prices", "show", "acme", *ON, "--own-prices", own)
    assert ran.code == 0
    assert "own prices (acme.toml)" in ran.out
    assert tuneworth("prices", "show", "acme", *ON).code == 1


def test_a_discounted_price_has_its_list_price_and_discount_in_fields(tuneworth, own):
    asked = ("prices", "show", "openai/gpt-6-luna", *ON)
    listed = {(row["key"], row["conditions"]): row for row in json.loads(tuneworth(*asked, "--format", "json").out)}
    assert all((row["list_price_value"], row["discount_percent"]) == (row["value"], None) for row in listed.values())
    shown = json.loads(tuneworth(*asked, "--format", "json", "--own-prices", own).out)
    assert {(row["key"], row["conditions"]) for row in shown} == set(listed)
    for row in shown:
        assert row["list_price_value"] == listed[row["key"], row["conditions"]]["value"]
        assert row["value"] == pytest.approx(0.88 * row["list_price_value"])
        free = row["value"] == 0
        assert (row["discount_percent"], row["discount_file"]) == ((None, None) if free else (12, "acme.toml"))
    header, first, *_ = tuneworth(*asked, "--format", "csv", "--own-prices", own).out.splitlines()
    told = dict(zip(header.split(","), first.split(","), strict=False))
    assert (Decimal(told["discount_percent"]), told["discount_file"]) == (12, "acme.toml")
    assert "12 % negotiated discount" in tuneworth(*asked, "--own-prices", own).out


def test_mistakes_end_in_1_and_slips_are_told(tuneworth, own):
    own.write_text(TERMS.replace("percent = 12", "percent = 112"), encoding="utf-8")
    ran = tuneworth("compare", SCENARIO, *ON, "--own-prices", own)
    assert (ran.code, ran.out) == (1, "")
    assert "acme.toml, line 3, openai.discount.0.percent" in ran.err
    own.write_text(TERMS.replace("acme", "togethr"), encoding="utf-8")
    ran = tuneworth("compare", SCENARIO, *ON, "--own-prices", own)
    assert ran.code == 0
    assert "Did you mean together?" in ran.err
