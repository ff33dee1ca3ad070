"""Chemical kinetics in a well-stirred vessel: Robertson, HIRES, Akzo Nobel, the Brusselator."""

from typing import Any

import jax.numpy as jnp
from jax import Array


def robertson(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """Robertson's autocatalytic reaction, the classic stiff problem.

    A -> B with k1, B + B -> B + C with k2, B + C -> A + C with k3 (all 1/s); A, B and C are
    fractions of one total, t is in s. A + B + C is constant.

    Reference: H. H. Robertson (1966), "The solution of a set of reaction rate equations", in
    J. Walsh (ed.), Numerical Analysis: An Introduction, Academic Press, 178-182.
    """
    decay = args.k1 * y.a
    conversion = args.k2 * y.b**2
    recovery = args.k3 * y.b * y.c
    return {"a": recovery - decay, "b": decay - recovery - conversion, "c": conversion}


def robertson_invariants(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """The total of the three fractions (1)."""
    return {"total": y.a + y.b + y.c}


def hires(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """The high irradiance responses of plants: phytochrome, its receptors and an enzyme.

    Red-absorbing Pr and far-red-absorbing Pfr phytochrome are converted into each other (k1, k2)
    when free, bound to a receptor X or to X', and move between the three (k3 to k6); Pfr X'
    binds the enzyme E (k_plus), which is released by k_minus, k_star or conversion (k2). Pr is
    made at the constant rate o_ks. All is dimensionless; E + PfrX'E is constant.

    Reference: E. Schäfer (1975), "A new approach to explain the 'high irradiance responses' of
    photomorphogenesis on the basis of phytochrome", J. Math. Biology 2, 41-56; in the form of
    E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., p. 144.
    """
    binding = args.k_plus * y.pfr_xp * y.e
    release = (args.k2 + args.k_minus + args.k_star) * y.pfr_xp_e
    return {
        "pr": -args.k1 * y.pr + args.k2 * y.pfr + args.k6 * y.pr_x + args.o_ks,
        "pfr": args.k1 * y.pr - (args.k2 + args.k3) * y.pfr,
        "pr_x": -(args.k1 + args.k6) * y.pr_x + args.k2 * y.pfr_x + args.k5 * y.pr_xp,
        "pfr_x": args.k3 * y.pfr + args.k1 * y.pr_x - (args.k2 + args.k4) * y.pfr_x,
        "pr_xp": -(args.k1 + args.k5) * y.pr_xp + args.k2 * (y.pfr_xp + y.pfr_xp_e),
        "pfr_xp": -binding
        + args.k4 * y.pfr_x
        + args.k1 * y.pr_xp
        - args.k2 * y.pfr_xp
        + args.k_minus * y.pfr_xp_e,
        "pfr_xp_e": binding - release,
        "e": release - binding,
    }


def hires_invariants(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """The enzyme, free and bound (1)."""
    return {"total_enzyme": y.e + y.pfr_xp_e}


def chemical_akzo_nobel(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """Two species, FLB and ZHU, react under a flow of carbon dioxide; their complex is in balance.

    All is in mol/L and min, but for the pressure of carbon dioxide p_co2 in bar and its Henry
    constant in bar L/mol. The complex FLB.ZHU is algebraic: 0 = k_s [FLB][ZHU] - [FLB.ZHU].

    Reference: W. J. H. Stortelder (1998), Parameter Estimation in Nonlinear Dynamical Systems, CWI
    Tract 124, Amsterdam; as "Chemical Akzo Nobel problem" in F. Mazzia and C. Magherini (2008),
    Test Set for Initial Value Problem Solvers, release 2.4.
    """
    root = jnp.sqrt(y.carbon_dioxide)
    r1 = args.k1 * y.flb**4 * root
    r2 = args.k2 * y.flbt * y.zhu
    r3 = args.k2 / args.k_equilibrium * y.flb * y.zla
    r4 = args.k3 * y.flb * y.zhu**2
    r5 = args.k4 * y.flb_zhu**2 * root
    inflow = args.kl_a * (args.p_co2 / args.henry - y.carbon_dioxide)
    return {
        "flb": -2 * r1 + r2 - r3 - r4,
        "carbon_dioxide": -0.5 * r1 - r4 - 0.5 * r5 + inflow,
        "flbt": r1 - r2 + r3,
        "zhu": -r2 + r3 - 2 * r4,
        "zla": r2 - r3 + r5,
        "flb_zhu": args.k_s * y.flb * y.zhu - y.flb_zhu,
    }


def brusselator(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """The Brusselator, a chemical oscillator with a cubic autocatalytic step.

    dX/dt = a + X^2 Y - (b + 1) X, dY/dt = b X - X^2 Y, dimensionless; the steady state
    (a, b / a) is unstable for b > 1 + a^2.

    Reference: I. Prigogine and R. Lefever (1968), "Symmetry breaking instabilities in dissipative
    systems. II", J. Chem. Phys. 48, 1695-1700, https://doi.org/10.1063/1.1668896.
    """
    autocatalysis = y.x**2 * y.y
    return {
        "x": args.a + autocatalysis - (args.b + 1.0) * y.x,
        "y": args.b * y.x - autocatalysis,
    }
