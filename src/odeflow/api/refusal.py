"""What `ensemble_solve` says of things that have no counterpart here."""

from collections.abc import Iterable

#: Arguments of `diffrax.diffeqsolve` that are not among those of `ensemble_solve`, and why.
UNSUPPORTED = {
    "adjoint": "derivatives are forward sensitivities, whatever the adjoint",
    "progress_meter": "pass a function of the number of trajectories done as `progress`",
    "solver_state": "each solve starts from y0",
    "controller_state": "each solve starts from y0",
    "made_jump": "each solve starts from y0",
    "discrete_terminating_event": "pass `event`",
}


class NoCounterpartError(NotImplementedError):
    """Something in Diffrax that odeflow does not have; it is named."""

    def __init__(self, what: str, why: str):
        super().__init__(f"odeflow.ensemble_solve has no counterpart of {what}: {why}")


def refuse_arguments(names: Iterable[str]) -> None:
    """Raises for arguments that are not known: NoCounterpartError, or TypeError for a typo."""
    for name in names:
        if name in UNSUPPORTED:
            raise NoCounterpartError(f"{name}=", UNSUPPORTED[name])
        raise TypeError(f"odeflow.ensemble_solve() got an unexpected argument {name!r}")
