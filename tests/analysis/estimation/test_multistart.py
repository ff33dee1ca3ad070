"""Where starts begin and go on: a frequency, whose likelihood has a valley for every half wave."""

import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.analysis.estimation.estimates import fit_numbers, options_of
from odeflow.analysis.estimation.multistart import first_points, fit
from odeflow.analysis.estimation.objective import Objective
from tests.support.estimation_studies import objective

FREQUENCY = 7.0
FIELD = """
import jax.numpy as jnp


def field(t, y, args):
    return {"x": args.w * jnp.cos(args.w * t)}
"""
MODEL = """
name: wave
vector_field: models.py:field
t1: 6.0
states: {x: {initial: 0.0}}
parameters: {w: {value: 1.0}}
"""
EXPERIMENT = """
# @package _global_
defaults: [override /model: wave, override /analyse: estimate]
name: wave
design: {axes: {}}
solver: {rtol: 1e-8, atol: 1e-10}
analyse:
  estimate:
    data: data.csv
    parameters: {w: {bounds: [0.5, 30], scale: lin}}
"""


@pytest.fixture(scope="module")
def wave(tmp_path_factory: pytest.TempPathFactory) -> Objective:
    study: Path = tmp_path_factory.mktemp("wave")
    for group, text in {"model": MODEL, "experiment": EXPERIMENT}.items():
        (study / "config" / group).mkdir(parents=True)
        (study / "config" / group / "wave.yaml").write_text(text.lstrip())
    (study / "models.py").write_text(FIELD)
    rows = [f"{t!r},x,{math.sin(FREQUENCY * t)!r},0.1" for t in np.linspace(0.1, 6, 60).tolist()]
    (study / "data.csv").write_text("\n".join(["time,variable,value,sd", *rows]) + "\n")
    return objective(odeflow.compose("experiment=wave", study=study))


def found(wave: Objective, numbers: range, candidates: int = 1, hops: int = 0) -> xr.Dataset:
    options = options_of(wave.simulation.config.analyse.estimate)
    return fit(wave, 0, numbers, options, candidates=candidates, hops=hops)


def share(ends: xr.Dataset) -> float:
    """Of the starts that have the frequency."""
    return float((abs(ends["end_point"][:, 0] - FREQUENCY) < 1e-4).mean())


def test_a_start_begins_at_the_best_of_its_candidates(wave: Objective):
    every = [wave.settled(wave.parameters.starts(0, range(6), k))[0] for k in range(5)]
    least, _ = wave.settled(first_points(wave, 0, range(6), 5))
    np.testing.assert_allclose(least, np.min(every, axis=0), rtol=1e-12)
    np.testing.assert_array_equal(
        first_points(wave, 0, range(6), 1), wave.parameters.starts(0, range(6))
    )


@pytest.mark.slow
def test_candidates_and_hops_find_the_deepest_valley_more_often(wave: Objective):
    plain = found(wave, range(20))
    chosen = found(wave, range(20), candidates=30)
    gone_on = found(wave, range(20), hops=3)
    assert share(plain) < 0.3
    assert share(chosen) > share(plain) + 0.3
    assert share(gone_on) > share(plain)
    assert (gone_on["objective"] <= plain["objective"]).all()
    assert (gone_on["num_steps"] > plain["num_steps"]).all()


def test_no_start_changes_another(wave: Objective):
    whole = found(wave, range(5), candidates=4, hops=2)
    part = found(wave, range(2, 4), candidates=4, hops=2)
    xr.testing.assert_identical(part, whole.isel(start=[2, 3]))


def test_the_config_says_both(wave: Objective):
    estimate = wave.simulation.config.analyse.estimate
    assert estimate is not None
    asked = estimate.model_copy(update={"candidates": 4, "hops": 2})
    by_config = fit_numbers(wave, range(3), asked)
    xr.testing.assert_identical(by_config, found(wave, range(3), candidates=4, hops=2))
