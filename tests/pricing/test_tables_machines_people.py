"""The tables of stores, machines, people and open weights, and the numbers nobody lists, against published figures."""

from __future__ import annotations

import math
from datetime import date
from itertools import pairwise

import pytest

from pricing.book import PriceBook, Rates
from pricing.errors import PriceMissing, PriceUnverified
from pricing.keys import PRICE_KEYS
from pricing.model import StoreRules

BOOK = PriceBook.bundled()
TODAY = date(2026, 11, 20)

STORES = ("aws-s3-vectors", "aws-rds", "neon", "pinecone", "zilliz")
RERANKERS_AND_EMBEDDINGS = ("cohere", "voyage", "jina", "perplexity")
PARSERS = ("llamaparse", "aws-textract", "azure-document-intelligence", "unstructured")
RENTS = (
    *("runpod", "lambda", "modal", "aws-ec2", "azure-vm", "gcp", "coreweave", "vast", "oracle", "hyperstack", "nebius"),
    *("crusoe", "verda", "huggingface-jobs", "huggingface-endpoints", "aws-sagemaker", "fpt", "vultr"),
)
PARTLY_PRICED_STORES = ("weaviate", "turbopuffer", "qdrant", "aws-opensearch", "mongodb-atlas", "supabase", "aws-aurora")
HARDWARE_AND_PEOPLE = ("nvidia", "eia", "cbre", "bls", "aws-ground-truth")
PROVIDERS = (*STORES, *RERANKERS_AND_EMBEDDINGS, *PARSERS, *RENTS, *HARDWARE_AND_PEOPLE)

TASK_KINDS = ("style", "format", "classification", "extraction", "facts", "reasoning", "code", "drafting", "preference")
ASSUMPTIONS = {
    *(f"data_preparation.author_minutes_{kind}" for kind in TASK_KINDS),
    *(f"data_preparation.review_minutes_{kind}" for kind in TASK_KINDS),
    *(
        f"data_preparation.{name}"
        for name in (
            *("accept_share", "hand_written_share", "reviewed_share", "reviewers_per_example"),
            *("adjudication_minutes_per_example", "rework_share", "guideline_hours", "quality_hours", "retrain_data_share"),
        )
    ),
    *(
        f"staff.{name}"
        for name in (
            *("overhead_share", "productive_hours_per_year", "prompt_set_up_hours", "few_shot_set_up_hours"),
            *("retrieval_set_up_hours", "tuning_set_up_hours", "own_gpu_set_up_hours", "prompt_maintenance_hours_per_month"),
            *("retrieval_maintenance_hours_per_month", "tuning_maintenance_hours_per_month"),
            *("own_gpu_maintenance_hours_per_month", "migration_hours"),
        )
    ),
    *(f"tuning.{name}" for name in ("full_run_equivalents", "retrain_run_equivalents", "epochs")),
    *(
        f"evaluation.{name}"
        for name in (
            *("evaluation_examples", "evaluation_set_hours", "runs_per_release", "grading_minutes_per_answer"),
            "evaluation_runs_per_month",
        )
    ),
    *(
        f"retrieval.{name}"
        for name in ("chunk_tokens", "overlap_tokens", "chunks_per_request", "metadata_bytes_per_vector", "index_overhead")
    ),
    *(f"serving.{name}" for name in ("target_utilisation", "peak_factor", "active_hours_per_day", "active_days_per_month")),
}


@pytest.fixture(scope="module")
def rates() -> Rates:
    return BOOK.as_of(TODAY)


def rules(offer: str, rates: Rates) -> StoreRules:
    store = rates.store_rules(offer)
    assert store is not None
    return store


@pytest.mark.parametrize("provider_id", PROVIDERS)
def test_every_price_lies_in_the_band_of_its_key(provider_id: str) -> None:
    provider = BOOK.provider(provider_id)
    for item_id, item in provider.items.items():
        by_size = provider.band and item.weights
        assert item.price or item.lifecycle or by_size, f"{provider_id}/{item_id} has neither a price nor an event"
        for block in item.price:
            assert block.source_date <= block.recorded
            assert block.effective <= TODAY
            for key, value in block.prices.items():
                spec = PRICE_KEYS[key]
                assert value == 0 or spec.low <= float(value) <= spec.high, f"{provider_id}/{item_id} {key} = {value}"


