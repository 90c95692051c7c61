"""Why a number changed: what moved each approach's total from one answer to another, in parts that add up to the change.

What differs between the two (the price book, own prices, the day, the volume, a model, each changed input) is switched from old
to new in every combination, and each cause gets its Shapley value: the mean, over all orders in which the causes could have come
one after the other, of what switching it does. The parts do not depend on an order and sum to the change exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import combinations
from math import comb, fsum, isfinite
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from calc.break_even import BreakEven
from calc.compare import Comparison, compare, roles_used
from calc.estimate import Estimate
from calc.export import number
from calc.price_effect import rests_on
from calc.scenario import FAMILIES, Scenario
from pricing import PriceBook, PricingError, releases
from pricing.diff import Change, changes

Path = tuple[str, ...]
Kind = Literal["calculation", "price book", "own prices", "day", "volume", "model", "input", "several"]
"""several: causes of different kinds that cannot be told apart."""
Merged = Literal["", "too many", "not apart"]
Outcome = Literal["split", "added", "removed", "lost", "gained", "no total", "unsplit"]

MOST_CAUSES = 10
"""Causes told apart for one approach: each one more doubles the work, 1,024 evaluations at ten."""

DAY, BOOK, OWN = ("as_of",), ("price_release",), ("own_prices",)
_SET_ASIDE: frozenset[Path] = frozenset(
    {("name",), ("description",), DAY, BOOK, ("approaches",), ("finance", "currency"), ("correlations",)}
)
"""Not compared field by field: words, what moves no dollar, and what is compared by itself."""
_COMPOSED_AWAY = frozenset({("extends",), ("accepted_from",), ("retrieval", "same_as")})
"""Fields of an approach that only say where others were taken from."""
_VOLUME = (("workload", "requests_per_month"), ("workload", "growth"))
_PLACE = {
    *(("model",), ("serving",), ("serving", "gpu"), ("serving", "rent"), ("serving", "provider"), ("serving", "deployment")),
    *(("tuning", "kind"), ("tuning", "at"), ("tuning", "deployment"), ("tuning", "gpu"), ("tuning", "rent")),
}
"""Fields of an approach that say which model answers and where it is tuned and served."""
_ABSENT: Any = object()


@dataclass(frozen=True)
class Answer:
    """What was answered, then or now: the version of tuneworth, and figures as it gave them."""

    tuneworth: str | None
    totals: Mapping[str, float | None]
    """US$ over the horizon by approach; None where it had no total."""
    why_not: Mapping[str, str]
    """Why an approach had none."""
    winner: str | None
    break_evens: tuple[BreakEven, ...]


@dataclass(frozen=True)
class State:
    """A scenario on a day, at the state of a price book that its ``price_release`` names."""

    scenario: Scenario
    book: PriceBook
    day: date
    answer: Answer | None = None
    """What was answered at the time; None: it is computed now."""

    @cached_property
    def comparison(self) -> Comparison:
        """The scenario as computed now, on its day and at its state of the book.

        Raises:
            as `calc.compare.compare`.
        """
        return compare(self.scenario.model_copy(update={"as_of": self.day}), self.book)

    @cached_property
    def given(self) -> Answer:
        """The answer of the time, or else the one computed now."""
        return self.answer or answer_of(self.comparison)

    def computed(self, name: str) -> float | None:
        """An approach's total as computed now, US$; None where it has none."""
        found = self.comparison.available.get(name)
        return None if found is None else float(found.total())


def answer_of(found: Comparison, tuneworth: str | None = None) -> Answer:
    """The answer a comparison gives."""
    reference = found.point.reference
    pairs = [name for name in found.available if name != reference and reference in found.available]
    return Answer(
        tuneworth,
        {n: float(r.total()) if r.status == "available" else None for n, r in found.results.items()},
        {n: r.why_not[0] for n, r in found.results.items() if r.why_not},
        found.winner() if found.available else None,
        tuple(found.break_even(reference, name) for name in pairs),
    )


