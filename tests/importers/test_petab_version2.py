"""PEtab problems of format version 2: against closed forms, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

import odeflow
from odeflow.analysis.summary import summarise
from odeflow.files.errors import ConfigError
from odeflow.trust.verification import verify
from odeflow.workflow.stages.summarise import measurements_of
from tests.support.estimation_studies import objective
from tests.support.petab_version2 import TABLES, THETA, YAML, log_likelihood, make_version2

TIGHT = ("solver=rodas5p", "solver.rtol=1e-10", "solver.atol=1e-13")


@pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)])
def test_log_likelihood_of_the_closed_form(tmp_path, engine):
    study = make_version2(tmp_path)
    config = odeflow.compose(
        "experiment=mine", "design.size=3", f"runtime.engine={engine}", *TIGHT, study=study
    )
    ensemble = odeflow.run(config)
    assert (ensemble["status"] == 0).all()
    summary = summarise(ensemble, config.summary, measurements_of(config, study))
    runs = len(config.design.conditions)
    assert list(config.design.conditions) == ["grown", "rested", "both", "late", "model"]
    for i in range(0, 3 * runs, runs):
        expected = log_likelihood(*(float(ensemble[name][i]) for name in THETA))
        assert float(summary["log_likelihood"][i]) == pytest.approx(expected, rel=1e-8)
    found = verify(config, study, ensemble)
    assert found.attrs["verdict"] == "passed", found.attrs


FINITE = TABLES | {"measurements": TABLES["measurements"].replace("| inf  |", "| 80   |")}


@pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)])
def test_value_and_gradient_of_an_estimation(tmp_path, engine):
    """Starts by formulas, what is set at rest and later periods are in the derivatives."""
    study = make_version2(tmp_path, **FINITE)
    tight = ("solver=rodas5p", "solver.rtol=1e-11", "solver.atol=1e-13", "analyse=estimate")
    config = odeflow.compose("experiment=mine", *tight, f"runtime.engine={engine}", study=study)
    batch = objective(config)
    assert batch.parameters.lower.tolist() == [0.1, 1, 1, 0.05]
    theta = np.array([[0.9, 2.2, 1.7, 0.3]])
    assert batch.log_likelihood(theta)[0] == pytest.approx(log_likelihood(*theta[0]), rel=1e-8)
    k, base = theta[0][[0, 2]]
    normal = lambda m, y, s: -((m - y) ** 2) / (2 * s**2) - np.log(s * np.sqrt(2 * np.pi))
    prior = normal(np.log(k), -0.3, 0.4) - np.log(k) + normal(base, 2, 0.7)
    assert batch.parameters.log_prior(theta)[0] == pytest.approx(prior, rel=1e-12)
    found = batch.slopes(theta)
    assert not found.failed.any()
    total = lambda x: log_likelihood(*x) + batch.parameters.log_prior(x[None])[0]
    h = 1e-6 * np.eye(4)
    expected = [-(total(theta[0] + one) - total(theta[0] - one)) / 2e-6 for one in h]
    np.testing.assert_allclose(found.gradient[0], expected, rtol=1e-6, atol=1e-6)


def test_derivatives_at_rest_after_a_change_are_refused(tmp_path):
    config = odeflow.compose("experiment=mine", "analyse=estimate", study=make_version2(tmp_path))
    with pytest.raises(ConfigError, match="b_1 is measured at time inf under rested, which changes"):
        objective(config)
