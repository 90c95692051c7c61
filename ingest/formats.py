"""Telling a training file's format from its records, and making each record an `Example`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import orjson

from ingest.errors import InputError, Problem
from ingest.examples import Example, Message, Role
from ingest.records import Record

Data = dict[str, Any]

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_TURN_ROLES: dict[str, Role] = ROLES | {
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    "observation": "tool",
    "tool_response": "tool",
    "function_response": "tool",
}
"""ShareGPT's and Vertex's names beside the usual."""

_TEXT_TYPES = ("text", "input_text", "output_text", "refusal")
_TEXT_KEYS = ("text", "content", "value", "refusal")
_WEIGHT_KEYS = ("weight", "loss_weight", "train")
_KNOWN_KEYS = frozenset({"role", "content", "name", "refusal", "tool_call_id", "function_call", "tool_calls", "audio"})
_KNOWN_KEYS |= {*_WEIGHT_KEYS, "parallel_tool_calls"}
_ANSWER_KEYS = ("output", "response", "completion", "answer")
_CHAT_KEYS = frozenset({"messages", "system", "tools", "functions", "parallel_tool_calls", "weight"})


class Unusable(Exception):
    """A record is no training example; says why and what to do."""


@dataclass(frozen=True)
class Format:
    """A way to write training examples."""

    evidence: str
    """What records of this format have."""
    fits: Callable[[Data], bool]
    example: Callable[[Data], Example]
    providers: tuple[str, ...] = ()
    """Whose upload takes it, if any."""


@dataclass(frozen=True)
class Detected:
    """The format that most records have."""

    format: str
    evidence: str
    """Such as ``200 of 200 records have messages with role and content``."""
    alternatives: tuple[str, ...] = ()
    """Other formats as which most records could be read."""
    providers: tuple[str, ...] = ()
    """Ids of providers whose upload takes these records as they are."""


def detect(sample: Iterable[Record]) -> Detected:
    """The format of the majority of some records of a file.

    Raises:
        InputError: no record could be read, or no format fits more than half of them.
    """
    sample = list(sample)
    readable = [record for record in sample if record.problem is None]
    if not readable:
        raise _none_readable(sample)
    fitting = [formats_of(record.data) for record in readable]
    found = Counter(names[0] for names in fitting if names)
    name, count = found.most_common(1)[0] if found else ("", 0)
    if 2 * count <= len(readable):
        raise _no_majority(readable, found)
    possible = Counter(other for names in fitting for other in names)
    taken_by = FORMATS[name].providers
    if name == "OpenAI chat":
        used = frozenset().union(*(_chat_traits(record.data) for record in readable if name in formats_of(record.data)))
        taken_by = tuple(provider for provider, takes in CHAT_TAKEN_BY.items() if used <= takes)
    return Detected(
        format=name,
        evidence=f"{count:,} of {len(readable):,} record{'s' * (len(readable) > 1)} have {FORMATS[name].evidence}",
        providers=taken_by,
        alternatives=tuple(
            other
            for other in FORMATS
            if other != name
            and 2 * possible[other] > len(readable)
            and 2 * sum(_is_example(record, other) for record in readable) > len(readable)
        ),
    )


def formats_of(data: Any) -> list[str]:
    """Names of the formats as which a record's data can be taken, the most telling first."""
    return [name for name, form in FORMATS.items() if form.fits(data)] if isinstance(data, dict) else []


def example_of(record: Record, format: str) -> Example:  # noqa: A002
    """A record as an example.

    Args:
        record: of a file.
        format: a name in `FORMATS`.

    Raises:
        Unusable: the record could not be read, or is no example of that format.
    """
    data = record.data
    if type(data) is not dict:
        raise Unusable(record.problem or f"not a JSON object with {FORMATS[format].evidence}")
    try:
        return FORMATS[format].example(data)
    except Unusable as problem:
        others = formats_of(data)
        if others and format not in others:
            raise Unusable(f"{problem} (it looks like {others[0]})") from None
        raise


def _is_example(record: Record, format: str) -> bool:  # noqa: A002
    try:
        example_of(record, format)
    except Unusable:
        return False
    return True


