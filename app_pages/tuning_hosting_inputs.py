"""The sidebar of Tuning & hosting: what is tuned and served, how fast, on what. It is kept in the page's address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from app_pages import own_prices, shared, training_file
from app_pages.training_file import Reading
from calc.hardware.plans import Technique, rents
from calc.hardware.serving_throughput import BYTES_PER_WEIGHT, Weights
from calc.hardware.training_time import FRAMEWORKS
from calc.timeline import DAYS_PER_MONTH
from ingest.errors import InputError
from ingest.model_config import model_from_text
from pricing import Rates
from pricing.model import OpenModel
from reports import words
from reports.hardware_words import SERVICE_LABELS, TECHNIQUE_LABELS, framework, gpu_name

VIEW = "tuning view"
"""What the reader chose, as the page's address has it: kept while another page is open."""
FIRST_MODEL = "meta/llama-3.1-8b"
WEIGHT_LABELS: dict[Weights, str] = {
    "fp16": "16 bits",
    "fp8": "FP8",
    "int8": "INT8",
    "fp4": "FP4",
    "int4": "INT4",
}
EXAMPLE_TOKENS = 512
"""Of one example, where only the tokens of all are stated: short enough that no provider cuts it."""
NUMBER, FILE = "A number", "Training file"


@dataclass(frozen=True)
class Field:
    """One input: its name in the address, its first value, and what it takes."""

    name: str
    first: Any
    kind: Literal["whole", "number", "choice", "list", "flag"] = "whole"
    low: float = 0
    high: float = 1e15
    options: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Of its widget."""
        return f"tuning {self.name}"

    def read(self, text: str) -> Any:
        """A value of the address.

        Raises:
            ValueError: in words, what is expected.
        """
        if self.kind == "list":
            found = [part for part in text.split(",") if part]
            unknown = [part for part in found if part not in self.options]
            if unknown:
                raise ValueError(f"'{unknown[0]}' is not known")
            return found
        if self.kind in ("choice", "flag"):
            options = ("yes", "no") if self.kind == "flag" else self.options
            if text not in options:
                raise ValueError(f"'{text}' is not known")
            return text == "yes" if self.kind == "flag" else text
        if text == "none" and self.first is None:
            return None
        try:
            value = int(text) if self.kind == "whole" else float(text)
        except ValueError:
            raise ValueError(f"'{text}' is not a number") from None
        if not self.low <= value <= self.high:
            raise ValueError(f"{text} is not between {words.figure(self.low)} and {words.figure(self.high)}")
        return value

    def write(self, value: Any) -> str:
        """A value as the address has it."""
        if self.kind == "list":
            return ",".join(value)
        if self.kind == "flag":
            return "yes" if value else "no"
        return "none" if value is None else f"{value:.10g}" if self.kind == "number" else str(value)


@dataclass(frozen=True)
class Asked:
    """What is to be tuned and served."""

    weights: str
    """In open_models.toml; empty where the reader gave a config.json."""
    model: OpenModel
    technique: Technique
    tokens: int
    """Of one pass; of no account where a file is read."""
    epochs: int
    example: int
    """Tokens of one example; of no account where a file is read."""
    sequence: int
    step: int
    rank: int
    framework: str
    deadline: float | None
    requests: int
    input_tokens: int
    output_tokens: int
    first_token_ms: float | None
    each_token_ms: float | None
    open_hours: float
    is_off_when_closed: bool
    served_in: Weights
    adapters: int
    """LoRA adapters that share the model served."""
    gpus: tuple[str, ...]
    providers: tuple[str, ...]
    services: tuple[str, ...]
    reading: Reading | None
    """The training file, where its tokens are to be trained on."""


def fields(rates: Rates) -> dict[str, Field]:
    """All inputs by name; first values that nobody states are the price book's assumptions."""
    services = tuple(SERVICE_LABELS)
    every = [
        Field("model", FIRST_MODEL, "choice", options=tuple(rates.open_models)),
        Field("technique", "qlora", "choice", options=tuple(TECHNIQUE_LABELS)),
        Field("tokens", 10_000_000, low=0, high=10**15),
        Field("epochs", round(rates.assumption("tuning.epochs").likely), low=1, high=1000),
        Field("sequence", 2048, low=1, high=10**8),
        Field("step", 16, low=1, high=10**6),
        Field("rank", 16, low=1, high=4096),
        Field("example", EXAMPLE_TOKENS, low=1, high=10**6),
        Field("framework", "transformers", "choice", options=tuple(FRAMEWORKS)),
        Field("deadline", 8.0, "number", low=0.01, high=100_000),
        Field("requests", 500_000, low=0, high=10**12),
        Field("in", 1200, low=1, high=10**8),
        Field("out", 300, low=1, high=10**8),
        Field("ttft", 2000.0, "number", low=0.1, high=1e7),
        Field("tpot", 60.0, "number", low=0.1, high=1e6),
        Field("hours", float(rates.assumption("serving.active_hours_per_day").likely), "number", low=0.5, high=24),
        Field("off", False, "flag"),
        Field("served", "fp16", "choice", options=tuple(BYTES_PER_WEIGHT)),
        Field("adapters", 1, low=1, high=10**6),
        Field("gpus", [], "list", options=tuple(rates.gpus)),
        Field("providers", [], "list", options=renting(rates)),
        Field("rents", ["standard"], "list", options=services),
    ]
    return {field.name: field for field in every}


