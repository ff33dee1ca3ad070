"""Compiled code that is kept: a folder of the user's alone, entries that are checked before use.

`folder` says which folder, `store` what is in it; `numba_cache` and `jax_cache` make the two
compilers keep their code there and nowhere else. Nothing of a model is known here.
"""
