"""What commitments bill and credits pay, held against counting month by month and volume by volume."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from calc.break_even import BreakEven, all_break_evens
from calc.volume import CachedPrefix, Curve, Drawdown, Linear, Shape, Shortfall, Steps, TopUp

MONTHS = 8
VOLUMES = np.arange(1, 1501, dtype=float)
DRAWN = range(60)


def paid_month_by_month(bills: Sequence[float], granted: Sequence[tuple[float, Sequence[float]]]) -> np.ndarray:
    """What each credit (US$, months in which it holds) pays of each month's bill; the first credit goes first."""
    left = [usd for usd, _ in granted]
    paid = np.zeros((len(granted), len(bills)))
    for month, bill in enumerate(bills):
        for index, (_, months) in enumerate(granted):
            pays = min(left[index], bill) if months[month] else 0.0
            left[index] -= pays
            bill -= pays
            paid[index, month] = pays
    return paid


def drawn_spend(rng: np.random.Generator) -> list[tuple[Shape, np.ndarray]]:
    """Lines of a provider's bill: tokens, maybe replicas, a plan's minimum and cached prefixes."""
    growth = 1.05 ** np.arange(MONTHS) if rng.random() < 0.5 else np.ones(MONTHS)
    lines: list[tuple[Shape, np.ndarray]] = [(Linear(rng.uniform(0, 50), growth * rng.uniform(0.05, 1)), np.ones(MONTHS))]
    if rng.random() < 0.5:
        lines.append((Steps(growth / rng.uniform(50, 600), rng.integers(0, 3)), np.full(MONTHS, rng.uniform(5, 80))))
    if rng.random() < 0.3:
        lines.append((TopUp(rng.uniform(20, 200), 0.0, growth * rng.uniform(0.1, 1)), np.ones(MONTHS)))
    if rng.random() < 0.5:
        ttl = rng.choice([300.0, 90_000.0])
        lines += [
            (CachedPrefix(outcome, growth * 0.5, growth / 30, 40_000.0, ttl, above), np.full(MONTHS, price))
            for above in [rng.choice([-1.0, 0.2])]
            for outcome, price in (("read", 0.1), ("written", 1.25), ("uncached", 1.0))
        ]
    return lines


def drawn_credits(rng: np.random.Generator, spend: list[tuple[Shape, np.ndarray]]) -> list[Drawdown]:
    found: list[Drawdown] = []
    for _ in range(rng.integers(0, 4)):
        first, last = sorted(rng.integers(0, MONTHS + 1, 2))
        months = ((np.arange(MONTHS) >= first) & (np.arange(MONTHS) < last)).astype(float)
        found.append(Drawdown(float(rng.uniform(10, 4000)), months, tuple(spend), tuple(found)))
    return found


def drawn_lines(seed: int) -> list[tuple[Shape, np.ndarray]]:
    rng = np.random.default_rng(seed)
    spend = drawn_spend(rng)
    committed = rng.choice([0.0, 100.0, 600.0]) * (np.arange(MONTHS) >= rng.integers(0, MONTHS))
    granted = [(credit, np.full(MONTHS, -1.0)) for credit in drawn_credits(rng, spend)]
    return [*spend, (Shortfall(committed, tuple(spend)), np.ones(MONTHS)), *granted]


def counted(lines: list[tuple[Shape, np.ndarray]]) -> np.ndarray:
    """The total at every volume, month by month."""
    own = [(shape, price) for shape, price in lines if not isinstance(shape, Shortfall | Drawdown)]
    bills = sum(shape.at(VOLUMES) * price for shape, price in own)
    committed = next(shape.commitment for shape, _ in lines if isinstance(shape, Shortfall))
    granted = [(shape.usd, shape.months) for shape, _ in lines if isinstance(shape, Drawdown)]
    short = np.where(bills < committed, committed - bills, 0.0).sum(axis=1)
    return bills.sum(axis=1) + short - np.array([paid_month_by_month(bill, granted).sum() for bill in bills])


@pytest.mark.parametrize("seed", DRAWN)
def test_curves_are_what_is_counted_month_by_month(seed: int) -> None:
    lines = drawn_lines(seed)
    np.testing.assert_allclose(Curve.of(lines).total(VOLUMES), counted(lines), rtol=1e-9, atol=1e-8)
    by_lines = sum((shape.at(VOLUMES) * price).sum(axis=-1) for shape, price in lines)
    np.testing.assert_allclose(by_lines, counted(lines), rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("seed", DRAWN)
def test_credits_pay_in_their_order_and_never_more_than_the_bill(seed: int) -> None:
    rng = np.random.default_rng(seed)
    spend = drawn_spend(rng)
    granted = drawn_credits(rng, spend)
    for volume in (1, 40, 700):
        bills = sum(shape.at(volume) * price for shape, price in spend)
        paid = np.array([credit.at(volume) for credit in granted]).reshape(len(granted), MONTHS)
        expected = paid_month_by_month(bills, [(credit.usd, credit.months) for credit in granted])
        np.testing.assert_allclose(paid, expected, atol=1e-8)


@pytest.mark.parametrize("seed", DRAWN)
def test_every_break_even_is_found(seed: int) -> None:
    lines = {name: drawn_lines(3 * seed + 1000 + i) for i, name in enumerate("abc")}
    rng = np.random.default_rng(seed)
    for name in "bc":  # near each other, so that they cross
        gap = counted(lines["a"])[rng.integers(len(VOLUMES))] - counted(lines[name])[rng.integers(len(VOLUMES))]
        lines[name].append((Linear(gap / MONTHS, 0.0), np.ones(MONTHS)))
    curves = {name: Curve.of(of_one) for name, of_one in lines.items()}
    pairs, _ = all_break_evens(curves, 1, int(VOLUMES[-1]))
    for pair in pairs.values():
        a, b = (curves[name].total(VOLUMES) for name in (pair.a, pair.b))
        tie = 1e-12 * max(curves[pair.a].gross_fixed, curves[pair.b].gross_fixed)
        wins = np.where(np.abs(a - b) <= tie, "", np.where(a < b, pair.a, pair.b))
        assert _winners(pair) == wins.tolist()


def _winners(found: BreakEven) -> list[str]:
    return [i.winner or "" for i in found.intervals for _ in range(i.first, i.last + 1)]


def test_volume_scale_reaches_inside_a_commitment() -> None:
    lines = drawn_lines(3)
    scaled, plain = Curve.of(lines, 1.7), Curve.of(lines)
    np.testing.assert_allclose(scaled.total(VOLUMES), plain.total(1.7 * VOLUMES), rtol=1e-9)


def test_equal_months_are_one_hinge() -> None:
    lines = ((Linear(0.0, np.full(24, 0.5)), np.ones(24)),)
    assert len(Curve.of([(Shortfall(np.full(24, 100.0), lines), np.ones(24))]).hinges) == 1


def test_drawn_numbers_flow_through() -> None:
    draws = np.array([[0.1], [0.4]])
    spend = ((Linear(0.0, draws * np.ones(MONTHS)), np.ones(MONTHS)),)
    short = Shortfall(np.full(MONTHS, 50.0), spend).at(200)
    credit = Drawdown(100.0, np.ones(MONTHS), spend).at(200)
    assert short.shape == credit.shape == (2, MONTHS)
    np.testing.assert_allclose(short.sum(axis=-1), [30 * MONTHS, 0])
    np.testing.assert_allclose(credit.sum(axis=-1), [100, 100])
