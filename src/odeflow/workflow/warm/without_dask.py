"""Dask, which xarray imports to ask whether an array is one of Dask's: a quarter of a second.

As long as nobody has imported it there are none, and importing this module has xarray know that.
It asks again as soon as anything does import Dask: xarray itself, too, to cut arrays into chunks.
"""

import sys
from contextlib import suppress
from importlib.abc import MetaPathFinder
from typing import Any

_DASK = "dask"
#: What imports Dask, or asks before it does whether it is installed.
_USED_BY = {_DASK, "xarray.namedarray.daskmanager"}


class _AskAgain(MetaPathFinder):
    """Finds no module; has xarray ask once more where one that uses Dask is looked for."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        """None: others find it."""
        if fullname in _USED_BY and self in sys.meta_path:
            sys.meta_path.remove(self)
            _forget()


def _forget() -> None:
    from xarray.namedarray import pycompat, utils

    utils.module_available.cache_clear()
    pycompat._cached_duck_array_modules.pop(_DASK, None)


def _put_off() -> None:
    import xarray  # noqa: F401  all that it asks while it is imported, it is to know
    from xarray.namedarray import pycompat, utils

    if _DASK in sys.modules:
        return
    _forget()
    sys.modules[_DASK] = None  # type: ignore[assignment]  # as it says what cannot be imported
    try:
        utils.module_available(_DASK)
        pycompat.array_type(_DASK)
    finally:
        del sys.modules[_DASK]
    sys.meta_path.insert(0, _AskAgain())


with suppress(ImportError, AttributeError):  # another xarray than the one this is written for
    _put_off()
