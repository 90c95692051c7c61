"""Money over time, where the properties do not reach."""

from __future__ import annotations

import numpy as np
import pytest

from calc import cash_flow
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
