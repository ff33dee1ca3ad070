"""Models that users already have: SBML and Antimony, read to equations and run as any other model.

`document` reads and validates, `reading` makes of libsbml's tree a `System` of names and
expressions, `config` fills the `model` group with it (none of these imports JAX), `field` makes of
the system the functions of JAX that the engines solve.
"""