class FieldChange(NamedTuple):
    """A field that differs; a value is None where it is not stated, or where there is no such field."""

    path: Path
    old: Any
    new: Any

    @property
    def field(self) -> str:
        """Its dotted path in the scenario's file."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Cause:
    """What is switched from old to new as one."""

    kind: Kind
    fields: tuple[FieldChange, ...]
    merged: Merged = ""
    """too many: joined to stay within MOST_CAUSES; not apart: one without the other cannot be computed."""
    part: Path = ()
    """Of causes joined as too many, the part of the scenario they share; empty: of all of it."""

    @property
    def paths(self) -> frozenset[Path]:
        """Of its fields."""
        return frozenset(change.path for change in self.fields)


class Effect(NamedTuple):
    """What a cause did to an approach's total, US$ over the horizon."""

    cause: Cause
    usd: float


@dataclass(frozen=True)
class ApproachChange:
    """An approach's total before and after, and the effects that sum to the difference."""

    name: str
    outcome: Outcome
    """split: with effects; unsplit: both totals are known, but one cannot be computed any more."""
    old_usd: float | None
    new_usd: float | None
    effects: tuple[Effect, ...] = ()
    """The largest first."""
    why: str = ""
    """Why there is a total missing, or no split."""

    @property
    def change_usd(self) -> float | None:
        """New − old; None where either is missing."""
        return None if self.old_usd is None or self.new_usd is None else self.new_usd - self.old_usd


class BreakEvenChange(NamedTuple):
    """The break-even of the reference and an approach in both answers."""

    old: BreakEven
    new: BreakEven


@dataclass(frozen=True)
class ChangeExplained:
    """Why the answer changed."""

    old: State
    new: State
    approaches: tuple[ApproachChange, ...]
    price_changes: tuple[Change, ...]
    """What was recorded between the two states of the book and is used by either answer; empty where own books differ."""

    @property
    def differs(self) -> bool:
        """Whether anything that could move a figure differs, or a figure."""
        return any(found.effects or found.outcome not in ("split", "no total") for found in self.approaches)

    @property
    def break_evens(self) -> tuple[BreakEvenChange, ...]:
        """Those against the reference whose verdict is not the same any more; none where the reference is another."""
        before, after = (_against_reference(state) for state in (self.old, self.new))
        both = [BreakEvenChange(before[pair], after[pair]) for pair in after if pair in before]
        return tuple(found for found in both if found.old.verdict != found.new.verdict)


def explain_change(old: State, new: State, *, tuneworth: str | None = None) -> ChangeExplained:
    """What moved each approach's total from the old answer to the new one.

    Args:
        tuneworth: the version that runs now, to name effects of the calculation by.

    Raises:
        as `calc.compare.compare`: one of the two cannot be computed.
    """
    causes = _causes(old, new)
    names = list(dict.fromkeys((*new.given.totals, *old.given.totals)))
    explained = tuple(_approach_change(old, new, name, causes, tuneworth) for name in names)
    return ChangeExplained(old, new, explained, _price_changes(old, new, causes))


# --- what differs ---------------------------------------------------------------------------------------------------------


def _causes(old: State, new: State) -> list[Cause]:
    """Everything that differs and could move a total, in an order that the files' order has no part in."""
    found = [Cause(kind, (change,)) for kind, change in _price_state(old, new)]
    both = [_plain(state.scenario) for state in (old, new)]
    fields = [FieldChange(path, *(_value(plain, path) for plain in both)) for path in _changed_paths(old, new)]
    grouped: dict[tuple[Kind, str], list[FieldChange]] = {}
    moved = {change.path[1] for change in fields if change.path[0] == "approaches" and change.path[2:] in _PLACE}
    for change in sorted(fields, key=lambda change: change.path):
        grouped.setdefault(_group(change.path, moved), []).append(change)
    return found + [Cause(kind, tuple(joined)) for (kind, _), joined in grouped.items()]


def _group(path: Path, moved: Iterable[str]) -> tuple[Kind, str]:
    """The kind of a changed field, and what it is switched together with."""
    if path[:2] in _VOLUME:
        return "volume", ""
    if path[0] == "approaches" and path[1] in moved and (path[2] == "serving" or path[2:] in _PLACE):
        return "model", path[1]
    return "input", ".".join(path)


