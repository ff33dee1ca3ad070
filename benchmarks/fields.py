"""The vector fields once more, as people write them for other tools.

Each is a function of `(t, y, p)` over sequences of numbers that returns a tuple: plain Python for
SciPy, compiled by Numba for numbalsoda, stacked into an array for `diffeqsolve`. The order of y and
p is that of the model. A test holds each against the model's own vector field.
"""

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from numba.extending import register_jitable

from benchmarks import antimony_models

Field = Callable[[Any, Any, Any], Any]


def michaelis_menten(t, y, p):
    d = -y[1] * p[0] * y[0] / (p[1] + y[0])
    return d, -0.09 * d


def lorenz63(t, y, p):
    return (
        p[0] * (y[1] - y[0]),
        y[0] * (p[1] - y[2]) - y[1],
        y[0] * y[1] - p[2] * y[2],
    )


def robertson(t, y, p):
    a, b, c = p[0] * y[0], p[1] * y[1] * y[1], p[2] * y[1] * y[2]
    return c - a, a - b - c, b


def hires(t, y, p):
    k1, k2, k3, k4, k5, k6, k_plus, k_minus, k_star, o_ks = p
    binding = k_plus * y[5] * y[7]
    release = (k2 + k_minus + k_star) * y[6]
    return (
        -k1 * y[0] + k2 * y[1] + k6 * y[2] + o_ks,
        k1 * y[0] - (k2 + k3) * y[1],
        -(k1 + k6) * y[2] + k2 * y[3] + k5 * y[4],
        k3 * y[1] + k1 * y[2] - (k2 + k4) * y[3],
        -(k1 + k5) * y[4] + k2 * (y[5] + y[6]),
        -binding + k4 * y[3] + k1 * y[4] - k2 * y[5] + k_minus * y[6],
        binding - release,
        release - binding,
    )


def pollution(t, y, p):
    no2, no, o3p, o3, ho2, oh, hcho, _, ald, meo2, c2o3, _, pan, ch3o, _, o1d = y[:16]
    so2, _, no3, n2o5 = y[16:20]
    r1, r2, r3 = p[0] * no2, p[1] * no * o3, p[2] * ho2 * no
    r4, r5, r6 = p[3] * hcho, p[4] * hcho, p[5] * hcho * oh
    r7, r8, r9 = p[6] * ald, p[7] * ald * oh, p[8] * c2o3 * no
    r10, r11, r12 = p[9] * c2o3 * no2, p[10] * pan, p[11] * meo2 * no
    r13, r14, r15 = p[12] * ch3o, p[13] * no2 * oh, p[14] * o3p
    r16, r17, r18 = p[15] * o3, p[16] * o3, p[17] * o1d
    r19, r20, r21 = p[18] * o1d, p[19] * so2 * oh, p[20] * no3
    r22, r23, r24, r25 = p[21] * no3, p[22] * no2 * o3, p[23] * no3 * no2, p[24] * n2o5
    return (
        r2 + r3 + r9 + r11 + r12 + r22 + r25 - r1 - r10 - r14 - r23 - r24,
        r1 + r21 - r2 - r3 - r9 - r12,
        r1 + r17 + r19 + r22 - r15,
        r15 - r2 - r16 - r17 - r23,
        2.0 * r4 + r6 + r7 + r13 + r20 - r3,
        r3 + 2.0 * r18 - r6 - r8 - r14 - r20,
        r13 - r4 - r5 - r6,
        r4 + r5 + r6 + r7,
        -r7 - r8,
        r7 + r9 - r12,
        r8 + r11 - r9 - r10,
        r9,
        r10 - r11,
        r12 - r13,
        r14,
        r16 - r18 - r19,
        -r20,
        r20,
        r23 + r25 - r21 - r22 - r24,
        r24 - r25,
    )


def kepler(t, y, p):
    pull = -p[0] * (y[0] * y[0] + y[1] * y[1]) ** -1.5
    return y[2], y[3], pull * y[0], pull * y[1]


