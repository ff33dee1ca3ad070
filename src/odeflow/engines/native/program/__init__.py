"""The typed program, and what it is as text: its statements, what is shared, proportions.

A program computes scalars from scalars. Nothing knows of JAX, time steps, lanes or processors.
"""
