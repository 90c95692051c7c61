"""The sidebar: pick or load a scenario, change its inputs. What is changed is kept for the session and in the page's address.

A changed value that cannot be computed with is refused with a message, and the last valid answer stays.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from app_pages import own_prices, shared
from calc import Comparison, Scenario, compare
from calc.estimate import Estimate
from calc.scenario import CompoundGrowth, FlatGrowth, LinearGrowth, PerToken
from calc.scenario import Value as Worth
from calc.setting import Setting
from calc.timeline import DAYS_PER_MONTH, Months
from ingest.currency import in_usd
from ingest.errors import InputError
from ingest.fields import meaning_of
from ingest.scenario_file import SIZE_LIMIT_BYTES, read_scenario, scenario_from
from pricing import PriceBook, PricingError, Rates
from reports import words
from tuneworth.clock import today

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
FIRST = "support_tone"
UPLOADED = "loaded"
HORIZONS = (6, 12, 24, 36)
MOST_TURNS = 100
"""Turns of a conversation that can be put in; a file may state more."""

Value = float | int | str
Data = dict[str, Any]
Put = Callable[[Data, Any], None]


@dataclass(frozen=True)
class Source:
    """A scenario's text and where it comes from."""

    id: str
    file: str
    text: str


@dataclass(frozen=True)
class Base:
    """A scenario as it was picked, before changes in the sidebar."""

    source: Source
    data: Data
    """Its fields, amounts in dollars whatever currency they are stated in."""
    scenario: Scenario
    point: Scenario
    rates: Rates


@dataclass(frozen=True)
class Input:
    """One input of the sidebar: what it shows at first and what a changed value does to the scenario's fields."""

    key: str
    """In the page's address."""
    label: str
    initial: Value | None
    put: Put
    help: str
    kind: Literal["whole", "number", "choice"] = "number"
    low: float = 0
    high: float = 1e12
    step: float = 1
    options: tuple[str, ...] = ()

    @property
    def limits(self) -> tuple[float, float]:
        """What can be put in: what the scenario states always can."""
        stated = [] if self.initial is None or self.kind == "choice" else [float(self.initial)]
        return min([self.low, *stated]), max([self.high, *stated])


@dataclass(frozen=True)
class Section:
    """Inputs under one heading."""

    heading: str
    inputs: list[Input]


@dataclass(frozen=True)
class _Asked:
    """What the sidebar states."""

    base: Base
    fields: tuple[Input, ...]
    edits: dict[str, Value]
    refused: tuple[str, ...]

    def data(self, edits: Mapping[str, Value]) -> Data:
        """The scenario's fields with changes."""
        data = copy.deepcopy(self.base.data)
        for field in self.fields:
            if field.key in edits:
                field.put(data, edits[field.key])
        return data


# --- the scenario ------------------------------------------------------------------------------------------------------------


def answered(view: Mapping[str, str] | None = None) -> Comparison:
    """The answer to what the sidebar states, or the last valid one where that is refused; draws the sidebar, and why at the top
    of the page.

    Args:
        view: what else the page keeps in its address.

    Raises:
        InputError: the scenario's inputs contradict each other.
        PricingError: the scenario names something that the price book does not know.
    """
    with st.sidebar:
        asked = _asked(view or {})
    id_, refused = asked.base.source.id, list(asked.refused)
    valid = st.session_state.setdefault("valid edits", {})
    edits, shown = asked.edits, "The answer below is the last valid one."
    try:
        comparison = _answer_to(asked, edits)
    except shared.REFUSALS as error:
        if not edits:
            raise
        refused.append(str(error))
        first, edits = id_ not in valid, valid.get(id_, {})
        comparison = _answer_to(asked, edits)
        if first:
            shown = "The answer below is the scenario's, without any of the changes."
    else:
        valid[id_] = dict(edits)
    st.session_state["scenario_json"] = json.dumps(asked.data(edits), default=str, ensure_ascii=False, indent=2)
    for why in refused:
        st.error(f"{shared.plain(why)} {shown}", icon=":material/error:")
    return comparison


def _answer_to(asked: _Asked, edits: Mapping[str, Value]) -> Comparison:
    data, base = asked.data(edits), asked.base
    kept = tuple(c for c in base.scenario.conversions if _value(data, c.path) == _value(base.data, c.path))
    return compared(scenario_from(data, {}, base.source.file).noting(kept))


