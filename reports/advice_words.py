"""Rules of thumb, what would change the answer and what would settle it, in words for every surface."""

from __future__ import annotations

from calc.advice import Rule, rules
from calc.claims import ClaimKind
from calc.compare import Comparison
from calc.quality import settling
from calc.what_would_change import what_would_change
from reports import words
from reports.sources import source_words

RULE_HEADS: dict[ClaimKind, str] = {
    "worth it when": "When fine-tuning is worth it",
    "skip it when": "When to skip it",
    "order": "In which order",
    "figure": "Figures that are repeated",
}


def told(comparison: Comparison) -> tuple[Rule, ...]:
    """The rules that say something of this workload; none where nothing was computed to hold them against."""
    return tuple(rule for rule in rules(comparison) if rule.state != "Cannot tell") if comparison.available else ()


def rules_caption(comparison: Comparison) -> str:
    """What the rules are held against, and how many are silent."""
    if not comparison.available:
        return ""
    silent = len(rules(comparison)) - len(told(comparison))
    text = f"Computed: {words.in_sentence(comparison.winner())} is cheapest. A rule of thumb is never stronger than that."
    return f"{text} {words.counted(silent).capitalize()} more {'is' if silent == 1 else 'are'} silent here." if silent else text


def finding(rule: Rule) -> str:
    """What was found, and that the totals do not follow a rule that holds."""
    against = rule.severity == "caution" and rule.state == "Holds"
    return f"{rule.finding} The totals say otherwise." if against else rule.finding


def finding_with_page(rule: Rule) -> str:
    """What was found, and the page that the claim is held against."""
    if not rule.source or rule.source_date is None:
        return finding(rule)
    return f"{finding(rule)} ({source_words(rule.source).partition('/')[0]}, read on {words.day(rule.source_date)})"


def turns(comparison: Comparison) -> list[str]:
    """What would change the answer, one sentence each."""
    return [turn.text for turn in what_would_change(comparison)]


def settling_sentence(comparison: Comparison) -> str:
    """How many evaluated answers would settle who is cheapest; empty where quality is not compared."""
    found = settling(comparison)
    return found.text if found is not None else ""
