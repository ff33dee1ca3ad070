"""The shipped models: YAML complete, fields as in the literature, invariants conserved."""

import functools
import importlib
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from omegaconf import OmegaConf

from odeflow.config.model import ModelConfig
from odeflow.importers.loading import load_model
from odeflow.importers.sbml.config import imported_model
from odeflow.problem.model import Model
from tests.support.snakes import PROJECT

FOLDER = PROJECT / "config" / "model"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@functools.cache
def shipped(name: str) -> Model:
    return load_model(ModelConfig.model_validate(raw_config(name)))


def raw_config(name: str) -> Any:
    """What the YAML says, and the SBML file that it may name."""
    data = OmegaConf.to_container(OmegaConf.load(FOLDER / f"{name}.yaml"), resolve=True)
    return imported_model(data, FOLDER)


def random_point(model: Model, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Positive states and parameters around their defaults; a Hodgkin-Huxley axon is at -90..40."""
    states = {name: rng.uniform(0.1, 2.0, s.shape) for name, s in model.declared.states.items()}
    if model.declared.name == "hodgkin_huxley":
        states = {name: rng.uniform(0.0, 1.0) for name in states} | {"v": rng.uniform(-90.0, 40.0)}
    args = [p.value * rng.uniform(0.5, 1.5) for p in model.declared.parameters.values()]
    y = model.State(*map(jnp.asarray, states.values()))
    return jnp.asarray(rng.uniform(0.0, 10.0)), y, model.Args(*map(jnp.asarray, args))


# --- The YAML files -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_yaml_is_complete(name: str) -> None:
    path = FOLDER / f"{name}.yaml"
    first, second, *_ = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# ") and "@package" not in first
    assert second == f"name: {name}"
    model, config = shipped(name), ModelConfig.model_validate(raw_config(name))
    assert config.title and config.references and config.time_units
    assert set(OmegaConf.load(path)) >= {"t0", "t1", "time_units"}
    raw = raw_config(name)
    variables = {**raw["states"], **raw.get("parameters", {})}
    if config.observables is not None:
        assert set(config.observables.variables) == set(model.observable_names)
        variables |= raw["observables"]["variables"]
    for key, variable in variables.items():
        assert {"units", "long_name"} <= set(variable), key


@pytest.mark.parametrize("name", NAMES)
def test_field_cites_its_source(name: str) -> None:
    reference = ModelConfig.model_validate(raw_config(name)).vector_field
    if reference is None:  # an SBML file; what it is from is in the YAML
        return
    module, function = reference.split(":")
    text = getattr(importlib.import_module(module), function).__doc__
    assert "Reference:" in text


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32(name: str) -> None:
    model = shipped(name)
    t, y, args = model.example(jnp.float32)
    derivative = jax.eval_shape(model.function, t, y, args)
    values = jax.eval_shape(model.observables, t, y, args)
    assert {leaf.dtype for leaf in jax.tree.leaves((derivative, values))} == {jnp.dtype("float32")}


# --- The fields, against the literature's equations written once more in NumPy ------------------


def np_michaelis_menten(t, y, p):
    s, e = y
    vmax, km = p
    v = vmax * e * s / (km + s)
    return [-v, 0.09 * v]


def np_robertson(t, y, p):
    a, b, c = y
    k1, k2, k3 = p
    return [-k1 * a + k3 * b * c, k1 * a - k2 * b * b - k3 * b * c, k2 * b * b]


def np_hires(t, y, p):
    k1, k2, k3, k4, k5, k6, kp, km, ks, oks = p
    bound = k2 + km + ks
    linear = np.array(
        [
            [-k1, k2, k6, 0, 0, 0, 0, 0],
            [k1, -k2 - k3, 0, 0, 0, 0, 0, 0],
            [0, 0, -k1 - k6, k2, k5, 0, 0, 0],
            [0, k3, k1, -k2 - k4, 0, 0, 0, 0],
            [0, 0, 0, 0, -k1 - k5, k2, k2, 0],
            [0, 0, 0, k4, k1, -k2, km, 0],
            [0, 0, 0, 0, 0, 0, -bound, 0],
            [0, 0, 0, 0, 0, 0, bound, 0],
        ]
    )
    binding = kp * y[5] * y[7] * np.array([0, 0, 0, 0, 0, -1, 1, -1])
    return linear @ y + binding + oks * np.eye(8)[0]


def np_chemical_akzo_nobel(t, y, p):
    k1, k2, k3, k4, big_k, kla, ks, p_co2, henry = p
    a, b = k1 * y[0] ** 4 * y[1] ** 0.5, k2 * y[2] * y[3]
    c, d = k2 / big_k * y[0] * y[4], k3 * y[0] * y[3] ** 2
    e, flow = k4 * y[5] ** 2 * y[1] ** 0.5, kla * (p_co2 / henry - y[1])
    return [
        b - 2 * a - c - d, flow - a / 2 - d - e / 2, a - b + c,
        c - b - 2 * d, b - c + e, ks * y[0] * y[3] - y[5],
    ]  # fmt: skip


def np_brusselator(t, y, p):
    return [p[0] + y[0] ** 2 * y[1] - p[1] * y[0] - y[0], p[1] * y[0] - y[0] ** 2 * y[1]]


def np_van_der_pol(t, y, p):
    return [y[1], p[0] * (1 - y[0] ** 2) * y[1] - y[0]]


def np_lorenz63(t, y, p):
    return [p[0] * (y[1] - y[0]), p[1] * y[0] - y[1] - y[0] * y[2], y[0] * y[1] - p[2] * y[2]]


def np_lotka_volterra(t, y, p):
    return [y[0] * (p[0] - p[1] * y[1]), y[1] * (p[2] * y[0] - p[3])]


def np_sir(t, y, p):
    force = p[0] * y[1] / sum(y)
    return [-force * y[0], force * y[0] - p[1] * y[1], p[1] * y[1]]


def np_repressilator(t, y, p):
    alpha, alpha0, beta, n = p
    m, q = np.array(y[:3]), np.array(y[3:])
    return [*(-m + alpha / (1 + np.roll(q, 1) ** n) + alpha0), *(-beta * (q - m))]


def np_fitzhugh_nagumo(t, y, p):
    a, b, tau, current = p
    return [y[0] * (1 - y[0] ** 2 / 3) - y[1] + current, (y[0] + a - b * y[1]) / tau]


def np_hodgkin_huxley(t, y, p):
    """In the convention of 1952: V is the depolarisation times -1, the rest at V = 0."""
    v, m, h, n = y
    current, c_m, g_na, g_k, g_l, e_na, e_k, e_l = p
    V = -65.0 - v
    alpha_n = 0.01 * (V + 10) / (np.exp((V + 10) / 10) - 1)
    alpha_m = 0.1 * (V + 25) / (np.exp((V + 25) / 10) - 1)
    alpha_h = 0.07 * np.exp(V / 20)
    beta_n = 0.125 * np.exp(V / 80)
    beta_m = 4 * np.exp(V / 18)
    beta_h = 1 / (np.exp((V + 30) / 10) + 1)
    ionic = g_na * m**3 * h * (v - e_na) + g_k * n**4 * (v - e_k) + g_l * (v - e_l)
    return [
        (current - ionic) / c_m,
        alpha_m * (1 - m) - beta_m * m,
        alpha_h * (1 - h) - beta_h * h,
        alpha_n * (1 - n) - beta_n * n,
    ]


def np_pk_one_compartment(t, y, p):
    ka, cl, v = p
    return np.array([[-ka, 0.0], [ka, -cl / v]]) @ y


def np_arenstorf(t, y, p):
    """In the complex plane: z'' = z - 2i z' - (1 - mu)(z + mu)/r1^3 - mu (z - 1 + mu)/r2^3."""
    (mu,) = p
    z, w = complex(y[0], y[1]), complex(y[2], y[3])
    larger, smaller = z + mu, z - 1 + mu
    pull = (1 - mu) * larger / abs(larger) ** 3 + mu * smaller / abs(smaller) ** 3
    acceleration = z - 2j * w - pull
    return [w.real, w.imag, acceleration.real, acceleration.imag]


def np_heat_equation(t, y, p):
    n = len(y)
    second_difference = -2 * np.eye(n) + np.eye(n, k=1) + np.eye(n, k=-1)
    return p[0] * ((n + 1) / p[1]) ** 2 * second_difference @ y


POLLU = """
    NO2 -> NO + O3P; NO + O3 -> NO2; HO2 + NO -> NO2 + OH; HCHO -> 2 HO2 + CO; HCHO -> CO;
    HCHO + OH -> HO2 + CO; ALD -> MEO2 + HO2 + CO; ALD + OH -> C2O3;
    C2O3 + NO -> NO2 + MEO2 + CO2; C2O3 + NO2 -> PAN; PAN -> C2O3 + NO2; MEO2 + NO -> CH3O + NO2;
    CH3O -> HCHO + HO2; NO2 + OH -> HNO3; O3P -> O3; O3 -> O1D; O3 -> O3P; O1D -> 2 OH; O1D -> O3P;
    SO2 + OH -> SO4 + HO2; NO3 -> NO; NO3 -> NO2 + O3P; NO2 + O3 -> NO3; NO3 + NO2 -> N2O5;
    N2O5 -> NO3 + NO2
"""
POLLU_SPECIES = """
    NO2 NO O3P O3 HO2 OH HCHO CO ALD MEO2 C2O3 CO2 PAN CH3O HNO3 O1D SO2 SO4 NO3 N2O5
"""


def np_pollution(t, y, p):
    """Mass action from the list of reactions (Verwer 1994, Table 1)."""
    concentration = dict(zip(POLLU_SPECIES.split(), y, strict=True))
    derivative = dict.fromkeys(concentration, 0.0)
    for constant, reaction in zip(p, POLLU.split(";"), strict=True):
        reactants, products = (
            [term.split() for term in side.split("+")] for side in reaction.split("->")
        )
        rate = constant * math.prod(concentration[species] for (species,) in reactants)
        for (species,) in reactants:
            derivative[species] -= rate
        for *count, species in products:
            derivative[species] += rate * float(count[0] if count else 1)
    return list(derivative.values())


def np_goldbeter1991(t, y, p):
    """Equations 1 and 2 of the paper; y is C, X, M."""
    c, x, m = y
    vi, vd, big_kd, kd, k1, v2, k2, k3, v4, k4, vm1, kc, vm3 = p
    v1, v3 = c / (kc + c) * vm1, m * vm3
    return [
        vi - vd * x * c / (big_kd + c) - kd * c,
        v3 * (1 - x) / (k3 + (1 - x)) - v4 * x / (k4 + x),
        v1 * (1 - m) / (k1 + (1 - m)) - v2 * m / (k2 + m),
    ]


NUMPY: dict[str, Callable[..., Any]] = {
    function.__name__.removeprefix("np_"): function
    for function in (
        np_michaelis_menten,
        np_robertson,
        np_hires,
        np_chemical_akzo_nobel,
        np_brusselator,
        np_van_der_pol,
        np_lorenz63,
        np_lotka_volterra,
        np_sir,
        np_repressilator,
        np_fitzhugh_nagumo,
        np_hodgkin_huxley,
        np_pk_one_compartment,
        np_arenstorf,
        np_heat_equation,
        np_pollution,
        np_goldbeter1991,
    )
}


@pytest.mark.parametrize("name", NAMES)
def test_field_matches_numpy(name: str) -> None:
    model = shipped(name)
    rng = np.random.default_rng(1)
    for _ in range(3):
        t, y, args = random_point(model, rng)
        result = np.array(model.flatten(model.vector_field(t, y, args)))
        flat = np.array(model.flatten(y))
        expected = np.asarray(NUMPY[name](float(t), flat, np.array(args)))
        # The terms of a sum may cancel: rounding is relative to the largest of them.
        scale = np.max(np.abs(expected))
        np.testing.assert_allclose(result, expected, rtol=1e-11, atol=1e-13 * scale)


# --- Conserved quantities: their derivative along the field is zero -----------------------------

INVARIANTS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "michaelis_menten": lambda y, args, o: y.enzyme + 0.09 * y.substrate,
    "robertson": lambda y, args, o: y.a + y.b + y.c,
    "hires": lambda y, args, o: y.e + y.pfr_xp_e,
    "sir": lambda y, args, o: y.susceptible + y.infected + y.recovered,
    "sir, final size": lambda y, args, o: (
        jnp.log(y.susceptible) - args.beta / args.gamma * (y.susceptible + y.infected) / (sum(y))
    ),
    "lotka_volterra": lambda y, args, o: o["first_integral"],
    "arenstorf": lambda y, args, o: o["jacobi_integral"],
    "pollution": lambda y, args, o: o["total_nitrogen"],
    "pollution, sulfur": lambda y, args, o: y.sulfur_dioxide + y.sulfate,
}


