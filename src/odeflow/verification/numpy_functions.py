"""The user's functions called through NumPy: without JAX's tracing, XLA or the translator.

`jax.numpy` has NumPy's names, so a vector field that is written for JAX is one for NumPy too once
`jnp` means `numpy` in it. Here its code runs with globals where that is so; the user's module
stays as it is. What NumPy has not (`jax.lax`, `y.x.at[...]`, derivatives), and imported models, are
evaluated by `jax.jit`, whose compiler is still not the native engine's.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from odeflow.model import Model

#: NumPy's function for each one of `jax.numpy`, for `from jax.numpy import exp`.
_COUNTERPARTS: dict[int, Any] = {
    id(function): getattr(np, name)
    for name, function in vars(jnp).items()
    if callable(function) and not isinstance(function, type) and hasattr(np, name)
}


class PointFunctions:
    """Vector field and observables of a model over flat NumPy arrays, in float64.

    `evaluator` says what runs them: `numpy`, or `jax` where NumPy cannot.
    """

    evaluator: Literal["numpy", "jax"]

    def __init__(self, model: Model):
        t, y, args = model.example()
        point = np.float64(t), np.array(model.flatten(y), float), np.array(args, float)
        self._names = model.observable_names
        if model.config.is_imported:  # expressions, walked node by node: ten times slower than XLA
            self.by_jax(model)
            return
        try:
            self._field, self._observe = _through_numpy(model)
            with np.errstate(all="ignore"):
                self.vector_field(*point)
                self.observables(*point)
            self.evaluator = "numpy"
        except Exception:
            self.by_jax(model)

    def by_jax(self, model: Model) -> None:
        """Evaluates by `jax.jit` from now on."""

        @jax.jit
        def field(t: Any, y: Any, args: Any) -> Any:
            return jnp.stack(model.flat_vector_field(t, tuple(y), tuple(args)))

        @jax.jit
        def observe(t: Any, y: Any, args: Any) -> Any:
            return model.flat_observables(t, tuple(y), tuple(args))

        self._field, self._observe, self.evaluator = field, observe, "jax"

    def vector_field(
        self, t: float, y: Float[np.ndarray, " component"], args: Float[np.ndarray, " parameter"]
    ) -> Float[np.ndarray, " component"]:
        """Time derivative of every component of the state."""
        return np.asarray(self._field(t, y, args))

    def observables(
        self, t: float, y: Float[np.ndarray, " component"], args: Float[np.ndarray, " parameter"]
    ) -> Float[np.ndarray, " observable"]:
        """Every observable, in the order of the model's `observable_names`."""
        values = self._observe(t, y, args)
        return np.array([float(values[name]) for name in self._names])


def _through_numpy(model: Model) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Field and observables of a model as functions of flat arrays, by NumPy alone."""
    names, shapes = list(model.config.states), [s.shape for s in model.config.states.values()]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    scalar = not any(shapes)
    function = with_numpy(model.function)
    observer = model.observables_function and with_numpy(model.observables_function)

    def record(y: np.ndarray) -> Any:
        if scalar:
            return model.State(*y)
        parts = np.split(y, ends[:-1])
        return model.State(*(p.reshape(s) if s else p[0] for p, s in zip(parts, shapes)))

    def field(t: float, y: np.ndarray, args: np.ndarray) -> np.ndarray:
        value = function(np.float64(t), record(y), model.Args(*args))
        leaves = [value[name] for name in names] if isinstance(value, Mapping) else list(value)
        _refuse_jax(leaves)
        if scalar:
            return np.array(leaves, float)
        return np.concatenate([np.ravel(leaf) for leaf in leaves]).astype(float, copy=False)

    def observe(t: float, y: np.ndarray, args: np.ndarray) -> Mapping[str, Any]:
        if observer is None:
            return {}
        values = observer(np.float64(t), record(y), model.Args(*args))
        _refuse_jax(values.values())
        return values

    return field, observe


def _refuse_jax(leaves: Any) -> None:
    if any(isinstance(leaf, jax.Array) for leaf in leaves):
        raise TypeError("JAX was called all the same")


def with_numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same Python function with `numpy` where its globals have `jax.numpy`.

    So are the functions it calls, where their files are in the same folder. Raises TypeError for
    what is no Python function.
    """
    if not isinstance(function, types.FunctionType):
        raise TypeError(f"{function!r} is not a Python function")
    return _rebound(function, _folder(function), {})


def _rebound(function: types.FunctionType, home: Path | None, made: dict[int, dict]) -> Any:
    globals_ = function.__globals__
    if id(globals_) not in made:
        made[id(globals_)] = replaced = dict(globals_)
        for name, value in globals_.items():
            replaced[name] = _counterpart(value, home, made)
    code, names = function.__code__, made[id(globals_)]
    result = types.FunctionType(
        code, names, function.__name__, function.__defaults__, function.__closure__
    )
    result.__kwdefaults__ = function.__kwdefaults__
    return result


def _counterpart(value: Any, home: Path | None, made: dict[int, dict]) -> Any:
    if value is jnp:
        return np
    if value is jax:
        return types.SimpleNamespace(numpy=np, Array=jax.Array)
    if isinstance(value, jax.Array):
        return np.asarray(value)
    if isinstance(value, types.FunctionType):
        return _rebound(value, home, made) if _folder(value) == home else value
    return _COUNTERPARTS.get(id(value), value)


def _folder(function: types.FunctionType) -> Path | None:
    file: Sequence[str] | None = function.__globals__.get("__file__")
    return None if file is None else Path(str(file)).parent
