"""What own GPUs cost for a tuning run or for serving: every rent in the price book that fits, sorted by cost.

Prices are for what is rented, a GPU or a whole instance, and are multiplied by how many of these are, never by GPUs inside::

    rates = PriceBook.bundled().as_of(day)
    model = rates.open_model("meta/llama-3.1-8b")
    choice = tuning_plans(rates, model, TuningTask(tokens=9e6, technique="qlora"), deadline_hours=8)
    choice.cheapest                 # the cheapest that meets the deadline: TuningPlan, or None
    choice.best_of_offers           # one TuningPlan of each offer, by cost; choice.plans has every number of GPUs
    choice.refused                  # the GPUs that do not do, each with its reason
    served = serving_plans(rates, model, TokenShape(1200, 300), Demand(500_000))
    served.cheapest.replicas, served.cheapest.usd_per_month, served.cheapest.usd_per_mtok_at(0.4)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple, get_args

import numpy as np

from calc.hardware.architecture import Shape, shape_of
from calc.hardware.memory import MemoryNeed, MemoryRefused, Technique, TuningSetup, fits, memory_need, usable_gib
from calc.hardware.renting import (
    EGRESS_KEY,
    STORAGE_KEY,
    result_gb,
    served_gb,
    spot_hours,
    spot_load,
    text_gb,
    tuning_gb,
    unmerged,
)
from calc.hardware.serving_throughput import (
    Capacity,
    Deployment,
    LatencyMissed,
    NotSplit,
    ServingRefused,
    TokenShape,
    Weights,
    capacity,
    check_request,
    replicas,
)
from calc.hardware.serving_throughput import interval_factor as serving_interval
from calc.hardware.training_time import (
    Method,
    Precision,
    TrainingRun,
    kind_of,
    tokens_per_second_per_gpu,
    wall_hours,
)
from calc.hardware.training_time import interval_factor as training_interval
from calc.setting import role_rate, say
from calc.timeline import DAYS_PER_MONTH, HOURS_PER_MONTH
from pricing import PriceMissing, Rates
from pricing.errors import PriceUnverified
from pricing.model import Fit, Gpu, OpenModel, Price, RentedFor, Service

COUNTS = (1, 2, 4, 8, 16, 32, 64)
"""Numbers of GPUs that a tuning run is split over."""
REPLICA_COUNTS = (1, 2, 4, 8)
"""Numbers of GPUs that share the weights of a replica: those of one server."""
HOURS_PER_YEAR = 8760.0


# --- rents ----------------------------------------------------------------------------------------------------------------


class Rent(NamedTuple):
    """What is rented by the hour, or bought: a GPU, or an instance of several."""

    offer: str
    gpu_id: str
    gpu: Gpu
    gpus: int
    """GPUs in what the price is for."""
    service: str
    """standard, spot, community, reserved, or bought."""
    usd_per_hour: float
    price: Price | None
    """The row of the price book; None where it is bought."""
    rented_for: RentedFor | None = None
    """What alone it can be used for, where that is not everything."""
    storage_usd_per_gb_month: float | None = None
    """None where the book has no price of it from the renter; so is the next."""
    egress_usd_per_gb: float | None = None


def rents(rates: Rates) -> tuple[Rent, ...]:
    """Every GPU and instance of the price book that has a price by the hour and a known GPU, by offer."""
    if ("rents",) not in rates.memory:
        rates.memory[("rents",)] = tuple(_rents(rates))
    found: tuple[Rent, ...] = rates.memory[("rents",)]
    return found


def _rents(rates: Rates) -> Iterable[Rent]:
    for provider_id in rates.book.provider_ids:
        provider = rates.book.provider(provider_id)
        for item_id, item in {**provider.gpu, **provider.instance}.items():
            gpu_id = item.hardware.gpu if item.hardware else item_id
            if gpu_id not in rates.gpus or (item_id in provider.instance and item.hardware is None):
                continue
            whole = item_id in provider.instance
            key, gpus = ("instance_usd_per_hour", item.hardware.gpus) if whole and item.hardware else ("gpu_usd_per_hour", 1)
            offer, only = f"{provider_id}/{item_id}", item.rented_for or provider.rented_for
            stored, sent = (None if found is None else found.usd for found in _beside(rates, offer))
            for service in get_args(Service):
                price = _usable(rates, offer, key, service)
                if price is not None:
                    yield Rent(offer, gpu_id, rates.gpus[gpu_id], gpus, service, price.usd, price, only, stored, sent)


def _beside(rates: Rates, offer: str) -> tuple[Price | None, Price | None]:
    return _usable(rates, offer, STORAGE_KEY), _usable(rates, offer, EGRESS_KEY)


def _usable(rates: Rates, offer: str, key: str, service: Service = "standard") -> Price | None:
    """A price that may be used without being asked for; None where there is none."""
    if not rates.lists(offer, key, rates.as_of, service=service):
        return None
    try:
        return rates.price(offer, key, service=service)
    except (PriceMissing, PriceUnverified):
        return None


def _chosen(
    rates: Rates,
    gpus: Iterable[str],
    providers: Iterable[str],
    services: Iterable[str],
    use: RentedFor,
    owned_utilisation: float | None = None,
) -> tuple[Rent, ...]:
    """The rents asked for that a use is possible on, those bought among them.

    Args:
        owned_utilisation: share of all hours in which a bought GPU is in use; None: the assumption.

    Raises:
        UnknownOffer: a GPU or a provider is not in the book; near matches are named.
    """
    gpus, providers, services = frozenset(gpus), frozenset(providers), frozenset(services)
    for gpu_id in gpus:
        rates.gpu(gpu_id)
    for provider in providers - {"bought"}:
        rates.book.provider(provider)
    asked = ("rents", gpus, providers, services, use, owned_utilisation)
    if asked not in rates.own_memory:
        rates.own_memory[asked] = tuple(
            rent
            for rent in (*rents(rates), *_bought(rates, owned_utilisation))
            if (not gpus or rent.gpu_id in gpus)
            and (not providers or rent.offer.partition("/")[0] in providers)
            and (not services or rent.service in services)
            and rent.rented_for in (None, use)
        )
    found: tuple[Rent, ...] = rates.own_memory[asked]
    return found


# --- buying ---------------------------------------------------------------------------------------------------------------

_OWNED = (
    "server_cost_factor",
    "server_life_years",
    "pue",
    "host_power_factor",
    "operation_hours_per_gpu_year",
    "owned_utilisation",
)


class OwnedTerms(NamedTuple):
    """What an owner states of GPUs that were bought; what is None is the price book's. Numbers or arrays."""

    purchase_usd_per_gpu: Any = None
    life_years: Any = None
    electricity_usd_per_kwh: Any = None
    colocation_usd_per_kw_month: Any = None
    staff_hours_per_gpu_year: Any = None
    staff_usd_per_hour: Any = None


