"""Several experiments on one page: metrics side by side, differences in units of tolerance."""

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr
from matplotlib.ticker import NullFormatter

from odeflow.analysis.differences import (
    SolvedExperiment,
    common_variables,
    difference,
    not_comparable,
)
from odeflow.ensemble.labels import OUTCOMES
from odeflow.problem.status import Status
from odeflow.report.figures.look import look
from odeflow.report.figures.style import GREY, panels, svg_text
from odeflow.report.pages import heading, paragraph, picture, render, table

#: A difference of nothing, on a logarithmic axis.
_SMALLEST = 1e-6


def comparison_page(experiments: Sequence[SolvedExperiment]) -> str:
    """The page as HTML text. The first experiment is what the others are compared with."""
    first, *others = experiments
    parts = [heading("Experiments"), _facts(experiments)]
    for other in others:
        parts += _differences(first, other)
    parts += [heading("Metrics"), *_metrics(experiments)]
    names = [experiment.config.name for experiment in experiments]
    title = " and ".join([", ".join(names[:-1]), names[-1]])
    return render("compare.html", title=title, names=names, parts_of_page=parts)


def _facts(experiments: Sequence[SolvedExperiment]) -> str:
    rows = []
    for config, ensemble, _ in experiments:
        status, steps = ensemble["status"].values, ensemble["num_steps"].values
        rows.append(
            [
                config.name,
                config.model.title or config.model.name,
                config.solver.method,
                f"{config.solver.rtol:g}",
                ensemble.attrs["odeflow_engine"],
                f"{status.size:,}",
                f"{int((status == Status.success).sum()):,}",
                f"{np.median(steps):,.0f}",
            ]
        )
    header = ["experiment", "model", "method", "rtol", "engine", "trajectories", "succeeded"]
    return table([*header, "median steps"], rows, {3, 5, 6, 7})


def _metrics(experiments: Sequence[SolvedExperiment]) -> Iterator[str]:
    """Median and spread of every metric that two experiments have at least."""
    found: dict[str, dict[str, xr.DataArray]] = {}
    for config, _, summary in experiments:
        for name, metric in summary.data_vars.items():
            if not {"quantile", "time"} & {*metric.dims} and name not in OUTCOMES:
                found.setdefault(str(name), {})[config.name] = metric
    names = [config.name for config, *_ in experiments]
    rows = []
    for metrics in found.values():
        if len(metrics) < 2:
            continue
        some = next(iter(metrics.values()))
        cells = [_spread(metrics[name]) if name in metrics else "" for name in names]
        rows.append([some.attrs.get("long_name", some.name), some.attrs.get("units", "1"), *cells])
    yield paragraph(
        "Median over the trajectories that succeeded, below it their 5 and 95 per cent."
    )
    yield table(["metric", "units", *names], rows, set(range(2, 2 + len(names))))


def _spread(metric: xr.DataArray) -> str:
    values = metric.values[np.isfinite(metric.values)]
    if not values.size:
        return "none"
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
    return f"{middle:.6g}\n{low:.4g} to {high:.4g}"


def _differences(first: SolvedExperiment, other: SolvedExperiment) -> Iterator[str]:
    names = f"{first.config.name} and {other.config.name}"
    yield heading(f"Differences between {names}")
    reason = not_comparable(first, other)
    if reason is not None:
        yield paragraph(f"Not compared trajectory by trajectory: {reason}.")
        return
    found = {name: difference(first, other, name) for name in common_variables(first, other)}
    rows = []
    for name, (rms, largest_of, where) in found.items():
        finite = largest_of[np.isfinite(largest_of)]
        middle, high = np.quantile(finite, [0.5, 0.99]) if finite.size else (np.nan, np.nan)
        place = ", ".join(f"{key} {value:.6g}" for key, value in where.items())
        numbers = [f"{x:.3g}" for x in (rms, middle, high, max(finite, default=np.nan))]
        rows.append([name, *numbers, place])
    yield paragraph(
        "|a - b| / (atol + rtol max(|a|, |b|)) with the larger tolerances of the two: 1 is a "
        "difference as large as one step may err. Each trajectory counts by its largest."
    )
    header = [
        "variable",
        "root mean square",
        "median",
        "99 per cent",
        "largest",
        "the largest is at",
    ]
    yield table(header, rows, {1, 2, 3, 4})
    yield _figure({name: one.largest_of for name, one in found.items()})


def _figure(largest_of: dict[str, np.ndarray]) -> str:
    """Share of the trajectories whose difference is at most a number of tolerances, as SVG text."""
    with look():
        figure, (ax,) = panels(1)
        for name, values in largest_of.items():
            finite = np.sort(values[np.isfinite(values)])
            if finite.size:
                share = np.arange(1, finite.size + 1) / finite.size
                ax.step(np.maximum(finite, _SMALLEST), share, where="post", label=name)
        ax.set_xscale("log")
        low, high = ax.get_xlim()
        ax.set(xlim=(min(low, 0.1), max(high, 10.0)), ylim=(0, 1.02))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_xlabel("Largest difference of a trajectory (tolerances)")
        ax.set_ylabel("Share of trajectories")
        ax.axvline(1.0, color=GREY, linewidth=0.6)
        ax.legend(loc="best")
        words = (
            "Share of the trajectories whose largest difference is at most a number of tolerances"
        )
        return picture(svg_text(figure), words)
