"""Training data: one file in, every provider's bill out, with what is wrong with it, what tuning saves and the staff time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from math import floor, log10
from typing import Any, get_args

import pandas as pd
import streamlit as st

from app_pages import inputs, own_prices, shared, training_file
from app_pages.training_file import Desk, Question, Reading
from calc.parts.tuning import longest_example
from calc.scenario import TaskKind
from calc.staff_time import ENDS, Source, staff_time
from calc.training_bill import Job, Standing, TrainingBill, last_training_day, training_bills
from ingest.bills import method_of_kind, training_sets
from ingest.counting import Counting
from ingest.data_scenario import DEFAULT_TUNED, DEFAULT_TUNED_OTHERWISE, DEFAULT_VOLUME, scenario_from_data
from ingest.errors import InputError, NotInstalled
from ingest.formats import FORMATS
from ingest.inspection import upload_of, uploads
from ingest.lengths import FamilyLengths, percentile
from pricing import Rates
from pricing.book import Method
from reports import training_words, words
from reports.charts import length_chart
from reports.csv import safe
from reports.plotly_charts import CONFIG, length_figure
from tuneworth.clock import today

DETECTED = "Detected"
BY_KIND = "By the examples"
METHOD_LABELS: dict[str, str] = {
    BY_KIND: BY_KIND, "sft": "SFT, supervised", "dpo": "DPO, preferences", "rft": "RFT, reinforcement", "cpt": "CPT, plain text",
}  # fmt: skip
SOURCE_LABELS: dict[Source, str] = {
    "logs": "From logs",
    "hand": "Written by hand",
    "teacher": "By a teacher model",
    "bought": "Bought",
}
CLOSINGS = ("closed_to_new_customers", "closed_to_inactive")
PROBLEMS_SHOWN = 8
MOST_EPOCHS = 1000
Countings = Mapping[str, tuple[Counting, str]]


@dataclass(frozen=True)
class Asked:
    """How the job is to be run, and by whom."""

    method: Method | None
    job: Job
    organisation: dict[str, Standing]


def page() -> None:
    desk, rates = training_file.desk(), shared.book().as_of(today())
    countings = training_file.offers_countings(rates)
    with st.sidebar:
        asked = _asked(desk, rates, countings)
    reading, problem = _read(desk, rates, countings, asked)
    if problem:
        which = "the built-in sample's" if reading.question.file.is_sample else f"{reading.question.file.name}'s, as before"
        st.error(
            f"{shared.plain(problem)}\n\nThe answer below is {shared.plain(which)}.".replace("\n", "  \n"),
            icon=":material/error:",
        )
    bills = _bills(reading, rates, countings, asked)
    _head(reading, bills, rates)
    _bills_card(bills, uploads(reading.tables))
    _lengths_card(reading, bills, rates, countings, asked.job)
    _problems_card(reading)
    _checks_card(reading, rates)
    _findings_card(reading)
    _savings_card(reading, bills, rates)
    _staff_card(reading, rates)
    st.caption(
        f"Prices as of {words.day(rates.as_of)}. An upload is kept in a temporary file of this server while this tab is open, "
        "and is not in the page's address."
    )


def _read(desk: Desk, rates: Rates, countings: Countings, how: Asked) -> tuple[Reading, str]:
    """The reading asked for, or the last that there was and why it is that one."""
    asked = desk.question
    try:
        reading = training_file.read(asked, rates, countings)
        _method(reading, how)
        desk.shown = reading
    except (InputError, NotInstalled) as error:
        desk.problem = str(error)
        before = desk.shown.question if desk.shown else None
        back = before if before not in (None, asked) else Question(desk.sample)
        desk.question = back
        desk.shown = training_file.read(back, rates, countings)
    return desk.shown, desk.problem


# --- what is asked -----------------------------------------------------------------------------------------------------------


def _asked(desk: Desk, rates: Rates, countings: Countings) -> Asked:
    st.markdown("**Training file**")
    key = f"training file {desk.round}"
    st.file_uploader(
        "Training file", key=key, on_change=_take, args=(key,), max_upload_size=1024, label_visibility="collapsed",
        help="JSON Lines, JSON, CSV or Parquet, plain, gzip or zstd, up to 1 GB. The server holds it in memory until it "
        "is whole, then moves it to disk: 1 GB takes 1 GB of memory there. For larger files use the command: tuneworth bill.",
    )  # fmt: skip
    if desk.question.file.is_sample:
        st.caption("Shown is the built-in sample: 62 lines of support replies. Drop your own file here.")
    else:
        st.caption(f":material/description: {shared.plain(desk.question.file.name)}, {_size(desk.question.file.size)}")
        st.button("Back to the sample", on_click=_sample, icon=":material/undo:", width="stretch", key="back to the sample")
    _format_input(desk)
    st.markdown("**Job**")
    method = st.selectbox("Method", list(METHOD_LABELS), format_func=METHOD_LABELS.get, key="training method")
    epochs = st.number_input(
        "Epochs", value=None, min_value=1, max_value=MOST_EPOCHS, step=1, key="training epochs",
        placeholder="each provider's rule",
        help="Passes over the file. Left empty, each provider's default counts, and where none is published the assumption "
        f"tuning.epochs: {rates.assumption('tuning.epochs').likely:g}.",
    )  # fmt: skip
    standings = _standing_inputs(rates, countings)
    with st.expander("Expert inputs (4)", icon=":material/tune:"):
        limit = st.number_input(
            "Longest example, tokens", value=None, min_value=1, step=256, placeholder="each model's limit", key="training limit",
            help="Longer examples are cut there.",
        )  # fmt: skip
        hours = st.number_input(
            "Hours of a job", value=None, min_value=0.01, step=1.0, placeholder="not stated", key="training hours",
            help="Where training is billed by the hour.",
        )  # fmt: skip
        evaluations = _validation_input(desk)
    own_prices.draw()
    job = Job(epochs=epochs, max_tokens_per_example=limit, training_hours=hours, evaluations=evaluations)
    return Asked(None if method == BY_KIND else method, job, standings)


def _format_input(desk: Desk) -> None:
    shown = desk.question.format or DETECTED
    st.selectbox(
        "Format", [DETECTED, *FORMATS], index=[DETECTED, *FORMATS].index(shown), key=f"training format {desk.round} {shown}",
        on_change=_set_format, args=(f"training format {desk.round} {shown}",), help="How the records are read.",
    )  # fmt: skip


def _validation_input(desk: Desk) -> int:
    key = f"validation file {desk.round}"
    st.file_uploader("Validation file", key=key, on_change=_take_validation, args=(key,), max_upload_size=1024)
    held_out = desk.question.validation
    if held_out is not None:
        st.caption(f":material/description: {shared.plain(held_out.name)}, {_size(held_out.size)}")
        st.button("Drop the validation file", on_click=_drop_validation, width="stretch", key="drop validation")
    return st.number_input(
        "Passes over the validation file", value=1, min_value=0, max_value=MOST_EPOCHS, step=1, key="training evaluations",
        help="In one job; billed where the provider bills validation tokens. Without a validation file it changes nothing.",
    )  # fmt: skip


def _standing_inputs(rates: Rates, offers: Iterable[str]) -> dict[str, Standing]:
    """One select for each provider that is closed to some organisations."""
    found: dict[str, Standing] = {}
    closing = (o for o in offers if any(event.event in CLOSINGS for event in rates.lifecycle(o)))
    for id_ in dict.fromkeys(offer.partition("/")[0] for offer in closing):
        found[id_] = st.selectbox(
                f"Standing with {rates.book.provider(id_).name}", get_args(Standing), key=f"training standing {id_}",
                help="Decides who may still tune there: new, inactive or active. Default: new.",
            )  # fmt: skip
    return found


def _take(key: str) -> None:
    desk = training_file.desk()
    found = training_file.taken(key)
    if found is not None:
        desk.problem, desk.question, desk.round = "", Question(found), desk.round + 1


def _take_validation(key: str) -> None:
    desk = training_file.desk()
    found = training_file.taken(key)
    if found is not None:
        desk.problem, desk.question = "", Question(desk.question.file, found, desk.question.format)
        desk.round += 1


def _drop_validation() -> None:
    desk = training_file.desk()
    desk.problem, desk.question = "", Question(desk.question.file, None, desk.question.format)


def _set_format(key: str) -> None:
    desk, wanted = training_file.desk(), st.session_state[key]
    desk.problem = ""
    desk.question = Question(desk.question.file, desk.question.validation, None if wanted == DETECTED else wanted)


def _sample() -> None:
    desk = training_file.desk()
    desk.problem, desk.question = "", Question(desk.sample)


def _size(bytes_: int) -> str:
    return f"{bytes_ / 1e6:,.1f} MB" if bytes_ >= 1e6 else f"{bytes_ / 1e3:,.0f} kB"


# --- the bills ---------------------------------------------------------------------------------------------------------------


def _bills(reading: Reading, rates: Rates, countings: Countings, asked: Asked) -> tuple[TrainingBill, ...]:
    """Every offer's bill; the last ones are remembered, as most changes of the page leave them as they are."""
    method = _method(reading, asked)
    key = (id(reading), rates.as_of, shared.book().own_files, method, asked.job, tuple(sorted(asked.organisation.items())))
    if (last := st.session_state.get("training bills")) is not None and last[0] == key:
        return last[1]
    job = Job(**(_shallow(asked.job) | {"method": method}))
    found = training_bills(
        rates, training_sets(reading.measured, reading.validation, countings), job, organisation=asked.organisation
    )
    st.session_state["training bills"] = (key, found)
    return found


