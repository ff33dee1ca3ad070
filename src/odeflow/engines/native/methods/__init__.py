"""A step as a program: the families of methods, their linear algebra, and the control of step size.

A file for each family. Nothing knows how many lanes there are or what runs them.
"""
