"""Where what ships with the package is: the Snakefile, `config/` and `workflow/`.

A checkout has them beside `src/`, a wheel within the package. Only this module knows.
"""

from pathlib import Path

from odeflow.files.source_code import PACKAGE

_IN_WHEEL = PACKAGE / "_share"


def shipped() -> Path:
    """The folder that has the Snakefile, `config/` and `workflow/`; nothing is written there."""
    return _IN_WHEEL if _IN_WHEEL.is_dir() else PACKAGE.parents[1]


def source_folder() -> Path | None:
    """The checkout's `src/`, which jobs are told to import from.

    None for an installed odeflow: other processes of the environment find that by themselves, and
    its neighbours there must not come before Python's own modules.
    """
    return None if _IN_WHEEL.is_dir() else PACKAGE.parent
