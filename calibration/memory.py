"""Fits the memory model to published peaks.

``python -m calibration.memory`` prints the coefficients, ``python -m calibration.memory report`` how far the model is off.

Left out of the rows by rule: runs whose sequence lengths or units are not stated, methods other than full tuning, LoRA and
QLoRA, models whose shape is not published, pipelines (their batches in flight are not stated), recomputation of single
operations, and a table that contradicts itself (the same need on one GPU and on two).
What a source leaves open follows its software: code that keeps the logits in 16 bits counts as fused.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from calc.hardware.architecture import ALL_LINEAR, Shape, shape_of
from calc.hardware.memory import MemoryNeed, TuningSetup, fits, interval_factor, memory_need
from calibration import statistics
from pricing.model import Coefficient, Fit

PRIOR = {
    "logits_bytes_standard": (14.0, 0.2),
    "logits_bytes_upcast": (16.0, 0.2),
    "logits_bytes_fused": (8.0, 0.2),
    "logits_bytes_chunked": (0.5, 0.5),
    "working_set": (1.5, 0.2),
    "working_set_sharded_adapters": (3.0, 0.2),
    "expert_working_set": (0.6, 0.2),
    "kept_activations": (1.0, 0.1),
    "upcast_activations": (2.2, 0.2),
}
"""What each coefficient is expected to be, from counting copies in the frameworks' code, and how far off as a share."""

EXCEPTIONS = ("torchtitan", "litgpt")
"""Sources whose kernels or meters differ from what is counted here."""

EXPECTED_ERROR = 0.1
"""Of ln(published/predicted) of a group: how much the rows weigh beside what is expected."""


@dataclass(frozen=True)
class Row:
    """One published run."""

    id: str
    family: str
    group: str
    primary: bool
    shape: Shape
    gpu: str
    setup: TuningSetup
    meter: str
    """allocated or reserved: `gib` was measured; oom, fits or limit: whether it fitted."""
    gib: float
    """Peak of one GPU in GiB; 0 where none was measured."""
    reserved_gib: float
    """Reserved by PyTorch at the peak where `gib` is what it allocated; 0 where not published."""
    source: str


def published() -> list[Row]:
    """The published runs."""
    return [_row(fields) for fields in statistics.rows_of("memory")]


def _row(fields: dict[str, str]) -> Row:
    setup: dict[str, Any] = {
        **{name: fields[name] for name in ("technique", "sharding", "recompute", "attention", "loss", "optimizer")},
        **{name: int(fields[name]) for name in ("sequence_tokens", "micro_batch", "gpus", "tensor_parallel", "context_parallel")},
        **{name: fields[name] == "1" for name in ("master_weights", "upcast")},
    }
    if fields["technique"] != "full":
        setup |= {"rank": float(fields["rank"] or 16), "targets": tuple(fields["targets"].split()) or ALL_LINEAR}
    if fields["quantisation"]:
        setup["quantisation"] = fields["quantisation"]
    return Row(
        fields["id"],
        fields["family"],
        fields["group"],
        fields["primary"] == "1",
        replace(shape_of(statistics.model_named(fields["model"])), context_tokens=None),  # some runs go beyond it
        fields["gpu"],
        TuningSetup(**setup),
        fields["meter"],
        float(fields["gib"] or 0),
        float(fields["reserved_gib"] or 0),
        fields["source"],
    )


def measured(rows: Sequence[Row]) -> list[Row]:
    """Rows with a measured peak."""
    return [row for row in rows if row.gib]


def predicted(row: Row, fit: Fit) -> MemoryNeed:
    """What the model says of a run."""
    return memory_need(row.shape, row.setup, fit)


def predicted_gib(row: Row, fit: Fit) -> float:
    """Predicted peak in the meter of the row."""
    need = predicted(row, fit)
    return float(need.reserved_gib if row.meter == "reserved" else need.peak_gib)


# --- the fit --------------------------------------------------------------------------------------------------------------


def solve(rows: Sequence[Row]) -> Fit:
    """Coefficients that follow from measured rows; a group counts once, and what few rows tell of stays as expected."""
    weights = np.sqrt(statistics.group_weights([row.group for row in rows])) / EXPECTED_ERROR
    reserved = _reserved_factors(rows)
    names = list(PRIOR)
    expected = np.log([value for value, _ in PRIOR.values()])
    spread = np.array([share for _, share in PRIOR.values()])

    def off(logs: np.ndarray) -> np.ndarray:
        fit = _fit(dict(zip(names, np.exp(logs), strict=True)) | reserved, {}, rows)
        return np.concatenate([weights * _ln_ratios(rows, fit), (logs - expected) / spread])

    found = least_squares(off, expected, loss="soft_l1")
    errors = np.exp(found.x) * np.sqrt(np.diag(np.linalg.inv(found.jac.T @ found.jac)))
    return _fit(dict(zip(names, np.exp(found.x), strict=True)) | reserved, dict(zip(names, errors, strict=True)), rows)


