"""Words for a number that moves: what it is called, which values it takes, and who is cheapest over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from calc.compare import Comparison
from calc.fields import VOLUME
from calc.goal_seek import Change, GoalSeek, Stretch
from calc.movable import ASSUMPTIONS, PRICES, STAFF, Movable, movables
from pricing import PricingError
from reports import field_words, price_words, words

MOST_TOLD = 3
"""Stretches that one sentence names."""

_PARTS = {
    "workload": "workload", "horizon_months": "horizon", "task": "task", "value": "value", "finance": "money",
    "staff_usd_per_hour": "people", "assumptions": "assumption",
}  # fmt: skip


# --- names ------------------------------------------------------------------------------------------------------------------


def label(comparison: Comparison, path: str) -> str:
    """A number as a heading: Answer tokens, RAG answers accepted, gpt-6.1-terra: output price."""
    if not path.startswith(PRICES):
        name, place = field_words.label(path, comparison.scenario), path.rpartition(".")[2]
        return f"{name}, entry {int(place) + 1}" if place.isdigit() else name
    offer, _, key = path.removeprefix(PRICES).rpartition(".")
    provider, _, item = offer.partition("/")
    name = price_words.key_label(key)
    if name == "Wage":
        return f"{words.role(item)}, wage"
    if not key.endswith("_mtok"):
        item = f"{_provider(comparison, provider)} {item.upper() if name == 'GPU' else item}"
    return f"{item}: {name if name == 'GPU' else name.lower()} price"


def _provider(comparison: Comparison, provider: str) -> str:
    try:
        return comparison.rates.book.provider(provider).name
    except PricingError:
        return provider


def part(comparison: Comparison, path: str) -> str:
    """Which part of the comparison a number belongs to, in a word or two."""
    if path.startswith(PRICES):
        return f"price at {_provider(comparison, path.removeprefix(PRICES).partition('/')[0])}"
    if path.startswith("approaches."):
        named = [name for name in comparison.point.approaches if path.startswith(f"approaches.{name}.")]
        return words.label(max(named, key=len)) if named else "approaches"
    first = path.partition(".")[0]
    return _PARTS.get(first, first.replace("_", " "))


def option(comparison: Comparison, path: str) -> str:
    """A number in a list of all: its name, and its part where the name does not say it."""
    name, belongs = label(comparison, path), part(comparison, path)
    return name if name.startswith(belongs) else f"{name} · {belongs}"


def options(comparison: Comparison) -> dict[str, str]:
    """Every number that can move by its path, each with another name: those that decide most first, then part by part."""
    paths = [number.path for number in movables(comparison)]
    first = [path for path in _first_choices(comparison) if path in paths]
    parts = list(dict.fromkeys(part(comparison, path) for path in paths))
    rest = sorted((path for path in paths if path not in first), key=lambda path: parts.index(part(comparison, path)))
    named = {path: option(comparison, path) for path in dict.fromkeys([*first, *rest])}
    count = Counter(named.values())
    return {path: name if count[name] == 1 else f"{name}, {path}" for path, name in named.items()}


def _first_choices(comparison: Comparison) -> Iterator[str]:
    point = comparison.point
    yield VOLUME
    yield f"approaches.{point.reference}.instruction_tokens"
    yield "workload.answer_tokens"
    yield from (f"approaches.{name}.accepted" for name in point.approaches)
    yield from ("task.rejected_answer_usd", "task.rejected_answer_handling_minutes")
    yield from (number.path for number in movables(comparison) if number.path.startswith(STAFF))
    yield "task.examples"
    if comparison.available:
        yield f"{PRICES}{comparison.results[comparison.winner()].offer}.output_usd_per_mtok"


def axis_title(comparison: Comparison, number: Movable) -> str:
    """A number beside an axis, with its unit where its name and its values do not say it."""
    if number.path == VOLUME:
        return words.per_month(comparison).replace(" a month", " per month")
    name = field_words.in_sentence(label(comparison, number.path))
    return f"{name}, {unit(number)}" if number.path.startswith((PRICES, ASSUMPTIONS, STAFF)) else name


def unit(number: Movable) -> str:
    """What a value of it counts."""
    return number.unit.replace("USD", "US$").replace(", fine-tuned", ", tuned")


# --- values -----------------------------------------------------------------------------------------------------------------


def value(number: Movable, at: float, *beside: float) -> str:
    """A value of it in prose: 486,000, $0.06, 94.5%.

    Args:
        beside: other values of the same sentence, from which it is told apart where it can be.
    """
    if number.path == VOLUME:
        return words.volume(at, *beside)
    if number.whole:
        return f"{at:,.0f}"
    return field_words.value(number.path, at)


def value_short(number: Movable, at: float) -> str:
    """The same for a chart: 486k."""
    return words.volume_short(at) if number.path == VOLUME else field_words.value_short(number.path, at)


def value_exact(number: Movable, at: float) -> str:
    """The same for a table: 486,012; five digits where it is no whole number."""
    if number.whole or (float(at).is_integer() and field_words.kind(number.path) == "count"):
        return f"{at:,.0f}"
    if field_words.kind(number.path) == "share":
        return f"{at * 100:.4g}%"
    return field_words.value(number.path, at, 5)


# --- who is cheapest --------------------------------------------------------------------------------------------------------


def cheapest(winner: str | None, found: Stretch | None = None) -> str:
    """Who wins a stretch, inside a sentence."""
    if winner is not None:
        return words.in_sentence(winner)
    return "a tie" if found is not None and found.low_totals_usd else "nobody"


def held(found: GoalSeek) -> int | None:
    """Which stretch today's value lies in; None where it is not stated or outside the range."""
    now = found.number.present
    if now is None or not found.low <= now <= found.high:
        return None
    return next((i for i, stretch in enumerate(found.stretches) if now <= stretch.high), len(found.stretches) - 1)


