"""The checker is named in pytest's `addopts`, which finds it as an attribute of this package."""

from tests.support import checked_shapes as checked_shapes
