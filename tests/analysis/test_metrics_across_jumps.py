"""Metrics and quantiles of trajectories that jump or end between the saved times."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import yaml

import odeflow
from odeflow.analysis.summary import summarise
from odeflow.config.metrics import TimeCourses, first_time_beyond
from odeflow.report.figures.time_courses import time_courses
from odeflow.workflow.chunks import solve_digest

#: One case in the default suite, the others in the slow one: compiling takes its time.
CASES = pytest.mark.parametrize(
    ("engine", "method"),
    [
        ("native", "tsit5"),
        *(
            pytest.param(engine, method, marks=pytest.mark.slow)
            for engine, method in [
                ("native", "rodas5p"), ("diffrax", "tsit5"), ("diffrax", "rodas5p"),
            ]
        ),
    ],
)  # fmt: skip
METRICS = ["final", "min", "max", "mean", "integral", "time_of_min", "time_of_max", "amplitude"]
K, VOLUME, DOSE, EVERY, COUNT, END = 0.11, 8.0, 30.0, 10.0, 4, 37.0

MODEL = {
    "name": "cleared",
    "vector_field": "models.py:cleared",
    "t1": END,
    "time_units": "h",
    "states": {"amount": {"initial": 0.0, "units": "mg"}},
    "parameters": {"k": {"value": K}},
    "observables": {"function": "models.py:level", "variables": {"level": {"units": "mg/L"}}},
}
FUNCTIONS = f"""def cleared(t, y, args):
    return {{"amount": -args.k * y.amount}}

def level(t, y, args):
    return {{"level": y.amount / {VOLUME}}}
