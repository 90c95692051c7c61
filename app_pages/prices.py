"""Prices: every price in force on a day, what changed lately, and the history and the source of any of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from app_pages import shared
from app_pages.catalogue import AHEAD, LATELY, Catalogue, catalogue, lately, price_id, with_words
from pricing.history import History, Step
from reports import price_words, words
from reports.charts import history_chart
from reports.plotly_charts import CONFIG, history_figure
from reports.sources import source_words
from tuneworth.clock import today

FIRST_DAY = date(2020, 1, 1)
VIEW = "prices view"
"""What the reader chose, as the page's address has it: kept while another page is open."""
DAY, PROVIDERS, SEARCH, KINDS, CONFIDENCE = "prices day", "providers", "prices search", "prices kinds", "prices confidence"
OFFER, PRICE = "prices offer", "prices price"


@dataclass(frozen=True)
class Asked:
    """What the reader wants to see."""

    day: date
    search: str
    providers: tuple[str, ...]
    kinds: tuple[str, ...]
    confidence: tuple[str, ...]

    @property
    def as_address(self) -> dict[str, str]:
        """As parameters of the page's address; what is as at first is left out."""
        every = {
            "search": self.search,
            "providers": ",".join(self.providers),
            "kinds": ",".join(self.kinds),
            "confidence": ",".join(self.confidence),
            "day": "" if self.day == today() else self.day.isoformat(),
        }
        return {name: value for name, value in every.items() if value}


def _page() -> None:
    asked, ignored = _asked()
    for why in ignored:
        st.warning(shared.plain(why), icon=":material/link_off:")
    found = catalogue(shared.book().as_of(asked.day))
    rows = _matching(found, asked)
    prices = rows[rows["In force"]]
    changed = lately(found, rows)
    _answer(asked, prices, changed)
    if len(rows):
        _price_table(found, prices, asked)
        _one_price(found, rows, prices, changed, asked.day)
        _changes_card(changed)
    _announced_card(found, asked)
    _assumptions_card(found, asked)
    _remember(asked)


# --- what is asked -----------------------------------------------------------------------------------------------------------


def _asked() -> tuple[Asked, list[str]]:
    """The filters in the sidebar, at first those of the page's address; and what of the address is ignored."""
    book = shared.book()
    names = {id_: book.provider(id_).name for id_ in book.provider_ids}
    ignored = _take_over_address(names)
    with st.sidebar:
        st.markdown("**Show**")
        search = st.text_input("Search", key=SEARCH, placeholder="gpt-4.1, training, L40S …", help="Every word must occur.")
        kinds = shared.some_of(KINDS, "What is priced", {kind: kind for kind in price_words.KINDS})
        providers = shared.some_of(PROVIDERS, "Providers", names)
        labels = words.CONFIDENCE_LABELS.values()
        confidence = shared.some_of(CONFIDENCE, "Confidence", {label: label for label in labels}, "Where a figure was read.")
        day = st.date_input(
            "Prices of the day", min_value=FIRST_DAY, max_value=_last_day(), key=DAY, help="Prices in force on this day."
        )
    on = day if isinstance(day, date) else today()
    return Asked(on, search or "", tuple(providers), tuple(kinds), tuple(confidence)), ignored


def _height(table: pd.DataFrame, most: int) -> int:
    """Pixels that show every row, up to a most."""
    return min(38 + 35 * max(len(table), 1), most)


def _last_day() -> date:
    return date(today().year + 5, 12, 31)


def _take_over_address(names: dict[str, str]) -> list[str]:
    """Give the filters their first values; gives what of the address cannot be read, in words."""
    is_first = VIEW not in st.session_state
    view: dict[str, str] = st.session_state.setdefault(VIEW, st.query_params.to_dict())
    ignored = [
        f"The address names '{name}', which this page does not have. It is ignored." for name in view if name not in _NAMES
    ]
    lists = {
        PROVIDERS: ("providers", list(names)),
        KINDS: ("kinds", list(price_words.KINDS)),
        CONFIDENCE: ("confidence", list(words.CONFIDENCE_LABELS.values())),
    }
    for key, (name, known) in lists.items():
        wanted = [part for part in view.get(name, "").split(",") if part]
        unknown = [part for part in wanted if part not in known]
        ignored += [f"The address asks for {name} '{part}', which is not known. It is ignored." for part in unknown]
        _start(key, [part for part in wanted if part in known])
    _start(SEARCH, view.get("search", ""))
    day = today()
    if "day" in view:
        try:
            day = date.fromisoformat(view["day"])
            if not FIRST_DAY <= day <= _last_day():
                raise ValueError
        except ValueError:
            day = today()
            expected = f"Expected a date like 2026-11-20, {FIRST_DAY} or later"
            ignored.append(f"The address asks for the day '{view['day']}'. {expected}. It is ignored.")
    _start(DAY, day)
    return ignored if is_first else []


