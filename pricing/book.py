"""The price book: load the bundled tables, and ask what something costs on a day.

Reading the tables is this module's one job with files; everything else in `pricing` is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import tomli
from pydantic import BaseModel, ValidationError

from pricing.currency import CURRENCIES, USD, known_currency
from pricing.errors import BadTable, PriceMissing, PriceUnverified, PricingError, UnknownOffer, UnknownRelease
from pricing.history import History, Step, steps, turning_days
from pricing.keys import PRICE_KEYS, bought_at_once
from pricing.model import (
    US_DOLLAR,
    Assumption,
    BillingRules,
    CacheRules,
    ExchangeRate,
    Fit,
    FxBlock,
    Gpu,
    Item,
    LifecycleEvent,
    OpenModel,
    Price,
    PriceBlock,
    Provider,
    Release,
    Service,
    StoreRules,
)
from pricing.near import did_you_mean
from pricing.own import OwnFile, OwnPrices


class Recorded(Protocol):
    """Anything that entered the book on a day."""

    @property
    def recorded(self) -> date:
        """The day."""
        ...


_M = TypeVar("_M", bound=BaseModel)
_R = TypeVar("_R", bound=Recorded)
_BUNDLED = Path(__file__).parent

Method = Literal["sft", "dpo", "rft", "cpt"]
Technique = Literal["lora", "full"]


class Terms(NamedTuple):
    """What a tuning price may depend on; None: it holds whatever that is."""

    method: Method | None
    technique: Technique | None
    deployment: str | None


class PriceBook:
    """All prices known, by provider, each file read when first asked for.

    Args:
        folder: a folder laid out like the bundled one (``tables/``, ``assumptions/``, ``open_models.toml``, ``gpus.toml``).
        overrides: provider tables (as parsed TOML) whose blocks are added over the folder's.
    """

    def __init__(
        self, folder: Path, overrides: Mapping[str, Mapping[str, Any]] | None = None, own_files: tuple[OwnFile, ...] = ()
    ) -> None:
        self._folder = folder
        self.own_files = own_files
        """The files of own prices laid over the tables, for the record."""
        self._overrides = dict(overrides or {})
        self._providers: dict[str, Provider] = {}
        self._views: dict[tuple[date, date | None], Rates] = {}

    @classmethod
    def bundled(cls) -> PriceBook:
        """The book that ships with tuneworth."""
        return cls(_BUNDLED)

    def with_overrides(self, overrides: Mapping[str, Mapping[str, Any]]) -> PriceBook:
        """A book in which the given provider tables are laid over this one's, item by item.

        An override's blocks win over the book's blocks of the same conditions from their effective day on.
        """
        added = (overrides.file,) if isinstance(overrides, OwnPrices) else ()
        return PriceBook(self._folder, _layered(self._overrides, overrides), (*self.own_files, *added))

    @cached_property
    def provider_ids(self) -> tuple[str, ...]:
        """Ids of all providers in the book, sorted."""
        return tuple(sorted({p.stem for p in (self._folder / "tables").glob("*.toml")} | set(self._overrides)))

    @cached_property
    def agreed_providers(self) -> tuple[Provider, ...]:
        """The providers with which a commitment or credit is agreed: own prices alone can say so."""
        found = (self.provider(provider_id) for provider_id in sorted(self._overrides))
        return tuple(provider for provider in found if provider.commitment or provider.credit)

    def provider(self, provider_id: str) -> Provider:
        """One provider's table.

        Raises:
            UnknownOffer: there is no such provider; near matches are named.
            BadTable: its file does not follow the schema.
        """
        if provider_id not in self._providers:
            if provider_id not in self.provider_ids:
                raise UnknownOffer(
                    f"There is no provider '{provider_id}' in the price book."
                    + _suggest(provider_id, self.provider_ids, "Providers")
                )
            path = self._folder / "tables" / f"{provider_id}.toml"
            data = _read_toml(path) if path.exists() else {}
            if provider_id in self._overrides:
                data = _layered(data, _as_own(self._overrides[provider_id]))
            self._providers[provider_id] = _validated(Provider, {"id": provider_id} | data, path)
        return self._providers[provider_id]

    @cached_property
    def open_models(self) -> dict[str, tuple[OpenModel, ...]]:
        """Everything recorded of open weights, by ``maker/model``; which record counts is for `Rates` to say."""
        return _records(OpenModel, self._folder / "open_models.toml")

    @cached_property
    def gpus(self) -> dict[str, tuple[Gpu, ...]]:
        """Everything recorded of GPUs, by id; which record counts is for `Rates` to say."""
        return _records(Gpu, self._folder / "gpus.toml")

    @cached_property
    def exchange_rates(self) -> dict[str, tuple[FxBlock, ...]]:
        """What a dollar was in other currencies, by ISO code, of any day; none where the folder has no fx.toml."""
        path = self._folder / "fx.toml"
        found = _read_toml(path) if path.exists() else {}
        for code in found:
            if code not in CURRENCIES or code == USD:
                raise BadTable(f"{path.name}, {code}: it is not among the currencies of pricing/currency.py. Add it there.")
        return {c: tuple(_validated(FxBlock, b, path, f"{c}.{i}") for i, b in enumerate(bs)) for c, bs in found.items()}

    @cached_property
    def assumptions(self) -> dict[str, tuple[Assumption, ...]]:
        """Everything recorded of numbers nobody lists, by ``topic.name``; which record counts is for `Rates` to say."""
        return {
            f"{path.stem}.{name}": records
            for path in sorted((self._folder / "assumptions").glob("*.toml"))
            for name, records in _records(Assumption, path).items()
        }

    @cached_property
    def fits(self) -> dict[str, tuple[Fit, ...]]:
        """What the models of own GPUs were fitted to be, by name; which record counts is for `Rates` to say."""
        paths = sorted((self._folder / "coefficients").glob("*.toml"))
        return {name: records for path in paths for name, records in _records(Fit, path).items()}

    @cached_property
    def releases(self) -> tuple[Release, ...]:
        """The releases of the book in the order of its releases.toml; none where it has no such file."""
        found = _read_toml(self.releases_file).get("release", []) if self.releases_file.exists() else []
        return tuple(_validated(Release, data, self.releases_file, f"release.{i}") for i, data in enumerate(found))

    @property
    def releases_file(self) -> Path:
        """Where the book keeps its releases."""
        return self._folder / "releases.toml"

    def release(self, name: str) -> Release:
        """A release by its name.

        Raises:
            UnknownRelease: there is none of that name; near matches are named.
        """
        for release in self.releases:
            if release.name == name:
                return release
        near = _suggest(name, [release.name for release in self.releases], "Releases")
        raise UnknownRelease(
            f"There is no price release '{name}'.{near} State a release's name, or a day like 2026-11-20, the last one whose "
            "records count."
        )

    def recorded_through(self, state: date | str | None) -> date | None:
        """The last day whose records count in a state of the book: of a release by its name, or the day itself.

        Raises:
            UnknownRelease: there is no release of that name; near matches are named.
        """
        return self.release(state).recorded_through if isinstance(state, str) else state

    def as_of(self, day: date, recorded_through: date | str | None = None) -> Rates:
        """The prices in force on a day, with what was already announced for later days.

        Args:
            day: the day the question is asked.
            recorded_through: ignore what entered the book after this day, or after that of the release named.

        Raises:
            UnknownRelease: there is no release of that name.
        """
        recorded_through = self.recorded_through(recorded_through)
        if (day, recorded_through) not in self._views:
            self._views[day, recorded_through] = Rates(self, day, recorded_through)
        return self._views[day, recorded_through]


class Rates:
    """What is known of prices as of one day. Prices announced for later days are found by asking with ``on=``."""

    def __init__(self, book: PriceBook, as_of: date, recorded_through: date | None = None) -> None:
        self.book = book
        self.as_of = as_of
        self.recorded_through = recorded_through
        self.memory: dict[tuple[Any, ...], Any] = {}
        """Answers already worked out from the listed prices, by question; a view never changes, so they stay true."""
        self.own_memory: dict[tuple[Any, ...], Any] = {}
        """Likewise of answers that hang on assumptions or price factors: of this view alone."""
        self._items: dict[str, tuple[Provider, str, Item]] = {}
        self.price_factors: dict[tuple[str, str], Any] = {}

    def item(self, offer: str) -> tuple[Provider, str, Item]:
        """The provider, the item's id and the item behind an offer id ``provider/item`` (or an alias of it).

        Raises:
            UnknownOffer: no such provider or item; near matches are named.
        """
        if offer not in self._items:
            self._items[offer] = self._find(offer)
        return self._items[offer]

    def _find(self, offer: str) -> tuple[Provider, str, Item]:
        provider_id, _, item_id = offer.partition("/")
        if not item_id:
            raise UnknownOffer(f"'{offer}' is not an offer id; write provider/model, for example openai/gpt-6-luna.")
        provider = self.book.provider(provider_id)
        items = provider.items
        if item_id not in items:
            by_alias = {alias: key for key, item in items.items() for alias in item.aliases}
            if item_id not in by_alias:
                raise UnknownOffer(f"{provider.name} has no '{item_id}' in the price book." + _suggest(item_id, items, "It has"))
            item_id = by_alias[item_id]
        return provider, item_id, items[item_id]

    def price(
        self,
        offer: str,
        key: str,
        on: date | None = None,
        *,
        service: Service = "standard",
        tuned: bool = False,
        context_tokens: float = 0,
        deployment: str | None = None,
        method: Method | None = None,
        technique: Technique | None = None,
        at_hour: tuple[int, float] | None = None,
        accept_unverified: bool = False,
    ) -> Price:
        """The price of an offer on a day under the stated conditions.

        The most specific place that prices it wins: the item itself, then the size band of its weights, then the
        provider's general prices. Within one place the latest effective day not after ``on`` wins, and of several
        records of that day the last recorded.

        Args:
            offer: ``provider/item``.
            key: a key of `pricing.keys.PRICE_KEYS`.
            on: the day; default the as-of day.
            context_tokens: input length of the request; decides the context tier.
            at_hour: (ISO weekday, hour UTC, 0.5 for half past midnight) for time-of-day prices; None asks for the rates
                outside all windows.

        Raises:
            UnknownOffer: the offer is not in the book.
            PriceMissing: it is, but this price is not, or not yet, or no longer.
            PriceUnverified: only an unverified figure is known.
        """
        on = on or self.as_of
        provider, item_id, _ = self.item(offer)
        places = self._places(
            offer,
            key,
            service=service,
            tuned=tuned,
            context_tokens=context_tokens,
            deployment=deployment,
            method=method,
            technique=technique,
            at_hour=at_hour,
            on=on,
        )
        for blocks in places:
            block = block_in_force(blocks, on)
            if block is not None:
                if block.confidence == "unverified" and not accept_unverified:
                    raise PriceUnverified(
                        f"The only {PRICE_KEYS[key].unit} known for {offer} is unverified "
                        f"({block.prices[key]}{_currency(block, key)}, {block.source}, {block.source_date}). "
                        "Accept it by name (accept_unverified in a scenario, --accept-unverified of 'bill'), "
                        "or state your own price."
                    )
                return _agreed(self._price(f"{provider.id}/{item_id}", key, block), block, provider, item_id, on)
        known = [block for blocks in places for block in blocks]
        raise PriceMissing(self._why_missing(f"{provider.id}/{item_id}", key, on, known, service, tuned))

    def _price(self, offer: str, key: str, block: PriceBlock) -> Price:
        """The price a block states, in dollars."""
        code = block.currencies.get(key)
        return _price(offer, key, block, None if code is None else self.exchange_rate(code))

    def exchange_rate(self, code: str, on: date | None = None) -> ExchangeRate:
        """What a dollar is in a currency: the latest rate not after the as-of day (or ``on``, if that is earlier).

        A later rate is never taken and nothing is interpolated, so that all months of a comparison have one rate.

        Args:
            code: ISO 4217, in capitals or not. The dollar is 1 by definition.

        Raises:
            UnknownCurrency: the book knows no such currency; near matches are named.
            PriceMissing: it does, but has no rate of that day yet.
        """
        code, day = known_currency(code), min(on or self.as_of, self.as_of)
        if code == USD:
            return US_DOLLAR
        recorded = self._known(self.book.exchange_rates.get(code, ()))
        started = [b for b in recorded if b.effective <= day]
        if not started:
            first = min((b.effective for b in recorded), default=None)
            none = "its rates entered it later" if code in self.book.exchange_rates else "add one to fx.toml"
            known = none if first is None else f"the first one recorded is of {first}. Ask for a later day"
            through = f" as recorded through {self.recorded_through}" if self.recorded_through else ""
            raise PriceMissing(f"The price book{through} has no rate of {code} to the dollar on {day}: {known}, or use USD.")
        block = max(started, key=lambda b: (b.effective, b.recorded))
        return ExchangeRate(
            code=code,
            per_usd=block.per_usd,
            effective=block.effective,
            publisher=block.publisher,
            source=block.source,
            source_date=block.source_date,
            recorded=block.recorded,
        )

    @property
    def currencies(self) -> tuple[str, ...]:
        """Codes of the currencies with a rate on the as-of day, the dollar among them."""
        return tuple(code for code in CURRENCIES if code == USD or self._has_rate(code))

    def _has_rate(self, code: str) -> bool:
        try:
            self.exchange_rate(code)
        except PriceMissing:
            return False
        return True

    def _knows(self, fact: Recorded) -> bool:
        return known_through(fact, self.recorded_through)

    def _known(self, records: Iterable[_R]) -> list[_R]:
        return [record for record in records if self._knows(record)]

    def _last(self, records: Iterable[_R]) -> _R | None:
        return last_recorded(records, self.recorded_through)

    def _known_facts(self, facts: Mapping[str, Iterable[_R]]) -> dict[str, _R]:
        return {name: last for name, records in facts.items() if (last := self._last(records)) is not None}

    def is_listed(self, item: Item) -> bool:
        """Whether the item was in the book: anything of it was recorded by then, or it holds nothing with a date."""
        records: list[Recorded] = [*item.price, *item.lifecycle, *item.cache, *item.billing, *item.store]
        return not records or bool(self._known(records))

    @property
    def _through(self) -> str:
        """For messages: how far the records go."""
        return f" as recorded through {self.recorded_through}" if self.recorded_through else ""

    def keys(self, offer: str) -> frozenset[str]:
        """The keys that the offer has had a price for on any day, under any conditions."""
        provider, _, item = self.item(offer)
        blocks = (*item.price, *self._band_prices(provider, item), *provider.price)
        return frozenset(key for block in blocks for key in block.prices)

    def terms(self, offer: str, keys: Iterable[str]) -> tuple[Terms, ...]:
        """Under which terms the offer has had a standard price of one of the keys on any day, its band's and provider's too."""
        provider, _, item = self.item(offer)
        wanted = set(keys)
        blocks = self._known((*item.price, *self._band_prices(provider, item), *provider.price))
        sold = (b for b in blocks if b.service == "standard" and not b.tuned and wanted & b.prices.keys())
        return tuple(dict.fromkeys(Terms(b.method, b.technique, b.deployment) for b in sold))

    def lists(self, offer: str, key: str, on: date, **conditions: Any) -> bool:
        """Whether the offer has such a charge on a day or later, be its price usable or not.

        False only where the book has never listed it under these conditions, or it has ended by then: there is nothing to
        pay. Whether it can be priced on the day is another question, for `price`.
        """
        asked = ("lists", offer, key, on, *sorted(conditions.items()))
        if asked not in self.memory:
            self.memory[asked] = any(
                block_in_force(blocks, day) is not None
                for blocks in self._places(offer, key, **conditions)
                for day in (on, *(block.effective for block in blocks if block.effective > on))
            )
        return bool(self.memory[asked])

    def _places(
        self,
        offer: str,
        key: str,
        *,
        service: Service = "standard",
        tuned: bool = False,
        context_tokens: float = 0,
        deployment: str | None = None,
        method: Method | None = None,
        technique: Technique | None = None,
        at_hour: tuple[int, float] | None = None,
        on: date | None = None,
    ) -> list[list[PriceBlock]]:
        """The blocks of any day that price the key under the conditions: the item's, its size band's, the provider's.

        A longer request pays its tier's rates for everything: what the tier does not price has no price there. ``on`` leaves
        out tiers that begin later or have ended; one that was only seen may have been there before.
        """
        known_key(key)
        provider, _, item = self.item(offer)
        starts = (b.context_above_tokens for b in self._known(item.price) if b.tuned == tuned and _has_its_tier(b, on))
        tier = max((start for start in starts if start < context_tokens), default=0)

        def applies(block: PriceBlock) -> bool:
            return (
                (key in block.prices or block.withdrawn)
                and block.service == service
                and block.tuned == tuned
                and block.context_above_tokens == tier
                and block.deployment in (None, deployment)
                and block.method in (None, method)
                and block.technique in (None, technique)
                and _in_window(block, at_hour)
                and self._knows(block)
            )

        return [[b for b in place if applies(b)] for place in (item.price, self._band_prices(provider, item), provider.price)]

    def all_in_force(self, offer: str) -> tuple[Price, ...]:
        """Every price of an offer in force on the as-of day, under each set of conditions that the book has for it.

        What holds for its size band or for everything the provider sells is among them, and so are unverified figures,
        marked by their confidence. Nothing is in force once the offer is shut down, nor training once that has ended.

        Raises:
            UnknownOffer: the offer is not in the book.
        """
        provider, _, item = self.item(offer)
        found: dict[Price, None] = {}
        for block in (*item.price, *self._band_prices(provider, item), *provider.price):
            for key in block.prices:
                if self._is_over(offer, key, self.as_of):
                    continue
                try:
                    found[self.price(offer, key, accept_unverified=True, **question(block))] = None
                except PriceMissing:
                    continue
        return tuple(found)

    def in_force(self, offer: str, blocks: Iterable[PriceBlock]) -> tuple[Price, ...]:
        """Of one place's blocks every price in force on the as-of day, one for each key and set of conditions.

        As in `all_in_force`, nothing is in force that has ended.

        Args:
            offer: what the prices are said to be of; a provider's id where they hold for all it sells.
            blocks: an item's, a size band's or a provider's.
        """
        found = (history.on(self.as_of) for history in self.place_histories(offer, blocks))
        return tuple(price for price in found if price is not None)

    def history(self, offer: str, key: str, **conditions: Any) -> tuple[Step, ...]:
        """Every dated value of a price, by day: what `price` says on each day, as far as it is known or announced.

        It ends with the offer's inference, and a price of training with its training, where `price` goes on.
        Unverified figures are among them, marked by their confidence. Of a day that was corrected or withdrawn by a later
        record, the last record counts that this view knows. Empty: the book has never listed it.

        Args:
            conditions: as in `price`.

        Raises:
            UnknownOffer: the offer is not in the book.
            PriceMissing: there is no such price key.
        """
        provider, _, item = self.item(offer)
        known_key(key)
        # those of every context tier: on days without its tier a long request pays what all pay
        blocks = [b for b in (*item.price, *self._band_prices(provider, item), *provider.price) if key in b.prices or b.withdrawn]

        def on(day: date) -> Price | None:
            try:
                return self.price(offer, key, on=day, accept_unverified=True, **conditions)
            except PriceMissing:
                return None

        return steps(turning_days(blocks, provider.discount), on, self._end(offer, key))

    def _end(self, offer: str, key: str) -> date | None:
        """The first day on which an offer, or all that a provider sells, is no longer to be had at a price of the key."""
        ends = {"inference_ends", "training_ends"} if bought_at_once(key) else {"inference_ends"}
        events = self.lifecycle(offer) if "/" in offer else self._known_events(self.book.provider(offer).lifecycle)
        return min((event.date for event in events if event.event in ends), default=None)

    def _is_over(self, offer: str, key: str, on: date) -> bool:
        end = self._end(offer, key)
        return end is not None and end <= on

    def histories(self, offer: str, *, inherited: bool = True) -> tuple[History, ...]:
        """Every price of an offer through time, under each set of conditions that the book has for it.

        Args:
            offer: ``provider/item``; or a provider's id, for what holds for everything it sells.
            inherited: also what the offer's size band or its provider sets.

        Raises:
            UnknownOffer: the offer is not in the book.
        """
        if "/" not in offer:
            return self.place_histories(offer, self.book.provider(offer).price)
        provider, item_id, item = self.item(offer)
        blocks = (*item.price, *self._band_prices(provider, item), *provider.price) if inherited else item.price
        found: dict[tuple[str, tuple[Step, ...]], History] = {}
        for group in self._alike(blocks):
            asked, conditions = question(group[0]), condition_words(group[0])
            for key in dict.fromkeys(key for block in group for key in block.prices):
                held = self.history(offer, key, **asked)
                found.setdefault((key, held), History(f"{provider.id}/{item_id}", key, conditions, asked, held))
        return tuple(history for history in found.values() if history.steps)

    def place_histories(self, offer: str, blocks: Iterable[PriceBlock]) -> tuple[History, ...]:
        """Of one place's blocks every price through time, one for each key and set of conditions. Arguments as in `in_force`."""
        provider_id, _, item_id = offer.partition("/")
        provider = self.book.provider(provider_id)

        def of(key: str, group: list[PriceBlock]) -> tuple[Step, ...]:
            candidates = [block for block in group if key in block.prices or block.withdrawn]

            def on(day: date) -> Price | None:
                block = block_in_force(candidates, day)
                listed = block is not None and self._has_rate(block.currencies.get(key, USD))
                if block is None or not listed:
                    return None
                return _agreed(self._price(offer, key, block), block, provider, item_id or None, day)

            return steps(turning_days(candidates, provider.discount), on, self._end(offer, key))

        return tuple(
            History(offer, key, condition_words(group[0]), question(group[0]), held)
            for group in self._alike(blocks)
            for key in dict.fromkeys(key for block in group for key in block.prices)
            if (held := of(key, group))
        )

    def _alike(self, blocks: Iterable[PriceBlock]) -> Iterable[list[PriceBlock]]:
        """Known blocks by the conditions under which they hold."""
        alike: dict[tuple[Any, ...], list[PriceBlock]] = {}
        for block in blocks:
            if self._knows(block):
                alike.setdefault(tuple(question(block).values()), []).append(block)
        return alike.values()

    def prices(self, offer: str, key: str, days: tuple[date, ...], **conditions: Any) -> tuple[Price, ...]:
        """The price on each of several days, looked up once and remembered. Conditions and errors as in `price`."""
        asked = (offer, key, days, *sorted(conditions.items()))
        if asked not in self.memory:
            try:
                self.memory[asked] = tuple(self.price(offer, key, on=day, **conditions) for day in days)
            except PricingError as error:
                self.memory[asked] = error
        found: tuple[Price, ...] | PricingError = self.memory[asked]
        if isinstance(found, PricingError):
            raise found
        return found

    def lifecycle(self, offer: str) -> tuple[LifecycleEvent, ...]:
        """The recorded events of an offer and of its provider as a whole, by date.

        Of an end, a later record corrects the earlier ones of the same place, the offer's or the provider's; one of the user's
        own corrects the listed ones.
        """
        provider, _, item = self.item(offer)
        events = (*self._known_events(item.lifecycle), *self._known_events(provider.lifecycle))
        return tuple(sorted(events, key=lambda e: e.date))

    def _known_events(self, events: tuple[LifecycleEvent, ...]) -> list[LifecycleEvent]:
        known = self._known(events)
        newest = {e.event: max((other.own, other.recorded) for other in known if other.event == e.event) for e in known}
        return [e for e in known if not e.event.endswith("_ends") or (e.own, e.recorded) == newest[e.event]]

    def cache_rules(self, offer: str) -> CacheRules | None:
        """How the offer's provider caches prompt prefixes, or None where nothing is recorded."""
        provider, _, item = self.item(offer)
        return self._last(item.cache) or self._last(provider.cache)

    def billing_rules(self, offer: str) -> BillingRules | None:
        """How the offer's provider bills a tuning job, or None where nothing is recorded."""
        provider, _, item = self.item(offer)
        return self._last(item.billing) or self._last(provider.billing)

    def store_rules(self, offer: str) -> StoreRules | None:
        """How a vector store counts what it bills, or None where the offer is no store."""
        return self._last(self.item(offer)[2].store)

    def assumption(self, name: str) -> Assumption:
        """A number nobody lists, by ``topic.name``.

        Raises:
            PriceMissing: there is no assumption of that name, or none was recorded yet.
        """
        known = self.assumptions
        if name not in known:
            raise PriceMissing(f"There is no assumption '{name}'{self._through}.{_suggest(name, known, 'Assumptions')}")
        return known[name]

    @cached_property
    def assumptions(self) -> dict[str, Assumption]:
        """Numbers nobody lists, by ``topic.name``."""
        return self._known_facts(self.book.assumptions)

    def assuming(self, likely: Mapping[str, Any]) -> Rates:
        """The same rates with other values of some assumptions, numbers or arrays of them; nothing of these is left open.

        Raises:
            PriceMissing: there is no assumption of that name, or none was recorded yet.
        """
        other = self._with_own_memory()
        changed = {
            name: self.assumption(name).model_copy(update=dict.fromkeys(("low", "likely", "high"), value))
            for name, value in likely.items()
        }
        other.assumptions = self.assumptions | changed
        return other

    def pricing(self, factors: Mapping[tuple[str, str], Any]) -> Rates:
        """The same rates with some prices multiplied, in every month and under every condition; rows stay as they are listed.

        Args:
            factors: by offer and key: numbers, or arrays of shape (n, 1).

        Raises:
            UnknownOffer: an offer is not in the book.
        """
        other = self._with_own_memory()
        other.price_factors = self.price_factors | {(self._id(offer), key): by for (offer, key), by in factors.items()}
        return other

    def _with_own_memory(self) -> Rates:
        """A view that shares what is remembered of listed prices."""
        other = copy(self)
        other.own_memory = {}
        return other

    def price_factor(self, offer: str, key: str) -> Any:
        """What the listed prices of an offer are multiplied by (`pricing`); 1 where nothing else was asked for."""
        return self.price_factors.get((self._id(offer), key), 1.0) if self.price_factors else 1.0

    def _id(self, offer: str) -> str:
        """The offer's own id, where it is named by an alias; a provider's, of prices without an item, stays as it is."""
        if "/" not in offer:
            return offer
        provider, item_id, _ = self.item(offer)
        return f"{provider.id}/{item_id}"

    @cached_property
    def open_models(self) -> dict[str, OpenModel]:
        """Facts of open weights, by ``maker/model``."""
        return self._known_facts(self.book.open_models)

    @cached_property
    def gpus(self) -> dict[str, Gpu]:
        """Facts of GPUs, by id."""
        return self._known_facts(self.book.gpus)

    def gpu(self, gpu_id: str) -> Gpu:
        """Facts of a GPU.

        Raises:
            UnknownOffer: it is not in gpus.toml, or was not recorded yet; near matches are named.
        """
        if gpu_id not in self.gpus:
            raise UnknownOffer(f"'{gpu_id}' is not in gpus.toml{self._through}." + _suggest(gpu_id, self.gpus, "It has"))
        return self.gpus[gpu_id]

    def open_model(self, weights: str) -> OpenModel:
        """Facts of open weights.

        Raises:
            UnknownOffer: the weights are not in open_models.toml, or were not recorded yet; near matches are named.
        """
        models = self.open_models
        if weights not in models:
            raise UnknownOffer(f"'{weights}' is not in open_models.toml{self._through}." + _suggest(weights, models, "It has"))
        return models[weights]

    def fit(self, name: str) -> Fit:
        """Fitted coefficients of a model of own GPUs: ``training_time`` or ``serving``.

        Raises:
            PriceMissing: there are none of that name, or none was recorded yet.
        """
        known = self._known_facts(self.book.fits)
        if name not in known:
            raise PriceMissing(f"There are no coefficients '{name}'{self._through}.{_suggest(name, known, 'Coefficients')}")
        return known[name]

    def context_tiers(self, offer: str) -> tuple[int, ...]:
        """Input lengths above which the offer's rates change, ascending; empty where they do not."""
        _, _, item = self.item(offer)
        return tuple(sorted({block.context_above_tokens for block in self._known(item.price)} - {0}))

    def peak_half_hours(self, offer: str) -> frozenset[tuple[int, float]]:
        """The (ISO weekday, hour UTC) of the half hours in which the offer's time-of-day prices hold; empty without any."""
        timed = [block for block in self._known(self.item(offer)[2].price) if block.hours_utc]
        if not timed:
            return frozenset()
        half_hours = [(day, half / 2) for day in range(1, 8) for half in range(48)]
        return frozenset(at for at in half_hours if any(_in_window(block, at) for block in timed))

    def _band_prices(self, provider: Provider, item: Item) -> tuple[PriceBlock, ...]:
        if item.weights is None or not provider.band:
            return ()
        size = self.open_model(item.weights).billion_parameters
        return tuple(
            block
            for band in provider.band
            if band.above_billion_parameters < size <= band.up_to_billion_parameters
            for block in band.price
        )

    def _why_missing(self, offer: str, key: str, on: date, candidates: list[PriceBlock], service: Service, tuned: bool) -> str:
        what = PRICE_KEYS[key].unit + ("" if service == "standard" else f" ({service})") + (", fine-tuned" if tuned else "")
        known = [b for b in candidates if key in b.prices]
        later = [b.effective for b in known if b.effective > on and block_in_force(candidates, b.effective) is not None]
        ended = [b.ends for b in known if b.ends is not None and b.ends <= on]
        if ended and not later:
            return f"{offer} is no longer sold at a price of {what}: the last one ended on {max(ended)}."
        if later:
            return f"{offer} has no price of {what} on {on}: the first one recorded takes effect on {min(later)}."
        shut_down = [event.date for event in self.lifecycle(offer) if event.event == "inference_ends" and event.date <= on]
        if shut_down:
            return f"{offer} was shut down on {min(shut_down)}; the price book has no {what} of it. Choose another offer."
        return (
            f"The price book{self._through} has no {what} for {offer}. "
            f"Add a sourced block with {key} to pricing/tables/{offer.partition('/')[0]}.toml, or choose another offer."
        )


