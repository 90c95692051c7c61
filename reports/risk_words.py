"""How sure the answer is, in words: the sentences and table rows of a simulation, for every surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from math import isfinite
from typing import Concatenate, ParamSpec, TypeVar

from calc.drivers import Bar, Effect
from calc.fields import numbers
from calc.risk import ApproachRisk, BreakEvenShares, Risk, origin
from calc.sampling import ASSUMED, PREDICTED, Input
from calc.uncertainty import DRAWS_PER_SCRAMBLE, MOST_SCRAMBLES, Figure, Simulation
from reports import field_words, words
from reports.sources import source_words

_P = ParamSpec("_P")
_T = TypeVar("_T")

MOST_NAMED = 3
"""Approaches in the verdict beside the first."""
LEAST_SHARE = 0.01
"""Of the largest: below, a row is summed up."""
NO_FLIP = "no flip in its range"


def in_its_currency(made: Callable[Concatenate[Risk, _P], _T]) -> Callable[Concatenate[Risk, _P], _T]:
    """A function of a risk that writes its amounts in the comparison's currency, whoever calls it."""

    @wraps(made)
    def within(risk: Risk, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return words.in_its_currency(lambda _: made(risk, *args, **kwargs))(risk.comparison)

    return within


# --- shares ---------------------------------------------------------------------------------------------------------------


def share(probability: float) -> str:
    """A share of the simulations: 78%, 2.4%, under 0.1%; 0% and 100% of none and of all of them only."""
    if 0 < probability < 0.001:
        return "under 0.1%"
    if 0.999 < probability < 1:
        return "over 99.9%"
    return words.percent(probability) if probability < 0.0995 or probability > 0.9905 else words.percent_whole(probability)


def of_100(probability: float) -> str:
    """A share as people count: 78 of 100 simulations."""
    count = round(probability * 100)
    if probability in (0, 1):
        return "every simulation" if probability else "no simulation"
    if count in (0, 100):
        return "more than 99 of 100 simulations" if count else "fewer than 1 of 100 simulations"
    return f"{count} of 100 simulations"


def simulations(count: int) -> str:
    """131,072 simulations."""
    return f"{count:,} simulations"


def badge(simulation: Simulation) -> words.Badge | None:
    """In how many simulations the cheapest approach is so; None where only one is compared."""
    if len(simulation.names) < 2:
        return None
    found = simulation.probability_cheapest[simulation.comparison.winner()].value
    return words.Badge("certainty", f"Cheapest in {of_100(found)}")


# --- sentences ------------------------------------------------------------------------------------------------------------


def verdict(risk: Risk) -> str:
    """Who is cheapest how often, in one sentence without its full stop."""
    first, *others = risk.by_probability
    if not others:
        return f"{words.label(first.name)} is the only approach that can be priced"
    found = f"{words.label(first.name)} is cheapest in {of_100(first.probability_cheapest.value)}"
    counts = [(other.name, round(other.probability_cheapest.value * 100)) for other in others]
    named = [f"{words.in_sentence(name)} in {count}" for name, count in counts if count][:MOST_NAMED]
    return ", ".join((found, *named))


@in_its_currency
def reasons(risk: Risk) -> str:
    """What the choice costs on average beyond the best one, and what was drawn."""
    return " ".join(sentence for sentence in (*_regrets(risk), inputs_sentence(risk)) if sentence)


def _regrets(risk: Risk) -> list[str]:
    winner, safest = risk.comparison.winner(), risk.safest
    if len(risk.approaches) < 2:
        return []
    often, months = risk.by_probability[0].name, words.months(risk.comparison.months.count)
    regret = risk.approaches[winner].regret_usd.value
    found = []
    if often != winner:
        found.append(f"At the point values {words.in_sentence(winner)} is cheapest.")
    if isfinite(regret):
        more = f"{words.money(regret)} more over {months} than" if regret else "as much as"
        found.append(f"On average, choosing {words.in_sentence(winner)} costs {more} the best choice would.")
    else:
        found.append(
            f"In some simulations none of {words.in_sentence(winner)}'s answers is accepted, so that nothing it costs is enough."
        )
    if safest != winner:
        found.append(
            f"Choosing {words.in_sentence(safest)} costs least on average, {money(risk.approaches[safest].regret_usd)} more."
        )
    return found


def inputs_sentence(risk: Risk) -> str:
    """How many numbers are drawn, and how many are not."""
    stated = sum(one.is_stated for one in risk.inputs)
    assumed = sum(one.path.startswith(ASSUMED) for one in risk.inputs)
    predicted = sum(one.path.startswith(PREDICTED) for one in risk.inputs)
    parts = [
        f"{stated} input{' carries' if stated == 1 else 's carry'} a stated range" if stated else "",
        f"{assumed} assumption{' brings its' if assumed == 1 else 's bring their'} own" if assumed else "",
        f"{predicted} predicted speed{' has its' if predicted == 1 else 's have their'} error" if predicted else "",
    ]
    fixed = len(risk.held_fixed)
    held = f"{fixed} stated number{' was' if fixed == 1 else 's were'} held fixed" if fixed else ""
    drawn = ", ".join(part for part in parts if part) or "Nothing carries a range, so every simulation gives the same answer"
    return "; ".join(part for part in (drawn, held) if part) + "."


def skew_sentence(risk: Risk) -> str:
    """Why the medians are not the totals at the point; empty where they are."""
    found = [one for one in risk.approaches.values() if one.compared_usd.p50 > one.compared_at_point_usd * 1.02]
    if not found:
        return ""
    return "At the point every input has its likely value; most ranges reach further up than down, so most medians lie above."


def convergence(risk: Risk) -> str:
    """How many draws there are, how well they tell the shares, and whether as well as was asked for."""
    made = (
        f"{simulations(risk.draws)}: {risk.scrambles} independent scrambles of {DRAWS_PER_SCRAMBLE:,} Sobol points, "
        f"seed {risk.seed}."
    )
    return " ".join(sentence for sentence in (made, _sureness(risk), _short_of_tolerance(risk)) if sentence)


def _sureness(risk: Risk) -> str:
    if len(risk.approaches) < 2:
        return ""
    error = 100 * risk.standard_error
    return f"The standard error of every share is {'below 0.01' if error < 0.005 else f'at most {error:.2f}'} percentage points."


def _short_of_tolerance(risk: Risk) -> str:
    if risk.tolerance is None or risk.tolerance_reached:
        return ""
    return f"That is more than the {100 * risk.tolerance:.2g} asked for, as no more than {MOST_SCRAMBLES} scrambles are made."


def money(found: Figure) -> str:
    """A mean over the draws in whole dollars; a dash where it is infinite."""
    return words.money(found.value) if isfinite(found.value) else words.MISSING


def amount(usd: float) -> str:
    """Of a percentile or a lead; a dash where it is infinite."""
    return words.money(usd) if isfinite(usd) else words.MISSING


# --- rows -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One row of a table: what it is about, and its figures by column, as text."""

    about: str
    figures: dict[str, str]
    text: dict[str, str]
    """Columns that are no figures."""


@in_its_currency
def approach_rows(risk: Risk) -> list[Row]:
    """Every available approach: how often it is the cheapest, its regret, and the spread of its total."""
    return [_approach_row(found) for found in risk.approaches.values()]


def _approach_row(found: ApproachRisk) -> Row:
    error = found.probability_cheapest.standard_error * 100
    figures = {
        "cheapest": share(found.probability_cheapest.value),
        "SE, points": f"{error:.2f}" if isfinite(error) else words.MISSING,
        "regret": money(found.regret_usd),
        "at the point": amount(found.compared_at_point_usd),
        "P10": amount(found.compared_usd.p10),
        "median": amount(found.compared_usd.p50),
        "P90": amount(found.compared_usd.p90),
        "pays back": words.MISSING if found.payback is None else share(found.payback.value),
    }
    return Row(words.label(found.name), figures, {})


def beats_from(found: BreakEvenShares) -> str:
    """What `median_volume` is of, of two approaches alone: fine-tuning beats few-shot from."""
    return f"{words.label(found.cheaper)} beats {words.in_sentence(found.than)} from"


def median_volume(found: BreakEvenShares) -> str:
    """The median volume from which one approach beats the other, of the simulations in which there is one."""
    return _volume(None if found.volumes is None else found.volumes.p50)


def break_even_rows(risk: Risk) -> list[Row]:
    """The winner against every other approach, or the other way round: from which volume on, and how often never."""
    return [_break_even_row(found) for found in risk.against_winner.values()]


def _break_even_row(found: BreakEvenShares) -> Row:
    low, middle, high = found.volumes or (None, None, None)
    figures = {
        "from a volume": share(found.from_a_volume),
        "P10": _volume(low),
        "median": _volume(middle),
        "P90": _volume(high),
        "always": share(found.always),
        "never": share(found.never),
        "only below": share(found.only_below),
    }
    return Row(f"{words.label(found.cheaper)} against {words.in_sentence(found.than)}", figures, {})


def _volume(found: float | None) -> str:
    return words.MISSING if found is None else words.volume(found)


@in_its_currency
def tornado_rows(risk: Risk) -> tuple[list[Row], str]:
    """The inputs that move the lead most, the widest first, and the others summed up."""
    if risk.tornado is None:
        return [], ""
    shown, rest = shown_bars(risk)
    return [_bar_row(risk, bar) for bar in shown], rest


def shown_bars(risk: Risk, most: int = 10) -> tuple[list[Bar], str]:
    """The bars worth a row: at most ten, none below a hundredth of the widest but those that flip; and the rest in words."""
    if risk.tornado is None:
        return [], ""
    finite = [bar for bar in risk.tornado.bars if isfinite(bar.swing_usd)]
    least = LEAST_SHARE * (finite[0].swing_usd if finite else 0)
    shown = [bar for bar in finite if bar.swing_usd > max(least, 1e-9) or bar.flips_to][:most]
    others = [bar for bar in finite if bar not in shown]
    endless = [bar for bar in risk.tornado.bars if not isfinite(bar.swing_usd)]
    said = []
    if others:
        widest, count = max(bar.swing_usd for bar in others), len(others)
        by = f"by less than {words.money(-(-widest // 1))}" if widest > 1e-6 else "not at all"
        said.append(
            f"{count} more input{' moves' if count == 1 else 's move'} it {by}{' each' if count > 1 and widest > 1e-6 else ''}."
        )
    if endless:
        named = words.listed(label(risk, bar.input) for bar in endless)
        said.append(f"{named}: at an end of the range no answers are accepted, so there is no lead to show.")
    return shown, " ".join(said)


def _bar_row(risk: Risk, bar: Bar) -> Row:
    path = bar.input.path
    figures = {
        "point": field_words.value(path, bar.point),
        "P10": field_words.value(path, bar.low),
        "P90": field_words.value(path, bar.high),
        "lead at P10": amount(bar.lead_at_low_usd),
        "lead at P90": amount(bar.lead_at_high_usd),
    }
    return Row(label_with_origin(risk, bar.input), figures, {"flips": flip(bar)})


def flip(bar: Bar) -> str:
    """Where another approach becomes the cheapest: to prompting above 92.7%."""
    if bar.flips_at is None or bar.flips_to is None:
        return NO_FLIP
    return f"to {words.in_sentence(bar.flips_to)} {flip_value(bar)}"


def flip_value(bar: Bar) -> str:
    """On which side of which value the winner changes: above 92.7%."""
    assert bar.flips_at is not None
    return f"{'below' if bar.flips_at < bar.point else 'above'} {field_words.value(bar.input.path, bar.flips_at)}"


@in_its_currency
def information_rows(risk: Risk) -> tuple[list[Row], str]:
    """What measuring one input exactly before choosing would save on average, the largest first, and the others summed up."""
    perfect = risk.perfect_information_usd.value
    by_worth = sorted(risk.inputs, key=lambda one: -risk.information_usd[one.path])
    shown = [one for one in by_worth if risk.information_usd[one.path] >= max(0.5, LEAST_SHARE * perfect)]
    rows = [Row(label_with_origin(risk, one), {"saves": words.money(risk.information_usd[one.path])}, {}) for one in shown]
    if not isfinite(perfect):
        return rows, ""
    whole = f"Knowing everything exactly before choosing would save {words.money(perfect)} on average"
    if not rows:
        return rows, f"{whole}; no input alone would save a dollar worth telling."
    return rows, f"{whole}; measuring any other input alone would save {words.money(max(1.0, LEAST_SHARE * perfect))} or less."


def effect_rows(risk: Risk) -> tuple[list[Row], str]:
    """Shares of the variance of the lead by input, the largest first, and the others summed up."""
    shown = [effect for effect in risk.effects if effect.total >= LEAST_SHARE]
    rest = len(risk.effects) - len(shown)
    said = f"{rest} more {'has' if rest == 1 else 'have'} less than {words.percent(LEAST_SHARE)} each." if rest and shown else ""
    return [_effect_row(risk, effect) for effect in shown], said


def _effect_row(risk: Risk, effect: Effect) -> Row:
    names = words.listed(label(risk, one) for one in effect.inputs)
    joined = " (correlated)" if len(effect.inputs) > 1 else ""
    figures = {"alone": words.percent_whole(max(0.0, effect.first_order)), "with all others": words.percent_whole(effect.total)}
    return Row(names + joined, figures, {})


@in_its_currency
def input_rows(risk: Risk) -> list[Row]:
    """Every input that is drawn, with its range and where that comes from."""
    return [_input_row(risk, one) for one in risk.inputs]


def _input_row(risk: Risk, one: Input) -> Row:
    low, middle, high = (float(value) for value in one.quantile([0.1, 0.5, 0.9]))
    values = {"point": one.estimate.point, "P10": low, "median": middle, "P90": high}
    figures = {column: field_words.value(one.path, found) for column, found in values.items()}
    return Row(label(risk, one), figures, {"from": came_from(risk, one)})


def came_from(risk: Risk, one: Input) -> str:
    """Where an input's range comes from, in a few words."""
    found = origin(risk.comparison, one)
    if found["from"] == "assumption":
        return f"assumed: {source_words(found['source'])}" if found["source"] else "assumed: judgement"
    return "error of the prediction" if found["from"] == "prediction" else "stated in the scenario"


@in_its_currency
def fixed_rows(risk: Risk) -> list[Row]:
    """The numbers stated without a range, with their values; those of a list in one row."""
    found: dict[str, list[str]] = {}
    values = dict(numbers(risk.comparison.point))
    for path in risk.held_fixed:
        shown = field_words.value(path, values[path], digits=6) if path in values else words.MISSING
        found.setdefault(field_words.label(path, risk.comparison.scenario), []).append(shown)
    return [Row(name, {"value": ", ".join(shown)}, {}) for name, shown in found.items()]


def label(risk: Risk, one: Input) -> str:
    """An input as a heading."""
    return field_words.input_label(one, risk.comparison.scenario)


def label_with_origin(risk: Risk, one: Input) -> str:
    """The same, saying where nobody stated it."""
    note = " (assumption)" if one.path.startswith(ASSUMED) else " (prediction)" if one.path.startswith(PREDICTED) else ""
    return label(risk, one) + note
