"""How a result was made: source, versions, surroundings, what a model reads, what a file records.

Cheap, and without JAX, but for the process in `observed` that traces a model. It knows configs and
importers, and neither engines nor Snakemake.
"""