class OwnedHour(NamedTuple):
    """US$ of one hour in use of a GPU that was bought: the parts, and what they rest on."""

    purchase: Any
    power: Any
    colocation: Any
    staff: Any
    formula: str
    prices: tuple[Price, ...]
    assumptions: tuple[str, ...]

    @property
    def usd(self) -> Any:
        """The sum of the parts."""
        return self.purchase + self.power + self.colocation + self.staff


def owned_hour(
    rates: Rates, gpu_id: str, utilisation: Any = None, role: str = "ml_engineer", stated: OwnedTerms | None = None
) -> OwnedHour:
    """What an hour in use of a bought GPU costs: everything paid over its life ÷ the hours it is used.

    (purchase · server ÷ life + kW · (PUE · $/kWh · 8760 + colocation · 12) + staff hours · their rate) ÷ (8760 · utilisation),
    kW being board power · the host's share.

    Args:
        stated: the owner's own figures, which win over the book's.

    Raises:
        PriceMissing: no purchase price, power or wage is stated or in the book, or the utilisation cannot be.
    """
    gpu, stated = rates.gpu(gpu_id), stated or OwnedTerms()
    given: dict[str, Any] = {
        "server_life_years": stated.life_years,
        "operation_hours_per_gpu_year": stated.staff_hours_per_gpu_year,
    }
    given["owned_utilisation"] = utilisation
    assumed = tuple(name for name in _OWNED if given.get(name) is None)
    given |= {name: rates.assumption(f"hardware.{name}").likely for name in assumed}
    server, life, pue, host, hours, used = (given[name] for name in _OWNED)
    if not (np.all(np.asarray(used) > 0) and np.all(np.asarray(used) <= 1)):
        raise PriceMissing(f"A utilisation of {say(used)} cannot be: state a share above 0, at most 1.")
    if gpu.power_w is None:
        raise PriceMissing(f"The power of {gpu.name} is not in the price book, so neither is what running it costs.")
    purchase, rows, names = _purchase_usd(rates, gpu_id, stated.purchase_usd_per_gpu)
    energy, energy_rows = _stated_or_general(rates, stated.electricity_usd_per_kwh, "eia", "electricity_usd_per_kwh")
    space, space_rows = _stated_or_general(rates, stated.colocation_usd_per_kw_month, "cbre", "colocation_usd_per_kw_month")
    wage, wage_rows, wage_names = _wage(rates, stated.staff_usd_per_hour, role)
    kilowatt = gpu.power_w / 1000 * host
    return OwnedHour(
        purchase=purchase * server / (life * HOURS_PER_YEAR * used),
        power=kilowatt * pue * energy / used,
        colocation=kilowatt * space * 12 / HOURS_PER_YEAR / used,
        staff=hours * wage / HOURS_PER_YEAR / used,
        formula=f"(${say(purchase)} × {say(server)} ÷ {say(life)} years + {say(kilowatt)} kW × (PUE {say(pue)} × "
        f"${say(energy)} a kWh + ${say(space)} a month) + {say(hours)} h a year × ${say(np.round(wage, 2))}) ÷ "
        f"{say(used)} in use",
        prices=(*rows, *energy_rows, *space_rows, *wage_rows),
        assumptions=(*names, *(f"hardware.{name}" for name in assumed), *wage_names),
    )


