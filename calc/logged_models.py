"""Which offer of the price book a usage log means by the name it gives a model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pricing import Rates, UnknownOffer

_GATEWAYS = {
    "azure": "azure-openai",
    "vertex_ai": "vertex-ai",
    "gemini": "gemini-api",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
}
"""Prefixes of LiteLLM's model names that differ from the book's provider ids."""

_DATED = re.compile(r"([-@](\d{4}-\d{2}-\d{2}|\d{8}|latest)|-v\d+(:\d+)?)+$")
_REGION = re.compile(r"^(us|eu|apac|jp|au|global|regional)\.(?=[a-z])")
_MAKER = re.compile(r"^[a-z0-9]+\.(?=[a-z])")


class LoggedModel(NamedTuple):
    """A model's name in a log, taken apart."""

    providers: tuple[str, ...]
    """What stands before slashes in the name, as provider ids of the book."""
    name: str
    """Without them; of a tuned model the name of its base model."""
    tuned: bool

    @classmethod
    def of(cls, logged: str) -> LoggedModel:
        """``azure/gpt-4o`` or ``ft:gpt-4.1-mini-2025-04-14:org::id``, taken apart."""
        *way, last = logged.strip().lower().split("/")
        providers = tuple(_GATEWAYS.get(part, part) for part in way)
        if last.startswith("ft:"):
            return cls(providers, last.split(":")[1], True)
        if last.startswith("ft-"):  # as in lines of OpenAI's costs
            return cls(providers, last[3:], True)
        base, found, _ = last.partition(".ft-")  # as at Azure
        return cls(providers, base, bool(found))

    def is_offer(self, rates: Rates, offer: str) -> bool:
        """Whether it names an offer: by the item's id, alias or name, else without a date or version at its end.

        A dated name that is an item of its own is that item alone. A name that begins with another provider of the book, which
        sells it too, is that provider's.

        Raises:
            UnknownOffer: the offer is not in the book.
        """
        provider, item_id, _ = rates.item(offer)
        if self._item_at(rates, provider.id) != item_id:
            return False
        others = [named for named in self.providers if named in rates.book.provider_ids and named != provider.id]
        return provider.id in self.providers or not any(self._item_at(rates, other) for other in others)

    def _item_at(self, rates: Rates, provider: str) -> str | None:
        """The item of a provider that goes by the name."""
        names = {_plain(name): key for key, item in rates.book.provider(provider).items.items()
                 for name in (item.name, *item.aliases, key)}  # fmt: skip
        return next((names[form] for form in map(_plain, self._forms()) if form in names), None)

    def _forms(self) -> Iterator[str]:
        """The name as it is, then with less and less of what logs add to it."""
        for whole in (self.name, _DATED.sub("", self.name)):
            yield whole
            within = _REGION.sub("", whole)
            yield within
            yield _MAKER.sub("", within)


def names_of(rates: Rates, offer: str) -> tuple[str, ...]:
    """The names that a log may call an offer by; none where the book does not know it."""
    try:
        _, item_id, item = rates.item(offer)
    except UnknownOffer:
        return ()
    return (item_id, *item.aliases, item.name)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
