"""What tuning saves of every request: the opening that a file's examples share, and what is left of them.

The opening is chosen from the first thousand examples; how many have it is counted over all. Memory does not grow with the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ingest.chat_templates import shape_of
from ingest.counting import Counting, counting_for
from ingest.dataset import Measured, measure
from ingest.examples import Example, Message
from ingest.sources import Source

CHOSEN_FROM = 1000
"""Examples from which the common opening is chosen."""
MAJORITY = 0.5
"""An opening that fewer have is none."""
_BATCH_TEXTS = 2000
SHOWN_LETTERS = 600
"""Of each message of the opening, that are kept to be shown."""

Opening = tuple[Message, ...]


@dataclass(frozen=True)
class DataFile:
    """What a training file says of the requests to come, in tokens of one model."""

    name: str
    counted_by: str
    exact: bool
    kind: str
    """Of most examples: chat, completion, preference, …"""
    examples: int
    tokens_per_example: float
    """Mean, chat template included, without the common opening; of a preference the prompt with either answer."""
    with_opening_share: float
    """Of the examples, those that begin with the common opening; 0 where there is none."""
    instruction_tokens: int
    """Of the opening's system messages."""
    shots: int
    """Examples shown in the opening."""
    few_shot_tokens: int
    """Of the opening's other messages."""
    user_tokens: float
    """Mean for one message by the user after the opening; system messages and tool results that differ are in it."""
    answer_tokens: float
    """Mean of one answer, after the opening."""
    turns_per_conversation: float
    """Mean answers of one example."""
    problem_count: int
    """Records that are in no figure."""
    media: int = 0
    """Images, sounds and files, which are in no figure."""
    opening: tuple[str, ...] = ()
    """The beginning of each message of the common opening, its role before it."""

    @property
    def is_partial(self) -> bool:
        """Whether something in the file is in no figure."""
        return bool(self.problem_count or self.media)

    @property
    def saved_tokens_per_request(self) -> int:
        """What need not be sent to a model tuned on the examples without their opening."""
        return self.instruction_tokens + self.few_shot_tokens


def read_data(source: Source, model: str, *, on_progress: Callable[[int], None] | None = None) -> DataFile:
    """Read a training file once, for its size and for the opening that its examples share.

    Args:
        model: whose tokenizer counts; see `ingest.counting.counting_for`.
        on_progress: called with the bytes read since the last call.

    Raises:
        InputError: the file cannot be read or holds no usable example, or nothing is known of the model's tokens.
        NotInstalled: an extra is missing.
    """
    counting = counting_for(model)
    shared = OpeningReader(counting)
    measured = measure(source, [counting], on_progress=on_progress, on_example=shared.add)
    return shared.result(measured)


def common_opening(examples: Iterable[Example]) -> Opening:
    """The longest run of first messages that more than half of the examples begin with, before the last request of each."""
    openings = [_before_request(example) for example in examples]
    needed = len(openings) * MAJORITY
    found: list[Message] = []
    while openings:
        here = Counter(_said(opening[len(found)]) for opening in openings if len(opening) > len(found))
        if not here or here.most_common(1)[0][1] <= needed:
            break
        said = here.most_common(1)[0][0]
        openings = [o for o in openings if len(o) > len(found) and _said(o[len(found)]) == said]
        found.append(openings[0][len(found)])
    return tuple(found)


class OpeningReader:
    """The opening of examples as they come, and the texts after it.

    `add` takes each example of one reading (`ingest.dataset.measure`), `result` what was measured in it.
    """

    def __init__(self, counting: Counting) -> None:
        self._counting = counting
        self._first: list[Example] = []
        self._opening: Opening | None = None
        self._with_opening = 0
        self._texts: dict[str, list[str]] = {"user": [], "assistant": []}
        self._tokens = Counter[str]()
        self._messages = Counter[str]()

    def add(self, example: Example) -> None:
        """Note an example."""
        if self._opening is not None:
            self._add(example, self._opening)
            return
        self._first.append(example)
        if len(self._first) == CHOSEN_FROM:
            self._choose()

    def _choose(self) -> Opening:
        self._opening = common_opening(self._first)
        for example in self._first:
            self._add(example, self._opening)
        self._first.clear()
        return self._opening

    def _add(self, example: Example, opening: Opening) -> None:
        before = _before_request(example)[: len(opening)]
        has_it = bool(opening) and list(map(_said, before)) == list(map(_said, opening))
        self._with_opening += has_it
        rest = example.messages[len(opening) if has_it else 0 :]
        for message in (*rest, *(example.answers[0] if example.answers else ())):
            self._messages[message.role] += 1
            self._texts["assistant" if message.role == "assistant" else "user"].append("".join((*message.texts, *message.calls)))
        if sum(map(len, self._texts.values())) >= _BATCH_TEXTS:
            self._count()

    def _count(self) -> None:
        for role, texts in self._texts.items():
            self._tokens[role] += int(self._counting.tokenizer.counts(texts).sum()) if texts else 0
            texts.clear()

    def result(self, measured: Measured) -> DataFile:
        """What the file says, once it is read.

        Args:
            measured: the same reading, by this way of counting among others.
        """
        opening = self._opening if self._opening is not None else self._choose()
        self._count()
        examples = measured.examples.total()
        share = self._with_opening / examples
        opening = opening if share > MAJORITY else ()
        factor = 1.0 if self._counting.factor is None else self._counting.factor.likely
        instructions = tuple(m for m in opening if m.role == "system")
        shown = tuple(m for m in opening if m.role != "system")
        family = measured.family(self._counting)
        sequences = family.lengths.total()
        opened = self._opening_tokens(opening) * share if opening else 0.0

        def mean(role: str) -> float:
            return factor * self._tokens[role] / max(self._messages[role], 1)

        return DataFile(
            name=measured.name,
            counted_by=self._counting.label,
            exact=self._counting.exact,
            kind=measured.examples.most_common(1)[0][0],
            examples=examples,
            tokens_per_example=factor * (family.total_tokens() - opened * sequences) / examples,
            with_opening_share=share if opening else 0.0,
            instruction_tokens=round(factor * self._opening_tokens(instructions)),
            shots=sum(m.role == "assistant" for m in shown),
            few_shot_tokens=round(factor * self._opening_tokens(shown)),
            user_tokens=mean("user"),
            answer_tokens=mean("assistant"),
            turns_per_conversation=max(1.0, self._messages["assistant"] / examples),
            problem_count=measured.problem_count,
            media=measured.media,
            opening=tuple(f"{m.role}: {''.join((*m.texts, *m.calls))[:SHOWN_LETTERS]}" for m in opening),
        )

    def _opening_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of messages with what the chat template puts around them."""
        if not messages:
            return 0
        tokenizer, template = self._counting.tokenizer, self._counting.template
        texts = [text for message in messages for text in (*message.texts, *message.calls, *message.labels)]
        around = template.shape_tokens(tokenizer, shape_of(tuple(messages)))
        return int(tokenizer.counts(texts).sum()) + around


def _before_request(example: Example) -> Opening:
    """The messages before the last one that is no answer: what could be the same in every request."""
    messages = example.messages
    last = max((i for i, message in enumerate(messages) if message.role != "assistant"), default=0)
    return messages[:last]


def _said(message: Message) -> tuple[object, ...]:
    return message.role, message.texts, message.calls
