"""The typed program, and what is made of it: derivatives, the Jacobian, proportions.

A program computes scalars from scalars. Nothing knows of time steps, lanes or processors.
"""
