"""The example with daily temperatures, `examples/weather`, solved by SciPy day by day."""

from pathlib import Path

import numpy as np
import pytest

import odeflow
from benchmarks.inputs import EXAMPLE, by_scipy
from odeflow.trust.verification import verify

OVERRIDES = ["experiment=weather", "saveat.ts=null", "design.size=8"]


def tolerances_off(days: float) -> list[float]:
    """The largest error of each of some trajectories after so many days, in tolerances."""
    config = odeflow.compose(*OVERRIDES, f"model.t1={days}", study=EXAMPLE)
    found = odeflow.run(config)
    assert found.attrs["odeflow_engine"] == "native" and not found.attrs["odeflow_time_switches"]
    assert set(found["lake"].values.tolist()) == {0, 1}
    axes = {name: found[name].values for name in ("lake", "growth", "grazing", "capacity")}
    result = []
    for row in range(2):
        exact = by_scipy(axes, row, days)
        ours = np.array([found[name].values[row, 0] for name in ("bacteria", "flagellates")])
        allowed = config.solver.atol + config.solver.rtol * np.abs(exact)
        result.append(float(np.max(np.abs(ours - exact) / allowed)))
    return result


@pytest.mark.slow
def test_two_months_are_those_of_scipy():
    assert max(tolerances_off(60.0)) < 10


@pytest.mark.slow
def test_two_years_are_those_of_scipy():
    assert max(tolerances_off(730.0)) < 10


@pytest.mark.slow
def test_verification_agrees(tmp_path: Path):
    overrides = ["verify.number=2", "saveat.ts={linspace: [0, 120, 7]}", "model.t1=120"]
    config = odeflow.compose(OVERRIDES[0], OVERRIDES[2], *overrides, study=EXAMPLE)
    found = verify(config, EXAMPLE, odeflow.run(config))
    assert found.attrs["verdict"] == "passed", found.attrs["verdict_reason"]
