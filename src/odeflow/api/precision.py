"""JAX's 64-bit mode for as long as it is needed, and never for the caller."""

from contextlib import AbstractContextManager

import jax


def in_float64() -> AbstractContextManager[None]:
    """A context in which JAX has 64-bit numbers, in this thread only."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax import experimental  # before JAX 0.8

    return experimental.enable_x64()  # pyright: ignore[reportAttributeAccessIssue]