_NAMES = {"search", "providers", "kinds", "confidence", "day", "offer", "price"}


def _start(key: str, value: Any) -> None:
    if key not in st.session_state:
        st.session_state[key] = value


def _remember(asked: Asked) -> None:
    """Put what is shown into the page's address."""
    wanted = asked.as_address
    if st.session_state.get("prices chosen"):
        wanted |= {"offer": st.session_state[OFFER], "price": st.session_state[PRICE]}
    st.session_state[VIEW] = wanted
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def _matching(found: Catalogue, asked: Asked) -> pd.DataFrame:
    rows = found.prices
    if asked.providers:
        book = found.rates.book
        rows = rows[rows["Provider"].isin([book.provider(id_).name for id_ in asked.providers])]
    if asked.kinds:
        rows = rows[rows["Kind"].isin(asked.kinds)]
    if asked.confidence:
        rows = rows[rows["Confidence"].isin(asked.confidence)]
    return with_words(rows, asked.search)


# --- the answer --------------------------------------------------------------------------------------------------------------


def _answer(asked: Asked, prices: pd.DataFrame, changed: pd.DataFrame) -> None:
    if not len(prices):
        st.title(f"0 prices in force on {words.day(asked.day)}", anchor=False)
        st.markdown("Nothing in the book matches. Shorten the search, remove a filter, or pick another day.")
        return
    past = changed[~changed["Announced"].astype(bool)]
    ways = past["Way"].value_counts()
    changes = f"{len(past):,}" if len(past) else "none"
    st.title(
        f"{len(prices):,} prices in force on {words.day(asked.day)}; {changes} changed in the last {LATELY.days} days",
        anchor=False,
    )
    newest, oldest = prices["Read on"].max(), prices["Read on"].min()
    st.markdown(
        f"From {_counted(prices['Provider'].nunique(), 'provider')}, read between {words.day(oldest)} and {words.day(newest)}. "
        "A price stands from its day on; older ones stay in the book, so that an answer of last month can be had again."
    )
    coming = changed[changed["Announced"].astype(bool)]
    announced = coming[coming["Way"] != "event"]
    cards = {
        "Cheaper lately": (f"{ways.get('cheaper', 0):,}", f"in {LATELY.days} days"),
        "Dearer lately": (f"{ways.get('dearer', 0):,}", f"in {LATELY.days} days"),
        "Ended lately": (f"{ways.get('ended', 0):,}", f"in {LATELY.days} days"),
        "Announced changes": (f"{len(announced):,}", _next(announced)),
        "Events ahead": (f"{len(coming) - len(announced):,}", f"in {AHEAD.days} days"),
    }
    with st.grid(5, min_column_width=165, gap="small"):
        for label, (value, beside) in cards.items():
            with st.container(border=True, height="stretch"):
                st.metric(label, value, beside, delta_color="off", delta_arrow="off")


def _next(coming: pd.DataFrame) -> str:
    return f"next {words.day_short(coming['Day'].min())}" if len(coming) else "none known"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


# --- tables ------------------------------------------------------------------------------------------------------------------


def _price_table(found: Catalogue, prices: pd.DataFrame, asked: Asked) -> None:
    box, _ = shared.card("Prices")
    box.caption("Select a row to see its history and its source below. A column's head sorts.")
    picked = box.dataframe(
        prices, hide_index=True, height=_height(prices, 420), key=f"prices table {asked}",
        selection_mode="single-row", on_select="rerun",
        column_order=["Offer", "Price", "Unit", "For", "In force from", "Source", "Page", "Read on", "Age", "Confidence", "Kind"],
        column_config=shared.price_columns() | {"Age": st.column_config.NumberColumn("Age, days", format="localized")},
        placeholder=words.MISSING, alt=f"{len(prices)} prices with unit, day, source and confidence.",
    ).selection.rows  # fmt: skip
    was = st.session_state.get("prices picked")
    st.session_state["prices picked"] = (asked, picked)
    if picked and was != (asked, picked) and picked[0] < len(prices):
        history = found.histories[prices.index[picked[0]]]
        st.session_state[OFFER], st.session_state[PRICE] = history.offer, price_id(history)
        _chosen()


