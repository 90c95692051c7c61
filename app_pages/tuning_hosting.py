"""Tuning & hosting: managed services beside own GPUs, for one tuning run and for a month of requests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app_pages import shared, training_file
from app_pages import tuning_hosting_inputs as inputs
from app_pages.tuning_hosting_inputs import Asked
from calc.hardware import memory, serving_throughput, training_time
from calc.hardware.plans import (
    Demand,
    Latency,
    Refused,
    ServingChoice,
    ServingPlan,
    TuningChoice,
    TuningPlan,
    TuningTask,
    owned_hour,
    precision_of,
    serving_plans,
    tuning_plans,
    tuning_run,
    tuning_setup,
)
from calc.hardware.renting import spot_load
from calc.hardware.serving_throughput import TokenShape, replicas
from calc.parts.serving import peak_requests_per_second
from calc.timeline import DAYS_PER_MONTH, HOURS_PER_MONTH
from calc.training_bill import Job, TrainingBill, TrainingSet, training_bills, training_offers
from ingest.bills import training_sets
from ingest.counting import Counting
from pricing import PriceBook, PricingError, Rates
from pricing.model import Fit, Price
from reports import hardware_words, training_words, words
from reports.charts import Plan, cost_hours_chart, memory_chart, replica_chart, utilisation_chart
from reports.hardware_words import LIMIT_LABELS, SERVICE_LABELS, TECHNIQUE_LABELS, TokenOffer
from reports.palette import MEMORY_GROUPS
from reports.plotly_charts import CONFIG, cost_hours_figure, memory_figure, replica_figure, utilisation_figure
from reports.words import MEMORY_LABELS
from tuneworth.clock import today

NOBODY_RENTS = "Nobody in the price book rents such GPUs that way{}. Pick other GPUs, providers or ways of renting."
ACCURACY = Path(__file__).resolve().parents[1] / "docs" / "accuracy.md"


@dataclass(frozen=True)
class Tuning:
    """What a tuning run costs: own GPUs, managed services, and why there is no own one."""

    choice: TuningChoice | None
    bills: tuple[TrainingBill, ...]
    tokens: float
    problem: str = ""

    @property
    def managed(self) -> TrainingBill | None:
        """The cheapest managed service that is open and priced."""
        return next((bill for bill in self.bills if bill.status == "billed"), None)


@dataclass(frozen=True)
class Hosting:
    """What a month of requests costs: own GPUs, and the same model by the token."""

    choice: ServingChoice | None
    bought: ServingPlan | None
    by_token: tuple[TokenOffer, ...]
    peak: float
    problem: str = ""


def page() -> None:
    rates = _rates(shared.book(), today())
    known = inputs.fields(rates)
    for why in inputs.take_over_address(known):
        st.warning(shared.plain(why), icon=":material/link_off:")
    with st.sidebar:
        asked = inputs.asked(rates, known)
    inputs.remember(known)
    with words.amounts_in(rates.exchange_rate(_currency())):
        _answer(rates, asked)


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=shared.BOOK_HASH)
def _rates(book: PriceBook, day: date) -> Rates:
    """Prices of a day, which remember what was looked up."""
    return book.as_of(day)


def _currency() -> str:
    """That of the scenario this session has open."""
    stated = json.loads(st.session_state.get("scenario_json") or "{}")
    return str((stated.get("finance") or {}).get("currency") or "USD")


def _answer(rates: Rates, asked: Asked) -> None:
    tuning, hosting = _tuning(rates, asked), _hosting(rates, asked)
    model = asked.model.name
    own = tuning.choice.plans[0] if tuning.choice and tuning.choice.plans else None
    served = hosting.choice.cheapest if hosting.choice else None
    by_token = hosting.by_token[0] if hosting.by_token else None
    st.title(
        shared.plain(hardware_words.verdict(rates, model, own, tuning.managed, served, by_token, asked.requests)), anchor=False
    )
    st.markdown(shared.plain(hardware_words.reasons(rates, tuning.choice, served, hosting.bought)))
    for problem in dict.fromkeys(filter(None, (tuning.problem, hosting.problem))):
        st.error(shared.plain(problem), icon=":material/error:")
    _cards(asked, tuning, hosting)
    _tuning_card(rates, asked, tuning)
    if tuning.choice and tuning.choice.plans:
        _tuning_charts(rates, asked, tuning.choice)
    _hosting_card(rates, asked, hosting)
    _accuracy_card(rates, tuning, served)
    st.caption(f"Prices as of {words.day(rates.as_of)}. Every row opens to its formula, its price rows and what it rests on.")


# --- the answer's figures ------------------------------------------------------------------------------------------------------


def _tuning(rates: Rates, asked: Asked) -> Tuning:
    counting, sets = _examples(rates, asked)
    one_pass = float(asked.tokens)
    if asked.reading is not None and counting is not None:
        family = asked.reading.measured.family(counting)
        one_pass = float((family if counting.factor is None else family.scaled(counting.factor.likely)).total_tokens())
    tokens = one_pass * asked.epochs
    bills = training_bills(rates, sets, Job(epochs=asked.epochs)) if sets else ()
    bills = tuple(bill for bill in bills if bill.offer in sets and _does(bill, asked))
    task = TuningTask(
        tokens, asked.technique, sequence_tokens=asked.sequence, sequences_per_step=asked.step, rank=asked.rank,
        framework=asked.framework, epochs=asked.epochs,
    )  # fmt: skip
    try:
        choice = tuning_plans(
            rates, asked.model, task, deadline_hours=asked.deadline, gpus=asked.gpus,
            providers=_providers(asked), services=asked.services,
        )  # fmt: skip
    except PricingError as error:
        return Tuning(None, bills, tokens, str(error))
    return Tuning(choice, bills, tokens, "" if choice.plans else _fits_nowhere(rates, choice))


def _providers(asked: Asked) -> tuple[str, ...]:
    """Buying is no provider's: it stays possible where providers are picked."""
    return (*asked.providers, "bought") if asked.providers and "bought" in asked.services else asked.providers


