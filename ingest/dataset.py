"""Measuring a training file: what is in it, what a provider bills for it, what is wrong with it.

OpenAI chat format: JSON Lines, each line an example ``{"messages": [...]}``. Tokens are counted by the rule of OpenAI's
cookbook (Chat_finetuning_data_prep): 3 per message, 1 per name, the text of every key, and 3 for the reply at the end.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from calc.parts.tuning import default_epochs
from ingest.errors import InputError, Problem
from ingest.files import readable_file
from ingest.tokenizers import Tokenizer, tokenizer_for

TOKENS_PER_MESSAGE = 3
TOKENS_PER_NAME = 1
TOKENS_OF_REPLY_START = 3

LINE_LIMIT_BYTES = 64_000_000
PROBLEMS_KEPT = 1000

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_TEXT_KEYS = frozenset({"role", "content", "name", "refusal", "tool_call_id"})
_OTHER_KEYS = frozenset({"weight", "function_call", "tool_calls", "audio", "parallel_tool_calls"})


@dataclass(frozen=True)
class TrainingFile:
    """What a training file holds and what training on it bills. All token figures are per epoch but `billed_tokens`."""

    file: str
    format: str
    model: str
    tokenizer: str
    examples: int
    """Usable examples; lines with a problem are left out of every figure."""
    content_tokens: int
    """Tokens of the messages' content alone."""
    answer_tokens: int
    """Tokens of the content of assistant messages, less those of weight 0: what the model learns to write."""
    total_tokens: int
    """Tokens of all examples at full length."""
    training_tokens: int
    """Tokens of all examples, each cut at the limit."""
    max_tokens_per_example: int | None
    """The limit; None where none applies."""
    truncated_examples: int
    longest_tokens: int
    mean_tokens: float
    p5_tokens: int
    p50_tokens: int
    p95_tokens: int
    epochs: int | None
    """Passes over the file; None where neither the user nor the provider's rule gives them."""
    epochs_basis: str
    """Where the epochs come from."""
    billed_tokens: int | None
    """Epochs times training tokens."""
    problem_count: int
    problems: tuple[tuple[int, str], ...]
    """(line, what is wrong with it), the first thousand."""
    notes: tuple[str, ...]
    """What the figures leave out or estimate."""


def measure_training_file(
    path: str | Path,
    model: str,
    *,
    max_tokens_per_example: int | None = None,
    epochs: int | None = None,
    epochs_rule: int | str | None = "openai-cookbook",
    on_progress: Callable[[int], None] | None = None,
) -> TrainingFile:
    """Measure an OpenAI chat training file, one line at a time, in memory that does not grow with the file.

    Args:
        path: the JSON Lines file.
        model: whose tokenizer counts; see `ingest.tokenizers.tokenizer_name`.
        max_tokens_per_example: longer examples are cut there.
        epochs: passes over the file; None asks the rule.
        epochs_rule: the provider's default: a number, ``openai-cookbook``, ``openpipe``, or None where it is not known.
        on_progress: called with the bytes read since the last call.

    Raises:
        InputError: the file cannot be read, is not JSON Lines, or holds no usable example; or the model is unknown.
        NotInstalled: the ``tokens`` extra is missing.
    """
    path = readable_file(path)
    tokenizer = tokenizer_for(model)
    count = _Count(tokenizer)
    with path.open("rb") as file:
        for number, line in _lines(file, on_progress):
            _refuse_json_list(path, number, line)
            try:
                count.add(_example(line))
            except _Unusable as problem:
                count.add_problem(number, str(problem))
    if not count.lengths:
        raise _no_examples(path, count)
    return count.result(str(path), model, max_tokens_per_example, epochs, epochs_rule)


class _Unusable(Exception):
    """A line is no training example; says why and what to do."""


@dataclass
class _Measured:
    """Tokens of one example."""

    total: int = TOKENS_OF_REPLY_START
    content: int = 0
    answer: int = 0


