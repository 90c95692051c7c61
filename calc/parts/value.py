"""What an accepted answer is worth, where the scenario states it."""

from __future__ import annotations

import numpy as np

from calc.scenario import Value
from calc.setting import Setting
from calc.timeline import MonthlyPrice


def value_per_accepted_usd(setting: Setting, value: Value) -> MonthlyPrice:
    """US$ an accepted answer is worth, by month: what it earns plus the staff minutes it displaces."""
    rate = setting.staff_rate(value.role)
    usd = value.usd_per_accepted_answer + value.minutes_saved_per_accepted_answer / 60 * rate.price.usd
    return MonthlyPrice(np.asarray(usd), rate.price.rows)
