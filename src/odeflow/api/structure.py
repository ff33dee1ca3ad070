"""What decides the program of a call: two calls of one structure differ in numbers only."""

from typing import Any, NamedTuple

from odeflow.api.layout import PytreeLayout
from odeflow.api.same import Same


class ConditionKeywords:
    """What Diffrax shows a condition beside (t, y, args), and a key for its values."""

    def __init__(self, keywords: dict[str, Any], key: tuple[Any, ...]):
        self.keywords, self._key = keywords, key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConditionKeywords) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


class Structure(NamedTuple):
    """What decides the program: two calls of one structure differ in numbers only.

    `words` are the keys of the solver that are not numbers, `given` the names of its numbers,
    `loose` whether its tolerance is one at which steps may be wild. `fn` is what is saved, None for
    the state. `event` is `(condition, direction, inside)`, and `seen` what it may look at.
    """

    field: Same
    y: PytreeLayout
    args: PytreeLayout
    words: tuple[tuple[str, Any], ...]
    given: tuple[str, ...]
    loose: bool
    ends_only: bool
    fn: Same | None
    event: tuple[Same, bool | None, bool] | None
    seen: ConditionKeywords | None
    precision: str
    wanted: str
