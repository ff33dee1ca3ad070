"""Diffusion, discretised in space by finite differences (the method of lines)."""

from typing import Any

import jax.numpy as jnp
from jax import Array


def heat_equation(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """Heat conduction in a rod whose ends are kept at temperature 0.

    du/dt = diffusivity d2u/dx2 by central differences on the n inner points of n + 1 equal
    intervals: du_i/dt = D (u_{i-1} - 2 u_i + u_{i+1}) / dx^2 with u_0 = u_{n+1} = 0 and
    dx = length / (n + 1). The sine with k half waves decays at exactly
    4 D / dx^2 sin^2(k pi / (2 (n + 1))). `u` is the temperature above the ends' (K),
    `diffusivity` is in m2/s, `length` in m, t in s.

    Reference: R. J. LeVeque (2007), Finite Difference Methods for Ordinary and Partial
    Differential Equations, SIAM, https://doi.org/10.1137/1.9780898717839, chapter 9.
    """
    padded = jnp.pad(y.u, 1)  # the ends, at temperature 0
    second_difference = padded[:-2] - 2.0 * y.u + padded[2:]
    return {"u": args.diffusivity / _spacing(y, args) ** 2 * second_difference}


def heat_equation_observables(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """The integral of u over the rod by the trapezoidal rule (K m).

    Times heat capacity and cross-section it is an energy.
    """
    return {"total_heat": _spacing(y, args) * jnp.sum(y.u)}


def _spacing(y: Any, args: Any) -> Array:
    return args.length / (y.u.size + 1)
