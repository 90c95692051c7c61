"""What is commonly claimed about fine-tuning, as data: rules of thumb and figures. `calc.advice` checks each of them."""

from __future__ import annotations

from typing import Literal, NamedTuple

ClaimKind = Literal["worth it when", "skip it when", "order", "figure"]


class Claim(NamedTuple):
    """A rule of thumb or a figure as it is repeated; none of them is a provider's own word."""

    id: str
    kind: ClaimKind
    text: str
    """In at most 52 characters."""
    claimed: str
    """The whole claim with its figures."""


CLAIMS: tuple[Claim, ...] = (
    # --- fine-tuning is worth it when
    Claim(
        "millions-a-month",
        "worth it when",
        "Fine-tune once requests run to millions a month",
        "Fine-tuning is worth it where inference cost dominates, at millions of requests.",
    ),
    Claim(
        "labelled-examples",
        "worth it when",
        "Fine-tune with 1,000 good labelled examples",
        "Fine-tuning is worth it from 1,000 good labelled examples, for a distant domain from 50,000.",
    ),
    Claim(
        "narrow-task",
        "worth it when",
        "Fine-tune a narrow task with one output format",
        "Fine-tuning is worth it for a narrow task whose output always has the same format.",
    ),
    Claim(
        "latency",
        "worth it when",
        "Fine-tune where answers must come fast",
        "A small tuned model answers sooner than a large prompted one, which reads a giant system prompt first.",
    ),
    Claim(
        "style",
        "worth it when",
        "Fine-tune a style that is hard to describe",
        "Fine-tuning is worth it where style or terminology is hard to put into instructions.",
    ),
    Claim(
        "on-premises",
        "worth it when",
        "Fine-tune where data must stay on your premises",
        "Fine-tuning an open model is worth it where no data may leave your own hardware.",
    ),
    Claim(
        "edge-cases",
        "worth it when",
        "Fine-tune for cases that prompting cannot reach",
        "Fine-tuning is worth it where edge cases stay wrong however they are prompted.",
    ),
    # --- skip it when
    Claim(
        "small-workload",
        "skip it when",
        "Skip it under 10,000 requests a day and 500 examples",
        "Under 10,000 requests a day and fewer than 500 labelled examples, prompting and RAG win at a tenth of the work.",
    ),
    Claim(
        "changing-facts",
        "skip it when",
        "Facts that change belong in retrieval",
        "Data that changes: RAG, cheap to update once its infrastructure stands. Style that is hard to describe: fine-tuning.",
    ),
    Claim(
        "only-facts",
        "skip it when",
        "Skip it where only facts are to be added",
        "Where a model only lacks facts, retrieve them; tuning teaches form better than facts.",
    ),
    Claim(
        "prompted-already",
        "skip it when",
        "Skip it where prompting already does it",
        "Where the model does the task when it is prompted, there is nothing for tuning to gain.",
    ),
    Claim(
        "no-data",
        "skip it when",
        "Skip it without good examples",
        "Without examples of good quality there is nothing to tune on; 50 to 100 are the least.",
    ),
    # --- in which order
    Claim(
        "order",
        "order",
        "Prompting, then few-shot, then RAG, then fine-tuning",
        "Try prompting first, then few-shot, then RAG, and fine-tuning last.",
    ),
    Claim(
        "hybrid-default",
        "order",
        "Hybrid is the default in production",
        "Most production systems tune for style and structure and retrieve facts.",
    ),
    Claim(
        "prompting-per-request",
        "order",
        "Prompting costs nothing up front, most per request",
        "Prompting has no training cost, changes at once, costs most per call and is bounded by the context.",
    ),
    Claim(
        "tuning-up-front",
        "order",
        "Fine-tuning costs most up front",
        "Fine-tuning costs much up front, answers fast and is hard to update.",
    ),
    # --- figures
    Claim(
        "tuning-run",
        "figure",
        "A tuning run costs $50 to $5,000",
        "One run of fine-tuning costs $50 to $5,000, by the size of the model.",
    ),
    Claim(
        "lora-run",
        "figure",
        "A LoRA run costs $10 to $500",
        "A LoRA run on an open model costs $10 to $500.",
    ),
    Claim(
        "managed-run",
        "figure",
        "A managed tuning run costs $5 to $100",
        "A run at a provider's tuning service costs $5 to $100; the claim is old.",
    ),
    Claim(
        "compute-to-production",
        "figure",
        "Production takes under $1,000 of compute",
        "From nothing to production most startups spend under $1,000 on compute.",
    ),
    Claim(
        "staff-to-production",
        "figure",
        "Production takes 1 to 4 weeks of staff time",
        "From nothing to production most startups spend one to four weeks of staff time.",
    ),
    Claim(
        "data-preparation",
        "figure",
        "Data preparation is often the largest line",
        "Of what a first tuned model costs, data preparation is often the largest line.",
    ),
    Claim(
        "twice-the-base",
        "figure",
        "A tuned model costs twice its base per token",
        "OpenAI bills tuned models at twice the base price; by model it has been 1.5 to 2 times.",
    ),
    Claim(
        "near-base-at-together",
        "figure",
        "Together serves tuned models near the base price",
        "Together is said to bill tuned models per token, near the price of their base.",
    ),
    Claim(
        "own-gpus",
        "figure",
        "Own GPUs answer at nearly nothing per token",
        "A self-hosted adapter costs nearly nothing per token: GPU time is paid instead.",
    ),
    Claim(
        "training-gpt-4o-mini",
        "figure",
        "gpt-4o-mini trains at $25 a million tokens",
        "Often repeated: training gpt-4o-mini costs $25 a million tokens.",
    ),
    Claim(
        "training-gpt-4o",
        "figure",
        "gpt-4o trains at $100 a million tokens",
        "Often repeated: training gpt-4o costs $100 a million tokens.",
    ),
    Claim(
        "training-together",
        "figure",
        "Together trains at $0.50 to $5 a million tokens",
        "Together is said to train for $0.50 to $5 a million tokens.",
    ),
    Claim(
        "examples-needed",
        "figure",
        "Bring 50 examples for style, 1,000 for a skill",
        "Format and style take 50 to 200 examples, some say 500; a new capability or domain 1,000 to 10,000.",
    ),
    Claim(
        "domain-transfer",
        "figure",
        "A distant domain takes 50,000 examples",
        "Serious transfer to another domain takes 50,000 examples and more.",
    ),
    Claim(
        "base-to-instructions",
        "figure",
        "A base model takes 50,000 examples to instruct",
        "Teaching a base model to follow instructions takes 50,000 to 1,000,000 examples.",
    ),
    Claim(
        "least-examples",
        "figure",
        "OpenAI takes 10 examples and advises 50",
        "OpenAI's minimum is 10 examples, 50 and more are advised; 50 to 100 are the least anywhere.",
    ),
    Claim(
        "few-shot-examples",
        "figure",
        "Few-shot takes 5 to 20 examples, RAG documents",
        "Few-shot prompts show 5 to 20 examples; RAG needs documents instead.",
    ),
    Claim(
        "lora-weights",
        "figure",
        "LoRA trains under 1% of the weights",
        "LoRA trains under 1% of a model's weights.",
    ),
    Claim(
        "lora-adapter",
        "figure",
        "A LoRA adapter takes tens of megabytes",
        "The adapter that LoRA trains is a file of some tens of megabytes.",
    ),
    Claim(
        "lora-cheaper",
        "figure",
        "LoRA is 10 to 100 times cheaper than full tuning",
        "LoRA is 10 to 100 times cheaper than tuning all weights.",
    ),
    Claim(
        "lora-quality",
        "figure",
        "LoRA keeps 95 to 99% of full tuning's quality",
        "LoRA reaches 95 to 99% of the quality of tuning all weights.",
    ),
    Claim(
        "unsloth",
        "figure",
        "Unsloth trains about twice as fast",
        "Unsloth trains about twice as fast as Transformers with PEFT.",
    ),
    Claim(
        "shorter-prompt",
        "figure",
        "A tuned model still needs a prompt, a shorter one",
        "Instructions are still sent after tuning, but fewer.",
    ),
)
"""The most telling of each kind first."""
