"""Retrieval: chunking and embedding a corpus, keeping it in a vector store, and searching it for every request."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from calc.ledger import CostLine, Timing, each, once, per_request, priced_line
from calc.parts.prompt import MTOK
from calc.scenario import Retrieval
from calc.setting import Given, Setting, say
from calc.timeline import HOURS_PER_MONTH, MonthlyPrice
from calc.volume import Linear, Shape, TopUp
from pricing.model import StoreRules


def vectors_of(corpus_tokens: Any, chunk_tokens: Any, overlap_tokens: Any) -> Any:
    """⌈corpus / (chunk − overlap)⌉ vectors."""
    return np.ceil(corpus_tokens / (chunk_tokens - overlap_tokens))


def vector_kb(dimensions: Any, metadata_bytes: Any, bytes_per_kb: int) -> Any:
    """One vector of 4-byte numbers with its metadata, in the provider's kilobytes."""
    return (4 * dimensions + metadata_bytes) / bytes_per_kb


def read_units(gb: Any, rules: StoreRules) -> Any:
    """Read units of one query over ``gb`` gigabytes: the store's rate or its published curve, at least its minimum.

    Between published points the curve is straight on logarithmic axes; beyond them the nearest segment goes on.
    """
    if not rules.read_units_at_gb:
        return np.maximum(rules.read_units_per_gb * np.asarray(gb), rules.minimum_read_units)
    x, y = np.log(np.array(rules.read_units_at_gb)).T
    at = np.log(np.maximum(gb, 1e-12))
    segment = np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2)
    slope = (y[segment + 1] - y[segment]) / (x[segment + 1] - x[segment])
    return np.maximum(np.exp(y[segment] + slope * (at - x[segment])), rules.minimum_read_units)


def scanned_tb_by_tier(vectors: Any, kb: Any, rules: StoreRules) -> list[Any]:
    """Terabytes one query scans in each tier of the index: the vectors that fall in the tier × their size."""
    bounds = (0, *rules.scan_tier_starts, np.inf)
    return [np.clip(vectors - low, 0, high - low) * kb / rules.bytes_per_kb**3 for low, high in pairwise(bounds)]


@dataclass(frozen=True)
class _Index:
    """The corpus as it lies in the store."""

    spec: Retrieval
    rules: StoreRules
    chunk: Given
    vectors: Any
    churn: Any
    kb: Any
    assumptions: tuple[str | None, ...]

    @property
    def gb(self) -> Any:
        return self.vectors * self.kb / self.rules.bytes_per_kb**2


def _index(setting: Setting, spec: Retrieval) -> _Index:
    task = setting.scenario.task
    corpus = spec.corpus_tokens if spec.corpus_tokens is not None else task.corpus_tokens
    if corpus is None:
        raise ValueError("retrieval needs task.corpus_tokens (or retrieval.corpus_tokens)")
    chunk = setting.given(spec.chunk_tokens, "retrieval.chunk_tokens")
    overlap = setting.given(spec.overlap_tokens, "retrieval.overlap_tokens")
    overlaps, chunks = np.broadcast_arrays(overlap.value, chunk.value)
    if np.any(overlaps >= chunks):
        first = np.argmax(overlaps >= chunks)  # the first draw that cannot be, where they are drawn
        too_long, too_short = overlaps.ravel()[first], chunks.ravel()[first]
        raise ValueError(f"retrieval.overlap_tokens ({too_long:g}) must be less than chunk_tokens ({too_short:g})")
    metadata = setting.given(spec.metadata_bytes_per_vector, "retrieval.metadata_bytes_per_vector")
    rules = setting.rates.store_rules(spec.store)
    if rules is None:
        provider, item_id, _ = setting.rates.item(spec.store)
        if item_id in provider.store:
            raise ValueError(
                f"{spec.store} is priced in the book, but not all that it bills is known. "
                "Choose another store, or add its billing rules to your own prices."
            )
        raise ValueError(f"{spec.store} is not a vector store")
    dimensions = setting.rates.item(spec.embedding)[2].dimensions
    if dimensions is None:
        raise ValueError(f"{spec.embedding} is not an embedding model")
    churn = spec.churn_share_per_month if spec.churn_share_per_month is not None else task.facts_changing_per_month_share
    return _Index(
        spec,
        rules,
        chunk,
        vectors_of(corpus, chunk.value, overlap.value),
        churn,
        vector_kb(dimensions, metadata.value, rules.bytes_per_kb),
        (chunk.assumption, overlap.assumption, metadata.assumption),
    )


