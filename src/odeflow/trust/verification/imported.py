"""The functions of an imported model, from its equations, by `formulas`: floats, no JAX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from odeflow.config.model import ModelConfig
from odeflow.config.observables import Observables
from odeflow.importers.expressions.expression import TIME, Call, Expression, Symbol, is_zero, names
from odeflow.importers.sbml.config import extended_system
from odeflow.importers.sbml.source import source_of
from odeflow.importers.sbml.system import System, assigned_to
from odeflow.trust.verification.event_functions import EventFunctions, Function
from odeflow.trust.verification.formulas import UnknownOperationError, compiled
from odeflow.trust.verification.inputs import GivenInputs


class ImportedFunctions:
    """Field, observables and events of an imported model. Raises where it cannot be done here."""

    def __init__(self, config: ModelConfig, study: Path, inputs: GivenInputs | None = None):
        source = source_of(config, study)
        assert source is not None
        observed = config.observables or Observables.model_validate({})
        system = extended_system(config.model_dump(mode="json"), source)
        if system.fast:
            raise UnknownOperationError("fast reactions")
        self._system, self._states = system, list(config.states)
        self._inputs, number = inputs, len(config.parameters)
        self._categories = slice(number, number + len(config.categories))
        self._places = {TIME: "t"}
        self._places |= {name: f"y[{i}]" for i, name in enumerate(config.states)}
        self._places |= {name: f"p[{i}]" for i, name in enumerate(config.parameters)}
        first = self._categories.stop
        self._told = config.time_after_dose is not None
        driving = [*config.inputs, *([config.time_after_dose] if self._told else [])]
        self._places |= {name: f"p[{first + i}]" for i, name in enumerate(driving)}
        # of a delay there are two numbers: what was, and how long before
        first += len(driving)
        self._places |= {name: f"p[{first + 2 * i}]" for i, name in enumerate(config.delays)}
        rates = [system.rates[name] for name in config.states]
        self.still = np.array([is_zero(rate) for rate in rates], bool)
        self.is_autonomous = not any({TIME, *driving} & self._read(rate) for rate in rates)
        self._rates = self._compiled(rates)
        self._notes = self._compiled(rates, with_notes=True)
        self._observed = self._compiled([system.assigned[name] for name in observed.variables])
        self.events = tuple(self._event(system, i) for i in range(len(system.events)))

    def _given(self, t: float, args: np.ndarray) -> list[float]:
        """The parameters, behind them inputs, the time after the last dose, what is delayed."""
        numbers = args.tolist()
        if self._inputs is None:
            return numbers
        end = self._categories.stop
        driving = self._inputs.values(t, numbers[self._categories])
        if not self._told:
            return numbers[:end] + driving + numbers[end:]
        return numbers[:end] + driving + [t - numbers[end]] + numbers[end + 1 :]

    def _compiled(self, results: Sequence[Expression], **named: Any) -> Callable[..., Any]:
        definitions = {
            name: x for name, x in self._system.assigned.items() if name not in self._places
        }
        return compiled(results, definitions, self._places, **named)

    def field(self, t: float, y: np.ndarray, args: np.ndarray) -> np.ndarray:
        """Time derivative of every state."""
        return np.array(self._rates(t, y.tolist(), self._given(t, args)), float)

    def observe(self, t: float, y: np.ndarray, args: np.ndarray) -> np.ndarray:
        """Every observable."""
        return np.array(self._observed(t, y.tolist(), self._given(t, args)), float)

    def notes(self, t: float, y: np.ndarray, args: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Margins and wholes of what the field compares."""
        return _as_notes(self._notes(t, y.tolist(), self._given(t, args)))

    def _event(self, system: System, number: int) -> EventFunctions:
        event = system.events[number]

        def scalar(expression: Expression | None) -> Function | None:
            if expression is None:
                return None
            function = self._compiled([expression])
            return lambda t, y, p: function(t, y.tolist(), self._given(t, p))[0]

        trigger = scalar(event.trigger)
        assert trigger is not None
        notes = self._compiled([event.trigger], with_notes=True)
        values = self._compiled(list(event.assignments.values()))
        new = {assigned_to(name): f"n[{i}]" for i, name in enumerate(event.assignments)}
        outer = self._places
        self._places = outer | new
        place = self._compiled(list(event.states.values()))
        self._places = outer
        targets = [self._states.index(name) for name in event.states]

        def placed(t: float, y: np.ndarray, p: np.ndarray, values: Any) -> np.ndarray:
            result = y.copy()
            result[targets] = place(t, y.tolist(), self._given(t, p), values)
            return result

        return EventFunctions(
            name=event.name,
            trigger=lambda t, y, p: bool(trigger(t, y, p)),
            notes=lambda t, y, p: _as_notes(notes(t, y.tolist(), self._given(t, p))),
            values=lambda t, y, p: values(t, y.tolist(), self._given(t, p)),
            placed=placed,
            delay=scalar(event.delay),
            priority=scalar(event.priority),
            uses_trigger_values=event.uses_trigger_values,
            persistent=event.persistent,
            initially_true=event.initially_true,
            asks_if_equal=self._asks_if_equal(event.trigger),
        )

    def _asks_if_equal(self, trigger: Expression) -> bool:
        moving = {name for name, still in zip(self._states, self.still) if not still}
        pending, seen = [trigger], set()
        while pending:
            expression = pending.pop()
            if id(expression) in seen:
                continue
            seen.add(id(expression))
            if isinstance(expression, Symbol) and expression.name in self._system.assigned:
                pending.append(self._system.assigned[expression.name])
            if isinstance(expression, Call):
                pending += expression.operands
                if expression.operation in ("eq", "ne") and self._read(expression) & moving:
                    return True
        return False

    def _read(self, expression: Expression) -> set[str]:
        """The names that an expression depends on, by way of others too."""
        found, pending = set(), [expression]
        while pending:
            for name in names(pending.pop()):
                if name not in found and name in self._system.assigned:
                    pending.append(self._system.assigned[name])
                found.add(name)
        return found


def _as_notes(notes: Any) -> tuple[np.ndarray, np.ndarray]:
    margins, wholes = notes
    return np.array(margins, float), np.array(wholes, float)
