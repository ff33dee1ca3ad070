"""A user's file becomes a model and a config: SBML, Antimony, PEtab, tables of data.

Formulas of all formats are `expressions`; `study` composes a study's YAML with what that names.
Engines are not known here, and nothing is solved.
"""