def known_through(fact: Recorded, day: date | None) -> bool:
    """Whether a fact is in the release; what stands in a file of own prices is part of none and always known.

    Args:
        day: the last one whose records count; None: all do.
    """
    return getattr(fact, "own", False) or day is None or fact.recorded <= day


def last_recorded(records: Iterable[_R], day: date | None) -> _R | None:
    """What the book says of a fact: the last record through a day, of several of one day the later in the file."""
    known = [record for record in records if known_through(record, day)]
    return max(reversed(known), key=lambda record: record.recorded, default=None)


def known_key(key: str) -> None:
    """Refuse what is no price key.

    Raises:
        PriceMissing: it is none; near matches are named.
    """
    if key not in PRICE_KEYS:
        raise PriceMissing(f"'{key}' is not a price key." + _suggest(key, PRICE_KEYS, "Keys"))


def block_in_force(blocks: list[PriceBlock], on: date) -> PriceBlock | None:
    """The block in force on a day: the user's own first, then by narrowest conditions, latest effective, last recorded."""
    started = [b for b in blocks if b.effective <= on]
    started.sort(key=lambda b: (b.own, len(b.hours_utc), _conditions_stated(b), b.effective, b.recorded), reverse=True)
    settled: set[tuple[Any, ...]] = set()
    for block in started:
        identity = (block.hours_utc, block.deployment, block.method, block.technique, block.effective)
        if identity in settled:
            continue  # an earlier record of what was corrected, ended or withdrawn later
        settled.add(identity)
        if not block.withdrawn and (block.ends is None or on < block.ends):
            return block
    return None


