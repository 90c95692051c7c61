"""What ends when: closures of tuning, retirements and named successors, and the health of every recorded event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

import pytest

from pricing.book import PriceBook, Rates
from pricing.errors import PriceMissing
from pricing.model import LifecycleEvent

BOOK = PriceBook.bundled()
TODAY = date(2026, 11, 21)

NEW, INACTIVE = "closed_to_new_customers", "closed_to_inactive"
TRAINING, INFERENCE, PROMISED = "training_ends", "inference_ends", "available_until_at_least"


@pytest.fixture(scope="module")
def rates() -> Rates:
    return BOOK.as_of(TODAY)


def events_of(rates: Rates, offer: str, event: str) -> list[LifecycleEvent]:
    return [found for found in rates.lifecycle(offer) if found.event == event]


# --- what is recorded ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offer", "event", "day"),
    [
        # OpenAI: self-serve tuning closes step by step, tuned models end with their base
        ("openai/gpt-4.1", NEW, date(2026, 5, 7)),
        ("openai/gpt-4.1", INACTIVE, date(2026, 7, 2)),
        ("openai/gpt-4.1", TRAINING, date(2027, 1, 6)),
        ("openai/gpt-4.1-mini", TRAINING, date(2027, 1, 6)),
        ("openai/gpt-4o-mini-2024-07-18", TRAINING, date(2027, 1, 6)),
        ("openai/gpt-4.1", "deprecated", date(2026, 10, 14)),
        ("openai/gpt-4.1", INFERENCE, date(2027, 1, 14)),
        ("openai/gpt-4.1-mini", INFERENCE, date(2027, 1, 14)),
        ("openai/gpt-4o-2024-08-06", INFERENCE, date(2027, 1, 14)),
        ("openai/gpt-4o-2024-11-20", INFERENCE, date(2027, 1, 14)),
        ("openai/gpt-4o-2024-05-13", INFERENCE, date(2026, 10, 23)),
        ("openai/gpt-4o-mini", INFERENCE, date(2027, 1, 14)),
        ("openai/ft:gpt-4o", INFERENCE, date(2027, 1, 14)),
        ("openai/ft:gpt-4o-mini", INFERENCE, date(2027, 1, 14)),
        ("openai/gpt-4.1-nano", TRAINING, date(2026, 10, 23)),
        ("openai/gpt-4.1-nano", INFERENCE, date(2026, 10, 23)),
        ("openai/o4-mini", INFERENCE, date(2026, 10, 23)),
        ("openai/ft:gpt-3.5-turbo-", INFERENCE, date(2026, 10, 23)),
        ("openai/davinci-002", TRAINING, date(2026, 9, 28)),
        ("openai/davinci-002", INFERENCE, date(2026, 10, 23)),  # of its tuned models
        ("openai/babbage-002", INFERENCE, date(2026, 10, 23)),
        ("openai/gpt-5-2025-08-07", INFERENCE, date(2026, 12, 11)),
        ("openai/gpt-3.5-turbo-0301", INFERENCE, date(2024, 9, 13)),
        # Azure: another calendar than OpenAI's own
        ("azure-openai/gpt-4.1", INFERENCE, date(2027, 10, 14)),
        ("azure-openai/gpt-4.1-mini", INFERENCE, date(2027, 10, 14)),
        ("azure-openai/gpt-4o", INFERENCE, date(2027, 10, 14)),
        ("azure-openai/gpt-4o-mini", INFERENCE, date(2027, 10, 14)),
        ("azure-openai/o4-mini", INFERENCE, date(2027, 10, 16)),
        ("azure-openai/gpt-5", INFERENCE, date(2027, 2, 6)),
        ("azure-openai/gpt-5.2", INFERENCE, date(2026, 12, 12)),
        ("azure-openai/DeepSeek-R1", INFERENCE, date(2026, 8, 13)),
        # Google: tuning left the Gemini API, and Vertex AI's 2.5 models are gone
        ("gemini-api/gemini-3.5-flash", TRAINING, date(2025, 5, 1)),
        ("gemini-api/gemini-2.0-flash", INFERENCE, date(2026, 6, 1)),
        ("gemini-api/gemini-2.5-flash", PROMISED, date(2026, 10, 16)),
        ("vertex-ai/gemini-2.5-flash", TRAINING, date(2026, 10, 20)),
        ("vertex-ai/gemini-2.5-flash", INFERENCE, date(2026, 10, 20)),
        ("vertex-ai/gemini-2.5-flash-lite", INFERENCE, date(2026, 10, 20)),
        ("vertex-ai/gemini-2.5-pro", INFERENCE, date(2026, 10, 20)),
        ("vertex-ai/gemini-3.6-flash", INFERENCE, date(2026, 11, 19)),
        ("vertex-ai/gemini-3.5-flash", PROMISED, date(2027, 5, 19)),
        ("vertex-ai/gemini-3.1-flash-lite", PROMISED, date(2027, 5, 7)),
        ("vertex-ai/claude-3-haiku", INFERENCE, date(2026, 8, 23)),
        # Bedrock
        ("bedrock/claude-3-haiku", TRAINING, date(2026, 9, 10)),  # the last tunable Claude
        ("bedrock/llama-3.1-8b", INFERENCE, date(2027, 3, 30)),
        ("bedrock/llama-3.1-70b", INFERENCE, date(2027, 3, 30)),
        ("bedrock/llama-3.3-70b", INFERENCE, date(2027, 3, 30)),
        ("bedrock/llama-3.2-3b", INFERENCE, date(2026, 7, 7)),
        ("bedrock/nova-premier", INFERENCE, date(2026, 9, 14)),
        ("bedrock/anthropic.claude-sonnet-4-20250514-v1:0", INFERENCE, date(2026, 10, 14)),
        ("bedrock/global.anthropic.claude-sonnet-4-20250514-v1:0", INFERENCE, date(2026, 10, 14)),
        # Anthropic
        ("anthropic/claude-sonnet-4-5-20250929", INFERENCE, date(2026, 11, 30)),
        ("anthropic/claude-3-5-sonnet-20241022", INFERENCE, date(2025, 10, 28)),
        ("anthropic/claude-opus-4-5", PROMISED, date(2026, 11, 24)),
        # Mistral, Cohere, Tinker, and models by the token
        ("mistral/mistral-large-2411", INFERENCE, date(2026, 5, 31)),
        ("mistral/open-mistral-nemo", INFERENCE, date(2026, 7, 31)),
        ("mistral/ministral-8b-2410", INFERENCE, date(2025, 12, 31)),
        ("mistral/mistral-small-2506", INFERENCE, date(2026, 7, 31)),
        ("cohere/command", TRAINING, date(2025, 9, 15)),
        ("tinker/llama-3.1-8b", TRAINING, date(2026, 6, 12)),
        ("tinker/Qwen/Qwen3.6-27B", INFERENCE, date(2026, 9, 2)),
        ("deepseek/deepseek-reasoner", INFERENCE, date(2026, 7, 24)),
        ("groq/llama-3.1-8b-instant", INFERENCE, date(2026, 8, 16)),
        ("cerebras/llama3.1-8b", INFERENCE, date(2026, 5, 27)),
        ("x-ai/grok-3", INFERENCE, date(2026, 5, 15)),
        ("moonshotai/moonshot-v1-8k", INFERENCE, date(2026, 8, 31)),
    ],
)
def test_day_of_an_event(rates: Rates, offer: str, event: str, day: date) -> None:
    """The first one counts, where the model's own and its provider's differ."""
    assert [found.date for found in events_of(rates, offer, event)][:1] == [day]


@pytest.mark.parametrize(
    ("offer", "successor"),
    [
        ("openai/gpt-4.1", "openai/gpt-6-luna"),
        ("openai/gpt-4o-mini", "openai/gpt-6-luna"),
        ("openai/gpt-5-nano", "openai/gpt-5.6-luna"),
        ("openai/ft:gpt-3.5-turbo-", "openai/gpt-5.4-mini"),
        ("openai/o4-mini", "openai/gpt-5.6-terra"),
        ("anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-5-5"),
        ("anthropic/claude-3-haiku", "anthropic/claude-haiku-4-5"),
        ("vertex-ai/gemini-2.5-flash", "vertex-ai/gemini-3.5-flash-lite"),
        ("gemini-api/gemini-2.0-flash", "gemini-api/gemini-3.6-flash"),
        ("bedrock/nova-premier", "bedrock/nova-pro"),
        ("mistral/mistral-small-2506", "mistral/mistral-small-4"),
        ("mistral/open-mistral-7b", "mistral/ministral-8b-2512"),
        ("deepseek/deepseek-chat", "deepseek/deepseek-v4-flash"),
        ("groq/llama-3.3-70b", "groq/gpt-oss-120b"),
        ("tinker/qwen3.6-27b", "tinker/qwen3.8-27b"),
        ("x-ai/grok-code-fast-1", "x-ai/grok-build-0.1"),
    ],
)
def test_named_successor(rates: Rates, offer: str, successor: str) -> None:
    (end,) = events_of(rates, offer, INFERENCE)
    assert end.successor is not None
    assert rates.item(end.successor)[1:2] == rates.item(successor)[1:2]


@pytest.mark.parametrize("offer", ["openai/gpt-4-0314", "gemini-api/text-embedding-004", "mistral/codestral-2405"])
def test_a_retired_model_is_said_to_be_retired(rates: Rates, offer: str) -> None:
    (end,) = events_of(rates, offer, INFERENCE)
    with pytest.raises(PriceMissing, match=f"was shut down on {end.date}"):
        rates.price(offer, "input_usd_per_mtok")


def test_provider_that_closed() -> None:
    days = {event.event: event.date for event in BOOK.provider("openpipe").lifecycle}
    assert days == {TRAINING: date(2026, 7, 30), INFERENCE: date(2026, 7, 30)}


@pytest.mark.parametrize(
    "offer",
    [
        *("together/llama-3.3-70b", "together/llama-3.1-8b", "together/llama-3.1-70b", "together/gpt-oss-20b"),
        *("together/gemma-4-31b", "together/deepseek-v3.1", "fireworks/gpt-oss-120b"),
    ],
)
def test_base_that_left_serverless_is_still_tunable(rates: Rates, offer: str) -> None:
    """Its token price is over, the model is not: training and dedicated endpoints go on."""
    assert not events_of(rates, offer, INFERENCE)
    assert not events_of(rates, offer, TRAINING)
    with pytest.raises(PriceMissing):
        rates.price(offer, "input_usd_per_mtok")


@pytest.mark.parametrize(
    "offer", ["bedrock/nova-micro", "bedrock/nova-lite", "bedrock/nova-pro", "bedrock/nova-2-lite", "tinker/qwen3.5-4b"]
)
def test_nothing_announced_is_no_end(rates: Rates, offer: str) -> None:
    assert not events_of(rates, offer, INFERENCE)


def test_a_disputed_day_is_marked_and_names_the_other(rates: Rates) -> None:
    for offer in ("azure-openai/gpt-4.1", "azure-openai/gpt-4o", "azure-openai/gpt-5.2", "azure-openai/o3"):
        (end,) = events_of(rates, offer, INFERENCE)
        assert end.confidence == "unverified"
        assert "20" in end.note


# --- health -------------------------------------------------------------------------------------------------------------------


def places(provider_id: str) -> Iterator[tuple[str, tuple[LifecycleEvent, ...]]]:
    provider = BOOK.provider(provider_id)
    yield provider_id, provider.lifecycle
    for item_id, item in provider.items.items():
        yield f"{provider_id}/{item_id}", item.lifecycle


@pytest.mark.parametrize("provider_id", BOOK.provider_ids)
class TestHealth:
    def test_successors_are_in_the_book(self, rates: Rates, provider_id: str) -> None:
        for place, events in places(provider_id):
            for event in events:
                if event.successor is not None:
                    provider, successor, _ = rates.item(event.successor)
                    assert f"{provider.id}/{successor}" != place, place

    def test_events_come_in_their_order(self, provider_id: str) -> None:
        """Released, then deprecated, then tuning ends, then inference; a promise reaches no further than the end."""
        order = ["released", "deprecated", TRAINING, INFERENCE]
        for place, events in places(provider_id):
            days = {name: [e.date for e in events if e.event == name] for name in (*order, PROMISED)}
            for earlier, later in [
                ("released", "deprecated"),
                ("released", INFERENCE),
                ("deprecated", INFERENCE),
                (TRAINING, INFERENCE),
            ]:
                assert not days[earlier] or not days[later] or max(days[earlier]) <= min(days[later]), (place, earlier, later)
            assert not days[PROMISED] or not days[INFERENCE] or max(days[PROMISED]) <= min(days[INFERENCE]), place

    def test_no_event_is_recorded_twice(self, provider_id: str) -> None:
        for place, events in places(provider_id):
            again = [key for key, count in Counter((e.event, e.date) for e in events).items() if count > 1]
            assert again == [], place
            ends = Counter((e.event, e.recorded) for e in events if e.event.endswith("_ends"))
            assert [key for key, count in ends.items() if count > 1] == [], (
                f"{place}: one end, two days; record the ruled one later"
            )
