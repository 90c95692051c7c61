"""What every provider charges to train on one set of examples: epochs, billed tokens, the job, and what answering costs then.

A bill is of one job on one day. It uses the formulas of `calc.parts.tuning`, so it agrees with the training line of a comparison
that states the same figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np

from calc.parts.tuning import (
    LONGEST_UNKNOWN,
    UNGRADED,
    Grader,
    billed_as_tuned,
    billed_by_hour,
    bills_longest,
    epochs_of,
    hourly_job,
    longest_example,
    optional_price,
    token_job,
)
from calc.setting import counted, say
from calc.timeline import HOURS_PER_MONTH, MonthlyPrice, Months, inference_ends, training_refused
from pricing import Price, PricingError, Rates
from pricing.book import Method, Terms

Standing = Literal["new", "inactive", "active"]
Status = Literal["billed", "unpriced", "refused"]

BY_TOKEN_OR_HOUR = ("training_usd_per_mtok", "training_usd_per_hour")
BY_ANYTHING_ELSE = {"training_usd_per_step": "training step", "training_usd_per_dbu": "Databricks unit"}
"""Keys under which training is sold by something that a file does not tell."""
SAMPLED = "at least this: what a model writes while it is reinforced is not in the file"
BY_GPU_HOUR = "dedicated GPUs by the hour; how many and which depends on model and traffic"
MOST_MONTHS = 600


@dataclass(frozen=True)
class TrainingSet:
    """The examples of a file as one tokenizer counts them."""

    lengths: Mapping[int, int]
    """How many sequences have how many tokens; an example is one, a preference two: the prompt with either answer."""
    validation_lengths: Mapping[int, int] = field(default_factory=dict)
    """As `lengths`, of the validation examples."""
    counted_by: str = ""
    """The tokenizer."""
    exact: bool = True
    """Whether the counts are the model's own, or those of a tokenizer that stands in for it."""

    sequences_per_example: int = 1

    @property
    def sequences(self) -> int:
        """Sequences of one pass."""
        return sum(self.lengths.values())

    @property
    def examples(self) -> int:
        """Training examples."""
        return self.sequences // self.sequences_per_example


@dataclass(frozen=True)
class Job:
    """How a job is to be run, as far as the user states it."""

    method: Method = "sft"
    epochs: int | None = None
    """Passes over the examples. None: the provider's rule, else the assumption tuning.epochs."""
    evaluations: int = 0
    """Passes over the validation examples."""
    max_tokens_per_example: int | None = None
    """Longer examples are cut there. None: the model's limit."""
    packing: bool = True
    """Short examples share a sequence."""
    training_hours: float | None = None
    """Hours of the job, where they are billed."""
    grader: Grader = UNGRADED


@dataclass(frozen=True)
class TrainingBill:
    """What one offer charges for one job, and what its tuned model costs then; None where there is no such figure."""

    offer: str
    name: str
    provider: str
    method: Method
    technique: str | None
    deployment: str | None
    counted_by: str = ""
    """The tokenizer; empty where nothing had to be counted."""
    exact: bool = False
    """Whether it is the model's own."""
    epochs: float | None = None
    epochs_basis: str = ""
    billed_tokens: float | None = None
    usd_per_mtok: float | None = None
    usd_per_hour: float | None = None
    minimum_usd: float | None = None
    """Least a job is charged; 0 where there is none."""
    cap_usd: float | None = None
    """Where the provider stops a job; 0 where there is none."""
    job_usd: float | None = None
    formula: str = ""
    truncated_examples: int = 0
    lost_tokens: int = 0
    """Tokens of one pass that are cut off."""
    input_usd_per_mtok: float | None = None
    """Rates of the tuned model from here on."""
    output_usd_per_mtok: float | None = None
    cache_read_usd_per_mtok: float | None = None
    batch_input_usd_per_mtok: float | None = None
    batch_output_usd_per_mtok: float | None = None
    hosting_usd_per_month: float | None = None
    """730 hours of one deployment; 0 where tokens are all that is billed."""
    hosting_basis: str = ""
    storage_usd_per_month: float | None = None
    refused: str = ""
    """Why this organisation cannot start the job on the day; empty where it can."""
    unpriced: str = ""
    """Why the job has no price; empty where it has one."""
    train_before: date | None = None
    """First day on which the job can no longer be started, where one is announced."""
    answers_before: date | None = None
    """First day on which the tuned model no longer answers, where one is announced."""
    months_of_answers: int | None = None
    """Whole calendar months the model answers, from the month after the day; None where no end is known."""
    prices: tuple[Price, ...] = ()
    """Every price used."""
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """Whether there is a bill that this organisation can have."""
        return "refused" if self.refused else "unpriced" if self.unpriced else "billed"

    @property
    def first_month_usd(self) -> float | None:
        """The job, a month of hosting and of storage, before any request; None where one of them has no price."""
        parts = (self.job_usd, self.hosting_usd_per_month, self.storage_usd_per_month)
        return None if None in parts else sum(part for part in parts if part is not None)

    @property
    def confidence(self) -> str:
        """Of all the prices used, the least sure."""
        known = [price.confidence for price in self.prices]
        return max(known, key=_LESS_AND_LESS_SURE.index, default="")


