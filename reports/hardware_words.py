"""Sentences on tuning and serving a model on own GPUs, beside what providers charge for the same."""

from __future__ import annotations

from typing import NamedTuple

from calc.hardware.plans import Rent, RunTerms, ServingPlan, TuningChoice, TuningPlan, TuningTask
from calc.hardware.renting import spot_hours, spot_load
from calc.training_bill import TrainingBill
from pricing import Rates
from pricing.model import Fit, Gpu
from reports import words

SERVICE_LABELS = {
    "standard": "On demand",
    "spot": "Spot",
    "community": "Community hosts",
    "reserved": "Reserved",
    "bought": "Bought",
}
FRAMEWORK_LABELS = {
    "transformers": "Transformers + PEFT",
    "axolotl": "Axolotl",
    "llama-factory": "LLaMA-Factory",
    "unsloth": "Unsloth",
    "torchtune": "torchtune",
    "torchtitan": "torchtitan",
    "megatron": "Megatron-LM",
    "nemo": "NeMo",
    "llm-foundry": "LLM Foundry",
    "fms-acceleration": "FMS Acceleration",
    "liger": "Liger Kernel",
    "peft": "PEFT",
    "trl": "TRL",
}
_AS_PLAIN = "as Transformers + PEFT: no measured speed of its own"
_AS_FUSED = "as other frameworks with fused kernels: no measured speed of its own"
UNMEASURED_FRAMEWORKS = {
    "axolotl": _AS_PLAIN,
    "llama-factory": _AS_PLAIN,
    "trl": _AS_PLAIN,
    "unsloth": "as other frameworks with fused kernels: measured on padded batches alone",
    "liger": _AS_FUSED,
    "nemo": _AS_FUSED,
}
"""Frameworks of which no run is among the measurements of speed, and what their hours are instead; the interval is theirs."""
TECHNIQUE_LABELS = {"qlora": "QLoRA", "lora": "LoRA", "full": "Full"}
LIMIT_LABELS = {
    "memory": "Memory",
    "engine": "Batch of the engine",
    "time to first token": "Time to first token",
    "time per output token": "Time per output token",
}
SHARDING_WORDS = {"none": "all of the model on each GPU", "zero-3": "the model split over the GPUs"}


class TokenOffer(NamedTuple):
    """A model served by the token: what a month of requests costs."""

    offer: str
    provider: str
    usd_per_month: float
    usd_per_mtok: float
    """Of input and output tokens as the requests mix them."""
    formula: str


def gpu_name(gpu: Gpu) -> str:
    """A GPU without its maker's name: RTX 4090, H100 SXM."""
    name = gpu.name.partition(",")[0]
    for maker in ("NVIDIA ", "GeForce ", "AMD Instinct "):
        name = name.removeprefix(maker)
    return name


def gpus(count: int, gpu: Gpu) -> str:
    """GPUs on a chart: L40S, 4 × L40S."""
    return gpu_name(gpu) if count == 1 else f"{count} × {gpu_name(gpu)}"


def framework(name: str) -> str:
    """A framework with what its hours are where it was not measured: Axolotl (as Transformers + PEFT: no measured speed …)."""
    label, instead = FRAMEWORK_LABELS[name], UNMEASURED_FRAMEWORKS.get(name)
    return label if instead is None else f"{label} ({instead})"


def adapters(count: int, rank: float) -> str:
    """What is served on one base: 50 adapters of rank 16 on one base; empty where there is one, which is merged into it."""
    return f"{count:,} adapters of rank {words.figure(rank)} on one base" if count > 1 else ""


def renter(rates: Rates, rent: Rent) -> str:
    """Who a GPU is of: RunPod, RunPod spot, bought."""
    if rent.price is None:
        return "bought"
    name = rates.book.provider(rent.offer.partition("/")[0]).name
    return name if rent.service == "standard" else f"{name}, {SERVICE_LABELS[rent.service].lower()}"


