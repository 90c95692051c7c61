"""Charts of a simulation as plain data: who is cheapest how often, from which volume, and what the lead hangs on.

As in `reports.charts`: a title states the finding, a caption the unit and how to read it, `alt` says it all in one sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Literal

from calc.compare import Comparison
from calc.drivers import Bar
from calc.risk import BreakEvenShares, Risk
from calc.sampling import ASSUMED
from calc.scenario import Family
from reports import field_words, risk_words, words
from reports.charts import Tick
from reports.risk_words import in_its_currency, share

MOST_BARS = 10
HIDDEN = 0.0005
"""Of the simulations: a bar of its own below this share is left out, as is the far end of a histogram."""
APART = 0.09
"""Width of a bar apart from the volumes, as a share of theirs."""
LEAST_DECADES = 1.0
"""That the volumes span."""
SIDES = 0.16
"""Of the bars' extent, on either side: room for the values at their ends on a phone."""
HEAD_LETTER = 0.021
"""Width of a letter, as a share of the axis on a phone."""


@dataclass(frozen=True)
class CheapestBar:
    """How often one approach is the cheapest."""

    label: str
    family: Family
    share: float
    share_label: str
    regret_label: str


@dataclass(frozen=True)
class CheapestChart:
    """Share of the simulations in which each approach is the cheapest, with the mean regret of choosing it."""

    title: str
    caption: str
    alt: str
    bars: tuple[CheapestBar, ...]


@dataclass(frozen=True)
class ShareBar:
    """A share of the simulations over a stretch of the axis: volumes on one side of today's, or a bar apart from the volumes."""

    left: float
    right: float
    share: float
    kind: Literal["below today", "above today", "apart"]
    text: str
    """All of it, in words."""
    label: str = ""
    """Beneath it, of a bar apart."""
    share_label: str = ""
    """Above it, of a bar apart."""


@dataclass(frozen=True)
class Spread:
    """The median and the middle eight of ten, at a height."""

    low: float
    middle: float
    high: float
    y: float
    label: str
    span_label: str


@dataclass(frozen=True)
class BreakEvenHistogram:
    """Share of the simulations by break-even volume. Positions across are logarithms to base 10 of the volume."""

    title: str
    caption: str
    alt: str
    family: Family
    """Of the approach that is the cheaper of the two from the volume on."""
    left: float
    right: float
    top: float
    ticks: tuple[Tick, ...]
    share_ticks: tuple[Tick, ...]
    bars: tuple[ShareBar, ...]
    spread: Spread | None
    today: float | None
    """None where it lies outside."""
    today_label: str
    below_label: str
    """How often the volume is below today's."""


@dataclass(frozen=True)
class LeadBar:
    """The lead as one input moves between its ends."""

    label: str
    note: str
    """Whether the input is assumed."""
    flip: str
    """Where another approach takes over: below 92.9%; or that none does."""
    rival: str
    """Who takes over, where the chart's head does not say it: to hybrid."""
    flips_to: Family | None
    low: float
    high: float
    low_label: str
    """The input's value where the lead is lowest."""
    high_label: str
    loser: Family | None
    """Who is the cheapest where the lead is below zero."""
    has_flip: bool
    """Whether the bar passes zero."""


@dataclass(frozen=True)
class TornadoChart:
    """The winner's lead as one input after another moves, on one linear scale."""

    title: str
    caption: str
    alt: str
    winner: str
    winner_family: Family
    others: str
    """Who wins below zero."""
    others_family: Family | None
    """None where it is several."""
    low: float
    high: float
    ticks: tuple[Tick, ...]
    today: float
    today_label: str
    bars: tuple[LeadBar, ...]
    rest: str
    """What the inputs without a bar do."""


# --- who is cheapest ------------------------------------------------------------------------------------------------------


@in_its_currency
def cheapest_chart(risk: Risk) -> CheapestChart:
    """How often each approach is the cheapest, and what choosing it costs beyond the best choice."""
    families = risk.comparison.available
    bars = tuple(
        CheapestBar(
            words.label(name), families[name].family, found.probability_cheapest.value, share(found.probability_cheapest.value),
            risk_words.money(found.regret_usd),
        )
        for name, found in risk.approaches.items()
    )  # fmt: skip
    told = ", ".join(f"{bar.label} {bar.share_label}, mean regret {bar.regret_label}" for bar in bars)
    return CheapestChart(
        _safety(risk),
        "Share of simulations in which it is the cheapest; in grey, the mean regret of choosing it, "
        f"{words.unit_name()} over {words.months(risk.comparison.months.count)}",
        f"Bar chart of the share of {risk_words.simulations(risk.draws)} in which each approach is the cheapest: {told}.",
        bars,
    )