def _examples(rates: Rates, asked: Asked) -> tuple[Counting | None, dict[str, TrainingSet]]:
    """The examples as every offer that tunes these weights counts them, and how the model itself counts."""
    offers = [offer for offer, _ in training_offers(rates, "sft") if rates.item(offer)[2].weights == asked.weights]
    if asked.reading is None:
        whole, rest = divmod(asked.tokens, asked.example)
        lengths = ({asked.example: whole} if whole else {}) | ({rest: 1} if rest else {})
        return None, {offer: TrainingSet(lengths) for offer in offers} if lengths else {}
    every = training_file.offers_countings(rates)
    ours = {offer: every[offer] for offer in dict.fromkeys(offers) if offer in every}
    ways = [counting for counting, _ in (ours or every).values()]
    counting = next((way for way in ways if way.exact), ways[0])
    return counting, training_sets(asked.reading.measured, asked.reading.validation, ours)


def _does(bill: TrainingBill, asked: Asked) -> bool:
    """Whether a service trains as asked: adapters or every weight, where it says which."""
    return bill.technique in (None, "full" if asked.technique == "full" else "lora")


def _fits_nowhere(rates: Rates, choice: TuningChoice) -> str:
    """Why nothing does, and what would help."""
    unfit = _rented(choice.refused)
    if not unfit:
        return NOBODY_RENTS.format("")
    largest = max((rates.gpus[refused.gpu_id] for refused in unfit), key=memory.usable_gib)
    try:
        found = memory.fewest_gpus(choice.shape, tuning_setup(choice.task, precision_of(largest)), largest, rates.fit("memory"))
    except PricingError as error:
        return str(error)
    return f"{unfit[0].reason}. It would fit {hardware_words.gpus(found.setup.gpus, largest)}."


def _rented(refused: Sequence[Refused]) -> list[Refused]:
    """Those that somebody rents out."""
    return [each for each in refused if not each.reason.startswith("nobody ")]


def _hosting(rates: Rates, asked: Asked) -> Hosting:
    tokens = TokenShape(asked.input_tokens, asked.output_tokens)
    names = ("peak_factor", "active_days_per_month")
    peak_factor, days = (rates.assumption(f"serving.{name}").likely for name in names)
    peak = float(peak_requests_per_second(asked.requests, peak_factor, asked.open_hours, days))
    paid = asked.open_hours * DAYS_PER_MONTH if asked.is_off_when_closed else HOURS_PER_MONTH
    by_token = _token_offers(rates, asked) if asked.requests else ()
    options: dict[str, Any] = {
        "latency": Latency(*(None if ms is None else ms / 1000 for ms in (asked.first_token_ms, asked.each_token_ms))),
        "weights": asked.served_in,
        "hours_per_month": paid,
        "adapters": asked.adapters,
        "adapter_rank": asked.rank,
        "gpus": asked.gpus,
    }
    demand, model = Demand(asked.requests, peak), asked.model
    try:
        choice = serving_plans(
            rates, model, tokens, demand, providers=_providers(asked), services=asked.services, **options
        )  # fmt: skip
        bought = serving_plans(rates, model, tokens, demand, services=("bought",), **options)
    except PricingError as error:
        return Hosting(None, None, by_token, peak, str(error))
    return Hosting(choice, bought.cheapest, by_token, peak, "" if choice.plans else _serves_nowhere(rates, choice))


