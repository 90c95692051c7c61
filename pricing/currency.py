"""Currencies the price book may hold a rate of: their names, how their amounts are marked, and their names in keys.

A unit in a key's name says its currency: ``gpu_eur_per_hour`` is ``gpu_usd_per_hour`` in euros. Rates are in ``fx.toml``.
"""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from pricing.errors import UnknownCurrency
from pricing.near import did_you_mean

USD = "USD"


class Currency(NamedTuple):
    """Name, what stands before an amount (None: the code), and decimals of its smallest coin."""

    name: str
    symbol: str | None = None
    decimals: int = 2


CURRENCIES: dict[str, Currency] = {
    "AUD": Currency("Australian dollar"),
    "BRL": Currency("Brazilian real"),
    "CAD": Currency("Canadian dollar"),
    "CHF": Currency("Swiss franc"),
    "CNY": Currency("Chinese yuan"),
    "DKK": Currency("Danish krone"),
    "EUR": Currency("euro", "€"),
    "GBP": Currency("pound sterling", "£"),
    "HKD": Currency("Hong Kong dollar"),
    "ILS": Currency("Israeli shekel"),
    "INR": Currency("Indian rupee"),
    "JPY": Currency("Japanese yen", "¥", 0),
    "KRW": Currency("South Korean won", None, 0),
    "MXN": Currency("Mexican peso"),
    "NOK": Currency("Norwegian krone"),
    "NZD": Currency("New Zealand dollar"),
    "PLN": Currency("Polish zloty"),
    "SEK": Currency("Swedish krona"),
    "SGD": Currency("Singapore dollar"),
    "TRY": Currency("Turkish lira"),
    USD: Currency("US dollar", "$"),
    "ZAR": Currency("South African rand"),
}
"""By ISO 4217 code. Only the common symbols that nobody mistakes: a krone is not said to be a krona."""


def known_currency(code: str) -> str:
    """The code in capitals.

    Raises:
        UnknownCurrency: it is no currency of the book; near matches and the list are named.
    """
    found = code.strip().upper()
    if found not in CURRENCIES:
        said = (f"'{code}' is not a currency of the price book.", did_you_mean(found, CURRENCIES, cutoff=0.6))
        raise UnknownCurrency(" ".join((*filter(None, said), f"It knows {', '.join(CURRENCIES)}.")))
    return found


def symbol(code: str) -> str:
    """What stands before an amount: $, €, £, ¥, else the code and a thin space that does not break."""
    return CURRENCIES[code].symbol or f"{code}\u202f"


def in_dollars(name: str, names: Container[str]) -> tuple[str, str] | None:
    """Which of some names a name says in another currency, and that currency: gpu_eur_per_hour is gpu_usd_per_hour, EUR.

    None where it says none of them.

    Raises:
        UnknownCurrency: it would be one of them, but for a currency that the book does not know.
    """
    words = name.split("_")
    for index, word in enumerate(words):
        dollars = "_".join([*words[:index], USD.lower(), *words[index + 1 :]])
        if len(word) == len(USD) and word.islower() and word != USD.lower() and dollars in names:
            return dollars, known_currency(word)
    return None
