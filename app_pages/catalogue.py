"""What the page Prices shows of a price book on one day, as tables that are filtered without asking the book again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from app_pages import shared
from pricing import Rates
from pricing.history import Change, History, changes
from pricing.model import LifecycleEvent
from reports import price_words, words

LATELY = timedelta(days=90)
"""How far back changes are shown."""
AHEAD = timedelta(days=180)
"""How far ahead events of models are shown; announced prices are shown whatever their day."""


@dataclass(frozen=True)
class Catalogue:
    """Every price of a book through time, and its state on the as-of day of ``rates``.

    The index of ``prices`` and the column ``history`` of ``changes`` say the place in ``histories``.
    """

    rates: Rates
    histories: tuple[History, ...]
    names: dict[str, tuple[str, str]]
    """Provider and name by offer."""
    prices: pd.DataFrame
    changes: pd.DataFrame
    events: pd.DataFrame

    def of_offer(self, offer: str) -> dict[str, History]:
        """All prices of an offer by a name that is unique within it, with what its provider sets."""
        if _is_item(offer):
            found: Sequence[History] = self.rates.histories(offer)
        else:
            found = [history for history in self.histories if history.offer == offer]
        named: dict[str, History] = {}
        for history in found:
            named.setdefault(price_id(history), history)
        return named

    def events_of(self, offer: str) -> Sequence[LifecycleEvent]:
        """Events of an offer and its provider."""
        if _is_item(offer):
            return self.rates.lifecycle(offer)
        return self.rates.book.provider(offer.partition(":")[0]).lifecycle


def _is_item(offer: str) -> bool:
    """Whether an offer is one item: a provider's id and a size band, written ``provider: band``, are not."""
    return "/" in offer.partition(":")[0]


def price_id(history: History) -> str:
    """Names a price within its offer: key and conditions."""
    return f"{history.key}|{history.conditions}" if history.conditions else history.key


@st.cache_resource(max_entries=8, show_spinner="Reading the prices", hash_funcs={Rates: id})
def catalogue(rates: Rates) -> Catalogue:
    """The tables of a view, kept with it, so that a view of one's own prices has its own."""
    book, day = rates.book, rates.as_of
    histories: list[History] = []
    names: dict[str, tuple[str, str]] = {}
    for id_ in book.provider_ids:
        provider = book.provider(id_)
        for item_id, item in provider.items.items():
            names[f"{id_}/{item_id}"] = (provider.name, item.name)
            histories += rates.histories(f"{id_}/{item_id}", inherited=False)
        names[id_] = (provider.name, f"All of {provider.name}")
        histories += rates.place_histories(id_, provider.price)
        for band in provider.band:
            name = _band_name(band.above_billion_parameters, band.up_to_billion_parameters)
            names[f"{id_}: {name}"] = (provider.name, name)
            histories += [h._replace(offer=f"{id_}: {name}") for h in rates.place_histories(id_, band.price)]
    prices = _prices(histories, names, day)
    return Catalogue(rates, tuple(histories), names, prices, _changes(histories, names, day), _events(rates, names))


def _band_name(above: float, up_to: float) -> str:
    return f"models above {above:g} billion parameters" if up_to == float("inf") else f"models of {above:g} to {up_to:g} billion"


def _prices(histories: Sequence[History], names: dict[str, tuple[str, str]], day: date) -> pd.DataFrame:
    """One row for each history, with the price in force on the day, if there is one; each such price once."""
    rows, listed = [], set()
    for history in histories:
        provider, name = names[history.offer]
        held = history.on(day)
        price = held or history.steps[-1].price
        rows.append(
            {
                **shared.price_row(price),
                "Offer": history.offer,
                "Age": (day - price.source_date).days,
                "Kind": price_words.kind(history),
                "Provider": provider,
                "Name": name,
                "In force": held is not None and price not in listed,
            }
        )
        listed.add(held)
    frame = pd.DataFrame(rows)
    if len(frame):
        words_of = [
            frame[column].fillna("").astype(str) for column in ("Provider", "Offer", "Name", "Unit", "For", "Kind", "Source")
        ]
        frame["text"] = words_of[0].str.cat([*words_of[1:], frame["Price"], frame["Confidence"]], sep=" ").str.lower()
    return frame