def _serves_nowhere(rates: Rates, choice: ServingChoice) -> str:
    unfit = _rented(choice.refused)
    if not unfit:
        return NOBODY_RENTS.format(" for serving")
    best = max(unfit, key=lambda refused: rates.gpus[refused.gpu_id].memory_bandwidth_gb_per_s or 0)
    return f"No GPU asked for serves this. {best.reason}"


def _token_offers(rates: Rates, asked: Asked) -> tuple[TokenOffer, ...]:
    """Providers that serve the same base model by the token, the cheapest first."""
    found = []
    for id_ in rates.book.provider_ids:
        provider = rates.book.provider(id_)
        for item_id, item in provider.model.items():
            if item.weights != asked.weights or not rates.is_listed(item):
                continue
            offer = f"{id_}/{item_id}"
            try:
                read, written = (rates.price(offer, f"{way}_usd_per_mtok").usd for way in ("input", "output"))
            except PricingError:
                continue
            month = (asked.input_tokens * read + asked.output_tokens * written) * asked.requests / 1e6
            each = asked.requests * (asked.input_tokens + asked.output_tokens) / 1e6
            formula = (
                f"{words.quantity(asked.requests)} requests × ({words.quantity(asked.input_tokens)} tokens × "
                f"{words.unit_price(read)} + {words.quantity(asked.output_tokens)} tokens × {words.unit_price(written)}) ÷ 10⁶"
            )
            found.append(TokenOffer(offer, provider.name, month, month / each, formula))
    return tuple(sorted(found, key=lambda offer: offer.usd_per_month))


# --- cards ---------------------------------------------------------------------------------------------------------------------


def _cards(asked: Asked, tuning: Tuning, hosting: Hosting) -> None:
    plans = tuning.choice.plans if tuning.choice else ()
    own, within = (plans[0] if plans else None), (tuning.choice.cheapest if tuning.choice else None)
    managed, served = tuning.managed, hosting.choice.cheapest if hosting.choice else None
    by_token = hosting.by_token[0] if hosting.by_token else None
    deadline = "Within the deadline" if asked.deadline is None else f"Within {words.hours(asked.deadline)}"
    cards = {
        "Tuning, own GPUs": (own and own.usd, own and f"{hardware_words.gpus(own.gpus, own.rent.gpu)}, {words.hours(own.hours)}"),
        deadline: (
            within and within.usd,
            within and f"{hardware_words.gpus(within.gpus, within.rent.gpu)}, {words.hours(within.hours)}",
        ),
        "Tuning, managed": (managed and managed.job_usd, managed and managed.provider),
        "Hosting a month": (
            served and served.usd_per_month, served and hardware_words.gpus(served.rented * served.rent.gpus, served.rent.gpu)
        ),
        "By the token a month": (by_token and by_token.usd_per_month, by_token and by_token.provider),
    }  # fmt: skip
    with st.grid(5, min_column_width=165, gap="small"):
        for label, (usd, beside) in cards.items():
            with st.container(border=True, height="stretch"):
                shown = words.money(usd) if "month" in label else words.money_run(usd)
                st.metric(label, shared.plain(shown), beside or "nothing does", delta_color="off", delta_arrow="off")
    passes = training_words.counted(asked.epochs, "epoch")
    st.caption(shared.plain(
        f"A tuning run is {words.volume(tuning.tokens)} tokens with {passes}, {TECHNIQUE_LABELS[asked.technique]}; a month is "
        f"{words.volume(asked.requests)} requests of {asked.input_tokens:,} tokens in and {asked.output_tokens:,} out."
    ))  # fmt: skip


def _money_column(decimals: int, help_: str | None = None) -> Any:
    return st.column_config.NumberColumn(format=f"{words.mark()}%.{decimals}f", help=help_)


