"""How a model's tokens are counted: whose vocabulary, which chat template, and how sure that is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ingest.chat_templates import OPENAI, Template, template_for
from ingest.tokenizers import (
    VocabularyTokenizer,
    known_vocabulary,
    load_tokenizer,
    not_at_hand,
    plain_model_name,
    tokenizer_of_file,
)
from pricing import Assumption, PriceBook

_ESTIMATED = (
    (r"claude-((opus|sonnet|haiku)-)?(2|3|instant)([.-]|$)", "o200k_base", "tokens.claude_before_4_7_per_o200k"),
    (r"claude-(opus|sonnet|haiku)-4([.-][0-6])?(-\d{8}.*)?(@|$)", "o200k_base", "tokens.claude_before_4_7_per_o200k"),
    (r"claude", "o200k_base", "tokens.claude_per_o200k"),
    (r"gemini", "gemma3", "tokens.gemini_per_gemma3"),
    (
        r"(grok|nova-|amazon-nova|titan|command|c4ai|jamba|minimax|(meta-)?llama-?v?4|qwen|glm|kimi|mistral-large|mistral-medium|codestral"
        r"|phi-|granite|nemotron|ernie|hunyuan|step-|palmyra|sonar|deepseek|olmo|yi-|falcon)",
        "o200k_base",
        "tokens.other_per_o200k",
    ),
)
"""Start of a model's name → the vocabulary to count by, and the assumption of the model's tokens per token of it."""


@dataclass(frozen=True)
class Counting:
    """How the tokens of a model are counted."""

    model: str
    tokenizer: VocabularyTokenizer
    template: Template
    template_is_known: bool
    """False where OpenAI's rule stands in for a template that is not published."""
    factor: Assumption | None = None
    """Tokens of the model per token counted, where its tokenizer is not at hand."""

    @property
    def family(self) -> tuple[str, str]:
        """Names of the vocabulary and the template: counts of two models that share them are the same before any factor."""
        return self.tokenizer.name, self.template.name

    @property
    def exact(self) -> bool:
        """True where the text is counted by the model's own vocabulary."""
        return self.factor is None

    @property
    def label(self) -> str:
        """What counts, in words: ``o200k_base``, or ``estimate: 1.55 (1.1 to 1.9) × o200k_base``."""
        if self.factor is None:
            return self.tokenizer.name
        return f"estimate: {self.factor.likely:g} ({self.factor.low:g} to {self.factor.high:g}) × {self.tokenizer.name}"

    def notes(self) -> tuple[str, ...]:
        """What the counts rest on, where they are not simply exact."""
        notes = []
        if self.factor is not None:
            source = f" ({self.factor.source})" if self.factor.source else ""
            notes.append(
                f"the tokenizer of '{self.model}' is not published: every figure is an estimate, {self.factor.low:g} to "
                f"{self.factor.high:g} {self.factor.unit}{source}"
            )
        if not self.template_is_known:
            notes.append("the tokens around messages follow OpenAI's rule, not this model's chat template: an estimate")
        elif self.template is not OPENAI:
            notes.append(f"the tokens around messages follow the {self.template.name} chat template ({self.template.source})")
        return tuple(notes)


def counting_for(
    model: str, *, tokenizer_file: Path | None = None, assumptions: Mapping[str, Assumption] | None = None
) -> Counting:
    """How to count the tokens of a model.

    Args:
        model: its name, with or without a provider before it, or a vocabulary's.
        tokenizer_file: its ``tokenizer.json``, which then counts.
        assumptions: by name, as `pricing.Rates.assumptions`; None takes the bundled book's latest.

    Raises:
        InputError: the model's vocabulary is not at hand and nothing is known to estimate it by, or the file is no tokenizer.
        NotInstalled: the ``tokens`` extra is missing.
    """
    vocabulary = known_vocabulary(model)
    template = template_for(model, vocabulary)
    if tokenizer_file is not None:
        return Counting(model, tokenizer_of_file(tokenizer_file), template or OPENAI, template is not None)
    if vocabulary is not None:
        return Counting(model, load_tokenizer(vocabulary), template or OPENAI, template is not None)
    name = plain_model_name(model)
    for start, base, assumption in _ESTIMATED:
        if re.match(start, name):
            known = assumptions if assumptions is not None else _latest_assumptions()
            return Counting(model, load_tokenizer(base), OPENAI, False, known[assumption])
    raise not_at_hand(model)


@cache
def _latest_assumptions() -> Mapping[str, Assumption]:
    return {name: recorded[-1] for name, recorded in PriceBook.bundled().assumptions.items()}
