"""Amounts of a scenario file in other currencies: converted when read, mistakes in the file's own words."""

from __future__ import annotations

from datetime import date

import pytest

from calc import compare
from calc.export import comparison_dict
from ingest import InputError, read_scenario
from ingest.currency import dollar_fields
from ingest.scenario_file import located, scenario_from
from pricing import PriceBook
from reports.words import currency_sentence

EUR, GBP = 0.895095, 0.74633
EUROS = """\
name: Support replies
as_of: 2026-11-20
horizon_months: 12
workload:
  requests_per_month: 180_000
  user_tokens: 350
  answer_tokens: 220
task:
  kind: style
  rejected_answer_eur: 0.5
approaches:
  prompting:
    model: openai/gpt-4.1-mini
    instruction_tokens: 2600
    accepted: 0.9
staff_gbp_per_hour:
  ml_engineer: 70
value:
  eur_per_accepted_answer: {low: 0.1, likely: 0.2, high: 0.4}
"""


def scenario(text: str, **days: date | None):
    data, lines = read_scenario(text, "s.yaml")
    return scenario_from(data, lines, "s.yaml", **days)


def wrong(text: str, **days: date | None) -> str:
    with pytest.raises(InputError) as caught:
        scenario(text, **days)
    return str(caught.value)


def test_amounts_are_converted_at_the_rate_of_the_day():
    found = scenario(EUROS)
    assert found.task.rejected_answer_usd == pytest.approx(0.5 / EUR)
    assert found.staff_usd_per_hour["ml_engineer"] == pytest.approx(70 / GBP)
    assert found.value.usd_per_accepted_answer.stated == pytest.approx((0.1 / EUR, 0.2 / EUR, 0.4 / EUR))


def test_the_day_asked_for_decides_then_the_files_then_todays():
    undated = EUROS.replace("as_of: 2026-11-20\n", "").replace("staff_gbp_per_hour:\n  ml_engineer: 70\n", "")
    october = 0.5 / 0.880226
    assert scenario(undated, today=date(2026, 10, 1)).task.rejected_answer_usd == pytest.approx(october)
    assert scenario(EUROS, today=date(2026, 10, 1)).task.rejected_answer_usd == pytest.approx(0.5 / EUR)
    assert scenario(EUROS, as_of=date(2026, 10, 1)).task.rejected_answer_usd == pytest.approx(october)
    assert "s.yaml, line 9, task.rejected_answer_eur: it takes a day to convert it: state as_of" in wrong(undated)


def test_in_json_a_day_is_text():
    text = '{"as_of": "2026-10-01", "staff_eur_per_hour": {"ml_engineer": 88.0226}, '
    text += '"name": "x", "horizon_months": 1, "workload": {"requests_per_month": 1, "user_tokens": 1, "answer_tokens": 1}, '
    text += '"task": {"kind": "style"}, "approaches": {"prompting": {"model": "openai/gpt-4.1-mini", "instruction_tokens": 1}}}'
    data, lines = read_scenario(text, "s.json")
    assert scenario_from(data, lines, "s.json").staff_usd_per_hour == {"ml_engineer": pytest.approx(100)}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("eur: 0.5", "eur: -0.5", "line 10, task.rejected_answer_eur: expected a number 0 or more, got -0.5"),
        ("eur: 0.5", "eur: a lot", "line 10, task.rejected_answer_eur: "),
        ("eur: 0.5", "eus: 0.5", "line 10, task.rejected_answer_eus: 'eus' is not a currency of the price book. Did you mean"),
        ("eur: 0.5", "eur: 0.5\n  rejected_answer_usd: 0.5", "line 10, task.rejected_answer_eur: states rejected_answer_usd"),
        ("eur: 0.5", "eur: 0.5\n  rejected_answer_gbp: 0.5", "line 11, task.rejected_answer_gbp: states rejected_answer_usd"),
        ("eur: 0.5", "eur: 0.5\n  rejected_answer_handling_minutes: 3", "state rejected_answer_eur or rejected_answer_handling"),
        ("engineer: 70", "engineer: -70", "line 17, staff_gbp_per_hour.ml_engineer: expected "),
        ("low: 0.1", "low: 0.9", "low 0.9"),
        ("  instruction", "  label_eur_per_item: 3\n    instruction", "line 14, approaches.prompting.label_eur_per_item: there"),
        ("as_of: 2026-11-20", "as_of: 2026-09-01", "task.rejected_answer_eur: The price book has no rate of EUR"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_by_the_files_own_name_and_numbers(old, new, told):
    text = EUROS.replace(old, new, 1)
    assert text != EUROS
    message = wrong(text)
    assert told in message
    assert "1.00" not in message, "the converted number"


def test_a_later_mistake_has_the_files_own_name_and_line():
    _, lines = read_scenario(EUROS.replace("ml_engineer", "ml_enginer"), "s.yaml")
    error = ValueError("staff_usd_per_hour.ml_enginer: bls has no such role")
    assert str(located(error, lines, "s.yaml")).startswith("s.yaml, line 17, staff_gbp_per_hour.ml_enginer: bls has")


def test_the_report_notes_what_was_converted():
    text = EUROS.replace("  ml_engineer: 70", "  support_agent: 30\n  ml_engineer: 70")
    found = compare(scenario(text), PriceBook.bundled())
    noted = comparison_dict(found)["converted"]
    assert [(n["field"], n["stated_as"], n["currency"]["code"]) for n in noted] == [
        ("task.rejected_answer_usd", "rejected_answer_eur", "EUR"),
        ("staff_usd_per_hour", "staff_gbp_per_hour", "GBP"),
        ("value.usd_per_accepted_answer", "eur_per_accepted_answer", "EUR"),
    ]
    assert noted[0]["stated"] == 0.5
    sentence = currency_sentence(found)
    assert "Stated in EUR and converted at 0.8951 EUR per USD of 30 Oct 2026, ECB" in sentence
    assert sentence.endswith("staff_gbp_per_hour.")


def test_what_is_stated_in_dollars_is_left_as_it_is():
    text = (
        EUROS.replace("rejected_answer_eur", "rejected_answer_usd")
        .replace("staff_gbp", "staff_usd")
        .replace("eur_per", "usd_per")
    )
    found = scenario(text)
    assert (found.task.rejected_answer_usd, found.conversions) == (0.5, ())


@pytest.mark.parametrize(("stated", "code"), [("EUR", "EUR"), ("eur", "EUR"), ("Jpy", "JPY")])
def test_the_reports_currency_may_be_written_in_small_letters(stated, code):
    assert scenario(EUROS + f"finance: {{currency: {stated}}}\n").finance.currency == code


def test_an_unknown_currency_of_the_report_is_named():
    message = wrong(EUROS + "finance:\n  currency: EURO\n")
    assert "line 21, finance.currency: 'EURO' is not a currency of the price book. Did you mean EUR" in message
    assert "It knows AUD, BRL" in message


def test_every_field_of_dollars_is_found():
    assert {"rejected_answer_usd", "label_usd_per_item", "check_usd_per_request", "usd_per_accepted_answer"} < dollar_fields()
    assert "staff_usd_per_hour" in dollar_fields()