def _whole(usd: float) -> float:
    """A total in whole dollars, or in tenths where it is under ten."""
    amount = words.shown_amount(usd)
    return round(amount, 0 if amount >= 10 else 1)


def _shown(usd: float | None) -> float | None:
    return None if usd is None else words.shown_amount(usd)


# --- tuning --------------------------------------------------------------------------------------------------------------------


def _tuning_card(rates: Rates, asked: Asked, tuning: Tuning) -> None:
    plans = tuning.choice.best_of_offers if tuning.choice else ()
    billed = [bill for bill in tuning.bills if bill.status == "billed"]
    rows: list[TuningPlan | TrainingBill] = sorted([*plans, *billed], key=_run_usd)
    box, _ = shared.card(
        f"{training_words.counted(len(billed), 'managed offer')} and {training_words.counted(len(plans), 'way')} to rent GPUs "
        "can tune it today" if rows else "Nothing can tune it as asked"
    )  # fmt: skip
    with box:
        st.caption(
            f"{words.unit_name()} a run, the cheapest first; of each offer the number of GPUs that is cheapest in time. "
            f"Low and high: nine in ten runs. Select a row to see how it comes about. {_billed_for(asked)} Own GPUs train with "
            f"{hardware_words.framework(asked.framework)}."
        )
        if rows:
            table = pd.DataFrame([_tuning_row(rates, asked, row) for row in rows])
            picked = st.dataframe(
                table, hide_index=True, height="content" if len(table) <= 12 else 458, key="tuning table",
                selection_mode="single-row", on_select="rerun", column_config=_tuning_columns(), placeholder=words.MISSING,
                alt=f"{len(rows)} ways to tune, from {words.money_run(_run_usd(rows[0]))}.",
            ).selection.rows  # fmt: skip
            if picked and picked[0] < len(rows):
                _why_tuning(rates, tuning, rows[picked[0]])
        _refused_tuning(rates, tuning)


def _billed_for(asked: Asked) -> str:
    """Which examples managed services are billed for."""
    if asked.reading is not None:
        examples = training_words.counted(asked.reading.measured.examples.total(), "example")
        return f"Managed services are billed for the {examples} of the training file, as each counts them."
    each = training_words.counted(asked.example, "token")
    return f"Managed services are billed for examples of {each} each, which Expert inputs change."


def _run_usd(row: TuningPlan | TrainingBill) -> float:
    usd = row.usd if isinstance(row, TuningPlan) else row.job_usd
    return float("inf") if usd is None else usd


def _tuning_row(rates: Rates, asked: Asked, row: TuningPlan | TrainingBill) -> dict[str, Any]:
    if isinstance(row, TrainingBill):
        return {
            "Where": row.provider, "What": training_words.method(row), "Run": _shown(row.job_usd), "Hours": None,
            "How": "Managed", "Low": None, "High": None, "From, h": None, "To, h": None, "In time": None,
            "Minimum": _shown(row.minimum_usd or None), "Kept a month": _shown(training_words.kept_usd(row)),
            "In, per M": _shown(row.input_usd_per_mtok), "Out, per M": _shown(row.output_usd_per_mtok),
        }  # fmt: skip
    in_time = None if asked.deadline is None else "yes" if row.meets(asked.deadline) else "no"
    return {
        "Where": _who(rates, row.rent), "What": hardware_words.gpus(row.gpus, row.rent.gpu),
        "Run": _shown(row.usd), "Hours": row.hours, "How": SERVICE_LABELS[row.rent.service], "Low": _shown(row.low_usd),
        "High": _shown(row.high_usd), "From, h": row.low_hours, "To, h": row.high_hours, "In time": in_time, "Minimum": None,
        "Kept a month": None, "In, per M": None, "Out, per M": None,
    }  # fmt: skip


def _who(rates: Rates, rent: Any) -> str:
    return "Own machines" if rent.price is None else rates.book.provider(rent.offer.partition("/")[0]).name


def _tuning_columns() -> dict[str, Any]:
    return {
        "Where": st.column_config.TextColumn(width=130),
        "What": st.column_config.TextColumn(width=130, help="GPUs that train, or what the service trains."),
        "Run": _money_column(2),
        "Low": _money_column(2),
        "High": _money_column(2),
        "Hours": st.column_config.NumberColumn(format="%.2f", help="From start to end, set-up inside."),
        "From, h": st.column_config.NumberColumn(format="%.2f"),
        "To, h": st.column_config.NumberColumn(format="%.2f"),
        "In time": st.column_config.TextColumn(width=70, help="Whether the likely hours are within the deadline."),
        "Minimum": _money_column(2, "Least a job is charged."),
        "Kept a month": _money_column(2, "Hosting for 730 hours, and storage, before any request."),
        "In, per M": _money_column(3, "Tuned model, per million input tokens."),
        "Out, per M": _money_column(3, "Tuned model, per million output tokens."),
    }


