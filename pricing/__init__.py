"""What things cost, by date, with a source."""

from pricing.book import PriceBook, Rates
from pricing.errors import BadTable, PriceMissing, PriceUnverified, PricingError, UnknownOffer
from pricing.model import Assumption, Price

__all__ = [
    "Assumption",
    "BadTable",
    "Price",
    "PriceBook",
    "PriceMissing",
    "PriceUnverified",
    "PricingError",
    "Rates",
    "UnknownOffer",
]
