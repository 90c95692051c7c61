"""What an estimate's inputs would have to be for it to say what a log says.

Tokens of a request are means over the whole log; requests are those of its whole months. Input tokens alone cannot tell
instructions from user messages, so one rule decides, and is stated with the correction: see `corrections`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any, Literal, NamedTuple

import numpy as np

from calc.evaluate import token_terms
from calc.invoice import InvoiceCheck, MonthUsage, estimated_tokens, requests_per_volume, run_back, setting_of
from calc.parts import prompt
from calc.scenario import Approach, Workload
from calc.setting import Setting, counted

InputField = Literal["instruction_tokens", "user_tokens"]
WORTH_TELLING = 0.001
"""Relative differences below this are none."""
PRICE_DIFFERS = 0.01
"""Billed over list price beyond 1 ± this is a price of one's own."""
FEWEST_MONTHS_FOR_GROWTH = 3
_Z90 = 1.2815515655446004
"""Standard normal quantile of 90 %."""


class Correction(NamedTuple):
    """A field of the scenario, what it states and what the log says of it."""

    path: str
    stated: Any
    suggested: Any
    why: str


class Corrected(NamedTuple):
    """All corrections, and what the log says that no field can express."""

    corrections: tuple[Correction, ...]
    price_ratio: float | None
    """Billed over list price, where it differs by more than `PRICE_DIFFERS`; else None."""
    notes: tuple[str, ...]


class Means(NamedTuple):
    """Tokens of one request, over all months of a log in which both are counted. None is unknown."""

    input: float | None
    cache_read: float | None
    cache_write: float | None
    output: float | None
    reasoning: float | None


def means_of(check: InvoiceCheck) -> Means:
    """The mean request of a log."""

    def mean(name: str) -> float | None:
        both = [(getattr(m.usage, name), m.usage.requests) for m in check.months]
        known = [(tokens, requests) for tokens, requests in both if tokens is not None and requests]
        return sum(t for t, _ in known) / sum(r for _, r in known) if known else None

    return Means(*(mean(f"{kind}_tokens") for kind in ("input", "cache_read", "cache_write", "output", "reasoning")))


def corrections(check: InvoiceCheck, *, input_to: InputField = "instruction_tokens") -> Corrected:
    """The inputs that reproduce a log.

    The rule for input tokens: instructions take the whole difference. Where the log counts cache writes and conversations have
    one turn, the cached prefix is what is read and written, and the rest is the user message. A prefix is never less than what
    is read from the cache, nor less than the tools and examples it holds; the user message takes what remains.

    Args:
        input_to: the field that takes the difference of the input tokens, where nothing else tells.
    """
    means = means_of(check)
    fix = _Fix(check, means, input_to)
    if means.output is not None:
        fix.answers()
    if means.input is not None:
        fix.prompts()
    fix.batches()
    if means.cache_read is not None:
        fix.caching()
    fix.volume()
    ratio = check.billed_over_list
    differs = ratio is not None and abs(ratio - 1) > PRICE_DIFFERS
    if any(month.usage.requests is None for month in check.months):
        fix.notes.append("the log does not count requests, so tokens per request and volume cannot be told; add a file that does")
    elif not any(month.usage.requests for month in check.months):
        fix.notes.append("the log has no requests in it, so there is nothing to correct by")
    return Corrected(tuple(fix.found), ratio if differs else None, tuple(fix.notes))


