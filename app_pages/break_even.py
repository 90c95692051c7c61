"""Break-even: who is cheapest as one number moves, at which values two approaches cost the same, and the map over two numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import pandas as pd
import streamlit as st

from app_pages import inputs, shared
from calc import Comparison, Scenario, compare
from calc.fields import VOLUME
from calc.goal_seek import GoalSeek, goal_seek
from calc.movable import Movable, movable
from calc.winner_map import WinnerMap, can_be_mapped, winner_map
from pricing import PriceBook
from reports import field_words, map_words, words
from reports.charts import volume_range
from reports.map_charts import MapChart, map_chart, over_chart
from reports.palette import mixed
from reports.plotly_charts import CONFIG, break_even_figure
from reports.plotly_map import map_figure

VIEW = "break-even view"
"""What the reader chose, as the page's address has it: kept while another page is open."""
NAMES = ("across", "from", "to", "up", "a", "b")
"""Of the page's own parameters in the address."""
ACROSS, UP, A, B = "break-even across", "break-even up", "break-even a", "break-even b"
_UP_FIRST = (VOLUME, "task.rejected_answer_usd", "task.rejected_answer_handling_minutes")
"""What moves upwards on the map at first: the first of these that does not move across; each of them moves every approach."""
MOST_STEPS = 36
"""Of a number that moves in steps, looked at where no range is put in; more where today's value is above half of it."""
CHIP = 0.28
"""Share of an approach's colour in its chip: light enough for dark text, and dark enough for light."""
NEXT_STEP = "Choose other values above; the answer below is over the usual range."


def page() -> None:
    view: dict[str, str] = st.session_state.setdefault(
        VIEW, {name: text for name, text in st.query_params.to_dict().items() if name in NAMES}
    )
    comparison = inputs.answered(view)
    comparison.winner()  # says so where nothing can be priced
    _answer(comparison, view)


@words.in_its_currency
def _answer(comparison: Comparison, view: Mapping[str, str]) -> None:
    head = st.container()
    options = map_words.options(comparison)
    wanted: dict[str, str] = {}
    row = st.columns([1.6, 0.8, 0.8])
    path = _picked(row[0], "What moves", ACROSS, "across", options, VOLUME, view, wanted)
    number = movable(comparison, path)
    low, high = _range(comparison, number, row[1:], view, wanted)
    found = _found(comparison, number, low, high)
    if found is None:
        head.title(shared.plain(f"{map_words.label(comparison, path)}: which values?"), anchor=False)
        head.markdown("Put in from and to: today's value gives no range to look at.")
    else:
        head.title(shared.plain(map_words.verdict(found)), anchor=False)
        head.markdown(shared.with_bold_money(map_words.reasons(found)))
        if said := words.currency_sentence(comparison):
            head.caption(shared.plain(said))
        _over_card(found)
        _map_card(found, options, view, wanted)
        left, right = st.columns([1, 1.25])
        with left:
            _pair_card(found, view, wanted)
        with right:
            _stretches_card(found)
    _caption(comparison, found)
    st.session_state[VIEW] = wanted
    inputs.keep_in_address(wanted, NAMES)


# --- what is asked ----------------------------------------------------------------------------------------------------------


def _picked(place, label: str, key: str, name: str, options: Mapping[str, str], first: str, view, wanted) -> str:
    """A choice that is kept in the address; one that the address has wrong is told."""
    if st.session_state.get(key) not in options:
        asked = view.get(name) if key not in st.session_state else None
        if asked is not None and asked not in options:
            st.warning(shared.plain(f"The address asks for '{asked}', which this scenario does not have. It is ignored."))
        st.session_state[key] = asked if asked in options else first
    picked: str = place.selectbox(label, list(options), key=key, format_func=lambda path: options[path])
    if picked != first:
        wanted[name] = picked
    return picked