def _purchase_usd(rates: Rates, gpu_id: str, stated: Any) -> tuple[Any, tuple[Price, ...], tuple[str, ...]]:
    """Purchase price of a GPU: as stated, as listed, else as assumed for it."""
    if stated is not None:
        return stated, (), ()
    assumed = f"hardware.{gpu_id}_purchase_usd_per_gpu"
    if gpu_id in rates.book.provider("nvidia").gpu:
        price = rates.price(f"nvidia/{gpu_id}", "purchase_usd_per_gpu")
        return price.usd * rates.price_factor(price.offer, price.key), (price,), ()
    if assumed in rates.assumptions:
        return rates.assumptions[assumed].likely, (), (assumed,)
    raise PriceMissing(
        f"The price book has no purchase price of {rates.gpu(gpu_id).name}. "
        "State purchase_usd_per_gpu, rent it, or choose another GPU."
    )


def _stated_or_general(rates: Rates, stated: Any, provider_id: str, key: str) -> tuple[Any, tuple[Price, ...]]:
    if stated is not None:
        return stated, ()
    price = _general(rates, provider_id, key)
    return price.usd * rates.price_factor(price.offer, price.key), (price,)


def _wage(rates: Rates, stated: Any, role: str) -> tuple[Any, tuple[Price, ...], tuple[str, ...]]:
    """US$ an hour of the staff: as stated, else of the role."""
    if stated is not None:
        return stated, (), ()
    wage, row, names = role_rate(rates, role)
    return wage, (row,), names


def _general(rates: Rates, provider_id: str, key: str) -> Price:
    """A price that a source states for everything, without an item."""
    found = rates.in_force(provider_id, rates.book.provider(provider_id).price)
    price = next((price for price in found if price.key == key and not price.conditions), None)
    if price is None:
        raise PriceMissing(f"The price book has no {key} of {provider_id} on {rates.as_of}.")
    return price


def _bought(rates: Rates, utilisation: float | None = None) -> Iterable[Rent]:
    """Every GPU that can be bought, at the price of its hour in use."""
    for gpu_id, gpu in rates.gpus.items():
        try:
            hour = owned_hour(rates, gpu_id, utilisation)
        except PriceMissing:
            continue
        yield Rent(f"bought/{gpu_id}", gpu_id, gpu, 1, "bought", hour.usd, None)


# --- a tuning run ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TuningTask:
    """What is to be trained, and how. The defaults are those of Transformers with PEFT."""

    tokens: float
    """Tokens that the model is trained on, every epoch counted, padding left out."""
    technique: Technique = "lora"
    method: Method = "sft"
    sequence_tokens: float = 2048
    """Tokens of one sequence as computed: the length that examples are packed to, or the longest where they are padded."""
    sequences_per_step: float = 16
    """Sequences of one optimiser step, all GPUs together; a GPU takes one at a time, and at least one."""
    rank: float = 16
    framework: str = "transformers"
    is_padded: bool = False
    """Whether each example is a sequence of its own rather than packed with others."""
    epochs: float = 1
    """Passes within `tokens`: what is stored is one of them."""


class RunTerms(NamedTuple):
    """What is paid beside the hours in which a run trains."""

    set_up_hours: float
    """Starting the machines, loading weights and data, saving the result."""
    idle_share: float
    """Share of the paid hours in which nothing runs."""
    interruption_share: float
    """Spot: hours repeated after interruptions, per hour of training."""


