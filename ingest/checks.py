"""What each provider's upload would refuse of a training file or cut short, line by line, in the reading that counts it.

Rules are data: whose they are, what they expect, and where that was read. Memory does not grow with the file. See
`ingest.inspection` for the one place that runs these checks and the findings of quality together.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from ingest.examples import Example
from ingest.formats import CHAT_TAKEN_BY, FORMATS
from ingest.records import Record

Severity = Literal["rejects the file", "rejects the line", "truncates", "warns"]
Confidence = Literal["primary", "transcribed", "unverified"]
"""Read on the provider's own page or in its code; on a copy of it; or known from use and on no page at hand."""
Form = Literal["chat", "preference", "reinforcement", "bedrock", "vertex", "completion", "text"]

PROVIDERS = ("openai", "azure-openai", "vertex-ai", "bedrock", "mistral", "together", "fireworks")
CASES_SHOWN = 5
TOO_LONG = "tokens per example"
READ = date(2026, 11, 21)

_TAKES = CHAT_TAKEN_BY | {"azure-openai": CHAT_TAKEN_BY["openai"]}
_SHAPES_REMEMBERED = 10_000
_MB, _GB = 1_000_000, 1_000_000_000


class Line(NamedTuple):
    """One usable record as a rule sees it."""

    data: dict[str, Any]
    example: Example
    messages: list[dict[str, Any]]
    """Of the conversation, as they stand in the file."""


@dataclass
class File:
    """What rules about whole files need to know."""

    examples: int = 0
    with_images: int = 0
    formats: frozenset[str] = frozenset()
    """By which names of `ingest.formats.FORMATS` it was read."""
    size_bytes: int | None = None
    """Uncompressed; None where it is not known."""
    validation_examples: int | None = None
    """None where there is no validation file."""


@dataclass(frozen=True)
class Rule:
    """One rule of one provider."""

    provider: str
    id: str
    words: str
    """What is wrong where the rule is broken."""
    expected: str
    severity: Severity
    source: str
    confidence: Confidence
    forms: tuple[Form, ...] = ()
    """Records it looks at; none: it looks at the file."""
    breaks_line: Callable[[Line], bool] | None = None
    breaks_file: Callable[[File], bool] | None = None

    @property
    def source_date(self) -> date | None:
        """When it was read there; None where it was not, and the source is where it ought to stand."""
        return None if self.confidence == "unverified" else READ


class Broken(NamedTuple):
    """A rule that a file breaks, how often, and where first."""

    rule: Rule
    cases: int
    """Lines; of a rule about the file 1."""
    lines: tuple[tuple[str, int | None], ...]
    """(file, line) of the first cases."""
    words: str


# --- tests of a line ---------------------------------------------------------------------------------------------------------


def _roles(known: frozenset[str]) -> Callable[[Line], bool]:
    return lambda line: any(message.get("role") not in known for message in line.messages)


def _message_keys(known: frozenset[str]) -> Callable[[Line], bool]:
    return lambda line: any(key not in known and value is not None for m in line.messages for key, value in m.items())


def _record_keys(*known: str) -> Callable[[Line], bool]:
    return lambda line: any(key not in known and value is not None for key, value in line.data.items())


def _untyped_parts(line: Line) -> bool:
    """Content in parts that are not ``{"type": ...}``, or that have their text under another key than ``text``."""
    parts = [part for m in line.messages if isinstance(m.get("content"), list) for part in m["content"]]
    return any(not isinstance(part, dict) or "type" not in part or "value" in part for part in parts)


def _parts(line: Line) -> bool:
    return any(isinstance(message.get("content"), list) for message in line.messages)


def _empty_message(line: Line) -> bool:
    return any(not m.get("content") and not m.get("tool_calls") and not m.get("function_call") for m in line.messages)


def _ends_otherwise(*roles: str) -> Callable[[Line], bool]:
    return lambda line: line.messages[-1].get("role") not in roles


def _begins_otherwise(*roles: str) -> Callable[[Line], bool]:
    return lambda line: line.messages[0].get("role") not in roles


