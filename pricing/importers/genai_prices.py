"""Base inference prices from the genai-prices package, appended to the tables as dated blocks.

What the package says is taken over block by block: prices by start date, context tiers, cache classes, daily windows, service
tiers. Nothing in the tables is changed. A claim that the book already makes, or that was imported before, is left out, so that
a second run adds nothing and a newer package only what it changed.

Readings where the package leaves a choice:

- A price without a start date was in force on the day before the next one starts, else on the day of the package's data.
  That day is entered as seen, not as stated.
- A daily window begins with the dated price listed before it: the package has no way to give a window a first day.
- A window is held against the book on a Monday: the package knows no weekdays, the book's own blocks may.
- The package keeps the prices of what is no longer sold. Where the book knows the end, they are entered up to that day.
- A price that the book has from the provider's own page is not overruled by the package; it is reported as disputed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pricing.book import PriceBook, Rates
from pricing.errors import BadTable, PriceMissing, UnknownOffer
from pricing.importers.table_text import Addition, with_additions
from pricing.model import Item, Provider

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice
    from genai_prices.types import Provider as PackageProvider

PACKAGE = "genai-prices"
SCHEMA = "#:schema ../../docs/price-table.schema.json"
"""The first line of a table: what editors complete it by."""

PROVIDER_IDS = {"aws": "bedrock", "azure": "azure-openai", "google": "gemini-api", "voyageai": "voyage"}
"""Ids of the package that the book calls otherwise; in all others ``_`` becomes ``-``."""

KEYS = {
    "input_mtok": "input_usd_per_mtok",
    "output_mtok": "output_usd_per_mtok",
    "cache_read_mtok": "cache_read_usd_per_mtok",
    "cache_write_mtok": "cache_write_usd_per_mtok",
    "cache_write_1h_mtok": "cache_write_1h_usd_per_mtok",
    "output_reasoning_mtok": "reasoning_usd_per_mtok",
    "output_citation_mtok": "citation_usd_per_mtok",
    "requests_kcount": "request_usd_per_krequest",
    "input_text_messages_kcount": "message_usd_per_kmessage",
    "web_searches_kcount": "web_search_usd_per_ksearch",
    "storage_searches_kcount": "file_search_usd_per_ksearch",
    "input_audio_mtok": "audio_input_usd_per_mtok",
    "output_audio_mtok": "audio_output_usd_per_mtok",
    "cache_audio_read_mtok": "audio_cache_read_usd_per_mtok",
    "audio_hours": "audio_usd_per_hour",
    "input_audio_hours": "audio_input_usd_per_hour",
    "input_image_mtok": "image_input_usd_per_mtok",
    "output_image_mtok": "image_output_usd_per_mtok",
    "cache_image_read_mtok": "image_cache_read_usd_per_mtok",
    "input_video_mtok": "video_input_usd_per_mtok",
    "output_video_mtok": "video_output_usd_per_mtok",
    "input_mchars": "input_usd_per_mchar",
    "input_document_kpages": "parse_usd_per_kpage",
    "input_annotated_document_kpages": "annotated_parse_usd_per_kpage",
}

SERVICES = {"processing": {"batch"}, "service_tier": {"flex", "priority", "fast"}, "speed": {"fast"}}
"""Request contexts that are a service tier of the book; any other is a deployment."""

_OUTRANKING = ("primary", "transcribed")


class Claim(NamedTuple):
    """What the package says of one model from one day on, under one set of conditions."""

    effective: date
    effective_is: str
    conditions: dict[str, Any]
    prices: dict[str, Decimal]

    def until(self, end: date | None) -> Claim | None:
        """The claim for an offer that was sold until a day (exclusive): none from that day on."""
        if end is None or (self.effective < end and self.effective_is == "stated"):
            return self if end is None else self._replace(conditions=self.conditions | {"ends": end})
        if self.effective_is == "stated":
            return None
        last_day = min(self.effective, end - timedelta(days=1))
        return self._replace(effective=last_day, conditions={"ends": end} | self.conditions)


class Disputed(NamedTuple):
    """A price on which the provider's own page and the package differ; the book keeps the provider's."""

    offer: str
    key: str
    on: date
    conditions: str
    book: Decimal
    package: Decimal


@dataclass
class Imported:
    """What an import adds, by provider id, and what it leaves to a person."""

    additions: dict[str, list[Addition]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    """First lines of the tables of providers that the book does not have yet."""
    disputed: list[Disputed] = field(default_factory=list)

    @property
    def models(self) -> int:
        """New models."""
        return sum(len(addition.place) == 2 for added in self.additions.values() for addition in added)

    @property
    def blocks(self) -> int:
        """New price blocks."""
        return sum(addition.place[-1] == "price" for added in self.additions.values() for addition in added)


def read(book: PriceBook, today: date) -> Imported:
    """What the installed package says and the book does not.

    Args:
        book: the book to be added to.
        today: the day of recording.

    Raises:
        ImportError: the package is not installed.
        BadTable: the package has a price or a condition that the book has no word for.
    """
    from genai_prices import data_snapshot

    providers = data_snapshot.get_snapshot().providers
    citation = {
        "source": f"pkg:pypi/{PACKAGE}@{version(PACKAGE)}",
        "source_date": published(providers, today),
        "recorded": today,
        "confidence": "package",
    }
    imported = Imported()
    for provider in sorted(providers, key=lambda p: p.id):
        _import_provider(book, provider, citation, imported)
    return imported


def published(providers: Iterable[PackageProvider], today: date) -> date:
    """The day of the package's data, which it does not state: the newest start of a price that is not in the future."""
    starts = (
        start
        for provider in providers
        for model in provider.models
        for start, _, _ in periods(model)
        if start is not None and start <= today
    )
    return max(starts)


