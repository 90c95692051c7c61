"""The tables of the model providers: health of every block, published figures, rulings, and both sides of dated boundaries."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pricing.book import PriceBook, Rates
from pricing.errors import PriceMissing, PriceUnverified
from pricing.keys import PRICE_KEYS
from pricing.model import Item, LifecycleEvent, PriceBlock, Provider

BOOK = PriceBook.bundled()
TODAY = date(2026, 11, 20)
PROVIDERS = (
    *("openai", "azure-openai", "anthropic", "gemini-api", "vertex-ai", "bedrock", "mistral", "deepseek"),
    *("together", "fireworks", "tinker", "groq", "cerebras", "deepinfra"),
)

IN, OUT = "input_usd_per_mtok", "output_usd_per_mtok"
READ, WRITE = "cache_read_usd_per_mtok", "cache_write_usd_per_mtok"
TRAIN, TRAIN_HOUR = "training_usd_per_mtok", "training_usd_per_hour"
EMBED, HOST, UNIT, GPU = "embedding_usd_per_mtok", "hosting_usd_per_hour", "provisioned_usd_per_unit_hour", "gpu_usd_per_hour"
MINIMUM, STORED = "minimum_usd_per_job", "model_storage_usd_per_month"

SFT: dict[str, Any] = {"method": "sft"}
LORA: dict[str, Any] = {"method": "sft", "technique": "lora"}
FULL: dict[str, Any] = {"method": "sft", "technique": "full"}
DPO_LORA: dict[str, Any] = {"method": "dpo", "technique": "lora"}
RFT: dict[str, Any] = {"method": "rft"}
BATCH: dict[str, Any] = {"service": "batch"}
TUNED: dict[str, Any] = {"tuned": True}
TUNED_BATCH: dict[str, Any] = {"tuned": True, "service": "batch"}
REGIONAL: dict[str, Any] = {"deployment": "regional"}


@pytest.fixture
def rates() -> Rates:
    return BOOK.as_of(TODAY)


def places(provider: Provider) -> Iterator[tuple[str, tuple[PriceBlock, ...]]]:
    yield "provider", provider.price
    for band in provider.band:
        yield f"band to {band.up_to_billion_parameters}", band.price
    for item_id, item in provider.items.items():
        yield item_id, item.price


def blocks(provider_id: str) -> list[tuple[str, PriceBlock]]:
    return [(place, block) for place, found in places(BOOK.provider(provider_id)) for block in found]


def events(provider_id: str) -> list[tuple[str, LifecycleEvent]]:
    provider = BOOK.provider(provider_id)
    everywhere = [("provider", event) for event in provider.lifecycle]
    return everywhere + [(item_id, event) for item_id, item in provider.items.items() for event in item.lifecycle]


# --- health -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider_id", PROVIDERS)
class TestHealth:
    def test_file_and_id_agree(self, provider_id: str) -> None:
        assert BOOK.provider(provider_id).id == provider_id

    def test_prices_lie_in_their_band(self, provider_id: str) -> None:
        for place, block in blocks(provider_id):
            for key, value in block.prices.items():
                spec = PRICE_KEYS[key]
                assert value == 0 or spec.low <= float(value) <= spec.high, (place, key, value)

    def test_dates_are_plausible(self, provider_id: str) -> None:
        for place, block in blocks(provider_id):
            assert date(2022, 1, 1) <= block.effective <= date(2027, 12, 31), place
            assert block.source_date <= block.recorded, place
            assert block.recorded >= TODAY, place  # the book's first day
            if block.effective > TODAY:
                assert block.effective_is == "stated" or block.confidence == "estimate", (place, block.effective)
        for place, event in events(provider_id):
            assert date(2022, 1, 1) <= event.date <= date(2028, 12, 31), (place, event)

    def test_sources_are_urls(self, provider_id: str) -> None:
        provider = BOOK.provider(provider_id)
        cited = [provider.price_page, *(b.source for _, b in blocks(provider_id)), *(e.source for _, e in events(provider_id))]
        holders: list[Provider | Item] = [provider, *provider.items.values()]
        cited += [rules.source for holder in holders for rules in (*holder.billing, *holder.cache)]
        for source in cited:
            assert re.fullmatch(r"https://[^/\s]+\S*|pkg:pypi/[\w-]+@[\w.]+(#\S+)?", source), source

    def test_an_estimate_says_what_it_rests_on(self, provider_id: str) -> None:
        for place, block in blocks(provider_id):
            assert block.confidence not in ("estimate", "unverified") or block.note, (place, block.effective)

    def test_no_two_blocks_claim_the_same_price(self, provider_id: str) -> None:
        for place, found in places(BOOK.provider(provider_id)):
            claims = Counter((key, b.effective, b.recorded, _conditions(b)) for b in found for key in b.prices)
            assert [claim for claim, count in claims.items() if count > 1] == [], place

    def test_names_are_unique(self, provider_id: str) -> None:
        provider = BOOK.provider(provider_id)
        names = Counter([*provider.items, *(alias for item in provider.items.values() for alias in item.aliases)])
        assert [name for name, count in names.items() if count > 1] == []

    def test_references_are_in_the_book(self, provider_id: str, rates: Rates) -> None:
        for item in BOOK.provider(provider_id).items.values():
            assert item.weights is None or item.weights in BOOK.open_models
            assert item.hardware is None or item.hardware.gpu in BOOK.gpus
        for _, event in events(provider_id):
            if event.successor is not None:
                rates.item(event.successor)

    def test_after_its_end_nothing_is_sold(self, provider_id: str) -> None:
        """Past ends close the item's own blocks, so that no retired price is found; future ends are left to the lifecycle."""
        for item_id, item in BOOK.provider(provider_id).items.items():
            ended = [e.date for e in item.lifecycle if e.event == "inference_ends" and e.date <= TODAY]
            if ended and provider_id != "azure-openai":  # o3-mini's end there is unverified
                for block in item.price:
                    assert block.ends is not None, item_id
                    assert block.ends <= TODAY, item_id

    def test_an_end_leaves_no_older_price_behind(self, provider_id: str) -> None:
        """Where the newest block of some conditions has ended, an older open one must be meant: it is the list price."""
        meant = {("openai", "gpt-5.6-sol")}
        for item_id, item in BOOK.provider(provider_id).items.items():
            open_ended = {(key, _conditions(b)) for b in item.price if b.ends is None for key in b.prices}
            for block in item.price:
                if block.ends is not None and (provider_id, item_id) not in meant:
                    again = [b for b in item.price if b.ends is None and b.effective >= block.ends]
                    for key in block.prices:
                        assert (key, _conditions(block)) not in open_ended or again, (item_id, key)


