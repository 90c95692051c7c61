"""Fits the serving speed of GPUs to published measurements: ``python -m calibration.serving``.

Left out before a row is copied here, each by a rule that asks nothing of its result: the length of input or output is not
stated; the GPUs that share the weights are not; the source does not say whether a figure is of one GPU or of all. Left out
here: rows whose offered load was served at nine tenths or more, for they measure the demand, not the capacity.

The batch is the one stated, else what memory and the engine's limit allow. The fit is a robust least-squares of ln(output
tokens/s) on the logarithms of the efficiencies and on the features of `calc.hardware.serving_throughput`, groups weighed alike,
the efficiencies drawn towards what roofline studies report and the features towards no effect.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

from calc.hardware import serving_throughput as model
from calc.hardware.architecture import shape_of
from calc.hardware.serving_throughput import Deployment, Loads, TokenShape
from calibration import statistics
from pricing.model import Coefficient, Fit

RIDGE = 0.3
"""Groups' worth of evidence that a feature has no effect; twice that for the efficiencies."""
SERVED = 0.9
"""Share of the offered load above which a row measures demand."""
BEFORE = {
    "ln_bandwidth": np.log(0.8),
    "ln_prefill": np.log(0.55),
    "ln_compute": np.log(0.4),
    "ln_step_s": np.log(1.5e-3),
    "ln_link": np.log(1.0),
    "ln_exchange_s": np.log(1e-5),
}
"""Before any row speaks: shares of the peaks reached, the fixed time of a step, multiples of the link's time, one exchange."""
LOOSE = ("ln_experts", "narrow_experts")
"""Coefficients that are no feature's: drawn towards no effect as features are."""


class Row(NamedTuple):
    """One published measurement."""

    id: str
    family: str
    group: str
    deployment: Deployment
    tokens: TokenShape
    replicas: int
    batch: float
    output_tokens_per_second: float
    source: str


def published() -> list[Row]:
    """The rows that the fit uses."""
    return [_row(fields) for fields in statistics.rows_of("serving") if not _measures_demand(fields)]


def _measures_demand(fields: dict[str, str]) -> bool:
    offered = float(fields["offered_requests_per_second"] or "inf") * float(fields["output_tokens"])
    return float(fields["output_tokens_per_second"]) >= SERVED * offered


def _row(fields: dict[str, str]) -> Row:
    deployment = Deployment(
        shape=shape_of(statistics.model_named(fields["model"])),
        gpu=statistics.gpu_named(fields["gpu"]),
        gpus=int(fields["gpus"]),
        weights=fields["weights"],  # type: ignore[arg-type]
        kv_bytes_per_number=float(fields["kv_bytes_per_number"]),
        engine=fields["engine"],
        max_batch=int(fields["max_batch"]),
    )
    tokens = TokenShape(float(fields["input_tokens"]), float(fields["output_tokens"]))
    limit = min(float(fields["concurrency"] or "inf"), deployment.max_batch)
    return Row(
        id=fields["id"],
        family=fields["family"],
        group=fields["group"],
        deployment=deployment,
        tokens=tokens,
        replicas=int(fields["replicas"]),
        batch=float(fields["static_batch"]) if fields["static_batch"] else min(limit, model.batch_in_memory(deployment, tokens)),
        output_tokens_per_second=float(fields["output_tokens_per_second"]),
        source=fields["source"],
    )


class Problem(NamedTuple):
    """The regression's numbers, one of each per row."""

    names: list[str]
    at_peak: Loads
    design: np.ndarray
    batch: np.ndarray
    input_tokens: np.ndarray
    output_tokens: np.ndarray
    replicas: np.ndarray
    ln_published: np.ndarray
    weights: np.ndarray


