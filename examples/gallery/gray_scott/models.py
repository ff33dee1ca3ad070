import jax.numpy as jnp

PLACE = jnp.arange(48)
ROW, COLUMN = jnp.meshgrid(PLACE, PLACE, indexing="ij")
SQUARE = (abs(ROW - 23.5) < 6) & (abs(COLUMN - 23.5) < 6)
SEED = jnp.where(SQUARE, 1 + 0.01 * jnp.sin(ROW * COLUMN), 0.0)
SPACING = 2.5 / 256


def spread(a):
    around = sum(jnp.roll(a, step, axis) for step in (-1, 1) for axis in (0, 1))
    return (around - 4 * a) / SPACING**2


def gray_scott(t, y, args):
    seed = jnp.where(t < 1, SEED, 0.0)  # puts the square there, in the first second
    turned = y.u * y.v**2
    return {
        "u": 2e-5 * spread(y.u) - turned + args.feed * (1 - y.u) - 0.5 * seed,
        "v": 1e-5 * spread(y.v) + turned - (args.feed + args.kill) * y.v + 0.25 * seed,
    }


def covered(t, y, args):
    return {"covered": jnp.mean(y.v)}
