"""What is on the disk and how it gets there: whole or not at all.

NetCDF and Zarr, CSV and text, links, digests, the source of this package as text, the machine code
that is kept; and the error that says in one line what is wrong with what the user wrote. Nothing
here knows what an ODE is, and only `compiled` imports JAX, where a process runs it.
"""
