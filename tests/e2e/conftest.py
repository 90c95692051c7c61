"""The dashboard in a real browser: a server on a free port, and one browser for all tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 40


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The address of a running dashboard."""
    pytest.importorskip("streamlit", reason="the dashboard's extra is not installed")
    port = _free_port()
    log = tmp_path_factory.mktemp("server") / "log.txt"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.address", "127.0.0.1", "--server.port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=out, stderr=subprocess.STDOUT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/_stcore/health", log)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(address: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"the dashboard did not start in {START_SECONDS} s:\n{log.read_text()}", pytrace=False)


@pytest.fixture(scope="session")
def browser(chromium):
    """A browser without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, server):
    """A function that opens a page at a width and in a theme; its console's errors are in ``page.complaints``."""
    contexts = []

    def open_page(path: str = "/", width: int = 1440, theme: str = "light"):
        phone = width < 500
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, is_mobile=phone, has_touch=phone
        )
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(server + path)
        page.wait_for_selector("h1", timeout=30_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