def _none_readable(sample: list[Record]) -> InputError:
    if not sample:
        return InputError(Problem("the file", "there is no record"))
    shown = [Problem(record.file, record.problem or "", line=record.line) for record in sample[:5]]
    if len(sample) == 1:
        return InputError(*shown)
    return InputError(Problem(sample[0].file, f"none of its {len(sample):,} lines is a usable example"), *shown)


def _no_majority(readable: list[Record], found: Counter[str]) -> InputError:
    """No format fits most records: what they hold instead."""
    unknown = Counter(_keys(record.data) for record in readable if not formats_of(record.data))
    held = [f"{n:,} × {name}" for name, n in found.most_common(3)] + [f"{n:,} with {keys}" for keys, n in unknown.most_common(3)]
    return InputError(
        Problem(
            readable[0].file,
            f"no format fits more than half of {len(readable):,} records: {'; '.join(held)}",
            f"Known are {', '.join(FORMATS)}",
            "Split a mixed file by format, name the format, or rename the keys",
        )
    )


def _keys(data: Any) -> str:
    if not isinstance(data, dict):
        return f"no JSON object but {'a list' if isinstance(data, list) else repr(data)[:20]}"
    return f"the keys {', '.join(map(str, list(data)[:5]))}" if data else "no keys"


# --- who takes a chat file ---------------------------------------------------------------------------------------------------

_EVERYWHERE = frozenset(
    {"system", "user", "assistant", "tool", "role", "content", "weight", "tool_calls", "tool_call_id", "tools"}
)
CHAT_TAKEN_BY = {
    "openai": _EVERYWHERE
    | {"developer", "function", "function_call", "functions", "name", "refusal", "audio", "parallel_tool_calls", "parts"},
    "mistral": _EVERYWHERE,
    "together": _EVERYWHERE | {"parts"},
    "fireworks": _EVERYWHERE | {"parts"},
}
"""Roles and keys of messages, and keys beside them, that a provider's page on preparing data names; ``parts`` are typed ones.

Where these agree, nothing in a file tells whom it was written for.
"""


def _chat_traits(data: Data) -> frozenset[str]:
    """What a chat record uses of that."""
    traits = {key for key in ("system", "functions", "tools", "parallel_tool_calls") if data.get(key) is not None}
    traits = {"system beside the messages" if key == "system" else key for key in traits}
    for message in data["messages"]:
        if isinstance(message, dict):
            traits.update(key for key, value in message.items() if value is not None)
            traits.add(str(message.get("role")))
            if isinstance(content := message.get("content"), list):
                typed = all(isinstance(part, dict) and "value" not in part and "type" in part for part in content)
                traits.add("parts" if typed else "parts of another kind")
    return frozenset(traits)


# --- messages ----------------------------------------------------------------------------------------------------------------


def _messages(items: Any, where: str = "message") -> tuple[Message, ...]:
    """Messages with role and content."""
    return tuple([_message(item, where, position) for position, item in enumerate(items, start=1)])


def _message(item: Any, where: str, position: int) -> Message:
    if type(item) is dict and len(item) == 2:
        role, content = item.get("role"), item.get("content")
        if type(role) is str and type(content) is str and role in ROLES:
            known = ROLES[role]
            return Message(known, (content,)) if known == role else Message(known, (content,), stated_role=role)
    return _uncommon_message(item, f"{where} {position}", ROLES)


def _turns(items: Any, where: str = "message") -> tuple[Message, ...]:
    """Messages whose role may stand under ``from`` and whose content may stand under ``value`` or ``parts``."""
    return tuple(_turn(item, f"{where} {position}") for position, item in enumerate(items, start=1))


def _turn(item: Any, where: str) -> Message:
    if not isinstance(item, dict):
        raise Unusable(f"{where} is not an object with role and content")
    renamed = dict(item)
    for key, usual in (("from", "role"), ("value", "content"), ("parts", "content")):
        if key in renamed and renamed.get(usual) is None:
            renamed[usual] = renamed.pop(key)
    message = _uncommon_message(renamed, where, _TURN_ROLES)
    if message.stated_role in ("function_call", "tool_call"):
        return message._replace(calls=message.texts + message.calls, texts=())
    return message