@pytest.mark.parametrize("provider_id", PROVIDERS)
def test_every_item_has_a_price_today(provider_id: str, rates: Rates) -> None:
    left_the_market = {"gcp/a4-highgpu-8g"}
    for item_id, item in BOOK.provider(provider_id).items.items():
        offer = f"{provider_id}/{item_id}"
        if offer in left_the_market:
            continue
        standard = {key for block in item.price if block.service == "standard" for key in block.prices}
        for key in standard:
            assert rates.price(offer, key, accept_unverified=True).value >= 0


@pytest.mark.parametrize(
    ("offer", "key", "usd"),
    [
        # ruled contradictions
        ("aws-s3-vectors/standard", "storage_usd_per_gb_month", "0.06"),
        ("pinecone/serverless", "storage_usd_per_gb_month", "0.33"),
        ("aws-ec2/p5.48xlarge", "instance_usd_per_hour", "55.04"),
        ("bls/data_scientist", "wage_usd_per_year", "120230"),
        # published figures
        ("aws-s3-vectors/standard", "query_usd_per_mquery", "2.50"),
        ("aws-s3-vectors/standard", "scan_tier_3_usd_per_tb", "0.0004"),
        ("pinecone/serverless", "read_usd_per_munit", "16"),
        ("pinecone/serverless", "minimum_usd_per_month", "50"),
        ("zilliz/serverless", "write_usd_per_munit", "4"),
        ("aws-rds/db.t4g.medium", "instance_usd_per_hour", "0.065"),
        ("cohere/rerank-v3.5", "rerank_usd_per_ksearch", "2.00"),
        ("voyage/rerank-2.5", "rerank_usd_per_mtok", "0.05"),
        ("voyage/voyage-4", "embedding_usd_per_mtok", "0.06"),
        ("llamaparse/agentic-plus", "parse_usd_per_kpage", "112.50"),
        ("aws-textract/detect-document-text", "parse_usd_per_kpage", "1.50"),
        ("runpod/h100", "gpu_usd_per_hour", "3.49"),
        ("runpod/l40s", "gpu_usd_per_hour", "1.09"),
        ("modal/h100", "gpu_usd_per_hour", "3.95"),
        ("modal/l4", "gpu_usd_per_hour", "0.80"),
        ("nebius/h100", "gpu_usd_per_hour", "4.50"),
        ("azure-vm/nd96isr-h100-v5", "instance_usd_per_hour", "98.32"),
        ("bls/ml_engineer", "wage_usd_per_year", "135980"),
        ("bls/lawyer", "wage_usd_per_hour", "76.76"),
        ("bls/paralegal", "wage_usd_per_hour", "30.24"),
        ("bls/nurse", "wage_usd_per_year", "97550"),
        ("bls/support_agent", "wage_usd_per_hour", "20.59"),
        ("bls/architectural_engineering_manager", "wage_usd_per_year", "171270"),
        ("bls/private_industry_worker", "wage_usd_per_hour", "32.82"),
        ("aws-ground-truth/text_classification", "label_usd_per_item", "0.012"),
        ("aws-ground-truth/semantic_segmentation", "label_usd_per_item", "0.07"),
        ("aws-ground-truth/text_classification", "label_fee_usd_per_item", "0.08"),
        ("bedrock/evaluation-task", "label_fee_usd_per_item", "0.21"),
        ("bedrock/cohere-rerank-v3.5", "rerank_usd_per_ksearch", "2"),
        ("bedrock/amazon-rerank-v1", "rerank_usd_per_ksearch", "1"),
        ("bedrock/nova-2-multimodal-embeddings", "image_input_usd_per_kimage", "0.6"),
        ("bedrock/managed-knowledge-base", "storage_usd_per_gb_month", "5"),
        ("bedrock/managed-knowledge-base", "query_usd_per_mquery", "1000"),
        ("openai/file-search", "storage_usd_per_gb_day", "0.1"),
        ("azure-openai/file-search", "storage_usd_per_gb_day", "0.11"),
        ("fireworks/embedding-to-150m", "embedding_usd_per_mtok", "0.008"),
        ("fireworks/embedding-150m-to-350m", "embedding_usd_per_mtok", "0.016"),
        ("pinecone/serverless", "import_usd_per_gb", "0.25"),
        ("aws-s3-vectors/standard", "list_usd_per_krequest", "0.055"),
        ("aws-s3-vectors/standard", "returned_usd_per_gb", "0.01"),
        ("weaviate/flex", "storage_usd_per_gb_month", "0.255"),
        ("weaviate/flex", "backup_usd_per_gb_month", "0.0264"),
        ("weaviate/premium", "minimum_usd_per_month", "400"),
        ("turbopuffer/launch", "minimum_usd_per_month", "64"),
        ("turbopuffer/enterprise", "minimum_usd_per_month", "4096"),
        ("turbopuffer/scale", "scan_usd_per_tb", "0.001"),
        ("qdrant/smallest", "instance_usd_per_hour", "0.014"),
        ("aws-opensearch/ocu", "instance_usd_per_hour", "0.24"),
        ("aws-aurora/db.r6g.large", "instance_usd_per_hour", "0.26"),
        ("aws-aurora/acu", "storage_usd_per_gb_month", "0.1"),
        ("mongodb-atlas/m10", "instance_usd_per_hour", "0.08"),
        ("aws-sagemaker/ml.g5.48xlarge", "instance_usd_per_hour", "16.288"),
        ("aws-sagemaker/ml.g6.xlarge", "instance_usd_per_hour", "1.1267"),
        ("huggingface-jobs/a10g-large", "instance_usd_per_hour", "1.5"),
        ("huggingface-jobs/rtx-pro-6000", "gpu_usd_per_hour", "2.75"),
        ("huggingface-endpoints/a100-80gb-x8", "instance_usd_per_hour", "20"),
        ("deepinfra/h100", "gpu_usd_per_hour", "2.2"),
        ("fpt/h100", "gpu_usd_per_hour", "5.5"),
        ("nvidia/rtx-pro-6000", "purchase_usd_per_gpu", "16000"),
        ("nvidia/rtx-pro-6000", "licence_usd_per_gpu_year", "4500"),
        ("nvidia/rtx-4090", "purchase_usd_per_gpu", "1599"),
        ("nvidia/rtx-5090", "purchase_usd_per_gpu", "1999"),
        ("nvidia/rtx-a6000", "purchase_usd_per_gpu", "4649"),
        ("runpod/h100", "storage_usd_per_gb_month", "0.07"),
        ("runpod/h100", "egress_usd_per_gb", "0"),
        ("coreweave/h100", "storage_usd_per_gb_month", "0.07"),
        ("nebius/h200", "storage_usd_per_gb_month", "0.08"),
        ("crusoe/h100", "storage_usd_per_gb_month", "0.08"),
        ("aws-ec2/p5.48xlarge", "storage_usd_per_gb_month", "0.08"),
        ("aws-ec2/p5.48xlarge", "egress_usd_per_gb", "0.09"),
        ("gcp/a2-ultragpu-1g", "egress_usd_per_gb", "0.12"),
        ("azure-vm/nd96isr-h100-v5", "egress_usd_per_gb", "0.087"),
    ],
)
def test_price_as_published(offer: str, key: str, usd: str, rates: Rates) -> None:
    assert str(rates.price(offer, key).value) == usd


