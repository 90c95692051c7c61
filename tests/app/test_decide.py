"""The page Decide: a complete answer at once, inputs that change it, and messages instead of tracebacks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from app_pages import inputs, shared
from calc import compare
from calc.claims import CLAIMS
from calc.compare import NothingToCompare
from calc.ledger import Unpriced
from ingest import load_scenario
from pricing import PriceBook, PricingError
from reports import advice_words, words

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path.stem for path in (REPOSITORY / "examples").glob("*.yaml"))
SUPPORT = "support_tone/0/"


def shown(app) -> str:
    """Everything that is written on the page."""
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning")
    texts = [str(element.value) for kind in kinds for element in getattr(app, kind)]
    texts += [f"{metric.label} {metric.value} {metric.delta}" for metric in app.metric]
    texts += [table.value.to_csv() for table in app.table]
    return "\n".join(texts).replace("\\", "")


@pytest.mark.parametrize("name", EXAMPLES)
def test_first_paint_is_a_complete_answer(dashboard, name):
    app = dashboard(scenario=name)
    comparison = compare(load_scenario(REPOSITORY / "examples" / f"{name}.yaml"), PriceBook.bundled())
    assert not app.exception
    assert not app.error
    assert app.title[0].value.replace("\\", "") == words.verdict(comparison)
    assert len(app.metric) == len(comparison.results)
    assert "nan" not in shown(app).lower().split()
    assert "None" not in shown(app)


def test_support_replies_come_first(dashboard):
    assert "few-shot" in dashboard().title[0].value


def test_every_cost_line_of_the_winner_is_on_the_page(dashboard):
    app = dashboard()
    comparison = compare(load_scenario(REPOSITORY / "examples" / "support_tone.yaml"), PriceBook.bundled())
    lines = [line.name for line in comparison.results[comparison.winner()].ledger.lines]
    tables = [frame.value for frame in app.dataframe if "Formula" in frame.value]
    assert [list(table["Line"]) for table in tables] == [lines]


def test_what_would_change_and_settle_the_answer_is_told(dashboard):
    app = dashboard()
    comparison = compare(load_scenario(REPOSITORY / "examples" / "support_tone.yaml"), PriceBook.bundled())
    text = shown(app)
    for sentence in [*advice_words.turns(comparison), advice_words.settling_sentence(comparison)]:
        assert sentence in text


def test_every_rule_is_on_the_page(dashboard):
    tables = " ".join(table.value.to_csv() for table in dashboard().table).replace("\\", "")
    assert all(f"**{claim.text}.**" in tables for claim in CLAIMS)


def test_a_line_opens_to_its_price_rows(dashboard):
    app = dashboard()
    app.selectbox(key="why few-shot").select("prompt.input").run()
    prices = next(frame.value for frame in app.dataframe if "Confidence" in frame.value)
    assert set(prices["Offer"]) == {"openai/gpt-6.1-terra"}
    assert set(prices["Source"]) == {"litellm 1.109.1"}


def test_a_package_is_named_and_a_page_linked():
    package = shared.source_cells("pkg:pypi/litellm@1.109.1#model_prices.json")
    assert package == {"Source": "litellm 1.109.1", "Page": None}
    page = "https://www.example.com/pricing#batch"
    assert shared.source_cells(page) == {"Source": "example.com", "Page": page}


def test_a_smaller_volume_changes_the_verdict(dashboard):
    app = dashboard()
    before = app.title[0].value
    app.number_input(key=f"{SUPPORT}requests").set_value(5_000).run()
    assert not app.exception
    assert app.title[0].value != before
    assert "5,000 requests a month" in app.title[0].value
    assert app.query_params["requests"] == "5000"


def test_the_address_restores_inputs(dashboard):
    app = dashboard(requests="5000", horizon="24")
    assert app.number_input(key=f"{SUPPORT}requests").value == 5_000
    assert "over 24 months" in shown(app)
    assert "5,000 requests a month" in app.title[0].value


@pytest.mark.parametrize("value", ["many", "-3", "1e99", ""])
def test_an_address_that_cannot_be_read_is_left_alone(dashboard, value):
    app = dashboard(requests=value)
    assert not app.exception
    assert app.number_input(key=f"{SUPPORT}requests").value == 180_000


def test_undo_brings_the_scenario_back(dashboard):
    app = dashboard(requests="5000")
    next(button for button in app.button if button.label == "Undo all changes").click().run()
    assert app.number_input(key="support_tone/1/requests").value == 180_000
    assert not app.query_params


def test_an_approach_that_is_closed_shows_no_amount(dashboard):
    app = dashboard(scenario="helpfulness_dpo")
    closed = [metric for metric in app.metric if metric.value == words.MISSING]
    assert [metric.delta for metric in closed] == ["Unavailable"]
    assert "OpenAI closed tuning to new organisations" in shown(app)


def test_another_model_is_priced(dashboard):
    app = dashboard()
    app.selectbox(key=f"{SUPPORT}model").select("openai/gpt-6-luna").run()
    assert not app.exception
    assert not app.error
    assert "gpt-6-luna" in shown(app)


def test_the_chart_has_words_for_who_cannot_see_it(dashboard):
    app = dashboard()
    alts = [chart.proto.alt for chart in app.get("plotly_chart")]
    assert len(alts) == 2
    assert "Cheapest: Prompting from 1,000" in alts[0]


def test_units_of_the_chart(dashboard):
    app = dashboard()
    for unit in ("request", "horizon"):
        app.segmented_control(key="unit").set_value(unit).run()
        assert not app.exception
    assert "US$ over 12 months; both axes logarithmic" in shown(app)


def test_a_file_with_a_mistake_is_told_by_line_and_the_answer_stays(dashboard):
    app = dashboard()
    app.file_uploader(key="upload").upload("mine.yaml", b"name: Mine\nhorizon_months: twelve\n", "application/yaml").run()
    assert not app.exception
    assert "mine.yaml, line 2, horizon_months" in app.error[0].value.replace("\\", "")
    assert "few-shot" in app.title[0].value


def test_a_file_is_loaded_and_answered(dashboard):
    text = (REPOSITORY / "examples" / "legal_drafts.yaml").read_bytes().replace(b"First drafts", b"My own drafts")
    app = dashboard()
    app.file_uploader(key="upload").upload("mine.yaml", text, "application/yaml").run()
    assert not app.exception
    assert "hybrid on own GPUs" in app.title[0].value


def test_no_picker_has_two_first_values(dashboard, monkeypatch):
    """Streamlit then writes a warning with a stack trace to the server's log."""
    from streamlit.elements.lib import policies

    told: list[str] = []
    monkeypatch.setattr(policies.runtime, "exists", lambda: True)
    monkeypatch.setattr(policies, "_shown_default_value_warning", False)
    monkeypatch.setattr(policies._LOGGER, "warning", lambda text, key, **_: told.append(key))
    text = (REPOSITORY / "examples" / "legal_drafts.yaml").read_bytes()
    app = dashboard(scenario="spam_classification")
    app.file_uploader(key="upload").upload("mine.yaml", text, "application/yaml").run()
    for page in ("app_pages/prices.py", "app_pages/cash_flow.py", "app_pages/decide.py"):
        app.switch_page(page).run()
    assert not app.exception
    assert app.selectbox(key="picked").value == "loaded"
    assert told == []


