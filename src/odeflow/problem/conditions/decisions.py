"""What functions of (t, y, args) decide by comparing: the outcomes, as they are or held.

A function is smooth as long as the outcome of each `y.x < args.level`, `jnp.floor(y.x)` or
`jnp.searchsorted(table, y.x)` in it stays what it is. With outcomes *held* it is smooth beyond
that too: so it can be evaluated on either side of where one of them changes. Of `jnp.maximum`,
`jnp.abs` and the like, which have kinks but do not jump, nothing is held.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from odeflow.problem.conditions.comparisons import (
    COMPARISONS,
    Degree,
    Info,
    PointFunction,
    Walk,
    dtype_of,
    is_unrolled,
)
from odeflow.problem.conditions.source_line import source_line

_ROUNDED = frozenset(["sign", "floor", "ceil", "round"])


class Decision(NamedTuple):
    """One equation whose result is discrete: what it depends on, its scalars, the user's line."""

    info: Info
    size: int
    where: str


class HiddenDecisionError(ValueError):
    """Comparisons that cannot be told apart; its text is the user's line."""


@dataclass(frozen=True, eq=False)
class Decisions:
    """The decisions of some functions of (t, y, args), all in the scalars of a model.

    `tracks` says of each function which decisions count, by what these depend on. All others come
    out as they are, whatever is held. Raises HiddenDecisionError where some cannot be found.
    """

    functions: tuple[PointFunction, ...]
    tracks: tuple[Callable[[Info], bool], ...]
    size: int
    parameters: int

    @cached_property
    def each(self) -> tuple[tuple[Decision, ...], ...]:
        """The decisions of each function, in the order of evaluation."""
        return tuple(
            tuple(self._walked(number, None).decisions) for number in range(len(self.functions))
        )

    @cached_property
    def spans(self) -> tuple[slice, ...]:
        """Where the decisions of each function are among the scalars of all."""
        ends = np.cumsum([0, *(sum(d.size for d in ds) for ds in self.each)])
        return tuple(slice(int(a), int(b)) for a, b in zip(ends, ends[1:]))

    @property
    def number(self) -> int:
        """How many scalars decisions have."""
        return self.spans[-1].stop if self.spans else 0

    def outcomes(self, t: Any, y: Sequence[Any], args: Sequence[Any]) -> Float[Array, " decision"]:
        """All outcomes as they are at a point."""
        walks = [self._walked(i, (t, y, args)) for i in range(len(self.functions))]
        return _joined([x for walk in walks for x in walk.outcomes], t)

    def values(
        self, t: Any, y: Sequence[Any], args: Sequence[Any], held: Any, new: Any
    ) -> tuple[Float[Array, " decision"], Float[Array, " decision"]]:
        """What is compared, and the outcomes, where those that come before are held.

        The first reaches a constant where an outcome becomes new, unless others make it so.
        """
        walks = [self._walked(i, (t, y, args), held, new) for i in range(len(self.functions))]
        values = _joined([x for walk in walks for x in walk.values], t)
        return values, _joined([x for walk in walks for x in walk.outcomes], t)

    def evaluate(
        self, number: int, t: Any, y: Sequence[Any], args: Sequence[Any], held: Any
    ) -> list[Any]:
        """What one of the functions returns, flat, with outcomes held."""
        return self._walked(number, (t, y, args), held).results

    def _traced(self, number: int, dtype: Any) -> Any:
        key = (number, np.dtype(dtype).name)
        if key not in self._jaxprs:
            scalar = jax.ShapeDtypeStruct((), dtype)
            function, size = self.functions[number], self.size
            flat = lambda *x: jax.tree.leaves(function(x[0], x[1 : size + 1], x[size + 1 :]))
            arguments = [scalar] * (1 + size + self.parameters)
            self._jaxprs[key] = jax.make_jaxpr(flat)(*arguments)
        return self._jaxprs[key]

    @cached_property
    def _jaxprs(self) -> dict[tuple[int, str], Any]:
        return {}

    def _walked(self, number: int, point: Any, held: Any = None, new: Any = None) -> "_Walk":
        dtype = jnp.result_type(float) if point is None else jnp.result_type(point[0])
        closed = self._traced(number, dtype)
        infos = [
            Info(Degree.affine),
            *(Info(y=frozenset([i])) for i in range(self.size)),
            *(Info(args=frozenset([i])) for i in range(self.parameters)),
        ]
        part = lambda flat: None if flat is None else flat[self.spans[number]]
        walk = _Walk(self.tracks[number], point is not None, part(held), part(new))
        values = [None] * len(infos) if point is None else [point[0], *point[1], *point[2]]
        walk.results = [x for _, x in walk.run(closed.jaxpr, closed.consts, [*zip(infos, values)])]
        return walk


def _joined(parts: Sequence[Any], t: Any) -> Any:
    dtype = jnp.result_type(t)
    return jnp.concatenate([jnp.zeros(0, dtype), *(jnp.ravel(x).astype(dtype) for x in parts)])