def _ln_ratios(rows: Sequence[Row], fit: Fit) -> np.ndarray:
    return np.array([np.log(row.gib / predicted_gib(row, fit)) for row in rows])


def _reserved_factors(rows: Sequence[Row]) -> dict[str, float]:
    """Reserved over allocated where both are published: the median over groups of the group's median."""

    def median(sharded: bool) -> float:
        ratios: dict[str, list[float]] = {}
        for row in rows:
            if row.reserved_gib and (row.setup.sharding == "zero-3") == sharded:
                ratios.setdefault(row.group, []).append(row.reserved_gib / row.gib)
        return float(np.median([np.median(group) for group in ratios.values()])) if ratios else 1.2

    return {"reserved_factor": median(False), "reserved_factor_sharded": median(True)}


def _fit(values: dict[str, float], errors: dict[str, float], rows: Sequence[Row]) -> Fit:
    families = len({row.family for row in rows})
    return Fit(
        coefficient={
            name: Coefficient(value=float(value), standard_error=float(errors.get(name, 0.0))) for name, value in values.items()
        },
        residual_scale={"peak": EXPECTED_ERROR},
        degrees_of_freedom=families - 1,
        rows=len(rows),
        groups=len({row.group for row in rows}),
        sources=families,
        recorded=statistics.RECORDED,
    )


def residuals(rows: Sequence[Row]) -> statistics.Residuals:
    """ln(published/predicted) of measured rows, in the fit and left out of it."""

    def kept(mask: np.ndarray) -> list[Row]:
        return [row for row, keep in zip(rows, mask, strict=True) if keep]

    fits_of: dict[bytes, Fit] = {}

    def coefficients(mask: np.ndarray) -> np.ndarray:
        fits_of[mask.tobytes()] = solve(kept(mask))
        return mask

    def ln_ratios(fitted_on: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return _ln_ratios(kept(mask), fits_of[fitted_on.tobytes()])

    return statistics.out_of_family([row.family for row in rows], coefficients, ln_ratios)


def fitted() -> Fit:
    """The fit to all measured rows, with the spread of what each source's fit did not see."""
    rows = measured(published())
    return solve(rows).model_copy(update={"residual_scale": {"peak": _spread(rows)}})


def _spread(rows: Sequence[Row]) -> float:
    """Root mean square of the residuals left out. A source counts once: most groups are of one source, and it fits best."""
    squares = residuals(rows).left_out ** 2 * statistics.group_weights([row.group for row in rows])
    groups = {family: len({row.group for row in rows if row.family == family}) for family in {row.family for row in rows}}
    return float(np.sqrt(np.sum(squares / [groups[row.family] for row in rows]) / len(groups)))


# --- the report -----------------------------------------------------------------------------------------------------------


def said_to_fit(rows: Sequence[Row], fit: Fit) -> list[Row]:
    """Rows that ran out of memory and that the model says fit."""
    return [row for row in rows if row.meter == "oom" and fits(predicted(row, fit), statistics.gpu_named(row.gpu))]


def report() -> str:
    """How far the model is off its primary rows, by source, in the fit and left out of it."""
    rows = measured(published())
    fit = fitted()
    found = residuals(rows)
    primary = np.array([row.primary for row in rows])
    families = np.array([row.family for row in rows])
    lines = ["source        rows  in the fit  left out"]
    for name in (*sorted(set(families[primary])), "all"):
        mask = primary & ((families == name) | (name == "all"))
        inside, left_out = (float(np.median(np.expm1(np.abs(values[mask])))) for values in found)
        lines.append(f"{name:12} {mask.sum():5} {inside:11.1%} {left_out:9.1%}")
    covered = np.abs(found.left_out[primary]) <= np.log(interval_factor(fit))
    lines.append(f"inside the 90 % interval: {np.mean(covered):.0%}")
    every = published()
    wrong = said_to_fit(every, fit)
    lines.append(f"out of memory and said to fit: {len(wrong)} of {sum(row.meter == 'oom' for row in every)}")
    ran = [row for row in every if row.gpu and (row.gib or row.meter in ("fits", "limit"))]
    refused = [row for row in ran if not fits(predicted(row, fit), statistics.gpu_named(row.gpu))]
    lines.append(f"ran and said not to fit, for want of a margin: {len(refused)} of {len(ran)}")
    return "\n".join([*lines, *(f"  {row.id}" for row in wrong)]) + "\n"


def main() -> None:
    """Print the file of coefficients, or the report."""
    says = "Copies of logits, a layer at work, and what PyTorch reserves beside what it allocates."
    sys.stdout.write(report() if sys.argv[1:] == ["report"] else statistics.toml_of("memory", fitted(), says))


if __name__ == "__main__":
    main()
