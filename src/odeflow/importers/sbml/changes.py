"""What experiments change in a model: further initial assignments and events beside the file's.

A change at the start decides on what a quantity starts from, as an initial assignment does; a later
one is an event of its time. Both happen where the parameter `by` has the number of the experiment.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from odeflow.files.errors import ConfigError
from odeflow.importers.expressions.expression import TIME, Call, Expression, Number, Symbol, call

#: Before all events that the file has: what an experiment changes comes first.
_FIRST = Number(float("inf"))


@dataclass(frozen=True)
class Change:
    """Under an experiment quantities, by their ids, take the values of formulas.

    `time` is None for the start. Where the parameter `by` is `-number`, the experiment has not
    begun: its start holds, and no later change happens.
    """

    by: str
    number: int
    time: float | None
    formulas: tuple[tuple[str, str], ...]


def changes_of(model: Mapping[str, Any]) -> tuple[Change, ...]:
    """The changes that a `model` group lists; what the schema refuses is left out."""
    given = model.get("changes")
    records = [x for x in given if isinstance(x, Mapping)] if isinstance(given, list) else []
    return tuple(
        Change(str(x.get("by")), x.get("number", 0), x.get("time"), (*x["formulas"].items(),))
        for x in records
        if isinstance(x.get("formulas"), Mapping)
    )


class Changes:
    """The changes as expressions over the quantities of one model.

    Arguments:
        changes: what is changed.
        known: the quantity that each name in a formula stands for.
    """

    def __init__(self, changes: Iterable[Change], known: Mapping[str, str]):
        self._changes = tuple(changes)
        self._known = known
        for one in self._changes:
            if one.by not in known:
                raise ConfigError(
                    f"model.changes: by: {one.by!r} is not a parameter; add it to "
                    "model.parameters, with added: true"
                )

    @property
    def targets(self) -> set[str]:
        """Ids of all that changes."""
        return {identifier for one in self._changes for identifier, _ in one.formulas}

    @property
    def later(self) -> set[str]:
        """Ids of what changes after the start."""
        later = (one for one in self._changes if one.time is not None)
        return {identifier for one in later for identifier, _ in one.formulas}

    def start(self, identifier: str, own: Expression | None) -> Expression | None:
        """What a quantity starts from, `own` under no experiment; its name means that."""
        result = own
        for one in self._changes:
            if one.time is None and identifier in dict(one.formulas):
                base = Number(0.0) if own is None else own
                given = self._parsed(one, identifier)
                given = _replaced(given, self._known[identifier], base)
                number = call("abs", Symbol(one.by))
                result = call("select", _is(number, one.number), given, result or base)
        return result

    def events(self) -> Iterator[tuple[str, Expression, dict[str, Expression]]]:
        """Name, trigger and new values, by id, of each later change."""
        for one in self._changes:
            if one.time is not None:
                due = call("ge", Symbol(TIME), Number(one.time))
                here = _is(Symbol(one.by), one.number)
                values = {
                    identifier: self._parsed(one, identifier) for identifier, _ in one.formulas
                }
                name = f"change at {one.time:g} where {one.by} is {one.number}"
                yield name, call("and", here, due), values

    @property
    def priority(self) -> Expression:
        """That of the events."""
        return _FIRST

    def _parsed(self, change: Change, identifier: str) -> Expression:
        from odeflow.importers.sbml.formulas import parse_formula
        from odeflow.importers.sbml.mathml import MathError

        try:
            return parse_formula(dict(change.formulas)[identifier], self._known)
        except MathError as error:
            raise ConfigError(f"model.changes: {identifier}: {error}") from None


def _is(value: Expression, number: int) -> Expression:
    """Whether a value is a whole number."""
    distance = call("abs", call("sub", value, Number(float(number))))
    return call("lt", distance, Number(0.5))


def _replaced(expression: Expression, name: str, by: Expression) -> Expression:
    """An expression with another one in place of a name."""
    if isinstance(expression, Symbol):
        return by if expression.name == name else expression
    if isinstance(expression, Call):
        operands = (_replaced(x, name, by) for x in expression.operands)
        return call(expression.operation, *operands)
    return expression
