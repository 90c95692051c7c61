"""The tokens around messages: what a model's chat template adds to the texts of a conversation.

A template is the text it writes before and after each message, in which special markers are one token each. Its cost is a sum
over messages, so that a file is counted from the texts alone. Where a template's plain text meets a message's, they are counted
apart; written as one they can merge, most often into a token less.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from ingest.examples import Message, Role
from ingest.tokenizers import Tokenizer, plain_model_name

Shape = tuple[tuple[Role, str, bool], ...]
"""Of each message its role, the role's name in the file where it differs, and whether it has a name: all that templates ask."""


def shape_of(messages: tuple[Message, ...]) -> Shape:
    """The shape of a conversation."""
    return tuple([(message.role, message.stated_role, message.named) for message in messages])


class Around(NamedTuple):
    """What a template writes before and after a message; ``{role}`` stands for the role's name."""

    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class ChatTemplate:
    """How a model family writes a conversation for training."""

    name: str
    source: str
    start: str
    """Before the first message."""
    messages: dict[Role, Around]
    markers: str = "(?!)"
    """Regular expression of its special markers, one token each."""
    role_names: dict[Role, str] = field(default_factory=dict)
    """Where they differ from ours."""
    default_system: str = ""
    """The system message of a conversation that has none."""
    spaces_join: bool = False
    """True where the vocabulary puts a space before every text: then the template's own costs nothing more."""

    def start_tokens(self, tokenizer: Tokenizer) -> int:
        """Tokens of a conversation before its first message."""
        return self._tokens(tokenizer, self.start)

    def shape_tokens(self, tokenizer: Tokenizer, shape: Shape) -> int:
        """Tokens around the messages of a shape, without those at the conversation's start."""
        return sum(self.message_tokens(tokenizer, role) for role, _, _ in shape)

    def default_system_tokens(self, tokenizer: Tokenizer) -> int:
        """Tokens of the system message put where a conversation begins without one."""
        if not self.default_system:
            return 0
        return self.message_tokens(tokenizer, "system") + tokenizer.count(self.default_system)

    def message_tokens(self, tokenizer: Tokenizer, role: Role) -> int:
        """Tokens around one message of a role."""
        name = self.role_names.get(role, role)
        return sum(self._tokens(tokenizer, text.replace("{role}", name)) for text in self.messages[role])

    def _tokens(self, tokenizer: Tokenizer, text: str) -> int:
        pieces = self._marker.split(text)
        plain = [piece.strip(" ") if self.spaces_join else piece for piece in pieces]
        return len(pieces) - 1 + int(tokenizer.counts(plain).sum())

    @cached_property
    def _marker(self) -> re.Pattern[str]:
        return re.compile(self.markers)


@dataclass(frozen=True)
class CookbookRule:
    """OpenAI's published rule: so many tokens per message and name, the role's own, and 3 for the reply at the end."""

    name: str = "openai"
    source: str = "https://cookbook.openai.com/examples/chat_finetuning_data_prep"
    per_message: int = 3
    per_name: int = 1
    reply: int = 3

    def start_tokens(self, tokenizer: Tokenizer) -> int:  # noqa: ARG002
        """Tokens of the reply that every example ends with."""
        return self.reply

    def shape_tokens(self, tokenizer: Tokenizer, shape: Shape) -> int:
        """Tokens around the messages of a shape."""
        roles = tokenizer.counts([stated or role for role, stated, _ in shape])
        return self.per_message * len(shape) + self.per_name * sum(named for _, _, named in shape) + int(roles.sum())

    def default_system_tokens(self, tokenizer: Tokenizer) -> int:  # noqa: ARG002
        """None: no system message is added."""
        return 0


Template = ChatTemplate | CookbookRule

OPENAI = CookbookRule()


def _everyone(around: Around) -> dict[Role, Around]:
    return dict.fromkeys(("system", "user", "assistant", "tool"), around)


NO_TEMPLATE = ChatTemplate("none", "https://platform.openai.com/docs/models/davinci-002", "", _everyone(Around()))

_HUGGING_FACE = "https://huggingface.co/{}/blob/main/tokenizer_config.json"
_BARS = r"<\|[^|<>]+\|>"

