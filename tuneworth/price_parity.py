"""Holding the book's answers against those of other collections of prices."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from calc.usage import METERS, usage_charges
from pricing import Price, PriceBook, PriceMissing, PricingError, UnknownOffer
from pricing.importers import genai_prices as importer

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice
    from genai_prices.types import Provider as PackageProvider

LITELLM_MAP = "model_prices_and_context_window_backup.json"
RELATIVE_TOLERANCE = 1e-9
USAGES_PER_QUESTION = 3


class Difference(NamedTuple):
    """One usage of one offer at one time that the two price differently."""

    offer: str
    at: datetime
    context: dict[str, str]
    usage: dict[str, int]
    package_usd: float
    ours: str
    """Our cost, or why there is none."""


@dataclass
class Parity:
    """How the book's answers compare with the package's."""

    models: int = 0
    unpriced: int = 0
    """Models without any price in the package, and so in the book."""
    superseded: list[Difference] = field(default_factory=list)
    """Where the two differ on the last day of a model that is no longer sold: the package keeps one price of it, undated."""
    comparisons: int = 0
    differences: list[Difference] = field(default_factory=list)


def parity(book: PriceBook, today: date, seed: int = 0) -> Parity:
    """Price random usages of every model of the genai-prices package by both.

    Each model is asked on the day of the package's data and on both sides of each start of a price, each context tier and each
    edge of a daily window, and under each request context. Not asked is what the package says of itself that it cannot tell:
    a window before the dated price it is listed with, and weekends.

    Raises:
        ImportError: the package is not installed.
    """
    from genai_prices import data_snapshot

    providers = data_snapshot.get_snapshot().providers
    data_day, chance, found = importer.published(providers, today), random.Random(seed), Parity()
    for provider in providers:
        for model in provider.models:
            _compare(book, provider, model, (data_day, today), chance, found)
    return found


def _compare(
    book: PriceBook, provider: PackageProvider, model: ModelInfo, days: tuple[date, date], chance: random.Random, found: Parity
) -> None:
    found.models += 1
    offer = f"{importer.provider_id(provider.id)}/{model.id}"
    if not any(vars(prices) for _, prices, _ in importer.periods(model)):
        found.unpriced += 1
        return
    ended = _ended(book, offer, days[1])
    day = days[0] if ended is None else min(days[0], ended - timedelta(days=1))
    for at, context, prices in _questions(model, day):
        for usage in _usages(prices, chance) if ended is None or at.date() < ended else ():
            found.comparisons += 1
            theirs = model.calc_price(
                _package_usage(usage), provider, genai_request_timestamp=at, price_context=context or None
            ).total_price
            ours = _ours(book, offer, at, context, usage)
            if isinstance(ours, str) or abs(ours - float(theirs)) > RELATIVE_TOLERANCE * abs(float(theirs)):
                differing = found.differences if ended is None else found.superseded
                differing.append(Difference(offer, at, context, usage, float(theirs), str(ours)))


def _ended(book: PriceBook, offer: str, today: date) -> date | None:
    try:
        return importer.sold_until(book, offer, today)
    except UnknownOffer:
        return None


def _ours(book: PriceBook, offer: str, at: datetime, context: dict[str, str], usage: dict[str, int]) -> float | str:
    conditions: dict[str, Any] = (importer.condition(context) or {}) if context else {}
    hour = at.hour + at.minute / 60 + at.second / 3600
    try:
        charges = usage_charges(book.as_of(at.date()), offer, usage, at_hour=(at.isoweekday(), hour), **conditions)
    except (PriceMissing, UnknownOffer) as error:
        return str(error)
    return sum(charge.usd for charge in charges)


def _package_usage(usage: dict[str, int]) -> Any:
    from genai_prices import Usage

    return Usage(**{counter: count for counter, count in usage.items() if counter != "requests"})


def _questions(model: ModelInfo, data_day: date) -> Iterator[tuple[datetime, dict[str, str], ModelPrice]]:
    """Times and contexts to ask at, with the prices that decide what may be counted."""
    periods = importer.periods(model)
    timed = any(windows for _, _, windows in periods)
    starts = [start for start, _, _ in periods[1:] if start]
    for day in sorted({data_day, *starts, *(start - timedelta(days=1) for start in starts)}):
        _, _, windows = [period for period in periods if period[0] is None or period[0] <= day][-1]
        if timed and (not windows or day.isoweekday() > 5):
            continue
        edges = [datetime.combine(day, time.fromisoformat(edge), UTC) for hours in windows for edge in hours.split("-")]
        for at in (datetime.combine(day, time(18), UTC), *edges, *(edge - timedelta(minutes=1) for edge in edges)):
            yield at, {}, model.get_prices(at)
    for variant in model.price_variants or ():
        at = datetime.combine(getattr(variant.constraint, "start_date", data_day), time(18), UTC)
        if importer.condition(variant.when):
            yield at, variant.when, variant.prices


def _usages(prices: ModelPrice, chance: random.Random) -> Iterator[dict[str, int]]:
    """Random counts of what the prices price, one of them on each side of each context tier."""
    from genai_prices.types import TieredPrices

    counters = [counter for counter in METERS if _package_price(prices, counter) is not None]
    starts = {t.start for c in counters if isinstance(p := _package_price(prices, c), TieredPrices) for t in p.tiers}
    for _ in range(USAGES_PER_QUESTION):
        yield _usage(counters, chance, None)
    for start in sorted(starts):
        yield _usage(counters, chance, start)
        yield _usage(counters, chance, start + 1)


def _package_price(prices: ModelPrice, counter: str) -> Any:
    from genai_prices.data_units import unit_data

    return vars(prices).get(unit_data[counter]["price_key"])


def _usage(counters: list[str], chance: random.Random, input_tokens: int | None) -> dict[str, int]:
    """Counts in which each counter holds its parts and something of its own."""
    own = {counter: chance.randint(10, 2000) for counter in counters} | ({"requests": 1} if "requests" in counters else {})
    usage = {counter: sum(own[part] for part in counters if METERS[counter].kind <= METERS[part].kind) for counter in counters}
    if input_tokens is not None:
        usage["input_tokens"] = input_tokens
    return usage


LITELLM_PROVIDERS = {
    "anthropic": "anthropic",
    "azure": "azure-openai",
    "bedrock": "bedrock",
    "bedrock_converse": "bedrock",
    "cerebras": "cerebras",
    "cohere_chat": "cohere",
    "deepinfra": "deepinfra",
    "deepseek": "deepseek",
    "fireworks_ai": "fireworks",
    "gemini": "gemini-api",
    "groq": "groq",
    "mistral": "mistral",
    "moonshot": "moonshotai",
    "novita": "novita",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together_ai": "together",
    "voyage": "voyage",
    "xai": "x-ai",
}

LITELLM_FIELDS = {
    "input_cost_per_token": ("input_usd_per_mtok", "standard"),
    "output_cost_per_token": ("output_usd_per_mtok", "standard"),
    "cache_read_input_token_cost": ("cache_read_usd_per_mtok", "standard"),
    "cache_creation_input_token_cost": ("cache_write_usd_per_mtok", "standard"),
    "input_cost_per_token_batches": ("input_usd_per_mtok", "batch"),
    "output_cost_per_token_batches": ("output_usd_per_mtok", "batch"),
}


class Disagreement(NamedTuple):
    """A price on which the book and LiteLLM's map disagree."""

    offer: str
    book: Price
    litellm: Decimal