def question(block: PriceBlock) -> dict[str, Any]:
    """The conditions of `Rates.price` under which a block's prices hold."""
    hour = _hours(block.hours_utc[0])[0] if block.hours_utc else None
    return {
        "service": block.service,
        "tuned": block.tuned,
        "context_tokens": block.context_above_tokens + 1 if block.context_above_tokens else 0,
        "deployment": block.deployment,
        "method": block.method,
        "technique": block.technique,
        "at_hour": None if hour is None else (block.weekdays[0] if block.weekdays else 1, hour),
    }


def _has_its_tier(block: PriceBlock, on: date | None) -> bool:
    if on is None:
        return True
    return (block.effective <= on or block.effective_is == "seen") and (block.ends is None or on < block.ends)


def _conditions_stated(block: PriceBlock) -> int:
    return sum(c is not None for c in (block.deployment, block.method, block.technique))


def _in_window(block: PriceBlock, at_hour: tuple[int, float] | None) -> bool:
    if not block.hours_utc:
        return True
    if at_hour is None:
        return False
    weekday, hour = at_hour
    if block.weekdays and weekday not in block.weekdays:
        return False
    windows = (_hours(window) for window in block.hours_utc)
    return any(start <= hour < end if start < end else hour >= start or hour < end for start, end in windows)


