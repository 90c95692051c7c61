"""What the user states: a workload, a task, and any number of approaches composed of parts.

A field's unit is in its name. Fields left out take a sourced default or a shown assumption (`pricing/assumptions`).
Any number of type `Number` and its kin may be given as a range (`calc.estimate`).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Discriminator, Field, PrivateAttr, Tag, field_validator, model_validator

from calc.estimate import (
    ESTIMATE_KEYS,
    Estimate,
    GrowthShare,
    HourlyRate,
    HoursOfMonth,
    Months,
    Multiple,
    NonNegative,
    OptionalDays,
    OptionalHours,
    OptionalNonNegative,
    OptionalPositive,
    OptionalShare,
    OptionalShareAboveZero,
    OptionalShareBelowOne,
    Positive,
    Share,
    ShareFromTraffic,
    WholePositive,
    resolve,
)
from pricing.currency import known_currency
from pricing.model import ExchangeRate

Family = Literal["prompting", "few-shot", "rag", "fine-tuning", "hybrid"]
FAMILIES: tuple[Family, ...] = ("prompting", "few-shot", "rag", "fine-tuning", "hybrid")

OfferId = Annotated[str, Field(pattern=r"^[^/\s]+/[^/\s]+$")]
"""``provider/model``, ``provider/store`` …, or ``maker/model`` for open weights."""


class _Stated(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _largest(number: Any) -> Any:
    """The largest value of a number, of a range as stated, or of several."""
    return max(number.stated) if isinstance(number, Estimate) else np.max(number)


# --- workload -----------------------------------------------------------------------------------------------------------


class FlatGrowth(_Stated):
    """The volume stays as in month 0."""

    kind: Literal["flat"] = "flat"


class CompoundGrowth(_Stated):
    """Each month's volume is (1 + monthly_share) times the last one's."""

    kind: Literal["compound"]
    monthly_share: GrowthShare
    """Growth per month: 0.03 is three per cent a month; negative shrinks."""


class LinearGrowth(_Stated):
    """The volume rises by the same share of month 0 every month."""

    kind: Literal["linear"]
    monthly_share: GrowthShare
    """Share of month 0's volume added each month."""


class SCurveGrowth(_Stated):
    """A logistic rise from month 0 to final_multiple times month 0."""

    kind: Literal["s-curve"]
    final_multiple: Multiple
    """Volume in the end, as a multiple of month 0."""
    midpoint_month: Months
    """Month in which half of the rise is done."""
    months_from_10_to_90_percent: Months
    """How long the steep part takes."""


class SeasonalGrowth(_Stated):
    """Twelve factors, January to December, relative to each other; month 0 keeps the stated volume."""

    kind: Literal["seasonal"]
    january_to_december: tuple[Positive, ...] = Field(min_length=12, max_length=12)
    """Relative volume of each calendar month."""


class SeriesGrowth(_Stated):
    """The volume of every month, in any unit: only ratios to the first one count."""

    kind: Literal["series"]
    requests_by_month: tuple[Positive, ...] = Field(min_length=1)
    """One number a month, at least as many as the horizon has months."""


Growth = Annotated[
    FlatGrowth | CompoundGrowth | LinearGrowth | SCurveGrowth | SeasonalGrowth | SeriesGrowth, Field(discriminator="kind")
]


MOST_TURNS = 1000
"""Turns of one conversation: each is priced on its own, at its own context tier."""


class Workload(_Stated):
    """The requests to be answered and their token counts."""

    requests_per_month: WholePositive
    """Requests in month 0; each turn of a conversation is a request."""
    growth: Growth = FlatGrowth()
    """How the volume moves after month 0."""
    user_tokens: NonNegative
    """Tokens of one user message."""
    answer_tokens: NonNegative
    """Visible tokens of one answer."""
    reasoning_tokens_per_answer_token: NonNegative = 0
    """Hidden reasoning tokens billed for each visible one; they do not enter later turns."""
    turns_per_conversation: int | tuple[int, ...] = 1
    """Turns of every conversation, or a list of observed ones; turn j carries the history of the j − 1 before it."""
    seconds_between_turns: OptionalPositive = None
    """Gap between turns; where it is within the cache's lifetime, earlier history is read from cache. Default: it is not."""
    active_hours_per_day: OptionalHours = None
    """Hours of the day with traffic, at most 24. Default: the assumption serving.active_hours_per_day."""
    active_hours_utc: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):00-([01]\d|2[0-4]):00$")] | None = None
    """When the active hours are, ``08:00-20:00``, for providers with time-of-day prices. Default: spread over the week."""
    active_days_per_month: OptionalDays = None
    """Days of the month with traffic. Default: 730 ÷ 24."""
    peak_factor: OptionalPositive = None
    """Peak requests per second over the mean in active hours. Default: the assumption serving.peak_factor."""
    cache_hit_share: ShareFromTraffic = "from_traffic"
    """Share of requests that find the prompt prefix cached, or from_traffic to derive it from the volume."""
    batch_share: Share = 0
    """Share of requests that may wait for the provider's batch rates."""
    retry_share: Share = 0
    """Technical retries: billed attempts are (1 + this) per request."""

    @model_validator(mode="after")
    def _possible(self) -> Workload:
        turns = self.turns_per_conversation if isinstance(self.turns_per_conversation, tuple) else (self.turns_per_conversation,)
        if not turns or min(turns) < 1 or max(turns) > MOST_TURNS:
            raise ValueError(f"turns_per_conversation must be between 1 and {MOST_TURNS:,}, or a list of such numbers")
        if self.active_hours_utc is not None and self.active_hours_utc[:2] == self.active_hours_utc[6:8]:
            raise ValueError(f"active_hours_utc {self.active_hours_utc} is empty; write 00:00-24:00 for the whole day")
        if self.active_hours_utc is not None and self.active_hours_per_day is not None:
            raise ValueError("active_hours_per_day follows from active_hours_utc: state one of them")
        return self


