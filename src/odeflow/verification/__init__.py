"""Verification: a random part of the trajectories solved again, independently of the engines."""

from odeflow.verification.compare import verify

__all__ = ["verify"]