def _conditions(b: PriceBlock) -> tuple[Any, ...]:
    return (b.service, b.tuned, b.context_above_tokens, b.deployment, b.method, b.technique, b.hours_utc)


# --- published figures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offer", "key", "conditions", "usd"),
    [
        # OpenAI
        ("openai/gpt-6-luna", IN, {}, "0.1"),
        ("openai/gpt-6-luna", OUT, {}, "0.5"),
        ("openai/gpt-6-luna", WRITE, {}, "0.125"),
        ("openai/gpt-6.1-sol", READ, {}, "0.1"),
        ("openai/gpt-6.1-terra", OUT, BATCH, "2.5"),
        ("openai/gpt-6.1-sol", IN, {"context_tokens": 300_000}, "4.0"),
        ("openai/gpt-5.6-luna", OUT, {}, "1.2"),
        ("openai/gpt-4.1", IN, {}, "2.0"),
        ("openai/gpt-4.1-mini-2025-04-14", TRAIN, SFT, "5"),
        ("openai/gpt-4.1-mini", IN, TUNED, "0.8"),
        ("openai/gpt-4.1-mini", READ, TUNED, "0.2"),
        ("openai/gpt-4.1", TRAIN, SFT, "25"),
        ("openai/gpt-4.1", OUT, TUNED_BATCH, "6"),
        ("openai/gpt-4o", TRAIN, SFT, "25"),
        ("openai/gpt-4o", READ, TUNED, "1.875"),
        ("openai/gpt-4o", IN, TUNED_BATCH, "2.225"),
        ("openai/gpt-4o", OUT, TUNED_BATCH, "12.5"),
        ("openai/gpt-4o-mini", TRAIN, SFT, "3"),
        ("openai/gpt-4o-mini", OUT, TUNED, "1.2"),
        ("openai/gpt-4o-mini", HOST, TUNED, "0"),
        ("openai/text-embedding-3-small", EMBED, {}, "0.02"),
        ("openai/text-embedding-3-large", EMBED, BATCH, "0.065"),
        # Azure OpenAI
        ("azure-openai/gpt-4.1", TRAIN, SFT, "25"),
        ("azure-openai/gpt-4.1-mini", TRAIN, SFT | REGIONAL, "5.5"),
        ("azure-openai/gpt-4.1-mini", IN, REGIONAL, "0.44"),
        ("azure-openai/gpt-4.1-mini", HOST, TUNED, "1.7"),
        ("azure-openai/gpt-4.1-mini", HOST, TUNED | {"deployment": "developer"}, "0"),
        ("azure-openai/o4-mini", TRAIN_HOUR, RFT, "100"),
        ("azure-openai/o4-mini", TRAIN_HOUR, RFT | REGIONAL, "110"),
        ("azure-openai/o4-mini", "cap_usd_per_job", {}, "5000"),
        ("azure-openai/gpt-4o", UNIT, TUNED | REGIONAL, "2"),
        # Anthropic
        ("anthropic/claude-opus-5-5", OUT, {}, "20"),
        ("anthropic/claude-sonnet-5-5", READ, {}, "0.1"),
        ("anthropic/claude-sonnet-5", IN, {}, "2"),
        ("anthropic/claude-haiku-5-5", IN, {}, "0.1"),
        ("anthropic/claude-haiku-5-5", OUT, {"context_tokens": 100_001}, "2.5"),
        ("anthropic/claude-haiku-5-5", "cache_write_1h_usd_per_mtok", {"context_tokens": 100_001}, "1"),
        ("anthropic/claude-haiku-5-5", IN, BATCH | {"context_tokens": 100_001}, "0.25"),
        # Google
        ("gemini-api/gemini-3.8-flash", IN, {}, "0.75"),
        ("gemini-api/gemini-3.5-flash", OUT, {}, "9"),
        ("gemini-api/gemini-2.5-flash", IN, {}, "0.3"),
        ("gemini-api/gemini-embedding-001", EMBED, BATCH, "0.075"),
        ("vertex-ai/gemini-embedding-001", EMBED, BATCH, "0.12"),
        ("vertex-ai/gemini-3.5-flash", TRAIN, SFT, "10"),
        ("vertex-ai/gemini-3.5-flash", TRAIN, RFT, "10"),
        ("vertex-ai/gemini-3.5-flash", OUT, TUNED, "13.5"),
        ("vertex-ai/gemini-3.1-flash-lite", TRAIN, SFT, "3"),
        ("vertex-ai/gemini-3.1-flash-lite", IN, TUNED, "0.375"),
        # Bedrock
        ("bedrock/nova-micro", TRAIN, SFT, "1"),
        ("bedrock/nova-2-lite", TRAIN, SFT, "3.78"),
        ("bedrock/nova-2-lite", OUT, TUNED, "2.5"),
        ("bedrock/nova-2-lite", OUT, REGIONAL, "2.75"),
        ("bedrock/llama-3.1-8b", TRAIN, SFT, "1.49"),
        ("bedrock/meta.llama3-1-70b-instruct-v1:0", TRAIN, SFT, "7.99"),
        ("bedrock/llama-3.1-8b", UNIT, TUNED, "24"),
        ("bedrock/llama-3.1-8b", UNIT, {"service": "reserved", "deployment": "6-month"}, "13.08"),
        ("bedrock/llama-3.1-8b", STORED, {}, "1.95"),
        ("bedrock/gpt-oss-20b", TRAIN_HOUR, RFT, "80"),
        ("bedrock/qwen3-32b", OUT, TUNED, "0.78"),
        ("bedrock/custom-model-import", UNIT, {}, "3.4308"),
        # Mistral, DeepSeek
        ("mistral/mistral-large-4", IN, {}, "0.7"),
        ("mistral/mistral-large-4", OUT, BATCH, "1.05"),
        ("mistral/mistral-small", OUT, {}, "0.6"),
        ("mistral/codestral", OUT, BATCH, "0.45"),
        ("mistral/classifier-3b", TRAIN, SFT, "1"),
        ("mistral/classifier-3b", MINIMUM, {}, "4"),
        ("mistral/classifier-3b", STORED, {}, "2"),
        ("mistral/mistral-embed", EMBED, {}, "0.1"),
        ("deepseek/deepseek-flash", IN, {}, "0.15"),
        ("deepseek/deepseek-v4-pro", OUT, {}, "1.98"),
        # Together, Fireworks, Tinker
        ("together/llama-3.3-70b", TRAIN, LORA, "2.03"),
        ("together/llama-3.3-70b", TRAIN, DPO_LORA, "5.08"),
        ("together/qwen3.5-9b", TRAIN, LORA, "0.34"),
        ("together/glm-5.2", TRAIN, LORA, "40"),
        ("together/llama-3.3-70b", MINIMUM, {}, "4"),
        ("together/h100", GPU, {}, "5.49"),
        ("together/b200", GPU, {}, "8.99"),
        ("together/h100-cluster", GPU, {"service": "spot"}, "1.99"),
        ("fireworks/llama-3.1-8b", IN, {}, "0.2"),
        ("fireworks/llama-3.1-8b", TRAIN, LORA, "0.5"),
        ("fireworks/llama-3.1-8b", TRAIN, RFT, "0"),
        ("fireworks/llama-3.1-70b", TRAIN, LORA, "3"),
        ("fireworks/llama-3.1-70b", TRAIN, FULL, "6"),
        ("fireworks/gpt-oss-120b", TRAIN, DPO_LORA, "12"),
        ("fireworks/b200", GPU, {}, "13"),
        ("fireworks/qwen3.8-27b", TRAIN, LORA, "3"),
        ("fireworks/qwen3.8-27b", TRAIN, LORA | {"deployment": "training-api"}, "4.103"),
        ("tinker/qwen3-8b", TRAIN, LORA, "0.44"),
        ("tinker/Qwen/Qwen3.5-9B", OUT, {}, "1.995"),
        ("tinker/gpt-oss-120b", TRAIN, LORA, "0.737"),
        ("tinker/gpt-oss-120b", TRAIN, LORA | {"context_tokens": 40_000}, "2.33"),
        # tuning elsewhere
        ("nebius/llama-3.1-8b", TRAIN, SFT, "0.4"),
        ("nebius/llama-3.3-70b", TRAIN, SFT, "2.8"),
        ("nebius/llama-3.3-70b", MINIMUM, {}, "0"),
        ("prime-intellect/qwen3.5-9b", TRAIN, {}, "0.6"),
        ("prime-intellect/qwen3.5-397b-a17b", OUT, {"deployment": "training-api"}, "3"),
        ("ori/up-to-10b", TRAIN, LORA, "0.46"),
        ("databricks/databricks-gemma-3-12b", "training_usd_per_dbu", {}, "0.65"),
        # open models by the token elsewhere
        ("groq/gpt-oss-20b", OUT, {}, "0.3"),
        ("cerebras/gpt-oss-120b", IN, {}, "0.35"),
        ("deepinfra/llama-3.3-70b", OUT, {}, "0.32"),
        ("deepinfra/llama-3.1-8b", IN, {}, "0.03"),
    ],
)
def test_published_figure(rates: Rates, offer: str, key: str, conditions: dict[str, Any], usd: str) -> None:
    assert rates.price(offer, key, **conditions).value == Decimal(usd)