def renting(rates: Rates) -> tuple[str, ...]:
    """Providers that rent out GPUs at a price of the book."""
    return tuple(dict.fromkeys(rent.offer.partition("/")[0] for rent in rents(rates)))


OPTIONAL = ("deadline", "ttft", "tpot")
"""May be left empty."""


def take_over_address(known: Mapping[str, Field]) -> list[str]:
    """Give the inputs their first values; gives what of the address cannot be read, in words."""
    is_first = VIEW not in st.session_state
    view: dict[str, str] = st.session_state.setdefault(VIEW, st.query_params.to_dict())
    ignored = [f"The address names '{name}', which this page does not have. It is ignored." for name in view if name not in known]
    for field in known.values():
        value = field.first
        if field.name in view:
            try:
                is_none = view[field.name] == "none" and field.name in OPTIONAL
                value = None if is_none else field.read(view[field.name])
            except ValueError as error:
                ignored.append(f"The address asks for {field.name}: {error}. It is ignored.")
        if field.key not in st.session_state:
            st.session_state[field.key] = value
    return ignored if is_first else []


def remember(known: Mapping[str, Field]) -> None:
    """Put what is shown into the page's address; what is as at first is left out."""
    wanted = {f.name: f.write(st.session_state[f.key]) for f in known.values() if st.session_state[f.key] != f.first}
    st.session_state[VIEW] = wanted
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def asked(rates: Rates, known: Mapping[str, Field]) -> Asked:
    """Draws the sidebar and gives what it states."""
    models = rates.open_models
    st.markdown("**Tuning**")
    weights = st.selectbox(
        "Model", list(models), key=known["model"].key, format_func=lambda id_: models[id_].name,
        help="Open weights; type to search.",
    )  # fmt: skip
    own = _config_input(rates)
    technique = st.segmented_control(
        "Technique", list(TECHNIQUE_LABELS), format_func=TECHNIQUE_LABELS.get, key=known["technique"].key, required=True,
        width="stretch", help="QLoRA: adapters on a base in 4 bits. LoRA: on a base in 16 bits. Full: every weight is trained.",
    )  # fmt: skip
    reading = _tokens_input(known)
    sequence = _number(known["sequence"], "Sequence, tokens", "Length that examples are packed to on own GPUs.", step=256)
    with st.grid(2, min_column_width=90, gap="xsmall"):
        epochs = _number(known["epochs"], "Epochs", "Passes over the data.")
        deadline = _number(known["deadline"], "Deadline, h", "From start to end. Left empty: no deadline.", step=1.0)
    st.markdown("**Hosting**")
    requests = _number(known["requests"], "Requests per month", "Each is one answer.", step=1000)
    st.caption(f"{words.volume(requests)} a month, {words.volume(requests / DAYS_PER_MONTH)} a day")
    with st.grid(2, min_column_width=90, gap="xsmall"):
        tokens_in = _number(known["in"], "Tokens in", "Of one request, instructions and context inside.", step=100)
        tokens_out = _number(known["out"], "Tokens out", "Of one answer.", step=50)
    with st.grid(2, min_column_width=90, gap="xsmall"):
        first = _number(known["ttft"], "First token, ms", "Time to first token at most. Empty: as long as it takes.", step=100.0)
        each = _number(known["tpot"], "Each token, ms", "Time per output token at most. Empty: as long as it takes.", step=5.0)
    st.markdown("**GPUs**")
    services = st.pills(
        "Rented or bought", list(SERVICE_LABELS), format_func=SERVICE_LABELS.get, key=known["rents"].key, selection_mode="multi",
        help="None picked: any way. Spot can be interrupted: hours repeated after that are counted. Bought: an hour in use, by "
        "the assumptions on purchase, power, space and staff.",
    )  # fmt: skip
    with st.expander("Expert inputs (10)", icon=":material/tune:"):
        hours = _number(known["hours"], "Hours of business a day", _assumed(rates, "serving.active_hours_per_day"), step=1.0)
        off = st.toggle("Switched off outside them", key=known["off"].key, help="Then only these hours are paid.")
        served_in = st.selectbox(
            "Weights served in", list(WEIGHT_LABELS), format_func=WEIGHT_LABELS.get, key=known["served"].key
        )  # fmt: skip
        adapters = _number(
            known["adapters"], "Adapters on one base", "LoRA adapters served at once. A single one is merged into it."
        )
        rank = _number(known["rank"], "Rank of adapters", "Of LoRA and QLoRA, on every linear layer.")
        trained_by = st.selectbox(
            "Framework", list(known["framework"].options), format_func=framework, key=known["framework"].key,
            help="What trains on own GPUs. Hours of those that were not measured are those of what they run.",
        )  # fmt: skip
        step = _number(known["step"], "Sequences of a step", "Of one optimizer step, all GPUs together.")
        example = _number(
            known["example"], "Tokens of an example", "What managed services are billed for; a training file's are counted.",
            step=64,
        )  # fmt: skip
        gpus = shared.some_of(known["gpus"].key, "GPUs", {id_: gpu_name(gpu) for id_, gpu in rates.gpus.items()})
        renters = {id_: rates.book.provider(id_).name for id_ in known["providers"].options}
        providers = shared.some_of(known["providers"].key, "Rented from", renters)
    own_prices.draw()
    tokens = st.session_state[known["tokens"].key]
    return Asked(
        "" if own else weights, own or models[weights], technique, tokens, epochs, example, sequence, step, rank, trained_by,
        deadline, requests, tokens_in, tokens_out, first, each, hours, off, served_in, adapters, tuple(gpus), tuple(providers),
        tuple(services), reading,
    )  # fmt: skip


