"""Celestial mechanics."""

from typing import Any

import jax.numpy as jnp
from jax import Array


def arenstorf(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """A spacecraft in the plane of two bodies, the restricted circular three-body problem.

    In the frame that rotates with the bodies, at (-mu, 0) and (1 - mu, 0) with masses 1 - mu and
    mu, and distances r1 and r2 to them:
    x'' = x + 2 y' - (1 - mu) (x + mu) / r1^3 - mu (x - 1 + mu) / r2^3,
    y'' = y - 2 x' - (1 - mu) y / r1^3 - mu y / r2^3.
    Dimensionless: the bodies' distance is 1, their period 2 pi. The default initial values are
    those of Arenstorf's closed orbit around Earth and Moon. Jacobi's integral is constant.

    Reference: R. F. Arenstorf (1963), "Periodic solutions of the restricted three body problem
    representing analytic continuations of Keplerian elliptic motions", Amer. J. Math. 85, 27-35,
    https://doi.org/10.2307/2373181; equations and values in E. Hairer, S. P. Nørsett and
    G. Wanner (1993), Solving Ordinary Differential Equations I, 2nd ed., p. 129.
    """
    r1, r2 = _distances(y, args)
    pull1 = (1.0 - args.mu) / r1**3
    pull2 = args.mu / r2**3
    return {
        "x": y.vx,
        "y": y.vy,
        "vx": y.x + 2.0 * y.vy - pull1 * (y.x + args.mu) - pull2 * (y.x - (1.0 - args.mu)),
        "vy": y.y - 2.0 * y.vx - pull1 * y.y - pull2 * y.y,
    }


def arenstorf_observables(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """Jacobi's integral x^2 + y^2 + 2 (1 - mu) / r1 + 2 mu / r2 - x'^2 - y'^2 and distances."""
    r1, r2 = _distances(y, args)
    return {
        "jacobi_integral": _jacobi_integral(y, args),
        "distance_to_larger": r1,
        "distance_to_smaller": r2,
    }


def arenstorf_invariants(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """Jacobi's integral (1)."""
    return {"jacobi_integral": _jacobi_integral(y, args)}


def _jacobi_integral(y: Any, args: Any) -> Array:
    r1, r2 = _distances(y, args)
    potential = y.x**2 + y.y**2 + 2.0 * (1.0 - args.mu) / r1 + 2.0 * args.mu / r2
    return potential - y.vx**2 - y.vy**2


def _distances(y: Any, args: Any) -> tuple[Array, Array]:
    r1 = jnp.sqrt((y.x + args.mu) ** 2 + y.y**2)
    r2 = jnp.sqrt((y.x - (1.0 - args.mu)) ** 2 + y.y**2)
    return r1, r2
