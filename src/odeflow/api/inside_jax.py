"""A solve by the native engine as a JAX operation, with derivatives.

Under `jit` it is a callback, and under `vmap` the new axis is folded into the lanes. A derivative
comes from forward sensitivities: each direction of what is perturbed is solved for, which gives the
Jacobian of what is saved; forward mode multiplies it by a tangent, reverse mode by its transpose.
That is for few numbers: see `docs/ensemble_solve.md`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

from odeflow.api.handles import Handle, SolvedLanes
from odeflow.api.numbers import Numbering
from odeflow.engines.choice import Resources

#: What comes out beside the values, in order: an int8, counts, and a time.
_COUNTS = ("num_steps", "num_accepted_steps", "num_rejected_steps")


def solve_traced(
    handle: Handle,
    numbering: Numbering,
    span: Any,
    ts: Any,
    leaves: Sequence[Any],
    resources: Resources,
) -> tuple[Any, ...]:
    """Values `(lane, time, output)`, status, counts of steps and time reached of traced leaves.

    `span` is `(t0, t1, dt0)`; each of `leaves` is `(lane, component)`.
    """
    dtype, lanes = leaves[0].dtype, leaves[0].shape[0]
    count = jax.dtypes.canonicalize_dtype(np.int64)
    of_lanes = [np.int8, *[count] * len(_COUNTS), dtype]
    shape = (lanes, numbering.saving.number, handle.outputs.size)
    plain = (
        jax.ShapeDtypeStruct(shape, dtype),
        *(jax.ShapeDtypeStruct((lanes,), kind) for kind in of_lanes),
    )
    sizes = [leaf.shape[1] for leaf in leaves]

    def call(perturbed: tuple[int, ...] | None, span: Any, ts: Any, *leaves: Any) -> Any:
        columns = None if perturbed is None else _columns(sizes, perturbed)
        shapes: Any = plain
        if columns is not None:
            shapes = (jax.ShapeDtypeStruct((*shape, columns.shape[1]), dtype), *plain)
        host = partial(_solve, handle, numbering, columns, resources, shapes)
        return jax.pure_callback(host, shapes, span, ts, *leaves, vmap_method="expand_dims")

    @jax.custom_jvp
    def solve(span: Any, ts: Any, *leaves: Any) -> Any:
        return call(None, span, ts, *leaves)

    @partial(solve.defjvp, symbolic_zeros=True)
    def rule(primals: Any, tangents: Any) -> Any:
        moves = [not isinstance(tangent, SymbolicZero) for tangent in tangents]
        if any(moves[:2]):
            raise NotImplementedError(
                "odeflow.ensemble_solve has no derivatives with respect to t0, t1, dt0 and ts; "
                "diffrax.diffeqsolve has"
            )
        perturbed = tuple(i for i, moving in enumerate(moves[2:]) if moving)
        if not perturbed:
            outputs = call(None, *primals)
            return outputs, (jnp.zeros_like(outputs[0]), *map(_no_tangent, outputs[1:]))
        _check_derivatives(handle)
        jacobian, *outputs = _first_order(partial(call, perturbed))(*primals)
        ends = np.cumsum([0, *(sizes[i] for i in perturbed)])
        along = jnp.zeros_like(outputs[0])
        for (first, last), i in zip(pairwise(ends.tolist()), perturbed):
            along = along + jnp.einsum(
                "ltoc,lc->lto",
                jacobian[..., first:last],
                tangents[2 + i],
                precision=jax.lax.Precision.HIGHEST,
            )
        return tuple(outputs), (along, *map(_no_tangent, outputs[1:]))

    return solve(span, ts, *leaves)


def _check_derivatives(handle: Handle) -> None:
    if handle.structure.event is not None:
        raise NotImplementedError(
            "odeflow.ensemble_solve has no derivatives through an event; diffrax.diffeqsolve has"
        )
    why = handle.prepare_derivatives()
    if why is not None:
        raise NotImplementedError(
            f"odeflow.ensemble_solve cannot solve for derivatives: {why}; pass engine='diffrax'"
        )


def _first_order(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which says what is wrong where a derivative of it is asked for."""
    known = jax.custom_jvp(function)

    @known.defjvp
    def refuse(primals: Any, tangents: Any) -> Any:
        raise NotImplementedError(
            "odeflow.ensemble_solve has first derivatives only; diffrax.diffeqsolve has second ones"
        )

    return known


def _no_tangent(output: Any) -> Any:
    if jnp.issubdtype(output.dtype, jnp.floating):
        return jnp.zeros_like(output)
    return np.zeros(output.shape, jax.dtypes.float0)


def _columns(sizes: Sequence[int], perturbed: Sequence[int]) -> np.ndarray:
    """A unit vector of the numbers of all leaves for each of those that are perturbed."""
    ends = np.cumsum([0, *sizes])
    chosen = np.concatenate([np.arange(ends[i], ends[i + 1]) for i in perturbed])
    return np.eye(ends[-1])[:, chosen]


def _solve(
    handle: Handle,
    numbering: Numbering,
    columns: np.ndarray | None,
    resources: Resources,
    shapes: Sequence[Any],
    span: Any,
    ts: Any,
    *leaves: Any,
) -> tuple[np.ndarray, ...]:
    """The solve itself, on NumPy's arrays; axes of `vmap` come first, of length 1 where shared."""
    arrays = [np.asarray(leaf, float) for leaf in leaves]
    batch = np.broadcast_shapes(*(array.shape[:-2] for array in arrays))
    numbers, place = numbering.numbers(_shared(span, 1), _shared(ts, 1))
    flat = [np.broadcast_to(a, (*batch, *a.shape[-2:])).reshape(-1, a.shape[-1]).T for a in arrays]
    count, lanes = len(handle.structure.y.leaves), flat[0].shape[1]
    rows = tuple(
        np.concatenate(part) if part else np.empty((0, lanes))
        for part in (flat[:count], flat[count:])
    )
    if columns is None:
        outcome = handle.solve(handle.problem(numbers), rows, resources)  # type: ignore[arg-type]
    else:
        outcome = handle.solve_derivatives(numbers, rows, columns, resources)  # type: ignore[arg-type]
    outputs = _outputs(outcome, place)
    return tuple(
        np.asarray(value, known.dtype).reshape(*batch, *known.shape)
        for value, known in zip(outputs, shapes, strict=True)
    )


def _outputs(outcome: SolvedLanes, place: np.ndarray | None) -> list[np.ndarray]:
    taken = lambda x: x if place is None else x[:, place]
    solution = outcome.solution
    found = [] if outcome.derivatives is None else [taken(outcome.derivatives)]
    counts = [getattr(solution, name) for name in _COUNTS]
    return [*found, taken(outcome.values), solution.status, *counts, solution.time_reached]


def _shared(values: Any, ndim: int) -> np.ndarray:
    """Numbers that all trajectories share, without the axes of `vmap`."""
    values = np.asarray(values)
    if any(size != 1 for size in values.shape[: values.ndim - ndim]):
        raise ValueError(
            "odeflow.ensemble_solve: t0, t1, dt0 and ts are shared by all trajectories; "
            "they cannot be batched by jax.vmap"
        )
    return values.reshape(values.shape[values.ndim - ndim :])