def run_terms(rates: Rates) -> RunTerms:
    """The likely values of the price book's assumptions."""
    names = ("set_up_hours_per_run", "idle_share", "spot_interruption_share")
    return RunTerms(*(rates.assumption(f"hardware.{name}").likely for name in names))


class RunOnGpu(NamedTuple):
    """A task on one kind of GPU, for each number of them on which it fits."""

    counts: tuple[int, ...]
    needed_gib: tuple[float, ...]
    usable_gib: float
    hours: tuple[float, ...]
    """Of training alone."""
    factor: float
    """What hours of training are divided and multiplied by for their interval."""
    sharding: str
    stored_gb: float
    """The base model's weights, the results that the run keeps, and the data."""
    result_gb: float
    """What is served afterwards: all weights, or an adapter."""


class TuningPlan(NamedTuple):
    """One rent on which a run fits: how many of it, for how long, for how much."""

    usd: float
    """Paid hours × what is rented × its price."""
    hours: float
    """From start to end: training, what is repeated of it on spot, and set-up."""
    gpus: int
    """GPUs that train."""
    rented: int
    """GPUs or whole instances that are paid for."""
    rent: Rent
    run: RunOnGpu
    terms: RunTerms

    @property
    def low_hours(self) -> float:
        """Nine of ten runs take between this and `high_hours`."""
        return (self.hours - self.terms.set_up_hours) / self.run.factor + self.terms.set_up_hours

    @property
    def high_hours(self) -> float:
        """As `low_hours`."""
        return (self.hours - self.terms.set_up_hours) * self.run.factor + self.terms.set_up_hours

    @property
    def paid_hours(self) -> float:
        """The hours and the idle share."""
        return self.hours / (1 - self.terms.idle_share)

    @property
    def gpu_hours(self) -> float:
        """GPUs that are paid for × paid hours."""
        return self.rented * self.rent.gpus * self.paid_hours

    @property
    def storage_usd(self) -> float | None:
        """Storage during the run, not in `usd`; None where the renter's price of it is not known."""
        per_month = self.rent.storage_usd_per_gb_month
        return None if per_month is None else self.run.stored_gb * self.hours / HOURS_PER_MONTH * per_month

    @property
    def egress_usd(self) -> float | None:
        """Sending the result to another provider, not in `usd`; None where the renter's price of it is not known."""
        return None if self.rent.egress_usd_per_gb is None else self.run.result_gb * self.rent.egress_usd_per_gb

    @property
    def low_usd(self) -> float:
        """Cost at `low_hours`."""
        return self.usd * self.low_hours / self.hours

    @property
    def high_usd(self) -> float:
        """Cost at `high_hours`."""
        return self.usd * self.high_hours / self.hours

    @property
    def needed_gib(self) -> float:
        """Memory of each GPU, with the margin of the prediction."""
        return self.run.needed_gib[self.run.counts.index(self.gpus)]

    @property
    def usable_gib(self) -> float:
        """Memory of each GPU that programs see."""
        return self.run.usable_gib

    @property
    def sharding(self) -> str:
        """none: each GPU has all of the model; zero-3: a part of it."""
        return self.run.sharding

    def meets(self, deadline_hours: float | None) -> bool:
        """Whether the likely duration is within a deadline."""
        return deadline_hours is None or self.hours <= deadline_hours


class Refused(NamedTuple):
    """A GPU that a task cannot run on."""

    gpu_id: str
    reason: str


class _NotFitting(NamedTuple):
    """As `Refused`, its words left until they are asked for."""

    gpu_id: str
    gpu: Gpu
    alone_gib: float
    shared_gib: float
    gpus: int
    part: str

    @property
    def refused(self) -> Refused:
        words = f"needs {self.alone_gib:,.0f} GiB on one GPU"
        if self.gpus > 1:
            words += f" and {self.shared_gib:,.0f} GiB on each of {self.gpus}"
        return Refused(
            self.gpu_id, f"{words}, most of it {self.part}; {self.gpu.name} has {usable_gib(self.gpu):,.0f} GiB to use"
        )