@pytest.mark.parametrize(
    ("offer", "key", "conditions", "first_day", "before", "after"),
    [
        ("openai/gpt-5.6-luna", IN, {}, date(2026, 7, 30), "1", "0.2"),
        ("openai/gpt-5.6-sol", IN, {}, date(2026, 8, 21), "5", "4"),
        ("openai/gpt-5.6-sol", IN, {}, date(2026, 11, 21), "4", "5"),
        ("openai/gpt-5.6-sol", OUT, BATCH, date(2026, 11, 21), "10", "15"),
        ("openai/gpt-5.6-sol", OUT, {"context_tokens": 272_001}, date(2026, 11, 21), "30", "45"),
        ("openai/gpt-4o", OUT, TUNED_BATCH, date(2025, 9, 1), "7.5", "12.5"),
        ("gemini-api/gemini-3.8-flash", OUT, {}, date(2027, 1, 1), "3.75", "7.5"),
        ("gemini-api/gemini-4-argon", IN, {}, date(2026, 12, 1), "2", "4"),
        ("mistral/mistral-large-4", IN, {}, date(2026, 10, 20), "0.68", "1.36"),
        ("mistral/mistral-large-4", IN, {}, date(2026, 10, 29), "1.36", "0.7"),
        ("deepseek/deepseek-v4-flash", IN, {}, date(2026, 9, 10), "0.22", "0.15"),
        ("fireworks/h100", GPU, {}, date(2026, 9, 1), "7", "8"),
        ("fireworks/b300", GPU, {}, date(2026, 9, 1), "12", "15"),
        ("together/h100", GPU, {}, date(2026, 10, 1), "3.99", "5.49"),
        ("together/llama-3.3-70b", TRAIN, LORA, date(2026, 9, 19), "2.9", "2.03"),
        ("together/llama-3.3-70b", MINIMUM, {}, date(2026, 9, 9), "5", "4"),
        ("tinker/qwen3-8b", IN, {}, date(2026, 7, 17), "0.13", "0.195"),
        ("groq/gpt-oss-120b", OUT, {}, date(2026, 2, 28), "0.75", "0.6"),
    ],
)
def test_both_sides_of_a_dated_boundary(
    rates: Rates, offer: str, key: str, conditions: dict[str, Any], first_day: date, before: str, after: str
) -> None:
    assert rates.price(offer, key, on=first_day - timedelta(days=1), **conditions).value == Decimal(before)
    assert rates.price(offer, key, on=first_day, **conditions).value == Decimal(after)


