"""What a customer has agreed with a provider beside single prices: discounts, commitments and credits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

_Amount = Annotated[Decimal, Field(gt=0, le=10**12, decimal_places=6)]


def later(ends: date | None, stated: ValidationInfo) -> date | None:
    """The end, if it is none or after the ``effective`` that stands before it.

    Raises:
        ValueError: it is not.
    """
    effective = stated.data.get("effective")  # absent where that is a mistake itself
    if ends is not None and effective is not None and ends <= effective:
        raise ValueError(f"ends {ends} must be later than effective {effective}")
    return ends


class Term(BaseModel):
    """Something agreed from a day on, until a day (exclusive) where it ends."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    effective: date
    ends: date | None = None

    @field_validator("ends")
    @classmethod
    def _lasts(cls, ends: date | None, stated: ValidationInfo) -> date | None:
        return later(ends, stated)

    def in_force(self, on: date) -> bool:
        """Whether it holds on a day."""
        return self.effective <= on and (self.ends is None or on < self.ends)


class Discount(Term):
    """Per cent off a provider's listed prices; prices of one's own are what is paid and take no discount."""

    percent: Decimal = Field(gt=0, le=100, decimal_places=6)
    offers: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Ids or aliases of the provider's items; None: everything it sells."""
    keys: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Price keys; None: all."""

    def applies_to(self, names: Collection[str], key: str) -> bool:
        """Whether it takes something off a price.

        Args:
            names: the item's id and aliases; none of them for what holds for everything the provider sells.
        """
        return (self.offers is None or not set(self.offers).isdisjoint(names)) and (self.keys is None or key in self.keys)

    def __str__(self) -> str:
        return f"{self.percent.normalize():f} % negotiated discount"


class Commitment(Term):
    """Spend at least this in every month that begins while it holds; what is missing is billed."""

    usd_per_month: _Amount


class Credit(Term):
    """Pays the provider's bills of the months that begin while it holds, until it is used up."""

    usd: _Amount


def overlapping(discounts: Sequence[Discount], aliases: Collection[Collection[str]]) -> Iterator[tuple[int, int]]:
    """Pairs of discounts, by their places, that would both take something off one price on one day.

    Args:
        aliases: the names of each item sold.
    """
    for i, j in concurrent(discounts):
        a, b = discounts[i], discounts[j]
        same_key = a.keys is None or b.keys is None or not set(a.keys).isdisjoint(b.keys)
        if same_key and _share_an_offer(a, b, aliases):
            yield i, j


def concurrent(terms: Sequence[Term]) -> Iterator[tuple[int, int]]:
    """Pairs of terms, by their places, that hold on a same day."""
    for (i, a), (j, b) in combinations(enumerate(terms), 2):
        if (a.ends is None or b.effective < a.ends) and (b.ends is None or a.effective < b.ends):
            yield i, j


def _share_an_offer(a: Discount, b: Discount, aliases: Collection[Collection[str]]) -> bool:
    if a.offers is None or b.offers is None or not set(a.offers).isdisjoint(b.offers):
        return True
    return any(not set(a.offers).isdisjoint(names) and not set(b.offers).isdisjoint(names) for names in aliases)