def _hours(window: str) -> tuple[float, float]:
    """``00:30-16:30`` as hours: 0.5 and 16.5."""
    return int(window[:2]) + int(window[3:5]) / 60, int(window[6:8]) + int(window[9:11]) / 60


def condition_words(block: PriceBlock) -> str:
    """The conditions under which a block's prices hold: batch, fine-tuned, above 272,000 tokens; empty for standard."""
    conditions: list[str] = [block.service] if block.service != "standard" else []
    conditions += ["fine-tuned"] if block.tuned else []
    conditions += [f"above {block.context_above_tokens:,} tokens"] if block.context_above_tokens else []
    conditions += [c for c in (block.deployment, block.method, block.technique) if c]
    conditions += [f"{', '.join(block.hours_utc)} UTC"] if block.hours_utc else []
    return ", ".join(conditions)


def _price(offer: str, key: str, block: PriceBlock, rate: ExchangeRate | None) -> Price:
    return Price(
        offer=offer,
        key=key,
        value=block.prices[key] if rate is None else rate.to_usd(block.prices[key]),
        unit=PRICE_KEYS[key].unit,
        effective=block.effective,
        effective_is=block.effective_is,
        source=block.source,
        source_date=block.source_date,
        recorded=block.recorded,
        confidence=block.confidence,
        note=block.note,
        conditions=condition_words(block),
        listed=None if rate is None else block.prices[key],
        exchange_rate=rate,
    )


