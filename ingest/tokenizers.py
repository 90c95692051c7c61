"""Counting tokens exactly, by the vocabulary a model was trained with."""

from __future__ import annotations

import re
from functools import cache
from typing import Protocol

from ingest.errors import InputError, NotInstalled, Problem

_VOCABULARIES = {
    "cl100k_base": "cl100k_base",
    "o200k_base": "o200k_base",
    "llama3": "llama3",
    "mistral-tekken": "mistral_v3",
    "deepseek": "deepseek_v3",
}
"""Our name of a vocabulary → the counting library's."""

_BY_MODEL = (
    (r"(gpt-4o|gpt-4\.|gpt-5|gpt-6|gpt-oss|chatgpt-4o|o[134](-|$))", "o200k_base"),
    (r"(gpt-4|gpt-3\.5|gpt-35|babbage-002|davinci-002|text-embedding-)", "cl100k_base"),
    (r"(meta-)?llama-?3", "llama3"),
    (r"(mistral-nemo|mistral-small|mistral-medium|ministral)", "mistral-tekken"),
    (r"deepseek", "deepseek"),
)
"""Start of a model's name → its vocabulary; the first match counts."""


class Tokenizer(Protocol):
    """Counts the tokens of a text."""

    name: str

    def count(self, text: str) -> int:
        """Tokens of ``text``; markers such as ``<|endoftext|>`` count as the plain text they are."""
        ...


class VocabularyTokenizer:
    """Exact counts by one of the vocabularies of `tokenizer_names`.

    Raises:
        NotInstalled: the counting library is missing.
    """

    def __init__(self, name: str) -> None:
        try:
            import splintr
        except ImportError:
            raise NotInstalled("Counting tokens", "tokens") from None
        self.name = name
        self._encode = splintr.Tokenizer.from_pretrained(_VOCABULARIES[name]).encode_ordinary

    def count(self, text: str) -> int:
        """Tokens of ``text``; a lone surrogate counts as the replacement character."""
        try:
            return len(self._encode(text))
        except UnicodeEncodeError:
            return len(self._encode(without_lone_surrogates(text)))


def without_lone_surrogates(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates, which no encoding can hold, replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def tokenizer_names() -> tuple[str, ...]:
    """Names of all vocabularies at hand."""
    return tuple(_VOCABULARIES)


def tokenizer_name(model: str) -> str:
    """The vocabulary of a model.

    Args:
        model: its name, with or without a provider before it: ``gpt-4.1-mini``, ``together/llama-3.3-70b``, or the name
            of a vocabulary itself.

    Raises:
        InputError: the model's vocabulary is not at hand.
    """
    if model in _VOCABULARIES:
        return model
    name = model.lower().removeprefix("ft:").rsplit("/", 1)[-1]
    for start, vocabulary in _BY_MODEL:
        if re.match(start, name):
            return vocabulary
    raise InputError(
        Problem(
            "--model",
            f"the tokenizer of '{model}' is not at hand",
            "Known are OpenAI's chat models, Llama 3, DeepSeek, and Mistral's Nemo, Small, Medium and Ministral",
            f"Name one of those, or a vocabulary: {', '.join(_VOCABULARIES)}",
        )
    )


@cache
def load_tokenizer(name: str) -> Tokenizer:
    """The tokenizer of a vocabulary named in `tokenizer_names`, loaded once."""
    return VocabularyTokenizer(name)


def tokenizer_for(model: str) -> Tokenizer:
    """The tokenizer of a model; see `tokenizer_name` for what may be named and what it raises."""
    return load_tokenizer(tokenizer_name(model))
