import jax
import jax.numpy as jnp


def tendency(x, forcing):
    return (jnp.roll(x, -1) - jnp.roll(x, 2)) * jnp.roll(x, 1) - x + forcing


def lorenz96(t, y, args):
    kick = jnp.zeros(40).at[0].set(jnp.where(t < 1, 1.0, 0.0))
    dx, de = jax.jvp(lambda x: tendency(x, args.forcing), (y.x,), (y.error,))
    rate = jnp.sum(y.error * de)
    return {"x": dx + 0.01 * kick, "error": de - rate * y.error + kick, "growth": rate}


def exponent(t, y, args):
    return {"exponent": y.growth / jnp.maximum(t, 1.0)}
