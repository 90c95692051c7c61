"""Staff time, bought labels and teacher tokens that go into a training set. Often the largest line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from calc.ledger import CostLine, once, priced_line
from calc.parts.prompt import MTOK, output_tokens, prefix_tokens
from calc.setting import Given, Setting, counted, say
from calc.timeline import MonthlyPrice, noted


class PreparationHours(NamedTuple):
    """Hours of making a training set, by step; what is redone is in each of the first three."""

    write: Any
    review: Any
    adjudicate: Any
    fixed: Any
    """Guidelines and quality checks."""


def preparation_steps(
    hand_written: Any,
    author_minutes: Any,
    candidates: Any,
    review_share: Any,
    reviewers: Any,
    review_minutes: Any,
    adjudication_minutes: Any,
    rework_share: Any,
    fixed_hours: Any,
) -> PreparationHours:
    """The terms of `preparation_hours`, which names the arguments."""

    def hours(minutes: Any) -> Any:
        return minutes / 60 / (1 - rework_share)

    return PreparationHours(
        hours(hand_written * author_minutes),
        hours(candidates * review_share * reviewers * review_minutes),
        hours(adjudication_minutes),
        fixed_hours,
    )


def preparation_hours(
    hand_written: Any,
    author_minutes: Any,
    candidates: Any,
    review_share: Any,
    reviewers: Any,
    review_minutes: Any,
    adjudication_minutes: Any,
    rework_share: Any,
    fixed_hours: Any,
) -> Any:
    """[n_hand·t_author + candidates·s_review·k·t_review + adjudication]/60/(1 − rework share) + guideline and QA hours.

    Args:
        hand_written: examples written by hand. author_minutes: minutes for each.
        candidates: examples before rejection. review_share, reviewers, review_minutes: who looks at them, for how long.
        adjudication_minutes: minutes to settle disagreement, in total.
        rework_share: share of the time that is redone.
        fixed_hours: guidelines and quality checks.
    """
    return sum(
        preparation_steps(
            hand_written,
            author_minutes,
            candidates,
            review_share,
            reviewers,
            review_minutes,
            adjudication_minutes,
            rework_share,
            fixed_hours,
        )
    )


WRITTEN_BY_HAND = {"hand": 1.0, "teacher": 0.0, "bought": 0.0}
"""Share of the examples written by hand, by their source; of logs it is an assumption."""


def candidates_for(examples: Any, accept_share: Any) -> Any:
    """Candidates needed for so many accepted examples."""
    return examples / np.maximum(accept_share, 1e-9)


def teacher_usd(tokens_in: Any, tokens_out: Any, input_usd_per_mtok: Any, output_usd_per_mtok: Any) -> Any:
    """What a teacher model charges for one candidate: (T_in·p_in + T_out·p_out)/10⁶."""
    return (tokens_in * input_usd_per_mtok + tokens_out * output_usd_per_mtok) / MTOK


def lines(setting: Setting, repeats: Sequence[tuple[int, str]]) -> list[CostLine]:
    """Data preparation before the first training and its share before each retraining.

    Args:
        repeats: (month, what) of each training; what is training or retraining.
    """
    found: list[CostLine] = []
    for month, what in repeats:
        first = what == "training"
        share = Given(1.0) if first else _given(setting, "retrain_share", "retrain_data_share")
        if not np.any(np.asarray(share.value) > 0):
            continue
        when = "" if first else f", {setting.months.starts[month]:%B %Y}"
        tag = "" if first else f":{month}"
        found += _once(setting, month, share, when, tag)
    return found


def _once(setting: Setting, month: int, share: Given, when: str, tag: str) -> list[CostLine]:
    spec, task, months = setting.approach.data_preparation, setting.scenario.task, setting.months
    tuning = setting.approach.tuning
    assert tuning is not None
    examples = tuning.examples if tuning.examples is not None else task.examples
    if examples is None:
        raise ValueError("fine-tuning needs task.examples (or tuning.examples)")
    accept = _given(setting, "accept_share")
    hand_share = (
        Given(WRITTEN_BY_HAND[spec.source])
        if spec.hand_written_share is None and spec.source != "logs"
        else _given(setting, "hand_written_share")
    )
    author = _given(setting, "author_minutes_per_example", f"author_minutes_{task.kind}")
    review = _given(setting, "review_minutes_per_example", f"review_minutes_{task.kind}")
    reviewed = _given(setting, "review_share", "reviewed_share")
    reviewers = _given(setting, "reviewers_per_example")
    adjudication = _given(setting, "adjudication_minutes_per_example")
    rework = _given(setting, "rework_share")
    guideline, quality = _given(setting, "guideline_hours"), _given(setting, "quality_hours")
    candidates = candidates_for(examples, accept.value)
    hours = share.value * preparation_hours(
        hand_share.value * examples,
        author.value,
        candidates,
        reviewed.value,
        reviewers.value,
        review.value,
        adjudication.value * examples,
        rework.value,
        guideline.value + quality.value,
    )
    rate = setting.staff_rate(spec.role)
    formula = (
        f"({say(hand_share.value * examples)} written × {say(author.value)} min + {say(candidates)} candidates × "
        f"{say(reviewed.value)} reviewed × {counted(reviewers.value, 'reviewer')} × {say(review.value)} min + {say(examples)} × "
        f"{say(adjudication.value)} min) ÷ 60 ÷ (1 − {say(rework.value)}) + {say(guideline.value + quality.value)} h"
    )
    if np.any(np.asarray(share.value) != 1):
        formula = f"{say(share.value)} × ({formula})"
    used = (share, accept, hand_share, author, review, reviewed, reviewers, adjudication, rework, guideline, quality)
    found = [
        priced_line(
            f"data_preparation.staff{tag}",
            f"Data preparation{when}",
            "data and training",
            "one-off",
            once(months.count, month, hours),
            "hour",
            rate.price,
            formula,
            assumptions=(*(given.assumption for given in used), *rate.assumptions),
        )
    ]
    if spec.source == "teacher":
        found.append(_teacher_line(setting, month, share.value * candidates, when, tag))
    if spec.source == "bought":
        price = MonthlyPrice(np.asarray(spec.label_usd_per_item) * np.ones(months.count))
        found.append(
            priced_line(
                f"data_preparation.labels{tag}",
                f"Bought labels{when}",
                "data and training",
                "one-off",
                once(months.count, month, share.value * candidates),
                "label",
                price,
                f"{say(share.value * candidates)} candidates",
            )
        )
    return found


def _teacher_line(setting: Setting, month: int, candidates: Any, when: str, tag: str) -> CostLine:
    """Candidates × (T_in·p_in + T_out·p_out)/10⁶, the teacher prompted as the reference approach is."""
    scenario, model = setting.scenario, setting.approach.data_preparation.teacher_model
    assert model is not None
    asked = replace(setting, approach=scenario.approaches[scenario.reference])
    tokens_in, tokens_out = prefix_tokens(asked) + scenario.workload.user_tokens, output_tokens(asked)
    in_month = setting.in_month(month)
    p_in, p_out = in_month.price(model, "input_usd_per_mtok"), in_month.price(model, "output_usd_per_mtok")
    usd = teacher_usd(tokens_in, tokens_out, p_in.usd, p_out.usd)
    return priced_line(
        f"data_preparation.teacher{tag}",
        f"Answers written by a teacher model{when}",
        "data and training",
        "one-off",
        once(setting.months.count, month, candidates),
        "example",
        MonthlyPrice(usd, (*p_in.rows, *p_out.rows), p_in.missing or p_out.missing, noted(p_in, p_out)),
        f"{say(candidates)} candidates × ({say(tokens_in)} input + {say(tokens_out)} output tokens)",
    )


def _given(setting: Setting, field: str, assumption: str | None = None) -> Given:
    return setting.given(getattr(setting.approach.data_preparation, field), f"data_preparation.{assumption or field}")
