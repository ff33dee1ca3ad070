"""Verification: some of the trajectories solved again, independently of the engines."""

from odeflow.trust.verification.run import verify

__all__ = ["verify"]
