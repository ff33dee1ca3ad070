"""The stages: paths and a config in, files out. None of them knows of Snakemake.

`chunk` solves, `ensemble` makes one dataset of what was solved, `results` makes of that dataset all
that people look at. Nothing is imported here: the stage that solves needs JAX, the others do not.
"""
