"""Counting tokens exactly, by the vocabulary a model was trained with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.errors import InputError, NotInstalled, Problem
from ingest.files import readable_file

_VOCABULARIES = {
    "cl100k_base": "cl100k_base",
    "o200k_base": "o200k_base",
    "llama2": "llama2",
    "llama3": "llama3",
    "mistral-v1": "mistral_v1",
    "mistral-v3": "mistral_v2",  # 32,768 pieces, of Mistral's second and third tokenizer alike
    "mistral-tekken": "mistral_v3",
    "deepseek": "deepseek_v3",
    "qwen3": "qwen3",
    "gemma2": "gemma2",
    "gemma3": "gemma3",
    "gemma4": "gemma4",
    "glm4": "glm4",
    "kimi-k2": "kimi_k2",
    "kimi-k3": "kimi_k3",
    "phi4": "phi4",
    "olmo2": "olmo2",
}
"""Our name of a vocabulary → the counting library's."""

_BY_MODEL = (
    (r"(gpt-4o|gpt-4\.|gpt-5|gpt-6|gpt-oss|chatgpt-4o|o[134](-|$))", "o200k_base"),
    (r"(gpt-4|gpt-3\.5|gpt-35|babbage-002|davinci-002|text-embedding-)", "cl100k_base"),
    (r"deepseek-r1-distill-llama", "llama3"),
    (r"deepseek-r1-distill-qwen", "qwen3"),
    (r"deepseek(?!-(v2|coder|llm|math|vl|ocr))", "deepseek"),
    (r"(meta-)?llama-?(v?3|guard-3)", "llama3"),
    (r"(meta-llama-?2|llama-?(v?2)|codellama|code-llama|tinyllama)", "llama2"),
    (r"((open-)?mixtral-8x7b|mistral-7b(-instruct)?-v0[.p]?[12])", "mistral-v1"),
    (r"((open-)?mixtral-8x22b|mistral-7b(-instruct)?-v0[.p]?3|open-mistral-7b|mistral-(large|small)-24\d\d)", "mistral-v3"),
    (r"(open-)?(mistral-nemo|mistral-small|mistral-medium|ministral|magistral|devstral|pixtral-12b)", "mistral-tekken"),
    (r"(qwen-?(1\.5|2(\.5|p5)?|3)(?![\d.]|p\d)|qwq)", "qwen3"),
    (r"gemma-?2", "gemma2"),
    (r"gemma-?3", "gemma3"),
    (r"gemma-?4", "gemma4"),
    (r"gemini-1\.5", "gemma2"),  # Google's own local counting says so: github.com/googleapis/python-genai,
    (r"gemini-(2\.|3-pro-preview)", "gemma3"),  # google/genai/_local_tokenizer_loader.py
    (r"glm-?4", "glm4"),
    (r"kimi-k2", "kimi-k2"),
    (r"kimi-k3", "kimi-k3"),
    (r"phi-?4", "phi4"),
    (r"olmo-?2", "olmo2"),
)
"""Start of a model's name → its vocabulary; the first match counts."""


_MAKER_BEFORE_DOT = re.compile(r"^((us|eu|apac|global)\.)?(ai21|amazon|anthropic|cohere|deepseek|meta|mistral|openai|qwen)\.")
"""As in Bedrock's ``us.meta.llama3-1-8b-instruct-v1:0``."""