# --- what is not for sale is never a number -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offer", "key", "conditions"),
    [
        ("openai/gpt-6-luna", TRAIN, SFT),
        ("openai/gpt-6-luna", IN, TUNED),
        ("openai/gpt-4o-mini", TRAIN, {"method": "dpo"}),
        ("openai/gpt-4.1-nano", TRAIN, SFT),
        ("openai/gpt-3.5-turbo", IN, {}),
        ("openai/o4-mini", TRAIN_HOUR, RFT),
        ("anthropic/claude-haiku-5-5", TRAIN, SFT),
        ("anthropic/claude-3-haiku", IN, {}),
        ("bedrock/claude-3-haiku", IN, {}),
        ("bedrock/nova-pro", TRAIN, SFT),
        ("bedrock/llama-3.3-70b", TRAIN, SFT),
        ("bedrock/llama-3.1-8b", IN, TUNED),
        ("vertex-ai/gemini-2.5-flash", TRAIN, SFT),
        ("vertex-ai/gemini-3.8-flash", TRAIN, SFT),
        ("gemini-api/gemini-3.5-flash", TRAIN, SFT),
        ("together/llama-3.3-70b", IN, {}),
        ("together/llama-3.1-8b", TRAIN, LORA),
        ("together/gpt-oss-120b", TRAIN, LORA),
        ("fireworks/gpt-oss-120b", IN, {}),
        ("fireworks/llama-3.3-70b", IN, {}),
        ("fireworks/llama-3.3-70b", TRAIN, RFT),
        ("tinker/llama-3.1-8b", TRAIN, LORA),
        ("tinker/qwen3-8b", TRAIN, FULL),
        ("mistral/mistral-small-4", TRAIN, SFT),
        ("groq/llama-3.3-70b", IN, {}),
    ],
)
def test_missing_or_retired_is_an_error(rates: Rates, offer: str, key: str, conditions: dict[str, Any]) -> None:
    with pytest.raises(PriceMissing):
        rates.price(offer, key, **conditions)


