"""The engine that compiles a model and its method to one loop over SIMD lanes.

`program` is what is computed, `frontend` makes it of the user's functions, `methods` write a step
of it, `targets` make machine code for a CPU or for CUDA, and `loop` puts the lanes around the step.
Each may import those before it, except that `methods` and `targets` know nothing of one another.
"""