def _why_tuning(rates: Rates, tuning: Tuning, row: TuningPlan | TrainingBill) -> None:
    if isinstance(row, TrainingBill):
        _headline(training_words.where(row), f"{words.money_run(row.job_usd)} a run")
        st.markdown(f"Run = {shared.plain(words.amounts_in_words(row.formula))}")
        st.caption(shared.plain("; ".join([f"kept: {row.hosting_basis}", *row.notes]) + "."))
        _price_table(list(row.prices))
        return
    assert tuning.choice is not None
    _headline(hardware_words.tuned_on(rates, row), f"{words.money_run(row.usd)} a run")
    st.markdown(f"Run = {shared.plain(hardware_words.tuning_formula(row, tuning.choice.task, row.terms))}")
    st.caption(shared.plain(
        f"Each GPU needs {row.needed_gib:.1f} GiB of {row.usable_gib:.1f}; {hardware_words.SHARDING_WORDS[row.sharding]}. "
        f"Nine in ten runs take {words.hours(row.low_hours)} to {words.hours(row.high_hours)}. "
        f"{hardware_words.left_out(row.storage_usd, row.egress_usd, 'the result')}"
    ))  # fmt: skip
    _rent_rows(rates, row.rent)
    names = [f"hardware.{name}" for name in ("set_up_hours_per_run", "idle_share")]
    names += ["hardware.spot_interruption_share"] if row.rent.service == "spot" else []
    _assumption_table(rates, names)
    run = tuning_run(tuning.choice.task, row.gpus, precision_of(row.rent.gpu))
    features = training_time.features(tuning.choice.shape, row.rent.gpu, run)
    features["narrow_experts"] = training_time.expert_narrowness(tuning.choice.shape)
    used = {name: float(value) for name, value in features.items() if float(value)}
    _coefficients(rates.fit("training_time"), {"ln_efficiency": 1.0} | used)


def _headline(where: str, amount: str) -> None:
    st.markdown(f"**{shared.plain(where[:1].upper() + where[1:])}**: {shared.plain(amount)}")


def _price_table(prices: list[Price]) -> None:
    st.dataframe(
        pd.DataFrame(shared.price_rows(prices)), hide_index=True, height="content", column_config=shared.price_columns(),
        placeholder=words.MISSING, alt="Price rows, with their sources.",
    )  # fmt: skip


def _rent_rows(rates: Rates, rent: Any, owned_utilisation: float | None = None) -> None:
    if rent.price is not None:
        _price_table([rent.price])
        return
    hour = owned_hour(rates, rent.gpu_id, owned_utilisation)
    st.markdown(f"An hour in use = {shared.plain(words.amounts_in_words(hour.formula))}")
    _price_table(list(hour.prices))
    _assumption_table(rates, list(hour.assumptions))


def _assumption_table(rates: Rates, names: Sequence[str]) -> None:
    st.dataframe(
        pd.DataFrame(shared.assumption_rows({name: rates.assumption(name) for name in names})), hide_index=True,
        column_config=shared.assumption_columns(), placeholder=words.MISSING, alt="Assumptions, with their ranges.",
    )  # fmt: skip


def _coefficients(fit: Fit, used: Mapping[str, float]) -> None:
    """Coefficients that a prediction used, with what they were multiplied by."""
    rows = [
        {"Coefficient": name, "Value": fit.value(name), "Standard error": fit.coefficient[name].standard_error, "Times": times}
        for name, times in used.items()
    ]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, height="content", placeholder=words.MISSING,
        alt="Fitted coefficients of this prediction.",
        column_config={
            **{name: st.column_config.NumberColumn(format="%.3f") for name in ("Value", "Standard error")},
            "Times": st.column_config.NumberColumn(format="%.3f", help="What the coefficient is multiplied by here."),
        },
    )  # fmt: skip
    st.caption(
        f"Fitted {words.day(fit.recorded)} to {fit.rows:,} published rows from {fit.sources:,} sources; each row stands in the "
        "accuracy report below."
    )


