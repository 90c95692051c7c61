"""Measuring training files: what is in them, what a provider bills for them, what is wrong with them.

One reading counts for any number of tokenizers and chat templates, in memory that does not grow with the file.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, groupby, islice
from typing import cast

from calc.parts.tuning import default_epochs
from ingest.counting import Counting, counting_for
from ingest.errors import InputError, Problem
from ingest.examples import Example
from ingest.formats import Detected, Unusable, detect, example_of
from ingest.lengths import FamilyLengths, LengthCounter, batches, histogram, percentile, total
from ingest.records import Record, records
from ingest.sources import Source, file_name

PROBLEMS_KEPT = 1000
SAMPLED_RECORDS = 200
"""Records of a file from which its format is told."""
_BATCHES_WAITING = 2


@dataclass
class Measured:
    """What training files hold, counted for each tokenizer and template asked for."""

    name: str
    """The file, or how many there are."""
    families: dict[tuple[str, str], FamilyLengths]
    """By `Counting.family`: names of the vocabulary and the chat template."""
    formats: dict[str, Detected] = field(default_factory=dict)
    """By file: the format it was read as."""
    examples: Counter[str] = field(default_factory=Counter)
    """Usable examples by kind; records with a problem are left out of every figure."""
    media: int = 0
    """Images, sounds and files, which no figure counts."""
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)
    """The first thousand."""
    noted: Counter[str] = field(default_factory=Counter)
    """Examples by what is odd about them."""

    def family(self, counting: Counting) -> FamilyLengths:
        """What was measured by a way of counting, before its factor.

        Raises:
            KeyError: the file was not measured by it.
        """
        return self.families[counting.family]

    @property
    def format(self) -> str:
        """The formats of all files, in words."""
        return ", ".join(sorted({detected.format for detected in self.formats.values()}))

    def add_problem(self, problem: Problem) -> None:
        """Note a record that is left out."""
        self.problem_count += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(problem)

    def add_example(self, example: Example) -> None:
        """Note what an example is, but for its tokens."""
        self.examples[example.kind] += 1
        media = calls = 0
        unknown_key = ""
        for message in chain(example.messages, *example.answers):
            if message.calls:
                calls = 1
            if message.media:
                media += message.media
            if message.unknown_key:
                unknown_key = message.unknown_key
        if calls:
            self.noted["call tools; a call is counted as its name and arguments, an estimate"] += 1
        if example.tools:
            self.noted["define tools, which are counted apart: the bill will be higher"] += 1
        if media:
            self.media += media
            self.noted["hold images, sound or files, which are not counted: the bill will be higher"] += 1
        if unknown_key:
            self.noted[f"hold the unknown key '{unknown_key}', counted where it is text; the provider may refuse it"] += 1


@dataclass(frozen=True)
class TrainingFile:
    """What training files hold and what training on them bills. All token figures are per epoch but `billed_tokens`.

    Figures of a model whose tokenizer is not at hand are estimates by the likely factor; see `estimate`.
    """

    file: str
    format: str
    format_evidence: str
    kinds: dict[str, int]
    """Examples by kind: chat, completion, preference, text, …"""
    model: str
    tokenizer: str
    """The vocabulary that counted."""
    chat_template: str
    exact: bool
    """False where the tokenizer is not the model's own."""
    examples: int
    """Usable examples; records with a problem are left out of every figure."""
    content_tokens: int
    """Tokens of the messages' content alone."""
    trained_tokens: int
    """Tokens the model learns to write: see `ingest.lengths.FamilyLengths`."""
    tool_definition_tokens: int
    """Tokens of the JSON text of tool definitions, in no other figure."""
    media: int
    """Images, sounds and files, in no figure."""
    total_tokens: int
    """Tokens of all examples at full length, chat template included; of a preference the prompt with either answer."""
    prompt_once_tokens: int | None
    """The same with each preference's prompt counted once; None where there are no preferences."""
    training_tokens: int
    """As total tokens, each sequence cut at the limit."""
    max_tokens_per_example: int | None
    """The limit; None where none applies."""
    truncated_examples: int
    longest_tokens: int
    mean_tokens: float
    p5_tokens: int
    p50_tokens: int
    p95_tokens: int
    histogram: tuple[tuple[int, int, int], ...]
    """(from, through, count) of lengths."""
    epochs: int | None
    """Passes over the file; None where neither the user nor the provider's rule gives them."""
    epochs_basis: str
    """Where the epochs come from."""
    billed_tokens: int | None
    """Epochs times training tokens."""
    estimate: dict[str, tuple[int, int]]
    """(low, high) of the figures a bill rests on, where they are estimates."""
    problem_count: int
    problems: tuple[tuple[int | None, str], ...]
    """(line, what is wrong with it), the first thousand; `Measured.problems` says in which file."""
    notes: tuple[str, ...]
    """What the figures leave out or estimate."""


