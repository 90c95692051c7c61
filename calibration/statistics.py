"""What every fit here shares: groups that count once, families left out whole, medians, spread, coverage."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtrit

from pricing import PriceBook, PricingError
from pricing.model import Fit, Gpu, OpenModel

FOLDER = Path(__file__).parent
RECORDED = date(2026, 11, 21)
"""The day the coefficients in the price book were fitted; rates recorded later are not used."""
RATES = PriceBook.bundled().as_of(RECORDED, RECORDED)

Predict = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Residuals(NamedTuple):
    """ln(published/predicted) of every row, with all rows fitted and with the row's whole family left out."""

    inside: np.ndarray
    left_out: np.ndarray


class Accuracy(NamedTuple):
    """How near predictions come to what was published."""

    rows: int
    groups: int
    median_inside: float
    median_left_out: float
    covered: float
    """Share of rows within the 90 % interval, their family left out of the fit."""


def rows_of(name: str) -> list[dict[str, str]]:
    """The published rows of a file, texts by column."""
    with (FOLDER / "rows" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _beside_the_book(kind: Any, file: str, name: str) -> Any:
    found = tomllib.loads((FOLDER / file).read_text(encoding="utf-8"), parse_float=Decimal)
    return kind.model_validate(found[name]) if name in found else None


def model_named(name: str) -> OpenModel:
    """Facts of open weights, from the price book or, where it has none, from this folder."""
    found = _beside_the_book(OpenModel, "open_models.toml", name)
    return found if found is not None else RATES.open_model(name)


def gpu_named(name: str) -> Gpu:
    """Facts of a GPU, from the price book or, where it has none, from this folder."""
    found = _beside_the_book(Gpu, "gpus.toml", name)
    return found if found is not None else RATES.gpu(name)


# --- weights and spread ---------------------------------------------------------------------------------------------------


def group_weights(groups: Sequence[str]) -> np.ndarray:
    """1 ÷ rows of the group, for every row: a group counts once."""
    names, index, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    assert len(names)
    return 1.0 / counts[index]


def median_over_groups(residuals: np.ndarray, groups: Sequence[str]) -> float:
    """Median over groups of the group's median |ln(published/predicted)|."""
    names = np.asarray(groups)
    return float(np.median([np.median(np.abs(residuals[names == name])) for name in np.unique(names)]))


def spread(residuals: np.ndarray, weights: np.ndarray, level: float, degrees_of_freedom: float) -> float:
    """Scale s such that ±t·s covers the weighted share `level` of the residuals, t of so many degrees of freedom."""
    order = np.argsort(np.abs(residuals))
    cumulated = np.cumsum(weights[order]) / np.sum(weights)
    reached = np.abs(residuals)[order][np.searchsorted(cumulated, level - 1e-12)]
    return float(reached / stdtrit(degrees_of_freedom, (1 + level) / 2))


def out_of_family(families: Sequence[str], fit: Callable[[np.ndarray], np.ndarray], residuals_of: Predict) -> Residuals:
    """Residuals with all rows fitted, and each family's with that family left out.

    Args:
        fit: coefficients from the rows of a mask.
        residuals_of: ln(published/predicted) from coefficients, for the rows of a mask.
    """
    names = np.asarray(families)
    every = np.ones(len(names), dtype=bool)
    inside = residuals_of(fit(every), every)
    left_out = np.empty_like(inside)
    for family in np.unique(names):
        held = names == family
        left_out[held] = residuals_of(fit(~held), held)
    return Residuals(inside, left_out)


def accuracy(residuals: Residuals, groups: Sequence[str], factors: np.ndarray) -> Accuracy:
    """Medians over groups, and the share of rows whose interval holds what was published."""
    return Accuracy(
        rows=len(groups),
        groups=len(set(groups)),
        median_inside=median_over_groups(residuals.inside, groups),
        median_left_out=median_over_groups(residuals.left_out, groups),
        covered=float(np.mean(np.abs(residuals.left_out) <= np.log(factors))),
    )


# --- writing --------------------------------------------------------------------------------------------------------------


def toml_of(name: str, fit: Fit, says: str) -> str:
    """A fit as the text of its file in the price book."""
    lines = [f"# {says}", f"# Regenerate: python -m calibration.{name} > pricing/coefficients/{name}.toml", "", f"[[{name}]]"]
    lines += [f"recorded = {fit.recorded}", f"rows = {fit.rows}", f"groups = {fit.groups}", f"sources = {fit.sources}"]
    lines += [f"degrees_of_freedom = {fit.degrees_of_freedom:g}", f"\n[{name}.residual_scale]"]
    lines += [f"{kind} = {scale:.4f}" for kind, scale in fit.residual_scale.items()]
    lines += [f"\n[{name}.coefficient]"]
    lines += [
        f"{key} = {{ value = {found.value:.5f}, standard_error = {found.standard_error:.5f} }}"
        for key, found in fit.coefficient.items()
    ]
    return "\n".join(lines) + "\n"


def stored(name: str) -> Fit:
    """The fit in the price book.

    Raises:
        PricingError: there is none yet.
    """
    found = PriceBook.bundled().fits.get(name)
    if not found:
        raise PricingError(f"pricing/coefficients/{name}.toml is missing. Run: python -m calibration.{name}")
    return found[-1]
