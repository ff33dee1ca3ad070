"""The user's functions called through NumPy: without JAX's tracing, XLA or the translator.

`jax.numpy` has NumPy's names, so a vector field that is written for JAX is one for NumPy too once
`jnp` means `numpy` in it. Here its code runs with globals where that is so; the user's module
stays as it is. Where plain NumPy means something else than JAX, `arrays.JaxLikeArray` stands for
its arrays. The equations of an imported model are those of `imported`. What NumPy does not have
(`jax.lax`), and fast reactions, are evaluated by `jax.jit`, whose compiler is still not the native
engine's.
"""

import types
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from odeflow.config.model import ModelConfig
from odeflow.importers.complex_states import WithComplex
from odeflow.importers.supplied import Supplied
from odeflow.problem.model import Model
from odeflow.trust.verification.arrays import (
    JaxLikeArray,
    NumPy,
    giving_values,
    noting,
    plain,
    value,
)
from odeflow.trust.verification.event_functions import EventFunctions
from odeflow.trust.verification.inputs import GivenInputs
from odeflow.trust.verification.unasked import Unasked

#: NumPy's function for each one of `jax.numpy`, for `from jax.numpy import exp`.
_COUNTERPARTS: dict[int, Any] = {
    id(function): getattr(np, name)
    for name, function in vars(jnp).items()
    if callable(function) and not isinstance(function, type) and hasattr(np, name)
}

_NUMPYS = (np.float64, np.ndarray, float, JaxLikeArray)
#: Margins and wholes of what a call compares, flat.
Notes = tuple[np.ndarray, np.ndarray]


class PointFunctions:
    """Vector field, observables and events of a model over flat NumPy arrays, in float64.

    `imported` is the config of a model that is imported, whose file in the folder `study` is read
    again; None for any other. `inputs` are those of the model.

    `evaluator` says what runs them: `numpy`, or `jax` where NumPy cannot. `events` are those of an
    imported model; None where it has some that only JAX can evaluate. `still` are the components
    that only events change. `is_autonomous` is whether the vector field is known not to depend on
    time.
    """

    evaluator: Literal["numpy", "jax"]

    def __init__(
        self,
        model: Model,
        imported: ModelConfig | None = None,
        study: Path = Path(),
        inputs: GivenInputs | None = None,
    ):
        t, y, args = model.example()
        point = np.float64(t), np.array(model.flatten(y), float), np.array(args, float)
        self.events: tuple[EventFunctions, ...] | None = () if not model.events else None
        self.still = np.zeros(len(model.components), bool)
        self.is_autonomous = False
        self._notes: Callable[..., Notes] | None = None
        try:
            if imported is not None:
                self._by_equations(imported, study, inputs)
            else:
                self._by_numpy(model, point, inputs)
            with np.errstate(all="ignore"):
                self.vector_field(*point)
                self.observables(*point)
            self.evaluator = "numpy"
        except Exception:
            self.by_jax(model)

    def by_jax(self, model: Model) -> None:
        """Evaluates by `jax.jit` from now on."""
        names = model.observable_names

        @jax.jit
        def field(t: Any, y: Any, args: Any) -> Any:
            return jnp.stack(model.flat_vector_field(t, tuple(y), tuple(args)))

        @jax.jit
        def observe(t: Any, y: Any, args: Any) -> Any:
            values = model.flat_observables(t, tuple(y), tuple(args))
            return jnp.stack([values[name] for name in names]) if names else jnp.zeros(0)

        self._field, self._observe, self.evaluator = field, observe, "jax"
        self._notes, self.is_autonomous = None, False

    def _by_equations(self, imported: ModelConfig, study: Path, inputs: GivenInputs | None) -> None:
        from odeflow.trust.verification.imported import ImportedFunctions  # which imports libsbml

        functions = ImportedFunctions(imported, study, inputs)
        self._field, self._observe = functions.field, functions.observe
        self._notes, self.events = functions.notes, functions.events
        self.still, self.is_autonomous = functions.still, functions.is_autonomous

    def _by_numpy(self, model: Model, point: Any, inputs: GivenInputs | None) -> None:
        field, observe = _through_numpy(model, inputs, careful=True)
        with np.errstate(all="ignore"), noting() as seen:
            field(*point)
            observe(*point)
        self._notes = lambda *point: _notes_of(field, *point)
        self._field, self._observe = field, observe
        if not seen.is_careful:  # plain NumPy does the same, and is much faster
            self._field, self._observe = _through_numpy(model, inputs, careful=False)
        with suppress(Exception):  # whatever comes of it: something read the time
            self._field(Unasked(), *point[1:])
            self.is_autonomous = True

    def vector_field(
        self, t: float, y: Float[np.ndarray, " component"], args: Float[np.ndarray, " parameter"]
    ) -> Float[np.ndarray, " component"]:
        """Time derivative of every component of the state."""
        return np.asarray(self._field(t, y, args))

    def observables(
        self, t: float, y: Float[np.ndarray, " component"], args: Float[np.ndarray, " parameter"]
    ) -> Float[np.ndarray, " observable"]:
        """Every observable, in the order of the model's `observable_names`."""
        return np.asarray(self._observe(t, y, args), float)

    def notes(self, t: float, y: np.ndarray, args: np.ndarray) -> Notes | None:
        """What the vector field compares at a point; None where that is not known."""
        return None if self._notes is None else self._notes(t, y, args)


