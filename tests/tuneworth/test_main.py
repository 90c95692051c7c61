"""The command as a whole: how it ends, and starting the dashboard."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

from tuneworth.app import ENTRY


def test_help_names_every_verb(tuneworth):
    ran = tuneworth("--help")
    assert ran.code == 0
    assert all(verb in ran.out for verb in ("tokens", "prices", "app"))


def test_version(tuneworth):
    assert tuneworth("--version").out.startswith("tuneworth ")


def test_an_unexpected_error_asks_for_a_report(tuneworth, monkeypatch):
    def broken(**_):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("tuneworth.main.cli", broken)
    ran = tuneworth()
    assert ran.code == 1
    assert "ZeroDivisionError: division by zero" in ran.err
    assert "report it" in ran.err
    assert "Traceback" not in ran.err


def test_the_dashboard_says_what_to_install(tuneworth, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    ran = tuneworth("app")
    assert ran.code == 1
    assert "pip install 'tuneworth[app]'" in ran.err


def test_the_dashboard_starts_without_usage_statistics(tuneworth, monkeypatch):
    commands = []

    def started(command, **_):
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("tuneworth.app.subprocess.run", started)
    assert tuneworth("app", "--port", 8600).code == 0
    [command] = commands
    assert command[:5] == [sys.executable, "-m", "streamlit", "run", str(ENTRY)]
    assert command[command.index("--server.port") + 1] == "8600"
    assert command[command.index("--browser.gatherUsageStats") + 1] == "false"


def test_the_module_runs_too():
    done = subprocess.run([sys.executable, "-m", "tuneworth.main", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("tuneworth ")
