"""Where a model's program decides: comparisons of time and of state, found in its jaxpr.

The times at which they change are solved for here; who stops there is for `transforms`. Equations
are read, never changed.
"""
