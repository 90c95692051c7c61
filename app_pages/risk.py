"""Risk: how often each approach is the cheapest, from which volume, what the lead hangs on, and what was drawn."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app_pages import inputs, shared, simulated
from calc import Comparison
from calc.risk import Risk
from reports import field_words, risk_words, words
from reports.plotly_charts import CONFIG
from reports.plotly_risk import break_even_histogram_figure, cheapest_figure, tornado_figure
from reports.risk_charts import break_even_histogram, cheapest_chart, tornado_chart
from reports.risk_words import Row

VALUE_LETTERS = 20
"""That fit in a card as its figure."""


def page() -> None:
    comparison = inputs.answered()
    comparison.winner()  # says so where nothing can be priced
    _answer(comparison)


@words.in_its_currency
def _answer(comparison: Comparison) -> None:
    risk = simulated.risk(comparison)
    st.title(shared.plain(risk_words.verdict(risk)), anchor=False)
    st.markdown(shared.with_bold_money(risk_words.reasons(risk)))
    if said := words.currency_sentence(comparison):
        st.caption(shared.plain(said))
    _metrics(risk)
    if len(risk.approaches) > 1:
        left, right = st.columns([1, 1.35])
        with left:
            _cheapest_card(risk)
        with right:
            _break_even_card(risk)
        _tornado_card(risk)
    _totals_card(risk)
    _information_card(risk)
    _inputs_card(risk)
    st.caption(shared.plain(_caption(risk)))


# --- the figures on top -----------------------------------------------------------------------------------------------------


def _metrics(risk: Risk) -> None:
    winner = risk.comparison.winner()
    found, months = risk.approaches[winner], words.months(risk.comparison.months.count)
    with st.grid(4, min_column_width=200, gap="small"):
        _metric(
            f"{words.label(winner)} is the cheapest" if len(winner) <= words.CARD_LETTERS else "How often cheapest",
            risk_words.share(found.probability_cheapest.value),
            risk_words.simulations(risk.draws), risk_words.convergence(risk),
        )  # fmt: skip
        low, high = risk_words.amount(found.compared_usd.p10), risk_words.amount(found.compared_usd.p90)
        _metric(
            f"{words.label(winner)}, {months}", words.money(found.compared_at_point_usd), f"{low} to {high}",
            f"The total at the point values, as on the page Decide; eight of ten simulations lie between {low} and {high}.",
        )  # fmt: skip
        _break_even_metric(risk)
        _decisive_metric(risk)


def _metric(label: str, value: str, delta: str, text: str) -> None:
    st.metric(
        shared.plain(label), shared.plain(value), shared.plain(delta), delta_color="off", delta_arrow="off", border=True,
        height="stretch", help=shared.plain(text),
    )  # fmt: skip


def _break_even_metric(risk: Risk) -> None:
    name = _challenger(risk)
    if name is None:
        _metric("Break-even", words.MISSING, "nothing to compare", "Only one approach can be priced.")
        return
    found = risk.against_winner[name]
    never, always = found.never, found.always
    delta = f"never, in {risk_words.share(never)}" if never >= always else f"always, in {risk_words.share(always)}"
    delta = "never" if never == 1 else delta
    delta = delta if max(never, always) >= 0.001 else f"in {risk_words.share(found.from_a_volume)}"
    of_them = "" if found.volumes is None else "median; "
    _metric(
        risk_words.beats_from(found), risk_words.median_volume(found), f"{of_them}{delta}",
        f"Median volume, {words.per_month(risk.comparison)}, from which {words.in_sentence(found.cheaper)} is cheaper than "
        f"{words.in_sentence(found.than)}, of the {risk_words.share(found.from_a_volume)} of simulations in which there is one.",
    )  # fmt: skip


def _decisive_metric(risk: Risk) -> None:
    if risk.tornado is None or not risk.tornado.bars:
        _metric("Most decisive input", words.MISSING, "nothing moves the lead", "No input that carries a range moves the lead.")
        return
    bars = risk_words.shown_bars(risk)[0]
    bar = next((found for found in bars if found.flips_to), bars[0] if bars else risk.tornado.bars[0])
    turned = f"flips {risk_words.flip_value(bar)}" if bar.flips_to else risk_words.NO_FLIP
    named = risk_words.label(risk, bar.input)
    value = field_words.short(named)
    if len(value) > VALUE_LETTERS and value.endswith(" accepted"):
        value = "Accepted share"
    _metric(
        "Most decisive input", value, turned,
        f"{named}: of the inputs that alone can turn the answer (or, where none can, of all), the one that moves the lead most.",
    )  # fmt: skip


# --- charts -------------------------------------------------------------------------------------------------------------------


def _cheapest_card(risk: Risk) -> None:
    chart = cheapest_chart(risk)
    with st.container(border=True, height="stretch"):
        st.subheader(shared.plain(chart.title), anchor=False)
        st.caption(shared.plain(chart.caption))
        st.plotly_chart(cheapest_figure(chart, shared.theme()), theme=None, config=CONFIG, alt=chart.alt, key="cheapest")


def _challenger(risk: Risk) -> str | None:
    """Whose break-even is shown at first: a tuned approach's, that of most simulations, or where one wins the best other's."""
    results, ranked = risk.comparison.available, risk.comparison.ranked()[1:]
    if results[risk.comparison.winner()].family in words.TUNED:
        return next((name for name in ranked if results[name].family not in words.TUNED), next(iter(ranked), None))
    tuned = [name for name in ranked if results[name].family in words.TUNED]
    return max(tuned or ranked, key=lambda name: risk.against_winner[name].from_a_volume, default=None)


def _break_even_card(risk: Risk) -> None:
    names = list(risk.against_winner)
    first = _challenger(risk)
    with st.container(border=True, height="stretch"):
        head = st.container()
        labels = shared.headings(names)
        winner = words.in_sentence(risk.comparison.winner())
        name = st.selectbox(
            f"Compared with {shared.plain(winner)}",
            names,
            index=names.index(str(first)),
            format_func=labels.get,
            key="challenger",
        )
        chart = break_even_histogram(risk.comparison, risk.against_winner[name])
        head.subheader(shared.plain(chart.title), anchor=False)
        head.caption(shared.plain(chart.caption))
        figure = break_even_histogram_figure(chart, shared.theme())
        st.plotly_chart(figure, theme=None, config=CONFIG, alt=chart.alt, key="break-even shares")


def _tornado_card(risk: Risk) -> None:
    chart = tornado_chart(risk)
    if chart is None:
        return
    with st.container(border=True):
        st.subheader(shared.plain(chart.title), anchor=False)
        st.caption(shared.plain(chart.caption))
        narrow = "Mobi" in st.context.headers.get("User-Agent", "")
        st.plotly_chart(tornado_figure(chart, shared.theme(), narrow), theme=None, config=CONFIG, alt=chart.alt, key="tornado")
        if chart.rest:
            st.caption(shared.plain(chart.rest))


# --- tables -------------------------------------------------------------------------------------------------------------------


def _totals_card(risk: Risk) -> None:
    with st.container(border=True):
        st.subheader("Totals by approach", anchor=False)
        months, unit = words.months(risk.comparison.months.count), words.unit_name()
        st.caption(f"{unit} over {months}; P10 to P90 holds eight of ten simulations. {risk_words.skew_sentence(risk)}".strip())
        _table("Approach", risk_words.approach_rows(risk), "Totals, shares and regret of every approach over the simulations.")


def _information_card(risk: Risk) -> None:
    rows, rest = risk_words.information_rows(risk)
    if not risk.inputs or len(risk.approaches) < 2:
        return
    with st.container(border=True):
        st.subheader("What measuring first would save", anchor=False)
        st.caption(
            "On average, where one input is known exactly before choosing: more than that is not worth paying to measure it."
        )
        _table("Input", rows, "What knowing an input exactly before choosing would save on average.")
        if rest:
            st.caption(shared.plain(rest))


def _inputs_card(risk: Risk) -> None:
    with st.container(border=True):
        st.subheader("What was drawn, and what was held fixed", anchor=False)
        st.caption(shared.plain(risk_words.inputs_sentence(risk)))
        if risk.inputs:
            with st.expander(f"All {len(risk.inputs)} ranges, and where each comes from"):
                _table("Input", risk_words.input_rows(risk), "Every input that is drawn, with its range and its source.")
        if risk.held_fixed:
            with st.expander(f"All {len(risk.held_fixed)} numbers held fixed"):
                _table("Input", risk_words.fixed_rows(risk), "Every number that the scenario states without a range.")
                st.caption("State a range instead of a number, such as {low: 300, high: 420}, and it is drawn too.")


def _table(about: str, rows: Sequence[Row], alt: str) -> None:
    if not rows:
        return
    heads = {name: name[:1].upper() + name[1:] for row in rows for name in (*row.figures, *row.text)}
    st.dataframe(
        pd.DataFrame(
            [{about: row.about} | {heads[name]: text for name, text in (row.figures | row.text).items()} for row in rows]
        ),
        hide_index=True,
        column_config={heads[name]: st.column_config.TextColumn(alignment="right") for name in rows[0].figures},
        placeholder=words.MISSING,
        alt=alt,
    )


def _caption(risk: Risk) -> str:
    prices = f"Prices as of {words.day(risk.comparison.as_of)}; {words.price_book(risk.comparison)}"
    return f"{prices}. {risk_words.convergence(risk)} Prices themselves are not drawn."


shared.guarded(
    page,
    "These inputs have no answer",
    "Change the input named above, or undo all changes, in the sidebar. Your inputs are kept.",
)