class _Walk(Walk):
    """Evaluates a jaxpr with the outcomes of decisions held, and takes all of them down."""

    def __init__(
        self, tracks: Callable[[Info], bool], evaluate: bool, held: Any = None, new: Any = None
    ) -> None:
        super().__init__(evaluate)
        self._tracks, self._held, self._new = tracks, held, new
        self._place = 0
        self.decisions: list[Decision] = []
        self.outcomes: list[Any] = []
        self.values: list[Any] = []
        self.results: list[Any] = []

    def _equation(self, equation: Any, operands: list[Any]) -> list[Any]:
        info = _all([info for info, _ in operands])
        if not (info.varies and self._tracks(info)):
            return self._opaque(equation, operands)
        name, params = equation.primitive.name, equation.params
        if _is_decision(equation, operands):
            return self._decide(equation, operands, info)
        if name == "rem":
            return self._remainder(equation, operands, info)
        if name == "custom_jvp_call" and not self._decides(params["call_jaxpr"], info):
            # its own rule is kept
            return self._opaque(equation, operands)
        self._refuse_hidden(equation, info)
        return super()._equation(equation, operands)

    def _compared(self, equation: Any, operands: list[Any]) -> None:
        """All that counts has been taken down."""

    def _decides(self, closed: Any, info: Info) -> bool:
        """Whether a jaxpr decides anything if all that it is given depends on so much."""
        walk = _Walk(self._tracks, evaluate=False)
        walk.run(closed.jaxpr, closed.consts, [(info, None)] * len(closed.jaxpr.invars))
        return bool(walk.decisions)

    def _refuse_hidden(self, equation: Any, info: Info) -> None:
        name, params = equation.primitive.name, equation.params
        body = params.get("body_jaxpr", params.get("jaxpr"))
        is_long = name == "while" or (name == "scan" and not is_unrolled(equation))
        orders = name in ("sort", "top_k", "argmax", "argmin") and len(equation.outvars) > 1
        if (is_long and self._decides(body, info)) or orders or name in ("argmax", "argmin"):
            raise HiddenDecisionError(source_line(equation.source_info) or self._line)

    def _branches(self, equation: Any, operands: list[Any]) -> list[Any]:
        (index_info, index), rest = operands[0], operands[1:]
        branches = equation.params["branches"]
        results = [self.run(branch.jaxpr, branch.consts, rest) for branch in branches]
        joined = []
        for column in zip(*results):
            info = _all([index_info, *(x for x, _ in column)])
            value = column[0][1]
            for number, (_, other) in enumerate(column[1:], 1):
                if self._evaluate:
                    value = jnp.where(jnp.asarray(index) >= number, other, value)
            joined.append((info, value))
        return joined

    def _decide(self, equation: Any, operands: list[Any], info: Info) -> list[Any]:
        ((known, outcome),) = self._opaque(equation, operands)
        variable = equation.outvars[0]
        x = [value for _, value in operands]
        name = equation.primitive.name
        if name == "jit":
            level = lambda old, new: x[1] - _element(x[0], jnp.minimum(old, new))
        elif name in COMPARISONS:
            level = lambda old, new: x[0] - x[1]
        else:
            level = lambda old, new: x[0]
        held = self._taken(equation, info, variable.aval.shape, outcome, level)
        if self._evaluate and held is not None:
            dtype = dtype_of(variable)
            outcome = held > 0.5 if dtype.kind == "b" else held.astype(dtype)
        return [(known, outcome)]

    def _remainder(self, equation: Any, operands: list[Any], info: Info) -> list[Any]:
        ((known, result),) = self._opaque(equation, operands)
        (_, x), (_, y) = operands
        quotient = jnp.trunc(x / y) if self._evaluate else None
        shape = equation.outvars[0].aval.shape
        held = self._taken(equation, info, shape, quotient, lambda old, new: x / y)
        return [(known, result if held is None else x - y * held)]

    def _taken(
        self, equation: Any, info: Info, shape: Any, outcome: Any, value: Callable[..., Any]
    ) -> Any:
        """Takes a decision down; its outcome where it is held, else None."""
        size = prod(shape)
        where = source_line(equation.source_info) or self._line
        self.decisions.append(Decision(info, size, where))
        place = slice(self._place, self._place + size)
        self._place += size
        if not self._evaluate:
            return None
        self.outcomes.append(outcome)
        if self._held is None:
            return None
        held = self._held[place].reshape(shape)
        if self._new is not None:
            self.values.append(value(held, self._new[place].reshape(shape)))
        return held


def _all(infos: Sequence[Info]) -> Info:
    """What something depends on that depends on all of these."""
    return Info().joined(infos, Degree(max((x.degree for x in infos), default=0)))


def _is_decision(equation: Any, operands: Sequence[Any]) -> bool:
    name, params = equation.primitive.name, equation.params
    if name == "jit" and params["name"] == "searchsorted":
        return not operands[0][0].varies
    if not equation.invars or dtype_of(equation.invars[0]).kind != "f":
        return False
    if name == "convert_element_type":
        return np.dtype(params["new_dtype"]).kind in "iu"
    # x != x asks whether x is a number
    return (name in COMPARISONS and len(set(map(id, equation.invars))) > 1) or name in _ROUNDED


def _element(table: Any, place: Any) -> Any:
    """An element of a table, its place a floating-point number; by sums, which all engines have."""
    numbers = jnp.arange(table.shape[0], dtype=place.dtype)
    return jnp.sum(jnp.where(place[..., None] == numbers, table, 0.0), axis=-1)