def _price_state(old: State, new: State) -> Iterator[tuple[Kind, FieldChange]]:
    before, after = (state.book.own_files for state in (old, new))
    if before != after:
        yield "own prices", FieldChange(OWN, *([str(file) for file in files] or None for files in (before, after)))
    if _book_differs(old, new):
        yield "price book", FieldChange(BOOK, _book_name(old), _book_name(new))
    if old.day != new.day:
        yield "day", FieldChange(DAY, old.day.isoformat(), new.day.isoformat())


def _book_differs(old: State, new: State) -> bool:
    if old.book is not new.book and old.book.own_files == new.book.own_files:
        return True
    first, last = (state.book.recorded_through(state.scenario.price_release) for state in (old, new))
    return first != last and releases.digest(old.book, first or date.max) != releases.digest(old.book, last or date.max)


def _book_name(state: State) -> str | None:
    """The state of the book as people call it: a release, with later records or without, or a day."""
    found = state.comparison.price_book
    if found.release is None:
        return None if found.recorded_through is None else found.recorded_through.isoformat()
    return f"{found.release.name} and later records" if found.has_later else found.release.name


def _changed_paths(old: State, new: State) -> list[Path]:
    first, last = old.scenario, new.scenario
    found = list(_differences(first, last, ()))
    for name in first.approaches.keys() & last.approaches.keys():
        inside = _differences(first.approaches[name], last.approaches[name], ())
        found += [("approaches", name, *path) for path in inside if path not in _COMPOSED_AWAY]
    return found


def _differences(old: Any, new: Any, path: Path) -> Iterator[Path]:
    """Where two values differ; an estimate, a list, or a part of another kind counts as a whole."""
    if path in _SET_ASIDE:
        return
    if isinstance(old, BaseModel) and type(old) is type(new) and not isinstance(old, Estimate):
        old, new = old.__dict__, new.__dict__
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _differences(old.get(key, _ABSENT), new.get(key, _ABSENT), (*path, key))
    elif old is not new and old != new:
        yield path


def _value(fields: Any, path: Path) -> Any:
    """A field's plain value; None where there is none."""
    for key in path:
        fields = fields.get(key) if isinstance(fields, dict) else None
    return fields


def _plain(scenario: Scenario) -> dict[str, Any]:
    """The scenario's plain fields, composed: reading them again adds and inherits nothing. Correlations move no total."""
    fields: dict[str, Any] = scenario.model_dump(mode="json") | {"correlations": []}
    for approach in fields["approaches"].values():
        approach["extends"] = None
        if approach["retrieval"] is not None:
            approach["retrieval"]["same_as"] = None
    return fields


# --- an approach ----------------------------------------------------------------------------------------------------------


def _approach_change(old: State, new: State, name: str, causes: Sequence[Cause], tuneworth: str | None) -> ApproachChange:
    before, after = old.given, new.given
    was, is_now = before.totals.get(name), after.totals.get(name)
    if name not in before.totals:
        return ApproachChange(name, "added", None, is_now, why=after.why_not.get(name, ""))
    if name not in after.totals:
        return ApproachChange(name, "removed", was, None, why=before.why_not.get(name, ""))
    if was is None and is_now is None:
        return ApproachChange(name, "no total", None, None, why=after.why_not.get(name, ""))
    if is_now is None:
        return ApproachChange(name, "lost", was, None, why=after.why_not.get(name, ""))
    if was is None:
        return ApproachChange(name, "gained", None, is_now, why=before.why_not.get(name, ""))
    first, last = old.computed(name), new.computed(name)
    if first is None or last is None:
        failed = old if first is None else new
        why = failed.comparison.results[name].why_not[0]
        return ApproachChange(name, "unsplit", was, is_now, why=f"it cannot be computed any more: {why}")
    was, is_now = (  # a report holds twelve digits
        full if number(full) == number(told) else told for full, told in ((first, was), (last, is_now))
    )
    effects = [*_split(_Mixes(old, new, name), causes)]
    effects += _calculation(old.given.tuneworth, tuneworth, first - was)
    effects += _calculation(tuneworth, new.given.tuneworth, is_now - last)
    return ApproachChange(name, "split", was, is_now, tuple(sorted(effects, key=lambda found: -abs(found.usd))))


