"""Hours that people spend on a training set, step by step, from nothing but its size and the kind of task.

Low, likely and high take every assumption at its favourable, likely and unfavourable end: the outer bounds, not a range of
equally likely values. The steps from writing to checking sum to the data preparation of a comparison; collecting is part of its
set-up of tuning, evaluating of its evaluation.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from calc.parts.data_preparation import WRITTEN_BY_HAND, candidates_for, preparation_steps, teacher_usd
from calc.scenario import TaskKind
from calc.setting import role_rate
from pricing import Price, Rates

Source = Literal["logs", "hand", "teacher", "bought"]
End = Literal["low", "likely", "high"]
ENDS: tuple[End, ...] = ("low", "likely", "high")
_OTHER_END: dict[End, End] = {"low": "high", "likely": "likely", "high": "low"}


class Step(NamedTuple):
    """Hours of one step, and the names of the assumptions they come from."""

    name: str
    low: float
    likely: float
    high: float
    assumptions: tuple[str, ...]


class StaffTime(NamedTuple):
    """The steps in order, and what an hour costs."""

    steps: tuple[Step, ...]
    role: str
    usd_per_hour: float
    wage: Price

    def hours(self, end: End) -> float:
        """Of all steps."""
        return float(sum(getattr(step, end) for step in self.steps))

    def usd(self, end: End) -> float:
        """Hours × the role's rate."""
        return self.hours(end) * self.usd_per_hour


_PREPARATION = "data_preparation."
_EVALUATION = "evaluation."
_COLLECTING: dict[str, tuple[str, ...]] = {"logs": ("collect_hours",), "hand": (), "teacher": (), "bought": ()}


def staff_time(rates: Rates, examples: float, kind: TaskKind, *, source: Source = "logs", role: str = "ml_engineer") -> StaffTime:
    """Hours and cost of people for a training set.

    Args:
        examples: accepted ones, that the model is trained on.
        kind: of task; it decides the minutes for writing and reviewing one.
        source: where the examples come from.
        role: who does it, ``bls/ROLE`` in the price book.

    Raises:
        UnknownOffer: the role is not in the book.
        PriceMissing: its wage or an assumption is not.
    """
    usd_per_hour, wage, _ = role_rate(rates, role)
    by_end = {end: _steps(rates, examples, kind, source, end) for end in ENDS}
    named = _assumptions(kind, source)
    steps = tuple(
        Step(name, by_end["low"][name], likely, by_end["high"][name], named[name]) for name, likely in by_end["likely"].items()
    )
    return StaffTime(steps, role, usd_per_hour, wage)


def _steps(rates: Rates, examples: float, kind: str, source: str, end: End) -> dict[str, float]:
    def assumed(name: str, at: End = end) -> float:
        return float(getattr(rates.assumption(name), at))

    def prepared(name: str) -> float:
        return assumed(_PREPARATION + name)

    hand_share = WRITTEN_BY_HAND[source] if source in WRITTEN_BY_HAND else prepared("hand_written_share")
    made = preparation_steps(
        hand_share * examples,
        prepared(f"author_minutes_{kind}"),
        candidates_for(examples, assumed(f"{_PREPARATION}accept_share", _OTHER_END[end])),
        prepared("reviewed_share"),
        prepared("reviewers_per_example"),
        prepared(f"review_minutes_{kind}"),
        prepared("adjudication_minutes_per_example") * examples,
        prepared("rework_share"),
        prepared("guideline_hours") + prepared("quality_hours"),
    )
    answers = assumed(f"{_EVALUATION}evaluation_examples") * assumed(f"{_EVALUATION}runs_per_release")
    grading = answers * assumed(f"{_EVALUATION}grading_minutes_per_answer") / 60
    return {
        "collect": sum(prepared(name) for name in _COLLECTING[source]),
        "write": float(made.write),
        "review": float(made.review),
        "adjudicate": float(made.adjudicate),
        "guidelines and checks": float(made.fixed),
        "evaluate": assumed(f"{_EVALUATION}evaluation_set_hours") + grading,
    }


def _assumptions(kind: str, source: str) -> dict[str, tuple[str, ...]]:
    hand = () if source in WRITTEN_BY_HAND else ("hand_written_share",)
    prepared = {
        "collect": _COLLECTING[source],
        "write": (*hand, f"author_minutes_{kind}", "rework_share"),
        "review": ("accept_share", "reviewed_share", "reviewers_per_example", f"review_minutes_{kind}", "rework_share"),
        "adjudicate": ("adjudication_minutes_per_example", "rework_share"),
        "guidelines and checks": ("guideline_hours", "quality_hours"),
    }
    evaluated = ("evaluation_set_hours", "evaluation_examples", "runs_per_release", "grading_minutes_per_answer")
    return {step: tuple(_PREPARATION + name for name in names) for step, names in prepared.items()} | {
        "evaluate": tuple(_EVALUATION + name for name in evaluated)
    }


class TeacherBill(NamedTuple):
    """What a teacher model charges to write the answers of a training set."""

    model: str
    candidates: float
    tokens_in: float
    tokens_out: float
    usd: float
    prices: tuple[Price, Price]


def teacher_bill(rates: Rates, model: str, examples: float, tokens_in: float, tokens_out: float) -> TeacherBill:
    """Candidates × (T_in·p_in + T_out·p_out)/10⁶.

    Args:
        model: an offer id.
        examples: accepted ones; candidates are as many more as the assumption data_preparation.accept_share says.
        tokens_in, tokens_out: of one request to the teacher and of its answer, reasoning included.

    Raises:
        UnknownOffer: the model is not in the book.
        PriceMissing, PriceUnverified: its price is not.
    """
    candidates = float(candidates_for(examples, rates.assumption(f"{_PREPARATION}accept_share").likely))
    p_in = rates.price(model, "input_usd_per_mtok", context_tokens=tokens_in)
    p_out = rates.price(model, "output_usd_per_mtok", context_tokens=tokens_in)
    usd = candidates * float(teacher_usd(tokens_in, tokens_out, p_in.usd, p_out.usd))
    return TeacherBill(model, candidates, tokens_in, tokens_out, usd, (p_in, p_out))
