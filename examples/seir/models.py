"""An epidemic among four age groups in six places."""

import jax.numpy as jnp


def seir(t, y, args):
    """New infections by age: contacts within a place, and travel between places.

    Arrays are `age` by `place`; `args.contacts.matrix[a, b]` is how many persons of age b one of
    age a meets in a day, `args.travel.share[p, q]` which part of their time away those of place p
    spend in q.
    """
    away = args.travel.share - jnp.eye(6)
    stay = jnp.eye(6) + args.mobility * away
    people = y.susceptible + y.exposed + y.infectious + y.recovered
    # who is infectious among those present at each place, by age
    prevalence = (y.infectious @ stay) / (people @ stay)
    season = 1 + args.season * jnp.cos(2 * jnp.pi * t / 365)
    force = args.beta * season * (args.contacts.matrix @ prevalence) @ stay.T
    infections = force * y.susceptible
    return {
        "susceptible": -infections,
        "exposed": infections - args.sigma * y.exposed,
        "infectious": args.sigma * y.exposed - args.gamma * y.infectious,
        "recovered": args.gamma * y.infectious,
    }


def observables(t, y, args):
    """Totals to look at."""
    everyone = 4 * 6 * 1000.0
    ever = everyone - jnp.sum(y.susceptible)
    return {
        "all_infectious": jnp.sum(y.infectious),
        "attack_rate": ever / everyone,
        "old_infectious": jnp.sum(y.infectious[3]),
    }


def invariants(t, y, args):
    """Nobody is born or dies."""
    return {"people": jnp.sum(y.susceptible + y.exposed + y.infectious + y.recovered)}
