"""Own GPUs, rented or bought: their price by the hour, what is stored and sent, and what a scenario leaves open, predicted.

What is stated always wins. A prediction of the hours of a run or the throughput of a replica says its interval, and becomes a
missing price where it cannot be made. Storage and egress have no line where the renter's price is not known: a note says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from calc.hardware.architecture import Shape
from calc.hardware.renting import EGRESS_KEY, STORAGE_KEY, result_gb, served_gb, spot_hours, text_gb, tuning_gb, unmerged
from calc.ledger import CostLine, Group, Predicted, each, once, per_request, priced_line
from calc.parts.prompt import mean_input_tokens, output_tokens, prefix_tokens
from calc.scenario import BOUGHT, BoughtGpus, Dedicated, OwnGpus, RentService, Tuning
from calc.setting import Setting, counted, say
from calc.timeline import HOURS_PER_MONTH, MonthlyPrice
from pricing import PriceMissing, PricingError
from pricing.model import Fit, Gpu, OpenModel, RentedFor

PACKED_TOKENS = 2048
"""Tokens of a sequence that examples are packed to, where none is stated and they are no longer: the authors' assumption."""


class Found(NamedTuple):
    """A number, stated or predicted."""

    value: Any
    """Not a number where it is missing."""
    words: str = ""
    """How it came about; empty where it was stated."""
    predicted: tuple[Predicted, ...] = ()
    assumptions: tuple[str, ...] = ()
    missing: str | None = None


def assumed(setting: Setting, assumption: str) -> Found:
    """The likely value of an assumption; missing where the pinned release does not know it yet."""
    try:
        return Found(setting.given(None, assumption).value, assumptions=(assumption,))
    except PriceMissing as error:
        return Found(np.nan, missing=str(error))


# --- the price of an hour -------------------------------------------------------------------------------------------------


class Hourly(NamedTuple):
    """What is rented by the hour, or an hour of what was bought."""

    price: MonthlyPrice
    name: str
    gpus: int = 1
    """GPUs in what the price is for."""
    words: str = ""
    """How the price comes about; empty where it is listed."""
    assumptions: tuple[str, ...] = ()


def hourly(setting: Setting, spec: OwnGpus | Tuning) -> Hourly:
    """Price of an hour of a GPU or of a whole instance, in the market asked for, or of a GPU that was bought."""
    if spec.rent == BOUGHT:
        return _bought_hour(setting, spec)
    offer = f"{spec.rent}/{spec.gpu}"
    provider, _, item = setting.rates.item(offer)
    use: RentedFor = "serving" if isinstance(spec, OwnGpus) else "jobs"
    only = item.rented_for or provider.rented_for
    price = setting.price(offer, "instance_usd_per_hour", service=spec.rent_service)
    gpus = item.hardware.gpus if item.hardware and not price.missing else 1
    if price.missing:
        price = setting.price(offer, "gpu_usd_per_hour", service=spec.rent_service)
    missing = price.missing and (_other_markets(setting, offer, spec.rent_service) or price.missing)
    if only not in (None, use):
        missing = f"{offer} does {_USES[only]}: rent elsewhere"
        price = replace(price, usd=price.usd * np.nan)
    return Hourly(replace(price, missing=missing), f"{item.name}, rented by the hour", gpus)


_USES = {"serving": "serving only, nothing can be tuned on it", "jobs": "jobs only, nothing can be served from it", None: ""}


def _other_markets(setting: Setting, offer: str, asked: RentService) -> str | None:
    """In which markets it is rented out, where not in the one asked for."""
    keys = ("instance_usd_per_hour", "gpu_usd_per_hour")
    sold = [market for market in get_args(RentService) if any(setting.sells(offer, key, service=market) for key in keys)]
    if asked in sold or not sold:
        return None
    return f"the price book has no {asked} price of {offer}; it has {' and '.join(sold)}: state rent_service, or rent elsewhere"


