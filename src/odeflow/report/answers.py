"""What an experiment says, in three to seven sentences: what a page and the index begin with."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.ensemble.labels import design_axes
from odeflow.problem.status import Status, has_failed
from odeflow.report.estimates_section import estimates_summary
from odeflow.report.experiment_results import ExperimentResults
from odeflow.report.failed import Failed
from odeflow.report.ranks import rank_correlations
from odeflow.report.scales import metric_dust
from odeflow.report.selection import shown_metric
from odeflow.report.sensitivity import sentences
from odeflow.report.training_section import training_summary
from odeflow.report.units import printed_units, raised_power
from odeflow.trust.facts import drifts

#: Files of analyses, and the folder of a training set.
INDICES, ESTIMATES, TRAINING = "indices.nc", "estimates.nc", ("training", "training.zarr")
#: Of a verdict: the light, and what it says.
VERDICTS = {
    "passed": ("good", "the numbers hold"),
    "failed": ("bad", "do not use these numbers"),
    "tolerances too loose": ("doubt", "tighten the tolerances"),
}
NO_VERDICT = ("unknown", "no verdict on the numbers")
#: Sentences of an experiment in the index of a study.
_MOST_ANSWERS = 4
_MOST_CAUSES, _MOST_EFFECTS, _MOST_SENTENCES = 3, 3, 2
#: A rank correlation below this is not called an effect.
_WORTH_NAMING = 0.1


class Answer(NamedTuple):
    """A sentence, how well it stands, and the file that has its numbers."""

    text: str
    link: str = ""
    #: good, doubt, bad, or nothing that may be judged.
    light: str = ""
    word: str = ""
    link_text: str = ""


def answers(found: ExperimentResults) -> list[Answer]:
    """The sentences, those on which the others rest first."""
    ensemble, file = found.ensemble, found.config.assemble.file
    trained = found.config.analyse.simulate_for_inference
    said = [_solved(ensemble, found.failed, file), _verified(found.verification)]
    said += [Answer(text, ESTIMATES) for text in estimates_summary(found.estimates)]
    if found.indices is not None:
        known = sentences(found.indices, found.config)[:_MOST_SENTENCES]
        said += [Answer(text, INDICES) for text in known]
    if trained is not None:
        said += [Answer(text, trained.folder) for text in training_summary(found.training)]
    if found.summary is not None:
        said += _metric(found.config, ensemble, found.summary, found.indices is None)
    return [*said, *_invariants(found.config, ensemble), _effort(ensemble, file)]


def experiment_card(found: ExperimentResults, said: Sequence[Answer]) -> dict[str, Any]:
    """What the index says of an experiment, as plain data.

    Arguments:
        found: the experiment's results.
        said: what its page begins with.
    """
    first = [answer._asdict() for answer in said[:_MOST_ANSWERS]]
    return {"title": found.title, "subtitle": found.subtitle, "answers": first}


def _solved(ensemble: xr.Dataset, failed: Failed, file: str) -> Answer:
    status = ensemble["status"].values.ravel()
    lost = int(has_failed(status).sum())
    whole = f"{status.size:,} trajector{'y' if status.size == 1 else 'ies'}"
    stopped = int((status == Status.stopped_by_event).sum())
    early = f" {stopped:,} of them ended by an event before t1." if stopped else ""
    if not lost:
        what = "The one trajectory was" if status.size == 1 else f"All {whole} were"
        return Answer(f"{what} solved.{early}", file, "good", "solved")
    text = f"{status.size - lost:,} of {whole} were solved, {lost:,} failed: {_causes(failed)}."
    light, word = ("bad", "all failed") if lost == status.size else ("doubt", "some failed")
    return Answer(text + early, "failures.csv", light, word)


def _causes(failed: Failed) -> str:
    """The commonest causes, with what to do where it is the same for most of a cause."""
    parts = []
    for kind, number in failed.causes.most_common(_MOST_CAUSES):
        advice, same = failed.advice[kind].most_common(1)[0]
        todo = f" ({advice})" if same > number / 2 else ""
        parts.append(f"{number:,} {kind[1]}{todo}")
    return "; ".join(parts) or "failures.csv says why"


def _verified(verification: xr.Dataset | None) -> Answer:
    if verification is None:
        text = "No trajectory was solved a second time: verify.number is 0."
        return Answer(text, light="unknown", word="not verified")
    known = verification.attrs
    verdict = str(known["verdict"])
    kind, _ = VERDICTS.get(verdict, NO_VERDICT)
    if kind == "good":
        number = int(known["number_verified"])
        text = (
            f"{number:,} trajector{'y' if number == 1 else 'ies'} solved again by SciPy "
            f"agree{'s' if number == 1 else ''}: the largest error is "
            f"{_short(known['relative_error_largest'])} of a variable's size."
        )
        return Answer(text, "verification.nc", kind, "verified")
    text = f"Verification: {known['verdict_reason']}."
    return Answer(text, "verification.nc", kind, verdict)


def _metric(
    config: Config, ensemble: xr.Dataset, summary: xr.Dataset, with_effects: bool
) -> Iterable[Answer]:
    """How far the headline metric ranges, and what moves it."""
    name = shown_metric(summary, config)
    if name is None:
        return
    metric = summary[name]
    values = metric.broadcast_like(ensemble["status"]).transpose(*ensemble["status"].dims).values
    finite = values[np.isfinite(values)]
    if not finite.size:
        return
    finite = np.where(np.abs(finite) < metric_dust(name, config), 0.0, finite)
    words, units = str(metric.attrs.get("long_name", name)), _units(metric)
    if np.ptp(finite) == 0:
        yield Answer(f"{_begun(words)}: {_short(finite[0])}{units} throughout.", "summary.nc")
        return
    low, middle, high = np.quantile(finite, [0.05, 0.5, 0.95])
    if finite.size < 20:
        low, high = finite.min(), finite.max()
    # as many digits as tell the ends apart
    spread = (high - low) / max(abs(low), abs(high)) or 1.0
    digits = min(3 + max(0, int(-np.log10(spread))), 8)
    low, middle, high = (_short(value, digits) for value in (low, middle, high))
    ends = f"90% of the trajectories between {low} and {high}{units}"
    if finite.size < 20:
        ends = f"from {low} to {high}{units}"
    some = "" if finite.size == values.size else f" in the {finite.size:,} that have a value"
    text = f"{_begun(words)}{some}: {middle}{units} in the median, {ends}."
    yield Answer(text, "summary.nc")
    if with_effects and (text := _effects(ensemble, values)):
        yield Answer(text, "summary.nc")


def _effects(ensemble: xr.Dataset, values: np.ndarray) -> str:
    """The axes that a metric goes up and down with, largest first."""
    axes = design_axes(ensemble)
    found = sorted(
        ((name, value) for name, value in rank_correlations(ensemble, axes, values).items()
         if abs(value) >= _WORTH_NAMING),
        key=lambda pair: -abs(pair[1]),
    )  # fmt: skip
    if not found:
        return ""
    parts = [f"{name} ({_signed(value)})" for name, value in found[:_MOST_EFFECTS]]
    first, *others = parts
    rest = f", then {' and '.join(others)}" if others else ""
    return f"It goes most with {first}{rest} (rank correlation)."


def _invariants(config: Config, ensemble: xr.Dataset) -> Iterable[Answer]:
    known = {name: drift for name, drift in drifts(ensemble).items() if np.isfinite(drift).any()}
    if not known:
        return
    name, drift = max(known.items(), key=lambda pair: np.nanmax(pair[1]))
    largest, limit = float(np.nanmax(drift)), config.verify.max_drift
    what = f"{name.replace('_', ' ')} is conserved to {_short(largest)} of its size"
    if limit is None:
        yield Answer(f"{_begun(what)} in every trajectory.")
        return
    held = largest <= limit
    yield Answer(
        f"{_begun(what)}; the limit is {limit:g}.",
        light="good" if held else "bad", word="conserved" if held else "drifts",
    )  # fmt: skip


def _effort(ensemble: xr.Dataset, file: str) -> Answer:
    """What took long: steps, which are the same on every machine."""
    steps = ensemble["num_steps"]
    flat = steps.values.ravel()
    total = (
        f"{flat.sum():,} steps were attempted, {np.median(flat):,.0f} a trajectory in the median"
    )
    if flat.max() == flat.min():
        return Answer(f"{total}.", file)
    where = np.unravel_index(int(flat.argmax()), steps.shape)
    at = ", ".join(
        f"{name} {float(ensemble[name].isel(_at(ensemble[name], steps, where))):.4g}"
        for name in design_axes(ensemble)[:3]
    )
    place = f" ({at})" if at else ""
    return Answer(f"{total}; the longest took {flat.max():,}{place}.", file)


def _at(coordinate: xr.DataArray, steps: xr.DataArray, where: tuple[np.intp, ...]) -> dict:
    places = dict(zip(steps.dims, where))
    return {dim: places[dim] for dim in coordinate.dims}


def _units(array: xr.DataArray) -> str:
    units = str(array.attrs.get("units", "1"))
    return "" if units in ("", "1") else f"\N{NO-BREAK SPACE}{printed_units(units)}"


def _begun(words: str) -> str:
    """The words as a sentence begins, but for names such as mRNA."""
    return words if words[1:2].isupper() else words[:1].upper() + words[1:]


def _short(value: float, digits: int = 3) -> str:
    """Some digits, with a power of ten where there would be many zeros: 9.15 × 10⁻⁷."""
    shown, _, power = f"{float(value):.{digits}g}".partition("e")
    raised = f" × 10{raised_power(int(power))}" if power else ""
    return f"{shown.replace('-', chr(0x2212))}{raised}"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")
