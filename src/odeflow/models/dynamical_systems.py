"""Small systems that dynamical systems theory is taught with: van der Pol, Lorenz."""

from typing import Any

from jax import Array


def van_der_pol(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """Van der Pol's oscillator, stiff where the damping parameter `mu` is large.

    x'' = mu (1 - x^2) x' - x as dx/dt = v, dv/dt = mu (1 - x^2) v - x, dimensionless.

    Reference: B. van der Pol (1926), "On relaxation-oscillations", The London, Edinburgh, and
    Dublin Philosophical Magazine 2, 978-992, https://doi.org/10.1080/14786442608564127.
    """
    return {"x": y.v, "v": args.mu * (1.0 - y.x**2) * y.v - y.x}


def lorenz63(t: Array, y: Any, args: Any) -> dict[str, Array]:
    """Lorenz's model of convection, chaotic at its usual parameters.

    dx/dt = sigma (y - x), dy/dt = x (rho - z) - y, dz/dt = x y - beta z, dimensionless:
    `sigma` is the Prandtl number, `rho` the Rayleigh number over its critical value.

    Reference: E. N. Lorenz (1963), "Deterministic nonperiodic flow", J. Atmos. Sci. 20, 130-141,
    equations 25 to 27.
    """
    return {
        "x": args.sigma * (y.y - y.x),
        "y": y.x * (args.rho - y.z) - y.y,
        "z": y.x * y.y - args.beta * y.z,
    }