def _config_input(rates: Rates) -> OpenModel | None:
    """A model that is not in the list, by its config.json; None where none is given or it cannot be read."""
    with st.popover("Another model", icon=":material/upload_file:", width="stretch"):
        file = st.file_uploader(
            "Its config.json", type=["json"], max_upload_size=1, key="tuning config",
            help="As published beside the weights. It holds in this browser tab and is not in the page's address.",
        )  # fmt: skip
    if file is None:
        return None
    name = training_file.shown_name(file.name)
    try:
        model = model_from_text(file.getvalue().decode("utf-8", errors="replace"), name, rates.as_of)
    except InputError as error:
        st.error(f"{shared.plain(str(error))} The model picked above is shown.".replace("\n", "  \n"), icon=":material/error:")
        return None
    size = f"{model.billion_parameters:,.1f} billion parameters"
    st.caption(f":material/check: {shared.plain(model.name)}, {size}, of {shared.plain(name)}")
    return model


def _tokens_input(known: Mapping[str, Field]) -> Reading | None:
    """A number of tokens, or the file that was measured on the page Training data."""
    desk = training_file.measured_desk()
    field = known["tokens"]
    if desk is None or desk.shown is None:
        _number(field, "Training tokens, one pass", "Tokens of all examples, chat template inside.", step=1_000_000)
        st.caption(f"{words.volume(st.session_state[field.key])} tokens")
        return None
    source = st.segmented_control(
        "Training tokens from", [NUMBER, FILE], default=NUMBER, key="tuning tokens from", required=True, width="stretch"
    )
    if source == FILE:
        file = desk.shown.question.file
        st.caption(f":material/description: {'The built-in sample' if file.is_sample else file.name}")
        st.session_state[field.key] = st.session_state[field.key]  # kept while its input is not drawn
        return desk.shown
    _number(field, "Training tokens, one pass", "Tokens of all examples, chat template inside.", step=1_000_000)
    return None


def _assumed(rates: Rates, name: str) -> str:
    found = rates.assumption(name)
    return f"Default: {found.likely:g} {found.unit}, between {found.low:g} and {found.high:g}. {' '.join(found.basis.split())}"


def _number(field: Field, label: str, help_: str, step: float = 1) -> Any:
    kind = int if field.kind == "whole" else float
    return st.number_input(
        label, value=None if field.name in OPTIONAL else "min", min_value=kind(field.low), max_value=kind(field.high),
        step=kind(step), key=field.key, help=help_, placeholder="none",
    )  # fmt: skip
