"""The native engine: generated lane loops, compiled by Numba."""
