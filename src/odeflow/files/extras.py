"""What to install where a package of an extra is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from odeflow.files.errors import ConfigError

#: The extra that brings a package, by the name that it is imported by.
EXTRAS = {
    **dict.fromkeys(
        (
            "hydra",
            "jinja2",
            "markupsafe",
            "matplotlib",
            "netCDF4",
            "omegaconf",
            "pyarrow",
            "snakemake",
            "snakemake_interface_logger_plugins",
        ),
        "workflow",
    ),
    **dict.fromkeys(("antimony", "libsbml"), "sbml"),
    **dict.fromkeys(("dask", "zarr"), "zarr"),
    **dict.fromkeys(("bokeh", "panel", "param"), "explore"),
}


class MissingPackageError(ConfigError, ImportError):
    """A package that is not installed, and the extra that brings it."""


@contextmanager
def needed(by: str) -> Iterator[None]:
    """Raises MissingPackageError, one line, where a package of an extra is not there to import.

    Arguments:
        by: what needs it, as the message calls it.
    """
    try:
        yield
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        raise MissingPackageError(
            f"{by}: it needs the package {package}: pip install 'odeflow[{EXTRAS[package]}]'"
        ) from None