def test_a_model_that_is_not_in_the_book_is_one_message(dashboard):
    text = (REPOSITORY / "examples" / "support_tone.yaml").read_bytes().replace(b"openai/gpt-6.1-terra", b"openai/gpt-6.1-tera")
    app = dashboard()
    app.file_uploader(key="upload").upload("mine.yaml", text, "application/yaml").run()
    assert not app.exception
    assert len(app.error) == 1
    assert "Did you mean" in app.error[0].value
    assert app.number_input(key="loaded/1/requests").value == 180_000


def test_another_scenario_is_picked_and_inputs_are_kept(dashboard):
    app = dashboard(requests="5000")
    app.selectbox(key="picked").select("legal_drafts").run()
    assert not app.exception
    assert "2,500 requests a month" in app.title[0].value
    app.switch_page("app_pages/prices.py").run()
    app.switch_page("app_pages/decide.py").run()
    assert "2,500 requests a month" in app.title[0].value
    app.selectbox(key="picked").select("support_tone").run()
    assert "5,000 requests a month" in app.title[0].value


@pytest.mark.parametrize("name", ["support_tone", "legal_drafts"])
def test_every_input_can_be_changed(dashboard, name):
    app = dashboard(scenario=name)
    before = {field.key: field.value for field in app.sidebar.number_input if field.value is not None}
    assert len(before) > 30
    for key, value in before.items():
        field = app.sidebar.number_input(key=key)
        field.set_value(min(value + field.step, 100 if "%" in field.label else 1e12)).run()
        assert not app.exception, key
        assert not app.error, (key, app.error[0].value)
        assert "1 of" in app.sidebar.caption[-1].value, key
        app.sidebar.number_input(key=key).set_value(value).run()