TaskKind = Literal["style", "format", "classification", "extraction", "facts", "reasoning", "code", "drafting", "preference"]


class Task(_Stated):
    """What the answers are for: it decides defaults of data and staff, and what a rejected answer costs."""

    kind: TaskKind
    """Picks the defaults for writing and reviewing an example."""
    examples: OptionalNonNegative = None
    """Training examples at hand or to be made."""
    tokens_per_example: OptionalPositive = None
    """Tokens of one training example; also of one few-shot example."""
    corpus_tokens: OptionalPositive = None
    """Tokens of the documents that answers draw on; retrieval needs it."""
    facts_changing_per_month_share: Share = 0
    """Share of the documents' content that changes in a month."""
    rejected_answer_usd: OptionalNonNegative = None
    """Cost of handling one rejected answer; or state the minutes and the role instead."""
    rejected_answer_handling_minutes: OptionalNonNegative = None
    """Staff minutes to handle one rejected answer."""
    rejected_answer_role: str = "support_agent"
    """Who handles it."""
    failure_mode: Literal["remediate", "discard"] | None = None
    """remediate: a rejected answer is handled at its cost; discard: it is lost. Default: remediate where a cost is given."""
    minimum_accepted_share: OptionalShare = None
    """Share of answers that must be accepted at least; an approach below it keeps its total and is marked."""
    seconds_per_answer_limit: OptionalPositive = None
    """Seconds that one answer may take at most; held against each approach's seconds_per_answer."""
    on_premises: bool = False
    """Whether nothing may leave your premises. An approach that calls or trains at a provider cannot win then."""

    @model_validator(mode="after")
    def _one_cost(self) -> Task:
        stated = (self.rejected_answer_usd is not None) + (self.rejected_answer_handling_minutes is not None)
        if stated == 2:
            raise ValueError("state rejected_answer_usd or rejected_answer_handling_minutes, not both")
        if self.failure_mode == "remediate" and stated == 0:
            raise ValueError("failure_mode remediate needs rejected_answer_usd or rejected_answer_handling_minutes")
        if self.failure_mode == "discard" and stated:
            raise ValueError("failure_mode discard has no handling cost: leave rejected_answer_usd and its minutes out")
        return self


# --- parts of an approach -----------------------------------------------------------------------------------------------


class Retrieval(_Stated):
    """Documents searched for every request."""

    same_as: str | None = None
    """Take the retrieval of the approach of this name."""
    corpus_tokens: OptionalPositive = None
    """Default: task.corpus_tokens."""
    corpus_pages: NonNegative = 0
    """Pages to be parsed once by the parser."""
    chunk_tokens: OptionalPositive = None
    """Tokens of one chunk. Default: an assumption."""
    overlap_tokens: OptionalNonNegative = None
    """Tokens shared by neighbouring chunks. Default: an assumption."""
    chunks_per_request: OptionalPositive = None
    """Chunks put into the prompt. Default: an assumption."""
    embedding: OfferId = "openai/text-embedding-3-small"
    """Embedding model."""
    store: OfferId
    """Vector store."""
    reranker: OfferId | None = None
    """Reranker, one search a request."""
    rerank_candidates: Positive = 25
    """Chunks handed to the reranker, for those billed by token."""
    parser: OfferId | None = None
    """Document parser billed by page."""
    rewrite_model: OfferId | None = None
    """Model that rewrites the question before the search."""
    rewrite_instruction_tokens: NonNegative = 200
    """Instruction tokens of the rewriting call."""
    rewrite_answer_tokens: NonNegative = 60
    """Tokens of the rewritten question."""
    churn_share_per_month: OptionalShare = None
    """Share of the corpus embedded and written anew each month. Default: task.facts_changing_per_month_share."""
    metadata_bytes_per_vector: OptionalNonNegative = None
    """Stored beside each vector. Default: an assumption."""


RentService = Literal["standard", "spot", "community", "reserved"]


