"""Synthetic gene regulatory networks."""

from typing import Any

import jax.numpy as jnp
from jax import Array


def repressilator(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """Three genes in a ring, each repressing the next: lacI -| tetR -| cI -| lacI.

    For gene i repressed by the protein of gene j: dm_i/dt = -m_i + alpha / (1 + p_j^n) + alpha0,
    dp_i/dt = -beta (p_i - m_i). Dimensionless: time in mRNA lifetimes, protein in units of the
    repression constant, mRNA in units that give the protein at balance. `alpha` and `alpha0` are
    the strengths of a free and of a repressed promoter, `beta` is the ratio of the decay rates of
    protein and mRNA, `n` the Hill coefficient.

    Reference: M. B. Elowitz and S. Leibler (2000), "A synthetic oscillatory network of
    transcriptional regulators", Nature 403, 335-338, https://doi.org/10.1038/35002125, Box 1.
    """

    def transcription(repressor: Array) -> Array:
        # A stage of a step may put a protein slightly below zero, where p^n is not a number.
        return args.alpha / (1.0 + jnp.maximum(repressor, 0.0) ** args.n) + args.alpha0

    return {
        "m_laci": transcription(y.p_ci) - y.m_laci,
        "m_tetr": transcription(y.p_laci) - y.m_tetr,
        "m_ci": transcription(y.p_tetr) - y.m_ci,
        "p_laci": args.beta * (y.m_laci - y.p_laci),
        "p_tetr": args.beta * (y.m_tetr - y.p_tetr),
        "p_ci": args.beta * (y.m_ci - y.p_ci),
    }
