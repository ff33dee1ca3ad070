"""What is computed from an ensemble: summaries, quantiles, likelihoods, differences of two.

Slab by slab, so that no result has to fit into memory. Nothing is solved here.
"""
