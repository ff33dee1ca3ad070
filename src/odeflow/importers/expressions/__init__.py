"""Formulas as trees: what SBML, Antimony and PEtab have in common, and their values in NumPy."""
