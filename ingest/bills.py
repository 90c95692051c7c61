"""From a training file to every provider's bill: one reading of it counts for all tokenizers that the offers need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from calc.training_bill import Job, Standing, TrainingBill, TrainingSet, training_bills, training_offers
from ingest.counting import Counting, counting_for
from ingest.dataset import SAMPLED_RECORDS, Measured, measure
from ingest.errors import InputError, Problem
from ingest.examples import Kind
from ingest.formats import Unusable, detect, example_of
from ingest.inspection import Inspection, upload_of, uploads
from ingest.records import records
from ingest.sources import Source, size_bytes
from pricing import Rates
from pricing.book import Method

METHOD_OF_KIND: dict[str, Method] = {
    "chat": "sft",
    "completion": "sft",
    "preference": "dpo",
    "reinforcement": "rft",
    "text": "cpt",
}
"""How a provider trains on examples of a kind; on single judged answers none in the price book does."""
STAND_IN = "o200k_base"
"""Counts for offers that name no one model, such as a size of models."""


@dataclass(frozen=True)
class FileBills:
    """The bills of a file, and what was measured of it."""

    method: Method
    bills: tuple[TrainingBill, ...]
    measured: Measured
    validation: Measured | None
    tool_definition_tokens: int
    """Most tokens of tool definitions that a tokenizer finds; no bill has them."""
    teacher_tokens: tuple[float, float] | None = None
    """Mean tokens a teacher model reads and writes for an example, by its own counting, where one was named."""
    uploads: Mapping[str, str] = field(default_factory=dict)
    """By provider, what its upload does with the file as it is; see `ingest.inspection.uploads`."""

    def upload(self, bill: TrainingBill) -> str:
        """What becomes of the file as it is at a bill's offer."""
        return upload_of(bill.offer, bill.name, self.uploads)

    @property
    def is_partial(self) -> bool:
        """Whether records, media or tool definitions of the file are in no bill."""
        of_validation = self.validation is not None and self.validation.problem_count > 0
        return of_validation or bool(self.measured.problem_count or self.measured.media or self.tool_definition_tokens)