@dataclass(frozen=True)
class TuningChoice:
    """Every rent on which a run fits, by cost, and the GPUs on which it does not."""

    shape: Shape
    task: TuningTask
    deadline_hours: float | None
    plans: tuple[TuningPlan, ...]
    _not_fitting: tuple[_NotFitting | Refused, ...]

    @cached_property
    def refused(self) -> tuple[Refused, ...]:
        """The GPUs that do not do, and why."""
        return tuple(each if isinstance(each, Refused) else each.refused for each in self._not_fitting)

    @property
    def cheapest(self) -> TuningPlan | None:
        """The cheapest that meets the deadline; None where none does."""
        return next((plan for plan in self.plans if plan.meets(self.deadline_hours)), None)

    @property
    def fastest(self) -> TuningPlan | None:
        """The one of the fewest hours, the cheapest of several."""
        return min(self.plans, key=lambda plan: (plan.hours, plan.usd), default=None)

    @property
    def best_of_offers(self) -> tuple[TuningPlan, ...]:
        """Of each offer and service the cheapest that meets the deadline, or its cheapest where none does; by cost."""
        best: dict[tuple[str, str], TuningPlan] = {}
        for plan in (*(p for p in self.plans if p.meets(self.deadline_hours)), *self.plans):
            best.setdefault((plan.rent.offer, plan.rent.service), plan)
        return tuple(sorted(best.values(), key=lambda plan: plan.usd))


def tuning_plans(
    rates: Rates,
    model: OpenModel,
    task: TuningTask,
    *,
    deadline_hours: float | None = None,
    gpus: Iterable[str] = (),
    providers: Iterable[str] = (),
    services: Iterable[str] = (),
    terms: RunTerms | None = None,
) -> TuningChoice:
    """Every GPU, number of them and rent on which a run fits, by cost.

    Args:
        gpus: ids of gpus.toml; none: all.
        providers: ids of those that rent, ``bought`` for buying; none: all.
        services: standard, spot, community, reserved, bought; none: all.

    Raises:
        UnknownShape: the model's shape is not in the book.
        UnknownOffer: a GPU or a provider is not; near matches are named.
        MemoryRefused, TrainingRefused: the task cannot be, such as sequences longer than the context, or no tokens.
    """
    shape, terms = shape_of(model), terms or run_terms(rates)
    found = _chosen(rates, gpus, providers, services, "jobs")
    runs = _Runs(rates, shape, task)
    plans: list[TuningPlan] = []
    missing: list[_NotFitting | Refused] = []
    by_gpu: dict[str, list[Rent]] = {}
    for rent in found:
        by_gpu.setdefault(rent.gpu_id, []).append(rent)
    for gpu_id, rented in by_gpu.items():
        run = runs.on(gpu_id, rented[0].gpu)
        if isinstance(run, RunOnGpu):
            plans += _priced(run, rented, terms)
        else:
            missing.append(run)
    missing += [Refused(gpu_id, "nobody in the price book rents it out as asked") for gpu_id in sorted({*gpus} - {*by_gpu})]
    plans.sort(key=itemgetter(0, 1))
    return TuningChoice(shape, task, deadline_hours, tuple(plans), tuple(missing))


def tuning_run(task: TuningTask, gpus: Any, precision: Precision) -> TrainingRun:
    """What decides the speed of a task over so many GPUs: each takes its share of a step, at least one sequence."""
    sequences = np.maximum(np.asarray(task.sequences_per_step) / gpus, 1.0)
    return TrainingRun(
        technique=task.technique,
        attended_tokens=task.sequence_tokens,
        tokens_per_gpu_step=sequences * task.sequence_tokens,
        method=task.method,
        precision=precision,
        framework=task.framework,
        is_padded=task.is_padded,
    )


def tuning_setup(task: TuningTask, precision: Precision) -> TuningSetup:
    """What decides the memory of a task on one GPU. In FP16 full tuning needs weights in 32 bits, in BF16 it does not."""
    return TuningSetup(
        technique=task.technique,
        sequence_tokens=task.sequence_tokens,
        rank=task.rank,
        master_weights=task.technique == "full" and precision == "fp16",
        accumulates=task.sequences_per_step > 1,
    )


def check_fit(shape: Shape, task: TuningTask, gpu: Gpu, gpus: Any, fit: Fit) -> None:
    """Refuse a task that does not fit on so many GPUs of a kind, each having all of the model or a part of it.

    Raises:
        MemoryRefused: it does not fit; what takes most is named.
    """
    setup = tuning_setup(task, precision_of(gpu))
    need = memory_need(shape, setup, fit)
    if np.any(np.asarray(gpus) > 1) and not np.all(fits(need, gpu)):
        need = memory_need(shape, replace(setup, gpus=gpus, sharding="zero-3"), fit)
    if not np.all(fits(need, gpu)):
        part = max(need.breakdown, key=lambda name: float(np.max(need.breakdown[name])))
        raise MemoryRefused(
            f"{shape.name} needs {float(np.max(need.needed_gib)):,.0f} GiB on each of {np.max(gpus):g} × {gpu.name}, which has "
            f"{usable_gib(gpu):,.0f}; most of it is {part}. Take more or larger GPUs, or train less of it."
        )