def _asked(view: Mapping[str, str]) -> _Asked:
    source = _picker()
    own_prices.draw()
    base = _base(source)
    edits, refused = _edits(source.id), []
    basic, expert = _basic_inputs(base), _expert_inputs(base)
    refused += _draw_basic(base, basic, edits)
    count = sum(len(section.inputs) for section in expert)
    with st.expander(f"Expert inputs ({count})", icon=":material/tune:"):
        for section in expert:
            st.markdown(f"**{shared.plain(section.heading)}**")
            for field in section.inputs:
                refused += _draw(field, source.id, edits, section.heading)
    everything = (*basic.values(), *(field for section in expert for field in section.inputs))
    known = {field.key for field in everything}
    _remember(source, {key: value for key, value in edits.items() if key in known}, view)
    changed = sum(field.key in edits for field in everything)
    day = words.day_short(base.rates.as_of)
    mine = f"{changed} of {len(everything)} inputs changed" if changed else "All inputs as the scenario states them"
    st.caption(f"Prices as of {day}. {mine}.")
    if changed or refused:
        st.button("Undo all changes", on_click=_reset, args=(source.id,), icon=":material/undo:", width="stretch")
    return _Asked(base, everything, edits, tuple(refused))


def compared(scenario: Scenario) -> Comparison:
    """The answer, kept for scenarios asked for again."""
    return _compared(scenario, today(), shared.book())


@st.cache_resource(
    max_entries=64,
    show_spinner=False,
    hash_funcs={Scenario: lambda s: (s.model_dump_json(), repr(s.conversions))} | shared.BOOK_HASH,
)
def _compared(scenario: Scenario, day: date, book: PriceBook) -> Comparison:
    return compare(scenario, book, today=day)


def _picker() -> Source:
    sources = _sources()
    wanted = st.session_state.get("scenario_id") or st.query_params.get("scenario", FIRST)
    ids = list(sources)
    shown = st.session_state.get("picked", wanted)
    # Set in every run: a picker forgets its value on another page, and one with a value of its own besides is warned of.
    st.session_state["picked"] = shown if shown in ids else FIRST
    picked = st.selectbox(
        "Scenario", ids, key="picked", format_func=lambda id_: _picked_title(sources, id_),
        help="Worked examples, and the file you loaded. Any input can be changed.",
    )  # fmt: skip
    st.session_state["scenario_id"] = picked
    row = st.container(horizontal=True, gap="xsmall", wrap=False)
    with row.popover("Load", width="stretch", wrap=False):
        st.file_uploader(
            "Scenario file, YAML or JSON", type=["yaml", "yml", "json"], max_upload_size=1, key="upload", on_change=_load
        )
        st.caption("Start from a file in examples/, or from one saved here.")
    row.download_button(
        "Save", data=lambda: st.session_state.get("scenario_json", ""), file_name=f"{picked}.json", mime="application/json",
        on_click="ignore", width="stretch",
    )  # fmt: skip
    with row.popover("Share", width="stretch", wrap=False):
        _share(picked)
    problem = st.session_state.pop("load_problem", None)
    if problem:
        st.error(shared.plain(problem), icon=":material/error:")
    return sources[picked]


def _share(picked: str) -> None:
    if picked == UPLOADED:
        st.markdown("A loaded file is not in the address: save it and send the file.")
        return
    st.markdown("This address opens the page with these inputs:")
    st.code(f"{st.context.url or ''}?{urlencode(st.query_params.to_dict())}", wrap_lines=True, language=None)


@st.cache_data(show_spinner=False)
def _examples() -> dict[str, Source]:
    files = sorted(EXAMPLES.glob("*.yaml"), key=lambda path: (path.stem != FIRST, path.stem))
    return {path.stem: Source(path.stem, path.name, path.read_text(encoding="utf-8")) for path in files}


def _sources() -> dict[str, Source]:
    loaded = st.session_state.get("loaded")
    return _examples() | ({UPLOADED: loaded} if loaded else {})


@st.cache_data(show_spinner=False)
def _title(source: Source) -> str:
    return str(read_scenario(source.text, source.file)[0].get("name", source.file))


def _picked_title(sources: Mapping[str, Source], id_: str) -> str:
    """A scenario's title; a loaded one of the same title as an example is told apart."""
    title = _title(sources[id_])
    same = any(_title(source) == title for other, source in sources.items() if other != id_)
    return f"{title} (loaded)" if id_ == UPLOADED and same else title


