"""The config: what a user may ask for, and one line for every mistake in it.

The schema is a file of pydantic records for each group and the home of every default; Hydra
composes. It is imported whenever the Snakefile is parsed, so nothing here imports JAX, xarray,
SciPy or pandas. No engine, no sample and no format but YAML is known: `importers.study` joins them.
"""
