"""Verification: some of the trajectories solved again, independently of the engines."""

from odeflow.verification.run import verify

__all__ = ["verify"]