def litellm_disagreements(book: PriceBook, day: date) -> tuple[list[Disagreement], int]:
    """Where LiteLLM's map prices an offer of the book otherwise, and how many prices were held against each other.

    The map states neither dates nor sources, so that a disagreement is a reason to look, not an error.

    Raises:
        ModuleNotFoundError: the litellm package is not installed.
    """
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named 'litellm'", name="litellm")
    entries = json.loads(Path(spec.origin).with_name(LITELLM_MAP).read_text(encoding="utf-8"), parse_float=Decimal)
    rates, found, compared = book.as_of(day), [], 0
    for name, entry in entries.items():
        provider = LITELLM_PROVIDERS.get(str(entry.get("litellm_provider")))
        offer = f"{provider}/{name.removeprefix(str(entry.get('litellm_provider')) + '/')}"
        for listed, (key, service) in LITELLM_FIELDS.items():
            if provider is None or not entry.get(listed):
                continue
            try:
                price = rates.price(offer, key, service=service)
            except PricingError:
                continue
            compared += 1
            theirs = Decimal(str(entry[listed])) * 1_000_000
            if abs(price.value - theirs) > Decimal("1e-6") * theirs:
                found.append(Disagreement(offer, price, theirs))
    return list(dict.fromkeys(found)), compared