def _changes(histories: Sequence[History], names: dict[str, tuple[str, str]], day: date) -> pd.DataFrame:
    """Values that became others since `LATELY`, and all that are announced; the first price of all is no change."""
    rows, listed = [], set()
    for index, history in enumerate(histories):
        for change in changes(history):
            same = (history.offer, history.key, change)
            if change.old is None or change.day < day - LATELY or _without_history(same) in listed:
                continue
            listed.add(_without_history(same))
            rows.append(_change_row(index, change, names[history.offer][0], day))
    columns = ["history", "Day", "Offer", "What", "Was", "Now", "Change", "When", "Announced", "Way", "Provider"]
    return pd.DataFrame(rows, columns=columns)


def _without_history(change: tuple[str, str, Change]) -> tuple[object, ...]:
    offer, key, (day, _, old, new) = change
    return offer, key, day, old, new


def _change_row(index: int, change: Change, provider: str, day: date) -> dict[str, object]:
    assert change.old is not None
    new = change.new
    way = "ended" if new is None else "dearer" if new.value > change.old.value else "cheaper"
    return {
        "history": index,
        "Day": change.day,
        "Offer": change.history.offer,
        "What": f"{price_words.history_label(change.history)}, {change.old.unit.removeprefix('USD ')}",
        "Was": price_words.usd(change.old.value),
        "Now": None if new is None else price_words.usd(new.value),
        "Change": price_words.changed(change),
        "When": _when(change.day, day),
        "Announced": change.day > day,
        "Way": way,
        "Provider": provider,
    }


def _when(on: date, day: date) -> str:
    days = (on - day).days
    if days == 0:
        return "this day"
    count = f"{abs(days):,} day{'s' if abs(days) != 1 else ''}"
    return f"in {count}" if days > 0 else f"{count} ago"


def _events(rates: Rates, names: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """Every recorded event, the next one first and the past ones after."""
    book, day, rows = rates.book, rates.as_of, []
    for id_ in book.provider_ids:
        provider = book.provider(id_)
        places = [(id_, provider.lifecycle), *((f"{id_}/{key}", item.lifecycle) for key, item in provider.items.items())]
        for offer, events in places:
            for event in events:
                rows.append(
                    {
                        "Offer": offer,
                        "What": words.EVENT_LABELS[event.event],
                        "Day": event.date,
                        "Successor": event.successor,
                        **shared.source_cells(event.source),
                        "Read on": event.source_date,
                        "Confidence": words.CONFIDENCE_LABELS[event.confidence],
                        "Provider": provider.name,
                        "text": " ".join((provider.name, *names[offer], offer, words.EVENT_LABELS[event.event])).lower(),
                    }
                )
    rows.sort(key=lambda row: (row["Day"] < day, abs((row["Day"] - day).days)))
    return pd.DataFrame(rows, columns=list(rows[0]) if rows else ["Offer", "What", "Day", "Provider", "text"])


def with_words(table: pd.DataFrame, wanted: str) -> pd.DataFrame:
    """Rows in whose column ``text`` every word occurs."""
    for word in wanted.lower().split():
        table = table[table["text"].str.contains(word, regex=False)]
    return table


def lately(found: Catalogue, rows: pd.DataFrame) -> pd.DataFrame:
    """Changes of some prices, and events of their offers and providers within `AHEAD`, the newest first."""
    day, events = found.rates.as_of, found.events
    changed = found.changes[found.changes["history"].isin(rows.index)]
    offers = set(rows["Offer"])
    offers |= {offer.partition("/")[0] for offer in offers}
    ahead = events[(events["Day"] > day) & (events["Day"] <= day + AHEAD) & events["Offer"].isin(offers)]
    ahead = pd.DataFrame(
        {
            "history": -1, "Day": ahead["Day"], "Offer": ahead["Offer"], "What": "Event", "Was": None, "Now": None,
            "Change": ahead["What"], "When": [_when(on, day) for on in ahead["Day"]], "Announced": True, "Way": "event",
            "Provider": ahead["Provider"],
        }
    )  # fmt: skip
    tables = [table for table in (changed, ahead) if len(table)]
    if not tables:
        return changed
    return pd.concat(tables, ignore_index=True).sort_values(["Day", "Offer", "What"], ascending=[False, True, True])