def _load() -> None:
    """Take over a file, or say what is wrong with it and keep the scenario."""
    file = st.session_state.get("upload")
    if file is None:
        return
    if file.size > SIZE_LIMIT_BYTES:
        st.session_state["load_problem"] = f"{file.name} is larger than 1 MB; a scenario file is a few kilobytes."
        return
    try:
        text = file.getvalue().decode("utf-8-sig")
        data, lines = read_scenario(text, file.name)
        scenario_from(data, lines, file.name, today=today())
    except UnicodeDecodeError:
        st.session_state["load_problem"] = f"{file.name} is not text in UTF-8. Save it as UTF-8 and load it again."
    except InputError as error:
        st.session_state["load_problem"] = str(error)
    else:
        load(file.name, text)


def load(file: str, text: str) -> None:
    """Take over a scenario's text, as if it were a file's; not where the picker is already drawn in this run."""
    st.session_state["loaded"] = Source(UPLOADED, file, text)
    st.session_state["scenario_id"] = st.session_state["picked"] = UPLOADED
    _reset(UPLOADED)


def _base(source: Source) -> Base:
    stated, lines = read_scenario(source.text, source.file)
    scenario = scenario_from(stated, lines, source.file, today=today())
    data = in_usd(stated, lines, source.file, today=today()).data
    rates = shared.book().as_of(scenario.as_of or today(), scenario.price_release)
    return Base(source, data, scenario, scenario.at_point(), rates)


# --- what was changed --------------------------------------------------------------------------------------------------------


def _edits(id_: str) -> dict[str, Value]:
    """Changed values of a scenario by input, at first those of the page's address."""
    every = st.session_state.setdefault("edits", {})
    if id_ not in every:
        asked = st.query_params.to_dict()
        every[id_] = {k: v for k, v in asked.items() if k != "scenario"} if asked.get("scenario", FIRST) == id_ else {}
    return every[id_]


def _remember(source: Source, edits: Mapping[str, Value], view: Mapping[str, str]) -> None:
    """Put what was changed into the page's address."""
    wanted = {"scenario": source.id} if source.id != FIRST else {}
    wanted |= {key: str(value) for key, value in edits.items()} | dict(view)
    if source.id == UPLOADED:
        wanted = {}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def keep_in_address(view: Mapping[str, str], names: Sequence[str]) -> None:
    """Put what else a page keeps into its address, beside the inputs; a loaded file has none.

    Args:
        names: all that may be kept; those that are not in the view leave the address.
    """
    if st.session_state.get("scenario_id") == UPLOADED:
        return
    stated = st.query_params.to_dict()
    wanted = {name: text for name, text in stated.items() if name not in names} | dict(view)
    if stated != wanted:
        st.query_params.from_dict(wanted)


def _reset(id_: str) -> None:
    st.session_state.setdefault("edits", {})[id_] = {}
    st.session_state.setdefault("valid edits", {}).pop(id_, None)
    st.session_state["round"] = st.session_state.get("round", 0) + 1


def _draw(field: Input, id_: str, edits: dict[str, Value], section: str = "") -> list[str]:
    """One widget; its value goes to the edits where it is not the initial one. Gives why it is refused, if it is."""
    key = f"{id_}/{st.session_state.get('round', 0)}/{field.key}"
    start = _readable(field, edits.get(field.key))
    value: Any
    if field.kind == "choice":
        at = start if start is not None else field.initial
        value = st.selectbox(
            field.label, field.options, index=field.options.index(str(at)) if at in field.options else 0, key=key,
            help=field.help,
        )  # fmt: skip
    else:
        # The widget has no bounds of its own: it would drop a value outside them without a word.
        as_type = int if field.kind == "whole" else float
        shown = start if start is not None else field.initial
        value = st.number_input(
            field.label, value=None if shown is None else as_type(shown), step=as_type(field.step), key=key, help=field.help,
            format="%d" if field.kind == "whole" else "%.10g", placeholder="not stated",
        )  # fmt: skip
    low, high = field.limits
    if value is not None and field.kind != "choice" and not low <= value <= high:
        return [_out_of_range(field, value, section)]
    if value is None or value == field.initial:
        edits.pop(field.key, None)
    else:
        edits[field.key] = value
    return []


