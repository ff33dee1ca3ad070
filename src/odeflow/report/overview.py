"""One HTML page per experiment: outcomes, failures, config and versions, for the report."""

import html
import json
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr

from odeflow.config.ladder import ladder
from odeflow.config.root import Config
from odeflow.config.small_states import small_state_notes
from odeflow.files.flags import flag_meanings
from odeflow.problem.status import ADVICE, Status, has_failed
from odeflow.report.estimates_section import estimates_section, estimates_summary
from odeflow.report.pages import page, table
from odeflow.report.sensitivity import sensitivity_section, sensitivity_summary
from odeflow.report.training_section import training_section, training_summary
from odeflow.trust.facts import drift_rows, verification_facts, worst_cases

_MOST_FAILURES = 100
_MOST_WORST = 10


def overview_page(
    config: Config,
    ensemble: xr.Dataset,
    failures: Iterable[Mapping[str, str]],
    verification: xr.Dataset | None = None,
    notes: Iterable[str] = (),
    indices: xr.Dataset | None = None,
    estimates: xr.Dataset | None = None,
    training: xr.Dataset | None = None,
) -> str:
    """The page as HTML text; self-contained, without scripts. Answers come first.

    `failures` are the rows of `failures.csv`, `notes` what planning found to say of the model,
    `indices` those of a sensitivity analysis, `estimates` what was estimated,
    `training` facts of a training set.
    """
    status = ensemble["status"].values.ravel()
    steps = ensemble["num_steps"].values.ravel()
    engine = ensemble.attrs["odeflow_engine"]
    reason = ensemble.attrs["odeflow_engine_reason"]
    facts = [
        ("trajectories", f"{status.size:,}"),
        ("succeeded", f"{int((~has_failed(status)).sum()):,}"),
        ("dimensions", " x ".join(f"{name} {size}" for name, size in ensemble.sizes.items())),
        ("method", f"{config.solver.method}, rtol {config.solver.rtol:g}, {_atol(config)}"),
        ("engine", f"{engine} ({reason})" if reason else engine),
        ("steps per trajectory", f"median {np.median(steps):,.0f}, most {steps.max():,}"),
    ]
    versions = json.loads(ensemble.attrs["odeflow_versions"])
    versions = {"odeflow": ensemble.attrs["odeflow_version"], **versions}
    return page(
        ensemble.attrs["title"],
        [
            *sensitivity_summary(indices, config),
            *estimates_summary(estimates),
            *training_summary(training),
            table(None, facts),
            *(f"<p>{html.escape(note)}.</p>" for note in (*small_state_notes(config), *notes)),
            *sensitivity_section(indices, config),
            *estimates_section(estimates),
            *training_section(training),
            "<h2>Outcomes</h2>",
            table(["status", "trajectories", "meaning"], _outcomes(status), {1}),
            *_attempts(config, ensemble),
            *_failures(failures),
            *_verification(verification),
            *_invariants(ensemble),
            "<h2>Reference of the model</h2>",
            f"<p>{html.escape(config.model.references or 'none given')}</p>",
            "<h2>Versions</h2>",
            table(None, versions.items()),
            "<h2>Config</h2>",
            f"<pre>{html.escape(ensemble.attrs['odeflow_config'])}</pre>",
        ],
    )


def _atol(config: Config) -> str:
    tolerances = config.solver.tolerances(config.model.states)
    if tolerances.uniform is not None:
        return f"atol {tolerances.uniform:g}"
    return "atol " + ", ".join(f"{name} {value:g}" for name, value in tolerances.atol.items())


def _outcomes(status: np.ndarray) -> list[tuple[str, str, str]]:
    return [
        (s.name, f"{int((status == s).sum()):,}", ADVICE[s]) for s in Status if (status == s).any()
    ]


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
    return ["<h2>Attempts</h2>", table(header, rows, {0, 4, 5})]


def _failures(rows: Iterable[Mapping[str, str]]) -> Iterable[str]:
    """What went wrong how often, and the first failed trajectories; nothing where all succeeded."""
    causes: Counter[tuple[str, str]] = Counter()
    shown: list[Mapping[str, str]] = []
    for row in rows:
        causes[row["status"], row["cause"]] += 1
        if len(shown) < _MOST_FAILURES:
            shown.append(row)
    if not shown:
        return []
    count = causes.total()
    first = f", the first {len(shown)} shown; all are in failures.csv" if count > len(shown) else ""
    header = [name.replace("_", " ") for name in shown[0]]
    words = {"status", "method", "cause", "advice"}
    numbers = {i for i, name in enumerate(shown[0]) if name not in words}
    return [
        f"<h2>Failed trajectories ({count:,})</h2>",
        table(
            ["status", "cause", "trajectories"],
            [(*kind, f"{n:,}") for kind, n in causes.most_common()],
            {2},
        ),
        f"<p>By sample{first}.</p>",
        table(header, ([_short(value) for value in row.values()] for row in shown), numbers),
    ]


def _short(text: str) -> str:
    """A number of a table with six digits; other text as it is."""
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{int(text):,}" if text.lstrip("-").isdigit() else f"{number:.6g}"


def _verification(verification: xr.Dataset | None) -> Iterable[str]:
    """The verdict and the worst trajectories."""
    if verification is None:
        return [
            "<h2>Verification</h2>",
            "<p>Not verified: verify.number is 0.</p>",
        ]
    worst, header = worst_cases(verification, _MOST_WORST)
    return [
        "<h2>Verification</h2>",
        table(None, verification_facts(verification)),
        *([table(header, worst, set(range(len(header))) - {1, 2})] if worst else []),
    ]


def _invariants(ensemble: xr.Dataset) -> Iterable[str]:
    """How far the model's invariants drift, if it names any."""
    rows = drift_rows(ensemble)
    if not rows:
        return []
    header = ["invariant", "median drift", "99th percentile", "largest", "of sample"]
    return [
        "<h2>Invariants</h2>",
        "<p>Largest relative drift of each trajectory over its saved times.</p>",
        table(header, rows, {1, 2, 3, 4}),
    ]