class BoughtGpus(_Stated):
    """What is paid for GPUs that were bought (rent: bought). What is left out is the price book's, where it has it."""

    purchase_usd_per_gpu: OptionalPositive = None
    """Price of one GPU; its share of the server is added. Default: a listed or assumed price, where there is one."""
    life_years: OptionalPositive = None
    """Years after which it is written off. Default: an assumption."""
    electricity_usd_per_kwh: OptionalNonNegative = None
    """Default: the mean commercial price in the United States."""
    colocation_usd_per_kw_month: OptionalNonNegative = None
    """Space, cooling and connection of one kilowatt. Default: the mean in the United States."""
    staff_hours_per_gpu_year: OptionalNonNegative = None
    """Hours of upkeep. Default: an assumption."""
    staff_role: str = "ml_engineer"
    """Whose hours; their rate is that of staff_usd_per_hour, or published."""
    utilisation: OptionalShareAboveZero = None
    """Tuning: share of all hours in which the GPUs are in use by anybody. Default: an assumption. Serving pays all hours."""


class Tuning(_Stated):
    """How the model is fine-tuned, and where."""

    kind: Literal["managed", "own_gpus"] = "managed"
    """At a provider, billed by its rules, or on GPUs of your own or rented ones."""
    method: Literal["sft", "dpo", "rft", "cpt"] = "sft"
    """Supervised, preference, reinforcement, or continued pretraining."""
    technique: Literal["full", "lora", "qlora"] = "lora"
    """What is trained."""
    at: str | None = None
    """Provider id. Default: the provider of the approach's model."""
    deployment: str | None = None
    """Provider's deployment type, where prices differ by it (Azure: regional, developer)."""
    examples: OptionalPositive = None
    """Training examples. Default: task.examples."""
    tokens_per_example: OptionalPositive = None
    """Default: task.tokens_per_example."""
    max_tokens_per_example: OptionalPositive = None
    """Longer examples are cut there; with packing off at Together it is the billed length."""
    epochs: OptionalPositive = None
    """Passes over the data. Default: the provider's rule."""
    validation_examples: NonNegative = 0
    """Examples held out for the provider's evaluations."""
    evaluations_per_job: NonNegative = 0
    """Evaluation passes over the validation examples in one job."""
    packing: bool = True
    """Short examples share a sequence."""
    runs: OptionalPositive = None
    """Full-run equivalents up to production, failures and the production run included. Default: an assumption (3)."""
    retrain_every_months: int | None = Field(default=None, ge=1, le=120)
    """Retraining cadence; none: never."""
    retrain_runs: OptionalPositive = None
    """Full-run equivalents of one retraining. Default: an assumption (1)."""
    training_hours_per_run: OptionalPositive = None
    """Hours of one run, where training is billed by the hour or done on own GPUs. Default on own GPUs: predicted."""
    gpu: str | None = None
    """own_gpus: the GPU or instance rented."""
    rent: str | None = None
    """own_gpus: the provider it is rented from; bought: none, and gpu is an id of gpus.toml."""
    rent_service: RentService = "standard"
    """own_gpus: on demand, or one of the cheaper ways where the provider has a price for it; on spot interrupted hours are
    repeated."""
    bought: BoughtGpus | None = None
    """own_gpus: what is paid for the GPUs where rent is bought."""
    storage_usd_per_gb_month: OptionalNonNegative = None
    """own_gpus: price of stored weights, results and data. Default: the renter's where the book has it, else not counted."""
    egress_usd_per_gb: OptionalNonNegative = None
    """own_gpus: price of sending the result out, where it is served by another provider. Default: as above."""
    gpus: WholePositive = 1
    """own_gpus: GPUs used by one run."""
    sequences_per_step: WholePositive = 16
    """own_gpus: sequences of one optimiser step, all GPUs together, for the predicted hours."""
    speed_factor: Positive = 1
    """own_gpus: speed of training over what is predicted, for measurements of your own or a range."""
    grader_model: OfferId | None = None
    """rft: model that grades answers."""
    grader_input_tokens_per_run: NonNegative = 0
    """rft: tokens read by the grader in one run."""
    grader_output_tokens_per_run: NonNegative = 0
    """rft: tokens written by the grader in one run."""

    @model_validator(mode="after")
    def _complete(self) -> Tuning:
        if self.kind == "own_gpus" and (self.gpu is None or self.rent is None):
            raise ValueError("tuning on own_gpus needs gpu and rent")
        _check_bought(self.rent, self.bought, self.rent_service)
        return self


BOUGHT = "bought"
"""In place of a provider: GPUs that were bought."""


def _check_bought(rent: str | None, bought: BoughtGpus | None, rent_service: str) -> None:
    if bought is not None and rent != BOUGHT:
        raise ValueError("bought states what bought GPUs cost: write rent: bought with it, or leave it out")
    if rent == BOUGHT and rent_service != "standard":
        raise ValueError(f"bought GPUs are not rented: leave rent_service {rent_service} out")


class PerToken(_Stated):
    """Served by a provider's API, billed by token; a tuned model's hosting hours are added where the provider charges them."""

    kind: Literal["per_token"] = "per_token"
    service: Literal["standard", "flex", "priority"] = "standard"
    """The provider's service tier."""
    deployment: str | None = None
    """Provider's deployment type."""
    hosting_hours_per_month: HoursOfMonth = 730
    """Hours a tuned deployment is kept on; a month has 730."""