def _out_of_range(field: Input, value: float, section: str) -> str:
    low, high = field.limits
    name = f"{section}: {field.label}" if section else field.label
    return f"{name} takes {words.put_in(low)} to {words.put_in(high)}, not {words.put_in(value)}."


def _readable(field: Input, text: Value | None) -> Value | None:
    """A value from the page's address, or None where the input cannot hold it."""
    if text is None:
        return None
    if field.kind == "choice":
        return text if text in field.options else None
    try:
        number = float(text)
    except ValueError:
        return None
    low, high = field.limits
    if not low <= number <= high:
        return None
    return round(number) if field.kind == "whole" else number


# --- basic inputs ------------------------------------------------------------------------------------------------------------


def _basic_inputs(base: Base) -> dict[str, Input]:
    reference = base.point.reference
    inputs = {
        "requests": _number(base, "requests", "Requests per month", ("workload", "requests_per_month"), whole=True, low=1),
        "instructions": _number(
            base, "instruction_tokens", "Instruction tokens", ("approaches", reference, "instruction_tokens"), whole=True
        ),
        "question": _number(base, "question_tokens", "Question tokens", ("workload", "user_tokens"), whole=True),
        "answer": _number(base, "answer_tokens", "Answer tokens", ("workload", "answer_tokens"), whole=True),
        "model": _model_input(base),
    }
    task = base.point.task
    if task.rejected_answer_usd is not None:
        inputs["rejected"] = _number(
            base, "rejected_usd", "Cost of a rejected answer, US$", ("task", "rejected_answer_usd"), step=0.01
        )
    elif task.rejected_answer_handling_minutes is not None:
        path = ("task", "rejected_answer_handling_minutes")
        inputs["rejected"] = _number(base, "rejected_minutes", "Minutes to handle a rejected answer", path, step=0.5)
    months = tuple(str(m) for m in sorted({*HORIZONS, base.point.horizon_months}))
    inputs["horizon"] = Input(
        "horizon", "Horizon, months", str(base.point.horizon_months),
        lambda data, value: _set(data, ("horizon_months",), int(value)),
        "Months compared, from the first calendar month after the day of the prices.", "choice", options=months,
    )  # fmt: skip
    return inputs


def _draw_basic(base: Base, inputs: Mapping[str, Input], edits: dict[str, Value]) -> list[str]:
    """The basic inputs; gives why some are refused."""
    id_ = base.source.id
    st.markdown("**Workload**")
    refused = _draw(inputs["requests"], id_, edits)
    requests = float(edits.get("requests", base.point.workload.requests_per_month))
    st.caption(f"{words.volume(requests / DAYS_PER_MONTH)} a day{_range_note(base)}")
    refused += _draw(inputs["instructions"], id_, edits)
    with st.grid(2, min_column_width=90, gap="xsmall"):
        refused += _draw(inputs["question"], id_, edits)
        refused += _draw(inputs["answer"], id_, edits)
    st.markdown("**Models**")
    _draw(inputs["model"], id_, edits)
    if "model" in edits:
        st.caption("Accepted shares are still those stated for the first model: see the expert inputs.")
    for text in _tuned_models(base.point):
        st.caption(text)
    st.markdown("**Value and time**")
    if "rejected" in inputs:
        refused += _draw(inputs["rejected"], id_, edits)
    horizon = inputs["horizon"]
    key = f"{id_}/{st.session_state.get('round', 0)}/{horizon.key}"
    start = _readable(horizon, edits.get(horizon.key)) or horizon.initial
    value = st.segmented_control(
        horizon.label, horizon.options, default=str(start), required=True, key=key, help=horizon.help, width="stretch"
    )
    if value == horizon.initial or value is None:
        edits.pop(horizon.key, None)
    else:
        edits[horizon.key] = value
    return refused


def _range_note(base: Base) -> str:
    stated = base.scenario.workload.requests_per_month
    if not isinstance(stated, Estimate):
        return ""
    return f"; stated as {words.volume(min(stated.stated))} to {words.volume(max(stated.stated))}"


def _tuned_models(point: Scenario) -> Iterator[str]:
    """What is fine-tuned, each once: the model, and where it runs."""
    found: dict[str, None] = {}
    for approach in point.approaches.values():
        if approach.tuning is not None:
            found[f"{words.model_name(approach.model)}, {words.where_it_runs(approach)}"] = None
    if found:
        yield "Fine-tuned: " + shared.plain("; ".join(found)) + "."


