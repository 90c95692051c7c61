"""Named errors of the price book: what is wrong, where, what was expected, what to do next."""

from __future__ import annotations


class PricingError(Exception):
    """A fact of the price book is missing, unusable or wrong. The message is meant to be shown."""


class BadTable(PricingError):
    """A table file does not follow the schema."""


class UnknownOffer(PricingError):
    """No provider, model, GPU, store or role of that id is in the book."""


class PriceMissing(PricingError):
    """The book knows the offer but holds no such price for it on that day."""


class PriceUnverified(PricingError):
    """The only price found is marked unverified and was not accepted by name."""


class UnknownCurrency(PricingError, ValueError):
    """No currency of that code is in the book."""


class UnknownRelease(PricingError):
    """No release of the price book has that name."""
