"""Pharmacokinetics: what the body does to a drug."""

from typing import Any

from jax import Array


def pk_one_compartment(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """One compartment with first-order absorption from the gut and linear elimination.

    dA_gut/dt = -ka A_gut, dA/dt = ka A_gut - (cl / v) A, amounts in mg, t in h; the initial gut
    amount is the absorbed dose. `ka` is the absorption rate constant (1/h), `cl` the clearance
    (L/h), `v` the volume of distribution (L). The solution is Bateman's function.

    Reference: M. Gibaldi and D. Perrier (1982), Pharmacokinetics, 2nd ed., Marcel Dekker,
    chapter 1.
    """
    absorption = args.ka * y.gut
    return {"gut": -absorption, "central": absorption - args.cl / args.v * y.central}


def pk_one_compartment_observables(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """The concentration of the drug in plasma (mg/L)."""
    return {"concentration": y.central / args.v}
