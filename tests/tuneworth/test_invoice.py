"""``tuneworth invoice``: the estimate beside the bill, and a corrected scenario that says what the bill says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("ibis", reason="the extra for usage logs is not installed")

SCENARIO = """\
# Our replies
name: Replies
as_of: 2026-09-20
horizon_months: 3
workload:
  requests_per_month: 140_000   # a guess
  user_tokens: 350              # the message
  answer_tokens: 220
  cache_hit_share: 0.2
task: {kind: style, examples: 50, tokens_per_example: 500}
approaches:
  prompting:
    model: openai/gpt-5.4-nano
    instruction_tokens: 2600      # the style guide
  few-shot: null
"""
# 165,000 requests of 3,000 input tokens, 1,300 of them from the cache, and 240 output tokens, 40 of them reasoning.
# At list: 280.5 Mtok × 0.20 + 214.5 × 0.02 + 39.6 × 1.25 = 109.89; billed with 10 % off.
USAGE = """\
month,model,requests,input_tokens,cache_read_tokens,output_tokens,reasoning_tokens,cost_usd
2026-10,gpt-5.4-nano-2026-03-17,165000,495000000,214500000,39600000,6600000,98.901
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


@pytest.fixture
def usage(tmp_path: Path) -> Path:
    path = tmp_path / "usage.csv"
    path.write_text(USAGE, encoding="utf-8")
    return path


def test_the_error_of_each_line_and_its_cause(tuneworth, scenario: Path, usage: Path) -> None:
    ran = tuneworth("invoice", scenario, "--usage", usage)
    assert ran.code == 0
    assert "tuneworth usage file, 1 row." in ran.out
    assert "Requests" in ran.out
    assert "108.00 US$ estimated, 109.89 US$ at list prices for what was used, 98.90 US$ billed" in ran.out
    assert "billed over list price" in ran.out
    assert "−10.99" in ran.out
    assert "0.900 × list" in ran.out
    assert "by rule the instructions take the difference" in ran.out


def test_the_applied_corrections_reproduce_the_month(tuneworth, scenario: Path, usage: Path, tmp_path: Path) -> None:
    out = tmp_path / "corrected.yaml"
    assert tuneworth("invoice", scenario, "--usage", usage, "--apply", out).code == 0
    assert scenario.read_text(encoding="utf-8") == SCENARIO
    prices = tmp_path / "corrected.prices.toml"
    again = tuneworth("invoice", out, "--usage", usage, "--own-prices", prices, "--format", "json")
    assert again.code == 0
    found = json.loads(again.out)
    assert found["corrections"] == []
    assert found["price_ratio"] is None
    assert found["estimated_usd"] == pytest.approx(98.901, rel=1e-5)
    compared = json.loads(tuneworth("compare", out, "--own-prices", prices, "--format", "json").out)
    tokens = [line for line in compared["approaches"][0]["lines"] if line["group"] == "tokens"]
    assert sum(line["by_month_usd"][0] for line in tokens) == pytest.approx(98.901, rel=1e-5)


def test_the_written_scenario_keeps_what_was_not_corrected(tuneworth, scenario: Path, usage: Path, tmp_path: Path) -> None:
    out = tmp_path / "corrected.yaml"
    tuneworth("invoice", scenario, "--usage", usage, "--apply", out)
    text = out.read_text(encoding="utf-8")
    assert text.startswith("# Our replies\nname: Replies\n")
    assert "user_tokens: 350              # the message\n" in text
    assert "requests_per_month: 165000 # from usage; was 140,000 (a guess)\n" in text
    assert "reasoning_tokens_per_answer_token: 0.2" in text
    assert "few-shot: null\n" in text or "few-shot:\n" in text