def _uncommon_message(item: Any, where: str, roles: dict[str, Role]) -> Message:
    """A message with more than a known role and plain text, or the reason why it is none."""
    if not isinstance(item, dict):
        raise Unusable(f"{where} is not an object with role and content")
    role = item.get("role")
    if role is None:
        raise Unusable(f"{where} has no role; use one of {', '.join(sorted(roles))}")
    if not isinstance(role, str) or role not in roles:
        raise Unusable(f"{where} has the unrecognised role {role!r:.40}; use one of {', '.join(sorted(roles))}")
    texts, calls, media = _content(item.get("content"), f"{where} ({role})")
    calls += tuple(_calls(item))
    if item.get("content") is None and not calls:
        raise Unusable(f"{where} ({role}) has no content")
    return Message(
        role=roles[role],
        texts=texts,
        calls=calls,
        labels=tuple(value for key, value in item.items() if isinstance(value, str) and key not in ("role", "content")),
        named=item.get("name") is not None,
        learned=not any(item.get(key) == 0 for key in _WEIGHT_KEYS),
        media=media,
        stated_role="" if role == roles[role] else role,
        unknown_key=next((key for key, value in item.items() if key not in _KNOWN_KEYS and value is not None), ""),
    )


def _content(content: Any, where: str) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Texts, tool calls and the count of media of a message's content."""
    if isinstance(content, str):
        return (content,), (), 0
    if content is None:
        return (), (), 0
    if not isinstance(content, list):
        raise Unusable(f"{where}: content is neither text nor a list of parts")
    texts: list[str] = []
    calls: list[str] = []
    media = 0
    for part in content:
        if not isinstance(part, dict):
            raise Unusable(f'{where}: a content part is not {{"type": "text", "text": ...}}')
        kind = part.get("type")
        text = next((part[key] for key in _TEXT_KEYS if isinstance(part.get(key), str)), None)
        if text is not None and (kind is None or kind in _TEXT_TYPES):
            texts.append(text)
        elif kind in _TEXT_TYPES or not any(value is not None for value in part.values()):
            raise Unusable(f'{where}: a content part is not {{"type": "text", "text": ...}}')
        elif (called := _called(part)) is not None:
            calls += called
        else:
            media += 1
    return tuple(texts), tuple(calls), media


def _calls(item: Data) -> Iterator[str]:
    """Names and arguments of the tool calls beside a message's content."""
    listed = item.get("tool_calls")
    for call in listed if isinstance(listed, list) else ():
        if isinstance(call, dict):
            yield from _name_and_arguments(call.get("function") or call)
    yield from _name_and_arguments(item.get("function_call"))


def _called(part: Data) -> list[str] | None:
    """Name and arguments of a content part that is a tool's call, or its result."""
    for key in ("functionCall", "functionResponse", "toolUse", "toolResult", "function_call", "function_response"):
        if part.get(key) is not None:
            return list(_name_and_arguments(part[key]))
    if part.get("type") in ("tool_use", "tool_result"):
        return list(_name_and_arguments(part))
    return None


def _name_and_arguments(call: Any) -> Iterator[str]:
    if not isinstance(call, dict):
        return
    for key in ("name", "arguments", "args", "input", "response", "content"):
        value = call.get(key)
        if value is not None:
            yield value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    """A value as JSON text; text that holds JSON already as it is."""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _tools(data: Data) -> str:
    value = data.get("tools") or data.get("functions")
    return _json(value) if value else ""


def _system(value: Any, where: str = "system") -> tuple[Message, ...]:
    """The system message that stands beside the conversation, if there is one."""
    if isinstance(value, dict):
        value = value.get("parts") or value.get("content")
    if not value:
        return ()
    texts, _, media = _content(value, where)
    return (Message("system", texts, media=media),)


# --- formats -----------------------------------------------------------------------------------------------------------------


