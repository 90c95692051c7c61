"""Running the command inside the tests."""

from __future__ import annotations

import sys
from typing import NamedTuple

import pytest

from tuneworth.main import main


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def tuneworth(monkeypatch, capsys):
    """A function that runs ``tuneworth`` with arguments and gives its exit code, output and messages."""

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["tuneworth", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        return Ran(code, *capsys.readouterr())

    return run
