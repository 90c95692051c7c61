"""What things cost, by date, with a source."""

from pricing.book import PriceBook, Rates
from pricing.errors import BadTable, PriceMissing, PriceUnverified, PricingError, UnknownCurrency, UnknownOffer, UnknownRelease
from pricing.model import Assumption, ExchangeRate, Price, Release
from pricing.own import OwnFile, OwnPrices

__all__ = [
    "Assumption",
    "BadTable",
    "ExchangeRate",
    "OwnFile",
    "OwnPrices",
    "Price",
    "PriceBook",
    "PriceMissing",
    "PriceUnverified",
    "PricingError",
    "Rates",
    "Release",
    "UnknownCurrency",
    "UnknownOffer",
    "UnknownRelease",
]