def _bought_hour(setting: Setting, spec: OwnGpus | Tuning) -> Hourly:
    """An hour in use of a GPU that was bought; where it serves, all hours of a month are paid by those in which it does."""
    from calc.hardware import plans  # slow to import, and wanted for bought GPUs and predictions alone

    assert spec.gpu is not None
    own, everywhere = spec.bought or BoughtGpus(), np.ones(setting.months.count)
    used = np.minimum(np.asarray(spec.hours_per_month) / HOURS_PER_MONTH, 1) if isinstance(spec, OwnGpus) else own.utilisation
    stated = plans.OwnedTerms(
        own.purchase_usd_per_gpu,
        own.life_years,
        own.electricity_usd_per_kwh,
        own.colocation_usd_per_kw_month,
        own.staff_hours_per_gpu_year,
        setting.scenario.staff_usd_per_hour.get(own.staff_role),
    )
    name = f"{setting.rates.gpu(spec.gpu).name}, bought"
    try:
        hour = plans.owned_hour(setting.rates, spec.gpu, used, own.staff_role, stated)
    except PriceMissing as error:
        return Hourly(MonthlyPrice(everywhere * np.nan, missing=str(error)), name)
    return Hourly(MonthlyPrice(hour.usd * everywhere, hour.prices), name, 1, hour.formula, hour.assumptions)


# --- what is stored and sent ----------------------------------------------------------------------------------------------


def serving_lines(setting: Setting, serving: OwnGpus, offer: str, attempts: Any) -> list[CostLine]:
    """Storage of what is served, and egress of the answers, each where its price is known and not zero.

    Args:
        attempts: billed requests that reach the replicas, per request.
    """
    lines = []
    gigabytes = _served_gb(setting, serving, offer)
    if gigabytes is not None:
        adapters = f" and {counted(serving.adapters, 'adapter')}" if unmerged(serving.adapters) else ""
        formula = f"{say(gigabytes)} GB: the weights in {serving.weights}{adapters}"
        lines += _beside(setting, serving, "serving.storage", "Storage of the weights", gigabytes, formula)
    sent, answer = _usable_price(setting, serving, EGRESS_KEY), setting.scenario.workload.answer_tokens
    if sent is not None and np.any(sent.usd):
        per_token = assumed(setting, "hardware.bytes_per_token")
        lines.append(
            priced_line(
                "serving.egress",
                "Sending the answers",
                "gpu rental",
                "per request",
                per_request(setting.growth, attempts * text_gb(answer, per_token.value)),
                "GB",
                replace(sent, missing=per_token.missing),
                f"requests × {say(attempts)} × {say(answer)} tokens × {say(per_token.value)} bytes ÷ 10⁹",
                assumptions=per_token.assumptions,
            )
        )
    return lines


def tuning_lines(setting: Setting, tuning: Tuning, trainings: Any) -> list[CostLine]:
    """Storage of what is tuned, in all months served, and egress of each result to where it is served, if elsewhere.

    Args:
        trainings: as of `calc.parts.tuning.lines`.
    """
    offer = trainings[0][1]
    shape = _shape(setting, offer)
    if shape is None:
        return []
    lines = _kept_lines(setting, tuning, shape)
    for month, _, _ in trainings if _served_at(setting, offer) != tuning.rent else ():
        sent = _usable_price(setting.in_month(month), tuning, EGRESS_KEY)
        if sent is not None and np.any(sent.usd):
            lines.append(
                priced_line(
                    f"tuning.egress:{month}",
                    f"Sending the tuned model to {_place(_served_at(setting, offer))}",
                    "data and training",
                    "one-off",
                    once(setting.months.count, month, result_gb(shape, tuning.technique)),
                    "GB",
                    sent,
                    f"{say(result_gb(shape, tuning.technique))} GB, once",
                )
            )
    return lines


