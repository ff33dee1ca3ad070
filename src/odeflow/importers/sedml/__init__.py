"""SED-ML: a task of a file, alone or in a COMBINE archive, becomes the groups of a config.

All else sees a model with a design, saved times, observables and a solver like any other.
"""