def tuned_on(rates: Rates, plan: TuningPlan) -> str:
    """A plan in a sentence: one RTX 4090 of RunPod."""
    return (
        f"{_counted(plan.gpus, plan.rent.gpu)} of {renter(rates, plan.rent)}"
        if plan.rent.price
        else _bought(plan.gpus, plan.rent)
    )


def _counted(count: int, gpu: Gpu) -> str:
    return f"{words.counted(count)} {gpu_name(gpu)}"


def _bought(count: int, rent: Rent) -> str:
    return f"{_counted(count, rent.gpu)}, bought"


def served_on(rates: Rates, plan: ServingPlan) -> str:
    """A plan in a sentence: one L40S of RunPod."""
    count = plan.rented * plan.rent.gpus
    return f"{_counted(count, plan.rent.gpu)} of {renter(rates, plan.rent)}" if plan.rent.price else _bought(count, plan.rent)


def used_share(plan: ServingPlan) -> float:
    """Share of what is paid for that the month's requests use: where on the curve of costs by utilisation the month lies."""
    return float(plan.usd_per_mtok_at(1.0)) / plan.usd_per_mtok


# --- the verdict ----------------------------------------------------------------------------------------------------------


def verdict(
    rates: Rates,
    model: str,
    own: TuningPlan | None,
    managed: TrainingBill | None,
    served: ServingPlan | None,
    by_token: TokenOffer | None,
    requests: float,
) -> str:
    """Where to tune and where to host, the cheapest of each first."""  # fmt: skip
    tuning, hosting = [], []
    if own is not None:
        tuning.append((own.usd, f"on {tuned_on(rates, own)}", f"{words.money_run(own.usd)}, {words.hours(own.hours)}"))
    if managed is not None and managed.job_usd is not None:
        tuning.append((managed.job_usd, f"at {managed.provider}", words.money_run(managed.job_usd)))
    if served is not None:
        hosting.append(
            (served.usd_per_month, f"on {served_on(rates, served)}", f"{words.money(served.usd_per_month)} a month")
        )  # fmt: skip
    if by_token is not None:
        month = f"{words.money(by_token.usd_per_month)} a month"
        hosting.append((by_token.usd_per_month, f"by the token at {by_token.provider}", month))
    head = (
        f"{model} is tuned cheapest {_cheaper_first(tuning)}" if tuning else f"Nothing in the price book tunes {model} as asked"
    )
    volume = f"{words.volume(requests)} requests a month"
    tail = f"{volume} are served cheapest {_cheaper_first(hosting)}" if hosting else f"nothing serves {volume} as asked"
    return f"{head}; {tail}"


def _cheaper_first(found: list[tuple[float, str, str]]) -> str:
    """Where, with its cost, against the cost elsewhere."""
    (_, where, costs), *others = sorted(found)
    return f"{where} ({costs})" + "".join(f", against {cost} {there}" for _, there, cost in others)


def reasons(rates: Rates, choice: TuningChoice | None, served: ServingPlan | None, bought: ServingPlan | None) -> str:
    """The deadline, what bounds a replica, and what buying would cost."""
    parts = []
    if choice is not None and choice.plans:
        parts.append(deadline_sentence(rates, choice))
    if served is not None:
        used = words.percent(float(f"{used_share(served):.2g}"))
        parts.append(
            f"A replica on {gpus(served.deployment.gpus, served.deployment.gpu)} serves "
            f"{words.quantity(float(f'{served.capacity.requests_per_second:.3g}'))} requests a second, bounded by "
            f"{LIMIT_LABELS[served.capacity.limited_by].lower()}; the month uses {used} of what is paid."
        )
    if bought is not None and served is not None and served.rent.price is not None:
        parts.append(
            f"Bought, {_counted(bought.rented, bought.rent.gpu)} would cost {words.money(bought.usd_per_month)} a month."
        )
    return " ".join(parts)