@pytest.mark.parametrize(
    ("offer", "key", "conditions", "end", "usd"),
    [
        ("openai/gpt-4.1-nano", TRAIN, SFT, date(2026, 10, 23), "1.5"),
        ("openai/gpt-3.5-turbo", IN, TUNED, date(2026, 10, 23), "3"),
        ("openai/davinci-002", OUT, TUNED, date(2026, 10, 23), "12"),
        ("together/llama-3.3-70b", IN, {}, date(2026, 10, 22), "1.04"),
        ("together/llama-3.1-8b", TRAIN, FULL, date(2026, 9, 19), "1.2"),
        ("fireworks/gpt-oss-120b", OUT, {}, date(2026, 11, 7), "0.6"),
        ("bedrock/claude-3-haiku", OUT, {}, date(2026, 9, 10), "1.25"),
        ("anthropic/claude-3-haiku", OUT, {}, date(2026, 4, 20), "1.25"),
        ("vertex-ai/gemini-2.5-pro", TRAIN, SFT, date(2026, 10, 20), "25"),
        ("vertex-ai/gemini-2.5-flash", OUT, TUNED, date(2026, 10, 20), "2.5"),
        ("tinker/llama-3.3-70b", TRAIN, LORA, date(2026, 6, 12), "3.16"),
        ("groq/llama-3.1-8b", IN, {}, date(2026, 8, 16), "0.05"),
    ],
)
def test_a_retired_price_stays_findable_before_its_end(
    rates: Rates, offer: str, key: str, conditions: dict[str, Any], end: date, usd: str
) -> None:
    assert rates.price(offer, key, on=end - timedelta(days=1), **conditions).value == Decimal(usd)
    with pytest.raises(PriceMissing, match=f"ended on {end}"):
        rates.price(offer, key, on=end, **conditions)