def precision_of(gpu: Gpu) -> Precision:
    """BF16 where a GPU has it, else FP16."""
    return "bf16" if gpu.bf16_dense_tflops is not None else "fp16"


class _Runs:
    """A task on any GPU; what does not depend on the GPU is worked out once."""

    def __init__(self, rates: Rates, shape: Shape, task: TuningTask) -> None:
        self.rates, self.shape, self.task = rates, shape, task
        self.memory_fit, self.time_fit = rates.fit("memory"), rates.fit("training_time")
        checkpoints, per_token = (
            rates.assumption(f"hardware.{name}").likely for name in ("checkpoints_per_run", "bytes_per_token")
        )
        data_tokens = task.tokens / task.epochs
        self.stored_gb = float(tuning_gb(shape, task.technique, checkpoints, data_tokens, per_token, task.rank))
        self.result_gb = result_gb(shape, task.technique, task.rank)
        self.by_precision: dict[Precision, tuple[MemoryNeed, MemoryNeed, TrainingRun]] = {}

    def on(self, gpu_id: str, gpu: Gpu) -> RunOnGpu | _NotFitting | Refused:
        """The task on one kind of GPU, or why it cannot be there."""
        precision = precision_of(gpu)
        alone, shared, run = self._of(precision)
        has, needs_alone = usable_gib(gpu), float(alone.needed_gib)
        if gpu.bf16_dense_tflops is None and gpu.fp16_dense_tflops is None:
            return Refused(gpu_id, f"the peak in 16 bits of {gpu.name} is not in the price book, so its speed is not known")
        if needs_alone <= has:
            first, needs = 0, [needs_alone] * len(COUNTS)
        else:
            needs = [needs_alone, *(float(need) for need in shared.needed_gib)]
            fitting = [i for i, need in enumerate(needs) if need <= has]
            if not fitting:
                part = max(shared.breakdown, key=lambda name: float(shared.breakdown[name][-1]))
                return _NotFitting(gpu_id, gpu, needs_alone, needs[-1], COUNTS[-1], part)
            first = fitting[0]
        # more GPUs than sequences in a step have nothing to do, unless the model fits on no fewer
        most = max(COUNTS[first], max(count for count in COUNTS if count <= max(1, self.task.sequences_per_step)))
        last = COUNTS.index(most) + 1
        per_gpu = np.broadcast_to(tokens_per_second_per_gpu(self.shape, gpu, run, self.time_fit), len(COUNTS))
        hours = wall_hours(self.task.tokens, per_gpu[first:last], np.array(COUNTS[first:last]))
        return RunOnGpu(
            COUNTS[first:last],
            tuple(needs[first:last]),
            has,
            tuple(hours.tolist()),
            training_interval(self.time_fit, kind_of(self.shape, run)),
            "none" if needs_alone <= has else "zero-3",
            self.stored_gb,
            self.result_gb,
        )

    def _of(self, precision: Precision) -> tuple[MemoryNeed, MemoryNeed, TrainingRun]:
        if precision not in self.by_precision:
            setup, counts = tuning_setup(self.task, precision), np.array(COUNTS[1:], dtype=float)
            alone = memory_need(self.shape, setup, self.memory_fit)
            shared = memory_need(self.shape, replace(setup, gpus=counts, sharding="zero-3"), self.memory_fit)
            self.by_precision[precision] = (alone, shared, tuning_run(self.task, np.array(COUNTS), precision))
        return self.by_precision[precision]