def arenstorf(t, y, p):
    mu = p[0]
    pull1 = (1.0 - mu) * ((y[0] + mu) ** 2 + y[1] * y[1]) ** -1.5
    pull2 = mu * ((y[0] - (1.0 - mu)) ** 2 + y[1] * y[1]) ** -1.5
    return (
        y[2],
        y[3],
        y[0] + 2.0 * y[3] - pull1 * (y[0] + mu) - pull2 * (y[0] - (1.0 - mu)),
        y[1] - 2.0 * y[2] - pull1 * y[1] - pull2 * y[1],
    )


def van_der_pol(t, y, p):
    return y[1], p[0] * (1.0 - y[0] * y[0]) * y[1] - y[0]


def pk_one_compartment(t, y, p):
    absorbed = p[0] * y[0]
    return -absorbed, absorbed - p[1] / p[2] * y[1]


@register_jitable
def _gate(x):
    """The function x / (1 - exp(-x))."""
    return 1.0 + x / 2.0 + x * x / 12.0 if abs(x) < 1e-4 else -x / math.expm1(-x)


def _gate_array(x):
    safe = jnp.where(jnp.abs(x) < 1e-4, 1.0, x)
    return jnp.where(jnp.abs(x) < 1e-4, 1.0 + x / 2.0 + x * x / 12.0, -safe / jnp.expm1(-safe))


def _hodgkin_huxley(exp: Any, gate: Any) -> Field:
    def field(t, y, p):
        v, m, h, n = y
        i_ext, c_m, g_na, g_k, g_l, e_na, e_k, e_l = p
        current = g_na * m**3 * h * (v - e_na) + g_k * n**4 * (v - e_k) + g_l * (v - e_l)
        alpha_m, beta_m = gate((v + 40.0) / 10.0), 4.0 * exp(-(v + 65.0) / 18.0)
        alpha_h, beta_h = 0.07 * exp(-(v + 65.0) / 20.0), 1.0 / (1.0 + exp(-(v + 35.0) / 10.0))
        alpha_n, beta_n = 0.1 * gate((v + 55.0) / 10.0), 0.125 * exp(-(v + 65.0) / 80.0)
        return (
            (i_ext - current) / c_m,
            alpha_m * (1.0 - m) - beta_m * m,
            alpha_h * (1.0 - h) - beta_h * h,
            alpha_n * (1.0 - n) - beta_n * n,
        )

    return field


def _ring_array(t, y, p):
    inward, outward = jnp.roll(y, 1), jnp.roll(y, -1)
    return p[0] / (1.0 + outward**2) - y + p[1] * (inward - y) / (1.0 + y**2)


def write_ring(dy, y, p):
    """The ring's derivative written into `dy`: a loop, as for a tool that takes pointers."""
    n = len(dy)
    for i in range(n):
        right, left, here = y[(i + 1) % n], y[i - 1 if i else n - 1], y[i]
        dy[i] = p[0] / (1.0 + right * right) - here + p[1] * (left - here) / (1.0 + here * here)


_FIELDS = {
    f.__name__: f
    for f in (
        michaelis_menten,
        lorenz63,
        robertson,
        hires,
        pollution,
        kepler,
        arenstorf,
        van_der_pol,
        pk_one_compartment,
    )
}


def scalar_field(name: str) -> Field:
    """The field as plain Python over numbers; Numba compiles it too. The ring has `write_ring`."""
    if name == "hodgkin_huxley":
        return _hodgkin_huxley(math.exp, _gate)
    return _FIELDS[name] if name in _FIELDS else antimony_models.field(name)


def array_field(name: str) -> Field:
    """The field for `diffeqsolve`, with y and p arrays of shapes (n,) and (parameters,)."""
    if name == "ring":
        return _ring_array
    own = name == "hodgkin_huxley"
    field = _hodgkin_huxley(jnp.exp, _gate_array) if own else scalar_field(name)
    return lambda t, y, p: jnp.stack(field(t, y, p))
