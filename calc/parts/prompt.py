"""Tokens of a request and what they cost at a provider that bills by token.

A request is laid out as: instructions, tools, examples | history | chunks | user message. The first three are the
cacheable prefix P. Each turn of a conversation is a request of its own, priced at the context tier of its own length.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from calc.ledger import CostLine, per_request, priced_line
from calc.setting import Setting, say
from calc.timeline import DAYS_PER_MONTH, Floats, MonthlyPrice, noted
from calc.volume import CachedPrefix
from pricing import Price
from pricing.model import CacheRules

MTOK = 1e6


def turn_weights(turns_per_conversation: int | tuple[int, ...]) -> dict[int, float]:
    """Share of requests that are turn j: P(n ≥ j) / E[n].

    For n turns each the mean number of earlier turns is (n − 1)/2; for random n it is E[n(n − 1)] / (2 E[n]).
    """
    turns = turns_per_conversation if isinstance(turns_per_conversation, tuple) else (turns_per_conversation,)
    reaching = Counter(j for n in turns for j in range(1, n + 1))
    return {j: count / sum(turns) for j, count in sorted(reaching.items())}


def history_tokens(turn: Any, user_tokens: Any, answer_tokens: Any) -> Any:
    """Tokens of the conversation before this turn: (j − 1)(user + answer). Reasoning tokens do not enter it."""
    return (turn - 1) * (user_tokens + answer_tokens)


def prefix_tokens(setting: Setting) -> Any:
    """The cacheable prefix P: instructions + tools + shots × tokens per shot.

    Raises:
        ValueError: shots are sent but the tokens of one are not stated.
    """
    approach = setting.approach
    shots: Any = 0.0
    if np.any(np.asarray(approach.shots) > 0):
        tokens = approach.tokens_per_shot if approach.tokens_per_shot is not None else setting.scenario.task.tokens_per_example
        if tokens is None:
            raise ValueError("shots need tokens_per_shot in the approach, or task.tokens_per_example")
        shots = approach.shots * tokens
    return approach.instruction_tokens + approach.tool_tokens + shots


def chunk_tokens(setting: Setting) -> Any:
    """Tokens of the retrieved chunks in one request: chunks per request × tokens per chunk, 0 without retrieval."""
    retrieval = setting.approach.retrieval
    if retrieval is None:
        return 0.0
    chunks = setting.given(retrieval.chunks_per_request, "retrieval.chunks_per_request").value
    return chunks * setting.given(retrieval.chunk_tokens, "retrieval.chunk_tokens").value


def input_tokens(setting: Setting, turn: Any) -> Any:
    """T_in of turn j: prefix + history + chunks + user message."""
    work = setting.scenario.workload
    history = history_tokens(turn, work.user_tokens, work.answer_tokens)
    return prefix_tokens(setting) + history + chunk_tokens(setting) + work.user_tokens


def mean_input_tokens(setting: Setting) -> Any:
    """T_in averaged over the turns of a conversation."""
    turns = turn_weights(setting.scenario.workload.turns_per_conversation)
    return sum(weight * input_tokens(setting, turn) for turn, weight in turns.items())


def turns_by_tier(setting: Setting, offer: str) -> list[tuple[int, dict[int, Any]]]:
    """The context tiers that requests fall in: the tier's start, and the share of requests that are turn j and fall in it.

    Each turn is put in its tier by its own length, never by the mean.
    """
    turns = turn_weights(setting.scenario.workload.turns_per_conversation)
    starts = setting.rates.context_tiers(offer)
    found = []
    for start, above, stop in zip((0, *starts), (-1, *starts), (*starts, np.inf), strict=True):
        shares = {
            turn: weight * np.asarray((input_tokens(setting, turn) > above) & (input_tokens(setting, turn) <= stop))
            for turn, weight in turns.items()
        }
        if any(np.any(share > 0) for share in shares.values()):
            found.append((start, shares))
    return found


def output_tokens(setting: Setting) -> Any:
    """Billed output of a request: T_out (1 + ρ), ρ the hidden reasoning tokens for each visible one."""
    work, own = setting.scenario.workload, setting.approach.reasoning_tokens_per_answer_token
    return work.answer_tokens * (1 + (work.reasoning_tokens_per_answer_token if own is None else own))


def caching_pays_above(input_usd: Any, read_usd: Any, write_usd: Any) -> Any:
    """Hit share above which writing and reading a cache is cheaper than plain input: (p_write − p_in)/(p_write − p_read).

    −1 where a price is missing (not a number): the cache is used, so that its line says what is missing.
    """
    premium, saving = np.asarray(write_usd) - input_usd, np.asarray(write_usd) - read_usd
    pays = np.where(saving > 0, premium / np.where(saving > 0, saving, 1), np.inf)
    return np.where(np.isnan(saving), -1.0, pays)


@dataclass(frozen=True)
class _Call:
    """How requests reach one model: which offer, on what terms, and what share of them."""

    setting: Setting
    offer: str
    tuned: bool
    service: str
    deployment: str | None
    share: Any
    tag: str

    def price(self, key: str, above_tokens: int, service: str | None = None) -> MonthlyPrice:
        return self.setting.price(self.offer, key, **self._terms(above_tokens, service))

    def sells(self, key: str, above_tokens: int) -> bool:
        return self.setting.sells(self.offer, key, **self._terms(above_tokens))

    def _terms(self, above_tokens: int, service: str | None = None) -> dict[str, Any]:
        return {
            "service": service or self.service,
            "tuned": self.tuned,
            "context_tokens": above_tokens + 1,
            "deployment": self.deployment,
        }

    @property
    def attempts(self) -> Any:
        """Billed attempts per request: the share that reaches the model × (1 + retries)."""
        return self.share * (1 + np.asarray(self.setting.scenario.workload.retry_share))

    def load(self, share: Any) -> Floats:
        """Attempts per request of month 0, by month."""
        return np.asarray(self.setting.growth * self.attempts * share)


def token_lines(
    setting: Setting,
    offer: str,
    *,
    tuned: bool = False,
    service: str = "standard",
    deployment: str | None = None,
    share: Any = 1.0,
    tag: str = "",
) -> list[CostLine]:
    """The token lines of requests answered by one offer.

    Args:
        tuned: whether the rates of a model tuned from the offer apply.
        share: share of all requests that reach this offer.
        tag: told apart by, where more than one offer serves the approach.
    """
    call = _Call(setting, offer, tuned, service, deployment, share, tag)
    return [line for start, turns in turns_by_tier(setting, offer) for line in _tier_lines(call, start, turns)]


def _tier_lines(call: _Call, start: int, turns: dict[int, Any]) -> list[CostLine]:
    """Lines of the requests whose input is longer than ``start`` and within the next tier.

    Args:
        turns: share of requests that are turn j and fall in this tier.
    """
    setting, work = call.setting, call.setting.scenario.workload
    batch = work.batch_share
    above = f" above {start:,} tokens" if start else ""
    requests = sum(turns.values())
    all_input = sum(weight * input_tokens(setting, turn) for turn, weight in turns.items())

    def line(key: str, name: str, quantity: Any, price: MonthlyPrice, formula: str) -> CostLine:
        tier = f":{start}" if start else ""
        return priced_line(
            f"prompt.{key}{tier}{call.tag}", name + above, "tokens", "per request", quantity, "token", price, formula, per=MTOK
        )

    lines: list[CostLine] = []
    interactive = call.load(1 - np.asarray(batch))
    if np.any(np.asarray(batch) < 1):
        cached, plain_input = _cache_lines(call, start, turns, line)
        p_in = call.price("input_usd_per_mtok", start)
        p_out = call.price("output_usd_per_mtok", start)
        lines.append(
            line(
                "input",
                "Input tokens",
                per_request(interactive, plain_input),
                p_in,
                f"requests × {say(plain_input)} tokens{_attempts(call, 1 - np.asarray(batch))}",
            )
        )
        lines += cached
        out = requests * output_tokens(setting)
        lines.append(
            line(
                "output",
                "Output tokens",
                per_request(interactive, out),
                p_out,
                f"requests × {say(out)} tokens{_attempts(call, 1 - np.asarray(batch))}",
            )
        )
    if np.any(np.asarray(batch) > 0):
        load = call.load(batch)
        for key, name, tokens in (
            ("input", "Batch input tokens", all_input),
            ("output", "Batch output tokens", requests * output_tokens(setting)),
        ):
            price = call.price(f"{key}_usd_per_mtok", start, service="batch")
            formula = f"requests × {say(tokens)} tokens{_attempts(call, batch)}"
            lines.append(line(f"batch_{key}", name, per_request(load, tokens), price, formula))
    return lines


def _attempts(call: _Call, share: Any) -> str:
    factors = {"share": call.share * share, "attempts": 1 + np.asarray(call.setting.scenario.workload.retry_share)}
    return "".join(f" × {say(value)} {what}" for what, value in factors.items() if np.any(value != 1))


def _in_months(call: _Call, number: Any) -> str:
    """A number that is 0 in active months in which caching is used otherwise, or the same in all of them."""
    used = np.asarray(number)
    used = used[..., call.setting.active > 0] if used.shape[-1:] == call.setting.active.shape else used
    several = used.size > 1 and bool(np.any(used == 0))
    return f"{say(np.max(used))}{' in the months in which that is cheaper' if several else ''}"


@dataclass(frozen=True)
class _CacheTerms:
    """What caching costs at one offer and tier."""

    rules: CacheRules
    p_in: MonthlyPrice
    p_read: MonthlyPrice
    p_write: MonthlyPrice

    @property
    def pays_above(self) -> Floats:
        """Hit share above which caching is used, by month; implicit caching cannot be declined."""
        if self.rules.mode == "implicit":
            return -np.ones_like(self.p_in.usd)
        return np.asarray(caching_pays_above(self.p_in.usd, self.p_read.usd, self.p_write.usd))

    def held(self, tokens: Any) -> Any:
        """The tokens where they reach the provider's minimum, else 0."""
        return tokens * (tokens >= self.rules.minimum_tokens)


