"""Components that change in proportion to others: found where they are, and nowhere else."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.engines.native.frontend.field import field_program
from odeflow.engines.native.program.proportions import proportions
from odeflow.problem.problem import Lanes
from tests.support.marks import fast
from tests.support.problems import make_model, make_problem, michaelis_menten

FLUXES = 3
ROWS = st.lists(
    st.lists(st.sampled_from([-2.0, -1.0, -0.3, 0.0, 0.3, 0.5, 1.0, 3.0]), min_size=FLUXES,
             max_size=FLUXES),
    min_size=1,
    max_size=5,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, nested=st.booleans())
def test_those_and_no_others_are_found(rows: list[list[float]], nested: bool):
    """A stoichiometric matrix of rank-one pairs: numpy says which rows are proportional."""

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        fluxes = [args.k * y.x0, y.x0 / (1.0 + y.x0), y.x0 * y.x0]
        derivatives = []
        for row in rows:
            total: Any = 0.0
            for factor, flux in zip(row, fluxes):
                # -(-a v) and a v are the same, however it is written
                total = total - (-factor) * flux if nested else total + flux * factor
            derivatives.append(total + 0.0 * y.x0)
        return {f"x{i}": d for i, d in enumerate(derivatives)}

    model = make_model(field, {f"x{i}": 1.0 for i in range(len(rows))}, 1.0, k=2.0)
    found = proportions(field_program(model))
    for d, row in enumerate(rows):
        earlier = [i for i in range(d) if any(row) and _parallel(rows[i], row)]
        if not earlier:
            assert d not in found.factors
            continue
        i, factor = found.factors[d]
        assert i == earlier[0]
        np.testing.assert_allclose(np.array(row), factor * np.array(rows[i]), rtol=1e-15)


def _parallel(a: list[float], b: list[float]) -> bool:
    return any(a) and bool(np.linalg.matrix_rank(np.array([a, b]), tol=1e-12) == 1)


def test_what_only_looks_alike_is_left_alone():
    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        return {
            "a": args.k * y.a,
            "b": args.k * y.b,
            "c": args.k * y.a + 1.0,
            "d": 2.0 * args.k * y.a + 1.0,
            "e": 0.0 * y.a,
            "f": 0.0 * y.b,
            "g": t + args.k * y.a,
        }

    model = make_model(field, dict.fromkeys("abcdefg", 1.0), 1.0, k=2.0)
    assert proportions(field_program(model)).factors == {}


def cycle(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """An enzyme that is switched on and off, fast, drives an open system: one pair, not next to
    each other.
    """
    on = args.k_on * y.off / (0.1 + y.off) * (1.0 + np.pi * t)
    off = args.k_off * y.active / (0.1 + y.active)
    return {
        "active": on - off,
        "substrate": 1.0 - y.active * y.substrate,
        "off": off - on,
        "product": y.active * y.substrate - 0.1 * y.product,
    }


CYCLE = {"active": 0.1, "substrate": 1.0, "off": 0.9, "product": 0.0}


@pytest.mark.parametrize(
    ("method", "dtype"),
    fast(
        (),
        [
            *((method, "float64") for method in ("tsit5", "dopri8", "heun", "rodas5p", "rodas3p")),
            *((method, "float32") for method in ("tsit5", "rodas5p")),
        ],
    ),
)
def test_the_solution_is_that_of_the_diffrax_engine(method: str, dtype: str, tmp_path: Path):
    model = make_model(cycle, CYCLE, 4.0, k_on=1.0, k_off=2.0)
    assert proportions(field_program(model)).factors == {2: (0, -1.0)}
    rtol = 1e-7 if dtype == "float64" else 1e-4
    problem = make_problem(
        model, np.linspace(0, 4, 9), dtype, method=method, rtol=rtol, atol=rtol, dt0=0.01
    )
    draws = np.random.default_rng(0)
    y0 = np.array(list(CYCLE.values()))[:, None] * draws.uniform(0.5, 2, 40)
    lanes = Lanes(y0, np.array([[1.0], [2.0]]) * draws.uniform(0.5, 2, 40))
    mine = native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path)
    other = diffrax_engine.solve(problem, lanes)
    # in single precision rounding decides on the length of steps
    same = (mine.num_steps == other.num_steps) | (dtype == "float32")
    assert same.mean() >= 0.95
    near = rtol * (1e-2 if dtype == "float64" else 10)
    for name, values in mine.values.items():
        np.testing.assert_allclose(values[same], other.values[name][same], rtol=near, atol=near)
    total = mine.values["active"] + mine.values["off"]
    ulp = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(total, np.broadcast_to(total[:, :1], total.shape), rtol=100 * ulp)


@pytest.mark.parametrize(
    "method", fast({"tsit5", "rodas5p"}, ["tsit5", "dopri8", "bosh3", "rodas5p"])
)
def test_a_small_component_is_as_exact_as_a_large_one(method: str, tmp_path: Path):
    """Rounding errors of the 10^12 times larger one would be seen at once, also inside of steps.

    P' = k S - q P = -S', so P = k T (1 - exp(-(k + q) t)) / (k + q) with T = S + P.
    """

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        made = args.k * y.much - args.q * y.little
        return {"much": -made, "little": made}

    total, k, q, ts = 1e6, 1e-12, 1.0, np.linspace(0.0, 5.0, 18)
    model = make_model(field, {"much": total, "little": 0.0}, 5.0, k=k, q=q)
    assert proportions(field_program(model)).factors == {1: (0, -1.0)}
    problem = make_problem(model, ts, method=method, rtol=1e-9, atol=1e-20, dt0=1e-3)
    lanes = Lanes(np.array([[total], [0.0]]), np.array([[k], [q]]))
    values = native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path).values["little"]
    expected = k * total * -np.expm1(-(k + q) * ts) / (k + q)
    np.testing.assert_allclose(values[0], expected, rtol=1e-7)


def test_a_step_of_the_seed_system_solves_for_one_of_its_two_states():
    model = make_model(
        michaelis_menten, {"substrate": 8.0, "enzyme": 0.4}, 1.0, vmax=10.0, km=5.0
    )  # fmt: skip
    related = proportions(field_program(model))
    assert related.independent == [0] and related.factors == {1: (0, -0.09)}
