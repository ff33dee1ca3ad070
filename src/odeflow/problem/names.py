"""Names that the dataset gives or keeps for itself."""

#: Names the dataset uses itself, so a state, parameter or observable cannot have them.
RESERVED_NAMES = frozenset(
    {"time", "sample", "status", "num_steps", "num_accepted_steps", "num_rejected_steps", "t"}
    | {"quantile", "num_running", "time_reached", "attempt", "method", "engine"}
)


def drift_name(invariant: str) -> str:
    """Name in the dataset of the drift of an invariant."""
    return f"{invariant}_drift"


def steady_name(variable: str) -> str:
    """Name in the dataset of a variable in the steady state that a trajectory goes to."""
    return f"{variable}_steady"