def _list_of(data: Data, key: str, write: str) -> list[Any]:
    value = data.get(key)
    if not isinstance(value, list) or not value:
        keys = ", ".join(map(str, list(data)[:5])) or "none"
        raise Unusable(f"no list of {key} (keys here: {keys}); write {write}")
    return value


def _text_of(data: Data, key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        keys = ", ".join(map(str, list(data)[:5])) or "none"
        raise Unusable(f"no text under {key} (keys here: {keys})")
    return value


def _with_answer(messages: tuple[Message, ...], data: Data) -> Example:
    for message in messages:
        if message.role == "assistant" and message.learned:
            return Example("chat", messages, tools=_tools(data))
    if any(message.role == "assistant" for message in messages):
        raise Unusable("every assistant message has weight 0, so there is nothing to learn; give one the weight 1")
    raise Unusable("no assistant message, so nothing to learn from; add the answer")


def _chat(data: Data) -> Example:
    messages = _messages(_list_of(data, "messages", '{"messages": [...]}'))
    return _with_answer(_system(data.get("system")) + messages if "system" in data else messages, data)


def _reinforcement(data: Data) -> Example:
    messages = _messages(_list_of(data, "messages", '{"messages": [...]}'))
    if messages[-1].role == "assistant":
        raise Unusable("the last message is an answer; a reinforcement example ends in the prompt")
    graded = tuple(key for key in data if key not in _CHAT_KEYS)
    return Example("reinforcement", messages, tools=_tools(data), grading=graded)


def _openai_preference(data: Data) -> Example:
    given = data.get("input")
    if not isinstance(given, dict):
        raise Unusable('no input with messages; write {"input": {"messages": [...]}}')
    shared = _messages(_list_of(given, "messages", '{"input": {"messages": [...]}}'), "input message")
    answers = tuple(_answer(data, key) for key in ("preferred_output", "non_preferred_output"))
    return Example("preference", shared, answers, tools=_tools(given))


def _answer(data: Data, key: str) -> tuple[Message, ...]:
    """One of the answers of a preference: text, a message, or several."""
    value = data.get(key)
    if isinstance(value, str):
        return (Message("assistant", (value,)),)
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list) or not value:
        raise Unusable(f"{key} is neither text nor messages")
    return _turns(value, f"{key} message")


def _prompt(data: Data) -> tuple[Message, ...]:
    """What stands before the answers, as text or messages, or nothing."""
    value = data.get("prompt")
    if isinstance(value, list) and value:
        return _turns(value, "prompt message")
    if value is None:
        value = data.get("instruction", data.get("question"))
        value = [value, data.get("input")] if data.get("input") else [value]
    texts = tuple(text for text in (value if isinstance(value, list) else [value]) if text is not None)
    if not all(isinstance(text, str) for text in texts):
        raise Unusable("prompt is neither text nor messages")
    return _system(data.get("system")) + ((Message("user", texts),) if texts else ())


def _trl_preference(data: Data) -> Example:
    chosen, rejected = _answer(data, "chosen"), _answer(data, "rejected")
    shared = _prompt(data)
    if not shared:
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(chosen[:-1], rejected[:-1], strict=False)))
        shared, chosen, rejected = chosen[:same], chosen[same:], rejected[same:]
    return Example("preference", shared, (chosen, rejected), tools=_tools(data))


def _kto(data: Data) -> Example:
    label = data.get("label")
    if isinstance(label, str):
        label = {"true": True, "1": True, "false": False, "0": False}.get(label.strip().lower())
    if label not in (True, False):
        raise Unusable(
            f"label is neither true nor false but {data.get('label')!r:.40}; write true where the answer is good, else false"
        )
    return Example("unpaired preference", _prompt(data), (_answer(data, "completion"),), good=bool(label), tools=_tools(data))


def _sharegpt_messages(data: Data) -> tuple[Message, ...]:
    key = "conversations" if "conversations" in data else "conversation"
    return _system(data.get("system")) + _turns(_list_of(data, key, '{"conversations": [{"from": "human", "value": ...}, ...]}'))


def _sharegpt(data: Data) -> Example:
    return _with_answer(_sharegpt_messages(data), data)