CHAT_TEMPLATES: tuple[ChatTemplate, ...] = (
    ChatTemplate(
        "llama3",
        "https://www.llama.com/docs/model-cards-and-prompt-formats/meta-llama-3/",
        "<|begin_of_text|>",
        _everyone(Around("<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>")),
        _BARS,
        {"tool": "ipython"},
    ),
    ChatTemplate(
        "llama2",
        "https://www.llama.com/docs/model-cards-and-prompt-formats/meta-llama-2/",
        "",
        {
            "system": Around("<<SYS>>\n", "\n<</SYS>>\n\n"),
            "user": Around("<s>[INST] ", " [/INST]"),
            "assistant": Around(" ", " </s>"),
            "tool": Around("<s>[INST] ", " [/INST]"),
        },
        r"</?s>",
        spaces_join=True,
    ),
    ChatTemplate(
        "mistral-v1",
        "https://docs.mistral.ai/guides/tokenization/",
        "<s>",
        {
            "system": Around("", "\n\n"),
            "user": Around(" [INST] ", " [/INST]"),
            "assistant": Around("", "</s>"),
            "tool": Around(" [INST] ", " [/INST]"),
        },
        r"</?s>",
        spaces_join=True,
    ),
    ChatTemplate(
        "mistral-v3",
        "https://docs.mistral.ai/guides/tokenization/",
        "<s>",
        {
            "system": Around("", "\n\n"),
            "user": Around("[INST]", "[/INST]"),
            "assistant": Around("", "</s>"),
            "tool": Around("[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
        },
        r"</?s>|\[/?[A-Z_]+\]",
    ),
    ChatTemplate(
        "mistral-v7",
        "https://docs.mistral.ai/guides/tokenization/",
        "<s>",
        {
            "system": Around("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
            "user": Around("[INST]", "[/INST]"),
            "assistant": Around("", "</s>"),
            "tool": Around("[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
        },
        r"</?s>|\[/?[A-Z_]+\]",
    ),
    ChatTemplate(
        "deepseek",
        _HUGGING_FACE.format("deepseek-ai/DeepSeek-V3"),
        "<｜begin▁of▁sentence｜>",
        {
            "system": Around(),
            "user": Around("<｜User｜>"),
            "assistant": Around("<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
            "tool": Around("<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>", "<｜tool▁output▁end｜><｜tool▁outputs▁end｜>"),
        },
        r"<｜[^｜<>]+｜>",
    ),
    ChatTemplate(
        "chatml",
        _HUGGING_FACE.format("Qwen/Qwen3-8B"),
        "",
        _everyone(Around("<|im_start|>{role}\n", "<|im_end|>\n"))
        | {"tool": Around("<|im_start|>user\n<tool_response>\n", "\n</tool_response><|im_end|>\n")},
        _BARS + r"|</?tool_response>",
    ),
    ChatTemplate(
        "chatml-qwen2.5",
        _HUGGING_FACE.format("Qwen/Qwen2.5-7B-Instruct"),
        "",
        _everyone(Around("<|im_start|>{role}\n", "<|im_end|>\n"))
        | {"tool": Around("<|im_start|>user\n<tool_response>\n", "\n</tool_response><|im_end|>\n")},
        _BARS,  # at that age the vocabulary had no markers for tools
        default_system="You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
    ),
    ChatTemplate(
        "gemma",
        "https://ai.google.dev/gemma/docs/core/prompt-structure",
        "<bos>",
        {
            "system": Around("", "\n\n"),
            "user": Around("<start_of_turn>user\n", "<end_of_turn>\n"),
            "assistant": Around("<start_of_turn>model\n", "<end_of_turn>\n"),
            "tool": Around("<start_of_turn>user\n", "<end_of_turn>\n"),
        },
        r"<bos>|<(?:start|end)_of_turn>",
    ),
    ChatTemplate(
        "phi4",
        _HUGGING_FACE.format("microsoft/phi-4"),
        "",
        _everyone(Around("<|im_start|>{role}<|im_sep|>", "<|im_end|>")),
        _BARS,
    ),
    ChatTemplate(
        "glm4",
        _HUGGING_FACE.format("zai-org/GLM-4.5"),
        "[gMASK]<sop>",
        _everyone(Around("<|{role}|>\n")),
        _BARS + r"|\[gMASK\]|<sop>",
        {"tool": "observation"},
    ),
    ChatTemplate(
        "kimi-k2",
        _HUGGING_FACE.format("moonshotai/Kimi-K2-Instruct"),
        "",
        {
            "system": Around("<|im_system|>system<|im_middle|>", "<|im_end|>"),
            "user": Around("<|im_user|>user<|im_middle|>", "<|im_end|>"),
            "assistant": Around("<|im_assistant|>assistant<|im_middle|>", "<|im_end|>"),
            "tool": Around("<|im_system|>tool<|im_middle|>", "<|im_end|>"),
        },
        _BARS,
        default_system="You are Kimi, an AI assistant created by Moonshot AI.",
    ),
    ChatTemplate(
        "harmony",
        "https://cookbook.openai.com/articles/openai-harmony",
        "<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.\nKnowledge cutoff: 2024-06\n"
        "Current date: 2025-06-28\n\nReasoning: medium\n\n"
        "# Valid channels: analysis, commentary, final. Channel must be included for every message.<|end|>",
        {
            "system": Around("<|start|>developer<|message|># Instructions\n\n", "\n\n<|end|>"),
            "user": Around("<|start|>user<|message|>", "<|end|>"),
            "assistant": Around("<|start|>assistant<|channel|>final<|message|>", "<|end|>"),
            "tool": Around("<|start|>tool to=assistant<|channel|>commentary<|message|>", "<|end|>"),
        },
        _BARS,
    ),
    ChatTemplate(
        "olmo2",
        _HUGGING_FACE.format("allenai/OLMo-2-1124-7B-Instruct"),
        "<|endoftext|>",
        _everyone(Around("<|{role}|>\n", "\n")) | {"assistant": Around("<|assistant|>\n", "<|endoftext|>\n")},
        r"<\|endoftext\|>",
    ),
)

_BY_NAME = {template.name: template for template in CHAT_TEMPLATES}

_BY_MODEL: tuple[tuple[str, Template], ...] = (
    (r"(babbage-002|davinci-002|text-embedding-)", NO_TEMPLATE),
    (r"qwen-?2(\.5|p5)", _BY_NAME["chatml-qwen2.5"]),
    (r"gpt-oss", _BY_NAME["harmony"]),
    (r"(gpt-|chatgpt-|o[134](-|$))", OPENAI),
    (
        r"(mixtral-8x22b|mistral-7b(-instruct)?-v0\.?3|open-mistral-7b|(open-)?mistral-nemo|mistral-(large|small)-240[2-9]|pixtral-12b)",
        _BY_NAME["mistral-v3"],
    ),
    (r"ministral-(3b|8b)-(2410|latest)", _BY_NAME["mistral-v3"]),
)
"""Start of a model's name → its template, where the vocabulary alone does not say."""

_BY_VOCABULARY: dict[str, Template] = {
    "cl100k_base": OPENAI,
    "o200k_base": OPENAI,
    "llama2": _BY_NAME["llama2"],
    "llama3": _BY_NAME["llama3"],
    "mistral-v1": _BY_NAME["mistral-v1"],
    "mistral-v3": _BY_NAME["mistral-v3"],
    "mistral-tekken": _BY_NAME["mistral-v7"],
    "deepseek": _BY_NAME["deepseek"],
    "qwen3": _BY_NAME["chatml"],
    "gemma2": _BY_NAME["gemma"],
    "gemma3": _BY_NAME["gemma"],
    "glm4": _BY_NAME["glm4"],
    "kimi-k2": _BY_NAME["kimi-k2"],
    "phi4": _BY_NAME["phi4"],
    "olmo2": _BY_NAME["olmo2"],
}


def template_for(model: str, vocabulary: str | None) -> Template | None:
    """The chat template of a model, or None where none is known.

    Args:
        model: its name, with or without a provider before it, or a vocabulary's.
        vocabulary: its vocabulary's name, as of `ingest.tokenizers.known_vocabulary`.
    """
    name = plain_model_name(model)
    if name.startswith("gemini"):
        return None
    by_model = next((template for start, template in _BY_MODEL if re.match(start, name)), None)
    return by_model or _BY_VOCABULARY.get(vocabulary or "")
