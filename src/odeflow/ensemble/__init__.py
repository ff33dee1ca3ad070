"""Labelled results: chunks solved, named and written, and the dataset that they become.

From an experiment's config to `ensemble.nc`. What is computed from results is for `analysis`, and
Snakemake is not known here.
"""