def where(found: GoalSeek, first: int, last: int | None = None) -> str:
    """The values of a stretch, or of several, in words: from 32,500 to 1.15 million requests a month."""
    low, high = found.stretches[first].low, found.stretches[first if last is None else last].high
    counting = f" {words.per_month(found.comparison)}" if found.path == VOLUME else ""
    from_low, to_high = low <= found.low, high >= found.high
    shown_low, shown_high = value(found.number, low, high), value(found.number, high, low)
    if from_low and to_high:
        return f"at every value from {shown_low} to {shown_high}{counting}"
    if from_low:
        return f"up to {shown_high}{counting}"
    return f"from {shown_low}{counting}" if to_high else f"from {shown_low} to {shown_high}{counting}"


def finding(found: GoalSeek) -> str:
    """Who is cheapest around today's value: few-shot is cheapest from 32,500 to 1.15 million requests a month."""
    at = held(found)
    if found.tied:
        return f"the two cheapest cost the same {where(found, 0, -1)}"
    if at is None:
        return _told(found)
    return f"{cheapest(found.stretches[at].winner, found.stretches[at])} {_is_cheapest(found, at)}"


def _is_cheapest(found: GoalSeek, at: int) -> str:
    stretch = found.stretches[at]
    verb = "is cheapest" if stretch.winner is not None else "is all there is" if stretch.low_totals_usd else "has a total"
    return f"{verb} {where(found, at)}"


def _told(found: GoalSeek) -> str:
    if len(found.stretches) > MOST_TOLD:
        low, high = value(found.number, found.low), value(found.number, found.high)
        return f"the cheapest changes {len(found.changes)} times from {low} to {high}"
    first, *rest = range(len(found.stretches))
    told = [f"{cheapest(found.stretches[first].winner, found.stretches[first])} {_is_cheapest(found, first)}"]
    told += [f"{cheapest(found.stretches[i].winner, found.stretches[i])} {where(found, i)}" for i in rest]
    return ", ".join(told)


def verdict(found: GoalSeek) -> str:
    """The page's title: who is cheapest around today's value, and who beyond."""
    at, text = held(found), finding(found)
    if at is not None and not found.tied and len(found.stretches) > 1:
        below = found.stretches[at - 1] if at else None
        above = found.stretches[at + 1] if at + 1 < len(found.stretches) else None
        sides = [
            f"{cheapest(side.winner, side)} {name}" for side, name in ((below, "below"), (above, "above")) if side is not None
        ]
        if below is not None and above is not None and below.winner == above.winner:
            sides = [f"{cheapest(below.winner, below)} below and above"]
        text = f"{text}; {' and '.join(sides)}"
    return heading(found, text)


