"""The lanes' elementary functions against NumPy's in extended precision, in units of last place."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from odeflow.engines.native.targets import vector_math
from odeflow.engines.native.targets.lane_code import LaneFunction
from odeflow.engines.native.targets.layout import BufferLayout
from tests.support.compiled_loops import compiled_loop

Array = np.ndarray
COUNT = 40_000
#: NumPy's name of each function of one argument.
NUMPY = {name: name for name in ["exp", "exp2", "expm1", "log", "log1p", "sin", "cos", "tan"]}
NUMPY |= {name: name for name in ["sinh", "cosh", "tanh", "cbrt"]} | {"atan": "arctan"}
ROUGH = ["rough_log", "rough_exp"]
SPECIAL = [0.0, 1.0, 0.5, 2.0, 1e-20, 5e-324, 1e-310, 2.3e-308, 700.0, 1e300, 1.7e308]
SPECIAL = [*SPECIAL, 709.782712893384, 709.7827128933841, 710.5, 745.13, 745.2, 1e9]
SPECIAL = np.array([*SPECIAL, np.inf, np.nan, *(-x for x in SPECIAL), -np.inf])

SOURCE = """
def solve(x: real[:], y: real[:], rows: real[:], settings: real[:], out: real[:, :]):
    for start in range(0, len(x), 8):
        for lane in range(8):
            rows[lane] = x[start + lane]
            rows[8 + lane] = y[start + lane]
        code(rows, settings, 0)
        for row in range(out.shape[0]):
            for lane in range(8):
                out[row, start + lane] = rows[16 + 8 * row + lane]
