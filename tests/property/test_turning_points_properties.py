"""Changes of the smallest of several functions, against dense grids and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calc.turning_points import grid, smallest, turning_points

numbers = st.floats(-2, 2, allow_nan=False)
curves = st.lists(st.tuples(numbers, numbers, numbers), min_size=2, max_size=5)


@given(curves)
def test_every_change_that_a_dense_grid_shows_is_found_and_every_found_one_is_there(coefficients):
    def totals(at):
        return np.stack([10 + a + b * at + c * at**2 for a, b, c in coefficients])

    dense = np.linspace(-1, 3, 40_001)
    which = smallest(totals(dense))
    first, turns = turning_points(totals, grid(-1, 3))
    assert first == which[0]
    seen = np.flatnonzero(which[1:] != which[:-1])
    for cell in seen:
        assert any(dense[cell] - 1e-9 <= turn.right <= dense[cell + 1] + 1e-9 for turn in turns), dense[cell]
    for turn in turns:
        assert turn.right - turn.left <= 1e-11
        assert [smallest(totals(np.array([at])))[0] for at in (turn.left, turn.right)] == [turn.before, turn.after]
        assert turn.smooth


@given(st.floats(0.001, 0.999), st.floats(-9, -1), st.floats(-1, 3))
def test_a_dip_between_two_values_of_the_grid_is_found(middle, depth_log, bend_log):
    depth, bend = 10**depth_log, 10**bend_log
    half = np.sqrt(depth / bend)
    roots = (middle - half, middle + half)
    assume(all(min(abs(at), abs(at - 1)) > 1e-6 for at in roots))

    def totals(at):
        return np.stack([1 + 0.3 * at, 1 + 0.3 * at + bend * (at - middle) ** 2 - depth])

    _, turns = turning_points(totals, grid(0, 1))
    expected = [at for at in roots if 0 < at < 1]
    assert [turn.right for turn in turns] == pytest.approx(expected, abs=1e-6 * half + 3e-12 / (half * bend))


@given(st.floats(0.05, 0.95), st.floats(0.5, 0.9))
def test_jumps_are_narrowed_down_to_neighbouring_numbers(at_jump, height):
    def totals(at):
        return np.stack([np.full(at.shape, height), np.where(at < at_jump, 1.0, 0.2)])

    _, turns = turning_points(totals, grid(0, 1))
    assert len(turns) == 1
    assert turns[0].left < at_jump <= turns[0].right
    assert turns[0].right == np.nextafter(turns[0].left, 2) or turns[0].right - turns[0].left <= 2 * np.spacing(1.0)
    assert not turns[0].smooth


@given(st.floats(20, 400).filter(lambda wave: wave % 1 > 1e-6))
def test_steps_that_go_up_and_down_across_a_line_are_all_found(wave):
    def totals(at):
        return np.stack([np.full(at.shape, 1.5), 1.0 + np.floor(at * wave) % 2])

    _, turns = turning_points(totals, grid(0, 1))
    assert len(turns) == int(wave)


def test_a_wide_range_above_zero_is_looked_at_by_ratios_and_every_grid_keeps_its_ends():
    assert grid(1.0, 1e6)[1] / 1.0 < 1.02
    assert grid(0.0, 1e6)[1] > 900
    for low, high in ((1.1, 977.3), (0.0, 0.3), (-5.0, 7.0)):
        assert (grid(low, high)[0], grid(low, high)[-1]) == (low, high)
    assert 0.1234 in grid(0.0, 1.0, through=0.1234)


def test_equal_functions_never_change_and_the_first_is_named():
    first, turns = turning_points(lambda at: np.stack([1 + at / 3, (3 + at) / 3]), grid(0, 1))
    assert (first, turns) == (0, ())


def test_where_none_is_finite_none_is_the_smallest():
    def totals(at):
        return np.stack([np.where(at < 0.3, np.inf, 1.0), np.full(at.shape, np.inf)])

    first, turns = turning_points(totals, grid(0, 1))
    assert first == -1
    assert [(turn.before, turn.after, turn.smooth) for turn in turns] == [(-1, 0, False)]
    assert turns[0].right == pytest.approx(0.3, abs=1e-15)


def test_a_function_that_grows_without_bound_makes_no_ties_of_the_others():
    def totals(at):
        return np.stack([np.full(at.shape, 2.0), np.full(at.shape, 1.0), 1e18 * (1 + at)])

    assert turning_points(totals, grid(0, 1)) == (1, ())
