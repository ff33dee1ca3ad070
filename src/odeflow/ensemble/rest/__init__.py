"""Steady states: found, differentiated, and taken as where trajectories start or what they go to.

Solves by the engines, and is used by what solves ensembles and by estimation. Nothing is labelled
here, and no file is read or written.
"""