class _Replicated(_Stated):
    min_replicas: WholePositive = 1
    """Replicas kept on whatever the traffic."""
    target_utilisation: OptionalShareAboveZero = None
    """Share of a replica's capacity used at the peak. Default: an assumption."""
    hours_per_month: HoursOfMonth = 730
    """Hours the replicas are kept on: 730, all of a month, or opening hours."""
    idle_minutes_to_zero: OptionalPositive = None
    """Minutes without a request after which the last replica is switched off, until the next one. Default: it stays on."""

    @model_validator(mode="after")
    def _can_sleep(self) -> _Replicated:
        if self.idle_minutes_to_zero is not None and _largest(self.min_replicas) > 1:
            raise ValueError(
                "idle_minutes_to_zero switches the last replica off, min_replicas keeps several on: state one of them"
            )
        return self


class Dedicated(_Replicated):
    """A provider's dedicated deployment, billed by the hour whether used or not."""

    kind: Literal["dedicated"]
    requests_per_second_per_replica: Positive
    """Sustained throughput of one replica at this workload's token shape, as measured or estimated by you."""
    provider: str | None = None
    """Default: where it is tuned, else the provider of the approach's model."""
    gpu: str | None = None
    """GPU of the provider; none: provisioned units of the model, one a replica."""
    service: Literal["standard", "reserved"] = "standard"
    """Provisioned units: by the hour, or under a commitment named by deployment."""
    deployment: str | None = None
    """Provider's deployment type or commitment (Azure: regional; Bedrock: 1-month, 6-month)."""
    gpus_per_replica: WholePositive = 1
    """GPUs one replica needs."""


class OwnGpus(_Replicated):
    """Open weights on rented GPUs; whole instances are paid for, used or not."""

    kind: Literal["own_gpus"]
    gpu: str
    """GPU or instance type, as the renting provider names it."""
    rent: str
    """Provider it is rented from; bought: none, and gpu is an id of gpus.toml."""
    rent_service: RentService = "standard"
    """On demand, or one of the cheaper ways where the provider has a price for it; on spot, spare replicas are kept on."""
    bought: BoughtGpus | None = None
    """What is paid for the GPUs where rent is bought."""
    storage_usd_per_gb_month: OptionalNonNegative = None
    """Price of stored weights and adapters. Default: the renter's where the book has it, else not counted."""
    egress_usd_per_gb: OptionalNonNegative = None
    """Price of sending answers out. Default: as above."""
    gpus_per_replica: WholePositive = 1
    """GPUs one replica needs."""
    requests_per_second_per_replica: OptionalPositive = None
    """Sustained throughput of one replica at this workload's token shape, as measured by you. Default: predicted."""
    weights: Literal["fp16", "fp8", "int8", "fp4", "int4"] = "fp16"
    """What the weights are kept in, for the predicted throughput."""
    caches_prefix: bool = True
    """Whether instructions, tools and examples, alike in every request, are computed once, as servers do unasked; for the
    predicted throughput."""
    seconds_to_first_token: OptionalPositive = None
    """What the first token may take at most, for the predicted throughput. Default: as long as it takes."""
    seconds_per_output_token: OptionalPositive = None
    """What each further token may take at most, for the predicted throughput. Default: as long as it takes."""
    speed_factor: Positive = 1
    """Throughput over what is predicted, for measurements of your own or a range."""
    adapters: int = Field(default=1, ge=1, le=10_000)
    """LoRA adapters served on the one base, all requests together; a single one is merged into it. Their training is stated in
    tuning.runs."""
    adapter_rank: int = Field(default=16, ge=1, le=1024)
    """Rank of each of several adapters."""

    @model_validator(mode="after")
    def _owned(self) -> OwnGpus:
        _check_bought(self.rent, self.bought, self.rent_service)
        if self.rent == BOUGHT and self.idle_minutes_to_zero is not None:
            raise ValueError("idle_minutes_to_zero saves nothing on bought GPUs, which are paid for on or off: leave it out")
        return self


def _months(count: int) -> str:
    return f"{count} month{'' if count == 1 else 's'}"


def _serving_kind(stated: Any) -> str:
    kind = stated.get("kind", "per_token") if isinstance(stated, dict) else getattr(stated, "kind", "per_token")
    return str(kind)


Serving = Annotated[
    Annotated[PerToken, Tag("per_token")] | Annotated[Dedicated, Tag("dedicated")] | Annotated[OwnGpus, Tag("own_gpus")],
    Discriminator(_serving_kind),
]
"""Of kind per_token unless stated."""