def measure(
    sources: Source | Iterable[Source],
    countings: Sequence[Counting],
    *,
    format: str | None = None,  # noqa: A002
    on_progress: Callable[[int], None] | None = None,
    on_problem: Callable[[Problem], None] | None = None,
    on_example: Callable[[Example], None] | None = None,
    on_record: Callable[[Record, Example | None], None] | None = None,
) -> Measured:
    """Measure training files in one reading, for every way of counting asked for.

    Args:
        sources: a file, a folder, a pattern, an open binary file, or several of them.
        countings: whose tokens to count; see `ingest.counting.counting_for`.
        format: a name in `ingest.formats.FORMATS`, to be taken instead of what most records look like.
        on_progress: called with the bytes read since the last call.
        on_problem: called with every record left out, also beyond the thousand that are kept.
        on_example: called with every usable example, for what else is to be found out in the same reading.
        on_record: called with every record and its example, or None where it is left out; see `ingest.inspection`.

    Raises:
        InputError: nothing can be read, or there is no usable example.
        NotInstalled: a file needs an extra that is missing.
    """
    counter = LengthCounter(countings)
    measured = Measured(_name(sources), counter.families)
    reading = _Reading(measured, format, on_problem, on_example, on_record)
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1) as counting:  # the counting library runs beside the reading
        for batch in batches(reading.examples(records(sources, on_progress))):
            waiting.append(counting.submit(counter.add, batch))
            if len(waiting) > _BATCHES_WAITING:
                waiting.popleft().result()
        while waiting:
            waiting.popleft().result()
    if not measured.examples:
        raise reading.refused or _no_examples(measured)
    return measured


def training_file(
    measured: Measured,
    counting: Counting,
    *,
    max_tokens_per_example: int | None = None,
    epochs: int | None = None,
    epochs_rule: int | str | None = "openai-cookbook",
) -> TrainingFile:
    """What was measured as one model counts it, with the bill's tokens.

    Args:
        measured: by this way of counting, among others.
        counting: the model's.
        max_tokens_per_example: longer examples are cut there.
        epochs: passes over the file; None asks the rule.
        epochs_rule: the provider's default: a number, ``openai-cookbook``, ``openpipe``, or None where it is not known.
    """
    counted = measured.family(counting)
    family = counted if counting.factor is None else counted.scaled(counting.factor.likely)
    lengths, limit = family.lengths, max_tokens_per_example
    examples = measured.examples.total()
    training = family.total_tokens(limit)
    epochs_used, basis = _epochs(epochs, epochs_rule, examples)
    return TrainingFile(
        file=measured.name,
        format=measured.format,
        format_evidence="; ".join(dict.fromkeys(found.evidence for found in measured.formats.values() if found.evidence)),
        kinds=dict(measured.examples),
        model=counting.model,
        tokenizer=counting.tokenizer.name,
        chat_template=counting.template.name,
        exact=counting.exact,
        examples=examples,
        content_tokens=family.content_tokens,
        trained_tokens=family.trained_tokens,
        tool_definition_tokens=family.tool_definition_tokens,
        media=measured.media,
        total_tokens=family.total_tokens(),
        prompt_once_tokens=_prompt_once(measured, family),
        training_tokens=training,
        max_tokens_per_example=limit,
        truncated_examples=sum(n for length, n in lengths.items() if limit is not None and length > limit),
        longest_tokens=max(lengths),
        mean_tokens=family.total_tokens() / lengths.total(),
        p5_tokens=percentile(lengths, 0.05),
        p50_tokens=percentile(lengths, 0.5),
        p95_tokens=percentile(lengths, 0.95),
        histogram=tuple(histogram(lengths)),
        epochs=epochs_used,
        epochs_basis=basis,
        billed_tokens=None if epochs_used is None else epochs_used * training,
        estimate=_interval(counted, counting, limit, epochs_used),
        problem_count=measured.problem_count,
        problems=tuple((problem.line, problem.wrong) for problem in measured.problems),
        notes=_notes(measured, counting, family),
    )


def measure_training_file(
    path: Source,
    model: str,
    *,
    max_tokens_per_example: int | None = None,
    epochs: int | None = None,
    epochs_rule: int | str | None = "openai-cookbook",
    on_progress: Callable[[int], None] | None = None,
) -> TrainingFile:
    """`measure` and `training_file` in one, for one model.

    Raises:
        InputError: the file cannot be read or holds no usable example; or the model is unknown.
        NotInstalled: an extra is missing.
    """
    counting = counting_for(model)
    measured = measure(path, [counting], on_progress=on_progress)
    return training_file(
        measured, counting, max_tokens_per_example=max_tokens_per_example, epochs=epochs, epochs_rule=epochs_rule
    )


