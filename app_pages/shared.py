"""What the pages share: the price book, the theme, text for Markdown, and how a card starts."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from calc.compare import NothingToCompare
from calc.ledger import Unpriced
from calc.scenario import Family
from ingest.errors import InputError
from pricing import Price, PriceBook, PricingError
from pricing.model import Assumption
from reports import words
from reports.palette import PALETTES, Palette, ThemeName
from reports.sources import source_words

REFUSALS = (InputError, PricingError, NothingToCompare, Unpriced, ValueError, ArithmeticError)
"""Errors whose message is for the reader: inputs without an answer."""


OWN_BOOK = "own book"
"""Where a session keeps the book with its own prices."""


@st.cache_resource(show_spinner="Reading the price book")
def bundled_book() -> PriceBook:
    """The bundled price book, read once for all sessions."""
    return PriceBook.bundled()


def book() -> PriceBook:
    """The price book of this session: the bundled one, with the reader's own prices over it where there are any.

    What is cached for all sessions takes it as an argument (`BOOK_HASH`), so that own prices never leave their session.
    """
    own: PriceBook | None = st.session_state.get(OWN_BOOK)
    return bundled_book() if own is None else own


def _own_files(book: PriceBook) -> object:
    return book.own_files


BOOK_HASH = {PriceBook: _own_files}
"""How caches tell books apart: by the names and digests of the files laid over the bundled one."""


def guarded(draw: Callable[[], None], title: str, next_step: str) -> None:
    """Draw a page; an error becomes one message at its top, and the details of an unexpected one go to the log.

    Args:
        title: says what there is not, where the reader can do something about it.
        next_step: what the reader can do about it.
    """
    top = st.container()
    try:
        draw()
    except REFUSALS as error:
        top.title(title, anchor=False)
        top.error(plain(str(error)), icon=":material/error:")
        top.caption(next_step)
    except Exception as error:
        logging.getLogger("tuneworth").exception("A page could not be drawn")
        top.title("This page cannot be shown", anchor=False)
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        top.error(plain(f"tuneworth met an error of its own: {said}"), icon=":material/bug_report:")
        top.caption("Please report it with these words and your scenario file. Your inputs are kept; the sidebar can undo them.")


def headings(names: Iterable[str]) -> dict[str, str]:
    """Approaches' names as headings, each another: as stated where two would read the same."""
    labels = {name: words.label(name) for name in names}
    count = Counter(labels.values())
    return {name: found if count[found] == 1 else name for name, found in labels.items()}


def theme() -> ThemeName:
    """The theme the reader sees."""
    return "dark" if st.context.theme.type == "dark" else "light"


def palette() -> Palette:
    """The colours of the theme the reader sees."""
    return PALETTES[theme()]


def plain(text: str) -> str:
    """Text with everything that Markdown would read as a mark made harmless."""
    return re.sub(r"([\\`*_\[\]{}<>$~#|:])", r"\\\1", text)


def with_bold_money(text: str) -> str:
    """Plain text with its amounts in bold."""
    return re.sub(rf"({re.escape(plain(words.mark()))}[\d,.]*\d)", r"**\1**", plain(text))


def whole(text: str) -> str:
    """Text that is not broken over lines: no-break spaces and hyphens."""
    return text.replace(" ", "\u00a0").replace("-", "\u2011")


def swatch(text: str, colour: str) -> str:
    """A square in a colour with its name beside it."""
    return f':color[■]{{foreground="{colour}"}}\u00a0{plain(whole(text))}'


def family_label(name: str, family: Family) -> str:
    """An approach's name with its swatch, in its colour."""
    return f':color[■ **{plain(words.label(name))}**]{{foreground="{palette().families[family]}"}}'


def card(title: str) -> tuple[DeltaGenerator, DeltaGenerator]:
    """A bordered card with its title; gives the card and the row of its title, where an action may go at the right."""
    box = st.container(border=True)
    row = box.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    row.subheader(plain(title), anchor=False, width="content")
    return box, row


def some_of(key: str, label: str, names: Mapping[str, str], about: str = "") -> list[str]:
    """Some of many, none picked standing for all. Pills: the theme's accent cannot be told from white text in filled tags.

    Args:
        key: in the session, where what is picked stands already.
        names: how each is called.
        about: what they are, in a sentence.
    """
    picked = st.session_state[key]
    shown = "all" if not picked else ", ".join(names[id_] for id_ in picked) if len(picked) < 3 else f"{len(picked)} picked"
    with st.popover(plain(f"{label}: {shown}"), width="stretch", key=f"{key} popover"):
        return st.pills(
            label, list(names), format_func=names.get, key=key, selection_mode="multi",
            help=f"{about} None picked: all of them.".strip(),
        )  # fmt: skip


def link(source: str) -> str | None:
    """A source that a browser can open; a package is named, not linked."""
    return source if source.startswith(("http://", "https://")) else None


def source_cells(source: str) -> dict[str, object]:
    """A source in a table: the site or package by name, and the page where there is one (`source_columns`)."""
    name = source_words(source)
    return {"Source": name.partition(" (" if source.startswith("pkg:") else "/")[0], "Page": link(source)}


def source_columns() -> dict[str, object]:
    """How the columns of `source_cells` are shown."""
    return {"Page": st.column_config.LinkColumn(display_text="open", width="small")}


def price_rows(prices: list[Price]) -> list[dict[str, object]]:
    """Price rows as a table's rows, each once."""
    return [price_row(row) for row in dict.fromkeys(prices)]


def price_row(row: Price) -> dict[str, object]:
    """One price as a table's row."""
    return {
        "Offer": row.offer,
        "Price": words.listed_money(row),
        "Unit": row.unit.removeprefix("USD "),
        "For": row.conditions or "standard",
        "In force from": row.effective,
        **source_cells(row.source),
        "Read on": row.source_date,
        "Confidence": words.CONFIDENCE_LABELS[row.confidence],
    }


def price_columns() -> dict[str, object]:
    """How the columns of `price_rows` are shown."""
    return {
        "Price": st.column_config.TextColumn(alignment="right"),
        "In force from": st.column_config.DateColumn(format="D MMM YYYY"),
        **source_columns(),
        "Read on": st.column_config.DateColumn(format="D MMM YYYY"),
    }


def assumption_rows(found: dict[str, Assumption]) -> list[dict[str, object]]:
    """Assumptions as a table's rows."""
    return [
        {
            "Assumption": name,
            "Low": float(value.low),
            "Likely": float(value.likely),
            "High": float(value.high),
            "Unit": value.unit,
            "Basis": " ".join(value.basis.split()),
            **(source_cells(value.source) if value.source else {"Source": None, "Page": None}),
        }
        for name, value in found.items()
    ]


def assumption_columns() -> dict[str, object]:
    """How the columns of `assumption_rows` are shown."""
    return {
        **{name: st.column_config.NumberColumn(format="%g", width="small") for name in ("Low", "Likely", "High")},
        "Basis": st.column_config.TextColumn(width="large"),
        **source_columns(),
    }
