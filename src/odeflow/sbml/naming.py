"""SBML's ids as names that a dataset and Python can have."""

from collections.abc import Iterable

from odeflow.config.base import check_variable_name


def dataset_names(identifiers: Iterable[str]) -> dict[str, str]:
    """Each id's name: the id itself where it can be one.

    Else without leading underscores, and with one at the end where it is a keyword (`lambda_`),
    reserved for the dataset (`time_`) or taken.
    """
    identifiers = list(identifiers)
    names = {x: x for x in identifiers if _is_usable(x)}
    for identifier in identifiers:
        if identifier not in names:
            names[identifier] = free_name(identifier, names.values())
    return names


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """A usable name like the one that is wanted, not among those taken."""
    taken = set(taken)
    name = wanted.lstrip("_")
    if not name or not name[0].isalpha():
        name = f"x{name}"
    while not _is_usable(name) or name in taken:
        name += "_"
    return name


def _is_usable(name: str) -> bool:
    try:
        check_variable_name(name)
    except ValueError:
        return False
    return True
