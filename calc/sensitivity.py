"""Totals over fields of a scenario.

A field is addressed by the scenario file's dotted path, ``approaches.rag.retrieval.chunks_per_request``. It is replaced by an
array and every formula runs once over all of its values.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from calc.compare import Comparison, compare_at
from calc.fields import with_field
from calc.timeline import Floats


def totals_over(comparison: Comparison, fields: Mapping[str, Floats]) -> dict[str, Floats]:
    """What is compared, in US$ over the horizon, of every priced and available approach, at each value of the fields.

    Args:
        comparison: whose scenario and rates hold for all else.
        fields: dotted path → values; all arrays of the same shape (n,).

    Returns:
        Approach → totals of shape (n,), at equal resolved answers.

    Raises:
        ValueError: a field does not exist or holds no number.
    """
    point = comparison.point
    for path, values in fields.items():
        point = with_field(point, path, np.asarray(values, dtype=float))
    return compare_at(point, comparison.rates).compared_totals(len(next(iter(fields.values()))))
