"""What a scenario leaves open of own GPUs, predicted: the hours of a tuning run, and the throughput of a replica.

What is stated always wins. A prediction says its interval, and becomes a missing price where it cannot be made.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from calc.ledger import Predicted
from calc.parts.prompt import mean_input_tokens, output_tokens, prefix_tokens
from calc.scenario import OwnGpus, Tuning
from calc.setting import Setting, counted, say
from pricing import PricingError
from pricing.model import Fit, Gpu, OpenModel

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


def hours_per_run(setting: Setting, tuning: Tuning, offer: str) -> Found:
    """Paid hours of one tuning run: as stated, else (training ÷ speed factor + set-up) ÷ (1 − idle share)."""
    if tuning.training_hours_per_run is not None:
        return Found(tuning.training_hours_per_run)
    try:
        return _predicted_hours(setting, tuning, offer)
    except (PricingError, ValueError) as error:
        return Found(np.nan, missing=_untold("tuning.training_hours_per_run", error))


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
    gpu = _gpu(setting, f"{tuning.rent}/{tuning.gpu}")
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
        (each / tuning.speed_factor + terms.set_up_hours) / (1 - terms.idle_share) for each in (time.low, time.hours, time.high)
    )
    words = (
        f"predicted, {say(low)} to {say(high)}: {counted(epochs.value, 'epoch')} × {say(examples)} examples × "
        f"{say(cut)} tokens, {tuning.technique} on {say(tuning.gpus)} × {gpu.name}, {say(terms.set_up_hours)} h of set-up and "
        f"{terms.idle_share:.0%} idle inside"
    )
    assumed = ("hardware.set_up_hours_per_run", "hardware.idle_share")
    return Found(
        hours,
        words,
        (Predicted("tuning.training_hours_per_run", low, hours, high, "hours", _basis("published runs", fit)),),
        (*assumed, *((epochs.assumption,) if epochs.assumption else ())),
    )


def _predicted_throughput(setting: Setting, serving: OwnGpus, offer: str) -> Found:
    from calc.hardware import serving_throughput as throughput  # slow to import, and wanted for predictions alone
    from calc.hardware.architecture import shape_of

    gpu = _gpu(setting, f"{serving.rent}/{serving.gpu}")
    shape, fit = shape_of(_weights(setting, offer)), setting.rates.fit("serving")
    deployment = throughput.Deployment(shape, gpu, weights=serving.weights)
    read, written = mean_input_tokens(setting), output_tokens(setting)
    cached = prefix_tokens(setting) if serving.caches_prefix else 0.0
    wanted = (serving.seconds_to_first_token, serving.seconds_per_output_token)

    def of_one(gpus: float, read: float, written: float, cached: float, first: float | None, each: float | None) -> float:
        asked = ("throughput", shape, gpu.name, serving.weights, gpus, read, written, cached, first, each)
        if asked not in setting.rates.memory:
            tokens = throughput.TokenShape(read, written, cached)
            found = throughput.capacity(replace(deployment, gpus=int(gpus)), tokens, fit, first, each)
            setting.rates.memory[asked] = found.requests_per_second
        return float(setting.rates.memory[asked])

    of_each = np.vectorize(of_one, otypes=[float])
    served = of_each(serving.gpus_per_replica, read, written, cached, *wanted)[()] * serving.speed_factor
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


def _gpu(setting: Setting, rented: str) -> Gpu:
    """Facts of the GPU in what is rented."""
    _, item_id, item = setting.rates.item(rented)
    return setting.rates.gpu(item.hardware.gpu if item.hardware else item_id)