def _currency(block: PriceBlock, key: str) -> str:
    """The currency a price is listed in, where it is not the dollar of its unit."""
    return f" {block.currencies[key]}" if key in block.currencies else ""


def _agreed(price: Price, block: PriceBlock, provider: Provider, item_id: str | None, on: date) -> Price:
    """What the customer pays: the listed price less the discount in force, which is named; own prices as they are."""
    discount = None if block.own else provider.discount_on(item_id, price.key, on)
    if discount is None:
        return price
    paid = (100 - discount.percent) / 100
    changed = {
        "value": price.value * paid,
        "listed": None if price.listed is None else price.listed * paid,
        "effective": max(price.effective, discount.effective),
        "effective_is": "stated" if discount.effective > price.effective else price.effective_is,
        "conditions": ", ".join(filter(None, (price.conditions, str(discount)))),
        "undiscounted": price,
    }
    return price.model_copy(update=changed)


def _suggest(wanted: str, known: Iterable[str], label: str) -> str:
    names = list(known)
    if not names:
        return ""
    listed = f"{label}: {', '.join(sorted(names)[:12])}{' …' if len(names) > 12 else ''}."
    return f" {did_you_mean(wanted, names) or listed}"


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        # a compiled tomllib, three times as fast
        return tomli.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except tomli.TOMLDecodeError as error:
        raise BadTable(f"{path.name} is not valid TOML: {error}. Mend that line, then run 'tuneworth prices check'.") from None