def problem(rows: list[Row]) -> Problem:
    """The regression of the rows."""
    found = [model.features(row.deployment) for row in rows]
    return Problem(
        names=[*BEFORE, *LOOSE, *found[0]],
        at_peak=Loads(*np.array([model.loads(row.deployment, row.tokens, row.batch) for row in rows], dtype=float).T),
        design=np.array([list(each.values()) for each in found]),
        batch=np.array([row.batch for row in rows]),
        input_tokens=np.array([row.tokens.input_tokens for row in rows]),
        output_tokens=np.array([row.tokens.output_tokens for row in rows]),
        replicas=np.array([row.replicas for row in rows]),
        ln_published=np.log([row.output_tokens_per_second for row in rows]),
        weights=statistics.group_weights([row.group for row in rows]),
    )


def _as_fit(names: list[str], values: np.ndarray) -> Fit:
    found = {name: Coefficient.model_construct(value=float(v)) for name, v in zip(names, values, strict=True)}
    return Fit.model_construct(coefficient=found)


def ln_predicted(these: Problem, values: np.ndarray) -> np.ndarray:
    """ln of the output tokens a second that coefficients predict for every row."""
    fit = _as_fit(these.names, values)
    slower = np.exp(-these.design @ values[-these.design.shape[1] :])
    prefill = model.prefill_seconds(these.at_peak, these.input_tokens, fit, slower)
    step = model.step_seconds(these.at_peak, these.batch, fit, slower)
    served = model.requests_per_second(these.batch, prefill, step, these.output_tokens)
    return np.log(these.replicas * served * these.output_tokens)


def _system(these: Problem, mask: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Residuals of the rows of a mask, and the pull of what was known before."""
    before = _before(these)
    pull = np.sqrt(RIDGE * np.where(np.arange(len(before)) < len(BEFORE), 2, 1)) * (values - before)
    return np.r_[np.sqrt(these.weights[mask]) * (these.ln_published - ln_predicted(these, values))[mask], pull]


def solve(these: Problem, mask: np.ndarray) -> np.ndarray:
    """Coefficients from the rows of a mask."""
    return least_squares(lambda values: _system(these, mask, values), _before(these), loss="soft_l1", f_scale=0.3).x


def _before(these: Problem) -> np.ndarray:
    return np.array([*BEFORE.values(), *np.zeros(len(these.names) - len(BEFORE))])


def residuals(rows: list[Row]) -> statistics.Residuals:
    """ln(published/predicted) of every row, inside and with its family left out."""
    these = problem(rows)
    return statistics.out_of_family(
        [row.family for row in rows],
        lambda mask: solve(these, mask),
        lambda values, mask: (these.ln_published - ln_predicted(these, values))[mask],
    )


def fitted() -> Fit:
    """The coefficients, their standard errors, and the spread of what the fit did not see."""
    rows = published()
    these = problem(rows)
    every = np.ones(len(rows), dtype=bool)
    values = solve(these, every)
    found = residuals(rows)
    families = len({row.family for row in rows})
    variance = float(np.sum(these.weights * found.inside**2) / np.sum(these.weights))
    slopes = least_squares(lambda x: _system(these, every, x), values, max_nfev=1).jac
    errors = np.sqrt(np.diag(np.linalg.inv(slopes.T @ slopes)) * variance)
    return Fit(
        coefficient={
            name: Coefficient(value=float(value), standard_error=float(error))
            for name, value, error in zip(these.names, values, errors, strict=True)
        },
        residual_scale={"usual": statistics.spread(found.left_out, these.weights, 0.9, families - 1)},
        degrees_of_freedom=families - 1,
        rows=len(rows),
        groups=len({row.group for row in rows}),
        sources=families,
        recorded=statistics.RECORDED,
    )


def factors(rows: list[Row], fit: Fit) -> np.ndarray:
    """What each row's prediction is divided and multiplied by for its 90 % interval."""
    return np.full(len(rows), model.interval_factor(fit))


def main() -> None:
    """Print the file of coefficients."""
    sys.stdout.write(statistics.toml_of("serving", fitted(), "How near engines come to the roofline."))


if __name__ == "__main__":
    main()
