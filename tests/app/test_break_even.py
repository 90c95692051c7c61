"""The Break-even page: a complete answer at first for every example, any number across, and plain words for what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

testing = pytest.importorskip("streamlit.testing.v1", reason="the dashboard's extra is not installed")
REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = "app_pages/break_even.py"
EXAMPLES = sorted(path.stem for path in (REPOSITORY / "examples").glob("*.yaml"))
VOLUME = "workload.requests_per_month"
REJECTED = "task.rejected_answer_usd"


@pytest.fixture
def opened():
    """A function that opens the page as a shared address does, before any other page."""

    def open_page(**address: str):
        app = testing.AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=60)
        app.switch_page(PAGE)
        for name, value in address.items():
            app.query_params[name] = value
        return checked(app)

    return open_page


def checked(app):
    app.run()
    assert not app.exception
    return app


def title(app) -> str:
    return app.title[0].value.replace("\\", "")


def errors(app) -> list[str]:
    return [error.value.replace("\\", "") for error in app.error]


def charts(app) -> int:
    return len(app.get("plotly_chart"))


def end(app, label: str):
    return next(field for field in app.number_input if field.label.startswith(label) and field.key.startswith("break-even"))


def address(app) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def moved(app, path: str):
    app.selectbox(key="break-even across").set_value(path)
    return checked(app)


@pytest.mark.parametrize("scenario", EXAMPLES)
def test_every_example_is_answered_at_once(opened, scenario):
    app = opened(scenario=scenario)
    assert not app.error
    assert not app.warning
    assert "requests a month" in title(app)
    assert charts(app) == 2
    assert "Cheapest" in app.dataframe[-1].value


@pytest.mark.parametrize(
    "path",
    [
        "horizon_months", "workload.answer_tokens", "workload.batch_share", "task.examples", "task.rejected_answer_usd",
        "approaches.rag.accepted", "approaches.fine-tuning.tuning.retrain_every_months", "finance.price_decline_per_year",
        "staff_usd_per_hour.ml_engineer", "assumptions.staff.overhead_share", "approaches.fine-tuning.serving.min_replicas",
        "prices.openai/gpt-6.1-terra.output_usd_per_mtok",
    ],
)  # fmt: skip
def test_a_number_of_every_part_can_move(opened, path):
    app = opened(across=path)
    assert not app.error
    assert "cheapest" in title(app)
    whole = path in (
        "horizon_months",
        "approaches.fine-tuning.tuning.retrain_every_months",
        "approaches.fine-tuning.serving.min_replicas",
    )
    assert charts(app) == (1 if whole else 2)
    assert bool(app.info) == whole


def test_the_address_restores_what_is_chosen(opened):
    app = moved(opened(), REJECTED)
    end(app, "To").set_value(0.3)
    app.selectbox(key="break-even b").set_value("hybrid")
    checked(app)
    kept = address(app)
    assert kept == {"across": REJECTED, "to": "0.3", "b": "hybrid"} | ({"up": kept["up"]} if "up" in kept else {})
    again = opened(**kept)
    assert title(again) == title(app)
    assert address(again) == kept
    assert end(again, "To").value == 0.3


def test_inputs_of_the_sidebar_stay_in_the_address_beside_the_pages_own(opened):
    app = opened(requests="90000", across=REJECTED)
    assert address(app)["requests"] == "90000"
    assert address(app)["across"] == REJECTED


def test_an_empty_range_is_told_and_the_usual_one_shown(opened):
    app = opened()
    end(app, "From").set_value(5_000_000)
    checked(app)
    assert (
        errors(app)
        == [
            "The range of Requests per month is empty: 5000000 must be below 3000000. "
            "Choose other values above; the answer below is over the usual range."
        ]
        or "is empty" in errors(app)[0]
    )
    assert charts(app) == 2
    assert "Few-shot is cheapest" in title(app)


def test_a_value_that_the_field_does_not_take_is_told(opened):
    app = opened(across="workload.batch_share", **{"from": "0", "to": "250"})
    assert len(errors(app)) == 1
    assert "Batch share" in errors(app)[0]
    assert charts(app) == 2


def test_a_number_that_is_zero_asks_for_its_range(opened):
    app = opened(across="approaches.prompting.tool_tokens")
    assert not app.error
    assert "which values?" in title(app)
    end(app, "From").set_value(10.0)
    end(app, "To").set_value(9000.0)
    checked(app)
    assert "cheapest" in title(app)
    assert charts(app) == 2


def test_what_the_address_has_wrong_is_told(opened):
    app = opened(across="task.exampels", **{"from": "many"})
    assert "task.exampels" in app.warning[0].value.replace("\\", "")
    assert charts(app) == 2


def test_an_approach_without_a_total_is_told_and_the_page_goes_on(opened):
    app = opened(scenario="helpfulness_dpo", b="DPO at OpenAI")
    assert len(errors(app)) == 1
    assert "closed tuning to new organisations" in errors(app)[0]
    assert charts(app) == 2


def test_a_field_of_an_approach_without_a_total_moves_nothing_and_says_why(opened):
    app = opened(scenario="helpfulness_dpo", across="approaches.DPO at OpenAI.accepted")
    assert not app.error
    assert any("DPO at OpenAI has no total" in caption.value.replace("\\", "") for caption in app.caption)
    assert charts(app) == 2


def test_another_scenario_keeps_no_range_of_the_first(opened):
    app = opened()
    first = (end(app, "From").value, end(app, "To").value)
    app.selectbox(key="picked").set_value("spam_classification")
    checked(app)
    assert (end(app, "From").value, end(app, "To").value) != first
    assert not app.error