def _range(comparison: Comparison, number: Movable, places, view, wanted) -> tuple[float | None, float | None]:
    """The ends of the range as put in; shares are put in in per cent."""
    scale = 100.0 if field_words.kind(number.path) == "share" else 1.0
    usual = _usual(comparison, number)
    ends: list[float | None] = []
    for place, label, name, at in zip(places, ("From", "To"), ("from", "to"), usual or (None, None), strict=True):
        shown = _cut(at * scale) if at is not None else None
        key = f"break-even {name} {number.path} {shown}"  # another usual range starts afresh, but for what was put in
        start = _number(view.get(name)) if view.get("across", VOLUME) == number.path and key not in st.session_state else None
        first = shown if start is None else start
        whole = number.whole and (first is None or float(first).is_integer())
        value = place.number_input(
            f"{label}, %" if scale > 1 else label, value=None if first is None else int(first) if whole else float(first),
            step=1 if whole else None, format="%d" if whole else "%.10g", key=key, placeholder="put in a number",
        )  # fmt: skip
        if value is not None and value != shown:
            wanted[name] = f"{value:.12g}"
        ends.append(at if value == shown else None if value is None else value / scale)
    return ends[0], ends[1]


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _cut(value: float) -> float:
    """As it is shown: an end of the usual range says enough with four digits."""
    return float(f"{value:.4g}") if abs(value) < 10_000 else float(round(value))


def _usual(comparison: Comparison, number: Movable) -> tuple[float, float] | None:
    """The range looked at where none is put in; None where nothing says how large the number may be."""
    if number.path == VOLUME:
        return volume_range(comparison)
    try:
        low, high, _ = number.usual_range(comparison)
    except ValueError:
        return None
    if number.moves_in_steps:
        high = min(high, max(MOST_STEPS, 2 * (number.present or 0)))  # each step is a comparison of its own
    return low, high


def _found(comparison: Comparison, number: Movable, low: float | None, high: float | None) -> GoalSeek | None:
    """The answer over the range; where that is refused, a message and the answer over the usual range."""
    usual = _usual(comparison, number)
    if low is None or high is None:
        if usual is None:
            st.info("Today's value gives no range to look at. Put in from and to.", icon=":material/info:")
            return None
        low, high = usual[0] if low is None else low, usual[1] if high is None else high
    try:
        return _sought(comparison, number.path, low, high)
    except shared.REFUSALS as error:
        st.error(f"{_in_words(comparison, [number], error)} {NEXT_STEP if usual else ''}", icon=":material/error:")
    try:
        return None if usual is None or (low, high) == usual else _sought(comparison, number.path, *usual)
    except shared.REFUSALS:
        return None


def _in_words(comparison: Comparison, numbers: Iterable[Movable], error: Exception) -> str:
    """A message about numbers, with their names in place of their paths."""
    text = str(error).removeprefix("between: ").rstrip(".")
    for number in numbers:
        text = text.replace(number.path, map_words.label(comparison, number.path))
    return shared.plain(f"{text[:1].upper()}{text[1:]}.")


def _sought(comparison: Comparison, path: str, low: float, high: float, pair: tuple[str, str] | None = None) -> GoalSeek:
    return _goal_seek(comparison.scenario, comparison.as_of, shared.book(), path, low, high, pair)


_HASHES = {Scenario: lambda s: (s.model_dump_json(), repr(s.conversions))} | shared.BOOK_HASH


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=_HASHES)
def _goal_seek(
    scenario: Scenario, day: date, book: PriceBook, path: str, low: float, high: float, pair: tuple[str, str] | None
) -> GoalSeek:
    return goal_seek(scenario, book, path, low, high, between=pair, today=day)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=_HASHES)
def _mapped(
    scenario: Scenario, day: date, book: PriceBook, across: tuple[str, float, float], up: tuple[str, float, float]
) -> WinnerMap:
    comparison = compare(scenario, book, today=day)
    return winner_map(comparison, movable(comparison, across[0]), movable(comparison, up[0]), across[1:], up[1:])


# --- one number ---------------------------------------------------------------------------------------------------------------


