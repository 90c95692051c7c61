"""Totals over fields of a scenario.

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
    for path, values in fields.items():
        point = with_field(point, path, np.asarray(values, dtype=float))
    return compare(point, book, today=today).compared_totals(len(next(iter(fields.values()))))
