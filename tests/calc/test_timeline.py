"""Months, their dates, and who serves them."""

from __future__ import annotations

from datetime import date

import pytest

from calc.timeline import Months, Segment, first_of_month


@pytest.mark.parametrize(
    ("day", "later", "first"),
    [
        (date(2026, 11, 20), 0, date(2026, 11, 1)),
        (date(2026, 11, 20), 1, date(2026, 12, 1)),
        (date(2026, 12, 31), 1, date(2027, 1, 1)),
        (date(2026, 1, 31), 25, date(2028, 2, 1)),
    ],
)
def test_first_of_month(day: date, later: int, first: date) -> None:
    assert first_of_month(day, later) == first


def test_month_0_is_the_first_calendar_month_after_the_day_even_on_the_first() -> None:
    assert Months(date(2026, 11, 1), 2).starts == (date(2026, 12, 1), date(2027, 1, 1))
    assert Months(date(2026, 11, 30), 2).starts == (date(2026, 12, 1), date(2027, 1, 1))


def test_last_days_know_leap_years() -> None:
    months = Months(date(2027, 12, 15), 3)
    assert [months.last_day(m) for m in range(3)] == [date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31)]


@pytest.mark.parametrize(
    ("ends", "month"),
    [
        (date(2026, 6, 1), 0),
        (date(2026, 12, 1), 0),
        (date(2026, 12, 31), 0),
        (date(2027, 1, 1), 1),
        (date(2027, 2, 15), 2),
        (date(2027, 3, 1), 3),
        (date(2030, 1, 1), 3),
    ],
)
def test_a_month_is_served_only_to_its_last_day(ends: date, month: int) -> None:
    assert Months(date(2026, 11, 20), 3).first_unserved(ends) == month


def test_index_counts_from_month_0() -> None:
    months = Months(date(2026, 11, 20), 3)
    assert [months.index(day) for day in (date(2026, 11, 30), date(2026, 12, 1), date(2027, 2, 28))] == [-1, 0, 2]


def test_a_segment_stops_before_its_end() -> None:
    assert Segment("acme/base", 1, 3).active(4).tolist() == [0, 1, 1, 0]
