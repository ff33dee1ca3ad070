import jax.numpy as jnp


def lotka_volterra(t, y, args):
    hare = (args.alpha - args.beta * y.lynx) * y.hare
    lynx = (args.delta * y.hare - args.gamma) * y.lynx
    return {"hare": hare, "lynx": lynx}


def logs(t, y, args):
    return {"log_hare": jnp.log(y.hare), "log_lynx": jnp.log(y.lynx)}
