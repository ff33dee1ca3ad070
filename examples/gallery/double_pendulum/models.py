import jax.numpy as jnp


def double_pendulum(t, y, args):
    u, v = speeds(y)
    pull = u * v * jnp.sin(y.upper - y.lower)
    return {
        "upper": u,
        "lower": v,
        "p_upper": -0.5 * (3 * jnp.sin(y.upper) + pull),
        "p_lower": -0.5 * (jnp.sin(y.lower) - pull),
    }


def speeds(y):
    c = jnp.cos(y.upper - y.lower)
    scale = 6 / (16 - 9 * c**2)
    return scale * (2 * y.p_upper - 3 * c * y.p_lower), scale * (8 * y.p_lower - 3 * c * y.p_upper)


def turned(t, y, args):
    return {"turned": jnp.maximum(jnp.abs(y.upper), jnp.abs(y.lower))}


def energy(t, y, args):
    u, v = speeds(y)
    height = 3 * jnp.cos(y.upper) + jnp.cos(y.lower)
    return {"energy": 0.5 * (u * y.p_upper + v * y.p_lower - height)}