def _cache_terms(call: _Call, start: int) -> _CacheTerms | None:
    """None where the provider sells no caching on these terms: everything is plain input."""
    rules = call.setting.rates.cache_rules(call.offer)
    if rules is None:
        return None
    if not call.sells("cache_read_usd_per_mtok", start):
        return None
    p_in, p_read = call.price("input_usd_per_mtok", start), call.price("cache_read_usd_per_mtok", start)
    written = "cache_write_usd_per_mtok"
    return _CacheTerms(rules, p_in, p_read, call.price(written, start) if call.sells(written, start) else p_in)


def _cache_lines(call: _Call, start: int, turns: dict[int, Any], line: Any) -> tuple[list[CostLine], Any]:
    """The cached token lines of interactive requests, and the input tokens per request left at the plain rate."""
    work = call.setting.scenario.workload
    all_input = sum(weight * input_tokens(call.setting, turn) for turn, weight in turns.items())
    terms = _cache_terms(call, start)
    if terms is None:
        return [], all_input
    gap = work.seconds_between_turns
    in_time = np.asarray(gap is not None and gap <= terms.rules.ttl_seconds)
    alone = sum(weight * ((turn == 1) | ~in_time) for turn, weight in turns.items())
    prefix = alone * terms.held(prefix_tokens(call.setting))
    lines = _prefix_lines(call, terms, prefix, line) if np.any(np.asarray(prefix) > 0) else []
    followed = {turn: weight * in_time for turn, weight in turns.items() if turn > 1}
    later, later_tokens = _later_turn_lines(call, terms, followed, line)
    return lines + later, all_input - prefix - later_tokens


