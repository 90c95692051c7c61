"""Hours of set-up and upkeep: the sum of what each part of the approach needs, unless stated."""

from __future__ import annotations

import numpy as np

from calc.ledger import CostLine, each, once, priced_line
from calc.scenario import OwnGpus
from calc.setting import Given, Setting, say


def parts_to_staff(setting: Setting) -> tuple[str, ...]:
    """The parts of the approach that need set-up and upkeep, as the assumptions name them."""
    approach = setting.approach
    parts = ["prompt"]
    if approach.shows_examples:
        parts.append("few_shot")
    if approach.retrieval is not None:
        parts.append("retrieval")
    if approach.tuning is not None:
        parts.append("tuning")
    if isinstance(approach.serving, OwnGpus):
        parts.append("own_gpu")
    return tuple(parts)


def lines(setting: Setting) -> list[CostLine]:
    """Set-up once, maintenance in every active month."""
    spec, months = setting.approach.staffing, setting.months
    rate = setting.staff_rate(spec.role)
    parts = parts_to_staff(setting)
    set_up = _sum(setting, spec.set_up_hours, [f"staff.{part}_set_up_hours" for part in parts])
    upkeep = _sum(
        setting,
        spec.maintenance_hours_per_month,
        # choosing the examples is set-up; they need no upkeep of their own
        [f"staff.{part}_maintenance_hours_per_month" for part in parts if part != "few_shot"],
    )
    return [
        priced_line(
            "staffing.set_up",
            "Set-up",
            "staff and evaluation",
            "one-off",
            once(months.count, setting.start, set_up[0].value),
            "hour",
            rate.price,
            f"{say(set_up[0].value)} h{_of(parts, set_up[1])}",
            assumptions=(*set_up[1], *rate.assumptions),
        ),
        priced_line(
            "staffing.maintenance",
            "Maintenance",
            "staff and evaluation",
            "monthly",
            each(setting.active, upkeep[0].value),
            "hour",
            rate.price,
            f"{say(upkeep[0].value)} h a month{_of(parts, upkeep[1])}",
            assumptions=(*upkeep[1], *rate.assumptions),
        ),
    ]


def migration_lines(setting: Setting, months_of_migration: tuple[int, ...]) -> list[CostLine]:
    """Hours to move to a successor model, in each month in which one takes over."""
    rate = setting.staff_rate(setting.approach.staffing.role)
    hours = setting.given(None, "staff.migration_hours")
    return [
        priced_line(
            f"staffing.migration:{month}",
            f"Migration, {setting.months.starts[month]:%B %Y}",
            "staff and evaluation",
            "one-off",
            once(setting.months.count, month, hours.value),
            "hour",
            rate.price,
            f"{say(hours.value)} h",
            assumptions=(hours.assumption, *rate.assumptions),
        )
        for month in months_of_migration
    ]


def _sum(setting: Setting, stated: float | None, names: list[str]) -> tuple[Given, tuple[str, ...]]:
    if stated is not None:
        return Given(stated), ()
    # where several numbers of examples are computed at once, none of them takes no hours
    needed = {"staff.few_shot_set_up_hours": np.asarray(setting.approach.shots) > 0}
    hours = sum(setting.rates.assumption(name).likely * needed.get(name, 1) for name in names)
    return Given(hours), tuple(names)


def _of(parts: tuple[str, ...], assumed: tuple[str, ...]) -> str:
    return f" for {', '.join(part.replace('_', ' ') for part in parts)}" if assumed else ""
