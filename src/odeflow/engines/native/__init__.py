"""The engine that compiles a model and its method to one loop over SIMD lanes.

`frontend` makes a program of a jaxpr, `program` holds and changes it, `methods` write a step of it,
`loop` the lanes around the step, and `targets` make machine code for a CPU or for CUDA.
"""
