"""Which cases of a parametrised test the default run has."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def fast(keep: Collection[Any], every: Iterable[Any]) -> list[Any]:
    """All cases; those that are not in `keep` are for the slow tests."""
    return [
        case
        if case in keep
        else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
        for case in every
    ]