def _late_system(line: Line) -> bool:
    return any(message.get("role") == "system" for message in line.messages[1:])


def _no_role(role: str) -> Callable[[Line], bool]:
    return lambda line: all(message.get("role") != role for message in line.messages)


def _same_role_twice(line: Line) -> bool:
    return any(
        before.get("role") == after.get("role") and after.get("role") != "tool" for before, after in pairwise(line.messages)
    )


def _weight(line: Line) -> bool:
    """A message's weight that is neither 0 nor 1."""
    return any(type(m["weight"]) is bool or m["weight"] not in (0, 1) for m in line.messages if m.get("weight") is not None)


def _weight_elsewhere(line: Line) -> bool:
    return any(message.get("weight") is not None and message.get("role") != "assistant" for message in line.messages)


_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _name(line: Line) -> bool:
    return any(not _NAME.fullmatch(str(message["name"])) for message in line.messages if message.get("name") is not None)


def _unanswered_call(line: Line) -> bool:
    """A tool call without its result before the conversation goes on, or a result without its call."""
    open_ids: set[Any] = set()
    for message in line.messages:
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in open_ids:
                return True
            open_ids.discard(message.get("tool_call_id"))
            continue
        if open_ids:
            return True
        calls = message.get("tool_calls")
        open_ids = {call.get("id") for call in calls if isinstance(call, dict)} if isinstance(calls, list) else set()
    return False


def _call_without_tools(line: Line) -> bool:
    return not line.data.get("tools") and any(message.get("tool_calls") for message in line.messages)


def _more_images_than(most: int) -> Callable[[Line], bool]:
    return lambda line: sum(message.media for message in line.example.messages) > most


def _image_in_answer(line: Line) -> bool:
    return any(message.media and message.role == "assistant" for message in line.example.messages)


def _answers_not_assistants(line: Line) -> bool:
    return any(
        all(message.role != "assistant" for message in answer)
        or any(message.role not in ("assistant", "tool") for message in answer)
        for answer in line.example.answers
    )


def _answers_not_single(line: Line) -> bool:
    return any(len(answer) != 1 or answer[0].role != "assistant" for answer in line.example.answers)


_RESERVED = re.compile(r"User:|Bot:|Assistant:|System:|<image>|<video>|\[EOS\]")


def _reserved_words(line: Line) -> bool:
    return any(_RESERVED.search(text) for m in line.example.messages if m.role in ("system", "user") for text in m.texts)


def _schema_version(line: Line) -> bool:
    return line.data.get("schemaVersion") != "bedrock-conversation-2024"


def _line_weight(line: Line) -> bool:
    weight = line.data.get("weight")
    return weight is not None and (isinstance(weight, bool) or not isinstance(weight, int | float))


# --- the rules ---------------------------------------------------------------------------------------------------------------