def file_bills(
    rates: Rates,
    sources: Source | Sequence[Source],
    job: Job | None = None,
    *,
    method: Method | None = None,
    validation: Source | None = None,
    wanted: Callable[[str], bool] = lambda offer: True,  # noqa: ARG005
    providers: Iterable[str] | None = None,
    organisation: dict[str, Standing] | None = None,
    accept_unverified: Iterable[str] = (),
    teacher: str | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> FileBills:
    """What every provider charges to train on a file.

    Args:
        job: how it is run; its method is replaced by ``method``, or by what suits the file's examples.
        validation: a file of validation examples.
        wanted: which offers, by their id.
        providers, organisation, accept_unverified: as in `calc.training_bill.training_bills`.
        teacher: a model that could have written the answers; its tokens are counted, too.
        on_progress: called with the bytes read since the last call.

    Raises:
        InputError: the file cannot be read or holds no usable example, nobody trains on such examples, its files are trained
            on in different ways, or no offer is wanted that does.
        NotInstalled: an extra is missing.
        UnknownOffer: a provider is not in the book.
    """
    method = method or method_of(sources)
    providers = None if providers is None else list(providers)
    offers = dict.fromkeys(offer for offer, _ in training_offers(rates, method, providers) if wanted(offer))
    countings = countings_of(rates, offers)
    every = [counting for counting, _ in countings.values()] or [counting_for(STAND_IN)]
    taught = _counting(rates, teacher)[0] if teacher else None
    every += [taught] if taught else []
    inspection = Inspection(findings=False)
    measured = measure(sources, every, on_progress=on_progress, on_record=inspection.add)
    held_out = None if validation is None else measure(validation, every, on_record=inspection.add_validation)
    _refuse_mixed(measured.name, measured.examples + (Counter() if held_out is None else held_out.examples))
    tables = inspection.tables(measured, size_bytes=size_bytes(sources))
    found = training_bills(
        rates,
        training_sets(measured, held_out, countings),
        replace(job or Job(), method=method),
        providers=providers,
        organisation=organisation,
        accept_unverified=accept_unverified,
    )
    tools = max((family.tool_definition_tokens for family in measured.families.values()), default=0)
    bills = tuple(bill for bill in found if wanted(bill.offer))
    return FileBills(method, bills, measured, held_out, tools, _mean_tokens(measured, taught), uploads(tables))


def _refuse_mixed(name: str, examples: Counter[str]) -> None:
    if len({METHOD_OF_KIND.get(kind) for kind in examples}) > 1:
        held = ", ".join(f"{n:,} × {kind}" for kind, n in examples.most_common())
        wrong = f"its files, with those of validation, hold examples that no one job trains on: {held}"
        raise InputError(Problem(name, wrong, "", "Bill the files of each kind apart, by their names or by a pattern"))


def method_of(sources: Source | Sequence[Source]) -> Method:
    """How the examples of a file are trained on, by the kind of most of its first records.

    Raises:
        InputError: no record can be read, or nobody trains on examples of that kind.
    """
    sample = list(islice(records(sources), SAMPLED_RECORDS))
    detected = detect(sample)
    kinds: Counter[Kind] = Counter()
    for record in sample:
        try:
            kinds[example_of(record, detected.format).kind] += 1
        except Unusable:
            continue
    return method_of_kind(kinds.most_common(1)[0][0] if kinds else "chat", sample[0].file)


def method_of_kind(kind: str, file: str) -> Method:
    """How examples of a kind are trained on.

    Raises:
        InputError: nobody trains on examples of that kind; it names the file.
    """
    if kind not in METHOD_OF_KIND:
        raise InputError(
            Problem(
                file,
                f"it holds examples of the kind '{kind}', on which no provider in the price book trains",
                "Expected conversations, prompts with completions, preferences, prompts to be graded, or text",
                "Pair good and bad answers to the same prompt to make preferences",
            )
        )
    return METHOD_OF_KIND[kind]


def countings_of(rates: Rates, offers: Iterable[str]) -> dict[str, tuple[Counting, str]]:
    """How the tokens of each offer are counted, and a word on it where that is not by its own tokenizer.

    Raises:
        UnknownOffer: an offer is not in the book.
        NotInstalled: the ``tokens`` extra is missing.
    """
    return {offer: _counting(rates, offer) for offer in offers}


def training_sets(
    measured: Measured, held_out: Measured | None, countings: Mapping[str, tuple[Counting, str]]
) -> dict[str, TrainingSet]:
    """A file's examples as each offer counts them.

    Args:
        measured: by every way of counting in ``countings``, as is the validation file ``held_out``.
    """
    made: dict[tuple[object, ...], TrainingSet] = {}
    found: dict[str, TrainingSet] = {}
    for offer, (counting, estimated) in countings.items():
        way = (counting.family, counting.factor and counting.factor.likely, counting.label, estimated)
        if way not in made:
            made[way] = _training_set(measured, held_out, counting, estimated)
        found[offer] = made[way]
    return found


def _counting(rates: Rates, offer: str) -> tuple[Counting, str]:
    """How an offer's tokens are counted, and a word on it where that is not by its own tokenizer."""
    item = rates.item(offer)[2]
    for name in filter(None, (item.weights, offer)):
        try:
            counting = counting_for(name, assumptions=rates.assumptions)
        except InputError:
            continue
        if counting.exact and not counting.template_is_known:
            return counting, f"{counting.label}, chat template estimated"
        return counting, "" if counting.exact else counting.label
    return counting_for(STAND_IN), f"estimate: {STAND_IN} stands in"


def _training_set(measured: Measured, held_out: Measured | None, counting: Counting, estimated: str) -> TrainingSet:
    def lengths(of: Measured) -> dict[int, int]:
        family = of.family(counting)
        return dict((family if counting.factor is None else family.scaled(counting.factor.likely)).lengths)

    pairs = measured.examples.most_common(1)[0][0] == "preference"
    return TrainingSet(
        lengths(measured),
        {} if held_out is None else lengths(held_out),
        counted_by=estimated or counting.label,
        exact=not estimated,
        sequences_per_example=2 if pairs else 1,
    )


def _mean_tokens(measured: Measured, counting: Counting | None) -> tuple[float, float] | None:
    """Tokens of a request and of its answer, template included, averaged over the examples."""
    if counting is None:
        return None
    family, examples = measured.family(counting), measured.examples.total()
    factor = 1.0 if counting.factor is None else counting.factor.likely
    written = family.trained_tokens
    return (family.total_tokens() - written) * factor / examples, written * factor / examples
