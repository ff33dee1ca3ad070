"""Doses as their derivatives see them: what they change, what is given, and what beside an axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from odeflow.files.errors import ConfigError
from odeflow.problem.clock import Clock
from odeflow.problem.doses import Dose
from odeflow.problem.model import Model
from odeflow.problem.problem import JumpTargets, Lanes
from odeflow.problem.transforms.dose_changes import Axes, DoseChange, dose_changes
from odeflow.problem.transforms.doses import Targets, dose_targets, jump_targets


@runtime_checkable
class GivenDoses(Protocol):
    """What is given to some lanes, and beside them: along an axis shifted by some amount."""

    def value(self, axis: str) -> np.ndarray:
        """The value of an axis, by lane."""
        ...

    def fits(self, axis: str, shift: np.ndarray) -> np.ndarray:
        """In which lanes it is possible, and as many things are given, beside an axis."""
        ...

    def changes(self, axis: str | None = None, shift: Any = 0.0) -> dict[Any, DoseChange]:
        """The changes in their order, each of the same key wherever it is asked for."""
        ...


@runtime_checkable
class DosesOfModel(Protocol):
    """Doses of whatever kind: what they change, and what they give to lanes."""

    @property
    def clock(self) -> Clock:
        """The span, and which times are the same."""
        ...

    @property
    def model(self) -> Model:
        """The model without sensitivities."""
        ...

    @property
    def changed(self) -> Targets:
        """Components, parameters that are set, components infused into."""
        ...

    @property
    def targets(self) -> JumpTargets:
        """The same as numbers."""
        ...

    def concerns(self, axes: Sequence[str]) -> bool:
        """Whether any of the axes has to do with a dose."""
        ...

    def begin(self, axes: Axes, lanes: Lanes) -> Lanes:
        """Lanes as they are before the first change."""
        ...

    def given(self, axes: Axes, lanes: Lanes, along: Sequence[str] = ()) -> GivenDoses:
        """What is given to lanes."""
        ...


@dataclass(frozen=True, eq=False)
class PlainDoses:
    """The doses of a config; `model` is that of `with_doses`."""

    doses: Sequence[Dose]
    clock: Clock
    model: Model

    @property
    def changed(self) -> Targets:  # noqa: D102
        return dose_targets(self.doses, self.model.declared)

    @property
    def targets(self) -> JumpTargets:  # noqa: D102
        targets = jump_targets(self.model, self.doses)
        assert targets is not None
        return targets

    def concerns(self, axes: Sequence[str]) -> bool:  # noqa: D102
        named = {name for dose in self.doses for _, name in dose.named()}
        for name in named & set(self.model.fixed):
            named |= set(self.model.fixed[name].reads)
        switched = {dose.parameter for dose in self.doses}
        return not (named | switched).isdisjoint(axes)

    def begin(self, axes: Axes, lanes: Lanes) -> Lanes:  # noqa: D102
        return lanes

    def given(self, axes: Axes, lanes: Lanes, along: Sequence[str] = ()) -> GivenDoses:  # noqa: D102
        return _GivenPlainly(self, axes, lanes)


class _GivenPlainly:
    """What plain doses give to lanes."""

    def __init__(self, doses: PlainDoses, axes: Axes, lanes: Lanes):
        self._doses, self._axes, self._args = doses, axes, lanes.args
        self._names = list(doses.model.declared.parameters)

    def value(self, axis: str) -> np.ndarray:
        """The value of an axis that is a parameter; doses know of no other."""
        known = axis in self._names
        return self._args[self._names.index(axis)] if known else np.ones(self._args.shape[1])

    def fits(self, axis: str, shift: np.ndarray) -> np.ndarray:
        try:
            self.changes(axis, shift)
        except ConfigError:
            return np.zeros(self._args.shape[1], bool)
        return np.ones(self._args.shape[1], bool)

    def changes(self, axis: str | None = None, shift: Any = 0.0) -> dict[Any, DoseChange]:
        axes, args = self._axes, self._args
        if axis in self._names:
            args = args.copy()
            args[self._names.index(axis)] += shift
            if axis in axes:
                axes = {**axes, axis: args[self._names.index(axis)]}
        doses, clock, model = self._doses.doses, self._doses.clock, self._doses.model
        return dict(enumerate(dose_changes(doses, clock, model, axes, args)))
