"""Verification: some of the trajectories solved again, independently of the engines.

By SciPy, with a schedule of doses, a watch over events and a search for switches of its own.
Neither the engines nor `problem.transforms` may be imported here: a mistake in them must show.
"""

from odeflow.trust.verification.run import verify

__all__ = ["verify"]
