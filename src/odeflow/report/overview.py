"""One HTML page per experiment: answers first, then outcomes, checks, provenance, how to go on."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
import yaml
from markupsafe import Markup

from odeflow.config.ladder import ladder
from odeflow.config.root import Config
from odeflow.config.small_states import small_state_notes
from odeflow.files.flags import flag_meanings
from odeflow.problem.status import ADVICE, Status, has_failed
from odeflow.report.answers import NO_VERDICT, VERDICTS, Answer
from odeflow.report.estimates_section import estimates_section
from odeflow.report.experiment_results import ExperimentResults
from odeflow.report.explorer import explorer
from odeflow.report.failed import Failed
from odeflow.report.going_on import citations, commands
from odeflow.report.page_figures import page_figures
from odeflow.report.pages import details, heading, light, paragraph, render, table
from odeflow.report.sensitivity import sensitivity_section
from odeflow.report.training_section import training_section
from odeflow.trust.facts import drift_rows, verification_facts, worst_cases

_MOST_WORST = 10


class Section(NamedTuple):
    """A section of the page, as its menu names it."""

    anchor: str
    name: str
    parts: Sequence[str]


def overview_page(
    found: ExperimentResults,
    said: Sequence[Answer],
    notes: Iterable[str] = (),
    figures: Sequence[Path] = (),
) -> str:
    """The page as HTML text, self-contained.

    Arguments:
        found: the experiment's results.
        said: what the page begins with.
        notes: what planning found to say of the model.
        figures: files of its figures, to be embedded.
    """
    config, ensemble = found.config, found.ensemble
    key, others = page_figures(config, figures)
    sections = [
        Section("sensitivity", "Sensitivity", [*sensitivity_section(found.indices, config)]),
        Section("estimates", "Estimates", [*estimates_section(found.estimates)]),
        Section("training", "Training set", [*training_section(found.training)]),
        Section("outcomes", "Outcomes", [*_outcomes(config, ensemble, found.failed)]),
        Section("verification", "Verification", [*_verification(found.verification)]),
        Section("invariants", "Invariants", [*_invariants(ensemble)]),
    ]
    return render(
        "overview.html",
        title=found.title,
        subtitle=found.subtitle,
        answers=said,
        notes=[*small_state_notes(config), *notes],
        key_figures=key,
        figures=others,
        explorer=None if found.summary is None else explorer(config, ensemble, found.summary),
        sections=[section for section in sections if section.parts],
        facts=_facts(config, ensemble),
        versions=_versions(ensemble),
        config=_readable(ensemble.attrs["odeflow_config"]),
        cite=citations(config, ensemble),
        commands=commands(config),
    )


def _facts(config: Config, ensemble: xr.Dataset) -> list[tuple[str, str]]:
    status = ensemble["status"].values.ravel()
    steps = ensemble["num_steps"].values.ravel()
    engine = ensemble.attrs["odeflow_engine"]
    reason = ensemble.attrs["odeflow_engine_reason"]
    return [
        ("trajectories", f"{status.size:,}"),
        ("succeeded", f"{int((~has_failed(status)).sum()):,}"),
        (
            "dimensions",
            " \u00d7 ".join(f"{name} {size:,}" for name, size in ensemble.sizes.items()),
        ),
        ("method", f"{config.solver.method}, rtol {config.solver.rtol:g}, {_atol(config)}"),
        ("engine", f"{engine} ({reason})" if reason else engine),
        ("steps per trajectory", f"median {np.median(steps):,.0f}, most {steps.max():,}"),
    ]


def _versions(ensemble: xr.Dataset) -> list[tuple[str, str]]:
    versions = json.loads(ensemble.attrs["odeflow_versions"])
    return [("odeflow", ensemble.attrs["odeflow_version"]), *versions.items()]


def _readable(config: str) -> str:
    """A config with its lists in flow style and its characters as they are."""
    data = yaml.load(config, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return yaml.dump(data, sort_keys=False, allow_unicode=True, width=96, default_flow_style=None)


def _atol(config: Config) -> str:
    tolerances = config.solver.tolerances(config.model.states)
    if tolerances.uniform is not None:
        return f"atol {tolerances.uniform:g}"
    return "atol " + ", ".join(f"{name} {value:g}" for name, value in tolerances.atol.items())


def _outcomes(config: Config, ensemble: xr.Dataset, failed: Failed) -> Iterable[str]:
    status = ensemble["status"].values
    rows = [
        (s.name.replace("_", " "), f"{int((status == s).sum()):,}", ADVICE[s].replace("`", ""))
        for s in Status
        if (status == s).any()
    ]
    yield heading("Outcomes")
    yield table(["status", "trajectories", "meaning"], rows, {1})
    yield from _attempts(config, ensemble)
    yield from _failures(failed)


def _attempts(config: Config, ensemble: xr.Dataset) -> Iterable[str]:
    """A table of the retry ladder: how many trajectories succeeded at which rung."""
    attempt = ensemble["attempt"].values.ravel()
    if not attempt.any():
        return []
    success = ~has_failed(ensemble["status"].values.ravel())
    engine, engines = ensemble["engine"].values.ravel(), flag_meanings(ensemble["engine"])
    rows = []
    for number, rung in enumerate(ladder(config)):
        here = attempt == number
        rows.append(
            [
                str(number),
                rung.name.split("_", 1)[1].replace("_", " "),
                rung.solver.method,
                ", ".join(engines[code] for code in np.unique(engine[here])),
                f"{int((here & success).sum()):,}",
                f"{int((here & ~success).sum()):,}",
            ]
        )
    header = ["attempt", "change", "method", "engine", "succeeded", "failed, came furthest here"]
    return [heading("Attempts"), table(header, rows, {0, 4, 5})]


def _failures(failed: Failed) -> Iterable[str]:
    """What went wrong how often, what to do, and the first failed trajectories, folded."""
    if not failed.first:
        return
    total, shown = failed.causes.total(), failed.first
    yield heading(f"Failed trajectories ({total:,})")
    yield table(
        ["status", "cause", "trajectories", "what to do, as most of them need it"],
        [
            (kind[0].replace("_", " "), kind[1], f"{n:,}", failed.commonest_advice(kind))
            for kind, n in failed.causes.most_common()
        ],
        {2},
    )
    header = [name.replace("_", " ") for name in shown[0]]
    words = {"status", "method", "cause", "advice"}
    numbers = {i for i, name in enumerate(shown[0]) if name not in words}
    cells = ([_short(value) for value in row.values()] for row in shown)
    first = f", the first {len(shown)} shown; all are in failures.csv" if total > len(shown) else ""
    yield details(f"By sample{first}", table(header, cells, numbers))


def _short(text: str) -> str:
    """A number of a table with six digits; other text as it is."""
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{int(text):,}" if text.lstrip("-").isdigit() else f"{number:.6g}"


def _verification(verification: xr.Dataset | None) -> Iterable[str]:
    """The verdict as a light in words, what it rests on, and the worst trajectories, folded."""
    yield heading("Verification")
    if verification is None:
        yield light("unknown", "not verified")
        yield paragraph("Not verified: verify.number is 0.")
        return
    verdict = str(verification.attrs["verdict"])
    kind, words = VERDICTS.get(verdict, NO_VERDICT)
    yield paragraph(Markup("{} ").format(light(kind, verdict)) + f"{words}.")
    facts = [row for row in verification_facts(verification) if "nan" not in row[1]]
    yield table(None, facts, name="verification")
    worst, header = worst_cases(verification, _MOST_WORST)
    if worst:
        numbers = set(range(len(header))) - {1, 2}
        yield details("The trajectories with the largest errors", table(header, worst, numbers))


def _invariants(ensemble: xr.Dataset) -> Iterable[str]:
    """How far the model's invariants drift, if it names any."""
    rows = drift_rows(ensemble)
    if not rows:
        return
    header = ["invariant", "median drift", "99th percentile", "largest", "of sample"]
    yield heading("Invariants")
    yield paragraph("Largest relative drift of each trajectory over its saved times.")
    yield table(header, rows, {1, 2, 3, 4})