def _sharegpt_preference(data: Data) -> Example:
    answers = (_answer(data, "chosen"), _answer(data, "rejected"))
    return Example("preference", _sharegpt_messages(data), answers, tools=_tools(data))


def _vertex(data: Data) -> Example:
    system = _system(data.get("systemInstruction") or data.get("system_instruction"), "systemInstruction")
    return _with_answer(
        system + _turns(_list_of(data, "contents", '{"contents": [{"role": ..., "parts": [...]}]}'), "content"), data
    )


def _alpaca(data: Data) -> Example:
    instruction, given = _text_of(data, "instruction"), data.get("input")
    key = next((key for key in _ANSWER_KEYS if data.get(key) is not None), "output")
    answer = Message("assistant", (_text_of(data, key),))
    asked = Message("user", (instruction, given) if isinstance(given, str) and given else (instruction,))
    return Example("chat", (*_system(data.get("system")), *_history(data.get("history")), asked, answer), tools=_tools(data))


def _history(turns: Any) -> Iterator[Message]:
    if not isinstance(turns, list | None):
        raise Unusable("history is no list of pairs of question and answer")
    for turn in turns or ():
        if not isinstance(turn, list) or len(turn) != 2 or not all(isinstance(text, str) for text in turn):
            raise Unusable("history is no list of pairs of question and answer")
        yield Message("user", (turn[0],))
        yield Message("assistant", (turn[1],))


def _prompt_completion(data: Data) -> Example:
    messages = _prompt(data) + _answer(data, "completion")
    return Example("chat" if isinstance(data.get("prompt"), list) else "completion", messages, tools=_tools(data))


def _text(data: Data) -> Example:
    return Example("text", (Message("user", (_text_of(data, "text"),)),))


def _has(*keys: str) -> Callable[[Data], bool]:
    return lambda data: all(data.get(key) is not None for key in keys)


def _has_list(key: str) -> Callable[[Data], bool]:
    return lambda data: isinstance(data.get(key), list)


def _is_sharegpt(data: Data) -> bool:
    return isinstance(data.get("conversations", data.get("conversation")), list)


def _is_reinforcement(data: Data) -> bool:
    messages = data.get("messages")
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], dict):
        return False
    return messages[-1].get("role") != "assistant" and not data.keys() <= _CHAT_KEYS


FORMATS: dict[str, Format] = {
    "OpenAI preference": Format(
        "input, preferred_output and non_preferred_output",
        _has("preferred_output", "non_preferred_output"),
        _openai_preference,
        ("openai", "together", "fireworks"),
    ),
    "ShareGPT preference": Format(
        "conversations, chosen and rejected",
        lambda data: _is_sharegpt(data) and _has("chosen", "rejected")(data),
        _sharegpt_preference,
    ),
    "TRL preference": Format("chosen and rejected", _has("chosen", "rejected"), _trl_preference),
    "TRL unpaired preference": Format("prompt, completion and label", _has("completion", "label"), _kto),
    "Vertex AI": Format("contents with role and parts", _has_list("contents"), _vertex, ("vertex-ai",)),
    "ShareGPT": Format("conversations with from and value", _is_sharegpt, _sharegpt),
    "Bedrock conversation": Format(
        "schemaVersion bedrock-conversation and messages",
        lambda data: str(data.get("schemaVersion")).startswith("bedrock-conversation") and _has_list("messages")(data),
        _chat,
        ("bedrock",),
    ),
    "OpenAI reinforcement": Format(
        "messages that end in the prompt, and fields for a grader", _is_reinforcement, _reinforcement, ("openai",)
    ),
    "OpenAI chat": Format("messages with role and content", _has_list("messages"), _chat),
    "Alpaca": Format(
        "instruction and output",
        lambda data: _has("instruction")(data) and any(data.get(key) is not None for key in _ANSWER_KEYS),
        _alpaca,
    ),
    "prompt/completion": Format(
        "prompt and completion", _has("prompt", "completion"), _prompt_completion, ("bedrock", "together")
    ),
    "text": Format("text", lambda data: isinstance(data.get("text"), str), _text, ("together",)),
}
"""By name, the more telling before those whose evidence they include."""
