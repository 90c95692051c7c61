"""Own prices in the dashboard: one file a session, kept when another is refused, gone when dropped, never in another session."""

from __future__ import annotations

import pytest

UPLOADER = "own prices 0"
NEGOTIATED = b"""
[[openai.discount]]
percent = 50
effective = 2026-11-01
"""
DROP = "drop own prices"


def totals(app) -> list[str]:
    return [metric.value for metric in app.metric]


def told(app) -> str:
    return "\n".join(str(element.value) for kind in ("caption", "error", "warning") for element in getattr(app, kind)).replace(
        "\\", ""
    )


def uploaded(app, content: bytes, name: str = "acme.toml", key: str = UPLOADER):
    app.file_uploader(key=key).upload(name, content, "application/toml").run()
    assert not app.exception
    return app


@pytest.fixture
def listed(dashboard):
    return dashboard()


def test_own_prices_change_the_answer_and_are_named(listed):
    before = totals(listed)
    app = uploaded(listed, NEGOTIATED)
    assert totals(app) != before
    assert "Own prices of acme.toml, SHA-256" in told(app)
    assert "acme" not in str(app.query_params)


def test_dropped_they_are_gone(listed):
    before = totals(listed)
    app = uploaded(listed, NEGOTIATED)
    app.button(key=DROP).click().run()
    assert totals(app) == before
    assert "acme.toml" not in told(app)
    uploaded(app, NEGOTIATED, key="own prices 1")
    assert totals(app) != before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[openai.model.x]\n", "line 1"),
        (b"[[openai.discount]\n", "is not valid TOML"),
        (b"[" + b".".join([b"a"] * 3000) + b"]\n", "nested too deeply"),
        (b"\xff\xfe", "UTF-8"),
        (b"", "empty"),
    ],
)
def test_a_refused_file_leaves_those_in_force(listed, content, said):
    app = uploaded(listed, NEGOTIATED)
    before = totals(app)
    uploaded(app, content, "wrong.toml")
    assert said in told(app)
    assert "wrong.toml" in told(app)
    assert "from before stay in force" in told(app)
    assert totals(app) == before


def test_an_error_of_its_own_leaves_the_page_and_the_uploader(listed, monkeypatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError("no such luck")

    before = totals(listed)
    monkeypatch.setattr("app_pages.own_prices.load_own_prices", broken)
    app = uploaded(listed, NEGOTIATED, "odd.toml")
    assert "ZeroDivisionError: no such luck" in told(app)
    assert "odd.toml" in told(app)
    assert (totals(app), bool(app.file_uploader(key=UPLOADER))) == (before, True)


def test_no_other_session_sees_them(dashboard):
    before = totals(dashboard())
    uploaded(dashboard(), NEGOTIATED)
    other = dashboard()
    assert totals(other) == before
    assert "acme.toml" not in told(other)


def test_the_prices_page_shows_them(dashboard):
    private = b'[acme]\nname = "Acme inference"\n[[acme.model.acme-1.price]]\neffective = 2026-11-01\ninput_usd_per_mtok = 0.1\n'
    app = uploaded(dashboard(), private)
    app.switch_page("app_pages/prices.py").run()
    assert not app.exception
    assert any("acme/acme-1" in frame.value.to_csv() for frame in app.dataframe)
