"""Who is cheapest over two numbers: the map agrees with the comparison at every pair, and its borders with the break-evens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calc import compare
from calc.fields import VOLUME
from calc.goal_seek import goal_seek, totals_at
from calc.movable import movable, moved
from calc.winner_map import WinnerMap, can_be_mapped, winner_map
from ingest import load_scenario
from pricing import PriceBook

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
REJECTED = "task.rejected_answer_usd"
OUTPUT = "prices.openai/gpt-6.1-terra.output_usd_per_mtok"
RATE = "staff_usd_per_hour.ml_engineer"
OVERHEAD = "assumptions.staff.overhead_share"


@pytest.fixture(scope="module")
def comparison():
    return compare(load_scenario(EXAMPLES / "support_tone.yaml"), PriceBook.bundled())


def mapped(comparison, across: str, up: str, x: tuple[float, float], y: tuple[float, float]) -> WinnerMap:
    return winner_map(comparison, movable(comparison, across), movable(comparison, up), x, y)


@pytest.mark.parametrize(
    ("across", "up", "x", "y"),
    [
        (VOLUME, REJECTED, (1e3, 3e6), (0.006, 0.6)),
        (OUTPUT, RATE, (0.5, 50.0), (40.0, 200.0)),
        (VOLUME, OVERHEAD, (1e3, 1e5), (0, 1)),
    ],
)
def test_every_pair_is_the_comparison_there(comparison, across, up, x, y):
    found = mapped(comparison, across, up, x, y)
    for row, column in ((0, 0), (119, 159), (60, 20), (13, 150)):
        pair = found.x.value(np.array([column / 159])), found.y.value(np.array([row / 119]))
        there = moved(comparison, [(found.across, pair[0]), (found.up, pair[1])])
        totals = {name: float(np.squeeze(result.compared_usd())) for name, result in there.available.items()}
        assert tuple(totals) == found.names
        np.testing.assert_allclose(found.totals_usd[:, row, column], list(totals.values()), rtol=1e-12)
        assert found.names[found.winner[row, column]] == min(totals, key=lambda name: totals[name])
    assert sum(found.area_shares.values()) == pytest.approx(1)
    assert list(found.area_shares.values()) == sorted(found.area_shares.values(), reverse=True)


def test_borders_pass_through_the_break_evens(comparison):
    found = mapped(comparison, VOLUME, REJECTED, (1e3, 3e6), (0.006, 0.6))
    seek = goal_seek(comparison.scenario, comparison.rates.book, VOLUME, 1e3, 3e6)
    present = np.log(comparison.point.task.rejected_answer_usd / 0.006) / np.log(100)
    level = np.sort(found.borders[:, [1, 3]], axis=1)
    through = found.borders[(level[:, 0] <= present) & (present <= level[:, 1])]
    assert len(through) >= len(seek.changes) >= 1
    for change in seek.changes:
        at = np.log(change.value / 1e3) / np.log(3e3)
        assert np.min(np.abs(through[:, [0, 2]] - at)) < 1 / 159


def test_the_lead_is_what_the_next_costs_more_as_a_share_of_it(comparison):
    found = mapped(comparison, VOLUME, REJECTED, (1e3, 3e6), (0.006, 0.6))
    first, second = np.sort(found.totals_usd[:, 7, 99])[:2]
    assert found.lead_share[7, 99] == pytest.approx((second - first) / second)


@pytest.mark.parametrize(
    ("across", "up", "x", "y", "says"),
    [
        ("horizon_months", VOLUME, (1, 36), (1e3, 1e6), "counts whole things"),
        (VOLUME, VOLUME, (1e3, 1e6), (1e3, 1e6), "against itself"),
        (VOLUME, REJECTED, (1e6, 1e3), (0, 1), "is empty"),
        (VOLUME, "workload.retry_share", (1e3, 1e6), (0, 2), "retry_share"),
    ],
)
def test_what_cannot_be_mapped_is_said(comparison, across, up, x, y, says):
    with pytest.raises(ValueError, match=says):
        mapped(comparison, across, up, x, y)


def test_only_requests_may_count_whole_things(comparison):
    assert can_be_mapped(movable(comparison, VOLUME))
    assert can_be_mapped(movable(comparison, RATE))
    assert not can_be_mapped(movable(comparison, "horizon_months"))


@pytest.mark.parametrize("path", [VOLUME, "task.examples", OUTPUT, "horizon_months"])
def test_totals_at_are_those_of_the_stretches(comparison, path):
    found = goal_seek(comparison.scenario, comparison.rates.book, path)
    for stretch in found.stretches:
        totals = totals_at(found, np.array([stretch.low, stretch.high]))
        for name, usd in stretch.low_totals_usd.items():
            assert totals[name] == pytest.approx([usd, stretch.high_totals_usd[name]], rel=1e-9)
        assert all(np.isnan(totals[name]).all() for name in found.names if name not in stretch.low_totals_usd)
