"""Lengths of training examples in tokens, by vocabulary and chat template, counted many texts at once.

Texts are gathered from examples into batches. A vocabulary counts a batch once, whatever number of templates is added to it, and
only sums and counters of lengths are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from ingest.chat_templates import Shape, Template, shape_of
from ingest.counting import Counting
from ingest.examples import Example, Message
from ingest.tokenizers import Tokenizer

BATCH_TEXTS = 4000
BATCH_CHARACTERS = 2_000_000
_SHAPES_REMEMBERED = 10_000

_CONTENT, _LEARNED_CONTENT, _CALL, _LEARNED_CALL, _LABEL, _TOOLS = range(6)
_KINDS_OF_TEXT = 6

Ints = NDArray[np.int64]


@dataclass
class FamilyLengths:
    """What a file's examples measure by one vocabulary and chat template, at full length, in one pass over it."""

    lengths: Counter[int] = field(default_factory=Counter)
    """Sequences by length, template included. An example is one sequence; a preference is two, the prompt with either answer."""
    pair_lengths: Counter[int] = field(default_factory=Counter)
    """Preferences by the length of prompt and both answers, the prompt counted once."""
    content_tokens: int = 0
    """Of the messages' content alone."""
    trained_tokens: int = 0
    """Of what the model learns to write: content and tool calls of assistant messages of weight other than 0, completions, both
    answers of a preference, all of a text. The markers that end an answer are not in it."""
    tool_definition_tokens: int = 0
    """Of the JSON text of tool definitions, in no other figure."""

    def total_tokens(self, limit: int | None = None) -> int:
        """Tokens of all sequences, each cut at a limit."""
        return total(self.lengths, limit)

    def scaled(self, factor: float) -> FamilyLengths:
        """The same by another tokenizer, of which ``factor`` tokens stand for one of this: lengths rounded to whole tokens."""
        return FamilyLengths(
            _scaled(self.lengths, factor),
            _scaled(self.pair_lengths, factor),
            round(self.content_tokens * factor),
            round(self.trained_tokens * factor),
            round(self.tool_definition_tokens * factor),
        )


def total(lengths: Mapping[int, int], limit: int | None = None) -> int:
    """Σ min(length, limit) over a counter of lengths."""
    return sum((length if limit is None else min(length, limit)) * n for length, n in lengths.items())


def percentile(lengths: Counter[int], share: float) -> int:
    """The smallest length that at least ``share`` of all do not exceed, exactly; 0 where there are none."""
    wanted = share * lengths.total()
    reached = 0
    length = 0
    for length in sorted(lengths):
        reached += lengths[length]
        if reached >= wanted:
            break
    return length