class DataPreparation(_Stated):
    """Where training examples come from and the staff time they take."""

    source: Literal["logs", "hand", "teacher", "bought"] = "logs"
    """Own logs, written by hand, answered by a teacher model, or bought labels."""
    role: str = "ml_engineer"
    """Who writes and reviews."""
    hand_written_share: OptionalShare = None
    """Share of examples written by hand. Default: all with source hand, none with teacher or bought, else an assumption."""
    author_minutes_per_example: OptionalNonNegative = None
    """Default: an assumption by task kind."""
    accept_share: OptionalShareAboveZero = None
    """Share of candidates good enough to keep. Default: an assumption."""
    review_share: OptionalShare = None
    """Share of candidates reviewed. Default: an assumption."""
    reviewers_per_example: OptionalNonNegative = None
    """Reviewers that see each reviewed candidate. Default: an assumption."""
    review_minutes_per_example: OptionalNonNegative = None
    """Default: an assumption by task kind."""
    adjudication_minutes_per_example: OptionalNonNegative = None
    """Minutes to settle disagreement, averaged over all examples. Default: an assumption."""
    rework_share: OptionalShareBelowOne = None
    """Share of the time that is redone. Default: an assumption."""
    guideline_hours: OptionalNonNegative = None
    """Hours to write the guidelines. Default: an assumption."""
    quality_hours: OptionalNonNegative = None
    """Hours of quality checks of the whole set. Default: an assumption."""
    retrain_share: OptionalShare = None
    """Share of the preparation repeated at a retraining. Default: an assumption."""
    teacher_model: OfferId | None = None
    """Model that writes the candidates, with source teacher."""
    label_usd_per_item: OptionalNonNegative = None
    """Price of one bought label."""

    @model_validator(mode="after")
    def _complete(self) -> DataPreparation:
        if self.source == "teacher" and self.teacher_model is None:
            raise ValueError("source teacher needs teacher_model, for example openai/gpt-6.1-terra")
        if self.source == "bought" and self.label_usd_per_item is None:
            raise ValueError("source bought needs label_usd_per_item")
        return self


class Staffing(_Stated):
    """Hours of set-up and upkeep. Defaults are the sum of the assumptions for each part the approach has."""

    role: str = "ml_engineer"
    """Who does it."""
    set_up_hours: OptionalNonNegative = None
    """Once, before go-live."""
    maintenance_hours_per_month: OptionalNonNegative = None
    """Each month served."""


class Evaluation(_Stated):
    """The test set and how often the approach is run against it."""

    role: str = "ml_engineer"
    """Who builds the set and grades."""
    examples: OptionalNonNegative = None
    """Questions in the set. Default: an assumption."""
    set_hours: OptionalNonNegative = None
    """Hours to build the set. Default: an assumption."""
    runs_per_release: OptionalNonNegative = None
    """Runs of the set before go-live, and again at every retraining or migration. Default: an assumption."""
    runs_per_month: OptionalNonNegative = None
    """Further runs each month. Default: an assumption."""
    grading_minutes_per_answer: OptionalNonNegative = None
    """Staff minutes to grade one answer. Default: an assumption."""


class Mix(_Stated):
    """A second model that takes part of the requests."""

    kind: Literal["routing", "fallback"]
    """routing: it answers the share instead of the first; fallback: the first is tried and checked, then it answers too."""
    model: OfferId
    """The second model, called with the same prompt."""
    share: Share
    """Share of requests that reach it."""
    check_usd_per_request: NonNegative = 0
    """fallback: cost of checking each first answer."""


class Approach(_Stated):
    """One way of answering, composed of parts."""

    extends: str | None = None
    """Name of the approach whose parts are inherited."""
    model: OfferId
    """``provider/model`` served by token or dedicated, or ``maker/model`` for open weights."""
    instruction_tokens: NonNegative
    """Instructions sent with every request."""
    tool_tokens: NonNegative = 0
    """Tool and schema definitions sent with every request."""
    shots: NonNegative = 0
    """Examples shown in every request."""
    tokens_per_shot: OptionalPositive = None
    """Default: task.tokens_per_example."""
    reasoning_tokens_per_answer_token: OptionalNonNegative = None
    """Default: workload.reasoning_tokens_per_answer_token; a tuned model that does not reason has 0."""
    retrieval: Retrieval | None = None
    tuning: Tuning | None = None
    serving: Serving = PerToken()
    data_preparation: DataPreparation = DataPreparation()
    """Only counted where the approach is tuned."""
    staffing: Staffing = Staffing()
    evaluation: Evaluation = Evaluation()
    mix: Mix | None = None
    accepted: OptionalShare = None
    """Share of answers accepted after retries and fallback: a number, a range, or {successes, trials}."""
    accepted_from: str | None = None
    """Set where the share is inherited: the approach it was stated for."""
    seconds_per_answer: OptionalNonNegative = None
    """Seconds from a request to its whole answer, the mean over all requests, retries and fallback included; for
    value.usd_per_second_saved. Not inherited where model, prompt, tuning or serving differ."""
    go_live_month: int = Field(default=0, ge=0, le=120)
    """Until then the reference approach serves and is billed."""
    after_end: Literal["fall back to the reference", "unavailable"] = "fall back to the reference"
    """What happens when the model is shut down and no successor is eligible."""

    @model_validator(mode="after")
    def _adapters_of_adapters(self) -> Approach:
        several = isinstance(self.serving, OwnGpus) and self.serving.adapters > 1
        if several and self.tuning is not None and self.tuning.technique == "full":
            raise ValueError("serving.adapters share one base, and technique full makes no adapter: choose lora or qlora")
        return self

    @property
    def family(self) -> Family:
        """Which of the five kinds it is, from its parts."""
        if self.tuning is not None:
            return "hybrid" if self.retrieval is not None else "fine-tuning"
        if self.retrieval is not None:
            return "rag"
        return "few-shot" if self.shows_examples else "prompting"

    @property
    def shows_examples(self) -> bool:
        """Whether requests carry examples (at any of the values, of a range or where several are computed at once)."""
        return bool(_largest(self.shots) > 0)