_LESS_AND_LESS_SURE = ("own", "primary", "package", "transcribed", "bulk", "estimate", "unverified")


@dataclass(frozen=True)
class Day:
    """Prices of the rates' as-of day; see `calc.parts.tuning.Market`."""

    rates: Rates
    accepted: frozenset[str] = frozenset()
    """Offers whose unverified prices may be used."""

    def price(self, offer: str, key: str, **conditions: Any) -> MonthlyPrice:
        """The price in force on the day, or why there is none."""
        try:
            found = self.rates.price(offer, key, accept_unverified=offer in self.accepted, **conditions)
        except PricingError as error:
            return MonthlyPrice(np.full(1, np.nan), missing=str(error))
        return MonthlyPrice(np.array([found.usd]), (found,))

    def sells(self, offer: str, key: str, **conditions: Any) -> bool:
        """Whether there is such a charge on the day or later."""
        return self.rates.lists(offer, key, self.rates.as_of, **conditions)


def training_bills(
    rates: Rates,
    examples: TrainingSet | Mapping[str, TrainingSet],
    job: Job | None = None,
    *,
    providers: Iterable[str] | None = None,
    organisation: Mapping[str, Standing] | None = None,
    accept_unverified: Iterable[str] = (),
) -> tuple[TrainingBill, ...]:
    """The bill of every offer that sells training by the job's method on the rates' day, cheapest job first, then first month.

    What has no price comes after, what this organisation is refused last.

    Args:
        examples: one count for all offers, or one by offer id; offers not in it are left out.
        providers: ask these alone; default all of the book.
        organisation: standing with a provider; new where it is not stated.
        accept_unverified: offers whose unverified prices may be used.

    Raises:
        UnknownOffer: a provider or an accepted offer is not in the book.
    """
    job = job or Job()
    market = Day(rates, frozenset(_canonical(rates, offer) for offer in accept_unverified))
    found: list[TrainingBill] = []
    for offer, terms in training_offers(rates, job.method, providers):
        counted = examples if isinstance(examples, TrainingSet) else examples.get(offer)
        if counted is not None:
            standing = (organisation or {}).get(offer.partition("/")[0], "new")
            found.append(training_bill(market, offer, terms, counted, job, standing))
    found += _sold_otherwise(rates, job.method, providers)
    return tuple(sorted(found, key=_by_cost))


def training_offers(rates: Rates, method: Method, providers: Iterable[str] | None = None) -> Iterator[tuple[str, Terms]]:
    """Every offer and the terms under which it sells training by this method, by token or hour, now or later."""
    for provider_id in rates.book.provider_ids if providers is None else dict.fromkeys(providers):
        for item_id, item in rates.book.provider(provider_id).model.items():
            offer = f"{provider_id}/{item_id}"
            if not rates.is_listed(item):
                continue
            sold = (t for t in rates.terms(offer, BY_TOKEN_OR_HOUR) if t.method in (None, method))
            for terms in dict.fromkeys(t._replace(method=method) for t in sold):
                if any(rates.lists(offer, key, rates.as_of, **terms._asdict()) for key in BY_TOKEN_OR_HOUR):
                    yield offer, terms


