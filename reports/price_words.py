"""Words for prices: what is priced, how it changed, and the line that cites it."""

from __future__ import annotations

from decimal import Decimal

from pricing.history import Change, History, Step
from pricing.model import LifecycleEvent, Price
from reports import words
from reports.sources import source_words

MEASURES = {
    "mtok": "US$ per million tokens",
    "hour": "US$ per hour",
    "month": "US$ per month",
    "job": "US$ per tuning job",
    "year": "US$ per year",
    "gb_month": "US$ per gigabyte and month",
}
"""What the end of a key says, where several keys share it; of any other the key's own unit is said."""

KINDS = (
    "Inference", "Tuned inference", "Batch", "Cache", "Training", "Hosting & storage", "Embeddings", "Rerank", "Vector stores",
    "GPUs & machines", "People",
)  # fmt: skip
"""What is priced. Each price has one kind."""

_KIND_OF_KEY = {
    "training": "Training", "minimum_usd_per_job": "Training", "cap_usd_per_job": "Training", "hosting": "Hosting & storage",
    "provisioned": "Hosting & storage", "model_storage": "Hosting & storage", "embedding": "Embeddings", "rerank": "Rerank",
    "storage": "Vector stores", "read": "Vector stores", "write": "Vector stores", "query": "Vector stores",
    "scan": "Vector stores", "minimum_usd_per_month": "Vector stores", "gpu": "GPUs & machines", "instance": "GPUs & machines",
    "wage": "People", "label": "People",
}  # fmt: skip


def kind(history: History) -> str:
    """Which of `KINDS` a price is: by its key, and for tokens of a model by tuned, cached and batch, in this order."""
    of_key = next(
        (found for start, found in _KIND_OF_KEY.items() if history.key.startswith(f"{start}_") or history.key == start), ""
    )
    if of_key:
        return of_key
    if history.question["tuned"]:
        return "Tuned inference"
    if "cache" in history.key:
        return "Cache"
    return "Batch" if history.question["service"] == "batch" else "Inference"


def key_label(key: str) -> str:
    """A price key as a name: Input, Cache read, GPU."""
    name = key.partition("_usd_per_")[0].replace("_", " ")
    return "GPU" if name == "gpu" else name[:1].upper() + name[1:]


def history_label(history: History) -> str:
    """What is priced and when it holds: Input, batch."""
    return key_label(history.key) + (f", {history.conditions}" if history.conditions else "")


def measure(key: str) -> str:
    """The end of a key, which says the unit: prices of one measure share an axis."""
    return key.partition("_usd_per_")[2]


def usd(value: Decimal) -> str:
    """A price with all its digits: $0.0375; one that was converted, with four that say something."""
    return words.exact_money(value) if len(value.normalize().as_tuple().digits) <= 7 else words.unit_price(float(value))


def since(step: Step) -> str:
    """The day a price took effect, or was first seen; again, where another one was in force between."""
    if step.first != step.price.effective:
        return f"in force again since {words.day(step.first)}"
    return f"{'first seen' if step.is_seen else 'in force since'} {words.day(step.first)}"


def direction(old: Decimal, new: Decimal) -> str:
    """How a value changed, in a word and per cent: 33% dearer, 20% cheaper, now free."""
    if old == new:
        return "unchanged"
    if old == 0:
        return "no longer free"
    if new == 0:
        return "now free"
    share = float(new / old) - 1
    size = f"{abs(share):.0%}" if abs(share) >= 0.01 else f"{abs(share):.1%}"
    return f"{size} {'dearer' if share > 0 else 'cheaper'}"


def changed(change: Change) -> str:
    """The direction of a change: 33% dearer, new, ended."""
    if change.old is None:
        return "new"
    return "ended" if change.new is None else direction(change.old.value, change.new.value)


def event_label(event: LifecycleEvent) -> str:
    """An event with its day: Ends 14 Jan 2027."""
    return f"{words.EVENT_LABELS[event.event]} {words.day_short(event.date)}"


def citation(provider: str, name: str, history: History, step: Step) -> str:
    """One price as a line that can be pasted: who, what, how much, since when, from where, read on which day."""
    price = step.price
    label = history_label(history)
    parts = [provider, name, label if label.startswith("GPU") else label[:1].lower() + label[1:], _amount(price), since(step)]
    parts += [f"until {words.day(step.until)} (exclusive)"] if step.until else []
    source = source_words(price.source) if price.source.startswith("pkg:") else price.source
    parts += [f"source {source}", f"read {words.day(price.source_date)}"]
    return ", ".join(parts)


def _amount(price: Price) -> str:
    """As its provider lists it, in the currency it is listed in."""
    figure = words.exact_money(price.listed_value).removeprefix("$")
    return f"{figure} {price.unit.replace('USD', price.listed_currency, 1)}"
