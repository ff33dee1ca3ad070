"""The negative log-posterior of many parameter vectors, with gradients and Fisher information.

With z the simulated value on the scale of the noise, m the measured one and s the noise, a normal
measurement adds (dz dz' + 2 ds ds')/s^2 to the Fisher information, a Laplace one
(dz dz' + ds ds')/s^2. What `closed_form` solves for takes no part in the search: the objective is
at its least along it.

Reference: Raue et al. (2013), Lessons learned from quantitative dynamical modeling in systems
biology, PLoS ONE 8, e74335.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from odeflow.analysis.estimation.closed_form import ClosedForm
from odeflow.analysis.estimation.parameters import Parameters, Vectors
from odeflow.analysis.estimation.simulation import Simulated, Simulation, Table
from odeflow.problem.noise import log_density, transformed

Numbers = Float[np.ndarray, " vector"]
Matrices = Float[np.ndarray, "vector parameter parameter"]
#: Bytes of derivatives of the vectors that are simulated at once.
_SLAB = 2**28


class Slopes(NamedTuple):
    """Derivatives of the objective: its gradient, and the Fisher information with the prior's."""

    gradient: Vectors
    fisher: Matrices
    failed: Bool[np.ndarray, " vector"]


class Objective:
    """The negative log-posterior as a function of vectors on the parameters' scales.

    Arguments:
        simulation: what simulates the measurements.
        closed_form: whether what can be solved for is not searched for.
    """

    def __init__(self, simulation: Simulation, closed_form: bool = True):
        self.simulation = simulation
        self.parameters: Parameters = simulation.parameters
        self._groups = simulation.measurements.groups
        #: What was measured, as it is.
        self.measured = np.empty(simulation.measurements.number)
        #: Of each measurement: its value on the scale of its noise.
        self._measured = np.empty(simulation.measurements.number)
        self._laplace = np.zeros(simulation.measurements.number, bool)
        for group in self._groups:
            self.measured[group.rows] = group.values
            self._measured[group.rows] = transformed(group.values, group.transformation)
            self._laplace[group.rows] = group.distribution == "laplace"
        self._closed = ClosedForm(simulation) if closed_form else None
        #: Numbers of the parameters that are solved for.
        self.solved = [] if self._closed is None else self._closed.numbers

    @property
    def searched(self) -> Bool[np.ndarray, " parameter"]:
        """The parameters that are searched for, and not solved for."""
        return ~np.isin(np.arange(self.parameters.size), self.solved)

    def settled(self, theta: Vectors) -> tuple[Numbers, Vectors]:
        """The objective, infinite where a trajectory fails, and the vectors with what is solved.

        Arguments:
            theta: vectors on the scales, of which what is solved for does not count.

        Returns:
            The objective of each, and the vectors it is of.
        """
        found, settled = np.empty(len(theta)), theta.copy()
        for part in self._slabs(len(theta), slopes=False):
            simulated, settled[part] = self._settle(theta[part], self.simulation(theta[part]))
            found[part] = self._objective(simulated, settled[part])
        return found, settled

    def log_likelihood(self, theta: Vectors) -> Numbers:
        """The log-likelihood of vectors as they are; minus infinity where a trajectory fails."""
        found = np.empty(len(theta))
        for part in self._slabs(len(theta), slopes=False):
            simulated = self.simulation(theta[part])
            likelihood = self._densities(simulated).sum(axis=1)
            found[part] = np.where(np.isfinite(likelihood), likelihood, -np.inf)
        return found

    def simulated(self, theta: Vectors) -> Simulated:
        """What vectors, as they are, make of the measurements."""
        return self.simulation(theta)

    def residuals(self, simulated: Simulated) -> Table:
        """Measured less simulated values, on the scale of their noise and over it."""
        z, _ = self._on_noise_scale(simulated.values)
        with np.errstate(all="ignore"):
            return np.asarray((self._measured - z) / simulated.noise)

    def slopes(self, theta: Vectors) -> Slopes:
        """Gradient and Fisher information of vectors as they are.

        Arguments:
            theta: vectors on the scales.

        Returns:
            The derivatives along the scales, and which vectors have none.
        """
        size, number = theta.shape
        gradient, fisher = np.empty((size, number)), np.empty((size, number, number))
        failed = np.empty(size, bool)
        for part in self._slabs(size, slopes=True):
            simulated = self.simulation(theta[part], slopes=True)
            gradient[part], fisher[part] = self._differentiated(simulated)
            finite = np.isfinite(gradient[part]).all(axis=1)
            failed[part] = simulated.failed | ~finite
        slopes, curvature = self.parameters.prior_terms(theta)
        gradient += slopes
        fisher += curvature[:, :, None] * np.eye(number)
        if self._closed is not None:
            fisher = self._closed.reduced(fisher, theta)
        return Slopes(gradient, fisher, failed)

    def _slabs(self, size: int, slopes: bool) -> Iterator[slice]:
        """Vectors that are simulated at once: what is saved of them fits into memory."""
        kept = len(self.simulation.config.saveat.variables or [])
        width = self.simulation.runs * len(self.simulation.times) * kept
        width *= 1 + slopes * len(self.simulation.directions)
        width += 3 * self._measured.size * (1 + slopes * self.parameters.size)
        step = max(_SLAB // (8 * width), 1)
        for first in range(0, size, step):
            yield slice(first, min(first + step, size))

    def _objective(self, simulated: Simulated, theta: Vectors) -> Numbers:
        density = self._densities(simulated).sum(axis=1) + self.parameters.log_prior(theta)
        return np.where(simulated.failed | ~np.isfinite(density), np.inf, -density)

    def _densities(self, simulated: Simulated) -> Table:
        result = np.empty_like(simulated.values)
        for group in self._groups:
            result[:, group.rows] = log_density(
                group.values,
                simulated.values[:, group.rows],
                simulated.noise[:, group.rows],
                group.transformation,
                group.distribution,
            )
        return result

    def _on_noise_scale(self, values: Table) -> tuple[Table, Table]:
        """Simulated values on the scale of their noise, and how fast they move along the values."""
        z, speed = values.copy(), np.ones_like(values)
        for group in self._groups:
            if group.transformation != "lin":
                own = values[:, group.rows]
                with np.errstate(all="ignore"):
                    z[:, group.rows] = transformed(own, group.transformation)
                    speed[:, group.rows] = 1 / own
                if group.transformation == "log10":
                    speed[:, group.rows] /= math.log(10)
        return z, speed

    def _differentiated(self, simulated: Simulated) -> tuple[Vectors, Matrices]:
        z, speed = self._on_noise_scale(simulated.values)
        assert simulated.value_slopes is not None and simulated.noise_slopes is not None
        with np.errstate(all="ignore"):
            along_z = simulated.value_slopes * speed[:, :, None]
            along_noise = simulated.noise_slopes
            s = simulated.noise
            distance = (z - self._measured) / s
            absolute = np.abs(distance)
            of_z = np.where(self._laplace, np.sign(distance), distance) / s
            of_noise = np.where(self._laplace, 1 - absolute, 1 - distance**2) / s
            weight = np.where(self._laplace, 1.0, math.sqrt(2.0)) / s
            gradient = np.matmul(of_z[:, None, :], along_z)[:, 0]
            gradient += np.matmul(of_noise[:, None, :], along_noise)[:, 0]
            roots = along_z / s[:, :, None]
            fisher = np.matmul(roots.transpose(0, 2, 1), roots)
            roots = along_noise * weight[:, :, None]
            fisher += np.matmul(roots.transpose(0, 2, 1), roots)
        return gradient, fisher

    def _settle(self, theta: Vectors, simulated: Simulated) -> tuple[Simulated, Vectors]:
        """Puts what is solved for where the objective is least along it, within the bounds."""
        if self._closed is None or not self.solved:
            return simulated, theta
        z, _ = self._on_noise_scale(simulated.values)
        return simulated, self._closed.settle(theta, simulated, self._measured, z)