SUPPORT_TONE = (REPOSITORY / "examples" / "support_tone.yaml").read_text(encoding="utf-8")
UNUSUAL = {
    "before the book": ("as_of: 2026-11-20", "as_of: 2020-01-01"),
    "rejected answers are lost": ("rejected_answer_usd: 0.06", "failure_mode: discard"),
    "a new organisation": ("{openai: active}", "{openai: new}"),
    "turns as observed": ("turns_per_conversation: 1", "turns_per_conversation: [1, 2, 5]"),
    "marks in names": ("fine-tuning at OpenAI:", "'*tuned* _at_ $OpenAI$ :red[x]':"),
    "one request": ("{p10: 120_000, p90: 270_000}", "1"),
    "more than the world asks": ("{p10: 120_000, p90: 270_000}", "1_000_000_000_000"),
    "one month": ("horizon_months: 12", "horizon_months: 1"),
    "ten years": ("horizon_months: 12", "horizon_months: 120"),
}


@pytest.mark.parametrize("case", UNUSUAL)
def test_an_unusual_scenario_is_answered_too(dashboard, case):
    old, new = UNUSUAL[case]
    assert old in SUPPORT_TONE
    app = dashboard()
    app.file_uploader(key="upload").upload("mine.yaml", SUPPORT_TONE.replace(old, new).encode(), "application/yaml").run()
    assert not app.exception
    assert not app.error
    assert len(app.metric) == 6
    assert "None" not in shown(app)


def loaded(dashboard, *changes: tuple[str, str], text: str = SUPPORT_TONE):
    """The dashboard with a changed example as a file."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    app = dashboard()
    app.file_uploader(key="upload").upload("mine.yaml", text.encode(), "application/yaml").run()
    return app


LEGAL = (REPOSITORY / "examples" / "legal_drafts.yaml").read_text(encoding="utf-8")


def with_field(text: str, path: str, value: str) -> str:
    """A scenario's text with one field stated otherwise."""
    data = YAML(typ="safe", pure=True).load(text)
    *parents, name = path.split("/")
    part = data
    for parent in parents:
        part = part.setdefault(parent, {})
    part[name] = YAML(typ="safe", pure=True).load(value)
    return json.dumps(data, default=str)


STATED = {
    "workload/growth": "{kind: compound, monthly_share: -0.6}",
    "workload/user_tokens": "1.0e13",
    "workload/peak_factor": "0.5",
    "workload/active_hours_per_day": "0.25",
    "workload/turns_per_conversation": "300",
    "finance/discount_rate_per_year": "1.5",
    "task/tokens_per_example": "0.5",
    "staff_usd_per_hour/ml_engineer": "9.0e3",
    "approaches/fine-tuning/tuning/runs": "0.5",
    "approaches/fine-tuning/tuning/epochs": "0.05",
    "approaches/fine-tuning/serving/requests_per_second_per_replica": "1.0e-4",
    "approaches/fine-tuning/serving/target_utilisation": "0.005",
    "approaches/rag/retrieval/chunks_per_request": "0.5",
}


@pytest.mark.parametrize("path", STATED)
def test_a_stated_value_is_always_shown(dashboard, path):
    app = loaded(dashboard, text=with_field(LEGAL, path, STATED[path]))
    assert not app.exception
    assert not app.error
    assert "cannot be shown" not in app.title[0].value


def test_names_of_approaches_are_told_apart(dashboard):
    more = "approaches:\n" + "".join(
        f"  {name}: {{extends: prompting, instruction_tokens: {n}}}\n"
        for n, name in enumerate(["my idea", "my-idea", "X", "x"], 700)
    )
    app = loaded(dashboard, ("approaches:\n", more))
    assert not app.exception
    assert not app.error
    sections = [text.value.replace("\\", "") for text in app.sidebar.markdown]
    assert {"**My idea**", "**My-idea**", "**X**", "**x**"} <= set(sections)
    app.selectbox(key="lines of").select("x").run()
    assert app.selectbox(key="why x").label


