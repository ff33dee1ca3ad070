"""Compiled code that is kept: in a folder that only the user writes to, and checked before use.

`folder` says which folder, `store` what is in it; `numba_cache` and `jax_cache` make the two
compilers keep their code there and nowhere else. Nothing of a model is known here.
"""