class _Reading:
    """Examples of records, each file's by its own format; what is left out goes to the measured file's problems."""

    def __init__(
        self,
        measured: Measured,
        format: str | None,  # noqa: A002
        on_problem: Callable[[Problem], None] | None,
        on_example: Callable[[Example], None] | None,
        on_record: Callable[[Record, Example | None], None] | None,
    ) -> None:
        self._measured = measured
        self._on_example = on_example
        self._on_record = on_record
        self._format = format
        self._on_problem = on_problem
        self.refused: InputError | None = None
        """Why the first file without a known format was refused."""

    def examples(self, all_records: Iterator[Record]) -> Iterator[Example]:
        for file, of_file in groupby(all_records, lambda record: record.file):
            sample = list(islice(of_file, SAMPLED_RECORDS))
            try:
                detected = Detected(self._format, "") if self._format else detect(sample)
            except InputError as error:
                self.refused = self.refused or error
                for problem in error.problems:
                    self._leave_out(problem)
                continue
            self._measured.formats[file] = detected
            yield from self._usable(chain(sample, of_file), detected.format)

    def _usable(self, of_file: Iterable[Record], format: str) -> Iterator[Example]:  # noqa: A002
        note, also, inspect = self._measured.add_example, self._on_example, self._on_record
        for record in of_file:
            try:
                example = example_of(record, format)
            except Unusable as problem:
                self._leave_out(Problem(record.file, str(problem), line=record.line))
                if inspect is not None:
                    inspect(record, None)
            else:
                note(example)
                if also is not None:
                    also(example)
                if inspect is not None:
                    inspect(record, example)
                yield example

    def _leave_out(self, problem: Problem) -> None:
        self._measured.add_problem(problem)
        if self._on_problem is not None:
            self._on_problem(problem)


def _name(sources: Source | Iterable[Source]) -> str:
    if isinstance(sources, str | os.PathLike) or hasattr(sources, "read"):
        return file_name(cast(Source, sources))
    names = [file_name(source) for source in sources]
    return names[0] if len(names) == 1 else f"{len(names)} files"


def _epochs(stated: int | None, rule: int | str | None, examples: int) -> tuple[int | None, str]:
    if stated is not None:
        return stated, "stated"
    if rule is None:
        return None, "not known: state the epochs"
    if isinstance(rule, int):
        return rule, "the provider's default"
    return default_epochs(rule, examples), f"estimate by the {rule} rule"


def _prompt_once(measured: Measured, family: FamilyLengths) -> int | None:
    """Only where every example is a preference; mixed files are counted with the prompt twice."""
    if set(measured.examples) != {"preference"}:
        return None
    return total(family.pair_lengths)


def _interval(counted: FamilyLengths, counting: Counting, limit: int | None, epochs: int | None) -> dict[str, tuple[int, int]]:
    factor = counting.factor
    if factor is None:
        return {}
    low, high = counted.scaled(factor.low), counted.scaled(factor.high)
    training = low.total_tokens(limit), high.total_tokens(limit)
    figures = {
        "content_tokens": (low.content_tokens, high.content_tokens),
        "trained_tokens": (low.trained_tokens, high.trained_tokens),
        "training_tokens": training,
    }
    return figures if epochs is None else figures | {"billed_tokens": (epochs * training[0], epochs * training[1])}


def _notes(measured: Measured, counting: Counting, family: FamilyLengths) -> tuple[str, ...]:
    notes = [f"{n:,} example{'s' * (n > 1)} {text}" for text, n in sorted(measured.noted.items())]
    if measured.examples["preference"]:
        notes.append(
            "a preference is counted as two conversations, the prompt with either answer, as it is trained; that it is billed so "
            f"is an estimate. With the prompt counted once, preferences are {total(family.pair_lengths):,} tokens"
        )
    if measured.examples["reinforcement"]:
        notes.append("reinforcement examples are prompts: what the model writes and graders read in training is not in the file")
    for file, found in measured.formats.items():
        if found.alternatives:
            notes.append(f"{file} could also be read as {' or '.join(found.alternatives)}")
    return (*notes, *counting.notes())


def _no_examples(measured: Measured) -> InputError:
    shown = measured.problems[:5]
    wrong = f"none of its {measured.problem_count:,} lines is a usable example"
    return InputError(Problem(measured.name, wrong), *shown)