def _method(reading: Reading, asked: Asked) -> Method:
    """As it is asked for, or as most examples are trained on.

    Raises:
        InputError: nobody trains on such examples.
    """
    return asked.method or method_of_kind(reading.measured.examples.most_common(1)[0][0], reading.measured.name)


def _shallow(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _head(reading: Reading, bills: tuple[TrainingBill, ...], rates: Rates) -> None:
    measured = reading.measured
    left_out = training_words.left_out(measured) + training_words.left_out(reading.validation)
    taken = uploads(reading.tables)
    st.title(shared.plain(training_words.verdict(_name(reading), bills, left_out, taken)), anchor=False)
    st.markdown(shared.plain(training_words.reasons(bills, taken)))
    with st.container(horizontal=True, gap="xsmall"):
        if reading.question.file.is_sample:
            st.badge("Built-in sample, not your file", icon=":material/science:", color="orange")
        found = list(measured.formats.values())
        st.badge(shared.plain(measured.format), icon=":material/description:", color="gray")
        exact = sum(bill.exact for bill in bills if bill.status == "billed")
        billed = sum(bill.status == "billed" for bill in bills)
        st.badge(f"Counted exactly for {exact} of {billed} offers, estimated for the others", icon=":material/tag:", color="gray")
        if measured.media:
            st.badge(f"{measured.media:,} images, sounds or files are not counted", icon=":material/warning:", color="orange")
    evidence = "; ".join(dict.fromkeys(detected.evidence for detected in found if detected.evidence))
    others = list(dict.fromkeys(name for detected in found for name in detected.alternatives))
    st.caption(shared.plain(
        (f"Format: {evidence}. " if evidence else "Format: as you set it. ")
        + (f"It could also be read as {words.listed(others, 'or')}. " if others else "")
        + f"{_size(reading.question.file.size)}, read in {reading.seconds:.1f} s."
    ))  # fmt: skip
    _cards(reading, bills, rates)


def _name(reading: Reading) -> str:
    return "the sample" if reading.question.file.is_sample else reading.question.file.name


def _cards(reading: Reading, bills: tuple[TrainingBill, ...], rates: Rates) -> None:
    counting = training_file.default_counting(rates)
    family = _family(reading, counting)
    left_out = reading.measured.problem_count
    billed = [bill for bill in bills if bill.status == "billed"]
    cutting = [bill for bill in billed if bill.truncated_examples]
    cards = {
        "Usable examples": (f"{reading.measured.examples.total():,}", f"{left_out:,} left out", bool(left_out)),
        "Training tokens, one pass": (
            f"{family.total_tokens():,}",
            f"{words.percent_whole(family.trained_tokens / (family.total_tokens() or 1))} learned", False,
        ),
        "Longest, tokens": (f"{max(family.lengths):,}", f"median {percentile(family.lengths, 0.5):,}", False),
        "Truncated examples": (
            f"{max((bill.truncated_examples for bill in cutting), default=0):,}",
            f"at {len(cutting)} of {len(billed)} offers" if cutting else "at no offer", bool(cutting),
        ),
        "Prompt tokens saved": (f"{reading.data.saved_tokens_per_request:,}", "per request", False),
    }  # fmt: skip
    with st.grid(5, min_column_width=165, gap="small"):
        for label, (value, beside, warns) in cards.items():
            with st.container(border=True, height="stretch"):
                st.metric(label, value, beside, delta_color="orange" if warns else "off", delta_arrow="off")
    st.caption(shared.plain(
        f"Training tokens and the longest example are counted by {training_words.basis(counting)}, as tuneworth tokens "
        "does; each bill, and what it truncates, by its own model's count."
    ))  # fmt: skip


def _family(reading: Reading, counting: Counting) -> FamilyLengths:
    found = reading.measured.family(counting)
    return found if counting.factor is None else found.scaled(counting.factor.likely)


def _bills_card(bills: tuple[TrainingBill, ...], taken: Mapping[str, str]) -> None:
    billed = [bill for bill in bills if bill.status == "billed"]
    others = [bill for bill in bills if bill.status != "billed"]
    able = training_words.taking(billed, taken)
    providers = len({bill.provider for bill in able})
    box, row = shared.card(
        f"{training_words.counted(len(able), 'offer')} of {training_words.counted(providers, 'provider')} can train on it today"
    )
    row.download_button(
        "Bills, CSV",
        data=lambda: _bills_csv(bills, taken),
        file_name="bills.csv",
        mime="text/csv",
        on_click="ignore",
        key="download bills",
    )
    with box:
        st.caption("US$; the cheapest run first. Select a row to see how it comes about. A missing price stays missing.")
        picked: TrainingBill | None = None
        if billed:
            table = pd.DataFrame([_bill_row(bill, taken) for bill in billed])
            rows = st.dataframe(
                table, hide_index=True, height=min(38 + 35 * len(table), 458), key=_table_key(billed),
                selection_mode="single-row", on_select="rerun", column_config=_bill_columns(table), placeholder=words.MISSING,
                alt=f"{len(billed)} bills for one tuning run, from {words.money_run(billed[0].job_usd)}.",
            ).selection.rows  # fmt: skip
            picked = billed[rows[0]] if rows and rows[0] < len(billed) else None
        if picked is not None:
            _one_bill(picked)
        if others:
            with st.expander(f"Not to be had, or without a price: {training_words.counted(len(others), 'offer')}"):
                st.dataframe(
                    pd.DataFrame([_other_row(bill) for bill in others]), hide_index=True, height="content",
                    column_config={
                        "Run": st.column_config.NumberColumn(format="$%.2f"), "Why": st.column_config.TextColumn(width="large"),
                        **shared.source_columns(),
                    },
                    placeholder=words.MISSING, alt="Offers that cannot be had today or have no price, with the reason.",
                )  # fmt: skip


def _table_key(billed: list[TrainingBill]) -> str:
    """Another for other rows, so that a selected row never means another offer."""
    return f"bills table {hash(tuple((bill.offer, bill.method, bill.technique, bill.deployment) for bill in billed))}"


def _bill_row(bill: TrainingBill, taken: Mapping[str, str]) -> dict[str, Any]:
    rate = bill.usd_per_mtok if bill.usd_per_mtok is not None else bill.usd_per_hour
    last = last_training_day(bill)
    return {
        "Provider": bill.provider,
        "Model": bill.name,
        "Run": bill.job_usd,
        "Kept a month": training_words.kept_usd(bill),
        "Upload": upload_of(bill.offer, bill.name, taken),
        "In, per M": bill.input_usd_per_mtok,
        "Out, per M": bill.output_usd_per_mtok,
        "Billed tokens": None if bill.billed_tokens is None else round(bill.billed_tokens),
        "Rate": rate,
        "Rate is per": "M tokens" if bill.usd_per_mtok is not None else "hour",
        "Epochs": bill.epochs,
        "Epochs from": bill.epochs_basis or None,
        "Bounds": training_words.bounds(bill) or None,
        "Train until": last,
        "Answers until": bill.answers_before,
        "Cut": bill.truncated_examples or None,
        "Method": training_words.method(bill),
        "Count": "exact" if bill.exact else "estimate",
    }


def _bill_columns(table: pd.DataFrame) -> dict[str, Any]:
    day = st.column_config.DateColumn(format="D MMM YYYY")
    return {
        "Provider": st.column_config.TextColumn(width=170),
        "Model": st.column_config.TextColumn(width=210),
        "Run": st.column_config.NumberColumn(format=f"$%.{_decimals(table['Run'])}f"),
        "Kept a month": st.column_config.NumberColumn(format="$%.2f", help="Hosting for 730 hours, and storage."),
        "Upload": st.column_config.TextColumn(width=150, help="What the provider does with the file as it is, as far as known."),
        "In, per M": st.column_config.NumberColumn(format="$%.3f", help="Tuned model, US$ per million input tokens."),
        "Out, per M": st.column_config.NumberColumn(format="$%.3f", help="Tuned model, US$ per million output tokens."),
        "Billed tokens": st.column_config.NumberColumn(format="localized"),
        "Rate": st.column_config.NumberColumn(format="$%.3f"),
        "Epochs": st.column_config.NumberColumn(format="%g"),
        "Train until": day,
        "Answers until": st.column_config.DateColumn(format="D MMM YYYY", help="First day on which it no longer answers."),
        "Cut": st.column_config.NumberColumn(format="localized", help="Examples longer than the model's limit."),
    }  # fmt: skip


def _decimals(costs: pd.Series) -> int:
    """Of a column of costs: 2, or as many as its smallest needs for one digit."""
    known = [cost for cost in costs.dropna() if cost > 0]
    return max(2, -floor(log10(min(known)))) if known else 2


def _other_row(bill: TrainingBill) -> dict[str, Any]:
    why, _, source = (bill.refused or bill.unpriced).partition(" (https://")
    page = f"https://{source.partition(',')[0].rstrip(')')}" if source and bill.refused else None
    return {
        "Provider": bill.provider, "Model": bill.name, "Status": "Closed" if bill.refused else "No price", "Run": bill.job_usd,
        "Why": words.days_in_words(why if page else bill.refused or bill.unpriced), "Page": page,
    }  # fmt: skip


def _one_bill(bill: TrainingBill) -> None:
    st.markdown(
        f"**{shared.plain(training_words.where(bill))}**: {words.money_run(bill.job_usd).replace('$', chr(92) + '$')} a run"
    )
    st.markdown(f"Run = {shared.plain(words.amounts_in_words(bill.formula))}")
    said = [f"counted by {bill.counted_by}", f"kept: {bill.hosting_basis}"]
    said += [f"{bill.truncated_examples:,} examples lose {bill.lost_tokens:,} tokens a pass"] if bill.truncated_examples else []
    if bill.months_of_answers is not None:
        said.append(f"answers for {words.months(bill.months_of_answers)}")
    st.caption(shared.plain("; ".join([*said, *bill.notes]) + "."))
    st.dataframe(
        pd.DataFrame(shared.price_rows(list(bill.prices))), hide_index=True, height="content",
        column_config=shared.price_columns(), placeholder=words.MISSING, alt="Price rows of this bill, with their sources.",
    )  # fmt: skip


def _bills_csv(bills: tuple[TrainingBill, ...], taken: Mapping[str, str]) -> bytes:
    rows = []
    for bill in bills:
        row = {key: value for key, value in asdict(bill).items() if key not in ("prices", "notes")}
        row |= {"status": bill.status, "first_month_usd": bill.first_month_usd, "last_training_day": last_training_day(bill)}
        row |= {"upload": upload_of(bill.offer, bill.name, taken)}
        row |= {"notes": "; ".join(bill.notes), "sources": "; ".join(dict.fromkeys(price.source for price in bill.prices))}
        rows.append({key: safe(value) if isinstance(value, str) else value for key, value in row.items()})
    return pd.DataFrame(rows).to_csv(index=False).encode()


# --- lengths and problems ----------------------------------------------------------------------------------------------------


def _lengths_card(reading: Reading, bills: tuple[TrainingBill, ...], rates: Rates, countings: Countings, job: Job) -> None:
    default = training_file.default_counting(rates)
    ways = _ways(bills, countings, default)
    slot = st.container()
    label = st.session_state.get("training counted by")
    label = label if label in ways else training_words.basis(default)
    counting, offers = ways[label]
    family = _family(reading, counting)
    pairs = reading.measured.examples["preference"] > 0
    each = "prompts with either answer" if pairs else "examples"
    chart = length_chart(family.lengths, label, _limits(offers, rates, job), each)
    with slot:
        box, row = shared.card(chart.title)
    row.selectbox(
        "Counted by", list(ways), index=list(ways).index(label), key="training counted by", width=330,
        label_visibility="collapsed",
    )  # fmt: skip
    with box:
        st.caption(shared.plain(chart.caption))
        st.plotly_chart(length_figure(chart, shared.theme()), theme=None, config=CONFIG, alt=chart.alt, key="lengths")
        for note in counting.notes():
            st.caption(shared.plain(words.without_sources(f"{note[:1].upper()}{note[1:]}.")))


def _ways(bills: tuple[TrainingBill, ...], countings: Countings, default: Counting) -> dict[str, tuple[Counting, list[str]]]:
    """Ways of counting by their words, and the offers with a bill that count so, the most used first."""
    found: dict[str, tuple[Counting, list[str]]] = {training_words.basis(default): (default, [])}
    for offer in dict.fromkeys(bill.offer for bill in bills if bill.status == "billed" and bill.offer in countings):
        counting = countings[offer][0]
        found.setdefault(training_words.basis(counting), (counting, []))[1].append(offer)
    return dict(sorted(found.items(), key=lambda way: -len(way[1][1])))


def _limits(offers: list[str], rates: Rates, job: Job) -> dict[int, str]:
    found: dict[int, list[str]] = {}
    for offer in offers:
        limit = longest_example(rates, offer, job.max_tokens_per_example)
        if limit is not None:
            found.setdefault(limit, []).append(rates.item(offer)[2].name)
    return {limit: names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "") for limit, names in found.items()}