def lines(setting: Setting) -> list[CostLine]:
    """Parsing, embedding, writing, storing and searching, and the store's monthly minimum on top."""
    spec = setting.approach.retrieval
    assert spec is not None
    index = _index(setting, spec)
    store = _store_lines(setting, index)
    return [
        *_parse_line(setting, spec),
        *_embedding_lines(setting, index),
        *store,
        *_minimum_line(setting, spec, store),
        *_rewrite_lines(setting, spec),
        *_rerank_lines(setting, index),
    ]


def _line(
    key: str,
    name: str,
    timing: Timing,
    quantity: Shape,
    unit: str,
    price: MonthlyPrice,
    formula: str,
    per: float = 1.0,
    assumptions: tuple[str | None, ...] = (),
) -> CostLine:
    return priced_line(
        f"retrieval.{key}", name, "retrieval", timing, quantity, unit, price, formula, per=per, assumptions=assumptions
    )


def _parse_line(setting: Setting, spec: Retrieval) -> list[CostLine]:
    if spec.parser is None:
        return []
    price = setting.price(spec.parser, "parse_usd_per_kpage")
    quantity = once(setting.months.count, setting.start, spec.corpus_pages)
    return [_line("parse", "Parsing of documents", "one-off", quantity, "page", price, f"{say(spec.corpus_pages)} pages", 1e3)]


def _embedding_lines(setting: Setting, index: _Index) -> list[CostLine]:
    price = setting.price(index.spec.embedding, "embedding_usd_per_mtok")
    tokens = index.vectors * index.chunk.value
    vectors = f"{say(index.vectors)} vectors × {say(index.chunk.value)} tokens"
    question = setting.scenario.workload.user_tokens
    found = [
        _line(
            "embed",
            "Embedding of the corpus",
            "one-off",
            once(setting.months.count, setting.start, tokens),
            "token",
            price,
            vectors,
            MTOK,
            index.assumptions,
        )
    ]
    if np.any(np.asarray(index.churn) > 0):
        quantity = each(setting.active, tokens * index.churn)
        formula = f"{vectors} × {say(index.churn)} a month"
        found.append(
            _line("re_embed", "Embedding of changes", "monthly", quantity, "token", price, formula, MTOK, index.assumptions)
        )
    found.append(
        _line(
            "embed_queries",
            "Embedding of questions",
            "per request",
            per_request(setting.growth, question),
            "token",
            price,
            f"requests × {say(question)} tokens",
            MTOK,
        )
    )
    return found


