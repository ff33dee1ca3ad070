"""Gradients of the objective: against central differences, and against Diffrax's engine."""

from pathlib import Path

import numpy as np
import pytest

import odeflow
from odeflow.files.errors import ConfigError
from odeflow.problem.estimated import on_scale
from tests.support.estimation_studies import objective
from tests.support.marks import fast
from tests.support.petab_text import make_problem

TIGHT = ("solver.rtol=1e-10", "solver.atol=1e-12", "analyse=estimate", "design=grid", "name=here")
#: An Antimony model whose event takes away half of A when it falls below 1.
EVENT = "A = 4; k = 0.5; A' = -k*A + 0.3; E: at A < low: A = A + 1.5; low = 1"
MODELS = {
    "michaelis_menten": (
        ("model=michaelis_menten", "model.t1=2"),
        "substrate",
        {"vmax": 8.0, "km": 4.0},
    ),
    "lotka_volterra": (
        ("model=lotka_volterra", "model.t1=10"),
        "predator",
        {"alpha": 1.0, "beta": 0.45, "prey": 9.0},
    ),
    "van_der_pol": (("model=van_der_pol", "model.t1=5"), "x", {"mu": 1.3}),
    "robertson": (
        ("model=robertson", "solver=rodas5p", "model.t1=40"),
        "c",
        {"k1": 0.05, "k3": 0.9e4},
    ),
    "doses": (
        (
            "model=pk_one_compartment",
            "doses=[{state: gut, amount: 80, times: [0, 12]}, "
            "{state: central, amount: 50, duration: 2, time: 6}]",
            "model.t1=24",
        ),
        "concentration",
        {"ka": 1.2, "cl": 4.0, "v": 45.0},
    ),
    "event": (
        ("~model", "+model.antimony=event.ant", "+model.t1=8"),
        "A",
        {"k": 0.45, "low": 1.1},
    ),
}


def study(folder: Path, name: str, *more: str) -> tuple[odeflow.Config, np.ndarray]:
    """A study of one of the models, whose data are about as large as what it gives."""
    overrides, variable, values = MODELS[name]
    text = ", ".join(f"{key}: {{bounds: [{x / 9}, {9 * x}]}}" for key, x in values.items())
    (folder / "event.ant").write_text(EVENT)
    overrides = ("~experiment", *overrides, *TIGHT, *more)
    given = odeflow.compose("~experiment", *MODELS[name][0], study=folder).model.t1
    times = np.linspace(given / 7, given, 6)
    rows = [f"{t},{variable},{1 + i % 3},{0.5 + i % 2}" for i, t in enumerate(times.tolist())]
    (folder / "data.csv").write_text("\n".join(["time,variable,value,sd", *rows]))
    asked = f"analyse.estimate.parameters={{{text}}}", "analyse.estimate.data=data.csv"
    config = odeflow.compose(*overrides, *asked, study=folder)
    return config, np.array([[np.log10(x) for x in values.values()]])


def central(batch, theta, h=1e-4):
    """Central differences of the objective, extrapolated once."""

    def slope(h):
        steps = h * np.eye(theta.shape[1])
        ends = np.concatenate([theta + steps, theta - steps])
        values = -batch.log_likelihood(ends) - batch.parameters.log_prior(ends)
        return (values[: len(steps)] - values[len(steps) :]) / (2 * h)

    return (4 * slope(h / 2) - slope(h)) / 3


