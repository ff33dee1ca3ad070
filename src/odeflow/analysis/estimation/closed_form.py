"""Parameters along which the objective is least in closed form, so that they need no search.

These are noise parameters that are the noise of measurements and nothing else, and scaling factors
and offsets: parameters that observables are linear in and no state depends on. Linear ones are
solved for by weighted least squares, then noise is the size of what remains. Where all measurements
that linear ones act on have one noise parameter, its size does not matter to them; else that noise
has to be known.

Reference: Loos et al. (2018), Hierarchical optimization for the efficient parametrization of ODE
models, Bioinformatics 34, 4266-4273; Schmiester et al. (2020), Efficient parameterization of
large-scale dynamic models based on relative measurements, Bioinformatics 36, 594-602.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from odeflow.analysis.estimation.parameters import Vectors
from odeflow.analysis.estimation.simulation import Simulated, Simulation
from odeflow.importers.expressions.expression import Symbol
from odeflow.importers.petab.likelihood_data import Group
from odeflow.problem.estimated import Estimated, from_scale

Matrices = Float[np.ndarray, "vector parameter parameter"]
#: A measurement's value on the scale of its noise, of each vector.
Values = Float[np.ndarray, "vector measurement"]


class Noise(NamedTuple):
    """A noise parameter: its number, the rows that it is the noise of, and their distribution."""

    number: int
    rows: np.ndarray
    laplace: bool


class Linear(NamedTuple):
    """Parameters that are solved for together, and the rows that they act on."""

    numbers: list[int]
    rows: np.ndarray


class ClosedForm:
    """What can be solved for, and how.

    Arguments:
        simulation: what simulates the measurements; it is told whose derivatives are needed.
    """

    def __init__(self, simulation: Simulation):
        self._parameters, self._groups = simulation.parameters, simulation.measurements.groups
        self._by_conditions = simulation.axes.set_to
        self.noise = self._noise_parameters(simulation)
        self.linear: list[Linear] = []
        candidates = self._candidates(simulation)
        if candidates:
            simulation.differentiate([self._parameters.names[p] for p in candidates])
            kept = [p for p in candidates if p in _linear(simulation, candidates)]
            self.linear = self._blocks(simulation, kept)

    @property
    def numbers(self) -> list[int]:
        """The parameters that are solved for."""
        return [one.number for one in self.noise] + [p for one in self.linear for p in one.numbers]

    def settle(
        self,
        theta: Vectors,
        simulated: Simulated,
        measured: Float[np.ndarray, " measurement"],
        on_noise_scale: Values,
    ) -> Vectors:
        """Puts what is solved for where the objective is least, within the bounds.

        Arguments:
            theta: the vectors that are simulated.
            simulated: what they give; its values and noise are changed in place.
            measured: the measured values on the scale of their noise.
            on_noise_scale: the simulated values there, changed in place.

        Returns:
            The vectors with what is solved for.
        """
        theta = theta.copy()
        for block in self.linear:
            self._settle_linear(block, theta, simulated, measured, on_noise_scale)
        for one in self.noise:
            distance = _columns(on_noise_scale, one.rows) - measured[one.rows]
            with np.errstate(all="ignore"):
                size = np.abs(distance).mean(axis=1)
                best = size if one.laplace else np.sqrt((distance**2).mean(axis=1))
            parameter = self._parameters.all[one.number]
            theta[:, one.number] = _within(best, parameter)
            noise = from_scale(theta[:, one.number], parameter.scale)
            simulated.noise[:, one.rows] = noise[:, None]
        return theta

    def reduced(self, fisher: Matrices, theta: Vectors) -> Matrices:
        """The information on the others, with the linear parameters where they are least.

        That is Schur's complement; what is at a bound stays there.
        """
        for block in self.linear:
            numbers = np.array(block.numbers)
            low, high = (x[numbers] for x in (self._parameters.lower, self._parameters.upper))
            free = (theta[:, numbers] > low) & (theta[:, numbers] < high)
            own = fisher[:, numbers[:, None], numbers]
            own = np.where(free[:, :, None] & free[:, None, :], own, 0.0)
            size = np.maximum(own.diagonal(axis1=1, axis2=2).max(axis=1), 1e-300)
            ridge = np.where(free, 1e-13 * size[:, None], 1.0)
            own = own + ridge[:, :, None] * np.eye(len(numbers))
            cross = np.where(free[:, :, None], fisher[:, numbers], 0.0)
            fisher = fisher - np.matmul(cross.transpose(0, 2, 1), np.linalg.solve(own, cross))
            fisher[:, numbers], fisher[:, :, numbers] = 0.0, 0.0
        return fisher

    def _settle_linear(
        self,
        block: Linear,
        theta: Vectors,
        simulated: Simulated,
        measured: Float[np.ndarray, " measurement"],
        on_noise_scale: Values,
    ) -> None:
        assert simulated.linear_slopes is not None
        rows, numbers = block.rows, block.numbers
        matrix = _columns(_columns(simulated.linear_slopes, rows), numbers, axis=2)
        own = [self._parameters.all[p] for p in numbers]
        known = np.stack([from_scale(theta[:, p], one.scale) for p, one in zip(numbers, own)], 1)
        weight = 1 / _columns(simulated.noise, rows)
        if any(np.isin(rows, one.rows).any() for one in self.noise):
            weight = np.ones_like(weight)  # one noise parameter of all of them
        without = _columns(on_noise_scale, rows) - np.matmul(matrix, known[:, :, None])[:, :, 0]
        goal = (measured[rows] - without) * weight
        scaled = matrix * weight[:, :, None]
        with np.errstate(all="ignore"):
            normal = np.matmul(scaled.transpose(0, 2, 1), scaled)
            right = np.matmul(scaled.transpose(0, 2, 1), goal[:, :, None])[:, :, 0]
        usable = np.isfinite(normal).all(axis=(1, 2)) & np.isfinite(right).all(axis=1)
        low, high = (
            np.array([float(from_scale(np.array(x), one.scale)) for x, one in zip(ends, own)])
            for ends in ([one.lower for one in own], [one.upper for one in own])
        )
        best = known.copy()
        best[usable] = _bounded(normal[usable], right[usable], known[usable], low, high)
        for i, (p, one) in enumerate(zip(numbers, own)):
            theta[:, p] = _within(best[:, i], one)
            best[:, i] = from_scale(theta[:, p], one.scale)
        on_noise_scale[:, rows] = without + np.matmul(matrix, best[:, :, None])[:, :, 0]
        simulated.values[:, rows] = on_noise_scale[:, rows]

    def _noise_parameters(self, simulation: Simulation) -> list[Noise]:
        names = self._parameters.names
        found: dict[str, list[Group]] = {}
        other = {*simulation.directions, *simulation.resting, *self._by_conditions}
        for group in self._groups:
            (_, last), alone = group.noise[-1], len(group.noise) == 1
            if alone and isinstance(last, Symbol) and last.name in group.columns:
                found.setdefault(last.name, []).append(group)
            else:
                other |= {*group.columns}
        result = []
        for name, groups in found.items():
            kinds = {group.distribution for group in groups}
            if name in names and name not in other and len(kinds) == 1:
                number = names.index(name)
                if self._parameters.all[number].prior is None:
                    rows = np.concatenate([group.rows for group in groups])
                    result.append(Noise(number, rows, kinds == {"laplace"}))
        return result

    def _candidates(self, simulation: Simulation) -> list[int]:
        """Parameters that only observables with normal noise on their own scale read."""
        read_by_noise = {name for group in self._groups for name in group.columns}
        found = []
        for name, variables in simulation.resting.items():
            groups = [group for group in self._groups if group.variable in variables]
            plain = all(g.distribution == "normal" and g.transformation == "lin" for g in groups)
            apart = name in self._parameters.names and name not in self._by_conditions
            # noise that reads what is simulated would move with it
            apart = apart and not any(group.states or len(group.noise) > 1 for group in groups)
            if plain and apart and name not in read_by_noise:
                number = self._parameters.names.index(name)
                if self._parameters.all[number].prior is None:
                    found.append(number)
        return found

    def _blocks(self, simulation: Simulation, numbers: Sequence[int]) -> list[Linear]:
        """Linear parameters that share measurements, together; those whose noise is not known."""
        blocks: list[Linear] = []
        for number in numbers:
            variables = simulation.resting[self._parameters.names[number]]
            groups = [group for group in self._groups if group.variable in variables]
            rows = np.concatenate([group.rows for group in groups])
            apart = [one for one in blocks if not np.isin(one.rows, rows).any()]
            shared = [one for one in blocks if np.isin(one.rows, rows).any()]
            together = [number, *(p for one in shared for p in one.numbers)]
            every = np.unique(np.concatenate([rows, *(one.rows for one in shared)]))
            blocks = [*apart, Linear(sorted(together), every)]
        return [one for one in blocks if self._weights_known(one.rows)]

    def _weights_known(self, rows: np.ndarray) -> bool:
        """Whether noise is given for all of these rows, or is one parameter's for all of them."""
        for one in self.noise:
            inside = np.isin(rows, one.rows)
            if inside.any():
                return bool(inside.all())
        groups = [group for group in self._groups if np.isin(group.rows, rows).any()]
        estimated = {*self._parameters.names}
        return all(not estimated & {*group.columns} for group in groups)