# --- money and the whole ------------------------------------------------------------------------------------------------


MOST_DISCOUNT_PER_YEAR = 10.0
"""A discount rate above 1,000 % a year is taken for a slip of the unit."""


class Finance(_Stated):
    """How money at different times is compared."""

    discount_rate_per_year: OptionalNonNegative = None
    """Effective annual rate, 0.08 for eight per cent, at most 10. Default: an assumption."""
    price_decline_per_year: Share = 0
    """Assumed yearly fall of token prices beyond what is announced; 0 unless stated."""
    currency: str = "USD"
    """Currency that reports, charts and pages show amounts in, by its ISO code, at the rate of the day of the prices."""

    @field_validator("currency")
    @classmethod
    def _in_the_book(cls, stated: str) -> str:
        return known_currency(stated)

    @field_validator("discount_rate_per_year")
    @classmethod
    def _a_share(cls, stated: Any) -> Any:
        highest = 0.0 if stated is None else _largest(stated)
        if highest > MOST_DISCOUNT_PER_YEAR:
            raise ValueError(f"{highest:g} is {highest:,.0%} a year; eight per cent is written 0.08")
        return stated


class Value(_Stated):
    """What accepted answers and saved seconds are worth, if that is to be counted. What is stated adds up."""

    usd_per_accepted_answer: NonNegative = 0
    """What one earns, all told, beyond what is stated below."""
    minutes_saved_per_accepted_answer: NonNegative = 0
    """Staff minutes it displaces."""
    role: str = "support_agent"
    """Whose minutes."""
    conversion_uplift_share: OptionalShare = None
    """Revenue uplift: conversions more for each accepted answer; needs usd_per_conversion."""
    usd_per_conversion: OptionalNonNegative = None
    """Margin of one conversion."""
    churn_avoided_share_per_month: OptionalShare = None
    """Retention: share of the customers who would leave in a month and stay, were every answer accepted; it counts by the
    accepted share. Needs customers and usd_per_customer_per_month."""
    customers: OptionalNonNegative = None
    """Customers served, the same in every month and at any volume."""
    usd_per_customer_per_month: OptionalNonNegative = None
    """Margin of a customer in a month."""
    kept_customers_leaving_share_per_month: Share = 1
    """Share of the customers so kept who leave in each later month. At 1, the default, one month's margin is counted for each."""
    paying_customers: OptionalNonNegative = None
    """Premium: customers who pay more for the answers, the same in every month and at any volume; needs
    usd_premium_per_customer_per_month."""
    usd_premium_per_customer_per_month: OptionalNonNegative = None
    """What each pays more in a month, were every answer accepted; it counts by the accepted share."""
    usd_per_second_saved: OptionalNonNegative = None
    """Latency: worth of one second less for one answer than the reference takes; needs seconds_per_answer of the approaches."""

    @model_validator(mode="after")
    def _whole(self) -> Value:
        for method, fields in VALUE_METHODS.items():
            missing = [field for field in fields if getattr(self, field) is None]
            if missing and len(missing) < len(fields):
                stated = next(field for field in fields if field not in missing)
                raise ValueError(f"{stated} alone is no {method}: state {' and '.join(missing)}, too")
        return self

    @property
    def is_of_answers(self) -> bool:
        """Whether accepted answers are given a worth, not only saved seconds."""
        plain = np.any(np.asarray(self.usd_per_accepted_answer)) or np.any(np.asarray(self.minutes_saved_per_accepted_answer))
        by_method = any(getattr(self, fields[0]) is not None for fields in VALUE_METHODS.values())
        return bool(plain) or by_method or self.usd_per_second_saved is None


VALUE_METHODS = {
    "revenue uplift": ("conversion_uplift_share", "usd_per_conversion"),
    "retention": ("churn_avoided_share_per_month", "customers", "usd_per_customer_per_month"),
    "premium": ("paying_customers", "usd_premium_per_customer_per_month"),
}
"""The fields of `Value` that count together only."""


class PairedAnswers(_Stated):
    """How two approaches did on the same evaluation set."""

    both: Annotated[int, Field(ge=0)]
    """Questions both answered acceptably."""
    first_only: Annotated[int, Field(ge=0)]
    """Questions the first alone did."""
    second_only: Annotated[int, Field(ge=0)]
    """Questions the second alone did."""
    neither: Annotated[int, Field(ge=0)]
    """Questions neither did."""

    @model_validator(mode="after")
    def _counted(self) -> PairedAnswers:
        if not self.questions:
            raise ValueError("all four counts are 0; state how many questions both, one or neither answered acceptably")
        return self

    @property
    def questions(self) -> int:
        """Of the evaluation set."""
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def correlation(self) -> float:
        """φ of the two-by-two table, the correlation of the two shares of successes; 0 where one of them is all or none."""
        table = self.both * self.neither - self.first_only * self.second_only
        first, second = self.both + self.first_only, self.both + self.second_only
        not_first, not_second = self.second_only + self.neither, self.first_only + self.neither
        return float(table / (first * second * not_first * not_second) ** 0.5) if table else 0.0