def _records(kind: type[_M], path: Path) -> dict[str, tuple[_M, ...]]:
    """The records of each fact of a file: one table is one record, an array of tables several."""
    return {
        name: tuple(_validated(kind, data, path, name) for data in (found if isinstance(found, list) else [found]))
        for name, found in _read_toml(path).items()
    }


def _validated(kind: type[_M], data: Any, path: Path, name: str = "") -> _M:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in (name, *first["loc"]) if part != "")
        raise BadTable(f"{path.name}, {where}: {first['msg']} (got {first.get('input')!r:.80}).") from None


def _as_own(over: Mapping[str, Any]) -> dict[str, Any]:
    """The table with its price blocks marked as the user's own."""

    def marked(key: str, value: Any) -> Any:
        if key == "price":
            return [{"own": True} | block for block in value]
        if key == "band":
            return [_as_own(band) for band in value]
        return _as_own(value) if isinstance(value, Mapping) else value

    return {key: marked(key, value) for key, value in over.items()}


def _layered(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid on ``base``: tables merge, also with each of several records; arrays are appended, plain values replace."""
    result = dict(base)
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = _layered(result[key], value)
        elif isinstance(value, list) and isinstance(result.get(key), list):
            result[key] = [*result[key], *value]
        elif isinstance(value, Mapping) and isinstance(result.get(key), list):
            result[key] = [_layered(record, value) for record in result[key]]
        else:
            result[key] = value
    return result
