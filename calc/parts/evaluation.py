"""The test set, and the runs of it before go-live, at every retraining or migration, and each month."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calc.ledger import CostLine, once, priced_line
from calc.setting import Setting, counted, say
from calc.timeline import MonthlyPrice
from calc.volume import Linear


def lines(setting: Setting, releases: Sequence[int], request_usd: MonthlyPrice) -> list[CostLine]:
    """The set, the tokens of its runs, and the grading.

    Args:
        releases: months in which a version goes live: go-live, retrainings, migrations.
        request_usd: cost of one evaluated request; zero where it runs on GPUs already paid for.
    """
    spec, months = setting.approach.evaluation, setting.months
    examples = setting.given(spec.examples, "evaluation.evaluation_examples")
    set_hours = setting.given(spec.set_hours, "evaluation.evaluation_set_hours")
    per_release = setting.given(spec.runs_per_release, "evaluation.runs_per_release")
    per_month = setting.given(spec.runs_per_month, "evaluation.evaluation_runs_per_month")
    minutes = setting.given(spec.grading_minutes_per_answer, "evaluation.grading_minutes_per_answer")
    rate = setting.staff_rate(spec.role)

    released = np.bincount([m for m in releases if m < months.count], minlength=months.count).astype(float)
    answers = Linear(examples.value * (released * per_release.value + setting.active * per_month.value), np.zeros(months.count))
    count = f"{say(examples.value)} questions × ({counted(per_release.value, 'run')} × {counted(len(releases), 'release')}"
    count += f" + {counted(per_month.value, 'run')} a month)"
    used = (examples.assumption, per_release.assumption, per_month.assumption)
    return [
        priced_line(
            "evaluation.set",
            "Evaluation set",
            "staff and evaluation",
            "one-off",
            once(months.count, setting.start, set_hours.value),
            "hour",
            rate.price,
            f"{say(set_hours.value)} h to build it",
            assumptions=(set_hours.assumption, *rate.assumptions),
        ),
        priced_line(
            "evaluation.runs",
            "Evaluation runs, tokens",
            "staff and evaluation",
            "monthly",
            answers,
            "answer",
            request_usd,
            count,
            assumptions=used,
        ),
        priced_line(
            "evaluation.grading",
            "Evaluation runs, grading",
            "staff and evaluation",
            "monthly",
            Linear(answers.fixed * minutes.value / 60, answers.per_request),
            "hour",
            rate.price,
            f"{count} × {say(minutes.value)} min ÷ 60",
            assumptions=(*used, minutes.assumption, *rate.assumptions),
        ),
    ]