class Correlation(_Stated):
    """Two ranges that move together."""

    between: tuple[str, str]
    """Dotted paths of the two, such as approaches.rag.accepted, or assumptions.topic.name."""
    rank: Annotated[float, Field(gt=-1, lt=1)] | None = None
    """Spearman's rank correlation."""
    paired: PairedAnswers | None = None
    """Of two accepted shares measured on the same questions, in place of rank."""

    @model_validator(mode="after")
    def _one_measure(self) -> Correlation:
        if (self.rank is None) == (self.paired is None):
            raise ValueError("state rank, between -1 and 1, or paired counts: one of them")
        if self.between[0] == self.between[1]:
            raise ValueError(f"{self.between[0]} is correlated with itself: name two different fields")
        return self


class Conversion(_Stated):
    """A field that was stated in another currency, and was converted to dollars when it was read."""

    path: tuple[str, ...]
    """Of the field in dollars."""
    stated_as: str
    """The name it was stated by, such as staff_eur_per_hour."""
    stated: Any
    """What was stated: a number, or numbers in a list or by name."""
    rate: ExchangeRate


MOST_LETTERS = 80
"""Letters of a title or of an approach's name."""


class Scenario(_Stated):
    """Everything a comparison needs to know from the user."""

    name: str = Field(min_length=1)
    """Title of the comparison."""
    description: str = ""
    as_of: Annotated[date, Field(ge=date(2020, 1, 1), lt=date(2100, 1, 1))] | None = None
    """Prices of this day; prices announced for later apply from their day. Default: today, given by the caller."""
    price_release: Annotated[date | str, Field(union_mode="left_to_right")] | None = None
    """Ignore what entered the price book after this release, as "2026.11.20", or after this day: for a report that must never
    move."""
    horizon_months: Annotated[int, Field(strict=True)] = Field(ge=1, le=120)
    """Months compared, from the first calendar month after as_of."""
    organisation: dict[str, Literal["new", "inactive", "active"]] = {}
    """Standing with a provider, which decides who may still tune there. Default: new."""
    accept_unverified: tuple[OfferId, ...] = ()
    """Offers whose unverified prices may be used."""
    workload: Workload
    task: Task
    approaches: dict[str, Approach] = Field(min_length=1, max_length=24)
    """By name; those of the five that are left out and can be composed are added, null leaves one out."""
    reference: str = "prompting"
    """The approach that savings, payback and fallback are measured against."""
    staff_usd_per_hour: dict[str, HourlyRate] = {}
    """Loaded hourly rates by role. Default: published wages and overhead."""
    finance: Finance = Finance()
    value: Value | None = None
    correlations: tuple[Correlation, ...] = ()
    """Ranges that move together; all others are independent."""

    @model_validator(mode="before")
    @classmethod
    def _compose(cls, data: Any) -> Any:
        if isinstance(data, dict) and _can_compose(data.get("approaches")):
            task = data.get("task")
            composed = compose_approaches(data["approaches"], task if isinstance(task, dict) else {})
            data = dict(data) | {"approaches": composed}
        return data

    @field_validator("name", "approaches")
    @classmethod
    def _printable(cls, stated: Any) -> Any:
        for name in [stated] if isinstance(stated, str) else stated:
            if not name.strip() or not name.isprintable() or len(name) > MOST_LETTERS:
                raise ValueError(f"the name {name[:60]!r} must be 1 to {MOST_LETTERS} printable letters, not only spaces")
        return stated

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        if self.reference not in self.approaches:
            raise ValueError(f"reference '{self.reference}' is not among the approaches: {', '.join(self.approaches)}")
        growth = self.workload.growth
        if isinstance(growth, SeriesGrowth) and len(growth.requests_by_month) < self.horizon_months:
            raise ValueError(
                f"workload.growth.requests_by_month has {_months(len(growth.requests_by_month))}; "
                f"the horizon needs {self.horizon_months}"
            )
        for name, approach in self.approaches.items():
            if approach.go_live_month and name == self.reference:
                raise ValueError(f"approaches.{name}.go_live_month: the reference serves from month 0")
            if approach.go_live_month >= self.horizon_months:
                raise ValueError(f"approaches.{name}.go_live_month must be within the horizon of {_months(self.horizon_months)}")
        return self

    _conversions: tuple[Conversion, ...] = PrivateAttr(default=())

    @property
    def conversions(self) -> tuple[Conversion, ...]:
        """Which fields were stated in another currency; the fields themselves hold dollars."""
        return self._conversions

    def noting(self, conversions: tuple[Conversion, ...]) -> Scenario:
        """The scenario with the note of which fields were converted."""
        noted = self.model_copy()
        noted._conversions = conversions
        return noted

    def at_point(self) -> Scenario:
        """The scenario with every range replaced by its point value: mode, median or k/n, whole where the field is.

        Correlations are between ranges, so none is left.
        """
        resolved: Scenario = resolve(self)
        return resolved.model_copy(update={"correlations": ()}) if self.correlations else resolved


PRESETS: dict[str, dict[str, Any]] = {
    "few-shot": {"extends": "prompting", "shots": 5},
    "rag": {"extends": "prompting", "retrieval": {"store": "pinecone/serverless"}},
    "hybrid": {"extends": "fine-tuning", "retrieval": {"same_as": "rag"}},
}
"""How those of the five approaches that follow from others are composed when a scenario leaves them out."""


