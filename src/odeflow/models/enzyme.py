"""Enzyme kinetics."""

from typing import Any

from jax import Array

_ENZYME_YIELD = 0.09
"""Enzyme made for each unit of substrate that is turned over."""


def michaelis_menten(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """Substrate turned over by an enzyme that grows on it.

    With the rate v = E vmax S / (km + S) in mmol/L/min: dS/dt = -v, dE/dt = 0.09 v. So
    E + 0.09 S is constant. `vmax` is the turnover number (1/min), `km` the half-saturation
    constant (mmol/L), S and E are in mmol/L and t in min.

    Reference: the rate law of L. Michaelis and M. L. Menten (1913), "Die Kinetik der
    Invertinwirkung", Biochemische Zeitschrift 49, 333-369.
    """
    rate = _rate(y, args)
    return {"substrate": -rate, "enzyme": _ENZYME_YIELD * rate}


def michaelis_menten_observables(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """The reaction rate v (mmol/L/min)."""
    return {"reaction_rate": _rate(y, args)}


def michaelis_menten_invariants(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """The enzyme, made and still to be made from the substrate (mmol/L)."""
    return {"total_enzyme": y.enzyme + _ENZYME_YIELD * y.substrate}


def _rate(y: Any, args: Any) -> Array:
    return y.enzyme * args.vmax * y.substrate / (args.km + y.substrate)