def deadline_sentence(rates: Rates, choice: TuningChoice) -> str:
    """Whether the cheapest is done in time, else what is, else how near anything comes."""
    cheapest, within, fastest = choice.plans[0], choice.cheapest, choice.fastest
    span = f"{words.hours(cheapest.low_hours)} to {words.hours(cheapest.high_hours)}"
    if choice.deadline_hours is None:
        return f"Nine in ten such runs take {span}."
    deadline = words.hours(choice.deadline_hours)
    if within is None:
        assert fastest is not None
        return (
            f"Nothing is done within {deadline}: the fastest, {tuned_on(rates, fastest)}, takes {words.hours(fastest.hours)} and "
            f"costs {words.money_run(fastest.usd)}."
        )
    if within is cheapest:
        late = " The slowest of them would be late." if cheapest.high_hours > choice.deadline_hours else ""
        return f"The cheapest GPUs are done within the deadline of {deadline}; nine in ten such runs take {span}.{late}"
    return (
        f"The cheapest GPUs take {words.hours(cheapest.hours)}; within {deadline} it is {tuned_on(rates, within)}, "
        f"{words.money_run(within.usd)} in {words.hours(within.hours)}."
    )


# --- how a figure comes about ---------------------------------------------------------------------------------------------


def tuning_formula(plan: TuningPlan, task: TuningTask, terms: RunTerms) -> str:
    """The cost of a run, from tokens a second to dollars."""
    longer = float(spot_hours(1.0, plan.rent.service, terms.interruption_share))
    training = plan.hours - terms.set_up_hours
    speed = task.tokens * longer / (training * 3600 * plan.gpus)
    again = f" × {longer:g} for what spot repeats" if longer > 1 else ""
    what = f"{plan.rented} × {_per_hour(plan.rent)}"
    return (
        f"{what} × ({words.quantity(task.tokens)} tokens ÷ ({words.quantity(speed)} tokens/s × {plan.gpus} GPU"
        f"{'' if plan.gpus == 1 else 's'} × 3,600){again} + {terms.set_up_hours:g} h set-up) ÷ "
        f"(1 − {words.percent(terms.idle_share)} idle)"
    )


def serving_formula(
    plan: ServingPlan, peak_requests_per_second: float, target_utilisation: float, spot_spare_share: float
) -> str:
    """Replicas, and the cost of a month."""
    rate = words.quantity(float(f"{plan.capacity.requests_per_second:.3g}"))
    peak = words.quantity(float(f"{peak_requests_per_second:.3g}"))
    used = words.percent(target_utilisation)
    spare = float(spot_load(1.0, plan.rent.service, spot_spare_share))
    spares = f" × {spare:g} for spares of spot" if spare > 1 else ""
    return (
        f"Replicas = ⌈{peak} requests/s at the peak{spares} ÷ ({rate} requests/s × {used})⌉ = {plan.replicas}; "
        f"a month = {plan.rented} × {_per_hour(plan.rent)} × {words.figure(round(plan.hours_per_month, 1))} h"
    )


def _per_hour(rent: Rent) -> str:
    return f"{words.unit_price(rent.usd_per_hour)} an hour" + (f" for {rent.gpus} GPUs" if rent.gpus > 1 else "")


def left_out(storage_usd: float | None, egress_usd: float | None, sent: str) -> str:
    """What comes on top of a rent: storage, and sending the result or the answers to somebody else."""
    said = [
        f"{what} {'has no price in the book' if usd is None else f'would be {words.money_run(usd)}'}"
        for what, usd in (("storage", storage_usd), (f"sending {sent} elsewhere", egress_usd))
    ]
    return f"Not in it: {', '.join(said)}."


def accuracy_sentence(fit: Fit, what: str, factor: float) -> str:
    """How near predictions come, from the coefficients: 9 in 10 within a factor of 1.50."""
    return (
        f"{what}: nine in ten measurements of sources not seen lie within a factor of {factor:.2f}; fitted to {fit.rows:,} "
        f"published rows of {fit.groups:,} groups from {fit.sources:,} sources."
    )
