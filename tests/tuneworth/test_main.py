"""The command as a whole: how it ends, and starting the dashboard."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tuneworth.app import ENTRY
from tuneworth.output import harmless


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


@pytest.mark.parametrize(
    ("odd", "written"),
    [("\x1b[2J", r"\u001b[2J"), ("\u202e", r"\u202e"), ("\x07", r"\u0007"), ("\r", r"\u000d"), ("\x9b", r"\u009b")],
)
def test_what_the_user_wrote_is_echoed_without_control_characters(tuneworth, odd, written):
    for arguments in (("prices", "show", f"x{odd}y"), ("compare", f"x{odd}y.yaml"), ("prices", "history", f"x{odd}y")):
        ran = tuneworth(*arguments)
        assert ran.code == 1
        assert f"x{written}y" in ran.err
        assert odd not in ran.err + ran.out


def test_what_is_written_out_is_still_json():
    text = json.dumps({"name": "a\u202e\x7fb\nc"}, ensure_ascii=False)
    assert json.loads(harmless(text)) == {"name": "a\u202e\x7fb\nc"}
    assert "\u202e" not in harmless(text)
    assert harmless("a\tb\nc\r\nd é – \u00a0") == "a\tb\nc\r\nd é – \u00a0"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
def test_a_full_disk_is_told_in_words():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tuneworth.main", "prices", "history", "openai/gpt-4.1-mini"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "The output cannot be written: no space left" in done.stderr


def test_a_reader_that_has_seen_enough_is_no_failure():
    read, written = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "tuneworth.main", "prices", "history", "openai/gpt-4.1-mini"],
        stdout=written,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(written)
    assert (done.returncode, done.stderr) == (0, "")