@pytest.mark.parametrize(
    ("offer", "conditions", "usd"),
    [
        ("azure-openai/gpt-4o", SFT, "25"),
        ("azure-openai/gpt-4.1", SFT | {"deployment": "developer"}, "12.5"),
        ("openai/gpt-4.1", {"method": "dpo"}, "25"),
        ("predibase/up-to-16b", LORA, "0.5"),
    ],
)
def test_unverified_only_when_accepted_by_name(rates: Rates, offer: str, conditions: dict[str, Any], usd: str) -> None:
    with pytest.raises(PriceUnverified):
        rates.price(offer, TRAIN, **conditions)
    assert rates.price(offer, TRAIN, accept_unverified=True, **conditions).value == Decimal(usd)


@pytest.mark.parametrize(
    ("offer", "key", "wrong"),
    [
        ("openai/gpt-4o-mini", TRAIN, {Decimal(1), Decimal(25)}),
        ("openai/gpt-4.1-mini", TRAIN, {Decimal("0.8")}),
        ("azure-openai/gpt-4.1", TRAIN, {Decimal(2)}),
        ("anthropic/claude-sonnet-5", IN, {Decimal(3)}),
        ("anthropic/claude-sonnet-5-5", READ, {Decimal("0.2")}),
    ],
)
def test_a_rejected_figure_is_no_price_on_any_day(rates: Rates, offer: str, key: str, wrong: set[Decimal]) -> None:
    _, _, item = rates.item(offer)
    assert not wrong & {block.prices[key] for block in item.price if key in block.prices}


# --- hours, tiers, lifecycle, rules -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weekday", "hour", "usd"),
    [(1, 0, "0.15"), (1, 1, "0.3"), (1, 3, "0.3"), (1, 4, "0.15"), (5, 9, "0.3"), (5, 10, "0.15"), (6, 7, "0.15")],
)
def test_deepseek_peak_hours(rates: Rates, weekday: int, hour: int, usd: str) -> None:
    assert rates.price("deepseek/deepseek-flash", IN, at_hour=(weekday, hour)).value == Decimal(usd)


