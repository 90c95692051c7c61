"""An estimate held against a log: whose usage it is, how far each line was off and why, and inputs that reproduce the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from calc import Scenario, compare
from calc.corrections import corrections
from calc.invoice import MonthUsage, NotMatched, added, check_invoice, estimated_tokens, token_lines
from calc.logged_models import LoggedModel
from calc.scenario import Task
from pricing import PriceBook

BOOK = PriceBook.bundled()
AS_OF = date(2026, 9, 20)
OCTOBER = date(2026, 10, 1)
NANO = "openai/gpt-5.4-nano"
HAIKU = "anthropic/claude-haiku-4-5"


def scenario(workload: dict | None = None, *, as_of: date = AS_OF, months: int = 3, **approach) -> Scenario:
    work = {"requests_per_month": 100_000, "user_tokens": 300, "answer_tokens": 200, "cache_hit_share": 0.5} | (workload or {})
    prompting = {"model": NANO, "instruction_tokens": 2000} | approach
    return Scenario(
        name="test",
        as_of=as_of,
        horizon_months=months,
        workload=work,
        task={"kind": "style"},
        approaches={"prompting": prompting},
    )


def logged(found, month: date = OCTOBER, index: int = 0, *, model: str = "gpt-5.4-nano", times: float = 1.0) -> MonthUsage:
    """What a log would say if the estimate were true."""
    result = found.results["prompting"]
    tokens = estimated_tokens(token_lines(result), result.requests, index)
    usd = sum(float(line.by_month(result.requests)[index]) for line in token_lines(result))
    usage = MonthUsage(month, 31, model)
    return replace(
        usage,
        days=usage.days_in_month,
        requests=float(result.requests * result.growth[index]) * (1 + found.point.workload.retry_share),
        input_tokens=tokens["input"] + tokens["cache_read"] + tokens["cache_write"],
        cache_read_tokens=tokens["cache_read"],
        cache_write_tokens=tokens["cache_write"],
        cache_write_1h_tokens=0.0,
        output_tokens=tokens["output"],
        billed_usd=usd * times,
    )


# --- names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "offer", "tuned"),
    [
        ("gpt-4.1-mini", "openai/gpt-4.1-mini", False),
        ("gpt-4.1-mini-2025-04-14", "openai/gpt-4.1-mini", False),
        ("openai/gpt-4.1-mini-2025-04-14", "openai/gpt-4.1-mini", False),
        ("ft:gpt-4.1-mini-2025-04-14:acme:support:Bx12", "openai/gpt-4.1-mini", True),
        ("openai/ft:gpt-4.1-mini-2025-04-14:acme::Bx12", "openai/gpt-4.1-mini", True),
        ("ft-gpt-4.1-mini-2025-04-14", "openai/gpt-4.1-mini", True),
        ("gpt-5.4-nano-2031-01-01", NANO, False),
        ("claude-haiku-4-5-20251001", HAIKU, False),
        ("Claude Haiku 4.5", HAIKU, False),
        ("anthropic/claude-haiku-4-5@20251001", HAIKU, False),
    ],
)
def test_a_logged_name_is_its_offer(name: str, offer: str, tuned: bool) -> None:
    read = LoggedModel.of(name)
    assert read.tuned is tuned
    assert read.is_offer(BOOK.as_of(AS_OF), offer)


@pytest.mark.parametrize(
    ("name", "offer"),
    [
        ("gpt-4.1-mini", "openai/gpt-4.1"),
        ("azure/gpt-4.1-mini", "openai/gpt-4.1-mini"),  # Azure sells it, too
        ("gpt-3.5-turbo-0301", "openai/gpt-3.5-turbo"),  # dated, and an item of its own
        ("claude-haiku-4-5-20251001", "openai/gpt-4.1-mini"),
        ("", NANO),
    ],
)
def test_a_logged_name_is_no_other_offer(name: str, offer: str) -> None:
    assert not LoggedModel.of(name).is_offer(BOOK.as_of(AS_OF), offer)


def test_where_several_approaches_use_the_model_one_has_to_be_named() -> None:
    found = compare(
        scenario().model_copy(update={"approaches": scenario().approaches | {"other": scenario().approaches["prompting"]}}), BOOK
    )
    usage = [logged(found)]
    with pytest.raises(NotMatched, match=r"prompting, other all use openai/gpt-5\.4-nano.*--approach"):
        check_invoice(found, usage)
    assert check_invoice(found, usage, approach="other").result.name == "other"
    with pytest.raises(NotMatched, match=r"no approach 'othr'\. Did you mean other"):
        check_invoice(found, usage, approach="othr")


def test_unmatched_usage_is_listed_with_near_names() -> None:
    found = compare(scenario(), BOOK)
    stray = MonthUsage(OCTOBER, 31, "gpt-5.4-nanoo", requests=5.0, input_tokens=10.0, output_tokens=1.0, billed_usd=0.5)
    check = check_invoice(found, [logged(found), stray])
    (rest,) = check.match.unmatched
    assert rest == ("gpt-5.4-nanoo", 5.0, 11.0, 0.5, rest.hint)
    assert "gpt-5.4-nano" in rest.hint
    with pytest.raises(NotMatched, match=r"gpt-5\.4-nanoo, and prompting uses openai/gpt-5\.4-nano\. Did you mean"):
        check_invoice(found, [stray])
    assert check_invoice(found, [stray], model="gpt-5.4-nanoo").match.models == ("gpt-5.4-nanoo",)


def test_a_base_model_in_the_log_is_not_the_tuned_one() -> None:
    stated = scenario(model="openai/gpt-4.1-mini", tuning={"method": "sft"}, months=2).model_copy(
        update={"task": Task(kind="style", examples=100, tokens_per_example=500), "organisation": {"openai": "active"}}
    )
    found = compare(stated, BOOK)
    usage = MonthUsage(OCTOBER, 31, "gpt-4.1-mini-2025-04-14", requests=5.0)
    with pytest.raises(
        NotMatched, match=r"uses a tuned openai/gpt-4\.1-mini\. It is not tuned, and the model of prompting is\. If"
    ):
        check_invoice(found, [usage])
    with pytest.raises(NotMatched, match=r"names no model.*grouped by model"):
        check_invoice(found, [replace(usage, model="")])
    of_tuned = replace(
        usage, model="ft:gpt-4.1-mini-2025-04-14:acme::x", input_tokens=1e6, cache_read_tokens=0, output_tokens=1e6
    )
    tuned = check_invoice(found, [of_tuned])
    assert tuned.list_usd == pytest.approx(0.80 + 3.20)  # the tuned model's own rates


# --- errors ---------------------------------------------------------------------------------------------------------------


def test_a_true_estimate_has_no_error() -> None:
    found = compare(scenario(), BOOK)
    check = check_invoice(found, [logged(found)])
    assert all(line.ratio == pytest.approx(1) for line in check.lines if line.estimated)
    assert check.list_usd == pytest.approx(check.estimated_usd)
    assert [cause.usd for cause in check.causes] == pytest.approx([0.0] * 6, abs=1e-9)
    done = corrections(check)
    assert done.corrections == ()
    assert done.price_ratio is None
    assert done.notes == ()


def test_each_cause_is_told_by_itself() -> None:
    """Literal sums: 100,000 requests of 2,300 input (1,000 of them cached) and 200 output tokens at 0.20, 0.02 and 1.25."""
    found = compare(scenario(), BOOK)
    true = logged(found)
    assert check_invoice(found, [true]).estimated_usd == pytest.approx(26.0 + 2.0 + 25.0)

    def causes(**changed: float) -> dict[str, float]:
        found_causes = check_invoice(found, [replace(true, **changed)]).causes
        return {cause.name: round(cause.usd, 6) for cause in found_causes if abs(cause.usd) > 1e-6}

    assert causes(billed_usd=53 * 0.9) == {"billed over list price": -5.3}
    assert causes(output_tokens=22e6, billed_usd=55.5) == {"output tokens per request": 2.5}
    assert causes(cache_read_tokens=0.0, billed_usd=46 + 25) == {"share of the input cached": 18.0}
    doubled = {n: 2 * getattr(true, n) for n in ("requests", "input_tokens", "cache_read_tokens", "output_tokens", "billed_usd")}
    assert causes(**doubled) == {"requests": 53.0}


def test_causes_add_up_to_the_whole_difference() -> None:
    found = compare(scenario(), BOOK)
    usage = replace(
        logged(found), requests=130_000.0, input_tokens=4e8, cache_read_tokens=3e7, output_tokens=1e7, billed_usd=77.0
    )
    check = check_invoice(found, [usage])
    assert sum(cause.usd for cause in check.causes) == pytest.approx(77.0 - check.estimated_usd)


def test_missing_counters_stay_unknown() -> None:
    found = compare(scenario(), BOOK)
    check = check_invoice(found, [replace(logged(found), cache_read_tokens=None, billed_usd=None)])
    assert check.list_usd is None
    assert check.billed_usd is None
    assert check.causes is None
    assert "cache_read_tokens are not known" in check.notes[0]
    by_name = {line.name: line for line in check.lines}
    assert by_name["Input tokens, uncached"].actual is None
    assert by_name["Input tokens, all"].ratio == pytest.approx(1)
    assert "workload.cache_hit_share" not in {c.path for c in corrections(check).corrections}


def test_a_part_of_a_month_is_held_against_the_same_part_of_the_estimate() -> None:
    found = compare(scenario(), BOOK)
    true = logged(found)
    part = {
        n: getattr(true, n) * 10 / 31 for n in ("requests", "input_tokens", "cache_read_tokens", "output_tokens", "billed_usd")
    }
    check = check_invoice(found, [replace(true, days=10, **part)])
    assert check.lines[0].actual == pytest.approx(100_000 * 10 / 31)  # never scaled
    assert check.lines[0].ratio == pytest.approx(1)
    assert corrections(check).corrections == ()
    fewer = corrections(check_invoice(found, [replace(true, days=10)])).corrections
    assert [c.path for c in fewer] == ["workload.requests_per_month"]
    assert fewer[0].suggested == 310_000
    assert "10 of 31 days" in fewer[0].why


def test_the_first_kind_of_file_that_states_a_figure_counts() -> None:
    counters = MonthUsage(OCTOBER, 31, "m", requests=5.0, billed_usd=1.0, source="a")
    bill = MonthUsage(OCTOBER, 30, "M", billed_usd=2.0, output_tokens=7.0, source="b")
    both = added([counters, bill])
    assert (both.requests, both.billed_usd, both.output_tokens) == (5.0, 1.0, 7.0)
    assert added([replace(bill, source="a"), counters]).requests is None  # one of a kind lacks it


def test_a_bill_of_other_days_than_the_counters_is_left_out() -> None:
    found = compare(scenario(), BOOK)
    counters = replace(logged(found), billed_usd=None, source="usage")
    bill = MonthUsage(OCTOBER, 31, "gpt-5.4-nano", billed_usd=53.0, source="costs")
    assert check_invoice(found, [counters, bill]).billed_usd == 53.0
    check = check_invoice(found, [counters, replace(bill, days=2)])
    assert check.billed_usd is None
    assert check.notes == ("October 2026: costs covers 2 of the 31 days that another covers, so its figures are left out",)
    part, rest = replace(counters, days=15), MonthUsage(OCTOBER, 15, "gpt-5.4-nano", billed_usd=9.0, source="costs", first_day=16)
    check = check_invoice(found, [part, rest])
    assert (check.months[0].usage.days, check.billed_usd) == (15, None)
    assert check.notes == ("October 2026: costs covers other days (16 to 30) than another, so its figures are left out",)


def test_pages_of_a_month_add_up_to_its_days() -> None:
    found = compare(scenario(), BOOK)
    whole = logged(found)
    page = replace(whole, requests=whole.requests / 2, source="usage")
    pages = [replace(page, days=15), replace(page, days=16, first_day=16)]
    check = check_invoice(found, pages)
    assert (check.months[0].usage.days, check.months[0].usage.requests, check.notes) == (31, whole.requests, ())
    assert check.months[0].estimated["requests"] == whole.requests
    assert check_invoice(found, [*pages, replace(page, days=15)]).months[0].usage.requests == 1.5 * whole.requests  # two projects
    overlapping = check_invoice(found, [replace(page, days=20), replace(page, days=15, first_day=17)])
    assert overlapping.months[0].usage.days == 20
    assert overlapping.months[0].usage.requests == page.requests
    assert overlapping.notes == ("October 2026: usage covers other days (17 to 31) than another, so its figures are left out",)


# --- corrections ----------------------------------------------------------------------------------------------------------


def applied(stated: Scenario, changes) -> Scenario:
    data = stated.model_dump(mode="json", exclude_unset=True)
    for change in changes:
        at = data
        *way, last = change.path.split(".")
        for part in way:
            at = at[part]
        at[last] = change.suggested
    return Scenario.model_validate(data)


TRUE_WORLDS = [
    {"workload": {"requests_per_month": 170_000}},
    {"workload": {"answer_tokens": 321, "user_tokens": 300}},
    {"instruction_tokens": 3456},
    {"instruction_tokens": 1500, "workload": {"cache_hit_share": 0.81, "answer_tokens": 90}},
    {"workload": {"reasoning_tokens_per_answer_token": 0.0, "cache_hit_share": 0.0}},
    {"workload": {"retry_share": 0.0, "turns_per_conversation": 3, "answer_tokens": 150}},
    {"model": HAIKU, "instruction_tokens": 6000, "workload": {"cache_hit_share": 0.9, "user_tokens": 410}},
    {"model": HAIKU, "instruction_tokens": 4500, "workload": {"cache_hit_share": 0.6}},
    {"workload": {"growth": {"kind": "compound", "monthly_share": 0.05}, "requests_per_month": 90_000}},
]


@pytest.mark.parametrize("true", TRUE_WORLDS, ids=str)
@pytest.mark.parametrize("index", [0, 2])
def test_the_corrected_scenario_reproduces_the_log(true: dict, index: int) -> None:
    true = dict(true)
    workload = dict(true.pop("workload", {}))
    guess_workload = {k: workload[k] for k in ("turns_per_conversation", "growth") if k in workload}
    guess = {"model": true["model"], "instruction_tokens": 5000} if "model" in true else {}
    happened = compare(scenario(workload, **true), BOOK)
    estimated = compare(scenario(guess_workload, **guess), BOOK)
    name = estimated.results["prompting"].offer.partition("/")[2]
    usage = logged(happened, date(2026, 10 + index, 1), index, model=name)
    check = check_invoice(estimated, [usage])
    done = corrections(check)
    assert done.corrections
    assert done.notes == ()
    again = check_invoice(compare(applied(estimated.scenario, done.corrections), BOOK), [usage])
    assert {line.name: line.ratio for line in again.lines if line.estimated} == {
        line.name: pytest.approx(1, rel=2e-3) for line in again.lines if line.estimated
    }
    assert again.estimated_usd == pytest.approx(usage.billed_usd, rel=2e-3)
    assert corrections(again).corrections == ()


def test_reasoning_is_told_from_the_answer_where_it_is_logged() -> None:
    found = compare(scenario(), BOOK)
    done = corrections(check_invoice(found, [replace(logged(found), reasoning_tokens=5e6)]))
    assert {c.path: c.suggested for c in done.corrections} == {
        "workload.answer_tokens": 150.0,
        "workload.reasoning_tokens_per_answer_token": pytest.approx(1 / 3, rel=1e-5),
    }


def test_a_batch_share_is_told_with_the_requests_it_is_of_and_only_where_services_are_named() -> None:
    found = compare(scenario({"batch_share": 0.3}), BOOK)
    usage = replace(logged(found), service="standard")
    (batched,) = (c for c in corrections(check_invoice(found, [usage])).corrections if c.path == "workload.batch_share")
    assert batched.suggested == 0
    assert batched.why == "0 of 100,000 requests billed at batch rates, as the log names the service"
    unnamed = corrections(check_invoice(found, [replace(usage, service=None)]))
    assert "workload.batch_share" not in {c.path for c in unnamed.corrections}


def test_one_request_is_one() -> None:
    found = compare(scenario(), BOOK)
    done = corrections(check_invoice(found, [replace(logged(found), requests=1.0)]))
    assert {c.path: c.why for c in done.corrections}["workload.requests_per_month"] == "1 request in October 2026"


def test_a_volume_of_a_month_before_the_horizon_says_how_it_comes_to_its_first() -> None:
    found = compare(scenario({"growth": {"kind": "compound", "monthly_share": 0.25}}), BOOK)
    done = corrections(check_invoice(found, [logged(found, date(2026, 8, 1))]))
    (volume,) = (c for c in done.corrections if c.path == "workload.requests_per_month")
    assert volume.suggested == 100_000 * 1.25**2
    assert volume.why == "100,000 requests in August 2026; compound growth takes them to October 2026"


@pytest.mark.parametrize(
    ("growth", "month", "said"),
    [
        ({"kind": "compound", "monthly_share": 0.25}, date(2026, 8, 1),
         ("the estimate begins in October 2026: August 2026 is held against its first month; "
          "compound growth run backwards from it: 64,000 requests a month",)),
        ({"kind": "linear", "monthly_share": 0.25}, date(2026, 9, 1),
         ("the estimate begins in October 2026: September 2026 is held against its first month; "
          "linear growth is not run backwards, so its volume as it is: 100,000 requests a month",)),
        ({"kind": "flat"}, date(2026, 9, 1),
         ("the estimate begins in October 2026: September 2026 is held against its first month; "
          "its volume as it is: 100,000 requests a month",)),
        ({"kind": "compound", "monthly_share": 0.25}, date(2027, 2, 1),
         ("the estimate ends in December 2026: February 2027 is held against its last month, "
          "its volume as it is: 156,250 requests a month",)),
        ({"kind": "linear", "monthly_share": 0.25}, OCTOBER, ()),
    ],
)  # fmt: skip
def test_the_volume_that_months_outside_the_horizon_are_held_against_is_said(growth, month, said) -> None:
    found = compare(scenario({"growth": growth}), BOOK)
    assert check_invoice(found, [logged(found, month)]).outside_horizon == said


def test_the_user_message_takes_the_input_where_that_is_said() -> None:
    found = compare(scenario(), BOOK)
    usage = replace(logged(found), input_tokens=240e6)
    by_rule, said = corrections(check_invoice(found, [usage])), corrections(check_invoice(found, [usage]), input_to="user_tokens")
    assert {c.path: c.suggested for c in by_rule.corrections}["approaches.prompting.instruction_tokens"] == 2100
    assert {c.path: c.suggested for c in said.corrections} == {"workload.user_tokens": 400}
    assert "--input-to user_tokens" in by_rule.corrections[0].why


def test_without_requests_nothing_is_told_per_request() -> None:
    found = compare(scenario(), BOOK)
    done = corrections(check_invoice(found, [replace(logged(found), requests=None, output_tokens=9e6)]))
    assert done.corrections == ()
    assert "does not count requests" in done.notes[0]


def test_growth_is_fitted_to_three_whole_months() -> None:
    found = compare(scenario({"cache_hit_share": 0}, as_of=date(2026, 10, 20)), BOOK)
    base = logged(found, date(2026, 7, 1))
    months = [replace(base, month=date(2026, 7 + m, 1), days=31, requests=100_000 * 1.04**m) for m in range(3)]
    done = corrections(check_invoice(found, months))
    told = {c.path: c.suggested for c in done.corrections}
    assert told["workload.growth"] == {"kind": "compound", "monthly_share": pytest.approx(0.04)}
    assert told["workload.requests_per_month"] == round(100_000 * 1.04**4)  # in November
    two = corrections(check_invoice(found, months[:2]))
    assert "workload.growth" not in {c.path for c in two.corrections}


def test_fitted_growth_says_what_past_months_were() -> None:
    found = compare(scenario(as_of=date(2026, 10, 20)), BOOK)
    counters = ("requests", "input_tokens", "cache_read_tokens", "output_tokens", "billed_usd")
    months = []
    for m, times in enumerate((1.0, 1.1, 1.21)):
        base = logged(found, date(2026, 7 + m, 1))
        months.append(replace(base, **{name: getattr(base, name) * times for name in counters}))
    done = corrections(check_invoice(found, months))
    again = check_invoice(compare(applied(found.scenario, done.corrections), BOOK), months)
    assert [m.estimated_usd for m in again.months] == pytest.approx([53.0, 58.3, 64.13], rel=1e-4)
    assert corrections(again).corrections == ()


def test_months_that_scatter_suggest_a_range() -> None:
    """Residuals of ln 100, ln 130, ln 100 (thousand) about their level line: s = √(Σr²/1) = 0.2142."""
    found = compare(scenario(as_of=date(2026, 10, 20)), BOOK)
    months = [
        replace(logged(found, date(2026, 7 + m, 1)), days=31, requests=requests)
        for m, requests in enumerate((100_000.0, 130_000.0, 100_000.0))
    ]
    told = {c.path: c.suggested for c in corrections(check_invoice(found, months)).corrections}
    likely, scatter = 1.3 ** (1 / 3) * 100_000, 0.2142185
    assert told["workload.requests_per_month"] == {
        "p10": pytest.approx(likely * 2.718281828 ** (-1.2815516 * scatter), rel=1e-4),
        "p90": pytest.approx(likely * 2.718281828 ** (1.2815516 * scatter), rel=1e-4),
    }


@pytest.mark.parametrize(("times", "ratio"), [(0.88, 0.88), (1.05, 1.05), (1.009, None), (0.991, None)])
def test_a_price_of_ones_own_is_told_beyond_a_per_cent(times: float, ratio: float | None) -> None:
    found = compare(scenario(), BOOK)
    assert corrections(check_invoice(found, [logged(found, times=times)])).price_ratio == (ratio and pytest.approx(ratio))


# --- an independent collection of prices ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offer", "usage"),
    [
        (NANO, {"input_tokens": 2_000_000, "cache_read_tokens": 700_000, "output_tokens": 90_000}),
        ("openai/gpt-4.1-mini", {"input_tokens": 5_000_000, "cache_read_tokens": 0, "output_tokens": 800_000}),
        (HAIKU, {"input_tokens": 900_000, "cache_read_tokens": 500_000, "cache_write_tokens": 90_000, "output_tokens": 70_000}),
    ],
)
def test_list_prices_of_a_log_are_those_of_genai_prices(offer: str, usage: dict[str, int]) -> None:
    genai_prices = pytest.importorskip("genai_prices")
    provider, _, model = offer.partition("/")
    theirs = genai_prices.calc_price(
        genai_prices.Usage(**usage),
        model_ref=model,
        provider_id=provider,
        genai_request_timestamp=datetime(2026, 10, 1, tzinfo=UTC),
    )
    found = compare(scenario(model=offer), BOOK)
    line = MonthUsage(OCTOBER, 31, model, requests=1000.0, **({"cache_write_tokens": 0} | usage))
    check = check_invoice(found, [line])
    assert check.list_usd == pytest.approx(float(theirs.total_price), rel=1e-9)
