"""Random expressions of three numbers: what a user may write as an observable.

Each is a tree of at most `DEPTH` operations, drawn from a seed, that JAX and NumPy evaluate alike.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy.special as jax_special
import numpy as np
from scipy import special

DEPTH = 3


def _log_gamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):  # at a pole; beyond the largest number
        return math.nan if math.isnan(x) else math.inf


JAX = SimpleNamespace(
    **vars(jnp), **{n: getattr(jax_special, n) for n in ("erf", "erfc", "gammaln")}
)
NUMPY = SimpleNamespace(
    **vars(np), erf=special.erf, erfc=special.erfc, gammaln=np.vectorize(_log_gamma, otypes=[float])
)


def _jax_mod(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    remainder = np.fmod(x, y)
    return np.where((remainder != 0) & ((remainder < 0) != (y < 0)), remainder + y, remainder)


#: Where the native engine is not NumPy, by design, and why.
VARIANTS: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    "a constant zero times anything is zero, and so is zero over anything": {
        "multiply": lambda x, y: np.where((x == 0) | (y == 0), 0.0, x * y),
        "divide": lambda x, y: np.where(x == 0, 0.0, x / y),
    },
    "a divisor that is used twice is inverted once": {"divide": lambda x, y: x * (1 / y)},
    "the zero of a remainder has the sign of the dividend, as in JAX": {"mod": _jax_mod},
}
ROUNDING = "another rounding of a function, made larger by what is done with it"
SUBNORMAL = "below the smallest normal number, which XLA takes for zero"
FUSED = "infinity less what overflows, in one rounding, is infinity"
#: What rounds: a result may be that of numbers so many units in the last place away.
_ULPS = 16
_EXACT = frozenset(
    [
        "abs",
        "ceil",
        "floor",
        "fmod",
        "full_like",
        "heaviside",
        "maximum",
        "minimum",
        "negative",
        "round",
        "sign",
        "trunc",
        "where",
    ]
)
#: Computed near their zeros from numbers near 1, by NumPy and XLA too.
_ABSOLUTE = frozenset({"gammaln"})

_UNARY = (
    "sqrt exp log sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh log1p "
    "expm1 exp2 log2 log10 cbrt abs sign floor ceil round trunc square negative reciprocal sinc "
    "erf erfc gammaln"
)
_BINARY = (
    "add subtract multiply divide power maximum minimum arctan2 hypot logaddexp mod fmod heaviside"
)


def _named(name: str) -> Callable[..., Any]:
    return lambda m, *x: getattr(m, name)(*x)


#: Functions of a module such as `JAX` and of numbers.
UNARY: Mapping[str, Callable[..., Any]] = {
    **{name: _named(name) for name in _UNARY.split()},
    "sigmoid": lambda m, x: m.divide(1.0, m.add(1.0, m.exp(-x))),
    "relu": lambda m, x: m.maximum(x, 0.0),
    "cube": lambda m, x: m.power(x, 3),
    "inverse_square": lambda m, x: m.divide(1.0, m.power(x, 2)),
    "power_1.5": lambda m, x: m.power(x, 1.5),
}
BINARY: Mapping[str, Callable[..., Any]] = {
    **{name: _named(name) for name in _BINARY.split()},
    "where_less": lambda m, x, y: m.where(x < y, x, y * 2),
    "where_equal": lambda m, x, y: m.where(x == y, 1.0, m.subtract(x, y)),
    "hill": lambda m, x, y: m.divide(m.square(x), m.add(m.square(y), m.square(x))),
    "clip": lambda m, x, y: m.minimum(m.maximum(x, -y), y),
}


class _Noted:
    """NumPy with other functions in places; each result is rounded at random, overflow is noted."""

    def __init__(self, changed: Mapping[str, Callable[..., Any]], rng: np.random.Generator | None):
        self._changed, self._rng = changed, rng
        self.overflows = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = self._changed.get(name) or getattr(NUMPY, name)

        def noted(*x: Any) -> Any:
            result = np.asarray(function(*x), float)
            self.overflows |= bool(np.isinf(result).any())
            if self._rng is None or name in _EXACT:
                return result
            noise = _ULPS * 2.0**-53 * self._rng.uniform(-1, 1, result.shape)
            return result * (1 + noise) + (noise if name in _ABSOLUTE else 0.0)

        return noted


class Expression(NamedTuple):
    """A function of a module and three numbers, and how it is written."""

    function: Callable[..., Any]
    text: str


def expression(rng: np.random.Generator, depth: int = DEPTH) -> Expression:
    """One that is drawn."""
    if depth == 0 or rng.random() < 0.1:
        if rng.random() < 0.2:
            number = float(rng.choice([1.0, -1.0, 0.5, 2.0, 3.7, 1e-3, 250.0]))
            return Expression(lambda m, *x: m.full_like(x[0], number), repr(number))
        place = int(rng.integers(3))
        return Expression(lambda m, *x: x[place], "abc"[place])
    if rng.random() < 0.5:
        name = str(rng.choice(list(UNARY)))
        (inner, text), apply = expression(rng, depth - 1), UNARY[name]
        return Expression(lambda m, *x: apply(m, inner(m, *x)), f"{name}({text})")
    name = str(rng.choice(list(BINARY)))
    (left, l_text), (right, r_text) = expression(rng, depth - 1), expression(rng, depth - 1)
    both = BINARY[name]
    return Expression(
        lambda m, *x: both(m, left(m, *x), right(m, *x)), f"{name}({l_text}, {r_text})"
    )


def arguments(rng: np.random.Generator, size: int) -> np.ndarray:
    """Numbers (3, size): a half ordinary, the others from 1e-300 to 1e300, with what is special."""
    ordinary = rng.normal(0, 3, (3, size // 2))
    exponents = rng.uniform(-300, 300, (3, size - size // 2))
    extreme = 10.0**exponents * rng.choice([-1.0, 1.0], exponents.shape)
    values = np.concatenate([ordinary, extreme], axis=1)
    rare = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 5e-324, -3e-310, 1e16, 2.0**60, 1e300]
    chosen = rng.random(values.shape) < 0.15
    values[chosen] = rng.choice(rare, chosen.sum())
    return values


def by_jax(expressions: Sequence[Expression], values: np.ndarray) -> np.ndarray:
    """What jitted JAX gives, (expression, point)."""
    every = lambda *x: jnp.stack([jnp.asarray(e.function(JAX, *x), float) for e in expressions])
    return np.asarray(jax.jit(jax.vmap(every, out_axes=1))(*values))


def by_numpy(
    expressions: Sequence[Expression], values: np.ndarray, module: Any = NUMPY
) -> np.ndarray:
    """What NumPy gives, operation by operation: nothing is rewritten, nothing taken for zero."""
    with np.errstate(all="ignore"):
        results = [e.function(module, *values) for e in expressions]
    return np.stack([np.broadcast_to(x, values[0].shape) for x in results])


def explanation(one: Expression, point: np.ndarray, value: float, exact: float) -> str | None:
    """Why the native engine has `value` at a point, where JAX and NumPy (`exact`) have another.

    None where nothing here explains it.
    """
    many = [np.full(400, x) for x in point]
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        if abs(value - exact) < np.finfo(float).tiny:
            return SUBNORMAL
        for why, changed in {ROUNDING: {}, **VARIANTS}.items():
            if _is_among(value, one.function(_Noted(changed, None), *many)):
                return why
            if _is_among(value, one.function(_Noted(changed, rng), *many)):
                return ROUNDING if why == ROUNDING else f"{why}; {ROUNDING}"
        module = _Noted({}, None)
        one.function(module, *many)
    return FUSED if np.isinf(value) and np.isnan(exact) and module.overflows else None


def _is_among(value: float, draws: Any) -> bool:
    """Whether a value is one of those drawn, or between two of them, or next to them."""
    draws = np.broadcast_to(np.asarray(draws, float), 400)
    if not np.isfinite(value):
        return bool(np.isnan(draws).any() if np.isnan(value) else (draws == value).any())
    finite = draws[np.isfinite(draws)]
    if not len(finite):
        return False
    width = np.ptp(finite) + 1e-12 * np.abs(finite).max() + np.finfo(float).tiny
    return bool(finite.min() - width <= value <= finite.max() + width)
