"""Every price key the book may hold: its unit and the band a plausible value lies in.

The unit is part of the key's name, last. The band is wide on purpose: it catches a value that is off by a
thousand (a price per token entered as a price per million), not a price that is merely high.
"""

from __future__ import annotations

from typing import NamedTuple


class KeySpec(NamedTuple):
    """Unit in words, and the lowest and highest plausible value (zero is always plausible)."""

    unit: str
    low: float
    high: float


def bought_at_once(key: str) -> bool:
    """Whether a key prices a tuning job, which is bought on one day and no longer sold once training has ended."""
    return key.startswith("training_") or key.endswith("_usd_per_job")


PRICE_KEYS: dict[str, KeySpec] = {
    # inference
    "input_usd_per_mtok": KeySpec("USD per million input tokens", 0.001, 1000),
    "output_usd_per_mtok": KeySpec("USD per million output tokens", 0.001, 1000),
    "cache_read_usd_per_mtok": KeySpec("USD per million tokens read from cache", 0.0001, 500),
    "cache_write_usd_per_mtok": KeySpec("USD per million tokens written to cache", 0.001, 1000),
    "cache_write_1h_usd_per_mtok": KeySpec("USD per million tokens written to a one-hour cache", 0.001, 1000),
    "cache_storage_usd_per_mtok_hour": KeySpec("USD per million cached tokens and hour", 0.001, 100),
    "reasoning_usd_per_mtok": KeySpec("USD per million reasoning tokens, where they are not billed as output", 0.001, 1000),
    "citation_usd_per_mtok": KeySpec("USD per million citation tokens", 0.001, 1000),
    "request_usd_per_krequest": KeySpec("USD per thousand requests, on top of their tokens", 0.01, 1000),
    "message_usd_per_kmessage": KeySpec("USD per thousand text messages sent", 0.01, 1000),
    "web_search_usd_per_ksearch": KeySpec("USD per thousand web searches", 0.1, 500),
    "file_search_usd_per_ksearch": KeySpec("USD per thousand searches of stored files", 0.1, 500),
    # other than text
    "audio_input_usd_per_mtok": KeySpec("USD per million audio input tokens", 0.01, 1000),
    "audio_output_usd_per_mtok": KeySpec("USD per million audio output tokens", 0.01, 1000),
    "audio_cache_read_usd_per_mtok": KeySpec("USD per million audio tokens read from cache", 0.001, 500),
    "audio_usd_per_hour": KeySpec("USD per hour of audio", 0.001, 100),
    "audio_input_usd_per_hour": KeySpec("USD per hour of audio input", 0.001, 100),
    "image_input_usd_per_mtok": KeySpec("USD per million image input tokens", 0.01, 1000),
    "image_output_usd_per_mtok": KeySpec("USD per million image output tokens", 0.1, 2000),
    "image_cache_read_usd_per_mtok": KeySpec("USD per million image tokens read from cache", 0.001, 500),
    "image_input_usd_per_kimage": KeySpec("USD per thousand images read", 0.01, 1000),
    "video_input_usd_per_mtok": KeySpec("USD per million video input tokens", 0.01, 1000),
    "video_output_usd_per_mtok": KeySpec("USD per million video output tokens", 0.1, 2000),
    "input_usd_per_mchar": KeySpec("USD per million input characters", 0.1, 1000),
    # training
    "training_usd_per_mtok": KeySpec("USD per million training tokens", 0.01, 500),
    "training_usd_per_hour": KeySpec("USD per training hour", 1, 2000),
    "training_usd_per_step": KeySpec("USD per training step", 0.001, 100),
    "training_usd_per_dbu": KeySpec("USD per Databricks unit spent on training", 0.05, 10),
    "minimum_usd_per_job": KeySpec("USD per job at least", 0.1, 500),
    "cap_usd_per_job": KeySpec("USD per job at most", 10, 100_000),
    # hosting and storage of a tuned model
    "hosting_usd_per_hour": KeySpec("USD per deployment and hour", 0.05, 200),
    "provisioned_usd_per_unit_hour": KeySpec("USD per provisioned unit and hour", 0.05, 500),
    "model_storage_usd_per_month": KeySpec("USD per stored model and month", 0.05, 100),
    # retrieval
    "embedding_usd_per_mtok": KeySpec("USD per million embedded tokens", 0.001, 10),
    "rerank_usd_per_ksearch": KeySpec("USD per thousand rerank searches", 0.05, 100),
    "rerank_usd_per_mtok": KeySpec("USD per million reranked tokens", 0.001, 10),
    "parse_usd_per_kpage": KeySpec("USD per thousand parsed pages", 0.1, 500),
    "annotated_parse_usd_per_kpage": KeySpec("USD per thousand parsed and annotated pages", 0.1, 500),
    "storage_usd_per_gb_month": KeySpec("USD per gigabyte and month", 0.001, 20),
    "storage_usd_per_gb_day": KeySpec("USD per gigabyte and day", 0.001, 10),
    "backup_usd_per_gb_month": KeySpec("USD per gigabyte of backup and month", 0.001, 20),
    "dimension_usd_per_mdimension_month": KeySpec("USD per million stored vector dimensions and month", 0.001, 10),
    "read_usd_per_munit": KeySpec("USD per million read units", 0.1, 500),
    "write_usd_per_munit": KeySpec("USD per million write units", 0.1, 500),
    "write_usd_per_gb": KeySpec("USD per gigabyte written", 0.01, 50),
    "import_usd_per_gb": KeySpec("USD per gigabyte imported in bulk from object storage", 0.01, 50),
    "returned_usd_per_gb": KeySpec("USD per gigabyte returned by queries", 0.001, 10),
    "list_usd_per_krequest": KeySpec("USD per thousand requests that read or list without a query", 0.001, 10),
    "query_usd_per_mquery": KeySpec("USD per million queries", 0.01, 5000),
    "scan_usd_per_tb": KeySpec("USD per terabyte of vectors scanned by queries", 0.0001, 50),
    "scan_tier_2_usd_per_tb": KeySpec("USD per terabyte scanned beyond the store's first tier", 0.0001, 50),
    "scan_tier_3_usd_per_tb": KeySpec("USD per terabyte scanned beyond the store's second tier", 0.0001, 50),
    "minimum_usd_per_month": KeySpec("USD per month at least", 1, 20_000),
    # machines
    "gpu_usd_per_hour": KeySpec("USD per GPU and hour", 0.02, 50),
    "instance_usd_per_hour": KeySpec("USD per instance and hour", 0.005, 500),
    "egress_usd_per_gb": KeySpec("USD per gigabyte sent out to the internet", 0.001, 1),
    "licence_usd_per_gpu_year": KeySpec("USD of software licences per GPU and year", 10, 50_000),
    "purchase_usd_per_gpu": KeySpec("USD to buy a GPU", 100, 200_000),
    "electricity_usd_per_kwh": KeySpec("USD per kilowatt-hour of electricity", 0.01, 2),
    "colocation_usd_per_kw_month": KeySpec("USD per kilowatt of colocated power and month", 20, 1000),
    # people
    "wage_usd_per_year": KeySpec("USD per year before overhead", 5000, 1_000_000),
    "wage_usd_per_hour": KeySpec("USD per hour before overhead", 2, 1000),
    "label_usd_per_item": KeySpec("USD per bought label", 0.001, 1000),
    "label_fee_usd_per_item": KeySpec("USD per labelled item for the platform, without the people", 0.001, 100),
}
