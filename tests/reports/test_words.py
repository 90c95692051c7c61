"""Number formats and sentences, each read as a stranger would."""

from __future__ import annotations

import pytest

from calc.break_even import BreakEven, Interval
from reports import words


@pytest.mark.parametrize(
    ("usd", "text"),
    [(21538.4, "$21,538"), (0, "$0"), (0.31, "<$1"), (-0.2, "−<$1"), (-1234.5, "−$1,234"), (2.5, "$2"), (3.5, "$4"), (None, "—")],
)
def test_totals_are_whole_dollars_rounded_half_to_even(usd, text):
    assert words.money(usd) == text


def test_a_difference_shows_its_sign():
    assert words.money(7444, plus=True) == "+$7,444"
    assert words.money(0, plus=True) == "$0"


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0.0134, "$0.0134"),
        (12, "$12.0000"),
        (0, "$0.0000"),
        (0.000064, "$0.000064"),
        (0.00015, "$0.00015"),
        (-2e-5, "−$0.000020"),
        (1e-9, "<$0.0000001"),
        (None, "—"),
    ],
)
def test_costs_per_request_have_four_decimals_or_two_digits(usd, text):
    assert words.money_per(usd) == text


@pytest.mark.parametrize(
    ("requests", "text"),
    [
        (1, "1"),
        (950, "950"),
        (486_321, "486,000"),
        (999_999, "1 million"),
        (12_048_304, "12 million"),
        (4.24e9, "4.24 billion"),
        (1e12, "1 trillion"),
    ],
)
def test_volumes_in_prose_have_three_digits(requests, text):
    assert words.volume(requests) == text


@pytest.mark.parametrize(
    ("requests", "text"), [(950, "950"), (486_321, "486k"), (999_950, "1M"), (1.234e6, "1.23M"), (3.2e12, "3.2T")]
)
def test_volumes_on_charts_are_short(requests, text):
    assert words.volume_short(requests) == text


def test_two_volumes_never_look_the_same():
    assert words.volume(180_400, 180_000) == "180,400"
    assert words.volume_short(12_048_304, 12_043_719) == "12.05M"
    assert words.volume(180_000, 180_000) == "180,000"


@pytest.mark.parametrize(("amount", "text"), [(11112.4, "11,112"), (0.0793841, "0.07938"), (24, "24"), (999.96, "1,000")])
def test_quantities(amount, text):
    assert words.quantity(amount) == text


@pytest.mark.parametrize(("usd", "text"), [(30_000, "$30,000"), (1, "$1"), (0.3, "$0.30"), (0.0003, "$0.0003")])
def test_axis_values_have_no_more_digits_than_they_need(usd, text):
    assert words.money_tick(usd) == text


def test_assumptions_are_shown_as_they_are_put_down():
    assert [words.figure(number) for number in (0.35, 1200.0, -0.5)] == ["0.35", "1,200", "−0.5"]


@pytest.mark.parametrize(("share", "text"), [(0.945, "94.5%"), (0.08, "8%"), (-0.5, "−50%")])
def test_shares(share, text):
    assert words.percent(share) == text


def test_own_names_keep_their_letters():
    assert words.label("rag") == "RAG"
    assert words.label("rag at home") == "RAG at home"
    assert words.label("fine-tuning at OpenAI") == "Fine-tuning at OpenAI"
    assert words.in_sentence("fine-tuning") == "fine-tuning"


def _tiled(*winners: tuple[int, str | None]) -> BreakEven:
    firsts = [first for first, _ in winners] + [1001]
    return BreakEven("a", "b", tuple(Interval(f, firsts[i + 1] - 1, w) for i, (f, w) in enumerate(winners)))


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (_tiled((1, None)), "A and b cost the same at every volume up to 1,000 requests a month."),
        (_tiled((1, "a")), "A is cheaper than b at every volume up to 1,000 requests a month."),
        (_tiled((1, "b")), "B is cheaper than a at every volume up to 1,000 requests a month."),
        (_tiled((1, "a"), (486, "b")), "B is cheaper than a from 486 requests a month."),
        (_tiled((1, "b"), (486, "a")), "A is cheaper than b from 486 requests a month."),
        (_tiled((1, "b"), (200, "a"), (300, "b")), "A is cheaper than b only from 200 to 299 requests a month."),
        (_tiled((1, "a"), (200, "b"), (300, "a")), "B is cheaper than a only from 200 to 299 requests a month."),
        (
            _tiled((1, "a"), (200, "b"), (300, "a"), (400, "b")),
            "A is cheaper than b below 200 requests a month, b from 400; in between they change places three times.",
        ),
        (
            _tiled((1, "a"), (200, "b"), (300, "a"), (400, "b"), (500, "a")),
            "A is cheaper than b below 200 and from 500 requests a month; in between they change places four times.",
        ),
        (
            _tiled((1, "a"), (200, None), (300, "b")),
            "B is cheaper than a from 300 requests a month; they cost the same from 200 to 299.",
        ),
    ],
)
def test_every_kind_of_break_even_is_a_sentence(found, sentence):
    assert words.break_even_sentence(found) == sentence