def _store_lines(setting: Setting, index: _Index) -> list[CostLine]:
    """What the store bills before its monthly minimum: storage, writes, queries, instances (`pricing.model.StoreRules`)."""
    rules, store, months = index.rules, index.spec.store, setting.months.count
    overhead = Given(rules.storage_overhead) if rules.storage_overhead else setting.given(None, "retrieval.index_overhead")
    size = f"{say(index.vectors)} vectors × {say(index.kb)} kB"
    found: list[CostLine] = []

    def add(
        key: str, name: str, timing: Timing, quantity: Shape, unit: str, price_key: str, formula: str, per: float = 1.0
    ) -> None:
        if price_key in rules.price_keys:
            used = (*index.assumptions, overhead.assumption if key == "storage" else None)
            found.append(_line(key, name, timing, quantity, unit, setting.price(store, price_key), formula, per, used))

    add(
        "storage",
        "Storage of vectors",
        "monthly",
        each(setting.active, index.gb * overhead.value),
        "GB-month",
        "storage_usd_per_gb_month",
        f"{size} × {say(overhead.value)}",
    )
    written_kb = np.maximum(index.kb, rules.minimum_write_kb_per_request / rules.vectors_per_write_request)
    units = written_kb * rules.write_units_per_kb
    rewrite_units = units + index.kb * rules.delete_units_per_kb + rules.delete_units_per_vector
    rewritten = index.vectors * index.churn
    first = once(months, setting.start, index.vectors)
    write = f"{say(index.vectors)} vectors × {say(written_kb)} kB, then {say(rewritten)} vectors a month"
    add(
        "write",
        "Writing of vectors",
        "monthly",
        Linear(first.fixed * units + setting.active * rewritten * rewrite_units, first.per_request),
        "write unit",
        "write_usd_per_munit",
        write,
        1e6,
    )
    add(
        "write_gb",
        "Writing of vectors",
        "monthly",
        Linear((first.fixed + setting.active * rewritten) * written_kb / rules.bytes_per_kb**2, first.per_request),
        "GB",
        "write_usd_per_gb",
        write,
    )
    per_query = read_units(index.gb, rules)
    add(
        "read",
        "Searches, read units",
        "per request",
        per_request(setting.growth, per_query),
        "read unit",
        "read_usd_per_munit",
        f"requests × {say(per_query)} read units over {say(index.gb)} GB",
        1e6,
    )
    add(
        "query",
        "Searches",
        "per request",
        per_request(setting.growth, 1.0),
        "query",
        "query_usd_per_mquery",
        "requests × 1 search",
        1e6,
    )
    for tier, terabytes in enumerate(scanned_tb_by_tier(index.vectors, index.kb, rules), start=1):
        if np.any(terabytes > 0):
            add(
                f"scan_{tier}" if tier > 1 else "scan",
                "Vectors scanned by searches" + (f", tier {tier}" if tier > 1 else ""),
                "per request",
                per_request(setting.growth, terabytes),
                "TB",
                f"scan_tier_{tier}_usd_per_tb" if tier > 1 else "scan_usd_per_tb",
                f"requests × {say(terabytes)} TB",
            )
    if rules.kind == "instance":
        instances = np.maximum(rules.minimum_instances, np.ceil(index.gb / rules.gb_per_instance))
        add(
            "instances",
            "Instances of the vector store",
            "monthly",
            each(setting.active, instances * HOURS_PER_MONTH),
            "hour",
            "instance_usd_per_hour",
            f"{say(instances)} instances × {HOURS_PER_MONTH:g} h",
        )
    return found


def _minimum_line(setting: Setting, spec: Retrieval, usage: list[CostLine]) -> list[CostLine]:
    """What a plan's monthly minimum adds to the usage: max(0, minimum − usage)."""
    if not setting.sells(spec.store, "minimum_usd_per_month"):
        return []
    minimum = setting.price(spec.store, "minimum_usd_per_month")
    shapes = [(line.quantity, line.unit_price) for line in usage]
    fixed = sum(shape.fixed * price for shape, price in shapes if isinstance(shape, Linear))
    per = sum(shape.per_request * price for shape, price in shapes if isinstance(shape, Linear))
    missing = next((line.missing for line in usage if line.missing), minimum.missing)
    price = MonthlyPrice(np.ones(setting.months.count), minimum.rows, missing)
    quantity = TopUp(minimum.usd * setting.active, fixed, per)
    formula = f"what is missing to the plan's ${say(np.max(minimum.usd))} a month"
    return [_line("minimum", "Minimum of the store's plan", "stepped", quantity, "USD", price, formula)]


def _rewrite_lines(setting: Setting, spec: Retrieval) -> list[CostLine]:
    if spec.rewrite_model is None:
        return []
    tokens_in = spec.rewrite_instruction_tokens + setting.scenario.workload.user_tokens
    return [
        _line(
            f"rewrite_{key}",
            f"Rewriting of questions, {key}",
            "per request",
            per_request(setting.growth, tokens),
            "token",
            setting.price(spec.rewrite_model, f"{key}_usd_per_mtok"),
            f"requests × {say(tokens)} tokens",
            MTOK,
        )
        for key, tokens in (("input", tokens_in), ("output", spec.rewrite_answer_tokens))
    ]


def _rerank_lines(setting: Setting, index: _Index) -> list[CostLine]:
    spec = index.spec
    if spec.reranker is None:
        return []
    if setting.sells(spec.reranker, "rerank_usd_per_ksearch"):
        price, tokens, unit, per = setting.price(spec.reranker, "rerank_usd_per_ksearch"), 1.0, "search", 1e3
        formula = "requests × 1 search"
    else:
        price = setting.price(spec.reranker, "rerank_usd_per_mtok")
        tokens = spec.rerank_candidates * (index.chunk.value + setting.scenario.workload.user_tokens)
        unit, per, formula = "token", MTOK, f"requests × {say(tokens)} tokens"
    quantity = per_request(setting.growth, tokens)
    return [_line("rerank", "Reranking", "per request", quantity, unit, price, formula, per)]