"""

extended = pytest.mark.skipif(
    np.finfo(np.longdouble).nmant < 60, reason="this machine has no extended precision"
)


def compiled(real: str) -> Callable[..., Array]:
    """All functions in one piece of code: `(x, y)` in, one row per function out."""
    outputs = [
        *(f"out_{name}" for name in (*NUMPY, *ROUGH)),
        *("out_power", "out_power_of_three", "out_third_power"),
    ]
    layout = BufferLayout(real, 8, 1, ("x", "y", *outputs), ("none",))  # type: ignore[arg-type]

    def evaluate(rows: Any, settings: Any) -> None:
        """Calls every function."""
        del settings
        for name in (*NUMPY, *ROUGH):
            setattr(rows, f"out_{name}", getattr(vector_math, name)(rows.x))
        rows.out_power = vector_math.power(rows.x, rows.y)
        rows.out_power_of_three = vector_math.power(3.0, rows.y)
        rows.out_third_power = vector_math.power(rows.x, 1 / 3)

    code = LaneFunction(evaluate, layout, 8, 1)

    run = compiled_loop(SOURCE, real, code=code)

    def call(x: Any, y: Any = 1.0) -> dict[str, Array]:
        x, y = (np.ravel(a).astype(real) for a in np.broadcast_arrays(x, y))
        padded = np.zeros((2, -(-x.size // 8) * 8), real)
        padded[:, : x.size] = x, y
        out = np.empty((len(outputs), padded.shape[1]), real)
        run(*padded, np.zeros(layout.size, real), np.zeros(1, real), out)
        return {name[4:]: row[: x.size] for name, row in zip(outputs, out)}

    return call


@pytest.fixture(scope="module")
def double() -> Callable[..., Array]:
    return compiled("float64")


def reference(name: str, x: Array) -> Array:
    with np.errstate(all="ignore"):
        return getattr(np, NUMPY[name])(x.astype(np.longdouble))


def ulps(found: Array, exact: Array) -> Array:
    """Distance in the spacing of float64 at the exact value; 0 where both are infinite or NaN."""
    with np.errstate(all="ignore"):
        rounded = exact.astype(np.float64)
        distance = abs(found - exact) / np.spacing(abs(rounded))
    same = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
    return np.where(same, 0.0, np.where(np.isnan(distance), np.inf, distance))


def uniform(*bounds: float) -> Array:
    """Numbers of both signs between two bounds."""
    return np.random.default_rng(0).uniform(*bounds, COUNT)


def every_magnitude(signs: tuple[int, ...] = (1, -1)) -> Array:
    """Finite numbers with random bits, an eighth of them subnormal."""
    rng = np.random.default_rng(0)
    normal = rng.integers(1 << 52, 0x7FEFFFFFFFFFFFFF, COUNT)
    subnormal = rng.integers(1, 1 << 52, COUNT // 8)
    x = np.concatenate([normal, subnormal]).view(np.float64)
    return x * rng.choice(signs, x.size)


def narrow(reach: float) -> Array:
    """Numbers up to a bound, half of them small."""
    return np.concatenate([uniform(-reach, reach), uniform(-1, 1), uniform(-1e-3, 1e-3)])


#: Arguments, and the greatest error in units of last place that `vector_math` states.
CASES: dict[str, tuple[Callable[[], Array], float]] = {
    "exp": (lambda: narrow(746.0), 1.0),
    "exp2": (lambda: narrow(1076.0), 2.0),
    "expm1": (lambda: narrow(709.7), 2.0),
    "log": (lambda: np.concatenate([every_magnitude((1,)), uniform(0.5, 2)]), 1.0),
    "log1p": (lambda: np.concatenate([abs(every_magnitude()), narrow(1.0)]), 1.0),
    "sin": (lambda: np.concatenate([narrow(1e4), narrow(2.0**40)]), 2.0),
    "cos": (lambda: np.concatenate([narrow(1e4), narrow(2.0**40)]), 2.0),
    "tan": (lambda: np.concatenate([narrow(1e4), narrow(2.0**40)]), 3.0),
    "sinh": (lambda: np.concatenate([narrow(710.4), narrow(25.0)]), 3.0),
    "cosh": (lambda: np.concatenate([narrow(710.4), narrow(25.0)]), 2.0),
    "tanh": (lambda: narrow(25.0), 3.0),
    "atan": (lambda: np.concatenate([every_magnitude(), narrow(10.0)]), 1.0),
    "cbrt": (lambda: np.concatenate([every_magnitude(), narrow(10.0)]), 1.0),
}


def test_every_function_is_covered():
    assert set(CASES) == set(NUMPY)


@extended
@pytest.mark.parametrize("name", CASES)
def test_the_stated_accuracy(name: str, double: Any):
    arguments, bound = CASES[name]
    x = arguments()
    assert ulps(double(x)[name], reference(name, x)).max() <= bound


def test_the_rough_ones_of_step_control(double: Any):
    x = np.concatenate([np.geomspace(1e-300, 1e300, COUNT), uniform(0.5, 2), [0.0, np.inf]])
    found = double(abs(x))["rough_log"]
    np.testing.assert_allclose(found, np.log(np.clip(abs(x), 1e-300, 1e300)), atol=2e-10, rtol=0)
    x = np.concatenate([uniform(-700, 700), narrow(10.0), [-np.inf, np.inf, -1e9, 1e9]])
    np.testing.assert_allclose(double(x)["rough_exp"], np.exp(np.clip(x, -700, 700)), rtol=1e-10)


@extended
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_large_angles(name: str, double: Any):
    """From 2**40 on they are those of C's library, where it is needed lane by lane."""
    x = np.concatenate([uniform(-(2.0**50), 2.0**50), [2.0**40, 2.0**50, -1e22, 1e300]])
    x[::3] = uniform(-10.0, 10.0)[: len(x[::3])]
    assert ulps(double(x)[name], reference(name, x)).max() <= 3.0
    assert np.isnan(double([np.inf, -np.inf, np.nan])[name]).all()


