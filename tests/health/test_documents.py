"""What the documents show works: code runs, commands exist, links lead somewhere."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from calc import compare
from calc.estimate import _BY_KEYS
from calc.scenario import Scenario
from ingest.fields.__main__ import CORRELATED, MINIMAL, document
from ingest.scenario_file import read_scenario, scenario_from
from pricing import PriceBook
from tuneworth.main import cli

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "benchmarks" / "README.md"]
STATED_RESULT = re.compile(r"^(\S.*?)\s+# ('[^']*'|-?[\d.]+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Every command line of tuneworth in the README, in a shell's block or between backticks."""
    lines = [line for block in code_blocks("sh") for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", README)
    return [found[1] for line in lines if (found := re.search(r"(?:^|/)tuneworth (\S[^#]*)", line))]


def verbs_of(command: Any) -> dict[str, Any]:
    """The verbs below a command; none where it is one itself."""
    return getattr(command, "commands", {})


@pytest.mark.parametrize("code", code_blocks("python"))
def test_python_of_the_readme_runs(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    exec(code, {})


def test_python_of_the_readme_gives_the_stated_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    checked = 0
    for code in code_blocks("python"):
        names: dict[str, Any] = {}
        exec(code, names)
        for expression, stated in STATED_RESULT.findall(code):
            assert eval(expression, names) == ast.literal_eval(stated)
            checked += 1
    assert checked


def test_commands_of_a_block_run_where_the_environment_is_not_activated():
    lines = [line for block in code_blocks("sh") for line in block.splitlines() if "tuneworth" in line]
    assert lines
    assert [line for line in lines if ".venv/bin/tuneworth" not in line] == []


def test_the_smallest_scenario_of_the_readme_is_the_documents_and_has_an_answer():
    assert code_blocks("yaml") == [MINIMAL]
    assert len(MINIMAL.splitlines()) == 15
    comparison = compare(scenario_from(*read_scenario(MINIMAL, "minimal.yaml"), "minimal.yaml"), PriceBook.bundled())
    assert not comparison.is_partial
    assert list(comparison.results) == ["prompting", "few-shot", "rag"]
    assert comparison.winner() in comparison.results


def test_the_fields_of_a_scenario_are_documented_as_they_are():
    text = (ROOT / "docs" / "scenario-file.md").read_text(encoding="utf-8")
    assert text == document(), "run: python -m ingest.fields > docs/scenario-file.md"
    assert f"```yaml\n{MINIMAL}```" in text
    for row in (
        "| `horizon_months` | whole number 1–120 | **required** |",
        "| `user_tokens` | number ≥ 0 or a range | **required** |",
        "| `batch_share` | share 0–1 or a range | 0 |",
        "| `model` | `provider/name` | **required** |",
    ):
        assert row in text


def test_the_correlations_of_the_document_hold_for_the_shares_it_names():
    assert f"```yaml\n{CORRELATED}```" in (ROOT / "docs" / "scenario-file.md").read_text(encoding="utf-8")
    data, _ = read_scenario(MINIMAL + CORRELATED, "correlated.yaml")
    data["workload"] |= {"requests_per_month": {"p10": 120_000, "p90": 270_000}, "user_tokens": {"low": 200, "high": 500}}
    data["approaches"]["prompting"]["accepted"] = {"successes": 181, "trials": 200}
    data["approaches"]["rag"] = {
        "extends": "prompting",
        "retrieval": {"store": "pinecone/serverless"},
        "accepted": {"successes": 185, "trials": 200},
    }
    assert len(compare(Scenario.model_validate(data), PriceBook.bundled()).scenario.correlations) == 2


def test_every_form_of_a_range_is_documented_with_what_it_is_computed_with():
    text = (ROOT / "docs" / "scenario-file.md").read_text(encoding="utf-8")
    forms = re.findall(r"^\| [^|]+ \| `(\{.*\})` \| (.*) \|$", text, re.MULTILINE)
    assert [set(re.findall(r"(\w+):", form)) for form, _ in forms] == [set(keys) for keys, _ in _BY_KEYS]


@pytest.mark.parametrize("line", commands())
def test_commands_of_the_readme_are_understood(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    command, words = typer.main.get_command(cli), shlex.split(line)
    while verbs := verbs_of(command):
        assert words[0] in verbs
        command, words = verbs[words[0]], words[1:]
    command.make_context(command.name, list(words))  # refuses what the command does not know
    assert [word for word in words if word.startswith("examples/") and not (ROOT / word).exists()] == []


def test_options_named_in_the_readme_exist() -> None:
    def options(command: Any) -> set[str]:
        return {name for option in command.params for name in option.opts}.union(*map(options, verbs_of(command).values()))

    named = set(re.findall(r"`(--[a-z-]+)", README))
    assert named
    assert named <= options(typer.main.get_command(cli))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_resolve(path: Path) -> None:
    links = [link for link in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (path.parent / link.partition("#")[0]).exists()] == []