class Tokenizer(Protocol):
    """Counts the tokens of texts."""

    name: str

    def counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Tokens of each text; markers such as ``<|endoftext|>`` count as the plain text they are."""
        ...

    def count(self, text: str) -> int:
        """Tokens of one text."""
        ...


class VocabularyTokenizer:
    """Exact counts by a vocabulary of the counting library, many texts at once."""

    def __init__(self, name: str, vocabulary: Any) -> None:
        self.name = name
        self._vocabulary = vocabulary
        self._boundary = len(vocabulary.encode_ordinary(""))
        markers = sorted(vocabulary.special_tokens())
        self._openings = sorted({marker[:2] for marker in markers})
        self._marker = re.compile("|".join(map(re.escape, markers))) if markers else None

    def counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Tokens of each text; a lone surrogate counts as the replacement character.

        The library counts a batch several times as fast as single texts, but takes special markers in it for what they mark:
        texts that hold one are counted again, on their own.
        """
        batch = texts if isinstance(texts, list) else list(texts)
        try:
            _, offsets = self._vocabulary.encode_batch_flat(batch)
        except UnicodeEncodeError:
            batch = [without_lone_surrogates(text) for text in batch]
            _, offsets = self._vocabulary.encode_batch_flat(batch)
        bounds = np.frombuffer(offsets, dtype="<u8").astype(np.int64)
        counts: NDArray[np.int64] = bounds[1:] - bounds[:-1]
        for position in self._holding_markers(batch):
            counts[position] = len(self._vocabulary.encode_ordinary(batch[position]))
        return counts - self._boundary if self._boundary else counts

    def count(self, text: str) -> int:
        """Tokens of one text."""
        return int(self.counts([text])[0])

    def count_marked(self, text: str) -> int:
        """Tokens of a text in which special markers count as the one token they mark; nothing is added at its ends."""
        return len(self._vocabulary.encode_raw(text))

    @property
    def markers(self) -> frozenset[str]:
        """The special markers that `count_marked` knows."""
        return frozenset(self._vocabulary.special_tokens())

    def _holding_markers(self, texts: list[str]) -> list[int]:
        if self._marker is None:
            return []
        whole = "\n".join(texts)
        if not any(opening in whole for opening in self._openings):
            return []
        search = self._marker.search
        return [position for position, text in enumerate(texts) if search(text)]


def without_lone_surrogates(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates, which no encoding can hold, replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def tokenizer_names() -> tuple[str, ...]:
    """Names of all vocabularies at hand."""
    return tuple(_VOCABULARIES)


def plain_model_name(model: str) -> str:
    """A model's name without a provider before it and in lower case: ``together/Llama-3.3-70B`` is ``llama-3.3-70b``."""
    return _MAKER_BEFORE_DOT.sub("", model.lower().removeprefix("ft:").rsplit("/", 1)[-1])


def known_vocabulary(model: str) -> str | None:
    """The vocabulary of a model as in `tokenizer_name`, or None where it is not at hand."""
    if model in _VOCABULARIES:
        return model
    name = plain_model_name(model)
    return next((vocabulary for start, vocabulary in _BY_MODEL if re.match(start, name)), None)


def tokenizer_name(model: str) -> str:
    """The vocabulary of a model.

    Args:
        model: its name, with or without a provider before it: ``gpt-4.1-mini``, ``together/llama-3.3-70b``, or the name
            of a vocabulary itself.

    Raises:
        InputError: the model's vocabulary is not at hand.
    """
    vocabulary = known_vocabulary(model)
    if vocabulary is None:
        raise not_at_hand(model)
    return vocabulary


def not_at_hand(model: str) -> InputError:
    """The refusal of a model whose vocabulary is not at hand."""
    return InputError(
        Problem(
            "--model",
            f"the tokenizer of '{model}' is not at hand",
            "Known are OpenAI's, Llama 2 and 3, Mistral, DeepSeek, Qwen up to 3, Gemma, GLM-4, Kimi K2 and K3, Phi-4, OLMo 2",
            f"Name its tokenizer.json by --tokenizer FILE, or a vocabulary: {', '.join(_VOCABULARIES)}",
        )
    )


@cache
def load_tokenizer(name: str) -> VocabularyTokenizer:
    """The tokenizer of a vocabulary named in `tokenizer_names`, loaded once.

    Raises:
        NotInstalled: the counting library is missing.
    """
    return VocabularyTokenizer(name, _library().Tokenizer.from_pretrained(_VOCABULARIES[name]))


@cache
def tokenizer_of_file(path: Path) -> VocabularyTokenizer:
    """The tokenizer of a ``tokenizer.json`` file as published beside open models, named after the file.

    Raises:
        InputError: the file cannot be read or is no such file.
        NotInstalled: the counting library is missing.
    """
    library = _library()
    path = readable_file(path)
    try:
        return VocabularyTokenizer(path.name, library.from_json(str(path)))
    except Exception as error:  # the library raises several kinds, none of its own
        raise InputError(
            Problem(
                str(path), f"no tokenizer could be read ({error})", "Expected a tokenizer.json as published beside open models"
            )
        ) from None


def tokenizer_for(model: str) -> VocabularyTokenizer:
    """The tokenizer of a model; see `tokenizer_name` for what may be named and what it raises."""
    return load_tokenizer(tokenizer_name(model))


def _library() -> Any:
    try:
        import splintr
    except ImportError:
        raise NotInstalled("Counting tokens", "tokens") from None
    return splintr
