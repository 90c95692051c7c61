"""How a model's tokens are counted: exactly, by a file, or as an estimate that says so."""

from __future__ import annotations

import pytest

from ingest import InputError
from ingest.counting import counting_for
from ingest.tokenizers import tokenizer_of_file


@pytest.mark.parametrize(
    ("model", "family", "exact", "template_is_known"),
    [
        ("gpt-4.1-mini", ("o200k_base", "openai"), True, True),
        ("together/llama-3.3-70b", ("llama3", "llama3"), True, True),
        ("gemini-2.5-flash", ("gemma3", "openai"), True, False),
        ("gemini-3.8-flash", ("gemma3", "openai"), False, False),
        ("anthropic/claude-opus-4-8", ("o200k_base", "openai"), False, False),
        ("grok-4", ("o200k_base", "openai"), False, False),
        ("qwen/qwen3.5-27b", ("o200k_base", "openai"), False, False),
    ],
)
def test_a_model_is_counted_its_own_way(model, family, exact, template_is_known):
    counting = counting_for(model)
    assert (counting.family, counting.exact, counting.template_is_known) == (family, exact, template_is_known)


@pytest.mark.parametrize(
    ("model", "likely"),
    [
        ("claude-3-5-sonnet-20241022", 1.2),
        ("claude-3-haiku", 1.2),
        ("claude-sonnet-4-20250514", 1.2),
        ("claude-sonnet-4", 1.2),
        ("claude-opus-4-1", 1.2),
        ("claude-opus-4.5", 1.2),
        ("claude-haiku-4-5@20251001", 1.2),
        ("claude-opus-4-6", 1.2),
        ("claude-opus-4-7", 1.55),
        ("claude-opus-4-8", 1.55),
        ("claude-sonnet-5", 1.55),
        ("claude-opus-5-5", 1.55),
        ("claude-sonnet-5-3", 1.55),
    ],
)
def test_claudes_older_and_newer_tokenizers(model, likely):
    assert counting_for(model).factor.likely == likely


def test_an_estimate_is_called_one():
    counting = counting_for("claude-opus-4-8")
    assert counting.label == "estimate: 1.55 (1.1 to 1.9) × o200k_base"
    assert "is not published: every figure is an estimate, 1.1 to 1.9 tokens of Claude" in counting.notes()[0]
    assert "OpenAI's rule, not this model's chat template: an estimate" in counting.notes()[1]


def test_nothing_is_said_of_an_exact_count():
    assert counting_for("gpt-4.1-mini").notes() == ()


@pytest.mark.parametrize("model", ["my-own-model", "mistral-7b", ""])
def test_a_model_nothing_is_known_of_is_refused(model):
    with pytest.raises(InputError, match="--tokenizer FILE"):
        counting_for(model)


def test_a_tokenizer_file_counts_for_any_model(tiny_tokenizer):
    counting = counting_for("my-own-model", tokenizer_file=tiny_tokenizer)
    assert counting.exact
    assert counting.tokenizer is tokenizer_of_file(tiny_tokenizer)
    assert not counting.template_is_known