@pytest.mark.parametrize("model", ["deepseek-flash", "deepseek-v4-flash", "deepseek-v4-pro"])
@pytest.mark.parametrize("key", [IN, OUT, READ])
def test_deepseek_off_peak_is_half(rates: Rates, model: str, key: str) -> None:
    peak = rates.price(f"deepseek/{model}", key, at_hour=(3, 8)).value
    assert rates.price(f"deepseek/{model}", key).value * 2 == peak


@pytest.mark.parametrize(("tokens", "usd"), [(272_000, "0.1"), (272_001, "0.2")])
def test_a_tier_starts_above_its_length(rates: Rates, tokens: int, usd: str) -> None:
    assert rates.price("openai/gpt-6-luna", IN, context_tokens=tokens).value == Decimal(usd)


def test_tuned_gemini_3_costs_half_more_than_base(rates: Rates) -> None:
    for model in ("gemini-3.5-flash", "gemini-3.1-flash-lite"):
        for key in (IN, OUT):
            base = rates.price(f"vertex-ai/{model}", key).value
            assert rates.price(f"vertex-ai/{model}", key, tuned=True).value == base * Decimal("1.5")


@pytest.mark.parametrize(
    ("offer", "event", "day"),
    [
        ("openai/gpt-4.1-mini", "closed_to_new_customers", date(2026, 5, 7)),
        ("openai/gpt-4.1-mini", "closed_to_inactive", date(2026, 7, 2)),
        ("openai/gpt-4.1-mini", "training_ends", date(2027, 1, 6)),
        ("openai/gpt-4.1-mini", "inference_ends", date(2027, 1, 14)),
        ("openai/gpt-4o", "inference_ends", date(2027, 1, 14)),
        ("openai/gpt-4.1-nano", "inference_ends", date(2026, 10, 23)),
        ("azure-openai/gpt-4.1", "inference_ends", date(2027, 10, 14)),
        ("azure-openai/gpt-4o-mini", "inference_ends", date(2027, 10, 14)),
        ("vertex-ai/gemini-2.5-flash", "inference_ends", date(2026, 10, 20)),
        ("bedrock/claude-3-haiku", "training_ends", date(2026, 9, 10)),
        ("bedrock/llama-3.1-8b", "inference_ends", date(2027, 3, 30)),
        ("anthropic/claude-haiku-5-5", "available_until_at_least", date(2027, 10, 7)),
        ("groq/llama-3.3-70b", "inference_ends", date(2026, 8, 16)),
        ("mistral/classifier-3b", "deprecated", date(2026, 1, 1)),
        ("tinker/qwen3.6-27b", "training_ends", date(2026, 9, 2)),
    ],
)
def test_lifecycle(rates: Rates, offer: str, event: str, day: date) -> None:
    assert (event, day) in {(e.event, e.date) for e in rates.lifecycle(offer)}


def test_contradicting_retirements_on_azure_are_unverified_and_told(rates: Rates) -> None:
    (end,) = (e for e in rates.lifecycle("azure-openai/gpt-4.1") if e.event == "inference_ends")
    assert end.confidence == "unverified"
    assert {"2026-10-14", "2027-04-14"} <= set(re.findall(r"\d{4}-\d\d-\d\d", end.note))


def test_named_successors(rates: Rates) -> None:
    (end,) = (e for e in rates.lifecycle("openai/gpt-4.1-mini") if e.event == "inference_ends")
    assert end.successor == "openai/gpt-6-luna"


