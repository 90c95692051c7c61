"""``tuneworth gpus``: on which GPUs a model can be tuned or served, how long it takes, and what each rent costs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, NoReturn, get_args

import typer

from calc.hardware.memory import Technique
from calc.hardware.plans import (
    Demand,
    Latency,
    Refused,
    ServingChoice,
    ServingPlan,
    TokenShape,
    TuningChoice,
    TuningPlan,
    TuningTask,
    demand_at_peak,
    serving_plans,
    tuning_plans,
)
from calc.hardware.serving_throughput import Weights
from calc.hardware.training_time import Method
from calc.parts.own_gpus import PACKED_TOKENS
from ingest.bills import STAND_IN, method_of
from ingest.counting import counting_for
from ingest.dataset import measure, training_file
from ingest.errors import InputError, Problem
from ingest.model_config import read_model_config
from pricing import Rates
from pricing.model import OpenModel
from reports import hardware_words, words
from tuneworth.clock import day_or_today
from tuneworth.compare import AsOf
from tuneworth.output import PARTIAL, Figure, Format, emit, say, write
from tuneworth.own_prices import OwnPricesFile, book_with
from tuneworth.tokens import progress

SHOWN = 20
"""Offers of the table unless all are asked for."""
UTILISATIONS = (0.1, 0.25, 0.5, 0.75, 1.0)
"""At which the curve of the cost of a token is printed."""
_LIMITS = {
    "--tokens": (1, 1e15),
    "--epochs": (0.001, 1000),
    "--rank": (1, 4096),
    "--sequence": (1, 1e8),
    "--requests-per-second": (1e-6, 1e9),
    "--volume": (1, 1e15),
    "--input": (1, 1e8),
    "--output": (1, 1e8),
    "--cached": (1, 1e8),
}
"""The least and the most of a number above zero."""
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def gpus(
    model: Annotated[str | None, typer.Option(help="Open weights, such as meta/llama-3.1-8b.")] = None,
    model_config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="config.json of a model that is not in the price book; --model then counts the tokens."
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="Training file, in any format 'tuneworth tokens' reads.")
    ] = None,
    tokens: Annotated[float | None, typer.Option(help="Tokens of one epoch, where there is no file.")] = None,
    epochs: Annotated[
        float | None, typer.Option(help="Passes over the tokens. Default: 1 with --tokens, with --data the assumption.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="qlora, lora or full. Default: lora.")] = None,
    rank: Annotated[float | None, typer.Option(help="Rank of the adapters. Default: 16.")] = None,
    sequence: Annotated[
        float | None, typer.Option(help="Tokens of a sequence; examples are packed to it. Default: 2048, or the longest.")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Sequences of one optimiser step, all GPUs together. Default: 16.")
    ] = None,
    framework: Annotated[
        str | None,
        typer.Option(help="What trains: transformers, axolotl, llama-factory, unsloth, torchtune … Default: transformers."),
    ] = None,
    deadline: Annotated[str | None, typer.Option(help="The longest it may take, such as 8h, 90m or 2d.")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Serve the model rather than tune it.")] = False,
    requests_per_second: Annotated[float | None, typer.Option(help="--serve: requests a second at the peak.")] = None,
    volume: Annotated[float | None, typer.Option(help="--serve: requests a month.")] = None,
    input_tokens: Annotated[float | None, typer.Option("--input", help="--serve: tokens read by a request.")] = None,
    output_tokens: Annotated[float | None, typer.Option("--output", help="--serve: tokens written by a request.")] = None,
    cached: Annotated[float | None, typer.Option(help="--serve: of the input, tokens that are cached. Default: 0.")] = None,
    weights: Annotated[str | None, typer.Option(help="--serve: fp16, fp8, int8, fp4 or int4. Default: fp16.")] = None,
    adapters: Annotated[
        int | None,
        typer.Option(
            min=1, max=1_000_000, help="--serve: LoRA adapters of --rank that share the model; a single one is merged into it."
        ),
    ] = None,
    ttft: Annotated[str | None, typer.Option(help="--serve: the longest until the first token, such as 1s.")] = None,
    tpot: Annotated[str | None, typer.Option(help="--serve: the longest for each further token, such as 50ms.")] = None,
    replicas: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="--serve: replicas kept on whatever the traffic. Default: 1.")
    ] = None,
    gpu: Annotated[list[str] | None, typer.Option(help="This GPU alone; may be given several times.")] = None,
    provider: Annotated[
        list[str] | None, typer.Option(help="This provider alone, or bought; may be given several times.")
    ] = None,
    service: Annotated[
        list[str] | None, typer.Option(help="on-demand, spot, community, reserved or bought; may be given several times.")
    ] = None,
    own_prices: OwnPricesFile = None,
    as_of: AsOf = None,
    every: Annotated[
        bool, typer.Option("--all", help=f"Print every offer, not only the {SHOWN} cheapest, and every refusal.")
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """List the GPUs on which a model can be tuned, or served: memory, hours with their interval, cost, the cheapest first.

    Exits with 3 where nothing meets the deadline.
    """
    of_tuning: dict[str, Any] = {
        "--data": data, "--tokens": tokens, "--epochs": epochs, "--method": method, "--sequence": sequence, "--batch": batch,
        "--framework": framework, "--deadline": deadline,
    }  # fmt: skip
    of_serving: dict[str, Any] = {
        "--requests-per-second": requests_per_second, "--volume": volume, "--input": input_tokens, "--output": output_tokens,
        "--cached": cached, "--weights": weights, "--adapters": adapters, "--ttft": ttft, "--tpot": tpot, "--replicas": replicas,
    }  # fmt: skip
    _within_limits(of_tuning | of_serving | {"--rank": rank})
    if sequence is not None and sequence < 1:
        _wrong("--sequence", f"{sequence:g} tokens are no sequence", "Write 1 or more")
    rates = book_with(own_prices).as_of(day_or_today(as_of))
    weights_model = _model(rates, model, model_config)
    asked = _Asked(tuple(each.lower() for each in gpu or ()), tuple(provider or ()), tuple(_services(service or [])))
    rank_of_adapters = 16 if rank is None else rank
    if serve:
        _none_of(of_tuning, "it belongs to tuning", "Leave it out, or leave --serve out")
        if rank is not None and adapters is None:
            _wrong("--rank", "no adapters are served beside the model", "Add --adapters, or leave it out")
        _serve(
            rates,
            weights_model,
            _token_shape(input_tokens, output_tokens, cached or 0),
            _demand(rates, requests_per_second, volume),
            {
                "latency": Latency(_seconds("--ttft", ttft), _seconds("--tpot", tpot)),
                "weights": _one_of("--weights", weights or "fp16", Weights),
                "adapters": adapters or 1,
                "adapter_rank": rank_of_adapters,
                "min_replicas": replicas or 1,
            },
            asked,
            form,
            every,
        )
        return
    _none_of(of_serving, "it belongs to serving", "Leave it out, or add --serve")
    task = TuningTask(
        tokens=0,
        technique=_one_of("--method", "lora" if method is None else method, Technique),
        sequence_tokens=min(PACKED_TOKENS, weights_model.context_tokens or PACKED_TOKENS) if sequence is None else sequence,
        sequences_per_step=batch or 16,
        rank=rank_of_adapters,
        framework="transformers" if framework is None else framework,
    )
    task = _with_tokens(rates, weights_model, model, task, data, tokens, epochs, sequence)
    limit = _seconds("--deadline", deadline)
    _tune(rates, weights_model, task, None if limit is None else limit / 3600, asked, form, every)


@dataclass(frozen=True)
class _Asked:
    gpus: tuple[str, ...]
    providers: tuple[str, ...]
    services: tuple[str, ...]


# --- tuning ---------------------------------------------------------------------------------------------------------------


def _tune(
    rates: Rates, model: OpenModel, task: TuningTask, deadline_hours: float | None, asked: _Asked, form: Format, every: bool
) -> None:
    choice = _plans(rates, model, task, deadline_hours, asked)
    if not choice.plans:
        _fits_nowhere(rates, model, choice, asked)
    best = choice.best_of_offers
    shown = best if every or form in (Format.json, Format.csv) else best[:SHOWN]
    sentence = _tuning_sentence(rates, model, choice)
    if form is Format.json:
        emit(form, [], as_json=_tuning_json(choice, shown, sentence))
    elif form is Format.csv:
        emit(form, [_plain_plan(plan, deadline_hours) for plan in shown])
    else:
        write(sentence + "\n\n")
        title = (
            f"{words.quantity(task.tokens)} tokens, {hardware_words.TECHNIQUE_LABELS[task.technique]}, "
            f"{hardware_words.framework(task.framework)}, prices of {rates.as_of}"
        )
        emit(form, [_plan_row(plan, deadline_hours) for plan in shown], title=title)
        _rest(len(best) - len(shown), choice.refused, every or bool(asked.gpus), form)
    if choice.cheapest is None:
        raise typer.Exit(PARTIAL)


def _plans(rates: Rates, model: OpenModel, task: TuningTask, deadline_hours: float | None, asked: _Asked) -> TuningChoice:
    return tuning_plans(
        rates,
        model,
        task,
        deadline_hours=deadline_hours,
        gpus=asked.gpus,
        providers=asked.providers,
        services=asked.services,
    )


def _tuning_sentence(rates: Rates, model: OpenModel, choice: TuningChoice) -> str:
    best = choice.cheapest or choice.plans[0]
    when = "within the deadline" if choice.cheapest and choice.deadline_hours is not None else "in the price book"
    late = "" if choice.cheapest else f" No GPUs meet the deadline. {_fastest(rates, choice)}"
    return (
        f"Cheapest {when}: tune {model.name} on {hardware_words.tuned_on(rates, best)} for {words.money_run(best.usd)}, done in "
        f"{words.hours(best.hours)} ({words.hours(best.low_hours)} to {words.hours(best.high_hours)}).{late}"
    )


def _fastest(rates: Rates, choice: TuningChoice) -> str:
    fastest = choice.fastest
    assert fastest is not None
    return (
        f"The fastest, {hardware_words.tuned_on(rates, fastest)}, takes {words.hours(fastest.hours)} and costs "
        f"{words.money_run(fastest.usd)}."
    )


def _plan_row(plan: TuningPlan, deadline_hours: float | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "rent": plan.rent.offer,
        "how": hardware_words.SERVICE_LABELS[plan.rent.service].lower(),
        "GPUs": Figure(_of_rent(plan.gpus, plan.rented, plan.rent.gpus)),
        "GPU": hardware_words.gpu_name(plan.rent.gpu),
        "GiB needed / usable": Figure(f"{plan.needed_gib:,.0f} / {plan.usable_gib:,.0f}"),
        "hours": Figure(f"{plan.hours:,.1f}"),
        "nine of ten": Figure(f"{plan.low_hours:,.1f}–{plan.high_hours:,.1f}"),
        "US$": Figure(f"{plan.usd:,.2f}"),
    }
    return row if deadline_hours is None else row | {"in time": _in_time(plan, deadline_hours)}


def _of_rent(gpus: int, rented: int, gpus_each: int) -> str:
    return str(gpus) if gpus_each == 1 else f"{gpus} ({rented} × {gpus_each})"


def _in_time(plan: TuningPlan, deadline_hours: float) -> str:
    if plan.high_hours <= deadline_hours:
        return "yes"
    return "likely" if plan.meets(deadline_hours) else "no" if plan.low_hours > deadline_hours else "hardly"


def _plain_plan(plan: TuningPlan, deadline_hours: float | None) -> dict[str, Any]:
    return {
        "offer": plan.rent.offer,
        "service": plan.rent.service,
        "gpu": plan.rent.gpu_id,
        "gpus": plan.gpus,
        "rented": plan.rented,
        "gpus_each": plan.rent.gpus,
        "usd_per_hour_each": plan.rent.usd_per_hour,
        "needed_gib": plan.needed_gib,
        "usable_gib": plan.usable_gib,
        "sharding": plan.sharding,
        "hours": plan.hours,
        "low_hours": plan.low_hours,
        "high_hours": plan.high_hours,
        "paid_hours": plan.paid_hours,
        "gpu_hours": plan.gpu_hours,
        "usd": plan.usd,
        "low_usd": plan.low_usd,
        "high_usd": plan.high_usd,
        "storage_usd": plan.storage_usd,
        "egress_usd": plan.egress_usd,
        "meets_deadline": None if deadline_hours is None else plan.meets(deadline_hours),
    }


def _tuning_json(choice: TuningChoice, shown: Sequence[TuningPlan], sentence: str) -> dict[str, Any]:
    return {
        "recommendation": sentence,
        "tokens": choice.task.tokens,
        "technique": choice.task.technique,
        "framework": hardware_words.framework(choice.task.framework),
        "sequence_tokens": choice.task.sequence_tokens,
        "deadline_hours": choice.deadline_hours,
        "plans": [
            _plain_plan(plan, choice.deadline_hours)
            | {"price": plan.rent.price and plan.rent.price.model_dump(mode="json", exclude_none=True)}
            for plan in shown
        ],
        "refused": [each._asdict() for each in choice.refused],
    }


def _fits_nowhere(rates: Rates, model: OpenModel, choice: TuningChoice, asked: _Asked) -> NoReturn:
    """Say what would fit: the same on lighter techniques, or on any GPU."""
    why = "; ".join(f"{each.gpu_id}: {each.reason}" for each in choice.refused[:3]) or "nothing is rented out as asked"
    lighter = {"full": ("lora", "qlora"), "lora": ("qlora",), "qlora": ()}[choice.task.technique]
    tried = [(f"--method {technique}", replace(choice.task, technique=technique), asked) for technique in lighter]
    if asked.gpus or asked.providers or asked.services:
        tried.append(("any GPU and rent", choice.task, _Asked((), (), ())))
    for how, task, among in tried:
        other = _plans(rates, model, task, None, among)
        if other.plans:
            best = other.plans[0]
            advice = f"With {how} it does: on {hardware_words.tuned_on(rates, best)} for {words.money_run(best.usd)}"
            break
    else:
        nothing = f"The price book may hold no price of {rates.as_of}: try a later --as-of"
        advice = "Take shorter sequences or a smaller model" if choice.refused else nothing
    raise InputError(Problem("--model", f"{model.name} cannot be tuned as asked: {why}", next_step=advice))


# --- serving --------------------------------------------------------------------------------------------------------------


def _serve(
    rates: Rates,
    model: OpenModel,
    tokens: TokenShape,
    demand: Demand,
    options: dict[str, Any],
    asked: _Asked,
    form: Format,
    every: bool,
) -> None:
    choice = serving_plans(
        rates,
        model,
        tokens,
        demand,
        **options,
        gpus=asked.gpus,
        providers=asked.providers,
        services=asked.services,
    )
    best = choice.cheapest
    if best is None:
        why = choice.nearest or (choice.refused[-1].reason if choice.refused else "nothing is rented out as asked")
        raise InputError(Problem("--model", f"{model.name} cannot be served as asked: {why}"))
    shown = choice.best_of_offers if every or form in (Format.json, Format.csv) else choice.best_of_offers[:SHOWN]
    each = words.money_per(best.usd_per_month / best.requests_per_month)
    beside = hardware_words.adapters(options["adapters"], options["adapter_rank"])
    what = f"{model.name}, {beside}," if beside else model.name
    sentence = (
        f"Cheapest: serve {what} on {hardware_words.served_on(rates, best)} for {words.money(best.usd_per_month)} a month, "
        f"{each} a request; {words.percent(best.utilisation)} of it is used."
    )
    if form is Format.json:
        emit(form, [], as_json=_serving_json(choice, shown, sentence))
    elif form is Format.csv:
        emit(form, [_plain_serving(plan) for plan in shown])
    else:
        write(sentence + "\n\n")
        title = ", ".join(filter(None, ("A month", beside, f"prices of {rates.as_of}")))
        emit(form, [_serving_row(plan) for plan in shown], title=title)
        write("\n")
        curve = [{"utilisation": Figure(f"{u:.0%}"), "US$ per million tokens": _three_digits(best.usd_per_mtok_at(u))}
                 for u in UTILISATIONS]  # fmt: skip
        emit(form, curve, title=f"By utilisation of {hardware_words.served_on(rates, best)}")
        _rest(len(choice.best_of_offers) - len(shown), choice.refused, every or bool(asked.gpus), form)


def _serving_row(plan: ServingPlan) -> dict[str, Any]:
    served, rate = plan.capacity, plan.capacity.requests_per_second
    return {
        "rent": plan.rent.offer,
        "how": hardware_words.SERVICE_LABELS[plan.rent.service].lower(),
        "GPUs a replica": plan.deployment.gpus,
        "replicas": plan.replicas,
        "rented": Figure(_of_rent(plan.rented * plan.rent.gpus, plan.rented, plan.rent.gpus)),
        "requests/s a replica": _three_digits(rate),
        "nine of ten": Figure(f"{_three_digits(rate / plan.factor)}–{_three_digits(rate * plan.factor)}"),
        "bounded by": served.limited_by,
        "first token, s": _three_digits(served.time_to_first_token_s),
        "further, ms": _three_digits(served.time_per_output_token_s * 1000),
        "used": Figure(f"{plan.utilisation:.1%}"),
        "US$ a month": Figure(f"{plan.usd_per_month:,.0f}"),
        "US$ per Mtok": _three_digits(plan.usd_per_mtok),
    }


def _three_digits(number: float) -> Figure:
    """Three significant digits, written out however large or small."""
    return Figure(words.quantity(float(f"{number:.3g}")))


def _plain_serving(plan: ServingPlan) -> dict[str, Any]:
    return {
        "offer": plan.rent.offer,
        "service": plan.rent.service,
        "gpu": plan.rent.gpu_id,
        "gpus_per_replica": plan.deployment.gpus,
        "adapters_beside_the_model": plan.deployment.adapters,
        "replicas": plan.replicas,
        "rented": plan.rented,
        "gpus_each": plan.rent.gpus,
        "usd_per_hour_each": plan.rent.usd_per_hour,
        **plan.capacity._asdict(),
        "low_requests_per_second": plan.capacity.requests_per_second / plan.factor,
        "high_requests_per_second": plan.capacity.requests_per_second * plan.factor,
        "utilisation": plan.utilisation,
        "usd_per_month": plan.usd_per_month,
        "storage_usd_per_month": plan.storage_usd_per_month,
        "egress_usd_per_month": plan.egress_usd_per_month,
        "usd_per_mtok": plan.usd_per_mtok,
    }


def _serving_json(choice: ServingChoice, shown: Sequence[ServingPlan], sentence: str) -> dict[str, Any]:
    return {
        "recommendation": sentence,
        "plans": [
            _plain_serving(plan)
            | {
                "usd_per_mtok_at": {f"{u:g}": float(plan.usd_per_mtok_at(u)) for u in UTILISATIONS},
                "price": plan.rent.price and plan.rent.price.model_dump(mode="json", exclude_none=True),
            }
            for plan in shown
        ],
        "refused": [each._asdict() for each in choice.refused],
    }


# --- what is asked for ----------------------------------------------------------------------------------------------------


def _rest(left_out: int, refused: Sequence[Refused], in_full: bool, form: Format) -> None:
    if left_out:
        write(f"\n{left_out} dearer ones are left out: --all prints them.\n")
    if refused and in_full:
        write("\n")
        emit(form, [{"GPU": each.gpu_id, "why not": each.reason} for each in refused], title="Not to be had")
    elif refused:
        write(f"\n{words.counted(len(refused)).capitalize()} kinds of GPU do not do; --all says why.\n")


def _model(rates: Rates, model: str | None, config: Path | None) -> OpenModel:
    if config is not None:
        return read_model_config(config, rates.as_of)
    if model is None:
        _wrong("--model", "no model is named", "Write it like --model meta/llama-3.1-8b, or give --model-config config.json")
    alike = [weights for weights in rates.open_models if weights.partition("/")[2] == model]
    return rates.open_model(alike[0] if len(alike) == 1 else model)


def _with_tokens(
    rates: Rates,
    weights: OpenModel,
    model: str | None,
    task: TuningTask,
    data: str | None,
    tokens: float | None,
    epochs: float | None,
    sequence: float | None,
) -> TuningTask:
    """The task with its tokens: as stated, or counted."""
    if (data is None) == (tokens is None):
        _wrong(
            "--data", "the tokens are not known" if data is None else "--tokens is given, too", "Give --data FILE or --tokens N"
        )
    if epochs is not None and not epochs > 0:
        _wrong("--epochs", f"{epochs:g} passes train nothing", "Write a number above 0")
    if tokens is not None:
        passes = epochs if epochs is not None else 1
        return replace(task, tokens=tokens * passes, epochs=passes)
    assert data is not None
    method = method_of(data)
    if method not in get_args(Method):
        _wrong("--data", f"how long {method.upper()} takes is not predicted", "Give pairs, conversations or text")
    try:
        counting = counting_for(model or STAND_IN, assumptions=rates.assumptions)
    except InputError:
        counting = counting_for(STAND_IN)
        say(f"Note: the tokenizer of {weights.name} is not at hand; {STAND_IN} stands in, an estimate.")
    with progress([data]) as advance:
        measured = measure(data, [counting], on_progress=advance)
    whole = training_file(measured, counting, epochs=1)
    longest = sequence or max(task.sequence_tokens, min(whole.longest_tokens, weights.context_tokens or whole.longest_tokens))
    counted = training_file(measured, counting, max_tokens_per_example=int(longest), epochs=1)
    if counted.truncated_examples:
        say(f"Note: {counted.truncated_examples:,} examples are longer than {longest:,.0f} tokens and are cut there.")
    passes = epochs if epochs is not None else rates.assumption("tuning.epochs").likely
    trained = passes * counted.training_tokens
    return replace(task, tokens=trained, epochs=passes, method=method, sequence_tokens=longest)  # type: ignore[arg-type]


def _token_shape(read: float | None, written: float | None, cached: float) -> TokenShape:
    if read is None or written is None:
        _wrong("--serve", "the tokens of a request are not known", "Give --input and --output")
    return TokenShape(read, written, cached)


def _demand(rates: Rates, requests_per_second: float | None, volume: float | None) -> Demand:
    if (requests_per_second is None) == (volume is None):
        _wrong(
            "--serve", "the demand is not known, or stated twice", "Give --volume a month or --requests-per-second at the peak"
        )
    if volume is not None:
        return Demand(volume)
    assert requests_per_second is not None
    return demand_at_peak(rates, requests_per_second)


def _none_of(stated: dict[str, Any], wrong: str, do: str) -> None:
    """Refuse options that were given but do not belong here."""
    for option, value in stated.items():
        if value is not None:
            _wrong(option, wrong, do)


def _within_limits(stated: dict[str, Any]) -> None:
    """Refuse what is no number, or beyond what can be; zero and less are refused with what they would mean."""
    for option, number in stated.items():
        if isinstance(number, float) and not math.isfinite(number):
            _wrong(option, f"{number} is no finite number", "Write one such as 1e6")
        if option in _LIMITS and number is not None and number > 0:
            least, most = _LIMITS[option]
            if not least <= number <= most:
                _wrong(option, f"it takes {words.quantity(least)} to {words.quantity(most)}", "Write a number between these")


def _seconds(option: str, stated: str | None) -> float | None:
    if stated is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)", stated.strip())
    if found is None or not 0 < float(found[1]) < math.inf:
        _wrong(option, f"'{stated:.40}' is no duration above 0", "Write it like 8h, 90m, 2d, 1s or 50ms")
    return float(found[1]) * _UNITS[found[2]]


def _services(stated: list[str]) -> Iterable[str]:
    known = {service: service for service in hardware_words.SERVICE_LABELS} | {"on-demand": "standard"}
    for service in stated:
        if service not in known:
            _wrong("--service", f"'{service}' is not a choice", f"Expected one of {', '.join(known)}")
    return [known[service] for service in stated]


def _one_of(option: str, stated: str, choices: Any) -> Any:
    if stated not in get_args(choices):
        _wrong(option, f"'{stated}' is not a choice", f"Expected one of {', '.join(get_args(choices))}")
    return stated


def _wrong(option: str, wrong: str, do: str) -> NoReturn:
    raise InputError(Problem(option, wrong, next_step=do))