def test_a_rate_of_an_example_is_no_price_until_it_is_accepted(rates: Rates) -> None:
    with pytest.raises(PriceUnverified, match="Accept it by name"):
        rates.price("lambda/h100", "storage_usd_per_gb_month")
    assert rates.price("lambda/h100", "storage_usd_per_gb_month", accept_unverified=True).usd == 0.2


def test_prices_change_on_their_day(rates: Rates) -> None:
    def on(offer: str, key: str, day: date) -> float:
        return rates.price(offer, key, on=day).usd

    assert on("nebius/h100", "gpu_usd_per_hour", date(2026, 9, 30)) == 3.85
    assert on("nebius/h100", "gpu_usd_per_hour", date(2026, 10, 1)) == 4.50
    assert on("aws-s3-vectors/standard", "scan_tier_3_usd_per_tb", date(2026, 6, 15)) == 0.002
    assert on("aws-s3-vectors/standard", "scan_tier_3_usd_per_tb", date(2026, 6, 16)) == 0.0004
    assert on("bls/data_scientist", "wage_usd_per_year", date(2025, 4, 30)) == 112_590
    assert on("nvidia/rtx-pro-6000", "purchase_usd_per_gpu", date(2026, 5, 31)) == 8565
    assert on("nvidia/rtx-pro-6000", "purchase_usd_per_gpu", date(2026, 6, 1)) == 13_250
    assert on("weaviate/serverless-standard", "dimension_usd_per_mdimension_month", date(2025, 9, 30)) == 0.095
    with pytest.raises(PriceMissing):
        rates.price("weaviate/serverless-standard", "dimension_usd_per_mdimension_month")
    with pytest.raises(PriceMissing):
        rates.price("gcp/a4-highgpu-8g", "instance_usd_per_hour")


