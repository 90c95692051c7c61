"""GPUs and deployments that answer the requests: whole replicas by the hour, used or not, and tuned hosting fees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from calc.hardware.renting import spot_load
from calc.ledger import CostLine, each, priced_line
from calc.parts import own_gpus
from calc.scenario import Dedicated, OwnGpus
from calc.setting import Setting, say
from calc.timeline import DAYS_PER_MONTH
from calc.volume import SleepingSteps, Steps


def peak_requests_per_second(requests: Any, peak_factor: Any, active_hours_per_day: Any, active_days_per_month: Any) -> Any:
    """requests × peak factor ÷ active seconds of the month."""
    return requests * peak_factor / (active_hours_per_day * 3600 * active_days_per_month)


def replica_lines(setting: Setting, offer: str, share: Any = 1.0) -> list[CostLine]:
    """Hours of whole replicas: max(minimum, ⌈peak requests a second ÷ (throughput × target utilisation)⌉); storage and egress.

    On spot the load has spare replicas in it.

    Args:
        offer: the model served, whose provider's hosting is used by a dedicated deployment without a GPU of its own.
        share: billed requests that reach the replicas, per request.
    """
    serving, work = setting.approach.serving, setting.scenario.workload
    assert isinstance(serving, Dedicated | OwnGpus)
    peak = setting.given(work.peak_factor, "serving.peak_factor")
    hours = setting.active_hours
    days: Any = work.active_days_per_month if work.active_days_per_month is not None else DAYS_PER_MONTH
    utilisation = setting.given(serving.target_utilisation, "serving.target_utilisation")
    hour = _hourly(setting, serving, offer)
    price, gpus_each = hour.price, hour.gpus
    throughput = _throughput(setting, serving, offer)

    attempts = share * (1 + np.asarray(work.retry_share))
    service = serving.rent_service if isinstance(serving, OwnGpus) else "standard"
    spare = own_gpus.assumed(setting, "serving.spot_spare_share") if service == "spot" else own_gpus.Found(0.0)
    load = spot_load(setting.growth * attempts, service, spare.value)
    replicas_per_request = peak_requests_per_second(load, peak.value, hours.value, days) / (throughput.value * utilisation.value)
    gpus = getattr(serving, "gpus_per_replica", 1)
    units_per_replica = np.ceil(gpus / gpus_each)
    replicas_per_unit = np.maximum(np.floor(gpus_each / gpus), 1)
    steps = Steps(
        load_per_request=replicas_per_request / replicas_per_unit,
        minimum=np.ceil(serving.min_replicas / replicas_per_unit) * setting.active,
        size=units_per_replica * serving.hours_per_month * setting.active,
    )
    quantity: Steps | SleepingSteps = steps
    if serving.idle_minutes_to_zero is not None:
        # on for the share 1 - e^(-requests within the timeout) of its hours, as requests come at random
        timeouts = serving.idle_minutes_to_zero / 60 / serving.hours_per_month
        quantity = SleepingSteps(steps, setting.growth * attempts * timeouts)
    predicted = throughput.words and f" ({throughput.words})"
    formula = (
        f"⌈requests × {say(attempts)} × peak {say(peak.value)} ÷ ({say(hours.value)} h × {say(days)} days × 3600) ÷ "
        f"({say(throughput.value)} req/s{predicted} × {say(utilisation.value)} used)"
        + (f" × {say(1 + spare.value)} for spares on spot" if service == "spot" else "")
        + "⌉ replicas"
        + (f" of {say(gpus)} GPUs" if np.any(np.asarray(gpus) > 1) else "")
        + (f", {say(replicas_per_unit)} to an instance of {gpus_each} GPUs" if gpus_each > 1 else "")
        + f", at least {say(serving.min_replicas)}, × {say(serving.hours_per_month)} h a month"
        + (
            f", the last off after {say(serving.idle_minutes_to_zero)} idle minutes"
            if serving.idle_minutes_to_zero is not None
            else ""
        )
        + (f"; an hour is {hour.words}" if hour.words else "")
    )
    beside = own_gpus.serving_lines(setting, serving, offer, attempts) if isinstance(serving, OwnGpus) else []
    return [
        priced_line(
            "serving.replicas",
            hour.name,
            "gpu rental",
            "stepped",
            quantity,
            "hour",
            replace(price, missing=price.missing or throughput.missing or spare.missing),
            formula,
            assumptions=(
                peak.assumption,
                hours.assumption,
                utilisation.assumption,
                *spare.assumptions,
                *throughput.assumptions,
                *hour.assumptions,
            ),
            predicted=throughput.predicted,
        ),
        *beside,
    ]


def _throughput(setting: Setting, serving: Dedicated | OwnGpus, offer: str) -> own_gpus.Found:
    """Requests a second of one replica: as stated, or on own GPUs as predicted."""
    if isinstance(serving, OwnGpus):
        return own_gpus.requests_per_second(setting, serving, offer)
    return own_gpus.Found(serving.requests_per_second_per_replica)


def _hourly(setting: Setting, serving: Dedicated | OwnGpus, offer: str) -> own_gpus.Hourly:
    """Hourly price of what a replica runs on, its name, and the GPUs in one of it."""
    if isinstance(serving, OwnGpus):
        return own_gpus.hourly(setting, serving)
    if serving.gpu is not None:
        hosted = f"{serving.provider or offer.partition('/')[0]}/{serving.gpu}"
        name = f"{setting.rates.item(hosted)[2].name}, rented by the hour"
        return own_gpus.Hourly(setting.price(hosted, "gpu_usd_per_hour"), name)
    unit = setting.price(
        offer,
        "provisioned_usd_per_unit_hour",
        tuned=setting.approach.tuning is not None,
        service=serving.service,
        deployment=serving.deployment,
    )
    return own_gpus.Hourly(unit, f"Provisioned units of {offer}, rented by the hour")


def hosting_lines(setting: Setting, offer: str, hours_per_month: Any, deployment: str | None) -> list[CostLine]:
    """Hours of a tuned model's deployment at a provider that also bills its tokens; none where there is no such fee."""
    terms: dict[str, Any] = {"tuned": True, "deployment": deployment}
    if not setting.sells(offer, "hosting_usd_per_hour", **terms):
        return []
    price = setting.price(offer, "hosting_usd_per_hour", **terms)
    if not price.missing and not price.usd.any():  # the provider says that hosting is free
        return []
    return [
        priced_line(
            "serving.hosting",
            "Hosting of the tuned model",
            "gpu rental",
            "monthly",
            each(setting.active, hours_per_month),
            "hour",
            price,
            f"{say(hours_per_month)} h a month, used or not",
        )
    ]