def _over_card(found: GoalSeek) -> None:
    chart = over_chart(found)
    box, _ = shared.card(chart.title)
    with box:
        st.caption(shared.plain(chart.caption))
        st.plotly_chart(break_even_figure(chart, shared.theme()), theme=None, config=CONFIG, alt=chart.alt, key="over")
        for sentence in map_words.gap_sentences(found):
            st.caption(shared.plain(sentence))


def _stretches_card(found: GoalSeek) -> None:
    count = len(found.stretches)
    box, _ = shared.card("Who is cheapest where" if count > 1 else "The cheapest never changes")
    unit = words.unit_name()
    with box:
        over = words.months(found.comparison.months.count)
        st.caption(shared.plain(f"Total of the cheapest at both ends of each stretch, {unit} over {over}"))
        labels = {name: words.label(name) for name in found.names}
        rows = [
            {
                "From": map_words.value_exact(found.number, stretch.low),
                "To": map_words.value_exact(found.number, stretch.high),
                "Cheapest": [labels[stretch.winner] if stretch.winner else "Tie" if stretch.low_totals_usd else "None"],
                f"{unit} at from": words.money(stretch.low_totals_usd.get(str(stretch.winner))),
                f"{unit} at to": words.money(stretch.high_totals_usd.get(str(stretch.winner))),
                "Starts with": None if at == 0 else map_words.change_kind(found.changes[at - 1]),
            }
            for at, stretch in enumerate(found.stretches)
        ]
        st.dataframe(
            pd.DataFrame(rows), hide_index=True, placeholder=words.MISSING,
            column_config=_right("From", "To", f"{unit} at from", f"{unit} at to") | {"Cheapest": _chips(found)},
            alt=f"{count} stretches with the cheapest approach and its totals.",
        )  # fmt: skip


def _right(*names: str) -> dict[str, object]:
    return {name: st.column_config.TextColumn(alignment="right") for name in names}


def _chips(found: GoalSeek) -> object:
    """Approaches as chips in their colours."""
    palette, results = shared.palette(), found.comparison.results
    options = {words.label(name): mixed(palette.background, palette.families[results[name].family], CHIP) for name in found.names}
    options |= {"Tie": palette.border, "None": palette.border}
    return st.column_config.MultiselectColumn(options=list(options), color=list(options.values()))


# --- two numbers --------------------------------------------------------------------------------------------------------------


def _map_card(found: GoalSeek, options: Mapping[str, str], view, wanted) -> None:
    comparison, number = found.comparison, found.number
    with st.container(border=True):
        head = st.container()
        others = {path: name for path, name in options.items() if path != found.path and can_be_mapped(movable(comparison, path))}
        first = next(path for path in (*_UP_FIRST, *others) if path in others and _usual(comparison, movable(comparison, path)))
        place = st.columns([1, 1])[0]
        path = _picked(place, "What moves upwards", UP, "up", others, first, view, wanted)
        chart = _chart_of_map(found, movable(comparison, path))
        if chart is None:
            head.container(horizontal=True).subheader("Who is cheapest over two numbers", anchor=False, width="content")
            return
        head.container(horizontal=True).subheader(shared.plain(chart.title), anchor=False, width="content")
        head.caption(shared.plain(chart.caption))
        colours = shared.palette().families
        st.markdown("\u2002".join(shared.swatch(region.label, colours[region.family]) for region in chart.regions))
        st.plotly_chart(map_figure(chart, shared.theme()), theme=None, config=CONFIG, alt=chart.alt, key="map")
        st.caption(shared.plain(f"Across: {options[number.path]}. Up: {options[path]}, {_span(comparison, path)}."))


def _span(comparison: Comparison, path: str) -> str:
    _, _, why = movable(comparison, path).usual_range(comparison)
    return why if path != VOLUME else "around today's volume"


