"""Names that the dataset gives or keeps for itself."""

import re

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


def with_error_name(variable: str) -> str:
    """Name in the dataset of what would be measured of a variable."""
    return f"{variable}_with_error"


def vpc_name(variable: str, part: str) -> str:
    """Name in the dataset of a part of the visual predictive check of a variable."""
    return f"{variable}_vpc_{part}"


def at_record_name(variable: str) -> str:
    """Name in the dataset of what a variable is at the records of subjects."""
    return f"{variable}_at_record"


def record_name(column: str) -> str:
    """Name in the dataset of a column of records that is carried through."""
    return "record_" + re.sub(r"\W", "_", column.lower())
