"""The stages: paths and a config in, files out. None of them knows of Snakemake.

A module each, named as the rule: what it imports is what decides whether its files are stale. So
nothing is imported here, and the stage that solves needs JAX, the others do not.
"""
