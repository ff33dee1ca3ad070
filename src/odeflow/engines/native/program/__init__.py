"""The typed program, kept as data: its operations, what is shared, what a lane reads and writes.

A program computes scalars from scalars. Nothing knows of JAX, time steps or processors.
"""