def _refused_tuning(rates: Rates, tuning: Tuning) -> None:
    rows = [
        {"Who": bill.provider, "What": training_words.method(bill), "Why": words.days_in_words(bill.refused or bill.unpriced)}
        for bill in tuning.bills
        if bill.status != "billed"
    ]
    refused = tuning.choice.refused if tuning.choice else ()
    rows += [{"Who": "Own GPUs", "What": hardware_words.gpu_name(rates.gpus[r.gpu_id]), "Why": r.reason} for r in refused]
    if rows:
        with st.expander(f"Does not fit, closed or without a price: {len(rows)}"):
            _why_table(rows, "What cannot tune it, with the reason.")


def _why_table(rows: list[dict[str, Any]], alt: str) -> None:
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, height="content", column_config={"Why": st.column_config.TextColumn(width="large")},
        placeholder=words.MISSING, alt=alt,
    )  # fmt: skip


def _tuning_charts(rates: Rates, asked: Asked, choice: TuningChoice) -> None:
    plans = []
    for plan in choice.plans:
        label = hardware_words.gpus(plan.gpus, plan.rent.gpu)
        plans.append(Plan(label, f"{label}, {hardware_words.renter(rates, plan.rent)}", plan.hours, plan.usd))
    chart = cost_hours_chart(plans, asked.deadline)
    box, _ = shared.card(chart.title)
    with box:
        st.caption(shared.plain(chart.caption))
        st.plotly_chart(cost_hours_figure(chart, shared.theme()), theme=None, config=CONFIG, alt=chart.alt, key="cost-hours")
    _memory_card(rates, choice)


def _memory_card(rates: Rates, choice: TuningChoice) -> None:
    slot = st.container()
    by_setup: dict[str, TuningPlan] = {}
    for plan in choice.best_of_offers:
        by_setup.setdefault(hardware_words.gpus(plan.gpus, plan.rent.gpu), plan)
    label = st.session_state.get("tuning memory of")
    label = label if label in by_setup else next(iter(by_setup))
    plan = by_setup[label]
    setup = replace(
        tuning_setup(choice.task, precision_of(plan.rent.gpu)), gpus=plan.gpus if plan.sharding != "none" else 1,
        sharding=plan.sharding,
    )  # fmt: skip
    phases = {
        phase: {name: float(parts[name]) for name in MEMORY_LABELS}
        for phase, parts in memory.memory_phases(choice.shape, setup, rates.fit("memory")).items()
    }
    name = hardware_words.gpu_name(plan.rent.gpu)
    chart = memory_chart(phases, plan.needed_gib, plan.usable_gib, choice.shape.name, name, plan.gpus)
    with slot:
        box, row = shared.card(chart.title)
    row.selectbox(
        "GPUs", list(by_setup), index=list(by_setup).index(label), key="tuning memory of", width=220,
        label_visibility="collapsed",
    )  # fmt: skip
    with box:
        st.caption(shared.plain(chart.caption))
        colours = shared.palette().groups
        st.markdown("\u2002".join(shared.swatch(MEMORY_LABELS[part], colours[MEMORY_GROUPS[part]]) for part in chart.parts))
        st.plotly_chart(memory_figure(chart, shared.theme()), theme=None, config=CONFIG, alt=chart.alt, key="memory")


# --- hosting -------------------------------------------------------------------------------------------------------------------


def _hosting_card(rates: Rates, asked: Asked, hosting: Hosting) -> None:
    plans = hosting.choice.best_of_offers if hosting.choice else ()
    rows: list[ServingPlan | TokenOffer] = sorted([*plans, *hosting.by_token], key=lambda row: row.usd_per_month)
    sellers = training_words.counted(len(hosting.by_token), "provider")
    box, _ = shared.card(
        f"{training_words.counted(len(plans), 'way')} to rent GPUs and {sellers} by the token can serve it"
        if rows else "Nothing can serve it as asked"
    )  # fmt: skip
    picked: ServingPlan | TokenOffer | None = None
    with box:
        st.caption(
            f"{words.unit_name()} a month, the cheapest first; of each offer the size of a replica that is cheapest. By the "
            f"token it is the base model. {_served_as(asked)}Select a row to see how it comes about, and its curves below."
        )
        if rows:
            table = pd.DataFrame([_hosting_row(rates, row) for row in rows])
            chosen = st.dataframe(
                table, hide_index=True, height="content" if len(table) <= 12 else 458, key="hosting table",
                selection_mode="single-row", on_select="rerun", column_config=_hosting_columns(), placeholder=words.MISSING,
                alt=f"{len(rows)} ways to serve a month of requests, from {words.money(rows[0].usd_per_month)}.",
            ).selection.rows  # fmt: skip
            picked = rows[chosen[0]] if chosen and chosen[0] < len(rows) else None
            if picked is not None:
                _why_hosting(rates, hosting, picked)
        refused = hosting.choice.refused if hosting.choice else ()
        if refused:
            with st.expander(f"Does not serve it as asked: {training_words.counted(len(refused), 'kind')} of GPU"):
                _why_table(
                    [{"GPU": hardware_words.gpu_name(rates.gpus[r.gpu_id]), "Why": r.reason} for r in refused],
                    "GPUs that do not serve it, with the reason.",
                )
    plan = picked if isinstance(picked, ServingPlan) else hosting.choice.cheapest if hosting.choice else None
    if plan is not None:
        _hosting_charts(rates, asked, hosting, plan)