_OPENAI_DATA = "https://cookbook.openai.com/examples/chat_finetuning_data_prep"
_OPENAI_GUIDE = "https://developers.openai.com/docs/guides/distillation"
_OPENAI_CHAT = "https://platform.openai.com/docs/api-reference/chat/create"
_OPENAI_WEIGHT = "https://docs.rs/crate/openai-client-base/0.14.0/source/docs/FineTuneChatCompletionRequestAssistantMessage.md"
_OPENAI_DPO = "https://developers.openai.com/api/docs/guides/direct-preference-optimization"
_OPENAI_RFT = "https://developers.openai.com/api/docs/guides/reinforcement-fine-tuning"
_OPENAI_FILES = "https://platform.openai.com/docs/api-reference/files/create"
_AZURE = "https://learn.microsoft.com/en-us/azure/ai-services/openai/how-to/fine-tuning"
_AZURE_DPO = "https://learn.microsoft.com/en-us/azure/foundry-classic/openai/how-to/fine-tuning-direct-preference-optimization"
_AZURE_IMAGES = "https://learn.microsoft.com/en-us/azure/ai-services/openai/how-to/fine-tuning-vision"
_AZURE_LARGE = "https://raw.githubusercontent.com/microsoft/azure-skills/main/skills/microsoft-foundry/finetuning/references/large-file-uploads.md"
_VERTEX = "https://cloud.google.com/vertex-ai/generative-ai/docs/models/tune-text-models-supervised"
_VERTEX_DATA = "https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/gemini-supervised-tuning-prepare"
_VERTEX_IMAGES = "https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/tuning/image"
_NOVA = "https://docs.aws.amazon.com/nova/latest/userguide/fine-tune-prepare-data-understanding.html"
_BEDROCK = "https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html"
_HAIKU = "https://platform.claude.com/cookbook/finetuning-finetuning-on-bedrock"
_MISTRAL = "https://docs.mistral.ai/capabilities/finetuning/text_finetuning"
_MISTRAL_LIMITS = "https://docs.mistral.ai/fr/resources/known-limitations"
_MISTRAL_CODE = "https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py"
_TOGETHER = "https://docs.together.ai/docs/fine-tuning/data-preparation"
_TOGETHER_CODE = "https://github.com/togethercomputer/together-python/blob/05b6739d6d3fac3c36f019f62acc2a58ef0f3313/src/together/utils/files.py"
_FIREWORKS = "https://docs.fireworks.ai/fine-tuning/fine-tuning-models"
_FIREWORKS_WEIGHT = "https://docs.fireworks.ai/fine-tuning/weighted-training"

_DATA_PAGE = {
    "openai": _OPENAI_DATA,
    "azure-openai": _AZURE,
    "vertex-ai": _VERTEX_DATA,
    "bedrock": _BEDROCK,
    "mistral": _MISTRAL,
    "together": _TOGETHER,
    "fireworks": _FIREWORKS,
}


def formats_taken_by(provider: str) -> tuple[str, ...]:
    """Names of the formats that a provider's upload takes as they are; Azure OpenAI takes what OpenAI takes."""
    taker = "openai" if provider == "azure-openai" else provider
    return tuple(
        name for name, form in FORMATS.items() if taker in form.providers or (name == "OpenAI chat" and taker in CHAT_TAKEN_BY)
    )


def _of_line(
    provider: str,
    id: str,  # noqa: A002
    words: str,
    expected: str,
    source: str,
    confidence: Confidence,
    breaks: Callable[[Line], bool],
    forms: tuple[Form, ...] = ("chat",),
    severity: Severity = "rejects the line",
) -> Rule:
    return Rule(provider, id, words, expected, severity, source, confidence, forms, breaks_line=breaks)


def _of_file(
    provider: str,
    id: str,  # noqa: A002
    words: str,
    expected: str,
    source: str,
    confidence: Confidence,
    breaks: Callable[[File], bool],
    severity: Severity = "rejects the file",
) -> Rule:
    return Rule(provider, id, words, expected, severity, source, confidence, breaks_file=breaks)


def _fewer_than(least: int) -> Callable[[File], bool]:
    return lambda file: file.examples < least


def _larger_than(most_bytes: int) -> Callable[[File], bool]:
    return lambda file: file.size_bytes is not None and file.size_bytes > most_bytes


def _more_than(most: int) -> Callable[[File], bool]:
    return lambda file: file.examples > most


def _format_rule(provider: str) -> Rule:
    taken = formats_taken_by(provider)
    return _of_file(
        provider,
        "format",
        "its upload does not take this format",
        f"{' or '.join(taken)}; convert the file",
        _DATA_PAGE[provider],
        "unverified" if provider == "azure-openai" else "primary",
        lambda file: not file.formats <= set(taken),
    )