def _chosen() -> None:
    st.session_state["prices chosen"] = True


def _changes_card(changed: pd.DataFrame) -> None:
    box, row = shared.card("What changed lately, and what is announced")
    if not len(changed):
        box.caption(f"No price here changed in the last {LATELY.days} days, and nothing is announced.")
        return
    is_ahead = changed["Announced"].astype(bool)
    tables = {"lately": changed[~is_ahead], "ahead": changed[is_ahead].iloc[::-1]}
    labels = {"lately": f"Last {LATELY.days} days ({len(tables['lately']):,})", "ahead": f"Ahead ({len(tables['ahead']):,})"}
    picked = row.segmented_control(
        "Changes shown", list(tables), default="lately", required=True, key="prices changes",
        format_func=lambda name: labels[name], label_visibility="collapsed",
    )  # fmt: skip
    captions = {
        "lately": "US$, the newest first. First prices of new offers are not among them.",
        "ahead": f"US$, the next first: announced prices of any later day, and events of the next {AHEAD.days} days.",
    }
    table = tables[picked]
    box.caption(captions[picked])
    box.dataframe(
        table, hide_index=True, height=_height(table, 360),
        column_order=["Day", "When", "Offer", "What", "Was", "Now", "Change"],
        column_config={
            "Day": st.column_config.DateColumn(format="D MMM YYYY"),
            "Was": st.column_config.TextColumn(alignment="right"),
            "Now": st.column_config.TextColumn(alignment="right"),
        },
        placeholder=words.MISSING, alt=f"{len(table)} changes of prices and events, with old and new value.",
    )  # fmt: skip


def _announced_card(found: Catalogue, asked: Asked) -> None:
    events = with_words(found.events, asked.search)
    if asked.providers:
        events = events[events["Provider"].isin([found.rates.book.provider(id_).name for id_ in asked.providers])]
    if events.empty:
        return
    box, _ = shared.card("What providers announced")
    box.caption("Openings, closings and ends of models. A tuned model ends with the model it was tuned from.")
    box.dataframe(
        events, hide_index=True, height=_height(events, 360),
        column_order=[column for column in events.columns if column not in ("Provider", "text")],
        column_config=shared.price_columns() | {"Day": st.column_config.DateColumn(format="D MMM YYYY")},
        placeholder=words.MISSING, alt=f"{len(events)} dated events of models and providers.",
    )  # fmt: skip


def _assumptions_card(found: Catalogue, asked: Asked) -> None:
    assumed = pd.DataFrame(shared.assumption_rows(found.rates.assumptions))
    assumed["text"] = [" ".join(map(str, row)).lower() for row in assumed.itertuples(index=False)]
    shown = with_words(assumed, asked.search)
    if shown.empty:
        return
    box, _ = shared.card("Numbers nobody lists")
    box.caption("Assumptions with their low, likely and high value; a scenario that states the number itself replaces them.")
    box.dataframe(
        shown.drop(columns="text"), hide_index=True, height=_height(shown, 420), column_config=shared.assumption_columns(),
        placeholder=words.MISSING, alt="Assumptions with their ranges and what they rest on.",
    )  # fmt: skip


# --- one price ---------------------------------------------------------------------------------------------------------------


