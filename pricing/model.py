"""The schema of the price tables: dated blocks with a source, lifecycle dates, billing and cache rules.

One file per provider, ``pricing/tables/<provider>.toml``. Numbers stay `Decimal` from the text to `Price`;
``Price.usd`` is the float the cost model computes with.
"""

from __future__ import annotations

from datetime import date
from decimal import Context, Decimal
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from pricing.currency import USD, in_dollars
from pricing.keys import PRICE_KEYS
from pricing.terms import Commitment, Credit, Discount, concurrent, later, overlapping

Confidence = Literal["primary", "package", "transcribed", "bulk", "estimate", "unverified", "own"]
Event = Literal[
    "released",
    "deprecated",
    "closed_to_new_customers",
    "closed_to_inactive",
    "training_ends",
    "inference_ends",
    "available_until_at_least",
]
RentedFor = Literal["serving", "jobs"]
Service = Literal["standard", "batch", "flex", "priority", "fast", "spot", "community", "reserved"]

_Source = Annotated[str, Field(pattern=r"^(https?://|pkg:)\S+$")]
_AnySource = Annotated[str, Field(pattern=r"^((https?://|pkg:)\S+|file:[^\s/]+)$")]
"""As `_Source`, or ``file:prices.toml`` where it is the user's own."""


_T = TypeVar("_T")
Records = Annotated[tuple[_T, ...], BeforeValidator(lambda data: [data] if isinstance(data, dict | BaseModel) else data)]
"""Everything recorded of one fact, in the order of the file: a single table is one record, ``[[name]]`` are several."""


_MOST_DIGITS = 15
"""Digits of a price before the point, or zeros after it."""