def training_bill(
    market: Day, offer: str, terms: Terms, examples: TrainingSet, job: Job, standing: Standing = "new"
) -> TrainingBill:
    """The bill of one offer under one set of terms.

    Args:
        terms: method, technique and deployment, as `training_offers` gives them.
        standing: the organisation's, with the provider.

    Raises:
        UnknownOffer: the offer is not in the book.
        ValueError: there are no examples.
    """
    if examples.examples < 1:
        raise ValueError("there are no examples to train on")
    rates, conditions = market.rates, terms._asdict()
    provider, item_id, item = rates.item(offer)
    longest = longest_example(rates, offer, job.max_tokens_per_example)
    charged = _hourly(market, offer, conditions, job) or _by_token(market, offer, conditions, examples, job, longest)
    answering = _answering(market, offer)
    refusal = training_refused(rates, offer, standing, rates.as_of)
    end = inference_ends(rates, offer)
    facts = charged | answering
    return TrainingBill(
        **facts
        | {
            "offer": f"{provider.id}/{item_id}",
            "name": item.name,
            "provider": provider.name,
            "counted_by": examples.counted_by,
            "exact": examples.exact,
            "truncated_examples": sum(n for length, n in examples.lengths.items() if longest and length > longest),
            "lost_tokens": sum((length - longest) * n for length, n in examples.lengths.items() if longest and length > longest),
            "refused": refusal.reason if refusal else "",
            "train_before": None if refusal else _last_chance(rates, offer, standing, rates.as_of),
            "answers_before": end.date if end else None,
            "months_of_answers": Months(rates.as_of, MOST_MONTHS).first_unserved(end.date) if end else None,
            "prices": tuple(dict.fromkeys((*charged["prices"], *answering["prices"]))),
            "notes": (*charged.get("notes", ()), *answering["notes"]),
            **conditions,
        }
    )


def tokens_of(lengths: Mapping[int, int], longest: int | None) -> int:
    """Σ min(length, longest) over the examples."""
    return sum(min(length, longest or length) * n for length, n in lengths.items())


def _by_token(
    market: Day, offer: str, conditions: Mapping[str, Any], examples: TrainingSet, job: Job, longest: int | None
) -> dict[str, Any]:
    epochs, basis, _ = epochs_of(market.rates, offer, job.epochs, examples.examples)
    facts: dict[str, Any] = {"epochs": float(epochs), "epochs_basis": basis, "prices": ()}
    if not bills_longest(market.rates, offer, job.packing):
        training = tokens_of(examples.lengths, longest)
        each = f"{say(training)} tokens"
    elif longest is None:
        return facts | {"unpriced": LONGEST_UNKNOWN.replace("tuning.max_tokens_per_example", "the maximum")}
    else:
        training = examples.sequences * longest
        each = f"{examples.sequences:,} examples × {longest:,} tokens"
    charge = token_job(
        market,
        offer,
        conditions,
        float(training),
        epochs,
        validation_tokens=float(tokens_of(examples.validation_lengths, longest)),
        evaluations=job.evaluations,
    )
    rate = charge.rate.usd.item()
    return facts | {
        "billed_tokens": float(charge.billed_tokens),
        "usd_per_mtok": _known(rate),
        "minimum_usd": _known(charge.minimum.usd.item()),
        "cap_usd": _known(charge.cap.usd.item()),
        "job_usd": _known(charge.charge.usd.item()),
        "unpriced": charge.charge.missing or "",
        "formula": f"({counted(epochs, 'epoch')} ({basis}) × {each}{charge.validation}) × ${say(rate)} ÷ 10⁶{charge.at_least}",
        "notes": (*filter(None, [charge.estimate]), *([SAMPLED] if conditions["method"] == "rft" else [])),
        "prices": (*charge.rate.rows, *charge.minimum.rows, *charge.cap.rows),
    }


def _hourly(market: Day, offer: str, conditions: Mapping[str, Any], job: Job) -> dict[str, Any] | None:
    """The charge of a job billed by the hour; None where it is not."""
    if not billed_by_hour(market, offer, conditions):
        return None
    rate = market.price(offer, "training_usd_per_hour", **conditions)
    cap = optional_price(market, offer, "cap_usd_per_job", conditions)
    charge, formula = hourly_job(market, offer, conditions, job.training_hours, job.grader)
    stated = job.training_hours is not None
    return {
        "usd_per_hour": _known(rate.usd.item()),
        "cap_usd": _known(cap.usd.item()),
        "job_usd": _known(charge.usd.item()),
        "formula": formula,
        "unpriced": (charge.missing or "") if stated else rate.missing or "billed by the hour: state the hours of the job",
        "prices": (*rate.rows, *cap.rows, *charge.rows),
    }