def _prefix_lines(call: _Call, terms: _CacheTerms, tokens: Any, line: Any) -> list[CostLine]:
    """The prefix of requests whose hit share is stated or follows from the traffic."""
    setting, work = call.setting, call.setting.scenario.workload
    interactive, pays_above = call.load(1 - np.asarray(work.batch_share)), terms.pays_above
    attempts = _attempts(call, 1 - np.asarray(work.batch_share))
    outcomes: tuple[tuple[Literal["read", "written", "uncached"], str, str, MonthlyPrice], ...] = (
        ("read", "cache_read", "Prompt prefix read from cache", terms.p_read),
        ("written", "cache_write", "Prompt prefix written to cache", terms.p_write),
        ("uncached", "prefix_uncached", "Prompt prefix, cache not worth it", terms.p_in),
    )
    if not isinstance(work.cache_hit_share, str):
        hit = np.asarray(work.cache_hit_share)
        used = hit > pays_above
        share = {"read": hit * used, "written": (1 - hit) * used, "uncached": 1.0 - used}
        return [
            line(
                key,
                name,
                per_request(interactive, tokens * share[outcome]),
                price,
                f"requests × {say(tokens)} tokens × {_in_months(call, share[outcome])} {outcome}{attempts}",
            )
            for outcome, key, name, price in outcomes
            if np.any(share[outcome] * setting.active > 0)
        ]
    days = work.active_days_per_month if work.active_days_per_month is not None else DAYS_PER_MONTH
    hours = setting.active_hours
    formula = (
        f"requests × {say(tokens)} tokens, hit share from traffic over {say(hours.value)} h a day "
        f"and a cache lifetime of {terms.rules.ttl_seconds} s{attempts}"
    )
    return [
        line(
            key,
            name,
            CachedPrefix(
                outcome,
                tokens_per_request=tokens * interactive,
                daily_requests_per_request=interactive / days,
                active_seconds_per_day=hours.value * 3600,
                ttl_seconds=terms.rules.ttl_seconds,
                pays_above=pays_above,
            ),
            price,
            formula,
        )
        for outcome, key, name, price in outcomes
        if outcome != "uncached" or np.any(pays_above > 0)
    ]