def _price_or_zero(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError(f"{value} is negative; a price is zero or more")
    if value and abs(value.adjusted()) > _MOST_DIGITS:
        raise ValueError(f"{value} is beyond any price; check the exponent")
    return value


def _printable(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError(f"{text[:60]!r} is no name: expected printable letters on one line")
    return text


_Name = Annotated[str, AfterValidator(_printable)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Sourced(_Strict):
    """Where a fact comes from, when it was read there, how sure it is, and when it entered the book."""

    source: _AnySource
    source_date: date
    recorded: date
    confidence: Confidence
    note: str = ""
    own: bool = False
    """A fact of the user's own, laid over the book; it alone may come from a file (``file:prices.toml``)."""

    @model_validator(mode="after")
    def _listed_or_own(self) -> Self:
        if not self.own and (self.source.startswith("file:") or self.confidence == "own"):
            raise ValueError("a file as source and the confidence 'own' are for own prices; a listed fact cites its page")
        return self


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
    hours_utc: tuple[Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[03]0-(([01]\d|2[0-3]):[03]0|24:00)$")], ...] = ()
    """Windows of whole or half hours like ``01:00-04:30``, which may pass midnight, in which the rates hold.

    None: at all other hours."""
    weekdays: tuple[int, ...] = ()
    """ISO weekdays (1 is Monday) on which ``hours_utc`` holds; none: every day."""

    prices: dict[str, Annotated[Decimal, AfterValidator(_price_or_zero)]]
    """As listed, by the key that says the unit in dollars."""
    currencies: dict[str, str] = {}
    """Of each key whose price is listed in another currency: a block may write ``gpu_eur_per_hour``."""

    @model_validator(mode="before")
    @classmethod
    def _collect_prices(cls, data: Any) -> Any:
        if isinstance(data, dict) and "prices" not in data:
            known = PRICE_KEYS.keys() | cls.__pydantic_fields__.keys()
            foreign = {k: found for k in data if k not in known and (found := in_dollars(k, PRICE_KEYS))}
            prices = {k: v for k, v in data.items() if k in PRICE_KEYS}
            rest = {k: v for k, v in data.items() if k not in PRICE_KEYS and k not in foreign}
            for stated, (key, _) in foreign.items():
                if key in prices:
                    raise ValueError(f"{stated} prices what the block prices in another currency too; keep the listed one")
                prices[key] = data[stated]
            data = rest | {"prices": prices, "currencies": dict(foreign.values())}
        return data

    @model_validator(mode="after")
    def _priced(self) -> PriceBlock:
        if not self.prices and not self.withdrawn:
            raise ValueError("a price block needs at least one price key, for example input_usd_per_mtok")
        for key in self.prices.keys() - PRICE_KEYS.keys():
            raise ValueError(f"{key} is not a price key; see pricing/keys.py")
        return self

    @field_validator("ends")
    @classmethod
    def _after_its_beginning(cls, ends: date | None, stated: ValidationInfo) -> date | None:
        return later(ends, stated)


class FxBlock(Sourced):
    """What one US dollar was in a currency on one day, from one source."""

    effective: date
    per_usd: Decimal = Field(gt=0)
    """Units of the currency for one dollar."""
    publisher: str = Field(min_length=1)
    """Whose rate it is, in a word."""


_TWELVE_DIGITS = Context(prec=12)


class ExchangeRate(_Strict):
    """The rate amounts are converted at. The dollar's own is 1 by definition, without a day or a source."""

    code: str
    per_usd: Decimal = Decimal(1)
    effective: date | None = None
    publisher: str = ""
    source: str | None = None
    source_date: date | None = None
    recorded: date | None = None

    @property
    def is_dollar(self) -> bool:
        """Whether nothing is converted."""
        return self.code == USD

    def of_usd(self, usd: float) -> float:
        """An amount of dollars in the currency."""
        return usd if self.is_dollar else usd * float(self.per_usd)

    def to_usd(self, amount: Decimal) -> Decimal:
        """An amount of the currency in dollars, to twelve digits."""
        return _TWELVE_DIGITS.divide(amount, self.per_usd)


US_DOLLAR = ExchangeRate(code=USD)


class LifecycleEvent(Sourced):
    """A dated event in a model's or a provider's life.

    ``training_ends`` and ``inference_ends`` are exclusive: the first day on which it is no longer possible.
    ``available_until_at_least`` is a provider's promise, not an end: no retirement is scheduled before that day.
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
    """How a vector store counts what it bills.

    One vector is ``4 * dimensions + metadata`` bytes. With n vectors, q queries and w rewritten vectors a month::

        kb            = (4 * dimensions + metadata) / bytes_per_kb                        per vector
        gb            = n * kb / bytes_per_kb**2                                          of vectors
        stored gb     = gb * (storage_overhead, or the assumption retrieval.index_overhead where it is None)
        storage       = stored gb * storage_usd_per_gb_month

        written kb    = vectors written * max(kb, minimum_write_kb_per_request / vectors_per_write_request)
        write units   = written kb * write_units_per_kb                                   first load, new vectors
        rewrite units = write units + w * (kb * delete_units_per_kb + delete_units_per_vector)
        writing       = units * write_usd_per_munit / 1e6  +  written kb / bytes_per_kb**2 * write_usd_per_gb

        units a query = max(minimum_read_units, gb * read_units_per_gb or the curve read_units_at_gb at gb)
        scanned tb    = n_k * kb / bytes_per_kb**3 in each tier k; n_k = vectors of the index that fall in it
        a query       = units * read_usd_per_munit / 1e6 + query_usd_per_mquery / 1e6
                        + sum over k of scanned tb_k * scan_tier_k_usd_per_tb             tier 1: scan_usd_per_tb

        instances     = max(minimum_instances, ceil(gb / gb_per_instance))                kind "instance" only
        renting       = instances * 730 * instance_usd_per_hour

        a month       = max(storage + writing + queries + renting, minimum_usd_per_month)

    Only the terms of the store's `price_keys` apply, and each needs a price. ``gb`` counts vectors and metadata before
    ``storage_overhead``.
    """

    kind: Literal["serverless units", "per query", "instance"]
    """Which terms apply: read and write units; a price per query, per scan and per gigabyte written; or rented instances."""
    bytes_per_kb: Literal[1000, 1024] = 1000
    """How the provider counts: a gigabyte is bytes_per_kb cubed."""
    storage_overhead: float | None = Field(default=None, ge=1)
    """Billed bytes for each byte of vectors and metadata. None: the provider does not say."""

    read_units_per_gb: float = Field(default=0, ge=0)
    """Units a query costs for each gigabyte of the searched vectors, where that is a straight line."""
    read_units_at_gb: tuple[tuple[float, float], ...] = ()
    """Published points (gigabytes searched, units a query), ascending, where it is not a straight line.

    Between points: straight on logarithmic axes, so that every point is met exactly. Beyond the ends: the nearest segment
    goes on.
    """
    minimum_read_units: float = Field(default=0, ge=0)
    """Units a query costs at least."""

    write_units_per_kb: float = Field(default=0, ge=0)
    delete_units_per_kb: float = Field(default=0, ge=0)
    """Units for each kilobyte of a vector that is overwritten or deleted."""
    delete_units_per_vector: float = Field(default=0, ge=0)
    """Units for each vector that is overwritten or deleted, whatever its size."""
    minimum_write_kb_per_request: float = Field(default=0, ge=0)
    vectors_per_write_request: int = Field(default=1, ge=1)
    """The largest batch the store takes; with full batches the minimum seldom bites."""

    scan_tier_starts: tuple[int, ...] = ()
    """Vectors in an index from which tier 2, tier 3 … begin; each tier's price holds for the vectors inside it."""

    gb_per_instance: float | None = Field(default=None, gt=0)
    """Vectors one instance can hold, for stores rented by the instance."""
    minimum_instances: int = Field(default=1, ge=1)

    @property
    def price_keys(self) -> tuple[str, ...]:
        """The keys a store of this kind must have a price for; ``minimum_usd_per_month`` is the only other one."""
        of_kind = {
            "serverless units": ("write_usd_per_munit", "read_usd_per_munit"),
            "per query": (
                "write_usd_per_gb",
                "query_usd_per_mquery",
                "scan_usd_per_tb",
                *(f"scan_tier_{tier}_usd_per_tb" for tier, _ in enumerate(self.scan_tier_starts, start=2)),
            ),
            "instance": ("instance_usd_per_hour",),
        }
        return ("storage_usd_per_gb_month", *of_kind[self.kind])

    @model_validator(mode="after")
    def _complete(self) -> StoreRules:
        gigabytes = [gb for gb, _ in self.read_units_at_gb]
        if gigabytes != sorted(set(gigabytes)) or any(gb <= 0 for gb in gigabytes):
            raise ValueError("read_units_at_gb must be in ascending order of gigabytes, all above zero")
        if len(gigabytes) == 1:
            raise ValueError("read_units_at_gb needs two points or more; for one rate write read_units_per_gb")
        if list(self.scan_tier_starts) != sorted(set(self.scan_tier_starts)):
            raise ValueError("scan_tier_starts must be in ascending order")
        if self.kind == "instance" and self.gb_per_instance is None:
            raise ValueError("a store rented by the instance needs gb_per_instance")
        return self


class Item(_Strict):
    """One thing a provider sells: a model, a GPU, an instance, a vector store, or a role's wage."""

    name: _Name
    aliases: tuple[_Name, ...] = ()
    weights: str | None = None
    """``maker/model`` in open_models.toml, where the model's weights are open."""
    context_tokens: int | None = Field(default=None, gt=0)
    max_training_tokens_per_example: int | None = Field(default=None, gt=0)
    dimensions: int | None = Field(default=None, gt=0)
    """Length of an embedding model's vectors."""
    hardware: GpuBlock | None = None
    rented_for: RentedFor | None = None
    """As the provider's, for this GPU or instance alone."""
    cache: Records[CacheRules] = ()
    billing: Records[BillingRules] = ()
    store: Records[StoreRules] = ()
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
    name: _Name
    price_page: _AnySource
    currency: Literal["USD"] = "USD"
    rented_for: RentedFor | None = None
    """What its GPUs do where that is not everything: serving, under its own server software, so that nothing can be trained on
    them; or jobs, which end, so that nothing can be served from them."""
    cache: Records[CacheRules] = ()
    billing: Records[BillingRules] = ()
    price: tuple[PriceBlock, ...] = ()
    """Prices that hold for everything the provider sells unless an item says otherwise."""
    lifecycle: tuple[LifecycleEvent, ...] = ()
    band: tuple[SizeBand, ...] = ()
    model: dict[str, Item] = {}
    gpu: dict[str, Item] = {}
    instance: dict[str, Item] = {}
    store: dict[str, Item] = {}
    role: dict[str, Item] = {}
    discount: tuple[Discount, ...] = ()
    """This and what follows is agreed with one customer: it stands in own prices only, never in a bundled table."""
    commitment: tuple[Commitment, ...] = ()
    credit: tuple[Credit, ...] = ()

    @field_validator("model", "gpu", "instance", "store", "role")
    @classmethod
    def _named(cls, items: dict[str, Item]) -> dict[str, Item]:
        for item_id in items:
            _printable(item_id)
        return items

    @model_validator(mode="after")
    def _one_discount_at_a_time(self) -> Self:
        names = [(item_id, *item.aliases) for item_id, item in self.items.items()]
        for i, j in overlapping(self.discount, names):
            raise ValueError(f"discount.{i} and discount.{j} overlap: {self.discount[i]}, {self.discount[j]}")
        return self

    @model_validator(mode="after")
    def _one_commitment_at_a_time(self) -> Self:
        for i, j in concurrent(self.commitment):
            raise ValueError(f"commitment.{i} and commitment.{j} hold at the same time; write the one amount a month that is due")
        return self

    def discount_on(self, item_id: str | None, key: str, on: date) -> Discount | None:
        """The discount on a listed price on a day, if there is one.

        Args:
            item_id: None for a price as it stands for everything the provider sells.
        """
        if not self.discount:
            return None
        names = () if item_id is None else (item_id, *self.items[item_id].aliases)
        return next((d for d in self.discount if d.in_force(on) and d.applies_to(names, key)), None)

    @property
    def items(self) -> dict[str, Item]:
        """Everything sold, by its id inside the provider."""
        return {**self.model, **self.gpu, **self.instance, **self.store, **self.role}


class OpenModel(Sourced):
    """Facts of an open-weights model, from its published configuration.

    The shape is that of the text decoder; it is known in full where `layers` is stated, and not at all otherwise.
    """

    name: str
    billion_parameters: float = Field(gt=0)
    active_billion_parameters: float | None = Field(default=None, gt=0)
    """Parameters that one token passes through; None: all of them."""
    context_tokens: int | None = Field(default=None, gt=0)
    licence: str = ""

    layers: int | None = Field(default=None, gt=0)
    hidden_size: int | None = Field(default=None, gt=0)
    feed_forward_size: int | None = Field(default=None, gt=0)
    """Width between the feed-forward matrices; of one expert where there are experts."""
    feed_forward_matrices: int = Field(default=3, ge=2, le=3)
    """3: gated (up, gate, down), as in Llama; 2: up and down."""
    attention_heads: int | None = Field(default=None, gt=0)
    kv_heads: int | None = Field(default=None, gt=0)
    """Heads whose keys and values are kept; fewer than `attention_heads` where these are grouped."""
    head_size: int | None = Field(default=None, gt=0)
    """Numbers in one head's query, key or value."""
    vocabulary: int | None = Field(default=None, gt=0)
    """Rows of the embedding matrix, and the width of the logits."""
    tied_embeddings: bool = False
    """Whether the output matrix is the embedding matrix."""

    experts: int | None = Field(default=None, gt=1)
    """Experts of one layer that a router chooses from; None: no mixture of experts."""
    experts_per_token: int | None = Field(default=None, gt=0)
    shared_experts: int = Field(default=0, ge=0)
    """Experts that every token passes through, beside the chosen ones; each is as wide as `feed_forward_size`."""
    dense_layers: int = Field(default=0, ge=0)
    """Of the layers of a mixture of experts, those without experts."""
    dense_feed_forward_size: int | None = Field(default=None, gt=0)
    """Width of the dense layers' feed-forward matrices."""

    query_rank: int | None = Field(default=None, gt=0)
    """Multi-head latent attention: the rank queries are compressed to; None: not compressed."""
    kv_rank: int | None = Field(default=None, gt=0)
    """Multi-head latent attention: the rank keys and values are compressed to and kept at; None: ordinary attention."""
    rope_head_size: int = Field(default=0, ge=0)
    """Multi-head latent attention: numbers in a head's query and key that carry the position, beside `head_size`."""

    windowed_layers: int = Field(default=0, ge=0)
    """Layers that attend to the last `window_tokens` only."""
    window_tokens: int | None = Field(default=None, gt=0)
    other_billion_parameters: float = Field(default=0, ge=0)
    """Parameters of the checkpoint outside the text decoder: a vision encoder, layers that predict further tokens."""

    @model_validator(mode="after")
    def _whole_shape(self) -> Self:
        shape = ("layers", "hidden_size", "feed_forward_size", "attention_heads", "kv_heads", "head_size", "vocabulary")
        missing = [name for name in shape if getattr(self, name) is None]
        if missing and len(missing) < len(shape):
            raise ValueError(f"the shape is stated in part: {', '.join(missing)} missing; state all of it or none")
        if (self.experts is None) != (self.experts_per_token is None):
            raise ValueError("experts and experts_per_token belong together")
        if self.experts is not None and self.experts_per_token is not None and self.experts_per_token > self.experts:
            raise ValueError(f"experts_per_token {self.experts_per_token} of {self.experts} experts")
        if self.dense_layers and (self.experts is None or self.dense_feed_forward_size is None):
            raise ValueError("dense_layers needs experts and dense_feed_forward_size")
        if self.layers is not None and max(self.dense_layers, self.windowed_layers) > self.layers:
            raise ValueError(f"dense_layers {self.dense_layers}, windowed_layers {self.windowed_layers} of {self.layers} layers")
        if self.windowed_layers and self.window_tokens is None:
            raise ValueError("windowed_layers needs window_tokens")
        if self.attention_heads is not None and self.kv_heads is not None and self.attention_heads % self.kv_heads:
            raise ValueError(f"attention_heads {self.attention_heads} is no multiple of kv_heads {self.kv_heads}")
        return self


class Gpu(Sourced):
    """Facts of a GPU, from its data sheet. Rates are peaks that no program reaches, without sparsity."""

    name: str
    memory_gb: float = Field(gt=0)
    memory_bandwidth_gb_per_s: float | None = Field(default=None, gt=0)
    bf16_dense_tflops: float | None = Field(default=None, gt=0)
    """10^12 operations a second on BF16 matrices; None also where the GPU cannot."""
    fp8_dense_tflops: float | None = Field(default=None, gt=0)
    """10^12 operations a second on FP8 matrices; None also where the GPU cannot."""
    fp16_dense_tflops: float | None = Field(default=None, gt=0)
    """10^12 operations a second on FP16 matrices summed in FP32; GeForce cards sum in FP16 twice as fast."""
    int8_dense_tops: float | None = Field(default=None, gt=0)
    """10^12 operations a second on INT8 matrices."""
    fp4_dense_tflops: float | None = Field(default=None, gt=0)
    """10^12 operations a second on FP4 matrices; None also where the GPU cannot."""
    driver_memory_gib: float | None = Field(default=None, gt=0)
    """GiB (2^30 bytes) that programs see of the memory, as PyTorch names it in its out-of-memory errors."""
    link_gb_per_s: float | None = Field(default=None, gt=0)
    """10^9 bytes a second between GPUs of one server, one way: NVLink or Infinity Fabric, else PCI Express."""
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


class Coefficient(_Strict):
    """One fitted number and how well the measurements determine it."""

    value: float
    standard_error: float = Field(ge=0)


class Fit(_Strict):
    """What a model of own GPUs was fitted to be, from published measurements."""

    coefficient: dict[str, Coefficient]
    residual_scale: dict[str, float]
    """Spread of ln(measured/predicted) where the whole source was left out of the fit, by kind of run."""
    degrees_of_freedom: float = Field(gt=0)
    """Of the residuals: sources less one."""
    rows: int = Field(gt=0)
    groups: int = Field(gt=0)
    """Sets of rows that are not independent of each other; each counts once."""
    sources: int = Field(gt=1)
    recorded: date

    def value(self, name: str) -> float:
        """One coefficient."""
        return self.coefficient[name].value


class Release(_Strict):
    """A state of the book that can be named again: everything recorded through a day, and the digest that proves it."""

    name: str = Field(pattern=r"^\d{4}(\.\d{1,2}){2}(\.\d+)?$")
    recorded_through: date
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


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
    listed: Decimal | None = None
    """The value in the currency it is listed in, where that is another; `value` is converted from it."""
    exchange_rate: ExchangeRate | None = None
    """The rate it is converted at; None where it is listed in dollars."""
    undiscounted: Price | None = None
    """The price before a discount of one's own; None where none was taken off."""

    @property
    def listed_value(self) -> Decimal:
        """The value in `listed_currency`, less a discount that `conditions` names."""
        return self.value if self.listed is None else self.listed

    @property
    def listed_currency(self) -> str:
        """ISO code of the currency it is listed in."""
        return USD if self.exchange_rate is None else self.exchange_rate.code

    @property
    def usd(self) -> float:
        """The value as the float the model computes with."""
        return float(self.value)