def _openai_rules(provider: str) -> Iterator[Rule]:
    """OpenAI's rules, which Azure OpenAI shares where its own pages say nothing else."""
    own = provider == "openai"
    data: Confidence = "primary" if own else "transcribed"
    yield _of_line(
        provider,
        "record keys",
        "keys beside the messages that it does not know",
        "messages, tools, functions, parallel_tool_calls",
        _OPENAI_CHAT,
        "unverified",
        _record_keys("messages", "tools", "functions", "parallel_tool_calls"),
    )
    yield _of_line(
        provider,
        "content",
        "a message is empty",
        "content, or a call of a tool, in every message",
        _OPENAI_DATA,
        data,
        _empty_message,
        ("chat", "reinforcement"),
    )
    yield _of_line(
        provider,
        "last message",
        "the last message is not the assistant's",
        "the answer to learn last",
        _OPENAI_DATA,
        "unverified",
        _ends_otherwise("assistant"),
    )
    yield _of_line(
        provider, "weight", "a weight that is neither 0 nor 1", "weight 0 or 1", _OPENAI_WEIGHT, "transcribed", _weight
    )
    yield _of_line(
        provider,
        "weight of others",
        "a weight on a message that is not the assistant's",
        "a weight on messages of the assistant only",
        _OPENAI_WEIGHT,
        "transcribed",
        _weight_elsewhere,
    )
    yield _of_line(
        provider,
        "name",
        "a name with other characters",
        "1 to 64 of letters, digits, _ and -",
        _OPENAI_CHAT,
        "unverified",
        _name,
        ("chat", "reinforcement"),
    )
    yield _of_line(
        provider,
        "tool calls answered",
        "a tool call without its result, or a result without its call",
        "after tool_calls one tool message for each id, unless the calls end the example",
        _OPENAI_CHAT,
        "unverified",
        _unanswered_call,
    )
    yield _of_line(
        provider,
        "tools",
        "calls tools that are not defined",
        "their definitions under tools",
        _OPENAI_CHAT,
        "unverified",
        _call_without_tools,
        severity="warns",
    )
    yield _of_line(
        provider,
        "images",
        "more than 64 images",
        "64 images an example at most",
        _AZURE_IMAGES,
        "transcribed",
        _more_images_than(64),
    )
    yield _of_line(
        provider,
        "images in answers",
        "an image in an answer",
        "images in messages of the user only",
        _AZURE_IMAGES,
        "transcribed",
        _image_in_answer,
    )
    yield _of_line(
        provider,
        "preference answers",
        "an answer without an assistant message, or with another role than assistant or tool",
        "on either side one message of the assistant or more",
        _OPENAI_DPO if own else _AZURE_DPO,
        "unverified" if own else "primary",
        _answers_not_assistants,
        ("preference",),
    )
    yield _of_line(
        provider,
        "preference images",
        "an image in a preference",
        "text only",
        _OPENAI_DPO,
        data,
        _more_images_than(0),
        ("preference",),
    )
    yield _of_line(
        provider,
        "reinforcement prompt",
        "the last message is not the user's",
        "a prompt that ends with the user",
        _OPENAI_RFT,
        "unverified",
        _ends_otherwise("user"),
        ("reinforcement",),
    )
    yield _of_file(
        provider,
        "fewest examples",
        "fewer than 10 examples",
        "10 examples or more",
        _OPENAI_GUIDE if own else _AZURE,
        "primary" if own else "unverified",
        _fewer_than(10),
    )
    yield _of_file(
        provider,
        "most examples with images",
        "more than 50,000 examples with images",
        "50,000 examples with images at most",
        _AZURE_IMAGES,
        "transcribed",
        lambda file: file.with_images > 50_000,
    )


