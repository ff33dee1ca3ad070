"""A user's file becomes a model and a config: SBML, Antimony, PEtab, tables of data.

Formulas of all formats are `expressions`. Engines are not known here, and nothing is solved.
"""