def _safety(risk: Risk) -> str:
    winner, safest, often = risk.comparison.winner(), risk.safest, risk.by_probability[0].name
    if len(risk.approaches) == 1:
        return f"{words.label(winner)} alone can be priced"
    if safest == often == winner:
        return f"{words.label(winner)} is the safest choice too"
    if safest == often:
        return f"{words.label(safest)} is safer, though {words.in_sentence(winner)} wins at the point values"
    if safest == winner:
        return f"{words.label(winner)} costs least on average, {words.in_sentence(often)} wins more often"
    return f"{words.label(safest)} is the safest choice, though {words.in_sentence(often)} wins more often"


# --- from which volume ----------------------------------------------------------------------------------------------------


def break_even_histogram(comparison: Comparison, found: BreakEvenShares) -> BreakEvenHistogram:
    """From which volume one approach is cheaper than another, over the draws."""
    today = log10(comparison.requests)
    bars = [bar for bar in _volume_bars(found, comparison.requests) if bar.share]
    while len(bars) > 1 and bars[0].share < HIDDEN:
        bars.pop(0)
    while len(bars) > 1 and bars[-1].share < HIDDEN:
        bars.pop()
    left, right = min([today, *(bar.left for bar in bars)]), max([today, *(bar.right for bar in bars)]) + 0.1
    left -= 0.12 * (right - left)  # for the labels of the shares
    left, right = (left, right) if right - left >= LEAST_DECADES else (today - LEAST_DECADES / 2, today + LEAST_DECADES / 2)
    ticks, wide = _volume_ticks(left, right), APART * (right - left)
    apart = []
    if found.always >= HIDDEN:
        apart.append(_apart("always", found.always, left - 1.5 * wide, wide))
        left -= 1.75 * wide
    for label, probability in (("only below", found.only_below), ("never", found.never)):
        if probability >= HIDDEN:
            apart.append(_apart(label, probability, right + 0.5 * wide, wide))
            right += 1.75 * wide
    highest = max(bar.share for bar in (*bars, *apart))
    tallest = max((bar.share for bar in bars), default=0.0)
    spread = _spread(found, tallest + 0.07 * highest)
    top = max(highest * 1.1, tallest + 0.34 * highest if spread else 0.0)
    cheaper, than = words.label(found.cheaper), words.in_sentence(found.than)
    below = share(found.below_today) if found.below_today >= 0.001 else ""
    return BreakEvenHistogram(
        _break_even_finding(found),
        f"Share of simulations by the volume from which {words.in_sentence(found.cheaper)} is cheaper than {than}, "
        f"{words.per_month(comparison)}, logarithmic" + (f". Full colour: {below}, today's or less" if below else ""),
        f"Histogram of the volume from which {cheaper} is cheaper than {than}: {_told(found, comparison)}.",
        comparison.results[found.cheaper].family, left, right, top, ticks, _share_ticks(top), (*bars, *apart), spread,
        today, f"Today {words.volume_short(comparison.requests)}", below,
    )  # fmt: skip


def _volume_bars(found: BreakEvenShares, today: int) -> list[ShareBar]:
    return [
        ShareBar(
            log10(low), log10(high), probability, "below today" if high <= today * 1.001 else "above today",
            f"{words.volume(low, high)} to {words.volume(high, low)}: {share(probability)}",
        )
        for low, high, probability in zip(found.edges, found.edges[1:], found.shares, strict=False)
    ]  # fmt: skip


def _apart(label: str, probability: float, left: float, width: float) -> ShareBar:
    text = {"always": "cheaper at every volume", "never": "cheaper at none", "only below": "cheaper only up to a volume"}[label]
    return ShareBar(left, left + width, probability, "apart", f"{text}: {share(probability)}", label, share(probability))