@dataclass
class _Count:
    """Running totals over the examples of a file."""

    tokenizer: Tokenizer
    lengths: Counter[int] = field(default_factory=Counter)
    content_tokens: int = 0
    answer_tokens: int = 0
    problem_count: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)
    noted: Counter[str] = field(default_factory=Counter)

    def add(self, example: dict[str, Any]) -> None:
        measured = _Measured()
        notes: set[str] = set()
        for message in example["messages"]:
            self._add_message(message, measured, notes)
        if example.get("tools") or example.get("functions"):
            notes.add("define tools, which the cookbook's rule does not count: the bill will be higher")
        self.lengths[measured.total] += 1
        self.content_tokens += measured.content
        self.answer_tokens += measured.answer
        self.noted.update(notes)

    def add_problem(self, line: int, message: str) -> None:
        self.problem_count += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append((line, message))

    def _add_message(self, message: dict[str, Any], measured: _Measured, notes: set[str]) -> None:
        measured.total += TOKENS_PER_MESSAGE + TOKENS_PER_NAME * ("name" in message)
        for key, value in message.items():
            tokens = sum(map(self.tokenizer.count, _texts(key, value)))
            measured.total += tokens
            if key == "content":
                measured.content += tokens
                measured.answer += tokens * (message["role"] == "assistant" and message.get("weight", 1) != 0)
        if "tool_calls" in message or "function_call" in message:
            notes.add("call tools; a call is counted as its name and arguments, an estimate")
        if _has_media(message.get("content")):
            notes.add("hold images or sound, which are not counted: the bill will be higher")
        if unknown := message.keys() - _TEXT_KEYS - _OTHER_KEYS:
            notes.add(f"hold the unknown key '{min(unknown)}', counted where it is text; the provider may refuse it")

    def result(self, file: str, model: str, limit: int | None, epochs: int | None, epochs_rule: int | str | None) -> TrainingFile:
        examples = self.lengths.total()
        total = sum(length * n for length, n in self.lengths.items())
        training = sum(min(length, limit or length) * n for length, n in self.lengths.items())
        epochs_used, basis = _epochs(epochs, epochs_rule, examples)
        p5, p50, p95 = (_percentile(self.lengths, share) for share in (0.05, 0.5, 0.95))
        return TrainingFile(
            file=file,
            format="OpenAI chat",
            model=model,
            tokenizer=self.tokenizer.name,
            examples=examples,
            content_tokens=self.content_tokens,
            answer_tokens=self.answer_tokens,
            total_tokens=total,
            training_tokens=training,
            max_tokens_per_example=limit,
            truncated_examples=sum(n for length, n in self.lengths.items() if limit is not None and length > limit),
            longest_tokens=max(self.lengths),
            mean_tokens=total / examples,
            p5_tokens=p5,
            p50_tokens=p50,
            p95_tokens=p95,
            epochs=epochs_used,
            epochs_basis=basis,
            billed_tokens=None if epochs_used is None else epochs_used * training,
            problem_count=self.problem_count,
            problems=tuple(self.problems),
            notes=self._notes(),
        )

    def _notes(self) -> tuple[str, ...]:
        notes = [f"{n:,} example{'s' * (n > 1)} {text}" for text, n in sorted(self.noted.items())]
        if not self.tokenizer.name.endswith("_base"):
            notes.append("the tokens around messages follow OpenAI's rule, not this model's chat template: an estimate")
        return tuple(notes)


def _lines(file: BinaryIO, on_progress: Callable[[int], None] | None) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, numbered from 1; of a line over the limit only its beginning."""
    number = 0
    while line := file.readline(LINE_LIMIT_BYTES):
        number += 1
        read = len(line)
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        text = line.strip()
        while read == LINE_LIMIT_BYTES and not line.endswith(b"\n") and (line := file.readline(LINE_LIMIT_BYTES)):
            read += len(line)
        if on_progress is not None:
            on_progress(read)
        if text:
            yield number, text


def _example(line: bytes) -> dict[str, Any]:
    """The example on a line, checked as far as counting and the provider's upload need it."""
    example = _parsed(line)
    if not isinstance(example, dict):
        raise _Unusable('not a JSON object; each line is one {"messages": [...]}')
    messages = example.get("messages")
    if not isinstance(messages, list) or not messages:
        keys = ", ".join(map(str, list(example)[:5])) or "none"
        raise _Unusable(f'no list of messages (keys here: {keys}); write {{"messages": [...]}}')
    for position, message in enumerate(messages, start=1):
        _check_message(message, f"message {position}")
    if all(message["role"] != "assistant" for message in messages):
        raise _Unusable("no assistant message, so nothing to learn from; add the answer")
    return example


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return _parsed_leniently(line)


