"""`explain`: whether the native engine takes a vector field, and if not what stops it."""

from dataclasses import dataclass
from typing import Any

import diffrax

from odeflow.api.call import CheckedCall


@dataclass(frozen=True)
class Explanation:
    """Whether the native engine runs a problem; it is true where it does.

    Where not, `reason` says why, `primitive` is what it does not have, by JAX's name or that of a
    method, and `where` the line of the caller's code, "" where it is not known.
    """

    native: bool
    reason: str = ""
    primitive: str = ""
    where: str = ""

    def __bool__(self) -> bool:
        return self.native

    def __str__(self) -> str:
        return "the native engine runs it" if self.native else self.reason


def explain(
    terms: Any,
    y0: Any,
    args: Any = None,
    *,
    solver: Any = None,
    saveat: Any = None,
    event: Any = None,
) -> Explanation:
    """Says whether `ensemble_solve` runs a vector field natively; solves nothing.

    Arguments:
        terms: the vector field, a function of `(t, y, args)` or a `diffrax.ODETerm`.
        y0: the initial value of one trajectory, any pytree.
        args: the parameters of one trajectory, any pytree.
        solver: `diffrax.Tsit5()` where it is None.
        saveat: a `diffrax.SaveAt`, where its `fn` is to be looked at too.
        event: a `diffrax.Event`, where its condition is to be looked at too.

    Returns:
        An `Explanation`, whose text is one line.

    Raises:
        NotImplementedError: as `ensemble_solve`, for what has no counterpart here.
        ValueError: as `ensemble_solve`, for what cannot be solved.
    """
    term = terms if isinstance(terms, diffrax.AbstractTerm) else diffrax.ODETerm(terms)
    controller = diffrax.PIDController(rtol=1e-6, atol=1e-8)
    chosen: Any = diffrax.Tsit5() if solver is None else solver
    if not isinstance(chosen, diffrax.AbstractAdaptiveSolver):
        controller = diffrax.ConstantStepSize()
    plan = CheckedCall.of(
        term, chosen, (0.0, 1.0, 0.01), y0, args, None, saveat or diffrax.SaveAt(t1=True),
        controller, event, 4096, "auto", "float64",
    ).plan  # fmt: skip
    handle, reason = plan.handle, plan.reason
    if not reason or handle is None:
        return Explanation(not reason, reason)
    error = handle.refusal()
    if error is None:
        return Explanation(False, reason)
    return Explanation(False, reason, error.primitive, error.where)
