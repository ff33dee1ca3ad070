"""Variables within the last step of a lane: at its nodes, and as coefficients of a polynomial."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from odeflow.engines.native.frontend.field import field_at, observables_program
from odeflow.engines.native.frontend.names import (
    component_labels,
    observable_labels,
    scalar_labels,
)
from odeflow.engines.native.frontend.translate import translate
from odeflow.engines.native.loop.delay_history import DelayHistory, LaneParameters
from odeflow.engines.native.loop.last_step import (
    LastStep,
    last_step,
    number_of_coefficients,
)
from odeflow.engines.native.methods.stepper import Inside, Start, Stepped, Stepper
from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.value import Value, inlined, weighted_sum
from odeflow.problem.lobatto import bernstein_basis
from odeflow.problem.problem import Problem
from odeflow.problem.reductions import controls


class StepView:
    """States and observables of these names within the last step, by the labels of scalars.

    `is_cut` says whether a step can be cut short after it was taken.
    """

    def __init__(self, problem: Problem, stepper: Stepper, variables: Sequence[str]):
        self._problem, self._stepper, model = problem, stepper, problem.model
        self.history = DelayHistory(problem, stepper)
        self.is_cut = bool(problem.guards)
        self.components = component_labels(model)
        self._observables = observable_labels(model, variables)

    def labels(self, variable: str) -> list[str]:
        """Those of a variable's scalars."""
        return scalar_labels(self._problem.model, variable, self._observables)

    def number_of_controls(self, variable: str) -> int:
        """How many coefficients in Bernstein's basis each scalar of a variable has."""
        if self.is_state(variable):
            return number_of_coefficients(self._stepper, len(self.components))
        return len(self._problem.nodes)

    def is_state(self, variable: str) -> bool:
        """Whether a variable is a state, and no observable."""
        return variable in self._problem.model.declared.states

    def step(self, b: LaneBuilder) -> LastStep:
        """The last step of a lane; one in which a guard fires ends there."""
        inside = last_step(b, self._stepper, len(self.components))
        cut = b.row("cut") if self.is_cut else None
        length = inside.h if cut is None else inside.h * cut
        return LastStep(b, b.row("step_start"), b.row("t"), length, cut, inside, self._stepper)

    def taken(self, b: LaneBuilder, start: Start, stepped: Stepped) -> LastStep:
        """A step that is being taken, and that nothing can cut."""
        inside = Inside(start.h, start.y, stepped.candidate, stepped.dense)
        known = stepped.controls
        return LastStep(b, start.t, start.t_next, start.h, None, inside, self._stepper, known)

    def controls(
        self, step: LastStep, wanted: Collection[str], at_nodes: Sequence[Mapping[str, Value]]
    ) -> dict[str, list[Value]]:
        """Coefficients in Bernstein's basis of scalars over a step: those wanted of the state, and
        all observables, of their values at the nodes.
        """
        places = [i for i, name in enumerate(self.components) if name in wanted]
        result = {self.components[i]: step.controls(i) for i in places}
        if self._observables:
            names = [f"v{k}" for k in range(len(at_nodes))]
            made = translate(lambda *values: controls(values), names, self._problem.dtype)
            for name in self._observables.values():
                given = {node: values[name] for node, values in zip(names, at_nodes)}
                result[name] = inlined(step.builder, made, given)
        return result

    def at_nodes(self, step: LastStep) -> list[dict[str, Value]]:
        """The scalars at the nodes of a step."""
        last = len(self._problem.nodes) - 1
        parameters, result = self.within(step), []
        for k, node in enumerate(self._problem.nodes):
            y = step.inside.y if k == 0 else step.end() if k == last else step.state(node)
            time = {0: step.start, last: step.until}.get(k)
            if time is None:
                time = step.start + node * step.length
            result.append(self.scalars(time, y, parameters))
        return result

    def values(self, controls: Sequence[Value]) -> list[Value]:
        """A state at the nodes of a step, of its coefficients in Bernstein's basis."""
        start, *later = controls
        changes = [x - start for x in later]
        basis = bernstein_basis(len(later), self._problem.nodes[1:-1])
        inner = [start + weighted_sum(weights[1:], changes) for weights in basis]
        return [start, *inner, controls[-1]]

    def within(self, step: LastStep) -> LaneParameters:
        """The parameters at a time of a step."""
        return self.history.within(step.builder, step.start, step.until)

    def scalars(
        self, time: Value, y: Sequence[Value], parameters: LaneParameters
    ) -> dict[str, Value]:
        """All components, and the observables, at a state."""
        values = dict(zip(self.components, y))
        if self._observables:
            problem = self._problem
            program = observables_program(problem.model, list(self._observables), problem.dtype)
            found = field_at(program, time, y, parameters(time))
            values |= dict(zip(self._observables.values(), found))
        return values