def uncounted(setting: Setting, offer: str) -> tuple[str, ...]:
    """What own GPUs cost beside their hours and is not counted, as its price or its size is not known."""
    serving, tuning, notes = setting.approach.serving, setting.approach.tuning, list[str]()
    if isinstance(serving, OwnGpus):
        if _shape(setting, offer) is None:
            notes.append(f"storage where it is served is not counted: {_shapeless(setting)}")
        else:
            notes += _not_priced(setting, serving, STORAGE_KEY, "storage where it is served", "serving")
        notes += _not_priced(setting, serving, EGRESS_KEY, "sending the answers", "serving")
    if tuning is not None and tuning.kind == "own_gpus":
        if _shape(setting, offer) is None:
            notes.append(f"storage and sending of what is tuned are not counted: {_shapeless(setting)}")
            return tuple(notes)
        notes += _not_priced(setting, tuning, STORAGE_KEY, "storage where it is tuned", "tuning")
        if _served_at(setting, offer) != tuning.rent:
            notes += _not_priced(setting, tuning, EGRESS_KEY, "sending the tuned model to where it is served", "tuning")
    return tuple(notes)


def _shapeless(setting: Setting) -> str:
    return f"the shape of {setting.approach.model} is not in the price book"


def _not_priced(setting: Setting, spec: OwnGpus | Tuning, key: str, what: str, part: Literal["serving", "tuning"]) -> list[str]:
    if _usable_price(setting, spec, key) is not None:
        return []
    if spec.rent == BOUGHT:
        why = "the GPUs are bought"
    elif setting.sells(f"{spec.rent}/{spec.gpu}", key):
        why = f"the price of it from {spec.rent} in the book may not be used as it stands, such as an unverified one"
    else:
        why = f"no price of it from {spec.rent} in the book"
    return [f"{what} is not counted: {why}; {part}.{key} would state it"]


def _kept_lines(setting: Setting, tuning: Tuning, shape: Shape) -> list[CostLine]:
    """Storage of what tuning reads and leaves behind, where its price is known."""
    if _usable_price(setting, tuning, STORAGE_KEY) is None:
        return []
    checkpoints, per_token = (setting.given(None, f"hardware.{name}") for name in ("checkpoints_per_run", "bytes_per_token"))
    tokens = _data_tokens(setting, tuning)
    gigabytes = tuning_gb(shape, tuning.technique, checkpoints.value, 0.0 if tokens is None else tokens, per_token.value)
    kept = f"{say(checkpoints.value)} results of {say(result_gb(shape, tuning.technique))} GB"
    data = "the data, whose tokens are not stated, left out" if tokens is None else f"{say(tokens)} tokens of data"
    formula = f"{say(gigabytes)} GB: the weights in fp16, {kept}, {data}"
    names = (checkpoints.assumption, per_token.assumption if tokens is not None else None)
    return _beside(setting, tuning, "tuning.storage", "Storage of base model, results and data", gigabytes, formula, names)


def _beside(
    setting: Setting, spec: OwnGpus | Tuning, key: str, name: str, gigabytes: Any, formula: str, assumptions: Any = ()
) -> list[CostLine]:
    """Storage in every active month; no line where its price is not known or it is free."""
    price = _usable_price(setting, spec, STORAGE_KEY)
    if price is None or not np.any(price.usd):
        return []
    group: Group = "gpu rental" if isinstance(spec, OwnGpus) else "data and training"
    quantity = each(setting.active, gigabytes)
    return [priced_line(key, name, group, "monthly", quantity, "GB-month", price, formula, assumptions=assumptions)]


def _usable_price(setting: Setting, spec: OwnGpus | Tuning, key: str) -> MonthlyPrice | None:
    """Price of storage or egress: as stated, else the renter's; None where neither is known."""
    stated = getattr(spec, key)
    if stated is not None:
        return MonthlyPrice(np.asarray(stated) * np.ones(setting.months.count))
    offer = f"{spec.rent}/{spec.gpu}"
    if spec.rent == BOUGHT or not setting.sells(offer, key):
        return None
    price = setting.price(offer, key)
    return None if price.missing else price


def _served_at(setting: Setting, offer: str) -> str:
    """The provider that serves what is tuned."""
    serving = setting.approach.serving
    if isinstance(serving, OwnGpus):
        return serving.rent
    return (isinstance(serving, Dedicated) and serving.provider) or offer.partition("/")[0]


def _place(served_at: str) -> str:
    return "GPUs that were bought" if served_at == BOUGHT else served_at