def _problems_card(reading: Reading) -> None:
    problems = reading.problems
    total = problems.kinds.total()
    if not total:
        box, _ = shared.card("Every line can be trained on")
        box.caption(f"None of {reading.measured.examples.total():,} examples is left out.")
        return
    box, row = shared.card(f"{training_words.counted(total, 'line')} left out of every figure")
    row.download_button(
        "Problems, CSV", data=training_file.problem_csv(problems), file_name="problems.csv", mime="text/csv", on_click="ignore",
        key="download problems",
    )  # fmt: skip
    with box:
        kinds = pd.DataFrame([{"Lines": count, "Problem": kind} for kind, count in problems.kinds.most_common(20)])
        first = [*reading.measured.problems, *(reading.validation.problems if reading.validation else ())][:PROBLEMS_SHOWN]
        cases = pd.DataFrame(
            [{"Line": p.line, "First cases": p.wrong[:300]} | ({"File": p.file} if reading.validation else {}) for p in first]
        )
        left, right = st.columns([1, 1.25])
        left.dataframe(
            kinds, hide_index=True, height="content", placeholder=words.MISSING,
            alt=f"{len(kinds)} kinds of problems with their counts.",
            column_config={
                "Problem": st.column_config.TextColumn(width="large"),
                "Lines": st.column_config.NumberColumn(format="localized", width="small"),
            },
        )  # fmt: skip
        right.dataframe(
            cases, hide_index=True, height="content", placeholder=words.MISSING, alt=f"The first {len(cases)} problems by line.",
            column_config={
                "Line": st.column_config.NumberColumn(format="localized", width="small"),
                "First cases": st.column_config.TextColumn(width="large"),
            },
        )  # fmt: skip
        listed = "" if problems.listed == total else f", the first {problems.listed:,} of them"
        st.caption(f"Mend them and drop the file again. The CSV has every one{listed}.")


