"""Atmospheric chemistry."""

from typing import Any

from jax import Array


def pollution(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """The POLLU problem: 25 reactions of 20 species in polluted air, stiff.

    Mass action with the rate constants k1 to k25 (first order 1/min, second order 1/(ppm min)),
    concentrations in ppm, t in min. Nitrogen (counted over NO2, NO, PAN, HNO3, NO3 and twice
    N2O5) and sulfur (SO2 and SO4) are conserved. It is the chemical part of an air pollution
    model of the Dutch institute RIVM.

    Reference: J. G. Verwer (1994), "Gauss-Seidel iteration for stiff ODEs from chemical
    kinetics", SIAM J. Sci. Comput. 15, 1243-1259, https://doi.org/10.1137/0915076.
    """
    r1 = args.k1 * y.nitrogen_dioxide
    r2 = args.k2 * y.nitric_oxide * y.ozone
    r3 = args.k3 * y.hydroperoxyl * y.nitric_oxide
    r4 = args.k4 * y.formaldehyde
    r5 = args.k5 * y.formaldehyde
    r6 = args.k6 * y.formaldehyde * y.hydroxyl
    r7 = args.k7 * y.aldehyde
    r8 = args.k8 * y.aldehyde * y.hydroxyl
    r9 = args.k9 * y.acetylperoxy * y.nitric_oxide
    r10 = args.k10 * y.acetylperoxy * y.nitrogen_dioxide
    r11 = args.k11 * y.pan
    r12 = args.k12 * y.methylperoxy * y.nitric_oxide
    r13 = args.k13 * y.methoxy
    r14 = args.k14 * y.nitrogen_dioxide * y.hydroxyl
    r15 = args.k15 * y.oxygen_atom
    r16 = args.k16 * y.ozone
    r17 = args.k17 * y.ozone
    r18 = args.k18 * y.oxygen_excited
    r19 = args.k19 * y.oxygen_excited
    r20 = args.k20 * y.sulfur_dioxide * y.hydroxyl
    r21 = args.k21 * y.nitrate
    r22 = args.k22 * y.nitrate
    r23 = args.k23 * y.nitrogen_dioxide * y.ozone
    r24 = args.k24 * y.nitrate * y.nitrogen_dioxide
    r25 = args.k25 * y.dinitrogen_pentoxide
    return {
        "nitrogen_dioxide": r2 + r3 + r9 + r11 + r12 + r22 + r25 - r1 - r10 - r14 - r23 - r24,
        "nitric_oxide": r1 + r21 - r2 - r3 - r9 - r12,
        "oxygen_atom": r1 + r17 + r19 + r22 - r15,
        "ozone": r15 - r2 - r16 - r17 - r23,
        "hydroperoxyl": 2.0 * r4 + r6 + r7 + r13 + r20 - r3,
        "hydroxyl": r3 + 2.0 * r18 - r6 - r8 - r14 - r20,
        "formaldehyde": r13 - r4 - r5 - r6,
        "carbon_monoxide": r4 + r5 + r6 + r7,
        "aldehyde": -r7 - r8,
        "methylperoxy": r7 + r9 - r12,
        "acetylperoxy": r8 + r11 - r9 - r10,
        "carbon_dioxide": r9,
        "pan": r10 - r11,
        "methoxy": r12 - r13,
        "nitric_acid": r14,
        "oxygen_excited": r16 - r18 - r19,
        "sulfur_dioxide": -r20,
        "sulfate": r20,
        "nitrate": r23 + r25 - r21 - r22 - r24,
        "dinitrogen_pentoxide": r24 - r25,
    }


def pollution_observables(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """NOx (NO + NO2) and the total of nitrogen in all its species, which is constant (ppm)."""
    return {"nitrogen_oxides": _nitrogen_oxides(y), "total_nitrogen": _total_nitrogen(y)}


def pollution_invariants(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """The totals of nitrogen and of sulfur in all their species (ppm)."""
    return {
        "total_nitrogen": _total_nitrogen(y),
        "total_sulfur": y.sulfur_dioxide + y.sulfate,
    }


def _nitrogen_oxides(y: Any) -> Array:
    return y.nitric_oxide + y.nitrogen_dioxide


def _total_nitrogen(y: Any) -> Array:
    bound = y.pan + y.nitric_acid + y.nitrate + 2.0 * y.dinitrogen_pentoxide
    return _nitrogen_oxides(y) + bound
