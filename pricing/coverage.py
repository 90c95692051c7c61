"""What of each provider is priced, and how recently the newest source of it was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from pricing.book import PriceBook
from pricing.model import PriceBlock, Provider


def _has(*keys: str) -> Callable[[PriceBlock], bool]:
    return lambda block: any(key in block.prices for key in keys)


_token_priced = _has("input_usd_per_mtok", "output_usd_per_mtok")
_training = _has("training_usd_per_mtok", "training_usd_per_hour")
_cached = _has("cache_read_usd_per_mtok", "cache_write_usd_per_mtok", "cache_storage_usd_per_mtok_hour")

WHAT_IS_PRICED: dict[str, Callable[[PriceBlock], bool]] = {
    "inference": lambda block: _token_priced(block) and not block.tuned and block.service == "standard",
    "batch": lambda block: _token_priced(block) and block.service == "batch",
    "cache": _cached,
    "SFT": lambda block: _training(block) and block.method in (None, "sft"),
    "DPO": lambda block: _training(block) and block.method == "dpo",
    "RFT": lambda block: _training(block) and block.method == "rft",
    "tuned inference": lambda block: _token_priced(block) and block.tuned,
    "hosting": _has("hosting_usd_per_hour", "provisioned_usd_per_unit_hour"),
    "model storage": _has("model_storage_usd_per_month"),
    "embeddings": _has("embedding_usd_per_mtok"),
    "rerank": _has("rerank_usd_per_ksearch", "rerank_usd_per_mtok"),
    "parsing": _has("parse_usd_per_kpage"),
    "GPUs and machines": _has("gpu_usd_per_hour", "instance_usd_per_hour"),
    "wages and labels": _has("wage_usd_per_year", "wage_usd_per_hour", "label_usd_per_item"),
}
"""What a buyer looks for, and how to tell a block that prices it; vector stores are told by being stores."""


def coverage(book: PriceBook) -> dict[str, dict[str, date | None]]:
    """By provider id and by what is priced: the newest day on which a source of such a price was read; None without any."""
    return {id_: _newest(book.provider(id_)) for id_ in book.provider_ids}


def _newest(provider: Provider) -> dict[str, date | None]:
    blocks = list(_blocks(provider))
    read = {what: [block.source_date for block in blocks if prices(block)] for what, prices in WHAT_IS_PRICED.items()}
    read["vector stores"] = [block.source_date for store in provider.store.values() for block in store.price]
    return {what: max(days, default=None) for what, days in read.items()}


def _blocks(provider: Provider) -> Iterator[PriceBlock]:
    places = (provider.price, *(band.price for band in provider.band), *(item.price for item in provider.items.values()))
    return (block for place in places for block in place if not block.withdrawn)