def _checks_card(reading: Reading, rates: Rates) -> None:
    """What each provider's rules say of the file."""
    rows = reading.tables.checks
    providers = dict.fromkeys(row["provider"] for row in rows)
    refusing = {row["provider"] for row in rows if str(row["severity"]).startswith("rejects")}
    box, _ = shared.card(f"{len(providers) - len(refusing)} of {len(providers)} providers take the file as it is")
    with box:
        st.caption(
            "By each provider's published rules for uploads, on the lines that are not left out. Convert the format where it is "
            "refused: the bills above are the same."
        )
        table = [
            {
                "Provider": rates.book.provider(row["provider"]).name,
                "It": row["severity"] or "takes it",
                "Lines": None if row["severity"] == "rejects the file" else row["cases"] or None,
                "Why": row["problem"],
                "Expected": row["expected"] or None,
                "First lines": row["lines"] or None,
                "Page": shared.link(row["source"]),
                "Read on": row["source_date"] or None,
            }
            for row in rows
        ]
        st.dataframe(
            pd.DataFrame(table), hide_index=True, height=min(38 + 35 * len(table), 400), placeholder=words.MISSING,
            column_config={
                "Provider": st.column_config.TextColumn(width=150),
                "It": st.column_config.TextColumn("What it does", width=120),
                "Lines": st.column_config.NumberColumn(format="localized", width="small"),
                "Why": st.column_config.TextColumn(width=330),
                "Expected": st.column_config.TextColumn(width="medium"),
                "Read on": st.column_config.DateColumn(format="D MMM YYYY"),
                **shared.source_columns(),
            },
            alt=f"Rules of {len(providers)} providers that the file breaks, with lines and sources.",
        )  # fmt: skip