def _model_input(base: Base) -> Input:
    reference = base.point.approaches[base.point.reference]
    old = reference.model
    names = [name for name, a in base.point.approaches.items() if a.model == old]

    def put(data: Data, value: Any) -> None:
        for approach in data["approaches"].values():
            if isinstance(approach, dict) and approach.get("model") == old:
                approach["model"] = value

    options = tuple(dict.fromkeys([old, *token_models(base.rates.as_of, base.rates.recorded_through, base.rates.book)]))
    used_by = words.listed([words.in_sentence(name) for name in names])
    return Input("model", "Called by API", old, put, f"provider/model, used by {used_by}.", "choice", options=options)


@st.cache_data(show_spinner=False, hash_funcs=shared.BOOK_HASH)
def token_models(day: date, recorded_through: date | None, book: PriceBook) -> tuple[str, ...]:
    """Every model with a price of input and of output tokens on a day."""
    rates = book.as_of(day, recorded_through)
    found = []
    for provider_id in rates.book.provider_ids:
        for item in rates.book.provider(provider_id).model:
            offer = f"{provider_id}/{item}"
            try:
                rates.price(offer, "input_usd_per_mtok")
                rates.price(offer, "output_usd_per_mtok")
            except PricingError:
                continue
            found.append(offer)
    return tuple(found)


# --- expert inputs -----------------------------------------------------------------------------------------------------------


def _expert_inputs(base: Base) -> list[Section]:
    workload = [
        *_growth_input(base),
        _number(base, "active_hours", "Active hours a day", ("workload", "active_hours_per_day"), "serving.active_hours_per_day",
                high=24),
        _number(base, "peak", "Peak over mean traffic", ("workload", "peak_factor"), "serving.peak_factor", step=0.5),
        _number(base, "batch", "Batch share, %", ("workload", "batch_share"), percent=True),
        _number(base, "retries", "Technical retries, %", ("workload", "retry_share"), percent=True),
        _number(base, "reasoning", "Reasoning tokens per answer token", ("workload", "reasoning_tokens_per_answer_token"),
                step=0.5),
    ]  # fmt: skip
    turns = base.point.workload.turns_per_conversation
    if isinstance(turns, int):
        path = ("workload", "turns_per_conversation")
        workload.append(_number(base, "turns", "Turns per conversation", path, whole=True, low=1, high=MOST_TURNS))
    task = [
        _number(base, "examples", "Training examples", ("task", "examples"), whole=True),
        _number(base, "example_tokens", "Tokens per example", ("task", "tokens_per_example"), whole=True),
        _number(base, "corpus_tokens", "Corpus tokens", ("task", "corpus_tokens"), whole=True),
        _number(base, "changes", "Facts changing a month, %", ("task", "facts_changing_per_month_share"), percent=True),
    ]
    sections = [Section("Traffic", workload), Section("Task", [field for field in task if field.initial is not None])]
    for name, heading in shared.headings(base.point.approaches).items():
        sections.append(Section(heading, _approach_inputs(base, name)))
    sections.append(Section("Value", _value_inputs(base)))
    sections.append(Section("Organisation and money", [*_staff_inputs(base), *_money_inputs(base)]))
    return [section for section in sections if section.inputs]