def _other_rules() -> Iterator[Rule]:
    yield _of_file(
        "openai", "file size", "larger than 512 MB", "512 MB at most", _OPENAI_FILES, "transcribed", _larger_than(512 * _MB)
    )
    yield _of_file(
        "azure-openai",
        "file size",
        "larger than 5 GB",
        "5 GB at most; split the file",
        _AZURE_LARGE,
        "primary",
        _larger_than(5 * _GB),
    )
    yield _of_file(
        "azure-openai",
        "upload in parts",
        "larger than 100 MB",
        "above 100 MB an upload in parts",
        _AZURE_LARGE,
        "primary",
        _larger_than(100 * _MB),
        "warns",
    )

    vertex = "vertex-ai"
    yield _of_line(
        vertex,
        "roles",
        "a role it does not know",
        "user and model in contents, the system instruction under systemInstruction",
        _VERTEX_DATA,
        "unverified",
        _roles(frozenset({"user", "model", "function"})),
        ("vertex",),
    )
    yield _of_line(
        vertex,
        "turns",
        "the same role twice in a row",
        "user and model in turns",
        _VERTEX_DATA,
        "unverified",
        _same_role_twice,
        ("vertex",),
    )
    yield _of_line(
        vertex,
        "last message",
        "the last of contents is not the model's",
        "the answer to learn last",
        _VERTEX_DATA,
        "unverified",
        _ends_otherwise("model"),
        ("vertex",),
    )
    yield _of_line(
        vertex,
        "images",
        "more than 30 images",
        "30 images an example at most",
        _VERTEX_IMAGES,
        "primary",
        _more_images_than(30),
        ("vertex",),
    )
    yield _of_file(
        vertex,
        "most examples",
        "more than 1,000,000 examples",
        "1,000,000 of text at most",
        _VERTEX,
        "primary",
        _more_than(1_000_000),
    )
    yield _of_file(
        vertex,
        "most examples with images",
        "more than 300,000 examples with images",
        "300,000 at most where there are images",
        _VERTEX,
        "primary",
        lambda file: bool(file.with_images) and file.examples > 300_000,
    )
    yield _of_file(vertex, "file size", "larger than 1 GB", "1 GB at most", _VERTEX, "primary", _larger_than(_GB))
    yield _of_file(
        vertex,
        "validation size",
        "more than 5,000 validation examples",
        "5,000 validation examples at most",
        _VERTEX,
        "primary",
        lambda file: (file.validation_examples or 0) > 5_000,
    )

    bedrock = "bedrock"
    yield _of_line(
        bedrock,
        "schema version",
        "another schemaVersion",
        "bedrock-conversation-2024",
        _NOVA,
        "unverified",
        _schema_version,
        ("bedrock",),
        "warns",
    )
    yield _of_line(
        bedrock,
        "roles",
        "a role it does not know",
        "user and assistant in messages, the system prompt under system",
        _NOVA,
        "primary",
        _roles(frozenset({"user", "assistant"})),
        ("bedrock",),
    )
    yield _of_line(
        bedrock,
        "first message",
        "the first message is not the user's",
        "a conversation that begins with the user",
        _NOVA,
        "primary",
        _begins_otherwise("user"),
        ("bedrock",),
    )
    yield _of_line(
        bedrock,
        "last message",
        "the last message is not the assistant's",
        "the answer to learn last",
        _NOVA,
        "primary",
        _ends_otherwise("assistant"),
        ("bedrock",),
    )
    yield _of_line(
        bedrock,
        "turns",
        "the same role twice in a row",
        "user and assistant in turns (said of Claude 3 Haiku)",
        _HAIKU,
        "primary",
        _same_role_twice,
        ("bedrock",),
    )
    yield _of_line(
        bedrock,
        "reserved words",
        "a word reserved by Nova in a prompt",
        "none of User:, Bot:, Assistant:, System:, <image>, <video>, [EOS] in prompts; the job fails",
        _NOVA,
        "primary",
        _reserved_words,
        ("bedrock",),
        "rejects the file",
    )

    mistral = "mistral"
    yield _of_line(
        mistral,
        "roles",
        "a role it does not know",
        "system, user, assistant, tool",
        _MISTRAL,
        "unverified",
        _roles(frozenset({"system", "user", "assistant", "tool"})),
    )
    yield _of_line(
        mistral,
        "last message",
        "the last message is not the assistant's",
        "the answer to learn last",
        _MISTRAL_CODE,
        "transcribed",
        _ends_otherwise("assistant"),
    )
    yield _of_line(
        mistral,
        "tool calls answered",
        "a tool call without its result, or a result without its call",
        "after tool_calls one tool message for each id",
        _MISTRAL_CODE,
        "unverified",
        _unanswered_call,
    )
    yield _of_file(
        mistral, "file size", "larger than 512 MB", "512 MB at most", _MISTRAL_LIMITS, "primary", _larger_than(512 * _MB)
    )

    together = "together"
    chat_and_preference: tuple[Form, ...] = ("chat", "preference")
    yield _of_line(
        together,
        "roles",
        "a role it does not know",
        "system, user, assistant, tool",
        _TOGETHER,
        "primary",
        _roles(frozenset({"system", "user", "assistant", "tool"})),
        chat_and_preference,
    )
    yield _of_line(
        together,
        "turns",
        "the same role twice in a row",
        "user and assistant in turns",
        _TOGETHER_CODE,
        "primary",
        _same_role_twice,
        chat_and_preference,
    )
    yield _of_line(
        together,
        "first message",
        "the first message is neither the system's nor the user's",
        "a conversation that begins with system or user",
        _TOGETHER,
        "primary",
        _begins_otherwise("system", "user"),
        chat_and_preference,
    )
    yield _of_line(
        together,
        "record keys",
        "keys beside those of the format",
        "messages and tools alone; remove the others",
        _TOGETHER_CODE,
        "primary",
        _record_keys("messages", "tools"),
    )
    yield _of_line(
        together,
        "completion keys",
        "keys beside those of the format",
        "prompt and completion alone; remove the others",
        _TOGETHER_CODE,
        "primary",
        _record_keys("prompt", "completion"),
        ("completion",),
    )
    yield _of_line(
        together,
        "text keys",
        "keys beside those of the format",
        "text alone; remove the others",
        _TOGETHER_CODE,
        "primary",
        _record_keys("text"),
        ("text",),
    )
    yield _of_line(together, "weight", "a weight that is neither 0 nor 1", "weight 0 or 1", _TOGETHER_CODE, "primary", _weight)
    yield _of_line(
        together,
        "preference answers",
        "a side of a preference that is not one message of the assistant",
        "exactly one message of the assistant on either side",
        _TOGETHER_CODE,
        "primary",
        _answers_not_single,
        ("preference",),
    )
    yield _of_file(together, "file size", "larger than 100 GB", "100 GB at most", _TOGETHER, "primary", _larger_than(100 * _GB))
    yield _of_file(
        together,
        "one format",
        "more than one format",
        "one format in a file",
        _TOGETHER,
        "primary",
        lambda file: len(file.formats) > 1,
    )

    fireworks = "fireworks"
    yield _of_line(
        fireworks,
        "roles",
        "a role it does not know",
        "system, user, assistant, and tool where tools are called",
        _FIREWORKS,
        "primary",
        _roles(frozenset({"system", "user", "assistant", "tool"})),
        chat_and_preference,
    )
    yield _of_line(
        fireworks,
        "system message",
        "a system message that is not the first",
        "the system message first",
        _FIREWORKS,
        "primary",
        _late_system,
        chat_and_preference,
    )
    yield _of_line(
        fireworks,
        "weight",
        "the example's weight is no number",
        "a number under weight",
        _FIREWORKS_WEIGHT,
        "primary",
        _line_weight,
    )
    yield _of_file(
        fireworks, "fewest examples", "fewer than 3 examples", "3 examples or more", _FIREWORKS, "primary", _fewer_than(3)
    )
    yield _of_file(
        fireworks,
        "most examples",
        "more than 3,000,000 examples",
        "3,000,000 examples at most",
        _FIREWORKS,
        "primary",
        _more_than(3_000_000),
    )