def _chart_of_map(found: GoalSeek, up: Movable) -> MapChart | None:
    """The map; a message where there is none."""
    comparison, number = found.comparison, found.number
    if not can_be_mapped(number):
        name = map_words.label(comparison, number.path)
        st.info(
            shared.plain(f"{name} counts whole things, and a map needs numbers that move continuously: let another one move."),
            icon=":material/info:",
        )
        return None
    usual = _usual(comparison, up)
    if usual is None:
        name = map_words.label(comparison, up.path)
        st.info(
            shared.plain(f"{name} is 0 or not stated today, which gives no range: choose another number, or let it move above."),
            icon=":material/info:",
        )
        return None
    across = (number.path, found.low, found.high)
    try:
        winners = _mapped(comparison.scenario, comparison.as_of, shared.book(), across, (up.path, *usual))
        return map_chart(winners, found)
    except shared.REFUSALS as error:
        st.error(
            f"{_in_words(comparison, (up, number), error)} Choose another number, or a narrower range above.",
            icon=":material/error:",
        )
        return None


# --- one against one ----------------------------------------------------------------------------------------------------------


def _pair_card(found: GoalSeek, view, wanted) -> None:
    comparison = found.comparison
    labels = shared.headings(comparison.results)
    ranked = [name for name in comparison.ranked() if name in labels]
    name = field_words.in_sentence(map_words.label(comparison, found.path))
    box, _ = shared.card("At which value do two cost the same?")
    with box:
        st.caption(shared.plain(f"Every value of {name} from {_ends(found)} at which the cheaper of the two changes"))
        left, right = st.columns(2)
        a = _picked(left, "Of", A, "a", labels, ranked[0], view, wanted)
        others = {other: label for other, label in labels.items() if other != a}
        first = next((other for other in ranked if other != a), next(iter(others), None))
        if first is None:
            st.info("There is one approach, and nothing to hold it against.", icon=":material/info:")
            return
        b = _picked(right, "And", B, "b", others, first, view, wanted)
        try:
            pair = _sought(comparison, found.path, found.low, found.high, (a, b))
        except shared.REFUSALS as error:
            st.error(f"{_in_words(comparison, [found.number], error)} Choose another pair.", icon=":material/error:")
            return
        st.markdown(f"**{shared.plain(map_words.pair_answer(pair))}**")
        if pair.changes:
            _roots(pair)
        for sentence in map_words.gap_sentences(pair):
            st.caption(shared.plain(sentence))


def _ends(found: GoalSeek) -> str:
    return f"{map_words.value(found.number, found.low)} to {map_words.value(found.number, found.high)}"


def _roots(pair: GoalSeek) -> None:
    now, unit = pair.number.present, words.unit_name()
    rows = [
        {
            "Value": map_words.value_exact(pair.number, change.value),
            "Against today": _against(change.value, now),
            unit: words.money(change.totals_usd.get(str(change.winner))),
            "From there": words.label(change.winner) if change.winner else "neither",
            "How": map_words.change_kind(change),
        }
        for change in pair.changes
    ]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, placeholder=words.MISSING, column_config=_right("Value", "Against today", unit),
        alt=f"{len(rows)} values at which the cheaper of the two changes.",
    )  # fmt: skip


def _against(value: float, now: float | None) -> str | None:
    """A value as a multiple of today's, or what it is above or below."""
    if not now or value * now <= 0:
        return None
    times = value / now
    if times >= 2:
        return f"{words.figure(float(f'{times:.2g}'))} times"
    return words.percent_whole(times - 1) if times < 1 else f"+{words.percent_whole(times - 1)}"


def _caption(comparison: Comparison, found: GoalSeek | None) -> None:
    text = f"Prices as of {words.day(comparison.as_of)}; {words.price_book(comparison)}."
    if found is not None and found.path != VOLUME:
        text += f" {map_words.label(comparison, found.path)} is {found.path} in the scenario's file."
        text += " An approach that takes a number over from another one keeps its own."
    st.caption(shared.plain(text))


shared.guarded(
    page,
    "These inputs have no answer",
    "Change the input named above, or undo all changes, in the sidebar. Your inputs are kept.",
)