def _approach_inputs(base: Base, name: str) -> list[Input]:
    """Inputs of the parts that an approach states itself; those it inherits are changed where they are stated."""
    stated = base.data["approaches"].get(name)
    if not isinstance(stated, dict):
        return []
    approach, at = base.point.approaches[name], ("approaches", name)
    inputs = [_number(base, f"{name}.accepted", "Accepted answers, %", (*at, "accepted"), percent=True, step=0.5)]
    inputs.append(_number(base, f"{name}.seconds", "Seconds per answer", (*at, "seconds_per_answer"), step=0.5))
    if approach.shots and "shots" in stated:
        inputs.append(_number(base, f"{name}.shots", "Examples shown", (*at, "shots"), whole=True))
    if isinstance(stated.get("retrieval"), dict) and "same_as" not in stated["retrieval"]:
        part = (*at, "retrieval")
        inputs += [
            _number(base, f"{name}.chunks", "Chunks per request", (*part, "chunks_per_request"), "retrieval.chunks_per_request"),
            _number(base, f"{name}.chunk_tokens", "Tokens per chunk", (*part, "chunk_tokens"), "retrieval.chunk_tokens"),
        ]  # fmt: skip
    if isinstance(stated.get("tuning"), dict) and approach.tuning is not None:
        part = (*at, "tuning")
        inputs.append(
            _number(base, f"{name}.runs", "Training runs to production", (*part, "runs"), "tuning.full_run_equivalents")
        )
        if approach.tuning.epochs is not None:
            inputs.append(_number(base, f"{name}.epochs", "Epochs", (*part, "epochs")))
        if approach.tuning.retrain_every_months is not None:
            path = (*part, "retrain_every_months")
            inputs.append(_number(base, f"{name}.retrain", "Months between retrainings", path, whole=True, low=1, high=120))
    if isinstance(stated.get("serving"), dict) and not isinstance(approach.serving, PerToken):
        part = (*at, "serving")
        inputs += [
            _number(base, f"{name}.rps", "Requests per second per replica", (*part, "requests_per_second_per_replica"), step=0.1),
            _number(base, f"{name}.utilisation", "Target utilisation, %", (*part, "target_utilisation"),
                    "serving.target_utilisation", percent=True),
            _number(base, f"{name}.replicas", "Replicas at least", (*part, "min_replicas"), whole=True, low=1),
        ]  # fmt: skip
    return inputs


def _growth_input(base: Base) -> Iterator[Input]:
    growth = base.point.workload.growth
    if not isinstance(growth, FlatGrowth | CompoundGrowth | LinearGrowth):
        return
    kind = "compound" if isinstance(growth, FlatGrowth) else growth.kind
    share = 0.0 if isinstance(growth, FlatGrowth) else float(growth.monthly_share)

    def put(data: Data, value: Any) -> None:
        _set(data, ("workload", "growth"), {"kind": kind, "monthly_share": value / 100})

    text = "Growth of the volume from month to month; negative shrinks. " + (
        "Default: none." if isinstance(growth, FlatGrowth) else f"Stated in the scenario, {kind}."
    )
    yield Input("growth", "Growth a month, %", _clean(share * 100), put, text, low=-99, high=100, step=0.5)


def _staff_inputs(base: Base) -> Iterator[Input]:
    """Loaded hourly rates of the roles that occur."""
    approaches = base.point.approaches.values()
    roles = {a.staffing.role for a in approaches} | {a.evaluation.role for a in approaches}
    roles |= {a.data_preparation.role for a in approaches if a.tuning is not None}
    months = Months(base.rates.as_of, base.point.horizon_months)
    setting = Setting(base.point, next(iter(approaches)), base.rates, months, np.ones(months.count))
    for role in sorted(roles):
        try:
            rate = setting.staff_rate(role)
        except PricingError:
            continue
        usd = None if rate.price.missing else round(float(rate.price.usd[0]), 2)
        sources = "; ".join(f"{words.price(row)}, {row.source}" for row in rate.price.rows)
        origin = f"Default: {sources}, with overhead." if sources else rate.price.missing or "Stated in the scenario."
        yield Input(
            f"staff.{role}", f"{words.role(role)}, US$ an hour", usd,
            partial(_put_at, ("staff_usd_per_hour", role)), f"Loaded hourly rate. {origin}",
        )  # fmt: skip


def _value_inputs(base: Base) -> list[Input]:
    """What answers and seconds are worth, each method with its parts."""
    fields = [
        ("usd_per_accepted_answer", "Accepted answer, US$", False),
        ("minutes_saved_per_accepted_answer", "Minutes saved per answer", False),
        ("conversion_uplift_share", "More conversions per answer, %", True),
        ("usd_per_conversion", "Conversion, US$", False),
        ("churn_avoided_share_per_month", "Churn avoided a month, %", True),
        ("customers", "Customers", False),
        ("usd_per_customer_per_month", "Customer a month, US$", False),
        ("paying_customers", "Customers who pay more", False),
        ("usd_premium_per_customer_per_month", "Premium a month, US$", False),
        ("usd_per_second_saved", "Second saved, US$", False),
    ]
    return [_value_input(base, name, label, percent) for name, label, percent in fields]


def _value_input(base: Base, name: str, label: str, percent: bool) -> Input:
    """One number of the scenario's value; put in as nothing where nothing is stated, it leaves it unstated."""
    path = ("value", name)
    if base.point.value is not None:
        return _number(base, f"value.{name}", label, path, percent=percent)

    def put(data: Data, new: Any) -> None:
        if new:
            _set(data, path, new / 100 if percent else new)

    text = f"{' '.join(meaning_of(Worth, name).split())} Not stated in the scenario."
    return Input(f"value.{name}", label, None, put, shared.plain(text), high=100 if percent else 1e12)