def _message_rules(provider: str) -> Iterator[Rule]:
    """What `ingest.formats.CHAT_TAKEN_BY` says a provider's messages may have."""
    taken, is_openais = _TAKES[provider], provider in ("openai", "azure-openai")
    page = _OPENAI_DATA if is_openais else _DATA_PAGE[provider]
    keys = taken - {
        "system",
        "developer",
        "user",
        "assistant",
        "tool",
        "function",
        "functions",
        "tools",
        "parallel_tool_calls",
        "parts",
    }
    confidence: Confidence = "primary" if provider == "openai" else "transcribed" if is_openais else "unverified"
    yield _of_line(
        provider,
        "message keys",
        "a message has a key it does not know",
        ", ".join(sorted(keys)),
        page,
        confidence,
        _message_keys(keys),
        severity="rejects the line" if is_openais else "warns",
    )
    typed = "parts" in taken
    yield _of_line(
        provider,
        "content parts",
        "content in parts of another kind" if typed else "content in parts",
        'text, or parts such as {"type": "text", "text": ...}' if typed else "text",
        page,
        "unverified",
        _untyped_parts if typed else _parts,
    )


RULES: tuple[Rule, ...] = (
    *map(_format_rule, PROVIDERS),
    *(rule for provider in _TAKES for rule in _message_rules(provider)),
    *_openai_rules("openai"),
    *_openai_rules("azure-openai"),
    *_other_rules(),
)
_LINE_RULES: dict[Form, tuple[Rule, ...]] = {
    form: tuple(rule for rule in RULES if form in rule.forms)
    for form in ("chat", "preference", "reinforcement", "bedrock", "vertex", "completion", "text")
}


