"""What only a browser can tell: pages are drawn in both themes and on a phone, and anyone can use them."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

LOOKS = [pytest.param(1440, "light", id="light"), pytest.param(1440, "dark", id="dark"), pytest.param(390, "light", id="phone")]
CHART = ".js-plotly-plot .main-svg"
BACKGROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 22, 31)"}


def whole_page(page) -> None:
    """Make the window as high as the page, which scrolls inside its main block."""
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})


def violations(page) -> list[str]:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    found = axe.Axe().run(page, options={"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}})
    return [
        f"{violation['id']}: {node['html'][:200]} ({node.get('failureSummary', '')})"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_decide_is_drawn(opened, width, theme):
    page = opened("/", width, theme)
    page.wait_for_selector(CHART)
    page.locator(".js-plotly-plot").nth(1).wait_for()
    page.get_by_text("Cheapest in 78 of 100 simulations").wait_for()
    whole_page(page)
    chart = page.locator(".js-plotly-plot").first
    text = chart.inner_text()
    assert "Today 180k" in text
    for name in ("Prompting", "Few-shot", "RAG", "Hybrid", "$1,000"):
        assert name in text
    ground = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    assert ground == BACKGROUND[theme]
    wide = "document.querySelector('[data-testid=stMain]').scrollWidth"
    assert page.evaluate(wide) <= width
    assert page.complaints == []
    assert violations(page) == []


def test_prices_is_drawn(opened):
    page = opened()
    page.get_by_role("link", name="Prices").first.click()
    page.get_by_role("heading", name="prices in force").wait_for()
    page.get_by_test_id("stDataFrame").nth(2).wait_for()
    whole_page(page)
    assert page.complaints == []
    assert violations(page) == []


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_cash_flow_is_drawn(opened, width, theme):
    page = opened("/cash_flow", width, theme)
    page.locator(".js-plotly-plot").nth(1).wait_for()
    page.get_by_role("heading", name="Accounting view").wait_for()
    whole_page(page)
    text = page.locator(".js-plotly-plot").first.inner_text()
    for shown in ("pays back in month 3", "gpt-4.1-mini ends", "Prompting", "Few-shot", "Hybrid"):
        assert shown in text
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    assert violations(page) == []


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_risk_is_drawn(opened, width, theme):
    page = opened("/risk", width, theme)
    charts = page.locator(".js-plotly-plot")
    charts.nth(2).wait_for()
    page.get_by_role("heading", name="What was drawn, and what was held fixed").wait_for()
    whole_page(page)
    told = [("78%", "under 0.1%", "regret"), ("Today 180k", "median 1.38M", "never"), ("above 92.7%", "prompting wins")]
    for at, texts in enumerate(told):
        assert all(text in charts.nth(at).inner_text() for text in texts)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    assert violations(page) == []


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_tuning_and_hosting_is_drawn(opened, width, theme):
    page = opened("/tuning_hosting?deadline=4", width, theme)
    charts = page.locator(".js-plotly-plot")
    charts.nth(3).wait_for()
    page.get_by_role("heading", name="How sure the figures of own GPUs are").wait_for()
    whole_page(page)
    for at, text in enumerate(("deadline 4 h", "usable ", "Own GPUs", "Today 500k")):
        assert text in charts.nth(at).inner_text()
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    assert violations(page) == []


def test_tuning_and_hosting_from_the_top_bar(opened):
    page = opened()
    page.get_by_role("link", name="Tuning & hosting").first.click()
    page.get_by_role("heading", name="is tuned cheapest").wait_for()
    page.locator(".js-plotly-plot").nth(3).wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Accuracy report").click()
    assert Path(waiting.value.path()).read_bytes().startswith(b"# Accuracy of the models of own GPUs")
    assert page.complaints == []


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_a_shared_address_shows_a_price_with_its_history(opened, width, theme):
    page = opened("/prices?search=gpt-4.1-mini&offer=openai%2Fgpt-4.1-mini&price=training_usd_per_mtok%7Csft", width, theme)
    page.wait_for_selector(CHART)
    page.get_by_text("5.00 USD per million training tokens").wait_for()
    whole_page(page)
    text = page.locator(".js-plotly-plot").first.inner_text()
    for name in ("Training", "Today", "Ends 14 Jan 2027"):
        assert name in text
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    assert violations(page) == []


def test_an_input_changes_the_answer_and_the_address(opened):
    page = opened()
    volume = page.get_by_role("spinbutton", name="Requests per month")
    volume.fill("5000")
    volume.press("Enter")
    page.get_by_role("heading", name="5,000 requests a month").first.wait_for()
    assert "requests=5000" in page.url
    assert page.complaints == []


def test_an_input_out_of_range_is_told_beside_the_old_answer(opened):
    page = opened()
    answer = page.locator("h1").first.inner_text()
    volume = page.get_by_role("spinbutton", name="Requests per month")
    volume.fill("-5")
    volume.press("Enter")
    alert = page.get_by_role("alert").filter(has_text="Requests per month takes 1 to")
    alert.wait_for()
    assert "last valid" in alert.inner_text()
    assert page.locator("h1").first.inner_text() == answer
    assert violations(page) == []
    volume.fill("5000")
    volume.press("Enter")
    alert.wait_for(state="detached")
    assert page.complaints == []


@pytest.mark.parametrize(("button", "starts"), [("PDF report", b"%PDF"), ("CSV", b"PK"), ("JSON", b"{")])
def test_downloads(opened, button, starts):
    page = opened()
    page.wait_for_selector(CHART)
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    assert Path(waiting.value.path()).read_bytes().startswith(starts)


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_training_data_is_drawn(opened, width, theme):
    page = opened("/training_data", width, theme)
    page.wait_for_selector(CHART)
    page.get_by_role("heading", name="Staff time for such a file").wait_for()
    whole_page(page)
    text = page.locator(".js-plotly-plot").first.inner_text()
    for name in ("median", "95 in 100", "Tokens of an example"):
        assert name in text
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    assert violations(page) == []


def test_training_data_from_an_upload_to_the_decide_page(opened, tmp_path):
    page = opened()
    page.get_by_role("link", name="Training data").first.click()
    page.get_by_role("heading", name="A tuning run on the sample").wait_for()
    file = tmp_path / "mine.jsonl"
    file.write_text('{"prompt": "Where is my parcel?", "completion": "On its way."}\n' * 30 + "{\n")
    page.locator("input[type=file]").first.set_input_files(file)
    page.get_by_role("heading", name="A tuning run on mine.jsonl").wait_for()
    assert "1 line left out" in page.locator("h1").first.inner_text()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Problems, CSV").click()
    assert "mine.jsonl,31," in Path(waiting.value.path()).read_text()
    page.get_by_role("button", name="Use in scenario").click()
    page.get_by_role("heading", name="100,000 requests a month").first.wait_for()
    assert page.complaints == []


def test_counting_a_training_file_can_be_cancelled(opened, tmp_path):
    page = opened("/training_data")
    before = page.locator("h1").first.inner_text()
    file = tmp_path / "large.jsonl"
    with file.open("w") as out:
        for n in range(60_000):
            out.write(f'{{"prompt": "Question {n}", "completion": "{" ".join(str(n * k) for k in range(1, 90))}"}}\n')
    page.locator("input[type=file]").first.set_input_files(file)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel").wait_for(state="detached")
    page.get_by_text("Shown is the built-in sample").wait_for()
    assert page.locator("h1").first.inner_text() == before
    assert page.get_by_role("alert").count() == 0