def test_an_instance_is_priced_whole_and_says_how_many_gpus_it_has(rates: Rates) -> None:
    """The feed's own figure per GPU of the p5.48xlarge is 6.88."""
    hardware = rates.item("aws-ec2/p5.48xlarge")[2].hardware
    assert hardware is not None
    assert (hardware.gpu, hardware.gpus) == ("h100", 8)
    assert rates.price("aws-ec2/p5.48xlarge", "instance_usd_per_hour").usd / hardware.gpus == pytest.approx(6.88)
    for provider_id in RENTS:
        for item_id, item in BOOK.provider(provider_id).instance.items():
            assert item.hardware is not None, f"{provider_id}/{item_id} does not say which GPUs it has"
            assert not any("gpu_usd_per_hour" in block.prices for block in item.price)


def test_every_gpu_for_rent_has_facts() -> None:
    for provider_id in RENTS:
        provider = BOOK.provider(provider_id)
        rented = set(provider.gpu) | {item.hardware.gpu for item in provider.instance.values() if item.hardware}
        assert rented <= set(BOOK.gpus), f"{provider_id}: {rented - set(BOOK.gpus)} not in gpus.toml"


def test_other_services_cost_less_than_standard(rates: Rates) -> None:
    for provider_id in RENTS:
        for item_id, item in BOOK.provider(provider_id).items.items():
            for block in item.price:
                for key in block.prices if block.service in ("spot", "community") else ():
                    other = rates.price(f"{provider_id}/{item_id}", key, service=block.service)
                    assert other.value < rates.price(f"{provider_id}/{item_id}", key).value


def test_what_holds_for_a_provider_without_items(rates: Rates) -> None:
    found = {
        (id_, key, block.deployment, block.effective, str(value))
        for id_ in ("eia", "cbre", "huggingface-hub", "supabase", "lamini")
        for block in BOOK.provider(id_).price
        for key, value in block.prices.items()
    }
    assert found >= {
        ("eia", "electricity_usd_per_kwh", None, date(2026, 7, 1), "0.1453"),
        ("eia", "electricity_usd_per_kwh", "industrial", date(2026, 5, 1), "0.0871"),
        ("eia", "electricity_usd_per_kwh", "california", date(2026, 4, 1), "0.2575"),
        ("cbre", "colocation_usd_per_kw_month", None, date(2026, 1, 1), "194.95"),
        ("huggingface-hub", "storage_usd_per_gb_month", None, date(2026, 5, 1), "0.018"),
        ("huggingface-hub", "storage_usd_per_gb_month", "public", date(2026, 5, 1), "0.012"),
        ("supabase", "minimum_usd_per_month", None, date(2026, 5, 4), "25"),
        ("lamini", "training_usd_per_step", None, date(2026, 6, 20), "1"),
    }


@pytest.mark.parametrize("provider_id", PARTLY_PRICED_STORES)
def test_a_store_whose_bill_is_not_known_in_full_states_no_rule(provider_id: str, rates: Rates) -> None:
    provider = BOOK.provider(provider_id)
    assert provider.price or provider.items
    assert all(rates.store_rules(f"{provider_id}/{item_id}") is None for item_id in provider.items)


@pytest.mark.parametrize(
    ("gpu", "memory_gb", "gb_per_s", "bf16", "fp8", "power_w"),
    [
        ("h100", 80, 3350, 989, 1979, 700),
        ("h100-pcie", 80, 2000, 756, 1513, 350),
        ("h200", 141, 4800, 989, 1979, 700),
        ("b200", 180, 8000, 2250, 4500, 1000),
        ("a100-80gb", 80, 2039, 312, None, 400),
        ("l40s", 48, 864, 362, 733, 350),
        ("mi300x", 192, 5300, 1307, 2610, 750),
        ("l4", 24, 300, 121, 242, 72),
        ("a10", 24, 600, 125, None, 150),
        ("t4", 16, 320, None, None, 70),
        ("rtx-pro-6000", 96, 1790, 503.8, 1007.6, 600),
        ("h100-nvl", 94, 3940, 835, 1671, 400),
    ],
)
def test_facts_of_a_gpu(
    gpu: str, memory_gb: float, gb_per_s: float, bf16: float | None, fp8: float | None, power_w: float
) -> None:
    facts = BOOK.as_of(date(2026, 11, 21)).gpus[gpu]
    assert (facts.memory_gb, facts.memory_bandwidth_gb_per_s, facts.power_w) == (memory_gb, gb_per_s, power_w)
    assert (facts.bf16_dense_tflops, facts.fp8_dense_tflops) == (bf16, fp8)