def _served_gb(setting: Setting, serving: OwnGpus, offer: str) -> Any:
    shape = _shape(setting, offer)
    return None if shape is None else served_gb(shape, serving.weights, serving.adapters, serving.adapter_rank)


def _shape(setting: Setting, offer: str) -> Any:
    """Shape of the approach's model; None where it is not known."""
    from calc.hardware.architecture import shape_of

    try:
        return shape_of(_weights(setting, offer))
    except PricingError:
        return None


def _data_tokens(setting: Setting, tuning: Tuning) -> Any:
    """Tokens of the data set, each example once and uncut; None where they are not stated."""
    task = setting.scenario.task
    examples = tuning.examples if tuning.examples is not None else task.examples
    tokens: Any = tuning.tokens_per_example if tuning.tokens_per_example is not None else task.tokens_per_example
    return None if examples is None or tokens is None else np.asarray(examples) * tokens


# --- predictions ----------------------------------------------------------------------------------------------------------


def hours_per_run(setting: Setting, tuning: Tuning, offer: str) -> Found:
    """Paid hours of one tuning run: as stated, else (training ÷ speed factor + set-up) ÷ (1 − idle share).

    On spot, stated hours and those of training are longer by what is repeated after interruptions.
    """
    if tuning.training_hours_per_run is not None:
        return _stated_hours(setting, tuning)
    try:
        return _predicted_hours(setting, tuning, offer)
    except (PricingError, ValueError) as error:
        return Found(np.nan, missing=_untold("tuning.training_hours_per_run", error))


def _stated_hours(setting: Setting, tuning: Tuning) -> Found:
    stated = tuning.training_hours_per_run
    if tuning.rent_service != "spot":
        return Found(stated)
    share = assumed(setting, _REPEATED)
    words = f"{say(stated)} h and {say(share.value)} of them again after interruptions"
    return Found(spot_hours(stated, "spot", share.value), words, assumptions=share.assumptions, missing=share.missing)


_REPEATED = "hardware.spot_interruption_share"


def requests_per_second(setting: Setting, serving: OwnGpus, offer: str) -> Found:
    """Sustained throughput of one replica: as stated, else predicted at the scenario's mean request."""
    if serving.requests_per_second_per_replica is not None:
        return Found(serving.requests_per_second_per_replica)
    try:
        return _predicted_throughput(setting, serving, offer)
    except (PricingError, ValueError) as error:
        return Found(np.nan, missing=_untold("serving.requests_per_second_per_replica", error))


def _untold(field: str, error: Exception) -> str:
    return f"{field} is not stated and cannot be predicted: {error}"


def _predicted_hours(setting: Setting, tuning: Tuning, offer: str) -> Found:
    from calc.hardware import plans, training_time  # slow to import, and wanted for predictions alone
    from calc.hardware.architecture import shape_of

    rates, task = setting.rates, setting.scenario.task
    examples = tuning.examples if tuning.examples is not None else task.examples
    tokens: Any = tuning.tokens_per_example if tuning.tokens_per_example is not None else task.tokens_per_example
    if tuning.method == "rft":
        raise ValueError("what reinforcement learning generates and grades hangs on the task; measure it and state the hours")
    if examples is None or tokens is None:
        raise ValueError("it needs task.examples and task.tokens_per_example (or tuning.examples and its tokens)")
    shape = shape_of(_weights(setting, offer))
    gpu = _gpu(setting, tuning)
    longest = tuning.max_tokens_per_example
    cut = tokens if longest is None else np.minimum(tokens, longest)
    whole = min(PACKED_TOKENS, shape.context_tokens or PACKED_TOKENS)
    packed = longest if longest is not None else np.maximum(whole, tokens)
    epochs = setting.given(tuning.epochs, "tuning.epochs")
    trained = epochs.value * np.asarray(examples) * cut
    work = plans.TuningTask(
        tokens=trained,
        technique=tuning.technique,
        method=tuning.method,
        sequence_tokens=packed if tuning.packing else cut,
        sequences_per_step=tuning.sequences_per_step,
        is_padded=not tuning.packing,
    )
    precision = plans.precision_of(gpu)
    plans.check_fit(shape, work, gpu, tuning.gpus, rates.fit("memory"))
    run, fit = plans.tuning_run(work, tuning.gpus, precision), rates.fit("training_time")
    time = training_time.wall_time(trained, shape, gpu, np.asarray(tuning.gpus), run, fit)
    terms = plans.run_terms(rates)
    low, hours, high = (
        (spot_hours(training / tuning.speed_factor, tuning.rent_service, terms.interruption_share) + terms.set_up_hours)
        / (1 - terms.idle_share)
        for training in (time.low, time.hours, time.high)
    )
    words = (
        f"predicted, {say(low)} to {say(high)}: {counted(epochs.value, 'epoch')} × {say(examples)} examples × "
        f"{say(cut)} tokens, {tuning.technique} on {say(tuning.gpus)} × {gpu.name}, {say(terms.set_up_hours)} h of set-up and "
        f"{say(100 * np.asarray(terms.idle_share))}% idle inside"
        + (
            f", {say(100 * np.asarray(terms.interruption_share))}% of training repeated on spot"
            if tuning.rent_service == "spot"
            else ""
        )
    )
    assumed = ("hardware.set_up_hours_per_run", "hardware.idle_share", *((_REPEATED,) if tuning.rent_service == "spot" else ()))
    return Found(
        hours,
        words,
        (Predicted("tuning.training_hours_per_run", low, hours, high, "hours", _basis("published runs", fit)),),
        (*assumed, *((epochs.assumption,) if epochs.assumption else ())),
    )


