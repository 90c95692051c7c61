"""The page Cash flow: a finding, figures that are numbers or say why not, and what the inputs of value do to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from app_pages import inputs
from calc import compare
from ingest import load_scenario
from pricing import PriceBook
from reports import cash_words, words

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path.stem for path in (REPOSITORY / "examples").glob("*.yaml"))
PAGE = "app_pages/cash_flow.py"


def shown(app) -> str:
    """Everything that is written on the page."""
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning")
    texts = [str(element.value) for kind in kinds for element in getattr(app, kind)]
    texts += [f"{metric.label} {metric.value} {metric.delta}" for metric in app.metric]
    texts += [table.value.to_csv() for table in (*app.table, *app.dataframe)]
    return "\n".join(texts).replace("\\", "")


def comparison_of(name: str):
    return compare(load_scenario(REPOSITORY / "examples" / f"{name}.yaml"), PriceBook.bundled())


def stated(dashboard, monkeypatch, change):
    """The page of the first example with its fields changed."""
    data = YAML(typ="safe", pure=True).load((REPOSITORY / "examples" / "support_tone.yaml").read_text(encoding="utf-8"))
    change(data)
    source = inputs.Source("support_tone", "support_tone.yaml", "")
    monkeypatch.setattr(inputs, "_examples", lambda: {"support_tone": source})
    monkeypatch.setattr(inputs, "_title", lambda _: "Changed")
    monkeypatch.setattr(inputs, "read_scenario", lambda *_: (data, {}))
    return dashboard(PAGE)


@pytest.mark.parametrize("name", EXAMPLES)
def test_first_paint_is_a_complete_answer(dashboard, name):
    app, comparison = dashboard(PAGE, scenario=name), comparison_of(name)
    assert not app.exception
    assert not app.error
    assert app.title[0].value.replace("\\", "") == cash_words.verdict(comparison)
    best = cash_words.best(comparison)
    figures = [(figure.label, figure.value) for figure in cash_words.figures(comparison, best)]
    assert [(metric.label, metric.value.replace("\\", "")) for metric in app.metric] == figures
    assert "nan" not in shown(app).lower().split()
    assert "None" not in shown(app)
    months = next(frame.value for frame in app.dataframe if "Cumulative" in frame.value)
    assert len(months) == comparison.months.count + 1
    assert len(app.get("plotly_chart")) == 2


def test_another_approach_has_its_own_figures(dashboard):
    app, comparison = dashboard(PAGE), comparison_of("support_tone")
    app.segmented_control(key="cash flow of").set_value("hybrid").run()
    assert not app.exception
    assert app.metric[0].value.replace("\\", "") == cash_words.figures(comparison, "hybrid")[0].value
    assert "none" in [metric.value for metric in app.metric]
    assert "No annual IRR, because nothing is ever saved." in shown(app)
    assert "never" in [metric.value for metric in app.metric]


def test_the_discount_rate_moves_the_present_value(dashboard):
    app = dashboard(PAGE, discount="50")
    assert "Discounted at 50% a year" in shown(app)
    assert "The rate, 50%, is stated in the scenario." in shown(app)
    assert app.metric[0].delta == "at 50% a year"


def test_a_fall_of_prices_is_called_an_assumption(dashboard):
    assert "token prices are assumed to fall by 20% a year" in shown(dashboard(PAGE, decline="20"))


def test_value_put_in_is_counted_and_shown_with_its_formula(dashboard):
    app = dashboard(PAGE, **{"value.usd_per_accepted_answer": "0.5"})
    assert not app.exception
    assert not app.error
    assert "ROI" in [metric.label for metric in app.metric]
    assert "× $0.5" in shown(app)
    assert "not valued, because the scenario states no US$ per second saved" in shown(app)
    assert "rejected answers are handled, so every approach earns the same" in shown(app)


def test_half_a_method_is_refused_with_what_it_lacks(dashboard):
    app = dashboard(PAGE, **{"value.customers": "100"})
    assert not app.exception
    assert "too" in app.error[0].value
    assert "retention" in app.error[0].value
    assert app.title


def test_events_have_their_source(dashboard):
    text = shown(dashboard(PAGE))
    assert "gpt-4.1-mini ends on 14 January 2027" in text
    assert "[developers.openai.com](https://developers.openai.com/" in text


def test_an_approach_that_is_unavailable_is_left_out_with_its_reason(dashboard):
    app = dashboard(PAGE, scenario="helpfulness_dpo")
    assert "OpenAI closed tuning to new organisations" in shown(app)
    assert "DPO at OpenAI" not in app.segmented_control(key="cash flow of").options


def test_a_reference_without_a_price_is_said(dashboard, monkeypatch):
    def change(data):
        data["approaches"]["rag"]["model"] = data["approaches"]["few-shot"]["model"] = "openai/gpt-6.1-terra"
        data["approaches"]["prompting"]["model"] = "openai/text-embedding-3-small"

    app = stated(dashboard, monkeypatch, change)
    assert not app.exception
    assert app.title[0].value.startswith("Nothing can be held against prompting")
    assert not app.metric
    assert "Accounting view" in shown(app)


def test_one_approach_alone_has_nothing_to_save_against(dashboard, monkeypatch):
    def change(data):
        data["approaches"] = dict.fromkeys(("few-shot", "rag", "fine-tuning", "hybrid")) | {
            "prompting": data["approaches"]["prompting"]
        }

    app = stated(dashboard, monkeypatch, change)
    assert not app.exception
    assert app.title[0].value.replace("\\", "") == "Prompting is the only approach: there is nothing to save against"
    assert not app.metric
    [months] = [frame.value for frame in app.dataframe if "Prompting, cost" in frame.value]
    assert "Cumulative" not in months


def test_another_currency(dashboard):
    app = dashboard(PAGE, currency="EUR")
    assert not app.exception
    assert "€" in app.metric[0].value
    assert "0.8951 EUR per USD" in shown(app)
    assert words.mark() == "$"