# --- stores: the rules and prices reproduce what the stores publish --------------------------------------------------------


def test_zilliz_write_of_a_million_vectors_of_768_dimensions_costs_3_usd(rates: Rates) -> None:
    store = rules("zilliz/serverless", rates)
    units = 1_000_000 * 4 * 768 / store.bytes_per_kb * store.write_units_per_kb
    assert units == 750_000
    assert units / 1e6 * rates.price("zilliz/serverless", "write_usd_per_munit").usd == pytest.approx(3.0)


def test_zilliz_insert_and_delete_example(rates: Rates) -> None:
    """The page's 3 GB example says 0.72; its own rules give 3.55."""
    store = rules("zilliz/serverless", rates)
    units = 3_145_728 * store.write_units_per_kb + 100_000 * store.delete_units_per_vector
    assert units / 1e6 * rates.price("zilliz/serverless", "write_usd_per_munit").usd == pytest.approx(3.55, abs=0.005)


@pytest.mark.parametrize(
    ("vectors", "dimensions", "usd"),
    [(1e6, 768, 60), (5e6, 768, 140), (10e6, 768, 220), (1e6, 1536, 100), (10e6, 1536, 300), (100e6, 1536, 1160)],
)
def test_zilliz_million_reads_cost_as_published(vectors: float, dimensions: int, usd: float, rates: Rates) -> None:
    store = rules("zilliz/serverless", rates)
    gigabytes = vectors * 4 * dimensions / store.bytes_per_kb**3
    units = next(units for gb, units in store.read_units_at_gb if math.isclose(gb, gigabytes, rel_tol=1e-6))
    assert max(units, store.minimum_read_units) * rates.price("zilliz/serverless", "read_usd_per_munit").usd == pytest.approx(usd)


@pytest.mark.parametrize(
    ("vectors", "dimensions", "metadata", "units"),
    [(500_000, 768, 508, 1.79), (1_000_000, 1536, 1008, 7.15), (10_000, 768, 508, 0.25)],
)
def test_pinecone_read_units_of_a_query(vectors: int, dimensions: int, metadata: int, units: float, rates: Rates) -> None:
    """Its documentation's index sizes (8-byte ids are part of the metadata here), one unit a gigabyte, 0.25 at least."""
    store = rules("pinecone/serverless", rates)
    gigabytes = vectors * (4 * dimensions + metadata) / store.bytes_per_kb**3
    assert max(store.minimum_read_units, gigabytes * store.read_units_per_gb) == pytest.approx(units, abs=0.006)


def test_pinecone_write_units_of_a_batch(rates: Rates) -> None:
    """A thousand records of 1536 dimensions and 1,000 bytes: 7,140 units by its documentation; one small record: 5."""
    store = rules("pinecone/serverless", rates)
    kilobytes = (4 * 1536 + 1000) / store.bytes_per_kb
    assert 1000 * kilobytes * store.write_units_per_kb == pytest.approx(7140, rel=0.001)
    assert max(3.2, store.minimum_write_kb_per_request) * store.write_units_per_kb == 5


@pytest.mark.parametrize(
    ("vectors", "queries", "usd"),
    [(250_000, 1e6, 5.87), (10_000_000, 10e6, 997.62)],
)
def test_s3_vectors_query_examples_of_the_price_page(vectors: int, queries: float, usd: float, rates: Rates) -> None:
    """Vectors of 1024 dimensions with 1.17 KB of key and filterable metadata; both examples stay below the third tier."""
    store = rules("aws-s3-vectors/standard", rates)
    kilobytes = 4 * 1024 / store.bytes_per_kb + 1.17
    starts = (0, *store.scan_tier_starts, math.inf)
    in_tier = [max(0.0, min(vectors, end) - start) for start, end in pairwise(starts)]
    keys = ("scan_usd_per_tb", "scan_tier_2_usd_per_tb", "scan_tier_3_usd_per_tb")
    scan = sum(
        n * kilobytes / store.bytes_per_kb**3 * rates.price("aws-s3-vectors/standard", key).usd
        for n, key in zip(in_tier, keys, strict=True)
    )
    request = rates.price("aws-s3-vectors/standard", "query_usd_per_mquery").usd / 1e6
    assert queries * (scan + request) == pytest.approx(usd, abs=0.01)


