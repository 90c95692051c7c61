"""The project's own rules: one test command, layers, pinned versions."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("app_pages", "tuneworth", "reports", "ingest", "calc", "pricing")
TEST_COMMAND = re.compile(r"^python3 -m venv .*/pytest\b.*$", re.MULTILINE)


def imported_modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_ci_runs_the_readmes_test_command():
    readme = TEST_COMMAND.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(readme) == 1
    last_line = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1]
    assert last_line == readme[0]


def test_streamlit_is_imported_in_the_app_only():
    offenders = [
        str(path.relative_to(ROOT))
        for layer in LAYERS
        if layer != "app_pages"
        for path in (ROOT / layer).rglob("*.py")
        if any(name.split(".")[0] == "streamlit" for name in imported_modules(path))
    ]
    assert offenders == []


def test_the_entry_script_holds_page_config_and_navigation_only():
    path = ROOT / "app.py"
    allowed = {"streamlit", "app_pages", "pathlib", "__future__"}
    assert {name.split(".")[0] for name in imported_modules(path)} <= allowed


def test_constraints_hold_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []


def test_every_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [r for group in (project["dependencies"], *project["optional-dependencies"].values()) for r in group]
    names = {re.split(r"[\[<>=~ ]", requirement)[0].lower() for requirement in wanted} - {"tuneworth"}
    pinned = {line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").split()}
    assert names <= pinned


def test_importing_the_model_loads_nothing_heavy():
    heavy = "{'pandas', 'streamlit', 'plotly', 'matplotlib', 'typst', 'scipy'}"
    code = f"import sys, calc, pricing; print(sorted({heavy} & set(sys.modules)))"
    # A new interpreter: this one has long loaded them.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_every_table_of_the_pages_shows_what_is_missing_as_a_dash():
    for page in sorted((ROOT / "app_pages").glob("*.py")):
        source = page.read_text(encoding="utf-8")
        for call in source.split(".dataframe(")[1:]:
            assert "placeholder=words.MISSING" in call.partition("alt=")[0], page.name