def _predicted_throughput(setting: Setting, serving: OwnGpus, offer: str) -> Found:
    from calc.hardware import serving_throughput as throughput  # slow to import, and wanted for predictions alone
    from calc.hardware.architecture import shape_of

    gpu = _gpu(setting, serving)
    shape, fit = shape_of(_weights(setting, offer)), setting.rates.fit("serving")
    kept, rank = int(unmerged(serving.adapters)), serving.adapter_rank
    deployment = throughput.Deployment(shape, gpu, weights=serving.weights, adapters=kept, adapter_rank=rank)
    read, written = mean_input_tokens(setting), output_tokens(setting)
    cached = prefix_tokens(setting) if serving.caches_prefix else 0.0
    wanted = (serving.seconds_to_first_token, serving.seconds_per_output_token)

    tokens = throughput.TokenShape(read, written, cached)

    def on(gpus: float) -> Any:
        return throughput.capacity(replace(deployment, gpus=int(gpus)), tokens, fit, *wanted).requests_per_second

    counts = np.asarray(serving.gpus_per_replica)
    each_count = np.unique(counts)
    served: Any = np.select([counts == count for count in each_count], [on(count) for count in each_count])[()]
    served = served * serving.speed_factor
    factor = throughput.interval_factor(fit)
    low, high = served / factor, served * factor
    words = f"predicted, {say(low)} to {say(high)}, for {say(read)} tokens in, {say(cached)} of them cached, {say(written)} out"
    basis = _basis("published measurements", fit)
    return Found(served, words, (Predicted("serving.requests_per_second_per_replica", low, served, high, "requests/s", basis),))


def _basis(what: str, fit: Fit) -> str:
    return f"fitted to {fit.rows} {what} of {fit.sources} sources, recorded {fit.recorded}; the interval holds nine of ten"


def _weights(setting: Setting, offer: str) -> OpenModel:
    """Facts of the approach's model.

    Raises:
        UnknownOffer: it is no open-weights model of the book; near matches are named.
    """
    model = setting.approach.model
    if model not in setting.rates.open_models and setting.rates.book.provider_ids.count(offer.partition("/")[0]):
        model = setting.rates.item(offer)[2].weights or model
    return setting.rates.open_model(model)


def _gpu(setting: Setting, spec: OwnGpus | Tuning) -> Gpu:
    """Facts of the GPU in what is rented or was bought."""
    if spec.rent == BOUGHT:
        return setting.rates.gpu(str(spec.gpu))
    _, item_id, item = setting.rates.item(f"{spec.rent}/{spec.gpu}")
    return setting.rates.gpu(item.hardware.gpu if item.hardware else item_id)
