"""Populations: predators and prey, epidemics."""

from typing import Any

import jax.numpy as jnp
from jax import Array


def lotka_volterra(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """Prey x and predators y: dx/dt = alpha x - beta x y, dy/dt = delta x y - gamma y.

    Both are densities (1), t is in years and all rates are in 1/year. The first integral
    delta x - gamma log x + beta y - alpha log y is constant, so orbits are closed.

    Reference: V. Volterra (1926), "Fluctuations in the abundance of a species considered
    mathematically", Nature 118, 558-560, https://doi.org/10.1038/118558a0.
    """
    encounters = y.prey * y.predator
    return {
        "prey": args.alpha * y.prey - args.beta * encounters,
        "predator": args.delta * encounters - args.gamma * y.predator,
    }


def lotka_volterra_observables(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """The first integral (1/year), constant along an exact trajectory."""
    return {
        "first_integral": args.delta * y.prey
        - args.gamma * jnp.log(y.prey)
        + args.beta * y.predator
        - args.alpha * jnp.log(y.predator)
    }


def sir(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """An epidemic in a closed population of N = S + I + R persons.

    dS/dt = -beta S I / N, dI/dt = beta S I / N - gamma I, dR/dt = gamma I; `beta` is the rate of
    contacts that transmit and `gamma` that of recovery (1/day), t is in days.

    Reference: W. O. Kermack and A. G. McKendrick (1927), "A contribution to the mathematical
    theory of epidemics", Proc. R. Soc. Lond. A 115, 700-721,
    https://doi.org/10.1098/rspa.1927.0118; their equations 29 with constant rates.
    """
    infections = args.beta * y.susceptible * y.infected / _population(y)
    recoveries = args.gamma * y.infected
    return {
        "susceptible": -infections,
        "infected": infections - recoveries,
        "recovered": recoveries,
    }


def sir_observables(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """Effective reproduction number (1), new infections (1/day) and attack rate (1).

    The effective reproduction number is (beta / gamma) S / N; the attack rate is the share of the
    population that has been infected, (I + R) / N.
    """
    population = _population(y)
    susceptible_share = y.susceptible / population
    return {
        "effective_reproduction_number": args.beta / args.gamma * susceptible_share,
        "incidence": args.beta * susceptible_share * y.infected,
        "attack_rate": (y.infected + y.recovered) / population,
    }


def sir_invariants(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """The population, S + I + R persons."""
    return {"population": _population(y)}


def _population(y: Any) -> Array:
    return y.susceptible + y.infected + y.recovered
