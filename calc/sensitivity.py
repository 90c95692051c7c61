"""What happens to the answer when one or two other inputs move: totals over a field, and who wins where.

A field is addressed by the scenario file's dotted path, ``approaches.rag.retrieval.chunks_per_request``. It is replaced by an
array and every formula runs once over all of its values.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
from numpy.typing import NDArray

from calc.compare import compare
from calc.fields import with_field
from calc.ledger import Unpriced
from calc.scenario import Scenario
from pricing import PriceBook


def totals_over(
    scenario: Scenario, book: PriceBook, fields: Mapping[str, NDArray[np.float64]], *, today: date | None = None
) -> dict[str, NDArray[np.float64]]:
    """What is compared, in US$ over the horizon, of every priced and available approach, at each value of the fields.

    Args:
        fields: dotted path → values; all arrays of the same shape (n,).

    Returns:
        Approach → totals of shape (n,), at equal resolved answers.

    Raises:
        ValueError: a field does not exist or holds no number.
    """
    point = scenario.at_point()
    shape = next(iter(fields.values())).shape
    for path, values in fields.items():
        point = with_field(point, path, np.asarray(values, dtype=float))
    totals = {}
    for name, result in compare(point, book, today=today).results.items():
        if result.unavailable is None:
            try:
                totals[name] = np.broadcast_to(np.squeeze(result.compared_usd()), shape)
            except Unpriced:
                continue
    return totals


def winner_map(
    scenario: Scenario,
    book: PriceBook,
    x: tuple[str, NDArray[np.float64]],
    y: tuple[str, NDArray[np.float64]],
    *,
    today: date | None = None,
) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Who is cheapest over two fields.

    Args:
        x, y: dotted path and values, of shapes (nx,) and (ny,).

    Returns:
        The names of the approaches with a total, and which of them is cheapest, shape (ny, nx).

    Raises:
        ValueError: a field does not exist or no approach has a total.
    """
    (x_path, x_values), (y_path, y_values) = x, y
    grid_x, grid_y = np.meshgrid(x_values, y_values)
    totals = totals_over(scenario, book, {x_path: grid_x.ravel(), y_path: grid_y.ravel()}, today=today)
    if not totals:
        raise ValueError(f"no approach has a total over {x_path} and {y_path}")
    cheapest = np.argmin(np.stack(list(totals.values())), axis=0)
    return tuple(totals), cheapest.reshape(grid_x.shape)