@pytest.mark.parametrize("name", fast({*MODELS} - {"event"}, MODELS))
def test_gradients_are_central_differences(tmp_path, name):
    config, theta = study(tmp_path, name)
    batch = objective(config)
    gradient = batch.slopes(theta).gradient[0]
    assert np.abs(gradient).min() > 1e-2
    np.testing.assert_allclose(gradient, central(batch, theta), rtol=2e-6, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_diffrax_s(tmp_path, name):
    config, theta = study(tmp_path, name)
    native = objective(config).slopes(theta)
    config, _ = study(tmp_path, name, "runtime.engine=diffrax")
    other = objective(config).slopes(theta)
    np.testing.assert_allclose(native.gradient, other.gradient, rtol=1e-6)
    np.testing.assert_allclose(native.fisher, other.fisher, rtol=1e-6, atol=1e-9)


def petab(folder, **tables):
    make_problem(folder, **tables)
    tight = ("solver.rtol=1e-11", "solver.atol=1e-13", "analyse=estimate")
    return odeflow.compose("experiment=mine", *tight, study=folder)


PRIORS = """
    parameterId | parameterScale | lowerBound | upperBound | nominalValue | estimate | objectivePriorType | objectivePriorParameters
    k           | log10          | 0.1        | 10         | 0.7          | 1        | logNormal          | -0.3;0.4
    start       | lin            | 1          | 4          | 2.5          | 1        | normal             | 2;0.7
    sd          | log            | 0.01       | 1          | 0.2          | 1        | parameterScaleLaplace | -1;0.5
    fixed       | lin            |            |            | 3            | 0        |                    |
"""  # noqa: E501


@pytest.mark.parametrize("tables", [{}, {"parameters": PRIORS}], ids=["uniform", "priors"])
def test_conditions_noise_formulas_and_priors(tmp_path, tables):
    """A condition sets the start to a parameter; noise is a parameter, a number and a formula."""
    batch = objective(petab(tmp_path, **tables))
    theta = np.array([[np.log10(0.6), 2.2, np.log(0.3)]])
    found = batch.slopes(theta)
    np.testing.assert_allclose(found.gradient[0], central(batch, theta), rtol=1e-6, atol=1e-7)
    k, start, sd = 0.6, 2.2, 0.3
    low, high = (lambda t: 1.5 * np.exp(-k * t)), (lambda t: start * np.exp(-k * t))
    normal = lambda m, y, s: -((m - y) ** 2) / (2 * s**2) - np.log(s * np.sqrt(2 * np.pi))
    laplace = lambda m, y: -abs(m - y) / (0.05 + 0.1 * y) - np.log(2 * (0.05 + 0.1 * y))
    expected = normal(1.1, low(0.5), sd) + normal(0.4, low(2), 0.3) + normal(1.9, high(0.5), sd)
    expected += laplace(7.1, 3 * high(0)) + laplace(1.2, 3 * high(2))
    assert batch.log_likelihood(theta)[0] == pytest.approx(expected, rel=1e-8)
    if tables:
        prior = normal(np.log(k), -0.3, 0.4) - np.log(k) + normal(start, 2, 0.7)
        prior += -abs(np.log(sd) + 1) / 0.5 - np.log(2 * 0.5)
        assert batch.parameters.log_prior(theta)[0] == pytest.approx(prior, rel=1e-12)


def test_what_the_model_computes_at_t0_moves_with_its_parameters(tmp_path):
    """The start of A is twice a parameter, so that is in its derivatives."""
    text = "A = 2*a0; a0 = 1.5; k = 0.5; A' = -k*A"
    (tmp_path / "data.csv").write_text("time,variable,value,sd\n1,A,1,0.5\n3,A,0.4,0.5\n")
    (tmp_path / "start.ant").write_text(text)
    config = odeflow.compose(
        "~experiment", "~model", "+model.antimony=start.ant", "+model.t1=4", *TIGHT,
        "analyse.estimate.data=data.csv",
        "analyse.estimate.parameters={a0: {bounds: [0.1, 10]}, k: {bounds: [0.1, 10]}}",
        study=tmp_path,
    )  # fmt: skip
    batch, theta = objective(config), np.array([[0.2, -0.3]])
    gradient = batch.slopes(theta).gradient[0]
    np.testing.assert_allclose(gradient, central(batch, theta), rtol=1e-6)
    a0, k = 10**0.2, 10**-0.3
    y = lambda t: 2 * a0 * np.exp(-k * t)
    expected = sum((y(t) - m) / 0.25 * y(t) * np.log(10) for t, m in ((1, 1), (3, 0.4)))
    assert gradient[0] == pytest.approx(expected, rel=1e-7)


def test_fisher_information_is_the_mean_of_the_squared_score(tmp_path):
    """Over data drawn from the model, of a normal noise that a parameter is the size of."""
    batch = objective(petab(tmp_path))
    theta = np.array([[np.log10(0.6), 2.2, np.log(0.3)]])
    fisher, simulated = batch.slopes(theta).fisher[0], batch.simulated(theta)
    rng, scores = np.random.default_rng(2), []
    measured = batch._measured.copy()
    z, s = simulated.values[0], simulated.noise[0]
    exact = batch.simulation(theta, slopes=True)
    for _ in range(4000):
        normal, laplace = rng.standard_normal(len(z)), rng.laplace(size=len(z))
        batch._measured[:] = z + s * np.where(batch._laplace, laplace, normal)
        scores.append(batch._differentiated(exact)[0][0])
    batch._measured[:] = measured
    mean = np.einsum("ki,kj->ij", scores, scores) / len(scores)
    np.testing.assert_allclose(mean, fisher, rtol=0.15, atol=0.05 * fisher.max())


def test_bounds_of_a_scale_are_those_of_the_table(tmp_path):
    batch = objective(petab(tmp_path))
    expected = [[on_scale(x, s) for x, s in ((0.1, "log10"), (1, "lin"), (0.01, "log"))]]
    np.testing.assert_allclose(batch.parameters.lower[None], expected)


def test_an_array_state_is_refused(tmp_path):
    (tmp_path / "data.csv").write_text("time,variable,value,sd\n0.1,u,1,1\n")
    config = odeflow.compose(
        "~experiment", "model=heat_equation", *TIGHT,
        "analyse.estimate.data=data.csv",
        "analyse.estimate.parameters={diffusivity: {bounds: [0.1, 10]}}", study=tmp_path,
    )  # fmt: skip
    with pytest.raises(ConfigError, match="array"):
        objective(config)
