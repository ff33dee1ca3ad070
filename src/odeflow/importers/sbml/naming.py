"""SBML's ids as names that a dataset and Python can have."""

import re
from collections.abc import Iterable, Iterator

from odeflow.config.base import LONGEST_NAME, check_variable_name


def dataset_names(identifiers: Iterable[str]) -> dict[str, str]:
    """Each id's name: the id itself where it can be one.

    Else without leading underscores, and with one at the end where it is a keyword (`lambda_`),
    reserved for the dataset (`time_`) or taken. One that is too long is cut.
    """
    identifiers = list(identifiers)
    names = {x: x for x in identifiers if _is_usable(x)}
    taken = set(names.values())
    for identifier in identifiers:
        if identifier not in names:
            names[identifier] = free_name(identifier, taken)
            taken.add(names[identifier])
    return names


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """A usable name like the one that is wanted, not among those taken."""
    taken = taken if isinstance(taken, set) else set(taken)
    name = re.sub(r"[^0-9A-Za-z_]", "_", wanted).lstrip("_")
    if not name or not name[0].isalpha():
        name = f"x{name}"
    for suffix in _suffixes(len(name) > LONGEST_NAME):
        candidate = name[: LONGEST_NAME - len(suffix)] + suffix
        if _is_usable(candidate) and candidate not in taken:
            return candidate
    raise AssertionError("there is always one more suffix")


def _suffixes(is_cut: bool) -> Iterator[str]:
    """What tells a name from others: underscores, and numbers where many look alike."""
    yield ""
    if not is_cut:
        yield from ("_", "__")
    number = 2
    while True:
        yield f"_{number}"
        number += 1


def _is_usable(name: str) -> bool:
    try:
        check_variable_name(name)
    except ValueError:
        return False
    return True
