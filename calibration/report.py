"""Prints ``docs/accuracy.md``: what the models of own GPUs predict against what was published, row by row."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from calc.hardware import training_time as training_model
from calc.hardware.memory import interval_factor
from calibration import memory, serving, statistics, training_time
from calibration.statistics import Accuracy, Residuals


class Kept(NamedTuple):
    """Rows of one model with how near its predictions come."""

    heading: str
    unit: str
    target_inside: float
    target_left_out: float
    ids: Sequence[str]
    families: Sequence[str]
    groups: Sequence[str]
    sources: Sequence[str]
    exceptional: np.ndarray
    published: np.ndarray
    residuals: Residuals
    factors: np.ndarray
    digits: int = 0
    """After the point, in the table of rows."""

    def of(self, mask: np.ndarray) -> Accuracy:
        """Accuracy over some of the rows."""
        groups = [group for group, kept in zip(self.groups, mask, strict=True) if kept]
        found = Residuals(self.residuals.inside[mask], self.residuals.left_out[mask])
        return statistics.accuracy(found, groups, self.factors[mask])


def training() -> Kept:
    """Tokens a second per GPU in training."""
    rows = training_time.published()
    kinds = [training_model.kind_of(row.shape, row.run) for row in rows]
    return Kept(
        "Training time",
        "tokens/s per GPU",
        0.15,
        0.25,
        [row.id for row in rows],
        [row.family for row in rows],
        [row.group for row in rows],
        [row.source for row in rows],
        np.array([kind == "exception" for kind in kinds]),
        np.array([row.tokens_per_second_per_gpu for row in rows]),
        training_time.residuals(rows),
        training_time.factors(rows, statistics.stored("training_time")),
    )


def throughput() -> Kept:
    """Output tokens a second in serving."""
    rows = serving.published()
    return Kept(
        "Serving",
        "output tokens/s",
        0.20,
        0.25,
        [row.id for row in rows],
        [row.family for row in rows],
        [row.group for row in rows],
        [row.source for row in rows],
        np.array([row.deployment.engine == "sglang" for row in rows]),
        np.array([row.output_tokens_per_second for row in rows]),
        serving.residuals(rows),
        serving.factors(rows, statistics.stored("serving")),
    )


def peaks() -> Kept:
    """Peak memory of a GPU in training: the primary rows, all measured ones in the fit."""
    rows = memory.measured(memory.published())
    primary = np.array([row.primary for row in rows])
    found = memory.residuals(rows)
    kept = [row for row in rows if row.primary]
    return Kept(
        "Memory",
        "GiB",
        0.12,
        0.12,
        [row.id for row in kept],
        [row.family for row in kept],
        [row.group for row in kept],
        [row.source for row in kept],
        np.array([row.family in memory.EXCEPTIONS for row in kept]),
        np.array([row.gib for row in kept]),
        Residuals(found.inside[primary], found.left_out[primary]),
        np.full(len(kept), interval_factor(statistics.stored("memory"))),
        digits=1,
    )


REASONS = {
    "Memory": """\
Exceptions are the rows of torchtitan and LitGPT. torchtitan's compiled kernels keep less than the ones counted here, and it
recomputes every other layer; LitGPT measures what PyTorch reserves, whose share above what it allocates varies.

What is left out flatters a little: the values that the fit starts from were counted in the frameworks' code with these rows in
view, and most groups are of one source. No published run that ran out of memory is said to fit. What fits is judged with care:
the 90th percentile of what PyTorch would reserve must be there, so some runs that fitted, and whose reserve shrank when memory
ran short, are said not to.""",
    "Training time": """\
Exceptions are mixtures of narrow experts (below a width of 4,096), experts run one after the other, batches padded to their
longest example, and sequences of 32,768 tokens or more. Their speed hangs on kernels more than on operations: narrow experts
reach a quarter of what dense models do, padding of small batches leaves half of the GPU idle, and GPUs that share a sequence
wait for each other. Nearly all such rows come from one source each, so with it left out nothing is known of them; hence their
wide interval. Such runs should be timed for a few minutes on the GPU itself. The other rows are packed data.

