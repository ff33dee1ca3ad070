"""What is said where no start has a finite objective."""

import numpy as np

import odeflow
from odeflow.analysis.estimation.estimates import estimates, options_of
from odeflow.analysis.estimation.multistart import fit
from odeflow.analysis.estimation.not_finite import why_not_finite
from tests.support.estimation_studies import linear_study, objective
from tests.support.petab_at_rest import make_problem_at_rest
from tests.support.petab_text import TABLES, make_problem


def test_trajectories_that_fail(tmp_path):
    config = linear_study(tmp_path, "solver.max_steps=2")
    batch, asked = objective(config), config.analyse.estimate
    assert asked is not None
    found = estimates(batch, fit(batch, 0, range(5), options_of(asked)), asked)
    text = found.attrs["comment"]
    assert "\n" not in text and "estimate" not in found
    assert "no start has a finite objective: of 5, at 5 a trajectory ends with max_steps" in text
    assert "raise it" in text


def test_what_is_wrong_with_a_likelihood(tmp_path):
    """The noise falls below 0 where `scaled` is large, and its logarithm is not known at 0."""
    observables = """
        observableId | observableFormula | noiseFormula      | observableTransformation
        a            | A - 2             | noiseParameter1_a | log10
        scaled       | fixed * A         | 2 - scaled        | lin
    """
    make_problem(tmp_path, **TABLES | {"observables": observables})
    batch = objective(odeflow.compose("experiment=mine", "analyse=estimate", study=tmp_path))
    theta = np.array([[0.0, 3.0, -1.0], [0.0, 3.5, -1.0]])
    text = why_not_finite(batch, theta)
    assert "of 2, at 2 a is not > 0, as the logarithm of its noise needs. Narrow" in text
    linear = observables.replace("log10", "lin")
    make_problem(tmp_path, **TABLES | {"observables": linear})
    batch = objective(odeflow.compose("experiment=mine", "analyse=estimate", study=tmp_path))
    assert "at 2 the noise of scaled is not > 0" in why_not_finite(batch, theta)


def test_nothing_at_rest(tmp_path):
    study = make_problem_at_rest(tmp_path)
    stiff = ("solver=rodas5p", "analyse=estimate")
    batch = objective(odeflow.compose("experiment=mine", *stiff, study=study))
    text = why_not_finite(batch, np.array([[-300.0, 2.0, 1.0, 0.0]]))
    assert "of 1, at 1 nothing is at rest before a condition" in text
