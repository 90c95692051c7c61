"""What an accepted answer is worth, where the scenario states it."""

from __future__ import annotations

import numpy as np

from calc.scenario import Value
from calc.setting import Setting
from calc.timeline import Floats
from pricing import PriceMissing


def value_per_accepted_usd(setting: Setting, value: Value) -> Floats:
    """US$ an accepted answer is worth, by month: what it earns plus the staff minutes it displaces.

    Raises:
        PriceMissing: the role's wage is not known on the as-of day.
    """
    usd = value.usd_per_accepted_answer * np.ones(setting.months.count)
    if np.any(np.asarray(value.minutes_saved_per_accepted_answer) > 0):
        hourly = setting.staff_rate(value.role).price
        if hourly.missing:
            raise PriceMissing(f"value.role: {hourly.missing}")
        usd = usd + value.minutes_saved_per_accepted_answer / 60 * hourly.usd
    return np.asarray(usd)
