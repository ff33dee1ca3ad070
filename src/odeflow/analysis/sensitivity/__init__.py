"""Global sensitivity analysis: which parameters the spread of an output comes from.

One estimator a file, in NumPy, vectorised over outputs and times; `block_sums.py` and
`given_data.py` give any of them its intervals. Nothing is solved here.
"""
