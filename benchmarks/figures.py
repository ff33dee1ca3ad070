"""The figures of the report: work-precision, time against N, time against number of states."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.ticker
from matplotlib.figure import Figure

from benchmarks.problems import find_case

COLORS = {
    "naive": "#d95f02", "diffrax": "#7570b3", "native": "#1b9e77", "numbalsoda": "#e7298a",
    "scipy": "#a6761d", "gradsolve": "#e6ab02", "cpp": "#666666", "native:tsit5": "#1b9e77",
    "native:dopri8": "#1b9e77", "native:taylor": "#1b9e77", "native:rodas5p": "#1b9e77",
    "auto": "black", "heyoka": "#1f78b4", "cvode": "#e31a1c", "casadi": "#ff7f00",
    "tuned": "#6a3d9a", "torchode": "#b15928", "amici": "#e6ab02", "roadrunner": "#17becf",
    "call:tsit5": "#1b9e77", "call:rodas5p": "#1b9e77",
}  # fmt: skip
NAMES = {
    "naive": "jit(vmap(diffeqsolve))", "diffrax": "odeflow, diffrax", "native": "odeflow, native",
    "numbalsoda": "numbalsoda LSODA", "scipy": "SciPy LSODA", "gradsolve": "gradsolve",
    "cpp": "C++", "native:tsit5": "odeflow, Tsit5", "native:dopri8": "odeflow, Dopri8",
    "native:taylor": "odeflow, Taylor", "native:rodas5p": "odeflow, Rodas5P",
    "auto": "odeflow, its choice", "heyoka": "heyoka", "cvode": "CVODE", "casadi": "CasADi",
    "tuned": "Diffrax as advised", "torchode": "torchode", "amici": "AMICI",
    "roadrunner": "libRoadRunner", "call:tsit5": "ensemble_solve, Tsit5",
    "call:rodas5p": "ensemble_solve, Rodas5P",
}  # fmt: skip


def draw_figures(results: Mapping[str, Any], folder: Path) -> list[tuple[str, str]]:
    """Draws what there are results for; file names and titles."""
    figures = {
        "work_precision": ("Time against error", _work_precision, results.get("cases")),
        "rivals": ("Time against error, rivals", _rivals, results.get("rivals")),
        "size": ("Time against number of trajectories", _size, results.get("size")),
        "states": ("Time against number of states", _states, results.get("states")),
    }
    drawn = []
    with mpl.rc_context({"font.size": 9, "axes.grid": True, "grid.alpha": 0.3}):
        for name, (title, draw, data) in figures.items():
            if data:
                # No date or version in the file: the same figures are the same bytes.
                draw(data).savefig(folder / f"{name}.png", dpi=110, metadata={"Software": None})
                drawn.append((f"{name}.png", title))
    return drawn


def _work_precision(cases: Mapping[str, Any]) -> Figure:
    columns = min(3, len(cases))
    rows = math.ceil(len(cases) / columns)
    figure = Figure((4.2 * columns, 3.2 * rows), layout="constrained")
    shown = set()
    for number, (name, results) in enumerate(cases.items(), 1):
        axes = figure.add_subplot(rows, columns, number)
        case = find_case(name)
        axes.set(title=f"{case.title}, {case.saved}", xscale="log", yscale="log")
        axes.set(xlabel="error, in tolerances", ylabel="us a trajectory")
        for contender, color in COLORS.items():
            result = results.get(contender, {})
            runs = result.get("ladder", [result["base"]] if "base" in result else [])
            runs = [r for r in runs if math.isfinite(r["error"]) and r["error"] > 0]
            if runs:
                x, y = [r["error"] for r in runs], [r["microseconds"] for r in runs]
                axes.plot(x, y, "o-", color=color, markersize=3, label=NAMES[contender])
                shown.add(contender)
    handles = [mpl.lines.Line2D([], [], color=COLORS[c], marker="o") for c in COLORS if c in shown]
    figure.legend(
        handles, [NAMES[c] for c in COLORS if c in shown], loc="outside lower center", ncols=4
    )
    return figure


_MARKERS = {"native:tsit5": "s", "native:dopri8": "D", "native:taylor": "^", "auto": ".",
            "call:tsit5": "s"}  # fmt: skip


def _rivals(cases: Mapping[str, Any]) -> Figure:
    cases = {name: case for name, case in cases.items() if "contenders" in case}
    columns = min(3, max(len(cases), 1))
    rows = max(math.ceil(len(cases) / columns), 1)
    figure = Figure((4.2 * columns, 3.0 * rows + 0.8), layout="constrained")
    shown: dict[str, mpl.lines.Line2D] = {}
    for number, (name, case) in enumerate(cases.items(), 1):
        axes = figure.add_subplot(rows, columns, number)
        axes.set(title=find_case(name).title, xscale="log", yscale="log")
        axes.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())  # they overlap in a decade
        axes.set(xlabel="relative error", ylabel="us a trajectory")
        for contender, found in case["contenders"].items():
            runs = [r for r in found.get("runs", []) if 0 < r["error"] < 1]
            if runs:
                # no error is known below what the reference is certain to
                x = [max(r["error"], case["certainty"]) for r in runs]
                style = {"ls": ":"} if contender == "auto" else {}
                (shown[contender],) = axes.plot(
                    x, [r["microseconds"] for r in runs], color=COLORS[contender], markersize=3,
                    marker=_MARKERS.get(contender, "o"), label=NAMES[contender], **style,
                )  # fmt: skip
    names = [name for name in COLORS if name in shown]
    figure.legend([shown[n] for n in names], [NAMES[n] for n in names],
                  loc="outside lower center", ncols=5)  # fmt: skip
    return figure


def _size(results: Mapping[str, Any]) -> Figure:
    return _lines(results, "size", "trajectories", "seconds", "seconds")


def _states(results: Mapping[str, Any]) -> Figure:
    return _lines(results, "states", "states of the ring", "microseconds", "us a trajectory")


def _lines(results: Mapping[str, Any], x: str, x_label: str, y: str, y_label: str) -> Figure:
    figure = Figure((6, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xscale="log", yscale="log", xlabel=x_label, ylabel=y_label)
    for name, runs in results.items():
        if runs:
            at, times = [run[x] for run in runs], [run[y] for run in runs]
            axes.plot(at, times, "o-", color=COLORS[name], label=NAMES[name])
    axes.legend()
    return figure
