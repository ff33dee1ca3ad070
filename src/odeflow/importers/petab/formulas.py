"""Formulas of PEtab's tables as text: their words, and other names in place of some."""

import re
from collections.abc import Mapping


def renamed(formula: str, names: Mapping[str, str]) -> str:
    """A formula with some of its names replaced."""
    word = r"(?<![\w.])[A-Za-z_]\w*"
    return re.sub(word, lambda found: names.get(found.group(), found.group()), formula)


def words(formula: str) -> set[str]:
    """The names in a formula, and all else that looks like one."""
    return {*"".join(c if c.isalnum() or c == "_" else " " for c in formula).split()}