def _money_inputs(base: Base) -> list[Input]:
    path = ("finance", "discount_rate_per_year")
    stated = base.point.finance.currency
    found = [
        Input(
            "currency",
            "Currency shown",
            stated,
            partial(_put_at, ("finance", "currency")),
            f"Amounts of the answer, its charts and its files, at the rate of {words.day_short(base.rates.as_of)}. "
            "Amounts put in here stay in US dollars.",
            "choice",
            options=tuple(dict.fromkeys((stated, *base.rates.currencies))),
        ),
        _number(
            base, "discount", "Discount rate a year, %", path, "finance.discount_rate_per_year", percent=True, high=1e6, step=0.5
        ),
    ]
    found.append(
        _number(base, "decline", "Fall of token prices a year, %", ("finance", "price_decline_per_year"), percent=True, step=5)
    )
    providers = {
        (a.tuning.at or a.model.partition("/")[0])
        for a in base.point.approaches.values()
        if a.tuning is not None and a.tuning.kind == "managed"
    }
    for provider in sorted(providers & set(base.rates.book.provider_ids)):
        name = base.rates.book.provider(provider).name
        found.append(
            Input(
                f"standing.{provider}", f"Standing with {name}", base.point.organisation.get(provider, "new"),
                partial(_put_at, ("organisation", provider)),
                "Decides who may still tune there: new, inactive or active. Default: new.",
                "choice", options=("new", "inactive", "active"),
            )
        )  # fmt: skip
    return found


def _number(
    base: Base,
    key: str,
    label: str,
    path: Sequence[str],
    assumption: str | None = None,
    *,
    whole: bool = False,
    percent: bool = False,
    low: float = 0,
    high: float | None = None,
    step: float = 1,
) -> Input:
    """An input for the number at a path of the scenario.

    Args:
        assumption: what the model takes where the scenario states nothing.
        percent: the field is a share; it is shown in per cent.
    """
    scale = 100 if percent else 1
    *parents, name = path
    parent, point = _at(base.scenario, parents), _at(base.point, parents)
    stated, value = getattr(parent, name), getattr(point, name)
    origin = "Stated in the scenario." if name in parent.model_fields_set else "Default of the model."
    if isinstance(stated, Estimate):
        lowest, highest = min(stated.stated) * scale, max(stated.stated) * scale
        origin = f"Stated as a range, {words.quantity(lowest)} to {words.quantity(highest)}; computed at its point value. "
        if lowest == highest:
            origin = "Stated as an evaluation's result. "
        origin += "A number put in here replaces it."
    elif value is None and assumption is not None:
        found = base.rates.assumption(assumption)
        value = found.likely
        origin = f"Default: {found.likely:g} {found.unit}, between {found.low:g} and {found.high:g}. "
        origin += f"{' '.join(found.basis.split())} {found.source or ''}"
    elif value is None:
        origin = "Not stated in the scenario."
    whole = whole and (value is None or float(value).is_integer())
    initial = None if value is None else round(float(value)) if whole else _clean(float(value) * scale)

    def put(data: Data, new: Any) -> None:
        _set(data, path, new / scale if percent else new)

    description = meaning_of(type(parent), name)
    return Input(
        key, label, initial, put, shared.plain(f"{' '.join(description.split())} {origin}"), "whole" if whole else "number",
        low, high if high is not None else 100 if percent else 1e12, step,
    )  # fmt: skip


def _clean(value: float) -> float:
    """Without the noise of binary fractions: 90.5, not 90.50000000000001."""
    return float(f"{value:.10g}")


def _at(model: Any, path: Sequence[str]) -> Any:
    for part in path:
        model = model[part] if isinstance(model, dict) else getattr(model, part)
    return model


def _value(data: Any, path: Sequence[str]) -> Any:
    """What stands at a path of plain fields; None where nothing does."""
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _put_at(path: Sequence[str], data: Data, value: Any) -> None:
    _set(data, path, value)


def _set(data: Data, path: Sequence[str], value: Any) -> None:
    *parents, name = path
    for part in parents:
        if not isinstance(data.get(part), dict):
            data[part] = {}
        data = data[part]
    data[name] = value
