"""Prices: every price in force on a day with its source, what models' providers announced, and the numbers nobody lists."""

from __future__ import annotations

from datetime import date

import pandas as pd
import streamlit as st

from app_pages import shared
from pricing.model import Item
from reports import words
from tuneworth.clock import today

FIRST_DAY = date(2020, 1, 1)


def _catalogue() -> None:
    with st.sidebar:
        st.markdown("**Show**")
        day = st.date_input(
            "Prices of the day", value=today(), min_value=FIRST_DAY, max_value=date(today().year + 5, 12, 31), key="prices day",
            help="Prices in force on this day.",
        )  # fmt: skip
        book = shared.book()
        names = {id_: book.provider(id_).name for id_ in book.provider_ids}
        providers = st.multiselect(
            "Providers", list(names), format_func=lambda id_: names[id_], placeholder="All", key="providers"
        )
        wanted = st.text_input(
            "Search", key="prices search", placeholder="gpt-4.1, training, L40S …", help="Every word must occur."
        )
    day = day if isinstance(day, date) else today()
    prices = _found(prices_in_force(day), providers, wanted, names)
    oldest = int(prices["Age"].max()) if len(prices) else 0
    st.title(f"{len(prices):,} prices in force on {words.day(day)}", anchor=False)
    st.markdown(
        f"From {prices['Provider'].nunique()} providers, the oldest read {oldest:,} days before. "
        "A price stands from its day on; older ones stay in the book, so that an answer of last month can be had again."
        if len(prices)
        else "Nothing in the book matches. Shorten the search, or pick another day."
    )
    box, _ = shared.card("Prices")
    box.dataframe(
        prices, hide_index=True, height=520, column_order=_shown(prices),
        column_config=shared.price_columns() | {"Age": st.column_config.NumberColumn("Age, days", format="localized")},
        placeholder=words.MISSING, alt=f"{len(prices)} prices with unit, day, source and confidence.",
    )  # fmt: skip
    events = _found(lifecycle(day), providers, wanted, names)
    box, _ = shared.card("What providers announced")
    box.caption("Openings, closings and ends of models. A tuned model ends with the model it was tuned from.")
    box.dataframe(
        events, hide_index=True, height=360, column_order=_shown(events),
        column_config=shared.price_columns() | {"Day": st.column_config.DateColumn(format="D MMM YYYY")},
        placeholder=words.MISSING, alt=f"{len(events)} dated events of models and providers.",
    )  # fmt: skip
    box, _ = shared.card("Numbers nobody lists")
    box.caption("Assumptions with their low, likely and high value; a scenario that states the number itself replaces them.")
    assumed = pd.DataFrame(shared.assumption_rows(book.as_of(day).assumptions))
    box.dataframe(
        _with_words(assumed, wanted), hide_index=True, height=420, column_config=shared.assumption_columns(),
        placeholder=words.MISSING, alt="Assumptions with their ranges and what they rest on.",
    )  # fmt: skip


@st.cache_data(show_spinner=False)
def prices_in_force(day: date) -> pd.DataFrame:
    """Every price in force on a day."""
    book, rows = shared.book(), []
    rates = book.as_of(day)
    for id_ in book.provider_ids:
        provider = book.provider(id_)
        places = [(f"{id_}/{item_id}", item.name, item.price) for item_id, item in provider.items.items()]
        places += [(id_, f"All of {provider.name}", provider.price)]
        places += [(id_, _band_name(b.above_billion_parameters, b.up_to_billion_parameters), b.price) for b in provider.band]
        for offer, name, blocks in places:
            rows += [
                {
                    "Provider": provider.name,
                    "Name": name,
                    **shared.price_row(price),
                    "Age": (day - price.source_date).days,
                }
                for price in rates.in_force(offer, blocks)
            ]
    return pd.DataFrame(rows)


def _band_name(above: float, up_to: float) -> str:
    return f"Models above {above:g} billion parameters" if up_to == float("inf") else f"Models of {above:g} to {up_to:g} billion"


@st.cache_data(show_spinner=False)
def lifecycle(day: date) -> pd.DataFrame:
    """Every recorded event, the next one first and the past ones after."""
    book, rows = shared.book(), []
    for id_ in book.provider_ids:
        provider = book.provider(id_)
        places: list[tuple[str, str, Item | None]] = [(id_, provider.name, None)]
        places += [(f"{id_}/{item_id}", item.name, item) for item_id, item in provider.items.items()]
        for offer, name, item in places:
            for event in provider.lifecycle if item is None else item.lifecycle:
                rows.append(
                    {
                        "Provider": provider.name,
                        "Offer": offer,
                        "Name": name,
                        "What": words.EVENT_LABELS[event.event],
                        "Day": event.date,
                        "Successor": event.successor,
                        **shared.source_cells(event.source),
                        "Read on": event.source_date,
                        "Confidence": words.CONFIDENCE_LABELS[event.confidence],
                    }
                )
    rows.sort(key=lambda row: (row["Day"] < day, abs((row["Day"] - day).days)))
    return pd.DataFrame(rows)


def _found(table: pd.DataFrame, providers: list[str], wanted: str, names: dict[str, str]) -> pd.DataFrame:
    if providers:
        table = table[table["Provider"].isin([names[id_] for id_ in providers])]
    return _with_words(table, wanted)


def _shown(table: pd.DataFrame) -> list[str]:
    """All columns but those that the offer's id says as well; the search finds them still."""
    return [column for column in table.columns if column not in ("Provider", "Name")]


def _with_words(table: pd.DataFrame, wanted: str) -> pd.DataFrame:
    """Rows in which every word occurs."""
    rows = table.fillna("").itertuples(index=False)
    text = pd.Series([" ".join(map(str, row)).lower() for row in rows], index=table.index, dtype=str)
    for word in wanted.lower().split():
        kept = text.str.contains(word, regex=False)
        table, text = table[kept], text[kept]
    return table


shared.guarded(_catalogue, "The price book cannot be read", "Mend the table named above, or install tuneworth anew.")
