"""Money over time, where the properties do not reach."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import pyxirr

from calc import cash_flow
from calc.cash_flow import CashFlow
from calc.ledger import Ledger, Unpriced, each, once, priced_line
from calc.timeline import MonthlyPrice


def ledger() -> Ledger:
    one = MonthlyPrice(np.ones(3))
    return Ledger(
        "any",
        (
            priced_line("a.set_up", "Set-up", "staff and evaluation", "one-off", once(3, 1, 100), "hour", one, ""),
            priced_line("a.upkeep", "Upkeep", "staff and evaluation", "monthly", each(np.ones(3), 10), "hour", one, ""),
        ),
    )


def test_one_offs_fall_at_the_start_of_their_month_and_the_rest_at_its_end() -> None:
    assert cash_flow.cost_flows(ledger(), 5).tolist() == [0, 10 + 100, 10, 10]


def test_a_month_is_discounted_by_the_twelfth_root() -> None:
    assert cash_flow.present_value(np.array([0.0] * 12 + [110.0]), 0.1) == pytest.approx(100)
    assert cash_flow.present_value(np.array([100.0, 0, 0]), 0.1) == pytest.approx(100)


def test_rates_may_be_drawn() -> None:
    flows = np.array([-100.0] + [10.0] * 12)
    rates = np.array([0.0, 0.08, 0.5])
    assert cash_flow.present_value(flows, rates) == pytest.approx([float(cash_flow.present_value(flows, r)) for r in rates])


def test_payback_waits_until_savings_stay() -> None:
    assert cash_flow.payback_months(np.array([-10.0, 20, -15, 1, 10])) == 4
    assert cash_flow.payback_months(np.array([0.0, 1, 1])) == 0
    assert cash_flow.payback_months(np.array([-1.0, 0.5])) is None


def test_rounding_does_not_hide_a_payback() -> None:
    assert cash_flow.payback_months(np.array([-0.3, 0.1, 0.1, 0.1])) == 3


def test_several_rates_of_return_are_all_listed() -> None:
    # factors x = 1/1.05 and 1/1.10 a month
    flows = np.array([1.0, -(1.05 + 1.10), 1.05 * 1.10])
    assert cash_flow.annual_irr(flows) == pytest.approx([1.05**12 - 1, 1.10**12 - 1])


@pytest.mark.parametrize("monthly", [1.01, 1.02, 1.05, 1.1])
def test_a_double_rate_of_return_is_listed_once(monthly: float) -> None:
    # (1 − monthly · x)², which touches zero and does not cross it
    flows = np.array([1.0, -2 * monthly, monthly**2])
    assert cash_flow.annual_irr(flows) == pytest.approx([monthly**12 - 1])


def test_a_rate_of_minus_all_of_it_is_none() -> None:
    # the factor 100 a month: nothing but 10⁻²⁴ is left after a year
    assert cash_flow.annual_irr(np.array([-100.0, 0, 0.01])) == ()


def test_without_a_change_of_sign_there_is_no_rate_of_return() -> None:
    assert cash_flow.annual_irr(np.array([1.0, 2, 3])) == ()
    assert cash_flow.annual_irr(np.array([-1.0, -2])) == ()
    assert cash_flow.annual_irr(np.zeros(3)) == ()


def test_rounding_in_the_last_flow_adds_no_rate_of_return() -> None:
    exact = cash_flow.annual_irr(np.array([-10.0, 6, 6, 0]))
    assert cash_flow.annual_irr(np.array([-10.0, 6, 6, -1e-15])) == pytest.approx(exact)


def test_flows_of_an_unpriced_ledger_are_refused() -> None:
    missing = MonthlyPrice(np.full(3, np.nan), missing="no price in the book")
    line = priced_line("a.b", "Training", "data and training", "one-off", once(3, 0, 1), "run", missing, "")
    with pytest.raises(Unpriced, match="Training: no price in the book"):
        cash_flow.cost_flows(Ledger("any", (line,)), 1)


# --- draws ----------------------------------------------------------------------------------------------------------------


def test_payback_of_draws_is_that_of_each_and_infinite_where_never() -> None:
    draws = np.array([[-10.0, 20, -15, 1, 10], [0, 1, 1, 1, 1], [-1, 0.5, 0, 0, 0], [-0.3, 0.1, 0.1, 0.1, 0]])
    assert cash_flow.payback_months(draws).tolist() == [4, 0, np.inf, 3]
    singly = [cash_flow.payback_months(flows) for flows in draws]
    assert singly == [4, 0, None, 3]
    assert all(isinstance(months, int) for months in singly if months is not None)


def test_present_values_of_draws_take_one_rate_or_one_each() -> None:
    draws = np.array([[-100.0] + [10.0] * 12, [-50.0] + [5.0] * 12])
    at_one = cash_flow.present_value(draws, 0.08)
    at_each = cash_flow.present_value(draws, np.array([0.08, 0.2]))
    assert at_one.shape == at_each.shape == (2,)
    assert at_one[0] == at_each[0] == pytest.approx(2 * at_one[1])
    assert at_each[1] == float(cash_flow.present_value(draws[1], 0.2))


@pytest.mark.parametrize("rate", [-1, -1.5, float("nan"), np.array([0.1, -1.0])])
def test_a_rate_of_minus_all_or_none_at_all_is_refused(rate: object) -> None:
    with pytest.raises(ValueError, match="above -1"):
        cash_flow.present_value(np.array([1.0, 2.0]), rate)


# --- the rate of return in words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flows", "words"),
    [
        ([-10.0, 6, 6], None),
        ([0.0, 0, 0], "nothing is spent or saved"),
        ([1.0, 2, 3], "nothing is spent more than by the reference"),
        ([-1.0, -2, 0], "nothing is ever saved"),
        ([-100.0, 0, 0.01], "no rate makes the present value zero, though the flows change sign once"),
        ([1.0, -1, 1], "no rate makes the present value zero, though the flows change sign 2 times"),
        (
            [1.0, -2.15, 1.155],
            "2 rates make the present value zero, for the flows change sign 2 times: none of them is the return",
        ),
    ],
)
def test_why_there_is_not_one_rate_of_return(flows: list[float], words: str | None) -> None:
    saved = np.array(flows)
    assert cash_flow.irr_in_words(saved, cash_flow.annual_irr(saved)) == words


# --- dated flows ------------------------------------------------------------------------------------------------------------


def of(one_off: list[float], running: list[float], go_live_month: int = 0, rate: float = 0.21) -> CashFlow:
    days = tuple(date(2026 + (11 + t) // 12, (11 + t) % 12 + 1, 1) for t in range(len(one_off)))
    return CashFlow(days, np.array(one_off), np.array(running), np.zeros(len(one_off)), rate, go_live_month)


def test_flows_are_dated_as_a_spreadsheet_dates_them() -> None:
    found = of([-100.0, *[0.0] * 12], [0.0, *[10.0] * 12])
    by_day = pyxirr.xnpv(0.21, list(found.dates), found.net_usd.tolist())
    assert float(found.discounted_cumulative_usd[-1]) == pytest.approx(by_day, abs=0.02)  # months are not all 365/12 days
    assert found.cumulative_usd[-1] == 20
    (ours,) = cash_flow.annual_irr(found.net_usd)
    assert ours == pytest.approx(pyxirr.xirr(list(found.dates), found.net_usd.tolist()), rel=5e-3)


def test_the_outlay_is_what_is_spent_up_to_go_live_at_its_present_value() -> None:
    later = of([*[0.0] * 12, -121.0, 0, -50], [0.0] * 15, go_live_month=12)
    assert float(later.outlay_usd) == pytest.approx(100)
    assert float(of([30.0, 0], [0.0, 1]).outlay_usd) == 0
    assert str(float(of([0.0, 0], [0.0, 1]).outlay_usd)) == "0.0"


# --- an accounting view -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "life", "months", "served"), [(0, 12, 12, 12), (0, 5, 12, 5), (2, 24, 12, 10), (11, 3, 12, 1)])
def test_no_cost_is_spread_past_the_life_of_its_asset(first: int, life: int, months: int, served: int) -> None:
    spread = cash_flow.straight_line_usd_by_month(1200, first, life, months)
    assert spread.sum() == pytest.approx(1200)
    assert np.count_nonzero(spread) == served
    assert not spread[:first].any()
    assert not spread[first + life :].any()


def test_what_never_serves_cannot_be_spread() -> None:
    with pytest.raises(ValueError, match="over 0 months"):
        cash_flow.straight_line_usd_by_month(1200, 0, 0, 12)