def _parsed_leniently(line: bytes) -> Any:
    """What orjson refuses but providers take: text with lone surrogates."""
    if len(line) >= LINE_LIMIT_BYTES:
        raise _Unusable(f"longer than {LINE_LIMIT_BYTES:,} bytes; split it")
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise _Unusable("not UTF-8 text; save the file as UTF-8") from None
    except RecursionError:
        raise _Unusable("nested too deeply for a training example") from None
    except ValueError as error:
        raise _Unusable(f"not valid JSON ({error}); mend or remove the line") from None


def _check_message(message: Any, where: str) -> None:
    if not isinstance(message, dict):
        raise _Unusable(f"{where} is not an object with role and content")
    role = message.get("role")
    if role is None:
        raise _Unusable(f"{where} has no role; use one of {', '.join(sorted(ROLES))}")
    if not isinstance(role, str) or role not in ROLES:
        raise _Unusable(f"{where} has the unrecognised role {role!r:.40}; use one of {', '.join(sorted(ROLES))}")
    content = message.get("content")
    if content is None and not (message.get("tool_calls") or message.get("function_call")):
        raise _Unusable(f"{where} ({role}) has no content")
    if not isinstance(content, str | list | None):
        raise _Unusable(f"{where} ({role}): content is neither text nor a list of parts")
    for part in content if isinstance(content, list) else ():
        if not isinstance(part, dict) or (part.get("type") == "text" and not isinstance(part.get("text"), str)):
            raise _Unusable(f'{where} ({role}): a content part is not {{"type": "text", "text": ...}}')


def _texts(key: str, value: Any) -> Iterator[str]:
    """The texts of one key of a message that the rule counts: never JSON punctuation."""
    if isinstance(value, str):
        yield value
    elif key == "content" and isinstance(value, list):
        yield from (part["text"] for part in value if part.get("type") == "text")
    elif key == "function_call" and isinstance(value, dict):
        yield from (text for text in (value.get("name"), value.get("arguments")) if isinstance(text, str))
    elif key == "tool_calls" and isinstance(value, list):
        for call in value:
            if isinstance(call, dict):
                yield from _texts("function_call", call.get("function"))


def _has_media(content: Any) -> bool:
    return isinstance(content, list) and any(part.get("type") != "text" for part in content)


def _epochs(stated: int | None, rule: int | str | None, examples: int) -> tuple[int | None, str]:
    if stated is not None:
        return stated, "stated"
    if rule is None:
        return None, "not known: state the epochs"
    if isinstance(rule, int):
        return rule, "the provider's default"
    return default_epochs(rule, examples), f"estimate by the {rule} rule"


def _percentile(lengths: Counter[int], share: float) -> int:
    """The smallest length that at least ``share`` of the examples do not exceed."""
    wanted = share * lengths.total()
    reached = 0
    for length in sorted(lengths):
        reached += lengths[length]
        if reached >= wanted:
            return length
    return max(lengths)


def _refuse_json_list(path: Path, number: int, line: bytes) -> None:
    if number == 1 and line.startswith(b"["):
        raise InputError(
            Problem(
                str(path),
                "the file is one JSON list, not JSON Lines",
                'Expected one {"messages": [...]} a line',
                "Convert it: jq -c '.[]' turns a list into lines",
                line=1,
            )
        )


def _no_examples(path: Path, count: _Count) -> InputError:
    if not count.problems:
        return InputError(Problem(str(path), "the file holds no line but blank ones"))
    shown = [Problem(str(path), message, line=line) for line, message in count.problems[:5]]
    return InputError(
        Problem(str(path), f"none of its {count.problem_count:,} lines is a usable example", 'Expected {"messages": [...]}'),
        *shown,
    )
