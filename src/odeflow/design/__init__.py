"""The design: one row (sample) per trajectory, one column per axis. Cheap to import, without JAX.

An axis is a parameter, the initial value of a scalar state, or `t1`, each trajectory's own end. All
rows of a design follow from its config (and the table's content), and any range of rows can be had
without the others. Where there are conditions, each set of the axes' values has one row per
condition.
"""

from odeflow.design.check import check_axes
from odeflow.design.dataset import design_to_file
from odeflow.design.ends import END, has_own_ends
from odeflow.design.samples import (
    CONDITION,
    PARAMETER_SET,
    REPLICATE,
    SUBJECT,
    axis_names,
    column_names,
    grid_levels,
    number_of_samples,
    rows,
    table_digest,
)

__all__ = [
    "CONDITION",
    "END",
    "PARAMETER_SET",
    "REPLICATE",
    "SUBJECT",
    "axis_names",
    "check_axes",
    "column_names",
    "design_to_file",
    "grid_levels",
    "has_own_ends",
    "number_of_samples",
    "rows",
    "table_digest",
]
