"""What an accepted answer is worth, where the scenario states it."""

from __future__ import annotations

import numpy as np

from calc.scenario import Value
from calc.setting import Setting
from calc.timeline import Floats


def value_per_accepted_usd(setting: Setting, value: Value) -> Floats:
    """US$ an accepted answer is worth, by month: what it earns plus the staff minutes it displaces."""
    minute_usd = setting.staff_rate(value.role).price.usd / 60
    return np.asarray(value.usd_per_accepted_answer + value.minutes_saved_per_accepted_answer * minute_usd)
