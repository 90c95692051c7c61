"""What fine-tuning costs: billed tokens by the provider's rule, jobs with their minimum and cap, storage.

Billed tokens of one job = epochs × Σ min(length, maximum) + evaluations × validation tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from calc.ledger import CostLine, each, once, priced_line
from calc.parts import own_gpus
from calc.parts.prompt import MTOK
from calc.scenario import Tuning
from calc.setting import Setting, counted, say
from calc.timeline import MonthlyPrice, inference_ends
from pricing import Rates


def default_epochs(rule: str, examples: float) -> int:
    """Epochs a provider's own rule picks for a number of examples.

    ``openai-cookbook``: the estimator of OpenAI's cookbook (target 3; under 100 passes min(25, 100 // n); over 25,000
    max(1, 25,000 // n)), https://cookbook.openai.com/examples/chat_finetuning_data_prep. ``openpipe``: 10,000 / n,
    rounded, between 1 and 10.

    Raises:
        ValueError: the rule is not known, or there are no examples.
    """
    if examples < 1:
        raise ValueError("the number of examples must be 1 or more to choose epochs")
    if rule == "openai-cookbook":
        if 3 * examples < 100:
            return int(min(25, 100 // examples))
        if 3 * examples > 25_000:
            return int(max(1, 25_000 // examples))
        return 3
    if rule == "openpipe":
        return int(min(10, max(1, 10_000 / examples + 0.5)))  # halves round up, as in the service's JavaScript
    raise ValueError(f"there is no epoch rule '{rule}'; there are openai-cookbook and openpipe")


def billed_tokens(
    training_tokens: Any,
    epochs: Any,
    *,
    validation_tokens: Any = 0.0,
    evaluations: Any = 0.0,
) -> Any:
    """Billed tokens of one job: epochs × training tokens + evaluations × validation tokens.

    Args:
        training_tokens: Σ min(length, maximum) over the examples; with packing off at Together, examples × maximum.
        validation_tokens: tokens of one pass over the validation set, 0 where the provider does not bill them.
    """
    return epochs * training_tokens + evaluations * validation_tokens


def job_usd(billed: Any, usd_per_mtok: Any, minimum_usd: Any = 0.0) -> Any:
    """Charge of one job: max(rate × tokens, minimum). The minimum holds for each job, never for their sum."""
    return np.maximum(np.asarray(billed) * usd_per_mtok / MTOK, minimum_usd)


class Market(Protocol):
    """Where prices are looked up: a `Setting` by month, `calc.training_bill.Day` on one day."""

    @property
    def rates(self) -> Rates:
        """The prices known."""
        ...

    def price(self, offer: str, key: str, **conditions: Any) -> MonthlyPrice:
        """A price, or why there is none."""
        ...

    def sells(self, offer: str, key: str, **conditions: Any) -> bool:
        """Whether there is such a charge at all."""
        ...


def epochs_of(rates: Rates, offer: str, stated: Any, examples: Any) -> tuple[Any, str, str | None]:
    """Epochs, where they come from in words, and the assumption's name where it is one."""
    if stated is not None:
        return stated, "as stated", None
    rules = rates.billing_rules(offer)
    if rules is not None and isinstance(rules.default_epochs, int):
        return rules.default_epochs, "the provider's default", None
    if rules is not None and isinstance(rules.default_epochs, str):
        epochs = np.vectorize(lambda n: default_epochs(str(rules.default_epochs), n), otypes=[float])(examples)
        return epochs[()], f"estimated by {rules.default_epochs}", None
    return rates.assumption("tuning.epochs").likely, "assumed", "tuning.epochs"


def example_tokens(setting: Setting, tuning: Tuning, offer: str) -> tuple[Any, Any, Any]:
    """Examples, the tokens of one cut at the maximum length, and those billed for one.

    The last two differ only where a provider bills the maximum length with packing off.

    Raises:
        ValueError: the scenario states neither, or not the maximum length where it is billed.
    """
    task = setting.scenario.task
    examples = tuning.examples if tuning.examples is not None else task.examples
    tokens: Any = tuning.tokens_per_example if tuning.tokens_per_example is not None else task.tokens_per_example
    if examples is None or tokens is None:
        raise ValueError("fine-tuning needs task.examples and task.tokens_per_example (or tuning.examples and its tokens)")
    longest = longest_example(setting.rates, offer, tuning.max_tokens_per_example)
    cut = tokens if longest is None else np.minimum(tokens, longest)
    if not bills_longest(setting.rates, offer, tuning.packing):
        return examples, cut, cut
    if longest is None:
        raise ValueError(LONGEST_UNKNOWN)
    return examples, cut, longest


LONGEST_UNKNOWN = "with packing off this provider bills the maximum length: state tuning.max_tokens_per_example"


def longest_example(rates: Rates, offer: str, stated: Any) -> Any:
    """Tokens at which a longer example is cut: as stated, else the model's limit; None where neither is known."""
    return stated if stated is not None else rates.item(offer)[2].max_training_tokens_per_example


def bills_longest(rates: Rates, offer: str, packing: bool) -> bool:
    """Whether every example is billed at the maximum length, however short it is."""
    rules = rates.billing_rules(offer)
    return rules is not None and rules.unpacked_bills_max_length and not packing


@dataclass(frozen=True)
class TokenJob:
    """One job billed by the token."""

    billed_tokens: Any
    rate: MonthlyPrice
    minimum: MonthlyPrice
    cap: MonthlyPrice
    charge: MonthlyPrice
    """max(rate × billed tokens, minimum), or why it has no price: it would pass the cap, or a price is missing."""
    validation: str = ""
    """How validation tokens enter the formula, in its words; so do the two below."""
    estimate: str = ""
    at_least: str = ""


def token_job(
    market: Market,
    offer: str,
    terms: Mapping[str, Any],
    training_tokens: Any,
    epochs: Any,
    *,
    validation_tokens: Any = 0.0,
    evaluations: Any = 0.0,
) -> TokenJob:
    """One job billed by the token, under the provider's rule, minimum and cap.

    Args:
        terms: method, technique and deployment.
        training_tokens: tokens billed for one pass over the training examples.
        validation_tokens: tokens of one pass over the validation examples; nothing where the provider does not bill them.
    """
    rules = market.rates.billing_rules(offer)
    validation = validation_tokens if rules is not None and rules.validation_tokens_billed else 0.0
    billed = billed_tokens(training_tokens, epochs, validation_tokens=validation, evaluations=evaluations)
    rate = market.price(offer, "training_usd_per_mtok", **terms)
    minimum = optional_price(market, offer, "minimum_usd_per_job", terms)
    cap = optional_price(market, offer, "cap_usd_per_job", terms)
    usd = job_usd(billed, rate.usd, minimum.usd)
    method = terms["method"]
    own_rate = method == "sft" or not rate.rows or any(method in row.conditions for row in rate.rows)
    charge = MonthlyPrice(usd, (*rate.rows, *minimum.rows), rate.missing or minimum.missing)
    return TokenJob(
        billed,
        rate,
        minimum,
        cap,
        _capped(charge, cap),
        validation=f" + {counted(evaluations, 'evaluation')} × {say(validation)} tokens" if np.any(validation) else "",
        estimate="" if own_rate else f"an estimate: the provider lists no price of its own for {method.upper()}",
        at_least=f", at least ${say(np.max(minimum.usd))} a job" if np.any(minimum.usd > 0) else "",
    )


def managed_job(setting: Setting, tuning: Tuning, offer: str, month: int) -> tuple[MonthlyPrice, str, tuple[str, ...]]:
    """Charge of one job started in a month, how it comes about, and the assumptions in it."""
    in_month = setting.in_month(month)
    technique = "full" if tuning.technique == "full" else "lora"
    terms: dict[str, Any] = {"deployment": tuning.deployment, "method": tuning.method, "technique": technique}
    if billed_by_hour(in_month, offer, terms):
        grader = Grader(tuning.grader_model, tuning.grader_input_tokens_per_run, tuning.grader_output_tokens_per_run)
        price, formula = hourly_job(in_month, offer, terms, tuning.training_hours_per_run, grader)
        return price, formula, ()
    examples, tokens, billed_each = example_tokens(setting, tuning, offer)
    epochs, why, assumption = epochs_of(setting.rates, offer, tuning.epochs, examples)
    job = token_job(
        in_month,
        offer,
        terms,
        examples * billed_each,
        epochs,
        validation_tokens=tuning.validation_examples * tokens,
        evaluations=tuning.evaluations_per_job,
    )
    formula = (
        f"{say(job.billed_tokens)} billed tokens = {counted(epochs, 'epoch')} ({why}) × {say(examples)} examples × "
        f"{say(billed_each)} tokens{job.validation}{job.estimate and f', {job.estimate}'}{job.at_least}"
    )
    return job.charge, formula, (assumption,) if assumption else ()


def billed_as_tuned(rates: Rates, offer: str) -> bool:
    """Whether the tuned model's tokens have rates of their own, not the base model's."""
    rules = rates.billing_rules(offer)
    return rules is None or rules.tuned_inference != "as base"


def billed_by_hour(market: Market, offer: str, terms: Mapping[str, Any]) -> bool:
    """Whether the job is sold by the hour and not by the token."""
    by_token = market.sells(offer, "training_usd_per_mtok", **terms)
    return not by_token and market.sells(offer, "training_usd_per_hour", **terms)


class Grader(NamedTuple):
    """The model that grades answers of one run, and the tokens it reads and writes."""

    model: str | None = None
    input_tokens: Any = 0.0
    output_tokens: Any = 0.0


UNGRADED = Grader()


def hourly_job(
    market: Market, offer: str, terms: Mapping[str, Any], hours: Any, grader: Grader = UNGRADED
) -> tuple[MonthlyPrice, str]:
    """Charge of a job billed by the hour, hours × rate + the grader's tokens, and how it comes about."""
    hourly = market.price(offer, "training_usd_per_hour", **terms)
    if hours is None:
        why = f"{offer} bills training by the hour: state tuning.training_hours_per_run"
        return MonthlyPrice(hourly.usd * np.nan, hourly.rows, why), ""
    cap = optional_price(market, offer, "cap_usd_per_job", terms)
    training = _capped(MonthlyPrice(hours * hourly.usd, hourly.rows, hourly.missing), cap)
    usd, rows, missing = training.usd, training.rows, training.missing
    formula = f"{say(hours)} h × ${say(np.max(hourly.usd))}"
    if grader.model is not None:
        for key, tokens in (("input_usd_per_mtok", grader.input_tokens), ("output_usd_per_mtok", grader.output_tokens)):
            price = market.price(grader.model, key)
            usd, rows, missing = usd + tokens * price.usd / MTOK, (*rows, *price.rows), missing or price.missing
            formula += f" + {say(tokens)} grader tokens × ${say(np.max(price.usd))} ÷ 10⁶"
    return MonthlyPrice(usd, rows, missing), formula


def _capped(job: MonthlyPrice, cap: MonthlyPrice) -> MonthlyPrice:
    """The job, or no price where it would pass the provider's cap: that stops it, it is incomplete, not cheaper."""
    missing = job.missing or cap.missing
    if missing is None and cap.rows and np.any(job.usd > np.where(cap.usd > 0, cap.usd, np.inf)):
        missing = (
            f"one job would cost ${say(np.max(job.usd))}; the provider stops it at its cap of ${say(np.max(cap.usd))}, "
            "so the model would be incomplete. Train on less, or resume it as a second job"
        )
    return job if missing is None else MonthlyPrice(job.usd * np.nan, job.rows, missing)


def own_gpu_run(setting: Setting, tuning: Tuning, offer: str) -> tuple[MonthlyPrice, str, own_gpus.Found]:
    """Charge of one run on own GPUs, hours × whole instances × their price, an instance's price never per GPU; the hours."""
    hour = own_gpus.hourly(setting, tuning)
    rented = np.ceil(np.asarray(tuning.gpus) / hour.gpus)
    hours = own_gpus.hours_per_run(setting, tuning, offer)
    usd = hours.value * rented * hour.price.usd
    what = "GPUs" if hour.gpus == 1 else f"instances of {hour.gpus} GPUs"
    words, owned = hours.words and f" ({hours.words})", hour.words and f" = {hour.words}"
    formula = f"{say(hours.value)} h{words} × {say(rented)} {what} × ${say(np.max(hour.price.usd))}{owned}"
    missing = hour.price.missing or hours.missing
    found = hours._replace(assumptions=(*hours.assumptions, *hour.assumptions))
    return MonthlyPrice(usd, hour.price.rows, missing), formula, found


def lines(setting: Setting, trainings: Sequence[tuple[int, str, str]]) -> list[CostLine]:
    """Training, retraining and storage of the approach.

    Args:
        trainings: (month, offer, what) of each training, in order; what is training, retraining or migration.
    """
    tuning = setting.approach.tuning
    assert tuning is not None
    found: list[CostLine] = []
    for month, offer, what in trainings:
        key = "runs" if what == "training" else "retrain_runs"
        default = "tuning.full_run_equivalents" if what == "training" else "tuning.retrain_run_equivalents"
        runs = setting.given(getattr(tuning, key), default)
        if tuning.kind == "own_gpus":
            in_month = setting.in_month(month)
            price, formula, hours = own_gpu_run(in_month, tuning, offer)
            assumed, predicted = hours.assumptions, hours.predicted
        else:
            price, formula, assumed = managed_job(setting, tuning, offer, month)
            predicted = ()
        name = {"training": "Training", "retraining": "Retraining", "migration": "Tuning the successor"}[what]
        found.append(
            priced_line(
                f"tuning.{what}" + ("" if what == "training" else f":{month}"),
                name if what == "training" else f"{name}, {setting.months.starts[month]:%B %Y}",
                "data and training",
                "one-off",
                once(setting.months.count, month, runs.value),
                "run",
                price,
                f"{counted(runs.value, 'full-run equivalent')} × ({formula})",
                assumptions=(runs.assumption, *assumed),
                predicted=predicted,
            )
        )
    if tuning.kind == "managed":
        return found + _storage_lines(setting, trainings)
    return found + own_gpus.tuning_lines(setting, tuning, trainings)


def _storage_lines(setting: Setting, trainings: Sequence[tuple[int, str, str]]) -> list[CostLine]:
    """Storage of each tuned model until it ends or a successor takes over, where the provider bills it."""
    count = setting.months.count
    models = [(month, offer) for month, offer, what in trainings if what != "retraining"]
    stops = [*(month for month, _ in models[1:]), count]
    found: list[CostLine] = []
    for (first, offer), stop in zip(models, stops, strict=True):
        end, months = inference_ends(setting.rates, offer), np.arange(count)
        last = setting.months.first_unserved(end.date) if end else count
        here = setting.within(setting.active * (months >= first) * (months < min(stop, last)))
        if np.any(here.active) and here.sells(offer, "model_storage_usd_per_month"):
            found.append(
                priced_line(
                    "tuning.storage" + (f":{offer}" if len(models) > 1 else ""),
                    "Storage of the tuned model",
                    "data and training",
                    "monthly",
                    each(here.active, 1.0),
                    "month",
                    here.price(offer, "model_storage_usd_per_month"),
                    "1 stored model",
                )
            )
    return found


def optional_price(market: Market, offer: str, key: str, terms: Mapping[str, Any]) -> MonthlyPrice:
    """A charge that not every provider makes; zero where there is none."""
    if market.sells(offer, key, **terms):
        return market.price(offer, key, **terms)
    return MonthlyPrice(np.zeros(1))
