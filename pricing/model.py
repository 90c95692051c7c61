"""The schema of the price tables: dated blocks with a source, lifecycle dates, billing and cache rules.

One file per provider, ``pricing/tables/<provider>.toml``. Numbers stay `Decimal` from the text to `Price`;
``Price.usd`` is the float the cost model computes with.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pricing.keys import PRICE_KEYS

Confidence = Literal["primary", "package", "transcribed", "bulk", "estimate", "unverified"]
Event = Literal[
    "released",
    "deprecated",
    "closed_to_new_customers",
    "closed_to_inactive",
    "training_ends",
    "inference_ends",
]
Service = Literal["standard", "batch", "flex", "priority", "spot", "community", "reserved"]

_Source = Annotated[str, Field(pattern=r"^(https?://|pkg:)\S+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sourced(_Strict):
    """Where a fact comes from, when it was read there, how sure it is, and when it entered the book."""

    source: _Source
    source_date: date
    recorded: date
    confidence: Confidence
    note: str = ""


class PriceBlock(Sourced):
    """Prices that took effect on one day, from one source, under one set of conditions.

    ``effective`` is the stated day, or with ``effective_is = "seen"`` the first day the price was sighted.
    ``ends`` is exclusive: the price is no longer offered from that day. ``withdrawn`` retracts the block of the
    same conditions and effective day that was recorded earlier. Conditions left out apply always.
    """

    effective: date
    effective_is: Literal["stated", "seen"] = "stated"
    ends: date | None = None
    withdrawn: bool = False

    service: Service = "standard"
    tuned: bool = False
    """True: rates of a model fine-tuned from this one."""
    context_above_tokens: int = Field(default=0, ge=0)
    """The rates hold for the whole request once its input is longer than this."""
    deployment: str | None = None
    method: Literal["sft", "dpo", "rft", "cpt"] | None = None
    technique: Literal["lora", "full"] | None = None
    hours_utc: tuple[str, ...] = ()
    """Time-of-day windows like ``01:00-04:00`` in which the rates hold; none: at all other times."""
    weekdays: tuple[int, ...] = ()
    """ISO weekdays (1 is Monday) on which ``hours_utc`` holds; none: every day."""

    prices: dict[str, Decimal]

    @model_validator(mode="before")
    @classmethod
    def _collect_prices(cls, data: Any) -> Any:
        if isinstance(data, dict) and "prices" not in data:
            prices = {k: v for k, v in data.items() if k in PRICE_KEYS}
            data = {k: v for k, v in data.items() if k not in PRICE_KEYS} | {"prices": prices}
        return data

    @model_validator(mode="after")
    def _usable(self) -> PriceBlock:
        if not self.prices and not self.withdrawn:
            raise ValueError("a price block needs at least one price key, for example input_usd_per_mtok")
        for key, value in self.prices.items():
            if key not in PRICE_KEYS:
                raise ValueError(f"{key} is not a price key; see pricing/keys.py")
            if value < 0:
                raise ValueError(f"{key} = {value} is negative; a price is zero or more")
        if self.ends is not None and self.ends <= self.effective:
            raise ValueError(f"ends {self.ends} must be later than effective {self.effective}")
        return self


class LifecycleEvent(Sourced):
    """A dated event in a model's or a provider's life.

    ``training_ends`` and ``inference_ends`` are exclusive: the first day on which it is no longer possible.
    """

    event: Event
    date: date
    successor: str | None = None
    """Offer id of the provider's named replacement."""


class CacheRules(Sourced):
    """How a provider caches prompt prefixes."""

    mode: Literal["implicit", "explicit"]
    minimum_tokens: int = Field(ge=0)
    ttl_seconds: int = Field(gt=0)


class BillingRules(Sourced):
    """How a provider counts the tokens of a tuning job and bills a tuned model."""

    default_epochs: int | Literal["openai-cookbook", "openpipe"] | None = None
    """A number, a named rule of calc.parts.tuning, or None where the user has to say."""
    validation_tokens_billed: bool = False
    unpacked_bills_max_length: bool = False
    """Together: with packing off every example is billed at the maximum length."""
    tuned_inference: Literal["listed", "as base", "dedicated only"] = "listed"


