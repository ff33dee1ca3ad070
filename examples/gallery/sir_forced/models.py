import jax.numpy as jnp


def seir(t, y, args):
    contacts = args.contacts * (1 + args.forcing * jnp.cos(2 * jnp.pi * t))
    exposed, infectious = jnp.exp(y.log_exposed), jnp.exp(y.log_infectious)
    new = contacts * y.susceptible * infectious
    return {
        "susceptible": args.births * (1 - y.susceptible) - new,
        "log_exposed": new / exposed - args.births - args.latency,
        "log_infectious": args.latency * exposed / infectious - args.births - args.recovery,
    }