No published run of Axolotl or LLaMA-Factory states its tokens. Both run Transformers and PEFT and count as these; with Liger
or Unsloth switched on they count as fused kernels. Unsloth's published runs state times beside Transformers' and no tokens
either: they are 1.8 to 1.9 times faster on the same GPU, which is taken over for padded batches only.""",
    "Serving": """\
Exceptions are SGLang's rows: one source alone measured it, at half and less of what the same source measured of vLLM on the
same GPU, so with that source left out nothing is known of it. The slowness is that source's configuration as likely as the
engine's. Llama 3 70B on L40S exchanges its sums over PCI Express, which the link's rate explains in part only. The same source
on A100 PCIe cards does not say whether pairs were bridged by NVLink; they are taken as not bridged.

All tables of TensorRT-LLM count as one source, whatever their version. Rows of MLPerf Inference do not state the length of
the input and calibrate nothing.""",
}


def document() -> str:
    """The whole document."""
    return "\n".join(["\n".join(_head()), *("\n".join(_section(kept)) for kept in (peaks(), training(), throughput()))])


def _head() -> Iterator[str]:
    yield "# Accuracy of the models of own GPUs"
    yield ""
    yield "Generated by `python -m calibration.report > docs/accuracy.md`; do not edit. Coefficients: `pricing/coefficients/`."
    yield "Error is |ln(published ÷ predicted)|, so 0.10 is about a tenth. Rows of one group are not independent; a group counts"
    yield "once, by the median of its rows. *Left out* means predicted by a fit that saw no row of that source at all; the 90 %"
    yield "interval is that of such predictions. Which rows are not used, and why, stands in `calibration/memory.py`,"
    yield "`calibration/training_time.py` and `calibration/serving.py`."
    yield ""


def _section(kept: Kept) -> Iterator[str]:
    every = np.ones(len(kept.ids), dtype=bool)
    found = kept.of(every)
    yield f"## {kept.heading}"
    yield ""
    yield "| measure | reached | target | |"
    yield "|---|---|---|---|"
    for what, value, target in (
        ("median error, every source in the fit", found.median_inside, kept.target_inside),
        ("median error, the row's source left out", found.median_left_out, kept.target_left_out),
    ):
        yield f"| {what} | {value:.3f} | at most {target:.2f} | {'met' if value <= target else 'missed'} |"
    yield f"| rows inside the 90 % interval, source left out | {found.covered:.1%} | at least 85 % | " + (
        "met |" if found.covered >= 0.85 else "missed |"
    )
    yield ""
    yield "| source | rows | groups | median error | left out | inside the interval |"
    yield "|---|---|---|---|---|---|"
    families = np.asarray(kept.families)
    masks = {family: families == family for family in sorted(set(kept.families))}
    masks |= {"*exceptions of all*": kept.exceptional, "*all but exceptions*": ~kept.exceptional, "*all*": every}
    for name, mask in masks.items():
        of = kept.of(mask)
        yield f"| {name} | {of.rows} | {of.groups} | {of.median_inside:.3f} | {of.median_left_out:.3f} | {of.covered:.0%} |"
    yield ""
    yield REASONS[kept.heading]
    yield ""
    yield f"Every row used, in {kept.unit}:"
    yield ""
    yield "| row | published | predicted | left out | 90 % interval, left out | inside | source |"
    yield "|---|---|---|---|---|---|---|"
    for i, name in enumerate(kept.ids):
        blind = kept.published[i] / np.exp(kept.residuals.left_out[i])
        low, high = blind / kept.factors[i], blind * kept.factors[i]
        predicted = kept.published[i] / np.exp(kept.residuals.inside[i])
        figures = " | ".join(f"{value:,.{kept.digits}f}" for value in (kept.published[i], predicted, blind))
        interval = f"{low:,.{kept.digits}f}–{high:,.{kept.digits}f}"
        inside = "yes" if low <= kept.published[i] <= high else "**no**"
        yield f"| {name} | {figures} | {interval} | {inside} | [{kept.families[i]}]({kept.sources[i]}) |"
    yield ""


def main() -> None:
    """Print the document."""
    sys.stdout.write(document())


if __name__ == "__main__":
    main()
