"""Estimation: parameters of a model from measurements, many starts at once.

`parameters` are on scales between bounds, `measured` is the data, `simulation` solves all vectors
under all conditions in one ensemble, `objective` makes numbers to minimise of it, `trust_region`
minimises many lanes together, `multistart` and `profiles` use it, `sampling` draws from the
posterior. Snakemake and figures are not known here.
"""