def test_s3_vectors_storage_and_put_example_of_the_price_page(rates: Rates) -> None:
    """Ten million vectors of 6.17 KB, a sixth of them written a month: 3.54 for storage, 1.97 for PUT (59 GB, rounded)."""
    store = rules("aws-s3-vectors/standard", rates)
    gigabytes = 10e6 * 6.17 / store.bytes_per_kb**2
    assert gigabytes * rates.price("aws-s3-vectors/standard", "storage_usd_per_gb_month").usd == pytest.approx(3.54, abs=0.015)
    assert gigabytes / 6 * rates.price("aws-s3-vectors/standard", "write_usd_per_gb").usd == pytest.approx(1.97, abs=0.015)


@pytest.mark.parametrize("provider_id", STORES)
def test_every_store_prices_all_it_bills(provider_id: str, rates: Rates) -> None:
    for item_id in BOOK.provider(provider_id).store:
        offer = f"{provider_id}/{item_id}"
        for key in rules(offer, rates).price_keys:
            assert rates.price(offer, key).value > 0


def test_pgvector_on_rds_is_an_estimate_and_says_so(rates: Rates) -> None:
    for item_id, item in BOOK.provider("aws-rds").store.items():
        assert rules(f"aws-rds/{item_id}", rates).confidence == "estimate"
        assert {block.confidence for block in item.price} == {"estimate"}
        size = item_id.removeprefix("pgvector-t4g-")
        instance = rates.price(f"aws-rds/db.t4g.{size}", "instance_usd_per_hour")
        assert rates.price(f"aws-rds/{item_id}", "instance_usd_per_hour").value == instance.value


# --- people, open weights, numbers nobody lists --------------------------------------------------------------------------------


def test_an_hour_of_an_engineer_costs_93_usd_loaded(rates: Rates) -> None:
    wage = rates.price("bls/ml_engineer", "wage_usd_per_year").usd
    hours = rates.assumption("staff.productive_hours_per_year").likely
    assert wage / hours * (1 + rates.assumption("staff.overhead_share").likely) == pytest.approx(93.4, abs=0.05)


def test_every_role_is_paid_by_the_year_or_by_the_hour_but_not_both() -> None:
    for role in BOOK.provider("bls").role.values():
        assert len({key for block in role.price for key in block.prices}) == 1


def test_assumptions_are_complete_ordered_and_say_what_they_rest_on() -> None:
    assert set(BOOK.assumptions) >= ASSUMPTIONS
    for name, assumption in BOOK.as_of(TODAY).assumptions.items():
        assert assumption.low <= assumption.likely <= assumption.high, name
        assert len(assumption.basis) > 30, f"{name} does not say what it rests on"
        if assumption.unit.startswith("share"):
            assert assumption.low >= 0, name
            assert assumption.high <= 1, name


@pytest.mark.parametrize(
    ("weights", "billions"),
    [
        ("meta/llama-2-70b", 68.98),
        ("meta/llama-3.1-8b", 8.03),
        ("meta/llama-3.3-70b", 70.55),
        ("mistralai/mixtral-8x7b", 46.70),
        ("qwen/qwen2.5-7b", 7.62),
        ("deepseek-ai/deepseek-v3", 671),
        ("openai/gpt-oss-120b", 116.83),
    ],
)
def test_parameters_of_open_weights(weights: str, billions: float) -> None:
    assert BOOK.as_of(TODAY).open_model(weights).billion_parameters == pytest.approx(billions, rel=0.001)


def test_open_weights_are_active_in_part_or_in_full() -> None:
    for model in BOOK.as_of(TODAY).open_models.values():
        assert (model.active_billion_parameters or model.billion_parameters) <= model.billion_parameters


def test_weights_that_offers_name_are_in_the_book() -> None:
    for provider_id in BOOK.provider_ids:
        for item_id, item in BOOK.provider(provider_id).items.items():
            assert item.weights is None or item.weights in BOOK.open_models, f"{provider_id}/{item_id}: {item.weights}"
