"""``tuneworth break-even``: over other numbers than the volume."""

from __future__ import annotations

import json
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "support_tone.yaml"


def test_changes_of_the_cheapest_are_listed_with_their_values(tuneworth):
    ran = tuneworth("break-even", EXAMPLE, "--over", "task.rejected_answer_usd", "--from", 0, "--to", 1, "--format", "json")
    assert ran.code == 0, ran.err
    rows = json.loads(ran.out)
    assert [row["cheapest"] for row in rows][:2] == ["Prompting", "Few-shot"]
    assert 0 < float(rows[1]["from"]) < 1


def test_a_field_that_is_not_there_and_a_value_out_of_bounds_are_named(tuneworth):
    for over, high, told in (
        ("task.rejected_answers", 1, "there is no field task.rejected_answers"),
        ("approaches.rag.accepted", 1.7, "expected a number between 0 and 1, got 1.7"),
        ("task.kind", 1, "task.kind does not hold a number"),
        ("horizon_months", 24, "counts whole steps"),
    ):
        ran = tuneworth("break-even", EXAMPLE, "--over", over, "--from", 0.5, "--to", high)
        assert ran.code == 1
        assert told in ran.err
