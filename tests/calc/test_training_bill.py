"""Bills of a training job by every provider: figures by hand, closing days, and that they agree with a comparison."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from calc import Scenario, compare
from calc.training_bill import Job, TrainingBill, TrainingSet, last_training_day, training_bills
from pricing import PriceBook, Rates, UnknownOffer

BOOK = PriceBook.bundled()
DAY = date(2026, 11, 21)
SET = TrainingSet({1000: 2000}, {500: 100})
"""Two million tokens to train on, 50,000 to validate on."""


def rates(day: date = DAY) -> Rates:
    return BOOK.as_of(day, recorded_through=DAY)


def the_bill(
    offer: str, examples: TrainingSet = SET, job: Job | None = None, *, technique: str | None = None, **terms: Any
) -> TrainingBill:
    deployment, day = terms.pop("deployment", None), terms.pop("day", DAY)
    found = training_bills(rates(day), examples, job, providers=[offer.partition("/")[0]], **terms)
    (bill,) = [b for b in found if b.offer == offer and (b.technique, b.deployment) == (technique, deployment)]
    return bill


JOBS = [
    # offer, technique, deployment, examples, job, epochs, billed tokens, US$
    ("together/qwen3.5-9b", "lora", None, SET, Job(), 1, 2_000_000, 4.0),  # 0.68 is below the minimum
    ("together/llama-3.3-70b", "lora", None, SET, Job(), 1, 2_000_000, 4.06),
    # packing off: (2,000 × 4,096 + 3 × 50,000) × 2.03
    (
        "together/llama-3.3-70b",
        "lora",
        None,
        SET,
        Job(packing=False, max_tokens_per_example=4096, evaluations=3),
        1,
        8_342_000,
        16.93426,
    ),
    ("openai/gpt-4.1-mini", None, None, SET, Job(), 3, 6_000_000, 30.0),
    ("openai/gpt-4.1-mini", None, None, SET, Job(epochs=1), 1, 2_000_000, 10.0),
    ("openai/gpt-4.1-mini", None, None, SET, Job(evaluations=5), 3, 6_000_000, 30.0),  # validation is not billed
    ("openai/gpt-4.1-mini", None, None, TrainingSet({1000: 10}), Job(), 10, 100_000, 0.5),  # 100 // 10
    ("openai/gpt-4.1-mini", None, None, TrainingSet({100: 10_000}), Job(), 2, 2_000_000, 10.0),  # 25,000 // 10,000
    ("openai/gpt-4o-mini", None, None, TrainingSet({70_000: 10}), Job(), 10, 6_553_600, 19.6608),  # cut at 65,536
    ("bedrock/llama-3.1-8b", None, None, SET, Job(), 5, 10_000_000, 14.9),
    ("mistral/classifier-3b", None, None, SET, Job(epochs=1), 1, 2_000_000, 4.0),  # 2.00 is below the minimum
    ("fireworks/llama-3.1-8b", "lora", None, SET, Job(), 3, 6_000_000, 3.0),  # up to 16 billion parameters
    ("fireworks/llama-3.3-70b", "lora", None, SET, Job(), 3, 6_000_000, 18.0),  # up to 80 billion
    ("fireworks/llama-3.3-70b", "full", None, SET, Job(), 3, 6_000_000, 36.0),
    ("fireworks/llama-3.3-70b", "lora", None, SET, Job("dpo"), 3, 6_000_000, 36.0),
    ("vertex-ai/gemini-3.5-flash", None, None, SET, Job(), 3, 6_000_000, 60.0),
    ("azure-openai/gpt-4.1-mini", None, None, SET, Job(), 3, 6_000_000, 30.0),
    ("azure-openai/gpt-4.1-mini", None, "regional", SET, Job(), 3, 6_000_000, 33.0),
    ("tinker/qwen3-8b", "lora", None, SET, Job(), 3, 6_000_000, 2.64),
    ("ori/up-to-10b", "lora", None, SET, Job(evaluations=1), 3, 6_050_000, 2.783),  # (6 M + 50,000) × 0.46
    ("azure-openai/o4-mini", None, None, SET, Job("rft", training_hours=49), None, None, 4900.0),
]


@pytest.mark.parametrize(("offer", "technique", "deployment", "examples", "job", "epochs", "billed", "usd"), JOBS)
def test_jobs_cost_what_their_rule_says(
    offer: str,
    technique: str | None,
    deployment: str | None,
    examples: TrainingSet,
    job: Job,
    epochs: float | None,
    billed: float | None,
    usd: float,
) -> None:
    bill = the_bill(offer, examples, job, technique=technique, deployment=deployment, organisation={"openai": "active"})
    assert (bill.status, bill.epochs, bill.billed_tokens) == ("billed", epochs, billed)
    assert bill.job_usd == pytest.approx(usd, rel=1e-12)


HOSTING = [
    # offer, technique, hosting and storage a month, tuned input and output, first month
    ("bedrock/llama-3.1-8b", None, 17_520.0, 1.95, None, None, 17_536.85),  # 24 × 730; 14.90 + 17,520 + 1.95
    ("bedrock/nova-micro", None, 0.0, 1.95, 0.035, 0.14, 7.95),
    ("mistral/classifier-3b", None, 0.0, 2.0, 0.1, 0.1, 8.0),
    ("azure-openai/gpt-4.1-mini", None, 1241.0, 0.0, 0.4, 1.6, 1271.0),  # 1.70 × 730, tokens as the base model's
    ("openai/gpt-4.1-mini", None, 0.0, 0.0, 0.8, 3.2, 30.0),
    ("tinker/qwen3-8b", "lora", 0.0, 0.0, 0.195, 0.6, 2.64),
    ("together/llama-3.3-70b", "lora", None, 0.0, None, None, None),  # on dedicated GPUs only: no figure, not zero
]


@pytest.mark.parametrize(("offer", "technique", "hosting", "storage", "tokens_in", "tokens_out", "first_month"), HOSTING)
def test_a_tuned_model_is_kept_and_answers_at_its_own_rates(
    offer: str,
    technique: str | None,
    hosting: float | None,
    storage: float,
    tokens_in: float | None,
    tokens_out: float | None,
    first_month: float | None,
) -> None:
    bill = the_bill(offer, technique=technique, organisation={"openai": "active"})
    assert (bill.hosting_usd_per_month, bill.storage_usd_per_month) == (hosting, storage)
    assert (bill.input_usd_per_mtok, bill.output_usd_per_mtok) == (tokens_in, tokens_out)
    assert bill.first_month_usd == (None if first_month is None else pytest.approx(first_month, rel=1e-12))


CLOSING = [
    # standing, the last day on which a job starts, the first on which none does
    ("new", date(2026, 5, 6), date(2026, 5, 7)),
    ("inactive", date(2026, 7, 1), date(2026, 7, 2)),
    ("active", date(2027, 1, 5), date(2027, 1, 6)),
]


@pytest.mark.parametrize(("standing", "last", "closed"), CLOSING)
def test_a_service_that_closes_refuses_from_its_day_on(standing: Any, last: date, closed: date) -> None:
    before = the_bill("openai/gpt-4.1-mini", day=last, organisation={"openai": standing})
    after = the_bill("openai/gpt-4.1-mini", day=closed, organisation={"openai": standing})
    assert (before.status, before.train_before, last_training_day(before)) == ("billed", closed, last)
    assert (after.status, after.train_before) == ("refused", None)
    assert str(closed) in after.refused
    assert after.job_usd == before.job_usd  # what it would cost is said all the same


def test_a_tuned_model_answers_until_its_base_ends() -> None:
    bill = the_bill("openai/gpt-4.1-mini", organisation={"openai": "active"})
    assert (bill.answers_before, bill.months_of_answers) == (date(2027, 1, 14), 1)  # December
    assert the_bill("fireworks/llama-3.1-8b", technique="lora").months_of_answers is None


def test_longer_examples_are_counted_with_the_tokens_they_lose() -> None:
    bill = the_bill("openai/gpt-4o-mini", TrainingSet({70_000: 10, 65_536: 5}))
    assert (bill.truncated_examples, bill.lost_tokens) == (10, 44_640)


def test_a_job_above_the_cap_is_incomplete_and_has_no_price() -> None:
    bill = the_bill("azure-openai/o4-mini", job=Job("rft", training_hours=51))
    assert (bill.status, bill.job_usd, bill.cap_usd) == ("unpriced", None, 5000)
    assert "incomplete" in bill.unpriced


def test_training_by_the_hour_needs_hours() -> None:
    bill = the_bill("azure-openai/o4-mini", job=Job("rft"))
    assert (bill.status, bill.job_usd, bill.usd_per_hour) == ("unpriced", None, 100)
    assert "hours" in bill.unpriced


def test_an_unverified_rate_gives_no_bill_until_it_is_accepted() -> None:
    bill = the_bill("azure-openai/gpt-4.1-nano")
    assert (bill.status, bill.job_usd) == ("unpriced", None)
    accepted = the_bill("azure-openai/gpt-4.1-nano", accept_unverified=["azure-openai/gpt-4.1-nano"])
    assert (accepted.status, accepted.confidence) == ("billed", "unverified")


def test_packing_off_without_a_maximum_has_no_price() -> None:
    bill = the_bill("together/llama-3.3-70b", job=Job(packing=False), technique="lora")
    assert (bill.job_usd, bill.status) == (None, "unpriced")


def test_what_is_sold_by_neither_token_nor_hour_is_named() -> None:
    (lamini,) = training_bills(rates(), SET, providers=["lamini"])
    assert (lamini.offer, lamini.job_usd, lamini.status) == ("lamini", None, "unpriced")
    assert "training step" in lamini.unpriced


def test_cheapest_first_then_unpriced_then_refused() -> None:
    found = training_bills(rates(), SET)
    order = [("billed", "unpriced", "refused").index(bill.status) for bill in found]
    assert order == sorted(order)
    billed = [bill.job_usd for bill in found if bill.status == "billed"]
    assert billed == sorted(billed)  # type: ignore[type-var]
    assert {"billed", "unpriced", "refused"} == {bill.status for bill in found}
    for bill in found:
        assert (bill.unpriced == "") == (bill.job_usd is not None), bill.offer


def test_a_filter_reads_no_other_provider() -> None:
    book = PriceBook.bundled()
    training_bills(book.as_of(DAY), SET, providers=["mistral"])
    assert set(book._providers) == {"mistral"}


def test_unknown_providers_and_empty_files_are_refused() -> None:
    with pytest.raises(UnknownOffer, match="togther"):
        training_bills(rates(), SET, providers=["togther"])
    with pytest.raises(ValueError, match="no examples"):
        training_bills(rates(), TrainingSet({}), providers=["mistral"])


@pytest.mark.parametrize("method", ["sft", "dpo", "rft", "cpt"])
def test_a_bill_is_the_training_line_of_a_comparison(method: Any) -> None:
    """To the cent, for every offer; what has no price in one has none in the other."""
    first = date(2026, 12, 1)
    job = Job(method, evaluations=2, training_hours=7.5)
    bills = training_bills(rates(first), SET, job, organisation={"openai": "active"})
    tunable = [b for b in bills if "/" in b.offer and b.status != "refused"]
    assert tunable
    for some in (tunable[i : i + 20] for i in range(0, len(tunable), 20)):
        tuned = {str(i): _approach(bill) for i, bill in enumerate(some)}
        base = {"model": "openai/gpt-4.1-mini", "instruction_tokens": 0}
        found = compare(
            Scenario(
                name="bills",
                as_of=DAY,
                price_release=DAY,
                horizon_months=1,
                organisation={"openai": "active"},
                workload={"requests_per_month": 1, "user_tokens": 1, "answer_tokens": 1},
                task={"kind": "style", "examples": 2000, "tokens_per_example": 1000},
                approaches={"prompting": base, "few-shot": None, **tuned},
            ),
            BOOK,
        )
        for i, bill in enumerate(some):
            (line,) = [line for line in found.results[str(i)].ledger.lines if line.key == "tuning.training"]
            if bill.job_usd is None:
                assert line.missing, bill.offer
            else:
                assert round(float(line.total(1)), 2) == round(bill.job_usd, 2), bill.offer


def _approach(bill: TrainingBill) -> dict[str, Any]:
    tuning = {
        "at": bill.offer.partition("/")[0],
        "method": bill.method,
        "technique": bill.technique or "lora",
        "deployment": bill.deployment,
        "runs": 1,
        "validation_examples": 50,  # of the mean length of 1,000: 50,000 tokens
        "evaluations_per_job": 2,
        "training_hours_per_run": 7.5,
    }
    return {"model": bill.offer, "instruction_tokens": 0, "tuning": tuning}