def test_the_verdict_says_from_where_fine_tuning_pays(by_hand):
    # 12 × V × 800 / 1e6 = 1,000 + 100 × 200 × 10 / 1e6: V = 104,188
    assert words.verdict(by_hand) == (
        "Do not fine-tune: at 10,000 requests a month prompting is the cheaper of two approaches; "
        "fine-tuning is cheaper only from 104,000"
    )
    assert words.reasons(by_hand) == (
        "Prompting costs $144 over 12 months, $904 less than fine-tuning, and stays cheapest up to 104,000 requests a month. "
        "Quality is not included: no approach states an accepted share."
    )


def test_of_three_the_verdict_is_about_the_cheapest_of_all(answer, prompting, tuned):
    three = answer(approaches={"prompting": prompting(), "few-shot": prompting(), "fine-tuning": tuned()})
    assert words.verdict(three).endswith("; fine-tuning is the cheapest of all only from 104,000")


def test_above_the_break_even_it_says_fine_tune(answer):
    assert words.verdict(answer(500_000)) == (
        "Fine-tune: at 500,000 requests a month it is the cheaper of two approaches; it stays cheapest from 104,000 up"
    )


def test_beside_the_break_even_the_volumes_differ(answer):
    verdict = words.verdict(answer(104_180))
    assert "at 104,180 requests" in verdict
    assert verdict.endswith("is cheaper only from 104,190")


def test_never(answer, prompting, tuned):
    longer = answer(approaches={"few-shot": None, "prompting": prompting(), "fine-tuning": tuned(instruction_tokens=2000)})
    assert words.verdict(longer).endswith("fine-tuning is cheaper at no volume up to 10 million")


def test_what_cannot_be_compared_is_not_advised_against(answer, prompting, tuned):
    found = answer(approaches={"few-shot": None, "prompting": prompting(), "fine-tuning": tuned(model="acme/unpriced")})
    assert words.verdict(found) == (
        "Use prompting: at 10,000 requests a month it is the only one of two approaches that can be priced; "
        "fine-tuning has no price for input tokens and three other lines"
    )
    assert [badge.kind for badge in words.badges(found)] == ["until", "partial"]


def test_an_approach_that_ends_is_unavailable_from_a_day(answer, prompting):
    ends = prompting(model="acme/ending", after_end="unavailable")
    found = answer(approaches={"few-shot": None, "prompting": prompting(), "ending": ends})
    assert words.break_even_sentences(found) == ["Ending is unavailable from 1 March 2027, so it has no break-even."]
    assert "Ending is unavailable from 1 March 2027: acme/ending ends on 1 March 2027" in words.reasons(found)
    assert words.Badge("closed", "ending: ends on 1 Mar 2027") in words.badges(found)


def test_equal_costs_name_no_winner(answer, prompting):
    found = answer(approaches={"few-shot": None, "prompting": prompting(), "the same": prompting()})
    assert words.verdict(found) == "Use prompting: at 10,000 requests a month no approach is cheaper"
    assert "as much as the same" in words.reasons(found)


def test_no_approach_at_all(answer, prompting):
    found = answer(approaches={"few-shot": None, "prompting": prompting(model="acme/unpriced")})
    assert words.verdict(found) == "No approach can be priced over the whole horizon"
    assert words.break_even_sentences(found) == []


def test_ranges_are_said_to_be_computed_at_their_point(answer):
    assert words.reasons(answer({"low": 100, "likely": 150, "high": 900})).endswith(
        "The volume is a range, 100 to 900, computed at 150."
    )


def test_lost_answers_are_compared_at_equal_accepted_ones(answer, prompting, tuned):
    approaches = {"few-shot": None, "prompting": prompting(accepted=0.5), "fine-tuning": tuned(accepted=1.0)}
    task = {"kind": "style", "examples": 100, "tokens_per_example": 200, "failure_mode": "discard"}
    found = answer(approaches=approaches, task=task)
    assert words.per_month(found) == "accepted answers a month"
    # twice the requests: 2 × $144
    assert "Prompting costs $288 over 12 months at equal accepted answers" in words.reasons(found)
    assert words.approach_rows(found)[0].total == "$288"
    assert words.cards_caption(found) == "Total over 12 months from December 2026, at 10,000 accepted answers a month"


