"""Fits the training speed of GPUs to published runs: ``python -m calibration.training_time``.

Left out before a row is copied here, each by a rule that asks nothing of its result: the tokens of the run are not stated
(then only ratios can be read from it); the shape of the model is approximate; the method is another than full tuning, LoRA or
QLoRA; training was offloaded to the CPU; the source does not say whether a figure is of one GPU or all, unless one GPU was
used or its neighbouring figures leave one reading. Left out here: rows whose precision is open (`precision` names two).

Unsloth's runs state times beside Transformers' and no tokens: the ratio gives its coefficient for padded batches, as its examples
ran, and nothing else. Packed, it counts as any framework of fused kernels: twice Transformers would be above the peak.

Of rows of one run with start-up, evaluations are taken out where their tokens are known. The fit is ridge regression of
ln(tokens/s) on the features of `calc.hardware.training_time`, groups weighed alike, coefficients drawn towards zero. The
exponent of narrow experts is searched between 0 and 1, the other coefficients being fitted at each.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from calc.hardware.architecture import Shape, shape_of
from calc.hardware.training_time import (
    TrainingRun,
    expert_seconds_at_peak,
    expert_slowness,
    features,
    interval_factor,
    kind_of,
    seconds_at_peak,
)
from calibration import statistics
from pricing.model import Coefficient, Fit, Gpu

RIDGE = 0.5
"""Rows' worth of evidence, as groups, that a coefficient is 0."""
EFFICIENCY_BEFORE = 0.55
"""Share of the peak that runs reach, before any row speaks: half to six tenths is what well-tuned dense training reports."""


class Row(NamedTuple):
    """One published run."""

    id: str
    family: str
    group: str
    shape: Shape
    gpu: Gpu
    gpus: int
    run: TrainingRun
    tokens_per_second_per_gpu: float
    train_tokens: float | None
    evaluation_tokens: float
    minutes: float | None
    source: str


def published() -> list[Row]:
    """The rows that the fit uses."""
    return [_row(fields) for fields in statistics.rows_of("training_time") if " or " not in fields["precision"]]


def _row(fields: dict[str, str]) -> Row:
    run = TrainingRun(
        technique=fields["technique"],  # type: ignore[arg-type]
        attended_tokens=float(fields["attended_tokens"]),
        tokens_per_gpu_step=float(fields["tokens_per_gpu_step"]),
        precision=fields["precision"],  # type: ignore[arg-type]
        recompute=fields["recompute"] == "1",
        framework=fields["framework"],
        is_padded=fields["padded"] == "1",
        eager_experts=fields["eager_experts"] == "1",
        beyond_context=True,
    )
    return Row(
        id=fields["id"],
        family=fields["family"],
        group=fields["group"],
        shape=shape_of(statistics.model_named(fields["model"])),
        gpu=statistics.gpu_named(fields["gpu"]),
        gpus=int(fields["gpus"]),
        run=run,
        tokens_per_second_per_gpu=float(fields["tokens_per_second_per_gpu"]),
        train_tokens=float(fields["train_tokens"]) if fields["train_tokens"] else None,
        evaluation_tokens=float(fields["evaluation_tokens"] or 0),
        minutes=float(fields["minutes"]) if fields["minutes"] else None,
        source=fields["source"],
    )


class Problem(NamedTuple):
    """The regression: what each row reached, and what that may hang on."""

    names: list[str]
    """Of the coefficients: those that multiply a column of the design, then `narrow_experts`."""
    design: np.ndarray
    shapes: list[Shape]
    speeds: np.ndarray
    seconds: np.ndarray
    expert_seconds: np.ndarray
    weights: np.ndarray
    prior: np.ndarray

    def ln_efficiency(self, narrow_experts: float) -> np.ndarray:
        """ln of the share of the peak that each row reached, the slowness of its experts taken out."""
        slower = np.array([expert_slowness(shape, narrow_experts) for shape in self.shapes])
        return np.log(self.speeds * (self.seconds + (slower - 1) * self.expert_seconds))


def problem(rows: list[Row]) -> Problem:
    """The regression of the rows."""
    found = [features(row.shape, row.gpu, row.run) for row in rows]
    names = ["ln_efficiency", *found[0]]
    return Problem(
        names=[*names, "narrow_experts"],
        design=np.array([[1.0, *(float(value) for value in each.values())] for each in found]),
        shapes=[row.shape for row in rows],
        speeds=np.array([row.tokens_per_second_per_gpu for row in rows]),
        seconds=np.array([seconds_at_peak(row.shape, row.gpu, row.run) for row in rows]),
        expert_seconds=np.array([expert_seconds_at_peak(row.shape, row.gpu, row.run) for row in rows]),
        weights=statistics.group_weights([row.group for row in rows]),
        prior=np.array([np.log(EFFICIENCY_BEFORE), *np.zeros(len(names) - 1)]),
    )