def _one_price(found: Catalogue, rows: pd.DataFrame, prices: pd.DataFrame, changed: pd.DataFrame, day: date) -> None:
    """The history of one price and all it takes to cite it."""
    first = found.histories[_first(prices if len(prices) else rows, changed)]
    offers = sorted(set(rows["Offer"]))
    _settle(OFFER, "offer", offers, first.offer)
    box = st.container(border=True)
    pickers = box.container(horizontal=True, vertical_alignment="bottom")
    offer = pickers.selectbox("Offer", offers, key=OFFER, on_change=_chosen)
    histories = found.of_offer(offer)
    ids = list(histories)
    _settle(PRICE, "price", ids, price_id(first) if offer == first.offer else ids[0])
    labels = {id_: price_words.history_label(history) for id_, history in histories.items()}
    picked = pickers.selectbox("Price", ids, key=PRICE, format_func=lambda id_: labels[id_], on_change=_chosen)
    history = histories[picked]
    events = found.events_of(offer)
    label = "Today" if day == today() else words.day_short(day)
    chart = history_chart(list(histories.values()), history, events, day, label)
    box.subheader(shared.plain(chart.title), anchor=False)
    box.caption(shared.plain(chart.caption))
    box.plotly_chart(history_figure(chart, shared.theme()), theme=None, config=CONFIG, alt=chart.alt, key="price-history")
    _details(box, found, history, day)


def _settle(key: str, name: str, options: list[str], otherwise: str) -> None:
    """Give a picker a value that it has: the one picked, at first the address's; what the address has wrong is told."""
    asked = st.session_state[VIEW].get(name)
    if key not in st.session_state and asked is not None:
        st.session_state[key] = asked
        if asked in options:
            _chosen()
        else:
            st.warning(shared.plain(f"The address asks for '{asked}', which is not among these prices. It is ignored."))
    if st.session_state.get(key) not in options:
        st.session_state[key] = otherwise
        if key == OFFER:
            st.session_state["prices chosen"] = False


def _first(prices: pd.DataFrame, changed: pd.DataFrame) -> int:
    """The place of the price shown at first: the one that changed last, else the first in the table."""
    past = changed[(changed["history"] >= 0) & ~changed["Announced"].astype(bool)]
    return int(past["history"].iloc[0]) if len(past) else int(prices.index[0])


def _details(box: Any, found: Catalogue, history: History, day: date) -> None:
    step = _shown_step(history, day)
    provider, name = found.names[history.offer]
    box.table(pd.DataFrame(_facts(step, day)), border="horizontal", hide_index=True, hide_header=True, alt="Details.")
    box.caption("To cite it:")
    box.code(price_words.citation(provider, name, history, step), language=None, wrap_lines=True)
    with box.expander(f"Every dated value ({len(history.steps)})"):
        st.dataframe(
            pd.DataFrame([_step_row(step) for step in history.steps]), hide_index=True, height="content",
            column_config=shared.price_columns() | {"Until": st.column_config.DateColumn(format="D MMM YYYY")},
            placeholder=words.MISSING, alt="Every dated value of this price.",
        )  # fmt: skip


def _shown_step(history: History, day: date) -> Step:
    """The step in force on the day, else the last before it, else the first."""
    begun = [step for step in history.steps if step.first <= day]
    return begun[-1] if begun else history.steps[0]


def _facts(step: Step, day: date) -> list[dict[str, str]]:
    price = step.price
    state = "" if step.holds(day) else " (announced)" if step.first > day else " (no longer in force)"
    address = shared.link(price.source)
    source = shared.plain(source_words(price.source))
    since = price_words.since(step)
    facts = {
        "Price": f"**{shared.plain(price_words.usd(price.value))}** {shared.plain(price.unit.removeprefix('USD '))}{state}",
        "Listed": shared.plain(words.listed_as(price)),
        "Since": since[:1].upper() + since[1:] + (f", until {words.day(step.until)}" if step.until else ""),
        "Conditions": shared.plain(price.conditions or "Standard"),
        "Source": f"[{source}]({address})" if address else source,
        "Read on": f"{words.day(price.source_date)}, recorded {words.day(price.recorded)}",
        "Confidence": words.CONFIDENCE_LABELS[price.confidence],
        "Note": shared.plain(price.note),
    }
    return [{"Fact": f"**{name}**", "Value": value} for name, value in facts.items() if value]


def _step_row(step: Step) -> dict[str, Any]:
    row = shared.price_row(step.price)
    row |= {"In force from": step.first, "Until": step.until, "Day is": "first seen" if step.is_seen else "stated"}
    return {name: row[name] for name in ("In force from", "Until", "Day is", "Price", "Source", "Page", "Read on", "Confidence")}


shared.guarded(_page, "The price book cannot be read", "Mend the table named above, or install tuneworth anew.")
