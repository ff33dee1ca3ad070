"""`ensemble_solve`: what `jit(vmap(diffeqsolve))` is for, by the engines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import diffrax

from odeflow.api.call import CheckedCall
from odeflow.api.jax_state import in_jit
from odeflow.api.refusal import refuse_arguments
from odeflow.api.results import checked, inlined, solved, traced
from odeflow.api.solution import EnsembleSolution
from odeflow.engines.choice import CORES, Resources

_END, _CONSTANT = diffrax.SaveAt(t1=True), diffrax.ConstantStepSize()


def ensemble_solve(
    terms: diffrax.AbstractTerm,
    solver: diffrax.AbstractSolver,
    t0: Any,
    t1: Any,
    dt0: Any,
    y0: Any,
    args: Any = None,
    *,
    in_axes: Any = 0,
    saveat: diffrax.SaveAt = _END,
    stepsize_controller: diffrax.AbstractStepSizeController = _CONSTANT,
    event: diffrax.Event | None = None,
    max_steps: int | None = 4096,
    throw: bool = True,
    engine: Literal["auto", "native", "diffrax"] = "auto",
    precision: Literal["float64", "float32"] = "float64",
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    cache: Path | None = None,
    **unsupported: Any,
) -> EnsembleSolution:
    """Solves one ODE for many initial values and parameters, natively where that is possible.

    The arguments are those of `diffrax.diffeqsolve`, for which `jax.vmap(..., in_axes)` would be
    called. Outside of JAX's transformations all is computed in float64 and returned as NumPy
    arrays, whatever JAX's 64-bit mode; inside of `jit`, `grad`, `jvp` and `vmap` values come and go
    in JAX's own precision and are computed in float64 all the same. As under `jax.jit`, what a
    vector field closes over is read once: let it read what changes from `args`.

    Arguments:
        terms: `diffrax.ODETerm(vector_field)`.
        solver: a Diffrax solver, `diffrax.Tsit5()`, or `odeflow.Rodas5P()`.
        t0: start of the time span, for all trajectories.
        t1: end of the time span, above t0.
        dt0: first step, or None for the controller's.
        y0: pytree of initial values.
        args: pytree of parameters.
        in_axes: where trajectories lie in `y0` and `args`, as in `jax.vmap`; None is shared.
        saveat: `diffrax.SaveAt` with any of `t0`, `ts`, `t1` and `fn`.
        stepsize_controller: `diffrax.PIDController` or `diffrax.ConstantStepSize`.
        event: a `diffrax.Event` with one condition.
        max_steps: steps that a trajectory may attempt; None for no limit.
        throw: whether a trajectory that fails raises an error, once all are solved.
        engine: `native` raises where the native engine cannot run the problem, `auto` then takes
            Diffrax and says why in `reason`.
        precision: what is computed in.
        threads: cores to use; None for all.
        progress: called with the number of trajectories done, outside of transformations.
        cache: a folder for compiled code, by default the user's.
        unsupported: other arguments of `diffeqsolve`, which are refused by name.

    Returns:
        An `EnsembleSolution`.

    Raises:
        NotImplementedError: something in Diffrax has no counterpart; it is named.
        TypeError: an argument is of another type than the one that is needed.
        ValueError: arguments do not fit together, or `engine="native"` cannot run the problem.
        RuntimeError: a trajectory failed, and `throw`.
    """
    refuse_arguments(unsupported)
    call = CheckedCall.of(
        terms, solver, (t0, t1, dt0), y0, args, in_axes, saveat, stepsize_controller, event,
        max_steps, engine, precision,
    )  # fmt: skip
    resources = Resources(threads or CORES, cache)
    handle, reason = call.plan.handle, call.plan.reason
    if reason and engine == "native":
        raise ValueError(f"engine='native': {reason}")
    if handle is None or (reason and (call.is_traced or in_jit())):
        return checked(inlined(call, reason), throw)
    if call.is_traced:
        return checked(traced(call, handle, resources), throw)
    return checked(solved(call, handle, resources, progress), throw)
