"""What all tests share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# no test is judged by a clock: a slow machine is not a wrong result
settings.register_profile("tuneworth", deadline=None)
settings.load_profile("tuneworth")

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_chromium() -> str | None:
    """The path of a Chromium-like browser: $CHROMIUM first, then what the PATH holds."""
    stated = os.environ.get("CHROMIUM")
    if stated:
        return shutil.which(stated)
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium() -> str:
    """A browser's path; the test is skipped where there is none, or fails where TUNEWORTH_REQUIRE_BROWSER is set."""
    path = find_chromium()
    if path is not None:
        return path
    reason = "no Chromium found: install it (apt-get install chromium) or set CHROMIUM to its path"
    if os.environ.get("TUNEWORTH_REQUIRE_BROWSER"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_file():
    """A function giving a real training file's path by name, or skipping the test where it is not present."""

    def find(name: str) -> Path:
        path = SHARED_DATA / name
        if not path.exists():
            pytest.skip(f"the real training file {name} is not present beside this checkout")
        return path

    return find