def _notes_of(field: Callable[..., Any], t: float, y: np.ndarray, args: np.ndarray) -> Notes:
    with np.errstate(all="ignore"), noting() as seen:
        field(t, y, args)
    flat = lambda parts: np.concatenate([np.empty(0), *(np.ravel(part) for part in parts)])
    return flat(seen.margins), flat(seen.wholes)


def _through_numpy(
    model: Model, inputs: GivenInputs | None, careful: bool
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Field and observables of a model as functions of flat arrays, by NumPy alone.

    With `careful` its arrays are `JaxLikeArray`s.
    """
    names, shapes = list(model.declared.states), [s.shape for s in model.declared.states.values()]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    scalar = not any(shapes)
    numpy = _NumPy(careful)
    given: Callable[[Any], Any] = value if careful else (lambda number: number)
    rebound = lambda function: _rebound(function, numpy, given, inputs)
    function = rebound(model.function)
    observer = model.observables_function and rebound(model.observables_function)
    observed = model.observable_names

    def record(y: np.ndarray) -> Any:
        if scalar:
            return model.State(*map(given, y))
        parts = np.split(y, ends[:-1])
        return model.State(*(given(p.reshape(s) if s else p[0]) for p, s in zip(parts, shapes)))

    def field(t: float | Unasked, y: np.ndarray, args: np.ndarray) -> np.ndarray:
        moment = t if isinstance(t, Unasked) else given(np.float64(t))
        result = function(moment, record(y), model.Args(*map(given, args)))
        leaves = _named(result, names) if isinstance(result, Mapping) else list(result)
        _refuse_jax(leaves)
        leaves = [plain(leaf) for leaf in leaves]
        if scalar:
            return np.array(leaves, float)
        return np.concatenate([np.ravel(leaf) for leaf in leaves]).astype(float, copy=False)

    def observe(t: float, y: np.ndarray, args: np.ndarray) -> np.ndarray:
        if observer is None:
            return np.empty(0)
        values = observer(given(np.float64(t)), record(y), model.Args(*map(given, args)))
        _refuse_jax(values.values())
        return np.array([float(x) for x in _named(values, observed)])

    return field, observe


def _rebound(
    function: Callable[..., Any],
    numpy: "_NumPy",
    given: Callable[[Any], Any],
    inputs: GivenInputs | None,
) -> Callable[..., Any]:
    """The user's function by NumPy; the model's data, inputs and delays among its args."""
    if isinstance(function, WithComplex):
        inner = _rebound(function.function, numpy, given, inputs)
        join = lambda real, imag: given(plain(real) + 1j * plain(imag))
        return replace(
            function, function=inner, join=join, split=lambda z: (np.real(z), np.imag(z))
        )
    if not isinstance(function, Supplied):
        return numpy.rebound(function)
    called = numpy.rebound(function.function)

    def value(name: str, t: Any, category: Any) -> Any:
        if inputs is None:
            raise TypeError("the inputs of the model are not given")
        number = None if category is None else float(category)
        return given(np.float64(inputs.value(name, float(t), number)))

    def chosen(arrays: Any, category: Any) -> Any:
        return arrays[int(float(category))]

    def shaped(numbers: list[Any], shape: tuple[int, ...]) -> Any:
        return given(np.array([float(x) for x in numbers]).reshape(shape))

    with_data = function.given.taking(given, chosen, value, shaped)
    return lambda t, y, args: called(t, y, with_data(t, args))


def _named(values: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    """The values by name; the user's names may be spelled with letters that stand for others."""
    try:
        return [values[name] for name in names]
    except KeyError:
        spelled = {unicodedata.normalize("NFKC", name): value for name, value in values.items()}
        return [spelled[name] for name in names]


def _refuse_jax(leaves: Any) -> None:
    for leaf in leaves:
        # the first question is the faster one, and this is asked at each step
        if type(leaf) not in _NUMPYS and isinstance(leaf, jax.Array):
            raise TypeError("JAX was called all the same")


def with_numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same Python function with `numpy` where its globals have `jax.numpy`.

    So are the functions it calls, where their files are in the same folder. Raises TypeError for
    what is not a Python function.
    """
    return _NumPy(careful=False).rebound(function)


class _NumPy:
    """What stands for JAX in functions: `numpy`, or with `careful` the values of `arrays`."""

    def __init__(self, careful: bool):
        self._careful = careful
        self._module = NumPy() if careful else np
        self._made: dict[int, dict[str, Any]] = {}

    def rebound(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function with other globals; TypeError for what is not a Python function."""
        if not isinstance(function, types.FunctionType):
            raise TypeError(f"{function!r} is not a Python function")
        return self._rebound(function, _folder(function))

    def _rebound(self, function: types.FunctionType, home: Path | None) -> Any:
        globals_ = function.__globals__
        if id(globals_) not in self._made:
            self._made[id(globals_)] = replaced = dict(globals_)
            for name, found in globals_.items():
                replaced[name] = self._counterpart(found, home)
        code, names = function.__code__, self._made[id(globals_)]
        cells = function.__closure__ and tuple(
            types.CellType(self._array(cell.cell_contents)) for cell in function.__closure__
        )
        result = types.FunctionType(code, names, function.__name__, None, cells)
        result.__defaults__ = function.__defaults__ and tuple(
            map(self._array, function.__defaults__)
        )
        result.__kwdefaults__ = function.__kwdefaults__
        return result

    def _array(self, found: Any) -> Any:
        if isinstance(found, jax.Array):
            return value(np.asarray(found)) if self._careful else np.asarray(found)
        return found

    def _counterpart(self, found: Any, home: Path | None) -> Any:
        if found is jnp:
            return self._module
        if found is jax:
            return types.SimpleNamespace(numpy=self._module, Array=jax.Array)
        if isinstance(found, jax.Array):
            return self._array(found)
        if isinstance(found, types.FunctionType):
            return self._rebound(found, home) if _folder(found) == home else found
        counterpart = _COUNTERPARTS.get(id(found))
        if counterpart is None:
            return found
        return giving_values(counterpart) if self._careful else counterpart


def _folder(function: types.FunctionType) -> Path | None:
    file: Sequence[str] | None = function.__globals__.get("__file__")
    return None if file is None else Path(str(file)).parent