@extended
def test_the_stated_accuracy_of_powers(double: Any):
    bases = np.concatenate([uniform(0, 10), uniform(0.5, 2.0), every_magnitude((1,))])
    reach = np.random.default_rng(1).uniform(-1, 1, bases.size)

    def error(largest: float) -> float:
        """The greatest where the result is at most exp(largest)."""
        with np.errstate(all="ignore"):
            y = reach * np.minimum(largest / abs(np.log(bases)), 1e6)
            exact = np.power(bases.astype(np.longdouble), y.astype(np.longdouble))
        return ulps(double(bases, y)["power"], exact).max()

    assert error(70.0) <= 1.5
    assert error(745.0) <= 2.0
    x, n = np.concatenate([narrow(100.0)] * 2), np.repeat([2.0, 3.0], 3 * COUNT)
    exact = np.power(x.astype(np.longdouble), n.astype(np.longdouble))
    assert ulps(double(x, n)["power"], exact).max() <= 1.5


@extended
def test_multiples_of_a_quarter_turn(double: Any):
    """Where sines and cosines are next to zero, all digits hold, and none is above 1."""
    x = np.arange(1, COUNT) * (np.pi / 2)
    found = double(x)
    for name in ("sin", "cos"):
        assert ulps(found[name], reference(name, x)).max() <= 1.5
        assert abs(found[name]).max() <= 1.0


@extended
def test_a_third_power_is_the_cube_root(double: Any):
    x = np.concatenate([every_magnitude((1,)), uniform(0, 10)])
    assert ulps(double(x)["third_power"], reference("cbrt", x)).max() <= 1.0
    found = double([0.0, -0.0, -8.0, -1e300, np.inf, -np.inf, np.nan])["third_power"]
    np.testing.assert_array_equal(found, [0.0, 0.0, np.nan, np.nan, np.inf, np.inf, np.nan])
    assert not np.signbit(found[:2]).any()


@extended
@pytest.mark.parametrize("name", CASES)
def test_special_values(name: str, double: Any):
    x = SPECIAL
    if name in ("sin", "cos", "tan"):
        x = x[~(abs(x) >= 2.0**50) | np.isinf(x)]
    found, exact = double(x)[name], reference(name, x)
    assert ulps(found, exact).max() <= 3.0
    number = ~np.isnan(found)
    np.testing.assert_array_equal(np.signbit(found[number]), np.signbit(exact[number]))


@extended
def test_special_powers(double: Any):
    bases = [0.0, 1.0, 0.5, 2.0, 3.0, 2.5, np.inf, 1e300, 5e-324, 1.0 - 2.0**-53, 1.0 + 2.0**-52]
    exponents = [*bases, 2.0**52 + 1, 2.0**53 + 2, 1e-300]
    x, y = np.meshgrid(*(np.array([*a, *(-v for v in a), np.nan]) for a in (bases, exponents)))
    x, y = x.ravel(), y.ravel()
    with np.errstate(all="ignore"):
        exact = np.power(x.astype(np.longdouble), y.astype(np.longdouble))
    found = double(x, y)["power"]
    assert ulps(found, exact).max() <= 2.0
    number = ~np.isnan(found)
    np.testing.assert_array_equal(np.signbit(found[number]), np.signbit(exact[number]))


def test_a_constant_base_is_like_any_other(double: Any):
    exponents = np.array([0.0, 1.0, -0.5, 2.5, 300.0, 1e4, -1e4, np.inf, -np.inf, np.nan])
    of_both = double(3.0, exponents)
    np.testing.assert_array_equal(of_both["power_of_three"], of_both["power"])


def test_float32_is_rounded_once():
    call = compiled("float32")
    x = np.concatenate([narrow(80.0), 10.0 ** uniform(-37, 38), SPECIAL])
    with np.errstate(all="ignore"):
        single = x.astype(np.float32)
        found = call(single)
        for name in CASES:
            y = single.astype(np.float64)
            if name in ("sin", "cos", "tan"):
                y[abs(y) >= 2.0**50] = np.nan
            exact = getattr(np, NUMPY[name])(y)
            spacing = np.spacing(abs(exact).astype(np.float32)).astype(np.float64)
            off = abs(found[name] - exact) > 0.5001 * spacing
            off &= found[name] != exact.astype(np.float32)
            assert not off.any(), (name, single[off][:3], found[name][off][:3], exact[off][:3])