def _calculation(old: str | None, new: str | None, usd: float) -> list[Effect]:
    """What two versions of tuneworth make of the same scenario and prices; nothing where they agree."""
    return [Effect(Cause("calculation", (FieldChange(("tuneworth",), old, new),)), usd)] if usd else []


class _Mixes:
    """An approach's total where some fields are as in the new scenario and the others as in the old one."""

    def __init__(self, old: State, new: State, name: str) -> None:
        self._old, self._new, self.name = old, new, name
        self._first, self._last = _plain(old.scenario), _plain(new.scenario)
        self._known: dict[frozenset[Path], float | None] = {}

    def concerns(self, path: Path) -> bool:
        """Whether a field is one the total is computed from: not one of another approach, but for the references'."""
        used = (self.name, self._old.scenario.reference, self._new.scenario.reference)
        return path[0] != "approaches" or path[1] in used

    def total(self, switched: frozenset[Path]) -> float | None:
        """US$ with these fields as in the new scenario; None where that cannot be computed."""
        if switched not in self._known:
            self._known[switched] = self._computed(switched)
        return self._known[switched]

    def _computed(self, switched: frozenset[Path]) -> float | None:
        book = (self._new if OWN in switched or (BOOK in switched and self._same_own) else self._old).book
        try:
            found = compare(self._scenario(switched), book).results[self.name]
        except (ValueError, PricingError):
            return None
        total = float(found.total()) if found.status == "available" else None
        return total if total is not None and isfinite(total) else None

    @property
    def _same_own(self) -> bool:
        return self._old.book.own_files == self._new.book.own_files

    def _scenario(self, switched: frozenset[Path]) -> Scenario:
        fields: dict[str, Any] = self._first | {"as_of": (self._new if DAY in switched else self._old).day.isoformat()}
        fields["price_release"] = (self._last if BOOK in switched else self._first)["price_release"]
        fields["approaches"] = self._last["approaches"] | self._first["approaches"]
        for path in switched - {DAY, BOOK, OWN}:
            fields = _with(fields, path, _inside(self._last, path))
        used = {self.name, fields["reference"]}
        fields["approaches"] = {family: None for family in FAMILIES if family not in used} | {
            name: approach for name, approach in fields["approaches"].items() if name in used
        }
        mixed = Scenario.model_validate(fields)
        roles = set(roles_used(mixed).values())
        return mixed.model_copy(update={"staff_usd_per_hour": {r: v for r, v in mixed.staff_usd_per_hour.items() if r in roles}})


def _inside(fields: Any, path: Path) -> Any:
    for key in path:
        fields = fields.get(key, _ABSENT)
    return fields


