"""Decide: the verdict, what each approach costs, from which volume the answer changes, and what all of it rests on."""

from __future__ import annotations

import io
import re
import zipfile

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app_pages import inputs, shared, simulated
from calc import Comparison, CostLine
from calc.advice import Rule, State, rules
from calc.compare import ApproachResult
from calc.export import assumptions, comparison_dict, price_rows, to_json
from calc.feasibility import Severity, feasibility
from reports import advice_words, words
from reports.charts import CostLinesChart, Unit, break_even_chart, cost_lines_chart
from reports.csv import csv_files
from reports.intervals import interval_rows
from reports.pdf import report_pdf
from reports.plotly_charts import CONFIG, break_even_figure, cost_lines_figure
from reports.sources import source_words

STATE_COLOURS: dict[State, str] = {
    "Holds": "green",
    "Fails": "red",
    "Dated": "orange",
    "Too high": "orange",
    "Cannot tell": "gray",
}
SEVERITY_COLOURS: dict[Severity, str] = {"stop": "red", "caution": "orange", "info": "gray"}


def page() -> None:
    _answer(inputs.answered())


@words.in_its_currency
def _answer(comparison: Comparison) -> None:
    st.title(shared.plain(words.verdict(comparison)), anchor=False)
    st.markdown(shared.with_bold_money(words.reasons(comparison)))
    if said := words.currency_sentence(comparison):
        st.caption(shared.plain(said))
    sure = simulated.certainty(comparison) if comparison.available and simulated.is_known(comparison) else None
    badge_place = _badges_and_downloads(comparison)
    _cards(comparison)
    if comparison.available:
        chart_place = _break_even_card(comparison)
        _draw_sure(comparison, sure, badge_place, chart_place)
        _cost_lines_card(comparison)
    _turns_card(comparison)
    _feasibility_card(comparison)
    _rules_card(comparison)
    st.caption(_price_caption(comparison))
    if comparison.available and sure is None:
        # the page is there before the draws are made
        try:
            _draw_sure(comparison, simulated.certainty(comparison), badge_place, chart_place)
        except shared.REFUSALS as error:
            st.caption(f"How sure this is cannot be simulated: {shared.plain(str(error))}")


def _draw_sure(comparison: Comparison, sure: simulated.Certainty | None, badge: DeltaGenerator, chart: DeltaGenerator) -> None:
    """The break-even chart, and with it how sure the answer is where that is known."""
    if sure is not None and sure.badge is not None:
        badge.badge(shared.plain(sure.badge.text), icon=":material/casino:", color="blue")
    drawn = break_even_chart(comparison, st.session_state.get("unit") or "month", None if sure is None else sure.band)
    with chart.container():
        st.caption(shared.plain(drawn.caption))
        figure, key = break_even_figure(drawn, shared.theme()), "break-even" if sure is None else "break-even with band"
        st.plotly_chart(figure, theme=None, config=CONFIG, alt=drawn.alt, key=key)


# --- verdict ---------------------------------------------------------------------------------------------------------------


def _badges_and_downloads(comparison: Comparison) -> DeltaGenerator:
    """Gives the place for how sure the answer is."""
    row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    with row.container(horizontal=True, width="content", gap="xsmall"):
        sure = st.empty()
        for badge in words.badges(comparison):
            icon = {"until": "event_available", "closed": "event_busy", "partial": "help"}[badge.kind]
            st.badge(shared.plain(badge.text), icon=f":material/{icon}:", color="orange" if badge.is_warning else "gray")
    with row.container(horizontal=True, width="content", gap="xsmall"):
        name = re.sub(r"[^a-z0-9]+", "-", comparison.scenario.name.lower()).strip("-") or "comparison"
        _download("PDF report", lambda: report_pdf(comparison), f"{name}.pdf", "application/pdf", ":material/download:")
        _download("CSV", lambda: _zipped(csv_files(comparison)), f"{name}-csv.zip", "application/zip")
        _download("JSON", lambda: to_json(comparison_dict(comparison)), f"{name}.json", "application/json")
    return sure


