"""Records at which values are kept right before and right after each dose of a data set."""

from collections.abc import Mapping
from typing import Any

from odeflow.files.errors import ConfigError
from odeflow.problem.records import DOSE, OTHER, RESET_AND_DOSE

#: The column that says on which side of a dose a record is, and what its numbers stand for.
SIDE, SIDES = "dose_side", ["before", "after"]
#: What only doses have, and what is no column.
_OF_DOSES = ("amount", "rate", "interval", "additional", "steady")
_NO_COLUMNS = ("interpolation", "meanings", "by_occasion")


def with_sides(records: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a config's records with one before and one after each that is a dose.

    They have its time, covariates and occasion, and no DV. Raises ConfigError where the data set
    has a column of the name that says which they are.
    """
    if SIDE in records["carried"]:
        raise ConfigError(f"design.nonmem.at_doses: the data set has a column {SIDE}; rename it")
    rows: list[tuple[int, int | None]] = []
    for row, event in enumerate(records["event"]):
        is_dose = event in (DOSE, RESET_AND_DOSE)
        rows += [(row, 0), (row, None), (row, 1)] if is_dose else [(row, None)]

    def spread(column: Any, added: Any = ...) -> Any:
        if isinstance(column, Mapping):
            return {name: spread(one) for name, one in column.items()}
        return [column[row] if side is None or added is ... else added for row, side in rows]

    found = {name: x if name in _NO_COLUMNS else spread(x) for name, x in records.items()}
    found |= {name: spread(records[name], 0) for name in _OF_DOSES}
    found |= {name: spread(records[name], x) for name, x in (("event", OTHER), ("observed", None))}
    measured = {
        name: spread(column, None)
        for name, column in records["carried"].items()
        if name.upper() == "DV"
    }
    found["carried"] |= measured | {SIDE: [side for _, side in rows]}
    found["meanings"] = {**records["meanings"], SIDE: SIDES}
    return found