@pytest.mark.parametrize("name", INVARIANTS)
def test_invariant(name: str) -> None:
    model = shipped(name.split(",")[0])
    t, y, args = random_point(model, np.random.default_rng(2))

    @jax.grad
    def gradient(y: Any) -> Any:
        return INVARIANTS[name](y, args, model.observables(t, y, args))

    terms = np.array(gradient(y)) * np.array(model.vector_field(t, y, args))
    assert abs(terms.sum()) <= 1e-13 * np.abs(terms).max()


# --- Solutions in closed form: what they are and how fast they change fits the field ------------


def test_pk_is_batemans_function() -> None:
    model = shipped("pk_one_compartment")
    _, y0, args = model.example()

    def bateman(t: Any) -> Any:
        k = args.cl / args.v
        central = y0.gut * args.ka / (args.ka - k) * (jnp.exp(-k * t) - jnp.exp(-args.ka * t))
        return model.State(gut=y0.gut * jnp.exp(-args.ka * t), central=central)

    assert bateman(0.0) == y0
    for t in (0.0, 0.7, 5.0, 40.0):
        y, derivative = jax.jvp(bateman, (t,), (1.0,))
        np.testing.assert_allclose(model.vector_field(t, y, args), derivative, rtol=1e-13)
        assert model.observables(t, y, args)["concentration"] == pytest.approx(y.central / 50.0)


