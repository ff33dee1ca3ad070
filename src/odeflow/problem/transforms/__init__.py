"""A problem made of another: doses, stops, events' switches, sensitivities, invariants.

Each takes a model or a problem and gives one that the engines solve without knowing why: a dose is
a jump, a sensitivity is a state. What an engine does at a jump is not said here.
"""