@dataclass
class _Fix:
    """The fields as corrected so far; each step rests on those before it."""

    check: InvoiceCheck
    means: Means
    input_to: InputField

    def __post_init__(self) -> None:
        self.found: list[Correction] = []
        self.notes: list[str] = []
        self.workload: Workload = self.check.comparison.point.workload
        self.approach: Approach = self.check.result.approach

    @property
    def setting(self) -> Setting:
        """The circumstances with the fields as corrected."""
        base = setting_of(self.check.comparison, self.check.result)
        scenario = base.scenario.model_copy(update={"workload": self.workload})
        return Setting(scenario, self.approach, base.rates, base.months, base.active)

    def note(self, where: Literal["workload", "approach"], field: str, value: float, why: str) -> None:
        """Take a field's corrected value; told where it differs."""
        value = _rounded(value)
        held: Any = getattr(self, where)
        if _alike(getattr(held, field), value):
            return
        setattr(self, where, held.model_copy(update={field: value}))
        stated = self.check.comparison.scenario
        if where == "workload":
            self.found.append(Correction(f"workload.{field}", getattr(stated.workload, field), value, why))
        else:
            name = self.check.result.name
            path, before = f"approaches.{name}.{field}", getattr(stated.approaches[name], field)
            self.found.append(Correction(path, before, value, why))

    def answers(self) -> None:
        """Answer and reasoning tokens from the output of a request."""
        output, reasoning = self.means.output, self.means.reasoning
        assert output is not None
        own = self.approach.reasoning_tokens_per_answer_token
        per_token = float(self.workload.reasoning_tokens_per_answer_token if own is None else own)
        if reasoning is None:
            self.note("workload", "answer_tokens", output / (1 + per_token), f"{output:,.1f} output tokens a request"
                      + (f", of which {per_token:g} hidden for each visible one as stated" if per_token else ""))  # fmt: skip
            return
        visible = output - reasoning
        self.note(
            "workload", "answer_tokens", visible, f"{output:,.1f} output tokens a request less {reasoning:,.1f} of reasoning"
        )
        if visible > 0:
            where: Literal["workload", "approach"] = "workload" if own is None else "approach"
            why = f"{reasoning:,.1f} reasoning tokens to {visible:,.1f} visible ones"
            self.note(where, "reasoning_tokens_per_answer_token", reasoning / visible, why)

    def prompts(self) -> None:
        """Instructions and user message from the input of a request."""
        setting, logged = self.setting, self.means.input
        assert logged is not None
        estimated = float(prompt.mean_input_tokens(setting))
        more = logged - estimated
        prefix, user = float(prompt.prefix_tokens(setting)), float(self.workload.user_tokens)
        least = prefix - float(self.approach.instruction_tokens)
        wanted, why = prefix + (more if self.input_to == "instruction_tokens" else 0.0), ""
        said = f"{logged:,.1f} input tokens a request against {estimated:,.1f}"
        if self.input_to == "instruction_tokens":
            why = f"{said}; by rule the instructions take the difference (--input-to user_tokens gives it to the user message)"
        one_turn = self.workload.turns_per_conversation == 1
        read, written = self.means.cache_read or 0.0, self.means.cache_write or 0.0
        if one_turn and written > 0 and self._is_cached_on_demand:
            wanted = read + written
            why = f"{read + written:,.1f} tokens a request are read from or written to the cache, which is the prefix"
        elif one_turn and read > wanted:
            wanted, why = read, f"{read:,.1f} tokens a request are read from the cache, and the prefix is no less"
        prefix_after = max(wanted, least)
        per_user_token = float(sum(w * turn for turn, w in prompt.turn_weights(self.workload.turns_per_conversation).items()))
        user_after = user + (more - (prefix_after - prefix)) / per_user_token
        if user_after < 0:
            self.notes.append(f"{said}: fewer than the examples, tools and passages that the estimate sends, so no field fits")
            return
        self.note("approach", "instruction_tokens", prefix_after - least, why)
        self.note("workload", "user_tokens", user_after, f"{said}; what the prefix does not take is the user message")

    @property
    def _is_cached_on_demand(self) -> bool:
        rules = self.check.comparison.rates.cache_rules(self.check.result.offer)
        return rules is not None and rules.mode == "explicit"

    def batches(self) -> None:
        """The share of requests that was billed at batch rates, where the log says so."""
        usage = [u for u in self.check.match.usage if u.requests is not None]
        if not any(u.requests for u in usage) or any(u.service is None for u in usage):
            return
        batched = sum(u.requests or 0 for u in usage if u.service == "batch")
        every = sum(u.requests or 0 for u in usage)
        why = f"{batched:,.0f} of {counted(round(every), 'request')} billed at batch rates, as the log names the service"
        self.note("workload", "batch_share", batched / every, why)

    def caching(self) -> None:
        """The hit share that reads from the cache what the log says."""
        read, held = self.means.cache_read, self.workload
        assert read is not None
        self.workload = held.model_copy(update={"cache_hit_share": 1.0})
        lines = self._lines()
        self.workload = held
        prefix = self._per_request([line for line in lines if line.key.startswith("prompt.cache_read")])
        history = self._per_request([line for line in lines if line.key.startswith("prompt.history_read")])
        if not prefix["cache_read"]:
            if read > 1 and not history["cache_read"]:
                self.notes.append(f"{read:,.1f} tokens a request were read from a cache that the estimate cannot use")
            return
        share = (read - history["cache_read"]) / prefix["cache_read"]
        if share > 1 + WORTH_TELLING or share < 0:
            self.notes.append(
                f"{read:,.1f} tokens a request were read from the cache, and the estimate can express "
                f"{history['cache_read']:,.1f} to {history['cache_read'] + prefix['cache_read']:,.1f}"
            )
        why = f"{read:,.1f} of {self.means.input or 0:,.1f} input tokens a request were read from the cache"
        self.note("workload", "cache_hit_share", min(max(share, 0.0), 1.0), why)
        expressed = self._per_request(self._lines())["cache_read"]
        if read > 1 and not _alike(expressed, read) and 0 <= share <= 1 + WORTH_TELLING:
            self.notes.append("so few requests find the cache that the estimate does without it, for it costs more than it saves")

    def _lines(self) -> list[Any]:
        setting, offer = self.setting, self.check.result.offer
        return prompt.token_lines(setting, offer, **token_terms(setting, offer))

    def _per_request(self, lines: list[Any]) -> dict[str, float]:
        """Tokens of lines per billed request, in month 0."""
        volume = self.check.result.requests
        attempts = volume * (1 + self.workload.retry_share)
        return {kind: tokens / attempts for kind, tokens in estimated_tokens(lines, volume, 0).items()}

    def volume(self) -> None:
        """Requests of month 0, and their growth where there are months enough."""
        whole = [m.usage for m in self.check.months if m.usage.is_whole and m.usage.requests]
        stated = self.check.comparison.scenario.workload
        if len(whole) >= FEWEST_MONTHS_FOR_GROWTH:
            self._fit(whole)
            return
        used = whole or [m.usage for m in self.check.months if m.usage.requests]
        if not used:
            return
        last = used[-1]
        requests = (last.requests or 0) * last.days_in_month / last.days
        volume = round(requests / requests_per_volume(self.check.comparison, self.check.result, last.month))
        why = f"{counted(round(last.requests or 0), 'request')} in {last.month:%B %Y}"
        if not last.is_whole:
            why += f", of which {last.days} of {last.days_in_month} days are in the log; scaled to the month"
        if run_back(self.check.comparison, last.month) != 1:
            why += f"; compound growth takes them to {self.check.comparison.months.starts[0]:%B %Y}"
        if volume >= 1 and not _alike(float(self.workload.requests_per_month), volume):
            self.found.append(Correction("workload.requests_per_month", stated.requests_per_month, volume, why))

    def _fit(self, whole: list[MonthUsage]) -> None:
        """ln(requests) on the month by least squares: the slope is the growth, the scatter the range."""
        found, result = self.check.comparison, self.check.result
        share = requests_per_volume(found, result, found.months.starts[0])
        month = np.array([found.months.index(u.month) for u in whole], dtype=float)
        logs = np.array([log((u.requests or 0) / share) for u in whole])
        slope = float(((month - month.mean()) * (logs - logs.mean())).sum() / ((month - month.mean()) ** 2).sum())
        at_start = float(logs.mean() - slope * month.mean())
        scatter = sqrt(float(((logs - at_start - slope * month) ** 2).sum()) / (len(whole) - 2))
        growth, volume = _rounded(exp(slope) - 1), exp(at_start)
        fitted = f"ln(requests) fitted to {len(whole)} whole months, which scatter by {scatter:.1%} around it"
        stated = found.scenario.workload
        grows = {"kind": "compound", "monthly_share": growth} if abs(growth) >= WORTH_TELLING else {"kind": "flat"}
        before = stated.growth.model_dump()
        same_rate = _alike(before.get("monthly_share", 0.0), grows.get("monthly_share", 0.0))
        if before["kind"] != grows["kind"] or not same_rate:
            self.found.append(Correction("workload.growth", before, grows, fitted))
        if scatter >= WORTH_TELLING:
            suggested: Any = {"p10": round(volume * exp(-_Z90 * scatter)), "p90": round(volume * exp(_Z90 * scatter))}
        else:
            suggested = round(volume)
        if suggested != stated.requests_per_month and volume >= 1:
            why = f"{fitted}; its value in {found.months.starts[0]:%B %Y}"
            self.found.append(Correction("workload.requests_per_month", stated.requests_per_month, suggested, why))


def _rounded(value: float) -> float:
    """Six significant digits."""
    return float(f"{value:.6g}")


def _alike(stated: Any, value: Any) -> bool:
    if not isinstance(stated, int | float) or not isinstance(value, int | float):
        return bool(stated == value)
    return abs(value - stated) <= WORTH_TELLING * max(abs(stated), abs(value))