def _spread(found: BreakEvenShares, y: float) -> Spread | None:
    if found.volumes is None or found.from_a_volume < HIDDEN:
        return None
    low, middle, high = found.volumes
    short = {end: words.volume_short(end, *(other for other in found.volumes if other != end)) for end in (low, middle, high)}
    return Spread(log10(low), log10(middle), log10(high), y, f"median {short[middle]}", f"8 in 10: {short[low]} to {short[high]}")


def _break_even_finding(found: BreakEvenShares) -> str:
    cheaper, than = words.label(found.cheaper), words.in_sentence(found.than)
    if found.volumes is not None and found.from_a_volume >= 0.5:
        or_not = f", in {risk_words.of_100(found.never)} never" if found.never >= 0.05 else ""
        if found.always >= 0.05:
            or_not = f", in {risk_words.of_100(found.always)} always"
        return f"{risk_words.beats_from(found)} a median of {risk_words.median_volume(found)}{or_not}"
    if found.never == 1:
        return f"{cheaper} never beats {than}"
    if found.never >= 0.5:
        return f"{cheaper} never beats {than} in {risk_words.of_100(found.never)}"
    if found.always >= 0.5:
        return f"{cheaper} beats {than} at every volume in {risk_words.of_100(found.always)}"
    if found.only_below >= 0.5:
        return f"{cheaper} beats {than} only below some volume in {risk_words.of_100(found.only_below)}"
    return (
        f"Whether {words.in_sentence(found.cheaper)} ever beats {than} is open: it does in {risk_words.of_100(1 - found.never)}"
    )


def _told(found: BreakEvenShares, comparison: Comparison) -> str:
    parts = [f"in {share(found.from_a_volume)} of simulations from a volume on"]
    if found.volumes is not None:
        low, middle, high = found.volumes
        parts.append(
            f"median {words.volume(middle)}, eight in ten between {words.volume(low, high)} and {words.volume(high, low)}"
        )
    parts += [
        f"{share(probability)} {what}"
        for probability, what in ((found.always, "always"), (found.only_below, "only below some volume"), (found.never, "never"))
        if probability >= HIDDEN
    ]
    return "; ".join((*parts, f"today's volume is {words.volume(comparison.requests)}"))


def _volume_ticks(left: float, right: float) -> tuple[Tick, ...]:
    """Volumes of 1 and 3 times a power of ten, at logarithmic positions; powers alone over four decades."""
    steps = (1,) if right - left > 3 else (1, 3)
    every = [step * 10.0**power for power in range(floor(left), ceil(right) + 1) for step in steps]
    return tuple(Tick(log10(volume), words.volume_short(volume)) for volume in every if left <= log10(volume) <= right)


def _share_ticks(top: float) -> tuple[Tick, ...]:
    step = next(step for step in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5) if top / step <= 4.5)
    return tuple(Tick(step * count, words.percent(step * count)) for count in range(1, floor(top / step + 1e-9) + 1))


# --- what the lead hangs on -----------------------------------------------------------------------------------------------


@in_its_currency
def tornado_chart(risk: Risk) -> TornadoChart | None:
    """The winner's lead as each input moves from its 10th to its 90th percentile; None where nothing moves it."""
    found = risk.tornado
    shown, rest = risk_words.shown_bars(risk, MOST_BARS)
    if found is None or not shown:
        return None
    results = risk.comparison.available
    rivals = list(dict.fromkeys(bar.flips_to for bar in shown if bar.flips_to))
    bars = tuple(_lead_bar(risk, bar, len(rivals) > 1) for bar in shown)
    low = min(0.0, found.lead_usd, *(_ends(bar)[0] for bar in shown))
    high = max(0.0, found.lead_usd, *(_ends(bar)[1] for bar in shown))
    others = f"{words.in_sentence(rivals[0])} wins" if len(rivals) == 1 else "another wins" if rivals else ""
    name = words.in_sentence(found.winner)
    possessive = "'" if name.endswith("s") else "'s"
    drawn_low, drawn_high = (words.shown_amount(end) for end in _with_room(low, high, len(others)))
    mark = " ◆ marks the value at which the winner changes." if any(bar.has_flip for bar in bars) else ""
    mark += " Rarely: beyond the bar." if any(bar.flip.startswith("rarely") for bar in bars) else ""
    return TornadoChart(
        _hangs_on(risk, shown),
        f"{words.label(found.winner)}{possessive} lead over the next approach, {words.unit_name()} over "
        f"{words.months(risk.comparison.months.count)}, as each input moves through 8 in 10 of its range.{mark}",
        f"Bar chart of {name}{possessive} lead, today {words.money(found.lead_usd)}, by input: {_bars_told(shown, bars)}.",
        f"{name} wins", results[found.winner].family, others, results[rivals[0]].family if len(rivals) == 1 else None,
        drawn_low, drawn_high, _money_ticks(drawn_low, drawn_high), words.shown_amount(found.lead_usd),
        f"today {words.money(found.lead_usd)}", bars, rest,
    )  # fmt: skip


