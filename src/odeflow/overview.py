"""One HTML page an experiment: outcomes, failures, config and versions, for the report."""

import html
import json
from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.design import axis_coordinate
from odeflow.status import ADVICE, Status
from odeflow.trust import drift_rows, verification_facts, worst_cases

_MOST_FAILURES = 100
_MOST_WORST = 10
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #1a1a1a; }
table { border-collapse: collapse; margin: 0.5rem 0 1.5rem; }
th, td { text-align: left; padding: 0.25rem 0.9rem 0.25rem 0; border-bottom: 1px solid #ddd;
         vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: #f6f6f4; padding: 1rem; overflow-x: auto; font-size: 13px; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
"""


def overview_page(
    config: Config, ensemble: xr.Dataset, verification: xr.Dataset | None = None
) -> str:
    """The page as HTML text; self-contained, without scripts."""
    status = ensemble["status"].values.ravel()
    steps = ensemble["num_steps"].values.ravel()
    engine = ensemble.attrs["odeflow_engine"]
    reason = ensemble.attrs["odeflow_engine_reason"]
    facts = [
        ("trajectories", f"{status.size:,}"),
        ("succeeded", f"{int((status == Status.success).sum()):,}"),
        ("dimensions", " x ".join(f"{name} {size}" for name, size in ensemble.sizes.items())),
        ("method", f"{config.solver.method}, rtol {config.solver.rtol:g}, {_atol(config)}"),
        ("engine", f"{engine} ({reason})" if reason else engine),
        ("steps a trajectory", f"median {np.median(steps):,.0f}, most {steps.max():,}"),
    ]
    title = html.escape(ensemble.attrs["title"])
    versions = json.loads(ensemble.attrs["odeflow_versions"])
    versions = {"odeflow": ensemble.attrs["odeflow_version"], **versions}
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
            f"<style>{_STYLE}</style></head><body>",
            f"<h1>{title}</h1>",
            _table(None, facts),
            "<h2>Outcomes</h2>",
            _table(["status", "trajectories", "meaning"], _outcomes(status), {1}),
            *_failures(config, ensemble),
            *_verification(verification),
            *_invariants(ensemble),
            "<h2>Reference of the model</h2>",
            f"<p>{html.escape(config.model.references or 'none given')}</p>",
            "<h2>Versions</h2>",
            _table(None, versions.items()),
            "<h2>Config</h2>",
            f"<pre>{html.escape(ensemble.attrs['odeflow_config'])}</pre>",
            "</body></html>\n",
        ]
    )


def _atol(config: Config) -> str:
    atol = config.solver.atol
    if isinstance(atol, dict):
        return "atol " + ", ".join(f"{name} {value:g}" for name, value in atol.items())
    return f"atol {atol:g}"


def _outcomes(status: np.ndarray) -> list[tuple[str, str, str]]:
    return [
        (s.name, f"{int((status == s).sum()):,}", ADVICE[s]) for s in Status if (status == s).any()
    ]


def _failures(config: Config, ensemble: xr.Dataset) -> Iterable[str]:
    """A table of the first failed trajectories, none where all succeeded."""
    status = ensemble["status"]
    where = np.argwhere(status.values != Status.success)
    if not len(where):
        return []
    axes = [
        name
        for name in (axis_coordinate(axis, config.model) for axis in config.design.axes)
        if name in ensemble.coords
    ]
    rows = []
    for index in where[:_MOST_FAILURES]:
        one = ensemble[["status", "num_steps", "num_rejected_steps", "time_reached"]].isel(
            dict(zip(status.dims, map(int, index)))
        )
        place = ", ".join(str(i) for i in index)
        values = [f"{float(one[name]):.6g}" for name in axes]
        rows.append(
            [
                place,
                *values,
                Status(int(one["status"])).name,
                f"{float(one['time_reached']):.6g}",
                f"{int(one['num_steps']):,}",
                f"{int(one['num_rejected_steps']):,}",
            ]
        )
    count = f"{len(where):,}" + (
        f", the first {_MOST_FAILURES} shown" if len(where) > _MOST_FAILURES else ""
    )
    header = [" x ".join(map(str, status.dims)), *axes, "status", "time reached", "steps"]
    return [
        f"<h2>Failed trajectories ({count})</h2>",
        _table([*header, "rejected"], rows, set(range(len(header) + 1)) - {1 + len(axes)}),
    ]


def _verification(verification: xr.Dataset | None) -> Iterable[str]:
    """The verdict and the worst trajectories."""
    if verification is None:
        return ["<h2>Verification</h2>", "<p>Skipped: verify.number is 0.</p>"]
    worst, header = worst_cases(verification, _MOST_WORST)
    return [
        "<h2>Verification</h2>",
        _table(None, verification_facts(verification)),
        *([_table(header, worst, set(range(len(header))) - {1})] if worst else []),
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
        _table(header, rows, {1, 2, 3, 4}),
    ]


def _table(
    header: Sequence[str] | None,
    rows: Iterable[Sequence[str]],
    numbers: frozenset[int] | set[int] = frozenset(),
) -> str:
    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=number' if i in numbers else ''}>{html.escape(str(cell))}</{tag}>"
            for i, cell in enumerate(row)
        )

    head = f"<tr>{cells(header, 'th')}</tr>" if header else ""
    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<table>{head}{body}</table>"
