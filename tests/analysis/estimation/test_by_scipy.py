"""A PEtab problem with steady states by SciPy's `least_squares`, start by start, as a check."""

import numpy as np
import pytest
from scipy.optimize import least_squares

import odeflow
from odeflow.analysis.estimation.multistart import fit
from odeflow.analysis.estimation.trust_region import Options
from tests.support.estimation_studies import objective
from tests.support.petab_at_rest import make_problem_at_rest

#: No noise of the problem is smaller: with it, log-densities are sums of squares.
LEAST = 0.01


@pytest.mark.slow
def test_no_start_ends_worse_than_scipy_s(tmp_path):
    tight = ("solver=rodas5p", "solver.rtol=1e-9", "solver.atol=1e-12", "analyse=estimate")
    given = ("analyse.estimate.closed_form=false", *tight)
    batch = objective(
        odeflow.compose("experiment=mine", *given, study=make_problem_at_rest(tmp_path))
    )
    parameters, numbers = batch.parameters, range(12)
    found = fit(batch, 0, numbers, Options())

    def residuals(theta):
        simulated = batch.simulated(theta[None])
        noise = np.sqrt(2 * np.log(np.maximum(simulated.noise[0] / LEAST, 1.0)))
        return np.concatenate([batch.residuals(simulated)[0], noise])

    constant = batch.measured.size * np.log(LEAST * np.sqrt(2 * np.pi))
    bounds = (parameters.lower, parameters.upper)
    ends = np.array(
        [
            least_squares(residuals, parameters.start(0, i), bounds=bounds, xtol=1e-12).cost
            for i in numbers
        ]
    )
    ends += constant
    ours = found["objective"].values
    assert ours.min() == pytest.approx(ends.min(), abs=1e-4)
    assert (ours <= ends + 1e-3).mean() >= 0.9
