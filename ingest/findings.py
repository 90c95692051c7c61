"""What a training file's examples tell of their quality, in the reading that counts them.

Memory does not grow with the file: of each example some 22 bytes are kept for exact comparisons, up to `PROMPTS_KEPT` examples;
of a larger file a share of the prompts is compared, drawn by their hash, so that equal prompts are kept or left out together.
Near duplicates are looked for among the first `NEAR_KEPT` examples and the first `NEAR_VALIDATION_KEPT` of validation, 256 bytes
each. Each row says so where a bound was reached.

An example is compared by its prompt and its last answer, a preference by its prompt and the preferred answer. Near duplicates
share most of their runs of three words: an estimated Jaccard similarity of `NEAR` or more, by MinHash with banding (Broder
1997; Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, ch. 3). Runs of words that are in more than one in twenty of the
first examples are a template and not counted; system messages are not looked at.
"""

from __future__ import annotations

import heapq
import math
import zlib
from array import array
from collections import Counter
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.examples import Example, Message

PROMPTS_KEPT = 1_000_000
NEAR_KEPT = 100_000
NEAR_VALIDATION_KEPT = 25_000
NEAR = 0.6
PLACES_SHOWN = 5

_BATCH_TEXTS = 1000
_BATCH_CHARACTERS = 2_000_000
_TEXT_CHARACTERS = 50_000
"""Of a longer text only this much is compared for nearness."""
_LEAST_SHINGLES = 8
_TEMPLATE_SHARE = 0.05
_TEMPLATE_FROM = 100
_BANDS, _ROWS = 16, 4
_SIGNATURE = _BANDS * _ROWS
_SYSTEM_PROMPTS_KEPT = 10_000
_LABELS_KEPT = 1_000
_LABEL_CHARACTERS = 40
_LABEL_WORDS = 4
_BIN = 0.05
"""Width of the classes of log length."""
_OUTLIER_DEVIATIONS = 5.0
_OUTLIER_FACTOR = 4.0
_MAD_TO_DEVIATION = 1.4826

Ints = NDArray[np.uint32]
Longs = NDArray[np.uint64]
Row = dict[str, Any]


def place(file: str, line: int | None, several: bool) -> str:
    """A line as it is shown, with its file where there are several."""
    return f"{file}:{line}" if several else str(line)


