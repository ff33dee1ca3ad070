"""Excitable membranes: FitzHugh-Nagumo, Hodgkin-Huxley."""

from typing import Any

import jax.numpy as jnp
from jax import Array


def fitzhugh_nagumo(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """The two-variable caricature of a neuron.

    dv/dt = v - v^3 / 3 - w + i_ext, dw/dt = (v + a - b w) / tau, dimensionless: v is the membrane
    potential, w its recovery, `i_ext` the stimulus, `tau` the ratio of the two time scales.

    Reference: R. FitzHugh (1961), "Impulses and physiological states in theoretical models of
    nerve membrane", Biophys. J. 1, 445-466, https://doi.org/10.1016/S0006-3495(61)86902-6.
    """
    return {
        "v": y.v - y.v**3 / 3.0 - y.w + args.i_ext,
        "w": (y.v + args.a - args.b * y.w) / args.tau,
    }


def hodgkin_huxley(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """The squid giant axon at 6.3 degrees Celsius, space-clamped.

    c_m dv/dt = i_ext - i_na - i_k - i_l, and dg/dt = alpha_g(v) (1 - g) - beta_g(v) g for the
    gates g = m, h, n. The potential v is in mV in the modern convention (inside minus outside, at
    rest about -65 mV, so v = -65 - V of the paper), currents in uA/cm2, conductances in mS/cm2,
    c_m in uF/cm2, t in ms.

    Reference: A. L. Hodgkin and A. F. Huxley (1952), "A quantitative description of membrane
    current and its application to conduction and excitation in nerve", J. Physiol. 117, 500-544,
    https://doi.org/10.1113/jphysiol.1952.sp004764, equations 26 and 12 to 24, Table 3.
    """
    currents = hodgkin_huxley_observables(t, y, args)
    alpha_m = _linear_exponential((y.v + 40.0) / 10.0)
    beta_m = 4.0 * jnp.exp(-(y.v + 65.0) / 18.0)
    alpha_h = 0.07 * jnp.exp(-(y.v + 65.0) / 20.0)
    beta_h = 1.0 / (1.0 + jnp.exp(-(y.v + 35.0) / 10.0))
    alpha_n = 0.1 * _linear_exponential((y.v + 55.0) / 10.0)
    beta_n = 0.125 * jnp.exp(-(y.v + 65.0) / 80.0)
    return {
        "v": (args.i_ext - currents["i_na"] - currents["i_k"] - currents["i_l"]) / args.c_m,
        "m": alpha_m * (1.0 - y.m) - beta_m * y.m,
        "h": alpha_h * (1.0 - y.h) - beta_h * y.h,
        "n": alpha_n * (1.0 - y.n) - beta_n * y.n,
    }


def hodgkin_huxley_observables(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """Sodium, potassium and leak currents (uA/cm2), outward positive."""
    return {
        "i_na": args.g_na * y.m**3 * y.h * (y.v - args.e_na),
        "i_k": args.g_k * y.n**4 * (y.v - args.e_k),
        "i_l": args.g_l * (y.v - args.e_l),
    }


def _linear_exponential(x: Array) -> Array:
    """The function x / (1 - exp(-x)), with its series around the removable singularity at 0.

    The quotient never sees a small x, so that its derivative is sound on both sides too.
    """
    small = jnp.abs(x) < 1e-4
    safe = jnp.where(small, 1.0, x)
    return jnp.where(small, 1.0 + x / 2.0 + x**2 / 12.0, -safe / jnp.expm1(-safe))