def _ridge(regression: Problem, mask: np.ndarray, narrow_experts: float) -> tuple[np.ndarray, float]:
    """Coefficients of the design at one exponent of narrow experts, and the loss that both leave."""
    x, weights = regression.design[mask], regression.weights[mask]
    reached = regression.ln_efficiency(narrow_experts)[mask]
    moments = x.T @ (weights[:, None] * x) + RIDGE * np.eye(x.shape[1])
    drawn = np.linalg.solve(moments, x.T @ (weights * (reached - x @ regression.prior)))
    found = regression.prior + drawn
    return found, float(np.sum(weights * (reached - x @ found) ** 2) + RIDGE * (drawn @ drawn + narrow_experts**2))


def solve(regression: Problem, mask: np.ndarray) -> np.ndarray:
    """Ridge coefficients from the rows of a mask, those of the design at the best exponent of narrow experts."""
    best = minimize_scalar(lambda exponent: _ridge(regression, mask, exponent)[1], bounds=(0.0, 1.0), method="bounded").x
    return np.array([*_ridge(regression, mask, best)[0], best])


def ln_ratios(regression: Problem, values: np.ndarray) -> np.ndarray:
    """ln(published/predicted) of every row."""
    return regression.ln_efficiency(values[-1]) - regression.design @ values[:-1]


def residuals(rows: list[Row]) -> statistics.Residuals:
    """ln(published/predicted) of every row, inside and with its family left out."""
    regression = problem(rows)
    return statistics.out_of_family(
        [row.family for row in rows],
        lambda mask: solve(regression, mask),
        lambda found, mask: ln_ratios(regression, found)[mask],
    )


def ln_unsloth_ratios() -> np.ndarray:
    """ln of how many times faster than Transformers Unsloth was in the same run, of every published pair."""
    rows = statistics.rows_of("framework_ratios")
    return np.log([float(row["plain_s"]) / float(row["unsloth_s"]) for row in rows])


def fitted() -> Fit:
    """The coefficients, their standard errors, and the spread of what the fit did not see."""
    rows = published()
    regression = problem(rows)
    every = np.ones(len(rows), dtype=bool)
    values = solve(regression, every)
    found = residuals(rows)
    families = len({row.family for row in rows})
    weights, nudged = regression.weights, values + np.eye(len(values))[-1] * 1e-4
    x = np.c_[regression.design, (ln_ratios(regression, values) - ln_ratios(regression, nudged)) / 1e-4]
    variance = float(np.sum(weights * found.inside**2) / np.sum(weights))
    place, plain = regression.names.index("unsloth_padded"), regression.names.index("plain_kernels")
    ratios = ln_unsloth_ratios()
    values[place] = np.median(ratios) + values[plain]
    errors = np.sqrt(np.diag(np.linalg.inv(x.T @ (weights[:, None] * x) + RIDGE * np.eye(x.shape[1]))) * variance)
    errors[place] = np.hypot(errors[plain], np.std(ratios, ddof=1) / np.sqrt(len(ratios)))
    kinds = np.array([kind_of(row.shape, row.run) for row in rows])
    scale = {
        kind: statistics.spread(found.left_out[kinds == kind], weights[kinds == kind], 0.9, families - 1)
        for kind in ("usual", "exception")
    }
    return Fit(
        coefficient={
            name: Coefficient(value=float(value), standard_error=float(error))
            for name, value, error in zip(regression.names, values, errors, strict=True)
        },
        residual_scale=scale,
        degrees_of_freedom=families - 1,
        rows=len(rows),
        groups=len({row.group for row in rows}),
        sources=families,
        recorded=statistics.RECORDED,
    )


def factors(rows: list[Row], fit: Fit) -> np.ndarray:
    """What each row's prediction is divided and multiplied by for its 90 % interval."""
    return np.array([interval_factor(fit, kind_of(row.shape, row.run)) for row in rows])


def main() -> None:
    """Print the file of coefficients."""
    sys.stdout.write(statistics.toml_of("training_time", fitted(), "Share of a GPU's peak that training reaches."))


if __name__ == "__main__":
    main()