def _can_compose(stated: Any) -> bool:
    """Whether the shapes that composing relies on are right; if not, validation says what is wrong with them."""
    return isinstance(stated, dict) and all(
        fields is None
        or (
            isinstance(fields, dict)
            and isinstance(fields.get("extends"), str | None)
            and isinstance(fields.get("retrieval"), dict | None)
        )
        for fields in stated.values()
    )


def compose_approaches(stated: dict[str, Any], task: dict[str, Any]) -> dict[str, Any]:
    """The approaches as plain fields: presets added, ``extends`` and ``same_as`` applied, the five first.

    Inheritance goes part by part; a part whose ``kind`` changes is replaced whole; null removes a part.

    Args:
        stated: what the user wrote under ``approaches``; null leaves an approach out.
        task: what the user wrote under ``task``: presets need its examples or corpus.

    Raises:
        ValueError: an approach extends itself or one that does not exist.
    """
    wanted = {name: fields for name, fields in stated.items() if fields is not None}
    if "few-shot" not in stated and "prompting" in wanted and task.get("tokens_per_example") is not None:
        wanted["few-shot"] = PRESETS["few-shot"]
    if "rag" not in stated and "prompting" in wanted and task.get("corpus_tokens") is not None:
        wanted["rag"] = PRESETS["rag"]
    if "hybrid" not in stated and "fine-tuning" in wanted and "rag" in wanted:
        wanted["hybrid"] = PRESETS["hybrid"]
    composed = {name: _inherited(name, wanted, ()) for name in wanted}
    for name, fields in composed.items():
        same_as = (fields.get("retrieval") or {}).get("same_as")
        if same_as is not None:
            if same_as not in composed or same_as == name or not composed[same_as].get("retrieval"):
                raise ValueError(f"approaches.{name}.retrieval.same_as: '{same_as}' has no retrieval")
            own = {k: v for k, v in fields["retrieval"].items() if k != "same_as"}
            fields["retrieval"] = composed[same_as]["retrieval"] | own | {"same_as": same_as}
    order = [name for name in FAMILIES if name in composed] + [name for name in composed if name not in FAMILIES]
    return {name: composed[name] for name in order}


def _inherited(name: str, stated: dict[str, Any], seen: tuple[str, ...]) -> dict[str, Any]:
    fields = stated[name]
    if fields.get("extends") is None:
        return dict(fields)
    parent_name = fields["extends"]
    if parent_name in (*seen, name):
        raise ValueError(f"approaches.{name}.extends: '{parent_name}' extends it in turn; break the circle")
    if parent_name not in stated:
        raise ValueError(f"approaches.{name}.extends: there is no approach '{parent_name}'; there are {', '.join(stated)}")
    parent = _inherited(parent_name, stated, (*seen, name))
    merged = dict(parent)
    for key, value in fields.items():
        merged[key] = _merged_part(parent.get(key), value)
    merged["accepted_from"] = fields.get("accepted_from")
    if "accepted" not in fields and parent.get("accepted") is not None:
        if _answers_alike(parent, merged):
            merged["accepted_from"] = parent.get("accepted_from") or parent_name
        else:
            del merged["accepted"]
    if "seconds_per_answer" not in fields and not _as_fast(parent, merged):
        merged.pop("seconds_per_answer", None)
    # null removes a part; a default takes its place
    return {key: value for key, value in merged.items() if value is not None}


def _answers_alike(parent: dict[str, Any], child: dict[str, Any]) -> bool:
    """Whether a measured success share carries over: nothing that shapes the answers differs, only where it runs."""
    where: tuple[str, ...] = (
        "at",
        "deployment",
        "gpu",
        "rent",
        "rent_service",
        "bought",
        "storage_usd_per_gb_month",
        "egress_usd_per_gb",
        "gpus",
    )
    where += ("runs", "training_hours_per_run", "speed_factor", "retrain_every_months")

    def shaping(fields: dict[str, Any]) -> list[Any]:
        tuning = fields.get("tuning")
        how = {k: v for k, v in tuning.items() if k not in where} if isinstance(tuning, dict) else tuning
        parts = (
            "model",
            "instruction_tokens",
            "tool_tokens",
            "shots",
            "tokens_per_shot",
            "reasoning_tokens_per_answer_token",
            "retrieval",
            "mix",
        )
        return [fields.get(part) for part in parts] + [how]

    return shaping(parent) == shaping(child)


def _as_fast(parent: dict[str, Any], child: dict[str, Any]) -> bool:
    """Whether measured seconds carry over: neither what shapes the answers nor where they are made differs."""
    return _answers_alike(parent, child) and all(parent.get(part) == child.get(part) for part in ("tuning", "serving"))


def _merged_part(inherited: Any, stated: Any) -> Any:
    if not (isinstance(inherited, dict) and isinstance(stated, dict)) or set(stated) <= ESTIMATE_KEYS:
        return stated
    if "kind" in stated and stated["kind"] != inherited.get("kind", stated["kind"]):
        return stated
    return inherited | stated
