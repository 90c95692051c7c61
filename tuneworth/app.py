"""``tuneworth app``: open the dashboard."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from ingest.errors import NotInstalled

ENTRY = Path(__file__).resolve().parents[1] / "app.py"


def app(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port the page is served on.")] = 8501,
    address: Annotated[str, typer.Option(help="Address it is served on; 0.0.0.0 opens it to the network.")] = "localhost",
) -> None:
    """Open the dashboard: serves it on this machine until interrupted."""
    if importlib.util.find_spec("streamlit") is None:
        raise NotInstalled("The dashboard", "app")
    raise typer.Exit(_serve(port, address))


def _serve(port: int, address: str) -> int:
    served = ["--server.port", str(port), "--server.address", address, "--server.headless", "true"]
    options = [*served, "--browser.gatherUsageStats", "false"]
    command = [sys.executable, "-m", "streamlit", "run", str(ENTRY), *options]
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return 0