# --- running them ------------------------------------------------------------------------------------------------------------


def _form(data: dict[str, Any], example: Example) -> Form | None:
    """Which rules look at a record; None where no provider takes it as it is."""
    if "messages" in data:
        if "schemaVersion" in data:
            return "bedrock"
        return "reinforcement" if example.kind == "reinforcement" else "chat"
    if "contents" in data:
        return "vertex"
    if "preferred_output" in data:
        return "preference"
    if "completion" in data and "prompt" in data and example.kind in ("completion", "chat"):
        return "completion"
    return "text" if example.kind == "text" else None


def _messages_of(data: dict[str, Any], form: Form) -> list[dict[str, Any]]:
    if form == "vertex":
        return data["contents"]  # type: ignore[no-any-return]
    if form == "preference":
        return data["input"]["messages"]  # type: ignore[no-any-return]
    return data["messages"] if form in ("chat", "reinforcement", "bedrock") else []


Shape = tuple[Hashable, ...]


def _shape(data: dict[str, Any]) -> Shape | None:
    """What all rules of chats ask of a record, but for its words: records of one shape break the same rules.

    None where content stands in parts.
    """
    shape: list[Hashable] = []
    if len(data) > 1:
        shape += [(key, type(value), bool(value)) for key, value in data.items() if key != "messages" and value is not None]
    ids: dict[Hashable, int] = {}
    for message in data["messages"]:
        content = message.get("content")
        if type(content) is str and len(message) == 2:
            shape.append(message["role"] if content else (message["role"],))
        elif content is None or type(content) is str:
            shape.append(tuple([_trait(key, value, ids) for key, value in message.items() if value is not None]))
        else:
            return None
    return tuple(shape)


def _trait(key: str, value: Any, ids: dict[Hashable, int]) -> Hashable:
    """What rules ask of one key of a message; ids of calls become their order."""
    if key == "role":
        return str(value)
    if key == "tool_calls" and isinstance(value, list):
        return key, *[ids.setdefault(str(call.get("id")), len(ids)) if isinstance(call, dict) else None for call in value]
    if key == "tool_call_id":
        return key, ids.setdefault(str(value), len(ids))
    if key == "weight":
        return key, type(value), str(value)
    if key == "name":
        return key, _NAME.fullmatch(str(value)) is not None
    return key, bool(value)


