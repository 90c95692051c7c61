"""Fits the memory model to published peaks, and says how far it is off them.

Run from the repository's root: python -m calibration.memory [--write]
With --write it stores the coefficients in pricing/coefficients/memory.toml.

Left out of the rows by rule: runs whose sequence lengths are not stated, methods other than full tuning, LoRA and QLoRA, models
whose shape is not published, pipelines (their batches in flight are not stated), and selective recomputation by operation.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from scipy.special import stdtrit

from calc.hardware.architecture import ALL_LINEAR, shape_of
from calc.hardware.memory import MemoryNeed, TuningSetup, fits, memory_need
from pricing.book import PriceBook
from pricing.model import Coefficient, Fit

RECORDED = date(2026, 11, 21)
ROOT = Path(__file__).resolve().parents[1]
ROWS = ROOT / "calibration" / "rows" / "memory.csv"
STORED = ROOT / "pricing" / "coefficients" / "memory.toml"

PRIOR = {
    "logits_bytes_standard": (14.0, 0.2),
    "logits_bytes_fused": (8.0, 0.2),
    "logits_bytes_chunked": (0.5, 0.5),
    "working_set": (1.5, 0.2),
    "working_set_sharded_adapters": (3.0, 0.2),
    "upcast_activations": (2.2, 0.2),
}
"""What each coefficient is expected to be and how far off, as a share: bytes counted in the frameworks' code."""


@dataclass(frozen=True)
class Row:
    """One published run."""

    family: str
    group: str
    primary: bool
    model: str
    gpu: str
    setup: TuningSetup
    meter: str
    """allocated or reserved: `gib` was measured; oom, fits or limit: whether it fitted."""
    gib: float | None
    reserved_gib: float | None
    source: str


def rows() -> list[Row]:
    """The published runs."""
    with ROWS.open(encoding="utf-8", newline="") as file:
        return [_row(data) for data in csv.DictReader(file)]


def _row(data: dict[str, str]) -> Row:
    setup = TuningSetup(
        technique=data["technique"],  # type: ignore[arg-type]
        sequence_tokens=int(data["sequence_tokens"]),
        micro_batch=int(data["micro_batch"]),
        gpus=int(data["gpus"]),
        sharding=data["sharding"],  # type: ignore[arg-type]
        tensor_parallel=int(data["tensor_parallel"]),
        context_parallel=int(data["context_parallel"]),
        recompute=data["recompute"],  # type: ignore[arg-type]
        attention=data["attention"],  # type: ignore[arg-type]
        loss=data["loss"],  # type: ignore[arg-type]
        master_weights=data["master_weights"] == "1",
        optimizer=data["optimizer"],  # type: ignore[arg-type]
        quantisation=data["quantisation"] or "nf4-double",  # type: ignore[arg-type]
        upcast=data["upcast"] == "1",
        rank=float(data["rank"] or 16),
        targets=tuple(data["targets"].split()) or ALL_LINEAR,  # type: ignore[arg-type]
    )
    number = {name: float(data[name]) if data[name] else None for name in ("gib", "reserved_gib")}
    return Row(
        data["family"],
        data["group"],
        data["primary"] == "1",
        data["model"],
        data["gpu"],
        setup,
        data["meter"],
        number["gib"],
        number["reserved_gib"],
        data["source"],
    )


# --- the fit --------------------------------------------------------------------------------------------------------------

RATES = PriceBook.bundled().as_of(RECORDED)


def predicted(row: Row, fit: Fit) -> MemoryNeed:
    """What the model says of a run."""
    shape = replace(shape_of(RATES.open_model(row.model)), context_tokens=None)  # some runs go beyond it
    return memory_need(shape, row.setup, fit)


def predicted_gib(row: Row, fit: Fit) -> float:
    """Predicted peak in the meter of the row."""
    need = predicted(row, fit)
    return float(need.reserved_gib if row.meter == "reserved" else need.peak_gib)


def measured(all_rows: Iterable[Row]) -> list[Row]:
    """Rows with a measured peak."""
    return [row for row in all_rows if row.gib is not None]