@pytest.mark.parametrize(("value", "worth"), [(None, 0.0), ({"usd_per_accepted_answer": 0.01}, 0.01)])
def test_the_figures_of_a_card_share_one_basis(answer, prompting, tuned, value, worth):
    approaches = {"few-shot": None, "prompting": prompting(accepted=0.5), "fine-tuning": tuned(accepted=0.8)}
    task = {"kind": "style", "examples": 100, "tokens_per_example": 200, "failure_mode": "discard"}
    found = answer(approaches=approaches, task=task, value=value)
    for result in found.available.values():
        sent = 12 * words.shown_requests(result)
        # 10,000 accepted answers a month, or 10,000 requests where their value is counted
        assert sent == pytest.approx(120_000 if worth else 120_000 / result.accepted)
        assert words.per_request_usd(result) * sent == pytest.approx(words.total_usd(found, result.name))
        assert words.per_accepted_usd(result) * sent * result.accepted == pytest.approx(words.total_usd(found, result.name))
        lines = float(sum(line.total(words.shown_requests(result)) for line in result.ledger.lines))
        assert lines - worth * sent * result.accepted == pytest.approx(words.total_usd(found, result.name))


def test_value_that_is_counted_is_said(answer, prompting, tuned):
    approaches = {"few-shot": None, "prompting": prompting(accepted=0.5), "fine-tuning": tuned(accepted=0.8)}
    task = {"kind": "style", "examples": 100, "tokens_per_example": 200, "failure_mode": "discard"}
    found = answer(approaches=approaches, task=task, value={"usd_per_accepted_answer": 0.01})
    # 12 × 10,000 × ($0.0012 − 0.5 × $0.01)
    assert words.reasons(found).startswith("Prompting costs −$456 over 12 months net of the value of accepted answers, ")
    assert words.cards_caption(found).endswith(", net of the value of accepted answers")


def test_seconds_that_are_counted_are_said(answer, prompting, tuned):
    approaches = {
        "few-shot": None,
        "prompting": prompting(accepted=0.5, seconds_per_answer=3),
        "fine-tuning": tuned(accepted=0.8, seconds_per_answer=1),
    }
    task = {"kind": "style", "examples": 100, "tokens_per_example": 200, "rejected_answer_usd": 0.1}
    found = answer(approaches=approaches, task=task, value={"usd_per_second_saved": 0.1})
    assert " over 12 months net of the value of seconds saved, " in words.reasons(found)
    lost = task | {"rejected_answer_usd": None}
    both = answer(approaches=approaches, task=lost, value={"usd_per_second_saved": 0.1, "usd_per_accepted_answer": 0.1})
    assert words.cards_caption(both).endswith(", net of the value of accepted answers and seconds saved")


def test_an_approach_without_seconds_is_said_to_lack_them(answer, prompting, tuned):
    approaches = {"few-shot": None, "prompting": prompting(seconds_per_answer=3), "fine-tuning": tuned()}
    found = answer(approaches=approaches, value={"usd_per_second_saved": 0.1})
    assert "fine-tuning has no price for seconds saved" in words.reasons(found) + words.verdict(found)


def test_an_approach_whose_answers_all_fail_still_shows_its_lines(answer, prompting):
    approaches = {"few-shot": None, "prompting": prompting(accepted=0.5), "hopeless": prompting(accepted=0)}
    task = {"kind": "style", "failure_mode": "discard"}
    hopeless = answer(approaches=approaches, task=task).results["hopeless"]
    assert [words.line_amount(line, hopeless) for line in hopeless.ledger.lines][:3] == ["no price", "$120", "$24"]


def test_a_lead_fits_a_card(answer, prompting, tuned):
    short = answer()
    assert [words.lead_on_card(short, name) for name in short.available] == ["cheaper", "+$904 vs Prompting"]
    named = {"few-shot": None, "prompting": tuned(), "a name of many letters": prompting()}
    long = answer(approaches=named)
    assert words.lead_on_card(long, "prompting") == "+$904 vs cheapest"
    assert words.lead(long, "prompting") == "+$904"


@pytest.mark.parametrize(
    ("name", "heading"), [("ml_engineer", "ML engineer"), ("support_agent", "Support agent"), ("html_author", "Html author")]
)
def test_roles_are_headings(name, heading):
    assert words.role(name) == heading


def test_a_model_that_ends_falls_back_and_says_so(answer, prompting):
    found = answer(approaches={"few-shot": None, "prompting": prompting(), "ending": prompting(model="acme/ending")})
    assert "Ending lasts until March 2027, from when prompting stands in for it." in words.reasons(found)
    assert words.approach_rows(found)[1].status == "Until Mar 2027, then prompting"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (10_000_000_000, "10,000,000,000"),
        (12_345_678_901, "12,345,678,901"),
        (1e6, "1,000,000"),
        (100.5, "100.5"),
        (-0.00000025, "−0.00000025"),
        (1 / 3, "0.3333333333"),
        (0, "0"),
        (1e300, "1e+300"),
    ],
)
def test_a_number_that_was_put_in_shows_its_digits(number, text):
    assert words.put_in(number) == text
