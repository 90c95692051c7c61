"""The ready scenarios: complete, computable, and answering what docs/scenarios.md says they answer."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from calc import Comparison, compare
from calc.feasibility import feasibility
from calc.scenario import FAMILIES, Dedicated, OwnGpus
from ingest import load_scenario
from pricing import PriceBook

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))
NAMES = [path.stem for path in EXAMPLES]

# name: (the cheapest, whether an approach is unavailable or a stated step refused)
EXPECTED = {
    "support_tone": ("few-shot", True),
    "legal_drafts": ("hybrid on own GPUs", False),
    "code_conventions": ("rag", False),
    "spam_classification": ("fine-tuning", False),
    "helpfulness_dpo": ("prompting", True),
    "medical_qa": ("rag", False),
    "documentation_assistant": ("rag", False),
}


@pytest.fixture(scope="module")
def comparisons() -> dict[str, Comparison]:
    book = PriceBook.bundled()
    return {path.stem: compare(load_scenario(path), book) for path in EXAMPLES}


def test_there_is_one_file_for_each_ready_scenario() -> None:
    assert set(NAMES) == set(EXPECTED)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_complete(comparisons: dict[str, Comparison], name: str) -> None:
    scenario = comparisons[name].scenario
    assert scenario.as_of == date(2026, 11, 20)
    assert set(FAMILIES) <= {result.family for result in comparisons[name].results.values()}
    assert set(FAMILIES) <= set(scenario.approaches)
    assert scenario.task.corpus_tokens
    assert scenario.task.examples
    assert scenario.task.tokens_per_example
    assert scenario.task.rejected_answer_usd is not None or scenario.task.rejected_answer_handling_minutes is not None
    for result in comparisons[name].results.values():
        assert result.accepted is not None
        assert result.approach.accepted_from is None


@pytest.mark.parametrize("name", NAMES)
def test_the_cheapest_approach_and_whether_the_answer_is_partial(comparisons: dict[str, Comparison], name: str) -> None:
    winner, partial = EXPECTED[name]
    assert comparisons[name].winner() == winner
    assert comparisons[name].is_partial is partial


@pytest.mark.parametrize("name", NAMES)
def test_every_line_is_an_amount(comparisons: dict[str, Comparison], name: str) -> None:
    for result in comparisons[name].results.values():
        for line in result.ledger.lines:
            amounts = line.by_month(result.requests)
            assert np.isfinite(amounts).all(), (result.name, line.key)
            assert (amounts >= 0).all(), (result.name, line.key)
        if result.status == "available":
            assert sum(float(line.total(result.requests)) for line in result.ledger.lines) == pytest.approx(float(result.total()))


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_the_same_day_gives_the_same_answer(comparisons: dict[str, Comparison], path: Path) -> None:
    again = compare(load_scenario(path), PriceBook.bundled())
    before = comparisons[path.stem]
    assert again.envelope == before.envelope
    assert {n: float(r.total()) for n, r in again.available.items()} == {n: float(r.total()) for n, r in before.available.items()}
    assert feasibility(again) == feasibility(before)


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_stated_throughput_names_its_source(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    replicated = [a for a in load_scenario(path).approaches.values() if isinstance(a.serving, Dedicated | OwnGpus)]
    if replicated:
        assert re.search(r"github\.com/\S+", text)
    assert "assumption" in text


def test_the_openai_variant_of_support_tone_closes(comparisons: dict[str, Comparison]) -> None:
    result = comparisons["support_tone"].results["fine-tuning at OpenAI"]
    assert result.status == "available"
    assert any("February 2027" in step and "2027-01-06" in step and "https://" in step for step in result.incomplete_steps)
    notes = {n.kind: n for n in feasibility(comparisons["support_tone"]) if n.approach == result.name}
    refused = notes["retraining refused"]
    assert refused.day == date(2027, 1, 6)
    assert refused.source.startswith("https://developers.openai.com/")
    assert "February 2027" in refused.text
    assert notes["model ends"].day == date(2027, 1, 14)
    assert notes["tuning closes"].day == date(2027, 1, 6)
    assert "January 2027" in notes["fallback"].text
    assert "reference" in notes["fallback"].text


def test_dpo_at_openai_is_closed_to_a_new_organisation(comparisons: dict[str, Comparison]) -> None:
    comparison = comparisons["helpfulness_dpo"]
    assert comparison.results["DPO at OpenAI"].status == "unavailable"
    assert "DPO at OpenAI" not in comparison.ranked()
    note = next(n for n in feasibility(comparison) if n.approach == "DPO at OpenAI")
    assert (note.kind, note.severity, note.day) == ("closed to this organisation", "stop", date(2026, 5, 7))


def test_the_answers_differ_in_kind(comparisons: dict[str, Comparison]) -> None:
    """Fine-tuning wins somewhere, hybrid somewhere, and somewhere neither ever does."""
    winners = {c.results[c.winner()].family for c in comparisons.values()}
    assert {"fine-tuning", "hybrid", "rag"} <= winners
    never = comparisons["documentation_assistant"]
    assert all(i.winner is None or never.results[i.winner].approach.tuning is None for i in never.envelope)


def documented() -> dict[str, tuple[str, float, str]]:
    """Cheapest, total and runner-up by scenario, from the table of docs/scenarios.md."""
    text = (REPOSITORY / "docs" / "scenarios.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\([^)]+\) \| [\d,]+ \| ([^|]+) \| \$([\d,]+) \| ([^|]+) \|$", text, re.MULTILINE)
    return {name: (cheapest, float(total.replace(",", "")), runner_up) for name, cheapest, total, runner_up in rows}


def test_the_documentation_names_every_scenario() -> None:
    assert set(documented()) == set(EXPECTED)


@pytest.mark.parametrize("name", NAMES)
def test_the_documentation_is_true(comparisons: dict[str, Comparison], name: str) -> None:
    comparison = comparisons[name]
    cheapest, total, runner_up = documented()[name]
    assert comparison.ranked()[:2] == [cheapest, runner_up]
    assert total == pytest.approx(float(comparison.available[cheapest].total()), rel=0.02)
