"""The engine that solves through Diffrax: any JAX function, any of its methods, any device.

`engine` solves blocks of lanes; `restarts` and `reducing` are what happens on the way, as a solver
wrapped around Diffrax's own. It is the reference that the native engine is compared with.
"""