def _priced(run: RunOnGpu, rented: Sequence[Rent], terms: RunTerms) -> Iterable[TuningPlan]:
    """The run on each rent: whole instances × their price × the hours, set-up and idle ones included."""
    paid_share = 1 / (1 - terms.idle_share)
    for rent in rented:
        for count, training in zip(run.counts, run.hours, strict=True):
            if count % rent.gpus and count != run.counts[-1]:  # the rest of an instance would be paid for and stand idle
                continue
            whole = -(-count // rent.gpus)
            hours = spot_hours(training, rent.service, terms.interruption_share) + terms.set_up_hours
            yield TuningPlan(hours * paid_share * whole * rent.usd_per_hour, hours, count, whole, rent, run, terms)


# --- serving --------------------------------------------------------------------------------------------------------------


class Demand(NamedTuple):
    """The requests to be served."""

    requests_per_month: float
    """Retries inside."""
    peak_requests_per_second: float | None = None
    """None: requests · peak factor ÷ active seconds, by the price book's assumptions."""


class Latency(NamedTuple):
    """What a request may wait at most, in seconds; None: as long as it takes."""

    time_to_first_token_s: float | None = None
    time_per_output_token_s: float | None = None


@dataclass(frozen=True)
class ServingPlan:
    """One rent that serves a model: replicas for a demand, what they cost, and what a token costs at any utilisation."""

    rent: Rent
    deployment: Deployment
    tokens: TokenShape
    capacity: Capacity
    """Of one replica."""
    factor: float
    """What the capacity is divided and multiplied by for the interval that holds nine of ten."""
    requests_per_month: float
    replicas: int
    rented: int
    """GPUs or whole instances that are paid for."""
    hours_per_month: float
    stored_gb: float
    """The weights as they are served, and the adapters beside them."""
    sent_gb_per_month: float
    """The answers' text."""

    @property
    def usd_per_month(self) -> float:
        """Whole instances × their price × the hours they are on, used or not."""
        return self.rented * self.rent.usd_per_hour * self.hours_per_month

    @property
    def storage_usd_per_month(self) -> float | None:
        """Storage, not in `usd_per_month`; None where the renter's price of it is not known."""
        per_month = self.rent.storage_usd_per_gb_month
        return None if per_month is None else self.stored_gb * per_month

    @property
    def egress_usd_per_month(self) -> float | None:
        """Sending the answers, not in `usd_per_month`; None where the renter's price of it is not known."""
        return None if self.rent.egress_usd_per_gb is None else self.sent_gb_per_month * self.rent.egress_usd_per_gb

    @property
    def utilisation(self) -> float:
        """Share of the replicas' capacity that the month's requests take."""
        served = self.replicas * self.capacity.requests_per_second * 3600 * self.hours_per_month
        return float(self.requests_per_month / served)

    @property
    def usd_per_mtok(self) -> float:
        """US$ per million tokens of the month's requests, input and output."""
        return self.usd_per_month / (self.requests_per_month * self._tokens_per_request) * 1e6

    @property
    def replicas_per_rent(self) -> int:
        """Replicas in one of what is rented; 1 where one takes several."""
        return max(1, self.rent.gpus // self.deployment.gpus)

    @property
    def _tokens_per_request(self) -> float:
        return float(self.tokens.input_tokens + self.tokens.output_tokens)

    def usd_per_mtok_at(self, utilisation: Any) -> Any:
        """US$ per million tokens, input and output, at a utilisation of what is rented: the curve. Arrays are taken.

        $/h of what a replica takes ÷ (capacity · tokens · 3600 · utilisation).
        """
        per_replica = -(-self.deployment.gpus // self.rent.gpus) * self.rent.usd_per_hour / self.replicas_per_rent
        per_hour = self.capacity.requests_per_second * self._tokens_per_request * 3600
        return per_replica / (per_hour * np.asarray(utilisation)) * 1e6


@dataclass(frozen=True)
class ServingChoice:
    """Every rent that serves a model within the latency wanted, by cost, and the GPUs that do not."""

    plans: tuple[ServingPlan, ...]
    refused: tuple[Refused, ...]
    nearest: str = ""
    """Of the GPUs that miss the latency wanted, what the nearest to it lacks; empty where none misses it."""

    @property
    def cheapest(self) -> ServingPlan | None:
        """The cheapest a month; None where nothing serves."""
        return self.plans[0] if self.plans else None

    @property
    def best_of_offers(self) -> tuple[ServingPlan, ...]:
        """Of each offer and service the cheapest; by cost."""
        best: dict[tuple[str, str], ServingPlan] = {}
        for plan in self.plans:
            best.setdefault((plan.rent.offer, plan.rent.service), plan)
        return tuple(best.values())


def serving_plans(
    rates: Rates,
    model: OpenModel,
    tokens: TokenShape,
    demand: Demand,
    *,
    latency: Latency | None = None,
    weights: Weights = "fp16",
    target_utilisation: float | None = None,
    min_replicas: int = 1,
    hours_per_month: float = HOURS_PER_MONTH,
    adapters: int = 1,
    adapter_rank: int = 16,
    gpus: Iterable[str] = (),
    providers: Iterable[str] = (),
    services: Iterable[str] = (),
) -> ServingChoice:
    """Every GPU, number of them a replica and rent that serves a demand, by cost a month.

    On spot there are spare replicas; a bought GPU is paid in all hours of the month, used or not.

    Args:
        adapters: LoRA adapters served on the one base; a single one is merged into it.

    Raises:
        UnknownShape: the model's shape is not in the book.
        UnknownOffer: a GPU or a provider is not; near matches are named.
        ServingRefused: nothing is asked for, or the tokens cannot be.
    """
    shape, latency = shape_of(model), latency or Latency()
    peak = peak_of(rates, demand)
    used = target_utilisation if target_utilisation is not None else rates.assumption("serving.target_utilisation").likely
    by_gpu: dict[str, list[Rent]] = {}
    spare, per_token = (rates.assumption(name).likely for name in ("serving.spot_spare_share", "hardware.bytes_per_token"))
    kept, rank = int(unmerged(adapters)), adapter_rank
    stored_gb = float(served_gb(shape, weights, adapters, rank))
    sent_gb = float(text_gb(demand.requests_per_month * tokens.output_tokens, per_token))
    for rent in _chosen(rates, gpus, providers, services, "serving", min(hours_per_month / HOURS_PER_MONTH, 1.0)):
        by_gpu.setdefault(rent.gpu_id, []).append(rent)
    plans, all_missed = list[ServingPlan](), list[LatencyMissed]()
    refused = [Refused(gpu_id, "nobody in the price book rents it out as asked") for gpu_id in sorted({*gpus} - {*by_gpu})]
    factor = serving_interval(rates.fit("serving"))
    for gpu_id, rented in by_gpu.items():
        check_request(Deployment(shape, rented[0].gpu, weights=weights, adapters=kept, adapter_rank=rank), tokens)
        why, serves, missed = "", False, list[LatencyMissed]()
        for count in REPLICA_COUNTS:
            deployment = Deployment(shape, rented[0].gpu, count, weights, adapters=kept, adapter_rank=rank)
            try:
                each = capacity(deployment, tokens, rates.fit("serving"), *latency)
            except LatencyMissed as error:
                missed.append(error)
                continue
            except NotSplit as error:
                why = why or str(error)  # that it does not fit on fewer says more
                continue
            except ServingRefused as error:
                why = str(error)
                continue
            serves = True
            for rent in rented:
                wanted = int(replicas(spot_load(peak, rent.service, spare), each.requests_per_second, used, min_replicas))
                rented_each = -(-count // rent.gpus)
                per_rent = max(1, rent.gpus // count)
                whole = -(-wanted // per_rent) * rented_each
                plans.append(
                    ServingPlan(
                        rent,
                        deployment,
                        tokens,
                        each,
                        factor,
                        demand.requests_per_month,
                        wanted,
                        whole,
                        hours_per_month,
                        stored_gb,
                        sent_gb,
                    )
                )
        if not serves:
            refused.append(Refused(gpu_id, _nearest(missed) or why))
            all_missed += missed
    plans.sort(key=lambda plan: (plan.usd_per_month, plan.deployment.gpus))
    return ServingChoice(tuple(plans), tuple(refused), _nearest(all_missed))


def _nearest(missed: Sequence[LatencyMissed]) -> str:
    return str(min(missed, key=lambda error: error.times_too_long)) if missed else ""


def peak_of(rates: Rates, demand: Demand) -> float:
    """Requests a second at the peak: as stated, else by the assumptions of peak factor and active hours.

    Raises:
        ServingRefused: there are no requests.
    """
    if not demand.requests_per_month > 0:
        raise ServingRefused("There are no requests to serve. State a volume above 0.")
    if demand.peak_requests_per_second is not None:
        return demand.peak_requests_per_second
    return demand.requests_per_month * _peak_per_monthly_request(rates)


def demand_at_peak(rates: Rates, requests_per_second: float) -> Demand:
    """The demand whose peak is so many requests a second: its month follows from peak factor and active hours."""
    return Demand(requests_per_second / _peak_per_monthly_request(rates), requests_per_second)


def _peak_per_monthly_request(rates: Rates) -> float:
    """Requests a second at the peak for each request of a month, by the price book's assumptions."""
    factor, hours = (rates.assumption(f"serving.{name}").likely for name in ("peak_factor", "active_hours_per_day"))
    return factor / (hours * 3600 * DAYS_PER_MONTH)
