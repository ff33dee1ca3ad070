"""From the user's functions to programs over scalars: one module for each kind of primitive.

What cannot be translated is refused here, with the user's line. Nothing knows of steps or lanes.
"""