def _served_as(asked: Asked) -> str:
    beside = hardware_words.adapters(asked.adapters, asked.rank)
    return f"Own GPUs serve {beside}. " if beside else ""


def _hosting_row(rates: Rates, row: ServingPlan | TokenOffer) -> dict[str, Any]:
    if isinstance(row, TokenOffer):
        return {
            "Where": row.provider, "What": "By the token", "Month": _whole(row.usd_per_month),
            "Per M tokens": _shown(row.usd_per_mtok), "How": "API", "Full use": None, "Used": None, "Replicas": None,
            "Requests/s": None,
            "Low": None, "High": None, "First token": None, "Each token": None, "Bound by": None,
        }  # fmt: skip
    served, factor = row.capacity, row.factor
    return {
        "Where": _who(rates, row.rent), "What": hardware_words.gpus(row.deployment.gpus, row.rent.gpu),
        "Month": _whole(row.usd_per_month), "Per M tokens": _shown(row.usd_per_mtok), "How": SERVICE_LABELS[row.rent.service],
        "Full use": _shown(float(row.usd_per_mtok_at(1.0))), "Used": hardware_words.used_share(row) * 100,
        "Replicas": row.replicas, "Requests/s": served.requests_per_second, "Low": served.requests_per_second / factor,
        "High": served.requests_per_second * factor, "First token": served.time_to_first_token_s * 1000,
        "Each token": served.time_per_output_token_s * 1000, "Bound by": LIMIT_LABELS[served.limited_by],
    }  # fmt: skip


def _hosting_columns() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "Where": st.column_config.TextColumn(width=150),
        "What": st.column_config.TextColumn(width=130, help="GPUs of one replica."),
        "Month": number(format="localized"),
        "Per M tokens": _money_column(3, "Input and output tokens of the month's requests."),
        "Full use": _money_column(3, "Per million tokens, were the GPUs always busy."),
        "Used": number(format="%.1f%%", help="Share of what is paid that the month's requests use."),
        "Replicas": number(format="localized"),
        "Requests/s": number(format="%.2f", help="Capacity of one replica, likely."),
        "Low": number("Low/s", format="%.2f", help="Nine in ten measurements lie between low and high."),
        "High": number("High/s", format="%.2f"),
        "First token": number("First token, ms", format="%.0f", help="At full batch."),
        "Each token": number("Each token, ms", format="%.1f", help="At full batch."),
    }


