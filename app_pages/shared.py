"""What the pages share: the price book, the theme, text for Markdown, and how a card starts."""

from __future__ import annotations

import re

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from calc.scenario import Family
from pricing import Price, PriceBook
from pricing.model import Assumption
from reports import words
from reports.palette import PALETTES, Palette, ThemeName

CARD_GAP = "small"


@st.cache_resource(show_spinner="Reading the price book")
def book() -> PriceBook:
    """The bundled price book, read once for all sessions."""
    return PriceBook.bundled()


def theme() -> ThemeName:
    """The theme the reader sees."""
    return "dark" if st.context.theme.type == "dark" else "light"


def palette() -> Palette:
    """The colours of the theme the reader sees."""
    return PALETTES[theme()]


def plain(text: str) -> str:
    """Text with everything that Markdown would read as a mark made harmless."""
    return re.sub(r"([\\`*_\[\]{}<>$~#|:])", r"\\\1", text)


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


def link(source: str) -> str | None:
    """A source that a browser can open."""
    if source.startswith(("http://", "https://")):
        return source
    package = re.match(r"pkg:pypi/([^@#/]+)(?:@([^#]+))?", source)
    return f"https://pypi.org/project/{package[1]}/{package[2] or ''}" if package else None


def price_rows(prices: list[Price]) -> list[dict[str, object]]:
    """Price rows as a table's rows, each once."""
    return [price_row(row) for row in dict.fromkeys(prices)]


def price_row(row: Price) -> dict[str, object]:
    """One price as a table's row."""
    return {
        "Offer": row.offer,
        "Price": words.exact_money(row.value),
        "Unit": row.unit.removeprefix("USD "),
        "For": row.conditions or "standard",
        "In force from": row.effective,
        "Source": link(row.source),
        "Read on": row.source_date,
        "Confidence": words.CONFIDENCE_LABELS[row.confidence],
    }


def price_columns() -> dict[str, object]:
    """How the columns of `price_rows` are shown."""
    return {
        "Price": st.column_config.TextColumn("US$", alignment="right"),
        "In force from": st.column_config.DateColumn(format="D MMM YYYY"),
        "Source": st.column_config.LinkColumn(display_text=r"https?://(?:www\.)?([^/]+)"),
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
            "Source": link(value.source) if value.source else None,
        }
        for name, value in found.items()
    ]


def assumption_columns() -> dict[str, object]:
    """How the columns of `assumption_rows` are shown."""
    return {
        **{name: st.column_config.NumberColumn(format="%g", width="small") for name in ("Low", "Likely", "High")},
        "Basis": st.column_config.TextColumn(width="large"),
        "Source": st.column_config.LinkColumn(display_text=r"https?://(?:www\.)?([^/]+)"),
    }
