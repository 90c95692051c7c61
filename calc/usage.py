"""What recorded usage costs: the counters of a request, or of a month of requests alike, each at its own price.

A counter may be part of another: cached tokens are input tokens too. Each token is billed once, at the price of the narrowest
counter that has one; what remains of a counter after the parts that have prices of their own is billed at its price.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from pricing import Price, PriceMissing, Rates
from pricing.near import did_you_mean


class Meter(NamedTuple):
    """A counter, the keys that may price it (the first that an offer has does), and how many make the unit of the price.

    A counter is part of another if its ``kind`` says all that the other's says, and more.
    """

    counter: str
    keys: tuple[str, ...]
    per: int
    kind: frozenset[str]


def _meter(counter: str, key: str, per: int, kind: str) -> Meter:
    return Meter(counter, tuple(key.split()), per, frozenset(kind.split()))


METERS = {
    meter.counter: meter
    for meter in (
        _meter("input_tokens", "input_usd_per_mtok embedding_usd_per_mtok rerank_usd_per_mtok", 1_000_000, "tokens input"),
        _meter("output_tokens", "output_usd_per_mtok", 1_000_000, "tokens output"),
        _meter("cache_read_tokens", "cache_read_usd_per_mtok", 1_000_000, "tokens input cache-read"),
        _meter("cache_write_tokens", "cache_write_usd_per_mtok", 1_000_000, "tokens input cache-write"),
        _meter("cache_write_1h_tokens", "cache_write_1h_usd_per_mtok", 1_000_000, "tokens input cache-write one-hour"),
        _meter("input_audio_tokens", "audio_input_usd_per_mtok", 1_000_000, "tokens input audio"),
        _meter("output_audio_tokens", "audio_output_usd_per_mtok", 1_000_000, "tokens output audio"),
        _meter("cache_audio_read_tokens", "audio_cache_read_usd_per_mtok", 1_000_000, "tokens input audio cache-read"),
        _meter("input_image_tokens", "image_input_usd_per_mtok", 1_000_000, "tokens input image"),
        _meter("output_image_tokens", "image_output_usd_per_mtok", 1_000_000, "tokens output image"),
        _meter("cache_image_read_tokens", "image_cache_read_usd_per_mtok", 1_000_000, "tokens input image cache-read"),
        _meter("input_video_tokens", "video_input_usd_per_mtok", 1_000_000, "tokens input video"),
        _meter("output_video_tokens", "video_output_usd_per_mtok", 1_000_000, "tokens output video"),
        _meter("output_reasoning_tokens", "reasoning_usd_per_mtok", 1_000_000, "tokens output reasoning"),
        _meter("output_citation_tokens", "citation_usd_per_mtok", 1_000_000, "tokens output citation"),
        _meter("input_characters", "input_usd_per_mchar", 1_000_000, "characters input"),
        _meter("input_text_messages", "message_usd_per_kmessage", 1000, "messages input"),
        _meter("audio_seconds", "audio_usd_per_hour", 3600, "duration audio"),
        _meter("input_audio_seconds", "audio_input_usd_per_hour", 3600, "duration audio input"),
        _meter("input_document_pages", "parse_usd_per_kpage", 1000, "pages input"),
        _meter("input_annotated_document_pages", "annotated_parse_usd_per_kpage", 1000, "pages input annotated"),
        _meter("rerank_searches", "rerank_usd_per_ksearch", 1000, "rerank"),
        _meter("web_searches", "web_search_usd_per_ksearch", 1000, "web-search"),
        _meter("storage_searches", "file_search_usd_per_ksearch", 1000, "file-search"),
        _meter("requests", "request_usd_per_krequest", 1000, "requests"),
    )
}
"""By counter; the counters are called as in the genai-prices package."""


class Charge(NamedTuple):
    """A billed quantity and its price."""

    counter: str
    quantity: float
    price: Price

    @property
    def usd(self) -> float:
        """What it costs."""
        return self.quantity / METERS[self.counter].per * self.price.usd


def usage_charges(
    rates: Rates, offer: str, usage: Mapping[str, float], on: date | None = None, **conditions: Any
) -> tuple[Charge, ...]:
    """The charges of recorded usage; their sum is its cost in USD.

    Args:
        rates: the prices to bill at.
        offer: ``provider/model``.
        usage: counts by counter (`METERS`). A counter includes its parts: ``input_tokens`` are all input tokens, cached or not.
            The context tier is that of ``input_tokens``, so state one request, or for a sum ``context_tokens`` too.
        on: the day; default the as-of day.
        conditions: ``service``, ``tuned``, ``deployment``, ``at_hour``, ``accept_unverified`` as in `pricing.Rates.price`;
            ``context_tokens`` of one request, where the usage is that of several.

    Raises:
        ValueError: an unknown counter, a negative count, or parts that exceed their whole.
        PriceMissing: something was counted that the offer has no price for, or two, neither of which is the narrower one.
        UnknownOffer: the offer is not in the book.
    """
    for counter, count in usage.items():
        if counter not in METERS:
            raise ValueError(f"'{counter}' is not a counter. {did_you_mean(counter, METERS, cutoff=0.6)}".rstrip())
        if count < 0:
            raise ValueError(f"{counter} = {count} is negative")
    conditions.setdefault("context_tokens", usage.get("input_tokens", 0))
    prices = _prices(rates, offer, on, conditions)
    for counter, count in usage.items():
        if count and not _has_one_price(counter, prices):
            rates.price(offer, METERS[counter].keys[0], on, **conditions)  # says what is missing and why
    quantities = _billed_once(usage, prices)
    return tuple(Charge(counter, quantity, prices[counter]) for counter, quantity in quantities.items() if quantity)


def _prices(rates: Rates, offer: str, on: date | None, conditions: dict[str, Any]) -> dict[str, Price]:
    """The price of each counter that the offer has one for."""
    sold = rates.keys(offer)
    prices: dict[str, Price] = {}
    for meter in METERS.values():
        for key in (key for key in meter.keys if key in sold and meter.counter not in prices):
            try:
                prices[meter.counter] = rates.price(offer, key, on, **conditions)
            except PriceMissing:
                continue
    return prices


def _has_one_price(counter: str, prices: Mapping[str, Price]) -> bool:
    """Whether one priced counter is the narrowest that holds the counter: audio from the cache is both audio and cached."""
    wholes = [METERS[priced].kind for priced in prices if METERS[priced].kind <= METERS[counter].kind]
    return any(all(other <= whole for other in wholes) for whole in wholes)


def _billed_once(usage: Mapping[str, float], prices: Mapping[str, Price]) -> dict[str, float]:
    """Of each priced counter what is left after its priced parts, narrowest first."""
    left: dict[str, float] = {}
    for counter in sorted(prices, key=lambda c: -len(METERS[c].kind)):
        parts = [part for part in left if METERS[counter].kind < METERS[part].kind]
        left[counter] = usage.get(counter, 0) - sum(left[part] for part in parts)
        if left[counter] < 0:
            counted = ", ".join(f"{part} = {usage[part]:g}" for part in parts if usage.get(part))
            raise ValueError(f"{counter} = {usage.get(counter, 0):g} is less than what is part of it: {counted}")
    return left
