"""PEtab (versions 1 and 2): a parameter estimation problem as a design, a model and measurements.

Importing this package imports neither libsbml nor JAX.
"""
