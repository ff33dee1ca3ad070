"""Three dose groups of a thousand subjects each: effects, bands by group, dosing intervals."""

from pathlib import Path

import numpy as np
import pytest

import odeflow
from odeflow.analysis.summary import summarise

EXPERIMENT = """
# @package _global_
defaults:
  - override /model: pk_one_compartment
  - override /design: zip
  - override /solver: tsit5
name: population
model:
  states: {gut: {initial: 0}}
  parameters: {ka: {value: 1.5}, cl: {value: 5}, v: {value: 50}}
design:
  axes: {dose: {values: [50, 100, 200]}}
  random_effects:
    of: {ka: exp, cl: exp, v: exp}
    omega: [[0.16, 0.02, 0], [0.02, 0.09, 0.03], [0, 0.03, 0.04]]
    subjects: 1000
    seed: 7
doses:
  - {state: gut, amount: "0.8 * dose", time: 0}
solver: {rtol: 1e-8, atol: 1e-9}
saveat: {ts: {linspace: [0, 24, 97]}, variables: [concentration]}
summary:
  metrics: []
  group: dose
  residual_error: {concentration: {proportional: 0.1, additive: 0.01, seed: 2}}
  nca: {concentration: {times: [0], tau: 24}}
"""


@pytest.mark.slow
def test_bands_and_intervals_of_a_population(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "experiment"
    folder.mkdir(parents=True)
    (folder / "population.yaml").write_text(EXPERIMENT)
    config = odeflow.compose("experiment=population", study=tmp_path)
    ds = odeflow.run(config)
    found = summarise(ds, config.summary)
    assert ds.sizes["sample"] == 3000 and (ds["status"] == 0).all()
    ka, cl, v, dose = (ds[name].values for name in ("ka", "cl", "v", "dose"))
    eta = np.log(np.stack([ka / 1.5, cl / 5, v / 50]))
    effects = config.design.random_effects
    assert effects is not None
    omega = np.array(effects.omega)
    error = np.sqrt((omega**2 + np.outer(np.diag(omega), np.diag(omega))) / 3000)
    assert (np.abs(np.cov(eta) - omega) < 4 * error).all()

    ke, t = cl / v, ds["time"].values
    part = 0.8 * dose / v * ka / (ka - ke)
    courses = part[:, None] * (np.exp(-np.outer(ke, t)) - np.exp(-np.outer(ka, t)))
    np.testing.assert_allclose(ds["concentration"].values, courses, atol=1e-6)
    levels = config.summary.quantiles
    for place, value in enumerate((50.0, 100.0, 200.0)):
        expected = np.quantile(courses[dose == value], levels, axis=0)
        bands = found["concentration_quantiles_by_group"].values[place]
        np.testing.assert_allclose(bands, expected, atol=1e-6)
        # what is measured spreads more, and by as much as it should
        own = found["concentration_with_error"].values[dose == value]
        off = (own - courses[dose == value]) / np.hypot(0.01, 0.1 * courses[dose == value])
        assert abs(off.std() - 1) < 4 / np.sqrt(2 * off.size) and abs(off.mean()) < 0.02

    area = part * ((1 - np.exp(-ke * 24)) / ke - (1 - np.exp(-ka * 24)) / ka)
    np.testing.assert_allclose(found["concentration_auc_tau"].values[:, 0], area, rtol=2e-2)
    median = np.median(found["concentration_auc_tau"].values[:, 0] / area)
    assert abs(median - 1) < 1e-3
    tmax = np.log(ka / ke) / (ka - ke)
    assert np.abs(found["concentration_tmax"].values[:, 0] - tmax).max() <= 0.25
    half_life = found["concentration_half_life"].values[:, 0]
    slow = np.minimum(ka, ke)
    clear = (np.maximum(ka, ke) > 5 * slow) & (tmax < 6)
    assert clear.sum() > 2000
    np.testing.assert_allclose(half_life[clear], np.log(2) / slow[clear], rtol=3e-2)
