"""Vector fields and observables of the models that `test_stop_sensitivities` stops."""

import jax.numpy as jnp


def growth(t, y, args):
    """Exponential growth and its integral."""
    return {"x": args.k * y.x, "other": y.x}