def test_an_input_out_of_range_is_told_and_the_answer_stays(dashboard):
    app = dashboard()
    before = app.title[0].value
    app.number_input(key=f"{SUPPORT}few-shot.accepted").set_value(150.0).run()
    assert not app.exception
    assert "Few-shot: Accepted answers, % takes 0 to 100, not 150." in app.error[0].value.replace("\\", "")
    assert "last valid" in app.error[0].value
    assert app.title[0].value == before
    app.number_input(key=f"{SUPPORT}few-shot.accepted").set_value(90.0).run()
    assert not app.error


def test_an_input_that_is_refused_leaves_the_last_valid_answer(dashboard):
    app = dashboard(requests="5000")
    before = app.title[0].value
    app.number_input(key=f"{SUPPORT}peak").set_value(0.0).run()
    assert not app.exception
    assert "peak_factor" in app.error[0].value.replace("\\", "")
    assert "last valid" in app.error[0].value
    assert app.title[0].value == before
    next(button for button in app.button if button.label == "Undo all changes").click().run()
    assert not app.error


def test_an_address_that_is_refused_shows_the_scenario_as_stated(dashboard):
    app = dashboard(requests="5000", peak="0")
    assert "without any of the changes" in app.error[0].value
    assert "180,000 requests a month" in app.title[0].value
    app.number_input(key=f"{SUPPORT}peak").set_value(2.0).run()
    assert not app.error
    assert "5,000 requests a month" in app.title[0].value


def test_turns_end_where_a_conversation_does(dashboard):
    app = dashboard()
    app.number_input(key=f"{SUPPORT}turns").set_value(1_000_000).run()
    assert "takes 1 to 100, not 1,000,000" in app.error[0].value.replace("\\", "")


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (NothingToCompare("nothing here"), "no answer"),
        (Unpriced("no price"), "no answer"),
        (PricingError("no price"), "no answer"),
        (KeyError("lost"), "cannot be shown"),
    ],
)
@pytest.mark.parametrize("place", ["compared", "_base"])
def test_any_error_is_one_message(dashboard, monkeypatch, error, title, place):
    def fails(*_):
        raise error

    monkeypatch.setattr(inputs, place, fails)
    app = dashboard()
    assert not app.exception
    assert title in app.title[0].value
    assert len(app.error) == 1
    assert str(error) in app.error[0].value
    assert ("report it" in shown(app)) is isinstance(error, KeyError)


def test_a_loaded_file_is_told_from_the_example_of_its_title(dashboard):
    app = loaded(dashboard, ("requests_per_month", "requests_per_month"))
    options = app.selectbox(key="picked").options
    assert len(set(options)) == len(options)
    assert [option for option in options if option.endswith(" (loaded)")]


def test_notes_keep_ids_and_write_days_in_words(dashboard):
    for name in EXAMPLES:
        notes = "\n".join(table.value.to_csv() for table in dashboard(scenario=name).table).replace("\\", "")
        assert "Openai/" not in notes
        assert not re.search(r"\d{4}-\d\d-\d\d[^/\w]", re.sub(r"\(https?[^)]*\)", "", notes))


def test_a_rule_that_claims_too_much_is_said_in_words(dashboard):
    text = shown(dashboard(scenario="legal_drafts"))
    assert "Costs less here" in text
    assert "Too high" not in text


def test_another_currency_is_shown_with_its_rate_and_back(dashboard):
    app = dashboard(currency="EUR")
    assert not app.exception
    assert "0.8951 EUR per USD of 30 Oct 2026, ECB" in shown(app)
    assert all("€" in metric.value and "$" not in metric.value for metric in app.metric)
    line_tables = [frame.value for frame in app.dataframe if "Formula" in frame.value]
    assert "EUR, 12 months" in line_tables[0]
    select = next(s for s in app.selectbox if s.label == "Currency shown")
    assert select.value == "EUR"
    select.select("USD").run()
    assert all("$" in metric.value for metric in app.metric)
    assert "per USD" not in shown(app)