def heading(found: GoalSeek, text: str) -> str:
    """A sentence with the name of what moves before it; the volume is in the sentence."""
    if found.path == VOLUME:
        return text[:1].upper() + text[1:]
    return f"{label(found.comparison, found.path)}: {text}"


def reasons(found: GoalSeek) -> str:
    """What stands at today's value, who never wins, and how often the cheapest changes."""
    now, parts = found.number.present, []
    ranked = sorted(found.present_totals_usd.items(), key=lambda item: item[1])
    if now is None:
        parts.append("Today's value is not stated.")
    elif ranked:
        best, usd = ranked[0]
        counting = f" {words.per_month(found.comparison)}" if found.path == VOLUME else ""
        text = f"At today's {value(found.number, now)}{counting}, {words.in_sentence(best)} costs {words.money(usd)} over "
        text += words.months(found.comparison.months.count)
        if len(ranked) > 1:
            text += f", {words.money(ranked[1][1] - usd)} less than {words.in_sentence(ranked[1][0])}"
        parts.append(f"{text}.")
        if not found.low <= now <= found.high:
            parts.append("That lies outside the range.")
    winners = {stretch.winner for stretch in found.stretches}
    never = [words.in_sentence(name) for name, _ in ranked if name not in winners]
    if len(never) > 1 and len(winners) == 1:
        parts.append("No other approach wins in this range.")
    elif never:
        parts.append(f"{_capital(words.listed(never))} win{'s' if len(never) == 1 else ''} nowhere in this range.")
    if len(found.changes) > 2:
        parts.append(f"The cheapest changes {len(found.changes)} times in all.")
    return " ".join(parts)


def gap_sentences(found: GoalSeek) -> list[str]:
    """Where an approach has no total, and why."""
    told = []
    for gap in found.gaps:
        whose = "Nothing can be computed" if gap.approach is None else f"{words.label(gap.approach)} has no total"
        everywhere = gap.low <= found.low and gap.high >= found.high
        low, high = value_exact(found.number, gap.low), value_exact(found.number, gap.high)
        span = "" if everywhere else f" at {low}" if low == high else f" from {low} to {high}"
        told.append(f"{whose}{span}: {words.amounts_in_words(words.without_sources(gap.why)).rstrip('.')}.")
    return list(dict.fromkeys(told))


# --- one against one --------------------------------------------------------------------------------------------------------


def pair_answer(found: GoalSeek) -> str:
    """At which values two approaches cost the same, in one sentence.

    Args:
        found: between two.
    """
    a, b = (words.in_sentence(name) for name in found.names)
    if found.tied:
        return f"{_capital(a)} and {b} cost the same {where(found, 0, -1)}."
    if not found.changes:
        return f"At no value: {_is_cheaper(found.stretches[0])} {where(found, 0)}."
    if len(found.changes) > MOST_TOLD:
        return f"The cheaper of {a} and {b} changes {len(found.changes)} times; each value stands below."
    values = [change.value for change in found.changes]
    counting = f" {words.per_month(found.comparison)}" if found.path == VOLUME else ""
    told = []
    for index, change in enumerate(found.changes):
        at = value(found.number, change.value, *(other for other in values if other != change.value))
        then = found.stretches[index + 1]
        told.append(f"{'at ' if not told else ''}{at}{counting}, above which {_is_cheaper(then)}")
    return _capital(f"{'; '.join(told)}.")


def _is_cheaper(stretch: Stretch) -> str:
    if stretch.winner is None:
        return "they tie" if stretch.low_totals_usd else "neither has a total"
    return f"{words.in_sentence(stretch.winner)} is cheaper"


def change_kind(change: Change) -> str:
    """How one takes over: the costs meet, or one of them jumps."""
    if change.before is None or change.winner is None:
        return "a total begins or ends"
    return "equal costs" if change.smooth else "a step"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