def _with(fields: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """The fields with one of them otherwise, or taken out."""
    key, *rest = path
    if rest:
        return fields | {key: _with(fields[key], tuple(rest), value)}
    return {k: v for k, v in fields.items() if k != key} | ({} if value is _ABSENT else {key: value})


# --- the split ------------------------------------------------------------------------------------------------------------


def _split(mixes: _Mixes, causes: Sequence[Cause]) -> Iterator[Effect]:
    """The Shapley value of every cause that the approach's total is computed from."""
    found = few_enough([cause for cause in causes if any(map(mixes.concerns, cause.paths))])

    def total(switched: Iterable[int]) -> float | None:
        return mixes.total(frozenset().union(*(found[i].paths for i in switched)))

    while inseparable := _inseparable(total, len(found)):
        joined = _joined([found[i] for i in inseparable], "not apart")
        found = [cause for i, cause in enumerate(found) if i not in inseparable] + [joined]
    coalitions = ([i for i in range(len(found)) if mask >> i & 1] for mask in range(2 ** len(found)))
    totals = [total(switched) for switched in coalitions]
    for cause, usd in zip(found, shapley_values([known for known in totals if known is not None]), strict=True):
        yield Effect(cause, usd)


def shapley_values(totals: Sequence[float]) -> list[float]:
    """Each cause's part of the change from the first total to the last, at position 0 to n − 1.

    φ_i = Σ over S without i of |S|!(n − |S| − 1)!/n! · (total(S ∪ i) − total(S)).

    Args:
        totals: 2ⁿ of them; bit i of the position says whether cause i is switched to new.
    """
    n = (len(totals) - 1).bit_length()
    return [
        fsum(
            (totals[mask | 1 << i] - totals[mask]) / (n * comb(n - 1, mask.bit_count()))
            for mask in range(len(totals))
            if not mask >> i & 1
        )
        for i in range(n)
    ]


def _inseparable(total: Callable[[Iterable[int]], float | None], count: int) -> tuple[int, ...]:
    """The causes of the smallest mix that can be computed around the first one that cannot; none where all can."""
    for size in range(1, count):
        for some in combinations(range(count), size):
            if total(some) is None:
                return next(wider for wider in _wider(some, count) if total(wider) is not None)
    return ()


def _wider(some: tuple[int, ...], count: int) -> Iterator[tuple[int, ...]]:
    """The sets that hold these causes and others, the smallest first; the last one holds all."""
    others = [i for i in range(count) if i not in some]
    for size in range(1, len(others) + 1):
        for more in combinations(others, size):
            yield tuple(sorted((*some, *more)))


def few_enough(causes: Sequence[Cause]) -> list[Cause]:
    """The causes, inputs joined by the part of the scenario they share, the deepest first, until MOST_CAUSES are left."""
    found = list(causes)
    while len(found) > MOST_CAUSES:
        part, members = _deepest_shared(found)
        joined = _joined(members, "too many", part)
        found = [cause for cause in found if cause not in members] + [joined]
    return found


def _deepest_shared(causes: Sequence[Cause]) -> tuple[Path, list[Cause]]:
    """The deepest part of the scenario that holds several changed inputs, and these; models only where no input is left."""
    for kinds in (("input",), ("input", "model", "several")):
        able = [cause for cause in causes if cause.kind in kinds]
        under: dict[Path, list[Cause]] = {}
        for cause in able:
            place = _place(cause)
            for depth in range(len(place) + 1) if cause.merged else range(len(place)):
                under.setdefault(place[:depth], []).append(cause)
        shared = {part: members for part, members in under.items() if len(members) > 1}
        if shared:
            part = min(shared, key=lambda part: (-len(part), -len(shared[part]), part))
            return part, shared[part]
    raise AssertionError("prices and volume are fewer than the causes that can be told apart")


def _place(cause: Cause) -> Path:
    """Where in the scenario a cause lies: its field, its approach's model, or the part that joined ones share."""
    if cause.merged:
        return cause.part
    path = cause.fields[0].path
    return (*path[:2], "model") if cause.kind == "model" else path


def _joined(causes: Sequence[Cause], merged: Merged, part: Path = ()) -> Cause:
    kinds = {cause.kind for cause in causes}
    fields = sorted((change for cause in causes for change in cause.fields), key=lambda change: change.path)
    return Cause(kinds.pop() if len(kinds) == 1 else "several", tuple(fields), merged, part)


# --- prices and break-evens -----------------------------------------------------------------------------------------------


def _price_changes(old: State, new: State, causes: Sequence[Cause]) -> tuple[Change, ...]:
    """What was recorded between the two states of the book that either answer rests on."""
    first, last = (state.book.recorded_through(state.scenario.price_release) for state in (old, new))
    if not any(cause.kind == "price book" for cause in causes) or first is None or (last is not None and last < first):
        return ()
    found = changes(new.book, first, last)
    return tuple(change for change in found if any(rests_on(state.comparison, change) for state in (old, new)))


def _against_reference(state: State) -> dict[tuple[str, str], BreakEven]:
    """Break-evens by the reference's name and the other's."""
    reference = state.scenario.reference
    turned = (found if found.a == reference else found.mirrored for found in state.given.break_evens)
    return {(found.a, found.b): found for found in turned if found.a == reference}
