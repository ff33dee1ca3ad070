"""The door for JAX users: `ensemble_solve` and `explain`, on Diffrax's own objects.

What a caller gives is mapped to a `Problem` and `Lanes`, which `engines.solve` solves as it does
for the workflow, and what comes out is a solution with the caller's own pytrees. A term, solver,
controller or option without a counterpart is refused by name. No file is read or written here but
compiled code, and nothing of JAX's global state is set.
"""