def _linear(simulation: Simulation, candidates: Sequence[int]) -> list[int]:
    """The candidates in which all measured values are linear together: no product of two is."""
    parameters = simulation.parameters
    middle = (parameters.lower + parameters.upper) / 2
    theta = np.repeat(middle[None], 1 + len(candidates), axis=0)
    for row, p in enumerate(candidates, 1):
        theta[row, p] = middle[p] + 0.1 * (parameters.upper[p] - middle[p])
    slopes = simulation(theta).linear_slopes
    assert slopes is not None
    kept: list[int] = []
    for row, p in enumerate(candidates, 1):
        size = np.abs(slopes[0]).max(axis=0) + 1e-300
        change = np.abs(slopes[row] - slopes[0]).max(axis=0) / size
        moves = {q for q in candidates if not change[q] < 1e-9}
        if p not in moves and not moves & {*kept}:
            kept.append(p)
    return kept


def _bounded(
    normal: np.ndarray, right: np.ndarray, start: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Least squares within bounds: free, then by coordinates where a bound is crossed."""
    size = np.maximum(normal.diagonal(axis1=1, axis2=2), 1e-300)
    ridge = 1e-13 * size[:, :, None] * np.eye(normal.shape[1])
    free = np.linalg.solve(normal + ridge, right[:, :, None])[:, :, 0]
    x = np.clip(free, low, high)
    crossed = np.flatnonzero((x != free).any(axis=1))
    if normal.shape[1] == 1 or not len(crossed):
        return x
    normal, right, size, x_there = normal[crossed], right[crossed], size[crossed], x[crossed]
    for _ in range(50):
        for i in range(normal.shape[1]):
            pulled = right[:, i] - (normal[:, i] * x_there).sum(axis=1)
            x_there[:, i] = np.clip(x_there[:, i] + pulled / size[:, i], low[i], high[i])
    x[crossed] = x_there
    return x


def _columns(table: np.ndarray, numbers: np.ndarray | list[int], axis: int = 1) -> np.ndarray:
    """Columns of a table, a row after the other in memory.

    An index array leaves the order open, and with it how NumPy adds up rows: bits of a vector
    would depend on how many others there are.
    """
    return np.ascontiguousarray(np.take(table, numbers, axis=axis))


def _within(value: np.ndarray, parameter: Estimated) -> np.ndarray:
    """A value on the scale of its parameter, within the bounds."""
    with np.errstate(all="ignore"):
        theta = value if parameter.scale == "lin" else np.log(value)
        theta = theta / math.log(10) if parameter.scale == "log10" else theta
    return np.clip(np.nan_to_num(theta, nan=parameter.lower), parameter.lower, parameter.upper)
