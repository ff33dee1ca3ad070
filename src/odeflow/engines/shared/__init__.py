"""What both engines follow: tableaus, the search for crossings, steps that mean nothing.

Formulas and numbers only; each engine writes them in its own language.
"""
