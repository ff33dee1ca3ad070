"""Verification finds metrics and events of a course again, and sees where they are wrong."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
import yaml

import odeflow
from odeflow.problem.measures import (
    CountedCrossings,
    CountedPeaks,
    MeasuredPart,
    TimeBeyond,
    ValueAt,
    WindowIntegral,
)
from odeflow.trust.verification import verify
from odeflow.trust.verification.course_line import CourseLine, Piece

MODEL = {
    "name": "swing",
    "vector_field": "models.py:swing",
    "t1": 9.0,
    "time_units": "s",
    "states": {"x": {"initial": 1.0, "units": "m"}, "v": {"initial": 0.3, "units": "m/s"}},
    "parameters": {"k": {"value": 4.0}, "damping": {"value": 0.1}},
    "observables": {"function": "models.py:energy", "variables": {"energy": {"units": "J"}}},
}
FUNCTIONS = """def swing(t, y, args):
    return {"x": y.v, "v": -args.k * y.x - args.damping * y.v}


def energy(t, y, args):
    return {"energy": 0.5 * y.v**2 + 0.5 * args.k * y.x**2}
"""
EXPERIMENT: dict[str, Any] = {
    "name": "swung",
    "design": {"axes": {"k": {"values": [2.0, 4.0, 7.0]}}},
    "saveat": {
        "ts": None,
        "events": {"turn": {"crossing": "v + 0 * k", "direction": "both", "variables": ["x"]}},
    },
    "doses": [{"state": "v", "amount": 1.5, "time": 4.0}],
    "solver": {"rtol": 1e-9, "atol": 1e-9},
    "summary": {
        "metrics": [],
        "crossings": {"x": [{"threshold": 0.1, "times": 2}, {"threshold": 0, "direction": "both"}]},
        "peaks": {"x": {"times": 2}},
        "time_above": {"x": {"threshold": 0.2, "from": 1, "to": 8}, "energy": 1.0},
        "integral_over": {"x": {"from": 0.5, "to": 3.3}, "energy": {"from": 5}},
        "value_at": {"x": [4.0, 6.5], "energy": 2.0},
        "slope": {"energy": {"to": 3.5}},
    },
    "verify": {"number": 3},
}


def test_a_line_knows_its_crossings_and_peaks():
    """A sine in uneven pieces that jumps up by 2 at 4: what SciPy's steps would tell of it."""
    ends = [0.0, 0.7, 1.9, 2.2, 4.0, 5.3, 6.9, 8.0]
    curve = lambda t, lifted: np.array([np.sin(t) + 2 * lifted])
    pieces = [
        Piece(a, b, lambda t, a=a: curve(t, a >= 4)) for a, b in [*zip(ends, ends[1:]), (8.0, 8.0)]
    ]
    line = CourseLine(pieces, 0)
    told = lambda measure, output: line.measured(MeasuredPart(measure, output), (1e-9, 1e-9))
    # up at the jump from sin 4 < 0.5, and at pi / 6; down at 5 pi / 6 only: 2 + sin t stays above
    both = CountedCrossings(0.5, 0)
    assert told(both, "number") == 3 and told(both, "last") == 4.0
    np.testing.assert_allclose(told(both, "first"), np.pi / 6, rtol=1e-12)
    assert len(line.crossings(0.5, jumps=False)) == 2
    assert told(CountedPeaks(0.005), "number") == 3  # the crest, the jump, the next crest
    np.testing.assert_allclose(told(CountedPeaks(0.005, times=3), "time_3"), 2.5 * np.pi, rtol=1e-7)
    np.testing.assert_allclose(told(CountedPeaks(0.005, times=3), "height_3"), 3.0, rtol=1e-12)
    inside = 5 * np.pi / 6 - np.pi / 6 + 4.0
    np.testing.assert_allclose(told(TimeBeyond(0.5, 1), "duration"), inside, rtol=1e-12)
    integral = np.cos(1) - np.cos(6) + 2 * 2
    np.testing.assert_allclose(told(WindowIntegral(1, 6), "integral"), integral, rtol=1e-10)
    assert told(ValueAt(4.0), "value") == np.sin(4.0) + 2


@pytest.fixture(scope="module")
def swung(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, xr.Dataset]:
    study = tmp_path_factory.mktemp("swing")
    for name in ("model", "experiment"):
        (study / "config" / name).mkdir(parents=True)
    (study / "models.py").write_text(FUNCTIONS)
    (study / "config/model/swing.yaml").write_text(yaml.safe_dump(MODEL))
    asked = {"defaults": [{"override /model": "swing"}, {"override /design": "grid"}], **EXPERIMENT}
    text = "# @package _global_\n" + yaml.safe_dump(asked, sort_keys=False)
    (study / "config/experiment/swung.yaml").write_text(text)
    config = odeflow.compose("experiment=swung", study=study)
    return config, odeflow.run(config)


@pytest.mark.slow
def test_they_are_found_again(swung: tuple[Any, xr.Dataset]):
    config, ensemble = swung
    found = verify(config, config.study, ensemble)
    assert found.attrs["verdict"] == "passed", found.attrs["verdict_reason"]
    for name in ("x_crossings_1", "x_crossing_interval_2", "x_peak_height_1", "x_time_above",
                 "energy_time_above", "energy_integral_over", "x_value_at_1", "energy_half_life",
                 "turn_count"):  # fmt: skip
        reference = found[f"{name}_reference"].values
        np.testing.assert_allclose(ensemble[name].values, reference, rtol=1e-5, err_msg=name)
        assert (found[f"{name}_error_ratio"] < 100).all(), name
    # the dose lifts v: what is saved at its time is what comes after it
    assert (ensemble["turn_count"] >= 3).all() and (ensemble["turn_not_kept"] == 0).all()
    assert ensemble["turn_time"].dims == ("turn",)
    assert ensemble.sizes["turn"] == ensemble["turn_count"].sum()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("x_crossings_1", 1.0), ("x_crossing_first_1", 0.05), ("x_peak_height_1", 0.02),
        ("energy_time_above", 0.2), ("x_integral_over", 0.2), ("energy_slope", 0.03),
        ("turn_count", None), ("turn_time", 0.2), ("turn_x", 0.05),
    ],
)  # fmt: skip
def test_a_wrong_one_is_seen(swung: tuple[Any, xr.Dataset], name: str, change: float | None):
    config, ensemble = swung
    wrong = ensemble.copy(deep=True)
    if change is None:  # one event of the second trajectory is lost
        last = int(wrong["turn_count"][:2].sum()) - 1
        wrong["turn_count"][1] -= 1
        wrong = wrong.isel(turn=np.delete(np.arange(wrong.sizes["turn"]), last))
    else:
        wrong[name].values[1] += change
    found = verify(config, config.study, wrong)
    assert found.attrs["verdict"] == "failed", found.attrs["verdict_reason"]