def test_sir_observables() -> None:
    model = shipped("sir")
    observed = model.observables(*model.example())
    assert observed["effective_reproduction_number"] == pytest.approx(0.3 / 0.1 * 0.999)
    assert observed["incidence"] == pytest.approx(0.3 * 999.0 * 1.0 / 1000.0)
    assert observed["attack_rate"] == pytest.approx(0.001)


def heat_mode(model: Model, k: int) -> tuple[np.ndarray, float]:
    """The k-th sine on the grid and the rate at which the discrete operator damps it."""
    (n,) = model.declared.states["u"].shape
    diffusivity, length = (p.value for p in model.declared.parameters.values())
    mode = np.sin(k * np.pi * np.arange(1, n + 1) / (n + 1))
    rate = 4 * diffusivity * ((n + 1) / length) ** 2 * math.sin(k * math.pi / (2 * (n + 1))) ** 2
    return mode, rate


def test_heat_equation_eigenmodes() -> None:
    model = shipped("heat_equation")
    t, y, args = model.example()
    field = jax.jit(lambda u: model.vector_field(t, y._replace(u=u), args).u)
    for k in range(1, y.u.size + 1):
        mode, rate = heat_mode(model, k)
        derivative = field(jnp.asarray(mode))
        np.testing.assert_allclose(derivative, -rate * mode, rtol=0, atol=1e-14)


