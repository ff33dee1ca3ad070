"""Windows of metrics from dose to dose."""

from pathlib import Path

import numpy as np
import pytest

import odeflow
from odeflow.files.errors import ConfigError
from tests.support.snakes import make_study

DOSES = "doses=[{state: y, amount: 1, time: 0.25, every: 0.5, count: 3}]"


def composed(folder: Path, *overrides: str) -> odeflow.Config:
    asked = "+summary.integral_over={y: {between: doses}}"
    return odeflow.compose("experiment=decay", asked, *overrides, study=make_study(folder))


def test_a_window_from_each_dose_to_the_next(tmp_path: Path):
    config = composed(tmp_path, DOSES, "solver.rtol=1e-9", "solver.atol=1e-11")
    windows = [one.window for one in config.summary.integral_over["y"]]
    assert windows == [(0.25, 0.75), (0.75, 1.25), (1.25, np.inf)]
    found = odeflow.run(config)
    k, y, before = found["k"].values, 3.0, 0.0
    for number, (start, end) in enumerate([(0.25, 0.75), (0.75, 1.25), (1.25, 2.0)], start=1):
        y = y * np.exp(-k * (start - before)) + 1
        name = f"y_integral_over_dose_{number}"
        expected = y * (1 - np.exp(-k * (end - start))) / k
        np.testing.assert_allclose(found[name], expected, rtol=1e-7)
        before = start


@pytest.mark.parametrize(
    ("doses", "message"),
    [
        ("doses=[]", "no doses are given"),
        (DOSES.replace("0.25", "k"), "the time of a dose is 'k'.*give from and to"),
        (DOSES.replace("count: 3", "count: 300"), "300 doses; at most 100"),
    ],
)
def test_what_makes_no_windows_is_said(doses: str, message: str, tmp_path: Path):
    with pytest.raises(ConfigError, match=f"summary.integral_over.y.between: {message}"):
        composed(tmp_path, doses)