def _findings_card(reading: Reading) -> None:
    """What a look at the examples' quality found."""
    rows = reading.tables.findings
    if not reading.has_findings:
        box, _ = shared.card("Quality is not looked at in a file this large")
        limit = training_file.FINDINGS_UP_TO_BYTES / 1e6
        box.caption(f"Up to {limit:.0f} MB this page looks for duplicates, leaks and outliers. The command does it for any file.")
        return
    found = training_words.counted(len(rows), "finding") if rows else "Nothing odd found"
    box, _ = shared.card(f"{found} on the quality of the examples")
    if not rows:
        box.caption("No duplicates, contradictions, empty answers, outliers or leaks into validation.")
        return
    with box:
        st.caption("A finding leaves nothing out of the figures: it is for you to judge.")
        st.dataframe(
            pd.DataFrame([
                {
                    "Finding": row["finding"].capitalize(), "Cases": row["cases"], "What": row["words"],
                    "What to do": row["advice"], "First lines": row["lines"] or None,
                }
                for row in rows
            ]),
            hide_index=True, height="content", placeholder=words.MISSING,
            column_config={
                "Cases": st.column_config.NumberColumn(format="localized", width="small"),
                "What": st.column_config.TextColumn(width=300), "What to do": st.column_config.TextColumn(width=330),
            },
            alt=f"{len(rows)} findings on quality, with cases, first lines and advice.",
        )  # fmt: skip