@dataclass
class Checks:
    """Rules held against records as they come."""

    on_broken: Callable[[Rule, Record], None] | None = None
    """Called with every line that breaks a rule, also beyond the cases that are kept."""
    _counts: dict[Rule, int] = field(default_factory=dict)
    _cases: dict[Rule, list[tuple[str, int | None]]] = field(default_factory=dict)
    _known: dict[Shape, tuple[Rule, ...]] = field(default_factory=dict)
    _with_images: int = 0

    def add(self, record: Record, example: Example | None) -> None:
        """Hold the rules against one record; one that is no usable example is told with the problems."""
        if example is None:
            return
        data = record.data
        form = _form(data, example)
        if form is None:
            return
        if form == "chat" and (shape := _shape(data)) is not None:
            broken = self._known.get(shape)
            if broken is None:
                broken = _broken_by(data, example, form)
                if len(self._known) >= _SHAPES_REMEMBERED:
                    self._known.clear()
                self._known[shape] = broken
        else:
            broken = _broken_by(data, example, form)
            self._with_images += any(message.media for message in example.messages)
        if broken:
            self._note(broken, record)

    def _note(self, broken: Sequence[Rule], record: Record) -> None:
        for rule in broken:
            self._counts[rule] = self._counts.get(rule, 0) + 1
            cases = self._cases.setdefault(rule, [])
            if len(cases) < CASES_SHOWN:
                cases.append((record.file, record.line))
            if self.on_broken is not None:
                self.on_broken(rule, record)

    def broken(self, file: File) -> list[Broken]:
        """The rules that do not hold, by provider; of a provider that does not take the format that one alone."""
        file.with_images = self._with_images
        found = []
        for provider in PROVIDERS:
            of_file = [rule for rule in RULES if rule.provider == provider and rule.breaks_file and rule.breaks_file(file)]
            if of_file and of_file[0].id == "format":
                found.append(_about_file(of_file[0]))
                continue
            found += [_about_file(rule) for rule in of_file]
            found += [
                Broken(rule, count, tuple(self._cases[rule]), rule.words)
                for rule, count in self._counts.items()
                if rule.provider == provider
            ]
        return found


def _broken_by(data: dict[str, Any], example: Example, form: Form) -> tuple[Rule, ...]:
    line = Line(data, example, _messages_of(data, form))
    return tuple(rule for rule in _LINE_RULES[form] if rule.breaks_line is not None and rule.breaks_line(line))


def _about_file(rule: Rule) -> Broken:
    return Broken(rule, 1, (), rule.words)


Limits = dict[str, dict[int, list[str]]]
"""By provider and limit on training in tokens per example, the models it holds for."""


def truncated(lengths: Mapping[int, int], longest: Iterable[tuple[int, str, int | None]], limits: Limits) -> list[Broken]:
    """Examples longer than the limits on training in the price book.

    Args:
        lengths: how many sequences have each length, in tokens.
        longest: (tokens, file, line) of the longest examples, to be named.
    """
    longest = sorted(longest, key=lambda found: -found[0])
    found = []
    for provider, by_limit in limits.items():
        for limit, models in sorted(by_limit.items()):
            count = sum(n for length, n in lengths.items() if length > limit)
            if count:
                named = ", ".join(models[:3]) + (f" and {len(models) - 3} more" if len(models) > 3 else "")
                expected = f"{limit:,} tokens an example at most for {named}; what is beyond is not learned"
                words = f"longer than {limit:,} tokens"
                rule = Rule(provider, TOO_LONG, words, expected, "truncates", "the price book", "transcribed")
                cases = tuple((file, line) for tokens, file, line in longest if tokens > limit)
                found.append(Broken(rule, count, cases[:CASES_SHOWN], words))
    return found


def rules_document() -> str:
    """All rules as Markdown: ``python -m ingest.checks > docs/training-rules.md``."""
    parts = [
        "# Rules for training files, by provider",
        "Written by `python -m ingest.checks > docs/training-rules.md`. What the confidence means, and what is not checked:"
        " [training-files.md](training-files.md#checks-by-provider). Limits on tokens are the price book's.",
    ]
    for provider in PROVIDERS:
        rows = [
            f"| {rule.id} | {rule.words} | {rule.expected.replace('|', '/')} | {rule.severity} | {rule.confidence} |"
            f" [{rule.source_date or 'not read'}]({rule.source}) |"
            for rule in RULES
            if rule.provider == provider
        ]
        head = "| Rule | Broken where | Expected | Then | Confidence | Read |\n| --- | --- | --- | --- | --- | --- |"
        parts.append(f"## {provider}\n\n{head}\n" + "\n".join(rows))
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(rules_document() + "\n")