def write(imported: Imported, folder: Path) -> None:
    """Put the additions into the tables of a folder; none is touched unless all come out in order.

    Raises:
        BadTable: a table would not follow the schema.
    """
    texts: dict[Path, str] = {}
    for provider_id, additions in imported.additions.items():
        path = folder / "tables" / f"{provider_id}.toml"
        text = path.read_text(encoding="utf-8") if path.exists() else imported.headers[provider_id]
        texts[path] = with_additions(text, additions)
        try:
            Provider.model_validate({"id": provider_id} | tomllib.loads(texts[path], parse_float=Decimal))
        except ValueError as error:
            raise BadTable(f"{path.name} would not be in order: {error}. Nothing was written.") from None
    for path, text in texts.items():
        beside = path.with_suffix(".toml.new")
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)


def provider_id(package_id: str) -> str:
    """The book's id of a provider of the package."""
    return PROVIDER_IDS.get(package_id, package_id.replace("_", "-"))


def _import_provider(book: PriceBook, provider: PackageProvider, citation: dict[str, Any], imported: Imported) -> None:
    id_ = provider_id(provider.id)
    known = book.provider(id_).items if id_ in book.provider_ids else {}
    names = {alias: name for name, item in known.items() for alias in item.aliases} | {name: name for name in known}
    added: list[Addition] = []
    for model in provider.models:
        name = names.get(model.id, model.id)
        item = known.get(name, Item(name=" ".join((model.name or model.id).split())))
        if name not in known:
            fields = {"name": item.name} | ({"context_tokens": model.context_window} if model.context_window else {})
            added.append(Addition(("model", name), fields, repeated=False))
        end = sold_until(book, f"{id_}/{name}", citation["recorded"]) if name in known else None
        for claim in filter(None, (claim.until(end) for claim in claims(model, item, citation["source_date"]))):
            missing, disputed = _not_in_book(book, f"{id_}/{name}", item, claim)
            imported.disputed += disputed
            if missing:
                stated = {"effective": claim.effective} | ({"effective_is": "seen"} if claim.effective_is == "seen" else {})
                added.append(Addition(("model", name, "price"), stated | claim.conditions | missing | citation))
    if added:
        imported.additions[id_] = added
    if id_ not in book.provider_ids:
        page = (provider.pricing_urls or [citation["source"]])[0]
        imported.headers[id_] = f'{SCHEMA}\nid = "{id_}"\nname = "{provider.name}"\nprice_page = "{page}"\n'


def sold_until(book: PriceBook, offer: str, today: date) -> date | None:
    """The first day on which an offer was no longer sold by the token: its retirement, or the end of all its prices.

    None where it still is; an end to come is the lifecycle's to tell.
    """
    rates = book.as_of(today)
    retired = [event.date for event in rates.lifecycle(offer) if event.event == "inference_ends"]
    blocks = [
        b for b in rates.item(offer)[2].price if not b.tuned and {"input_usd_per_mtok", "embedding_usd_per_mtok"} & set(b.prices)
    ]
    ended = [block.ends for block in blocks if block.ends is not None]
    if ended and len(ended) == len(blocks):
        retired.append(max(ended))
    return min((day for day in retired if day <= today), default=None)


def claims(model: ModelInfo, item: Item, data_day: date) -> Iterator[Claim]:
    """Everything the package says of a model's prices, as the book would put it."""
    dated = periods(model)
    for (start, prices, windows), (following, _, _) in zip(dated, [*dated[1:], (None, None, None)], strict=True):
        yield from _tiers(start, following, data_day, {}, prices, item)
        for hours, in_window in windows.items():
            yield from _tiers(start, following, data_day, {"hours_utc": (hours,)}, in_window, item)
    for variant in model.price_variants or ():
        conditions = condition(variant.when)
        if conditions is not None:
            start = getattr(variant.constraint, "start_date", None)
            siblings = [other.constraint for other in model.price_variants or () if other.when == variant.when]
            later = min((s for sibling in siblings if (s := getattr(sibling, "start_date", None))), default=None)
            yield from _tiers(start, later if start is None else None, data_day, conditions, variant.prices, item)


Period = tuple[date | None, "ModelPrice", dict[str, "ModelPrice"]]
"""First day, prices, and the prices inside daily windows."""