# --- what tuning saves, and who works on it ------------------------------------------------------------------------------------


def _savings_card(reading: Reading, bills: tuple[TrainingBill, ...], rates: Rates) -> None:
    data = reading.data
    saved = data.saved_tokens_per_request
    title = (
        f"A tuned model saves {saved:,} prompt tokens a request"
        if saved
        else "The examples share no prompt that tuning would save"
    )
    box, _ = shared.card(title)
    with box:
        if saved:
            share = words.percent(data.with_opening_share)
            shots = (
                f" and {training_words.counted(data.shots, 'shown example')}, {data.few_shot_tokens:,} tokens"
                if data.shots
                else ""
            )
            st.caption(shared.plain(
                f"{share} of the examples begin alike: instructions of {data.instruction_tokens:,} tokens{shots}; "
                f"counted by {data.counted_by}. A model tuned on the examples without it is asked without it."
            ))  # fmt: skip
            with st.expander("What they begin with, shortened"):
                for message in data.opening:
                    st.text(message if len(message) < 400 else f"{message[:400]} …")
        else:
            st.caption("More than half of them would have to begin with the same instructions or shown examples.")
        _use_in_scenario(reading, bills, rates)


def _use_in_scenario(reading: Reading, bills: tuple[TrainingBill, ...], rates: Rates) -> None:
    tunable = _tunable(bills)
    default = DEFAULT_TUNED if DEFAULT_TUNED in tunable else DEFAULT_TUNED_OTHERWISE
    with st.grid(3, min_column_width=220, gap="small", vertical_alignment="bottom"):
        volume = st.number_input(
            "Requests per month", value=DEFAULT_VOLUME, min_value=1, max_value=10**12, step=1000, key="training volume",
            help="Each is one answer like those in the file.",
        )  # fmt: skip
        tuned = st.selectbox(
            "Tuned model", list(tunable), index=list(tunable).index(default) if default in tunable else 0, key="training tuned",
            format_func=tunable.get, help="Offers that bill its answers by the token.", disabled=not tunable,
        )  # fmt: skip
        used = st.button(
            "Use in scenario", icon=":material/arrow_forward:", width="stretch", key="use in scenario",
            disabled=not tunable,
        )  # fmt: skip
    if used:
        kind = st.session_state.get("training kind", "style")
        try:
            made = scenario_from_data(reading.data, rates, requests_per_month=int(volume), tuned_model=tuned, kind=kind)
        except shared.REFUSALS as error:
            st.error(shared.plain(str(error)), icon=":material/error:")
            return
        inputs.load(f"{made.scenario.name}.json", made.scenario.model_dump_json(exclude_unset=True, indent=2))
        st.switch_page("app_pages/decide.py")
    st.caption(
        "Opens the Decide page with prompting, few-shot where the file shows examples, and fine-tuning, on this file's tokens."
    )