class Findings:
    """Findings about examples as they come."""

    def __init__(self) -> None:
        self._files: list[str] = []
        self._training = _Seen()
        self._validation = _Seen()
        self._near = _Near()
        self._system: dict[int, list[Any]] = {}
        self._more_system_prompts = 0
        self._without_system = 0
        self._conversations = 0
        self._empty = _Cases()
        self._one_word = _Cases()
        self._same_answers = _Cases()
        self._preferences = 0
        self._labels = Counter[str]()
        self._answers = 0
        self._longer_answers = 0
        self._too_many_labels = False
        self._lengths = Counter[int]()
        self._longest: list[tuple[int, int, int]] = []
        self._shortest: list[tuple[int, int, int]] = []

    def add(self, file: str, line: int | None, example: Example, *, validation: bool = False) -> None:
        """Look at one example.

        Args:
            validation: it is of the validation file, which is only compared with the training file.
        """
        if not self._files or self._files[-1] != file:
            self._files.append(file)
        where = (len(self._files) - 1, line or 0)
        prompt, answer = _prompt_and_answer(example)
        asked_raw, said_raw = _said(prompt), _said(answer)
        asked, said = " ".join(asked_raw.split()), " ".join(said_raw.split())
        seen = self._validation if validation else self._training
        said_hash = _hash(said)
        asked_hash = _hash(asked) if asked else said_hash
        seen.add(asked_hash, said_hash, where)
        compared = " ".join(m for message in prompt if message.role != "system" for m in message.texts) + " " + said
        self._near.add(compared, asked_hash ^ (said_hash >> 1), where, validation)
        if not validation:
            self._note_preference(example, where)
            self._note_system(example, where)
            self._note_answer(example, answer, said, where)
            self._note_length(len(asked_raw) + len(said_raw), where)

    def _note_system(self, example: Example, where: tuple[int, int]) -> None:
        if example.kind in ("text", "completion"):
            return
        self._conversations += 1
        system = "\n".join(text for message in example.messages if message.role == "system" for text in message.texts)
        if not system:
            self._without_system += 1
            return
        key = _hash(system)
        if key in self._system:
            self._system[key][0] += 1
        elif len(self._system) < _SYSTEM_PROMPTS_KEPT:
            self._system[key] = [1, where, " ".join(system[:200].split())[:60]]
        else:
            self._more_system_prompts += 1

    def _note_preference(self, example: Example, where: tuple[int, int]) -> None:
        if example.kind != "preference":
            return
        self._preferences += 1
        preferred, other = (" ".join(_said(answer).split()) for answer in example.answers)
        if preferred == other and not any(message.media for answer in example.answers for message in answer):
            self._same_answers.add(where)

    def _note_answer(self, example: Example, answer: tuple[Message, ...], said: str, where: tuple[int, int]) -> None:
        if example.kind in ("text", "reinforcement") or any(message.media for message in answer):
            return
        self._answers += 1
        if not said:
            self._empty.add(where)
            return
        if " " not in said and len(said) <= _LABEL_CHARACTERS:
            self._one_word.add(where)
        if len(said) > _LABEL_CHARACTERS or said.count(" ") >= _LABEL_WORDS:
            self._longer_answers += 1
        elif said in self._labels or len(self._labels) < _LABELS_KEPT:
            self._labels[said] += 1
        else:
            self._too_many_labels = True

    def _note_length(self, characters: int, where: tuple[int, int]) -> None:
        self._lengths[round(math.log1p(characters) / _BIN)] += 1
        _keep_largest(self._longest, (characters, -where[0], -where[1]))
        _keep_largest(self._shortest, (-characters, -where[0], -where[1]))

    # --- the rows --------------------------------------------------------------------------------------------------------

    def rows(self, several: bool) -> list[Row]:
        """What was found, a row each: finding, cases, of, share, lines, words, advice. Nothing found is no row.

        Args:
            several: whether lines are named with their file.
        """
        several = several or (self._validation.count > 0 and len(set(self._files)) > 2)

        def at(where: tuple[int, int]) -> str:
            return place(self._files[where[0]], where[1], several)

        near, leaked = self._near.pairs()
        rows = [
            self._duplicates(at),
            self._near_duplicates(near, at),
            self._contradictions(at),
            self._equal_answers(at),
            self._empty_answers(at),
            self._one_word_answers(at),
            self._outliers(at),
            self._system_prompts(at),
            self._label_balance(),
            *self._leaks(leaked, at),
        ]
        return [row for row in rows if row is not None]

    def _duplicates(self, at: Any) -> Row | None:
        pairs, count = self._training.repeated()
        return _row(
            "exact duplicates",
            count,
            self._training.kept,
            _shown_pairs(pairs, at),
            "examples repeat an earlier one but for spaces" + self._training.bound(),
            "Keep one of each: a repeated example is learned, and billed, more than once",
        )

    def _near_duplicates(self, pairs: list[tuple[Any, Any]], at: Any) -> Row | None:
        return _row(
            "near duplicates",
            len({later for _, later in pairs}),
            self._near.count,
            _shown_pairs(pairs, at),
            f"examples share an estimated {NEAR:.0%} or more of their runs of three words with an earlier one"
            + self._near.bound(),
            "Look at some pairs; keep one of each unless the difference is what is to be learned",
        )

    def _contradictions(self, at: Any) -> Row | None:
        groups, count = self._training.contradictions()
        shown = "; ".join(" ≠ ".join(at(where) for where in group[:3]) for group in groups[:PLACES_SHOWN])
        return _row(
            "same prompt, different answers",
            count,
            self._training.kept,
            shown,
            "examples ask what another one asks and are answered differently" + self._training.bound(),
            "Decide for one answer, unless variety is wanted",
        )

    def _equal_answers(self, at: Any) -> Row | None:
        return _row(
            "preferences with equal answers",
            self._same_answers.count,
            self._preferences,
            self._same_answers.shown(at),
            "preferences have the same text as the preferred and as the other answer",
            "Remove them or mend an answer: there is nothing to prefer, and they are billed",
        )

    def _empty_answers(self, at: Any) -> Row | None:
        return _row(
            "empty answers",
            self._empty.count,
            self._answers,
            self._empty.shown(at),
            "answers hold no text and no tool call",
            "Write the answer or remove the example: the model learns to say nothing",
        )

    def _one_word_answers(self, at: Any) -> Row | None:
        if self._one_word.count > 0.5 * self._answers:
            return None
        return _row(
            "one-word answers",
            self._one_word.count,
            self._answers,
            self._one_word.shown(at),
            "answers are one word, while most are longer",
            "Check that they are meant so and not cut off",
        )

    def _outliers(self, at: Any) -> Row | None:
        middle = _median(self._lengths)
        deviation = _median(_distances(self._lengths, middle)) * _MAD_TO_DEVIATION
        far = max(_OUTLIER_DEVIATIONS * deviation, math.log(_OUTLIER_FACTOR) / _BIN)
        count = sum(n for length, n in self._lengths.items() if abs(length - middle) > far)

        def is_far(characters: int) -> bool:
            return abs(round(math.log1p(characters) / _BIN) - middle) > far

        longest = [found for found in sorted(self._longest, reverse=True) if is_far(found[0])]
        shortest = [found for found in sorted(self._shortest, reverse=True) if is_far(-found[0])]
        places = [*longest[:PLACES_SHOWN], *shortest[:PLACES_SHOWN]]
        shown = "; ".join(f"{at((-file, -line))} ({abs(n):,} characters)" for n, file, line in places)
        usual = round(math.expm1(middle * _BIN))
        return _row(
            "unusual lengths",
            count,
            self._lengths.total(),
            shown,
            f"examples are over {math.exp(far * _BIN):.1f} times longer or shorter than the median of about {usual:,} characters",
            "Look at them: a broken export, a whole document, or an example cut off",
        )

    def _system_prompts(self, at: Any) -> Row | None:
        kinds = len(self._system) + bool(self._without_system)
        if kinds < 2:
            return None
        top = sorted(self._system.values(), key=lambda found: -found[0])[:5]
        total = max(self._conversations, 1)
        shares = [f"{n / total:.0%} “{text}” from {at(where)}" for n, where, text in top]
        if self._without_system:
            shares.append(f"{self._without_system / total:.0%} without one")
        most = max(self._without_system, top[0][0] if top else 0)
        others = self._conversations - most
        many = f"{len(self._system):,}{' or more' if self._more_system_prompts else ''} different system prompts"
        return _row(
            "inconsistent system prompts",
            others,
            self._conversations,
            at(top[0][1]) if top else "",
            f"conversations differ from the most frequent case ({many}): " + "; ".join(shares),
            "Train with the system prompt that requests will have",
        )

    def _label_balance(self) -> Row | None:
        labels = self._labels
        total = labels.total()
        if self._too_many_labels or self._longer_answers > 0.1 * self._answers or not 2 <= len(labels) <= total / 5:
            return None
        (most, n), (least, fewest) = labels.most_common(1)[0], labels.most_common()[-1]
        if n < 5 * fewest:
            return None
        rare = sum(labels[label] for label in labels if labels[label] * 5 <= n)
        return _row(
            "label imbalance",
            rare,
            total,
            "",
            f"examples have one of the rarer of {len(labels):,} labels: “{most}” {n / total:.0%}, “{least}” {fewest / total:.1%}",
            "Add examples of the rare labels, or judge the result by label and not by accuracy",
        )

    def _leaks(self, near: list[tuple[Any, Any]], at: Any) -> list[Row | None]:
        examples, prompts = self._validation.also_in(self._training)
        told = {here for _, here in (*examples, *prompts)}
        near = [pair for pair in near if pair[1] not in told]
        bound = self._training.bound()
        advice = "Take them out of the training file, or the validation loss is better than the model"
        of = self._validation.count
        return [
            _row(
                "validation examples in training",
                len(examples),
                of,
                _shown_pairs(examples, at, "in training"),
                "validation examples are also in the training file" + bound,
                advice,
            ),
            _row(
                "validation prompts in training",
                len(prompts),
                of,
                _shown_pairs(prompts, at, "in training"),
                "validation prompts are also in the training file, with another answer" + bound,
                advice,
            ),
            _row(
                "validation examples near training",
                len({later for _, later in near}),
                of,
                _shown_pairs(near, at, "in training"),
                f"validation examples share an estimated {NEAR:.0%} or more of their runs of three words with a training example"
                + self._near.bound(),
                advice,
            ),
        ]


