"""Formulas as trees: what SBML, Antimony and PEtab have in common.

Plain data and one table of operations, evaluated by NumPy or JAX. No file format is known here.
"""
