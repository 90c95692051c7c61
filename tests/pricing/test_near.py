"""Names that somebody may have meant."""

import pytest

from pricing.near import did_you_mean

GPUS = ("h100", "h200", "l4", "l40s")


@pytest.mark.parametrize(
    ("wanted", "options", "said"),
    [
        ("h101", {}, "Did you mean h100 or h200?"),
        ("h101", {"most": 1}, "Did you mean h100?"),
        ("h101", {"cutoff": 0.75}, "Did you mean h100?"),
        ("tpu", {}, ""),
        ("", {}, ""),
    ],
)
def test_the_nearest_come_first_and_too_far_ones_not_at_all(wanted, options, said):
    assert did_you_mean(wanted, iter(GPUS), **options) == said


def test_a_name_that_stands_twice_is_offered_once():
    assert did_you_mean("h101", ("h100", "h100", "h200")) == "Did you mean h100 or h200?"