"""
DOSED = {"doses": [{"state": "amount", "amount": DOSE, "time": 0, "every": EVERY, "count": COUNT}]}
ENDING = {
    "model": {"states": {"amount": {"initial": DOSE}}},
    "stop": {"below": {"level": 1.0}},
    "design": {"axes": {"k": {"values": [0.1, 0.2, 0.4]}}},
}


def compose(folder: Path, experiment: dict[str, Any], *overrides: str) -> Any:
    """An amount that is cleared, with doses or stops."""
    base = {
        "defaults": [{"override /model": "cleared"}],
        "name": "jumping",
        "summary": {"metrics": METRICS, "variables": ["level"], "first_time_below": {"level": 2.0}},
        "solver": {"rtol": 1e-9, "atol": 1e-11},
    }
    for name, text in (
        ("config/model/cleared.yaml", yaml.safe_dump(MODEL)),
        (
            "config/experiment/jumping.yaml",
            "# @package _global_\n" + yaml.safe_dump(base | experiment),
        ),
        ("models.py", FUNCTIONS),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return odeflow.compose("experiment=jumping", *overrides, study=folder)


def solved(config: Any) -> tuple[xr.Dataset, xr.Dataset]:
    ensemble = odeflow.run(config)
    return ensemble, summarise(ensemble, config.summary)


@CASES
@pytest.mark.parametrize(
    "ts",
    ["{linspace: [0, 37, 12]}", "[5, 10, 20]", pytest.param("null", marks=pytest.mark.slow)],
)
def test_metrics_across_doses_are_exact(engine: str, method: str, ts: str, tmp_path: Path):
    """Whatever times are saved, none of which has the value before a dose."""
    config = compose(
        tmp_path, DOSED, f"solver={method}", f"saveat.ts={ts}", f"runtime.engine={engine}"
    )
    _, summary = solved(config)
    q = np.exp(-K * EVERY)
    tops = [DOSE / VOLUME * (1 - q**n) / (1 - q) for n in range(1, COUNT + 1)]
    end = tops[-1] * np.exp(-K * (END - EVERY * (COUNT - 1)))
    area = (COUNT * DOSE / VOLUME - end) / K
    expected = {
        "final": end,
        "min": tops[0] * q,
        "max": tops[-1],
        "mean": area / END,
        "integral": area,
        "time_of_min": EVERY,
        "time_of_max": EVERY * (COUNT - 1),
        "amplitude": tops[-1] - tops[0] * q,
        "first_time_below": np.log(tops[0] / 2.0) / K,
    }
    for metric, value in expected.items():
        # a minimum just before a dose is at its time
        np.testing.assert_allclose(
            summary[f"level_{metric}"].item(), value, rtol=3e-7, err_msg=metric
        )


@CASES
def test_metrics_of_trajectories_that_stop(engine: str, method: str, tmp_path: Path):
    config = compose(
        tmp_path, ENDING, f"solver={method}", "saveat.ts={linspace: [0, 37, 38]}",
        f"runtime.engine={engine}",
    )  # fmt: skip
    ensemble, summary = solved(config)
    k, start = ensemble.k.values, DOSE / VOLUME
    length = np.log(start) / k
    expected = {
        "final": np.ones(3),
        "min": np.ones(3),
        "max": np.full(3, start),
        "integral": (start - 1) / k,
        "mean": (start - 1) / k / length,
        "time_of_min": length,
        "time_of_max": np.zeros(3),
        "first_time_below": np.log(start / 2) / k,
    }
    for metric, value in expected.items():
        np.testing.assert_allclose(summary[f"level_{metric}"], value, rtol=1e-6, err_msg=metric)
    time = ensemble.time.values
    running = time[:, None] < length
    np.testing.assert_array_equal(summary.num_running, running.sum(axis=1))
    levels = np.where(running, start * np.exp(-k * time[:, None]), np.nan)
    some = running.any(axis=1)
    found = summary.level_quantiles.sel(quantile=0.5).values
    np.testing.assert_allclose(found[some], np.nanmedian(levels[some], axis=1), rtol=1e-6)
    assert np.isnan(found[~some]).all() and (~some).any()


def test_the_figure_says_how_many_are_still_running(tmp_path: Path):
    config = compose(tmp_path, ENDING, "saveat.ts={linspace: [0, 37, 38]}")
    ensemble, summary = solved(config)
    legend = time_courses(ensemble, summary, config).legends[0]
    words = "over those still running: 3 up to 3\u00a0h, 1 at 7\u00a0h, none after 13\u00a0h"
    assert legend.get_title().get_text() == words
    assert "median" in [text.get_text() for text in legend.get_texts()]


@pytest.mark.slow
def test_metrics_of_own_ends_are_up_to_each_end(tmp_path: Path):
    ends = [4.5, 12.0, 37.0]
    model = {"states": {"amount": {"initial": DOSE}}}
    config = compose(
        tmp_path, {"model": model, "design": {"axes": {"t1": {"values": ends}}}},
        "saveat.ts=[0, 4, 12, 30]",
    )  # fmt: skip
    ensemble, summary = solved(config)
    left = DOSE / VOLUME * np.exp(-K * np.array(ends))
    area = (DOSE / VOLUME - left) / K
    np.testing.assert_allclose(summary.level_integral, area, rtol=1e-7)
    np.testing.assert_allclose(summary.level_mean, area / ends, rtol=1e-7)
    np.testing.assert_allclose(summary.level_final, left, rtol=1e-7)
    assert summary.num_running.values.tolist() == [3, 3, 2, 1]
    assert "level_integral" in ensemble


def test_metrics_decide_on_the_chunks_where_they_are_reduced(tmp_path: Path):
    digest = lambda experiment, *overrides: solve_digest(
        compose(tmp_path, experiment, "saveat.ts=[0, 4, 12]", *overrides), tmp_path
    )
    fewer = "summary.metrics=[max]"
    for experiment in (DOSED, ENDING, {"design": {"axes": {"t1": {"values": [4, 12]}}}}):
        assert digest(experiment) != digest(experiment, fewer)
        assert digest(experiment) == digest(experiment, "summary.quantiles=[0.5]")
    assert digest({}) == digest({}, fewer)


def test_saved_times_after_an_end_count_for_nothing():
    """Courses that end in NaN: metrics of what is before; one with NaN inside has none."""
    t = np.array([0.0, 1.0, 2.0, 4.0, 8.0])
    nan = np.nan
    y = np.array(
        [
            [1.0, 3.0, 2.0, 5.0, 4.0],
            [1.0, 3.0, 2.0, nan, nan],
            [7.0, nan, nan, nan, nan],
            [1.0, nan, 2.0, 5.0, 4.0],
            [nan, nan, nan, nan, nan],
        ]
    ).T
    course = TimeCourses(y, t)
    np.testing.assert_array_equal(course.greatest, [5, 3, 7, nan, nan])
    np.testing.assert_array_equal(course.least, [1, 1, 7, nan, nan])
    np.testing.assert_array_equal(course.integral, [29.5, 4.5, 0, nan, nan])
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(course.mean[:2], [29.5 / 8, 2.25])
    np.testing.assert_array_equal(course.time_of(np.argmax, course.greatest), [4, 1, 0, nan, nan])
    np.testing.assert_array_equal(course.time_of(np.argmin, course.least), [0, 0, 0, nan, nan])
    found = first_time_beyond(course.y, t, 2.5, above=True)
    np.testing.assert_array_equal(found[:3], [0.75, 0.75, 0])