def _answering(market: Day, offer: str) -> dict[str, Any]:
    """Token rates, hosting and storage of the tuned model, at the provider's usual deployment."""
    rules = market.rates.billing_rules(offer)
    tuned = billed_as_tuned(market.rates, offer)
    used: list[Price] = []

    def found(key: str, **conditions: Any) -> float | None:
        if not market.sells(offer, key, **conditions):
            return None
        price = market.price(offer, key, **conditions)
        used.extend(price.rows)
        return _known(price.usd.item())

    facts: dict[str, Any] = {}
    if rules is None or rules.tuned_inference != "dedicated only":
        for key in ("input_usd_per_mtok", "output_usd_per_mtok", "cache_read_usd_per_mtok"):
            facts[key] = found(key, tuned=tuned)
        for key in ("input_usd_per_mtok", "output_usd_per_mtok"):
            facts[f"batch_{key}"] = found(key, tuned=tuned, service="batch")
    hourly = found("hosting_usd_per_hour", tuned=True)
    storage_listed = market.sells(offer, "model_storage_usd_per_month")
    facts["storage_usd_per_month"] = found("model_storage_usd_per_month") if storage_listed else 0.0
    if hourly is not None or market.sells(offer, "hosting_usd_per_hour", tuned=True):
        facts["hosting_usd_per_month"] = None if hourly is None else hourly * HOURS_PER_MONTH
        facts["hosting_basis"] = "no fee" if hourly == 0 else "730 h of one deployment, used or not"
    elif facts.get("input_usd_per_mtok") is not None:
        facts |= {"hosting_usd_per_month": 0.0, "hosting_basis": "no fee listed: billed by the token"}
    elif (unit := found("provisioned_usd_per_unit_hour", tuned=True)) is not None:
        facts |= {"hosting_usd_per_month": unit * HOURS_PER_MONTH, "hosting_basis": "730 h of one provisioned unit, used or not"}
    elif rules is not None and rules.tuned_inference == "dedicated only":
        facts["hosting_basis"] = BY_GPU_HOUR
    else:
        facts["hosting_basis"] = "the price book has no rates of the tuned model"
    by_size = found("storage_usd_per_gb_month", tuned=True)
    facts["notes"] = () if by_size is None else (f"checkpoints are stored at ${say(by_size)} a gigabyte and month, not counted",)
    return facts | {"prices": tuple(used)}


def _last_chance(rates: Rates, offer: str, standing: Standing, day: date) -> date | None:
    """The first later day on which this organisation is refused."""
    days = sorted({event.date for event in rates.lifecycle(offer) if event.date > day})
    return next((d for d in days if training_refused(rates, offer, standing, d) is not None), None)


def _sold_otherwise(rates: Rates, method: Method, providers: Iterable[str] | None) -> Iterator[TrainingBill]:
    """Providers that sell training by something a file does not tell: named, never guessed."""
    for provider_id in rates.book.provider_ids if providers is None else dict.fromkeys(providers):
        provider = rates.book.provider(provider_id)
        for price in rates.in_force(provider_id, provider.price):
            if price.key in BY_ANYTHING_ELSE:
                unit = BY_ANYTHING_ELSE[price.key]
                why = f"sold at ${say(price.usd)} a {unit}; how many of them a job takes, the price book does not know"
                yield TrainingBill(provider_id, provider.name, provider.name, method, None, None, unpriced=why, prices=(price,))


def _by_cost(bill: TrainingBill) -> tuple[Any, ...]:
    order = ("billed", "unpriced", "refused").index(bill.status)
    costs = (math.inf if usd is None else usd for usd in (bill.job_usd, bill.first_month_usd))
    return (order, *costs, bill.offer, bill.technique or "", bill.deployment or "")


def _canonical(rates: Rates, offer: str) -> str:
    provider, item_id, _ = rates.item(offer)
    return f"{provider.id}/{item_id}"


def _known(usd: float) -> float | None:
    return None if math.isnan(usd) else float(usd)


def last_training_day(bill: TrainingBill) -> date | None:
    """The last day on which the job can be started, where an end is announced."""
    return None if bill.train_before is None else bill.train_before - timedelta(days=1)
