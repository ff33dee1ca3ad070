"""Training sets for simulation-based inference: parameters beside noisy outputs, row by row.

What is simulated comes from the ensemble and its summary; noise is added here. Nothing is solved.
"""
