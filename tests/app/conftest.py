"""The dashboard without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

testing = pytest.importorskip("streamlit.testing.v1", reason="the dashboard's extra is not installed")
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def dashboard():
    """A function that opens the dashboard with an address's parameters, and gives it after its first run."""

    def opened(page: str | None = None, **parameters: str) -> testing.AppTest:
        app = testing.AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=60)
        for key, value in parameters.items():
            app.query_params[key] = value
        app.run()
        if page is not None:
            app.switch_page(page).run()
        return app

    return opened
