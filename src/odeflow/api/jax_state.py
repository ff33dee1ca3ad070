"""JAX at this moment: its 64-bit mode for as long as it is needed, and whether it traces."""

from contextlib import AbstractContextManager

import jax
import jax.numpy as jnp
from jax.core import Tracer


def in_float64() -> AbstractContextManager[None]:
    """A context in which JAX has 64-bit numbers, in this thread only."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax import experimental  # before JAX 0.8

    return experimental.enable_x64()  # pyright: ignore[reportAttributeAccessIssue]


def in_jit() -> bool:
    """Whether JAX is tracing a program, so that it runs none, not even one without arguments."""
    return isinstance(jnp.zeros(()), Tracer)
