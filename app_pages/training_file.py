"""Training files of a session: kept on disk without a name, read once with progress, the last answers remembered.

Of a file's text nothing stays in memory: an upload is copied to a temporary file that ends with the session, and what is
measured holds counts, the first problems and the beginning of the opening that its examples share.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast, get_args

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import DeletedFile

from calc.training_bill import training_offers
from ingest.bills import countings_of
from ingest.counting import Counting, counting_for
from ingest.data_scenario import DEFAULT_MODEL
from ingest.dataset import Measured, measure
from ingest.errors import Problem
from ingest.examples import Example
from ingest.inspection import Inspection, Tables
from ingest.records import Record
from ingest.savings import DataFile, OpeningReader
from pricing import Rates
from pricing.book import Method
from reports.csv import safe
from tuneworth import tokens

SAMPLE = Path(__file__).resolve().parents[1] / "examples" / "support_replies.jsonl"
PROBLEMS_LISTED = 200_000
"""Problems in the list that can be downloaded; all are counted."""
KINDS_LISTED = 500
READINGS_REMEMBERED = 4
FINDINGS_UP_TO_BYTES = 50_000_000
"""Of larger files the quality is not looked at: it takes some three times as long as counting."""
_BLOCK_BYTES = 1 << 20
_UPDATE_SECONDS = 0.2
_STATE = "training data"


@dataclass(frozen=True)
class Kept:
    """A file on disk that has no name there: it is gone with the last reference to it."""

    name: str
    size: int
    digest: str
    file: BinaryIO
    is_sample: bool = False


@dataclass(frozen=True)
class Question:
    """What is to be read, and how."""

    file: Kept
    validation: Kept | None = None
    format: str | None = None
    """None: what most records look like."""

    def key(self, countings: Mapping[str, tuple[Counting, str]]) -> tuple[Any, ...]:
        """Two of the same key have the same reading."""
        held_out = self.validation.digest if self.validation else None
        families = frozenset(counting.family for counting, _ in countings.values())
        return self.file.digest, self.file.name, held_out, self.format, families


@dataclass
class Problems:
    """What is left out of a file: every case counted by kind, and written down to be downloaded."""

    kinds: Counter[str] = field(default_factory=Counter)
    listed: int = 0
    file: Any = field(default_factory=lambda: tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace", newline=""))  # noqa: SIM115

    def add(self, problem: Problem) -> None:
        """Note one."""
        kind = kind_of(problem.wrong)
        self.kinds[kind if kind in self.kinds or len(self.kinds) < KINDS_LISTED else "other"] += 1
        writer = csv.writer(self.file)
        if not self.listed:
            writer.writerow(["file", "line", "problem"])
        if self.listed < PROBLEMS_LISTED:
            writer.writerow([safe(problem.file), "" if problem.line is None else problem.line, safe(problem.in_file)])
            self.listed += 1

    def as_csv(self) -> bytes:
        """The list, the first two hundred thousand."""
        self.file.seek(0)
        return cast(str, self.file.read()).encode()


@dataclass(frozen=True)
class Reading:
    """What a file holds by every way of counting that an offer needs."""

    question: Question
    measured: Measured
    validation: Measured | None
    data: DataFile
    """Counted as the model that would be prompted counts."""
    problems: Problems
    tables: Tables
    """What providers' rules and a look at quality say of it."""
    has_findings: bool
    """Whether its quality was looked at."""
    seconds: float


@dataclass
class Desk:
    """What a session has on its desk."""

    question: Question
    sample: Kept
    shown: Reading | None = None
    """The last that could be read."""
    problem: str = ""
    """Why the last question has no answer of its own."""
    round: int = 0
    """Uploaders begin anew with each."""
    readings: dict[tuple[Any, ...], Reading] = field(default_factory=dict)


def desk() -> Desk:
    """This session's; at first with the sample."""
    if _STATE not in st.session_state:
        with SAMPLE.open("rb") as file:
            sample = kept(file, SAMPLE.name, is_sample=True)
        st.session_state[_STATE] = Desk(Question(sample), sample)
    found: Desk = st.session_state[_STATE]
    return found


def measured_desk() -> Desk | None:
    """This session's, where the page Training data was opened; None otherwise."""
    found: Desk | None = st.session_state.get(_STATE)
    return found


def kept(file: BinaryIO, name: str, *, is_sample: bool = False) -> Kept:
    """A copy of a file on disk, block by block."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115
    copy.raw.name = name  # type: ignore[attr-defined]  # what messages call it
    digest, size = hashlib.sha256(), 0
    while block := file.read(_BLOCK_BYTES):
        copy.write(block)
        digest.update(block)
        size += len(block)
    copy.seek(0)
    return Kept(name, size, digest.hexdigest(), cast(BinaryIO, copy), is_sample)


def taken(key: str) -> Kept | None:
    """What an uploader holds, moved to disk: the server's copy in memory is let go."""
    upload = st.session_state.get(key)
    if upload is None or isinstance(upload, DeletedFile):  # taken already: a rerun amid the counting asks a second time
        return None
    found = kept(cast(BinaryIO, upload), shown_name(upload.name))
    context = get_script_run_ctx()
    if context is not None:
        context.uploaded_file_mgr.remove_file(session_id=context.session_id, file_id=upload.file_id)
    return found