def test_a_scenario_in_json_stays_json(tuneworth, usage: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "scenario.json", tmp_path / "out.json"
    stated = {
        "name": "Replies", "as_of": "2026-09-20", "horizon_months": 3, "task": {"kind": "style"},
        "workload": {"requests_per_month": 1000, "user_tokens": 350, "answer_tokens": 200},
        "approaches": {"prompting": {"model": "openai/gpt-5.4-nano", "instruction_tokens": 2600}},
    }  # fmt: skip
    source.write_text(json.dumps(stated), encoding="utf-8")
    assert tuneworth("invoice", source, "--usage", usage, "--apply", out).code == 0
    assert json.loads(out.read_text(encoding="utf-8"))["workload"]["requests_per_month"] == 165_000
    assert tuneworth("invoice", source, "--usage", usage, "--apply", tmp_path / "out.yaml").code == 1


def test_an_approach_of_the_presets_is_written_out(tuneworth, scenario: Path, usage: Path, tmp_path: Path) -> None:
    scenario.write_text(SCENARIO.replace("  few-shot: null\n", ""), encoding="utf-8")
    ran = tuneworth("invoice", scenario, "--usage", usage)
    assert ran.code == 1
    assert "prompting, few-shot all use openai/gpt-5.4-nano" in ran.err
    out = tmp_path / "corrected.yaml"
    done = tuneworth("invoice", scenario, "--usage", usage, "--approach", "few-shot", "--apply", out)
    assert done.code == 0
    again = json.loads(
        tuneworth("invoice", out, "--usage", usage, "--approach", "few-shot", "--own-prices", out.with_suffix(".prices.toml"),
                  "--format", "json").out)  # fmt: skip
    assert again["corrections"] == []


def test_nothing_is_overwritten_unasked(tuneworth, scenario: Path, usage: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.yaml"
    out.write_text("mine", encoding="utf-8")
    ran = tuneworth("invoice", scenario, "--usage", usage, "--apply", out)
    assert ran.code == 1
    assert "is there already" in ran.err
    assert out.read_text(encoding="utf-8") == "mine"
    assert tuneworth("invoice", scenario, "--usage", usage, "--apply", out, "--force").code == 0


def test_usage_and_costs_in_two_files(tuneworth, scenario: Path, tmp_path: Path) -> None:
    counters, costs = tmp_path / "usage.csv", tmp_path / "costs.csv"
    counters.write_text(USAGE.replace(",98.901", ",").replace("cost_usd", "note"), encoding="utf-8")
    costs.write_text(
        "start_time,amount_value,amount_currency,line_item\n"
        '1790812800,60,usd,"gpt-5.4-nano-2026-03-17, input"\n1793404800,38.901,usd,"gpt-5.4-nano-2026-03-17, output"\n',
        encoding="utf-8",
    )
    found = json.loads(tuneworth("invoice", scenario, "--usage", counters, "--usage", costs, "--format", "json").out)
    assert found["billed_usd"] == pytest.approx(98.901)
    assert [file["kind"] for file in found["files"]] == ["tuneworth usage file", "OpenAI costs"]
    alone = tuneworth("invoice", scenario, "--usage", counters)
    assert "The files do not state what October 2026 cost, so only quantities are compared." in alone.out


def test_usage_of_no_line_is_listed_and_the_answer_partial(tuneworth, scenario: Path, usage: Path) -> None:
    usage.write_text(USAGE + "2026-10,gpt-5.4-nanoo,3,30,0,3,0,0.5\n", encoding="utf-8")
    ran = tuneworth("invoice", scenario, "--usage", usage)
    assert ran.code == 3
    assert "Held against no line" in ran.out
    assert "gpt-5.4-nanoo" in ran.out


def test_wrong_input_ends_in_words(tuneworth, scenario: Path, usage: Path) -> None:
    for text, said in (
        ("", "the file is empty"),
        ("month,model,requests\n2026-10,gpt-9,1\n", "prompting uses openai/gpt-5.4-nano"),
    ):
        usage.write_text(text, encoding="utf-8")
        ran = tuneworth("invoice", scenario, "--usage", usage)
        assert ran.code == 1
        assert said in ran.err
        assert "Traceback" not in ran.err


def test_a_log_without_requests_confirms_nothing(tuneworth, scenario: Path, usage: Path) -> None:
    usage.write_text("month,model,requests,input_tokens,output_tokens\n2026-10,gpt-5.4-nano,0,0,0\n", encoding="utf-8")
    ran = tuneworth("invoice", scenario, "--usage", usage)
    assert ran.code == 0
    assert "The log has no requests in it" in ran.out
    assert "No correction can be suggested." in ran.out
    assert "says what the file says" not in ran.out


def test_nothing_is_written_where_the_prices_would_overwrite(tuneworth, scenario: Path, usage: Path, tmp_path: Path) -> None:
    out, prices = tmp_path / "corrected.yaml", tmp_path / "corrected.prices.toml"
    prices.write_text("mine", encoding="utf-8")
    ran = tuneworth("invoice", scenario, "--usage", usage, "--apply", out)
    assert (ran.code, out.exists(), prices.read_text(encoding="utf-8")) == (1, False, "mine")
    assert "corrected.prices.toml" in ran.err


def test_long_names_in_a_log_are_cut(tuneworth, scenario: Path, usage: Path) -> None:
    rows = "".join(f"2026-10,{'long' * 500}-{i},1,1,1\n" for i in range(50))
    usage.write_text("month,model,requests,input_tokens,output_tokens\n" + rows, encoding="utf-8")
    ran = tuneworth("invoice", scenario, "--usage", usage)
    assert ran.code == 1
    assert "and 38 more" in ran.err
    assert len(ran.err) < 2000


def test_the_scenario_that_is_read_is_never_overwritten(tuneworth, scenario: Path, usage: Path) -> None:
    ran = tuneworth("invoice", scenario, "--usage", usage, "--apply", scenario.parent / "." / scenario.name, "--force")
    assert ran.code == 1
    assert "is the scenario itself" in ran.err
    assert "Choose another name" in ran.err
    assert scenario.read_text(encoding="utf-8") == SCENARIO


def test_nulls_and_indents_are_written_as_they_were(tuneworth, scenario: Path, usage: Path, tmp_path: Path) -> None:
    kept = """\
approaches:
    prompting:
        model: openai/gpt-5.4-nano
        instruction_tokens: 2600
    few-shot: null
    rag: ~
    fine-tuning:
    hybrid: null
accept_unverified:
  - openai/gpt-5.4-nano
  - openai/gpt-5.4
"""
    before = SCENARIO.partition("approaches:")[0].replace("\n  ", "\n    ")
    scenario.write_text(before + kept, encoding="utf-8")
    out = tmp_path / "out.yaml"
    assert tuneworth("invoice", scenario, "--usage", usage, "--apply", out).code == 0
    text = out.read_text(encoding="utf-8")
    assert "    few-shot: null\n    rag: ~\n    fine-tuning:\n    hybrid: null\n" in text
    assert "accept_unverified:\n  - openai/gpt-5.4-nano\n  - openai/gpt-5.4\n" in text


def test_a_small_ratio_shows_its_digits_and_the_volume_it_is_held_against(tuneworth, scenario: Path, usage: Path) -> None:
    usage.write_text("month,model,requests,input_tokens,output_tokens\n2026-08,gpt-5.4-nano,2,6000,480\n", encoding="utf-8")
    ran = tuneworth("invoice", scenario, "--usage", usage)
    assert "0.0000143" in ran.out
    assert "its volume as it is: 140,000 requests a month" in " ".join(ran.out.split())
    found = json.loads(tuneworth("invoice", scenario, "--usage", usage, "--format", "json").out)
    assert "140,000 requests a month" in found["notes"][0]
