"""Cash flow: what each approach saves against the reference month by month, what it is worth today, and when it pays back."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app_pages import inputs, shared
from calc import Comparison
from calc.export import comparison_dict
from reports import cash_words, words
from reports.cash_charts import FLOW_GROUPS, FLOW_LABELS, FlowChart, flow_chart, savings_chart
from reports.csv import months_csv
from reports.plotly_charts import CONFIG, flow_figure, savings_figure

APPROACH = "cash flow of"


def page() -> None:
    _answer(inputs.answered())


@words.in_its_currency
def _answer(comparison: Comparison) -> None:
    st.title(shared.plain(cash_words.verdict(comparison)), anchor=False)
    st.markdown(shared.with_bold_money(cash_words.reasons(comparison)))
    if said := words.currency_sentence(comparison):
        st.caption(shared.plain(said))
    name = _choice_and_download(comparison)
    if name is not None:
        _figures(comparison, name)
        _savings_card(comparison)
        _flow_card(comparison, name)
    if comparison.available:
        _months_card(comparison, name)
    _events_card(comparison)
    if name is not None:
        _value_card(comparison, name)
    if comparison.available:
        _accounting_card(comparison)
    st.caption(shared.plain(cash_words.conventions(comparison)))


def _choice_and_download(comparison: Comparison) -> str | None:
    """The approach whose figures are shown; None where none is held against the reference."""
    row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom")
    names = list(cash_words.saved(comparison))
    name = None
    if names:
        labels = shared.headings(names)
        kept = st.session_state.get(APPROACH)
        if kept is not None and kept not in names:
            del st.session_state[APPROACH]
        name = row.segmented_control(
            f"Against {words.in_sentence(comparison.point.reference)}", names, default=cash_words.best(comparison),
            required=True, key=APPROACH, format_func=lambda found: labels[found],
        )  # fmt: skip
    row.download_button(
        "Months, CSV", data=lambda: months_csv(comparison_dict(comparison)), file_name="months.csv", mime="text/csv",
        icon=":material/download:", on_click="ignore", key="download months",
    )  # fmt: skip
    return name


def _figures(comparison: Comparison, name: str) -> None:
    found = cash_words.figures(comparison, name)
    with st.grid(len(found), min_column_width=150, gap="small"):
        for figure in found:
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.metric(
                    figure.label, shared.plain(figure.value), shared.plain(figure.beside), delta_color="off", delta_arrow="off"
                )
    for figure in found:
        if figure.why:
            st.caption(shared.plain(figure.why))


def _savings_card(comparison: Comparison) -> None:
    chart = savings_chart(comparison)
    if chart is None:
        return
    box, _ = shared.card(chart.title)
    with box:
        st.caption(shared.plain(chart.caption))
        st.plotly_chart(savings_figure(chart, shared.theme()), theme=None, config=CONFIG, alt=chart.alt, key="savings")
        rows = cash_words.savings_rows(comparison)
        with st.expander(f"All approaches in figures: {len(rows)}"):
            st.dataframe(
                pd.DataFrame(rows, columns=["Approach", *cash_words.HEAD[1:]]), hide_index=True, height="content",
                column_config={name: st.column_config.TextColumn(alignment="right") for name in cash_words.HEAD[1:]},
                placeholder=words.MISSING, alt=f"{cash_words.savings_title(comparison)}: {len(rows)} approaches.",
            )  # fmt: skip
            if said := cash_words.no_rate_sentence(comparison):
                st.caption(shared.plain(said))


def _flow_card(comparison: Comparison, name: str) -> None:
    chart = flow_chart(comparison, name)
    if chart is None or not chart.bars:
        return
    box, _ = shared.card(chart.title)
    with box:
        st.caption(shared.plain(chart.caption))
        st.markdown(_key(chart))
        st.plotly_chart(flow_figure(chart, shared.theme()), theme=None, config=CONFIG, alt=chart.alt, key="flows")


def _key(chart: FlowChart) -> str:
    colours = shared.palette().groups
    return "\u2002".join(shared.swatch(FLOW_LABELS[kind], colours[FLOW_GROUPS[kind]]) for kind in chart.bars)


def _months_card(comparison: Comparison, name: str | None) -> None:
    shown = name if name is not None else next(iter(comparison.available))
    rows = cash_words.month_rows(comparison, shown)
    box, _ = shared.card("Month by month")
    saving = f" What is saved is of {words.in_sentence(shown)}." if name is not None else ""
    box.caption(
        shared.plain(
            f"{words.unit_name()}. Each row is a day: what the month that ends there cost, and the one-offs of the one that "
            f"begins.{saving}"
        )
    )
    right = {column: st.column_config.TextColumn(alignment="right") for column in rows[0] if column not in ("Month", "Day")}
    box.dataframe(
        pd.DataFrame(rows), hide_index=True, column_config=right | {"Day": st.column_config.DateColumn(format="D MMM YYYY")},
        placeholder=words.MISSING, alt=f"Cost of each approach and savings of {words.in_sentence(shown)}, by month.",
    )  # fmt: skip


def _events_card(comparison: Comparison) -> None:
    events = cash_words.event_rows(comparison)
    box, _ = shared.card("Dated events" if events else "No dated event falls within the horizon")
    if events:
        table = [
            {
                "When": f"**{words.day_short(event.day)}** :small[{shared.plain(_of(event.approaches))}]",
                "What happens": f"{shared.plain(event.text)}{_cited(event.source)}",
            }
            for event in events
        ]
        box.table(
            pd.DataFrame(table), border="horizontal", hide_index=True, alt=f"{len(events)} dated events with their sources."
        )
    box.caption(shared.plain(cash_words.price_sentence(comparison)))


def _of(approaches: Sequence[str]) -> str:
    return words.listed(words.in_sentence(name) for name in approaches)


def _cited(source: str) -> str:
    if not source:
        return ""
    name, address = shared.plain(str(shared.source_cells(source)["Source"])), shared.link(source)
    return f" [{name}]({address})" if address else f", {name}"


def _value_card(comparison: Comparison, name: str) -> None:
    box, _ = shared.card(cash_words.value_title(comparison, name))
    over = cash_words.value_column(comparison)
    rows = [
        {"Method": shared.plain(row["Method"]), over: f"**{shared.plain(row[over])}** {shared.plain(row['How it comes about'])}"}
        for row in cash_words.value_rows(comparison, name)
    ]
    box.caption(shared.plain(cash_words.value_caption(comparison)))
    box.table(
        pd.DataFrame(rows), border="horizontal", hide_index=True,
        alt=f"What {words.in_sentence(name)} earns by each method, with formulas.",
    )  # fmt: skip


def _accounting_card(comparison: Comparison) -> None:
    rows = cash_words.accounting_rows(comparison)
    box, _ = shared.card("Accounting view: up-front cost in equal parts")
    box.caption(shared.plain(cash_words.ACCOUNTING))
    box.dataframe(
        pd.DataFrame(rows), hide_index=True, height="content",
        column_config={
            column: st.column_config.TextColumn(alignment="right") for column in ("Up front", "Asset life", "A month")
        },
        placeholder=words.MISSING, alt="Up-front cost of each approach spread over the months it serves.",
    )  # fmt: skip


shared.guarded(
    page,
    "These inputs have no answer",
    "Change the input named above, or undo all changes, in the sidebar. Your inputs are kept.",
)