@pytest.mark.parametrize(
    ("offer", "epochs", "tuned_inference"),
    [
        ("openai/gpt-4.1-mini", "openai-cookbook", "listed"),
        ("azure-openai/gpt-4.1-mini", None, "as base"),
        ("vertex-ai/gemini-3.5-flash", None, "listed"),
        ("bedrock/nova-micro", None, "listed"),
        ("bedrock/llama-3.1-8b", 5, "dedicated only"),
        ("together/llama-3.3-70b", 1, "dedicated only"),
        ("fireworks/llama-3.1-70b", None, "dedicated only"),
        ("tinker/qwen3-8b", None, "as base"),
    ],
)
def test_billing_rules(rates: Rates, offer: str, epochs: int | str | None, tuned_inference: str) -> None:
    rules = rates.billing_rules(offer)
    assert rules is not None
    assert (rules.default_epochs, rules.tuned_inference) == (epochs, tuned_inference)


def test_together_bills_validation_and_unpacked_length(rates: Rates) -> None:
    rules = rates.billing_rules("together/llama-3.3-70b")
    assert rules is not None
    assert (rules.validation_tokens_billed, rules.unpacked_bills_max_length) == (True, True)


@pytest.mark.parametrize(
    ("offer", "mode", "minimum", "seconds"),
    [
        ("openai/gpt-4.1-mini", "implicit", 1024, 300),
        ("openai/gpt-6-luna", "implicit", 1024, 1800),
        ("anthropic/claude-sonnet-5", "explicit", 1024, 300),
        ("gemini-api/gemini-3.8-flash", "implicit", 4096, 300),
        ("groq/gpt-oss-120b", "implicit", 1024, 7200),
    ],
)
def test_cache_rules(rates: Rates, offer: str, mode: str, minimum: int, seconds: int) -> None:
    rules = rates.cache_rules(offer)
    assert rules is not None
    assert (rules.mode, rules.minimum_tokens, rules.ttl_seconds) == (mode, minimum, seconds)


# --- a correction and a withdrawal, as docs/adding-a-price.md tells them ------------------------------------------------------


def _noted(block: dict[str, Any], recorded: date) -> dict[str, Any]:
    common = {"source": "https://example.org/prices", "source_date": recorded, "recorded": recorded, "confidence": "primary"}
    return {"own": False, "effective": date(2026, 11, 1), **common, **block}


def _corrected(*blocks_: dict[str, Any]) -> PriceBook:
    return BOOK.with_overrides({"groq": {"model": {"gpt-oss-20b": {"price": list(blocks_)}}}})


def test_a_correction_wins_from_the_day_it_is_recorded() -> None:
    book = _corrected(_noted({IN: Decimal("0.08")}, date(2026, 12, 3)))
    day = date(2026, 12, 5)
    assert book.as_of(day).price("groq/gpt-oss-20b", IN).value == Decimal("0.08")
    assert book.as_of(day, recorded_through=date(2026, 12, 2)).price("groq/gpt-oss-20b", IN).value == Decimal("0.075")
    assert book.as_of(day).price("groq/gpt-oss-20b", OUT).value == Decimal("0.3"), "keys the correction leaves out stay"


def test_a_withdrawal_retracts_the_block_of_its_day_and_conditions() -> None:
    book = _corrected(_noted({"withdrawn": True}, date(2026, 12, 3)))
    day = date(2026, 12, 5)
    with pytest.raises(PriceMissing):
        book.as_of(day).price("groq/gpt-oss-20b", IN)
    assert book.as_of(day, recorded_through=date(2026, 12, 2)).price("groq/gpt-oss-20b", IN).value == Decimal("0.075")


def test_an_end_learned_later_is_a_correction_too() -> None:
    again = _noted({IN: Decimal("0.075"), OUT: Decimal("0.3"), "ends": date(2026, 12, 10)}, date(2026, 12, 3))
    book = _corrected(again)
    assert book.as_of(date(2026, 12, 9)).price("groq/gpt-oss-20b", IN).value == Decimal("0.075")
    with pytest.raises(PriceMissing, match="ended on 2026-12-10"):
        book.as_of(date(2026, 12, 10)).price("groq/gpt-oss-20b", IN)
    pinned = book.as_of(date(2026, 12, 10), recorded_through=date(2026, 12, 2))
    assert pinned.price("groq/gpt-oss-20b", IN).value == Decimal("0.075")