def histogram(lengths: Counter[int], buckets: int = 40) -> list[tuple[int, int, int]]:
    """(from, through, count) of equally wide buckets from the shortest length through the longest, empty ones included."""
    if not lengths:
        return []
    shortest, longest = min(lengths), max(lengths)
    width = -(-(longest - shortest + 1) // buckets)
    counts: Counter[int] = Counter()
    for length, n in lengths.items():
        counts[(length - shortest) // width] += n
    last = (longest - shortest) // width
    return [(shortest + k * width, shortest + (k + 1) * width - 1, counts[k]) for k in range(last + 1)]


class Batch:
    """Texts of some examples, and where in them each belongs.

    A part is a conversation, or of a preference the shared prompt, the preferred answer and the other answer, in this order.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.places: list[int] = []
        """Of each text its part and kind, as one number."""
        self.shapes: list[Shape] = []
        """Of each part."""
        self.chats: list[int] = []
        """Parts that are a whole conversation."""
        self.bare: list[int] = []
        """Parts that are text without a template."""
        self.pairs: list[int] = []
        """First parts of preferences."""

    def add(self, example: Example) -> None:
        """Put in the texts of one example."""
        kind = example.kind
        part = len(self.shapes)
        if kind == "preference":
            self.pairs.append(part)
            self._add_part(example.messages, ())
            for answer in example.answers:
                self._add_part((), answer)
        elif kind == "text":
            self.bare.append(part)
            self._add_part((), example.messages, whole=True)
        elif kind in ("reinforcement", "unpaired preference"):
            self.chats.append(part)
            self._add_part(example.messages, example.answers[0] if example.answers else ())
        else:
            self.chats.append(part)
            self._add_part((), example.messages)
        if example.tools:
            self.texts.append(example.tools)
            self.places.append(part * _KINDS_OF_TEXT + _TOOLS)

    def _add_part(self, given: tuple[Message, ...], answered: tuple[Message, ...] = (), whole: bool = False) -> None:
        """A part of messages that only give context and messages of which the assistant's are learned (or all: ``whole``)."""
        part = len(self.shapes)
        texts, places = self.texts, self.places
        first = part * _KINDS_OF_TEXT
        for message in given:
            self._add_message(message, first, 0)
        for message in answered:
            learned = int(whole or (message.role == "assistant" and message.learned))
            if len(message.texts) == 1 and not message.calls and not message.labels:
                texts.append(message.texts[0])
                places.append(first + learned)
            else:
                self._add_message(message, first, learned)
        self.shapes.append(() if whole else shape_of(given + answered))

    def _add_message(self, message: Message, first: int, learned: int) -> None:
        self.texts += message.texts
        self.places += repeat(first + _CONTENT + learned, len(message.texts))
        self.texts += message.calls
        self.places += repeat(first + _CALL + learned, len(message.calls))
        self.texts += message.labels
        self.places += repeat(first + _LABEL, len(message.labels))


def batches(examples: Iterable[Example]) -> Iterator[Batch]:
    """Examples in batches, which hold few enough texts for any memory and enough for speed."""
    batch = Batch()
    characters = counted = 0
    for example in examples:
        batch.add(example)
        texts = batch.texts
        while counted < len(texts):
            characters += len(texts[counted])
            counted += 1
        if counted >= BATCH_TEXTS or characters >= BATCH_CHARACTERS:
            yield batch
            batch = Batch()
            characters = counted = 0
    if batch.shapes:
        yield batch


class LengthCounter:
    """Counts batches for several ways of counting at once."""

    def __init__(self, countings: Iterable[Counting]) -> None:
        self.families: dict[tuple[str, str], FamilyLengths] = {}
        self._by_tokenizer: dict[str, tuple[Tokenizer, dict[tuple[str, str], _Around]]] = {}
        for counting in countings:
            self.families.setdefault(counting.family, FamilyLengths())
            _, families = self._by_tokenizer.setdefault(counting.tokenizer.name, (counting.tokenizer, {}))
            families.setdefault(counting.family, _Around(counting.tokenizer, counting.template))

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        for tokenizer, families in self._by_tokenizer.values():
            tokens = np.bincount(batch.places, tokenizer.counts(batch.texts), len(batch.shapes) * _KINDS_OF_TEXT)
            by_kind = tokens.astype(np.int64).reshape(-1, _KINDS_OF_TEXT)
            for name, around in families.items():
                _add(self.families[name], batch, by_kind, around)


def _add(family: FamilyLengths, batch: Batch, by_kind: Ints, around: _Around) -> None:
    parts = by_kind[:, :_TOOLS].sum(axis=1) + around.parts(batch.shapes)
    family.lengths.update(parts[batch.bare].tolist())
    family.lengths.update((parts[batch.chats] + around.starts([batch.shapes[part] for part in batch.chats])).tolist())
    if batch.pairs:
        prompt = parts[batch.pairs] + around.starts([batch.shapes[part] for part in batch.pairs])
        preferred, other = parts[np.array(batch.pairs) + 1], parts[np.array(batch.pairs) + 2]
        family.lengths.update((prompt + preferred).tolist())
        family.lengths.update((prompt + other).tolist())
        family.pair_lengths.update((prompt + preferred + other).tolist())
    sums = by_kind.sum(axis=0)
    family.content_tokens += int(sums[_CONTENT] + sums[_LEARNED_CONTENT])
    family.trained_tokens += int(sums[_LEARNED_CONTENT] + sums[_LEARNED_CALL])
    family.tool_definition_tokens += int(sums[_TOOLS])


class _Around:
    """What a template adds, remembered by shape: conversations of a file have few."""

    def __init__(self, tokenizer: Tokenizer, template: Template) -> None:
        self._tokenizer = tokenizer
        self._template = template
        self._parts: dict[Shape, int] = {}
        self._start = template.start_tokens(tokenizer)
        self._default_system = template.default_system_tokens(tokenizer)

    def parts(self, shapes: list[Shape]) -> Ints:
        known = self._parts
        if len(known) > _SHAPES_REMEMBERED:
            known.clear()
        for shape in shapes:
            if shape not in known:
                known[shape] = self._template.shape_tokens(self._tokenizer, shape)
        return np.array([known[shape] for shape in shapes], dtype=np.int64)

    def starts(self, shapes: list[Shape]) -> Ints:
        if not self._default_system:
            return np.full(len(shapes), self._start, dtype=np.int64)
        added = [0 if shape and shape[0][0] == "system" else self._default_system for shape in shapes]
        return np.array(added, dtype=np.int64) + self._start


def _scaled(lengths: Counter[int], factor: float) -> Counter[int]:
    scaled: Counter[int] = Counter()
    for length, n in lengths.items():
        scaled[round(length * factor)] += n
    return scaled