def shown_name(name: str) -> str:
    """An upload's name without folders and what cannot be printed; quotes and line ends as a browser sends them are read."""
    last = re.split(r"[/\\]", re.sub("%0[AD]", " ", name.replace("%22", '"'), flags=re.IGNORECASE))[-1]
    return "".join(letter for letter in last if letter.isprintable())[:120] or "the uploaded file"


def kind_of(wrong: str) -> str:
    """What a problem has in common with others of its kind: its words without the case's own."""
    without_details = re.sub(r" \([^()]*(?:\([^()]*\)[^()]*)*\)", "", wrong)
    return re.sub(r"\d[\d,]*", "…", re.sub(r"'[^']{0,200}'", "'…'", without_details))[:160]


def offers_countings(rates: Rates) -> dict[str, tuple[Counting, str]]:
    """How every offer that sells training by any method counts."""
    offers = dict.fromkeys(offer for method in get_args(Method) for offer, _ in training_offers(rates, method))
    return countings_of(rates, offers)


def default_counting(rates: Rates) -> Counting:
    """How ``tuneworth tokens`` counts unless a model is named: the page's figures on the file are its figures."""
    return counting_for(tokens.DEFAULT_MODEL, assumptions=rates.assumptions)


def read(question: Question, rates: Rates, countings: Mapping[str, tuple[Counting, str]]) -> Reading:
    """A file as all offers count it: remembered, or read now with progress and a button to cancel.

    Raises:
        InputError: it cannot be read or holds no usable example.
        NotInstalled: an extra is missing.
    """
    here, key = desk(), question.key(countings)
    if key not in here.readings:
        slot = st.empty()
        with slot.container(border=True, horizontal=True, vertical_alignment="center"):
            bar = st.progress(0.0, text=f"Counting {question.file.name}")
            before = here.shown.question if here.shown else Question(here.sample)
            st.button("Cancel", on_click=_cancel, args=(before,), key="cancel counting")
        try:
            here.readings[key] = _read(question, rates, countings, bar.progress)
        finally:
            slot.empty()
        while len(here.readings) > READINGS_REMEMBERED:
            del here.readings[next(iter(here.readings))]
    return here.readings[key]


def _cancel(before: Question) -> None:
    """Go back to what was shown when the counting began, even where it has ended meanwhile."""
    desk().question = before


def _read(
    question: Question, rates: Rates, countings: Mapping[str, tuple[Counting, str]], show: Callable[[float, str], Any]
) -> Reading:
    begun = time.monotonic()
    prompted = counting_for(DEFAULT_MODEL, assumptions=rates.assumptions)
    every = [prompted, default_counting(rates), *(counting for counting, _ in countings.values())]
    opening, problems = OpeningReader(prompted), Problems()
    progress = _Progress(question, show)
    has_findings = question.file.size <= FINDINGS_UP_TO_BYTES
    inspection = Inspection(findings=has_findings)
    measured = measure(
        question.file.file, every, format=question.format, on_progress=progress.add, on_problem=problems.add,
        on_example=opening.add, on_record=progress.counting(inspection.add),
    )  # fmt: skip
    held_out = None
    if question.validation is not None:
        held_out = measure(
            question.validation.file, every, on_progress=progress.add, on_problem=problems.add,
            on_record=progress.counting(inspection.add_validation),
        )  # fmt: skip
    tables = inspection.tables(measured, prompted, rates, question.file.size)
    data, seconds = opening.result(measured), time.monotonic() - begun
    return Reading(question, measured, held_out, data, problems, tables, has_findings, seconds)


OnRecord = Callable[[Record, Example | None], None]


class _Progress:
    """Bytes and records read so far, shown a few times a second; of a compressed file one read holds many records."""

    def __init__(self, question: Question, show: Callable[[float, str], Any]) -> None:
        self._name = question.file.name
        self._total = question.file.size + (question.validation.size if question.validation else 0)
        self._show = show
        self._done = self._records = 0
        self._begun = self._shown = time.monotonic()

    def add(self, read_bytes: int) -> None:
        self._done += read_bytes
        self._update()

    def counting(self, on_record: OnRecord) -> OnRecord:
        """The same, with every record counted."""

        def counted(record: Record, example: Example | None) -> None:
            self._records += 1
            self._update()
            on_record(record, example)

        return counted

    def _update(self) -> None:
        now = time.monotonic()
        if now - self._shown >= _UPDATE_SECONDS:
            self._shown = now
            share = min(self._done / max(self._total, 1), 1.0)
            read = progress_words(self._done, self._total, now - self._begun)
            self._show(share, f"Counting {self._name}: {read}; {self._records:,} records")


def progress_words(done_bytes: int, total_bytes: int, seconds: float) -> str:
    """How far a reading is and how long it still takes at its speed so far: 45 of 200 MB, 12 s left."""
    if 0 < total_bytes <= done_bytes:
        return f"all of {total_bytes / 1e6:,.1f} MB read, the rest of it is being counted"
    left = seconds * (total_bytes - done_bytes) / done_bytes if 0 < done_bytes <= total_bytes else 0.0
    time_left = f"{left:.0f} s" if left < 100 else f"{left / 60:.0f} min"
    return f"{done_bytes / 1e6:,.0f} of {total_bytes / 1e6:,.0f} MB, {time_left} left"


def problem_csv(problems: Problems) -> Callable[[], io.BytesIO]:
    """The list as a download, made when it is asked for."""
    return lambda: io.BytesIO(problems.as_csv())