class GpuBlock(_Strict):
    """What an instance or a hosted GPU is made of."""

    gpu: str
    gpus: int = Field(default=1, ge=1)


class StoreRules(Sourced):
    """How a vector store counts what it bills."""

    kind: Literal["serverless units", "per query", "instance"]
    read_units_per_gb: float = Field(default=0, ge=0)
    """Read units a query costs for each gigabyte of the searched namespace."""
    minimum_read_units: float = Field(default=0, ge=0)
    write_units_per_kb: float = Field(default=0, ge=0)
    gb_per_instance: float | None = Field(default=None, gt=0)
    """Vectors one instance can hold, for stores rented by the instance."""


class Item(_Strict):
    """One thing a provider sells: a model, a GPU, an instance, a vector store, or a role's wage."""

    name: str
    aliases: tuple[str, ...] = ()
    weights: str | None = None
    """``maker/model`` in open_models.toml, where the model's weights are open."""
    context_tokens: int | None = Field(default=None, gt=0)
    max_training_tokens_per_example: int | None = Field(default=None, gt=0)
    dimensions: int | None = Field(default=None, gt=0)
    """Length of an embedding model's vectors."""
    hardware: GpuBlock | None = None
    cache: CacheRules | None = None
    billing: BillingRules | None = None
    store: StoreRules | None = None
    price: tuple[PriceBlock, ...] = ()
    lifecycle: tuple[LifecycleEvent, ...] = ()


class SizeBand(_Strict):
    """Prices of all models whose weights have a number of parameters in (above, up_to]."""

    above_billion_parameters: float = Field(default=0, ge=0)
    up_to_billion_parameters: float = Field(default=float("inf"), gt=0)
    price: tuple[PriceBlock, ...]


class Provider(_Strict):
    """One file of ``pricing/tables``."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    name: str
    price_page: _Source
    currency: Literal["USD"] = "USD"
    cache: CacheRules | None = None
    billing: BillingRules | None = None
    price: tuple[PriceBlock, ...] = ()
    """Prices that hold for everything the provider sells unless an item says otherwise."""
    lifecycle: tuple[LifecycleEvent, ...] = ()
    band: tuple[SizeBand, ...] = ()
    model: dict[str, Item] = {}
    gpu: dict[str, Item] = {}
    instance: dict[str, Item] = {}
    store: dict[str, Item] = {}
    role: dict[str, Item] = {}

    @property
    def items(self) -> dict[str, Item]:
        """Everything sold, by its id inside the provider."""
        return {**self.model, **self.gpu, **self.instance, **self.store, **self.role}


class OpenModel(Sourced):
    """Facts of an open-weights model, from its published configuration."""

    name: str
    billion_parameters: float = Field(gt=0)
    active_billion_parameters: float | None = Field(default=None, gt=0)
    context_tokens: int | None = Field(default=None, gt=0)
    licence: str = ""


class Gpu(Sourced):
    """Facts of a GPU, from its data sheet."""

    name: str
    memory_gb: float = Field(gt=0)
    power_w: float | None = Field(default=None, gt=0)


class Assumption(_Strict):
    """A number nobody lists: low, likely and high, with what it rests on."""

    low: float
    likely: float
    high: float
    unit: str
    basis: str
    """Where it comes from, or the plain statement that it is the authors' assumption."""
    source: _Source | None = None
    recorded: date

    @model_validator(mode="after")
    def _ordered(self) -> Assumption:
        if not self.low <= self.likely <= self.high:
            raise ValueError(f"low {self.low}, likely {self.likely}, high {self.high} must be in ascending order")
        return self


class Price(_Strict):
    """One price as it was found: its value and everything needed to cite it."""

    offer: str
    key: str
    value: Decimal
    unit: str
    effective: date
    effective_is: Literal["stated", "seen"]
    source: str
    source_date: date
    recorded: date
    confidence: Confidence
    note: str = ""
    conditions: str = ""
    """In words: batch, tuned, above 272,000 tokens …"""

    @property
    def usd(self) -> float:
        """The value as the float the model computes with."""
        return float(self.value)