def test_heat_equation_default_profile() -> None:
    """It is the first sine, 100 K high, whose integral is 2 / pi of its height."""
    model = shipped("heat_equation")
    t, y, args = model.example()
    np.testing.assert_allclose(y.u, 100.0 * heat_mode(model, 1)[0], rtol=0, atol=1e-6)
    total = model.observables(t, y, args)["total_heat"]
    assert total == pytest.approx(200.0 / math.pi, rel=1e-3)


# --- What can go wrong at special points --------------------------------------------------------


@pytest.mark.parametrize(
    "v, gate, alpha, slope", [(-40.0, "m", 1.0, 0.05), (-55.0, "n", 0.1, 5e-3)]
)
def test_hodgkin_huxley_singularities(v: float, gate: str, alpha: float, slope: float) -> None:
    """At g = 0 the gate opens at alpha(v), smooth through the removable singularity."""
    model = shipped("hodgkin_huxley")
    t, y, args = model.example()

    def opening(v: Any) -> Any:
        return getattr(model.vector_field(t, y._replace(v=v, **{gate: 0.0 * v}), args), gate)

    value_and_slope = jax.jit(jax.vmap(jax.value_and_grad(opening)))
    offsets = np.array([0.0, 1e-12, -1e-12, 9e-4, -9e-4, 1.1e-3, -1.1e-3])
    values, slopes = value_and_slope(jnp.asarray(v + offsets))
    np.testing.assert_allclose(values, alpha + slope * offsets, rtol=1e-8)
    np.testing.assert_allclose(slopes, slope, rtol=1e-4)


def test_hodgkin_huxley_rests() -> None:
    """Without a stimulus the default state is at rest, to the four digits it is given in."""
    model = shipped("hodgkin_huxley")
    t, y, args = model.example()
    derivative = model.vector_field(t, y, args._replace(i_ext=jnp.asarray(0.0)))
    assert max(abs(float(d)) for d in derivative) < 0.02


def test_repressilator_with_a_protein_below_zero() -> None:
    """A stage of a step may do that; with a broken Hill coefficient p^n is not a number there."""
    model = shipped("repressilator")
    t, y, args = model.example()
    y = y._replace(p_ci=jnp.asarray(-1e-9))
    args = args._replace(n=jnp.asarray(1.7))
    assert np.all(np.isfinite(model.vector_field(t, y, args)))
    jacobian = jax.jit(jax.jacfwd(lambda y: model.vector_field(t, y, args)))(y)
    assert np.all(np.isfinite(jax.tree.leaves(jacobian)))
