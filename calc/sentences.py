"""Numbers, days and names inside the sentences of rules and notes."""

from __future__ import annotations

from datetime import date

from pricing import ExchangeRate
from pricing.currency import symbol
from pricing.model import US_DOLLAR


def money(usd: float, currency: ExchangeRate = US_DOLLAR) -> str:
    """Whole units with thousands separators; cents below ten. What is held against a claim in dollars stays in dollars."""
    amount, mark = currency.of_usd(usd), symbol(currency.code)
    if 0 < amount < 0.01:
        return f"under {mark}0.01"
    return f"{mark}{amount:,.0f}" if abs(amount) >= 9.995 or amount == round(amount) else f"{mark}{amount:,.2f}"


def named(name: str) -> str:
    """An approach inside a sentence."""
    return "RAG" if name == "rag" else name


def times(ratio: float) -> str:
    """``2.4 times``."""
    return f"{ratio:.1f} times" if ratio < 10 else f"{ratio:,.0f} times"


def day_words(day: date) -> str:
    """``14 January 2027``."""
    return f"{day.day} {day:%B %Y}"


def model_name(offer: str) -> str:
    """An offer without its provider."""
    return offer.partition("/")[2]


def sentence(text: str) -> str:
    """A capital and a full stop; an id at the start stays as it is."""
    start = text[:1] if "/" in text.partition(" ")[0] else text[:1].upper()
    return f"{start}{text[1:].rstrip('.')}."