def _download(label: str, data, file_name: str, mime: str, icon: str | None = None) -> None:
    st.download_button(label, data=data, file_name=file_name, mime=mime, icon=icon, on_click="ignore", key=f"download {label}")


def _zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


# --- one card an approach ----------------------------------------------------------------------------------------------------


def _cards(comparison: Comparison) -> None:
    st.caption(words.cards_caption(comparison))
    rows = -(-len(comparison.results) // 5)
    with st.grid(-(-len(comparison.results) // rows), min_column_width=165, gap="small"):
        for result in comparison.results.values():
            with st.container(border=True, height="stretch", gap="xsmall"):
                _card(comparison, result)


def _card(comparison: Comparison, result: ApproachResult) -> None:
    label = shared.family_label(result.name, result.family)
    if result.status != "available":
        st.metric(label, words.MISSING, words.lead(comparison, result.name), delta_color="off", delta_arrow="off")
        st.caption(shared.plain(words.left_out(comparison, result)))
        st.caption(shared.plain(words.made_of(result)))
        st.badge(words.status_label(result), color="orange")
        return
    best = result.name == comparison.winner()
    total = shared.plain(words.money(words.total_usd(comparison, result.name)))
    colour = shared.palette().families[result.family]
    st.metric(
        label,
        f':color[{total}]{{foreground="{colour}"}}' if best else total,
        shared.plain(words.lead_on_card(comparison, result.name)),
        delta_color="primary" if best else "off",
        delta_arrow="off",
    )
    st.markdown(f"**{shared.plain(words.money_per(words.per_request_usd(result)))}** per request")
    per_accepted = words.per_accepted_usd(result)
    if result.failure_mode == "discard" and per_accepted is not None:
        st.markdown(f"**{shared.plain(words.money_per(per_accepted))}** per accepted answer")
    if result.accepted is not None:
        others = shared.plain(words.accepted_of_others(comparison, result))
        st.markdown(f"**{words.percent(result.accepted)}** accepted{others}")
    st.caption(shared.plain(words.made_of(result)))
    ends = [event for event in result.ledger.events if event.kind == "fallback"]
    if ends:
        st.badge(f"Ends {words.day_short(ends[0].day)}", color="orange")
    elif result.incomplete_steps:
        st.badge("Cannot be retrained", color="orange")
    else:
        st.badge("Available", color="gray")


# --- break-even --------------------------------------------------------------------------------------------------------------


def _break_even_card(comparison: Comparison) -> DeltaGenerator:
    """Gives the place of its caption and chart."""
    labels: dict[Unit, str] = {
        "month": "Per month", "request": f"Per {words.volume_unit(comparison)}", "horizon": words.months(comparison.months.count),
    }  # fmt: skip
    chart = break_even_chart(comparison, st.session_state.get("unit") or "month")
    box, row = shared.card(chart.title)
    row.segmented_control(
        "Costs shown", list(labels), default="month", required=True, key="unit", format_func=lambda unit: labels[unit],
        label_visibility="collapsed",
    )  # fmt: skip
    with box:
        place = st.empty()
        rows = interval_rows(comparison)
        count = f"{len(rows)} interval{'s' if len(rows) != 1 else ''}"
        with st.expander(f"Who wins where, and why: {count}"):
            counting = words.per_month(comparison)
            st.dataframe(
                pd.DataFrame([{"From": r.first, "To": r.last, "Cheapest": r.cheapest, "Why": r.why} for r in rows]),
                hide_index=True,
                column_config={
                    "From": st.column_config.NumberColumn(f"From, {counting}", format="localized"),
                    "To": st.column_config.NumberColumn(format="localized"),
                    "Why": st.column_config.TextColumn(width="large"),
                },
                placeholder=words.MISSING,
                alt=f"Who is cheapest at which volume, in {count}.",
            )
            st.caption(
                f"Every whole volume from 1 to {words.exact_volume(comparison.largest_volume)} {counting} is covered; "
                "within an interval nobody else is cheaper."
            )
            for sentence in words.break_even_sentences(comparison):
                st.markdown(f"- {shared.plain(sentence)}")
    return place


# --- cost lines --------------------------------------------------------------------------------------------------------------


def _cost_lines_card(comparison: Comparison) -> None:
    chart = cost_lines_chart(comparison)
    box, _ = shared.card(chart.title)
    with box:
        st.caption(shared.plain(chart.caption))
        st.markdown(_key(chart))
        st.plotly_chart(cost_lines_figure(chart, shared.theme()), theme=None, config=CONFIG, alt=chart.alt, key="cost-lines")
        count = sum(len(result.ledger.lines) for result in comparison.results.values())
        with st.expander(f"All {count} cost lines, with formulas and sources"):
            _lines(comparison)


def _key(chart: CostLinesChart) -> str:
    """Swatches and names of the parts of cost, those that grow with the volume first."""
    colours = shared.palette().groups
    parts = []
    for head, groups in words.GROUP_HEADS.items():
        found = [group for group in chart.groups if group in groups]
        if found:
            swatches = "\u2002".join(shared.swatch(words.GROUP_LABELS[group], colours[group]) for group in found)
            parts.append(f"**{shared.whole(head)}**\u2002{swatches}")
    return "\u2003 ".join(parts)


def _lines(comparison: Comparison) -> None:
    names = [name for name, result in comparison.results.items() if result.ledger.lines]
    first = comparison.winner()
    name = st.selectbox("Approach", names, index=names.index(first), format_func=shared.headings(names).get, key="lines of")
    result = comparison.results[name]
    at = words.shown_requests(result)
    st.dataframe(
        pd.DataFrame([_line_row(line, at) for line in result.ledger.lines]),
        hide_index=True,
        height="content",
        placeholder=words.MISSING,
        column_config={
            **{
                column: st.column_config.TextColumn(alignment="right")
                for column in ("Quantity", "Unit price", f"{words.unit_name()}, {words.months(comparison.months.count)}")
            },
            "Formula": st.column_config.TextColumn(width="large"),
        },
        alt=f"The cost lines of {words.in_sentence(name)} with quantities, prices and formulas.",
    )
    lines = {line.key: line for line in result.ledger.lines}
    asked = st.selectbox(
        "Why? Pick a line", list(lines), index=None, format_func=lambda key: lines[key].name, key=f"why {name}",
        placeholder="All lines of this approach",
    )  # fmt: skip
    _why([lines[asked]] if asked else list(lines.values()), comparison)


def _line_row(line: CostLine, at: float) -> dict[str, str]:
    quantity = float(line.quantity_total(at))
    total = None if line.missing else float(line.total(at))
    return {
        "Line": line.name,
        "Part": words.GROUP_LABELS[line.group],
        "When": words.TIMING_LABELS[line.timing],
        "Quantity": words.quantity(quantity),
        "Unit": line.unit,
        "Unit price": words.unit_price(total / quantity) if total is not None and quantity else words.MISSING,
        f"{words.unit_name()}, {words.months(len(line.unit_price))}": words.money(total),
        "Formula": words.amounts_in_words(line.missing or line.formula),
    }


def _why(lines: list[CostLine], comparison: Comparison) -> None:
    """What lines rest on, down to the price row and the assumption."""
    if len(lines) == 1:
        line = lines[0]
        st.markdown(f"**{shared.plain(line.name)}** = {shared.plain(words.formula(line))}")
        if line.missing:
            st.warning(shared.plain(words.amounts_in_words(line.missing)))
    prices = [price for line in lines for price in line.prices]
    names = list(dict.fromkeys(name for line in lines for name in line.assumptions))
    if prices:
        st.markdown("**Prices used**")
        st.dataframe(
            pd.DataFrame(shared.price_rows(prices)), hide_index=True, column_config=shared.price_columns(),
            placeholder=words.MISSING, alt="Price rows used, with their sources and dates.",
        )  # fmt: skip
    if names:
        st.markdown("**Assumptions used**")
        st.dataframe(
            pd.DataFrame(shared.assumption_rows({name: comparison.rates.assumption(name) for name in names})),
            hide_index=True, column_config=shared.assumption_columns(), placeholder=words.MISSING,
            alt="Assumptions used, with their ranges and what they rest on.",
        )  # fmt: skip
    if not prices and not names:
        st.caption("This line rests on what the scenario states alone.")


# --- notes and rules -----------------------------------------------------------------------------------------------------------


def _feasibility_card(comparison: Comparison) -> None:
    notes = feasibility(comparison)
    if not notes:
        return
    box, _ = shared.card("What limits an approach")
    table = [
        {
            "Approach": shared.plain(words.label(note.approach)),
            "What": f"{_severity(note.severity)} {shared.plain(words.note(note))}{_cited(note.source)}",
        }
        for note in notes
    ]
    box.table(pd.DataFrame(table), border="horizontal", hide_index=True, alt="What limits each approach within the horizon.")


def _severity(severity: Severity) -> str:
    return f":{SEVERITY_COLOURS[severity]}-badge[{words.SEVERITY_LABELS[severity]}]"


def _cited(source: str) -> str:
    address = shared.link(source.partition(", read ")[0])
    return f" [{shared.plain(source_words(source.partition(', read ')[0]).partition('/')[0])}]({address})" if address else ""


def _turns_card(comparison: Comparison) -> None:
    turns = advice_words.turns(comparison)
    if not turns:
        return
    box, _ = shared.card("What would change the answer")
    box.markdown("\n".join(f"- {shared.plain(sentence)}" for sentence in turns))
    if settling := advice_words.settling_sentence(comparison):
        box.caption(shared.plain(settling))


def _rules_card(comparison: Comparison) -> None:
    box, _ = shared.card("Rules of thumb, checked against this workload")
    told = advice_words.told(comparison)
    if told:
        box.caption(shared.plain(advice_words.rules_caption(comparison)))
    for kind, head in advice_words.RULE_HEADS.items():
        found = [rule for rule in told if rule.kind == kind]
        if found and kind == "figure":
            _rules_table(box.expander(f"{head}: {len(found)}"), head, found)
        elif found:
            _rules_table(box, head, found)
    silent = [rule for rule in rules(comparison) if rule not in told]
    if silent:
        _rules_table(box.expander(f"Silent here, and why: {len(silent)}"), "Rules that are silent here", silent)


def _rules_table(place: DeltaGenerator, head: str, found: list[Rule]) -> None:
    table = [
        {
            head: f"**{shared.plain(rule.text)}.** :small[{shared.plain(rule.claimed)}]",
            "This workload": _checked(rule),
        }
        for rule in found
    ]
    place.table(pd.DataFrame(table), border="horizontal", hide_index=True, alt=f"{head}, and whether that holds here.")


def _checked(rule: Rule) -> str:
    text = f"{shared.plain(advice_words.finding(rule))}{_cited(rule.source)}"
    if rule.source and rule.source_date is not None:
        text += f", read on {words.day(rule.source_date)}"
    return f":{STATE_COLOURS[rule.state]}-badge[{words.STATE_LABELS[rule.state]}] {text}"


def _price_caption(comparison: Comparison) -> str:
    rows = price_rows(comparison)
    text = f"{len(rows)} prices as of {words.day(comparison.as_of)}"
    if rows:
        oldest = max((comparison.as_of - row.source_date).days for row in rows)
        text += f", the oldest read {oldest} days before" if oldest > 0 else ", all read that day"
    assumed = len(assumptions(comparison))
    text += f"; {assumed} assumptions; {words.price_book(comparison)}"
    return f"{text}. Every figure opens to its formula, its price rows and its assumptions above."


shared.guarded(
    page,
    "These inputs have no answer",
    "Change the input named above, or undo all changes, in the sidebar. Your inputs are kept.",
)