def _tunable(bills: tuple[TrainingBill, ...]) -> dict[str, str]:
    return {
        bill.offer: training_words.where(bill)
        for bill in bills
        if bill.status == "billed" and None not in (bill.input_usd_per_mtok, bill.output_usd_per_mtok)
    }


def _staff_card(reading: Reading, rates: Rates) -> None:
    slot = st.container()
    kinds, sources = get_args(TaskKind), get_args(Source)
    kind = st.session_state.get("training kind", "preference" if reading.data.kind == "preference" else "style")
    source = st.session_state.get("training source", "logs")
    needed = staff_time(rates, reading.measured.examples.total(), kind, source=source)
    low, likely, high = (words.money(needed.usd(end)) for end in ENDS)
    with slot:
        box, _ = shared.card(f"Staff time for such a file: {likely}, between {low} and {high}")
    with box:
        with st.grid(2, min_column_width=220, gap="small"):
            st.selectbox("Kind of task", kinds, index=kinds.index(kind), key="training kind", format_func=str.capitalize)
            st.selectbox(
                "Examples come", sources, index=sources.index(source), key="training source", format_func=SOURCE_LABELS.get
            )
        st.caption(shared.plain(
            f"{words.role(needed.role)} at {words.money_cents(needed.usd_per_hour)} an hour; "
            "every assumption at its favourable, likely and unfavourable end."
        ))  # fmt: skip
        rows = [
            {"Step": step.name.capitalize()} | {end.capitalize(): getattr(step, end) for end in ENDS} for step in needed.steps
        ]
        rows.append({"Step": "All steps"} | {end.capitalize(): needed.hours(end) for end in ENDS})
        st.dataframe(
            pd.DataFrame(rows), hide_index=True, height="content", placeholder=words.MISSING,
            alt="Hours of staff by step, low, likely and high.",
            column_config={
                end.capitalize(): st.column_config.NumberColumn(f"{end.capitalize()}, hours", format="%.1f") for end in ENDS
            },
        )  # fmt: skip
        names = dict.fromkeys(name for step in needed.steps for name in step.assumptions)
        with st.expander(f"What the hours rest on: {len(names)} assumptions and a wage"):
            st.dataframe(
                pd.DataFrame(shared.assumption_rows({name: rates.assumption(name) for name in names})), hide_index=True,
                column_config=shared.assumption_columns(), placeholder=words.MISSING, alt="Assumptions of the hours.",
            )  # fmt: skip
            st.dataframe(
                pd.DataFrame(shared.price_rows([needed.wage])), hide_index=True, column_config=shared.price_columns(),
                placeholder=words.MISSING, alt="The wage, with its source.",
            )  # fmt: skip


shared.guarded(page, "There are no bills for this file", "Pick another file, or go back to the sample in the sidebar.")
