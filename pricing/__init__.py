"""What things cost, by date, with a source."""

from pricing.book import PriceBook, Rates
from pricing.errors import BadTable, PriceMissing, PriceUnverified, PricingError, UnknownCurrency, UnknownOffer
from pricing.model import Assumption, ExchangeRate, Price

__all__ = [
    "Assumption",
    "BadTable",
    "ExchangeRate",
    "Price",
    "PriceBook",
    "PriceMissing",
    "PriceUnverified",
    "PricingError",
    "Rates",
    "UnknownCurrency",
    "UnknownOffer",
]
