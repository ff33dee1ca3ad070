"""What both engines follow: guards and events, the search for crossings, steps that mean nothing.

Functions of JAX that one calls and the other translates, formulas and numbers. No engine is known.
"""
