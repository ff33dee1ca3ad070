"""A user's function of complex states, called with the real ones that stand for them."""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from odeflow.config.complex_states import own_states, part_names


@dataclass(frozen=True, eq=False)
class WithComplex:
    """Calls `function(t, y, args)` with complex numbers in y for pairs of states of the model.

    `states` are the model's, in order, and `names` those that are complex. What the function
    returns for one of these is given as two; anything else is left as it is. `join` makes complex
    numbers of real and imaginary parts, `split` these of complex numbers.
    """

    function: Callable[..., Any]
    states: Sequence[str]
    names: Sequence[str]
    join: Callable[[Any, Any], Any]
    split: Callable[[Any], tuple[Any, Any]]

    def __call__(self, t: Any, y: Any, args: Any, *more: Any) -> Any:
        """What the function returns, in real numbers."""
        return self._real(self.function(t, self._complex(y), args, *more))

    def _complex(self, y: Any) -> Any:
        known = dict(zip(self.states, y))
        for name in self.names:
            known[name] = self.join(*(known[part] for part in part_names(name)))
        return self._record(*(known[name] for name in self._record._fields))

    def _real(self, result: Any) -> Any:
        if isinstance(result, tuple | list) and len(result) == len(self._record._fields):
            result = dict(zip(self._record._fields, result))
        if not isinstance(result, Mapping):
            return result
        found: dict[Any, Any] = {}
        for name, value in result.items():
            if name in self.names:
                found |= dict(zip(part_names(name), self.split(value)))
            else:
                found[name] = value
        return found

    @cached_property
    def _record(self) -> Any:
        return namedtuple("state", own_states(self.states, self.names))