def periods(model: ModelInfo) -> list[Period]:
    """The model's prices by first day, ascending; None for what held before the first start.

    Raises:
        BadTable: the starts are not in ascending order, so that the order of the list would decide.
    """
    from genai_prices.types import ModelPrice, StartDateConstraint, TimeOfDateConstraint

    if isinstance(model.prices, ModelPrice):
        return [(None, model.prices, {})]
    found: list[Period] = []
    for entry in model.prices:
        match entry.constraint:
            case TimeOfDateConstraint(start_time=start, end_time=end):
                found[-1][2][f"{start:%H:%M}-{end:%H:%M}"] = entry.prices
            case StartDateConstraint(start_date=day):
                found.append((day, entry.prices, {}))
            case None:
                found.append((None, entry.prices, {}))
    starts = [start for start, _, _ in found[1:]]
    if found[0][0] is not None or None in starts or starts != sorted(set(starts), key=str):
        raise BadTable(f"{PACKAGE}: the dated prices of {model.id} are not in ascending order ({starts}); read them by hand.")
    return found


def condition(when: dict[str, str]) -> dict[str, str] | None:
    """A request context of the package as a condition of the book; None where it is the standard service."""
    if len(when) != 1:
        raise BadTable(f"{PACKAGE}: the request context {when} has no condition in the book; see pricing/model.py.")
    ((name, value),) = when.items()
    if value in SERVICES.get(name, ()):
        return {"service": value}
    if (name, value) == ("service_tier", "default"):
        return None
    return {"deployment": value if name == "route" else f"{name.replace('_', ' ')} {value}"}


def _tiers(
    start: date | None, following: date | None, data_day: date, conditions: dict[str, Any], prices: ModelPrice, item: Item
) -> Iterator[Claim]:
    """One claim for each context tier; a tier names every price, for beyond its start it prices everything or nothing."""
    from genai_prices.types import TieredPrices

    effective, how = (start, "stated") if start else (min(data_day, (following or date.max) - timedelta(days=1)), "seen")
    stated = {_key(key, prices, item): value for key, value in vars(prices).items() if value is not None}
    starts = {0} | {tier.start for value in stated.values() if isinstance(value, TieredPrices) for tier in value.tiers}
    for above in sorted(starts):
        at_tier = {key: _at(value, above) for key, value in stated.items()}
        if at_tier:
            yield Claim(effective, how, conditions | ({"context_above_tokens": above} if above else {}), at_tier)


def _at(value: Any, above: int) -> Decimal:
    tiers = getattr(value, "tiers", ())
    reached: list[Decimal] = [tier.price for tier in tiers if tier.start <= above]
    return reached[-1] if reached and above else getattr(value, "base", value)


def _key(package_key: str, prices: ModelPrice, item: Item) -> str:
    """The book's key. Input of an embedding or rerank model, which the package lists as plain input, is embedded or reranked."""
    if package_key not in KEYS:
        raise BadTable(f"{PACKAGE}: '{package_key}' has no key in the book; add it to pricing/keys.py and to KEYS.")
    key = KEYS[package_key]
    name = item.name.lower()
    if key != "input_usd_per_mtok":
        return key
    if "rerank" in name and not prices.output_mtok:
        return "rerank_usd_per_mtok"
    embeds = any("embedding_usd_per_mtok" in block.prices for block in item.price)
    return "embedding_usd_per_mtok" if embeds or "embed" in name or name.startswith("voyage") else key


def _not_in_book(book: PriceBook, offer: str, item: Item, claim: Claim) -> tuple[dict[str, Decimal], list[Disputed]]:
    """The prices of a claim that the book does not have, and those it has otherwise from the provider's own page."""
    rates = book.as_of(claim.effective)
    missing: dict[str, Decimal] = {}
    disputed: list[Disputed] = []
    for key, value in claim.prices.items():
        found = _in_book(rates, offer, key, claim)
        if found is None:
            missing[key] = value
        elif found.value != value and not _imported_before(item, key, claim):
            if "ends" in claim.conditions and claim.effective_is == "seen":
                continue  # of an offer that ended nobody knows when the package's undated price held
            if found.confidence in _OUTRANKING:
                disputed.append(Disputed(offer, key, claim.effective, found.conditions, found.value, value))
            else:
                missing[key] = value
    return missing, disputed


def _in_book(rates: Rates, offer: str, key: str, claim: Claim) -> Any:
    conditions = claim.conditions
    window = conditions.get("hours_utc")
    try:
        return rates.price(
            offer,
            key,
            service=conditions.get("service", "standard"),
            deployment=conditions.get("deployment"),
            context_tokens=conditions.get("context_above_tokens", -1) + 1,
            at_hour=(1, int(window[0][:2]) + int(window[0][3:5]) / 60) if window else None,
            accept_unverified=True,
        )
    except (PriceMissing, UnknownOffer):
        return None


def _imported_before(item: Item, key: str, claim: Claim) -> bool:
    return any(
        block.source.startswith(f"pkg:pypi/{PACKAGE}@")
        and block.effective == claim.effective
        and block.prices.get(key) == claim.prices[key]
        and all(getattr(block, condition) == value for condition, value in claim.conditions.items())
        for block in item.price
    )