def _why_hosting(rates: Rates, hosting: Hosting, row: ServingPlan | TokenOffer) -> None:
    if isinstance(row, TokenOffer):
        _headline(row.provider, f"{words.money(row.usd_per_month)} a month")
        st.markdown(f"Month = {shared.plain(row.formula)}")
        _price_table([rates.price(row.offer, f"{way}_usd_per_mtok") for way in ("input", "output")])
        return
    _headline(hardware_words.served_on(rates, row), f"{words.money(row.usd_per_month)} a month")
    used = rates.assumption("serving.target_utilisation").likely
    spare = rates.assumption("serving.spot_spare_share").likely
    st.markdown(shared.plain(hardware_words.serving_formula(row, hosting.peak, used, spare)))
    st.caption(shared.plain(
        f"A replica runs {row.capacity.batch:,} requests at once, bounded by {LIMIT_LABELS[row.capacity.limited_by].lower()}: "
        f"first token after {row.capacity.time_to_first_token_s * 1000:,.0f} ms, each further one after "
        f"{row.capacity.time_per_output_token_s * 1000:,.1f} ms. "
        f"{hardware_words.left_out(row.storage_usd_per_month, row.egress_usd_per_month, 'the answers')}"
    ))  # fmt: skip
    _rent_rows(rates, row.rent, min(row.hours_per_month / HOURS_PER_MONTH, 1.0))
    names = ["serving.target_utilisation", "serving.peak_factor", "serving.active_days_per_month"]
    _assumption_table(rates, names + ["serving.spot_spare_share"] * (row.rent.service == "spot"))
    used_features = {name: value for name, value in serving_throughput.features(row.deployment).items() if value}
    base = dict.fromkeys(("ln_bandwidth", "ln_compute", "ln_prefill", "ln_step_s"), 1.0)
    links = dict.fromkeys(("ln_link", "ln_exchange_s"), 1.0) if row.deployment.gpus > 1 else {}
    narrow = training_time.expert_narrowness(row.deployment.shape)
    experts = {"ln_experts": 1.0, "narrow_experts": narrow} if row.deployment.shape.experts else {}
    _coefficients(rates.fit("serving"), base | links | experts | used_features)


def _hosting_charts(rates: Rates, asked: Asked, hosting: Hosting, plan: ServingPlan) -> None:
    replica = f"{hardware_words.gpus(plan.deployment.gpus, plan.rent.gpu)}, {hardware_words.renter(rates, plan.rent)}"
    full = float(plan.usd_per_mtok_at(1.0))
    offers: dict[str, float] = {}
    for offer in hosting.by_token:
        offers.setdefault(offer.provider, offer.usd_per_mtok)
    costs = utilisation_chart(
        full, full / plan.factor, full * plan.factor, hardware_words.used_share(plan), offers, replica,
        f"{asked.input_tokens:,} in and {asked.output_tokens:,} out",
    )  # fmt: skip
    target = rates.assumption("serving.target_utilisation").likely
    spare = rates.assumption("serving.spot_spare_share").likely
    peak_of_one = spot_load(hosting.peak, plan.rent.service, spare) / asked.requests

    def at(capacity: float) -> Any:
        return lambda volumes: replicas(np.asarray(volumes) * peak_of_one, capacity, target)

    served = plan.capacity.requests_per_second
    steps = replica_chart(
        at(served), at(served * plan.factor), at(served / plan.factor), asked.requests, replica,
        LIMIT_LABELS[plan.capacity.limited_by].lower(),
    )  # fmt: skip
    for chart, figure, key in (
        (costs, utilisation_figure(costs, shared.theme()), "utilisation"),
        (steps, replica_figure(steps, shared.theme()), "replicas"),
    ):
        box, _ = shared.card(chart.title)
        with box:
            st.caption(shared.plain(chart.caption))
            st.plotly_chart(figure, theme=None, config=CONFIG, alt=chart.alt, key=key)


# --- accuracy ------------------------------------------------------------------------------------------------------------------


def _accuracy_card(rates: Rates, tuning: Tuning, served: ServingPlan | None) -> None:
    box, row = shared.card("How sure the figures of own GPUs are")
    with row:
        st.download_button(
            "Accuracy report", data=lambda: ACCURACY.read_bytes(), file_name="accuracy.md", mime="text/markdown",
            on_click="ignore", icon=":material/download:", key="download accuracy",
        )  # fmt: skip
    fits = {name: rates.fit(name) for name in ("memory", "training_time", "serving")}
    plans = tuning.choice.plans if tuning.choice else ()
    kind = training_time.interval_factor(fits["training_time"], "usual")
    sentences = [
        hardware_words.accuracy_sentence(fits["memory"], "Memory", memory.interval_factor(fits["memory"])),
        hardware_words.accuracy_sentence(fits["training_time"], "Hours", plans[0].run.factor if plans else kind),
        hardware_words.accuracy_sentence(
            fits["serving"], "Capacity", served.factor if served else serving_throughput.interval_factor(fits["serving"])
        ),
    ]
    for sentence in sentences:
        box.markdown(f"- {shared.plain(sentence)}")
    box.caption(
        "The report (docs/accuracy.md) holds every prediction against what was published, each source left out in turn. "
        "Time a few minutes on the GPU itself before a long run."
    )


shared.guarded(page, "There is no answer for these inputs", "Change the input named above in the sidebar, or reload the page.")