def _later_turn_lines(call: _Call, terms: _CacheTerms, turns: dict[int, Any], line: Any) -> tuple[list[CostLine], Any]:
    """Turns within the cache's lifetime of the last one: what was in its prompt is read, the newest exchange is written.

    Returns:
        The lines, and the tokens per request in them.
    """
    work = call.setting.scenario.workload
    interactive = call.load(1 - np.asarray(work.batch_share))
    read, written = 0.0, 0.0
    for turn, weight in turns.items():
        stretch = prefix_tokens(call.setting) + history_tokens(turn, work.user_tokens, work.answer_tokens)
        before = terms.held(stretch - work.user_tokens - work.answer_tokens)
        read, written = read + weight * before, written + weight * (terms.held(stretch) - before)
    if not np.any(np.asarray(read + written) > 0):
        return [], 0.0
    pays = np.ones_like(terms.p_in.usd)
    if terms.rules.mode == "explicit":
        cached, plain = read * terms.p_read.usd + written * terms.p_write.usd, (read + written) * terms.p_in.usd
        pays = ((cached < plain) | np.isnan(cached)).astype(float)
    lines = [
        line(
            key,
            name,
            per_request(interactive, tokens),
            price,
            f"requests × {_in_months(call, tokens)} tokens{_attempts(call, 1 - np.asarray(work.batch_share))}, "
            f"turns within {terms.rules.ttl_seconds} s of each other",
        )
        for key, name, tokens, price in (
            ("history_read", "Earlier turns read from cache", read * pays, terms.p_read),
            ("history_write", "Newest turn written to cache", written * pays, terms.p_write),
            ("history_uncached", "Earlier turns, cache not worth it", (read + written) * (1 - pays), terms.p_in),
        )
        if np.any(tokens * call.setting.active > 0)
    ]
    return lines, read + written


def plain_request_usd(setting: Setting, offer: str, **terms: Any) -> MonthlyPrice:
    """One request at plain input and output rates, no cache, as in an evaluation run: (T_in·p_in + T_out(1+ρ)·p_out)/10⁶.

    Args:
        terms: tuned, service and deployment as in `token_lines`.
    """
    usd: Any = 0.0
    rows: tuple[Price, ...] = ()
    missing: str | None = None
    used: tuple[MonthlyPrice, ...] = ()
    for start, turns in turns_by_tier(setting, offer):
        p_in = setting.price(offer, "input_usd_per_mtok", context_tokens=start + 1, **terms)
        p_out = setting.price(offer, "output_usd_per_mtok", context_tokens=start + 1, **terms)
        for turn, share in turns.items():
            usd = usd + share * (input_tokens(setting, turn) * p_in.usd + output_tokens(setting) * p_out.usd) / MTOK
        rows, missing = (*rows, *p_in.rows, *p_out.rows), missing or p_in.missing or p_out.missing
        used = (*used, p_in, p_out)
    return MonthlyPrice(usd, tuple(dict.fromkeys(rows)), missing, noted(*used))
