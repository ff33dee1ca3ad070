"""PEtab (version 1): a parameter estimation problem as a design, a model and measurements.

Importing this package imports neither libsbml nor JAX.
"""