def fitted(all_rows: Sequence[Row]) -> Fit:
    """Coefficients that follow from rows; each group counts once, and what few rows tell of stays near what is expected."""
    known = measured(all_rows)
    weight = np.array([1 / np.sqrt(sum(other.group == row.group for other in known)) for row in known])
    factors = _reserved_factors(known)
    names = list(PRIOR)
    expected = np.log([PRIOR[name][0] for name in names])
    spread = np.array([PRIOR[name][1] for name in names])

    def residuals(logs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        fit = _fit(dict(zip(names, np.exp(logs), strict=True)) | factors)
        off = np.array([np.log(predicted_gib(row, fit) / (row.gib or 1)) for row in known])
        return np.concatenate([weight * off / 0.1, (logs - expected) / spread])

    found = least_squares(residuals, expected, loss="soft_l1")
    errors = np.sqrt(np.diag(np.linalg.inv(found.jac.T @ found.jac)))
    values = dict(zip(names, np.exp(found.x), strict=True))
    return _fit(values | factors, dict(zip(names, np.exp(found.x) * errors, strict=True)), known)


def _reserved_factors(known: Sequence[Row]) -> dict[str, float]:
    """Reserved over allocated where both are published: the median over groups."""

    def median(sharded: bool) -> float:
        ratios: dict[str, list[float]] = {}
        for row in known:
            if row.reserved_gib and row.meter == "allocated" and row.gib and (row.setup.sharding == "zero-3") == sharded:
                ratios.setdefault(row.group, []).append(row.reserved_gib / row.gib)
        return float(np.median([np.median(group) for group in ratios.values()])) if ratios else 1.2

    return {"reserved_factor": median(False), "reserved_factor_sharded": median(True)}


def _fit(values: dict[str, float], errors: dict[str, float] | None = None, known: Sequence[Row] = ()) -> Fit:
    families = len({row.family for row in known}) or 2
    return Fit(
        coefficient={
            name: Coefficient(value=float(value), standard_error=float((errors or {}).get(name, 0.0)))
            for name, value in values.items()
        },
        residual_scale={"whole": 0.1, "sharded": 0.1},
        degrees_of_freedom=max(families - 1, 1),
        rows=len(known) or 1,
        groups=len({row.group for row in known}) or 1,
        sources=max(families, 2),
        recorded=RECORDED,
    )


def left_out(all_rows: Sequence[Row]) -> list[tuple[Row, float]]:
    """Each measured row with ln(measured/predicted) by a fit that saw nothing of its source."""
    known = measured(all_rows)
    found = []
    for family in sorted({row.family for row in known}):
        fit = fitted([row for row in known if row.family != family])
        found += [(row, float(np.log((row.gib or 1) / predicted_gib(row, fit)))) for row in known if row.family == family]
    return found


def calibrated(all_rows: Sequence[Row]) -> Fit:
    """The fit to all rows with the spread of what was left out."""
    fit = fitted(all_rows)
    off = left_out(all_rows)
    scale = {
        name: _spread([(row, error) for row, error in off if (row.setup.sharding == "zero-3") == sharded])
        for name, sharded in (("whole", False), ("sharded", True))
    }
    return fit.model_copy(update={"residual_scale": scale})


def _spread(off: Sequence[tuple[Row, float]]) -> float:
    """Root mean square over groups, each counting once."""
    by_group: dict[str, list[float]] = {}
    for row, error in off:
        by_group.setdefault(row.group, []).append(error**2)
    return float(np.sqrt(np.mean([np.mean(group) for group in by_group.values()])))


def as_toml(fit: Fit) -> str:
    """The fit as pricing/coefficients/memory.toml has it."""
    lines = [
        "# What the memory model was fitted to be: written by `python -m calibration.memory --write`.",
        "",
        "[[memory]]",
        *(f"{name} = {getattr(fit, name):g}" for name in ("degrees_of_freedom", "rows", "groups", "sources")),
        f"recorded = {fit.recorded}",
        "residual_scale = { " + ", ".join(f"{name} = {value:.4f}" for name, value in fit.residual_scale.items()) + " }",
        "",
        "[memory.coefficient]",
        *(
            f"{name} = {{ value = {found.value:.4f}, standard_error = {found.standard_error:.4f} }}"
            for name, found in fit.coefficient.items()
        ),
    ]
    return "\n".join(lines) + "\n"


# --- the report -----------------------------------------------------------------------------------------------------------


def report(all_rows: Sequence[Row], fit: Fit) -> str:
    """How far the model is off, by family, in the rows and left out of them."""
    known = [row for row in measured(all_rows) if row.primary]
    inside = {id(row): abs(np.log((row.gib or 1) / predicted_gib(row, fit))) for row in known}
    outside = {id(row): abs(error) for row, error in left_out(all_rows)}
    text = [f"{'family':12} rows  in sample  left out"]
    for family in sorted({row.family for row in known}):
        own = [id(row) for row in known if row.family == family]
        text.append(f"{family:12} {len(own):4} {_median(inside, own):10.1%} {_median(outside, own):9.1%}")
    every = [id(row) for row in known]
    text.append(f"{'all primary':12} {len(every):4} {_median(inside, every):10.1%} {_median(outside, every):9.1%}")
    covered = [outside[id(row)] <= _half_width(row, fit) for row in known]
    text.append(f"inside the 90 % interval: {np.mean(covered):.0%} of {len(covered)}")
    wrong = [row for row in all_rows if row.meter == "oom" and fits(predicted(row, fit), RATES.gpu(row.gpu))]
    text.append(f"out of memory and said to fit: {len(wrong)} of {sum(row.meter == 'oom' for row in all_rows)}")
    text += [f"  {row.group} {row.setup.micro_batch}" for row in wrong]
    return "\n".join(text)


def _half_width(row: Row, fit: Fit) -> float:
    scale = fit.residual_scale["sharded" if row.setup.sharding == "zero-3" else "whole"]
    return float(stdtrit(fit.degrees_of_freedom, 0.95)) * scale


def _median(errors: dict[int, float], of: Sequence[int]) -> float:
    return float(np.median([np.expm1(errors[key]) for key in of]))


if __name__ == "__main__":
    published = rows()
    stored = calibrated(published)
    print(report(published, stored))
    print(as_toml(stored))
    if "--write" in sys.argv:
        STORED.parent.mkdir(exist_ok=True)
        STORED.write_text(as_toml(stored), encoding="utf-8")
