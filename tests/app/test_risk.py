"""The page Risk: the verdict at once, figures that are the simulation's, and what Decide says of certainty."""

from __future__ import annotations

from pathlib import Path

import pytest

from calc import compare
from calc.compare import NothingToCompare
from calc.risk import assess
from ingest import load_scenario
from pricing import PriceBook
from reports import risk_words, words

REPOSITORY = Path(__file__).resolve().parents[2]
RISK = "app_pages/risk.py"


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    from app_pages import simulated

    monkeypatch.setattr(simulated, "SCRAMBLES", 2)
    simulated._risk.clear()
    yield
    simulated._risk.clear()


def plain(text: str) -> str:
    return text.replace("\\", "")


def shown(app) -> str:
    """Everything that is written on the page."""
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning")
    texts = [str(element.value) for kind in kinds for element in getattr(app, kind)]
    texts += [f"{metric.label} {metric.value} {metric.delta}" for metric in app.metric]
    texts += [frame.value.to_csv() for frame in app.dataframe]
    return plain("\n".join(texts))


def simulated_of(name: str):
    comparison = compare(load_scenario(REPOSITORY / "examples" / f"{name}.yaml"), PriceBook.bundled())
    return assess(comparison, scrambles=2, complete=False)


@pytest.mark.parametrize("name", ["support_tone", "spam_classification"])
def test_the_page_is_a_complete_answer(dashboard, name):
    app = dashboard(RISK, scenario=name)
    risk = simulated_of(name)
    assert not app.exception
    assert not app.error
    assert plain(app.title[0].value) == risk_words.verdict(risk)
    assert len(app.metric) == 4
    winner = risk.comparison.winner()
    assert plain(app.metric[0].value) == risk_words.share(risk.approaches[winner].probability_cheapest.value)
    assert plain(app.metric[1].value) == words.money(risk.approaches[winner].compared_at_point_usd)
    assert len(app.dataframe[0].value) == len(risk.approaches)
    told = shown(app)
    assert "seed 0" in told
    assert "price book release" in told
    for wrong in ("nan", "None", "inf ", "_per_"):
        assert wrong not in told


def test_tables_say_where_each_range_comes_from_and_what_was_held_fixed(dashboard):
    app = dashboard(RISK)
    risk = simulated_of("support_tone")
    ranges, fixed = (frame.value for frame in app.dataframe[-2:])
    assert len(ranges) == len(risk.inputs)
    assert set(ranges["From"].str.partition(":")[0]) == {"stated in the scenario", "assumed"}
    assert "Horizon, months" in set(fixed["Input"])


def test_another_approach_can_be_compared(dashboard):
    app = dashboard(RISK)
    assert any("Fine-tuning beats few-shot" in plain(found.value) for found in app.subheader)
    app.selectbox(key="challenger").select("rag").run()
    assert not app.exception
    assert any(plain(found.value).startswith("RAG never beats few-shot in 76") for found in app.subheader)


def test_where_tuning_wins_it_is_compared_with_the_best_that_is_not_tuned(dashboard):
    app = dashboard(RISK, scenario="spam_classification")
    assert app.selectbox(key="challenger").value == "few-shot"
    tile = next(metric for metric in app.metric if plain(metric.label) == "Fine-tuning beats few-shot from")
    assert plain(tile.delta).startswith("median; ")
    titles = [plain(found.value) for found in app.subheader]
    assert f"Fine-tuning beats few-shot from a median of {plain(tile.value)}" in titles


def test_a_changed_input_changes_the_answer(dashboard):
    app = dashboard(RISK)
    before = app.title[0].value
    app.number_input(key="support_tone/0/rejected_usd").set_value(0.005).run()
    assert not app.exception
    assert app.title[0].value != before
    assert plain(app.title[0].value).startswith("Prompting is cheapest in")


def test_where_nothing_can_be_priced_the_page_says_so(dashboard, monkeypatch):
    def refuse(*_arguments, **_options):
        raise NothingToCompare("no approach can be priced: the price is unknown")

    app = dashboard(RISK)
    monkeypatch.setattr("app_pages.simulated.risk", refuse)
    app.run()
    assert app.title[0].value == "These inputs have no answer"
    assert "the price is unknown" in app.error[0].value
    assert not app.exception


def test_decide_says_how_sure_it_is_and_shows_the_band(dashboard):
    app = dashboard()
    told = shown(app)
    assert "Cheapest in 78 of 100 simulations" in told
    assert "Shaded: 8 in 10 of 8,192 simulations of few-shot" in told
    app.run()  # now known, and drawn in one go
    assert "Cheapest in 78 of 100 simulations" in shown(app)
    assert not app.exception


def test_decide_stays_whole_where_nothing_can_be_simulated(dashboard, monkeypatch):
    def refuse(*_arguments, **_options):
        raise ValueError("correlations.0.between: task.examples is no range that is drawn")

    monkeypatch.setattr("app_pages.simulated.certainty", refuse)
    app = dashboard(scenario="spam_classification")
    assert not app.exception
    assert app.title[0].value.startswith("Fine-tune")
    assert "How sure this is cannot be simulated" in shown(app)
