"""The coefficients in the price book and the accuracy report are those that the published rows give."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from calc.hardware.memory import fits
from calibration import memory, report, serving, statistics, training_time
from pricing.model import Fit

ROOT = Path(__file__).resolve().parents[2]
FITTED = [(memory, "memory"), (training_time, "training_time"), (serving, "serving")]
ANOTHER_MACHINE = 2e-3
"""How far a fit may lie from the stored one where the linear algebra underneath is another."""


def close(found: Fit, held: Fit) -> bool:
    same = found.coefficient.keys() == held.coefficient.keys()
    values = [(found.value(name), held.value(name)) for name in held.coefficient]
    scales = [(found.residual_scale[kind], held.residual_scale[kind]) for kind in held.residual_scale]
    return same and all(np.isclose(a, b, atol=ANOTHER_MACHINE, rtol=ANOTHER_MACHINE) for a, b in values + scales)


@pytest.mark.parametrize(("calibration", "name"), FITTED, ids=[name for _, name in FITTED])
def test_the_coefficients_are_those_of_the_rows(calibration: ModuleType, name: str) -> None:
    again = f"run: python -m calibration.{name} > pricing/coefficients/{name}.toml"
    found, held = calibration.fitted(), statistics.stored(name)
    assert close(found, held), again
    assert (found.rows, found.groups, found.sources) == (held.rows, held.groups, held.sources), again


def figures(text: str) -> list[str]:
    """Every line with its numbers rounded away from what another machine may change."""
    return [line for line in text.splitlines() if not line.startswith("|")]


def test_the_accuracy_report_is_current() -> None:
    document = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    found = report.document()
    again = "run: python -m calibration.report > docs/accuracy.md"
    assert figures(found) == figures(document), again
    assert [line.split("|")[1] for line in found.splitlines() if line.startswith("|")] == [
        line.split("|")[1] for line in document.splitlines() if line.startswith("|")
    ], again


@pytest.mark.parametrize("kept", [report.peaks(), report.training(), report.throughput()], ids=lambda kept: kept.heading)
def test_predictions_are_as_near_as_promised(kept: report.Kept) -> None:
    found = kept.of(np.ones(len(kept.ids), dtype=bool))
    assert found.median_inside <= kept.target_inside
    assert found.median_left_out <= kept.target_left_out
    assert found.covered >= 0.85


def test_every_row_has_a_source_and_a_name_of_its_own() -> None:
    for name in ("memory", "training_time", "serving"):
        rows = statistics.rows_of(name)
        assert len({row["id"] for row in rows}) == len(rows)
        assert all(row["source"].startswith("https://") and row["source_date"] for row in rows)


def test_low_load_measures_demand_and_calibrates_nothing() -> None:
    used = {row.id for row in serving.published()}
    assert "vcm_C1_rps200" in used
    assert "vcm_C1_rps1" not in used


def test_no_run_out_of_memory_is_said_to_fit() -> None:
    rows = memory.published()
    assert sum(row.meter == "oom" for row in rows) > 50
    assert memory.said_to_fit(rows, statistics.stored("memory")) == []


def test_most_runs_that_ran_are_said_to_fit() -> None:
    """The rule asks for a margin, so not all of them."""
    rows = [row for row in memory.published() if row.gpu and row.gib]
    fitting = [fits(memory.predicted(row, statistics.stored("memory")), statistics.gpu_named(row.gpu)) for row in rows]
    assert np.mean(fitting) > 0.8