def _with_room(low: float, high: float, letters: int) -> tuple[float, float]:
    """The ends of the axis: room for the values at the bars' ends, and left of zero for who wins there."""
    sides = (high - low) * SIDES
    low, high = low - sides, high + sides
    share = min(HEAD_LETTER * (letters + 3), 0.45) if letters else 0.0
    return min(low, -high * share / (1 - share)), high


def _ends(bar: Bar) -> tuple[float, float]:
    return min(bar.lead_at_low_usd, bar.lead_at_high_usd), max(bar.lead_at_low_usd, bar.lead_at_high_usd)


def _lead_bar(risk: Risk, bar: Bar, named: bool) -> LeadBar:
    path, families = bar.input.path, risk.comparison.available
    ends = sorted(((bar.lead_at_low_usd, bar.low, bar.winner_at_low), (bar.lead_at_high_usd, bar.high, bar.winner_at_high)))
    (low, at_low, winner_at_low), (high, at_high, _) = ends
    passes = low < 0 < high
    flip = risk_words.NO_FLIP
    if bar.flips_at is not None:
        flip = risk_words.flip_value(bar)
        if not passes and not bar.low <= bar.flips_at <= bar.high:
            flip = f"rarely, {flip}"
    return LeadBar(
        field_words.short(risk_words.label(risk, bar.input)),
        "assumed" if path.startswith(ASSUMED) else "" if bar.input.is_stated else "predicted",
        flip, f"to {words.in_sentence(bar.flips_to)}" if named and bar.flips_to else "",
        None if bar.flips_to is None else families[bar.flips_to].family,
        words.shown_amount(low), words.shown_amount(high),
        field_words.value_short(path, at_low), field_words.value_short(path, at_high),
        families[winner_at_low].family if low < 0 else None, passes,
    )  # fmt: skip


def _hangs_on(risk: Risk, shown: list[Bar]) -> str:
    winner = risk.comparison.winner()
    turning = [bar for bar in shown if bar.flips_to]
    firm = next((bar for bar in shown if not bar.flips_to), None)
    if not turning:
        return f"No input alone takes the win from {words.in_sentence(winner)}"
    count = f"{words.counted(len(turning)).capitalize()} input{'s' if len(turning) > 1 else ''}"
    rivals = {bar.flips_to for bar in turning}
    rival = next(iter(rivals))
    can = (
        f"can hand the win to {words.in_sentence(str(rival))}"
        if len(rivals) == 1
        else f"can take the win from {words.in_sentence(winner)}"
    )
    name = "" if firm is None else risk_words.label(risk, firm.input).partition(",")[0]
    alone = f"; {field_words.in_sentence(name)} cannot" if name else ""
    return f"{count} {can}{alone}"


def _bars_told(shown: list[Bar], bars: tuple[LeadBar, ...]) -> str:
    return "; ".join(
        f"{drawn.label} from {words.money(_ends(bar)[0])} at {drawn.low_label} to {words.money(_ends(bar)[1])} at "
        f"{drawn.high_label}, {risk_words.flip(bar)}"
        for bar, drawn in zip(shown, bars, strict=True)
    )


def _money_ticks(low: float, high: float) -> tuple[Tick, ...]:
    """Amounts in the currency drawn, at most seven, zero among them."""
    steps = [m * 10.0**p for p in range(-4, 12) for m in (1, 2, 5)]
    step, margin = next(step for step in steps if (high - low) / step <= 7.2), 0.035 * (high - low)
    return tuple(
        Tick(step * n, f"{words.MINUS if n < 0 else ''}{words.money_tick(abs(step * n)) if n else words.mark() + '0'}")
        for n in range(ceil((low + margin) / step), floor((high - margin) / step) + 1)
    )