def _row(finding: str, cases: int, of: int, lines: str, words: str, advice: str) -> Row | None:
    if not cases:
        return None
    share = cases / of
    told = f"{cases:,} of {of:,} {words}"
    return {"finding": finding, "cases": cases, "of": of, "share": share, "lines": lines, "words": told, "advice": advice}


def _shown_pairs(pairs: list[tuple[Any, Any]], at: Any, note: str = "") -> str:
    """The first pairs as ``later = earlier``."""
    return "; ".join(f"{at(later)} = {at(earlier)}{f' {note}' if note else ''}" for earlier, later in pairs[:PLACES_SHOWN])


class _Cases:
    """A count, and where the first ones are."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[tuple[int, int]] = []

    def add(self, where: tuple[int, int]) -> None:
        self.count += 1
        if len(self.first) < PLACES_SHOWN:
            self.first.append(where)

    def shown(self, at: Any) -> str:
        return ", ".join(map(at, self.first))


def _keep_largest(heap: list[tuple[int, int, int]], found: tuple[int, int, int]) -> None:
    if len(heap) < PLACES_SHOWN:
        heapq.heappush(heap, found)
    elif found > heap[0]:
        heapq.heapreplace(heap, found)


def _median(counts: Counter[int]) -> int:
    reached, total = 0, counts.total()
    for value in sorted(counts):
        reached += counts[value]
        if 2 * reached >= total:
            return value
    return 0


def _distances(counts: Counter[int], middle: int) -> Counter[int]:
    distances = Counter[int]()
    for value, n in counts.items():
        distances[abs(value - middle)] += n
    return distances


def _prompt_and_answer(example: Example) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """What is asked and what is learned: the last answer of a conversation, the preferred one of a preference."""
    messages = example.messages
    if example.answers:
        return messages, example.answers[0]
    if example.kind == "text":
        return (), messages
    if messages and messages[-1].role == "assistant":
        return messages[:-1], messages[-1:]
    return messages, ()


def _said(messages: tuple[Message, ...]) -> str:
    return "\n".join(
        [text for message in messages for text in (message.role, *message.texts, *message.calls)][len(messages) == 1 :]
    )


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


# --- exact comparisons -------------------------------------------------------------------------------------------------------


class _Seen:
    """Hashes of prompts and answers with their place; beyond the bound those of a share of the prompts."""

    def __init__(self) -> None:
        self.count = 0
        self._halvings = 0
        self._prompts, self._answers = array("Q"), array("Q")
        self._files, self._lines = array("H"), array("I")

    @property
    def kept(self) -> int:
        return len(self._prompts)

    def bound(self) -> str:
        """In words, what was compared where it was not all."""
        return f" (of 1 in {2**self._halvings} prompts, drawn by hash)" if self._halvings else ""

    def add(self, prompt: int, answer: int, where: tuple[int, int]) -> None:
        self.count += 1
        if prompt & ((1 << self._halvings) - 1):
            return
        self._prompts.append(prompt)
        self._answers.append(answer)
        self._files.append(min(where[0], 65_535))
        self._lines.append(min(where[1], 2**32 - 1))
        if len(self._prompts) > PROMPTS_KEPT:
            self._halve()

    def _halve(self) -> None:
        self._halvings += 1
        kept = (self.prompts & np.uint64((1 << self._halvings) - 1)) == 0
        for name in ("_prompts", "_answers", "_files", "_lines"):
            column = getattr(self, name)
            left = np.frombuffer(column, dtype=column.typecode)[kept].tobytes()
            setattr(self, name, array(column.typecode, left))

    @property
    def prompts(self) -> Longs:
        return np.frombuffer(self._prompts, dtype=np.uint64)

    @property
    def examples(self) -> Longs:
        """One hash for prompt and answer."""
        return self.prompts * np.uint64(0x9E3779B97F4A7C15) ^ np.frombuffer(self._answers, dtype=np.uint64)

    def where(self, index: int) -> tuple[int, int]:
        return self._files[index], self._lines[index]

    def repeated(self) -> tuple[list[tuple[Any, Any]], int]:
        """The first (earlier, later) pairs of equal examples, and how many examples repeat an earlier one."""
        if not self.kept:
            return [], 0
        _, firsts, back = np.unique(self.examples, return_index=True, return_inverse=True)
        earlier = firsts[back]
        later = np.flatnonzero(earlier != np.arange(self.kept))
        return [(self.where(int(earlier[i])), self.where(int(i))) for i in later[:PLACES_SHOWN]], len(later)

    def contradictions(self) -> tuple[list[list[tuple[int, int]]], int]:
        """Groups of places with one prompt and different answers, and how many examples are in such groups."""
        if not self.kept:
            return [], 0
        _, firsts = np.unique(self.examples, return_index=True)
        firsts.sort()
        prompts, counts = np.unique(self.prompts[firsts], return_counts=True)
        disputed = prompts[counts > 1]
        among = np.flatnonzero(np.isin(self.prompts, disputed))
        groups: dict[int, list[tuple[int, int]]] = {}
        for index in firsts[np.isin(self.prompts[firsts], disputed)]:
            prompt = self._prompts[int(index)]
            if prompt in groups or len(groups) < PLACES_SHOWN:
                groups.setdefault(prompt, []).append(self.where(int(index)))
        return list(groups.values()), len(among)

    def also_in(self, other: _Seen) -> tuple[list[tuple[Any, Any]], list[tuple[Any, Any]]]:
        """(place there, place here) of the examples, and of the prompts of other examples, that the other has too."""
        if not self.kept or not other.kept:
            return [], []
        same, same_prompt = _found_in(self.examples, other.examples), _found_in(self.prompts, other.prompts)
        examples = [(other.where(int(there)), self.where(here)) for here, there in enumerate(same) if there >= 0]
        prompts = [
            (other.where(int(there)), self.where(here)) for here, there in enumerate(same_prompt) if there >= 0 > same[here]
        ]
        return examples, prompts


def _found_in(wanted: Longs, among: Longs) -> NDArray[np.int64]:
    """Of each where it is first, or -1."""
    values, firsts = np.unique(among, return_index=True)
    at = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    return np.where(values[at] == wanted, firsts[at], -1)


# --- near duplicates ---------------------------------------------------------------------------------------------------------


class _WordHashes(dict[str, int]):
    """Hashes of words, remembered while they are few."""

    def __missing__(self, word: str) -> int:
        if len(self) > 200_000:
            self.clear()
        self[word] = value = zlib.crc32(word.encode("utf-8", "surrogatepass"))
        return value


class _Near:
    """MinHash signatures of texts in batches, and the pairs that are near."""

    def __init__(self) -> None:
        generator = np.random.default_rng(20_261_121)
        self._multipliers = generator.integers(0, 2**32, _SIGNATURE, dtype=np.uint32) | np.uint32(1)
        self._masks = generator.integers(0, 2**32, _SIGNATURE, dtype=np.uint32)
        self._words = _WordHashes()
        self._template: NDArray[np.bool_] | None = None
        self._texts: list[str] = []
        self._characters = 0
        self._waiting: list[tuple[int, int, bool, int]] = []
        self._signatures: list[Ints] = []
        self._places: list[tuple[int, int, bool, int]] = []
        self._taken = [0, 0]
        self._left_out = False

    @property
    def count(self) -> int:
        """Training examples that were looked at."""
        return self._taken[0]

    def bound(self) -> str:
        """In words, what was compared where it was not all."""
        return f" (of the first {NEAR_KEPT:,} examples)" if self._left_out else ""

    def add(self, text: str, identity: int, where: tuple[int, int], validation: bool) -> None:
        """A text to compare; texts of one identity are equal and no near duplicates."""
        if self._taken[validation] >= (NEAR_VALIDATION_KEPT if validation else NEAR_KEPT):
            self._left_out = True
            return
        self._taken[validation] += 1
        self._texts.append(text[:_TEXT_CHARACTERS])
        self._waiting.append((*where, validation, identity))
        self._characters += min(len(text), _TEXT_CHARACTERS)
        if len(self._texts) >= _BATCH_TEXTS or self._characters >= _BATCH_CHARACTERS:
            self._sign()

    def _sign(self) -> None:
        shingles, owners = self._shingles()
        if self._template is None:
            self._template = _template(shingles, owners, len(self._texts))
        kept = ~self._template[shingles & np.uint32(0xFFFF)]
        shingles, owners = shingles[kept], owners[kept]
        counts = np.bincount(owners, minlength=len(self._texts))
        enough = counts[owners] >= _LEAST_SHINGLES
        shingles, owners = shingles[enough], owners[enough]
        if len(shingles):
            starts = np.flatnonzero(np.diff(owners, prepend=-1))
            signatures = np.empty((len(starts), _SIGNATURE), dtype=np.uint32)
            for k in range(_SIGNATURE):
                signatures[:, k] = np.minimum.reduceat((shingles ^ self._masks[k]) * self._multipliers[k], starts)
            self._signatures.append(signatures)
            self._places += [self._waiting[owner] for owner in owners[starts].tolist()]
        self._texts.clear()
        self._waiting.clear()
        self._characters = 0

    def _shingles(self) -> tuple[Ints, NDArray[np.int64]]:
        """Hashes of all runs of three words (characters where there are no spaces), and of each the number of its text."""
        hashes: list[int] = []
        lengths = []
        known = self._words.__getitem__
        for text in self._texts:
            words: list[str] | str = text.lower().split()
            if len(words) * 30 < len(text):
                words = text.lower()
            hashes += map(known, words)
            lengths.append(len(words))
        word = np.array(hashes, dtype=np.uint32)
        owners = np.repeat(np.arange(len(lengths)), lengths)
        if len(word) < 3:
            return word[:0], owners[:0]
        runs = word[:-2] * np.uint32(0x9E3779B1) ^ word[1:-1] * np.uint32(0x85EBCA77) ^ word[2:] * np.uint32(0xC2B2AE3D)
        runs ^= runs >> np.uint32(15)
        whole = owners[:-2] == owners[2:]
        return runs[whole], owners[:-2][whole]

    def pairs(self) -> tuple[list[tuple[Any, Any]], list[tuple[Any, Any]]]:
        """(earlier, later) places of near training examples, and (training, validation) places of near leaks."""
        if self._texts:
            self._sign()
        if not self._signatures:
            return [], []
        signatures = np.concatenate(self._signatures)
        self._signatures = [signatures]
        first = _first_near(signatures)
        near: list[tuple[Any, Any]] = []
        leaked: list[tuple[Any, Any]] = []
        for later, earlier in sorted(first.items()):
            here, there = self._places[later], self._places[earlier]
            if here[2] and not there[2]:
                leaked.append((there[:2], here[:2]))
            elif not here[2] and here[3] != there[3]:
                near.append((there[:2], here[:2]))
        return near, leaked


def _template(shingles: Ints, owners: NDArray[np.int64], texts: int) -> NDArray[np.bool_]:
    """Which shingles, by their last 16 bits, are in so many texts that they say nothing about any."""
    found = np.zeros(1 << 16, dtype=bool)
    if texts >= _TEMPLATE_FROM:
        once = np.unique(owners.astype(np.uint64) << np.uint64(32) | shingles)
        values, counts = np.unique((once & np.uint64(0xFFFFFFFF)).astype(np.uint32), return_counts=True)
        found[values[counts > _TEMPLATE_SHARE * texts] & np.uint32(0xFFFF)] = True
    return found


def _first_near(signatures: Ints) -> dict[int, int]:
    """Of each text that is near an earlier one, the earliest that a band brought up."""
    first: dict[int, int] = {}
    for band in range(_BANDS):
        rows = signatures[:, band * _ROWS : (band + 1) * _ROWS].astype(np.uint64)
        key = rows[:, 0]
        for row in range(1, _ROWS):
            key = key * np.uint64(0x9E3779B97F4A7C15) + rows[:, row]
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        begins = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] ^ np.uint64(1)))
        run = np.repeat(begins, np.diff(begins, append=len(order)))
        for other in (order[run], np.concatenate([order[:1], order[:-1]])):  # the run's first, and the one before
            candidates = (ordered == key[other]) & (other < order)
            later, earlier = order[candidates], other[candidates]
            for start in range(0, len(later), 100_000):
                a, b = later[start : start + 100_000], earlier[start : start + 100_000]
                alike = (signatures[a] == signatures[b]).mean(axis=1) >= NEAR
                for i, j in zip(a[alike].tolist(), b[alike].tolist(), strict=True):
                    if j < first.get(i, i):
                        first[i] = j
    return first
