"""What ``diff`` and ``invoice`` print as JSON follows its published schema, and the schema names nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

DOCS = Path(__file__).parents[2] / "docs"
SCENARIO = """\
name: Replies
as_of: {day}
horizon_months: 3
workload: {{requests_per_month: {volume}, user_tokens: {user}, answer_tokens: 220, cache_hit_share: 0.2}}
task: {{kind: style, examples: 50, tokens_per_example: 500}}
approaches:
  prompting: {{model: openai/gpt-5.4-nano, instruction_tokens: {instructions}}}
  few-shot: null
  {other}: {{extends: prompting, model: {model}, instruction_tokens: 100}}
"""
DEFAULTS: dict[str, Any] = {"day": "2026-09-20", "volume": 140_000, "user": 350, "instructions": 2600}
DEFAULTS |= {"other": "short.prompt", "model": "openai/gpt-5.4-mini"}
MONTH = "month,model,service,requests,input_tokens,cache_read_tokens,output_tokens,reasoning_tokens,cost_usd\n"
NANO = "2026-10,gpt-5.4-nano,standard,165000,495000000,214500000,39600000,6600000,98.901\n"


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def valid(name: str, text: str) -> Any:
    """The JSON in a text, which follows the schema of that name."""
    schema = json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    found = json.loads(text, parse_constant=refuse)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    validator.validate(found)
    with pytest.raises(jsonschema.ValidationError, match="another"):
        validator.validate(found | {"another": 1})
    for key in found:
        with pytest.raises(jsonschema.ValidationError):
            validator.validate({other: value for other, value in found.items() if other != key})
    return found


@pytest.fixture
def scenario(tmp_path: Path) -> Any:
    """A function that writes a scenario file."""

    def write(name: str = "new.yaml", **changes: Any) -> Path:
        path = tmp_path / name
        path.write_text(SCENARIO.format(**DEFAULTS | changes), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("changes", "outcomes"),
    [
        ({}, ["split", "split"]),
        ({"volume": 200_000, "user": 400, "instructions": 3000, "model": "openai/gpt-6-luna"}, ["split", "split"]),
        ({"day": "2026-11-20", "volume": "{p10: 100_000, p90: 400_000}"}, ["split", "split"]),
        ({"instructions": 1, "volume": 10_000_000}, ["split", "split"]),
        ({"other": "shorter"}, ["split", "added", "removed"]),
        ({"model": "openai/gpt-5.4-pro"}, ["split", "lost"]),
    ],
)
def test_a_change(tuneworth, scenario, tmp_path: Path, changes: dict[str, Any], outcomes: list[str]) -> None:
    old = tmp_path / "old.json"
    old.write_text(tuneworth("compare", scenario("old.yaml"), "--format", "json").out, encoding="utf-8")
    found = valid("change", tuneworth("diff", old, scenario(**changes), "--format", "json").out)
    assert [approach["outcome"] for approach in found["approaches"]] == outcomes
    for approach in found["approaches"]:
        if approach["outcome"] == "split":
            assert sum(effect["usd"] for effect in approach["effects"]) == pytest.approx(approach["change_usd"], abs=1e-6)


def test_a_change_between_releases(tuneworth, scenario, tmp_path: Path) -> None:
    old = scenario("old.yaml")
    old.write_text(old.read_text(encoding="utf-8") + "price_release: 2026-11-20\n", encoding="utf-8")
    found = valid("change", tuneworth("diff", old, scenario(day="2026-11-20"), "--format", "json").out)
    assert found["old"]["recorded_through"] == "2026-11-20"


@pytest.mark.parametrize(
    "rows",
    [
        MONTH + NANO,
        MONTH + NANO + "2026-10,gpt-4o,standard,1,2,0,3,0,1\n2026-09,gpt-5.4-nano,batch,165000,495000000,,39600000,,90\n",
        "month,model,requests\n2026-10,gpt-5.4-nano,0\n",
        "month,model,cost_usd\n2026-10,gpt-5.4-nano,5\n",
        MONTH
        + "".join(NANO.replace("2026-10", f"2026-0{m}").replace("165000,", f"{100_000 * m + m * m},") for m in (6, 7, 8, 9)),
    ],
)
def test_an_invoice(tuneworth, scenario, tmp_path: Path, rows: str) -> None:
    usage = tmp_path / "usage.csv"
    usage.write_text(rows, encoding="utf-8")
    pytest.importorskip("ibis", reason="the extra for usage logs is not installed")
    found = valid("invoice", tuneworth("invoice", scenario(), "--usage", usage, "--format", "json").out)
    if found["causes"] is not None:
        causes = sum(cause["usd"] for cause in found["causes"])
        assert causes == pytest.approx(found["billed_usd"] - found["estimated_usd"], abs=1e-6)
